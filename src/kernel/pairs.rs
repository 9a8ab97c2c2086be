//! Sums of one value or two of every row into cells, with the rows counted beside them: at most a cache line a cell.
//!
//! Each cell has two numbers a value, `high` and `low`, that make up its sum. They are added to in one of two ways, not
//! mixed between two times they are taken out: by [`Split`], exactly, where all values are near enough to each other;
//! else by Knuth's TwoSum.

use super::fold::Sum;
use super::split::Split;
use super::wide::{Level, level};

/// Rows that may be added before the counts must be taken out of the cells.
pub const MOST_ROWS: u64 = 1 << 26;

/// What a missing second value adds to the number in which a missing first one is 1.
const SECOND: f64 = MOST_ROWS as f64;

/// The sum of one value.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(32))]
pub struct Single {
    /// High, low, rows, missing values.
    parts: [f64; 4],
}

/// The sums of two values.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(64))]
pub struct Pair {
    /// Of the first value, of the second, of 1 for every row, of missing values.
    high: [f64; 4],
    low: [f64; 4],
}

/// A cell whose numbers can be read.
pub trait Summed {
    /// Rows added.
    fn rows(&self) -> u64;
    /// The sums of the first and the second values, NaN passed over.
    fn sums(&self) -> [Sum; 2];
    /// How many first and second values were NaN.
    fn missing(&self) -> [u64; 2];
}

impl Summed for Single {
    fn rows(&self) -> u64 {
        self.parts[2] as u64
    }

    fn sums(&self) -> [Sum; 2] {
        [Sum { high: self.parts[0], low: self.parts[1] }, Sum::default()]
    }

    fn missing(&self) -> [u64; 2] {
        [self.parts[3] as u64, 0]
    }
}

impl Summed for Pair {
    fn rows(&self) -> u64 {
        self.high[2] as u64
    }

    fn sums(&self) -> [Sum; 2] {
        [0, 1].map(|i| Sum { high: self.high[i], low: self.low[i] })
    }

    fn missing(&self) -> [u64; 2] {
        let both = self.high[3] as u64;
        [both % MOST_ROWS, both / MOST_ROWS]
    }
}

impl Single {
    #[inline(always)]
    fn add(&mut self, parts: [f64; 4]) {
        self.parts.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
    }
}

impl Pair {
    #[inline(always)]
    fn add(&mut self, values: [f64; 4]) {
        for ((high, low), value) in self.high.iter_mut().zip(&mut self.low).zip(values) {
            let mut sum = Sum { high: *high, low: *low };
            sum.add(value);
            (*high, *low) = (sum.high, sum.low);
        }
    }

    #[inline(always)]
    fn add_parts(&mut self, upper: [f64; 4], lower: [f64; 2]) {
        self.high.iter_mut().zip(upper).for_each(|(sum, part)| *sum += part);
        self.low.iter_mut().zip(lower).for_each(|(sum, part)| *sum += part);
    }
}

#[inline(always)]
fn there(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value }
}

#[inline(always)]
fn missing(value: f64) -> f64 {
    f64::from(u8::from(value.is_nan()))
}

/// Adds row `i`, of which `values[i]` is the value, to `sums[cells[i]]`; split where a cut is given. The slices are of
/// equal length.
pub fn add_singles(values: &[f64], split: Option<Split>, cells: &[u32], sums: &mut [Single]) {
    let Some(split) = split else {
        for (&value, &cell) in values.iter().zip(cells) {
            let [high, low, rows, nans] = &mut sums[cell as usize].parts;
            let mut sum = Sum { high: *high, low: *low };
            sum.add(there(value));
            (*high, *low) = (sum.high, sum.low);
            *rows += 1.0;
            *nans += missing(value);
        }
        return;
    };
    #[cfg(target_arch = "x86_64")]
    if level() != Level::Any {
        #[expect(unsafe_code, reason = "calls for a feature just detected")]
        // SAFETY: every level but the last has AVX2, and hence AVX.
        return unsafe { avx::split_singles(values, split, cells, sums) };
    }
    singles_one_by_one(values, split, cells, sums);
}

