/** Points of BLS12-381: one strict decoder, sums, and the pairing with the ceremony's tau (spec, encodings, section 4). */

import { bls12_381 } from "@noble/curves/bls12-381.js";
import { pippenger } from "@noble/curves/abstract/curve.js";
import { fromHex, toInteger } from "./bytes.js";
import { mod } from "./field.js";
import { CEREMONY } from "./setup.js";

const G1 = bls12_381.G1.Point;
const G2 = bls12_381.G2.Point;
const { Fp, Fp12 } = bls12_381.fields;
const P = Fp.ORDER;

/** An element of G1, the subgroup of order r. */
export type Point = InstanceType<typeof G1>;

export const POINT_BYTES = 48;

/** Bytes that are not the one encoding of a point of the group. */
export class PointError extends Error {
  constructor(readonly reason: "length" | "flags" | "identity" | "range" | "curve" | "subgroup") {
    super(REASONS[reason]);
    this.name = "PointError";
  }
}

const REASONS = {
  length: "a compressed point has 48 bytes",
  flags: "the compression flag is missing",
  identity: "the identity has one encoding, c0 and 47 zero bytes",
  range: "the coordinate is not below the prime of the curve's field",
  curve: "the coordinate is on no point of the curve",
  subgroup: "the point lies outside the subgroup of order r",
};

/** The point with this encoding. Throws PointError for anything but the one encoding of a point of the subgroup. */
export function decodePoint(bytes: Uint8Array): Point {
  if (bytes.length !== POINT_BYTES) throw new PointError("length");
  const first = bytes[0] as number;
  if (!(first & 0x80)) throw new PointError("flags");
  const rest = toInteger(bytes) & ((1n << 381n) - 1n);
  if (first & 0x40) {
    if (first & 0x20 || rest !== 0n) throw new PointError("identity");
    return G1.ZERO;
  }
  if (rest >= P) throw new PointError("range");
  const square = Fp.add(Fp.mul(Fp.sqr(rest), rest), 4n);
  let y: bigint;
  try {
    y = Fp.sqrt(square);
  } catch {
    throw new PointError("curve");
  }
  if (y > (P - 1n) / 2n !== Boolean(first & 0x20)) y = Fp.neg(y);
  const point = G1.fromAffine({ x: rest, y });
  if (!point.isTorsionFree()) throw new PointError("subgroup");
  return point;
}

/** The encoding of a point, 48 bytes. */
export const encodePoint = (point: Point): Uint8Array => point.toBytes(true);

/** The standard generator of G1, [1]_1. */
export const GENERATOR: Point = G1.BASE;

/** sum scalars[i] points[i]; scalars of any sign and size. */
export function weightedSum(points: readonly Point[], scalars: readonly bigint[]): Point {
  if (points.length === 0) return G1.ZERO;
  return pippenger(G1, [...points], scalars.map(mod));
}

type Prepared = Parameters<typeof bls12_381.millerLoopBatch>[0][number][0];

let prepared: readonly [Prepared, Prepared] | undefined;

function preparedSetup(): readonly [Prepared, Prepared] {
  prepared ??= [G2.BASE, G2.fromBytes(fromHex(CEREMONY.tau))].map((point) => {
    point.assertValidity();
    return bls12_381.utils.calcPairingPrecomputes(point);
  }) as [Prepared, Prepared];
  return prepared;
}

/** Whether e(left, [1]_2) = e(right, [tau]_2). */
export function pairingHolds(left: Point, right: Point): boolean {
  const [one, tau] = preparedSetup();
  const pairs: [Prepared, bigint, bigint][] = [];
  for (const [point, fixed] of [
    [left, one],
    [right.negate(), tau],
  ] as const) {
    if (point.is0()) continue;
    const { x, y } = point.toAffine();
    pairs.push([fixed, x, y]);
  }
  if (pairs.length === 0) return true;
  return Fp12.eql(Fp12.finalExponentiate(bls12_381.millerLoopBatch(pairs)), Fp12.ONE);
}
