//! The scalar field of BLS12-381 in Montgomery form, four 64-bit limbs, least significant first.

use std::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// r, the order of the field.
pub const MODULUS: [u64; 4] = [
    0xffffffff00000001,
    0x53bda402fffe5bfe,
    0x3339d80809a1d805,
    0x73eda753299d7d48,
];

/// -1/r modulo 2^64.
const NEGATIVE_INVERSE: u64 = 0xfffffffeffffffff;

/// The largest power of two that divides r - 1.
pub const TWO_ADICITY: u32 = 32;

/// A scalar a, held as a 2^256 modulo r. It may be secret: it has no Debug.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
#[repr(transparent)]
pub struct Fr(pub [u64; 4]);

impl Fr {
    pub const ZERO: Fr = Fr([0; 4]);

    pub const ONE: Fr = Fr([
        0x00000001fffffffe,
        0x5884b7fa00034802,
        0x998c4fefecbc4ff5,
        0x1824b159acc5056f,
    ]);

    /// 2^512 modulo r: multiplying by it brings a canonical value into Montgomery form.
    pub const R2: Fr = Fr([
        0xc999e990f3f29c6d,
        0x2b6cedcb87925c23,
        0x05d314967254398f,
        0x0748d9d99f59ff11,
    ]);

    /// 7, which generates the multiplicative group.
    pub const GENERATOR: Fr = Fr([
        0x0000000efffffff1,
        0x17e363d300189c0f,
        0xff9c57876f8457b0,
        0x351332208fc5a8c4,
    ]);

    /// 7^((r-1)/2^32), a primitive root of unity of the largest order that is a power of two.
    const ROOT_OF_UNITY: Fr = Fr([
        0xb9b58d8c5f0e466a,
        0x5b1b4c801819d7ec,
        0x0af53ae352a31e64,
        0x5bf3adda19e9b27b,
    ]);

    /// Reads a canonical value; None if it is not below r.
    pub fn from_canonical(limbs: [u64; 4]) -> Option<Fr> {
        below_modulus(&limbs).then(|| Fr(limbs) * Fr::R2)
    }

    /// Reads 32 little-endian bytes; None unless they are 32 and canonical.
    pub fn from_bytes(bytes: &[u8]) -> Option<Fr> {
        let words: &[u8; 32] = bytes.try_into().ok()?;
        let mut limbs = [0; 4];
        for (limb, word) in limbs.iter_mut().zip(words.chunks_exact(8)) {
            *limb = u64::from_le_bytes(word.try_into().expect("a chunk has 8 bytes"));
        }
        Fr::from_canonical(limbs)
    }

    pub fn from_i64(value: i64) -> Fr {
        let magnitude = Fr([value.unsigned_abs(), 0, 0, 0]) * Fr::R2;
        if value < 0 {
            -magnitude
        } else {
            magnitude
        }
    }

    pub fn from_u64(value: u64) -> Fr {
        Fr([value, 0, 0, 0]) * Fr::R2
    }

    /// The canonical value.
    pub fn canonical(&self) -> [u64; 4] {
        (*self * Fr([1, 0, 0, 0])).0
    }

    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (word, limb) in bytes.chunks_exact_mut(8).zip(self.canonical()) {
            word.copy_from_slice(&limb.to_le_bytes());
        }
        bytes
    }

    pub fn is_zero(&self) -> bool {
        self.0 == [0; 4]
    }

    #[inline]
    pub fn square(self) -> Fr {
        self * self
    }

    pub fn pow(self, exponent: &[u64]) -> Fr {
        let mut power = Fr::ONE;
        for word in exponent.iter().rev() {
            for bit in (0..64).rev() {
                power = power.square();
                if word >> bit & 1 == 1 {
                    power *= self;
                }
            }
        }
        power
    }

    /// 1/a as a^(r-2); None for 0.
    pub fn inverse(self) -> Option<Fr> {
        let [low, rest @ ..] = MODULUS;
        (!self.is_zero()).then(|| self.pow(&[low - 2, rest[0], rest[1], rest[2]]))
    }

    /// The primitive root of unity of order 2^log_size.
    pub fn root_of_unity(log_size: u32) -> Fr {
        (log_size..TWO_ADICITY).fold(Fr::ROOT_OF_UNITY, |root, _| root.square())
    }
}

#[inline(always)]
fn below_modulus(limbs: &[u64; 4]) -> bool {
    for i in (0..4).rev() {
        if limbs[i] != MODULUS[i] {
            return limbs[i] < MODULUS[i];
        }
    }
    false
}

#[inline(always)]
pub fn adc(a: u64, b: u64, carry: &mut u64) -> u64 {
    let sum = a as u128 + b as u128 + *carry as u128;
    *carry = (sum >> 64) as u64;
    sum as u64
}

#[inline(always)]
fn sbb(a: u64, b: u64, borrow: &mut u64) -> u64 {
    let difference = (a as u128).wrapping_sub(b as u128 + *borrow as u128);
    *borrow = (difference >> 64) as u64 & 1;
    difference as u64
}

/// a + b c + carry, keeping the upper half in carry.
#[inline(always)]
pub fn mac(a: u64, b: u64, c: u64, carry: &mut u64) -> u64 {
    let sum = a as u128 + b as u128 * c as u128 + *carry as u128;
    *carry = (sum >> 64) as u64;
    sum as u64
}

