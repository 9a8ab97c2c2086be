//! Sums of one value or two of every row into cells, without rounding: each value is cut by a [`Split`] into two whole
//! numbers, and these are added up in 64 bits, wrapping around.
//!
//! Whether all values fit their cuts is found out while they are added. Where one does not, the rows are taken away
//! again, which leaves the cells as they were, to the bit.

use super::fold::Sum;
use super::split::{Halves, Split};
#[cfg(target_arch = "x86_64")]
use super::wide::{Level, level};

/// Four whole numbers of a cell, wrapped around.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C, align(32))]
struct Parts([u64; 4]);

/// The sums of one value.
#[derive(Debug, Clone, Default)]
pub struct CutSingles {
    /// Upper halves, lower halves, rows, missing values.
    parts: Vec<Parts>,
}

/// The sums of two values.
#[derive(Debug, Clone, Default)]
pub struct CutPairs {
    /// Upper halves of the first and of the second value, lower halves of both.
    parts: Vec<Parts>,
    rows: Vec<u32>,
    missing: Vec<[u32; 2]>,
}

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CellSums {
    /// Rows added.
    pub rows: u64,
    /// The sums of the first and the second values, NaN passed over.
    pub sums: [Sum; 2],
    /// How many first and second values were NaN.
    pub missing: [u64; 2],
}

/// Whether values fitted their cut.
#[derive(Debug, Clone, Copy, Default)]
struct Fit {
    greatest: f64,
    /// Bits of what was left over; the sign of a zero is none.
    left: u64,
}

impl Fit {
    fn is_within(self, split: Split) -> bool {
        self.greatest <= split.limit() && self.left << 1 == 0
    }
}

/// The halves of a value, 0 for NaN.
#[inline(always)]
fn halves(value: f64, split: &Halves, fit: &mut Fit) -> (u64, u64) {
    let value = if value.is_nan() { 0.0 } else { value };
    let upper = value + split.upper;
    let rest = value - (upper - split.upper);
    let lower = rest + split.lower;
    fit.greatest = fit.greatest.max(value.abs());
    fit.left |= (rest - (lower - split.lower)).to_bits();
    (upper.to_bits(), lower.to_bits())
}

#[inline(always)]
fn add<const BACK: bool>(sum: u64, more: u64) -> u64 {
    if BACK { sum.wrapping_sub(more) } else { sum.wrapping_add(more) }
}

#[inline(always)]
fn count<const BACK: bool>(count: &mut u32) {
    *count = if BACK { count.wrapping_sub(1) } else { count.wrapping_add(1) };
}

impl CutSingles {
    /// Empty sums of `cells` cells.
    pub fn new(cells: usize) -> CutSingles {
        CutSingles { parts: vec![Parts::default(); cells] }
    }

    /// Makes room for `cells` cells.
    pub fn grow(&mut self, cells: usize) {
        self.parts.resize(cells, Parts::default());
    }

    /// Adds row `i`, of which `values[i]` is the value, to cell `cells[i]`; the slices are of equal length. False, and
    /// nothing is added, where a value does not fit the cut. Not more rows than [`Split::rows`] may be added.
    pub fn add(&mut self, values: &[f64], split: Split, cells: &[u32]) -> bool {
        let fits = self.fold::<false>(values, split, cells).is_within(split);
        if !fits {
            self.fold::<true>(values, split, cells);
        }
        fits
    }

    fn fold<const BACK: bool>(&mut self, values: &[f64], split: Split, cells: &[u32]) -> Fit {
        #[cfg(target_arch = "x86_64")]
        if level() != Level::Any {
            #[expect(unsafe_code, reason = "calls for a feature just detected")]
            // SAFETY: every level but the last has AVX2.
            return unsafe { avx2::singles::<BACK>(values, split, cells, &mut self.parts) };
        }
        singles_one_by_one::<BACK>(values, &split.halves(), cells, &mut self.parts)
    }

