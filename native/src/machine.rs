//! Which instructions this machine has, and which of them the environment lets the kernels use.

use pyo3::prelude::*;
use std::sync::OnceLock;

const VARIABLE: &str = "ZKMARGIN_KERNELS";

/// Whether ZKMARGIN_KERNELS asks for kernels that every machine can run. It is read once, at the first call.
fn portable() -> bool {
    static ASKED: OnceLock<bool> = OnceLock::new();
    *ASKED.get_or_init(|| std::env::var_os(VARIABLE).is_some_and(|value| value == "portable"))
}

/// Whether the machine has the 52-bit multiplications of AVX-512 IFMA.
#[cfg(target_arch = "x86_64")]
pub fn has_ifma() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma")
}

/// Whether kernels use AVX-512 IFMA.
#[cfg(target_arch = "x86_64")]
pub fn ifma() -> bool {
    has_ifma() && !portable()
}

/// Whether kernels use the 64-bit multiplications of AVX-512.
#[cfg(target_arch = "x86_64")]
pub fn avx512() -> bool {
    is_x86_feature_detected!("avx512dq") && is_x86_feature_detected!("avx512vl") && !portable()
}

/// The name of the widest instructions that kernels use: "ifma", "avx512" or "portable".
#[pyfunction]
fn kernels() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    match (ifma(), avx512()) {
        (true, _) => return "ifma",
        (false, true) => return "avx512",
        (false, false) => {}
    }
    "portable"
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(kernels, m)?)
}
