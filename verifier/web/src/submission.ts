/** Submissions: proofs about the sum of accounts that venues attest to (spec, submissions). */

import { fromHex } from "./bytes.js";
import { type Level, LONGEST_PROOF } from "./documents.js";
import { InputError, VerificationError } from "./errors.js";
import { Fields } from "./fields.js";
import type { Json } from "./json.js";
import type { Program } from "./program.js";
import type { CommittedRows } from "./rows.js";
import { CEREMONY } from "./setup.js";
import { recoverAddress, SignatureError } from "./signature.js";
import { type Attestation, checkSignature, readAttestation } from "./signed.js";
import { type Statement, statementDigest } from "./statement.js";
import { PROOF } from "./structs.js";
import { typedDigest } from "./typed-data.js";
import { verifyProof } from "./verify.js";

export interface Submission {
  readonly snapshot: string;
  readonly model: string;
  readonly level: Level;
  readonly rows: string | null;
  readonly threshold: bigint;
  /** By venue whose accounts are not complete, what their excess reaches by itself. */
  readonly collateral: ReadonlyMap<string, bigint>;
  readonly amount: bigint;
  readonly audience: string;
  readonly nonce: string;
  readonly expiry: bigint;
  readonly attestations: readonly Attestation[];
  readonly proof: Uint8Array;
  readonly venueProofs: ReadonlyMap<string, Uint8Array>;
  readonly subject: string;
  readonly signature: string;
}

const AMOUNT = 1n << 255n;
const MOST = 64;

/** A submission from its document. Throws InputError. */
export function readSubmission(content: Json, where: string): Submission {
  const fields = new Fields(content, where);
  fields.literal("format", "zkmargin/submission");
  fields.literal("version", 1n);
  fields.literal("setup", CEREMONY.digest);
  const venues = fields.object("venue_proofs");
  const names = venues.keys();
  if (names.length > MOST) fields.refuse("venue_proofs", `list at most ${MOST}`);
  const counted = fields.has("collateral") ? fields.object("collateral") : null;
  if (counted !== null && counted.keys().length > MOST) fields.refuse("collateral", `list at most ${MOST}`);
  const submission: Submission = {
    snapshot: fields.hex("snapshot", 32),
    model: fields.text("model", 1, 128),
    level: fields.literal("level", "initial", "maintenance"),
    rows: fields.has("rows") ? fields.orNull("rows", (key) => fields.hex(key, 32)) : null,
    threshold: fields.integer("threshold", 0n, AMOUNT),
    collateral: new Map((counted?.keys() ?? []).map((name) => [name, counted!.integer(name, 0n, AMOUNT)])),
    amount: fields.integer("amount", 0n, AMOUNT),
    audience: fields.text("audience", 1, 256),
    nonce: fields.text("nonce", 1, 256),
    expiry: fields.integer("expiry", 1n, 1n << 62n),
    attestations: fields.list("attestations", 1, MOST, (item, path) => readAttestation(item, where, path)),
    proof: fromHex(fields.longHex("proof", 1, LONGEST_PROOF)),
    venueProofs: new Map(names.map((name) => [name, fromHex(venues.longHex(name, 1, LONGEST_PROOF))])),
    subject: fields.address("subject"),
    signature: signatureOf(fields),
  };
  fields.end();
  return submission;
}

/**
 * The statement about the sum of all complete accounts, or of one venue's: at the threshold 0, or at what they are to
 * count for where they are not complete.
 */
export function submissionStatement(submission: Submission, program: string, venue?: string): Statement {
  const accounts = submission.attestations.filter((one) => (venue === undefined ? one.complete : one.venue === venue));
  const first = accounts[0] as Attestation;
  return {
    program,
    rows: submission.rows,
    snapshot: submission.snapshot,
    universe: first.universe,
    model: submission.model,
    level: submission.level,
    threshold: venue === undefined ? submission.threshold : first.complete ? 0n : (submission.collateral.get(venue) ?? 0n),
    commitments: accounts.map((one) => ({ point: one.point, column: 0, attestation: one.digest })),
    audience: submission.audience,
    nonce: submission.nonce,
    expiry: submission.expiry,
    subject: submission.subject.slice(2).toLowerCase(),
    chain: first.domain.chainId,
    contract: first.domain.verifyingContract.slice(2).toLowerCase(),
  };
}

