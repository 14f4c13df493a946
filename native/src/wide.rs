//! Products of 128-bit integers, exactly, and the shifts and quotients that bring them back.

/// a b as (high, low) halves of 128 bits.
const fn mul_unsigned(a: u128, b: u128) -> (u128, u128) {
    const LOW: u128 = u64::MAX as u128;
    let (a_high, a_low) = (a >> 64, a & LOW);
    let (b_high, b_low) = (b >> 64, b & LOW);
    let low = a_low * b_low;
    let cross = a_high * b_low + (low >> 64);
    let middle = a_low * b_high + (cross & LOW);
    let high = a_high * b_high + (cross >> 64) + (middle >> 64);
    (high, (middle << 64) | (low & LOW))
}

/// a b in two's complement of 256 bits.
pub const fn mul(a: i128, b: i128) -> (i128, u128) {
    let (mut high, low) = mul_unsigned(a as u128, b as u128);
    if a < 0 {
        high = high.wrapping_sub(b as u128);
    }
    if b < 0 {
        high = high.wrapping_sub(a as u128);
    }
    (high as i128, low)
}

/// floor(a b / 2^bits) for 0 < bits < 128, where it is known to fit.
pub const fn mul_floor(a: i128, b: i128, bits: u32) -> i128 {
    let (high, low) = mul(a, b);
    (high << (128 - bits)) | (low >> bits) as i128
}

/// floor(a b / 2^bits + 1/2) for 0 < bits < 128, if it fits.
pub fn mul_nearest(a: i128, b: i128, bits: u32) -> Option<i128> {
    let (high, low) = mul(a, b);
    let (low, carry) = low.overflowing_add(1 << (bits - 1));
    let high = high + i128::from(carry);
    let result = (high << (128 - bits)) | (low >> bits) as i128;
    // What was shifted out at the top must be nothing but copies of the sign.
    (high >> (bits - 1) == result >> 127).then_some(result)
}

/// floor(value / 2^bits + 1/2) for 0 < bits < 127, where value + 2^(bits - 1) is known not to overflow.
pub const fn nearest_shift(value: i128, bits: u32) -> i128 {
    (value + (1 << (bits - 1))) >> bits
}

/// floor(a d / 2^64) for |d| < 2^63 and |a d| < 2^190: two products of 64 bits, no more.
pub const fn mul_short(a: i128, d: i64) -> i128 {
    let d = d as i128;
    (a >> 64) * d + (((a as u64 as i128) * d) >> 64)
}

/// Quotient and remainder of high 2^128 + low by d, for high < d (Knuth's algorithm D with two digits of 64 bits).
pub fn div(high: u128, low: u128, d: u128) -> (u128, u128) {
    debug_assert!(high < d);
    if high == 0 {
        return (low / d, low % d);
    }
    let shift = d.leading_zeros();
    let d = d << shift;
    let (mut rest, low) = match shift {
        0 => (high, low),
        _ => ((high << shift) | (low >> (128 - shift)), low << shift),
    };
    let mut quotient = 0;
    for digit in [low >> 64, low & u128::from(u64::MAX)] {
        let (q, r) = div_digit(rest, digit, d);
        quotient = (quotient << 64) | q;
        rest = r;
    }
    (quotient, rest >> shift)
}

/// One digit of the quotient: (rest 2^64 + digit) / d with rest < d and d normalised.
fn div_digit(rest: u128, digit: u128, d: u128) -> (u128, u128) {
    let (d_high, d_low) = (d >> 64, d & u128::from(u64::MAX));
    let mut q = rest / d_high;
    let mut r = rest - q * d_high;
    while q >> 64 != 0 || q * d_low > ((r << 64) | digit) {
        q -= 1;
        r += d_high;
        if r >> 64 != 0 {
            break;
        }
    }
    let remainder = (rest << 64 | digit).wrapping_sub(q.wrapping_mul(d));
    (q, remainder)
}

/// A product of up to 512 bits, least significant limb first.
pub type Limbs = [u64; 8];

/// value times factor, where it is known to stay below 2^512.
pub fn mul_limbs(value: &Limbs, factor: u128) -> Limbs {
    let mut product = [0; 8];
    for (offset, digit) in [factor as u64, (factor >> 64) as u64]
        .into_iter()
        .enumerate()
    {
        let mut carry = 0;
        for k in 0..8 - offset {
            let sum =
                u128::from(value[k]) * u128::from(digit) + u128::from(product[k + offset]) + carry;
            product[k + offset] = sum as u64;
            carry = sum >> 64;
        }
    }
    product
}

/// value 2^-192 rounded to nearest, for a number of that sign and magnitude, if it fits; a tie goes up.
pub fn nearest_of_limbs(negative: bool, value: &Limbs) -> Option<i64> {
    // Above one half the magnitude grows by one; exactly at one half only a positive number's does.
    let beyond_half = value[2] << 1 != 0 || value[1] != 0 || value[0] != 0;
    let round_up = value[2] >> 63 == 1 && (beyond_half || !negative);
    if value[4..].iter().any(|&limb| limb != 0) {
        return None;
    }
    let magnitude = i128::from(value[3]) + i128::from(round_up);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of all sizes, from a linear congruential sequence.
    fn numbers() -> impl Iterator<Item = i128> {
        let mut state: u128 = 76;
        (0..4000).map(move |k| {
            state = state
                .wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645)
                .wrapping_add(k);
            (state as i128) >> (k % 127)
        })
    }

    #[test]
    fn quotients_undo_products() {
        for (a, b) in numbers().zip(numbers().skip(1)) {
            let (a, b) = (a.unsigned_abs(), b.unsigned_abs().max(1));
            let rest = a % b;
            let (high, low) = mul_unsigned(a, b);
            let (low, carry) = low.overflowing_add(rest);
            assert_eq!(div(high + u128::from(carry), low, b), (a, rest));
        }
    }

    #[test]
    fn short_and_long_products_agree() {
        for (a, d) in numbers().zip(numbers().skip(1)) {
            let (a, d) = (a >> 1, (d >> 66) as i64);
            assert_eq!(mul_short(a, d), mul_floor(a, i128::from(d), 64));
        }
    }

    #[test]
    fn rounding_meets_its_edges() {
        assert_eq!(mul_nearest(i128::MIN, 1 << 64, 64), Some(i128::MIN));
        assert_eq!(mul_nearest(i128::MIN, -1 << 64, 64), None);
        assert_eq!(mul_nearest(i128::MAX, 1 << 64, 64), Some(i128::MAX));
        assert_eq!(mul_nearest(-1, 1 << 63, 64), Some(0));
        assert_eq!(mul_nearest(1, 1 << 63, 64), Some(1));
        let half = [0, 0, 1 << 63, 7, 0, 0, 0, 0];
        assert_eq!(
            (
                nearest_of_limbs(false, &half),
                nearest_of_limbs(true, &half)
            ),
            (Some(8), Some(-7))
        );
        let largest = [0, 0, 0, 1 << 63, 0, 0, 0, 0];
        assert_eq!(
            (
                nearest_of_limbs(false, &largest),
                nearest_of_limbs(true, &largest)
            ),
            (None, Some(i64::MIN))
        );
    }
}
