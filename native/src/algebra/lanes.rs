//! Eight elements of the base field side by side, on the 52-bit multipliers of AVX-512 IFMA.
//!
//! The 35 spare bits of a coordinate make reductions lazy: a product of factors below 8 p comes out below 1.01 p.
//! What is stored is below 2 p.

use super::coordinate::{Coordinate, LIMBS, LIMB_BITS, MASK};
use blst::{blst_fp, blst_fp_inverse, blst_fp_mul};
use std::arch::x86_64::*;

/// p, the order of the base field.
const P: [u64; LIMBS] = [
    0xeffffffffaaab,
    0xfeb153ffffb9f,
    0x6b0f6241eabff,
    0x12bf6730d2a0f,
    0x764774b84f385,
    0x1ba7b6434bacd,
    0x1ea397fe69a4b,
    0x000000001a011,
];

/// -1/p modulo 2^52.
const NEGATIVE_INVERSE: u64 = 0x3fffcfffcfffd;

/// 2^52 over one more than the top limb of p, rounded down: what estimates quotients by p from below.
const RECIPROCAL: u64 = 0x9d8307de6;

/// 2^416 modulo p, which stands for 1.
const ONE: [u64; LIMBS] = [
    0x6480ea8e9b9af,
    0x65766c8fe444f,
    0x8b540fea96f7d,
    0x3b2ee82efd422,
    0xa6723e5f0ade5,
    0xff6eb6fdd4230,
    0xe06ef23c24a25,
    0x0000000014c8e,
];

/// 2^480 modulo p: multiplying by it shifts a value by 64 bits.
const SHIFT_64: [u64; LIMBS] = [
    0x6a0c0a653f6fc,
    0xdf21bc8d58e0c,
    0x63665a0c7a249,
    0xf6cc74d9c6d43,
    0xb33c525492b6b,
    0xc5935a887f8c8,
    0x487a48f1eb623,
    0x000000001447c,
];

/// The multiples 0 to 7 of p: entry [j][q] is limb j of q p.
const MULTIPLES: [[u64; 8]; LIMBS] = multiples();

const fn multiples() -> [[u64; 8]; LIMBS] {
    let mut out = [[0; 8]; LIMBS];
    let mut q = 0;
    while q < 8 {
        let (mut carry, mut j) = (0, 0);
        while j < LIMBS {
            let limb = P[j] * q as u64 + carry;
            out[j][q] = limb & MASK;
            carry = limb >> LIMB_BITS;
            j += 1;
        }
        q += 1;
    }
    out
}

/// Eight elements; register j holds limb j of each.
#[derive(Clone, Copy)]
pub struct Lanes([__m512i; LIMBS]);

impl Lanes {
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    fn splat(limbs: &[u64; LIMBS]) -> Lanes {
        Lanes(limbs.map(|limb| _mm512_set1_epi64(limb as i64)))
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn one() -> Lanes {
        Lanes::splat(&ONE)
    }

    /// Reads one coordinate for each lane.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn load(rows: [&Coordinate; 8]) -> Lanes {
        // SAFETY: a coordinate is 64 bytes, aligned to 64.
        Lanes(transpose(rows.map(|row| unsafe {
            _mm512_load_si512(row.0.as_ptr().cast())
        })))
    }

