//! The bucket method with affine additions in batches.
//!
//! Scalars are cut into windows of signed digits. All points with the digit k of window w belong in one bucket; buckets
//! are summed pairwise, level by level, so that all additions of a level are independent and share their inversions.
//! The bits of k then say which buckets count 2^j times: sums over those, pairwise again, leave one point for each bit
//! position of the scalar, and doubling and adding along the positions gives the result.

use super::curve::{affine, projective, sum};
use super::field::adc;
use super::msm::Scalar;
use blst::{blst_fp_cneg, blst_p1, blst_p1_add_or_double_affine, blst_p1_affine, blst_p1_double};
use rayon::prelude::*;

/// Additions that share an inversion: enough to make it cheap, few enough to stay in the second cache.
const BATCH: usize = 1024;

/// A task takes windows until it has this many digits.
const TASK_DIGITS: usize = 8192;

const LARGEST_WINDOW: usize = 14;

/// A point by its place, times two, plus one for its negative. Places count bases first, then sums.
pub type Entry = u32;

/// A form of points whose additions come in batches.
pub trait Base: Copy + Send + Sync + Sized {
    const IDENTITY: Self;

    fn from_blst(point: &blst_p1_affine) -> Self;

    fn to_blst(self) -> blst_p1_affine;

    /// Writes the sum of each pair.
    fn add(known: &Known<'_, Self>, pairs: &[(Entry, Entry)], out: &mut [Self]);
}

/// sum_i scalars_i bases_i; every scalar has at most `bits` bits.
pub fn multiply<B: Base>(bases: &[B], scalars: &[Scalar], bits: usize) -> blst_p1 {
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
fn positions<B: Base>(
    bases: &[B],
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
struct Sums<'a, B> {
    bases: &'a [B],
    made: Vec<B>,
}

impl<B: Base> Sums<'_, B> {
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
        self.made.resize(old + pairs.len(), B::IDENTITY);
        let (made, out) = self.made.split_at_mut(old);
        let known = Known {
            bases: self.bases,
            made,
        };
        for (pairs, out) in pairs.chunks(BATCH).zip(out.chunks_mut(BATCH)) {
            B::add(&known, pairs, out);
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
pub struct Known<'a, B> {
    bases: &'a [B],
    made: &'a [B],
}

impl<B: Base> Known<'_, B> {
    #[inline(always)]
    pub fn get(&self, entry: Entry) -> &B {
        let place = (entry >> 1) as usize;
        match place.checked_sub(self.bases.len()) {
            None => &self.bases[place],
            Some(place) => &self.made[place],
        }
    }

    pub fn read(&self, entry: Entry) -> blst_p1_affine {
        let mut point = self.get(entry).to_blst();
        // SAFETY: the coordinate is initialised.
        unsafe { blst_fp_cneg(&mut point.y, &point.y, entry & 1 == 1) };
        point
    }

    /// The sum of two points that may be equal, opposite or the identity.
    #[cold]
    pub fn add_any(&self, (a, b): (Entry, Entry)) -> B {
        let total = sum(&projective(&self.read(a)), &projective(&self.read(b)));
        B::from_blst(&affine(&[total])[0])
    }
}
