//! Values to slots of an axis.
//!
//! An axis of `count` bins has `count + 3` slots: the bins in order, then [`OVER`], [`UNDER`] and
//! [`MISSING`], each as an offset from `count`.

use super::edge::EdgeValue;
use super::wide::widest;

/// Slot of values at or above the last edge, as an offset from the bin count.
pub const OVER: u32 = 0;
/// Slot of values below the first edge, as an offset from the bin count.
pub const UNDER: u32 = 1;
/// Slot of missing values (null or NaN), as an offset from the bin count.
pub const MISSING: u32 = 2;
/// Slots an axis has beside its bins.
pub const EXTRA_SLOTS: usize = 3;

/// Most bins whose formula is tried at every edge.
const MAX_VERIFIED: usize = 1 << 16;

/// Edges in the type of the values, and the fastest right way from a value to its slot.
#[derive(Debug, Clone)]
pub struct Edges<T> {
    /// `count + 1` thresholds, ascending; a value is at or above edge `i` iff `v >= thresholds[i]`.
    /// Thresholds that no value of the type reaches are cut off.
    thresholds: Vec<T>,
    count: u32,
    method: Method,
}

/// How to guess the bin of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Guess {
    /// `(v - lo) * scale` is right to within one bin.
    Linear {
        /// First edge.
        lo: f64,
        /// Bins per unit.
        scale: f64,
    },
    /// Compare with the edges by halving.
    Search,
}

/// How slots are computed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Method {
    /// `floor((v - lo) * scale)` in `f32`: found right at every threshold and just below it, and hence,
    /// being monotone, everywhere.
    Formula32 { lo: f32, scale: f32 },
    /// The same in `f64`.
    Formula64 { lo: f64, scale: f64 },
    /// The formula as a guess, corrected by one comparison with either neighbouring threshold.
    Corrected { lo: f64, scale: f64 },
    /// Halving.
    Search,
}

impl<T: EdgeValue> Edges<T> {
    /// Thresholds for `edges` (at least two, strictly ascending, finite).
    pub fn new(edges: &[f64], guess: Guess) -> Edges<T> {
        let count = (edges.len() - 1) as u32;
        let thresholds: Vec<T> = edges.iter().map_while(|&edge| T::from_edge(edge)).collect();
        // Edges that coincide in the type, or lie beyond it, defeat the formula.
        let distinct = thresholds.len() == edges.len() && thresholds.windows(2).all(|pair| pair[0] < pair[1]);
        let mut this = Edges { thresholds, count, method: Method::Search };
        if let (true, Guess::Linear { lo, scale }) = (distinct, guess) {
            this.method = this.formula(lo, scale).unwrap_or(Method::Corrected { lo, scale });
        }
        this
    }

    /// A formula that needs no correction, if one of a few does not.
    fn formula(&self, lo: f64, scale: f64) -> Option<Method> {
        if self.count as usize > MAX_VERIFIED {
            return None;
        }
        let mut candidates = Vec::with_capacity(4);
        if T::IS_F32 && f64::from(lo as f32) == lo && f64::from(scale as f32) == scale {
            candidates.push(Method::Formula32 { lo: lo as f32, scale: scale as f32 });
        }
        candidates
            .extend([scale, scale.next_up(), scale.next_down()].map(|scale| Method::Formula64 { lo, scale }));
        candidates.into_iter().find(|&method| self.is_right(method))
    }

    /// Whether the formula puts every threshold into its bin and the value before it into the one before.
    fn is_right(&self, method: Method) -> bool {
        let tried = Edges { thresholds: Vec::new(), count: self.count, method };
        let slot = |v: T| {
            let mut slot = [0];
            tried.slots(&[v], &mut slot);
            slot[0]
        };
        self.thresholds.iter().enumerate().all(|(i, &threshold)| {
            let below = threshold.previous().is_none_or(|v| slot(v) == self.search(v));
            below && slot(threshold) == i as u32
        })
    }

    /// Writes the slot of each value. `slots` must be as long as `values`.
    pub fn slots(&self, values: &[T], slots: &mut [u32]) {
        match self.method {
            Method::Formula32 { lo, scale } => formula32(values, lo, scale, self.count, slots),
            Method::Formula64 { lo, scale } => formula64(values, lo, scale, self.count, slots),
            Method::Corrected { lo, scale } => corrected(values, &self.thresholds, lo, scale, slots),
            Method::Search => {
                for (slot, &v) in slots.iter_mut().zip(values) {
                    *slot = self.search(v);
                }
            }
        }
    }

    fn search(&self, v: T) -> u32 {
        if v.is_nan() {
            return self.count + MISSING;
        }
        match self.thresholds.partition_point(|&edge| edge <= v) as u32 {
            0 => self.count + UNDER,
            above => above - 1,
        }
    }
}

macro_rules! formula {
    ($name:ident, $float:ty, $of:ident) => {
        widest! {
            fn $name<T: EdgeValue>(values: &[T], lo: $float, scale: $float, count: u32, slots: &mut [u32]) {
                let bins = count as $float;
                let under = (count + UNDER) as $float;
                let missing = (count + MISSING) as $float;
                for (slot, &v) in slots.iter_mut().zip(values) {
                    let at = (v.$of() - lo) * scale;
                    // Each select compares and blends: no branch, and NaN fails both comparisons.
                    let code = if at < bins { at } else { bins };
                    let code = if at >= 0.0 { code } else { under };
                    let code = if v.is_nan() { missing } else { code };
                    #[expect(unsafe_code, reason = "a saturating cast does not vectorise")]
                    // SAFETY: the selects leave `code` in `0..=count + MISSING`, far inside `i32`.
                    let code = unsafe { code.to_int_unchecked::<i32>() };
                    *slot = code as u32;
                }
            }
        }
    };
}
formula!(formula32, f32, to_f32);
formula!(formula64, f64, to_f64);

widest! {
    fn corrected<T: EdgeValue>(values: &[T], thresholds: &[T], lo: f64, scale: f64, slots: &mut [u32]) {
        let count = thresholds.len() as u32 - 1;
        let last = f64::from(count - 1);
        let first_edge = thresholds[0];
        for (slot, &v) in slots.iter_mut().zip(values) {
            let at = (v.to_f64() - lo) * scale;
            let at = if at > 0.0 { at } else { 0.0 };
            let guess = (if at < last { at } else { last }) as usize;
            let up = u32::from(v >= thresholds[guess + 1]);
            let down = u32::from(v < thresholds[guess]);
            let bin = (guess as u32 + up).wrapping_sub(down);
            let bin = if v < first_edge { count + UNDER } else { bin };
            *slot = if v.is_nan() { count + MISSING } else { bin };
        }
    }
}
