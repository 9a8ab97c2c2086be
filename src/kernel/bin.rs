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
    /// The distance from the first threshold: one bin to every whole number, and no arithmetic of reals.
    Places,
    /// `floor((v - lo) * scale)` in `f32`: found right at every threshold and just below it, and hence,
    /// being monotone, everywhere.
    Formula32 { lo: f32, scale: f32 },
    /// The same in `f64`.
    Formula64 { lo: f64, scale: f64 },
    /// The same in `f64` of an `f32` raised by a share of half its distance to the next one: an edge rounded to
    /// `f32` may lie above the `f64` it was rounded from, or below it.
    Raised64 { lo: f64, scale: f64, share: f64 },
    /// `floor(v * scale) - first`, where edges are multiples of a width: right on either side of an edge at 0,
    /// where `v - lo` loses the least values.
    Multiples64 { first: f64, scale: f64 },
    /// The same of a raised `f32`.
    RaisedMultiples64 { first: f64, scale: f64, share: f64 },
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
        let follows = |pair: &[T]| pair[1].previous() == Some(pair[0]);
        // The type may end before the last edge.
        let is_whole = distinct || edges.windows(2).all(|pair| pair[1] - pair[0] == 1.0);
        let is_placed = is_whole && !T::IS_REAL && !this.thresholds.is_empty();
        if is_placed && this.thresholds.windows(2).all(follows) {
            this.method = Method::Places;
        } else if let (true, Guess::Linear { lo, scale }) = (distinct, guess) {
            this.method = this.formula(edges, lo, scale).unwrap_or(Method::Corrected { lo, scale });
        }
        this
    }

    /// A formula that needs no correction, if one of a few does not.
    fn formula(&self, edges: &[f64], lo: f64, scale: f64) -> Option<Method> {
        if self.count as usize > MAX_VERIFIED {
            return None;
        }
        let mut candidates = Vec::with_capacity(10);
        if T::IS_F32 && f64::from(lo as f32) == lo && f64::from(scale as f32) == scale {
            candidates.push(Method::Formula32 { lo: lo as f32, scale: scale as f32 });
        }
        candidates
            .extend([scale, scale.next_up(), scale.next_down()].map(|scale| Method::Formula64 { lo, scale }));
        candidates.extend(self.between_values(edges, lo, scale));
        let first = (lo * scale).round();
        candidates.push(Method::Multiples64 { first, scale });
        if T::IS_F32 {
            candidates.extend(SHARES.map(|share| Method::Raised64 { lo, scale, share }));
            candidates.extend(SHARES.map(|share| Method::RaisedMultiples64 { first, scale, share }));
        }
        candidates.into_iter().find(|&method| self.is_right(method))
    }

    /// The formula whose steps lie half way between each threshold and the value before it, as far as moving the
    /// first edge gets them there.
    fn between_values(&self, edges: &[f64], lo: f64, scale: f64) -> Option<Method> {
        let mut least = f64::NEG_INFINITY;
        let mut most = f64::INFINITY;
        for (&edge, &threshold) in edges.iter().zip(&self.thresholds) {
            least = least.max(edge - threshold.to_f64());
            most = most.min(edge - threshold.previous()?.to_f64());
        }
        Some(Method::Formula64 { lo: lo - (least + most) / 2.0, scale })
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
            Method::Places => places(values, self.thresholds[0], self.count, slots),
            Method::Formula32 { lo, scale } => formula32(values, self.count, [lo, scale], slots),
            Method::Formula64 { lo, scale } => formula64(values, self.count, [lo, scale], slots),
            Method::Raised64 { lo, scale, share } => {
                raised64(values, self.count, [lo, scale, share * HALF_STEP], slots);
            }
            Method::Multiples64 { first, scale } => multiples64(values, self.count, [first, scale], slots),
            Method::RaisedMultiples64 { first, scale, share } => {
                raised_multiples64(values, self.count, [first, scale, share * HALF_STEP], slots);
            }
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

/// Defines the loop of a method: how far a value lies above the first edge, in any unit, and then in bins.
macro_rules! formula {
    ($name:ident, [$float:ty; $given:literal], $pattern:pat => $v:ident => $above:expr, $from:ident => $at:expr) => {
        widest! {
            fn $name<T: EdgeValue>(values: &[T], count: u32, given: [$float; $given], slots: &mut [u32]) {
                let $pattern = given;
                let bins = count as $float;
                let under = (count + UNDER) as $float;
                let missing = (count + MISSING) as $float;
                for (slot, &$v) in slots.iter_mut().zip(values) {
                    let $from = $above;
                    let at = $at;
                    // Each select compares and blends: no branch, and NaN fails both comparisons. The product of
                    // the least value below 0 may be -0.0, the value itself is not.
                    let code = if at < bins { at } else { bins };
                    let code = if $from >= 0.0 { code } else { under };
                    let code = if $v.is_nan() { missing } else { code };
                    #[expect(unsafe_code, reason = "a saturating cast does not vectorise")]
                    // SAFETY: the selects leave `code` in `0..=count + MISSING`, far inside `i32`.
                    let code = unsafe { code.to_int_unchecked::<i32>() };
                    *slot = code as u32;
                }
            }
        }
    };
}
formula!(formula32, [f32; 2], [lo, scale] => v => v.to_f32() - lo, above => above * scale);
formula!(formula64, [f64; 2], [lo, scale] => v => v.to_f64() - lo, above => above * scale);
formula!(raised64, [f64; 3], [lo, scale, share] => v => raised(v, share) - lo, above => above * scale);
formula!(multiples64, [f64; 2], [first, scale] => v => (v.to_f64() * scale).floor() - first, at => at);
formula!(
    raised_multiples64,
    [f64; 3],
    [first, scale, share] => v => (raised(v, share) * scale).floor() - first, at => at
);

/// Shares of half a step that are tried.
const SHARES: [f64; 2] = [1.0, 1.0 - 1e-6];
/// Half the distance from a power of two to the next `f32`, as a share of it.
const HALF_STEP: f64 = 1.0 / (1u32 << 24) as f64;

/// The value and `share` of the power of two not above it.
#[inline(always)]
fn raised<T: EdgeValue>(v: T, share: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
    let v = v.to_f64();
    v + f64::from_bits(v.to_bits() & EXPONENT) * share
}

widest! {
    fn places<T: EdgeValue>(values: &[T], first: T, count: u32, slots: &mut [u32]) {
        for (slot, &v) in slots.iter_mut().zip(values) {
            let place = v.place(first, count);
            let inside = if place < count { place } else { count + OVER };
            *slot = if v < first { count + UNDER } else { inside };
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn edges<T: EdgeValue>(lo: f64, hi: f64, count: usize) -> Edges<T> {
        let edges: Vec<f64> = (0..=count).map(|i| lo + (hi - lo) * i as f64 / count as f64).collect();
        Edges::new(&edges, Guess::Linear { lo, scale: count as f64 / (hi - lo) })
    }

    #[test]
    fn every_whole_number_has_its_place_in_integers() {
        fn placed<T: EdgeValue + TryFrom<i128> + std::fmt::Debug>(least: i128, greatest: i128) {
            for (lo, hi) in [
                (0, 24),
                (-40, 60),
                (1, 2),
                (100, 127),
                (-128, 128),
                (0, 256),
                (least.max(-(1 << 40)), least.max(-(1 << 40)) + 9),
            ] {
                let edges = edges::<T>(lo as f64, hi as f64, (hi - lo) as usize);
                if lo >= least && hi <= greatest + 1 {
                    assert_eq!(edges.method, Method::Places, "{lo}..{hi}");
                }
                let near = (lo - 70..hi + 70).chain([least, least + 1, greatest - 1, greatest]);
                let values: Vec<T> = near.filter_map(|v| T::try_from(v).ok()).collect();
                let mut slots = vec![0; values.len()];
                edges.slots(&values, &mut slots);
                let searched: Vec<u32> = values.iter().map(|&v| edges.search(v)).collect();
                assert_eq!(slots, searched, "{lo}..{hi}");
            }
        }
        placed::<i8>(i8::MIN.into(), i8::MAX.into());
        placed::<u8>(u8::MIN.into(), u8::MAX.into());
        placed::<i16>(i16::MIN.into(), i16::MAX.into());
        placed::<u16>(u16::MIN.into(), u16::MAX.into());
        placed::<i32>(i32::MIN.into(), i32::MAX.into());
        placed::<u32>(u32::MIN.into(), u32::MAX.into());
        placed::<i64>(i64::MIN.into(), i64::MAX.into());
        placed::<u64>(u64::MIN.into(), u64::MAX.into());
        let halves = edges::<i32>(0.0, 10.0, 20).method;
        assert!(!matches!(halves, Method::Places), "two bins to a number");
    }

    #[test]
    fn a_formula_is_found_for_edges_that_single_precision_rounds() {
        for (lo, hi, count) in [
            (-74.1, -73.7, 80),
            (40.55, 40.95, 80),
            (0.0, 19.6, 49),
            (0.2, 9.0, 44),
            (-1.0, 33.0, 34),
            (-2.5, 2.5, 50),
            (-6.0, 6.0, 48),
        ] {
            let edges = edges::<f32>(lo, hi, count);
            let found = edges.method;
            assert!(!matches!(found, Method::Corrected { .. } | Method::Search), "{lo}..{hi}: {found:?}");
            let near = edges.thresholds.iter().flat_map(|edge| {
                let (mut below, mut above) = (*edge, *edge);
                (0..40).flat_map(move |_| {
                    (below, above) = (below.next_down(), above.next_up());
                    [below, above]
                })
            });
            let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 0.0, f32::MAX, f32::MIN, 1e-45];
            let values: Vec<f32> =
                near.chain(odd).chain((0..9999).map(|i| i as f32 * 0.017 - 85.0)).collect();
            let mut slots = vec![0; values.len()];
            edges.slots(&values, &mut slots);
            let searched: Vec<u32> = values.iter().map(|&v| edges.search(v)).collect();
            assert_eq!(slots, searched);
        }
        for hi in [100.0, 25.0, 6400.0] {
            let found = edges::<f64>(0.0, hi, 50).method;
            assert!(matches!(found, Method::Formula64 { .. }), "0..{hi}: {found:?}");
        }
        for (lo, hi, count) in [(-7.5, 12.5, 9), (0.0, 1000.0, 7)] {
            let found = edges::<i32>(lo, hi, count).method;
            assert!(matches!(found, Method::Formula64 { .. }), "{lo}..{hi}: {found:?}");
        }
    }
}
