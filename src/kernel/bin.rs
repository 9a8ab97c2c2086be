//! Values to slots of an axis.
//!
//! An axis of `count` bins has `count + 3` slots: the bins in order, then [`OVER`], [`UNDER`] and
//! [`MISSING`], each as an offset from `count`.

use super::edge::EdgeValue;

/// Slot of values at or above the last edge, as an offset from the bin count.
pub const OVER: u32 = 0;
/// Slot of values below the first edge, as an offset from the bin count.
pub const UNDER: u32 = 1;
/// Slot of missing values (null or NaN), as an offset from the bin count.
pub const MISSING: u32 = 2;
/// Slots an axis has beside its bins.
pub const EXTRA_SLOTS: usize = 3;

/// Edges in the type of the values, and how to guess a bin before comparing.
#[derive(Debug, Clone)]
pub struct Edges<T> {
    /// `count + 1` thresholds, ascending; a value is at or above edge `i` iff `v >= thresholds[i]`.
    thresholds: Vec<T>,
    /// Thresholds that no value of the type reaches are cut off; the bins there are.
    count: u32,
    guess: Guess,
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

impl<T: EdgeValue> Edges<T> {
    /// Thresholds for `edges` (at least two, strictly ascending, finite).
    pub fn new(edges: &[f64], guess: Guess) -> Edges<T> {
        let count = (edges.len() - 1) as u32;
        let thresholds: Vec<T> = edges.iter().map_while(|&edge| T::from_edge(edge)).collect();
        // Edges that coincide in the type, or lie beyond it, defeat the guess of a linear axis.
        let distinct = thresholds.len() == edges.len() && thresholds.windows(2).all(|pair| pair[0] < pair[1]);
        Edges { thresholds, count, guess: if distinct { guess } else { Guess::Search } }
    }

    /// Writes the slot of each value. `slots` must be as long as `values`.
    pub fn slots(&self, values: &[T], slots: &mut [u32]) {
        match self.guess {
            Guess::Linear { lo, scale } => self.linear(values, lo, scale, slots),
            Guess::Search => {
                for (slot, &v) in slots.iter_mut().zip(values) {
                    *slot = self.search(v);
                }
            }
        }
    }

    fn linear(&self, values: &[T], lo: f64, scale: f64, slots: &mut [u32]) {
        let count = self.count;
        let last = f64::from(count - 1);
        let first_edge = self.thresholds[0];
        for (slot, &v) in slots.iter_mut().zip(values) {
            // f64::max returns the other operand for NaN, so the guess always lies in 0..count.
            let guess = ((v.to_f64() - lo) * scale).max(0.0).min(last) as usize;
            let up = u32::from(v >= self.thresholds[guess + 1]);
            let down = u32::from(v < self.thresholds[guess]);
            let bin = (guess as u32 + up).wrapping_sub(down);
            let bin = if v < first_edge { count + UNDER } else { bin };
            *slot = if v.is_nan() { count + MISSING } else { bin };
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
