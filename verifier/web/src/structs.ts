/** The structs that are signed (spec, signatures, section 3). */

import type { Struct } from "./typed-data.js";

function struct(name: string, members: string): Struct {
  return { name, members: members.split(",").map((member) => member.split(" ") as [string, string]) };
}

/** Signed by a venue: this commitment is that account, and whole if it is said to be complete. */
export const ATTESTATION = struct(
  "Attestation",
  "bytes32 setup,bytes32 universe,uint32 slots,bytes commitment,uint64 bound,string venue,string account," +
    "address subject,bool complete,string source,bytes32 evidence,string openOrders,bytes32 contractMap," +
    "uint64 asOf,uint64 expiry,uint64 sequence,uint64 holdUntil,string holdAudience",
);

/** Signed by a risk oracle: the snapshot was right at its valuation time. */
export const SNAPSHOT = struct("Snapshot", "bytes32 snapshot,bytes32 universe,uint64 valuationTime");

/** Signed by a risk oracle: the snapshot was right, and this is its program under one model and level. */
export const PROGRAM = struct(
  "Program",
  "bytes32 snapshot,bytes32 universe,uint64 valuationTime,string model,string level,uint8 quantumDecimals," +
    "bytes32 program",
);

/** Signed by the subject: it is I who prove these statements, and pledge this amount. */
export const PROOF = struct(
  "Proof",
  "bytes32[] statements,uint256 amount,string audience,string nonce,uint64 expiry",
);

/** Signed by a verifier's service: this proof was verified and this pledge recorded. */
export const RECEIPT = struct(
  "Receipt",
  "string pledge,bytes32 statement,bytes32[] attestations,address subject,bytes32 snapshot,string model," +
    "string level,uint256 threshold,uint256 amount,bool secured,string audience,string nonce,uint64 issued," +
    "uint64 expiry",
);
