//! Eight scalars side by side, on the 52-bit multipliers of AVX-512 IFMA.
//!
//! Five limbs of 52 bits hold 35 times r, which makes reductions lazy: the product of any value below 2^260 and of one
//! below r comes out below 2 r, and sums of a dozen of those need no reduction at all. Limbs are signed and may leave
//! their 52 bits after additions; `carried` brings them back, which factors of a product need.

use super::field::{Fr, MODULUS};
use super::lanes::transpose;
use std::arch::x86_64::*;

pub const LIMBS: usize = 5;
const LIMB_BITS: u32 = 52;
const MASK: u64 = (1 << LIMB_BITS) - 1;

/// r in limbs of 52 bits.
const R: [u64; LIMBS] = split(&MODULUS);

/// -1/r modulo 2^52.
const NEGATIVE_INVERSE: u64 = 0xffffeffffffff;

/// The bits of `RECIPROCAL` below the point.
const RECIPROCAL_BITS: u32 = 40;

/// 2^(52 + 40) over one more than the top limb of r, rounded down: what estimates quotients by r from below.
const RECIPROCAL: u64 =
    ((1u128 << (LIMB_BITS + RECIPROCAL_BITS)) / (R[LIMBS - 1] as u128 + 1)) as u64;

/// From limbs of 64 bits to limbs of 52.
const fn split(words: &[u64; 4]) -> [u64; LIMBS] {
    [
        words[0] & MASK,
        (words[0] >> 52 | words[1] << 12) & MASK,
        (words[1] >> 40 | words[2] << 24) & MASK,
        (words[2] >> 28 | words[3] << 36) & MASK,
        words[3] >> 16,
    ]
}

/// A factor in memory: a 2^260 modulo r, so that the product with a value is the value's form times a.
#[derive(Clone, Copy)]
pub struct Factor(pub [u64; LIMBS]);

impl Factor {
    pub fn new(value: Fr) -> Factor {
        Factor(split(&(value * Fr::from_u64(16)).0))
    }
}

/// Eight elements; register j holds limb j of each.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Scalars([__m512i; LIMBS]);

impl Scalars {
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn zero() -> Scalars {
        Scalars([_mm512_setzero_si512(); LIMBS])
    }

