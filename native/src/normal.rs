//! The normal distribution by Taylor polynomials about tabulated centres: the twin of margin/arithmetic/normal.py.
use crate::fixed::{exp, exp_wide, mul, Checked, GUARD_BITS, ONE, Q64, WIDE, WIDE_BITS};
use crate::wide;

const SPACING_BITS: u32 = 4;
const TERMS: usize = 15;
const TAIL_ENDS: Q64 = 37 << 62;
/// 1 / sqrt(2 pi) at the wide scale.
const PHI_0: i128 = 0x66_2114_cf50_d942_343f_2cf1_402f;

/// One centre c: Q(c), phi(c) and the coefficients b_n / (n + 1), at the wide scale.
#[derive(Clone, Copy)]
struct Piece {
    tail: i128,
    density: i128,
    coefficients: [i128; TERMS],
}

const fn coefficients(j: i128) -> [i128; TERMS] {
    let mut b = [0; TERMS];
    b[0] = WIDE;
    b[1] = -((j * WIDE) >> SPACING_BITS);
    let mut n = 1;
    while n < TERMS - 1 {
        b[n + 1] = (-(((j * b[n]) >> SPACING_BITS) + b[n - 1])).div_euclid(n as i128 + 1);
        n += 1;
    }
    n = 1;
    while n < TERMS {
        b[n] = b[n].div_euclid(n as i128 + 1);
        n += 1;
    }
    b
}

const fn density_at_centre(j: i128) -> i128 {
    let (y, k) = exp_wide(-((j * j) << (64 - 9)));
    wide::mul_floor(y, PHI_0, WIDE_BITS) >> k.unsigned_abs()
}

/// Q(c) - Q(c + d) at the wide scale, for d in Q64 with |d| <= 1/32.
const fn drop(density: i128, coefficients: &[i128; TERMS], d: i64) -> i128 {
    let (mut total, mut n) = (0, TERMS);
    while n > 0 {
        n -= 1;
        total = coefficients[n] + wide::mul_short(total, d);
    }
    wide::mul_floor(density, wide::mul_short(total, d), WIDE_BITS)
}

const COUNT: usize = (TAIL_ENDS >> (64 - SPACING_BITS)) as usize + 1;

static PIECES: [Piece; COUNT] = {
    const REACH: i64 = (ONE >> (SPACING_BITS + 1)) as i64;
    let mut pieces = [Piece {
        tail: 0,
        density: 0,
        coefficients: [0; TERMS],
    }; COUNT];
    let mut tail = WIDE >> 1;
    let mut j = 0;
    while j < COUNT {
        let (density, coefficients) = (density_at_centre(j as i128), coefficients(j as i128));
        if j > 0 {
            tail += drop(density, &coefficients, -REACH);
        }
        pieces[j] = Piece {
            tail,
            density,
            coefficients,
        };
        tail -= drop(density, &coefficients, REACH);
        j += 1;
    }
    pieces
};

/// Q(x) = 1 - N(x) for x >= 0.
fn tail(x: Q64) -> Q64 {
    const SHIFT: u32 = 64 - SPACING_BITS;
    if x >= TAIL_ENDS {
        return 0;
    }
    let j = wide::nearest_shift(x, SHIFT);
    let piece = &PIECES[j as usize];
    let d = (x - (j << SHIFT)) as i64;
    wide::nearest_shift(
        piece.tail - drop(piece.density, &piece.coefficients, d),
        GUARD_BITS,
    )
}

/// N(x).
pub fn distribution(x: Q64) -> Q64 {
    if x < 0 {
        tail(x.saturating_neg())
    } else {
        ONE - tail(x)
    }
}

/// phi(x).
pub fn density(x: Q64) -> Checked {
    match wide::mul_nearest(x, x, 65) {
        Some(half_square) => mul(exp(-half_square)?, wide::nearest_shift(PHI_0, GUARD_BITS)),
        None => Ok(0),
    }
}
