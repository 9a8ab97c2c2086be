//! Float sums while a unit of rows is added up: one input, or two beside each other, counts and all.
//!
//! Values are split and added up exactly (`kernel::split`) for as long as all that lie in the cells are near enough to
//! each other; the cells are then emptied into the compensated sums they are for. Where that would be too often, as
//! magnitudes differ too much, rows are added by TwoSum. Either way depends on the rows of the unit alone.

use std::ops::Range;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float32Type, Float64Type};

use super::lanes::Fed;
use super::values::real_numbers;
use crate::kernel::edge::EdgeValue;
use crate::kernel::fold::Sum;
use crate::kernel::pairs::{MOST_ROWS, Pair, Single, Summed, add_pairs, add_singles};
use crate::kernel::split::{Reach, Split};

/// The sums of one input or two, a cell to an element.
#[derive(Debug, Clone)]
pub(super) struct Paired {
    inputs: Vec<usize>,
    cells: Cells,
    /// Rows added since the cells were last empty.
    rows: u64,
    way: Way,
    /// Rows that are added by TwoSum before splitting is tried again.
    patience: u64,
    buffers: [Vec<f64>; 2],
}

#[derive(Debug, Clone)]
enum Cells {
    Singles(Vec<Single>),
    Pairs(Vec<Pair>),
}

/// How rows are added, from one emptying of the cells to the next.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// Not begun.
    Free,
    /// All values so far are within these reaches.
    Split([Split; 2], [Reach; 2]),
    TwoSum,
}

/// What the cell of an element holds.
pub(super) struct Drained {
    pub(super) element: usize,
    pub(super) rows: u64,
    pub(super) sums: [Sum; 2],
    pub(super) missing: [u64; 2],
}

impl Paired {
    /// Empty sums of one input or two, by position, over `cells` elements.
    pub(super) fn new(inputs: &[usize], cells: usize) -> Paired {
        let cells = match inputs {
            [_] => Cells::Singles(vec![Single::default(); cells]),
            _ => Cells::Pairs(vec![Pair::default(); cells]),
        };
        let buffers = Default::default();
        Paired { inputs: inputs.to_vec(), cells, rows: 0, way: Way::Free, patience: 0, buffers }
    }

    pub(super) fn grow(&mut self, cells: usize) {
        match &mut self.cells {
            Cells::Singles(singles) => singles.resize(cells, Single::default()),
            Cells::Pairs(pairs) => pairs.resize(cells, Pair::default()),
        }
    }

    fn len(&self) -> usize {
        match &self.cells {
            Cells::Singles(singles) => singles.len(),
            Cells::Pairs(pairs) => pairs.len(),
        }
    }

    /// Looks at rows that are to be added; whether the cells must be drained before. `fed` is what the chunk holds
    /// for each input.
    pub(super) fn prepare(&mut self, fed: &[Fed], rows: &Range<usize>) -> bool {
        let more = rows.len() as u64;
        let has_room = self.rows + more <= MOST_ROWS;
        let is_patient = has_room && self.patience > 0 && matches!(self.way, Way::TwoSum);
        let mut reaches = (!is_patient).then_some([Reach::ZERO; 2]);
        for (place, &input) in self.inputs.iter().enumerate() {
            let values = doubles(&fed[input], rows, &mut self.buffers[place]);
            reaches = reaches.and_then(|mut reaches| {
                reaches[place] = Reach::of(values, digits(&fed[input]))?;
                Some(reaches)
            });
        }
        let joined = |known: [Reach; 2]| reaches.map(|new| [known[0].and(new[0]), known[1].and(new[1])]);
        match self.way {
            Way::Split(splits, known) => {
                let joined = joined(known);
                if let Some(joined) = joined.filter(|joined| allowed(splits, *joined) >= self.rows + more)
                    && has_room
                {
                    self.way = Way::Split(splits, joined);
                    return false;
                }
                // To empty the cells costs about as much as TwoSum does of as many rows.
                let was_short = self.rows < self.len() as u64;
                self.patience = if was_short { 4 * self.len() as u64 } else { 0 };
                self.begin(reaches, more);
                true
            }
            Way::TwoSum if is_patient => false,
            Way::TwoSum | Way::Free => {
                let must_drain = self.rows > 0;
                self.begin(reaches, more);
                must_drain
            }
        }
    }

