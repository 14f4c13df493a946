/** The Fiat-Shamir transcript: a chain of SHA-256 (spec, transcript, section 1). */

import { sha256 } from "@noble/hashes/sha2.js";
import { concat, toBytes, toInteger, utf8 } from "./bytes.js";
import { R } from "./field.js";

const DOMAIN = utf8("zkmargin transcript 1");
const [APPEND, HIGH, LOW, CHALLENGE] = [1, 2, 3, 4].map((tag) => Uint8Array.of(tag)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

/** What prover and verifier have both seen, in order. */
export class Transcript {
  #state: Uint8Array;

  constructor(protocol: string) {
    this.#state = sha256(concat(DOMAIN, framed(utf8(protocol))));
  }

  /** Absorb data under a label. */
  append(label: string, data: Uint8Array): void {
    this.#state = sha256(concat(this.#state, APPEND, framed(utf8(label)), framed(data)));
  }

  /** Draw a challenge in 0..r-1 that depends on all before it, and absorb it. */
  challenge(label: string): bigint {
    const name = framed(utf8(label));
    const high = sha256(concat(this.#state, HIGH, name));
    const low = sha256(concat(this.#state, LOW, name));
    this.#state = sha256(concat(this.#state, CHALLENGE, name, high, low));
    return toInteger(concat(high, low)) % R;
  }
}

function framed(data: Uint8Array): Uint8Array {
  return concat(toBytes(BigInt(data.length), 8), data);
}