fn singles_one_by_one(values: &[f64], split: Split, cells: &[u32], sums: &mut [Single]) {
    for (&value, &cell) in values.iter().zip(cells) {
        let (upper, lower) = split.cut(there(value));
        sums[cell as usize].add([upper, lower, 1.0, missing(value)]);
    }
}

/// Adds row `i`, of which `first[i]` and `second[i]` are the values, to `pairs[cells[i]]`; split where cuts are given,
/// one for each. The slices are of equal length.
pub fn add_pairs(
    first: &[f64],
    second: &[f64],
    split: Option<[Split; 2]>,
    cells: &[u32],
    pairs: &mut [Pair],
) {
    #[cfg(target_arch = "x86_64")]
    if level() != Level::Any {
        #[expect(unsafe_code, reason = "calls for a feature just detected")]
        // SAFETY: every level but the last has AVX2, and hence AVX.
        return unsafe {
            match split {
                Some(split) => avx::split_pairs(first, second, split, cells, pairs),
                None => avx::add_pairs(first, second, cells, pairs),
            }
        };
    }
    pairs_one_by_one(first, second, split, cells, pairs);
}

fn pairs_one_by_one(
    first: &[f64],
    second: &[f64],
    split: Option<[Split; 2]>,
    cells: &[u32],
    pairs: &mut [Pair],
) {
    for ((&a, &b), &cell) in first.iter().zip(second).zip(cells) {
        let missing = missing(a) + missing(b) * SECOND;
        let (a, b) = (there(a), there(b));
        let pair = &mut pairs[cell as usize];
        match split {
            None => pair.add([a, b, 1.0, missing]),
            Some([of_first, of_second]) => {
                let (a, b) = (of_first.cut(a), of_second.cut(b));
                pair.add_parts([a.0, b.0, 1.0, missing], [a.1, b.1]);
            }
        }
    }
}

/// The same in vectors of four, to the bit. Left to the compiler, it takes twice as long.
#[cfg(target_arch = "x86_64")]
mod avx {
    use std::arch::x86_64::*;

    use super::{Pair, SECOND, Single, Split, pairs_one_by_one, singles_one_by_one};

    #[target_feature(enable = "avx")]
    pub(super) fn split_singles(values: &[f64], split: Split, cells: &[u32], sums: &mut [Single]) {
        let (one, magic) = (_mm256_set1_pd(1.0), _mm256_set1_pd(split.magic()));
        let (fours, rest) = values.as_chunks::<4>();
        let (cells, cells_rest) = cells.as_chunks::<4>();
        for (values, cells) in fours.iter().zip(cells) {
            let (value, missing) = present(load(values), one);
            let (upper, lower) = cut(value, magic);
            let [zero, first, second, third] = rows_of_four(upper, lower, one, missing);
            add_to(&mut sums[cells[0] as usize].parts, zero);
            add_to(&mut sums[cells[1] as usize].parts, first);
            add_to(&mut sums[cells[2] as usize].parts, second);
            add_to(&mut sums[cells[3] as usize].parts, third);
        }
        singles_one_by_one(rest, split, cells_rest, sums);
    }

    #[target_feature(enable = "avx")]
    pub(super) fn split_pairs(
        first: &[f64],
        second: &[f64],
        split: [Split; 2],
        cells: &[u32],
        pairs: &mut [Pair],
    ) {
        let (one, other) = (_mm256_set1_pd(1.0), _mm256_set1_pd(SECOND));
        let magic = split.map(|split| _mm256_set1_pd(split.magic()));
        let (firsts, rest) = first.as_chunks::<4>();
        let (seconds, second_rest) = second.as_chunks::<4>();
        let (fours, cells_rest) = cells.as_chunks::<4>();
        for ((a, b), cells) in firsts.iter().zip(seconds).zip(fours) {
            let ((a, no_a), (b, no_b)) = (present(load(a), one), present(load(b), other));
            let ((a, low_a), (b, low_b)) = (cut(a, magic[0]), cut(b, magic[1]));
            let [zero, first, second, third] = rows_of_four(a, b, one, _mm256_add_pd(no_a, no_b));
            let (even, odd) = (_mm256_unpacklo_pd(low_a, low_b), _mm256_unpackhi_pd(low_a, low_b));
            add_both(&mut pairs[cells[0] as usize], zero, _mm256_castpd256_pd128(even));
            add_both(&mut pairs[cells[1] as usize], first, _mm256_castpd256_pd128(odd));
            add_both(&mut pairs[cells[2] as usize], second, _mm256_extractf128_pd::<1>(even));
            add_both(&mut pairs[cells[3] as usize], third, _mm256_extractf128_pd::<1>(odd));
        }
        pairs_one_by_one(rest, second_rest, Some(split), cells_rest, pairs);
    }

