/** The program: what a statement's relation requires, in the bytes whose SHA-256 the statement binds (spec, program). */

import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "./bytes.js";
import { Finding, InputError } from "./errors.js";
import { R } from "./field.js";

/** Coefficients of one variable in neighbouring equations, from the first equation to the last. */
export interface Run {
  readonly variable: number;
  readonly equation: number;
  readonly entries: readonly bigint[];
}

/** A row of the witness: how many limbs it has, and the equation that defines it, or null if the prover chooses it. */
export interface Row {
  readonly limbs: number;
  readonly equation: number | null;
}

/** A relation as far as verification needs it. */
export interface Program {
  /** SHA-256 of the file, in hex. */
  readonly digest: string;
  /** Whether it is a frame, without the coefficients on the holdings: commitments to rows stand for these. */
  readonly frame: boolean;
  /** n, the number of slots of a column. */
  readonly domain: number;
  /** The number of holdings columns. */
  readonly columns: number;
  /** How many cells of the square column are used; 0: there is none. */
  readonly squares: number;
  /** g, how many limb columns share a lookup helper. */
  readonly group: number;
  readonly equations: number;
  readonly rows: readonly Row[];
  /** How many equations, from the first on, are the holding of their own number alone. */
  readonly singles: number;
  /** Constants at the threshold 0; the variable is 0. */
  readonly constants: readonly Run[];
  /** Coefficients on rows, without the -1 on the row that an equation defines. */
  readonly rowTerms: readonly Run[];
  readonly uTerms: readonly Run[];
  readonly vTerms: readonly Run[];
  readonly holdings: readonly Run[];
  /** What one tick of threshold takes off the last constant. */
  readonly step: bigint;
  /** The greatest magnitude of a threshold, in ticks. */
  readonly reach: bigint;
}

export const LARGEST_PROGRAM = 64 << 20;

const MAGIC = 0x7a6b6d31;
const HEAD_BYTES = 128;
const MOST = 1 << 24;
const WIDEST = 126;
const LONGEST_GAP = 3;
const LONGEST_RUN = (1 << 14) - 1;
const WIDTHS = [8, 16, 32] as const;

/** k, the number of limb columns. */
export function limbColumns(program: Program): number {
  return Math.ceil(program.rows.reduce((sum, row) => sum + row.limbs, 0) / program.domain);
}

/** The limb columns of each lookup helper. */
export function groups(program: Program): number[][] {
  const columns = Array.from({ length: limbColumns(program) }, (_, index) => index);
  const result: number[][] = [];
  for (let start = 0; start < columns.length; start += program.group) {
    result.push(columns.slice(start, start + program.group));
  }
  return result;
}

/** The program in these bytes. Throws InputError for any other encoding than the one that is specified. */
export function readProgram(bytes: Uint8Array, where: string): Program {
  if (bytes.length > LARGEST_PROGRAM) {
    throw new InputError(where, "file", new Finding(`${bytes.length} bytes`), `give at most ${LARGEST_PROGRAM}`);
  }
  const reader = new Reader(bytes, where);
  if (bytes.length < HEAD_BYTES || reader.number("magic", 4, 0, 2 ** 32) !== MAGIC) {
    reader.refuse("format", new Finding("another file"), "give a program, which starts with zkm1");
  }
  const frame = reader.number("mode", 1, 0, 1) === 1;
  const bits = reader.number("t", 1, 6, 11);
  const group = reader.number("g", 2, 1, 1 << 16);
  const columns = reader.number("columns", 2, 1, 1 << 16);
  const domain = 1 << bits;
  const squares = reader.number("squares", 2, 0, domain);
  const equations = reader.number("equations", 4, 1, MOST);
  const rowCount = reader.number("rows", 4, 1, MOST);
  const singles = reader.number("singles", 4, 0, frame ? 0 : Math.min(equations, columns * domain));
  const counts = ["constants", "row terms", "u", "v", "holdings"].map((name) => reader.number(name, 4, 0, MOST));
  if (reader.integer(20) !== 0n) reader.refuse("head", new Finding("bytes that are reserved"), "must be 0");
  const step = reader.integer(32);
  const reach = reader.integer(32);
  if (step * reach >= R) reader.refuse("reach", reach, "what step and reach come to is below the field's order");
  const [rows, ofRow] = readRows(reader, rowCount, equations, 1 + Math.floor(WIDEST / bits));
  const defining = rows.filter((row) => row.equation !== null).length;
  if (defining + squares !== equations) {
    reader.refuse("equations", equations, `each defines a row or a square cell, of which there are ${defining + squares}`);
  }
  const [constantRuns, rowRuns, uRuns, vRuns, holdingRuns] = counts as [number, number, number, number, number];
  const constants = reader.runs("constants", constantRuns, 1, equations);
  const rowTerms = reader.runs("row terms", rowRuns, rowCount, equations);
  const found = new Array<number>(rowCount).fill(0);
  for (const run of rowTerms) found[run.variable] = (found[run.variable] as number) + 1;
  if (found.some((count, row) => count !== ofRow[row])) {
    reader.refuse("rows", new Finding("numbers of runs"), "must be those of the runs that follow");
  }
  const uTerms = reader.runs("u", uRuns, Math.max(1, squares), equations);
  const vTerms = reader.runs("v", vRuns, Math.max(1, squares), equations);
  if (squares === 0 && uRuns + vRuns > 0) reader.refuse("u", uRuns + vRuns, "no square cells, no runs");
  if (frame && holdingRuns > 0) reader.refuse("holdings", holdingRuns, "a frame has none");
  const holdings = reader.runs("holdings", holdingRuns, columns * domain, equations, singles);
  reader.end();
  if (!frame && isSingle(holdings, singles)) {
    reader.refuse("singles", singles, "counts all leading equations that are one holding alone");
  }
  return {
    ...{ digest: toHex(sha256(bytes)), frame, domain, columns, squares, group, equations, rows, singles },
    ...{ constants, rowTerms, uTerms, vTerms, holdings, step, reach },
  };
}

