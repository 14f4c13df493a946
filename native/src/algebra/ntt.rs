//! The number-theoretic transform on H_n and on the coset 7 H_n, in natural order.

use super::field::{Fr, TWO_ADICITY};
#[cfg(target_arch = "x86_64")]
use super::{ntt_lanes, vector_lanes};
#[cfg(target_arch = "x86_64")]
use crate::machine;
use std::sync::OnceLock;

/// Sizes from here up are worth a second core.
const PARALLEL_SIZE: usize = 2048;

/// What transforms of one size need: the first half of the powers of the root and of its inverse, and 1/n.
struct Domain {
    forward: Vec<Fr>,
    backward: Vec<Fr>,
    size_inverse: Fr,
}

static DOMAINS: [OnceLock<Domain>; TWO_ADICITY as usize + 1] =
    [const { OnceLock::new() }; TWO_ADICITY as usize + 1];

fn domain(size: usize) -> &'static Domain {
    let log_size = size.trailing_zeros();
    DOMAINS[log_size as usize].get_or_init(|| {
        let root = Fr::root_of_unity(log_size);
        let inverse = root.inverse().expect("a root of unity is not 0");
        Domain {
            forward: powers(Fr::ONE, root, size / 2),
            backward: powers(Fr::ONE, inverse, size / 2),
            size_inverse: Fr::from_u64(size as u64)
                .inverse()
                .expect("the size is below r"),
        }
    })
}

/// first, first x, first x^2, ..
pub fn powers(first: Fr, x: Fr, count: usize) -> Vec<Fr> {
    #[cfg(target_arch = "x86_64")]
    if machine::ifma() {
        // SAFETY: the instructions were found on this processor.
        return unsafe { vector_lanes::powers(first, x, count) };
    }
    plain_powers(first, x, count)
}

pub fn plain_powers(first: Fr, x: Fr, count: usize) -> Vec<Fr> {
    std::iter::successors(Some(first), |&power| Some(power * x))
        .take(count)
        .collect()
}

/// Which transform: of coefficients, or back from values; on H_n, or on 7 H_n.
#[derive(Clone, Copy)]
pub struct Kind {
    pub backward: bool,
    pub coset: bool,
}

/// Replaces coefficients by values on H_n. The length must be a power of two.
pub fn ntt(values: &mut [Fr]) {
    transformed(
        values,
        Kind {
            backward: false,
            coset: false,
        },
    );
}

/// Replaces values on H_n by coefficients.
pub fn intt(values: &mut [Fr]) {
    transformed(
        values,
        Kind {
            backward: true,
            coset: false,
        },
    );
}

/// Replaces coefficients by values on 7 H_n.
pub fn coset_ntt(values: &mut [Fr]) {
    transformed(
        values,
        Kind {
            backward: false,
            coset: true,
        },
    );
}

/// Replaces values on 7 H_n by coefficients.
pub fn coset_intt(values: &mut [Fr]) {
    transformed(
        values,
        Kind {
            backward: true,
            coset: true,
        },
    );
}

fn transformed(values: &mut [Fr], kind: Kind) {
    #[cfg(target_arch = "x86_64")]
    if ntt_lanes::SIZES.contains(&values.len().trailing_zeros()) && machine::ifma() {
        // SAFETY: the instructions were found on this processor.
        unsafe { ntt_lanes::transform(values, kind) };
        return;
    }
    portable(values, kind);
}

/// The transform one value at a time, on every machine.
fn portable(values: &mut [Fr], kind: Kind) {
    if kind.coset && !kind.backward {
        scale_by_powers(values, Fr::GENERATOR);
    }
    if values.len() > 1 {
        let domain = domain(values.len());
        if kind.backward {
            transform(values, &domain.backward);
            values
                .iter_mut()
                .for_each(|value| *value *= domain.size_inverse);
        } else {
            transform(values, &domain.forward);
        }
    }
    if kind.coset && kind.backward {
        scale_by_powers(values, Fr::GENERATOR.inverse().expect("7 is not 0"));
    }
}

fn scale_by_powers(values: &mut [Fr], x: Fr) {
    let mut power = Fr::ONE;
    for value in values {
        *value *= power;
        power *= x;
    }
}

fn transform(values: &mut [Fr], twiddles: &[Fr]) {
    let bits = values.len().trailing_zeros();
    for i in 0..values.len() {
        let j = i.reverse_bits() >> (usize::BITS - bits);
        if i < j {
            values.swap(i, j);
        }
    }
    halves(values, twiddles, 1);
}

