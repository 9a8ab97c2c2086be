//! What a brush along one axis holds: intervals of values, and the missing ones or not.

use super::PredicateSpec;

/// A set of values. Intervals are half-open, ascending, and do not touch; an infinite end is no end.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Brushed {
    /// The intervals.
    pub intervals: Vec<(f64, f64)>,
    /// Whether missing values belong to it.
    pub missing: bool,
}

impl Brushed {
    /// Every value, the missing ones included.
    pub fn all() -> Brushed {
        Brushed { intervals: vec![(f64::NEG_INFINITY, f64::INFINITY)], missing: true }
    }

    /// One interval.
    pub fn interval(lo: f64, hi: f64) -> Brushed {
        Brushed::default().with((lo, hi))
    }

    /// The missing values alone.
    pub fn missing() -> Brushed {
        Brushed { intervals: Vec::new(), missing: true }
    }

    /// What a filter by values of one axis holds before inversion; `None` of other filters.
    pub fn of(predicate: &PredicateSpec) -> Option<Brushed> {
        match predicate {
            PredicateSpec::Interval { lo, hi, .. } => Some(Brushed::interval(*lo, *hi)),
            PredicateSpec::Intervals { intervals, missing, .. } => {
                let empty = Brushed { intervals: Vec::new(), missing: *missing };
                Some(intervals.iter().fold(empty, |brushed, &[lo, hi]| brushed.with((lo, hi))))
            }
            _ => None,
        }
    }

    /// The filter by these values of `expr`.
    pub fn predicate(&self, expr: &str) -> PredicateSpec {
        let expr = expr.to_owned();
        match self.intervals.as_slice() {
            &[(lo, hi)] if !self.missing && lo.is_finite() && hi.is_finite() => {
                PredicateSpec::Interval { expr, lo, hi }
            }
            intervals => PredicateSpec::Intervals {
                expr,
                intervals: intervals.iter().map(|&(lo, hi)| [lo, hi]).collect(),
                missing: self.missing,
            },
        }
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.intervals.is_empty() && !self.missing
    }

    /// Whether `value` belongs to it.
    pub fn contains(&self, value: f64) -> bool {
        self.intervals.iter().any(|&(lo, hi)| value >= lo && (value < hi || hi == f64::INFINITY))
    }

    /// With the values of an interval.
    pub fn with(mut self, (lo, hi): (f64, f64)) -> Brushed {
        if lo < hi {
            let first = self.intervals.partition_point(|interval| interval.1 < lo);
            let last = self.intervals.partition_point(|interval| interval.0 <= hi);
            let touched = &self.intervals[first..last];
            let lo = touched.first().map_or(lo, |interval| interval.0.min(lo));
            let hi = touched.last().map_or(hi, |interval| interval.1.max(hi));
            self.intervals.splice(first..last, [(lo, hi)]);
        }
        self
    }

    /// Without the values of an interval.
    pub fn without(mut self, (lo, hi): (f64, f64)) -> Brushed {
        let parts = self.intervals.iter().flat_map(|&(from, to)| [(from, to.min(lo)), (from.max(hi), to)]);
        self.intervals = parts.filter(|(from, to)| from < to).collect();
        self
    }

    /// With all of `other`.
    pub fn union(self, other: &Brushed) -> Brushed {
        let missing = self.missing || other.missing;
        let joined = other.intervals.iter().fold(self, |brushed, &interval| brushed.with(interval));
        Brushed { missing, ..joined }
    }

    /// Without all of `other`.
    pub fn difference(self, other: &Brushed) -> Brushed {
        let missing = self.missing && !other.missing;
        let left = other.intervals.iter().fold(self, |brushed, &interval| brushed.without(interval));
        Brushed { missing, ..left }
    }

    /// Every other value, and the missing ones if it has them not.
    pub fn complement(&self) -> Brushed {
        Brushed::all().difference(self)
    }

    /// Whether all of `other` belongs to it.
    pub fn holds(&self, other: &Brushed) -> bool {
        other.clone().difference(self).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn intervals_join_where_they_touch_and_part_where_one_is_taken_out() {
        let two = Brushed::interval(5.0, 7.0).with((0.0, 1.0));
        assert_eq!(two.intervals, [(0.0, 1.0), (5.0, 7.0)]);
        assert_eq!(two.clone().with((1.0, 5.0)).intervals, [(0.0, 7.0)]);
        assert_eq!(two.clone().with((2.0, 3.0)).intervals, [(0.0, 1.0), (2.0, 3.0), (5.0, 7.0)]);
        assert_eq!(two.clone().with((-1.0, 9.0)).intervals, [(-1.0, 9.0)]);
        assert_eq!(two.clone().with((3.0, 3.0)), two, "an empty interval adds nothing");
        assert_eq!(two.clone().without((0.5, 6.0)).intervals, [(0.0, 0.5), (6.0, 7.0)]);
        assert_eq!(Brushed::interval(0.0, 9.0).without((3.0, 4.0)).intervals, [(0.0, 3.0), (4.0, 9.0)]);
        assert!(two.clone().without((-INF, INF)).is_empty());
    }

    #[test]
    fn a_complement_holds_exactly_the_other_values() {
        let brushed = Brushed::interval(0.0, 1.0).with((5.0, INF));
        let others = brushed.complement();
        assert_eq!(others.intervals, [(-INF, 0.0), (1.0, 5.0)]);
        assert!(others.missing);
        assert_eq!(others.complement(), brushed);
        for value in [-INF, -1.0, 0.0, 0.5, 1.0, 4.9, 5.0, INF] {
            assert_ne!(brushed.contains(value), others.contains(value), "{value}");
        }
        assert_eq!(Brushed::all().complement(), Brushed::default());
    }

    #[test]
    fn a_filter_of_intervals_reads_back_as_what_it_was_made_from() {
        let sets = [
            Brushed::interval(1.0, 2.0),
            Brushed::interval(1.0, 2.0).with((3.0, INF)),
            Brushed::missing(),
            Brushed::default(),
            Brushed::all(),
        ];
        for set in sets {
            assert_eq!(Brushed::of(&set.predicate("x")), Some(set));
        }
        assert!(matches!(Brushed::interval(1.0, 2.0).predicate("x"), PredicateSpec::Interval { .. }));
    }
}
