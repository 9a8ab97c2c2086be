//! Float sums while a unit of rows is added up: one input, or two beside each other, counts and all.
//!
//! Values are cut and added up exactly (`kernel::cut`) for as long as all that lie in the cells are near enough to each
//! other; the cells are then emptied into the compensated sums they are for. Where that would be too often, as
//! magnitudes differ too much, rows are added by TwoSum. Either way depends on the rows of the unit alone.

use std::ops::Range;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float32Type, Float64Type};

use super::lanes::Fed;
use super::values::real_numbers;
use crate::kernel::cut::{CellSums, CutPairs, CutSingles};
use crate::kernel::edge::EdgeValue;
use crate::kernel::pairs::{MOST_ROWS, Pair, Single, add_pairs, add_singles};
use crate::kernel::split::{Reach, Split};

/// The sums of one input or two, a cell to an element.
#[derive(Debug, Clone)]
pub(super) struct Paired {
    inputs: Vec<usize>,
    elements: usize,
    cells: Cells,
    /// Rows added since the cells were last empty.
    rows: u64,
    /// What the values were seen to reach when a cut was last looked for.
    reach: [Reach; 2],
    /// Whether a row was met that did not fit the cut: the next one begins with other cells.
    is_unfit: bool,
    /// Rows that are added by TwoSum before cutting is tried again.
    patience: u64,
    buffers: [Vec<f64>; 2],
}

/// How rows are added, from one emptying of the cells to the next.
#[derive(Debug, Clone)]
enum Cells {
    /// Not begun.
    None,
    CutSingles(CutSingles, Split),
    CutPairs(CutPairs, [Split; 2]),
    Singles(Vec<Single>),
    Pairs(Vec<Pair>),
}

impl Cells {
    fn are_compensated(&self) -> bool {
        matches!(self, Cells::Singles(_) | Cells::Pairs(_))
    }

    /// How many rows may be added to them.
    fn room(&self) -> u64 {
        match self {
            Cells::None => 0,
            Cells::CutSingles(_, split) => split.rows(),
            Cells::CutPairs(_, splits) => splits[0].rows().min(splits[1].rows()),
            Cells::Singles(_) | Cells::Pairs(_) => MOST_ROWS,
        }
    }

    /// How many rows were added: those before the first that does not fit.
    fn add(&mut self, values: [&[f64]; 2], cells: &[u32]) -> usize {
        match self {
            Cells::None => return 0,
            Cells::CutSingles(sums, split) => return sums.add(values[0], *split, cells),
            Cells::CutPairs(sums, splits) => return sums.add(values, *splits, cells),
            Cells::Singles(sums) => add_singles(values[0], cells, sums),
            Cells::Pairs(sums) => add_pairs(values, cells, sums),
        }
        cells.len()
    }
}

impl Paired {
    /// Empty sums of one input or two, by position, over so many elements.
    pub(super) fn new(inputs: &[usize], elements: usize) -> Paired {
        Paired {
            inputs: inputs.to_vec(),
            elements,
            cells: Cells::None,
            rows: 0,
            reach: [Reach::ZERO; 2],
            is_unfit: false,
            patience: 0,
            buffers: Default::default(),
        }
    }

    pub(super) fn grow(&mut self, elements: usize) {
        self.elements = elements;
        match &mut self.cells {
            Cells::None => {}
            Cells::CutSingles(sums, _) => sums.grow(elements),
            Cells::CutPairs(sums, _) => sums.grow(elements),
            Cells::Singles(sums) => sums.resize(elements, Single::default()),
            Cells::Pairs(sums) => sums.resize(elements, Pair::default()),
        }
    }

    /// Adds rows, which belong to `cells`, and returns how many; before the others are added the cells must be drained.
    /// `fed` is what the chunk holds for each input.
    pub(super) fn update(&mut self, fed: &[Fed], rows: &Range<usize>, cells: &[u32]) -> usize {
        let mut buffers = std::mem::take(&mut self.buffers);
        let [first, second] = &mut buffers;
        let [one, ref others @ ..] = self.inputs[..] else { return cells.len() };
        let other: &[f64] = match others {
            [] => &[],
            [other, ..] => doubles(&fed[*other], rows, second),
        };
        let added = self.add([doubles(&fed[one], rows, first), other], fed, cells);
        self.buffers = buffers;
        added
    }