    /// One coordinate from each lane.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn store(self) -> [Coordinate; 8] {
        transpose(self.0).map(|row| {
            let mut coordinate = Coordinate([0; LIMBS]);
            // SAFETY: a coordinate is 64 bytes, aligned to 64.
            unsafe { _mm512_store_si512(coordinate.0.as_mut_ptr().cast(), row) };
            coordinate
        })
    }

    /// Montgomery's product; factors below 8 p.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn mul(self, other: Lanes) -> Lanes {
        let zero = _mm512_setzero_si512();
        let p = P.map(|limb| _mm512_set1_epi64(limb as i64));
        let inverse = _mm512_set1_epi64(NEGATIVE_INVERSE as i64);
        let (a, b) = (self.0, other.0);
        let mut t = [zero; LIMBS + 1];
        for &digit in &a {
            for j in 0..LIMBS {
                t[j] = _mm512_madd52lo_epu64(t[j], digit, b[j]);
            }
            let m = _mm512_madd52lo_epu64(zero, t[0], inverse);
            for j in 0..LIMBS {
                t[j] = _mm512_madd52lo_epu64(t[j], m, p[j]);
            }
            // The lowest limb is now a multiple of 2^52: it leaves, and all others move down.
            let carry = _mm512_srli_epi64::<LIMB_BITS>(t[0]);
            for j in 0..LIMBS {
                let upper = if j == 0 {
                    _mm512_add_epi64(t[1], carry)
                } else {
                    t[j + 1]
                };
                t[j] = _mm512_madd52hi_epu64(_mm512_madd52hi_epu64(upper, digit, b[j]), m, p[j]);
            }
            t[LIMBS] = zero;
        }
        Lanes(carried([t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7]]))
    }

    /// a - b + 2 p, for b below 2 p.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn minus(self, other: Lanes) -> Lanes {
        let mut out = self.0;
        for (j, limb) in out.iter_mut().enumerate() {
            let raised = _mm512_add_epi64(*limb, multiple_of_p(j, 2));
            *limb = _mm512_sub_epi64(raised, other.0[j]);
        }
        Lanes(carried(out))
    }

    /// a - b + K p, for b below K p.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn minus_within<const K: u64>(self, other: Lanes) -> Lanes {
        let mut out = self.0;
        for (j, limb) in out.iter_mut().enumerate() {
            let raised = _mm512_add_epi64(*limb, _mm512_set1_epi64((K * P[j]) as i64));
            *limb = _mm512_sub_epi64(raised, other.0[j]);
        }
        Lanes(carried(out))
    }

    /// a + b.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn plus(self, other: Lanes) -> Lanes {
        let mut out = self.0;
        for (limb, term) in out.iter_mut().zip(other.0) {
            *limb = _mm512_add_epi64(*limb, term);
        }
        Lanes(carried(out))
    }

    /// A small multiple.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn times(self, factor: u64) -> Lanes {
        // Limbs of 52 bits and a factor below 2^11 stay below 2^63; the multiplication is one of shifts and sums.
        let mut out = [_mm512_setzero_si512(); LIMBS];
        for bit in (0..8).filter(|bit| factor >> bit & 1 == 1) {
            for (sum, limb) in out.iter_mut().zip(self.0) {
                let shifted = _mm512_sll_epi64(limb, _mm_cvtsi64_si128(bit));
                *sum = _mm512_add_epi64(*sum, shifted);
            }
        }
        Lanes(carried(out))
    }

    /// 2 p - a in the lanes of the mask, a in the others, for a below 2 p.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn negated_if(self, mask: u8) -> Lanes {
        let mut out = self.0;
        for (j, limb) in out.iter_mut().enumerate() {
            *limb = _mm512_mask_sub_epi64(*limb, mask, multiple_of_p(j, 2), *limb);
        }
        Lanes(carried(out))
    }

    /// The same residue below 2 p, for a value below 8 p.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn reduced(self) -> Lanes {
        let reciprocal = _mm512_set1_epi64(RECIPROCAL as i64);
        let quotient = _mm512_madd52hi_epu64(_mm512_setzero_si512(), self.0[LIMBS - 1], reciprocal);
        let mut out = self.0;
        for (limb, row) in out.iter_mut().zip(&MULTIPLES) {
            // SAFETY: a row is 64 bytes.
            let row = unsafe { _mm512_loadu_si512(row.as_ptr().cast()) };
            *limb = _mm512_sub_epi64(*limb, _mm512_permutexvar_epi64(quotient, row));
        }
        Lanes(carried(out))
    }

    /// The lanes of the mask from other.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn replaced_if(self, mask: u8, other: Lanes) -> Lanes {
        let mut out = self.0;
        for (limb, new) in out.iter_mut().zip(other.0) {
            *limb = _mm512_mask_blend_epi64(mask, *limb, new);
        }
        Lanes(out)
    }

    /// A mask that misses no lane which is 0 modulo p, for values below 4 p; it may hold others, rarely.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn maybe_zero(self) -> u8 {
        let mut mask = self.lowest_is(0);
        for multiple in &MULTIPLES[0][1..4] {
            mask |= self.lowest_is(*multiple);
        }
        mask
    }

    /// The lanes whose lowest limb has this value.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn lowest_is(self, value: u64) -> u8 {
        _mm512_cmpeq_epi64_mask(self.0[0], _mm512_set1_epi64(value as i64))
    }

    /// The inverses of eight elements other than 0, with a single inversion.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn inverse(self) -> Lanes {
        let values = self
            .reduced()
            .store()
            .map(|coordinate| coordinate.canonical());
        // To blst a 2^416 is the form of a 2^32: its inverse comes back as 2^352 / a, 64 bits short of ours.
        let inverses = inverses(&values).map(|value| Coordinate::from_words(&value.l));
        Lanes::load(inverses.each_ref()).mul(Lanes::splat(&SHIFT_64))
    }
}

