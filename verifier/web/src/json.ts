/** JSON with exact integers: a strict reader, and the one canonical encoding (spec, canonical JSON). */

import { sha256 } from "@noble/hashes/sha2.js";
import { toHex, utf8 } from "./bytes.js";
import { Finding, InputError } from "./errors.js";

/** What a document is made of: integers are bigint, and there are no other numbers. */
export type Json = null | boolean | bigint | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

const DEEPEST = 64;
const LONGEST_INTEGER = 100;
export const LARGEST_FILE = 64 << 20;

/** The document in a text. Throws InputError for all but JSON with integers only and each key once. */
export function parseJson(text: string, where: string): Json {
  return new Reader(text, where).document();
}

/** The document in the bytes of a file. Throws InputError for what is too large, or no UTF-8, or no JSON. */
export function parseJsonBytes(bytes: Uint8Array, where: string): Json {
  if (bytes.length > LARGEST_FILE) {
    throw new InputError(where, "file", new Finding(`${bytes.length} bytes`), `give at most ${LARGEST_FILE}`);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(where, "file", new Finding("bytes that are no UTF-8"), "save it as UTF-8");
  }
  return parseJson(text, where);
}

/** The canonical encoding: keys by code point, no white space, the least of escapes. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string") return quoted(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const keys = Object.keys(value).sort(byCodePoint);
  return `{${keys.map((key) => `${quoted(key)}:${canonicalJson(value[key] as Json)}`).join(",")}}`;
}

/** SHA-256 of the canonical encoding, in lower-case hex. */
export const digestOf = (value: Json): string => toHex(sha256(utf8(canonicalJson(value))));

export const isArray = (value: Json): value is readonly Json[] => Array.isArray(value);

const LONE_SURROGATE = /\p{Cs}/u;

/** Order by code points; that of JavaScript, by UTF-16 units, differs beyond the basic plane. */
function byCodePoint(a: string, b: string): number {
  if (!/[\ud800-\udfff]/.test(a + b)) return a < b ? -1 : 1;
  const [left, right] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = (left[i] as string).codePointAt(0)! - (right[i] as string).codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

const SHORT: Record<string, string> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function quoted(text: string): string {
  if (LONE_SURROGATE.test(text)) throw new RangeError("half of a surrogate pair");
  const escaped = text.replace(
    /["\\\u0000-\u001f]/g,
    (found) => SHORT[found] ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}

const ESCAPES: Record<string, string> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

class Reader {
  #at = 0;
  #number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
  #plain = /[^"\\\u0000-\u001f]*/y;

  constructor(
    readonly text: string,
    readonly where: string,
  ) {}

  document(): Json {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.text.length) this.#fail("something follows the document");
    return value;
  }

  #value(depth: number): Json {
    if (depth > DEEPEST) this.#fail(`it nests more than ${DEEPEST} deep`);
    this.#space();
    const next = this.text[this.#at];
    if (next === "{") return this.#object(depth);
    if (next === "[") return this.#array(depth);
    if (next === '"') return this.#string();
    for (const [word, value] of [["null", null], ["true", true], ["false", false]] as const) {
      if (this.text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    return this.#integer();
  }

  #integer(): bigint {
    this.#number.lastIndex = this.#at;
    const found = this.#number.exec(this.text)?.[0];
    if (found === undefined) this.#fail("a value is missing or misspelt");
    if (/[.eE]/.test(found)) this.#fail("a number has to be an integer");
    if (found.length > LONGEST_INTEGER) this.#fail(`an integer has more than ${LONGEST_INTEGER} digits`);
    this.#at += found.length;
    return BigInt(found);
  }

  #object(depth: number): JsonObject {
    const object: Record<string, Json> = Object.create(null);
    this.#at++;
    this.#space();
    if (this.#take("}")) return object;
    do {
      this.#space();
      if (this.text[this.#at] !== '"') this.#fail("a key in quotes is missing");
      const key = this.#string();
      if (key in object) throw new InputError(this.where, "key", key, "occurs twice in one object; keep one");
      this.#space();
      if (!this.#take(":")) this.#fail("a colon is missing");
      object[key] = this.#value(depth + 1);
      this.#space();
    } while (this.#take(","));
    if (!this.#take("}")) this.#fail("a comma or } is missing");
    return object;
  }

  #array(depth: number): Json[] {
    const array: Json[] = [];
    this.#at++;
    this.#space();
    if (this.#take("]")) return array;
    do {
      array.push(this.#value(depth + 1));
      this.#space();
    } while (this.#take(","));
    if (!this.#take("]")) this.#fail("a comma or ] is missing");
    return array;
  }

  #string(): string {
    this.#at++;
    let result = "";
    for (;;) {
      this.#plain.lastIndex = this.#at;
      const run = (this.#plain.exec(this.text) as RegExpExecArray)[0];
      result += run;
      this.#at += run.length;
      if (this.#take('"')) break;
      if (!this.#take("\\")) this.#fail("a text does not end, or has a control character");
      result += this.#escape();
    }
    if (LONE_SURROGATE.test(result)) this.#fail("a text has half of a surrogate pair");
    return result;
  }

  #escape(): string {
    const letter = this.text[this.#at++] ?? "";
    if (letter !== "u") return ESCAPES[letter] ?? this.#fail("an escape is unknown");
    const digits = this.text.slice(this.#at, this.#at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.#fail("an escape is unknown");
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #space(): void {
    while (" \t\n\r".includes(this.text[this.#at] ?? "x")) this.#at++;
  }

  #take(character: string): boolean {
    if (this.text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #fail(finding: string): never {
    throw new InputError(this.where, "document", new Finding(`at ${this.#at}: ${finding}`), "write valid JSON");
  }
}