    /// Takes out what a cell holds and leaves it empty; `None` where it has no rows.
    pub fn take(&mut self, cell: usize, split: Split) -> Option<CellSums> {
        let Parts([upper, lower, rows, missing]) = std::mem::take(&mut self.parts[cell]);
        let sums = [split.sum(upper, lower, rows), Sum::default()];
        (rows > 0).then_some(CellSums { rows, sums, missing: [missing, 0] })
    }
}

impl CutPairs {
    /// Empty sums of `cells` cells.
    pub fn new(cells: usize) -> CutPairs {
        let mut pairs = CutPairs::default();
        pairs.grow(cells);
        pairs
    }

    /// Makes room for `cells` cells.
    pub fn grow(&mut self, cells: usize) {
        self.parts.resize(cells, Parts::default());
        self.rows.resize(cells, 0);
        self.missing.resize(cells, [0; 2]);
    }

    /// As [`CutSingles::add`] for two values of every row.
    pub fn add(&mut self, values: [&[f64]; 2], splits: [Split; 2], cells: &[u32]) -> bool {
        let [first, second] = self.fold::<false>(values, splits, cells);
        let fits = first.is_within(splits[0]) && second.is_within(splits[1]);
        if !fits {
            self.fold::<true>(values, splits, cells);
        }
        fits
    }

    fn fold<const BACK: bool>(&mut self, values: [&[f64]; 2], splits: [Split; 2], cells: &[u32]) -> [Fit; 2] {
        #[cfg(target_arch = "x86_64")]
        if level() != Level::Any {
            #[expect(unsafe_code, reason = "calls for a feature just detected")]
            // SAFETY: every level but the last has AVX2.
            return unsafe { avx2::pairs::<BACK>(values, splits, cells, self) };
        }
        pairs_one_by_one::<BACK>(values, &splits.map(Split::halves), cells, self)
    }

    /// As [`CutSingles::take`].
    pub fn take(&mut self, cell: usize, splits: [Split; 2]) -> Option<CellSums> {
        let Parts([first, second, of_first, of_second]) = std::mem::take(&mut self.parts[cell]);
        let rows = u64::from(std::mem::take(&mut self.rows[cell]));
        let missing = std::mem::take(&mut self.missing[cell]).map(u64::from);
        let sums = [splits[0].sum(first, of_first, rows), splits[1].sum(second, of_second, rows)];
        (rows > 0).then_some(CellSums { rows, sums, missing })
    }
}

fn singles_one_by_one<const BACK: bool>(
    values: &[f64],
    split: &Halves,
    cells: &[u32],
    parts: &mut [Parts],
) -> Fit {
    let mut fit = Fit::default();
    for (&value, &cell) in values.iter().zip(cells) {
        let (upper, lower) = halves(value, split, &mut fit);
        let row = [upper, lower, 1, u64::from(value.is_nan())];
        parts[cell as usize].0.iter_mut().zip(row).for_each(|(sum, part)| *sum = add::<BACK>(*sum, part));
    }
    fit
}

fn pairs_one_by_one<const BACK: bool>(
    [first, second]: [&[f64]; 2],
    splits: &[Halves; 2],
    cells: &[u32],
    pairs: &mut CutPairs,
) -> [Fit; 2] {
    let [mut of_first, mut of_second] = [Fit::default(); 2];
    for ((&a, &b), &cell) in first.iter().zip(second).zip(cells) {
        let cell = cell as usize;
        let (upper_a, lower_a) = halves(a, &splits[0], &mut of_first);
        let (upper_b, lower_b) = halves(b, &splits[1], &mut of_second);
        let row = [upper_a, upper_b, lower_a, lower_b];
        pairs.parts[cell].0.iter_mut().zip(row).for_each(|(sum, part)| *sum = add::<BACK>(*sum, part));
        count::<BACK>(&mut pairs.rows[cell]);
        count_missing::<BACK>([a, b], &mut pairs.missing[cell]);
    }
    [of_first, of_second]
}

fn count_missing<const BACK: bool>(values: [f64; 2], missing: &mut [u32; 2]) {
    for (value, missing) in values.iter().zip(missing) {
        if value.is_nan() {
            count::<BACK>(missing);
        }
    }
}

