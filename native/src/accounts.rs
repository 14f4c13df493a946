//! Many accounts at once on one grid: exact requirements at the speed of 64-bit products.
//!
//! Slots whose lots are worth the same share a group. Within a group profits add up in 64 bits, if a bound computed
//! for that very account shows that they cannot overflow, and in 128 bits otherwise; groups join in 128 bits. The
//! caller has shown that no account within its bounds passes 2^115 money units.
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rayon::prelude::*;

/// Accounts handed to a core together.
const CHUNK: usize = 512;
/// Eight lanes of 64 bits: rows of profits are padded to whole registers.
const LANES: usize = 8;
const NONE: i32 = -1;

/// What every account is held against; see `margin/account/book.py` for the meaning of each column.
#[pyclass(frozen)]
pub struct GridKernel {
    cells: usize,
    width: usize,
    units: usize,
    scales: Vec<i128>,
    /// Slot-major, padded: risk[slot * width + cell].
    risk: Vec<i64>,
    largest: Vec<u64>,
    unit: Vec<i32>,
    group: Vec<i32>,
    bound: Vec<i64>,
    mark: Vec<i128>,
    perpetual: Vec<i128>,
    strike: Vec<i32>,
    strike_charge: Vec<i128>,
    collateral: Vec<i32>,
    collateral_charge: Vec<i128>,
    collaterals: usize,
    numerator: i128,
    denominator: i128,
    tick: i128,
}

/// One core's working space, reused from account to account.
struct Scratch {
    narrow: Vec<i64>,
    wide: Vec<i128>,
    weight: Vec<u128>,
    held: Vec<u32>,
    strikes: Vec<i64>,
    touched: Vec<usize>,
    equity: Vec<i128>,
}

/// Why an account cannot be valued: its place, and the slot at fault.
enum Fault {
    Bound(usize, usize),
    Twice(usize, usize),
    Slot(usize),
    Wide(usize),
}

impl Fault {
    fn account(&self) -> usize {
        match *self {
            Fault::Bound(a, _) | Fault::Twice(a, _) | Fault::Slot(a) | Fault::Wide(a) => a,
        }
    }

    fn raise(&self) -> PyErr {
        let (kind, account, slot) = match *self {
            Fault::Bound(a, s) => ("bound", a, s as i64),
            Fault::Twice(a, s) => ("twice", a, s as i64),
            Fault::Slot(a) => ("slot", a, -1),
            Fault::Wide(a) => ("wide", a, -1),
        };
        PyValueError::new_err((kind, account, slot))
    }
}

fn i64s(bytes: &[u8]) -> Vec<i64> {
    let (entries, _) = bytes.as_chunks::<8>();
    entries.iter().map(|e| i64::from_le_bytes(*e)).collect()
}

fn i32s(bytes: &[u8]) -> Vec<i32> {
    let (entries, _) = bytes.as_chunks::<4>();
    entries.iter().map(|e| i32::from_le_bytes(*e)).collect()
}

fn i128s(bytes: &[u8]) -> Vec<i128> {
    let (entries, _) = bytes.as_chunks::<16>();
    entries.iter().map(|e| i128::from_le_bytes(*e)).collect()
}

