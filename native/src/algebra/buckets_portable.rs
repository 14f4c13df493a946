//! Affine additions in batches on every machine: one inversion and six multiplications of blst for each.

use super::buckets::{Base, Entry, Known};
use blst::*;

impl Base for blst_p1_affine {
    const IDENTITY: blst_p1_affine = blst_p1_affine {
        x: blst_fp { l: [0; 6] },
        y: blst_fp { l: [0; 6] },
    };

    fn from_blst(point: &blst_p1_affine) -> blst_p1_affine {
        *point
    }

    fn to_blst(self) -> blst_p1_affine {
        self
    }

    /// With l = (y2 - y1) / (x2 - x1), x3 = l^2 - x1 - x2 and y3 = l (x1 - x3) - y1.
    fn add(known: &Known<'_, Self>, pairs: &[(Entry, Entry)], out: &mut [Self]) {
        let mut product = ONE;
        let mut steps = Vec::with_capacity(pairs.len());
        for &(a, b) in pairs {
            let (a, b) = (known.get(a), known.get(b));
            let difference = minus(&b.x, &a.x);
            // Equal x or the identity, which no formula here adds.
            let exceptional = [&difference, &a.x, &b.x].contains(&&ZERO);
            let difference = if exceptional { ONE } else { difference };
            steps.push((difference, product, exceptional));
            product = times(&product, &difference);
        }
        let mut inverse = ZERO;
        // SAFETY: the operand is initialised.
        unsafe { blst_fp_inverse(&mut inverse, &product) };
        for ((&(a, b), (difference, before, exceptional)), out) in
            pairs.iter().zip(steps).zip(out).rev()
        {
            let own = times(&inverse, &before);
            inverse = times(&inverse, &difference);
            if exceptional {
                *out = known.add_any((a, b));
                continue;
            }
            let (first, second) = (known.read(a), known.read(b));
            let slope = times(&minus(&second.y, &first.y), &own);
            let x = minus(&minus(&times(&slope, &slope), &first.x), &second.x);
            let y = minus(&times(&slope, &minus(&first.x, &x)), &first.y);
            *out = blst_p1_affine { x, y };
        }
    }
}

const ZERO: blst_fp = blst_fp { l: [0; 6] };

/// 2^384 modulo p, which stands for 1.
const ONE: blst_fp = blst_fp {
    l: [
        0x760900000002fffd,
        0xebf4000bc40c0002,
        0x5f48985753c758ba,
        0x77ce585370525745,
        0x5c071a97a256ec6d,
        0x15f65ec3fa80e493,
    ],
};

#[inline(always)]
fn times(a: &blst_fp, b: &blst_fp) -> blst_fp {
    let mut out = blst_fp::default();
    // SAFETY: the operands are initialised.
    unsafe { blst_fp_mul(&mut out, a, b) };
    out
}

#[inline(always)]
fn minus(a: &blst_fp, b: &blst_fp) -> blst_fp {
    let mut out = blst_fp::default();
    // SAFETY: the operands are initialised.
    unsafe { blst_fp_sub(&mut out, a, b) };
    out
}