    /// Begins anew with so many rows of these reaches.
    fn begin(&mut self, reaches: Option<[Reach; 2]>, rows: u64) {
        let split = |reaches: [Reach; 2]| {
            let splits = [Split::of(reaches[0])?, Split::of(reaches[1])?];
            let enough = rows.max(self.len() as u64);
            (allowed(splits, reaches) >= enough).then_some(Way::Split(splits, reaches))
        };
        self.way = match reaches.filter(|_| self.patience == 0).and_then(split) {
            Some(way) => way,
            None => {
                self.patience = self.patience.max(4 * self.len() as u64);
                Way::TwoSum
            }
        };
    }

    /// Adds the rows that were prepared, which belong to `cells`.
    pub(super) fn update(&mut self, fed: &[Fed], rows: &Range<usize>, cells: &[u32]) {
        let more = rows.len() as u64;
        self.rows += more;
        self.patience = self.patience.saturating_sub(more);
        let splits = match self.way {
            Way::Split(splits, _) => Some(splits),
            Way::TwoSum | Way::Free => None,
        };
        let [first, second] = &self.buffers;
        let values = |place: usize, buffer| as_they_are(&fed[self.inputs[place]], rows).unwrap_or(buffer);
        match &mut self.cells {
            Cells::Singles(singles) => {
                add_singles(values(0, first), splits.map(|splits| splits[0]), cells, singles);
            }
            Cells::Pairs(pairs) => add_pairs(values(0, first), values(1, second), splits, cells, pairs),
        }
    }

    /// The inputs, by position.
    pub(super) fn inputs(&self) -> &[usize] {
        &self.inputs
    }

    /// Takes out what the cells hold, leaves them empty, and tells it of those that held rows.
    pub(super) fn drain(&mut self, mut take: impl FnMut(Drained)) {
        self.rows = 0;
        match &mut self.cells {
            Cells::Singles(singles) => drain_cells(singles, &mut take),
            Cells::Pairs(pairs) => drain_cells(pairs, &mut take),
        }
    }
}

fn allowed(splits: [Split; 2], reaches: [Reach; 2]) -> u64 {
    splits[0].rows(reaches[0]).min(splits[1].rows(reaches[1]))
}

fn drain_cells<C: Summed + Default>(cells: &mut [C], take: &mut impl FnMut(Drained)) {
    for (element, cell) in cells.iter_mut().enumerate().filter(|(_, cell)| cell.rows() > 0) {
        let (rows, sums, missing) = (cell.rows(), cell.sums(), cell.missing());
        *cell = C::default();
        take(Drained { element, rows, sums, missing });
    }
}

/// Binary digits of the values.
fn digits(fed: &Fed) -> u32 {
    match fed.values.first().map(Array::data_type) {
        Some(DataType::Float64) => f64::MANTISSA_DIGITS,
        _ => f32::MANTISSA_DIGITS,
    }
}

/// The values of `rows`, where they need no other form.
fn as_they_are<'a>(fed: &'a Fed, rows: &Range<usize>) -> Option<&'a [f64]> {
    let array = fed.values.first().filter(|array| array.null_count() == 0 && fed.condition.is_none())?;
    Some(&array.as_primitive_opt::<Float64Type>()?.values()[rows.clone()])
}

/// The values of `rows` as `f64`, NaN where they do not count.
fn doubles<'a>(fed: &'a Fed, rows: &Range<usize>, buffer: &'a mut Vec<f64>) -> &'a [f64] {
    if let Some(values) = as_they_are(fed, rows) {
        return values;
    }
    let Some(array) = fed.values.first() else { return &[] };
    buffer.clear();
    real_numbers!(
        array,
        |values| buffer.extend(values[rows.clone()].iter().map(|&value| EdgeValue::to_f64(value))),
        else buffer.resize(rows.len(), f64::NAN)
    );
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
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
