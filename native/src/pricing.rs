//! The kernels of margin/arithmetic/kernels.py over whole columns: rows in parallel, without the interpreter's lock.
//!
//! Q64 columns travel as bytes, 16 a number, little-endian two's complement. A row that fails raises
//! PricingError(row, reason), the first such row whatever the order of execution.
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rayon::prelude::*;

use crate::black76::Terms;
use crate::fixed::{self, Checked, Reason, ONE, Q64};
use crate::{normal, wide};

create_exception!(_native, PricingError, PyValueError);

const THIRTY_DAYS: Q64 = (60 * ONE + 365) / 730;

fn column(bytes: &[u8], count: usize) -> PyResult<Vec<Q64>> {
    let (entries, rest) = bytes.as_chunks::<16>();
    if entries.len() != count || !rest.is_empty() {
        return Err(PyValueError::new_err(format!(
            "a column of {} bytes does not hold {count} numbers",
            bytes.len()
        )));
    }
    Ok(entries
        .iter()
        .map(|entry| Q64::from_le_bytes(*entry))
        .collect())
}

/// Fills a matrix row by row, in parallel and detached from the interpreter.
fn rows<T, F>(py: Python<'_>, count: usize, width: usize, fill: F) -> PyResult<Vec<T>>
where
    T: Default + Clone + Send,
    F: Fn(usize, &mut [T]) -> Result<(), Reason> + Sync,
{
    let mut matrix = vec![T::default(); count * width];
    let failure = py.detach(|| {
        matrix
            .par_chunks_mut(width.max(1))
            .enumerate()
            .filter_map(|(index, row)| fill(index, row).err().map(|reason| (index, reason)))
            .min_by_key(|(index, _)| *index)
    });
    failure.map_or(Ok(matrix), |failure| Err(PricingError::new_err(failure)))
}

fn packed<'py>(py: Python<'py>, values: &[Q64]) -> Bound<'py, PyBytes> {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    PyBytes::new(py, &bytes)
}

/// The terms and forwards of options, checked to be of one length.
struct Options {
    call: Vec<u8>,
    forward: Vec<Q64>,
    strike: Vec<Q64>,
    years: Vec<Q64>,
    discount: Vec<Q64>,
}

impl Options {
    /// From one byte an option (0: put) and the four columns in this order.
    fn read(call: &[u8], columns: [&[u8]; 4]) -> PyResult<Self> {
        let [forward, strike, years, discount] = columns;
        let read = |bytes| column(bytes, call.len());
        Ok(Self {
            call: call.to_vec(),
            forward: read(forward)?,
            strike: read(strike)?,
            years: read(years)?,
            discount: read(discount)?,
        })
    }

    fn terms(&self, i: usize) -> Result<Terms, Reason> {
        Terms::new(
            self.call[i] != 0,
            self.strike[i],
            self.years[i],
            self.discount[i],
        )
    }
}

#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn option_values<'py>(
    py: Python<'py>,
    call: &[u8],
    forward: &[u8],
    strike: &[u8],
    years: &[u8],
    discount: &[u8],
    vols: &[u8],
    factors: &[u8],
    vol_columns: Vec<usize>,
) -> PyResult<Bound<'py, PyBytes>> {
    let options = Options::read(call, [forward, strike, years, discount])?;
    let count = call.len();
    let width = vols.len() / 16 / count.max(1);
    let vols = column(vols, count * width)?;
    let factors = column(factors, vol_columns.len())?;
    if count > 0 && vol_columns.iter().any(|&column| column >= width) {
        return Err(PyValueError::new_err(
            "a cell names a volatility column that is not there",
        ));
    }
    let values = rows(py, count, factors.len(), |i, row| {
        let terms = options.terms(i)?;
        let smile = &vols[i * width..(i + 1) * width];
        for ((value, &factor), &vol) in row.iter_mut().zip(&factors).zip(&vol_columns) {
            *value = terms.price(fixed::mul(options.forward[i], factor)?, smile[vol])?;
        }
        Ok(())
    })?;
    Ok(packed(py, &values))
}

#[pyfunction]
fn option_greeks<'py>(
    py: Python<'py>,
    call: &[u8],
    forward: &[u8],
    strike: &[u8],
    years: &[u8],
    discount: &[u8],
    vols: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let options = Options::read(call, [forward, strike, years, discount])?;
    let vols = column(vols, call.len())?;
    let greeks = rows(py, call.len(), 5, |i, row| {
        row.copy_from_slice(&options.terms(i)?.greeks(options.forward[i], vols[i])?);
        Ok(())
    })?;
    Ok(packed(py, &greeks))
}

