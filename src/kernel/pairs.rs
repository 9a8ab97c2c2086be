//! Compensated sums of one value or two of every row into cells, with the rows counted beside them: at most a cache line
//! a cell. Each cell has two numbers a value, `high` and `low`, added to by Knuth's TwoSum.

use super::cut::CellSums;
#[cfg(target_arch = "x86_64")]
use super::cut::avx2 as vectors;
use super::fold::Sum;
#[cfg(target_arch = "x86_64")]
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

impl Single {
    /// What it holds.
    pub fn sums(&self) -> CellSums {
        let [high, low, rows, missing] = self.parts;
        let sums = [Sum { high, low }, Sum::default()];
        CellSums { rows: rows as u64, sums, missing: [missing as u64, 0] }
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

    /// What it holds.
    pub fn sums(&self) -> CellSums {
        let missing = self.high[3] as u64;
        CellSums {
            rows: self.high[2] as u64,
            sums: [0, 1].map(|i| Sum { high: self.high[i], low: self.low[i] }),
            missing: [missing % MOST_ROWS, missing / MOST_ROWS],
        }
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

/// Adds row `i`, of which `values[i]` is the value, to `sums[cells[i]]`. The slices are of equal length.
pub fn add_singles(values: &[f64], cells: &[u32], sums: &mut [Single]) {
    for (&value, &cell) in values.iter().zip(cells) {
        let [high, low, rows, nans] = &mut sums[cell as usize].parts;
        let mut sum = Sum { high: *high, low: *low };
        sum.add(there(value));
        (*high, *low) = (sum.high, sum.low);
        *rows += 1.0;
        *nans += missing(value);
    }
}

/// Adds row `i`, of which `first[i]` and `second[i]` are the values, to `pairs[cells[i]]`. The slices are of equal
/// length.
pub fn add_pairs([first, second]: [&[f64]; 2], cells: &[u32], pairs: &mut [Pair]) {
    #[cfg(target_arch = "x86_64")]
    if level() != Level::Any {
        #[expect(unsafe_code, reason = "calls for a feature just detected")]
        // SAFETY: every level but the last has AVX2.
        return unsafe { avx2::add_pairs(first, second, cells, pairs) };
    }
    pairs_one_by_one(first, second, cells, pairs);
}

fn pairs_one_by_one(first: &[f64], second: &[f64], cells: &[u32], pairs: &mut [Pair]) {
    for ((&a, &b), &cell) in first.iter().zip(second).zip(cells) {
        pairs[cell as usize].add([there(a), there(b), 1.0, missing(a) + missing(b) * SECOND]);
    }
}

/// The same in vectors of four, to the bit. Left to the compiler, it takes twice as long.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::vectors::{load, rows_of_four};
    use super::{Pair, SECOND, pairs_one_by_one};

    #[target_feature(enable = "avx2")]
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
        pairs_one_by_one(rest, second_rest, cells_rest, pairs);
    }

    /// The values with 0 for NaN, and `mark` where they were NaN.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn present(values: __m256d, mark: __m256d) -> (__m256d, __m256d) {
        let is = _mm256_cmp_pd::<_CMP_ORD_Q>(values, values);
        (_mm256_and_pd(is, values), _mm256_andnot_pd(is, mark))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
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
    #[target_feature(enable = "avx2")]
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

    const AWKWARD: [f64; 10] =
        [f64::NAN, f64::INFINITY, -0.0, 1e100, -1e100, 1.0, 0.1, -f64::NAN, 1e-300, f64::MAX];

    fn columns(rows: usize) -> [Vec<f64>; 2] {
        [7, 3].map(|step| {
            let value = |i: usize| match i * step % 13 {
                place @ 0..10 => AWKWARD[place],
                _ => (i * step) as f64 * 0.37 - 50.0,
            };
            (0..rows).map(value).collect()
        })
    }

    fn bits(values: &[f64]) -> Vec<u64> {
        values.iter().map(|v| if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() }).collect()
    }

    #[test]
    fn vectors_and_single_rows_agree_to_the_bit() {
        for rows in [0, 1, 3, 4, 5, 8, 63, 1000] {
            let [first, second] = &columns(rows);
            let cells: Vec<u32> = (0..rows as u32).map(|i| i * i % 5).collect();
            let (mut vectors, mut single) = ([Pair::default(); 5], [Pair::default(); 5]);
            add_pairs([first, second], &cells, &mut vectors);
            pairs_one_by_one(first, second, &cells, &mut single);
            let mut alone = [Single::default(); 5];
            add_singles(first, &cells, &mut alone);
            for cell in 0..5 {
                let (vector, single) = (&vectors[cell], &single[cell]);
                assert_eq!(bits(&vector.high), bits(&single.high));
                assert_eq!(bits(&vector.low), bits(&single.low));
                let [of_pair, of_single] = [vector.sums(), alone[cell].sums()];
                let parts = |sum: Sum| bits(&[sum.high, sum.low]);
                assert_eq!(parts(of_pair.sums[0]), parts(of_single.sums[0]));
                let here = || (0..rows).filter(|&row| cells[row] as usize == cell);
                let nans = |values: &[f64]| here().filter(|&row| values[row].is_nan()).count() as u64;
                assert_eq!((of_pair.rows, of_single.rows), (here().count() as u64, of_pair.rows));
                assert_eq!(of_pair.missing, [nans(first), nans(second)]);
                assert_eq!(of_single.missing[0], nans(first));
            }
        }
    }

    #[test]
    fn what_cancels_is_not_lost() {
        let values = [1.0, 1e100, 1.0, -1e100];
        let (mut pair, mut single) = ([Pair::default()], [Single::default()]);
        add_pairs([&values, &[0.1; 4]], &[0; 4], &mut pair);
        add_singles(&values, &[0; 4], &mut single);
        assert_eq!(pair[0].sums().sums[0].value(), 2.0);
        assert_eq!(single[0].sums().sums[0].value(), 2.0);
    }
}
