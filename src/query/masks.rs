//! Which rows pass: every clause evaluated once per chunk.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::BooleanBuffer;

use super::QueryError;
use super::compile::Collector;
use super::pass::Pass;
use crate::aggregate::{Bins, Slotter, missing_values, within};
use crate::data::Chunk;
use crate::expr::Expr;
use crate::kernel::fold;
use crate::select::{Clause, Predicate};

/// What a clause tests, by position of its values.
pub(super) enum Test {
    Intervals {
        value: usize,
        intervals: Vec<(f64, f64)>,
        missing: bool,
    },
    Rect {
        x: usize,
        x_range: (f64, f64),
        y: usize,
        y_range: (f64, f64),
    },
    /// Points by `[slot of x][slot of y]`.
    Cells {
        x: (usize, Slotter),
        y: (usize, Slotter),
        inside: Arc<[bool]>,
        stride: usize,
    },
    Where(usize),
}

/// Which rows of a chunk pass, by the positions of clauses; `None` for all rows.
pub(super) type Masks<'a> = HashMap<&'a [usize], Option<BooleanBuffer>>;

impl Pass {
    /// Which rows pass each filter of the pass and each condition of a measure. Each clause is evaluated
    /// once.
    pub(super) fn masks(&self, values: &[ArrayRef]) -> Masks<'_> {
        let mut of_clauses = vec![None; self.clauses.len()];
        let mut of_filters = HashMap::new();
        for question in &self.questions {
            let filters = std::iter::once(question.filter.as_slice());
            for filter in filters.chain(question.conditions().map(std::slice::from_ref)) {
                of_filters.entry(filter).or_insert_with(|| self.mask(filter, values, &mut of_clauses));
            }
        }
        of_filters
    }

    /// Which rows pass all of `clauses`; `None` for all rows.
    fn mask(
        &self,
        clauses: &[usize],
        values: &[ArrayRef],
        masks: &mut [Option<BooleanBuffer>],
    ) -> Option<BooleanBuffer> {
        clauses
            .iter()
            .map(|&c| {
                masks[c].get_or_insert_with(|| self.clauses[c].0.mask(values, self.clauses[c].1)).clone()
            })
            .reduce(|a, b| &a & &b)
    }

    /// Which rows of `chunk` pass question `q`; `None` for all rows.
    pub(super) fn passing(&self, chunk: &Chunk, q: usize) -> Result<Option<BooleanBuffer>, QueryError> {
        let values = self.program.run(&chunk.columns, chunk.len())?;
        let mut of_clauses = vec![None; self.clauses.len()];
        Ok(self.mask(&self.questions[q].filter, &values, &mut of_clauses))
    }
}

/// Sends the rows of the block that do not pass to the trash.
pub(super) fn keep_passing(cells: &mut [u32], mask: &BooleanBuffer, block: &Range<usize>, trash: u32) {
    if (mask.offset() + block.start).is_multiple_of(8) {
        fold::keep_set(cells, mask.values(), mask.offset() + block.start, trash);
    } else {
        for (cell, row) in cells.iter_mut().zip(block.clone()) {
            *cell = if mask.value(row) { *cell } else { trash };
        }
    }
}

impl Test {
    /// The test of a clause whose expressions are resolved.
    pub(super) fn of(clause: &Clause, collector: &mut Collector) -> Test {
        let mut slotter =
            |expr: &Expr, bins: &Bins| (collector.place(expr.clone()), Slotter::new(expr.data_type(), bins));
        match &clause.predicate {
            Predicate::Interval { expr, lo, hi } => Test::Intervals {
                value: collector.place(expr.clone()),
                intervals: vec![(*lo, *hi)],
                missing: false,
            },
            Predicate::Intervals { expr, intervals, missing } => Test::Intervals {
                value: collector.place(expr.clone()),
                intervals: intervals.clone(),
                missing: *missing,
            },
            Predicate::Rect { x, x_range, y, y_range } => Test::Rect {
                x: collector.place(x.clone()),
                x_range: *x_range,
                y: collector.place(y.clone()),
                y_range: *y_range,
            },
            Predicate::Cells { x, x_bins, y, y_bins, inside } => Test::Cells {
                x: slotter(x, x_bins),
                y: slotter(y, y_bins),
                inside: inside.clone(),
                stride: y_bins.slots(),
            },
            Predicate::Categories { test, .. } | Predicate::Where(test) => {
                Test::Where(collector.place(test.clone()))
            }
        }
    }

    fn mask(&self, values: &[ArrayRef], inverted: bool) -> BooleanBuffer {
        let mask = match self {
            Test::Intervals { value, intervals, missing } => {
                let value = &values[*value];
                let inside = intervals.iter().map(|&(lo, hi)| within(value, lo, hi));
                let absent = missing.then(|| missing_values(value));
                let either = inside.chain(absent).reduce(|a, b| &a | &b);
                either.unwrap_or_else(|| BooleanBuffer::new_unset(value.len()))
            }
            Test::Rect { x, x_range, y, y_range } => {
                &within(&values[*x], x_range.0, x_range.1) & &within(&values[*y], y_range.0, y_range.1)
            }
            Test::Cells { x, y, inside, stride } => {
                let slots = |(value, slotter): &(usize, Slotter)| slotter.slots(&values[*value]);
                let (x, y) = (slots(x), slots(y));
                BooleanBuffer::collect_bool(x.len(), |row| inside[x[row] as usize * stride + y[row] as usize])
            }
            Test::Where(value) => true_values(&values[*value]),
        };
        if inverted { !&mask } else { mask }
    }
}

/// Rows whose boolean is true; a missing one is not.
fn true_values(array: &ArrayRef) -> BooleanBuffer {
    match array.as_boolean_opt() {
        Some(booleans) => match booleans.nulls() {
            Some(nulls) => booleans.values() & nulls.inner(),
            None => booleans.values().clone(),
        },
        None => BooleanBuffer::new_unset(array.len()),
    }
}
