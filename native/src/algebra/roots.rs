//! Square roots in the base field, sixteen side by side, and the decoding of points that they make quick.
//!
//! A point counts if blst finds it on the curve and encodes it as the very bytes that it was read from, and if it is in
//! the subgroup. Any other encoding goes through blst alone, which says what is wrong with it.

use super::coordinate::Coordinate;
use super::curve::Point;
use super::lanes::Lanes;
use super::subgroup::contains;
use blst::*;

/// Encodings that are decoded together: two times eight lanes, so that one multiplication need not wait for the other.
pub const TOGETHER: usize = 16;

/// (p + 1) / 4, in digits of four bits from the highest: the exponent of a square root, as p is 3 modulo 4.
const EXPONENT: [u64; 6] = [
    0xee7fbfffffffeaab,
    0x07aaffffac54ffff,
    0xd9cc34a83dac3d89,
    0xd91dd2e13ce144af,
    0x92c6e9ed90d2eb35,
    0x0680447a8e5ff9a6,
];

/// y with y^2 = value for each square; something else for the others.
#[target_feature(enable = "avx512f,avx512ifma")]
fn square_roots(values: &[blst_fp; TOGETHER]) -> [blst_fp; TOGETHER] {
    let loaded = |start: usize| {
        let eight: [Coordinate; 8] =
            std::array::from_fn(|k| Coordinate::from_blst(&values[start + k]));
        Lanes::load(eight.each_ref())
    };
    let bases = [loaded(0), loaded(8)];
    let mut powers = [[Lanes::one(); 2]; 16];
    for k in 1..16 {
        powers[k] = std::array::from_fn(|half| powers[k - 1][half].mul(bases[half]));
    }
    let mut roots = [Lanes::one(); 2];
    for digit in (0..96).rev() {
        for _ in 0..4 {
            roots = roots.map(|root| root.mul(root));
        }
        let digit = (EXPONENT[digit / 16] >> (digit % 16 * 4) & 15) as usize;
        if digit != 0 {
            roots = std::array::from_fn(|half| roots[half].mul(powers[digit][half]));
        }
    }
    let halves = roots.map(|root| root.reduced().store().map(Coordinate::to_blst));
    std::array::from_fn(|k| halves[k / 8][k % 8])
}

/// The points with up to sixteen compressed encodings; None for each that blst should look at by itself.
#[target_feature(enable = "avx512f,avx512ifma")]
pub fn decode(encodings: &[u8]) -> Vec<Option<Point>> {
    let abscissas: Vec<blst_fp> = encodings.chunks_exact(48).map(abscissa).collect();
    let values = std::array::from_fn(|k| abscissas.get(k).map_or(blst_fp::default(), right_side));
    let roots = square_roots(&values);
    // SAFETY: blst returns a pointer to a constant.
    let mut points = [unsafe { *blst_p1_affine_generator() }; TOGETHER];
    let mut readable = [false; TOGETHER];
    for (k, (bytes, &x)) in encodings.chunks_exact(48).zip(&abscissas).enumerate() {
        if let Some(point) = matching(bytes, x, roots[k]) {
            (points[k], readable[k]) = (point, true);
        }
    }
    let inside: Vec<bool> = points
        .as_chunks()
        .0
        .iter()
        .take(encodings.len().div_ceil(8 * 48))
        .flat_map(|eight| contains(eight))
        .collect();
    (0..encodings.len() / 48)
        .map(|k| (readable[k] && inside[k]).then_some(Point(points[k])))
        .collect()
}

/// The coordinate below the three flags, reduced modulo p.
fn abscissa(bytes: &[u8]) -> blst_fp {
    let mut plain = [0; 48];
    plain.copy_from_slice(bytes);
    plain[0] &= 0x1f;
    let mut x = blst_fp::default();
    // SAFETY: blst reads 48 bytes.
    unsafe { blst_fp_from_bendian(&mut x, plain.as_ptr()) };
    x
}

/// x^3 + 4.
fn right_side(x: &blst_fp) -> blst_fp {
    let (mut cube, mut four) = (blst_fp::default(), blst_fp::default());
    // SAFETY: the operands are initialised, and blst reads six words.
    unsafe {
        blst_fp_sqr(&mut cube, x);
        blst_fp_mul(&mut cube, &cube, x);
        blst_fp_from_uint64(&mut four, [4, 0, 0, 0, 0, 0].as_ptr());
        blst_fp_add(&mut cube, &cube, &four);
    }
    cube
}

/// The point of the curve, other than the identity, with this x whose encoding these bytes are.
fn matching(bytes: &[u8], x: blst_fp, y: blst_fp) -> Option<blst_p1_affine> {
    let mut point = blst_p1_affine { x, y };
    let mut encoded = [0; 48];
    // SAFETY: the point is initialised, and blst writes 48 bytes.
    unsafe {
        if blst_p1_affine_is_inf(&point) || !blst_p1_affine_on_curve(&point) {
            return None;
        }
        blst_p1_affine_compress(encoded.as_mut_ptr(), &point);
        if encoded != bytes {
            blst_fp_cneg(&mut point.y, &point.y, true);
            blst_p1_affine_compress(encoded.as_mut_ptr(), &point);
        }
    }
    (encoded == bytes).then_some(point)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::has_ifma;

    #[test]
    #[cfg_attr(not(ifma_here), ignore = "this machine has no AVX-512 IFMA")]
    fn roots_are_those_of_blst() {
        assert!(has_ifma());
        let values: [blst_fp; TOGETHER] = std::array::from_fn(|k| {
            let mut value = blst_fp::default();
            let words = [k as u64 / 2, 0, k as u64 % 2 * u64::MAX, 0, 0, 0];
            // SAFETY: blst reads six words.
            unsafe { blst_fp_from_uint64(&mut value, words.as_ptr()) };
            value
        });
        // SAFETY: the instructions were just found on this processor.
        let roots = unsafe { square_roots(&values) };
        let mut squares = 0;
        for (value, root) in values.iter().zip(&roots) {
            let (mut expected, mut opposite) = (blst_fp::default(), blst_fp::default());
            // SAFETY: the operands are initialised.
            unsafe {
                if blst_fp_sqrt(&mut expected, value) {
                    squares += 1;
                    blst_fp_cneg(&mut opposite, &expected, true);
                    assert!(*root == expected || *root == opposite);
                }
            }
        }
        assert!(squares > 4 && squares < TOGETHER);
    }
}
