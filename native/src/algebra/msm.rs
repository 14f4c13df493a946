//! Multi-scalar multiplication in G1 and commitments against fixed bases.
//!
//! A scalar above r/2 is the negative of a small one as a rule: it is held as a magnitude of at most r/2 and a sign. The
//! widest magnitude decides how many bits are worked through, so small values are quick.

use super::buckets;
#[cfg(target_arch = "x86_64")]
use super::coordinate::LanePoint;
use super::curve::{affine, Point};
use super::field::Fr;
use super::straus;
use super::vector::{same_length, Vector};
#[cfg(target_arch = "x86_64")]
use crate::machine;
use blst::*;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rayon::prelude::*;

/// Below this many points buckets have too little to do.
const FEWEST_IN_BUCKETS: usize = 24;

/// Points in the forms that this machine multiplies fastest.
struct Bases {
    affine: Vec<blst_p1_affine>,
    /// The same points for eight at a time; empty without the instructions.
    #[cfg(target_arch = "x86_64")]
    lanes: Vec<LanePoint>,
}

impl Bases {
    fn new(affine: Vec<blst_p1_affine>) -> Bases {
        Bases {
            #[cfg(target_arch = "x86_64")]
            lanes: if machine::ifma() && affine.len() >= FEWEST_IN_BUCKETS {
                affine.iter().map(LanePoint::from_blst).collect()
            } else {
                Vec::new()
            },
            affine,
        }
    }

    /// sum_i scalars_i bases_(offset+i).
    fn multiply(&self, offset: usize, scalars: &[Fr]) -> Point {
        let scalars: Vec<Scalar> = scalars.iter().map(Scalar::new).collect();
        let bits = scalars.iter().map(Scalar::bits).max().unwrap_or(0);
        let stop = offset + scalars.len();
        if scalars.len() < FEWEST_IN_BUCKETS {
            return normal(straus::multiply(&self.affine[offset..stop], &scalars));
        }
        #[cfg(target_arch = "x86_64")]
        if !self.lanes.is_empty() {
            return normal(buckets::multiply(&self.lanes[offset..stop], &scalars, bits));
        }
        normal(buckets::multiply(
            &self.affine[offset..stop],
            &scalars,
            bits,
        ))
    }

    /// sum_k scalars_k bases_(places_k).
    fn gathered(&self, places: &[usize], scalars: &[Scalar]) -> blst_p1 {
        let bits = scalars.iter().map(Scalar::bits).max().unwrap_or(0);
        #[cfg(target_arch = "x86_64")]
        if !self.lanes.is_empty() && scalars.len() >= FEWEST_IN_BUCKETS {
            let lanes: Vec<LanePoint> = places.iter().map(|&place| self.lanes[place]).collect();
            return buckets::multiply(&lanes, scalars, bits);
        }
        let points: Vec<blst_p1_affine> = places.iter().map(|&place| self.affine[place]).collect();
        if scalars.len() < FEWEST_IN_BUCKETS {
            return straus::multiply(&points, scalars);
        }
        buckets::multiply(&points, scalars, bits)
    }
}

fn normal(point: blst_p1) -> Point {
    Point(affine(&[point])[0])
}

/// A signed integer of at most 255 bits.
pub struct Scalar {
    pub magnitude: [u64; 4],
    pub negative: bool,
}

impl Scalar {
    fn new(value: &Fr) -> Scalar {
        let (magnitude, opposite) = (value.canonical(), (-*value).canonical());
        if opposite.iter().rev().lt(magnitude.iter().rev()) {
            Scalar {
                magnitude: opposite,
                negative: true,
            }
        } else {
            Scalar {
                magnitude,
                negative: false,
            }
        }
    }

    fn from_words(low: u64, high: i64) -> Scalar {
        let value = i128::from(high) << 64 | i128::from(low);
        let magnitude = value.unsigned_abs();
        Scalar {
            magnitude: [magnitude as u64, (magnitude >> 64) as u64, 0, 0],
            negative: value < 0,
        }
    }

    fn bits(&self) -> usize {
        let top = self
            .magnitude
            .iter()
            .rposition(|&limb| limb != 0)
            .unwrap_or(0);
        64 * top + (64 - self.magnitude[top].leading_zeros() as usize)
    }

