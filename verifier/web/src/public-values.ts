/** The public side of the equation: all equations of a program, weighted by powers of beta, at zeta (spec, argument). */

import { lagrange, mod, powers, R } from "./field.js";
import { limbColumns, type Program, type Run } from "./program.js";

/** The weighted coefficients at zeta, and the total v of the weighted constants. */
export interface PublicValues {
  /** a_j, for each holdings column. */
  readonly holdings: readonly bigint[];
  /** d_k, for each limb column. */
  readonly limbs: readonly bigint[];
  /** e and f, on the square cells and on their squares; 0 without squares. */
  readonly u: bigint;
  readonly v: bigint;
  /** t, the table 0 .. n-1. */
  readonly table: bigint;
  /** v = - sum beta^i constant_i. */
  readonly total: bigint;
}

/** The public values at zeta for a threshold; those of the holdings are left out under a frame. */
export function publicValues(program: Program, threshold: bigint, beta: bigint, zeta: bigint): PublicValues {
  const n = program.domain;
  const weights = powers(beta, program.equations);
  const basis = lagrange(n, zeta);
  const at = (variable: number): bigint => basis[variable] as bigint;
  const last = weights[program.equations - 1] as bigint;
  const total = program.constants.reduce((sum, run) => sum + weighted(run, weights), 0n) - last * program.step * threshold;
  return {
    holdings: program.frame ? [] : holdingValues(program, weights, basis),
    limbs: limbValues(program, weights, basis),
    u: mod(program.uTerms.reduce((sum, run) => sum + weighted(run, weights) * at(run.variable), 0n)),
    v: mod(program.vTerms.reduce((sum, run) => sum + weighted(run, weights) * at(run.variable), 0n)),
    table: mod(basis.reduce((sum, value, i) => sum + BigInt(i) * value, 0n)),
    total: mod(-total),
  };
}

/** The entries of a run, weighted by the powers of beta of their equations. */
function weighted(run: Run, weights: readonly bigint[]): bigint {
  let sum = 0n;
  run.entries.forEach((entry, k) => {
    sum += entry * (weights[run.equation + k] as bigint);
  });
  return sum % R;
}

/** a_j: variable j n + i is slot i of column j; equation i, of the leading ones, is variable i alone. */
function holdingValues(program: Program, weights: readonly bigint[], basis: readonly bigint[]): bigint[] {
  const n = program.domain;
  const values = new Array<bigint>(program.columns).fill(0n);
  const add = (variable: number, weight: bigint): void => {
    const column = Math.floor(variable / n);
    values[column] = (values[column] as bigint) + weight * (basis[variable % n] as bigint);
  };
  for (let i = 0; i < program.singles; i++) add(i, weights[i] as bigint);
  for (const run of program.holdings) add(run.variable, weighted(run, weights));
  return values.map(mod);
}

/** d_k: limb j of a row carries the row's weight times 2^(t j); the cells of all rows are packed densely. */
function limbValues(program: Program, weights: readonly bigint[], basis: readonly bigint[]): bigint[] {
  const n = program.domain;
  const bits = BigInt(Math.log2(n));
  const ofRow = program.rows.map((row) => (row.equation === null ? 0n : -(weights[row.equation] as bigint)));
  for (const run of program.rowTerms) {
    ofRow[run.variable] = (ofRow[run.variable] as bigint) + weighted(run, weights);
  }
  const values = new Array<bigint>(limbColumns(program)).fill(0n);
  let cell = 0;
  program.rows.forEach((row, place) => {
    const weight = mod(ofRow[place] as bigint);
    for (let limb = 0; limb < row.limbs; limb++, cell++) {
      const column = Math.floor(cell / n);
      const shifted = ((basis[cell % n] as bigint) << (bits * BigInt(limb))) % R;
      values[column] = (values[column] as bigint) + weight * shifted;
    }
  });
  return values.map(mod);
}
