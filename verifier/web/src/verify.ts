/** Checking one proof (spec, argument, section 6). */

import { pairingHolds, weightedSum } from "./curve.js";
import { InputError, VerificationError } from "./errors.js";
import { pairingEquation, type PairingEquation, type WeightedPoint } from "./equation.js";
import type { Program } from "./program.js";
import { readProof, shapeOf } from "./proof.js";
import type { CommittedRows } from "./rows.js";
import type { Statement } from "./statement.js";

/**
 * Returns if the proof shows the statement, and throws otherwise.
 *
 * The statement has to be the caller's own: its snapshot, commitments, threshold, audience and nonce are what he
 * accepts, not what came with the proof. The program and the rows are bound by their digests in the statement; that
 * these digests are those of the snapshot's model is for the caller to know, or for whom he trusts to sign.
 *
 * Throws InputError if program or rows are not those of the statement, VerificationError if the proof is false.
 */
export function verifyProof(
  statement: Statement,
  program: Program,
  proof: Uint8Array,
  rows: CommittedRows | null = null,
): void {
  const equation = equationOf(statement, program, proof, rows);
  if (!pairingHolds(total(equation.left), total(equation.right))) {
    throw new VerificationError("pairing", "the proof does not show this statement");
  }
}

/** The equation that `verifyProof` checks, with all that leads there. Throws as it does. */
export function equationOf(
  statement: Statement,
  program: Program,
  proof: Uint8Array,
  rows: CommittedRows | null = null,
): PairingEquation {
  checkParts(statement, program, rows);
  return pairingEquation(statement, program, readProof(proof, shapeOf(program)), rows);
}

function checkParts(statement: Statement, program: Program, rows: CommittedRows | null): void {
  if (statement.program !== program.digest) {
    throw new InputError("program", "digest", program.digest, `the statement is about ${statement.program}`);
  }
  if (program.frame !== (statement.rows !== null)) {
    const remedy = program.frame ? "a frame takes committed rows" : "committed rows take a frame";
    throw new InputError("statement", "rows", statement.rows ?? "none", remedy);
  }
  if ((rows?.digest ?? null) !== statement.rows) {
    throw new InputError("rows", "digest", rows?.digest ?? "none", `the statement is about ${statement.rows ?? "none"}`);
  }
  const { threshold } = statement;
  if ((threshold < 0n ? -threshold : threshold) > program.reach) {
    throw new InputError("statement", "threshold", threshold, `at most ${program.reach} in magnitude under this program`);
  }
  const used = new Set(statement.commitments.map((term) => term.column));
  if (used.size !== program.columns || [...used].some((column) => column >= program.columns)) {
    const remedy = "give at least one commitment for each holdings column";
    throw new InputError("statement", "commitments", statement.commitments.length, remedy);
  }
}

function total(terms: readonly WeightedPoint[]): ReturnType<typeof weightedSum> {
  return weightedSum(
    terms.map((term) => term.point),
    terms.map((term) => term.scalar),
  );
}