    #[cfg(test)]
    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (word, limb) in bytes.chunks_exact_mut(8).zip(self.magnitude) {
            word.copy_from_slice(&limb.to_le_bytes());
        }
        bytes
    }
}

/// Fixed bases of commitments.
#[pyclass(frozen, module = "zkmargin._native")]
pub struct Table(Bases);

#[pymethods]
impl Table {
    #[new]
    fn new(py: Python<'_>, points: Vec<Bound<'_, Point>>) -> Table {
        let points = points.iter().map(|point| point.get().0).collect();
        py.detach(|| Table(Bases::new(points)))
    }

    fn __len__(&self) -> usize {
        self.0.affine.len()
    }

    /// sum_i vector_i table_(offset+i).
    fn commit(&self, py: Python<'_>, vector: &Vector, offset: usize) -> PyResult<Point> {
        let (values, size) = (vector.0.len(), self.0.affine.len());
        if offset.checked_add(values).is_none_or(|stop| stop > size) {
            let message =
                format!("{values} values at offset {offset} reach past a table of {size}");
            return Err(PyValueError::new_err(message));
        }
        Ok(py.detach(|| self.0.multiply(offset, &vector.0)))
    }

    /// For each compressed row sum_k entry_k table_(column_k), many rows side by side. Rows come as those of a matrix:
    /// little-endian int64 row starts, int32 columns, uint64 low and int64 high words.
    fn commit_rows(
        &self,
        py: Python<'_>,
        indptr: &[u8],
        indices: &[u8],
        low: &[u8],
        high: &[u8],
    ) -> PyResult<Vec<Point>> {
        py.detach(|| self.rows(indptr, indices, low, high))
            .ok_or_else(|| PyValueError::new_err("the arrays do not describe rows over this table"))
    }
}

impl Table {
    fn rows(&self, indptr: &[u8], indices: &[u8], low: &[u8], high: &[u8]) -> Option<Vec<Point>> {
        let starts: Vec<usize> = words(indptr)
            .map(|start| usize::try_from(start as i64).ok())
            .collect::<Option<_>>()?;
        let places: Vec<usize> = indices
            .chunks_exact(4)
            .map(|word| {
                let place = i32::from_le_bytes(word.try_into().expect("a chunk has 4 bytes"));
                usize::try_from(place)
                    .ok()
                    .filter(|place| *place < self.0.affine.len())
            })
            .collect::<Option<_>>()?;
        let entries: Vec<(u64, i64)> = words(low)
            .zip(words(high).map(|word| word as i64))
            .collect();
        if entries.len() != places.len() {
            return None;
        }
        let sums: Vec<blst_p1> = starts
            .par_windows(2)
            .map(|bounds| {
                let entries = entries.get(bounds[0]..bounds[1])?;
                let scalars: Vec<Scalar> = entries
                    .iter()
                    .map(|&(low, high)| Scalar::from_words(low, high))
                    .collect();
                Some(self.0.gathered(places.get(bounds[0]..bounds[1])?, &scalars))
            })
            .collect::<Option<_>>()?;
        Some(affine(&sums).into_iter().map(Point).collect())
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    bytes
        .chunks_exact(8)
        .map(|word| u64::from_le_bytes(word.try_into().expect("a chunk has 8 bytes")))
}

/// sum_k scalars_k points_k.
#[pyfunction]
fn msm(py: Python<'_>, points: Vec<Bound<'_, Point>>, scalars: &Vector) -> PyResult<Point> {
    same_length(points.len(), scalars.0.len())?;
    let points = points.iter().map(|point| point.get().0).collect();
    Ok(py.detach(|| Bases::new(points).multiply(0, &scalars.0)))
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Table>()?;
    m.add_function(wrap_pyfunction!(msm, m)?)
}

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
mod tests {
    use super::*;
    use crate::algebra::field::tests::samples;

    /// Multiples 0, 1, -2, 3, 0, .. of the generator: all kinds of additions occur.
    fn points(count: usize) -> Vec<blst_p1_affine> {
        let multiple = |k: usize| {
            let mut point = blst_p1::default();
            // SAFETY: the scalar has 8 bytes, of which 64 bits are read.
            unsafe {
                blst_p1_mult(
                    &mut point,
                    blst_p1_generator(),
                    (k % 97).to_le_bytes().as_ptr(),
                    64,
                );
                blst_p1_cneg(&mut point, k.is_multiple_of(2));
            }
            point
        };
        affine(&(0..count).map(multiple).collect::<Vec<_>>())
    }