/// Transforms values in bit-reversed order: both halves, then the butterflies between them.
/// Twiddle k of this level is `twiddles[k * stride]`.
fn halves(values: &mut [Fr], twiddles: &[Fr], stride: usize) {
    let n = values.len();
    if n <= 64 {
        return stages(values, twiddles, stride);
    }
    let (low, high) = values.split_at_mut(n / 2);
    if n >= PARALLEL_SIZE {
        rayon::join(
            || halves(low, twiddles, 2 * stride),
            || halves(high, twiddles, 2 * stride),
        );
        let (low_a, low_b) = low.split_at_mut(n / 4);
        let (high_a, high_b) = high.split_at_mut(n / 4);
        let (first, second) = twiddles.split_at(n / 4 * stride);
        rayon::join(
            || butterflies(low_a, high_a, first, stride),
            || butterflies(low_b, high_b, second, stride),
        );
    } else {
        halves(low, twiddles, 2 * stride);
        halves(high, twiddles, 2 * stride);
        butterflies(low, high, twiddles, stride);
    }
}

/// The same without recursion, for sizes that fit the first cache.
fn stages(values: &mut [Fr], twiddles: &[Fr], stride: usize) {
    let n = values.len();
    let mut half = 1;
    while half < n {
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            butterflies(low, high, twiddles, stride * (n / (2 * half)));
        }
        half *= 2;
    }
}

#[inline(always)]
fn butterflies(low: &mut [Fr], high: &mut [Fr], twiddles: &[Fr], stride: usize) {
    for ((a, b), &w) in low
        .iter_mut()
        .zip(high)
        .zip(twiddles.iter().step_by(stride))
    {
        let turned = *b * w;
        (*a, *b) = (*a + turned, *a - turned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algebra::field::tests::samples;
    use crate::algebra::field::MODULUS;

    /// The largest representative, which puts every bound to the test.
    const MODULUS_LESS_ONE: [u64; 4] = [MODULUS[0] - 1, MODULUS[1], MODULUS[2], MODULUS[3]];

    fn horner(coefficients: &[Fr], x: Fr) -> Fr {
        coefficients
            .iter()
            .rev()
            .fold(Fr::ZERO, |value, &c| value * x + c)
    }

    #[test]
    fn values_are_those_of_the_polynomial() {
        for log_size in [0, 1, 2, 5, 7] {
            let size = 1 << log_size;
            let coefficients: Vec<Fr> = samples().into_iter().cycle().take(size).collect();
            let mut values = coefficients.clone();
            ntt(&mut values);
            let root = Fr::root_of_unity(log_size);
            for (&x, &value) in powers(Fr::ONE, root, size).iter().zip(&values) {
                assert!(horner(&coefficients, x) == value);
            }
            let mut on_coset = coefficients.clone();
            coset_ntt(&mut on_coset);
            for (&x, &value) in powers(Fr::GENERATOR, root, size).iter().zip(&on_coset) {
                assert!(horner(&coefficients, x) == value);
            }
        }
    }

    #[test]
    fn lanes_agree_with_one_at_a_time() {
        for log_size in (0..=11).chain([16]) {
            let size = 1 << log_size;
            let all: Vec<Fr> = samples().into_iter().cycle().take(size).collect();
            let mut padded = all.clone();
            padded
                .iter_mut()
                .skip(size / 4 + 1)
                .for_each(|value| *value = Fr::ZERO);
            for coefficients in [all, padded, vec![Fr(MODULUS_LESS_ONE); size]] {
                for kind in [(false, false), (false, true), (true, false), (true, true)] {
                    let kind = Kind {
                        backward: kind.0,
                        coset: kind.1,
                    };
                    let (mut fast, mut plain) = (coefficients.clone(), coefficients.clone());
                    transformed(&mut fast, kind);
                    portable(&mut plain, kind);
                    assert!(fast == plain, "size 2^{log_size}");
                }
            }
        }
    }

    #[test]
    fn inverses_undo() {
        for log_size in 0..=13 {
            let coefficients: Vec<Fr> = samples().into_iter().cycle().take(1 << log_size).collect();
            let mut values = coefficients.clone();
            ntt(&mut values);
            intt(&mut values);
            assert!(values == coefficients);
            coset_ntt(&mut values);
            coset_intt(&mut values);
            assert!(values == coefficients);
        }
    }
}
