//! Points of G1 and G2 and the pairing, on blst. Bytes become points through one gate each.

use super::field::Fr;
#[cfg(target_arch = "x86_64")]
use super::roots;
use super::vector::domain_log;
#[cfg(target_arch = "x86_64")]
use crate::machine;
use blst::*;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rayon::prelude::*;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

/// The precomputed lines of a Miller loop have this many coefficients.
const MILLER_LINES: usize = 68;

/// From so many points on square roots are worth the lanes.
#[cfg(target_arch = "x86_64")]
const FEWEST_TOGETHER: usize = 3;

/// An element of G1 in affine coordinates; the identity is all zeros.
#[pyclass(frozen, module = "zkmargin._native")]
#[derive(Clone, Copy)]
pub struct Point(pub blst_p1_affine);

#[pymethods]
impl Point {
    /// The canonical compressed encoding, of 48 bytes.
    fn encode<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.compressed())
    }

    fn __eq__(&self, other: &Point) -> bool {
        self.compressed() == other.compressed()
    }

    fn __hash__(&self) -> u64 {
        hash(&self.compressed())
    }

    fn __repr__(&self) -> String {
        format!("<point {}>", hexadecimal(&self.compressed()))
    }
}

impl Point {
    fn compressed(&self) -> [u8; 48] {
        let mut bytes = [0; 48];
        // SAFETY: blst writes 48 bytes.
        unsafe { blst_p1_affine_compress(bytes.as_mut_ptr(), &self.0) };
        bytes
    }
}

/// An element of G2, with the lines of its Miller loop once it has been paired.
#[pyclass(frozen, module = "zkmargin._native")]
pub struct PointG2 {
    affine: blst_p2_affine,
    lines: OnceLock<Box<[blst_fp6; MILLER_LINES]>>,
}

#[pymethods]
impl PointG2 {
    /// The canonical compressed encoding, of 96 bytes.
    fn encode<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.compressed())
    }

    fn __eq__(&self, other: &PointG2) -> bool {
        self.compressed() == other.compressed()
    }

    fn __hash__(&self) -> u64 {
        hash(&self.compressed())
    }

    fn __repr__(&self) -> String {
        format!("<point of G2 {}>", hexadecimal(&self.compressed()))
    }
}

impl PointG2 {
    fn new(affine: blst_p2_affine) -> PointG2 {
        PointG2 {
            affine,
            lines: OnceLock::new(),
        }
    }

    fn compressed(&self) -> [u8; 96] {
        let mut bytes = [0; 96];
        // SAFETY: blst writes 96 bytes.
        unsafe { blst_p2_affine_compress(bytes.as_mut_ptr(), &self.affine) };
        bytes
    }

    /// The Miller loop of e(point, self). Pairs with the identity of G1 or G2 give 1.
    fn miller_loop(&self, point: &blst_p1_affine) -> blst_fp12 {
        // SAFETY: blst reads initialised points and fills exactly MILLER_LINES lines.
        unsafe {
            if blst_p1_affine_is_inf(point) || blst_p2_affine_is_inf(&self.affine) {
                return *blst_fp12_one();
            }
            let lines = self.lines.get_or_init(|| {
                let mut lines = Box::new([blst_fp6::default(); MILLER_LINES]);
                blst_precompute_lines(lines.as_mut_ptr(), &self.affine);
                lines
            });
            let mut value = blst_fp12::default();
            blst_miller_loop_lines(&mut value, lines.as_ptr(), point);
            value
        }
    }
}

/// The points with these compressed encodings: 48 bytes each, flags right, x < p, on the curve, in the subgroup.
#[pyfunction]
fn decode_points(py: Python<'_>, data: &[u8]) -> PyResult<Vec<Point>> {
    #[cfg(target_arch = "x86_64")]
    if machine::ifma() && data.len().is_multiple_of(48) && data.len() >= 48 * FEWEST_TOGETHER {
        // SAFETY: the instructions were found on this processor.
        let decode = |group: &[u8]| unsafe { roots::decode(group) };
        let groups: Vec<Vec<Option<Point>>> =
            py.detach(|| data.par_chunks(48 * roots::TOGETHER).map(decode).collect());
        if let Some(points) = groups.into_iter().flatten().collect() {
            return Ok(points);
        }
    }
    py.detach(|| decode_all(data, 48, |bytes| unsafe { gate(bytes, blst_p1_uncompress) }))
        .map_err(PyValueError::new_err)
}

