//! Accumulators: the sufficient statistics of every cell.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float32Type, Float64Type};

use super::joint::{Cuts, Joint};
use super::paired::{Paired, can_pair};
use super::search::Sight;
use super::store::Store;
use super::table::Measured;
use super::total::Total;
use super::values::real_numbers;
use crate::kernel::fold;
use crate::kernel::total::Sums;

/// One sufficient statistic of the rows of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Rows whose values are neither null nor NaN.
    Count,
    /// The sum of the values: `i128` of integers, compensated `f64` of floats.
    Sum,
    /// The smallest value, in its own type.
    Min,
    /// The largest value, in its own type.
    Max,
    /// The smallest that is finite.
    FiniteMin,
    /// The largest that is finite.
    FiniteMax,
    /// Count, mean and sum of squared deviations.
    Moments,
    /// Central moments up to the fourth.
    Powers,
    /// Second moments of two values.
    Products,
    /// The value of the first row, by a second value where there is one.
    First,
    /// The value of the last row, by a second value where there is one.
    Last,
    /// The distinct values.
    Distinct,
    /// The distinct values, and how often each was met.
    Counts,
    /// The values in their order.
    Ranks,
    /// The bins of two values.
    Joint,
}

impl Lane {
    /// Whether it keeps the values themselves, many to a cell.
    pub(super) fn keeps_values(self) -> bool {
        matches!(self, Lane::Distinct | Lane::Counts | Lane::Ranks | Lane::Joint)
    }

    pub(super) fn is_smallest(self) -> bool {
        matches!(self, Lane::Min | Lane::FiniteMin)
    }
}

/// What accumulators are fed with: some values of a row, and which rows.
#[derive(Debug, Clone)]
pub struct Input {
    /// Types of the values; a row counts where none of them is missing.
    pub types: Vec<DataType>,
    /// Whether only rows that meet a condition of its own count.
    pub conditioned: bool,
    /// How two values are cut, for those aggregates that cut them.
    pub cuts: Option<Arc<Cuts>>,
    /// Bytes that the values one set of accumulators keeps may take.
    pub budget: usize,
}

/// The rows of a chunk as accumulators are fed them.
#[derive(Debug)]
pub struct Feed {
    /// Row of the table that the first of the chunk is.
    pub first_row: u64,
    /// One per [`Input`].
    pub inputs: Vec<Fed>,
}

/// What a chunk holds for one [`Input`].
#[derive(Debug)]
pub struct Fed {
    /// The values, made by [`plain_numbers`](super::plain_numbers).
    pub values: Vec<ArrayRef>,
    /// The rows that meet the condition, where there is one.
    pub condition: Option<BooleanBuffer>,
}

impl Fed {
    fn has_nulls(&self) -> bool {
        self.values.iter().any(|array| array.null_count() > 0)
    }
}

/// Counts per cell: 32 bits wide while they are added up, carried over to 64 before they could overflow.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    narrow: Vec<u32>,
    /// Empty until something was carried over.
    wide: Vec<u64>,
    /// The most any narrow count can be.
    most: u64,
}

impl Counts {
    fn new(cells: usize) -> Counts {
        Counts { narrow: vec![0; cells], wide: Vec::new(), most: 0 }
    }

    fn grow(&mut self, cells: usize) {
        self.narrow.resize(cells, 0);
        if !self.wide.is_empty() {
            self.wide.resize(cells, 0);
        }
    }

    fn update(&mut self, cells: &[u32]) {
        self.most += cells.len() as u64;
        if self.most > u64::from(u32::MAX) {
            self.carry();
            self.most = cells.len() as u64;
        }
        fold::count(cells, &mut self.narrow);
    }

    fn add(&mut self, element: usize, count: usize) {
        self.most += count as u64;
        if self.most > u64::from(u32::MAX) {
            self.carry();
            self.most = count as u64;
        }
        self.narrow[element] += count as u32;
    }

    fn carry(&mut self) {
        self.wide.resize(self.narrow.len(), 0);
        for (wide, narrow) in self.wide.iter_mut().zip(&mut self.narrow) {
            *wide += u64::from(std::mem::take(narrow));
        }
    }

    fn merge(&mut self, other: &Counts, elements: Range<usize>, target: &impl Fn(usize) -> usize) {
        if self.wide.is_empty() {
            self.wide.resize(self.narrow.len(), 0);
        }
        for (i, &count) in elements.clone().zip(&other.narrow[elements.clone()]) {
            self.wide[target(i)] += u64::from(count);
        }
        for (i, &count) in elements.clone().zip(other.wide.get(elements).unwrap_or_default()) {
            self.wide[target(i)] += count;
        }
    }

