//! Which rows a clause lets pass.

use std::fmt::Write;
use std::sync::Arc;

use crate::aggregate::Bins;
use crate::expr::Expr;

/// Which rows a clause lets pass, before inversion. A missing value passes only where that is said.
///
/// Numbers are compared as bin edges are ([`crate::kernel::edge`]), and every interval is half-open,
/// `[lo, hi)`; an end at an infinity is no end, so that infinite values lie inside.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// Values in `[lo, hi)`.
    Interval {
        /// The values.
        expr: Expr,
        /// First value inside.
        lo: f64,
        /// First value above.
        hi: f64,
    },
    /// Values in one of several intervals.
    Intervals {
        /// The values.
        expr: Expr,
        /// Ascending, none empty, no two touching.
        intervals: Vec<(f64, f64)>,
        /// Whether missing values (null and NaN) pass too.
        missing: bool,
    },
    /// Values among those listed.
    Categories {
        /// The values.
        expr: Expr,
        /// Literals of the expression language, ascending, each once.
        literals: Vec<String>,
        /// Whether missing values pass too.
        missing: bool,
        /// The same as a boolean expression.
        test: Expr,
    },
    /// Points in `[x.0, x.1) × [y.0, y.1)`.
    Rect {
        /// Horizontal values.
        x: Expr,
        /// Their interval.
        x_range: (f64, f64),
        /// Vertical values.
        y: Expr,
        /// Their interval.
        y_range: (f64, f64),
    },
    /// Points in cells of a plane.
    Cells {
        /// Horizontal values.
        x: Expr,
        /// How they are cut.
        x_bins: Bins,
        /// Vertical values.
        y: Expr,
        /// How they are cut.
        y_bins: Bins,
        /// `[slots of x][slots of y]`, the slots below, above and missing included.
        inside: Arc<[bool]>,
    },
    /// Rows for which a boolean expression is true.
    Where(Expr),
}

impl Predicate {
    /// The expressions it needs the values of.
    pub fn expressions(&self) -> Vec<&Expr> {
        match self {
            Predicate::Interval { expr, .. }
            | Predicate::Intervals { expr, .. }
            | Predicate::Categories { test: expr, .. }
            | Predicate::Where(expr) => vec![expr],
            Predicate::Rect { x, y, .. } | Predicate::Cells { x, y, .. } => vec![x, y],
        }
    }

    /// The predicate with every expression replaced by `resolve` of it.
    pub fn resolved(&self, resolve: impl Fn(&Expr) -> Expr) -> Predicate {
        let mut resolved = self.clone();
        match &mut resolved {
            Predicate::Interval { expr, .. } | Predicate::Intervals { expr, .. } | Predicate::Where(expr) => {
                *expr = resolve(expr);
            }
            Predicate::Categories { expr, test, .. } => {
                *expr = resolve(expr);
                *test = resolve(test);
            }
            Predicate::Rect { x, y, .. } | Predicate::Cells { x, y, .. } => {
                *x = resolve(x);
                *y = resolve(y);
            }
        }
        resolved
    }

    /// Text that is equal for equal predicates and different for different ones.
    pub fn key(&self) -> String {
        match self {
            Predicate::Interval { expr, lo, hi } => format!("{expr} in {lo:?}..{hi:?}"),
            Predicate::Intervals { expr, intervals, missing } => {
                let mut key = format!("{expr} in");
                for (lo, hi) in intervals {
                    let _ = write!(key, " {lo:?}..{hi:?}");
                }
                key + if *missing { " or missing" } else { "" }
            }
            Predicate::Categories { test: expr, .. } | Predicate::Where(expr) => expr.to_string(),
            Predicate::Rect { x, x_range, y, y_range } => {
                format!("{x} in {:?}..{:?} and {y} in {:?}..{:?}", x_range.0, x_range.1, y_range.0, y_range.1)
            }
            Predicate::Cells { x, x_bins, y, y_bins, inside } => {
                let mut key = format!("{x} by {y} of {:?} and {:?} in ", x_bins.edges(), y_bins.edges());
                for cells in inside.chunks(8) {
                    let byte = cells.iter().rev().fold(0u8, |byte, &inside| byte << 1 | u8::from(inside));
                    let _ = write!(key, "{byte:02x}");
                }
                key
            }
        }
    }

    /// The text of the test whether `value` is one of `literals`, or missing.
    pub fn membership(value: &str, literals: &[String], missing: bool) -> String {
        let among = (!literals.is_empty()).then(|| format!("{value} in [{}]", literals.join(", ")));
        let absent = missing.then(|| format!("ismissing({value})"));
        match (among, absent) {
            (Some(among), Some(absent)) => format!("({among}) or {absent}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => "false".to_owned(),
        }
    }
}

/// The same set of values as intervals that are ascending, not empty, and do not touch.
pub(super) fn disjoint(intervals: impl IntoIterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut sorted: Vec<(f64, f64)> = intervals.into_iter().filter(|(lo, hi)| lo < hi).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut apart: Vec<(f64, f64)> = Vec::with_capacity(sorted.len());
    for (lo, hi) in sorted {
        match apart.last_mut() {
            Some(last) if lo <= last.1 => last.1 = last.1.max(hi),
            _ => apart.push((lo, hi)),
        }
    }
    apart
}

/// The cells of a plane whose centre, as drawn, lies inside the polygon (even-odd rule).
pub(super) fn cells_inside(x_bins: &Bins, y_bins: &Bins, corners: &[(f64, f64)]) -> Vec<bool> {
    let place = |&(x, y): &(f64, f64)| (x_bins.position(x), y_bins.position(y));
    let corners: Vec<(f64, f64)> = corners.iter().map(place).collect();
    let mut inside = vec![false; x_bins.slots() * y_bins.slots()];
    for j in 0..y_bins.count() {
        let y = y_bins.position(y_bins.centre(j));
        // Where the horizontal through the centres meets the polygon's sides.
        let mut crossings: Vec<f64> = corners
            .iter()
            .zip(corners.iter().cycle().skip(1))
            .filter(|(a, b)| (a.1 <= y) != (b.1 <= y))
            .map(|(a, b)| a.0 + (y - a.1) / (b.1 - a.1) * (b.0 - a.0))
            .collect();
        crossings.sort_by(f64::total_cmp);
        for i in 0..x_bins.count() {
            let x = x_bins.position(x_bins.centre(i));
            let left = crossings.partition_point(|&crossing| crossing <= x);
            inside[i * y_bins.slots() + j] = left % 2 == 1;
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Scale;

    #[test]
    fn overlapping_and_touching_intervals_become_one() {
        let apart = disjoint([(5.0, 7.0), (0.0, 1.0), (1.0, 2.0), (6.0, 6.5), (9.0, 9.0), (8.0, f64::NAN)]);
        assert_eq!(apart, [(0.0, 2.0), (5.0, 7.0)]);
    }

    #[test]
    fn a_lasso_holds_the_cells_whose_centre_it_goes_around() {
        let bins = Bins::new(0.0, 4.0, 4, Scale::Linear).unwrap();
        let inside = cells_inside(&bins, &bins, &[(0.0, 0.0), (3.0, 0.0), (0.0, 3.0)]);
        let cells: Vec<(usize, usize)> = (0..7 * 7).filter(|&c| inside[c]).map(|c| (c / 7, c % 7)).collect();
        assert_eq!(cells, [(0, 0), (0, 1), (1, 0)], "centres on the far side lie outside or on it");
    }
}
