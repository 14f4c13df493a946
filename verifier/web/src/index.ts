/** The package: verification of proofs, attestations, receipts and signatures of snapshots, from files alone. */

export { toHex, fromHex } from "./bytes.js";
export { decodePoint, encodePoint, pairingHolds, type Point, PointError, weightedSum } from "./curve.js";
export {
  type Commitment,
  type ProofDocument,
  readCommitment,
  readProofDocument,
  readSnapshot,
  type Snapshot,
} from "./documents.js";
export { type Challenges, type PairingEquation, type WeightedPoint } from "./equation.js";
export { InputError, VerificationError } from "./errors.js";
export { canonicalJson, digestOf, type Json, parseJson, parseJsonBytes } from "./json.js";
export { type Program, readProgram } from "./program.js";
export { type CommittedRows, readRows } from "./rows.js";
export { CEREMONY, PROTOCOL } from "./setup.js";
export { checksummed, isAddress, recoverAddress, SignatureError } from "./signature.js";
export {
  type Attestation,
  checkSignature,
  type ProgramSignature,
  readAttestation,
  readProgramSignature,
  readReceipt,
  readSnapshotSignature,
  type Receipt,
  type Signed,
  type SnapshotSignature,
} from "./signed.js";
export { encodeStatement, readStatement, type Statement, statementId, type Term } from "./statement.js";
export { Transcript } from "./transcript.js";
export { equationOf, verifyProof } from "./verify.js";
export { type GivenFile } from "./files.js";
export { type Line, type Report, report, type Section } from "./report.js";
export { readSubmission, type Submission, submissionStatement, verifySubmission } from "./submission.js";
