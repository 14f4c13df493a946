/** What a report says in words. */

import type { Snapshot } from "./documents.js";
import type { Attestation } from "./signed.js";
import type { Statement } from "./statement.js";

export const ADVICE = {
  start: "Give a statement, its program and a proof; or a receipt, or an attestation.",
  program: "make it from the snapshot with `zkmargin statement --program`, or get it from someone you trust.",
  snapshot: "give the snapshot's file to see its prices.",
  unsigned: "nothing signed vouches for it. Take it from whoever keeps the account's ledger, not from its owner.",
  attestation: "an attestation vouches for it; give its file to see whose.",
  vouched:
    "no oracle's signature of it was given. It decides what the requirement is, and this check takes it as given. Anyone " +
    "can make it again from the snapshot with `zkmargin statement` and compare the digest; or rely on who gave it to you.",
  again: "anyone can make it again from the snapshot with `zkmargin statement` and compare the digest.",
  rows: "they stand for the program's coefficients, and this check takes them as given; `zkmargin rows` makes them again.",
} as const;

/** An amount of ticks, in USD if it is known what a tick is. */
export function amount(ticks: bigint, decimals: number | undefined): string {
  if (decimals === undefined) return `${grouped(ticks)} ticks`;
  const digits = (ticks < 0n ? -ticks : ticks).toString().padStart(decimals + 1, "0");
  const whole = grouped(BigInt(digits.slice(0, digits.length - decimals)));
  const fraction = digits.slice(digits.length - decimals);
  return `${ticks < 0n ? "-" : ""}${whole}${decimals > 0 ? `.${fraction}` : ""} USD`;
}

/** Unix seconds as a moment in UTC. */
export function moment(seconds: bigint): string {
  const date = new Date(Number(seconds) * 1000);
  if (seconds > 8_640_000_000_000n || Number.isNaN(date.getTime())) return `Unix second ${seconds}`;
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** What an attestation says about its commitment. */
export function vouchedFor(attestation: Attestation): string {
  const { account, venue, source } = attestation;
  const part = attestation.complete ? "is all of" : "is part of";
  const rests = attestation.evidence === null ? "on the signer's word alone" : `on evidence ${attestation.evidence}`;
  return `${part} ${account} at ${venue} as of ${moment(attestation.asOf)}, read from ${source}, ${rests}`;
}

/** Who a statement is for, and until when. */
export function aboutTerms(statement: Statement): string[] {
  const lines = [`For ${statement.audience}, upon the question ${statement.nonce}. To anybody else it is worth nothing.`];
  lines.push(statement.expiry === 0n ? "It has no expiry." : `It counts until ${moment(statement.expiry)}.`);
  if (statement.subject !== null) lines.push(`Submitted by 0x${statement.subject}.`);
  if (statement.contract !== null) lines.push(`For the contract 0x${statement.contract} on chain ${statement.chain}.`);
  return lines;
}

/** The prices of a snapshot. */
export function prices(snapshot: Snapshot): string[] {
  const micros = snapshot.valuationTime;
  return [
    `Valued at ${moment(micros / 1_000_000n)}: ${snapshot.instruments} instruments, source ${snapshot.source || "not told"}.`,
    ...snapshot.indices.map(([coin, price]) => `${coin} at ${price} USD`),
    "That every table of the snapshot follows from these prices is not checked here: `zkmargin snapshot check` does.",
  ];
}

/** What a proof does not show. */
export function notShown(statement: Statement): string[] {
  return [
    "No position, no balance, no sensitivity of the account; nor by how much it is above the amount.",
    "Not that the prices are right, nor that the account is whole: debts that nobody committed to are in no sum.",
    statement.commitments.some((term) => term.attestation === null)
      ? "Not that the holdings exist: that is for who made the commitment to answer for."
      : "Not that the holdings exist: that is for who signed the attestations to answer for.",
    "Nothing about later moments: it is about the snapshot's prices alone.",
  ];
}

function grouped(value: bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}
