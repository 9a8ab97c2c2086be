//! The least and greatest of a slice.

use super::edge::EdgeValue;
use super::wide::widest;

/// Bounds of some values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent<T> {
    /// The least and the greatest that are not NaN; `None` where all are.
    pub bounds: Option<(T, T)>,
    /// Whether any is NaN.
    pub nan: bool,
}

/// Chains that run beside each other: enough for four vectors of every type.
const CHAINS: usize = 32;

widest! {
    /// The extent of `values`.
    pub fn extent<T: EdgeValue>(values: &[T]) -> Extent<T> {
        let Some(&first) = values.iter().find(|v| !v.is_nan()) else {
            return Extent { bounds: None, nan: !values.is_empty() };
        };
        let (mut least, mut greatest, mut probe) = ([first; CHAINS], [first; CHAINS], [first; CHAINS]);
        let (whole, rest) = values.as_chunks::<CHAINS>();
        for values in whole {
            for (i, &v) in values.iter().enumerate() {
                least[i] = if v < least[i] { v } else { least[i] };
                greatest[i] = if v > greatest[i] { v } else { greatest[i] };
                probe[i] = if v.is_nan() { v } else { probe[i] };
            }
        }
        for (i, &v) in rest.iter().enumerate() {
            least[i] = if v < least[i] { v } else { least[i] };
            greatest[i] = if v > greatest[i] { v } else { greatest[i] };
            probe[i] = if v.is_nan() { v } else { probe[i] };
        }
        let lesser = |a: T, b: &T| if *b < a { *b } else { a };
        let greater = |a: T, b: &T| if *b > a { *b } else { a };
        let bounds = (least.iter().fold(first, lesser), greatest.iter().fold(first, greater));
        Extent { bounds: Some(bounds), nan: probe.iter().any(|v| v.is_nan()) }
    }
}