    pub(super) fn at(&self, i: usize) -> u64 {
        u64::from(self.narrow[i]) + self.wide.get(i).copied().unwrap_or(0)
    }
}

/// Most elements whose float sums are added up in pairs.
const MOST_PAIRED: usize = 1 << 17;

/// The lanes of one input.
#[derive(Debug, Clone)]
struct InputLanes {
    /// Whether rows are folded into a [`Paired`] instead.
    is_paired: bool,
    /// Rows that do not count: a value is null or NaN, or the condition is not met.
    left_out: Counts,
    types: Vec<DataType>,
    lanes: Vec<(Lane, Store)>,
}

/// All accumulators of one question: rows per cell, and the lanes of each input.
///
/// One element of every store, the *trash*, takes the rows that belong to no cell.
#[derive(Debug, Clone)]
pub struct Lanes {
    rows: Counts,
    inputs: Vec<InputLanes>,
    /// Sums on their way into `inputs`; the first of them counts the rows.
    pairs: Vec<Paired>,
}

impl Lanes {
    /// Empty accumulators of `cells` elements for `measures` of these inputs; those in sight look for
    /// something instead.
    pub fn new(measures: &[Measured], inputs: &[Input], sights: &[Sight], cells: usize) -> Lanes {
        let lanes_of = |(i, input): (usize, &Input)| {
            let mut wanted: Vec<Lane> = Vec::new();
            for measure in measures.iter().filter(|measure| measure.input == Some(i)) {
                for &lane in measure.aggregate.lanes {
                    if !wanted.contains(&lane) {
                        wanted.push(lane);
                    }
                }
            }
            let store = |lane| match sights.iter().find(|sight| sight.input == i && sight.lane == lane) {
                Some(sight) => sight.store(cells),
                None => match (lane, &input.cuts) {
                    (Lane::Joint, Some(cuts)) => {
                        Store::Joint(Box::new(Joint::new(cuts.clone(), input.budget)))
                    }
                    _ => Store::new(lane, input, cells),
                },
            };
            let lanes = wanted.into_iter().map(|lane| (lane, store(lane))).collect();
            InputLanes::new(input, lanes, cells)
        };
        let inputs = inputs.iter().enumerate().map(lanes_of).collect();
        Lanes { rows: Counts::new(cells), inputs, pairs: Vec::new() }
    }

    /// The accumulators of a question about rows alone, once they are counted; the trash is empty.
    pub fn counted(mut counts: Vec<u64>) -> Lanes {
        counts.push(0);
        let rows = Counts { narrow: vec![0; counts.len()], wide: counts, most: 0 };
        Lanes { rows, inputs: Vec::new(), pairs: Vec::new() }
    }

    /// As [`Lanes::new`] with nothing but what is in sight.
    pub fn in_sight(inputs: &[Input], sights: &[Sight], cells: usize) -> Lanes {
        let lanes_of = |(i, input): (usize, &Input)| {
            let here = sights.iter().filter(|sight| sight.input == i);
            let lanes = here.map(|sight| (sight.lane, sight.store(cells))).collect();
            InputLanes::new(input, lanes, cells)
        };
        let inputs = inputs.iter().enumerate().map(lanes_of).collect();
        Lanes { rows: Counts::new(cells), inputs, pairs: Vec::new() }
    }

    /// Adds float sums up in pairs while the elements are few: [`Lanes::settle`] must be called before anything
    /// is read.
    pub fn paired(mut self) -> Lanes {
        let cells = self.len();
        if cells <= MOST_PAIRED {
            let pairable = (0..self.inputs.len()).filter(|&i| self.inputs[i].can_pair());
            let pairable: Vec<usize> = pairable.collect();
            self.pairs = pairable.chunks(2).map(|inputs| Paired::new(inputs, cells)).collect();
            pairable.into_iter().for_each(|i| self.inputs[i].is_paired = true);
        }
        self
    }

    /// Carries what was added up in pairs over to the accumulators of its inputs.
    pub fn settle(&mut self) {
        (0..self.pairs.len()).for_each(|number| self.drain(number));
    }

    fn drain(&mut self, number: usize) {
        let Lanes { rows, inputs, pairs } = self;
        let places: Vec<usize> = pairs[number].inputs().to_vec();
        pairs[number].drain(|element, cell| {
            if number == 0 {
                rows.add(element, cell.rows as usize);
            }
            for ((&place, sum), missing) in places.iter().zip(cell.sums).zip(cell.missing) {
                let input = &mut inputs[place];
                input.left_out.add(element, missing as usize);
                for (_, store) in &mut input.lanes {
                    if let Store::Floats(sums) = store {
                        sums[element].join(sum);
                    }
                }
            }
        });
    }