/// Subtracts r once if the value, below 2 r, is not below r.
#[inline(always)]
pub fn reduce_once(limbs: [u64; 4]) -> Fr {
    let mut borrow = 0;
    let mut reduced = [0; 4];
    for i in 0..4 {
        reduced[i] = sbb(limbs[i], MODULUS[i], &mut borrow);
    }
    let keep = borrow.wrapping_neg();
    for i in 0..4 {
        reduced[i] = (limbs[i] & keep) | (reduced[i] & !keep);
    }
    Fr(reduced)
}

/// Adds r, modulo 2^256, if the bit is 1.
#[inline(always)]
fn add_modulus_if(bit: u64, limbs: [u64; 4]) -> Fr {
    let mask = bit.wrapping_neg();
    let mut carry = 0;
    let mut sum = [0; 4];
    for i in 0..4 {
        sum[i] = adc(limbs[i], MODULUS[i] & mask, &mut carry);
    }
    Fr(sum)
}

impl Mul for Fr {
    type Output = Fr;

    /// Montgomery multiplication, operands scanned limb by limb; r leaves a bit to spare, so no carry leaves t.
    #[inline(always)]
    fn mul(self, other: Fr) -> Fr {
        let (a, b) = (&self.0, &other.0);
        let mut t = [0u64; 4];
        for &word in b {
            let mut carry = 0;
            let t0 = mac(t[0], a[0], word, &mut carry);
            let m = t0.wrapping_mul(NEGATIVE_INVERSE);
            let mut reduction = 0;
            mac(t0, m, MODULUS[0], &mut reduction);
            for j in 1..4 {
                let tj = mac(t[j], a[j], word, &mut carry);
                t[j - 1] = mac(tj, m, MODULUS[j], &mut reduction);
            }
            t[3] = carry + reduction;
        }
        reduce_once(t)
    }
}

impl Add for Fr {
    type Output = Fr;

    #[inline(always)]
    fn add(self, other: Fr) -> Fr {
        let mut carry = 0;
        let mut sum = [0; 4];
        for (i, limb) in sum.iter_mut().enumerate() {
            *limb = adc(self.0[i], other.0[i], &mut carry);
        }
        reduce_once(sum)
    }
}

impl Sub for Fr {
    type Output = Fr;

    #[inline(always)]
    fn sub(self, other: Fr) -> Fr {
        let mut borrow = 0;
        let mut difference = [0; 4];
        for (i, limb) in difference.iter_mut().enumerate() {
            *limb = sbb(self.0[i], other.0[i], &mut borrow);
        }
        add_modulus_if(borrow, difference)
    }
}

impl Neg for Fr {
    type Output = Fr;

    #[inline(always)]
    fn neg(self) -> Fr {
        Fr::ZERO - self
    }
}

impl AddAssign for Fr {
    #[inline(always)]
    fn add_assign(&mut self, other: Fr) {
        *self = *self + other;
    }
}

impl SubAssign for Fr {
    #[inline(always)]
    fn sub_assign(&mut self, other: Fr) {
        *self = *self - other;
    }
}

impl MulAssign for Fr {
    #[inline(always)]
    fn mul_assign(&mut self, other: Fr) {
        *self = *self * other;
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use blst::{blst_fr, blst_fr_add, blst_fr_inverse, blst_fr_mul, blst_fr_sub};

    /// Values at the edges and spread over the field, from a fixed multiplicative walk.
    pub fn samples() -> Vec<Fr> {
        let mut values = vec![
            Fr::ZERO,
            Fr::ONE,
            -Fr::ONE,
            Fr::from_u64(u64::MAX),
            Fr::from_i64(i64::MIN),
        ];
        let mut walk = Fr::GENERATOR.pow(&[0x9e3779b97f4a7c15, 12345]);
        for _ in 0..40 {
            values.push(walk);
            walk = walk.square() + Fr::ONE;
        }
        values
    }

    fn blst(a: Fr) -> blst_fr {
        blst_fr { l: a.0 }
    }

    #[test]
    fn agrees_with_blst() {
        for a in samples() {
            for b in samples() {
                let mut expected = blst_fr::default();
                unsafe { blst_fr_mul(&mut expected, &blst(a), &blst(b)) };
                assert!((a * b).0 == expected.l);
                unsafe { blst_fr_add(&mut expected, &blst(a), &blst(b)) };
                assert!((a + b).0 == expected.l);
                unsafe { blst_fr_sub(&mut expected, &blst(a), &blst(b)) };
                assert!((a - b).0 == expected.l);
            }
            if let Some(inverse) = a.inverse() {
                let mut expected = blst_fr::default();
                unsafe { blst_fr_inverse(&mut expected, &blst(a)) };
                assert!(inverse.0 == expected.l);
                assert!(a * inverse == Fr::ONE);
            }
        }
        assert!(Fr::ZERO.inverse().is_none());
    }

    #[test]
    fn bytes_are_canonical() {
        for a in samples() {
            assert!(Fr::from_bytes(&a.to_bytes()) == Some(a));
        }
        assert!(Fr::from_canonical(MODULUS).is_none());
        assert!(Fr::from_bytes(&[0xff; 32]).is_none());
        assert!(Fr::from_bytes(&[0; 31]).is_none());
        assert!(Fr::from_i64(-1) == -Fr::ONE);
    }

    #[test]
    fn roots_of_unity_are_primitive() {
        assert!(Fr::root_of_unity(0) == Fr::ONE);
        assert!(Fr::root_of_unity(1) == -Fr::ONE);
        for log_size in 1..=TWO_ADICITY {
            assert!(Fr::root_of_unity(log_size).square() == Fr::root_of_unity(log_size - 1));
        }
    }
}
