/** From files to a verdict in words: what is shown, to whom, under which prices, and what is not. */

import type { Claims, Commitment, ProofDocument, Snapshot } from "./documents.js";
import { InputError, VerificationError } from "./errors.js";
import { type Content, type GivenFile, type Kind, readFile } from "./files.js";
import type { Program } from "./program.js";
import type { CommittedRows } from "./rows.js";
import { type Attestation, checkSignature, type ProgramSignature, type Receipt, type SnapshotSignature } from "./signed.js";
import { type Statement, statementId } from "./statement.js";
import { submissionStatement, requireSnapshot, type Submission, verifySubmission } from "./submission.js";
import { verifyProof } from "./verify.js";
import { ADVICE, aboutTerms, amount, moment, notShown, prices, vouchedFor } from "./words.js";

/** One line of a report; `mark` says whether it was checked, is wrong, or is only told. */
export interface Line {
  readonly mark: "checked" | "wrong" | "told";
  readonly text: string;
}

export interface Section {
  readonly title: string;
  readonly lines: readonly Line[];
}

/**
 * `valid`: all that was given was checked and holds; `invalid`: something is false; `unusable`: a file cannot be used;
 * `incomplete`: something is missing.
 */
export interface Report {
  readonly verdict: "valid" | "invalid" | "unusable" | "incomplete";
  readonly headline: string;
  readonly sections: readonly Section[];
  /** The time that verification of proofs took, in milliseconds. */
  readonly milliseconds: number;
}

/** Reads files and checks all that they allow to check. Never throws for what is in a file. */
export function report(files: readonly GivenFile[], now: number = Date.now() / 1000): Report {
  try {
    return new Checker(files.map(readFile), now).report();
  } catch (error) {
    if (error instanceof InputError) return failed("unusable", error.message);
    if (error instanceof VerificationError) return failed("invalid", error.message);
    throw error;
  }
}

function failed(verdict: Report["verdict"], headline: string): Report {
  return { verdict, headline, sections: [], milliseconds: 0 };
}

const checked = (text: string): Line => ({ mark: "checked", text });
const told = (text: string): Line => ({ mark: "told", text });

class Checker {
  #milliseconds = 0;
  #decimals: number | undefined;

  constructor(
    readonly contents: readonly Content[],
    readonly now: number,
  ) {}

