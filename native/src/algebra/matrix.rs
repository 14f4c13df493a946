//! Sparse matrices of signed 128-bit integers, folded by a vector of weights.
//!
//! A sum of weight times entry is taken over the integers and reduced once a column. Entries lie column by column,
//! in each the ones of one sign and width together, so that the sums run without a branch.

use super::field::{adc, mac, reduce_once, Fr};
use super::vector::{same_length, Vector};
#[cfg(target_arch = "x86_64")]
use super::vector_lanes;
#[cfg(target_arch = "x86_64")]
use crate::machine;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rayon::prelude::*;
use std::ops::Range;

/// Limbs of a sum of products: 255 bits of weight, 128 of entry, 64 for the number of terms.
const LIMBS: usize = 7;

/// One column's ranges in the entries of one width: positive ones, then negative ones.
#[derive(Clone)]
struct Signs {
    positive: Range<usize>,
    negative: Range<usize>,
}

struct Entry<T> {
    row: u32,
    magnitude: T,
}

#[pyclass(frozen, module = "zkmargin._native")]
pub struct Matrix {
    rows: usize,
    narrow: Vec<Entry<u64>>,
    wide: Vec<Entry<u128>>,
    columns: Vec<(Signs, Signs)>,
}

#[pymethods]
impl Matrix {
    /// From compressed rows in little-endian bytes: int64 row starts, int32 columns, uint64 low and int64 high words.
    /// The caller has checked that row starts rise from 0 to the number of entries.
    #[new]
    fn new(
        py: Python<'_>,
        indptr: &[u8],
        indices: &[u8],
        low: &[u8],
        high: &[u8],
        columns: usize,
    ) -> PyResult<Self> {
        py.detach(|| build(indptr, indices, low, high, columns))
            .ok_or_else(|| {
                PyValueError::new_err("the arrays do not describe a matrix of compressed rows")
            })
    }

    #[getter]
    fn rows(&self) -> usize {
        self.rows
    }

    #[getter]
    fn columns(&self) -> usize {
        self.columns.len()
    }

    /// out_c = sum_r weights_r M_rc.
    fn fold(&self, py: Python<'_>, weights: &Vector) -> PyResult<Vector> {
        same_length(weights.0.len(), self.rows)?;
        Ok(py.detach(|| {
            let fold = |(narrow, wide): &(Signs, Signs)| self.column(&weights.0, narrow, wide);
            let (low, high): (Vec<Fr>, Vec<Fr>) =
                self.columns.par_iter().with_min_len(128).map(fold).unzip();
            // A high part stands 2^256 higher, which is what 2^256 in its form multiplies by.
            Vector(raised(&low, &high))
        }))
    }
}

impl Matrix {
    /// The low part of one column's sum, and the part above 2^256.
    fn column(&self, weights: &[Fr], narrow: &Signs, wide: &Signs) -> (Fr, Fr) {
        let sum = |narrow: &Range<usize>, wide: &Range<usize>| {
            let mut sum = [0; LIMBS];
            for entry in &self.narrow[narrow.clone()] {
                accumulate(&mut sum, &weights[entry.row as usize].0, entry.magnitude);
            }
            for entry in &self.wide[wide.clone()] {
                accumulate(
                    &mut sum,
                    &weights[entry.row as usize].0,
                    entry.magnitude as u64,
                );
                accumulate(
                    &mut sum[1..],
                    &weights[entry.row as usize].0,
                    (entry.magnitude >> 64) as u64,
                );
            }
            // 2^256 is below 3 r, so two subtractions make the low limbs canonical.
            let low = reduce_once(reduce_once([sum[0], sum[1], sum[2], sum[3]]).0);
            (low, Fr([sum[4], sum[5], sum[6], 0]))
        };
        let positive = sum(&narrow.positive, &wide.positive);
        if narrow.negative.is_empty() && wide.negative.is_empty() {
            return positive;
        }
        let negative = sum(&narrow.negative, &wide.negative);
        (positive.0 - negative.0, positive.1 - negative.1)
    }
}

fn build(indptr: &[u8], indices: &[u8], low: &[u8], high: &[u8], columns: usize) -> Option<Matrix> {
    let starts: Vec<usize> = words(indptr)
        .map(|start| usize::try_from(start as i64).ok())
        .collect::<Option<_>>()?;
    let column_of = |k: usize| {
        i32::from_le_bytes(indices[4 * k..4 * k + 4].try_into().expect("4 bytes")) as usize
    };
    let values: Vec<i128> = words(low)
        .zip(words(high))
        .map(|(low, high)| low as i128 | (high as i64 as i128) << 64)
        .collect();
    let mut by_column: Vec<Vec<(u32, i128)>> = vec![Vec::new(); columns];
    for (row, bounds) in starts.windows(2).enumerate() {
        for (k, &value) in values.iter().enumerate().take(bounds[1]).skip(bounds[0]) {
            if value != 0 {
                by_column
                    .get_mut(column_of(k))?
                    .push((u32::try_from(row).ok()?, value));
            }
        }
    }
    let mut matrix = Matrix {
        rows: starts.len().checked_sub(1)?,
        narrow: vec![],
        wide: vec![],
        columns: vec![],
    };
    for entries in by_column {
        let narrow = |value: i128| u64::try_from(value.unsigned_abs()).ok();
        let wide = |value: i128| narrow(value).is_none().then(|| value.unsigned_abs());
        let signs = (
            append(&mut matrix.narrow, &entries, narrow),
            append(&mut matrix.wide, &entries, wide),
        );
        matrix.columns.push(signs);
    }
    Some(matrix)
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    bytes
        .chunks_exact(8)
        .map(|word| u64::from_le_bytes(word.try_into().expect("a chunk has 8 bytes")))
}

/// Appends one column's entries of one width, which `magnitude` picks, first the positive and then the negative ones.
fn append<T>(
    out: &mut Vec<Entry<T>>,
    entries: &[(u32, i128)],
    magnitude: impl Fn(i128) -> Option<T>,
) -> Signs {
    let mut extend = |sign: i128| {
        let start = out.len();
        let chosen = entries.iter().filter(|(_, value)| value.signum() == sign);
        out.extend(chosen.filter_map(|&(row, value)| {
            Some(Entry {
                row,
                magnitude: magnitude(value)?,
            })
        }));
        start..out.len()
    };
    Signs {
        positive: extend(1),
        negative: extend(-1),
    }
}

/// sum += weight magnitude, over the integers.
#[inline(always)]
fn accumulate(sum: &mut [u64], weight: &[u64; 4], magnitude: u64) {
    let mut carry = 0;
    for i in 0..4 {
        sum[i] = mac(sum[i], weight[i], magnitude, &mut carry);
    }
    for limb in &mut sum[4..] {
        *limb = adc(*limb, 0, &mut carry);
    }
}

/// low + 2^256 high, of Montgomery forms.
fn raised(low: &[Fr], high: &[Fr]) -> Vec<Fr> {
    #[cfg(target_arch = "x86_64")]
    if machine::ifma() {
        let shift = vec![Fr::R2; high.len()];
        // SAFETY: the instructions were found on this processor.
        return unsafe { vector_lanes::products(high, &shift, Some(low)) };
    }
    low.iter()
        .zip(high)
        .map(|(&low, &high)| {
            if high.is_zero() {
                low
            } else {
                low + high * Fr::R2
            }
        })
        .collect()
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Matrix>()
}