    #[target_feature(enable = "avx")]
    pub(super) fn add_pairs(first: &[f64], second: &[f64], cells: &[u32], pairs: &mut [Pair]) {
        let (one, other) = (_mm256_set1_pd(1.0), _mm256_set1_pd(SECOND));
        let (firsts, rest) = first.as_chunks::<4>();
        let (seconds, second_rest) = second.as_chunks::<4>();
        let (fours, cells_rest) = cells.as_chunks::<4>();
        for ((a, b), cells) in firsts.iter().zip(seconds).zip(fours) {
            let ((a, no_a), (b, no_b)) = (present(load(a), one), present(load(b), other));
            let rows = rows_of_four(a, b, one, _mm256_add_pd(no_a, no_b));
            for (row, &cell) in rows.into_iter().zip(cells) {
                add(&mut pairs[cell as usize], row);
            }
        }
        pairs_one_by_one(rest, second_rest, None, cells_rest, pairs);
    }

    /// The values with 0 for NaN, and `mark` where they were NaN.
    #[inline]
    #[target_feature(enable = "avx")]
    fn present(values: __m256d, mark: __m256d) -> (__m256d, __m256d) {
        let is = _mm256_cmp_pd::<_CMP_ORD_Q>(values, values);
        (_mm256_and_pd(is, values), _mm256_andnot_pd(is, mark))
    }

    #[inline]
    #[target_feature(enable = "avx")]
    fn cut(values: __m256d, magic: __m256d) -> (__m256d, __m256d) {
        let upper = _mm256_sub_pd(_mm256_add_pd(magic, values), magic);
        (upper, _mm256_sub_pd(values, upper))
    }

