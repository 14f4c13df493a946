/** Committed rows: commitments that stand for the coefficients on the holdings (spec, rows). */

import { sha256 } from "@noble/hashes/sha2.js";
import { concat, fromHex, toHex, utf8 } from "./bytes.js";
import { decodePoint, type Point, PointError, POINT_BYTES } from "./curve.js";
import { Finding, InputError, VerificationError } from "./errors.js";
import { Fields } from "./fields.js";
import { type Json } from "./json.js";
import { CEREMONY } from "./setup.js";

export interface CommittedRows {
  readonly digest: string;
  readonly snapshot: string;
  readonly model: string;
  readonly level: "initial" | "maintenance";
  /** For each holdings column the encodings of all equations' commitments. */
  readonly columns: readonly (readonly Uint8Array[])[];
  /** The encoding of the commitment to the table 0 .. n-1. */
  readonly table: Uint8Array;
}

const MOST_BYTES = 1 << 24;

/** Committed rows from their document. Throws InputError. */
export function readRows(content: Json, where: string): CommittedRows {
  const fields = new Fields(content, where);
  fields.literal("format", "zkmargin/rows");
  fields.literal("version", 1n);
  fields.literal("curve", "BLS12-381");
  fields.literal("setup", CEREMONY.digest);
  const snapshot = fields.hex("snapshot", 32);
  const model = fields.text("model", 1, 256);
  const level = fields.literal("level", "initial", "maintenance");
  const table = fromHex(fields.hex("table", POINT_BYTES));
  const columns = fields.list("columns", 1, 64, (item, path) => {
    if (typeof item !== "string" || !/^([0-9a-f]{96})+$/.test(item) || item.length > 2 * MOST_BYTES) {
      throw new InputError(where, path, new Finding("no points"), "write compressed points as lower-case hex");
    }
    const bytes = fromHex(item);
    return Array.from({ length: bytes.length / POINT_BYTES }, (_, k) =>
      bytes.subarray(k * POINT_BYTES, (k + 1) * POINT_BYTES),
    );
  });
  fields.end();
  const digest = toHex(sha256(concat(utf8("zkmargin/rows/1;"), table, ...columns.flat())));
  return { digest, snapshot, model, level, columns, table };
}

/** The points of committed rows. Throws VerificationError for what is no point. */
export function decodeRows(rows: CommittedRows): { columns: Point[][]; table: Point } {
  try {
    return { columns: rows.columns.map((column) => column.map(decodePoint)), table: decodePoint(rows.table) };
  } catch (error) {
    if (!(error instanceof PointError)) throw error;
    throw new VerificationError("committed-rows", `a commitment to a row is no point: ${error.message}`);
  }
}
