/** Signatures of secp256k1 in their one form, and addresses with their checksum (spec, signatures, section 1). */

import { weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { concat, fromHex, toBytes, toHex, toInteger, utf8 } from "./bytes.js";

/** The order of the group. */
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** secp256k1 (SEC 2, section 2.4.1). */
const Point = weierstrass({
  p: 2n ** 256n - 2n ** 32n - 977n,
  n: N,
  h: 1n,
  a: 0n,
  b: 7n,
  Gx: 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
  Gy: 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
});

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
  const key = recoverKey(digest, r, s, v === 28).toBytes(false);
  return checksummed(toHex(keccak_256(key.subarray(1)).subarray(12)));
}

/** Q = (s R - z G) / r, where R has the coordinate r and the sign given (SEC 1, section 4.1.6). */
function recoverKey(digest: Uint8Array, r: bigint, s: bigint, odd: boolean): InstanceType<typeof Point> {
  let nonce: InstanceType<typeof Point>;
  try {
    nonce = Point.fromBytes(concat(Uint8Array.of(odd ? 3 : 2), toBytes(r, 32)));
  } catch {
    throw new SignatureError("no key can have made it");
  }
  const { Fn } = Point;
  const inverse = Fn.inv(r);
  const key = nonce
    .multiplyUnsafe(Fn.mul(s, inverse))
    .add(Point.BASE.multiplyUnsafe(Fn.mul(Fn.create(-toInteger(digest)), inverse)));
  if (key.is0()) throw new SignatureError("no key can have made it");
  return key;
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
