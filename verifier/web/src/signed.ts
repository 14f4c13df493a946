/** The signed documents: attestations, signatures of snapshots, receipts (spec, signatures and documents). */

import { fromHex, toHex } from "./bytes.js";
import { VerificationError } from "./errors.js";
import { Fields, hexItem } from "./fields.js";
import type { Json } from "./json.js";
import { recoverAddress, SignatureError } from "./signature.js";
import { ATTESTATION, PROGRAM, RECEIPT, SNAPSHOT } from "./structs.js";
import { type Message, type SigningDomain, type Struct, typedDigest } from "./typed-data.js";

const MOMENT = 1n << 62n;
const COUNTER = 1n << 63n;
const AMOUNT = 1n << 255n;
const NAME = 128;
const TEXT = 256;
const MOST_ATTESTATIONS = 64;
/** How the absence of a digest is signed. */
const NONE = "00".repeat(32);

/** What every signed document has. */
export interface Signed {
  readonly domain: SigningDomain;
  readonly signer: string;
  readonly signature: string;
  /** What the signature is over, 32 bytes in hex. */
  readonly digest: string;
}

export interface Attestation extends Signed {
  readonly setup: string;
  readonly universe: string;
  readonly slots: number;
  readonly point: string;
  readonly bound: bigint;
  readonly venue: string;
  readonly account: string;
  readonly subject: string;
  /** Whether nothing of the account is left out, debts above all. */
  readonly complete: boolean;
  /** Where the holdings were read, in one word. */
  readonly source: string;
  /** Digest of what they rest on; null if that is the signer's word alone. */
  readonly evidence: string | null;
  readonly openOrders: "none" | "reserved";
  readonly contractMap: string | null;
  readonly asOf: bigint;
  readonly expiry: bigint;
  readonly sequence: bigint;
  readonly hold: { readonly until: bigint; readonly audience: string } | null;
}

export interface SnapshotSignature extends Signed {
  readonly snapshot: string;
  readonly universe: string;
  readonly valuationTime: bigint;
}

export interface ProgramSignature extends SnapshotSignature {
  readonly model: string;
  readonly level: "initial" | "maintenance";
  /** A tick is 10^-this USD. */
  readonly decimals: number;
  readonly program: string;
}

export interface Receipt extends Signed {
  readonly pledge: string;
  readonly statement: string;
  readonly attestations: readonly string[];
  readonly subject: string;
  readonly snapshot: string;
  readonly model: string;
  readonly level: "initial" | "maintenance";
  readonly threshold: bigint;
  readonly amount: bigint;
  readonly secured: boolean;
  readonly audience: string;
  readonly nonce: string;
  readonly issued: bigint;
  readonly expiry: bigint;
}

/** An attestation. Throws InputError; `checkSignature` says whether its signer signed it. */
export function readAttestation(content: Json, where: string, path = ""): Attestation {
  const fields = new Fields(content, where, path);
  fields.literal("format", "zkmargin/attestation");
  fields.literal("version", 1n);
  fields.literal("curve", "BLS12-381");
  const body = {
    setup: fields.hex("setup", 32),
    universe: fields.hex("universe", 32),
    slots: Number(fields.integer("domain", 64n, 2049n)),
    point: fields.hex("point", 48),
    bound: fields.integer("bound", 1n, COUNTER),
    venue: fields.party("venue"),
    account: fields.party("account"),
    subject: fields.address("subject"),
    complete: fields.flag("complete"),
    source: fields.word("source"),
    evidence: fields.orNull("evidence", (key) => fields.someHex(key, 32)),
    openOrders: fields.literal("open_orders", "none", "reserved"),
    contractMap: fields.orNull("contract_map", (key) => fields.someHex(key, 32)),
    asOf: fields.integer("as_of", 1n, MOMENT),
    expiry: fields.integer("expiry", 1n, MOMENT),
    sequence: fields.integer("sequence", 1n, COUNTER),
    hold: fields.orNull("hold", (key) => readHold(fields.object(key))),
  };
  return signed(fields, ATTESTATION, body, {
    setup: fromHex(body.setup),
    universe: fromHex(body.universe),
    slots: BigInt(body.slots),
    commitment: fromHex(body.point),
    bound: body.bound,
    venue: body.venue,
    account: body.account,
    subject: body.subject,
    complete: body.complete,
    source: body.source,
    evidence: fromHex(body.evidence ?? NONE),
    openOrders: body.openOrders,
    contractMap: fromHex(body.contractMap ?? NONE),
    asOf: body.asOf,
    expiry: body.expiry,
    sequence: body.sequence,
    holdUntil: body.hold?.until ?? 0n,
    holdAudience: body.hold?.audience ?? "",
  });
}

