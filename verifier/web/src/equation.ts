/** From a statement, its program and a proof to one pairing equation (spec, argument, sections 3 to 5). */

import { fromHex, toBytes } from "./bytes.js";
import { decodePoint, GENERATOR, type Point, PointError, weightedSum } from "./curve.js";
import { VerificationError } from "./errors.js";
import { inverse, mod, pow, powers, R, rootOfUnity } from "./field.js";
import { groups, type Program } from "./program.js";
import { type Proof, pointsOf } from "./proof.js";
import { type PublicValues, publicValues } from "./public-values.js";
import { decodeRows, type CommittedRows } from "./rows.js";
import { CEREMONY, PROTOCOL } from "./setup.js";
import { type Statement, statementDigest } from "./statement.js";
import { Transcript } from "./transcript.js";

export const CHALLENGES = ["alpha", "beta", "gamma", "delta", "zeta", "nu", "mu"] as const;
export type Challenges = { readonly [name in (typeof CHALLENGES)[number]]: bigint };

/** One term of a sum: what it is called in the specification, its point and its scalar in 0..r-1. */
export interface WeightedPoint {
  readonly name: string;
  readonly point: Point;
  readonly scalar: bigint;
}

/** e(sum left, [1]_2) = e(sum right, [tau]_2), and the values on the way there. */
export interface PairingEquation {
  readonly challenges: Challenges;
  readonly values: PublicValues;
  readonly left: readonly WeightedPoint[];
  readonly right: readonly WeightedPoint[];
}

/** Replays the conversation. Throws VerificationError if a challenge falls where the argument is not defined. */
export function challengesOf(statement: Statement, program: Program, proof: Proof): Challenges {
  const transcript = new Transcript(PROTOCOL);
  transcript.append("setup", fromHex(CEREMONY.digest));
  transcript.append("statement", statementDigest(statement));
  const points = (label: string, sent: readonly Uint8Array[]): void => {
    for (const point of sent) transcript.append(label, point);
  };
  const scalars = (label: string, sent: readonly bigint[]): void => {
    for (const scalar of sent) transcript.append(label, toBytes(scalar, 32));
  };
  points("limb column", proof.limbs);
  points("multiplicity", [proof.multiplicity]);
  points("square column", proof.squares);
  const alpha = transcript.challenge("alpha");
  if (mod(-alpha) < BigInt(program.domain)) throw new VerificationError("challenges", "alpha cancels a table value");
  const beta = transcript.challenge("beta");
  points("helper", proof.helpers);
  points("table helper", [proof.tableHelper]);
  const gamma = transcript.challenge("gamma");
  points("running sum", [proof.runningSum]);
  const delta = transcript.challenge("delta");
  points("quotient chunk", proof.quotients);
  const zeta = transcript.challenge("zeta");
  if (pow(zeta, BigInt(program.domain)) === 1n) throw new VerificationError("challenges", "zeta lies in the domain");
  scalars("limb value", proof.limbValues);
  scalars("square value", proof.squareValue);
  scalars("running sum at w zeta", [proof.shiftedSum]);
  scalars("coefficient value", proof.coefficientValues);
  const nu = transcript.challenge("nu");
  points("opening", [proof.opening]);
  points("opening at w zeta", [proof.shiftedOpening]);
  const mu = transcript.challenge("mu");
  return { alpha, beta, gamma, delta, zeta, nu, mu };
}