/// `shock` holds up, down, minimum, floor, short power and long power.
#[pyfunction]
fn shocked_vols<'py>(
    py: Python<'py>,
    vols: &[u8],
    years: &[u8],
    shock: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let count = vols.len() / 16;
    let (vols, years) = (column(vols, count)?, column(years, count)?);
    let shock = column(shock, 6)?;
    let [up, down, minimum, floor, short_power, long_power] = std::array::from_fn(|k| shock[k]);
    let shocked = rows(py, count, 3, |i, row| {
        let vol = vols[i];
        if vol < 0 {
            return Err("the volatility is negative");
        }
        let exponent = if years[i] <= THIRTY_DAYS {
            short_power
        } else {
            long_power
        };
        let scale = fixed::power(fixed::div(THIRTY_DAYS, years[i].max(floor))?, exponent)?;
        let raised = fixed::mul(vol, fixed::add(ONE, fixed::mul(up, scale)?)?)?;
        let lowered = fixed::mul(vol, (ONE - fixed::mul(down, scale)?).max(0))?;
        row.copy_from_slice(&[vol, raised.max(minimum), lowered]);
        Ok(())
    })?;
    Ok(packed(py, &shocked))
}

#[pyfunction]
fn risk_array<'py>(
    py: Python<'py>,
    base: &[u8],
    values: &[u8],
    damping: &[u8],
    multiplier: &[u8],
    quanta: Vec<u64>,
) -> PyResult<Bound<'py, PyBytes>> {
    let (count, width) = (quanta.len(), damping.len() / 16);
    let values = column(values, count * width)?;
    let damping = column(damping, width)?;
    let (base, multiplier) = (column(base, count)?, column(multiplier, count)?);
    let risk = rows(py, count, width, |i, row| {
        let weight = wide::mul_limbs(
            &[quanta[i], 0, 0, 0, 0, 0, 0, 0],
            multiplier[i].unsigned_abs(),
        );
        for ((entry, &damp), &value) in row.iter_mut().zip(&damping).zip(&values[i * width..]) {
            let negative = (value < base[i]) ^ (damp < 0) ^ (multiplier[i] < 0);
            let product = wide::mul_limbs(&weight, value.abs_diff(base[i]));
            let product = wide::mul_limbs(&product, damp.unsigned_abs());
            *entry = wide::nearest_of_limbs(negative, &product)
                .ok_or("an entry of the risk array does not fit into 64 bits")?;
        }
        Ok(())
    })?;
    let bytes: Vec<u8> = risk
        .iter()
        .flat_map(|entry: &i64| entry.to_le_bytes())
        .collect();
    Ok(PyBytes::new(py, &bytes))
}

type Function = fn(Q64, Q64) -> Checked;

/// The scalar functions by name; those of one operand ignore the second.
const FUNCTIONS: [(&str, Function); 8] = [
    ("mul", fixed::mul),
    ("div", fixed::div),
    ("power", fixed::power),
    ("sqrt", |x, _| fixed::sqrt(x)),
    ("ln", |x, _| fixed::ln(x)),
    ("exp", |x, _| fixed::exp(x)),
    ("distribution", |x, _| Ok(normal::distribution(x))),
    ("density", |x, _| normal::density(x)),
];

/// One scalar function over two columns, to compare the two implementations.
#[pyfunction]
fn q64_map<'py>(
    py: Python<'py>,
    name: &str,
    left: &[u8],
    right: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let function = FUNCTIONS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, function)| *function);
    let function =
        function.ok_or_else(|| PyValueError::new_err(format!("no function is called {name}")))?;
    let count = left.len() / 16;
    let (left, right) = (column(left, count)?, column(right, count)?);
    let results = rows(py, count, 1, |i, row| {
        row[0] = function(left[i], right[i])?;
        Ok(())
    })?;
    Ok(packed(py, &results))
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("PricingError", m.py().get_type::<PricingError>())?;
    m.add_function(wrap_pyfunction!(option_values, m)?)?;
    m.add_function(wrap_pyfunction!(option_greeks, m)?)?;
    m.add_function(wrap_pyfunction!(shocked_vols, m)?)?;
    m.add_function(wrap_pyfunction!(risk_array, m)?)?;
    m.add_function(wrap_pyfunction!(q64_map, m)?)
}