fn inverses(values: &[blst_fp; 8]) -> [blst_fp; 8] {
    let product = |a: &blst_fp, b: &blst_fp| {
        let mut out = blst_fp::default();
        // SAFETY: the operands are initialised.
        unsafe { blst_fp_mul(&mut out, a, b) };
        out
    };
    let mut before = *values;
    for i in 1..8 {
        before[i] = product(&before[i - 1], &values[i]);
    }
    let mut inverse = blst_fp::default();
    // SAFETY: the operand is initialised.
    unsafe { blst_fp_inverse(&mut inverse, &before[7]) };
    let mut out = *values;
    for i in (1..8).rev() {
        out[i] = product(&inverse, &before[i - 1]);
        inverse = product(&inverse, &values[i]);
    }
    out[0] = inverse;
    out
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn multiple_of_p(limb: usize, q: usize) -> __m512i {
    _mm512_set1_epi64(MULTIPLES[limb][q] as i64)
}

/// Brings all limbs but the top one to 52 bits; they may be negative, the value may not.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn carried(mut limbs: [__m512i; LIMBS]) -> [__m512i; LIMBS] {
    let mask = _mm512_set1_epi64(MASK as i64);
    for j in 0..LIMBS - 1 {
        let carry = _mm512_srai_epi64::<LIMB_BITS>(limbs[j]);
        limbs[j] = _mm512_and_si512(limbs[j], mask);
        limbs[j + 1] = _mm512_add_epi64(limbs[j + 1], carry);
    }
    limbs
}

/// Rows become columns.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
pub fn transpose(r: [__m512i; 8]) -> [__m512i; 8] {
    let low = |i: usize| _mm512_unpacklo_epi64(r[i], r[i + 1]);
    let high = |i: usize| _mm512_unpackhi_epi64(r[i], r[i + 1]);
    // Pairs of rows: even columns from the low halves, odd ones from the high halves.
    let (even, odd) = (
        [low(0), low(2), low(4), low(6)],
        [high(0), high(2), high(4), high(6)],
    );
    let quarter = |c: [__m512i; 4]| {
        let (a, b) = (
            _mm512_shuffle_i64x2::<0x88>(c[0], c[1]),
            _mm512_shuffle_i64x2::<0xdd>(c[0], c[1]),
        );
        let (d, e) = (
            _mm512_shuffle_i64x2::<0x88>(c[2], c[3]),
            _mm512_shuffle_i64x2::<0xdd>(c[2], c[3]),
        );
        [
            _mm512_shuffle_i64x2::<0x88>(a, d),
            _mm512_shuffle_i64x2::<0x88>(b, e),
            _mm512_shuffle_i64x2::<0xdd>(a, d),
            _mm512_shuffle_i64x2::<0xdd>(b, e),
        ]
    };
    let (even, odd) = (quarter(even), quarter(odd));
    [
        even[0], odd[0], even[1], odd[1], even[2], odd[2], even[3], odd[3],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::has_ifma;
    use blst::{blst_fp_add, blst_fp_from_uint64, blst_fp_sub};

    fn samples() -> [blst_fp; 8] {
        let mut values = [blst_fp::default(); 8];
        for (k, value) in values.iter_mut().enumerate() {
            let words = [
                3 + k as u64,
                u64::MAX,
                7 << k,
                11,
                u64::MAX / (k as u64 + 1),
                5 * k as u64,
            ];
            unsafe { blst_fp_from_uint64(value, words.as_ptr()) };
        }
        unsafe { blst_fp_sub(&mut values[7], &blst_fp::default(), &values[1]) };
        values
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    fn lanes(values: &[blst_fp; 8]) -> Lanes {
        let coordinates = values.each_ref().map(Coordinate::from_blst);
        Lanes::load(coordinates.each_ref())
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    fn values(lanes: Lanes) -> [blst_fp; 8] {
        lanes.reduced().store().map(Coordinate::to_blst)
    }

    fn each(
        a: &[blst_fp; 8],
        b: &[blst_fp; 8],
        operation: unsafe extern "C" fn(*mut blst_fp, *const blst_fp, *const blst_fp),
    ) -> [blst_fp; 8] {
        std::array::from_fn(|k| {
            let mut out = blst_fp::default();
            unsafe { operation(&mut out, &a[k], &b[k]) };
            out
        })
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    fn check() {
        let a = samples();
        let mut b = a;
        b.rotate_left(3);
        let (la, lb) = (lanes(&a), lanes(&b));
        assert!(values(la) == a);
        assert!(values(la.mul(lb)) == each(&a, &b, blst_fp_mul));
        assert!(values(la.minus(lb)) == each(&a, &b, blst_fp_sub));
        let twice = each(&a, &a, blst_fp_add);
        assert!(values(la.minus(lb).minus(la.negated_if(0xff))) == each(&twice, &b, blst_fp_sub));
        assert!(values(la.inverse().mul(la)) == values(Lanes::one()));
        let mixed = values(la.replaced_if(0b1010, lb));
        assert!((0..8).all(|k| mixed[k] == if k == 1 || k == 3 { b[k] } else { a[k] }));
        assert!(la.minus(la.negated_if(0).replaced_if(0b1, lb)).maybe_zero() == 0b1111_1110);
    }

    #[test]
    #[cfg_attr(not(ifma_here), ignore = "this machine has no AVX-512 IFMA")]
    fn agrees_with_blst() {
        assert!(has_ifma());
        // SAFETY: the instructions were just found on this processor.
        unsafe { check() };
    }
}
