//! Whether points of the curve lie in the subgroup of order r, eight at a time.
//!
//! A point of the curve is in the subgroup exactly if z^2 P = -phi(phi(P)), with phi(x, y) = (b x, y), b a cube root of
//! one and z the curve's parameter (Scott, "A note on group membership tests for G1, G2 and GT", 2021). The formulas of
//! Renes, Costello and Batina ("Complete addition formulas for prime order elliptic curves", 2015, algorithms 8 and 9)
//! have no exceptions: the order of the curve is odd.

use super::coordinate::Coordinate;
use super::lanes::Lanes;
use blst::*;

/// z^2, from its highest bit.
const SQUARED_PARAMETER: u128 = 0xac45a4010001a4020000000100000000;

/// b^2, as big-endian bytes.
const BETA_SQUARED: [u8; 48] = [
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x5f, 0x19, 0x67, 0x2f, 0xdf, 0x76, 0xce, 0x51,
    0xba, 0x69, 0xc6, 0x07, 0x6a, 0x0f, 0x77, 0xea, 0xdd, 0xb3, 0xa9, 0x3b, 0xe6, 0xf8, 0x96, 0x88,
    0xde, 0x17, 0xd8, 0x13, 0x62, 0x0a, 0x00, 0x02, 0x2e, 0x01, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xfe,
];

/// Projective coordinates: x and y below 4 p, z below 3 p.
#[derive(Clone, Copy)]
struct Projective {
    x: Lanes,
    y: Lanes,
    z: Lanes,
}

impl Projective {
    /// Algorithm 9, for a = 0 and 3 b = 12.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    fn doubled(self) -> Projective {
        let square = self.y.mul(self.y);
        let eightfold = square.times(8);
        let scaled = self.z.mul(self.z).times(12);
        let rest = square.minus_within::<64>(scaled.times(3));
        Projective {
            x: rest.mul(self.x.mul(self.y)).times(2),
            y: rest.mul(square.plus(scaled)).plus(scaled.mul(eightfold)),
            z: self.y.mul(self.z).mul(eightfold),
        }
    }

    /// Algorithm 8: the sum with affine points, none of them the identity.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    fn plus(self, x: Lanes, y: Lanes) -> Projective {
        let (xx, yy) = (self.x.mul(x), self.y.mul(y));
        let mixed = x
            .plus(y)
            .mul(self.x.plus(self.y))
            .minus_within::<4>(xx.plus(yy));
        let yz = y.mul(self.z).plus(self.y);
        let xz = x.mul(self.z).plus(self.x).times(12);
        let triple = xx.times(3);
        let scaled = self.z.times(12);
        let (sum, difference) = (yy.plus(scaled), yy.minus_within::<64>(scaled));
        Projective {
            x: mixed.mul(difference).minus_within::<2>(yz.mul(xz)),
            y: difference.mul(sum).plus(xz.mul(triple)),
            z: sum.mul(yz).plus(triple.mul(mixed)),
        }
    }
}

/// Whether each of these points of the curve, none of them the identity, is in the subgroup.
#[target_feature(enable = "avx512f,avx512ifma")]
pub fn contains(points: &[blst_p1_affine; 8]) -> [bool; 8] {
    let loaded = |coordinates: [Coordinate; 8]| Lanes::load(coordinates.each_ref());
    let x = loaded(points.map(|point| Coordinate::from_blst(&point.x)));
    let y = loaded(points.map(|point| Coordinate::from_blst(&point.y)));
    let mut multiple = Projective {
        x,
        y,
        z: Lanes::one(),
    };
    for bit in (0..127).rev() {
        multiple = multiple.doubled();
        if SQUARED_PARAMETER >> bit & 1 == 1 {
            multiple = multiple.plus(x, y);
        }
    }
    let read = |lanes: Lanes| lanes.reduced().store().map(Coordinate::to_blst);
    let (x, y, z) = (read(multiple.x), read(multiple.y), read(multiple.z));
    std::array::from_fn(|k| belongs(&points[k], [x[k], y[k], z[k]]))
}

/// Whether the multiple is (b^2 x, -y) for the point (x, y).
fn belongs(point: &blst_p1_affine, [x, y, z]: [blst_fp; 3]) -> bool {
    let mut beta = blst_fp::default();
    let (mut abscissa, mut ordinate) = (blst_fp::default(), blst_fp::default());
    // SAFETY: blst reads 48 bytes, and all operands are initialised.
    unsafe {
        blst_fp_from_bendian(&mut beta, BETA_SQUARED.as_ptr());
        blst_fp_mul(&mut abscissa, &point.x, &beta);
        blst_fp_mul(&mut abscissa, &abscissa, &z);
        blst_fp_mul(&mut ordinate, &point.y, &z);
        blst_fp_cneg(&mut ordinate, &ordinate, true);
    }
    z != blst_fp::default() && x == abscissa && y == ordinate
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::has_ifma;

    /// Points of the curve with small x, before and after multiplication by the cofactor, and small multiples of both.
    fn points() -> Vec<blst_p1_affine> {
        let mut out = Vec::new();
        for start in 0..40u64 {
            let (mut x, mut y, mut four) =
                (blst_fp::default(), blst_fp::default(), blst_fp::default());
            // SAFETY: blst reads six words, and all operands are initialised.
            unsafe {
                blst_fp_from_uint64(&mut x, [start, 0, 0, 0, 0, 0].as_ptr());
                blst_fp_from_uint64(&mut four, [4, 0, 0, 0, 0, 0].as_ptr());
                blst_fp_sqr(&mut y, &x);
                blst_fp_mul(&mut y, &y, &x);
                blst_fp_add(&mut y, &y, &four);
                if !blst_fp_sqrt(&mut y, &y) {
                    continue;
                }
                let point = blst_p1_affine { x, y };
                assert!(blst_p1_affine_on_curve(&point));
                let (mut full, mut cleared) = (blst_p1::default(), blst_p1::default());
                blst_p1_from_affine(&mut full, &point);
                // 1 - z clears the cofactor of this curve.
                blst_p1_mult(
                    &mut cleared,
                    &full,
                    0xd201000000010001u64.to_le_bytes().as_ptr(),
                    64,
                );
                let order = crate::algebra::field::MODULUS
                    .map(u64::to_le_bytes)
                    .concat();
                let mut small = blst_p1::default();
                // r times a point is in the part of the curve beside the subgroup.
                blst_p1_mult(&mut small, &full, order.as_ptr(), 255);
                for projective in [full, cleared, small] {
                    let mut affine = blst_p1_affine::default();
                    blst_p1_to_affine(&mut affine, &projective);
                    if !blst_p1_affine_is_inf(&affine) {
                        out.push(affine);
                    }
                }
            }
        }
        out
    }

    #[test]
    #[cfg_attr(not(ifma_here), ignore = "this machine has no AVX-512 IFMA")]
    fn agrees_with_blst() {
        assert!(has_ifma());
        let (mut inside, mut outside) = (0, 0);
        for eight in points().as_chunks::<8>().0 {
            // SAFETY: the instructions were just found on this processor.
            let found = unsafe { contains(eight) };
            for (point, found) in eight.iter().zip(found) {
                // SAFETY: the point is initialised.
                let expected = unsafe { blst_p1_affine_in_g1(point) };
                assert!(found == expected);
                inside += u32::from(expected);
                outside += u32::from(!expected);
            }
        }
        assert!(inside > 8 && outside > 8);
    }
}