/// sums[s] += lots * risk[s], eight cells at a time.
#[inline(always)]
fn accumulate(sums: &mut [i64], risk: &[i64], lots: i64) {
    for (sum, change) in sums.iter_mut().zip(risk) {
        *sum = sum.wrapping_add(lots.wrapping_mul(*change));
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl")]
fn accumulate_avx512(sums: &mut [i64], risk: &[i64], lots: i64) {
    accumulate(sums, risk, lots);
}

fn add_product(sums: &mut [i64], risk: &[i64], lots: i64) {
    #[cfg(target_arch = "x86_64")]
    if crate::machine::avx512() {
        // SAFETY: the instructions were just found on this processor.
        unsafe { accumulate_avx512(sums, risk, lots) };
        return;
    }
    accumulate(sums, risk, lots);
}

impl GridKernel {
    fn scratch(&self) -> Scratch {
        let rows = self.scales.len() * self.units;
        Scratch {
            narrow: vec![0; rows * self.width],
            wide: vec![0; self.cells],
            weight: vec![0; rows],
            held: vec![u32::MAX; self.unit.len()],
            strikes: vec![0; self.strike_charge.len()],
            touched: Vec::new(),
            equity: vec![0; self.collaterals],
        }
    }

    /// Account value and excess of one account in ticks, both floored.
    fn value(
        &self,
        account: usize,
        slots: &[i32],
        lots: &[i64],
        at: u32,
        s: &mut Scratch,
    ) -> Result<[i64; 2], Fault> {
        s.weight.fill(0);
        s.equity.fill(0);
        let (mut worth, mut charges) = (0i128, 0i128);
        for (&slot, &held) in slots.iter().zip(lots) {
            let slot = usize::try_from(slot)
                .ok()
                .filter(|slot| *slot < self.unit.len())
                .ok_or(Fault::Slot(account))?;
            if held.unsigned_abs() > self.bound[slot].unsigned_abs() {
                return Err(Fault::Bound(account, slot));
            }
            if std::mem::replace(&mut s.held[slot], at) == at {
                return Err(Fault::Twice(account, slot));
            }
            let wide = i128::from(held);
            worth += wide * self.mark[slot];
            charges += wide.abs() * self.perpetual[slot];
            if self.collateral[slot] != NONE {
                s.equity[self.collateral[slot] as usize] += wide * self.collateral_charge[slot];
            }
            if self.strike[slot] != NONE {
                let strike = self.strike[slot] as usize;
                if s.strikes[strike] == 0 {
                    s.touched.push(strike);
                }
                s.strikes[strike] += held;
            }
            if self.unit[slot] != NONE {
                let row = self.row(slot);
                s.weight[row] += u128::from(held.unsigned_abs()) * u128::from(self.largest[slot]);
            }
        }
        for strike in s.touched.drain(..) {
            let net = std::mem::take(&mut s.strikes[strike]);
            charges += i128::from((-net).max(0)) * self.strike_charge[strike];
        }
        charges += s.equity.iter().map(|equity| (*equity).max(0)).sum::<i128>();
        let loss = self.losses(slots, lots, s);
        let excess = self.denominator * (worth - charges) - self.numerator * loss;
        let excess = excess.div_euclid(self.denominator * self.tick);
        match (
            i64::try_from(worth.div_euclid(self.tick)),
            i64::try_from(excess),
        ) {
            (Ok(worth), Ok(excess)) => Ok([worth, excess]),
            _ => Err(Fault::Wide(account)),
        }
    }

    fn row(&self, slot: usize) -> usize {
        self.unit[slot] as usize * self.scales.len() + self.group[slot] as usize
    }

    /// The sum over units of the worst loss, never below zero.
    fn losses(&self, slots: &[i32], lots: &[i64], s: &mut Scratch) -> i128 {
        let groups = self.scales.len();
        for (row, weight) in s.weight.iter().enumerate() {
            if *weight != 0 {
                s.narrow[row * self.width..(row + 1) * self.width].fill(0);
            }
        }
        for (&slot, &held) in slots.iter().zip(lots) {
            let slot = slot as usize;
            if self.unit[slot] != NONE && s.weight[self.row(slot)] <= i64::MAX as u128 {
                let from = self.row(slot) * self.width;
                let risk = &self.risk[slot * self.width..(slot + 1) * self.width];
                add_product(&mut s.narrow[from..from + self.width], risk, held);
            }
        }
        let mut total = 0i128;
        for unit in 0..self.units {
            s.wide.fill(0);
            for group in 0..groups {
                let row = unit * groups + group;
                let scale = self.scales[group];
                if s.weight[row] == 0 {
                    continue;
                } else if s.weight[row] <= i64::MAX as u128 {
                    let sums = &s.narrow[row * self.width..];
                    for (cell, sum) in s.wide.iter_mut().zip(sums) {
                        *cell += i128::from(*sum) * scale;
                    }
                } else {
                    for (&slot, &held) in slots.iter().zip(lots) {
                        let slot = slot as usize;
                        if self.unit[slot] != NONE && self.row(slot) == row {
                            let weight = i128::from(held) * scale;
                            let risk = &self.risk[slot * self.width..];
                            for (cell, change) in s.wide.iter_mut().zip(risk) {
                                *cell += weight * i128::from(*change);
                            }
                        }
                    }
                }
            }
            total += s
                .wide
                .iter()
                .map(|profit| -profit)
                .max()
                .unwrap_or(0)
                .max(0);
        }
        total
    }
}

#[pymethods]
impl GridKernel {
    /// All columns little-endian; `sizes` is (cells, units, collaterals), `factors` (numerator, denominator, tick).
    #[new]
    fn new(
        sizes: (usize, usize, usize),
        factors: (i128, i128, i128),
        scales: &[u8],
        risk: &[u8],
        integers: [Vec<u8>; 4],
        bound: &[u8],
        money: [Vec<u8>; 4],
    ) -> PyResult<Self> {
        let (cells, units, collaterals) = sizes;
        let width = cells.div_ceil(LANES) * LANES;
        let [unit, group, strike, collateral] = integers.map(|column| i32s(&column));
        let [mark, perpetual, strike_charge, collateral_charge] =
            money.map(|column| i128s(&column));
        let narrow = i64s(risk);
        let bound = i64s(bound);
        let count = bound.len();
        let lengths = [
            unit.len(),
            group.len(),
            strike.len(),
            collateral.len(),
            mark.len(),
        ];
        let consistent = narrow.len() == cells * count
            && lengths.iter().all(|length| *length == count)
            && perpetual.len() == count
            && collateral_charge.len() == count;
        if !consistent || cells == 0 {
            return Err(PyValueError::new_err("columns of different lengths"));
        }
        let mut padded = vec![0; count * width];
        for (row, target) in narrow.chunks(cells).zip(padded.chunks_mut(width)) {
            target[..cells].copy_from_slice(row);
        }
        let largest = narrow
            .chunks(cells)
            .map(|row| {
                row.iter()
                    .map(|change| change.unsigned_abs())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let (numerator, denominator, tick) = factors;
        Ok(Self {
            cells,
            width,
            units,
            scales: i128s(scales),
            risk: padded,
            largest,
            unit,
            group,
            bound,
            mark,
            perpetual,
            strike,
            strike_charge,
            collateral,
            collateral_charge,
            collaterals,
            numerator,
            denominator,
            tick,
        })
    }

    /// Account values and excesses in ticks, in pairs of int64. Raises ValueError(kind, account, slot).
    fn run<'py>(
        &self,
        py: Python<'py>,
        offsets: &[u8],
        slots: &[u8],
        lots: &[u8],
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (offsets, slots, lots) = (i64s(offsets), i32s(slots), i64s(lots));
        let rising = offsets.windows(2).all(|pair| pair[0] <= pair[1]);
        if offsets.first() != Some(&0)
            || offsets.last() != Some(&(slots.len() as i64))
            || !rising
            || slots.len() != lots.len()
        {
            return Err(PyValueError::new_err(
                "offsets do not cut the positions into accounts",
            ));
        }
        let mut out = vec![[0i64; 2]; offsets.len() - 1];
        let fault = py.detach(|| {
            out.par_chunks_mut(CHUNK)
                .enumerate()
                .filter_map(|(chunk, results)| {
                    let mut scratch = self.scratch();
                    for (place, result) in results.iter_mut().enumerate() {
                        let account = chunk * CHUNK + place;
                        let span = offsets[account] as usize..offsets[account + 1] as usize;
                        let held = (&slots[span.clone()], &lots[span]);
                        match self.value(account, held.0, held.1, place as u32, &mut scratch) {
                            Ok(ticks) => *result = ticks,
                            Err(fault) => return Some(fault),
                        }
                    }
                    None
                })
                .min_by_key(Fault::account)
        });
        if let Some(fault) = fault {
            return Err(fault.raise());
        }
        let bytes: Vec<u8> = out
            .iter()
            .flatten()
            .flat_map(|ticks| ticks.to_le_bytes())
            .collect();
        Ok(PyBytes::new(py, &bytes))
    }
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<GridKernel>()
}
