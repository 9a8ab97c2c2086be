//! Sums of one value or two of every row into cells, without rounding: each value is cut by a [`Split`] into two whole
//! numbers, and these are added up in 64 bits, wrapping around.
//!
//! Whether a value fits its cut is found out before it is added: rows are added up to the first that does not.

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
    /// Upper and lower halves of the first value, then of the second.
    parts: Vec<Parts>,
    /// Rows, where neither cut is marked.
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

impl Parts {
    fn add(&mut self, row: [u64; 4]) {
        self.0.iter_mut().zip(row).for_each(|(sum, part)| *sum = sum.wrapping_add(part));
    }
}

/// The halves of a value, 0 for NaN; `None` where it does not fit.
fn halves(value: f64, split: &Halves) -> Option<(u64, u64)> {
    let value = if value.is_nan() { 0.0 } else { value };
    let upper = value + split.upper;
    let rest = value - (upper - split.upper);
    let lower = rest + split.lower;
    let is_near = (upper.to_bits() ^ split.base) & split.beyond == 0;
    (is_near && lower - split.lower == rest).then_some((upper.to_bits(), lower.to_bits()))
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

    /// Adds row `i`, of which `values[i]` is the value, to cell `cells[i]`, up to the first row whose value does not fit
    /// the cut, and returns how many rows that were. The slices are of equal length. Not more rows than
    /// [`Split::rows`] may be added.
    pub fn add(&mut self, values: &[f64], split: Split, cells: &[u32]) -> usize {
        #[cfg(target_arch = "x86_64")]
        if level() != Level::Any {
            #[expect(unsafe_code, reason = "calls for a feature just detected")]
            // SAFETY: every level but the last has AVX2.
            return unsafe { avx2::singles(values, &split.halves(), cells, self) };
        }
        self.add_one_by_one(values, &split.halves(), cells)
    }

    fn add_one_by_one(&mut self, values: &[f64], split: &Halves, cells: &[u32]) -> usize {
        for (row, (&value, &cell)) in values.iter().zip(cells).enumerate() {
            let Some((upper, lower)) = halves(value, split) else { return row };
            self.parts[cell as usize].add([upper, lower, 1, u64::from(value.is_nan())]);
        }
        cells.len()
    }

    /// Takes out what a cell holds and leaves it empty; `None` where it has no rows.
    pub fn take(&mut self, cell: usize, split: Split) -> Option<CellSums> {
        let Parts([upper, lower, rows, missing]) = std::mem::take(&mut self.parts[cell]);
        let sums = || [split.sum(upper, lower, rows), Sum::default()];
        (rows > 0).then(|| CellSums { rows, sums: sums(), missing: [missing, 0] })
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

    /// As [`CutSingles::add`] for two values of every row. Until the cells are empty again, the same cuts are to be given.
    pub fn add(&mut self, values: [&[f64]; 2], splits: [Split; 2], cells: &[u32]) -> usize {
        let halves = splits.map(Split::halves);
        if splits.iter().any(|split| split.is_marked()) {
            self.fold::<false>(values, &halves, cells)
        } else {
            self.fold::<true>(values, &halves, cells)
        }
    }

    fn fold<const COUNT: bool>(&mut self, values: [&[f64]; 2], splits: &[Halves; 2], cells: &[u32]) -> usize {
        #[cfg(target_arch = "x86_64")]
        if level() != Level::Any {
            #[expect(unsafe_code, reason = "calls for a feature just detected")]
            // SAFETY: every level but the last has AVX2.
            return unsafe { avx2::pairs::<COUNT>(values, splits, cells, self) };
        }
        self.add_one_by_one::<COUNT>(values, splits, cells)
    }

    fn add_one_by_one<const COUNT: bool>(
        &mut self,
        [first, second]: [&[f64]; 2],
        splits: &[Halves; 2],
        cells: &[u32],
    ) -> usize {
        for (row, ((&a, &b), &cell)) in first.iter().zip(second).zip(cells).enumerate() {
            let (Some((upper_a, lower_a)), Some((upper_b, lower_b))) =
                (halves(a, &splits[0]), halves(b, &splits[1]))
            else {
                return row;
            };
            self.parts[cell as usize].add([upper_a, lower_a, upper_b, lower_b]);
            self.rows[cell as usize] += u32::from(COUNT);
            count_missing([a, b], &mut self.missing[cell as usize]);
        }
        cells.len()
    }

    /// As [`CutSingles::take`].
    pub fn take(&mut self, cell: usize, splits: [Split; 2]) -> Option<CellSums> {
        let Parts([first, of_first, second, of_second]) = std::mem::take(&mut self.parts[cell]);
        let rows = match (splits[0].is_marked(), splits[1].is_marked()) {
            (true, _) => splits[0].rows_of(first),
            (_, true) => splits[1].rows_of(second),
            _ => u64::from(std::mem::take(&mut self.rows[cell])),
        };
        let missing = std::mem::take(&mut self.missing[cell]).map(u64::from);
        let sums = || [splits[0].sum(first, of_first, rows), splits[1].sum(second, of_second, rows)];
        (rows > 0).then(|| CellSums { rows, sums: sums(), missing })
    }
}

#[inline(always)]
fn count_missing(values: [f64; 2], missing: &mut [u32; 2]) {
    for (value, missing) in values.iter().zip(missing) {
        *missing += u32::from(value.is_nan());
    }
}

/// The same in vectors, to the bit.
#[cfg(target_arch = "x86_64")]
pub(super) mod avx2 {
    use std::arch::x86_64::*;

    use super::{CutPairs, CutSingles, Halves, Parts, count_missing};

    /// How many values ahead memory is asked for: adding up is slow enough for that to pay, and the machine's own
    /// foresight ends with every page of 4 KiB. 512 to 2048 values took the same.
    const AHEAD: usize = 1024;

    #[target_feature(enable = "avx2")]
    pub(super) fn singles(values: &[f64], split: &Halves, cells: &[u32], sums: &mut CutSingles) -> usize {
        let cutter = Cutter::of([split; 2]);
        let one = _mm256_set1_epi64x(1);
        let (eights, _) = values.as_chunks::<8>();
        let (cell_eights, _) = cells.as_chunks::<8>();
        let parts = &mut sums.parts[..];
        let mut done = 0;
        for (values, cells) in eights.iter().zip(cell_eights) {
            ask_ahead(values);
            let [first, second] = [0, 1].map(|half| {
                let value = load(&values.as_chunks::<4>().0[half]);
                let is = _mm256_cmp_pd::<_CMP_ORD_Q>(value, value);
                (cutter.cut(_mm256_and_pd(is, value)), _mm256_andnot_si256(_mm256_castpd_si256(is), one))
            });
            if !cutter.fit(_mm256_or_pd(first.0.misfit, second.0.misfit)) {
                break;
            }
            for ((cut, missing), cells) in [first, second].into_iter().zip(cells.as_chunks::<4>().0) {
                let (one, missing) = (_mm256_castsi256_pd(one), _mm256_castsi256_pd(missing));
                for (row, &cell) in rows_of_four(cut.upper, cut.lower, one, missing).into_iter().zip(cells) {
                    add(&mut parts[cell as usize], row);
                }
            }
            done += 8;
        }
        done + sums.add_one_by_one(&values[done..], split, &cells[done..])
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn pairs<const COUNT: bool>(
        [first, second]: [&[f64]; 2],
        splits: &[Halves; 2],
        cells: &[u32],
        pairs: &mut CutPairs,
    ) -> usize {
        let cutter = Cutter::of([&splits[0], &splits[1]]);
        let (firsts, _) = first.as_chunks::<8>();
        let (seconds, _) = second.as_chunks::<8>();
        let (eights, _) = cells.as_chunks::<8>();
        let count_of_cells = pairs.parts.len();
        let (parts, counts) = (&mut pairs.parts[..], &mut pairs.rows[..count_of_cells]);
        let mut done = 0;
        for ((a, b), cells) in firsts.iter().zip(seconds).zip(eights) {
            ask_ahead(a);
            ask_ahead(b);
            let mut cuts = two_rows_each(a, b).map(|two| cutter.cut(two));
            if !cutter.all_fit(&cuts) {
                let Some(present) = cutter.cut_present(a, b) else { break };
                cuts = present;
                for (row, &cell) in cells.iter().enumerate() {
                    count_missing([a[row], b[row]], &mut pairs.missing[cell as usize]);
                }
            }
            for (cut, cells) in cuts.iter().zip(cells.as_chunks::<2>().0) {
                let rows =
                    [_mm256_unpacklo_pd(cut.upper, cut.lower), _mm256_unpackhi_pd(cut.upper, cut.lower)];
                for (row, &cell) in rows.into_iter().zip(cells) {
                    add(&mut parts[cell as usize], row);
                    if COUNT {
                        counts[cell as usize] += 1;
                    }
                }
            }
            done += 8;
        }
        done + pairs.add_one_by_one::<COUNT>([&first[done..], &second[done..]], splits, &cells[done..])
    }

    /// Two rows in each vector: both first values, then both second ones.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn two_rows_each(first: &[f64; 8], second: &[f64; 8]) -> [__m256d; 4] {
        let pair = |values: &[f64; 8], at: usize| {
            #[expect(unsafe_code, reason = "a load of a vector")]
            // SAFETY: `at` is 0, 2, 4 or 6, and two doubles lie there.
            unsafe {
                _mm_loadu_pd(values.as_ptr().add(at))
            }
        };
        [0, 2, 4, 6].map(|at| _mm256_set_m128d(pair(second, at), pair(first, at)))
    }

    /// As [`Halves`], of one value in the lower lanes and of one in the upper lanes.
    struct Cutter {
        upper: __m256d,
        lower: __m256d,
        base: __m256d,
        beyond: __m256i,
    }

    /// Values cut.
    struct Cut {
        upper: __m256d,
        lower: __m256d,
        /// Bits that are `beyond` are set where a value does not fit, or is NaN.
        misfit: __m256d,
    }

    impl Cutter {
        #[inline]
        #[target_feature(enable = "avx2")]
        fn of([low, high]: [&Halves; 2]) -> Cutter {
            let lanes = |low: f64, high: f64| _mm256_setr_pd(low, low, high, high);
            let (one, other) = (low.beyond.cast_signed(), high.beyond.cast_signed());
            Cutter {
                upper: lanes(low.upper, high.upper),
                lower: lanes(low.lower, high.lower),
                base: lanes(f64::from_bits(low.base), f64::from_bits(high.base)),
                beyond: _mm256_setr_epi64x(one, one, other, other),
            }
        }

        #[inline]
        #[target_feature(enable = "avx2")]
        fn cut(&self, values: __m256d) -> Cut {
            let upper = _mm256_add_pd(values, self.upper);
            let rest = _mm256_sub_pd(values, _mm256_sub_pd(upper, self.upper));
            let lower = _mm256_add_pd(rest, self.lower);
            let is_left = _mm256_cmp_pd::<_CMP_NEQ_UQ>(rest, _mm256_sub_pd(lower, self.lower));
            Cut { upper, lower, misfit: _mm256_or_pd(is_left, _mm256_xor_pd(upper, self.base)) }
        }

        /// Both values of eight rows with 0 for NaN; `None` where one does not fit. Out of line, so that the loop around
        /// it keeps its numbers in registers.
        #[cold]
        #[inline(never)]
        #[target_feature(enable = "avx2")]
        fn cut_present(&self, first: &[f64; 8], second: &[f64; 8]) -> Option<[Cut; 4]> {
            let cuts = two_rows_each(first, second)
                .map(|two| self.cut(_mm256_and_pd(two, _mm256_cmp_pd::<_CMP_ORD_Q>(two, two))));
            self.all_fit(&cuts).then_some(cuts)
        }

        #[inline]
        #[target_feature(enable = "avx2")]
        fn fit(&self, misfit: __m256d) -> bool {
            _mm256_testz_si256(_mm256_castpd_si256(misfit), self.beyond) != 0
        }

        #[inline]
        #[target_feature(enable = "avx2")]
        fn all_fit(&self, [a, b, c, d]: &[Cut; 4]) -> bool {
            self.fit(_mm256_or_pd(_mm256_or_pd(a.misfit, b.misfit), _mm256_or_pd(c.misfit, d.misfit)))
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
    fn add(sums: &mut Parts, row: __m256d) {
        #[expect(unsafe_code, reason = "a load and a store of a vector")]
        // SAFETY: four words lie there, aligned to all of them.
        unsafe {
            let place = sums.0.as_mut_ptr().cast::<__m256i>();
            _mm256_store_si256(place, _mm256_add_epi64(_mm256_load_si256(place), _mm256_castpd_si256(row)));
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
    fn ask_ahead(values: &[f64]) {
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
            assert_eq!(pairs.add([first, second], splits, &cells), rows);
            let halves = splits.map(Split::halves);
            assert_eq!(one_by_one.add_one_by_one::<true>([first, second], &halves, &cells), rows);
            assert_eq!(pairs.parts, one_by_one.parts);
            let (mut singles, mut alone) = (CutSingles::new(5), CutSingles::new(5));
            assert_eq!(singles.add(first, splits[0], &cells), rows);
            assert_eq!(alone.add_one_by_one(first, &halves[0], &cells), rows);
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
    fn rows_are_added_up_to_the_first_that_does_not_fit() {
        let fitting: Vec<f64> = (0..100).map(|i| f64::from(i) * 0.37).collect();
        let split = split_of(&fitting);
        let cells: Vec<u32> = (0..100).map(|i| i % 3).collect();
        for awkward in [f64::INFINITY, f64::NEG_INFINITY, 1e30, -1e30, f64::MAX, -f64::MAX, 1e-30, 5e-324] {
            for row in [0, 3, 8, 50, 99] {
                let mut values = fitting.clone();
                values[row] = awkward;
                let of_singles = |values: &[f64]| {
                    let mut singles = CutSingles::new(3);
                    (singles.add(values, split, &cells[..values.len()]), singles.parts)
                };
                assert_eq!(of_singles(&values), (row, of_singles(&fitting[..row]).1), "{awkward}");
                let of_pairs = |first: &[f64], second: &[f64]| {
                    let mut pairs = CutPairs::new(3);
                    let added = pairs.add([first, second], [split; 2], &cells[..first.len()]);
                    assert_eq!(pairs.missing, [[0; 2]; 3]);
                    (added, pairs.parts, pairs.rows)
                };
                let (_, parts, rows) = of_pairs(&fitting[..row], &fitting[..row]);
                assert_eq!(of_pairs(&fitting, &values), (row, parts.clone(), rows.clone()), "{awkward}");
                assert_eq!(of_pairs(&values, &fitting), (row, parts, rows), "{awkward}");
            }
        }
    }

    #[test]
    fn rows_are_counted_by_the_mark_of_either_cut() {
        let values: Vec<f64> =
            (0..1000).map(|i| if i % 7 == 3 { f64::NAN } else { f64::from(i % 90) * 0.37 + 2.5 }).collect();
        let others: Vec<f64> =
            (0..1000).map(|i| if i % 11 == 5 { f64::NAN } else { f64::from(i) - 499.7 }).collect();
        let reach = |values: &[f64]| Reach::of(values, 53).unwrap();
        let marked = Split::marked(reach(&values), 1 << 16).unwrap();
        let plain = split_of(&others);
        let cells: Vec<u32> = (0..1000).map(|i| i * i % 6).collect();
        let counted = |columns: [&[f64]; 2], splits: [Split; 2]| {
            let (mut vectors, mut alone) = (CutPairs::new(7), CutPairs::new(7));
            for rounds in 0..3 {
                assert_eq!(vectors.add(columns, splits, &cells), 1000, "{rounds}");
                let halves = splits.map(Split::halves);
                let added = match splits.iter().any(|split| split.is_marked()) {
                    true => alone.add_one_by_one::<false>(columns, &halves, &cells),
                    false => alone.add_one_by_one::<true>(columns, &halves, &cells),
                };
                assert_eq!(added, 1000);
            }
            assert_eq!(vectors.parts, alone.parts);
            (0..7).map(|cell| vectors.take(cell, splits)).collect::<Vec<_>>()
        };
        let swapped = |sums: Vec<Option<CellSums>>| -> Vec<Option<CellSums>> {
            let swap = |CellSums { rows, sums: [a, b], missing: [c, d] }| CellSums {
                rows,
                sums: [b, a],
                missing: [d, c],
            };
            sums.into_iter().map(|sums| sums.map(swap)).collect()
        };
        let expected = counted([&values, &others], [split_of(&values), plain]);
        assert_eq!(expected[6], None);
        assert_eq!(expected.iter().flatten().map(|sums| sums.rows).sum::<u64>(), 3000);
        assert_eq!(counted([&values, &others], [marked, plain]), expected);
        assert_eq!(swapped(counted([&others, &values], [plain, marked])), expected);
        assert_eq!(
            counted([&values, &values], [marked, marked]),
            counted([&values, &values], [split_of(&values); 2])
        );
    }

    #[test]
    fn whether_a_value_fits_is_the_same_in_vectors_and_alone() {
        let split = split_of(&[1.0, 3.7]);
        let limit = split.limit();
        let mut values = vec![0.0, -0.0, 1e300, -1e300, split.halves().upper, -split.halves().upper];
        for near in [limit, 2.0 * limit, 3.0 * limit, 4.0 * limit, 2.0 * split.halves().upper] {
            values.extend([near, near.next_up(), near.next_down()].iter().flat_map(|v| [*v, -v]));
        }
        values.extend((0..2000).map(|i| 1.37 * 2f64.powi(i - 1000)).flat_map(|v| [v, -v]));
        for value in values {
            let fits = halves(value, &split.halves()).is_some();
            assert!(!fits || value.abs() <= 4.0 * limit, "{value:e}");
            assert!(fits || value.abs() > limit || value.abs() < 1.0, "{value:e}");
            assert_eq!(CutSingles::new(1).add(&[value; 4], split, &[0; 4]), if fits { 4 } else { 0 });
            let mut pairs = CutPairs::new(1);
            let added = pairs.add([&[1.0; 8], &[value; 8]], [split; 2], &[0; 8]);
            assert_eq!(added, if fits { 8 } else { 0 }, "{value:e}");
            if fits {
                let Sum { high, low } = pairs.take(0, [split; 2]).unwrap().sums[1];
                assert_eq!((high, low), (8.0 * value, 0.0));
            }
        }
    }
}
