/** Signatures of secp256k1 in their one form, and addresses with their checksum (spec, signatures, section 1). */

import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { fromHex, toHex, toInteger, utf8 } from "./bytes.js";

const N = secp256k1.Point.Fn.ORDER;

/** A signature that is not in the one form that is accepted, or that no key can have made. */
export class SignatureError extends Error {
  override readonly name = "SignatureError";
}

/** The EIP-55 address of the key that signed a digest of 32 bytes. Throws SignatureError. */
export function recoverAddress(digest: Uint8Array, signature: string): string {
  if (!/^0x[0-9a-f]{130}$/.test(signature)) {
    throw new SignatureError("a signature is 0x and 130 lower-case hex digits");
  }
  const bytes = fromHex(signature.slice(2));
  const [r, s, v] = [toInteger(bytes.subarray(0, 32)), toInteger(bytes.subarray(32, 64)), bytes[64] as number];
  if (v !== 27 && v !== 28) throw new SignatureError(`v is ${v}; it must be 27 or 28`);
  if (r === 0n || r >= N) throw new SignatureError("r is not between 0 and the group's order");
  if (s === 0n || s > N / 2n) throw new SignatureError("s is not in the lower half of the group's order");
  let key: Uint8Array;
  try {
    key = new secp256k1.Signature(r, s, v - 27).recoverPublicKey(digest).toBytes(false);
  } catch {
    throw new SignatureError("no key can have made it");
  }
  return checksummed(toHex(keccak_256(key.subarray(1)).subarray(12)));
}

/** 40 hex digits as an address with the checksum of EIP-55. */
export function checksummed(digits: string): string {
  const lower = digits.toLowerCase();
  const hash = toHex(keccak_256(utf8(lower)));
  const cased = Array.from(lower, (digit, index) =>
    Number.parseInt(hash[index] as string, 16) >= 8 ? digit.toUpperCase() : digit,
  );
  return `0x${cased.join("")}`;
}

/** Whether a text is an address in the mixed case of EIP-55. */
export function isAddress(text: string): boolean {
  return /^0x[0-9a-fA-F]{40}$/.test(text) && checksummed(text.slice(2)) === text;
}
