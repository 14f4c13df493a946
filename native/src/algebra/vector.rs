//! Vectors of scalars for Python. All lengths are checked here; no scalar is ever printed.

use super::field::Fr;
use super::ntt;
#[cfg(target_arch = "x86_64")]
use super::vector_lanes;
#[cfg(target_arch = "x86_64")]
use crate::machine;
use pyo3::exceptions::{PyValueError, PyZeroDivisionError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rayon::prelude::*;
use std::ops::{Add, Mul};

/// A task of this many field multiplications is worth handing to another core.
const CHUNK: usize = 1024;

/// Immutable field elements.
#[pyclass(frozen, module = "zkmargin._native")]
pub struct Vector(pub Vec<Fr>);

#[pymethods]
impl Vector {
    /// From canonical scalars of 32 little-endian bytes each.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<Vector> {
        py.detach(|| {
            data.chunks(32)
                .map(Fr::from_bytes)
                .collect::<Option<_>>()
                .map(Vector)
        })
        .ok_or_else(|| PyValueError::new_err("scalars are not 32 canonical bytes each"))
    }

    /// From signed 64-bit integers of 8 little-endian bytes each.
    #[staticmethod]
    fn from_int64(py: Python<'_>, data: &[u8]) -> PyResult<Vector> {
        if !data.len().is_multiple_of(8) {
            return Err(PyValueError::new_err("integers are not 8 bytes each"));
        }
        let integer =
            |word: &[u8]| i64::from_le_bytes(word.try_into().expect("a chunk has 8 bytes"));
        Ok(py.detach(|| {
            Vector(
                data.chunks_exact(8)
                    .map(|word| Fr::from_i64(integer(word)))
                    .collect(),
            )
        }))
    }

    #[staticmethod]
    fn zeros(size: usize) -> Vector {
        Vector(vec![Fr::ZERO; size])
    }

    #[staticmethod]
    fn powers(py: Python<'_>, x: &[u8], size: usize) -> PyResult<Vector> {
        let x = scalar(x)?;
        Ok(py.detach(|| Vector(ntt::powers(Fr::ONE, x, size))))
    }

    /// The values of all Lagrange polynomials of H_n at x: L_i(x) = (w^i / n) (x^n - 1) / (x - w^i).
    #[staticmethod]
    fn lagrange(py: Python<'_>, n: usize, x: &[u8]) -> PyResult<Vector> {
        let x = scalar(x)?;
        let log_size = domain_log(n)?;
        py.detach(|| {
            let domain = ntt::powers(Fr::ONE, Fr::root_of_unity(log_size), n);
            let vanishing = x.pow(&[n as u64]) - Fr::ONE;
            let scale = vanishing * Fr::from_u64(n as u64).inverse()?;
            let inverses = batch_inverse(&domain.iter().map(|&w| x - w).collect::<Vec<_>>())?;
            let scaled = ntt::powers(scale, Fr::root_of_unity(log_size), n);
            Some(Vector(products(&scaled, &inverses)))
        })
        .ok_or_else(|| {
            PyValueError::new_err("the point lies in the domain, where the quotients are undefined")
        })
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let bytes = py.detach(|| {
            self.0
                .iter()
                .flat_map(|value| value.to_bytes())
                .collect::<Vec<u8>>()
        });
        PyBytes::new(py, &bytes)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __repr__(&self) -> String {
        format!("<vector of {}>", self.0.len())
    }

    fn add(&self, py: Python<'_>, other: &Vector) -> PyResult<Vector> {
        self.zip(py, other, |a, b| a + b)
    }

    fn sub(&self, py: Python<'_>, other: &Vector) -> PyResult<Vector> {
        self.zip(py, other, |a, b| a - b)
    }

    fn mul(&self, py: Python<'_>, other: &Vector) -> PyResult<Vector> {
        same_length(self.0.len(), other.0.len())?;
        Ok(py.detach(|| Vector(products(&self.0, &other.0))))
    }

    fn scale(&self, py: Python<'_>, factor: &[u8]) -> PyResult<Vector> {
        let factor = scalar(factor)?;
        Ok(py.detach(|| Vector(self.0.iter().map(|&value| value * factor).collect())))
    }

    fn shift(&self, py: Python<'_>, term: &[u8]) -> PyResult<Vector> {
        let term = scalar(term)?;
        Ok(py.detach(|| Vector(self.0.iter().map(|&value| value + term).collect())))
    }

    fn inverse(&self, py: Python<'_>) -> PyResult<Vector> {
        py.detach(|| {
            self.0
                .par_chunks(CHUNK)
                .map(batch_inverse)
                .collect::<Option<Vec<_>>>()
        })
        .map(|chunks| Vector(chunks.concat()))
        .ok_or_else(|| PyZeroDivisionError::new_err("0 has no inverse in the scalar field"))
    }

    fn prefix_sum(&self, py: Python<'_>) -> Vector {
        py.detach(|| Vector(running(&self.0, Fr::ZERO, Fr::add).0))
    }

    fn dot<'py>(&self, py: Python<'py>, other: &Vector) -> PyResult<Bound<'py, PyBytes>> {
        same_length(self.0.len(), other.0.len())?;
        let sum = py.detach(|| inner_product(&self.0, &other.0));
        Ok(PyBytes::new(py, &sum.to_bytes()))
    }

    fn slice(&self, start: usize, stop: usize) -> PyResult<Vector> {
        self.0
            .get(start..stop)
            .map(|part| Vector(part.to_vec()))
            .ok_or_else(|| {
                PyValueError::new_err(format!(
                    "slice {start}..{stop} of a vector of {}",
                    self.0.len()
                ))
            })
    }

    /// out_i = a_((i+k) mod n) for 0 <= k <= n.
    fn rotate(&self, k: usize) -> PyResult<Vector> {
        if k > self.0.len() {
            return Err(PyValueError::new_err("a rotation exceeds the length"));
        }
        let (head, tail) = self.0.split_at(k);
        Ok(Vector([tail, head].concat()))
    }

    fn ntt(&self, py: Python<'_>, size: usize) -> PyResult<Vector> {
        self.transformed(py, size, ntt::ntt)
    }

    fn intt(&self, py: Python<'_>) -> PyResult<Vector> {
        self.transformed(py, self.0.len(), ntt::intt)
    }

    fn coset_ntt(&self, py: Python<'_>, size: usize) -> PyResult<Vector> {
        self.transformed(py, size, ntt::coset_ntt)
    }

    fn coset_intt(&self, py: Python<'_>) -> PyResult<Vector> {
        self.transformed(py, self.0.len(), ntt::coset_intt)
    }

    fn evaluate<'py>(&self, py: Python<'py>, x: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let x = scalar(x)?;
        let value = py.detach(|| {
            #[cfg(target_arch = "x86_64")]
            if machine::ifma() {
                // SAFETY: the instructions were found on this processor.
                return unsafe { vector_lanes::evaluate(&self.0, x) };
            }
            let jump = x.pow(&[CHUNK as u64]);
            let parts: Vec<Fr> = self
                .0
                .par_chunks(CHUNK)
                .map(|chunk| horner(chunk, x))
                .collect();
            horner(&parts, jump)
        });
        Ok(PyBytes::new(py, &value.to_bytes()))
    }

    /// The quotient (p(X) - p(z)) / (X - z) by Horner's rule, which leaves it behind.
    fn divide(&self, py: Python<'_>, z: &[u8]) -> PyResult<Vector> {
        let z = scalar(z)?;
        Ok(py.detach(|| {
            let mut quotient = self.0.get(1..).unwrap_or_default().to_vec();
            let mut carry = Fr::ZERO;
            for coefficient in quotient.iter_mut().rev() {
                carry = carry * z + *coefficient;
                *coefficient = carry;
            }
            Vector(quotient)
        }))
    }
}

