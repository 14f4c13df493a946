//! Signed fixed point with 64 fractional bits: the twin of margin/arithmetic/fixed.py, operation by operation.
//!
//! Q64 numbers are `i128`; inner series run at `WIDE_BITS` fractional bits. Docstrings there, with errors and sources.
use crate::wide;

pub type Q64 = i128;
/// What is out of range, in the words of the Python twin.
pub type Reason = &'static str;
pub type Checked = Result<Q64, Reason>;

pub const ONE: Q64 = 1 << 64;
pub const WIDE_BITS: u32 = 104;
pub const WIDE: i128 = 1 << WIDE_BITS;
pub const GUARD_BITS: u32 = WIDE_BITS - 64;

macro_rules! leaves {
    ($operation:literal) => {
        concat!(
            $operation,
            " leaves the range of 64.64 fixed point, |x| < 2^63"
        )
    };
}

/// a + b.
pub fn add(a: Q64, b: Q64) -> Checked {
    a.checked_add(b).ok_or(leaves!("addition"))
}

/// a - b.
pub fn sub(a: Q64, b: Q64) -> Checked {
    a.checked_sub(b).ok_or(leaves!("subtraction"))
}

/// a b, rounded to nearest.
pub fn mul(a: Q64, b: Q64) -> Checked {
    wide::mul_nearest(a, b, 64).ok_or(leaves!("multiplication"))
}

/// a / b, rounded to nearest.
pub fn div(a: Q64, b: Q64) -> Checked {
    const OVERFLOW: Reason = leaves!("division");
    if b == 0 {
        return Err("division by zero");
    }
    let (size, divisor) = (a.unsigned_abs(), b.unsigned_abs());
    if size >> 64 >= divisor {
        return Err(OVERFLOW);
    }
    let (quotient, remainder) = wide::div(size >> 64, size << 64, divisor);
    let negative = (a < 0) != (b < 0);
    // Halves go up, which for a negative quotient means to the smaller magnitude.
    let round = if negative {
        remainder > divisor - remainder
    } else {
        remainder >= divisor - remainder
    };
    let size = quotient.checked_add(u128::from(round)).ok_or(OVERFLOW)?;
    match (negative, i128::try_from(size)) {
        (false, Ok(size)) => Ok(size),
        (true, Ok(size)) => Ok(-size),
        (true, Err(_)) if size == 1 << 127 => Ok(i128::MIN),
        _ => Err(OVERFLOW),
    }
}

/// The square root, rounded to nearest: Newton's iteration from above, in integers.
pub fn sqrt(x: Q64) -> Checked {
    if x < 0 {
        return Err("square root of a negative number");
    }
    if x == 0 {
        return Ok(0);
    }
    let x = x as u128;
    let (high, low) = (x >> 64, x << 64);
    let mut root = (x.isqrt() + 1) << 32;
    loop {
        let next = (root + wide::div(high, low, root).0) >> 1;
        if next >= root {
            break;
        }
        root = next;
    }
    // The remainder of an integer root is at most twice the root, so its low half is all of it.
    let remainder = low.wrapping_sub(root.wrapping_mul(root));
    Ok((root + u128::from(remainder > root)) as i128)
}

/// ln(a / b) at the wide scale, 0 < b <= a <= 2 b.
const fn log_ratio(a: i128, b: i128) -> i128 {
    let (p, q) = (a - b, a + b);
    let (mut power, mut total, mut n) = ((p << WIDE_BITS) / q, 0, 1);
    while n < 80 {
        total += power / n;
        power = power * p / q * p / q;
        n += 2;
    }
    2 * total
}

const LN_2: i128 = log_ratio(2, 1);
const LOG_INDEX_BITS: u32 = 7;
const RECIPROCAL_BITS: u32 = 12;
const RESIDUE_BITS: u32 = 70;

