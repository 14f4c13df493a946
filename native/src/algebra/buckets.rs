//! The bucket method with affine additions in batches, eight side by side.
//!
//! Scalars are cut into windows of signed digits. All points with the digit k of window w belong in one bucket; buckets
//! are summed pairwise, level by level, so that all additions of a level are independent and share their inversions.
//! The bits of k then say which buckets count 2^j times: sums over those, pairwise again, leave one point for each bit
//! position of the scalar, and doubling and adding along the positions gives the result.

use super::coordinate::LanePoint;
use super::curve::{affine, projective, sum};
use super::field::adc;
use super::lanes::Lanes;
use super::msm::Scalar;
use blst::{blst_fp_cneg, blst_p1, blst_p1_add_or_double_affine, blst_p1_affine, blst_p1_double};
use rayon::prelude::*;

/// Additions that share an inversion: enough to make it cheap, few enough to stay in the second cache.
const BATCH: usize = 1024;

/// A task takes windows until it has this many digits.
const TASK_DIGITS: usize = 8192;

const LARGEST_WINDOW: usize = 14;

/// A point by its place, times two, plus one for its negative. Places count bases first, then sums.
type Entry = u32;

/// sum_i scalars_i bases_i; every scalar has at most `bits` bits.
pub fn multiply(bases: &[LanePoint], scalars: &[Scalar], bits: usize) -> blst_p1 {
    let used = scalars
        .iter()
        .filter(|scalar| scalar.magnitude != [0; 4])
        .count();
    let width = best_width(used, bits);
    let scalars: Vec<Windowed> = scalars
        .iter()
        .map(|scalar| Windowed::new(scalar, bits, width))
        .collect();
    let windows: Vec<usize> = (0..windows(bits, width)).collect();
    let share = (TASK_DIGITS / bases.len().max(1))
        .clamp(1, windows.len().div_ceil(rayon::current_num_threads()));
    let positions: Vec<blst_p1_affine> = windows
        .par_chunks(share)
        .flat_map_iter(|windows| positions(bases, &scalars, windows, width))
        .collect();
    let mut total = blst_p1::default();
    for point in positions.iter().rev() {
        let mut doubled = blst_p1::default();
        // SAFETY: the points are initialised.
        unsafe {
            blst_p1_double(&mut doubled, &total);
            blst_p1_add_or_double_affine(&mut total, &doubled, point);
        }
    }
    total
}

fn windows(bits: usize, width: usize) -> usize {
    // One bit more than the scalar's, for the carry of its signed digits.
    bits / width + 1
}

/// A scalar ready to be read as signed digits, which run from 1 - half to half with half = 2^(width-1).
///
/// With half - 1 added in every window, the carries between signed digits are those of the addition, and a digit is
/// what its window then holds, less half - 1.
struct Windowed {
    raised: [u64; 6],
    negative: bool,
}

impl Windowed {
    fn new(scalar: &Scalar, bits: usize, width: usize) -> Windowed {
        let mut raised = [0; 6];
        raised[..4].copy_from_slice(&scalar.magnitude);
        for window in 0..windows(bits, width) {
            add_at(&mut raised, window * width, (1 << (width - 1)) - 1);
        }
        Windowed {
            raised,
            negative: scalar.negative,
        }
    }

    fn digit(&self, window: usize, width: usize) -> i32 {
        let (word, shift) = (window * width / 64, window * width % 64);
        let both = self.raised[word] as u128 | (self.raised[word + 1] as u128) << 64;
        let held = (both >> shift) as u64 & ((1 << width) - 1);
        held as i32 - ((1 << (width - 1)) - 1)
    }
}

