//! Sums of two values of every row into cells, with the rows counted beside them: one cache line a cell.

use super::fold::Sum;
use super::wide::{Level, level};

/// Rows that may be added before the counts of a [`Pair`] must be taken out of it.
pub const MOST_ROWS: u64 = 1 << 26;

/// What a missing second value adds to the fourth sum, in which a missing first one is 1.
const SECOND: f64 = MOST_ROWS as f64;

/// Four compensated sums: of the first values, of the second, of 1 for every row, of missing values.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(64))]
pub struct Pair {
    high: [f64; 4],
    low: [f64; 4],
}

impl Pair {
    /// Rows added.
    pub fn rows(&self) -> u64 {
        self.high[2] as u64
    }

    /// The sums of the first and the second values, NaN passed over.
    pub fn sums(&self) -> [Sum; 2] {
        [0, 1].map(|i| Sum { high: self.high[i], low: self.low[i] })
    }

    /// How many first and second values were NaN.
    pub fn missing(&self) -> [u64; 2] {
        let both = self.high[3] as u64;
        [both % MOST_ROWS, both / MOST_ROWS]
    }

    #[inline(always)]
    fn add(&mut self, values: [f64; 4]) {
        for ((high, low), value) in self.high.iter_mut().zip(&mut self.low).zip(values) {
            let mut sum = Sum { high: *high, low: *low };
            sum.add(value);
            (*high, *low) = (sum.high, sum.low);
        }
    }
}

/// Adds row `i`, of which `first[i]` and `second[i]` are the values, to the pair `cells[i]` by Knuth's TwoSum.
/// The slices are of equal length.
pub fn add_pairs(first: &[f64], second: &[f64], cells: &[u32], pairs: &mut [Pair]) {
    #[cfg(target_arch = "x86_64")]
    if level() != Level::Any {
        #[expect(unsafe_code, reason = "calls for a feature just detected")]
        // SAFETY: every level but the last has AVX2, and hence AVX.
        return unsafe { avx::add_pairs(first, second, cells, pairs) };
    }
    one_by_one(first, second, cells, pairs);
}

fn one_by_one(first: &[f64], second: &[f64], cells: &[u32], pairs: &mut [Pair]) {
    for ((&a, &b), &cell) in first.iter().zip(second).zip(cells) {
        let missing = f64::from(u8::from(a.is_nan())) + if b.is_nan() { SECOND } else { 0.0 };
        let there = |v: f64| if v.is_nan() { 0.0 } else { v };
        pairs[cell as usize].add([there(a), there(b), 1.0, missing]);
    }
}

/// The same in vectors of four, to the bit. Left to the compiler, it takes twice as long.
#[cfg(target_arch = "x86_64")]
mod avx {
    use std::arch::x86_64::*;

    use super::{Pair, SECOND, one_by_one};

    #[target_feature(enable = "avx")]
    pub(super) fn add_pairs(first: &[f64], second: &[f64], cells: &[u32], pairs: &mut [Pair]) {
        let (one, other) = (_mm256_set1_pd(1.0), _mm256_set1_pd(SECOND));
        let (firsts, rest) = first.as_chunks::<4>();
        let (seconds, second_rest) = second.as_chunks::<4>();
        let (fours, cells_rest) = cells.as_chunks::<4>();
        for ((a, b), cells) in firsts.iter().zip(seconds).zip(fours) {
            let (a, b) = (load(a), load(b));
            let (has_a, has_b) = (_mm256_cmp_pd::<_CMP_ORD_Q>(a, a), _mm256_cmp_pd::<_CMP_ORD_Q>(b, b));
            let missing = _mm256_add_pd(_mm256_andnot_pd(has_a, one), _mm256_andnot_pd(has_b, other));
            let (a, b) = (_mm256_and_pd(has_a, a), _mm256_and_pd(has_b, b));
            // Rows 0 and 2, then rows 1 and 3.
            let (even, odd) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
            let (even_counts, odd_counts) =
                (_mm256_unpacklo_pd(one, missing), _mm256_unpackhi_pd(one, missing));
            add(&mut pairs[cells[0] as usize], _mm256_permute2f128_pd::<0x20>(even, even_counts));
            add(&mut pairs[cells[1] as usize], _mm256_permute2f128_pd::<0x20>(odd, odd_counts));
            add(&mut pairs[cells[2] as usize], _mm256_permute2f128_pd::<0x31>(even, even_counts));
            add(&mut pairs[cells[3] as usize], _mm256_permute2f128_pd::<0x31>(odd, odd_counts));
        }
        one_by_one(rest, second_rest, cells_rest, pairs);
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

    #[test]
    fn vectors_and_single_rows_agree_to_the_bit() {
        let awkward = [f64::NAN, f64::INFINITY, -0.0, 1e100, -1e100, 1.0, 0.1, -f64::NAN, 1e-300, f64::MAX];
        for rows in [0, 1, 3, 4, 5, 8, 63, 1000] {
            let value = |i: usize, step: usize| match i * step % 13 {
                place @ 0..10 => awkward[place],
                _ => (i * step) as f64 * 0.37 - 50.0,
            };
            let first: Vec<f64> = (0..rows).map(|i| value(i, 7)).collect();
            let second: Vec<f64> = (0..rows).map(|i| value(i, 3)).collect();
            let cells: Vec<u32> = (0..rows as u32).map(|i| i * i % 5).collect();
            let (mut vectors, mut single) = ([Pair::default(); 5], [Pair::default(); 5]);
            add_pairs(&first, &second, &cells, &mut vectors);
            one_by_one(&first, &second, &cells, &mut single);
            for (cell, (vector, single)) in vectors.iter().zip(&single).enumerate() {
                let bits = |v: [f64; 4]| v.map(|v| if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() });
                assert_eq!((bits(vector.high), bits(vector.low)), (bits(single.high), bits(single.low)));
                let here = || (0..rows).filter(|&row| cells[row] as usize == cell);
                let nans = |values: &[f64]| here().filter(|&row| values[row].is_nan()).count() as u64;
                assert_eq!(vector.rows(), here().count() as u64);
                assert_eq!(vector.missing(), [nans(&first), nans(&second)]);
            }
        }
    }

    #[test]
    fn what_cancels_is_not_lost() {
        let mut pair = [Pair::default()];
        add_pairs(&[1.0, 1e100, 1.0, -1e100], &[0.1; 4], &[0; 4], &mut pair);
        assert_eq!(pair[0].sums()[0].value(), 2.0);
    }
}