/// The same in vectors of four rows, to the bit.
#[cfg(target_arch = "x86_64")]
pub(super) mod avx2 {
    use std::arch::x86_64::*;

    use super::{CutPairs, Fit, Parts, Split, count, count_missing, pairs_one_by_one, singles_one_by_one};

    /// How many values ahead memory is asked for: adding up is slow enough for that to pay, and the machine's own
    /// foresight ends with every page of 4 KiB. 512 to 2048 values took the same.
    const AHEAD: usize = 1024;

    #[target_feature(enable = "avx2")]
    pub(super) fn singles<const BACK: bool>(
        values: &[f64],
        split: Split,
        cells: &[u32],
        parts: &mut [Parts],
    ) -> Fit {
        let cutter = Cutter::of(split);
        let mut seen = Seen::nothing();
        let one = _mm256_set1_epi64x(1);
        let (fours, rest) = values.as_chunks::<4>();
        let (cells, cells_rest) = cells.as_chunks::<4>();
        for (values, cells) in fours.iter().zip(cells) {
            ask_ahead(values);
            let value = load(values);
            let is = _mm256_cmp_pd::<_CMP_ORD_Q>(value, value);
            let (upper, lower) = cutter.cut(_mm256_and_pd(is, value), &mut seen);
            let missing = _mm256_andnot_si256(_mm256_castpd_si256(is), one);
            let rows = rows_of_four(upper, lower, _mm256_castsi256_pd(one), _mm256_castsi256_pd(missing));
            for (row, &cell) in rows.into_iter().zip(cells) {
                add::<BACK>(&mut parts[cell as usize], row);
            }
        }
        seen.and(singles_one_by_one::<BACK>(rest, &split.halves(), cells_rest, parts))
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn pairs<const BACK: bool>(
        [first, second]: [&[f64]; 2],
        splits: [Split; 2],
        cells: &[u32],
        pairs: &mut CutPairs,
    ) -> [Fit; 2] {
        let [cut_first, cut_second] = [Cutter::of(splits[0]), Cutter::of(splits[1])];
        let [mut seen_first, mut seen_second] = [Seen::nothing(), Seen::nothing()];
        let (firsts, rest) = first.as_chunks::<4>();
        let (seconds, second_rest) = second.as_chunks::<4>();
        let (fours, cells_rest) = cells.as_chunks::<4>();
        let count_of_cells = pairs.parts.len();
        let (parts, counts) = (&mut pairs.parts[..], &mut pairs.rows[..count_of_cells]);
        for ((of_first, of_second), cells) in firsts.iter().zip(seconds).zip(fours) {
            ask_ahead(of_first);
            ask_ahead(of_second);
            let (mut a, mut b) = (load(of_first), load(of_second));
            if _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_ORD_Q>(a, b)) != 0xF {
                for (i, &cell) in cells.iter().enumerate() {
                    count_missing::<BACK>([of_first[i], of_second[i]], &mut pairs.missing[cell as usize]);
                }
                a = _mm256_and_pd(a, _mm256_cmp_pd::<_CMP_ORD_Q>(a, a));
                b = _mm256_and_pd(b, _mm256_cmp_pd::<_CMP_ORD_Q>(b, b));
            }
            let (upper_a, lower_a) = cut_first.cut(a, &mut seen_first);
            let (upper_b, lower_b) = cut_second.cut(b, &mut seen_second);
            let rows = rows_of_four(upper_a, upper_b, lower_a, lower_b);
            for (row, &cell) in rows.into_iter().zip(cells) {
                add::<BACK>(&mut parts[cell as usize], row);
                count::<BACK>(&mut counts[cell as usize]);
            }
        }
        let halves = splits.map(Split::halves);
        let [of_first, of_second] = pairs_one_by_one::<BACK>([rest, second_rest], &halves, cells_rest, pairs);
        [seen_first.and(of_first), seen_second.and(of_second)]
    }

    struct Cutter {
        upper: __m256d,
        lower: __m256d,
    }

    struct Seen {
        greatest: __m256d,
        left: __m256d,
    }