/** An oracle's signature of a snapshot. Throws InputError. */
export function readSnapshotSignature(content: Json, where: string): SnapshotSignature {
  const fields = new Fields(content, where);
  fields.literal("format", "zkmargin/snapshot-signature");
  fields.literal("version", 1n);
  const body = {
    snapshot: fields.hex("snapshot", 32),
    universe: fields.hex("universe", 32),
    valuationTime: fields.integer("valuation_time", 1n, MOMENT),
  };
  return signed(fields, SNAPSHOT, body, {
    snapshot: fromHex(body.snapshot),
    universe: fromHex(body.universe),
    valuationTime: body.valuationTime,
  });
}

/** An oracle's signature of a snapshot and of its program under one model and level. Throws InputError. */
export function readProgramSignature(content: Json, where: string): ProgramSignature {
  const fields = new Fields(content, where);
  fields.literal("format", "zkmargin/program-signature");
  fields.literal("version", 1n);
  const body = {
    snapshot: fields.hex("snapshot", 32),
    universe: fields.hex("universe", 32),
    valuationTime: fields.integer("valuation_time", 1n, MOMENT),
    model: fields.text("model", 1, NAME),
    level: fields.literal("level", "initial", "maintenance"),
    decimals: Number(fields.integer("quantum_decimals", 0n, 19n)),
    program: fields.hex("program", 32),
  };
  return signed(fields, PROGRAM, body, {
    snapshot: fromHex(body.snapshot),
    universe: fromHex(body.universe),
    valuationTime: body.valuationTime,
    model: body.model,
    level: body.level,
    quantumDecimals: BigInt(body.decimals),
    program: fromHex(body.program),
  });
}

/** A verifier service's receipt. Throws InputError. */
export function readReceipt(content: Json, where: string): Receipt {
  const fields = new Fields(content, where);
  fields.literal("format", "zkmargin/receipt");
  fields.literal("version", 1n);
  const body = {
    pledge: fields.text("pledge", 1, TEXT),
    statement: fields.hex("statement", 32),
    attestations: fields.list("attestations", 1, MOST_ATTESTATIONS, hexItem(where, 32)),
    subject: fields.address("subject"),
    snapshot: fields.hex("snapshot", 32),
    model: fields.text("model", 1, NAME),
    level: fields.literal("level", "initial", "maintenance"),
    threshold: fields.integer("threshold", 0n, AMOUNT),
    amount: fields.integer("amount", 0n, AMOUNT),
    secured: fields.flag("secured"),
    audience: fields.text("audience", 1, TEXT),
    nonce: fields.text("nonce", 1, TEXT),
    issued: fields.integer("issued", 1n, MOMENT),
    expiry: fields.integer("expiry", 1n, MOMENT),
  };
  return signed(fields, RECEIPT, body, {
    ...body,
    statement: fromHex(body.statement),
    attestations: body.attestations.map(fromHex),
    snapshot: fromHex(body.snapshot),
  });
}

/** Throws VerificationError unless the signature is the signer's, in the one form. */
export function checkSignature(document: Signed, name: string): void {
  let found: string;
  try {
    found = recoverAddress(fromHex(document.digest), document.signature);
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    throw new VerificationError("signature", `${name}: ${error.message}`);
  }
  if (found !== document.signer) {
    throw new VerificationError("signature", `${name}: it is not that of ${document.signer} over this content`);
  }
}

/** Reads the members that all signed documents share, and forms the digest that is signed. */
export function signed<T>(fields: Fields, struct: Struct, body: T, message: Message): T & Signed {
  const domain = {
    chainId: fields.integer("chain_id", 1n, 1n << 63n),
    verifyingContract: fields.address("verifying_contract"),
  };
  const signer = fields.address("signer");
  const signature = fields.any("signature");
  if (typeof signature !== "string" || !/^0x[0-9a-f]{130}$/.test(signature)) {
    fields.refuse("signature", "write 0x and 130 lower-case hex digits");
  }
  fields.end();
  return { ...body, domain, signer, signature, digest: toHex(typedDigest(domain, struct, message)) };
}

function readHold(fields: Fields): { until: bigint; audience: string } {
  const hold = { until: fields.integer("until", 1n, MOMENT), audience: fields.text("audience", 1, TEXT) };
  fields.end();
  return hold;
}