/// The same from uncompressed encodings of 96 bytes each.
#[pyfunction]
fn decode_affine_points(py: Python<'_>, data: &[u8]) -> PyResult<Vec<Point>> {
    let decode = |bytes: &[u8]| {
        // blst_p1_deserialize reads compressed encodings too; its flag sets them apart.
        if bytes[0] & 0x80 != 0 {
            return Err(reason(BLST_ERROR::BLST_BAD_ENCODING));
        }
        // SAFETY: decode_all hands over 96 bytes.
        unsafe { gate(bytes, blst_p1_deserialize) }
    };
    py.detach(|| decode_all(data, 96, decode))
        .map_err(PyValueError::new_err)
}

#[pyfunction]
fn encode_affine_points<'py>(
    py: Python<'py>,
    points: Vec<Bound<'py, Point>>,
) -> Bound<'py, PyBytes> {
    let mut bytes = vec![0; 96 * points.len()];
    for (out, point) in bytes.chunks_exact_mut(96).zip(&points) {
        // SAFETY: blst writes 96 bytes.
        unsafe { blst_p1_affine_serialize(out.as_mut_ptr(), &point.get().0) };
    }
    PyBytes::new(py, &bytes)
}

#[pyfunction]
fn decode_g2(py: Python<'_>, data: &[u8]) -> PyResult<PointG2> {
    if data.len() != 96 {
        return Err(PyValueError::new_err(format!(
            "a compressed point of G2 has 96 bytes, not {}",
            data.len()
        )));
    }
    py.detach(|| {
        let mut affine = blst_p2_affine::default();
        // SAFETY: blst reads 96 bytes.
        let error = unsafe { blst_p2_uncompress(&mut affine, data.as_ptr()) };
        if error != BLST_ERROR::BLST_SUCCESS {
            return Err(reason(error));
        }
        // SAFETY: the point is initialised and on the twist.
        if unsafe { blst_p2_affine_in_g2(&affine) } {
            Ok(PointG2::new(affine))
        } else {
            Err(reason(BLST_ERROR::BLST_POINT_NOT_IN_GROUP))
        }
    })
    .map_err(PyValueError::new_err)
}

#[pyfunction]
fn identity() -> Point {
    Point(blst_p1_affine::default())
}

#[pyfunction]
fn generator() -> Point {
    // SAFETY: blst returns a pointer to a constant.
    Point(unsafe { *blst_p1_affine_generator() })
}

#[pyfunction]
fn generator_g2() -> PointG2 {
    // SAFETY: blst returns a pointer to a constant.
    PointG2::new(unsafe { *blst_p2_affine_generator() })
}

/// Whether e(left, g2_left) = e(right, g2_right).
#[pyfunction]
fn pairing_check(
    py: Python<'_>,
    left: &Point,
    right: &Point,
    g2_left: &PointG2,
    g2_right: &PointG2,
) -> bool {
    py.detach(|| {
        let (a, b) = rayon::join(
            || g2_left.miller_loop(&left.0),
            || g2_right.miller_loop(&right.0),
        );
        // SAFETY: both values are initialised.
        unsafe { blst_fp12_finalverify(&a, &b) }
    })
}

/// [L_i(tau)] on H_n from [tau^k], k < n: the inverse transform of the powers, in the group.
#[pyfunction]
fn lagrange_points(py: Python<'_>, powers: Vec<Bound<'_, Point>>) -> PyResult<Vec<Point>> {
    let log_size = domain_log(powers.len())?;
    let mut points: Vec<blst_p1> = powers
        .iter()
        .map(|point| projective(&point.get().0))
        .collect();
    Ok(py.detach(|| {
        let size = points.len();
        let root = Fr::root_of_unity(log_size)
            .inverse()
            .expect("a root of unity is not 0");
        let twiddles: Vec<Fr> = super::ntt::powers(Fr::ONE, root, size / 2);
        for i in 0..size {
            let j = if size == 1 {
                0
            } else {
                i.reverse_bits() >> (usize::BITS - log_size)
            };
            if i < j {
                points.swap(i, j);
            }
        }
        let mut half = 1;
        while half < size {
            butterflies(&mut points, half, &twiddles);
            half *= 2;
        }
        let scale = Fr::from_u64(size as u64)
            .inverse()
            .expect("the size is below r");
        points
            .par_iter_mut()
            .for_each(|point| *point = multiple(point, scale));
        affine(&points).into_iter().map(Point).collect()
    }))
}

