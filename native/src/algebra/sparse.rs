//! Commitments to columns that are zero almost everywhere: a few dozen small scalars against many fixed bases.
//!
//! Straus's interleaving over the width-4 non-adjacent form: all terms share the doublings, and one bit in five of a scalar
//! costs an addition of an odd multiple that was computed once.

use super::curve::{affine, projective, sum, Point};
use blst::*;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Non-zero digits are odd and below 2^(WIDTH-1) in magnitude.
const WIDTH: u32 = 4;

/// How many odd multiples of a base there are: 1, 3, 5, 7.
pub const MULTIPLES: usize = 1 << (WIDTH - 2);

/// A bit, the place of a base, and what the base counts there.
pub type Digit = (u32, usize, i8);

/// The odd multiples of each base.
#[pyclass(frozen, module = "zkmargin._native")]
pub struct SparseTable(Vec<[blst_p1_affine; MULTIPLES]>);

#[pymethods]
impl SparseTable {
    #[new]
    fn new(py: Python<'_>, points: Vec<Bound<'_, Point>>) -> SparseTable {
        let points: Vec<blst_p1_affine> = points.iter().map(|point| point.get().0).collect();
        py.detach(|| SparseTable(odd_multiples(&points)))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// sum_k values_k base_(places_k), from little-endian 32-bit places and signed 64-bit values.
    fn commit(&self, py: Python<'_>, places: &[u8], values: &[u8]) -> PyResult<Point> {
        let places: Vec<usize> = places
            .chunks_exact(4)
            .map(|word| u32::from_le_bytes(word.try_into().expect("chunks have 4 bytes")) as usize)
            .collect();
        let values: Vec<i64> = values
            .chunks_exact(8)
            .map(|word| i64::from_le_bytes(word.try_into().expect("chunks have 8 bytes")))
            .collect();
        if places.len() != values.len() {
            let message = format!("lengths differ: {} and {}", places.len(), values.len());
            return Err(PyValueError::new_err(message));
        }
        if let Some(place) = places.iter().find(|place| **place >= self.0.len()) {
            let message = format!("place {place} is outside a table of {}", self.0.len());
            return Err(PyValueError::new_err(message));
        }
        Ok(py.detach(|| Point(affine(&[weighted(&self.0, &places, &values)])[0])))
    }
}

/// The sum of some bases, each multiplied by a small integer.
fn weighted(tables: &[[blst_p1_affine; MULTIPLES]], places: &[usize], values: &[i64]) -> blst_p1 {
    let mut digits: Vec<Digit> = Vec::with_capacity(16 * values.len());
    for (place, value) in places.iter().zip(values) {
        let magnitude = u128::from(value.unsigned_abs());
        recode(*value < 0, magnitude, |bit, digit| {
            digits.push((bit, *place, digit))
        });
    }
    interleaved(tables, digits)
}

/// From the highest bit down: double once for all terms, then add the digits of this bit.
pub fn interleaved(tables: &[[blst_p1_affine; MULTIPLES]], mut digits: Vec<Digit>) -> blst_p1 {
    digits.sort_unstable_by_key(|(bit, ..)| std::cmp::Reverse(*bit));
    let mut total = blst_p1::default();
    let mut height = digits.first().map_or(0, |(bit, ..)| *bit);
    for (bit, place, digit) in digits {
        while height > bit {
            // SAFETY: the point is initialised, and blst allows it to be doubled in place.
            unsafe { blst_p1_double(&mut total, &total) };
            height -= 1;
        }
        let mut term = tables[place][usize::from(digit.unsigned_abs()) / 2];
        // SAFETY: all points are initialised, and blst allows the sum to be written over a term.
        unsafe {
            blst_fp_cneg(&mut term.y, &term.y, digit < 0);
            blst_p1_add_or_double_affine(&mut total, &total, &term);
        }
    }
    for _ in 0..height {
        // SAFETY: as above.
        unsafe { blst_p1_double(&mut total, &total) };
    }
    total
}

/// The digits of the width-4 non-adjacent form: value = sum digit 2^bit, every digit odd.
/// The magnitude is below 2^128 - 8, so that no carry leaves it.
pub fn recode(negative: bool, magnitude: u128, mut digit_at: impl FnMut(u32, i8)) {
    let (mut rest, mut bit) = (magnitude, 0);
    while rest != 0 {
        let zeros = rest.trailing_zeros();
        rest >>= zeros;
        bit += zeros;
        let low = (rest & ((1 << WIDTH) - 1)) as i8;
        let digit = if low < 1 << (WIDTH - 1) {
            low
        } else {
            low - (1 << WIDTH)
        };
        if digit < 0 {
            rest += u128::from(digit.unsigned_abs());
        } else {
            rest -= u128::from(digit.unsigned_abs());
        }
        digit_at(bit, if negative { -digit } else { digit });
    }
}

/// P, 3P, 5P, 7P of each point.
pub fn odd_multiples(points: &[blst_p1_affine]) -> Vec<[blst_p1_affine; MULTIPLES]> {
    let mut all = Vec::with_capacity(MULTIPLES * points.len());
    for point in points {
        let mut multiple = projective(point);
        let twice = sum(&multiple, &multiple);
        for _ in 0..MULTIPLES {
            all.push(multiple);
            multiple = sum(&multiple, &twice);
        }
    }
    affine(&all)
        .chunks_exact(MULTIPLES)
        .map(|chunk| chunk.try_into().expect("chunks are whole"))
        .collect()
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<SparseTable>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_add_up_and_are_odd() {
        for value in [
            0,
            1,
            -1,
            7,
            8,
            9,
            1000,
            -12345,
            i64::MAX,
            i64::MIN,
            i64::MIN + 1,
        ] {
            let mut total = 0i128;
            let mut last = None;
            recode(value < 0, u128::from(value.unsigned_abs()), |bit, digit| {
                assert!(digit % 2 != 0 && digit.unsigned_abs() < 8);
                assert!(last.is_none_or(|last| bit >= last + WIDTH));
                last = Some(bit);
                total += i128::from(digit) << bit;
            });
            assert_eq!(total, i128::from(value));
        }
    }
}
