//! Coordinates of points in memory, in limbs of 52 bits, and the way from and to blst.
//!
//! An element a is held as a 2^416 modulo p, below 2 p and so not unique, in eight limbs of 52 bits; blst has a 2^384
//! in six words of 64.

use blst::{blst_fp, blst_fp_mul, blst_p1_affine};

pub const LIMBS: usize = 8;
pub const LIMB_BITS: u32 = 52;
pub const MASK: u64 = (1 << LIMB_BITS) - 1;

/// 2^416 modulo p: as a factor of blst it brings its form, with 2^384, to ours.
const FROM_BLST: blst_fp = blst_fp {
    l: [
        0x44f6480ea8e9b9af,
        0xa96f7d65766c8fe4,
        0xe82efd4228b540fe,
        0x6723e5f0ade53b2e,
        0x25ff6eb6fdd4230a,
        0x14c8ee06ef23c24a,
    ],
};

/// 2^352 modulo p: as a factor of blst it brings our form back to its own.
const TO_BLST: blst_fp = blst_fp {
    l: [
        0x0000000000000000,
        0x0000000000000000,
        0x0000000000000000,
        0x0000000000000000,
        0x0000000000000000,
        0x0000000100000000,
    ],
};

/// p in the limbs of blst.
const P_BLST: [u64; 6] = [
    0xb9feffffffffaaab,
    0x1eabfffeb153ffff,
    0x6730d2a0f6b0f624,
    0x64774b84f38512bf,
    0x4b1ba7b6434bacd7,
    0x1a0111ea397fe69a,
];

/// A coordinate in memory.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Coordinate(pub [u64; LIMBS]);

/// A point of G1 in affine coordinates; the identity has x = y = 0.
#[derive(Clone, Copy)]
#[repr(C, align(128))]
pub struct LanePoint {
    pub x: Coordinate,
    pub y: Coordinate,
}

impl LanePoint {
    pub const IDENTITY: LanePoint = LanePoint {
        x: Coordinate([0; LIMBS]),
        y: Coordinate([0; LIMBS]),
    };

    pub fn from_blst(point: &blst_p1_affine) -> LanePoint {
        LanePoint {
            x: Coordinate::from_blst(&point.x),
            y: Coordinate::from_blst(&point.y),
        }
    }

    pub fn to_blst(self) -> blst_p1_affine {
        blst_p1_affine {
            x: self.x.to_blst(),
            y: self.y.to_blst(),
        }
    }
}

impl Coordinate {
    /// The number in these words, its power of two left as it is.
    pub fn from_words(words: &[u64; 6]) -> Coordinate {
        Coordinate(split(words))
    }

    pub fn from_blst(value: &blst_fp) -> Coordinate {
        let mut shifted = blst_fp::default();
        // SAFETY: the operands are initialised.
        unsafe { blst_fp_mul(&mut shifted, value, &FROM_BLST) };
        Coordinate::from_words(&shifted.l)
    }

    pub fn to_blst(self) -> blst_fp {
        let (value, mut shifted) = (self.canonical(), blst_fp::default());
        // SAFETY: the operands are initialised.
        unsafe { blst_fp_mul(&mut shifted, &value, &TO_BLST) };
        shifted
    }

    /// The residue below p of a value below 2 p, its power of two left as it is.
    pub fn canonical(self) -> blst_fp {
        let joined = join(&self.0);
        let mut reduced = [0; 6];
        let mut borrow = false;
        for i in 0..6 {
            let (partial, first) = joined[i].overflowing_sub(P_BLST[i]);
            let (limb, second) = partial.overflowing_sub(borrow as u64);
            reduced[i] = limb;
            borrow = first || second;
        }
        blst_fp {
            l: if borrow { joined } else { reduced },
        }
    }
}

/// From limbs of 64 bits to limbs of 52.
fn split(words: &[u64; 6]) -> [u64; LIMBS] {
    std::array::from_fn(|j| {
        let (word, shift) = (j * 52 / 64, j * 52 % 64);
        let low = words[word] >> shift;
        let high = if shift > 12 && word < 5 {
            words[word + 1] << (64 - shift)
        } else {
            0
        };
        (low | high) & MASK
    })
}

/// From limbs of 52 bits to limbs of 64.
fn join(limbs: &[u64; LIMBS]) -> [u64; 6] {
    let mut words = [0; 6];
    for (j, &limb) in limbs.iter().enumerate() {
        let (word, shift) = (j * 52 / 64, j * 52 % 64);
        words[word] |= limb << shift;
        if shift > 12 && word < 5 {
            words[word + 1] |= limb >> (64 - shift);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limbs_come_back() {
        let words = [1, u64::MAX, 0, 1 << 63, 12345, P_BLST[5]];
        assert!(join(&split(&words)) == words);
    }
}