/// The 12-bit reciprocals of 1 + (j + 1/2) / 128 with the logarithms of their inverses.
static LOGARITHMS: [(i128, i128); 128] = {
    let mut table = [(0, 0); 128];
    let mut j = 0;
    while j < 128 {
        let odd = 257 + 2 * j as i128;
        let reciprocal = ((1 << 21) + odd) / (2 * odd);
        table[j] = (reciprocal, log_ratio(1 << RECIPROCAL_BITS, reciprocal));
        j += 1;
    }
    table
};

/// (-1)^(n + 1) / n, the last first.
static LOG_SERIES: [i128; 10] = {
    let mut series = [0; 10];
    let mut n = 1;
    while n <= 10 {
        let sign = if n % 2 == 1 { 1 } else { -1 };
        series[10 - n] = (sign * WIDE).div_euclid(n as i128);
        n += 1;
    }
    series
};

/// The natural logarithm.
pub fn ln(x: Q64) -> Checked {
    if x <= 0 {
        return Err("logarithm of a number that is not positive");
    }
    let k = 127 - x.leading_zeros();
    let m = if k <= WIDE_BITS {
        x << (WIDE_BITS - k)
    } else {
        x >> (k - WIDE_BITS)
    };
    let j = (m >> (WIDE_BITS - LOG_INDEX_BITS)) - (1 << LOG_INDEX_BITS);
    let (reciprocal, logarithm) = LOGARITHMS[j as usize];
    let excess = m * reciprocal - (WIDE << RECIPROCAL_BITS);
    let e = (excess >> (WIDE_BITS + RECIPROCAL_BITS - RESIDUE_BITS)) as i64;
    let times_e = |value| wide::mul_short(value, e) >> (RESIDUE_BITS - 64);
    let series = LOG_SERIES
        .iter()
        .fold(0, |sum, coefficient| coefficient + times_e(sum));
    let scale = i128::from(k as i32 - 64) * LN_2;
    Ok(wide::nearest_shift(
        scale + logarithm + times_e(series),
        GUARD_BITS,
    ))
}

/// 1 / n!, the last first.
const EXP_SERIES: [i128; 29] = {
    let mut series = [0; 29];
    // floor(floor(a / m) / n) = floor(a / (m n)), so dividing step by step equals dividing by the factorial.
    let mut coefficient = WIDE;
    let mut n = 0;
    while n < 29 {
        if n > 0 {
            coefficient /= n as i128;
        }
        series[28 - n] = coefficient;
        n += 1;
    }
    series
};

/// (y, k) with e^x = y 2^k and y in [1, 2) at the wide scale, for |x| <= 64.
pub const fn exp_wide(x: Q64) -> (i128, i32) {
    let x = x << GUARD_BITS;
    let (k, r) = (x.div_euclid(LN_2), x.rem_euclid(LN_2));
    let (mut y, mut n) = (0, 0);
    while n < EXP_SERIES.len() {
        y = EXP_SERIES[n] + wide::mul_floor(y, r, WIDE_BITS);
        n += 1;
    }
    (y, k as i32)
}

/// e^x.
pub fn exp(x: Q64) -> Checked {
    const OVERFLOW: Reason = leaves!("exponential");
    if x < -46 * ONE {
        return Ok(0);
    }
    if x >= 44 * ONE {
        return Err(OVERFLOW);
    }
    let (y, k) = exp_wide(x);
    match k - GUARD_BITS as i32 {
        shift if shift >= 23 => Err(OVERFLOW),
        shift if shift >= 0 => Ok(y << shift),
        shift => Ok(wide::nearest_shift(y, shift.unsigned_abs())),
    }
}

/// x^p = exp(p ln x); 0^p = 0 for p > 0, x^0 = 1.
pub fn power(x: Q64, p: Q64) -> Checked {
    if p == 0 {
        return Ok(ONE);
    }
    if x == 0 && p > 0 {
        return Ok(0);
    }
    exp(mul(p, ln(x)?)?)
}
