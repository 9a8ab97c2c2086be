//! Cutting an axis into bins.

use std::sync::Arc;

use crate::kernel::bin::{EXTRA_SLOTS, Guess, MISSING, OVER, UNDER};

/// How the axis is drawn and subdivided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Scale {
    /// Equal widths.
    #[default]
    Linear,
    /// Equal ratios.
    Log,
}

/// Bins could not be made of these limits.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BinsError {
    /// Limits not finite, or not in ascending order.
    #[error("an axis needs two finite limits, the lower first; got {lo} and {hi}")]
    Limits {
        /// Lower limit given.
        lo: f64,
        /// Upper limit given.
        hi: f64,
    },
    /// A logarithmic axis that reaches zero or below.
    #[error("a logarithmic axis needs a lower limit above zero; got {lo}")]
    NotPositive {
        /// Lower limit given.
        lo: f64,
    },
    /// Number of bins out of bounds.
    #[error("an axis has 1 to {max} bins; got {count}", max = Bins::MAX_COUNT)]
    Count {
        /// Number given.
        count: usize,
    },
    /// Two edges fall on the same number.
    #[error("{count} bins between {lo} and {hi} are narrower than a number can tell apart")]
    TooNarrow {
        /// Lower limit given.
        lo: f64,
        /// Upper limit given.
        hi: f64,
        /// Number given.
        count: usize,
    },
}

/// What a slot of an axis holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotKind {
    /// Values in `[edge(i), edge(i + 1))`.
    Bin(usize),
    /// Values at or above the last edge.
    Over,
    /// Values below the first edge.
    Under,
    /// Null and NaN.
    Missing,
}

/// The bins of one axis: `count` half-open intervals between `count + 1` ascending edges.
///
/// An axis has `count + 3` slots; see [`Bins::slot_kind`].
#[derive(Debug, Clone, PartialEq)]
pub struct Bins {
    edges: Arc<[f64]>,
    scale: Scale,
    guess: Guess,
}

impl Bins {
    /// Most bins an axis may have.
    pub const MAX_COUNT: usize = 1 << 20;

    /// `count` bins of equal width (or ratio) from `lo` to `hi`.
    ///
    /// # Errors
    /// [`BinsError`] when no such bins exist.
    pub fn new(lo: f64, hi: f64, count: usize, scale: Scale) -> Result<Bins, BinsError> {
        if count == 0 || count > Bins::MAX_COUNT {
            return Err(BinsError::Count { count });
        }
        if !(lo.is_finite() && hi.is_finite() && lo < hi && (hi - lo).is_finite()) {
            return Err(BinsError::Limits { lo, hi });
        }
        let n = count as f64;
        let edges: Vec<f64> = match scale {
            Scale::Linear => fractions(lo, hi, count).unwrap_or_else(|| {
                // One rounding for the product and one for the quotient keep most edges at the double nearest to the
                // decimal a person reads.
                let at = |i: usize| if i == count { hi } else { lo + (hi - lo) * i as f64 / n };
                (0..=count).map(at).collect()
            }),
            Scale::Log => {
                if lo <= 0.0 {
                    return Err(BinsError::NotPositive { lo });
                }
                let (from, to) = (lo.ln(), hi.ln());
                let at = |i: usize| match i {
                    0 => lo,
                    i if i == count => hi,
                    i => (from + (to - from) * i as f64 / n).exp(),
                };
                (0..=count).map(at).collect()
            }
        };
        Bins::from_edges(edges, scale).ok_or(BinsError::TooNarrow { lo, hi, count })
    }

    /// Bins between these edges; `None` unless there are at least two, finite and strictly ascending.
    pub fn from_edges(edges: Vec<f64>, scale: Scale) -> Option<Bins> {
        let ascending = edges.windows(2).all(|pair| pair[0] < pair[1]);
        let finite = edges.iter().all(|edge| edge.is_finite());
        if edges.len() < 2 || edges.len() > Bins::MAX_COUNT + 1 || !ascending || !finite {
            return None;
        }
        let guess = linear_guess(&edges).unwrap_or(Guess::Search);
        Some(Bins { edges: edges.into(), scale, guess })
    }

    /// Number of bins.
    pub fn count(&self) -> usize {
        self.edges.len() - 1
    }

    /// Number of slots: bins, over, under, missing.
    pub fn slots(&self) -> usize {
        self.count() + EXTRA_SLOTS
    }

    /// What slot `slot` of `0..slots()` holds.
    pub fn slot_kind(&self, slot: usize) -> SlotKind {
        let count = self.count();
        match slot {
            s if s < count => SlotKind::Bin(s),
            s if s == count + OVER as usize => SlotKind::Over,
            s if s == count + UNDER as usize => SlotKind::Under,
            _ => SlotKind::Missing,
        }
    }

