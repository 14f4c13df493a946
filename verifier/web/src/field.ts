/** The scalar field of BLS12-381 and its subgroups (spec, encodings, section 3). */

/** r: the order of the groups and of the field. */
export const R = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;

const GENERATOR = 7n;

/** The representative in 0..r-1. */
export function mod(a: bigint): bigint {
  const b = a % R;
  return b < 0n ? b + R : b;
}

/** base^exponent modulo r, for an exponent of at least 0. */
export function pow(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * b) % R;
    b = (b * b) % R;
  }
  return result;
}

/** 1/a modulo r. Throws RangeError for 0. */
export function inverse(a: bigint): bigint {
  if (mod(a) === 0n) throw new RangeError("0 has no inverse in the scalar field");
  return pow(a, R - 2n);
}

/** The generator w of the domain H of n = 2^t points: 7^((r-1)/n). */
export function rootOfUnity(n: number): bigint {
  return pow(GENERATOR, (R - 1n) / BigInt(n));
}

/** 1, x, x^2 .. x^(count-1). */
export function powers(x: bigint, count: number): bigint[] {
  const result = new Array<bigint>(count);
  for (let i = 0, power = 1n; i < count; i++, power = (power * x) % R) result[i] = power;
  return result;
}

/**
 * L_0(x) .. L_(n-1)(x) on H, for any x, without a division but by n:
 * L_i(x) = (1/n) prod_(j < t) (1 + (x w^-i)^(2^j)), as a tree over the bits of i.
 */
export function lagrange(n: number, x: bigint): bigint[] {
  const values = new Array<bigint>(n);
  values[0] = inverse(BigInt(n));
  const points: bigint[] = [];
  const steps: bigint[] = [];
  let point = x;
  let step = pow(rootOfUnity(n), BigInt(n - 1));
  for (let size = 1; size < n; size *= 2) {
    points.push(point);
    steps.push(step);
    point = (point * point) % R;
    step = (step * step) % R;
  }
  for (let size = 1; size < n; size *= 2) {
    let factor = points.pop() as bigint;
    const turn = steps.pop() as bigint;
    for (let i = 0; i < size; i++) {
      const value = values[i] as bigint;
      const part = (factor * value) % R;
      values[i + size] = mod(value - part);
      values[i] = (value + part) % R;
      factor = (factor * turn) % R;
    }
  }
  return values;
}
