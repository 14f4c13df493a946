/** A proof as bytes: its shape follows from the program and the mode, never from the proof (spec, proof). */

import { concat, toInteger } from "./bytes.js";
import { POINT_BYTES } from "./curve.js";
import { VerificationError } from "./errors.js";
import { R } from "./field.js";
import { groups, limbColumns, type Program } from "./program.js";

const SCALAR_BYTES = 32;

/** How many of each part a proof has. */
export interface Shape {
  readonly limbs: number;
  readonly squares: boolean;
  readonly helpers: number;
  readonly quotients: number;
  /** Values of public coefficients, which are sent in committed mode: one for each holdings column, and the table's. */
  readonly coefficients: number;
}

/** The shape of every proof under a program; a frame is that of committed mode. */
export function shapeOf(program: Program): Shape {
  return {
    limbs: limbColumns(program),
    squares: program.squares > 0,
    helpers: groups(program).length,
    quotients: program.group,
    coefficients: program.frame ? program.columns + 1 : 0,
  };
}

/** The length of a proof of this shape, in bytes. */
export function sizeOf(shape: Shape): number {
  const points = shape.limbs + 1 + (shape.squares ? 2 : 0) + shape.helpers + 2 + shape.quotients + 2;
  const scalars = shape.limbs + (shape.squares ? 1 : 0) + 1 + shape.coefficients;
  return POINT_BYTES * points + SCALAR_BYTES * scalars;
}

/** The prover's messages; points as they were sent. */
export interface Proof {
  readonly limbs: readonly Uint8Array[];
  readonly multiplicity: Uint8Array;
  readonly squares: readonly Uint8Array[];
  readonly helpers: readonly Uint8Array[];
  readonly tableHelper: Uint8Array;
  readonly runningSum: Uint8Array;
  readonly quotients: readonly Uint8Array[];
  readonly limbValues: readonly bigint[];
  readonly squareValue: readonly bigint[];
  readonly shiftedSum: bigint;
  readonly coefficientValues: readonly bigint[];
  readonly opening: Uint8Array;
  readonly shiftedOpening: Uint8Array;
}

/** The proof in these bytes. Throws VerificationError unless they have the shape and every scalar is below r. */
export function readProof(bytes: Uint8Array, shape: Shape): Proof {
  if (bytes.length !== sizeOf(shape)) {
    const message = `a proof of this statement has ${sizeOf(shape)} bytes, not ${bytes.length}`;
    throw new VerificationError("proof-encoding", message);
  }
  let at = 0;
  const take = (size: number): Uint8Array => bytes.subarray(at, (at += size));
  const point = (): Uint8Array => take(POINT_BYTES);
  const points = (count: number): Uint8Array[] => Array.from({ length: count }, point);
  const scalar = (): bigint => {
    const start = at;
    const value = toInteger(take(SCALAR_BYTES));
    if (value >= R) {
      throw new VerificationError("proof-encoding", `the scalar at byte ${start} is not below the field's order`);
    }
    return value;
  };
  const scalars = (count: number): bigint[] => Array.from({ length: count }, scalar);
  return {
    limbs: points(shape.limbs),
    multiplicity: point(),
    squares: points(shape.squares ? 2 : 0),
    helpers: points(shape.helpers),
    tableHelper: point(),
    runningSum: point(),
    quotients: points(shape.quotients),
    limbValues: scalars(shape.limbs),
    squareValue: scalars(shape.squares ? 1 : 0),
    shiftedSum: scalar(),
    coefficientValues: scalars(shape.coefficients),
    opening: point(),
    shiftedOpening: point(),
  };
}

/** The points of a proof in the order in which they are sent. */
export function pointsOf(proof: Proof): Uint8Array[] {
  return [
    ...proof.limbs,
    proof.multiplicity,
    ...proof.squares,
    ...proof.helpers,
    proof.tableHelper,
    proof.runningSum,
    ...proof.quotients,
    proof.opening,
    proof.shiftedOpening,
  ];
}

/** All points as one byte string, for tests of equality. */
export const pointBytes = (proof: Proof): Uint8Array => concat(...pointsOf(proof));