    fn add(&mut self, values: [&[f64]; 2], fed: &[Fed], cells: &[u32]) -> usize {
        let more = cells.len() as u64;
        let is_time_to_cut = self.cells.are_compensated() && self.patience == 0;
        if self.is_unfit || is_time_to_cut || self.rows + more > self.cells.room() {
            if self.rows > 0 {
                return 0;
            }
            self.is_unfit = false;
            self.cells = self.begun(values, fed, more);
        }
        let mut added = self.cells.add(values, cells);
        if added == 0 && self.rows == 0 {
            self.cells = self.compensated();
            added = self.cells.add(values, cells);
        }
        self.rows += added as u64;
        self.is_unfit = added < cells.len();
        // To empty the cells costs about as much as TwoSum does of as many rows.
        let was_short = self.is_unfit && self.rows < self.elements as u64;
        self.patience =
            if was_short { 4 * self.elements as u64 } else { self.patience.saturating_sub(added as u64) };
        added
    }

    /// Empty cells for values like these, of so many rows.
    fn begun(&mut self, values: [&[f64]; 2], fed: &[Fed], rows: u64) -> Cells {
        let inputs = self.inputs.iter().zip(values);
        let reaches = inputs.map(|(&input, values)| Reach::of(values, digits(&fed[input])));
        let reaches: Option<Vec<Reach>> = reaches.collect();
        match reaches.filter(|_| self.patience == 0).and_then(|reaches| self.cut(&reaches, rows)) {
            Some(cells) => cells,
            None => {
                self.patience = self.patience.max(4 * self.elements as u64);
                self.compensated()
            }
        }
    }

    fn cut(&mut self, reaches: &[Reach], rows: u64) -> Option<Cells> {
        // Draining is rare beside so many rows of an element.
        const ROWS_OF_AN_ELEMENT: u64 = 64;
        const LEAST_ROWS: u64 = 1 << 20;
        let enough = rows.max(self.elements as u64);
        let wanted = (self.elements as u64 * ROWS_OF_AN_ELEMENT).max(LEAST_ROWS);
        let split = |reach| Split::of(reach, wanted).filter(|split| split.rows() >= enough);
        let mut splits = reaches.iter().zip(&mut self.reach).map(|(&reach, known)| {
            // What came before may have been an exception.
            let joined = Some(known.and(reach)).filter(|joined| split(*joined).is_some());
            *known = joined.unwrap_or(reach);
            split(*known)
        });
        let (one, other) = match (splits.next()?, splits.next()) {
            (one, None) => return Some(Cells::CutSingles(CutSingles::new(self.elements), one?)),
            (one, Some(other)) => (one?, other?),
        };
        let pairs = CutPairs::new(self.elements);
        // One of the two counts the rows where it can.
        let rows = [wanted, wanted / 2, wanted / 4].into_iter().filter(|&rows| rows >= enough);
        let marked = |known: Reach| rows.clone().find_map(|rows| Split::marked(known, rows));
        let splits = match marked(self.reach[0]) {
            Some(one) => [one, other],
            None => [one, marked(self.reach[1]).unwrap_or(other)],
        };
        Some(Cells::CutPairs(pairs, splits))
    }

    fn compensated(&self) -> Cells {
        match self.inputs[..] {
            [_] => Cells::Singles(vec![Single::default(); self.elements]),
            _ => Cells::Pairs(vec![Pair::default(); self.elements]),
        }
    }

    /// The inputs, by position.
    pub(super) fn inputs(&self) -> &[usize] {
        &self.inputs
    }