/// Adds a value below 2^64 at a bit position.
fn add_at(words: &mut [u64; 6], position: usize, value: u64) {
    let (word, shift) = (position / 64, position % 64);
    let wide = (value as u128) << shift;
    let mut carry = 0;
    for (k, term) in [wide as u64, (wide >> 64) as u64]
        .into_iter()
        .chain(std::iter::repeat(0))
        .enumerate()
    {
        match words.get_mut(word + k) {
            Some(limb) => *limb = adc(*limb, term, &mut carry),
            None => break,
        }
    }
}

/// The width with the fewest additions: one a digit, and one for each bucket and bit of its number.
fn best_width(points: usize, bits: usize) -> usize {
    let cost = |width: &usize| windows(bits, *width) * (points + (width << (width - 1)) / 2);
    (2..=LARGEST_WINDOW)
        .min_by_key(cost)
        .expect("there are widths to choose from")
}

/// For every bit position of these windows, the sum of what counts 2^position times.
fn positions(
    bases: &[LanePoint],
    scalars: &[Windowed],
    windows: &[usize],
    width: usize,
) -> Vec<blst_p1_affine> {
    let mut sums = Sums {
        bases,
        made: Vec::new(),
    };
    let buckets = 1 << (width - 1);
    let mut lists = Lists::default();
    for &window in windows {
        lists.extend(digits_by_bucket(scalars, window, width), buckets);
    }
    let bucket_sums = sums.reduce(lists);
    let mut lists = Lists::default();
    for window in bucket_sums.chunks(buckets) {
        for bit in 0..width {
            let chosen = (1..=buckets).filter(|k| k >> bit & 1 == 1);
            lists.push(chosen.filter_map(|k| window[k - 1]));
        }
    }
    sums.reduce(lists)
        .into_iter()
        .map(|entry| entry.map_or(blst_p1_affine::default(), |entry| sums.read(entry)))
        .collect()
}

/// The entries of one window with the number of their bucket, 0 for the smallest digit.
fn digits_by_bucket(scalars: &[Windowed], window: usize, width: usize) -> Vec<(u32, Entry)> {
    let mut out = Vec::with_capacity(scalars.len());
    for (i, scalar) in scalars.iter().enumerate() {
        let digit = scalar.digit(window, width);
        if digit != 0 {
            let negative = (digit < 0) != scalar.negative;
            out.push((
                digit.unsigned_abs() - 1,
                (i as Entry) << 1 | negative as Entry,
            ));
        }
    }
    out
}

/// Lists of entries, one after another.
#[derive(Default)]
struct Lists {
    entries: Vec<Entry>,
    ends: Vec<usize>,
}

impl Lists {
    fn push(&mut self, list: impl Iterator<Item = Entry>) {
        self.entries.extend(list);
        self.ends.push(self.entries.len());
    }

    /// Appends a list for each bucket, by counting.
    fn extend(&mut self, digits: Vec<(u32, Entry)>, buckets: usize) {
        let start = self.entries.len();
        let mut places = vec![0; buckets + 1];
        for &(bucket, _) in &digits {
            places[bucket as usize + 1] += 1;
        }
        places[0] = start;
        for k in 0..buckets {
            places[k + 1] += places[k];
        }
        self.ends.extend_from_slice(&places[1..]);
        self.entries.resize(start + digits.len(), 0);
        for (bucket, entry) in digits {
            self.entries[places[bucket as usize]] = entry;
            places[bucket as usize] += 1;
        }
    }

    fn iter(&self) -> impl Iterator<Item = &[Entry]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, &end)| &self.entries[start..end])
    }
}

/// The bases and every sum made of them so far.
struct Sums<'a> {
    bases: &'a [LanePoint],
    made: Vec<LanePoint>,
}

