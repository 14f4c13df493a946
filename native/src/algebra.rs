//! What `zkmargin.algebra` uses of this crate.

use pyo3::prelude::*;

mod curve;
mod field;
mod matrix;
mod msm;
mod ntt;
mod vector;

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    vector::register(m)?;
    matrix::register(m)?;
    curve::register(m)?;
    msm::register(m)
}