/**
 * Checks all that a submission shows by itself: signatures, one subject, no account or commitment twice, and proofs.
 *
 * Which venues count, how old an attestation may be, what must be held or covered: that is a policy, and is left to
 * the caller, as is whether the program is that of the snapshot. Throws VerificationError or InputError.
 */
export function verifySubmission(submission: Submission, program: Program, rows: CommittedRows | null = null): void {
  const { attestations } = submission;
  const first = attestations[0] as Attestation;
  attestations.forEach((one, index) => {
    checkSignature(one, `attestation ${index}`);
    checkTerm(one, first, submission, program, index);
  });
  unique(attestations.map((one) => JSON.stringify([one.venue, one.account])), "account-repeated");
  unique(attestations.map((one) => one.point), "commitment-repeated");
  if (!attestations.some((one) => one.complete)) {
    throw new InputError("submission", "attestations", "none is complete", "collateral alone proves nothing");
  }
  const proven = provenVenues(submission);
  const total = submissionStatement(submission, program.digest);
  const parts = proven.map((venue) => submissionStatement(submission, program.digest, venue));
  checkConsent(submission, [total, ...parts]);
  verifyProof(total, program, submission.proof, rows);
  parts.forEach((statement, index) => {
    verifyProof(statement, program, submission.venueProofs.get(proven[index] as string) as Uint8Array, rows);
  });
}

/** The venues with a proof of their own, by first occurrence: all, or those alone whose accounts are not complete. */
function provenVenues(submission: Submission): string[] {
  const named = [...new Set(submission.attestations.map((one) => one.venue))];
  const partial = named.filter((name) => {
    const kinds = new Set(submission.attestations.filter((one) => one.venue === name).map((one) => one.complete));
    if (kinds.size > 1) {
      throw new InputError("submission", `attestations of '${name}'`, "of two kinds", "submit those of one kind");
    }
    return kinds.has(false);
  });
  const given = [...submission.venueProofs.keys()];
  const same = (names: string[]): boolean => given.length === names.length && names.every((name) => given.includes(name));
  if (same(partial)) return partial;
  if (named.length > 1 && same(named)) return named;
  throw new VerificationError("venue-proofs", "there must be a proof for each venue, or for those that are not complete");
}

function checkTerm(
  one: Attestation,
  first: Attestation,
  submission: Submission,
  program: Program,
  index: number,
): void {
  const fail = (code: string, message: string): never => {
    throw new VerificationError(code, `attestation ${index}: ${message}`);
  };
  if (one.setup !== CEREMONY.digest) fail("setup", `it is under the setup ${one.setup}`);
  if (one.slots !== program.domain) fail("domain", `it commits to ${one.slots} slots, the program to ${program.domain}`);
  if (one.universe !== first.universe) fail("universe", "it is over another universe than the first");
  if (one.domain.chainId !== first.domain.chainId) fail("chain", "it is for another chain than the first");
  if (one.domain.verifyingContract !== first.domain.verifyingContract) {
    fail("contract", "it is for another contract than the first");
  }
  if (one.subject !== submission.subject) fail("subject", `it belongs to ${one.subject}, not to ${submission.subject}`);
}

/** The subject signs the digests of all statements, the sum's first. */
function checkConsent(submission: Submission, statements: readonly Statement[]): void {
  const { domain } = submission.attestations[0] as Attestation;
  const digest = typedDigest(domain, PROOF, {
    statements: statements.map(statementDigest),
    amount: submission.amount,
    audience: submission.audience,
    nonce: submission.nonce,
    expiry: submission.expiry,
  });
  let found: string;
  try {
    found = recoverAddress(digest, submission.signature);
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    throw new VerificationError("subject-signature", error.message);
  }
  if (found !== submission.subject) {
    throw new VerificationError("subject-signature", `it is not that of ${submission.subject} over these statements`);
  }
}

function unique(keys: readonly string[], code: string): void {
  if (new Set(keys).size !== keys.length) throw new VerificationError(code, "it occurs twice in one sum");
}

function signatureOf(fields: Fields): string {
  const signature = fields.any("signature");
  if (typeof signature !== "string" || !/^0x[0-9a-f]{130}$/.test(signature)) {
    return fields.refuse("signature", "write 0x and 130 lower-case hex digits");
  }
  return signature;
}

/** Throws InputError unless a submission is about this snapshot. */
export function requireSnapshot(submission: Submission, snapshot: string): void {
  if (submission.snapshot !== snapshot) {
    throw new InputError("submission", "snapshot", submission.snapshot, `the snapshot given is ${snapshot}`);
  }
}
