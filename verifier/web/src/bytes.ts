/** Bytes, hex and big-endian integers (spec, encodings, sections 1 and 2). */

import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js";

export { bytesToHex as toHex, concatBytes as concat, hexToBytes as fromHex };

const ENCODER = new TextEncoder();

/** The UTF-8 encoding of a text. */
export const utf8 = (text: string): Uint8Array => ENCODER.encode(text);

/** The non-negative integer that bytes are in big-endian order. */
export function toInteger(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytesToHex(bytes)}`);
}

/** A non-negative integer as `size` bytes in big-endian order. Throws RangeError if it does not fit. */
export function toBytes(value: bigint, size: number): Uint8Array {
  const digits = value.toString(16).padStart(2 * size, "0");
  if (value < 0n || digits.length !== 2 * size) throw new RangeError(`an integer does not fit ${size} bytes`);
  return hexToBytes(digits);
}

/** Whether two byte strings are the same. */
export function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