    /// Slot of values at or above the last edge.
    pub fn over(&self) -> usize {
        self.count() + OVER as usize
    }

    /// Slot of values below the first edge.
    pub fn under(&self) -> usize {
        self.count() + UNDER as usize
    }

    /// Slot of missing values.
    pub fn missing(&self) -> usize {
        self.count() + MISSING as usize
    }

    /// All edges, ascending; one more than there are bins.
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// First edge.
    pub fn lo(&self) -> f64 {
        self.edges[0]
    }

    /// Last edge.
    pub fn hi(&self) -> f64 {
        self.edges[self.count()]
    }

    /// Middle of bin `i` in the axis's scale.
    pub fn centre(&self, i: usize) -> f64 {
        let (a, b) = (self.edges[i], self.edges[i + 1]);
        match self.scale {
            Scale::Linear => a + (b - a) / 2.0,
            Scale::Log => (a * b).sqrt(),
        }
    }

    /// Linear or logarithmic.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// Whether every bin is as wide as the first, to within rounding.
    pub fn is_uniform(&self) -> bool {
        matches!(self.guess, Guess::Linear { .. })
    }

    /// How the kernel guesses a bin.
    pub(super) fn guess(&self) -> Guess {
        self.guess
    }

    /// Position of `value` along the axis: 0 at the first edge, 1 at the last; may lie outside.
    pub fn position(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => (value - self.lo()) / (self.hi() - self.lo()),
            Scale::Log => (value / self.lo()).ln() / (self.hi() / self.lo()).ln(),
        }
    }

    /// The value at `position` along the axis; the inverse of [`Bins::position`].
    pub fn value_at(&self, position: f64) -> f64 {
        match self.scale {
            Scale::Linear => self.lo() + (self.hi() - self.lo()) * position,
            Scale::Log => self.lo() * ((self.hi() / self.lo()).ln() * position).exp(),
        }
    }

    /// The edge nearest to `value` as drawn, as an index into [`Bins::edges`].
    pub fn nearest_edge(&self, value: f64) -> usize {
        let above = self.edges.partition_point(|&edge| edge <= value);
        match above {
            0 => 0,
            n if n > self.count() => self.count(),
            n => {
                let at = self.position(value);
                let below_is_nearer =
                    at - self.position(self.edges[n - 1]) <= self.position(self.edges[n]) - at;
                if below_is_nearer { n - 1 } else { n }
            }
        }
    }

    /// The bin that holds `value`, if any does.
    pub fn bin_of(&self, value: f64) -> Option<usize> {
        match self.edges.partition_point(|&edge| edge <= value) {
            0 => None,
            n if n > self.count() => None,
            n => Some(n - 1),
        }
    }
}

impl std::fmt::Display for Bins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scale = match self.scale {
            Scale::Linear => "",
            Scale::Log => ":log",
        };
        write!(f, "{}:{}:{}{scale}", self.lo(), self.hi(), self.count())
    }
}

/// The multiples of a fraction such as 0.05 from `lo` to `hi`, which must be among them, as quotients of whole numbers: each
/// is the double nearest to its decimal, and the same on whichever axis it is an edge.
fn fractions(lo: f64, hi: f64, count: usize) -> Option<Vec<f64>> {
    const EXACT: f64 = (1u64 << f64::MANTISSA_DIGITS) as f64;
    // Ends that are close to each other leave few digits of their difference; of round steps few are needed.
    let per_one = count as f64 / (hi - lo);
    let unit = 10f64.powi((per_one.log10().floor() as i32 - 8).max(0));
    let per_one = (per_one / unit).round() * unit;
    let (first, last) = ((lo * per_one).round(), (hi * per_one).round());
    let are_exact = first.abs().max(last.abs()).max(per_one) < EXACT;
    let are_multiples = per_one > 1.0 && first / per_one == lo && last / per_one == hi;
    (are_exact && are_multiples && last - first == count as f64)
        .then(|| (0..=count).map(|i| (first + i as f64) / per_one).collect())
}

/// The linear guess for `edges` when it is right to within half a bin everywhere.
fn linear_guess(edges: &[f64]) -> Option<Guess> {
    let count = edges.len() - 1;
    let lo = edges[0];
    let scale = count as f64 / (edges[count] - lo);
    if !scale.is_finite() {
        return None;
    }
    let close = |(i, &edge): (usize, &f64)| ((edge - lo) * scale - i as f64).abs() < 0.25;
    // A bin must be much wider than the spacing of f64 at its place, or a 64-bit integer rounded to
    // f64 would be guessed more than one bin away.
    let spacing = lo.abs().max(edges[count].abs()) * f64::EPSILON;
    let wide = scale.recip() > 16.0 * spacing;
    (wide && edges.iter().enumerate().all(close)).then_some(Guess::Linear { lo, scale })
}
