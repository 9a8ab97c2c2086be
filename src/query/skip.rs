//! What zone maps tell of a filter before any row is read.

use std::ops::Range;

use arrow::datatypes::DataType;

use super::pass::Pass;
use crate::data::Domain;
use crate::dataset::Dataset;
use crate::expr::Expr;
use crate::select::{Clause, Predicate};

/// What is known of a filter in some rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No row passes.
    Never,
    /// Every row passes.
    Always,
    /// The rows must be looked at.
    Unknown,
}

impl Verdict {
    fn inverted(self) -> Verdict {
        match self {
            Verdict::Never => Verdict::Always,
            Verdict::Always => Verdict::Never,
            Verdict::Unknown => Verdict::Unknown,
        }
    }

    /// Of two tests that both must pass.
    fn and(self, other: Verdict) -> Verdict {
        match (self, other) {
            (Verdict::Never, _) | (_, Verdict::Never) => Verdict::Never,
            (Verdict::Always, other) | (other, Verdict::Always) => other,
            _ => Verdict::Unknown,
        }
    }

    /// Of two tests one of which must pass.
    fn or(self, other: Verdict) -> Verdict {
        self.inverted().and(other.inverted()).inverted()
    }
}

impl Pass {
    /// What is known of each filter of the pass in `rows`.
    pub(super) fn verdicts(&self, rows: &Range<u64>) -> Vec<Verdict> {
        let of_clauses: Vec<Verdict> =
            self.clauses.iter().map(|(clause, _)| self.verdict(clause, rows)).collect();
        let of_filter = |filter: &Vec<usize>| {
            filter.iter().map(|&clause| of_clauses[clause]).fold(Verdict::Always, Verdict::and)
        };
        self.filters.iter().map(of_filter).collect()
    }

    fn verdict(&self, clause: &Clause, rows: &Range<u64>) -> Verdict {
        let between = |expr: &Expr, (lo, hi): (f64, f64)| between(expr, self.domain_of(expr, rows), lo, hi);
        let verdict = match &clause.predicate {
            Predicate::Interval { expr, lo, hi } => between(expr, (*lo, *hi)),
            Predicate::Intervals { expr, intervals, missing } => {
                let inside = intervals
                    .iter()
                    .map(|&interval| between(expr, interval))
                    .fold(Verdict::Never, Verdict::or);
                match (inside, missing) {
                    // Missing values pass, too, and may be there.
                    (Verdict::Never, true) => Verdict::Unknown,
                    (inside, _) => inside,
                }
            }
            Predicate::Rect { x, x_range, y, y_range } => between(x, *x_range).and(between(y, *y_range)),
            Predicate::Cells { .. } => Verdict::Unknown,
            Predicate::Categories { test, .. } | Predicate::Where(test) => match self.domain_of(test, rows) {
                domain if domain.is_never_true() => Verdict::Never,
                domain if domain.is_always_true() => Verdict::Always,
                _ => Verdict::Unknown,
            },
        };
        if clause.inverted { verdict.inverted() } else { verdict }
    }

    fn domain_of(&self, expr: &Expr, rows: &Range<u64>) -> Domain {
        domain_of(expr, &self.dataset, rows)
    }
}

/// Bounds of the values of `expr`, over stored columns alone, in `rows`.
pub(super) fn domain_of(expr: &Expr, dataset: &Dataset, rows: &Range<u64>) -> Domain {
    let schema = dataset.source().schema();
    expr.domain(&|name| {
        let known = schema.position(name).and_then(|column| dataset.zones().of(column, rows));
        known.unwrap_or(Domain::ALL)
    })
}

/// Whether the values of `expr`, which `domain` holds, lie in `[lo, hi)` by the definition of
/// [`edge`](crate::kernel::edge).
fn between(expr: &Expr, domain: Domain, lo: f64, hi: f64) -> Verdict {
    let edge = |edge: f64| match expr.data_type() {
        DataType::Float32 => f64::from(edge as f32),
        _ => edge,
    };
    if lo.is_nan() || hi.is_nan() {
        return Verdict::Unknown;
    }
    // An infinite upper edge is no end.
    let ends = hi != f64::INFINITY;
    let (lo, hi) = (edge(lo), edge(hi));
    if domain.is_empty() || domain.max < lo || (ends && domain.min >= hi) {
        return Verdict::Never;
    }
    let is_inside = domain.min >= lo && (!ends || domain.max < hi);
    if is_inside && !domain.nan && !domain.missing { Verdict::Always } else { Verdict::Unknown }
}