    impl Seen {
        #[inline]
        #[target_feature(enable = "avx2")]
        fn nothing() -> Seen {
            Seen { greatest: _mm256_setzero_pd(), left: _mm256_setzero_pd() }
        }

        #[inline]
        #[target_feature(enable = "avx2")]
        fn and(self, mut fit: Fit) -> Fit {
            let (mut greatest, mut left) = ([0.0; 4], [0.0; 4]);
            #[expect(unsafe_code, reason = "stores of vectors")]
            // SAFETY: there is room for four doubles.
            unsafe {
                _mm256_storeu_pd(greatest.as_mut_ptr(), self.greatest);
                _mm256_storeu_pd(left.as_mut_ptr(), self.left);
            }
            fit.greatest = greatest.into_iter().fold(fit.greatest, f64::max);
            fit.left = left.into_iter().fold(fit.left, |all, left| all | left.to_bits());
            fit
        }
    }

    impl Cutter {
        #[inline]
        #[target_feature(enable = "avx2")]
        fn of(split: Split) -> Cutter {
            let halves = split.halves();
            Cutter { upper: _mm256_set1_pd(halves.upper), lower: _mm256_set1_pd(halves.lower) }
        }

        /// Both halves of values that are not NaN.
        #[inline]
        #[target_feature(enable = "avx2")]
        fn cut(&self, values: __m256d, seen: &mut Seen) -> (__m256d, __m256d) {
            let upper = _mm256_add_pd(values, self.upper);
            let rest = _mm256_sub_pd(values, _mm256_sub_pd(upper, self.upper));
            let lower = _mm256_add_pd(rest, self.lower);
            let left = _mm256_sub_pd(rest, _mm256_sub_pd(lower, self.lower));
            let magnitude = _mm256_andnot_pd(_mm256_set1_pd(-0.0), values);
            seen.greatest = _mm256_max_pd(seen.greatest, magnitude);
            seen.left = _mm256_or_pd(seen.left, left);
            (upper, lower)
        }
    }