  report(): Report {
    const snapshot = this.#one<Snapshot>("snapshot");
    const programs = this.#all<ProgramSignature>("signature of a program");
    this.#decimals = snapshot?.decimals ?? programs[0]?.decimals;
    const receipts = this.#all<Receipt>("receipt").flatMap((receipt) => this.#receipt(receipt));
    const attestations = this.#all<Attestation>("attestation");
    const signed = attestations.flatMap((one, index) => this.#attestation(one, index));
    const submission = this.#one<Submission>("submission");
    const statement = submission ? this.#submitted(submission) : this.#statement();
    if (statement === undefined) return this.#unproven(receipts, signed, snapshot);
    if (typeof statement === "string") return failed("incomplete", statement);
    this.#compare(statement, snapshot, attestations);
    const signatures = [...this.#all<SnapshotSignature>("signature of a snapshot"), ...programs];
    const sections = [
      { title: "What is shown", lines: this.#shown(statement, submission) },
      { title: "To whom", lines: aboutTerms(statement).map(told) },
      { title: "Under which prices", lines: this.#prices(statement, snapshot, signatures) },
      { title: "Who vouches for what", lines: this.#vouched(statement, submission, attestations, programs) },
      { title: "What is not shown", lines: notShown(statement).map(told) },
      ...(receipts.length > 0 ? [{ title: "Receipts", lines: receipts }] : []),
    ];
    const own = submission !== undefined || this.#one<Statement>("statement") !== undefined;
    const headline = own
      ? "Valid: the proof shows this statement."
      : "Valid for what the proof itself claims. Compare each line with what you asked for.";
    return { verdict: "valid", headline, sections, milliseconds: this.#milliseconds };
  }

  /** Forms the statement and checks the proof; says what is missing, or undefined if nothing asks for a proof. */
  #statement(): Statement | string | undefined {
    const given = this.#one<Statement>("statement");
    const proof = this.#one<ProofDocument>("proof");
    const program = this.#one<Program>("program");
    const rows = this.#one<CommittedRows>("committed rows") ?? null;
    if (given === undefined && proof === undefined) return undefined;
    if (proof === undefined) return "The proof is missing.";
    if (program === undefined) return `The program is missing: ${ADVICE.program}`;
    const statement = given ?? claimed(proof.claims, program, rows);
    compareClaims(proof.claims, statement);
    if (statement.expiry > 0n && this.now > Number(statement.expiry)) {
      throw new VerificationError("expiry", `the proof counted until ${moment(statement.expiry)}`);
    }
    this.#timed(() => verifyProof(statement, program, proof.proof, rows));
    return statement;
  }

  #submitted(submission: Submission): Statement | string {
    const program = this.#one<Program>("program");
    const rows = this.#one<CommittedRows>("committed rows") ?? null;
    if (program === undefined) return `The program is missing: ${ADVICE.program}`;
    if (this.now > Number(submission.expiry)) {
      throw new VerificationError("expiry", `the submission counted until ${moment(submission.expiry)}`);
    }
    this.#timed(() => verifySubmission(submission, program, rows));
    const statement = submissionStatement(submission, program.digest);
    const given = this.#one<Statement>("statement");
    if (given !== undefined && statementId(given) !== statementId(statement)) {
      throw new VerificationError("statement", "the submission is about another statement than the one given");
    }
    return statement;
  }

  /** Compares a statement with what was given beside it. */
  #compare(statement: Statement, snapshot: Snapshot | undefined, attestations: readonly Attestation[]): void {
    const submission = this.#one<Submission>("submission");
    if (snapshot !== undefined) {
      if (submission !== undefined) requireSnapshot(submission, snapshot.id);
      same("snapshot", statement.snapshot, snapshot.id);
      same("universe", statement.universe, snapshot.universe);
    }
    for (const commitment of this.#all<Commitment>("commitment")) {
      same("universe", commitment.universe, statement.universe);
      if (!statement.commitments.some((term) => term.point === commitment.point)) {
        throw new VerificationError("statement", `commitment ${commitment.point} is not in the statement`);
      }
      const domain = this.#one<Program>("program")?.domain;
      if (domain !== commitment.domain) {
        throw new VerificationError("domain", `a commitment has ${commitment.domain} slots, the program ${domain}`);
      }
    }
    for (const attestation of attestations) {
      const term = statement.commitments.find((one) => one.point === attestation.point);
      if (term === undefined || term.attestation !== attestation.digest) {
        throw new VerificationError("statement", `the attestation of ${attestation.account} is not in the statement`);
      }
    }
  }

  #shown(statement: Statement, submission: Submission | undefined): Line[] {
    const count = statement.commitments.length;
    const accounts = count === 1 ? "the commitment" : `${count} commitments together`;
    const excess = amount(statement.threshold, this.#decimals);
    const lines = [
      checked(
        `The holdings behind ${accounts} exceed their ${statement.level} margin requirement by ${excess} or more, ` +
          `under the model ${statement.model}.`,
      ),
      told(`Statement ${statementId(statement)}`),
      ...statement.commitments.map((term) => told(`Commitment ${term.point}`)),
    ];
    if (submission !== undefined) {
      lines.push(checked(`${submission.subject} signed this, and pledges ${amount(submission.amount, this.#decimals)}.`));
      for (const venue of submission.venueProofs.keys()) {
        lines.push(checked(`The accounts at ${venue} alone cover their own requirement.`));
      }
    }
    return lines;
  }

  #prices(statement: Statement, snapshot: Snapshot | undefined, signatures: readonly SnapshotSignature[]): Line[] {
    const lines = snapshot === undefined ? [told(`Snapshot ${statement.snapshot}: ${ADVICE.snapshot}`)] : [];
    if (snapshot !== undefined) lines.push(checked(`Snapshot ${snapshot.id}`), ...prices(snapshot).map(told));
    for (const signature of signatures) {
      same("snapshot", signature.snapshot, statement.snapshot);
      same("universe", signature.universe, statement.universe);
      if (snapshot !== undefined && signature.valuationTime !== snapshot.valuationTime) {
        throw new VerificationError("oracle-signature", "it is over another moment than the snapshot's");
      }
      checkSignature(signature, "the signature of the snapshot");
      lines.push(checked(`${signature.signer} signed for these prices; whether you trust that key is yours to know.`));
    }
    return lines;
  }

  #vouched(
    statement: Statement,
    submission: Submission | undefined,
    attestations: readonly Attestation[],
    programs: readonly ProgramSignature[],
  ): Line[] {
    const known = [...(submission?.attestations ?? []), ...attestations];
    const lines = statement.commitments.map((term, index) => {
      const one = known.find((attestation) => attestation.digest === term.attestation);
      if (one !== undefined) {
        return checked(`Commitment ${index}: ${one.signer} signed that it ${vouchedFor(one)}.`);
      }
      return told(`Commitment ${index}: ${term.attestation === null ? ADVICE.unsigned : ADVICE.attestation}`);
    });
    for (const one of programs) {
      for (const name of ["program", "model", "level"] as const) same(name, one[name], statement[name]);
      lines.push(checked(`Program ${one.program}: ${one.signer} signed that it is that of the snapshot and model.`));
    }
    lines.push(told(`Program ${statement.program}: ${programs.length === 0 ? ADVICE.vouched : ADVICE.again}`));
    if (statement.rows !== null) lines.push(told(`Committed rows ${statement.rows}: ${ADVICE.rows}`));
    return lines;
  }

  #attestation(attestation: Attestation, index: number): Line[] {
    checkSignature(attestation, `attestation ${index}`);
    return [
      checked(`${attestation.signer} signed that commitment ${attestation.point} ${vouchedFor(attestation)}.`),
      told(`It counts until ${moment(attestation.expiry)}.`),
      ...(this.now > Number(attestation.expiry) ? [told("It has expired.")] : []),
    ];
  }