impl Vector {
    fn zip(&self, py: Python<'_>, other: &Vector, operation: fn(Fr, Fr) -> Fr) -> PyResult<Vector> {
        same_length(self.0.len(), other.0.len())?;
        Ok(py.detach(|| {
            Vector(
                self.0
                    .iter()
                    .zip(&other.0)
                    .map(|(&a, &b)| operation(a, b))
                    .collect(),
            )
        }))
    }

    fn transformed(
        &self,
        py: Python<'_>,
        size: usize,
        transform: fn(&mut [Fr]),
    ) -> PyResult<Vector> {
        domain_log(size)?;
        if self.0.len() > size {
            let message = format!(
                "{} coefficients do not fit a domain of {size}",
                self.0.len()
            );
            return Err(PyValueError::new_err(message));
        }
        Ok(py.detach(|| {
            let mut values = Vec::with_capacity(size);
            values.extend_from_slice(&self.0);
            values.resize(size, Fr::ZERO);
            transform(&mut values);
            Vector(values)
        }))
    }
}

/// sum_k scalars_k vectors_k, every vector zero-padded to the longest; scalars as 32 little-endian bytes each.
#[pyfunction]
fn combine(py: Python<'_>, vectors: Vec<Bound<'_, Vector>>, scalars: &[u8]) -> PyResult<Vector> {
    let scalars = Vector::from_bytes(py, scalars)?.0;
    same_length(vectors.len(), scalars.len())?;
    let vectors: Vec<&[Fr]> = vectors
        .iter()
        .map(|vector| vector.get().0.as_slice())
        .collect();
    Ok(py.detach(|| {
        let mut total =
            vec![Fr::ZERO; vectors.iter().map(|vector| vector.len()).max().unwrap_or(0)];
        total
            .par_chunks_mut(CHUNK)
            .enumerate()
            .for_each(|(k, sums)| {
                #[cfg(target_arch = "x86_64")]
                if machine::ifma() {
                    // SAFETY: the instructions were found on this processor.
                    return unsafe { vector_lanes::combine(&vectors, &scalars, k * CHUNK, sums) };
                }
                for (vector, &factor) in vectors.iter().zip(&scalars) {
                    let part = vector.get(k * CHUNK..).unwrap_or_default();
                    sums.iter_mut()
                        .zip(part)
                        .for_each(|(sum, &value)| *sum += value * factor);
                }
            });
        Vector(total)
    }))
}