    /// The sum by the bucket method of blst.
    fn by_blst(points: &[blst_p1_affine], scalars: &[Scalar], bits: usize) -> blst_p1 {
        let terms: Vec<(blst_p1_affine, [u8; 32])> = points
            .iter()
            .zip(scalars)
            // SAFETY: the point is initialised.
            .filter(|(point, scalar)| {
                scalar.magnitude != [0; 4] && !unsafe { blst_p1_affine_is_inf(*point) }
            })
            .map(|(point, scalar)| {
                let mut signed = *point;
                // SAFETY: the coordinate is initialised.
                unsafe { blst_fp_cneg(&mut signed.y, &point.y, scalar.negative) };
                (signed, scalar.bytes())
            })
            .collect();
        if terms.is_empty() {
            return blst_p1::default();
        }
        pippenger(&terms, bits)
    }

    /// The sum over the terms, none of them 0, on this core.
    fn pippenger(terms: &[(blst_p1_affine, [u8; 32])], bits: usize) -> blst_p1 {
        let points: Vec<*const blst_p1_affine> =
            terms.iter().map(|(point, _)| &raw const *point).collect();
        let scalars: Vec<*const u8> = terms.iter().map(|(_, scalar)| scalar.as_ptr()).collect();
        let mut out = blst_p1::default();
        // SAFETY: there are as many scalars as points, each of 32 bytes, and the scratch space is what blst asks for.
        unsafe {
            let words = blst_p1s_mult_pippenger_scratch_sizeof(points.len()).div_ceil(8);
            let mut scratch = vec![0u64; words];
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

    #[test]
    #[cfg_attr(not(ifma_here), ignore = "this machine has no AVX-512 IFMA")]
    fn buckets_agree_with_blst() {
        assert!(machine::has_ifma());
        for count in [1, 2, 7, 8, 9, 100, 1500] {
            let points = points(count);
            let in_lanes: Vec<LanePoint> = points.iter().map(LanePoint::from_blst).collect();
            let walk: Vec<Fr> = samples()
                .into_iter()
                .cycle()
                .skip(count % 5)
                .take(count)
                .collect();
            for narrow in [0, 1, 2, 11, 54, 64, 255] {
                let scalars: Vec<Scalar> =
                    walk.iter().map(|value| narrowed(value, narrow)).collect();
                let bits = scalars.iter().map(Scalar::bits).max().unwrap();
                let expected = by_blst(&points, &scalars, bits);
                for found in [
                    buckets::multiply(&in_lanes, &scalars, bits),
                    buckets::multiply(&points, &scalars, bits),
                ] {
                    // SAFETY: both points are initialised.
                    assert!(
                        unsafe { blst_p1_is_equal(&found, &expected) },
                        "{count} points, {narrow} bits"
                    );
                }
            }
        }
    }

    #[test]
    fn few_terms_agree_with_blst() {
        for count in [0, 1, 2, 5, 23] {
            let points = points(count);
            for skip in 0..samples().len() {
                let walk = samples().into_iter().cycle().skip(skip).take(count);
                for narrow in [0, 1, 2, 64, 127, 128, 255] {
                    let scalars: Vec<Scalar> =
                        walk.clone().map(|value| narrowed(&value, narrow)).collect();
                    let (a, b) = (
                        straus::multiply(&points, &scalars),
                        by_blst(&points, &scalars, 255),
                    );
                    // SAFETY: both points are initialised.
                    assert!(unsafe { blst_p1_is_equal(&a, &b) }, "{count} points");
                }
            }
        }
    }

    fn narrowed(value: &Fr, bits: usize) -> Scalar {
        let mut scalar = Scalar::new(value);
        for (k, limb) in scalar.magnitude.iter_mut().enumerate() {
            let kept = bits.saturating_sub(64 * k).min(64);
            *limb &= if kept == 64 {
                u64::MAX
            } else {
                (1 << kept) - 1
            };
        }
        scalar
    }
}