  #receipt(receipt: Receipt): Line[] {
    checkSignature(receipt, "the receipt");
    const threshold = amount(receipt.threshold, this.#decimals);
    return [
      checked(`${receipt.signer} signed: statement ${receipt.statement} was verified, an excess of ${threshold}.`),
      told(`Pledge ${receipt.pledge} of ${amount(receipt.amount, this.#decimals)} by ${receipt.subject}, ` +
        `${receipt.secured ? "secured by holds" : "not secured"}; issued ${moment(receipt.issued)}, ` +
        `until ${moment(receipt.expiry)}.`),
    ];
  }

  /** A report without a proof: signatures alone. */
  #unproven(receipts: Line[], attestations: Line[], snapshot: Snapshot | undefined): Report {
    const sections = [
      { title: "Receipts", lines: receipts },
      { title: "Attestations", lines: attestations },
      { title: "Snapshot", lines: snapshot ? prices(snapshot).map(told) : [] },
    ].filter((section) => section.lines.length > 0);
    const verdict = receipts.length + attestations.length > 0 ? "valid" : "incomplete";
    const headline = verdict === "valid" ? "The signatures are valid; no proof was given." : ADVICE.start;
    return { verdict, headline, sections, milliseconds: 0 };
  }

  #all<T>(kind: Kind): T[] {
    return this.contents.filter((content) => content.kind === kind).map((content) => content.value as T);
  }

  #one<T>(kind: Kind): T | undefined {
    const found = this.contents.filter((content) => content.kind === kind);
    if (found.length > 1) {
      throw new InputError(found[1]?.name ?? "", "file", `a second ${kind}`, "give one at a time");
    }
    return found[0]?.value as T | undefined;
  }

  #timed(check: () => void): void {
    const start = performance.now();
    check();
    this.#milliseconds += performance.now() - start;
  }
}

/** The statement that a proof claims to be about: nothing of it is the verifier's own. */
function claimed(claims: Claims, program: Program, rows: CommittedRows | null): Statement {
  return {
    ...claims,
    program: program.digest,
    rows: rows?.digest ?? null,
    commitments: claims.commitments.map((point) => ({ point, column: 0, attestation: null })),
    subject: null,
    chain: 0n,
    contract: null,
  };
}

function compareClaims(claims: Claims, statement: Statement): void {
  for (const name of ["snapshot", "universe", "model", "level", "threshold", "audience", "nonce", "expiry"] as const) {
    same(name, String(claims[name]), String(statement[name]));
  }
  same("commitments", claims.commitments.join(), statement.commitments.map((term) => term.point).join());
}

function same(name: string, found: string, wanted: string): void {
  if (found !== wanted) {
    throw new VerificationError("statement", `${name}: one file says ${short(found)}, another ${short(wanted)}`);
  }
}

const short = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}...` : text);