/** The equation that holds exactly if the proof is good. Throws VerificationError. */
export function pairingEquation(
  statement: Statement,
  program: Program,
  proof: Proof,
  rows: CommittedRows | null,
): PairingEquation {
  const commitments = decodeAll(statement.commitments.map((term) => fromHex(term.point)), "commitment-encoding");
  const points = decodeAll(pointsOf(proof), "proof-encoding");
  const challenges = challengesOf(statement, program, proof);
  const { beta, zeta, nu, mu } = challenges;
  const own = publicValues(program, statement.threshold, beta, zeta);
  const values =
    rows === null
      ? own
      : {
          ...own,
          holdings: proof.coefficientValues.slice(0, -1),
          table: proof.coefficientValues.at(-1) as bigint,
        };
  const r = linearise(program, values, challenges, proof);
  const left: WeightedPoint[] = [];
  const put = (name: string, point: Point, scalar: bigint): void => {
    left.push({ name, point, scalar: mod(scalar) });
  };
  statement.commitments.forEach((term, index) => {
    put(`commitment ${index}`, commitments[index] as Point, r.holdings[term.column] as bigint);
  });
  let at = 0;
  const next = (): Point => points[at++] as Point;
  const limbs = proof.limbs.map(next);
  put("multiplicity", next(), r.multiplicity);
  const squares = proof.squares.map(next);
  if (squares.length > 0) put("V", squares[1] as Point, r.square);
  proof.helpers.forEach((_, index) => put(`helper ${index}`, next(), r.helpers[index] as bigint));
  put("table helper", next(), r.tableHelper);
  const runningSum = next();
  put("running sum", runningSum, R - 1n);
  proof.quotients.forEach((_, index) => put(`quotient ${index}`, next(), r.quotients[index] as bigint));
  const [opening, shiftedOpening] = [next(), next()];

  let constant = r.constant;
  let weight = 1n;
  const open = (name: string, point: Point, value: bigint): void => {
    weight = (weight * nu) % R;
    put(name, point, weight);
    constant -= weight * value;
  };
  limbs.forEach((point, k) => open(`limbs ${k}`, point, proof.limbValues[k] as bigint));
  if (squares.length > 0) open("U", squares[0] as Point, proof.squareValue[0] as bigint);
  if (rows !== null) openRows(open, rows, beta, program, proof.coefficientValues);
  put("opening", opening, zeta);
  put("running sum at w zeta", runningSum, mu);
  put("shifted opening", shiftedOpening, mu * rootOfUnity(program.domain) * zeta);
  constant -= mu * proof.shiftedSum;
  put("generator", GENERATOR, constant);
  return {
    challenges,
    values,
    left,
    right: [
      { name: "opening", point: opening, scalar: 1n },
      { name: "shifted opening", point: shiftedOpening, scalar: mu },
    ],
  };
}

/** Opens [a_j] = sum beta^i [A_i] and [t] along with the rest. */
function openRows(
  open: (name: string, point: Point, value: bigint) => void,
  rows: CommittedRows,
  beta: bigint,
  program: Program,
  sent: readonly bigint[],
): void {
  const { equations } = program;
  if (rows.columns.length !== program.columns || rows.columns.some((column) => column.length !== equations)) {
    const message = "there must be one commitment for each equation and holdings column";
    throw new VerificationError("committed-rows", message);
  }
  const decoded = decodeRows(rows);
  const weights = powers(beta, equations);
  decoded.columns.forEach((column, j) => open(`rows ${j}`, weightedSum(column, weights), sent[j] as bigint));
  open("table", decoded.table, sent[program.columns] as bigint);
}

interface Linearisation {
  readonly constant: bigint;
  readonly holdings: readonly bigint[];
  readonly multiplicity: bigint;
  readonly square: bigint;
  readonly helpers: readonly bigint[];
  readonly tableHelper: bigint;
  readonly quotients: readonly bigint[];
}

/** r(X) = constant + these scalars times the polynomials that they are named after. */
function linearise(program: Program, values: PublicValues, challenges: Challenges, proof: Proof): Linearisation {
  const { alpha, gamma, delta, zeta } = challenges;
  const n = BigInt(program.domain);
  const vanishing = pow(zeta, n) - 1n;
  const opened = values.limbs.reduce((sum, d, k) => sum + d * (proof.limbValues[k] as bigint), 0n);
  const u = proof.squareValue[0] ?? 0n;
  let constant =
    proof.shiftedSum - gamma * (opened + values.u * u) + gamma * values.total * inverse(n);
  let weight = (delta * delta) % R;
  const helpers = groups(program).map((group) => {
    let [product, sum] = [1n, 0n];
    for (const k of group) {
      const factor = mod(alpha + (proof.limbValues[k] as bigint));
      sum = (sum * factor + product) % R;
      product = (product * factor) % R;
    }
    const scalar = mod(weight * product - 1n);
    constant -= weight * sum;
    weight = (weight * delta) % R;
    return scalar;
  });
  const squareWeight = program.squares > 0 ? weight : 0n;
  constant -= squareWeight * u * u;
  const step = pow(zeta, n + 3n);
  return {
    constant: mod(constant),
    holdings: values.holdings.map((a) => mod(-gamma * a)),
    multiplicity: mod(-delta),
    square: mod(squareWeight - gamma * values.v),
    helpers,
    tableHelper: mod(1n + delta * (alpha + values.table)),
    quotients: powers(step, program.group).map((power) => mod(-vanishing * power)),
  };
}

function decodeAll(encodings: readonly Uint8Array[], code: string): Point[] {
  return encodings.map((bytes, index) => {
    try {
      return decodePoint(bytes);
    } catch (error) {
      if (!(error instanceof PointError)) throw error;
      throw new VerificationError(code, `point ${index}: ${error.message}`);
    }
  });
}
