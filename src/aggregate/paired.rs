//! Float sums while a unit of rows is added up: two inputs beside each other, counts and all.

use std::ops::Range;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float32Type, Float64Type};

use super::lanes::Fed;
use super::values::real_numbers;
use crate::kernel::edge::EdgeValue;
use crate::kernel::pairs::{MOST_ROWS, Pair, add_pairs};

/// The sums of one input or two, a [`Pair`] to a cell.
#[derive(Debug, Clone)]
pub(super) struct Paired {
    first: usize,
    second: Option<usize>,
    cells: Vec<Pair>,
    /// Rows added since the cells were last empty.
    rows: u64,
    buffers: [Vec<f64>; 2],
}

impl Paired {
    /// Empty sums of these inputs, by position, over `cells` elements.
    pub(super) fn new(first: usize, second: Option<usize>, cells: usize) -> Paired {
        Paired { first, second, cells: vec![Pair::default(); cells], rows: 0, buffers: Default::default() }
    }

    pub(super) fn grow(&mut self, cells: usize) {
        self.cells.resize(cells, Pair::default());
    }

    /// Whether so many rows more could be added.
    pub(super) fn has_room(&self, rows: usize) -> bool {
        self.rows + rows as u64 <= MOST_ROWS
    }

    /// Folds rows in that belong to `cells`; `fed` is what the chunk holds for each input.
    pub(super) fn update(&mut self, fed: &[Fed], rows: &Range<usize>, cells: &[u32]) {
        self.rows += rows.len() as u64;
        let [first, second] = &mut self.buffers;
        let first = doubles(&fed[self.first], rows, first);
        let second = match self.second {
            Some(input) => doubles(&fed[input], rows, second),
            None => {
                second.resize(rows.len(), 0.0);
                &second[..rows.len()]
            }
        };
        add_pairs(first, second, cells, &mut self.cells);
    }

    /// The inputs, by position.
    pub(super) fn inputs(&self) -> impl Iterator<Item = usize> {
        [Some(self.first), self.second].into_iter().flatten()
    }

    /// Takes out what the cells hold, with their numbers, and leaves them empty.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (usize, Pair)> {
        self.rows = 0;
        self.cells.iter_mut().map(std::mem::take).enumerate().filter(|(_, pair)| pair.rows() > 0)
    }
}

/// The values of `rows` as `f64`, NaN where they do not count.
fn doubles<'a>(fed: &'a Fed, rows: &Range<usize>, buffer: &'a mut Vec<f64>) -> &'a [f64] {
    let Some(array) = fed.values.first() else { return &[] };
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
    if let (Some(values), None, None) = (array.as_primitive_opt::<Float64Type>(), nulls, &fed.condition) {
        return &values.values()[rows.clone()];
    }
    buffer.clear();
    real_numbers!(
        array,
        |values| buffer.extend(values[rows.clone()].iter().map(|&value| EdgeValue::to_f64(value))),
        else buffer.resize(rows.len(), f64::NAN)
    );
    let wanted = nulls.map(|nulls| nulls.inner()).into_iter().chain(&fed.condition);
    for bits in wanted {
        let bits = bits.slice(rows.start, rows.len());
        for (value, wanted) in buffer.iter_mut().zip(&bits) {
            *value = if wanted { *value } else { f64::NAN };
        }
    }
    buffer
}

/// Whether values of this type can be added up in pairs.
pub(super) fn can_pair(array_type: &DataType) -> bool {
    super::numeric_kind(array_type) == Some(super::NumericKind::Float)
}
