//! The transform on eight lanes: n = 8 m values, as 8 transforms of m side by side.
//!
//! With i = c + m r and k = 8 k' + s, w^(i k) = w^(c s) (w^m)^(r s) (w^8)^(c k'). First transforms of 8 over r, on eight
//! neighbouring c at once; then the twiddles w^(c s); then lanes become s, and transforms of m over c share every
//! twiddle between the lanes. What comes out in lane s at k' is the value at 8 k' + s: natural order.
//!
//! Bounds in multiples of r, of which 2^260 holds 35: below 2 after the twiddles, at most 8 after two stages over c, and
//! 2 more with each further stage, of which there are 11 at most.

use super::field::Fr;
use super::ntt::{powers, Kind};
use super::scalar_lanes::{transposed, Factor, Scalars};
use std::sync::OnceLock;

/// The logarithms of the sizes that lanes transform.
pub const SIZES: std::ops::RangeInclusive<u32> = 6..=16;

/// What transforms of one size and direction need.
struct Plan {
    /// The powers 1 to 3 of the root of order 8.
    eighths: [Factor; 3],
    /// w^(c s) for each eight c and each s, over n in the backward direction.
    twiddles: Vec<Scalars>,
    /// The powers of the root of order m, half of them.
    roots: Vec<Factor>,
}

type Kept<T> = [OnceLock<T>; *SIZES.end() as usize + 1];

static FORWARD: Kept<Plan> = [const { OnceLock::new() }; *SIZES.end() as usize + 1];
static BACKWARD: Kept<Plan> = [const { OnceLock::new() }; *SIZES.end() as usize + 1];
static OFFSETS: Kept<Vec<Scalars>> = [const { OnceLock::new() }; *SIZES.end() as usize + 1];
static INVERSE_OFFSETS: Kept<Vec<Scalars>> = [const { OnceLock::new() }; *SIZES.end() as usize + 1];

#[target_feature(enable = "avx512f,avx512ifma")]
fn plan(size: usize, root: Fr, scale: Fr) -> Plan {
    let m = size / 8;
    let eighth = root.pow(&[m as u64]);
    let mut twiddles = Vec::with_capacity(m);
    let by_row: Vec<Vec<Fr>> = powers(Fr::ONE, root, 8)
        .into_iter()
        .map(|step| powers(scale, step, m))
        .collect();
    for c in (0..m).step_by(8) {
        for row in &by_row {
            twiddles.push(Scalars::factors(std::array::from_fn(|lane| row[c + lane])));
        }
    }
    Plan {
        eighths: [eighth, eighth.square(), eighth.square() * eighth].map(Factor::new),
        twiddles,
        roots: powers(Fr::ONE, root.pow(&[8]), m / 2)
            .into_iter()
            .map(Factor::new)
            .collect(),
    }
}

/// The powers of x, eight by eight.
#[target_feature(enable = "avx512f,avx512ifma")]
fn offsets(size: usize, x: Fr) -> Vec<Scalars> {
    powers(Fr::ONE, x, size)
        .as_chunks()
        .0
        .iter()
        .map(|&eight| Scalars::factors(eight))
        .collect()
}

/// Transforms in place; the length is a power of two among `SIZES`.
#[target_feature(enable = "avx512f,avx512ifma")]
pub fn transform(values: &mut [Fr], kind: Kind) {
    // A column on a larger domain is mostly zeros at its end, which cost nothing.
    let used = values
        .iter()
        .rposition(|value| !value.is_zero())
        .map_or(0, |place| place + 1);
    let (size, log_size) = (values.len(), values.len().trailing_zeros());
    let root = Fr::root_of_unity(log_size);
    let invert = |value: Fr| {
        value
            .inverse()
            .expect("only values other than 0 are inverted")
    };
    let place = log_size as usize;
    let plan = if kind.backward {
        BACKWARD[place].get_or_init(|| plan(size, invert(root), invert(Fr::from_u64(size as u64))))
    } else {
        FORWARD[place].get_or_init(|| plan(size, root, Fr::ONE))
    };
    let before = (kind.coset && !kind.backward)
        .then(|| OFFSETS[place].get_or_init(|| offsets(size, Fr::GENERATOR)));
    let after = (kind.coset && kind.backward)
        .then(|| INVERSE_OFFSETS[place].get_or_init(|| offsets(size, invert(Fr::GENERATOR))));
    let mut work = vec![Scalars::zero(); size / 8];
    across_rows(values, plan, before, used, &mut work);
    along_columns(&mut work, &plan.roots);
    let (eights, _) = values.as_chunks_mut();
    for (k, (out, &value)) in eights.iter_mut().zip(&work).enumerate() {
        match after {
            Some(offsets) => value.carried().mul(offsets[k]).store(out),
            None => value.store(out),
        }
    }
}

