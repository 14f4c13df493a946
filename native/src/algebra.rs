//! What `zkmargin.algebra` uses of this crate.

use pyo3::prelude::*;

mod buckets;
#[cfg(target_arch = "x86_64")]
mod buckets_lanes;
mod buckets_portable;
#[cfg(target_arch = "x86_64")]
mod coordinate;
mod curve;
mod field;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod matrix;
mod msm;
mod ntt;
#[cfg(target_arch = "x86_64")]
mod ntt_lanes;
#[cfg(target_arch = "x86_64")]
mod roots;
#[cfg(target_arch = "x86_64")]
mod scalar_lanes;
mod sparse;
mod straus;
#[cfg(target_arch = "x86_64")]
mod subgroup;
mod vector;
#[cfg(target_arch = "x86_64")]
mod vector_lanes;

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    vector::register(m)?;
    matrix::register(m)?;
    curve::register(m)?;
    msm::register(m)?;
    sparse::register(m)
}