impl Sums<'_> {
    /// The sum of each list, None for an empty one.
    fn reduce(&mut self, mut lists: Lists) -> Vec<Option<Entry>> {
        while lists.iter().any(|list| list.len() > 1) {
            let mut pairs = Vec::with_capacity(lists.entries.len() / 2);
            let first = self.bases.len() + self.made.len();
            let mut halved = Lists::default();
            for list in lists.iter() {
                halved.push(list.chunks(2).map(|chunk| match *chunk {
                    [a, b] => {
                        pairs.push((a, b));
                        ((first + pairs.len() - 1) as Entry) << 1
                    }
                    _ => chunk[0],
                }));
            }
            self.add(&pairs);
            lists = halved;
        }
        lists.iter().map(|list| list.first().copied()).collect()
    }

    /// Makes the sum of each pair.
    fn add(&mut self, pairs: &[(Entry, Entry)]) {
        let old = self.made.len();
        self.made.resize(old + pairs.len(), LanePoint::IDENTITY);
        let (made, out) = self.made.split_at_mut(old);
        let known = Known {
            bases: self.bases,
            made,
        };
        for (pairs, out) in pairs.chunks(BATCH).zip(out.chunks_mut(BATCH)) {
            // SAFETY: this module is used only where the instructions are available.
            unsafe { known.add(pairs, out) };
        }
    }

    fn read(&self, entry: Entry) -> blst_p1_affine {
        Known {
            bases: self.bases,
            made: &self.made,
        }
        .read(entry)
    }
}

/// What additions read.
struct Known<'a> {
    bases: &'a [LanePoint],
    made: &'a [LanePoint],
}

/// What one batch of eight needs between the two passes of an inversion.
struct Step {
    difference: Lanes,
    before: Lanes,
    exceptional: u8,
}

impl Known<'_> {
    #[inline(always)]
    fn get(&self, entry: Entry) -> &LanePoint {
        let place = (entry >> 1) as usize;
        match place.checked_sub(self.bases.len()) {
            None => &self.bases[place],
            Some(place) => &self.made[place],
        }
    }

    fn read(&self, entry: Entry) -> blst_p1_affine {
        let mut point = self.get(entry).to_blst();
        // SAFETY: the coordinate is initialised.
        unsafe { blst_fp_cneg(&mut point.y, &point.y, entry & 1 == 1) };
        point
    }

    /// Writes the sum of each pair: with l = (y2 - y1) / (x2 - x1), x3 = l^2 - x1 - x2 and y3 = l (x1 - x3) - y1.
    ///
    /// One inversion serves all: each difference is inverted by what the product of all before it leaves behind.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn add(&self, pairs: &[(Entry, Entry)], out: &mut [LanePoint]) {
        let mut steps = Vec::with_capacity(pairs.len().div_ceil(8));
        // Two chains of products, so that one multiplication need not wait for the last.
        let mut chains = [Lanes::one(); 2];
        for (k, eight) in pairs.chunks(8).enumerate() {
            let (first, second) = self.points(eight);
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
            let (first, second) = self.points(eight);
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
                *out = self.add_any(eight[lane]);
            }
        }
    }

    /// The points of up to eight pairs; lanes to spare repeat the first.
    #[inline(always)]
    fn points(&self, pairs: &[(Entry, Entry)]) -> ([&LanePoint; 8], [&LanePoint; 8]) {
        let pair = |lane: usize| pairs.get(lane).unwrap_or(&pairs[0]);
        (
            std::array::from_fn(|lane| self.get(pair(lane).0)),
            std::array::from_fn(|lane| self.get(pair(lane).1)),
        )
    }

    /// The sum of two points that may be equal, opposite or the identity.
    #[cold]
    fn add_any(&self, (a, b): (Entry, Entry)) -> LanePoint {
        let total = sum(&projective(&self.read(a)), &projective(&self.read(b)));
        LanePoint::from_blst(&affine(&[total])[0])
    }
}

#[inline(always)]
fn signs(pairs: &[(Entry, Entry)], side: impl Fn(&(Entry, Entry)) -> Entry) -> u8 {
    pairs.iter().enumerate().fold(0, |mask, (lane, pair)| {
        mask | ((side(pair) & 1) as u8) << lane
    })
}