/// The transforms of 8 and the twiddles; vector c of the result, in bit-reversed order, has lane s.
#[target_feature(enable = "avx512f,avx512ifma")]
fn across_rows(
    values: &[Fr],
    plan: &Plan,
    before: Option<&Vec<Scalars>>,
    used: usize,
    work: &mut [Scalars],
) {
    let m = work.len();
    let bits = m.trailing_zeros();
    let (eights, _) = values.as_chunks();
    let [first, second, third] = [0, 1, 2].map(|k| Scalars::splat(&plan.eighths[k]));
    for (block, twiddles) in plan.twiddles.chunks_exact(8).enumerate() {
        let mut x = [Scalars::zero(); 8];
        for (row, x) in x.iter_mut().enumerate() {
            let place = row * m / 8 + block;
            if 8 * place < used {
                *x = Scalars::load(&eights[place]);
                if let Some(offsets) = before {
                    *x = x.mul(offsets[place]);
                }
            }
        }
        // Rows r and r + 4, then r and r + 2, then r and r + 1: below 2 r, 4 r, 8 r, 16 r.
        let turned = |value: Scalars, by| value.carried().mul(by);
        let x = [
            x[0].plus(x[4]),
            x[1].plus(x[5]),
            x[2].plus(x[6]),
            x[3].plus(x[7]),
            x[0].minus::<2>(x[4]),
            turned(x[1].minus::<2>(x[5]), first),
            turned(x[2].minus::<2>(x[6]), second),
            turned(x[3].minus::<2>(x[7]), third),
        ];
        let x = [
            x[0].plus(x[2]),
            x[1].plus(x[3]),
            x[0].minus::<4>(x[2]),
            turned(x[1].minus::<4>(x[3]), second),
            x[4].plus(x[6]),
            x[5].plus(x[7]),
            x[4].minus::<4>(x[6]),
            turned(x[5].minus::<4>(x[7]), second),
        ];
        let sums = [0, 2, 4, 6].map(|k| (x[k].plus(x[k + 1]), x[k].minus::<8>(x[k + 1])));
        let [(x0, x4), (x2, x6), (x1, x5), (x3, x7)] = sums;
        let mut x = [x0, x1, x2, x3, x4, x5, x6, x7];
        for (x, &twiddle) in x.iter_mut().zip(twiddles) {
            *x = turned(*x, twiddle);
        }
        for (lane, column) in transposed(&x).into_iter().enumerate() {
            let c = 8 * block + lane;
            work[c.reverse_bits() >> (usize::BITS - bits)] = column;
        }
    }
}

/// The transforms of m, from bit-reversed to natural order, two stages in a pass.
#[target_feature(enable = "avx512f,avx512ifma")]
fn along_columns(work: &mut [Scalars], roots: &[Factor]) {
    let m = work.len();
    let mut half = if m.trailing_zeros().is_multiple_of(2) {
        let quarter = Scalars::splat(&roots[m / 4]);
        for [a, b, c, d] in work.as_chunks_mut().0 {
            let (sum, difference) = (a.plus(*b), a.minus::<2>(*b));
            let (other, rest) = (c.plus(*d), c.minus::<2>(*d).carried().mul(quarter));
            *a = sum.plus(other);
            *b = difference.plus(rest);
            *c = sum.minus::<4>(other);
            *d = difference.minus::<2>(rest);
        }
        4
    } else {
        for [a, b] in work.as_chunks_mut().0 {
            (*a, *b) = (a.plus(*b), a.minus::<2>(*b));
        }
        2
    };
    while half < m {
        let stride = m / (4 * half);
        for block in work.chunks_exact_mut(4 * half) {
            let (low, high) = block.split_at_mut(2 * half);
            let ((a, b), (c, d)) = (low.split_at_mut(half), high.split_at_mut(half));
            for j in 0..half {
                let inner = Scalars::splat(&roots[2 * j * stride]);
                let outer = Scalars::splat(&roots[j * stride]);
                let last = Scalars::splat(&roots[j * stride + m / 4]);
                let (tb, td) = (b[j].carried().mul(inner), d[j].carried().mul(inner));
                let (even, odd) = (a[j].plus(tb), a[j].minus::<2>(tb));
                let tc = c[j].plus(td).carried().mul(outer);
                let td = c[j].minus::<2>(td).carried().mul(last);
                a[j] = even.plus(tc);
                b[j] = odd.plus(td);
                c[j] = even.minus::<2>(tc);
                d[j] = odd.minus::<2>(td);
            }
        }
        half *= 4;
    }
}