/// One level of the transform: in every block of 2 half points, (a, b) becomes (a + w b, a - w b).
fn butterflies(points: &mut [blst_p1], half: usize, twiddles: &[Fr]) {
    let stride = twiddles.len() / half;
    points.par_chunks_mut(2 * half).for_each(|block| {
        let (low, high) = block.split_at_mut(half);
        low.par_iter_mut()
            .zip(high)
            .enumerate()
            .for_each(|(k, (a, b))| {
                let mut turned = if k == 0 {
                    *b
                } else {
                    multiple(b, twiddles[k * stride])
                };
                let sum = sum(a, &turned);
                // SAFETY: the point is initialised.
                unsafe { blst_p1_cneg(&mut turned, true) };
                (*a, *b) = (sum, self::sum(a, &turned));
            });
    });
}

pub fn projective(point: &blst_p1_affine) -> blst_p1 {
    let mut out = blst_p1::default();
    // SAFETY: the point is initialised.
    unsafe { blst_p1_from_affine(&mut out, point) };
    out
}

pub fn sum(a: &blst_p1, b: &blst_p1) -> blst_p1 {
    let mut out = blst_p1::default();
    // SAFETY: both points are initialised.
    unsafe { blst_p1_add_or_double(&mut out, a, b) };
    out
}

fn multiple(point: &blst_p1, scalar: Fr) -> blst_p1 {
    let mut out = blst_p1::default();
    // SAFETY: the scalar has 32 bytes, of which blst reads 255 bits.
    unsafe { blst_p1_mult(&mut out, point, scalar.to_bytes().as_ptr(), 255) };
    out
}

/// Affine coordinates, with few inversions.
pub fn affine(points: &[blst_p1]) -> Vec<blst_p1_affine> {
    let mut out = vec![blst_p1_affine::default(); points.len()];
    out.par_chunks_mut(512)
        .zip(points.par_chunks(512))
        .for_each(|(out, points)| {
            // The batched conversion of blst does not take the identity.
            if points.iter().any(|point| unsafe { blst_p1_is_inf(point) }) {
                for (out, point) in out.iter_mut().zip(points) {
                    // SAFETY: the point is initialised.
                    unsafe { blst_p1_to_affine(out, point) };
                }
            } else {
                let pointers = [points.as_ptr(), std::ptr::null()];
                // SAFETY: a null pointer tells blst that the points follow one another; out has as many places.
                unsafe { blst_p1s_to_affine(out.as_mut_ptr(), pointers.as_ptr(), points.len()) };
            }
        });
    out
}

fn decode_all<D>(data: &[u8], width: usize, decode: D) -> Result<Vec<Point>, String>
where
    D: Fn(&[u8]) -> Result<Point, &'static str> + Sync,
{
    if !data.len().is_multiple_of(width) {
        return Err(format!(
            "points have {width} bytes each, not {} in all",
            data.len()
        ));
    }
    let decode = |(k, bytes)| decode(bytes).map_err(|reason| format!("point {k}: {reason}"));
    if data.len() == width {
        return Ok(vec![decode((0, data))?]);
    }
    data.par_chunks_exact(width)
        .enumerate()
        .map(decode)
        .collect()
}

/// Decodes one point and checks its group.
///
/// # Safety
/// `bytes` must be as long as `decoder` reads.
unsafe fn gate(
    bytes: &[u8],
    decoder: unsafe extern "C" fn(*mut blst_p1_affine, *const u8) -> BLST_ERROR,
) -> Result<Point, &'static str> {
    let mut point = blst_p1_affine::default();
    let error = decoder(&mut point, bytes.as_ptr());
    if error != BLST_ERROR::BLST_SUCCESS {
        Err(reason(error))
    } else if !blst_p1_affine_in_g1(&point) {
        Err(reason(BLST_ERROR::BLST_POINT_NOT_IN_GROUP))
    } else {
        Ok(Point(point))
    }
}

fn reason(error: BLST_ERROR) -> &'static str {
    match error {
        BLST_ERROR::BLST_POINT_NOT_ON_CURVE => "the point is not on the curve",
        BLST_ERROR::BLST_POINT_NOT_IN_GROUP => {
            "the point is on the curve but outside the subgroup of order r"
        }
        _ => "the flags are wrong or a coordinate is not below p",
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Point>()?;
    m.add_class::<PointG2>()?;
    m.add_function(wrap_pyfunction!(decode_points, m)?)?;
    m.add_function(wrap_pyfunction!(decode_affine_points, m)?)?;
    m.add_function(wrap_pyfunction!(encode_affine_points, m)?)?;
    m.add_function(wrap_pyfunction!(decode_g2, m)?)?;
    m.add_function(wrap_pyfunction!(identity, m)?)?;
    m.add_function(wrap_pyfunction!(generator, m)?)?;
    m.add_function(wrap_pyfunction!(generator_g2, m)?)?;
    m.add_function(wrap_pyfunction!(pairing_check, m)?)?;
    m.add_function(wrap_pyfunction!(lagrange_points, m)?)
}
