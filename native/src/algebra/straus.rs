//! Multiplications of a few points: Straus's interleaving, with scalars halved by the curve's endomorphism.
//!
//! phi(x, y) = (b x, y), with b a cube root of one in the base field, multiplies points of the group by
//! l = z^2 - 1, z the curve's parameter (Gallant, Lambert and Vanstone, CRYPTO 2001). A scalar below r is
//! k_1 + k_2 l with both below 2^128, so that all terms share 128 doublings.

use super::curve::{projective, sum};
use super::msm::Scalar;
use super::sparse::{interleaved, odd_multiples, recode, Digit, MULTIPLES};
use blst::*;

/// l = z^2 - 1.
const LAMBDA: u128 = 0xac45a4010001a40200000000ffffffff;

/// The cube root of one that belongs to l, as big-endian bytes.
const BETA: [u8; 48] = [
    0x1a, 0x01, 0x11, 0xea, 0x39, 0x7f, 0xe6, 0x99, 0xec, 0x02, 0x40, 0x86, 0x63, 0xd4, 0xde, 0x85,
    0xaa, 0x0d, 0x85, 0x7d, 0x89, 0x75, 0x9a, 0xd4, 0x89, 0x7d, 0x29, 0x65, 0x0f, 0xb8, 0x5f, 0x9b,
    0x40, 0x94, 0x27, 0xeb, 0x4f, 0x49, 0xff, 0xfd, 0x8b, 0xfd, 0x00, 0x00, 0x00, 0x00, 0xaa, 0xac,
];

/// sum_i scalars_i points_i.
pub fn multiply(points: &[blst_p1_affine], scalars: &[Scalar]) -> blst_p1 {
    let used: Vec<(&blst_p1_affine, &Scalar)> = points
        .iter()
        .zip(scalars)
        // SAFETY: the point is initialised.
        .filter(|(point, scalar)| {
            scalar.magnitude != [0; 4] && !unsafe { blst_p1_affine_is_inf(*point) }
        })
        .collect();
    let (single, used): (Vec<_>, Vec<_>) = used
        .into_iter()
        .partition(|(_, scalar)| scalar.magnitude == [1, 0, 0, 0]);
    let mut total = blst_p1::default();
    for (point, scalar) in single {
        let mut term = projective(point);
        // SAFETY: the point is initialised.
        unsafe { blst_p1_cneg(&mut term, scalar.negative) };
        total = sum(&total, &term);
    }
    if used.is_empty() {
        return total;
    }
    let bases: Vec<blst_p1_affine> = used.iter().map(|(point, _)| **point).collect();
    let mut tables = odd_multiples(&bases);
    let turned: Vec<[blst_p1_affine; MULTIPLES]> =
        tables.iter().map(|table| table.map(endomorphism)).collect();
    tables.extend(turned);
    let mut digits: Vec<Digit> = Vec::with_capacity(52 * used.len());
    for (place, (_, scalar)) in used.iter().enumerate() {
        let (quotient, rest) = divided(&scalar.magnitude);
        for (place, part) in [(place, rest), (place + used.len(), quotient)] {
            recode(scalar.negative, part, |bit, digit| {
                digits.push((bit, place, digit))
            });
        }
    }
    sum(&total, &interleaved(&tables, digits))
}

fn endomorphism(mut point: blst_p1_affine) -> blst_p1_affine {
    let mut beta = blst_fp::default();
    // SAFETY: blst reads 48 bytes, and the coordinate is initialised.
    unsafe {
        blst_fp_from_bendian(&mut beta, BETA.as_ptr());
        blst_fp_mul(&mut point.x, &point.x, &beta);
    }
    point
}

/// Quotient and rest by l of a number below r, bit by bit.
fn divided(words: &[u64; 4]) -> (u128, u128) {
    let high = u128::from(words[3]) << 64 | u128::from(words[2]);
    let low = u128::from(words[1]) << 64 | u128::from(words[0]);
    // The upper half is below l, as the number is below r < l 2^128.
    let (mut rest, mut quotient) = (high, 0u128);
    for bit in (0..128).rev() {
        let carry = rest >> 127 == 1;
        rest = rest << 1 | (low >> bit & 1);
        quotient <<= 1;
        if carry || rest >= LAMBDA {
            rest = rest.wrapping_sub(LAMBDA);
            quotient |= 1;
        }
    }
    (quotient, rest)
}