    /// Four columns turned into four rows.
    #[inline]
    #[target_feature(enable = "avx")]
    fn rows_of_four(a: __m256d, b: __m256d, c: __m256d, d: __m256d) -> [__m256d; 4] {
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
    #[target_feature(enable = "avx")]
    fn add(pair: &mut Pair, values: __m256d) {
        let (high, low) = (load(&pair.high), load(&pair.low));
        let sum = _mm256_add_pd(high, values);
        let part = _mm256_sub_pd(sum, high);
        let kept = _mm256_sub_pd(high, _mm256_sub_pd(sum, part));
        let lost = _mm256_add_pd(kept, _mm256_sub_pd(values, part));
        store(&mut pair.high, sum);
        store(&mut pair.low, _mm256_add_pd(low, lost));
    }

    #[inline]
    #[target_feature(enable = "avx")]
    fn add_both(pair: &mut Pair, upper: __m256d, lower: __m128d) {
        add_to(&mut pair.high, upper);
        #[expect(unsafe_code, reason = "half of a vector")]
        // SAFETY: four doubles lie there.
        unsafe {
            let low = pair.low.as_mut_ptr();
            _mm_store_pd(low, _mm_add_pd(_mm_load_pd(low), lower));
        }
    }

    #[inline]
    #[target_feature(enable = "avx")]
    fn add_to(sums: &mut [f64; 4], values: __m256d) {
        store(sums, _mm256_add_pd(load(sums), values));
    }

    #[inline]
    #[target_feature(enable = "avx")]
    fn load(values: &[f64; 4]) -> __m256d {
        #[expect(unsafe_code, reason = "a load of a vector")]
        // SAFETY: four doubles lie there.
        unsafe {
            _mm256_loadu_pd(values.as_ptr())
        }
    }

    #[inline]
    #[target_feature(enable = "avx")]
    fn store(values: &mut [f64; 4], vector: __m256d) {
        #[expect(unsafe_code, reason = "a store of a vector")]
        // SAFETY: there is room for four doubles.
        unsafe {
            _mm256_storeu_pd(values.as_mut_ptr(), vector);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::split::Reach;

    const AWKWARD: [f64; 10] =
        [f64::NAN, f64::INFINITY, -0.0, 1e100, -1e100, 1.0, 0.1, -f64::NAN, 1e-300, f64::MAX];
    const NEAR: [f64; 10] = [f64::NAN, 0.0, -0.0, 1.7, -1e3, 1.0, 0.1, -f64::NAN, 0.3, 1e-3];

    fn columns(of: [f64; 10], rows: usize) -> [Vec<f64>; 2] {
        [7, 3].map(|step| {
            let value = |i: usize| match i * step % 13 {
                place @ 0..10 => of[place],
                _ => (i * step) as f64 * 0.37 - 50.0,
            };
            (0..rows).map(value).collect()
        })
    }

    fn splits(columns: &[Vec<f64>; 2]) -> [Split; 2] {
        [0, 1].map(|i| Split::of(Reach::of(&columns[i], 53).unwrap()).unwrap())
    }

    fn bits(values: &[f64]) -> Vec<u64> {
        values.iter().map(|v| if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() }).collect()
    }

    #[test]
    fn vectors_and_single_rows_agree_to_the_bit() {
        for rows in [0, 1, 3, 4, 5, 8, 63, 1000] {
            for is_split in [false, true] {
                let columns = columns(if is_split { NEAR } else { AWKWARD }, rows);
                let split = is_split.then(|| splits(&columns));
                let [first, second] = &columns;
                let cells: Vec<u32> = (0..rows as u32).map(|i| i * i % 5).collect();
                let (mut vectors, mut single) = ([Pair::default(); 5], [Pair::default(); 5]);
                add_pairs(first, second, split, &cells, &mut vectors);
                pairs_one_by_one(first, second, split, &cells, &mut single);
                let (mut alone, mut one_by_one) = ([Single::default(); 5], [Single::default(); 5]);
                add_singles(first, split.map(|s| s[0]), &cells, &mut alone);
                match split {
                    Some(split) => singles_one_by_one(first, split[0], &cells, &mut one_by_one),
                    None => one_by_one = alone,
                }
                for cell in 0..5 {
                    let (vector, single) = (&vectors[cell], &single[cell]);
                    assert_eq!(bits(&vector.high), bits(&single.high));
                    assert_eq!(bits(&vector.low), bits(&single.low));
                    assert_eq!(bits(&alone[cell].parts), bits(&one_by_one[cell].parts));
                    let [of_pair, of_single] = [vector.sums()[0], alone[cell].sums()[0]];
                    assert_eq!(bits(&[of_pair.high, of_pair.low]), bits(&[of_single.high, of_single.low]));
                    let here = || (0..rows).filter(|&row| cells[row] as usize == cell);
                    let nans = |values: &[f64]| here().filter(|&row| values[row].is_nan()).count() as u64;
                    assert_eq!((vector.rows(), alone[cell].rows()), (here().count() as u64, vector.rows()));
                    assert_eq!(vector.missing(), [nans(first), nans(second)]);
                    assert_eq!(alone[cell].missing()[0], nans(first));
                }
            }
        }
    }

    #[test]
    fn what_cancels_is_not_lost() {
        let values = [1.0, 1e100, 1.0, -1e100];
        let (mut pair, mut single) = ([Pair::default()], [Single::default()]);
        add_pairs(&values, &[0.1; 4], None, &[0; 4], &mut pair);
        add_singles(&values, None, &[0; 4], &mut single);
        assert_eq!(pair[0].sums()[0].value(), 2.0);
        assert_eq!(single[0].sums()[0].value(), 2.0);
    }
}
