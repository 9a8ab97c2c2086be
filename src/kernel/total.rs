//! Whole slices to one number, in independent chains that fill the widest vectors.
//!
//! The chains, and the order in which they are joined, depend on the slice alone and not on the machine.

use super::edge::EdgeValue;
use super::fold::Sum;
use super::wide::widest;

const CHAINS: usize = 16;

/// A sum of reals under way, and how many values were NaN and passed over.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    high: [f64; CHAINS],
    low: [f64; CHAINS],
    nans: [u64; CHAINS],
}

impl Sums {
    /// Adds the chains up in their order.
    pub fn add_to(&self, sum: &mut Sum) {
        for (&high, &low) in self.high.iter().zip(&self.low) {
            sum.add(high);
            sum.low += low;
        }
    }

    /// How many values were NaN.
    pub fn missing(&self) -> u64 {
        self.nans.iter().sum()
    }
}

/// Values that are looked at together before they are summed.
pub const BLOCK: usize = 512;

/// Reals that are summed.
pub trait Summand: EdgeValue {
    /// The sum, where no addition rounds whatever the order; none of the values is then NaN or infinite.
    #[inline(always)]
    fn exact_sum(_values: &[Self; BLOCK]) -> Option<f64> {
        None
    }
}

impl Summand for f64 {}

impl Summand for f32 {
    /// Numbers below `2^(high + 1)` that are multiples of `2^(low - 23)` have sums of at most
    /// `high - low + 33` bits when there are 512 of them.
    #[inline(always)]
    fn exact_sum(values: &[f32; BLOCK]) -> Option<f64> {
        const MOST_APART: u32 = f64::MANTISSA_DIGITS - 33;
        let (mut most, mut least) = (0, u32::MAX);
        for value in values {
            let magnitude = value.to_bits() & (u32::MAX >> 1);
            most = most.max(magnitude);
            // Zero, a multiple of anything, becomes the greatest.
            least = least.min(magnitude.wrapping_sub(1));
        }
        // Of exponent 0 are multiples of what those of exponent 1 are multiples of.
        let (high, low) = ((most >> 23).max(1), (least.wrapping_add(1) >> 23).max(1));
        if high == 0xFF || high - low > MOST_APART {
            return None;
        }
        let mut chains = [0.0; CHAINS];
        for values in values.as_chunks::<CHAINS>().0 {
            for (chain, value) in chains.iter_mut().zip(values) {
                *chain += f64::from(*value);
            }
        }
        Some(chains.iter().sum())
    }
}

widest! {
    /// Adds every value that is not NaN to its chain by Knuth's TwoSum, and counts the others. Slices whose
    /// lengths are multiples of [`BLOCK`], but for the last, add up as the whole would.
    pub fn sum_reals<T: Summand>(values: &[T], sums: &mut Sums) {
        // In variables of their own the chains stay in registers.
        let Sums { mut high, mut low, mut nans } = *sums;
        let mut add = |values: [f64; CHAINS]| {
            for i in 0..CHAINS {
                let is_nan = values[i].is_nan();
                let value = if is_nan { 0.0 } else { values[i] };
                nans[i] += u64::from(is_nan);
                let sum = high[i] + value;
                let part = sum - high[i];
                low[i] += (high[i] - (sum - part)) + (value - part);
                high[i] = sum;
            }
        };
        let (blocks, rest) = values.as_chunks::<BLOCK>();
        for block in blocks {
            if let Some(sum) = T::exact_sum(block) {
                let mut first = [0.0; CHAINS];
                first[0] = sum;
                add(first);
                continue;
            }
            for values in block.as_chunks::<CHAINS>().0 {
                add(values.map(T::to_f64));
            }
        }
        for part in rest.chunks(CHAINS) {
            let mut last = [0.0; CHAINS];
            for (last, value) in last.iter_mut().zip(part) {
                *last = value.to_f64();
            }
            add(last);
        }
        *sums = Sums { high, low, nans };
    }
}

widest! {
    /// Adds the number of values that are NaN to `count`.
    pub fn count_nan<T: EdgeValue>(values: &[T], count: &mut u64) {
        *count += values.iter().map(|value| u64::from(value.is_nan())).sum::<u64>();
    }
}

/// A whole number in two parts, of which 2^31 can be summed in 64 bits.
pub trait Whole: EdgeValue + Ord {
    /// `(high, low)` with the value `high * 2^32 + low`.
    fn parts(self) -> (i64, i64);
}

macro_rules! whole {
    ($($t:ty),* => $parts:expr) => {$(
        impl Whole for $t {
            #[inline(always)]
            fn parts(self) -> (i64, i64) {
                $parts(self)
            }
        }
    )*};
}
whole!(i8, u8, i16, u16, i32, u32 => |v| (0, i64::from(v)));
whole!(i64 => |v| (v >> 32, v & 0xffff_ffff));
whole!(u64 => |v| ((v >> 32) as i64, (v & 0xffff_ffff) as i64));

widest! {
    /// Adds all values, at most 2^31, to `sum`, exactly.
    pub fn sum_whole<T: Whole>(values: &[T], sum: &mut i128) {
        let (mut high, mut low) = (0, 0);
        for value in values {
            let parts = value.parts();
            high += parts.0;
            low += parts.1;
        }
        *sum += (i128::from(high) << 32) + i128::from(low);
    }
}

widest! {
    /// Makes `best` the least of itself and all values or, with `greatest`, the greatest.
    pub fn extreme_whole<T: Whole>(values: &[T], best: &mut T, greatest: bool) {
        *best = if greatest {
            values.iter().fold(*best, |best, &value| best.max(value))
        } else {
            values.iter().fold(*best, |best, &value| best.min(value))
        };
    }
}

widest! {
    /// As [`extreme_whole`], passing over NaN and, with `finite`, over infinities.
    pub fn extreme_reals<T: EdgeValue>(values: &[T], best: &mut f64, greatest: bool, finite: bool) {
        // The greatest is the least of the negated values.
        let sign = if greatest { -1.0 } else { 1.0 };
        let limit = if finite { f64::MAX } else { f64::INFINITY };
        let mut chains = [*best * sign; CHAINS];
        let take = |chain: &mut f64, value: T| {
            let value = value.to_f64() * sign;
            let value = if value.abs() <= limit { value } else { f64::INFINITY };
            *chain = if value < *chain { value } else { *chain };
        };
        let (whole, rest) = values.as_chunks::<CHAINS>();
        for values in whole {
            for i in 0..CHAINS {
                take(&mut chains[i], values[i]);
            }
        }
        for (chain, &value) in chains.iter_mut().zip(rest) {
            take(chain, value);
        }
        *best = chains.into_iter().fold(f64::INFINITY, f64::min) * sign;
    }
}
