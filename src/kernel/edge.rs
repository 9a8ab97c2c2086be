//! The one definition of a bin edge.
//!
//! An edge is an `f64`. A value `v` of a column is *at or above* edge `e` iff `v >= T::from_edge(e)`
//! in the column's own type `T`:
//!
//! - integers compare exactly: the edge becomes the smallest integer not below it;
//! - `f32` compares with the `f32` nearest to the edge, so that the stored 0.7 lies at the edge 0.7;
//! - `f64` compares as it is.
//!
//! NaN is at or above nothing and below nothing. Every interval is half-open, `[lo, hi)`.

use super::compare::bits;
use super::wide::widest;

/// A number that can be compared with an edge in its own type.
pub trait EdgeValue: Copy + PartialOrd + Send + Sync + 'static {
    /// The smallest value that counts as at or above `edge`, saturating at the type's bounds;
    /// `None` when no value of the type is.
    fn from_edge(edge: f64) -> Option<Self>;
    /// The value as `f64`, rounded to nearest; only a first guess may depend on it.
    fn to_f64(self) -> f64;
    /// The value as `f32`, rounded to nearest.
    fn to_f32(self) -> f32;
    /// Whether the type is `f32` itself.
    const IS_F32: bool = false;
    /// Whether the type is `f32` or `f64`, so that every value is an `f64`.
    const IS_REAL: bool = false;
    /// Whether it is NaN.
    fn is_nan(self) -> bool;
    /// The next smaller value; `None` below the smallest.
    fn previous(self) -> Option<Self>;
    /// How far a whole number that is not below `first` lies above it, if that is less than `count`; else, and of reals,
    /// `u32::MAX`.
    #[inline]
    fn place(self, _first: Self, _count: u32) -> u32 {
        u32::MAX
    }
}

macro_rules! integer_edge {
    ($($t:ty as $unsigned:ty),*) => {$(
        impl EdgeValue for $t {
            #[inline]
            fn from_edge(edge: f64) -> Option<Self> {
                if edge.is_nan() {
                    return None;
                }
                let up = edge.ceil();
                // 2^BITS is exact in f64 while MAX itself may round up to it.
                let beyond = <$t>::MAX as f64 + if (<$t>::MAX as f64) < 9e15 { 1.0 } else { 0.0 };
                if up >= beyond { None } else { Some(up as $t) }
            }
            #[inline]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline]
            fn to_f32(self) -> f32 {
                self as f32
            }
            #[inline]
            fn is_nan(self) -> bool {
                false
            }
            #[inline]
            fn previous(self) -> Option<Self> {
                self.checked_sub(1)
            }
            #[inline(always)]
            fn place(self, first: Self, count: u32) -> u32 {
                let above = self.wrapping_sub(first) as $unsigned;
                if (above as u64) < u64::from(count) { above as u32 } else { u32::MAX }
            }
        }
    )*};
}
integer_edge!(i8 as u8, i16 as u16, i32 as u32, i64 as u64, u8 as u8, u16 as u16, u32 as u32, u64 as u64);

impl EdgeValue for f32 {
    #[inline]
    fn from_edge(edge: f64) -> Option<Self> {
        if edge.is_nan() { None } else { Some(edge as f32) }
    }
    #[inline]
    fn to_f64(self) -> f64 {
        self.into()
    }
    #[inline]
    fn to_f32(self) -> f32 {
        self
    }
    const IS_F32: bool = true;
    const IS_REAL: bool = true;
    #[inline]
    fn is_nan(self) -> bool {
        self.is_nan()
    }
    #[inline]
    fn previous(self) -> Option<Self> {
        (self > f32::NEG_INFINITY).then(|| self.next_down())
    }
}

impl EdgeValue for f64 {
    #[inline]
    fn from_edge(edge: f64) -> Option<Self> {
        if edge.is_nan() { None } else { Some(edge) }
    }
    #[inline]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline]
    fn to_f32(self) -> f32 {
        self as f32
    }
    const IS_REAL: bool = true;
    #[inline]
    fn is_nan(self) -> bool {
        self.is_nan()
    }
    #[inline]
    fn previous(self) -> Option<Self> {
        (self > f64::NEG_INFINITY).then(|| self.next_down())
    }
}

/// Whether `lo <= values[i] < hi` by the definition above, as bit `i % 64` of word `i / 64`. An infinite `hi`
/// is no end: infinity itself lies inside.
pub fn within<T: EdgeValue>(values: &[T], lo: f64, hi: f64) -> Vec<u64> {
    match (T::from_edge(lo), T::from_edge(hi).filter(|_| hi != f64::INFINITY)) {
        (Some(low), Some(high)) => between(values, low, high),
        // No value of the type reaches the upper edge.
        (Some(low), None) if !hi.is_nan() => from(values, low),
        // None reaches the lower one, or an edge is no number.
        _ => vec![0; values.len().div_ceil(64)],
    }
}

widest! {
    fn between<T: EdgeValue>(values: &[T], low: T, high: T) -> Vec<u64> {
        bits(values, |v| (v >= low) & (v < high))
    }
}

widest! {
    fn from<T: EdgeValue>(values: &[T], low: T) -> Vec<u64> {
        bits(values, |v| v >= low)
    }
}