#[pyfunction]
fn concat(vectors: Vec<Bound<'_, Vector>>) -> Vector {
    Vector(
        vectors
            .iter()
            .flat_map(|vector| vector.get().0.iter().copied())
            .collect(),
    )
}

/// Reads one canonical scalar of 32 little-endian bytes.
pub fn scalar(bytes: &[u8]) -> PyResult<Fr> {
    Fr::from_bytes(bytes).ok_or_else(|| PyValueError::new_err("a scalar is not 32 canonical bytes"))
}

pub fn same_length(a: usize, b: usize) -> PyResult<()> {
    if a == b {
        Ok(())
    } else {
        Err(PyValueError::new_err(format!(
            "lengths differ: {a} and {b}"
        )))
    }
}

/// The logarithm of a domain's size.
pub fn domain_log(size: usize) -> PyResult<u32> {
    if size.is_power_of_two() && size.trailing_zeros() <= super::field::TWO_ADICITY {
        Ok(size.trailing_zeros())
    } else {
        let message = format!("domain size {size}: expected a power of two between 1 and 2^32");
        Err(PyValueError::new_err(message))
    }
}

pub fn horner(coefficients: &[Fr], x: Fr) -> Fr {
    coefficients
        .iter()
        .rev()
        .fold(Fr::ZERO, |value, &c| value * x + c)
}

/// What the operation makes of all values before each one, and of all values.
fn running(values: &[Fr], first: Fr, operation: impl Fn(Fr, Fr) -> Fr) -> (Vec<Fr>, Fr) {
    let mut state = first;
    let mut out = Vec::with_capacity(values.len());
    for &value in values {
        out.push(state);
        state = operation(state, value);
    }
    (out, state)
}

/// a_i b_i, for vectors of one length.
pub fn products(a: &[Fr], b: &[Fr]) -> Vec<Fr> {
    #[cfg(target_arch = "x86_64")]
    if machine::ifma() {
        // SAFETY: the instructions were found on this processor.
        return unsafe { vector_lanes::products(a, b, None) };
    }
    a.iter().zip(b).map(|(&a, &b)| a * b).collect()
}

/// sum_i a_i b_i, for vectors of one length.
fn inner_product(a: &[Fr], b: &[Fr]) -> Fr {
    #[cfg(target_arch = "x86_64")]
    if machine::ifma() {
        // SAFETY: the instructions were found on this processor.
        return unsafe { vector_lanes::dot(a, b) };
    }
    a.iter().zip(b).fold(Fr::ZERO, |sum, (&a, &b)| sum + a * b)
}

/// Montgomery's trick: one inversion and three multiplications a value; None if any is 0.
fn batch_inverse(values: &[Fr]) -> Option<Vec<Fr>> {
    #[cfg(target_arch = "x86_64")]
    if machine::ifma() {
        // SAFETY: the instructions were found on this processor.
        return unsafe { vector_lanes::batch_inverse(values) };
    }
    plain_inverses(values)
}

pub fn plain_inverses(values: &[Fr]) -> Option<Vec<Fr>> {
    let (mut out, product) = running(values, Fr::ONE, Fr::mul);
    let mut inverse = product.inverse()?;
    for (slot, &value) in out.iter_mut().zip(values).rev() {
        *slot *= inverse;
        inverse *= value;
    }
    Some(out)
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Vector>()?;
    m.add_function(wrap_pyfunction!(combine, m)?)?;
    m.add_function(wrap_pyfunction!(concat, m)?)
}
