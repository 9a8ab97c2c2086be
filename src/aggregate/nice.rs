//! Bins with round edges that cover an extent.

use super::{Bins, Scale};
use crate::data::Kind;

/// Bins over `lo..=hi` (both finite and inside) whose edges are round numbers: multiples of 1, 2, 2.5
/// or 5 times a power of ten; whole numbers for [`Kind::Integer`]; whole seconds, minutes, hours or
/// days for times, where a value counts `per_second` units. About `target` bins.
///
/// The last edge lies above `hi`, so that the largest value falls into the last bin.
pub fn nice_bins(lo: f64, hi: f64, target: usize, kind: Kind, per_second: f64) -> Bins {
    let (lo, hi) = if lo <= hi { (lo, hi) } else { (hi, lo) };
    let span = (hi - lo).min(f64::MAX / 4.0);
    let ideal = span / target.max(1) as f64;
    let (step, smallest) = match kind {
        Kind::Time | Kind::Duration => (calendar_step(ideal, per_second), 1.0),
        Kind::Integer | Kind::Bool => (decimal_step(ideal, false).max(1.0), 1.0),
        _ => (decimal_step(ideal, true), f64::MIN_POSITIVE),
    };
    let step = step.max(smallest);
    let mut step = step;
    loop {
        if let Some(bins) = multiples(lo, hi, step) {
            return bins;
        }
        // The step is finer than f64 tells apart here; a coarser one always ends.
        step *= 2.0;
        if !step.is_finite() {
            return widen(lo, hi, target);
        }
    }
}

/// `target` equal bins from `lo` to just above `hi`; a point is given some width.
pub fn widen(lo: f64, hi: f64, target: usize) -> Bins {
    let mut low = lo.max(f64::MIN / 4.0);
    let mut high = hi.min(f64::MAX / 4.0).next_up();
    let mut grow = (low.abs().max(high.abs()) * 1e-12).max(f64::MIN_POSITIVE);
    loop {
        if let Ok(bins) = Bins::new(low, high, target.max(1), Scale::Linear) {
            return bins;
        }
        low -= grow;
        high += grow;
        grow *= 2.0;
    }
}

/// Bins whose edges are the multiples of `step` around `lo..=hi`.
fn multiples(lo: f64, hi: f64, step: f64) -> Option<Bins> {
    let first = (lo / step).floor();
    let last = (hi / step).floor() + 1.0;
    // Beyond 2^53 the multiples themselves are no longer exact.
    if !(first.is_finite() && last.is_finite()) || first.abs() > 9e15 || last.abs() > 9e15 {
        return None;
    }
    let count = (last - first) as usize;
    if count == 0 || count > Bins::MAX_COUNT {
        return None;
    }
    // Dividing by the whole reciprocal rounds once, so that 29 * 0.01 is the double nearest to 0.29.
    let reciprocal = step.recip().round();
    let is_fraction = step < 1.0 && (reciprocal * step - 1.0).abs() < 1e-12;
    let edge = |k: f64| if is_fraction { k / reciprocal } else { k * step };
    let mut edges: Vec<f64> = (0..=count).map(|i| edge(first + i as f64)).collect();
    // Rounding of lo / step can leave an end outside; one more bin brings it in.
    if edges[0] > lo {
        edges.insert(0, edge(first - 1.0));
    }
    if edges.last().is_some_and(|&end| end <= hi) {
        edges.push(edge(last + 1.0));
    }
    Bins::from_edges(edges, Scale::Linear)
}

/// The round number nearest above `ideal`.
fn decimal_step(ideal: f64, halves: bool) -> f64 {
    if ideal.is_nan() || ideal <= 0.0 {
        return 1.0;
    }
    let exponent = ideal.log10().floor();
    if exponent < -300.0 {
        return ideal;
    }
    let power = 10f64.powi(exponent as i32);
    let factors: &[f64] = if halves { &[1.0, 2.0, 2.5, 5.0, 10.0] } else { &[1.0, 2.0, 5.0, 10.0] };
    let factor = factors.iter().copied().find(|factor| factor * power >= ideal * 0.999).unwrap_or(10.0);
    if exponent < 0.0 { factor / 10f64.powi(-exponent as i32) } else { factor * power }
}

/// The shortest customary length of time not below `ideal`, in units of which a second has
/// `per_second`.
fn calendar_step(ideal: f64, per_second: f64) -> f64 {
    const SECONDS: [f64; 22] = [
        1.0,
        2.0,
        5.0,
        10.0,
        15.0,
        30.0,
        60.0,
        120.0,
        300.0,
        600.0,
        900.0,
        1800.0,
        3600.0,
        7200.0,
        10800.0,
        21600.0,
        43200.0,
        86400.0,
        172_800.0,
        604_800.0,
        1_209_600.0,
        2_592_000.0,
    ];
    let seconds = ideal / per_second;
    let step = if seconds < 1.0 {
        decimal_step(ideal, false)
    } else if let Some(found) = SECONDS.iter().copied().find(|&step| step >= seconds * 0.999) {
        found * per_second
    } else {
        decimal_step(seconds / 86400.0, false) * 86400.0 * per_second
    };
    step.max(1.0).round()
}
