/** Telling files apart by what is in them. */

import { Finding, InputError } from "./errors.js";
import { type Commitment, type ProofDocument, readCommitment, readProofDocument, readSnapshot, type Snapshot } from "./documents.js";
import { isArray, type Json, type JsonObject, parseJsonBytes } from "./json.js";
import { type Program, readProgram } from "./program.js";
import { type CommittedRows, readRows } from "./rows.js";
import {
  type Attestation,
  readAttestation,
  type ProgramSignature,
  readProgramSignature,
  readReceipt,
  readSnapshotSignature,
  type Receipt,
  type SnapshotSignature,
} from "./signed.js";
import { readStatement, type Statement } from "./statement.js";
import { readSubmission, type Submission } from "./submission.js";

/** A file as it was given. */
export interface GivenFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What is in a file; `name` is the file's. */
export type Content =
  | { readonly kind: "statement"; readonly name: string; readonly value: Statement }
  | { readonly kind: "program"; readonly name: string; readonly value: Program }
  | { readonly kind: "proof"; readonly name: string; readonly value: ProofDocument }
  | { readonly kind: "commitment"; readonly name: string; readonly value: Commitment }
  | { readonly kind: "committed rows"; readonly name: string; readonly value: CommittedRows }
  | { readonly kind: "snapshot"; readonly name: string; readonly value: Snapshot }
  | { readonly kind: "attestation"; readonly name: string; readonly value: Attestation }
  | { readonly kind: "signature of a snapshot"; readonly name: string; readonly value: SnapshotSignature }
  | { readonly kind: "signature of a program"; readonly name: string; readonly value: ProgramSignature }
  | { readonly kind: "submission"; readonly name: string; readonly value: Submission }
  | { readonly kind: "receipt"; readonly name: string; readonly value: Receipt };

export type Kind = Content["kind"];

const READERS: Record<string, (content: Json, name: string) => Content> = {
  "zkmargin/statement": (content, name) => ({ kind: "statement", name, value: readStatement(content, name) }),
  "zkmargin/proof": (content, name) => ({ kind: "proof", name, value: readProofDocument(content, name) }),
  "zkmargin/commitment": (content, name) => ({ kind: "commitment", name, value: readCommitment(content, name) }),
  "zkmargin/rows": (content, name) => ({ kind: "committed rows", name, value: readRows(content, name) }),
  "zkmargin/attestation": (content, name) => ({ kind: "attestation", name, value: readAttestation(content, name) }),
  "zkmargin/snapshot-signature": (content, name) => ({
    kind: "signature of a snapshot",
    name,
    value: readSnapshotSignature(content, name),
  }),
  "zkmargin/program-signature": (content, name) => ({
    kind: "signature of a program",
    name,
    value: readProgramSignature(content, name),
  }),
  "zkmargin/submission": (content, name) => ({ kind: "submission", name, value: readSubmission(content, name) }),
  "zkmargin/receipt": (content, name) => ({ kind: "receipt", name, value: readReceipt(content, name) }),
};

const SECRET = ["lots", "blinder"];

/** What is in a file. Throws InputError naming it. */
export function readFile(file: GivenFile): Content {
  const { name, bytes } = file;
  if (bytes[0] === 0x7a && bytes[1] === 0x6b) return { kind: "program", name, value: readProgram(bytes, name) };
  const content = parseJsonBytes(withoutMark(bytes), name);
  if (content === null || typeof content !== "object" || isArray(content)) {
    throw new InputError(name, "document", new Finding("no object"), "give a document of this product");
  }
  const document = content as JsonObject;
  if (SECRET.every((key) => key in document)) {
    throw new InputError(name, "file", new Finding("an opening"), "it is secret and shows all holdings; keep it");
  }
  const format = document["format"];
  if (format === undefined && "id" in document && "universe" in document) {
    return { kind: "snapshot", name, value: readSnapshot(document, name) };
  }
  const read = typeof format === "string" && Object.hasOwn(READERS, format) ? READERS[format] : undefined;
  if (read === undefined) {
    const found = typeof format === "string" ? format : new Finding("missing");
    throw new InputError(name, "format", found, `give one of ${Object.keys(READERS).join(", ")}, or a program`);
  }
  return read(document, name);
}

/** The bytes without a byte order mark. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}
