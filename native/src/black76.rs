//! Black's formula for options on a forward: the twin of margin/arithmetic/black76.py, operation by operation.
use crate::fixed::{div, ln, mul, sqrt, sub, Checked, Reason, ONE, Q64};
use crate::normal::{density, distribution};

const DEVIATIONS: Q64 = 16;
const WIDEST: Q64 = 64 * ONE;

/// An option's terms. `root` is sqrt(max(years, 0)), worked out once for all cells of the option.
#[derive(Clone, Copy)]
pub struct Terms {
    pub call: bool,
    pub strike: Q64,
    pub years: Q64,
    pub discount: Q64,
    root: Q64,
}

impl Terms {
    pub fn new(call: bool, strike: Q64, years: Q64, discount: Q64) -> Result<Self, Reason> {
        Ok(Self {
            call,
            strike,
            years,
            discount,
            root: sqrt(years.max(0))?,
        })
    }

    fn check(&self, forward: Q64, vol: Q64) -> Result<(), Reason> {
        let operands = [
            (forward, "the forward is negative"),
            (self.strike, "the strike is negative"),
            (vol, "the volatility is negative"),
            (self.discount, "the discount factor is negative"),
        ];
        operands
            .into_iter()
            .find(|(value, _)| *value < 0)
            .map_or(Ok(()), |(_, reason)| Err(reason))
    }

    /// s = vol sqrt(T), at most 64.
    fn deviation(&self, vol: Q64) -> Q64 {
        mul(vol, self.root).map_or(WIDEST, |s| s.min(WIDEST))
    }

    /// d1, or None in the intrinsic limit.
    fn d1(&self, forward: Q64, s: Q64) -> Result<Option<Q64>, Reason> {
        if forward == 0 || self.strike == 0 {
            return Ok(None);
        }
        let moneyness = ln(forward)? - ln(self.strike)?;
        if moneyness.abs() >= DEVIATIONS * s {
            return Ok(None);
        }
        Ok(Some(div(moneyness, s)? + (s >> 1)))
    }

    fn undiscounted(&self, forward: Q64, s: Q64, d1: Option<Q64>) -> Checked {
        let mut value = (forward - self.strike).max(0);
        if let Some(d1) = d1 {
            let model = mul(forward, distribution(d1))? - mul(self.strike, distribution(d1 - s))?;
            value = model.max(value).min(forward);
        }
        Ok(if self.call {
            value
        } else {
            value - (forward - self.strike)
        })
    }

    /// The price of one option.
    pub fn price(&self, forward: Q64, vol: Q64) -> Checked {
        self.check(forward, vol)?;
        let s = self.deviation(vol);
        mul(
            self.undiscounted(forward, s, self.d1(forward, s)?)?,
            self.discount,
        )
    }

    fn call_delta(&self, forward: Q64, d1: Option<Q64>) -> Q64 {
        match d1 {
            Some(d1) => distribution(d1),
            None => {
                (ONE >> 1) * (Q64::from(forward >= self.strike) + Q64::from(forward > self.strike))
            }
        }
    }

    fn discount_rate(&self) -> Checked {
        if self.discount > 0 && self.years > 0 {
            div(-ln(self.discount)?, self.years)
        } else {
            Ok(0)
        }
    }

    /// Value, delta, gamma, vega and theta.
    pub fn greeks(&self, forward: Q64, vol: Q64) -> Result<[Q64; 5], Reason> {
        self.check(forward, vol)?;
        let s = self.deviation(vol);
        let d1 = self.d1(forward, s)?;
        let value = mul(self.undiscounted(forward, s, d1)?, self.discount)?;
        let parity = if self.call { 0 } else { ONE };
        let delta = mul(self.call_delta(forward, d1) - parity, self.discount)?;
        let interest = mul(self.discount_rate()?, value)?;
        let Some(d1) = d1 else {
            return Ok([value, delta, 0, 0, interest]);
        };
        let weight = mul(self.discount, density(d1)?)?;
        let exposure = mul(forward, weight)?;
        let decay = div(mul(exposure, vol)?, 2 * self.root)?;
        let gamma = div(div(weight, s)?, forward)?;
        let vega = mul(exposure, self.root)?;
        Ok([value, delta, gamma, vega, sub(interest, decay)?])
    }
}