    /// Four columns turned into four rows.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in crate::kernel) fn rows_of_four(a: __m256d, b: __m256d, c: __m256d, d: __m256d) -> [__m256d; 4] {
        let (even, odd) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
        let (even_end, odd_end) = (_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
        [
            _mm256_permute2f128_pd::<0x20>(even, even_end),
            _mm256_permute2f128_pd::<0x20>(odd, odd_end),
            _mm256_permute2f128_pd::<0x31>(even, even_end),
            _mm256_permute2f128_pd::<0x31>(odd, odd_end),
        ]
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn add<const BACK: bool>(sums: &mut Parts, row: __m256d) {
        let row = _mm256_castpd_si256(row);
        #[expect(unsafe_code, reason = "a load and a store of a vector")]
        // SAFETY: four words lie there, aligned to all of them.
        unsafe {
            let place = sums.0.as_mut_ptr().cast::<__m256i>();
            let sum = _mm256_load_si256(place);
            let sum = if BACK { _mm256_sub_epi64(sum, row) } else { _mm256_add_epi64(sum, row) };
            _mm256_store_si256(place, sum);
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in crate::kernel) fn load(values: &[f64; 4]) -> __m256d {
        #[expect(unsafe_code, reason = "a load of a vector")]
        // SAFETY: four doubles lie there.
        unsafe {
            _mm256_loadu_pd(values.as_ptr())
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn ask_ahead(values: &[f64; 4]) {
        _mm_prefetch::<_MM_HINT_T0>(values.as_ptr().wrapping_add(AHEAD).cast());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::split::Reach;

    const NEAR: [f64; 10] = [f64::NAN, 0.0, -0.0, 1.7, -1e3, 1.0, 0.1, -f64::NAN, 0.3, 1e-3];

    fn columns(rows: usize) -> [Vec<f64>; 2] {
        [7, 3].map(|step| {
            let value = |i: usize| match i * step % 13 {
                place @ 0..10 => NEAR[place],
                _ => (i * step) as f64 * 0.37 - 50.0,
            };
            (0..rows).map(value).collect()
        })
    }

    fn split_of(values: &[f64]) -> Split {
        Split::of(Reach::of(values, 53).unwrap(), 1 << 16).unwrap()
    }

    /// Exactly, in units of 2^-100, which all values of `columns` are multiples of.
    fn exactly(values: impl Iterator<Item = f64>) -> i128 {
        values.map(|value| (value * 2f64.powi(100)) as i128).sum()
    }

    #[test]
    fn vectors_and_single_rows_agree_and_no_digit_is_lost() {
        for rows in [0, 1, 3, 4, 5, 8, 63, 1000] {
            let columns = columns(rows);
            let [first, second] = &columns;
            let splits = [split_of(first), split_of(second)];
            let cells: Vec<u32> = (0..rows as u32).map(|i| i * i % 5).collect();
            let (mut pairs, mut one_by_one) = (CutPairs::new(5), CutPairs::new(5));
            assert!(pairs.add([first, second], splits, &cells));
            let fits = pairs_one_by_one::<false>(
                [first, second],
                &splits.map(Split::halves),
                &cells,
                &mut one_by_one,
            );
            assert!(fits.iter().zip(splits).all(|(fit, split)| fit.is_within(split)));
            assert_eq!(pairs.parts, one_by_one.parts);
            let (mut singles, mut alone) = (CutSingles::new(5), CutSingles::new(5));
            assert!(singles.add(first, splits[0], &cells));
            singles_one_by_one::<false>(first, &splits[0].halves(), &cells, &mut alone.parts);
            assert_eq!(singles.parts, alone.parts);
            for cell in 0..5 {
                let here = |values: &'_ [f64]| -> Vec<f64> {
                    (0..rows).filter(|&row| cells[row] as usize == cell).map(|row| values[row]).collect()
                };
                let found = pairs.take(cell, splits);
                assert_eq!(one_by_one.take(cell, splits), found);
                assert_eq!(pairs.take(cell, splits), None, "it was emptied");
                let Some(found) = found else {
                    assert!(here(first).is_empty());
                    continue;
                };
                assert_eq!(found.rows, here(first).len() as u64);
                for (i, values) in [first, second].into_iter().enumerate() {
                    let present = || here(values).into_iter().filter(|value| !value.is_nan());
                    assert_eq!(found.missing[i], found.rows - present().count() as u64);
                    let Sum { high, low } = found.sums[i];
                    assert_eq!(exactly([high, low].into_iter()), exactly(present()));
                }
                let single = singles.take(cell, splits[0]).unwrap();
                assert_eq!((single.rows, single.sums[0]), (found.rows, found.sums[0]));
                assert_eq!(single.missing[0], found.missing[0]);
            }
        }
    }

    #[test]
    fn rows_that_do_not_fit_leave_the_cells_as_they_were() {
        let fitting: Vec<f64> = (0..100).map(|i| f64::from(i) * 0.37).collect();
        let split = split_of(&fitting);
        let cells: Vec<u32> = (0..100).map(|i| i % 3).collect();
        for awkward in [f64::INFINITY, f64::NEG_INFINITY, 1e30, -f64::MAX, 1e-30, 5e-324] {
            for row in [0, 50, 99] {
                let mut values = fitting.clone();
                values[row] = awkward;
                let (mut singles, mut pairs) = (CutSingles::new(3), CutPairs::new(3));
                assert!(singles.add(&fitting, split, &cells));
                assert!(pairs.add([&fitting, &fitting], [split; 2], &cells));
                let before = (singles.parts.clone(), pairs.parts.clone(), pairs.rows.clone());
                assert!(!singles.add(&values, split, &cells), "{awkward}");
                assert!(!pairs.add([&fitting, &values], [split; 2], &cells), "{awkward}");
                assert!(!pairs.add([&values, &fitting], [split; 2], &cells), "{awkward}");
                assert_eq!((singles.parts, pairs.parts, pairs.rows), before);
                assert_eq!(pairs.missing, [[0; 2]; 3]);
            }
        }
    }
}
