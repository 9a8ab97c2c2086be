//! Extremes of columns as they are: found in many rows at once, and not looked for where zone maps tell them.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, new_empty_array};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::compile::Compiled;
use super::pass::{Partial, Pass};
use crate::aggregate::plain_numbers;
use crate::data::Domain;
use crate::expr::Expr;

impl Pass {
    /// How many chunks are read and folded at once into these accumulators: several where nothing is computed of the
    /// columns as they are but extremes, of which those of a chunk are found as fast as a question is put.
    pub(super) fn chunks_at_once(&self, partials: &[Partial]) -> usize {
        const SEVERAL: usize = 16;
        if self.asks_for_extremes(partials) && self.dataset.source().splits().is_empty() {
            SEVERAL
        } else {
            1
        }
    }

    fn asks_for_extremes(&self, partials: &[Partial]) -> bool {
        let is_extreme = |partial: &Partial| matches!(partial, Partial::Grid(lanes) if lanes.are_extremes());
        self.clauses.is_empty()
            && self.axes.is_empty()
            && self.exprs.iter().all(|expr| expr.as_column().is_some())
            && self.questions.iter().all(Compiled::is_one_cell)
            && partials.iter().all(is_extreme)
    }

    /// Folds `rows` in by what zone maps tell of them; false, and nothing is folded, where they must be read.
    pub(super) fn fold_zones(&self, rows: &Range<u64>, partials: &mut [Partial]) -> bool {
        let count = rows.end - rows.start;
        if count < 2 || !self.asks_for_extremes(partials) {
            return false;
        }
        let ends: Option<Vec<ArrayRef>> = self.exprs.iter().map(|expr| self.ends_of(expr, rows)).collect();
        let Some(ends) = ends else { return false };
        for (question, partial) in self.questions.iter().zip(partials) {
            if let Partial::Grid(lanes) = partial {
                lanes.update_one(&question.feed(rows.start, &ends, &[]), 0..2, None);
                lanes.count_more((count - 2) as usize);
            }
        }
        true
    }

    /// The least and the greatest value of a column in `rows`, if they are known as they are.
    fn ends_of(&self, expr: &Expr, rows: &Range<u64>) -> Option<ArrayRef> {
        let column = self.dataset.source().schema().position(expr.as_column()?)?;
        let known = self.dataset.zones().of_whole(column, rows)?;
        let plain = plain_numbers(&new_empty_array(expr.data_type()));
        let ends: ArrayRef = Arc::new(Float64Array::from(vec![known.min, known.max]));
        are_values(known, plain.data_type()).then(|| cast(&ends, plain.data_type()).ok()).flatten()
    }
}

/// Whether both bounds are values of such a column, to the bit, and no row lacks one.
fn are_values(known: Domain, data_type: &DataType) -> bool {
    /// Below it bounds of whole numbers are not rounded.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let is_value = |end: f64| match data_type {
        // Zones take both zeros for one.
        DataType::Float32 | DataType::Float64 => end.is_finite() && end != 0.0,
        _ => end.abs() < EXACT,
    };
    !known.nan && !known.missing && is_value(known.min) && is_value(known.max)
}
