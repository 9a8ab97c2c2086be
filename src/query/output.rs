//! Answers as tables: one row per cell or group.
//!
//! A binned axis becomes two columns, its lower and upper edge (`x_lower`, `x_upper`); rows below the
//! axis have only an upper edge, rows above only a lower one, missing values neither. A key becomes its
//! value. Then the measures, named by their text, with `≈ ` before those that are not exact.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, UInt64Array, new_null_array};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;

use super::question::internal;
use super::{Answer, Ask, GroupKey, Groups, Key, Measure, QueryError, Question};
use crate::aggregate::{Bins, Grid, SlotKind};
use crate::data::kind;
use crate::expr::Expr;

/// What the table holds beside edges and aggregates.
#[derive(Debug, Clone, Copy, Default)]
pub struct TableOptions {
    /// Also the centre of every bin, as `x_centre`.
    pub centres: bool,
}

/// The answer to `question` as one table.
///
/// # Errors
/// [`QueryError::Panicked`] when `answer` is not to `question`.
pub fn to_batch(
    question: &Question,
    answer: &Answer,
    options: TableOptions,
) -> Result<RecordBatch, QueryError> {
    match (&question.ask, answer) {
        (Ask::Grid { axes, measures }, Answer::Grid(grid)) => {
            let exprs: Vec<&Expr> = axes.iter().map(|axis| &axis.expr).collect();
            grid_batch(grid, &exprs, measures, options)
        }
        (Ask::Groups { keys, measures, listing }, Answer::Groups(groups)) => {
            let batch = groups_batch(groups, keys, measures, options)?;
            if listing.other { with_other(&batch, groups, measures.len()) } else { Ok(batch) }
        }
        _ => Err(QueryError::Panicked("a table of an answer to another question".to_owned())),
    }
}

/// Slots of an axis in reading order: below, the bins, above, missing.
fn reading_order(bins: &Bins) -> Vec<usize> {
    let mut order = vec![bins.under()];
    order.extend(0..bins.count());
    order.extend([bins.over(), bins.missing()]);
    order
}

fn grid_batch(
    grid: &Grid,
    exprs: &[&Expr],
    measures: &[Measure],
    options: TableOptions,
) -> Result<RecordBatch, QueryError> {
    let orders: Vec<Vec<usize>> = grid.axes.iter().map(reading_order).collect();
    let total: usize = orders.iter().map(Vec::len).product();
    let mut slots: Vec<Vec<usize>> = vec![Vec::with_capacity(total); orders.len()];
    let mut cells = Vec::with_capacity(total);
    for i in 0..total {
        let mut rest = i;
        let mut here = vec![0; orders.len()];
        for (axis, order) in orders.iter().enumerate().rev() {
            here[axis] = order[rest % order.len()];
            rest /= order.len();
        }
        let cell = here.iter().zip(&grid.axes).fold(0, |cell, (&slot, bins)| cell * bins.slots() + slot);
        cells.push(cell as u64);
        slots.iter_mut().zip(here).for_each(|(column, slot)| column.push(slot));
    }
    let mut columns = Columns::default();
    for ((expr, bins), slots) in exprs.iter().zip(&grid.axes).zip(&slots) {
        columns.axis(expr, bins, slots, options);
    }
    let cells = UInt64Array::from(cells);
    for ((measure, values), &approximate) in measures.iter().zip(&grid.measures).zip(&grid.approximate) {
        columns.push(
            measure_name(measure, approximate),
            arrow::compute::take(values, &cells, None).map_err(internal)?,
        );
    }
    columns.finish()
}

fn groups_batch(
    groups: &Groups,
    keys: &[Key],
    measures: &[Measure],
    options: TableOptions,
) -> Result<RecordBatch, QueryError> {
    let mut columns = Columns::default();
    for (key, values) in keys.iter().zip(&groups.keys) {
        match (key, values) {
            (Key::Binned(axis), GroupKey::Slots { bins, slots }) => {
                columns.axis(&axis.expr, bins, slots, options);
            }
            (Key::Value(expr) | Key::Binned(super::Axis { expr, .. }), GroupKey::Values(values)) => {
                columns.push(expr.to_string(), values.clone());
            }
            (Key::Value(_), GroupKey::Slots { .. }) => {
                return Err(QueryError::Panicked("a key answered as an axis".to_owned()));
            }
        }
    }
    for ((measure, values), &approximate) in measures.iter().zip(&groups.measures).zip(&groups.approximate) {
        columns.push(measure_name(measure, approximate), values.clone());
    }
    columns.finish()
}