    /// Takes out what the cells hold, leaves them empty, and tells it of those that held rows.
    pub(super) fn drain(&mut self, mut take: impl FnMut(usize, CellSums)) {
        if std::mem::take(&mut self.rows) == 0 {
            return;
        }
        let elements = 0..self.elements;
        match &mut self.cells {
            Cells::None => {}
            Cells::CutSingles(sums, split) => {
                elements.for_each(|i| sums.take(i, *split).into_iter().for_each(|sums| take(i, sums)));
            }
            Cells::CutPairs(sums, splits) => {
                elements.for_each(|i| sums.take(i, *splits).into_iter().for_each(|sums| take(i, sums)));
            }
            Cells::Singles(sums) => drain(sums, Single::sums, take),
            Cells::Pairs(sums) => drain(sums, Pair::sums, take),
        }
    }
}

fn drain<C: Default>(cells: &mut [C], sums: impl Fn(&C) -> CellSums, mut take: impl FnMut(usize, CellSums)) {
    for (element, cell) in cells.iter_mut().enumerate() {
        let sums = sums(&std::mem::take(cell));
        if sums.rows > 0 {
            take(element, sums);
        }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Float64Array;

    use super::*;
    use crate::kernel::fold::Sum;

    /// Quarters, and now and then NaN, a value that is far greater or far smaller, or both in turn.
    fn column(rows: usize, step: usize) -> Vec<f64> {
        let value = |i: usize| match i * step % 701 {
            0 => 2f64.powi(60),
            1 => -(2f64.powi(-30)),
            place if place % 50 == 7 => f64::NAN,
            place if i > rows / 2 && i < rows / 2 + 40 => 2f64.powi(if place % 2 == 0 { 60 } else { -30 }),
            place => place as f64 / 4.0 + 2.0,
        };
        (0..rows).map(value).collect()
    }

    #[test]
    fn rows_that_do_not_fit_begin_a_new_cut_wherever_in_a_block_they_lie() {
        const ROWS: usize = 5000;
        const CELLS: usize = 6;
        let columns = [column(ROWS, 1), column(ROWS, 13)];
        let fed = columns.clone().map(|values| Fed {
            values: vec![Arc::new(Float64Array::from(values)) as arrow::array::ArrayRef],
            condition: None,
        });
        let cells: Vec<u32> = (0..ROWS).map(|i| (i * i % 5) as u32).collect();
        for (inputs, block) in [(1, 1), (1, 7), (1, 900), (2, 1), (2, 7), (2, 64), (2, 900), (2, ROWS)] {
            let mut paired = Paired::new(&[0, 1][..inputs], CELLS);
            let mut totals = [(0, [Sum::default(); 2], [0; 2]); CELLS];
            let mut take = |element: usize, cell: CellSums| {
                let (rows, sums, missing) = &mut totals[element];
                *rows += cell.rows;
                sums.iter_mut().zip(cell.sums).for_each(|(sum, more)| sum.join(more));
                missing.iter_mut().zip(cell.missing).for_each(|(count, more)| *count += more);
            };
            for start in (0..ROWS).step_by(block) {
                let (mut row, end) = (start, ROWS.min(start + block));
                while row < end {
                    row += paired.update(&fed, &(row..end), &cells[row..end]);
                    if row < end {
                        paired.drain(&mut take);
                    }
                }
            }
            paired.drain(&mut take);
            for (cell, (rows, sums, missing)) in totals.into_iter().enumerate() {
                let here = |values: &'_ [f64]| -> Vec<f64> {
                    (0..ROWS).filter(|&row| cells[row] as usize == cell).map(|row| values[row]).collect()
                };
                for i in 0..inputs {
                    let values = here(&columns[i]);
                    let exact: i128 = values.iter().map(|value| (value * 2f64.powi(30)) as i128).sum();
                    assert_eq!(sums[i].value() * 2f64.powi(30), exact as f64, "{inputs} {block} {cell}");
                    assert_eq!(missing[i], values.iter().filter(|value| value.is_nan()).count() as u64);
                    assert_eq!(rows, values.len() as u64);
                }
            }
        }
    }
}
