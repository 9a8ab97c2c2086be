//! Which rows pass: every clause evaluated once per chunk.

use std::collections::HashMap;
use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::BooleanBuffer;

use super::QueryError;
use super::compile::Collector;
use super::pass::Pass;
use crate::aggregate::within;
use crate::data::Chunk;
use crate::kernel::fold;
use crate::select::{Clause, Predicate};

/// What a clause tests, by position of its values.
pub(super) enum Test {
    Interval { value: usize, lo: f64, hi: f64 },
    Rect { x: usize, x_range: (f64, f64), y: usize, y_range: (f64, f64) },
    Where(usize),
}

impl Pass {
    /// Which rows pass each filter of the pass; `None` for all rows. Each clause is evaluated once.
    pub(super) fn masks(&self, values: &[ArrayRef]) -> HashMap<&[usize], Option<BooleanBuffer>> {
        let mut of_clauses = vec![None; self.clauses.len()];
        let mut of_filters = HashMap::new();
        for question in &self.questions {
            of_filters
                .entry(question.filter.as_slice())
                .or_insert_with(|| self.mask(&question.filter, values, &mut of_clauses));
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
        match &clause.predicate {
            Predicate::Interval { expr, lo, hi } => {
                Test::Interval { value: collector.place(expr.clone()), lo: *lo, hi: *hi }
            }
            Predicate::Rect { x, x_range, y, y_range } => Test::Rect {
                x: collector.place(x.clone()),
                x_range: *x_range,
                y: collector.place(y.clone()),
                y_range: *y_range,
            },
            Predicate::Where(expr) => Test::Where(collector.place(expr.clone())),
        }
    }

    fn mask(&self, values: &[ArrayRef], inverted: bool) -> BooleanBuffer {
        let mask = match self {
            Test::Interval { value, lo, hi } => within(&values[*value], *lo, *hi),
            Test::Rect { x, x_range, y, y_range } => {
                &within(&values[*x], x_range.0, x_range.1) & &within(&values[*y], y_range.0, y_range.1)
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
