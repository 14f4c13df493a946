/** Reading a document field by field: nothing missing, nothing unknown, nothing of another type (spec, documents). */

import { Finding, InputError } from "./errors.js";
import { isArray, type Json, type JsonObject } from "./json.js";
import { isAddress } from "./signature.js";

const PRINTABLE = /^[ \p{L}\p{M}\p{N}\p{P}\p{S}]*$/u;

/** An object that is read once: every key is asked for, and `end` refuses what nothing asked for. */
export class Fields {
  #object: JsonObject;
  #asked = new Set<string>();

  constructor(
    value: Json,
    readonly where: string,
    readonly path = "",
  ) {
    if (value === null || typeof value !== "object" || isArray(value)) {
      this.#object = {};
      throw new InputError(where, path || "document", new Finding(kindOf(value)), "write an object: {...}");
    }
    this.#object = value;
  }

  /** Refuses keys that nothing asked for. */
  end(): void {
    for (const key of Object.keys(this.#object)) {
      if (!this.#asked.has(key)) this.#refuse(key, "unknown key; remove it or correct its name");
    }
  }

  has(key: string): boolean {
    return key in this.#object;
  }

  any(key: string): Json {
    this.#asked.add(key);
    if (!(key in this.#object)) {
      const remedy = "add the key, or name a file of the right kind";
      throw new InputError(this.where, this.#named(key), new Finding("missing"), remedy);
    }
    return this.#object[key] as Json;
  }

  literal<T extends string | bigint | boolean>(key: string, ...allowed: readonly T[]): T {
    const value = this.any(key);
    if (!allowed.includes(value as T)) this.#refuse(key, `must be ${allowed.map(String).join(" or ")} here`);
    return value as T;
  }

  /** Text of printable characters, counted in code points. */
  text(key: string, least: number, most: number): string {
    const value = this.#string(key);
    const length = Array.from(value).length;
    if (length < least || length > most) this.#refuse(key, `write ${least} to ${most} characters`);
    if (!PRINTABLE.test(value)) this.#refuse(key, "write printable characters only");
    return value;
  }

  hex(key: string, bytes: number): string {
    const value = this.#string(key);
    if (value.length !== 2 * bytes || !/^[0-9a-f]*$/.test(value)) {
      this.#refuse(key, `write ${bytes} bytes as lower-case hex`);
    }
    return value;
  }

  /** Bytes that are not all 0: none is written null. */
  someHex(key: string, bytes: number): string {
    const value = this.hex(key, bytes);
    if (/^0*$/.test(value)) this.#refuse(key, "write null for none");
    return value;
  }

  /** Whole bytes as lower-case hex, `least` to `most` of them. */
  longHex(key: string, least: number, most: number): string {
    const value = this.#string(key);
    if (value.length % 2 || value.length < 2 * least || value.length > 2 * most || !/^[0-9a-f]*$/.test(value)) {
      this.#refuse(key, `write ${least} to ${most} bytes as lower-case hex`);
    }
    return value;
  }

  /** A word of small letters, digits and hyphens. */
  word(key: string): string {
    const value = this.#string(key);
    if (!/^[a-z][a-z0-9-]{0,31}$/.test(value)) this.#refuse(key, "write 1 to 32 small letters, digits and hyphens");
    return value;
  }

  /** The name of an account or a venue: it has one spelling. */
  party(key: string): string {
    const value = this.#string(key);
    if (value.length > 128 || !/^[a-z0-9]([a-z0-9._:/@-]*[a-z0-9])?$/.test(value)) {
      this.#refuse(key, "write lower-case letters, digits and . _ : / @ - between them");
    }
    return value;
  }

  integer(key: string, least: bigint, below: bigint): bigint {
    const value = this.any(key);
    if (typeof value !== "bigint") return this.#refuse(key, "write a whole number");
    if (value < least || value >= below) this.#refuse(key, `write a number from ${least} to ${below - 1n}`);
    return value;
  }

  flag(key: string): boolean {
    const value = this.any(key);
    if (typeof value !== "boolean") return this.#refuse(key, "write true or false");
    return value;
  }

  address(key: string): string {
    const value = this.#string(key);
    if (!isAddress(value)) {
      this.#refuse(key, "write an address as 0x and 40 hex digits in the mixed case of EIP-55");
    }
    return value;
  }

  list<T>(key: string, least: number, most: number, read: (item: Json, path: string) => T): T[] {
    const value = this.any(key);
    if (!isArray(value)) return this.#refuse(key, "write an array: [...]");
    if (value.length < least || value.length > most) this.#refuse(key, `list ${least} to ${most}`);
    return value.map((item, index) => read(item, `${this.#named(key)}.${index}`));
  }

  object(key: string): Fields {
    return new Fields(this.any(key), this.where, this.#named(key));
  }

  /** What `read` makes of the field, or null. */
  orNull<T>(key: string, read: (key: string) => T): T | null {
    return this.any(key) === null ? null : read(key);
  }

  /** Refuses the value of a field. */
  refuse(key: string, remedy: string): never {
    return this.#refuse(key, remedy);
  }

  keys(): string[] {
    return Object.keys(this.#object);
  }

  #string(key: string): string {
    const value = this.any(key);
    if (typeof value !== "string") return this.#refuse(key, "write a text in quotes");
    return value;
  }

  #named(key: string): string {
    return this.path ? `${this.path}.${key}` : key;
  }

  #refuse(key: string, remedy: string): never {
    const value = this.#object[key] as Json;
    const shown = typeof value === "object" ? new Finding(kindOf(value)) : value;
    throw new InputError(this.where, this.#named(key), shown, remedy);
  }
}

/** Reads the items of a list of hex strings of a fixed number of bytes. */
export function hexItem(where: string, bytes: number): (item: Json, path: string) => string {
  return (item, path) => {
    if (typeof item !== "string" || item.length !== 2 * bytes || !/^[0-9a-f]*$/.test(item)) {
      const shown = typeof item === "string" ? item : new Finding(kindOf(item));
      throw new InputError(where, path, shown, `write ${bytes} bytes as lower-case hex`);
    }
    return item;
  };
}

function kindOf(value: Json | undefined): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (typeof value === "object") return isArray(value) ? "a JSON array" : "a JSON object";
  return `a JSON ${typeof value === "bigint" ? "number" : typeof value}`;
}