    /// One factor in every lane.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn splat(factor: &Factor) -> Scalars {
        Scalars(factor.0.map(|limb| _mm512_set1_epi64(limb as i64)))
    }

    /// A factor for each lane.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn factors(values: [Fr; 8]) -> Scalars {
        let limbs = values.map(|value| Factor::new(value).0);
        Scalars(std::array::from_fn(|j| {
            let row: [u64; 8] = std::array::from_fn(|lane| limbs[lane][j]);
            // SAFETY: the row is 64 bytes.
            unsafe { _mm512_loadu_si512(row.as_ptr().cast()) }
        }))
    }

    /// Reads eight scalars, their power of two left as it is.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn load(values: &[Fr; 8]) -> Scalars {
        let [w0, w1, w2, w3] = words(values);
        let mask = _mm512_set1_epi64(MASK as i64);
        let joined = |low, high| _mm512_and_si512(_mm512_or_si512(low, high), mask);
        Scalars([
            _mm512_and_si512(w0, mask),
            joined(_mm512_srli_epi64::<52>(w0), _mm512_slli_epi64::<12>(w1)),
            joined(_mm512_srli_epi64::<40>(w1), _mm512_slli_epi64::<24>(w2)),
            joined(_mm512_srli_epi64::<28>(w2), _mm512_slli_epi64::<36>(w3)),
            _mm512_srli_epi64::<16>(w3),
        ])
    }

    /// Reads eight scalars as factors, though below 16 r: a product with a value below 2 r is still below 2 r.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn load_factors(values: &[Fr; 8]) -> Scalars {
        let [w0, w1, w2, w3] = words(values);
        let mask = _mm512_set1_epi64(MASK as i64);
        let joined = |low, high| _mm512_and_si512(_mm512_or_si512(low, high), mask);
        Scalars([
            _mm512_and_si512(_mm512_slli_epi64::<4>(w0), mask),
            joined(_mm512_srli_epi64::<48>(w0), _mm512_slli_epi64::<16>(w1)),
            joined(_mm512_srli_epi64::<36>(w1), _mm512_slli_epi64::<28>(w2)),
            joined(_mm512_srli_epi64::<24>(w2), _mm512_slli_epi64::<40>(w3)),
            _mm512_srli_epi64::<12>(w3),
        ])
    }

    /// The sum of the lanes, for limbs that are not negative, the lower ones in 52 bits.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn total(self) -> Fr {
        let shift = Fr::from_u64(1 << LIMB_BITS);
        self.0.iter().rev().fold(Fr::ZERO, |sum, &limb| {
            let mut lanes = [0u64; 8];
            // SAFETY: the lanes are 64 bytes.
            unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), limb) };
            let lanes = lanes
                .iter()
                .fold(Fr::ZERO, |sum, &lane| sum + Fr([lane, 0, 0, 0]));
            sum * shift + lanes
        })
    }

    /// Writes eight canonical scalars, for values below 2^260.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn store(self, out: &mut [Fr; 8]) {
        let l = self.reduced().0;
        let w0 = _mm512_or_si512(l[0], _mm512_slli_epi64::<52>(l[1]));
        let w1 = _mm512_or_si512(_mm512_srli_epi64::<12>(l[1]), _mm512_slli_epi64::<40>(l[2]));
        let w2 = _mm512_or_si512(_mm512_srli_epi64::<24>(l[2]), _mm512_slli_epi64::<28>(l[3]));
        let w3 = _mm512_or_si512(_mm512_srli_epi64::<36>(l[3]), _mm512_slli_epi64::<16>(l[4]));
        let pairs = |order| {
            (
                _mm512_permutex2var_epi64(w0, order, w1),
                _mm512_permutex2var_epi64(w2, order, w3),
            )
        };
        let (low, high) = (
            pairs(_mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11)),
            pairs(_mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15)),
        );
        let first = out.as_mut_ptr().cast::<__m512i>();
        let (even, odd) = (
            _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11),
            _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15),
        );
        for (k, ((a, b), order)) in [(low, even), (low, odd), (high, even), (high, odd)]
            .into_iter()
            .enumerate()
        {
            // SAFETY: eight scalars are four registers.
            unsafe { _mm512_storeu_si512(first.add(k), _mm512_permutex2var_epi64(a, order, b)) };
        }
    }

    /// Montgomery's product, below 2 r, its limbs not carried: self below 2^260 and carried, the other below r.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn mul(self, other: Scalars) -> Scalars {
        let zero = _mm512_setzero_si512();
        let r = R.map(|limb| _mm512_set1_epi64(limb as i64));
        let inverse = _mm512_set1_epi64(NEGATIVE_INVERSE as i64);
        let (a, b) = (self.0, other.0);
        let mut t = [zero; LIMBS + 1];
        for &digit in &a {
            for j in 0..LIMBS {
                t[j] = _mm512_madd52lo_epu64(t[j], digit, b[j]);
            }
            let m = _mm512_madd52lo_epu64(zero, t[0], inverse);
            for j in 0..LIMBS {
                t[j] = _mm512_madd52lo_epu64(t[j], m, r[j]);
            }
            // The lowest limb is now a multiple of 2^52: it leaves, and all others move down.
            let carry = _mm512_srli_epi64::<LIMB_BITS>(t[0]);
            for j in 0..LIMBS {
                let upper = if j == 0 {
                    _mm512_add_epi64(t[1], carry)
                } else {
                    t[j + 1]
                };
                t[j] = _mm512_madd52hi_epu64(_mm512_madd52hi_epu64(upper, digit, b[j]), m, r[j]);
            }
            t[LIMBS] = zero;
        }
        Scalars([t[0], t[1], t[2], t[3], t[4]])
    }

    /// a + b, limb by limb.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn plus(self, other: Scalars) -> Scalars {
        Scalars(std::array::from_fn(|j| {
            _mm512_add_epi64(self.0[j], other.0[j])
        }))
    }

    /// a - b + K r, limb by limb, for b below K r.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn minus<const K: u64>(self, other: Scalars) -> Scalars {
        Scalars(std::array::from_fn(|j| {
            let raised = _mm512_add_epi64(self.0[j], _mm512_set1_epi64((K * R[j]) as i64));
            _mm512_sub_epi64(raised, other.0[j])
        }))
    }

    /// The same value with all limbs but the top one in 52 bits; they may be negative before, the value may not.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn carried(self) -> Scalars {
        let mask = _mm512_set1_epi64(MASK as i64);
        let mut limbs = self.0;
        for j in 0..LIMBS - 1 {
            let carry = _mm512_srai_epi64::<LIMB_BITS>(limbs[j]);
            limbs[j] = _mm512_and_si512(limbs[j], mask);
            limbs[j + 1] = _mm512_add_epi64(limbs[j + 1], carry);
        }
        Scalars(limbs)
    }

    /// The residue below r of a value below 2^260.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    fn reduced(self) -> Scalars {
        let zero = _mm512_setzero_si512();
        let value = self.carried().0;
        let reciprocal = _mm512_set1_epi64(RECIPROCAL as i64);
        // The estimate is the quotient or one less.
        let quotient = _mm512_srli_epi64::<RECIPROCAL_BITS>(_mm512_madd52hi_epu64(
            zero,
            value[LIMBS - 1],
            reciprocal,
        ));
        let r = R.map(|limb| _mm512_set1_epi64(limb as i64));
        let mut rest = value;
        for j in 0..LIMBS {
            let low = _mm512_madd52lo_epu64(zero, quotient, r[j]);
            let term = if j == 0 {
                low
            } else {
                _mm512_madd52hi_epu64(low, quotient, r[j - 1])
            };
            rest[j] = _mm512_sub_epi64(rest[j], term);
        }
        let rest = Scalars(rest).carried().0;
        let less = Scalars(std::array::from_fn(|j| _mm512_sub_epi64(rest[j], r[j])))
            .carried()
            .0;
        let keep = _mm512_cmplt_epi64_mask(less[LIMBS - 1], zero);
        Scalars(std::array::from_fn(|j| {
            _mm512_mask_blend_epi64(keep, less[j], rest[j])
        }))
    }
}