    pub(super) fn store_mut(&mut self, input: usize, lane: Lane) -> Option<&mut Store> {
        let lanes = &mut self.inputs.get_mut(input)?.lanes;
        lanes.iter_mut().find(|(known, _)| *known == lane).map(|(_, store)| store)
    }

    /// Number of elements, the trash included.
    pub fn len(&self) -> usize {
        self.rows.narrow.len()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.rows.narrow.is_empty()
    }

    /// Makes room for `cells` elements.
    pub fn grow(&mut self, cells: usize) {
        if cells > MOST_PAIRED && !self.pairs.is_empty() {
            self.settle();
            self.pairs.clear();
            self.inputs.iter_mut().for_each(|input| input.is_paired = false);
        }
        self.pairs.iter_mut().for_each(|pairs| pairs.grow(cells));
        self.rows.grow(cells);
        for input in &mut self.inputs {
            input.left_out.grow(cells);
            for (lane, store) in &mut input.lanes {
                store.grow(*lane, cells);
            }
        }
    }

    /// Folds rows in: row `rows.start + i` of the chunk belongs to `cells[i]`. Rows that do not count for
    /// an input are rows all the same; for its lanes they are sent to `trash`.
    pub fn update(&mut self, feed: &Feed, rows: Range<usize>, cells: &[u32], trash: u32) {
        for number in 0..self.pairs.len() {
            let mut added = 0;
            while added < cells.len() {
                let rest = rows.start + added..rows.end;
                added += self.pairs[number].update(&feed.inputs, &rest, &cells[added..]);
                if added < cells.len() {
                    self.drain(number);
                }
            }
        }
        if self.pairs.is_empty() {
            self.rows.update(cells);
        }
        let mut kept = Vec::new();
        for (input, fed) in self.inputs.iter_mut().zip(&feed.inputs).filter(|(input, _)| !input.is_paired) {
            let cells = input.counting(fed, &rows, cells, trash, &mut kept);
            for (lane, store) in &mut input.lanes {
                store.update(*lane, feed.first_row, &fed.values, &rows, cells, trash);
            }
        }
    }

    /// Whether [`Lanes::update_one`] knows all its lanes.
    pub fn are_totals(&self) -> bool {
        let is_total = |input: &InputLanes| {
            input.types.len() == 1 && input.lanes.iter().all(|(_, s)| Total::is_known(s))
        };
        self.inputs.iter().all(is_total)
    }

    /// Whether nothing but extremes is accumulated: they are the same whatever rows are folded in together.
    pub fn are_extremes(&self) -> bool {
        let is = |lane: Lane| matches!(lane, Lane::Min | Lane::Max | Lane::FiniteMin | Lane::FiniteMax);
        self.inputs.iter().all(|input| input.lanes.iter().all(|&(lane, _)| is(lane)))
    }

    /// As [`Lanes::update`] with the rows that pass, or all, in element 0: sums and extremes need no cells
    /// then. `passing` has a bit for every row of the chunk.
    pub fn update_one(&mut self, feed: &Feed, rows: Range<usize>, passing: Option<&BooleanBuffer>) {
        let part = |bits: &BooleanBuffer| bits.slice(rows.start, rows.len());
        let passing = passing.map(part);
        let count = passing.as_ref().map_or(rows.len(), BooleanBuffer::count_set_bits);
        self.rows.add(0, count);
        for (input, fed) in self.inputs.iter_mut().zip(&feed.inputs) {
            let [array] = fed.values.as_slice() else { continue };
            let kept = passing.iter().cloned().chain(fed.condition.as_ref().map(part)).reduce(|a, b| &a & &b);
            let mut total = Total::new(array, &rows, kept.as_ref());
            for (lane, store) in &mut input.lanes {
                total.add_to(store, *lane);
            }
            input.left_out.add(0, count - total.present());
        }
    }

    /// Counts more rows of element 0, the values of which lie between others that were folded in.
    pub fn count_more(&mut self, rows: usize) {
        self.rows.add(0, rows);
    }

    /// Whether an input wants nothing but the sum of reals and their number.
    pub fn is_sum_of_reals(&self, input: usize) -> bool {
        let is_sum = |(_, store): &(Lane, Store)| matches!(store, Store::Floats(_) | Store::Nothing);
        let is = |lanes: &InputLanes| self.are_totals() && lanes.lanes.iter().all(is_sum);
        self.inputs.get(input).is_some_and(is)
    }

