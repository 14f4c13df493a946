//! Affine additions eight side by side, on the 52-bit multipliers of AVX-512 IFMA.

use super::buckets::{Base, Entry, Known};
use super::coordinate::LanePoint;
use super::lanes::Lanes;
use blst::blst_p1_affine;

/// Used only where the instructions are available.
impl Base for LanePoint {
    const IDENTITY: LanePoint = LanePoint::IDENTITY;

    fn from_blst(point: &blst_p1_affine) -> LanePoint {
        LanePoint::from_blst(point)
    }

    fn to_blst(self) -> blst_p1_affine {
        LanePoint::to_blst(self)
    }

    fn add(known: &Known<'_, LanePoint>, pairs: &[(Entry, Entry)], out: &mut [LanePoint]) {
        // SAFETY: points are brought into this form only where the instructions are available.
        unsafe { add_eights(known, pairs, out) };
    }
}

/// What one batch of eight needs between the two passes of an inversion.
struct Step {
    difference: Lanes,
    before: Lanes,
    exceptional: u8,
}

/// Writes the sum of each pair: with l = (y2 - y1) / (x2 - x1), x3 = l^2 - x1 - x2 and y3 = l (x1 - x3) - y1.
///
/// One inversion serves all: each difference is inverted by what the product of all before it leaves behind.
#[target_feature(enable = "avx512f,avx512ifma")]
fn add_eights(known: &Known<'_, LanePoint>, pairs: &[(Entry, Entry)], out: &mut [LanePoint]) {
    let mut steps = Vec::with_capacity(pairs.len().div_ceil(8));
    // Two chains of products, so that one multiplication need not wait for the last.
    let mut chains = [Lanes::one(); 2];
    for (k, eight) in pairs.chunks(8).enumerate() {
        let (first, second) = points(known, eight);
        let (x1, x2) = (
            Lanes::load(first.map(|p| &p.x)),
            Lanes::load(second.map(|p| &p.x)),
        );
        let difference = x2.minus(x1);
        // Equal x or the identity; a lane that only looks like it loses time, not correctness.
        let exceptional = difference.maybe_zero() | x1.lowest_is(0) | x2.lowest_is(0);
        let difference = difference.replaced_if(exceptional, Lanes::one());
        let before = chains[k % 2];
        chains[k % 2] = before.mul(difference);
        steps.push(Step {
            difference,
            before,
            exceptional,
        });
    }
    let inverse = chains[0].mul(chains[1]).inverse();
    let mut chains = [inverse.mul(chains[1]), inverse.mul(chains[0])];
    for (k, (eight, out)) in pairs.chunks(8).zip(out.chunks_mut(8)).enumerate().rev() {
        let step = &steps[k];
        let (first, second) = points(known, eight);
        let (x1, x2) = (
            Lanes::load(first.map(|p| &p.x)),
            Lanes::load(second.map(|p| &p.x)),
        );
        let y1 = Lanes::load(first.map(|p| &p.y)).negated_if(signs(eight, |pair| pair.0));
        let y2 = Lanes::load(second.map(|p| &p.y)).negated_if(signs(eight, |pair| pair.1));
        let inverse = chains[k % 2].mul(step.before);
        chains[k % 2] = chains[k % 2].mul(step.difference);
        let slope = y2.minus(y1).mul(inverse);
        let x3 = slope.mul(slope).minus(x1).minus(x2).reduced();
        let y3 = slope.mul(x1.minus(x3)).minus(y1).reduced();
        for (out, (x, y)) in out.iter_mut().zip(x3.store().into_iter().zip(y3.store())) {
            *out = LanePoint { x, y };
        }
        for (lane, out) in out
            .iter_mut()
            .enumerate()
            .filter(|(lane, _)| step.exceptional >> lane & 1 == 1)
        {
            *out = known.add_any(eight[lane]);
        }
    }
}

/// The points of up to eight pairs; lanes to spare repeat the first.
#[inline(always)]
fn points<'a>(
    known: &'a Known<'_, LanePoint>,
    pairs: &[(Entry, Entry)],
) -> ([&'a LanePoint; 8], [&'a LanePoint; 8]) {
    let pair = |lane: usize| pairs.get(lane).unwrap_or(&pairs[0]);
    (
        std::array::from_fn(|lane| known.get(pair(lane).0)),
        std::array::from_fn(|lane| known.get(pair(lane).1)),
    )
}

#[inline(always)]
fn signs(pairs: &[(Entry, Entry)], side: impl Fn(&(Entry, Entry)) -> Entry) -> u8 {
    pairs.iter().enumerate().fold(0, |mask, (lane, pair)| {
        mask | ((side(pair) & 1) as u8) << lane
    })
}
