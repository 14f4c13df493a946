/** The other documents: proofs, commitments, snapshots (spec, documents). */

import { fromHex } from "./bytes.js";
import { InputError } from "./errors.js";
import { Fields, hexItem } from "./fields.js";
import { digestOf, isArray, type Json, type JsonObject } from "./json.js";
import { CEREMONY, PROTOCOL } from "./setup.js";

export type Level = "initial" | "maintenance";

/** What a proof says that it is about; a verifier compares it with a statement of his own. */
export interface Claims {
  readonly snapshot: string;
  readonly universe: string;
  readonly model: string;
  readonly level: Level;
  readonly threshold: bigint;
  readonly commitments: readonly string[];
  readonly audience: string;
  readonly nonce: string;
  readonly expiry: bigint;
}

export interface ProofDocument {
  readonly claims: Claims;
  readonly proof: Uint8Array;
}

export interface Commitment {
  readonly universe: string;
  readonly domain: number;
  readonly point: string;
}

/** What a snapshot says, as far as people want to see it beside a proof. */
export interface Snapshot {
  readonly id: string;
  readonly universe: string;
  /** Unix microseconds. */
  readonly valuationTime: bigint;
  /** A tick is 10^-decimals USD. */
  readonly decimals: number;
  readonly domain: number;
  readonly source: string;
  /** USD by coin. */
  readonly indices: readonly (readonly [coin: string, price: string])[];
  readonly instruments: number;
  readonly models: readonly string[];
}

export const LONGEST_PROOF = 1 << 16;

const AMOUNT = 1n << 255n;

/** A proof from its document. Throws InputError. */
export function readProofDocument(content: Json, where: string): ProofDocument {
  const fields = new Fields(content, where);
  fields.literal("format", "zkmargin/proof");
  fields.literal("version", 1n);
  fields.literal("curve", "BLS12-381");
  fields.literal("protocol", PROTOCOL);
  fields.literal("setup", CEREMONY.digest);
  const claims = readClaims(fields.object("claims"), where);
  const proof = fromHex(fields.longHex("proof", 1, LONGEST_PROOF));
  fields.end();
  return { claims, proof };
}

function readClaims(fields: Fields, where: string): Claims {
  const claims: Claims = {
    snapshot: fields.hex("snapshot", 32),
    universe: fields.hex("universe", 32),
    model: fields.text("model", 1, 256),
    level: fields.literal("level", "initial", "maintenance"),
    threshold: fields.integer("threshold", -AMOUNT, AMOUNT),
    commitments: fields.list("commitments", 1, 1024, hexItem(where, 48)),
    audience: fields.text("audience", 1, 256),
    nonce: fields.text("nonce", 1, 256),
    expiry: fields.integer("expiry", 0n, 1n << 63n),
  };
  fields.end();
  return claims;
}

/** A commitment from its document. Throws InputError. */
export function readCommitment(content: Json, where: string): Commitment {
  const fields = new Fields(content, where);
  fields.literal("format", "zkmargin/commitment");
  fields.literal("version", 1n);
  fields.literal("curve", "BLS12-381");
  fields.literal("setup", CEREMONY.digest);
  const commitment = {
    universe: fields.hex("universe", 32),
    domain: Number(fields.integer("domain", 64n, 2049n)),
    point: fields.hex("point", 48),
  };
  fields.end();
  return commitment;
}

/** A snapshot whose id is that of its content. Throws InputError if it is another's, or what is read is not there. */
export function readSnapshot(content: Json, where: string): Snapshot {
  const fields = new Fields(content, where);
  const id = fields.hex("id", 32);
  fields.literal("version", 1n);
  const { id: _, ...body } = content as JsonObject;
  const own = digestOf(body);
  if (own !== id) throw new InputError(where, "id", id, `its content has the id ${own}; get the snapshot again`);
  const universe = fields.object("universe");
  const inputs = fields.object("inputs");
  const indices = inputs.object("indices");
  const models = fields.object("models");
  return {
    id,
    universe: digestOf(fields.any("universe")),
    valuationTime: fields.integer("valuation_time", 1n, 1n << 62n),
    decimals: Number(fields.integer("quantum_decimals", 0n, 19n)),
    domain: Number(universe.integer("domain", 64n, 2049n)),
    source: inputs.text("source", 0, 1024),
    indices: indices.keys().map((coin) => [coin, indices.text(coin, 1, 64)] as const),
    instruments: listed(universe, where),
    models: models.keys(),
  };
}

function listed(universe: Fields, where: string): number {
  const instruments = universe.any("instruments");
  if (!isArray(instruments)) throw new InputError(where, "universe.instruments", "another type", "write an array");
  return instruments.length;
}
