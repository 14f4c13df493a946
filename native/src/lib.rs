//! The fast arithmetic behind `zkmargin.algebra` and `zkmargin.margin`.
use pyo3::prelude::*;

mod accounts;
mod algebra;
mod black76;
mod fixed;
mod machine;
mod normal;
mod pricing;
mod wide;

#[pymodule]
fn _native(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    accounts::register(m)?;
    algebra::register(m)?;
    machine::register(m)?;
    pricing::register(m)?;
    Ok(())
}
