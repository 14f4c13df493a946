/** The statement: everything that a proof is about, and the digest that binds it (spec, statement). */

import { sha256 } from "@noble/hashes/sha2.js";
import { concat, fromHex, toBytes, toHex, utf8 } from "./bytes.js";
import { InputError } from "./errors.js";
import { Fields } from "./fields.js";
import type { Json } from "./json.js";

export interface Term {
  /** The compressed point of the commitment, in hex. */
  readonly point: string;
  /** The holdings column that it is added into. */
  readonly column: number;
  /** Digest of what vouches for it, in hex; null if nothing signed does. */
  readonly attestation: string | null;
}

export interface Statement {
  /** SHA-256 of the program, or of the frame in committed mode. */
  readonly program: string;
  /** Digest of the committed rows; null in direct mode. */
  readonly rows: string | null;
  readonly snapshot: string;
  readonly universe: string;
  readonly model: string;
  readonly level: "initial" | "maintenance";
  /** In ticks of the snapshot. */
  readonly threshold: bigint;
  readonly commitments: readonly Term[];
  readonly audience: string;
  readonly nonce: string;
  /** Unix seconds; 0 for none. */
  readonly expiry: bigint;
  /** Address of whoever submits, 20 bytes in hex; null where none is asked for. */
  readonly subject: string | null;
  /** Chain id; 0 for none. */
  readonly chain: bigint;
  /** Address of the verifying contract, 20 bytes in hex; null for none. */
  readonly contract: string | null;
}

export const STATEMENT_FORMAT = "zkmargin/statement/2";

const MOST_COMMITMENTS = 1024;
const AMOUNT = 1n << 255n;
const WORD = 32;

/** A statement from its document. Throws InputError. */
export function readStatement(content: Json, where: string): Statement {
  const fields = new Fields(content, where);
  fields.literal("format", "zkmargin/statement");
  fields.literal("version", 1n);
  const statement: Statement = {
    program: fields.hex("program", 32),
    rows: fields.orNull("rows", (key) => fields.someHex(key, 32)),
    snapshot: fields.hex("snapshot", 32),
    universe: fields.hex("universe", 32),
    model: fields.text("model", 1, 256),
    level: fields.literal("level", "initial", "maintenance"),
    threshold: fields.integer("threshold", -AMOUNT, AMOUNT),
    commitments: fields.list("commitments", 1, MOST_COMMITMENTS, (item, path) => readTerm(item, where, path)),
    audience: fields.text("audience", 1, 256),
    nonce: fields.text("nonce", 1, 256),
    expiry: fields.integer("expiry", 0n, 1n << 63n),
    subject: fields.orNull("subject", (key) => fields.someHex(key, 20)),
    chain: fields.integer("chain", 0n, 1n << 63n),
    contract: fields.orNull("contract", (key) => fields.someHex(key, 20)),
  };
  fields.end();
  const points = statement.commitments.map((term) => term.point);
  if (new Set(points).size !== points.length) {
    throw new InputError(where, "commitments", "the same twice", "name each commitment once");
  }
  return statement;
}

/** The fifteen words of 32 bytes that are hashed. */
export function encodeStatement(statement: Statement): Uint8Array {
  const text = (value: string): Uint8Array => sha256(utf8(value));
  const address = (value: string | null): Uint8Array => toBytes(BigInt(`0x${value ?? "0"}`), WORD);
  const signed = (value: bigint): Uint8Array => toBytes(BigInt.asUintN(8 * WORD, value), WORD);
  return concat(
    text(STATEMENT_FORMAT),
    fromHex(statement.program),
    digestOrZero(statement.rows),
    fromHex(statement.snapshot),
    fromHex(statement.universe),
    text(statement.model),
    text(statement.level),
    signed(statement.threshold),
    sha256(concat(...statement.commitments.map(encodeTerm))),
    text(statement.audience),
    text(statement.nonce),
    toBytes(statement.expiry, WORD),
    address(statement.subject),
    toBytes(statement.chain, WORD),
    address(statement.contract),
  );
}

/** SHA-256 of the encoding, 32 bytes. */
export const statementDigest = (statement: Statement): Uint8Array => sha256(encodeStatement(statement));

/** The same in hex. */
export const statementId = (statement: Statement): string => toHex(statementDigest(statement));

function encodeTerm(term: Term): Uint8Array {
  return concat(fromHex(term.point), toBytes(BigInt(term.column), 4), digestOrZero(term.attestation));
}

function digestOrZero(digest: string | null): Uint8Array {
  return digest === null ? new Uint8Array(WORD) : fromHex(digest);
}

function readTerm(item: Json, where: string, path: string): Term {
  const fields = new Fields(item, where, path);
  const term = {
    point: fields.hex("point", 48),
    column: Number(fields.integer("column", 0n, 1n << 16n)),
    attestation: fields.orNull("attestation", (key) => fields.someHex(key, 32)),
  };
  fields.end();
  return term;
}