    /// Adds to element 0 what the values of an input of [`Lanes::is_sum_of_reals`] add up to, where
    /// [`Lanes::update_one`] was given an array of type Null in their place.
    pub fn add_sums(&mut self, input: usize, sums: &Sums) {
        let InputLanes { left_out, lanes, .. } = &mut self.inputs[input];
        left_out.add(0, sums.missing() as usize);
        for (_, store) in lanes {
            if let Store::Floats(totals) = store {
                sums.add_to(&mut totals[0]);
            }
        }
    }

    /// Adds what `other` accumulated in `elements`; its element `i` belongs to `target(i)` here.
    pub fn merge(&mut self, other: &Lanes, elements: Range<usize>, target: impl Fn(usize) -> usize) {
        self.rows.merge(&other.rows, elements.clone(), &target);
        for (mine, theirs) in self.inputs.iter_mut().zip(&other.inputs) {
            mine.left_out.merge(&theirs.left_out, elements.clone(), &target);
            for ((lane, store), (_, from)) in mine.lanes.iter_mut().zip(&theirs.lanes) {
                store.merge(*lane, from, elements.clone(), &target);
            }
        }
    }

    /// Rows of element `i`.
    pub fn rows_at(&self, i: usize) -> u64 {
        self.rows.at(i)
    }

    /// Bytes per element, to budget groups with.
    pub fn bytes_per_cell(&self) -> usize {
        let lanes = self.inputs.iter().flat_map(|input| &input.lanes);
        12 + self.inputs.len() * 12 + lanes.map(|(_, store)| store.element_bytes()).sum::<usize>()
    }

    /// Bytes of the values that are kept, beside those of the elements.
    pub fn kept_bytes(&self) -> usize {
        let lanes = self.inputs.iter().flat_map(|input| &input.lanes);
        lanes.map(|(_, store)| store.kept_bytes()).sum()
    }

    pub(super) fn store(&self, input: usize, lane: Lane) -> Option<&Store> {
        self.inputs.get(input)?.lanes.iter().find(|(l, _)| *l == lane).map(|(_, store)| store)
    }

    /// Types of the values of an input.
    pub(super) fn types(&self, input: usize) -> &[DataType] {
        self.inputs.get(input).map_or(&[], |input| &input.types)
    }

    /// Rows of element `i` that count for an input.
    pub(super) fn counted_at(&self, input: usize, i: usize) -> u64 {
        self.rows.at(i) - self.inputs[input].left_out.at(i)
    }
}

impl InputLanes {
    fn new(input: &Input, lanes: Vec<(Lane, Store)>, cells: usize) -> InputLanes {
        InputLanes { is_paired: false, left_out: Counts::new(cells), types: input.types.clone(), lanes }
    }

    /// Whether nothing is asked of one float but how many there are and their sum.
    fn can_pair(&self) -> bool {
        let is_sum = |(_, store): &(Lane, Store)| matches!(store, Store::Floats(_) | Store::Nothing);
        matches!(self.types.as_slice(), [only] if can_pair(only)) && self.lanes.iter().all(is_sum)
    }

    /// `cells` with the rows that do not count sent to the trash; they are counted.
    fn counting<'a>(
        &mut self,
        fed: &Fed,
        rows: &Range<usize>,
        cells: &'a [u32],
        trash: u32,
        kept: &'a mut Vec<u32>,
    ) -> &'a [u32] {
        let has_nan = |array: &ArrayRef| real_numbers!(array, |v| v[rows.clone()].iter().fold(false, |any, x| any | x.is_nan()), else false);
        let nans: Vec<&ArrayRef> = fed.values.iter().filter(|array| has_nan(array)).collect();
        if nans.is_empty() && !fed.has_nulls() && fed.condition.is_none() {
            return cells;
        }
        kept.clear();
        kept.extend_from_slice(cells);
        let mut lost = Vec::new();
        let mut drop = |cell: &mut u32, counts: bool| {
            if !counts && *cell != trash {
                lost.push(*cell);
                *cell = trash;
            }
        };
        if let Some(condition) = &fed.condition {
            let met = condition.slice(rows.start, rows.len());
            kept.iter_mut().zip(&met).for_each(|(cell, met)| drop(cell, met));
        }
        for nulls in fed.values.iter().filter_map(|array| array.nulls()) {
            let valid = rows.clone().map(|row| nulls.is_valid(row));
            kept.iter_mut().zip(valid).for_each(|(cell, valid)| drop(cell, valid));
        }
        for array in nans {
            real_numbers!(
                array,
                |v| kept.iter_mut().zip(&v[rows.clone()]).for_each(|(cell, x)| drop(cell, !x.is_nan())),
                else ()
            );
        }
        self.left_out.update(&lost);
        kept
    }
}
