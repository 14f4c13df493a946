//! Multi-scalar multiplication in G1 and commitments against fixed bases.
//!
//! A scalar above r/2 is the negative of a small one as a rule: the point's sign changes and the scalar becomes r minus
//! itself. The widest scalar left decides how many bits are worked through, so small values are quick.

use super::curve::{affine, sum, Point};
use super::field::MODULUS;
use super::vector::{same_length, Vector};
use blst::*;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rayon::prelude::*;

/// Fixed bases of commitments.
#[pyclass(frozen, module = "zkmargin._native")]
pub struct Table(Vec<blst_p1_affine>);

#[pymethods]
impl Table {
    #[new]
    fn new(points: Vec<Bound<'_, Point>>) -> Table {
        Table(points.iter().map(|point| point.get().0).collect())
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// sum_i vector_i table_(offset+i).
    fn commit(&self, py: Python<'_>, vector: &Vector, offset: usize) -> PyResult<Point> {
        let stop = offset.saturating_add(vector.0.len());
        let bases = self.0.get(offset..stop).ok_or_else(|| {
            let (values, size) = (vector.0.len(), self.0.len());
            PyValueError::new_err(format!(
                "{values} values at offset {offset} reach past a table of {size}"
            ))
        })?;
        Ok(py.detach(|| multiply(bases, vector)))
    }
}

/// sum_k scalars_k points_k.
#[pyfunction]
fn msm(py: Python<'_>, points: Vec<Bound<'_, Point>>, scalars: &Vector) -> PyResult<Point> {
    same_length(points.len(), scalars.0.len())?;
    let points: Vec<blst_p1_affine> = points.iter().map(|point| point.get().0).collect();
    Ok(py.detach(|| multiply(&points, scalars)))
}

fn multiply(points: &[blst_p1_affine], scalars: &Vector) -> Point {
    let terms: Vec<Term> = points
        .iter()
        .zip(&scalars.0)
        .filter_map(|(point, s)| Term::new(point, s.canonical()))
        .collect();
    let bits = terms.iter().map(Term::bits).max().unwrap_or(0);
    let share = terms.len().div_ceil(rayon::current_num_threads()).max(4);
    let parts: Vec<blst_p1> = terms
        .par_chunks(share)
        .map(|terms| pippenger(terms, bits))
        .collect();
    let total = parts
        .iter()
        .fold(blst_p1::default(), |total, part| sum(&total, part));
    Point(affine(&[total])[0])
}

/// A point and a scalar, neither of them 0.
struct Term {
    point: blst_p1_affine,
    scalar: [u64; 4],
}

impl Term {
    fn new(point: &blst_p1_affine, scalar: [u64; 4]) -> Option<Term> {
        // SAFETY: the point is initialised.
        if scalar == [0; 4] || unsafe { blst_p1_affine_is_inf(point) } {
            return None;
        }
        let mut term = Term {
            point: *point,
            scalar,
        };
        let opposite = subtract(MODULUS, scalar);
        if opposite.iter().rev().lt(scalar.iter().rev()) {
            // SAFETY: the coordinate is initialised.
            unsafe { blst_fp_cneg(&mut term.point.y, &point.y, true) };
            term.scalar = opposite;
        }
        Some(term)
    }

    fn bits(&self) -> usize {
        let top = self.scalar.iter().rposition(|&limb| limb != 0).unwrap_or(0);
        64 * top + (64 - self.scalar[top].leading_zeros() as usize)
    }
}

fn subtract(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    let mut borrow = false;
    let mut out = [0; 4];
    for i in 0..4 {
        let (partial, first) = a[i].overflowing_sub(b[i]);
        let (limb, second) = partial.overflowing_sub(borrow as u64);
        out[i] = limb;
        borrow = first || second;
    }
    out
}

/// The sum over the terms, on this core.
fn pippenger(terms: &[Term], bits: usize) -> blst_p1 {
    let points: Vec<*const blst_p1_affine> =
        terms.iter().map(|term| &raw const term.point).collect();
    let bytes: Vec<[u8; 32]> = terms
        .iter()
        .map(|term| little_endian(&term.scalar))
        .collect();
    let scalars: Vec<*const u8> = bytes.iter().map(|scalar| scalar.as_ptr()).collect();
    let mut out = blst_p1::default();
    // SAFETY: there are as many scalars as points, each of 32 bytes, and the scratch space is what blst asks for.
    unsafe {
        let mut scratch =
            vec![0u64; blst_p1s_mult_pippenger_scratch_sizeof(points.len()).div_ceil(8)];
        blst_p1s_mult_pippenger(
            &mut out,
            points.as_ptr(),
            points.len(),
            scalars.as_ptr(),
            bits,
            scratch.as_mut_ptr(),
        );
    }
    out
}

fn little_endian(limbs: &[u64; 4]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (word, limb) in bytes.chunks_exact_mut(8).zip(limbs) {
        word.copy_from_slice(&limb.to_le_bytes());
    }
    bytes
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Table>()?;
    m.add_function(wrap_pyfunction!(msm, m)?)
}
