//! Vectors of scalars on eight lanes of AVX-512 IFMA. What does not fill eight lanes is padded with zeros.

use super::field::Fr;
use super::scalar_lanes::{Factor, Scalars};

/// So many products, each below 2 r, add up to less than 2^260.
const SUMMANDS: usize = 16;

/// Eight values from this place on.
#[inline(always)]
fn eight(values: &[Fr], place: usize) -> [Fr; 8] {
    match values.get(place..place + 8) {
        Some(whole) => whole.try_into().expect("the slice has 8 values"),
        None => std::array::from_fn(|k| values.get(place + k).copied().unwrap_or(Fr::ZERO)),
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn write(out: &mut [Fr], value: Scalars) {
    match out.try_into() {
        Ok(whole) => value.store(whole),
        Err(_) => {
            let mut whole = [Fr::ZERO; 8];
            value.store(&mut whole);
            let count = out.len();
            out.copy_from_slice(&whole[..count]);
        }
    }
}

/// a_i b_i + c_i, for vectors of one length; without c, a_i b_i.
#[target_feature(enable = "avx512f,avx512ifma")]
pub fn products(a: &[Fr], b: &[Fr], c: Option<&[Fr]>) -> Vec<Fr> {
    let mut out = vec![Fr::ZERO; a.len()];
    for (k, out) in out.chunks_mut(8).enumerate() {
        let (a, b) = (eight(a, 8 * k), eight(b, 8 * k));
        let mut value = Scalars::load(&a).mul(Scalars::load_factors(&b));
        if let Some(c) = c {
            value = value.plus(Scalars::load(&eight(c, 8 * k)));
        }
        write(out, value);
    }
    out
}

/// sum_i a_i b_i.
#[target_feature(enable = "avx512f,avx512ifma")]
pub fn dot(a: &[Fr], b: &[Fr]) -> Fr {
    let mut sum = Scalars::zero();
    for place in (0..a.len()).step_by(8) {
        let (a, b) = (eight(a, place), eight(b, place));
        sum = sum
            .plus(Scalars::load(&a).mul(Scalars::load_factors(&b)))
            .carried();
    }
    sum.total()
}

/// out_i = sum_k factors_k vectors_k[start + i].
#[target_feature(enable = "avx512f,avx512ifma")]
pub fn combine(vectors: &[&[Fr]], factors: &[Fr], start: usize, out: &mut [Fr]) {
    let splats: Vec<Option<Scalars>> = factors
        .iter()
        .map(|&factor| (factor != Fr::ONE).then(|| Scalars::splat(&Factor::new(factor))))
        .collect();
    for (k, out) in out.chunks_mut(8).enumerate() {
        let mut sum = Scalars::zero();
        for (count, (vector, splat)) in vectors.iter().zip(&splats).enumerate() {
            let place = start + 8 * k;
            if place >= vector.len() {
                continue;
            }
            if count % SUMMANDS == SUMMANDS - 1 {
                let mut whole = [Fr::ZERO; 8];
                sum.store(&mut whole);
                sum = Scalars::load(&whole);
            }
            let value = Scalars::load(&eight(vector, place));
            sum = match splat {
                Some(factor) => sum.plus(value.mul(*factor)),
                None => sum.plus(value),
            };
        }
        write(out, sum);
    }
}

/// 1, x, x^2, ..
#[target_feature(enable = "avx512f,avx512ifma")]
pub fn powers(first: Fr, x: Fr, count: usize) -> Vec<Fr> {
    let mut out = vec![Fr::ZERO; count];
    let start: [Fr; 8] = super::ntt::plain_powers(first, x, 8)
        .try_into()
        .unwrap_or([Fr::ZERO; 8]);
    let jump = Scalars::splat(&Factor::new(x.pow(&[8])));
    let mut value = Scalars::load(&start);
    for out in out.chunks_mut(8) {
        write(out, value);
        value = value.mul(jump).carried();
    }
    out
}

/// sum_i coefficients_i x^i: Horner's rule in x^8, then the lanes by powers of x.
#[target_feature(enable = "avx512f,avx512ifma")]
pub fn evaluate(coefficients: &[Fr], x: Fr) -> Fr {
    let jump = Scalars::splat(&Factor::new(x.pow(&[8])));
    let mut value = Scalars::zero();
    for place in (0..coefficients.len()).step_by(8).rev() {
        let next = Scalars::load(&eight(coefficients, place));
        value = value.mul(jump).plus(next).carried();
    }
    let mut lanes = [Fr::ZERO; 8];
    value.store(&mut lanes);
    super::vector::horner(&lanes, x)
}

/// Montgomery's trick in eight chains; None if any value is 0.
#[target_feature(enable = "avx512f,avx512ifma")]
pub fn batch_inverse(values: &[Fr]) -> Option<Vec<Fr>> {
    if values.iter().any(Fr::is_zero) {
        return None;
    }
    let padded = |place| {
        let mut eight = eight(values, place);
        for value in &mut eight {
            if value.is_zero() {
                *value = Fr::ONE;
            }
        }
        eight
    };
    let places: Vec<usize> = (0..values.len()).step_by(8).collect();
    let mut before = Vec::with_capacity(places.len());
    let mut product = Scalars::load(&[Fr::ONE; 8]);
    for &place in &places {
        before.push(product);
        product = product.mul(Scalars::load_factors(&padded(place))).carried();
    }
    let mut lanes = [Fr::ZERO; 8];
    product.store(&mut lanes);
    let inverses = super::vector::plain_inverses(&lanes)?;
    let mut inverse = Scalars::factors(std::array::from_fn(|k| inverses[k]));
    let mut out = vec![Fr::ZERO; values.len()];
    for (k, out) in out.chunks_mut(8).enumerate().rev() {
        write(out, before[k].mul(inverse));
        inverse = inverse
            .mul(Scalars::load_factors(&padded(places[k])))
            .carried();
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algebra::field::tests::samples;
    use crate::algebra::{ntt::plain_powers, vector::plain_inverses};
    use crate::machine::has_ifma;

    #[target_feature(enable = "avx512f,avx512ifma")]
    fn check(a: &[Fr], b: &[Fr]) {
        let pairs = || a.iter().zip(b).map(|(&a, &b)| (a, b));
        let plain: Vec<Fr> = pairs().map(|(a, b)| a * b).collect();
        assert!(products(a, b, None) == plain);
        let raised: Vec<Fr> = pairs().map(|(a, b)| a * b + a).collect();
        assert!(products(a, b, Some(a)) == raised);
        assert!(dot(a, b) == plain.iter().fold(Fr::ZERO, |sum, &x| sum + x));
        let x = b.first().copied().unwrap_or(Fr::ONE);
        assert!(powers(x, x, a.len()) == plain_powers(x, x, a.len()));
        assert!(evaluate(a, x) == crate::algebra::vector::horner(a, x));
        assert!(batch_inverse(a) == plain_inverses(a));
        let nonzero: Vec<Fr> = a.iter().copied().filter(|a| !a.is_zero()).collect();
        assert!(batch_inverse(&nonzero) == plain_inverses(&nonzero));
        for count in [0, 1, 15, 16, 17, 40] {
            let factors: Vec<Fr> = samples().into_iter().rev().take(count).collect();
            let vectors: Vec<&[Fr]> = (0..count)
                .map(|k| &a[..a.len() - k % (a.len() + 1).min(3)])
                .collect();
            let mut out = vec![Fr::ZERO; a.len()];
            combine(&vectors, &factors, 0, &mut out);
            for (i, &found) in out.iter().enumerate() {
                let terms = vectors
                    .iter()
                    .zip(&factors)
                    .filter_map(|(v, &f)| Some(*v.get(i)? * f));
                assert!(found == terms.fold(Fr::ZERO, |sum, x| sum + x));
            }
        }
    }

    #[test]
    #[cfg_attr(not(ifma_here), ignore = "this machine has no AVX-512 IFMA")]
    fn agrees_with_one_at_a_time() {
        assert!(has_ifma());
        let all: Vec<Fr> = samples().into_iter().cycle().take(200).collect();
        for count in [0, 1, 7, 8, 9, 64, 130] {
            // SAFETY: the instructions were just found on this processor.
            unsafe { check(&all[..count], &all[60..60 + count]) };
            let largest = vec![-Fr::ONE * Fr::from_u64(count as u64); count];
            // SAFETY: as above.
            unsafe { check(&largest, &largest) };
        }
    }
}
