// Runs files of test vectors and prints, as JSON, the outcome of each test: {file: {id: "valid" or a reason}}.
//
//     node test/vectors.mjs FILE...

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import * as verifier from "../dist/index.js";

const { fromHex, toHex, parseJson } = verifier;

const RUNNERS = {
  points: (test) => {
    try {
      return toHex(verifier.encodePoint(verifier.decodePoint(fromHex(test.encoding)))) === test.encoding
        ? "valid"
        : "another encoding";
    } catch (error) {
      if (error instanceof verifier.PointError) return error.reason;
      throw error;
    }
  },
  transcript: (test) => {
    const transcript = new verifier.Transcript(test.name);
    for (const step of test.steps) {
      if ("append" in step) transcript.append(step.label, fromHex(step.append));
      else if (hex32(transcript.challenge(step.label)) !== step.challenge) return `another challenge ${step.label}`;
    }
    return "valid";
  },
  "canonical-json": (test) => {
    const value = refused("document", () => parseJson(test.json, "vector"));
    if (typeof value === "object" && value instanceof Refused) return value.code;
    const same =
      toHex(new TextEncoder().encode(verifier.canonicalJson(value))) === test.canonical &&
      verifier.digestOf(value) === test.sha256;
    return same ? "valid" : "another encoding";
  },
  programs: (test) => {
    const program = refused("program", () => verifier.readProgram(fromHex(test.program), "vector"));
    if (program instanceof Refused) return program.code;
    return program.digest === test.sha256 ? "valid" : "another digest";
  },
  signatures,
  submissions,
  proofs: (test, file) => {
    try {
      const parts = refused("statement", () => partsOf(test, file));
      if (parts instanceof Refused) return parts.code;
      const [statement, program, rows] = parts;
      const proof = fromHex(test.proof);
      verifier.verifyProof(statement, program, proof, rows);
      return "intermediate" in test ? intermediate(test, statement, program, proof, rows) : "valid";
    } catch (error) {
      if (error instanceof verifier.VerificationError) return error.code;
      if (error instanceof verifier.InputError) return "statement";
      throw error;
    }
  },
};

function signatures(test) {
  const read = READ[test.document.format] ?? verifier.readAttestation;
  const document = refused("document", () => read(test.document, "vector"));
  if (document instanceof Refused) return document.code;
  try {
    verifier.checkSignature(document, "vector");
  } catch (error) {
    if (error instanceof verifier.VerificationError) return error.code;
    throw error;
  }
  return document.digest === test.digest ? "valid" : "another digest";
}

const READ = {
  "zkmargin/snapshot-signature": verifier.readSnapshotSignature,
  "zkmargin/program-signature": verifier.readProgramSignature,
  "zkmargin/receipt": verifier.readReceipt,
};

function submissions(test, file) {
  const program = verifier.readProgram(fromHex(file.programs[test.program]), "program");
  try {
    verifier.verifySubmission(verifier.readSubmission(test.submission, "vector"), program);
  } catch (error) {
    if (error instanceof verifier.VerificationError) return error.code;
    if (error instanceof verifier.InputError) return "document";
    throw error;
  }
  return "valid";
}

class Refused {
  constructor(code) {
    this.code = code;
  }
}

function refused(code, read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof verifier.InputError) return new Refused(code);
    throw error;
  }
}

const programs = new Map();

function partsOf(test, file) {
  const statement = verifier.readStatement(test.statement, "statement");
  const digest = test.program ?? statement.program;
  if (!programs.has(digest)) {
    programs.set(digest, verifier.readProgram(fromHex(file.programs[digest]), "program"));
  }
  const rows = file.rows[statement.rows ?? ""];
  return [statement, programs.get(digest), rows === undefined ? null : verifier.readRows(rows, "rows")];
}

/** Compares every value on the way to the pairing equation. */
function intermediate(test, statement, program, proof, rows) {
  const wanted = test.intermediate;
  const equation = verifier.equationOf(statement, program, proof, rows);
  const sum = (terms) =>
    toHex(verifier.encodePoint(verifier.weightedSum(terms.map((t) => t.point), terms.map((t) => t.scalar))));
  const written = (terms) =>
    terms.map(({ name, point, scalar }) => ({ name, point: toHex(verifier.encodePoint(point)), scalar: hex32(scalar) }));
  const found = {
    digest: verifier.statementId(statement),
    challenges: Object.fromEntries(Object.entries(equation.challenges).map(([name, value]) => [name, hex32(value)])),
    values: {
      holdings: equation.values.holdings.map(hex32),
      limbs: equation.values.limbs.map(hex32),
      u: hex32(equation.values.u),
      v: hex32(equation.values.v),
      table: hex32(equation.values.table),
      total: hex32(equation.values.total),
    },
    left: written(equation.left),
    right: written(equation.right),
    sums: [sum(equation.left), sum(equation.right)],
  };
  for (const name of Object.keys(found)) {
    if (verifier.canonicalJson(found[name]) !== verifier.canonicalJson(wanted[name])) return `another ${name}`;
  }
  return "valid";
}

function hex32(value) {
  return value.toString(16).padStart(64, "0");
}

const outcomes = {};
for (const path of process.argv.slice(2)) {
  const file = parseJson(readFileSync(path, "utf8"), path);
  outcomes[basename(path)] = Object.fromEntries(
    file.tests.map((test) => [String(test.id), RUNNERS[file.kind](test, file)]),
  );
}
process.stdout.write(`${JSON.stringify(outcomes)}\n`);