/** Whether an equation has the variable of its own number alone, with coefficient 1. */
function isSingle(holdings: readonly Run[], equation: number): boolean {
  const found = holdings.flatMap((run) => {
    const entry = run.entries[equation - run.equation] ?? 0n;
    return entry === 0n ? [] : [[run.variable, entry] as const];
  });
  return found.length === 1 && found[0]?.[0] === equation && found[0][1] === 1n;
}

/** The rows, and how many runs of coefficients each has. */
function readRows(reader: Reader, count: number, equations: number, mostLimbs: number): [Row[], number[]] {
  const rows: Row[] = [];
  const runs: number[] = [];
  const defined = new Set<number>();
  for (let place = 0; place < count; place++) {
    const limbs = reader.number(`row ${place}`, 1, 1, mostLimbs);
    const own = reader.number(`row ${place}`, 3, 0, equations);
    runs.push(reader.number(`row ${place}`, 4, 0, MOST));
    if (own > 0 && defined.has(own)) reader.refuse(`row ${place}`, own, "an equation defines one row");
    defined.add(own);
    rows.push({ limbs, equation: own === 0 ? null : own - 1 });
  }
  return [rows, runs];
}

/** Reads the parts of a program off the front of its bytes. */
class Reader {
  #at = 0;
  #view: DataView;

  constructor(
    bytes: Uint8Array,
    readonly where: string,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** A number of up to 4 bytes, big-endian. */
  number(name: string, size: number, least: number, most: number): number {
    this.#require(size);
    let value = 0;
    for (let k = 0; k < size; k++) value = 256 * value + this.#view.getUint8(this.#at++);
    if (value < least || value > most) this.refuse(name, value, `must lie between ${least} and ${most}`);
    return value;
  }

  /** An unsigned integer of any size, big-endian. */
  integer(size: number): bigint {
    this.#require(size);
    let value = 0n;
    for (let k = 0; k < size; k++) value = (value << 8n) | BigInt(this.#view.getUint8(this.#at++));
    return value;
  }

  /** Runs in their order, with the least width and no needless zeros. */
  runs(name: string, count: number, variables: number, equations: number, skip = 0): Run[] {
    const result: Run[] = [];
    let before: Run | undefined;
    for (let k = 0; k < count; k++) {
      const run = this.#run(`${name}, run ${k}`, variables, equations);
      if (run.equation < skip || (before && !follows(before, run))) {
        this.refuse(`${name}, run ${k}`, new Finding("out of order"), "runs rise by variable, then by equation");
      }
      result.push(run);
      before = run;
    }
    return result;
  }

  end(): void {
    const more = this.#view.byteLength - this.#at;
    if (more > 0) this.refuse("file", new Finding(`${more} bytes more`), "nothing follows a program");
  }

  refuse(field: string, value: unknown, remedy: string): never {
    throw new InputError(this.where, field, value, remedy);
  }

  #run(name: string, variables: number, equations: number): Run {
    const variable = this.number(name, 3, 0, variables - 1);
    const equation = this.number(name, 3, 0, equations - 1);
    const head = this.number(name, 2, 0, 0xffff);
    const count = head & 0x3fff;
    const width = WIDTHS[head >> 14];
    if (width === undefined || count === 0 || equation + count > equations) {
      this.refuse(name, head, "must have 1 entry or more, in equations that there are");
    }
    this.#require(width * count);
    if (width === 32 && !name.startsWith("constants")) this.refuse(name, head, "a coefficient fits 16 bytes");
    const entries = new Array<bigint>(count);
    for (let k = count - 1; k >= 0; k--) entries[k] = this.#entry(width);
    const half = 1n << BigInt(4 * width - 1);
    const narrow = width > 8 && entries.every((entry) => entry >= -half && entry < half);
    if (narrow || entries[0] === 0n || entries[count - 1] === 0n || longestGap(entries) > LONGEST_GAP) {
      this.refuse(name, new Finding("another encoding"), "a run has the least width, and few zeros between others");
    }
    return { variable, equation, entries };
  }

  #entry(width: 8 | 16 | 32): bigint {
    if (width > 8) return this.integer(width) - (1n << BigInt(8 * width - 1));
    this.#at += 8;
    return this.#view.getBigUint64(this.#at - 8) - (1n << 63n);
  }

  #require(size: number): void {
    if (this.#at + size > this.#view.byteLength) {
      this.refuse("file", new Finding("too short"), "get the program again");
    }
  }
}

/** Whether a run may follow another: a later variable, or equations of the same one that the other could not take in. */
function follows(before: Run, run: Run): boolean {
  if (run.variable !== before.variable) return run.variable > before.variable;
  const gap = run.equation - before.equation - before.entries.length;
  return gap > LONGEST_GAP || (gap >= 0 && run.equation - before.equation >= LONGEST_RUN);
}

function longestGap(entries: readonly bigint[]): number {
  let [longest, gap] = [0, 0];
  for (const entry of entries) {
    gap = entry === 0n ? gap + 1 : 0;
    longest = Math.max(longest, gap);
  }
  return longest;
}
