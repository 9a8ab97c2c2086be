//! Whole slices to one number, in independent chains that fill the widest vectors.
//!
//! The chains, and the order in which they are joined, depend on the slice alone and not on the machine.

use super::edge::EdgeValue;
use super::fold::Sum;
use super::wide::widest;

const CHAINS: usize = 16;

widest! {
    /// Adds every value that is not NaN to `sum` by Knuth's TwoSum, and the number of the others to
    /// `missing`.
    pub fn sum_reals<T: EdgeValue>(values: &[T], sum: &mut Sum, missing: &mut u64) {
        let (mut high, mut low, mut nans) = ([0.0; CHAINS], [0.0; CHAINS], [0u64; CHAINS]);
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
        let (whole, rest) = values.as_chunks::<CHAINS>();
        for values in whole {
            add(values.map(T::to_f64));
        }
        let mut last = [0.0; CHAINS];
        for (last, value) in last.iter_mut().zip(rest) {
            *last = value.to_f64();
        }
        add(last);
        for i in 0..CHAINS {
            sum.add(high[i]);
            sum.low += low[i];
        }
        *missing += nans.iter().sum::<u64>();
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