/// The table with a row for the groups that are not listed, if there are any, and with a last column
/// `groups`: how many groups a row stands for.
fn with_other(batch: &RecordBatch, groups: &Groups, measures: usize) -> Result<RecordBatch, QueryError> {
    let keys = batch.num_columns() - measures;
    let mut columns = Columns::default();
    for (i, (field, column)) in batch.schema().fields().iter().zip(batch.columns()).enumerate() {
        let longer = match &groups.other {
            Some(_) if i < keys => concat(&[column, &new_null_array(column.data_type(), 1)]),
            Some(other) => {
                let value = &other.measures[i - keys];
                // Whether a sum of whole numbers fits 64 bits depends on the rows.
                let widest =
                    if value.data_type().is_decimal() { value.data_type() } else { column.data_type() };
                let cast_to = |array: &ArrayRef| cast(array, widest);
                cast_to(column).and_then(|column| concat(&[column.as_ref(), cast_to(value)?.as_ref()]))
            }
            None => Ok(column.clone()),
        };
        columns.push(field.name().clone(), longer.map_err(internal)?);
    }
    let one = std::iter::repeat_n(1, groups.len());
    let stands_for = one.chain(groups.other.iter().map(|other| other.groups));
    columns.push("groups".to_owned(), Arc::new(UInt64Array::from_iter_values(stands_for)));
    columns.finish()
}

/// What the column of a measure is called: its text, after `≈ ` where it is that of a sketch.
pub fn measure_name(measure: &Measure, approximate: bool) -> String {
    if approximate { format!("≈ {measure}") } else { measure.to_string() }
}

#[derive(Default)]
struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    fn push(&mut self, name: String, array: ArrayRef) {
        self.fields.push(Field::new(name, array.data_type().clone(), true));
        self.arrays.push(array);
    }

    fn axis(&mut self, expr: &Expr, bins: &Bins, slots: &[usize], options: TableOptions) {
        let edge = |slot: usize, upper: bool| match bins.slot_kind(slot) {
            SlotKind::Bin(i) => Some(bins.edges()[i + usize::from(upper)]),
            SlotKind::Under => upper.then(|| bins.lo()),
            SlotKind::Over => (!upper).then(|| bins.hi()),
            SlotKind::Missing => None,
        };
        let name = bare_name(expr);
        let of = |values: Vec<Option<f64>>| edge_array(values, expr.data_type());
        self.push(format!("{name}_lower"), of(slots.iter().map(|&slot| edge(slot, false)).collect()));
        if options.centres {
            let centre = |slot: usize| match bins.slot_kind(slot) {
                SlotKind::Bin(i) => Some(bins.centre(i)),
                _ => None,
            };
            self.push(format!("{name}_centre"), of(slots.iter().map(|&slot| centre(slot)).collect()));
        }
        self.push(format!("{name}_upper"), of(slots.iter().map(|&slot| edge(slot, true)).collect()));
    }

    fn finish(self) -> Result<RecordBatch, QueryError> {
        let rows = self.arrays.first().map_or(0, |array| array.len());
        let options = arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(self.fields)), self.arrays, &options)
            .map_err(internal)
    }
}

/// The text of an expression, without the backticks of a lone column name.
fn bare_name(expr: &Expr) -> String {
    let text = expr.to_string();
    match text.strip_prefix('`').and_then(|t| t.strip_suffix('`')) {
        Some(name) if !name.contains('`') => name.to_owned(),
        _ => text,
    }
}

/// Edges as numbers, or as times where the axis is one.
fn edge_array(values: Vec<Option<f64>>, data_type: &DataType) -> ArrayRef {
    use crate::data::Kind;
    match kind(data_type) {
        Kind::Time | Kind::Duration => {
            let whole: ArrayRef =
                Arc::new(values.into_iter().map(|v| v.map(|v| v.ceil() as i64)).collect::<Int64Array>());
            let narrowed = match data_type {
                DataType::Date32 => cast(&whole, &DataType::Int32).and_then(|days| cast(&days, data_type)),
                _ => cast(&whole, data_type),
            };
            narrowed.unwrap_or(whole)
        }
        _ => Arc::new(values.into_iter().collect::<Float64Array>()),
    }
}