/// Word j of each of eight scalars.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn words(values: &[Fr; 8]) -> [__m512i; 4] {
    let first = values.as_ptr().cast::<__m512i>();
    // SAFETY: eight scalars are four registers.
    let z: [__m512i; 4] = std::array::from_fn(|k| unsafe { _mm512_loadu_si512(first.add(k)) });
    let pair = |order| {
        let (a, b) = (
            _mm512_permutex2var_epi64(z[0], order, z[1]),
            _mm512_permutex2var_epi64(z[2], order, z[3]),
        );
        (
            _mm512_shuffle_i64x2::<0x44>(a, b),
            _mm512_shuffle_i64x2::<0xee>(a, b),
        )
    };
    let (w0, w1) = pair(_mm512_setr_epi64(0, 4, 8, 12, 1, 5, 9, 13));
    let (w2, w3) = pair(_mm512_setr_epi64(2, 6, 10, 14, 3, 7, 11, 15));
    [w0, w1, w2, w3]
}

/// Eight vectors of eight become columns: lane j of vector s goes to lane s of vector j.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
pub fn transposed(rows: &[Scalars; 8]) -> [Scalars; 8] {
    let limbs: [[__m512i; 8]; LIMBS] =
        std::array::from_fn(|j| transpose(std::array::from_fn(|s| rows[s].0[j])));
    std::array::from_fn(|s| Scalars(std::array::from_fn(|j| limbs[j][s])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algebra::field::tests::samples;
    use crate::machine::has_ifma;

    #[target_feature(enable = "avx512f,avx512ifma")]
    fn values(scalars: Scalars) -> [Fr; 8] {
        let mut out = [Fr::ZERO; 8];
        scalars.store(&mut out);
        out
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    fn check(a: [Fr; 8], b: [Fr; 8]) {
        let (x, y) = (Scalars::load(&a), Scalars::load(&b));
        let each = |operation: fn(Fr, Fr) -> Fr| std::array::from_fn(|k| operation(a[k], b[k]));
        assert!(values(x) == a);
        assert!(values(x.plus(y)) == each(|a, b| a + b));
        assert!(values(x.minus::<1>(y)) == each(|a, b| a - b));
        assert!(values(x.mul(Scalars::factors(b))) == each(|a, b| a * b));
        assert!(values(x.mul(Scalars::splat(&Factor::new(b[3])))) == a.map(|a| a * b[3]));
        // 31 a + 4 r, nearly as much as five limbs hold, is read and multiplied as well.
        let mut large = x.minus::<4>(Scalars::zero());
        for _ in 0..30 {
            large = large.plus(x);
        }
        let expected = a.map(|a| a * Fr::from_u64(31));
        assert!(values(large) == expected);
        let product = large.carried().mul(Scalars::factors(b));
        assert!(values(product) == std::array::from_fn(|k| expected[k] * b[k]));
        // A product is below 2 r: what is left of 2 r less the product is not negative.
        assert!(
            values(Scalars::zero().minus::<2>(product))
                == std::array::from_fn(|k| -expected[k] * b[k])
        );
        let rows: [Scalars; 8] = std::array::from_fn(|s| if s % 2 == 0 { x } else { y });
        for (j, column) in transposed(&rows).into_iter().enumerate() {
            assert!(
                values(column) == std::array::from_fn(|s| if s % 2 == 0 { a[j] } else { b[j] })
            );
        }
    }

    #[test]
    #[cfg_attr(not(ifma_here), ignore = "this machine has no AVX-512 IFMA")]
    fn agrees_with_one_at_a_time() {
        assert!(has_ifma());
        let all = samples();
        for a in all.windows(8) {
            for b in all.windows(8) {
                // SAFETY: the instructions were just found on this processor.
                unsafe { check(a.try_into().unwrap(), b.try_into().unwrap()) };
            }
        }
    }
}
