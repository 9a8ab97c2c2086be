//! Accumulators: the sufficient statistics of every cell.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::table::Measured;
use super::values::{
    NumericKind, numbers, numeric_kind, real_numbers, signed_numbers, unsigned_numbers, whole_numbers,
};
use crate::kernel::edge::EdgeValue;
use crate::kernel::fold::{self, Shifted, Sum};

/// One sufficient statistic of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Values that are neither null nor NaN.
    Count,
    /// Their sum: `i128` of integers, compensated `f64` of floats.
    Sum,
    /// The smallest, in the value's own type.
    Min,
    /// The largest, in the value's own type.
    Max,
    /// The smallest that is finite.
    FiniteMin,
    /// The largest that is finite.
    FiniteMax,
    /// Count, mean and sum of squared deviations.
    Moments,
}

impl Lane {
    fn is_smallest(self) -> bool {
        matches!(self, Lane::Min | Lane::FiniteMin)
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
        for i in elements {
            self.wide[target(i)] += other.at(i);
        }
    }

    pub(super) fn at(&self, i: usize) -> u64 {
        u64::from(self.narrow[i]) + self.wide.get(i).copied().unwrap_or(0)
    }
}

/// The accumulated numbers of one lane, one element per cell.
#[derive(Debug, Clone)]
pub(super) enum Store {
    Integers(Vec<i128>),
    Floats(Vec<Sum>),
    Signed(Vec<i64>),
    Unsigned(Vec<u64>),
    Real(Vec<f64>),
    Moments(Vec<Shifted>),
    /// Of a type without numbers.
    Nothing,
}

/// The lanes of one value column.
#[derive(Debug, Clone)]
struct ValueLanes {
    /// Rows whose value is null or NaN.
    missing: Counts,
    lanes: Vec<(Lane, Store)>,
}

/// All accumulators of one question: rows per cell, and the lanes of each value.
///
/// One element of every store, the *trash*, takes the rows that belong to no cell.
#[derive(Debug, Clone)]
pub struct Lanes {
    rows: Counts,
    values: Vec<ValueLanes>,
}

impl Lanes {
    /// Empty accumulators of `cells` elements for `measures` over values of these types.
    pub fn new(measures: &[Measured], value_types: &[DataType], cells: usize) -> Lanes {
        let lanes_of = |(v, data_type): (usize, &DataType)| {
            let mut wanted: Vec<Lane> = Vec::new();
            for measure in measures.iter().filter(|measure| measure.value == Some(v)) {
                for &lane in measure.aggregate.lanes {
                    if !wanted.contains(&lane) {
                        wanted.push(lane);
                    }
                }
            }
            let kind = numeric_kind(data_type);
            let lanes = wanted.into_iter().map(|lane| (lane, Store::new(lane, kind, cells))).collect();
            ValueLanes { missing: Counts::new(cells), lanes }
        };
        Lanes { rows: Counts::new(cells), values: value_types.iter().enumerate().map(lanes_of).collect() }
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
        self.rows.grow(cells);
        for value in &mut self.values {
            value.missing.grow(cells);
            for (lane, store) in &mut value.lanes {
                store.grow(*lane, cells);
            }
        }
    }

    /// Folds rows in: row `rows.start + i` belongs to `cells[i]`, its values are `values[v]` there, each
    /// made by [`plain_numbers`](super::plain_numbers). Missing values count as rows but not as values; they are sent to `trash`.
    pub fn update(&mut self, values: &[ArrayRef], rows: Range<usize>, cells: &[u32], trash: u32) {
        self.rows.update(cells);
        let mut kept = Vec::new();
        for (value, array) in self.values.iter_mut().zip(values) {
            let cells = value.present(array, &rows, cells, trash, &mut kept);
            for (lane, store) in &mut value.lanes {
                store.update(*lane, array, &rows, cells, trash);
            }
        }
    }

    /// As [`Lanes::update`] with all rows in element 0, where the least and greatest need no cells.
    /// `cells` has room for as many rows.
    pub fn update_one(&mut self, values: &[ArrayRef], rows: Range<usize>, cells: &mut [u32], trash: u32) {
        let plain = |value: &ValueLanes, array: &ArrayRef| {
            array.nulls().is_none_or(|nulls| nulls.null_count() == 0)
                && value.lanes.iter().all(|(_, store)| matches!(store, Store::Real(_)))
        };
        if !self.values.iter().zip(values).all(|(value, array)| plain(value, array)) {
            cells.fill(0);
            // Neighbouring rows take turns among four accumulators where there are four.
            if self.len() >= 8 {
                fold::spread_by_four(cells);
            }
            return self.update(values, rows, cells, trash);
        }
        self.rows.add(0, rows.len());
        for (value, array) in self.values.iter_mut().zip(values) {
            let nans = real_numbers!(
                array,
                |v| v[rows.clone()].iter().map(|x| u32::from(x.is_nan())).sum::<u32>(),
                else 0
            );
            value.missing.add(0, nans as usize);
            for (lane, store) in &mut value.lanes {
                let Store::Real(best) = store else { continue };
                let finite = matches!(lane, Lane::FiniteMin | Lane::FiniteMax);
                best[0] = real_numbers!(
                    array,
                    |v| fold::extreme(&v[rows.clone()], best[0], !lane.is_smallest(), finite),
                    else best[0]
                );
            }
        }
    }

    /// Adds what `other` accumulated in `elements`; its element `i` belongs to `target(i)` here.
    pub fn merge(&mut self, other: &Lanes, elements: Range<usize>, target: impl Fn(usize) -> usize) {
        self.rows.merge(&other.rows, elements.clone(), &target);
        for (mine, theirs) in self.values.iter_mut().zip(&other.values) {
            mine.missing.merge(&theirs.missing, elements.clone(), &target);
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
        let lanes = self.values.iter().flat_map(|value| &value.lanes);
        12 + self.values.len() * 12 + lanes.map(|(_, store)| store.element_bytes()).sum::<usize>()
    }

    pub(super) fn store(&self, value: usize, lane: Lane) -> Option<&Store> {
        self.values.get(value)?.lanes.iter().find(|(l, _)| *l == lane).map(|(_, store)| store)
    }

    /// Values of element `i` that are neither null nor NaN.
    pub(super) fn present_at(&self, value: usize, i: usize) -> u64 {
        self.rows.at(i) - self.values[value].missing.at(i)
    }
}

impl ValueLanes {
    /// Counts the missing values; `cells` with their rows sent to the trash.
    fn present<'a>(
        &mut self,
        array: &ArrayRef,
        rows: &Range<usize>,
        cells: &'a [u32],
        trash: u32,
        kept: &'a mut Vec<u32>,
    ) -> &'a [u32] {
        let nans = real_numbers!(array, |v| v[rows.clone()].iter().fold(false, |any, x| any | x.is_nan()), else false);
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
        if !nans && nulls.is_none() {
            return cells;
        }
        kept.clear();
        kept.extend_from_slice(cells);
        let mut lost = Vec::new();
        let mut drop = |cell: &mut u32, present: bool| {
            if !present && *cell != trash {
                lost.push(*cell);
                *cell = trash;
            }
        };
        if let Some(nulls) = nulls {
            let valid = rows.clone().map(|row| nulls.is_valid(row));
            kept.iter_mut().zip(valid).for_each(|(cell, valid)| drop(cell, valid));
        }
        if nans {
            real_numbers!(
                array,
                |v| kept.iter_mut().zip(&v[rows.clone()]).for_each(|(cell, x)| drop(cell, !x.is_nan())),
                else ()
            );
        }
        self.missing.update(&lost);
        kept
    }
}

impl Store {
    fn new(lane: Lane, kind: Option<NumericKind>, cells: usize) -> Store {
        let mut store = match (lane, kind) {
            (_, None) | (Lane::Count, _) => Store::Nothing,
            (Lane::Sum, Some(NumericKind::Float)) => Store::Floats(Vec::new()),
            (Lane::Sum, _) => Store::Integers(Vec::new()),
            (Lane::Moments, _) => Store::Moments(Vec::new()),
            (_, Some(NumericKind::Signed)) => Store::Signed(Vec::new()),
            (_, Some(NumericKind::Unsigned)) => Store::Unsigned(Vec::new()),
            (_, Some(NumericKind::Float)) => Store::Real(Vec::new()),
        };
        store.grow(lane, cells);
        store
    }

    fn grow(&mut self, lane: Lane, cells: usize) {
        let smallest = lane.is_smallest();
        match self {
            Store::Nothing => {}
            Store::Integers(sums) => sums.resize(cells, 0),
            Store::Floats(sums) => sums.resize(cells, Sum::default()),
            Store::Signed(best) => best.resize(cells, if smallest { i64::MAX } else { i64::MIN }),
            Store::Unsigned(best) => best.resize(cells, if smallest { u64::MAX } else { u64::MIN }),
            Store::Real(best) => best.resize(cells, if smallest { f64::INFINITY } else { f64::NEG_INFINITY }),
            Store::Moments(moments) => moments.resize(cells, Shifted::EMPTY),
        }
    }

    fn element_bytes(&self) -> usize {
        match self {
            Store::Nothing => 0,
            Store::Integers(_) | Store::Floats(_) => 16,
            Store::Moments(_) => size_of::<Shifted>(),
            _ => 8,
        }
    }

    fn update(&mut self, lane: Lane, array: &ArrayRef, rows: &Range<usize>, cells: &[u32], trash: u32) {
        let rows = rows.clone();
        match self {
            Store::Nothing => {}
            Store::Integers(sums) => {
                whole_numbers!(array, |v| fold::sum_integers(&v[rows], cells, sums), else ())
            }
            Store::Floats(sums) => real_numbers!(array, |v| fold::sum_floats(&v[rows], cells, sums), else ()),
            Store::Signed(best) if lane.is_smallest() => {
                signed_numbers!(array, |v| fold::min(&v[rows], cells, best), else ())
            }
            Store::Signed(best) => signed_numbers!(array, |v| fold::max(&v[rows], cells, best), else ()),
            Store::Unsigned(best) if lane.is_smallest() => {
                unsigned_numbers!(array, |v| fold::min(&v[rows], cells, best), else ())
            }
            Store::Unsigned(best) => unsigned_numbers!(array, |v| fold::max(&v[rows], cells, best), else ()),
            Store::Real(best) => {
                let finite: Vec<u32>;
                let cells = if matches!(lane, Lane::FiniteMin | Lane::FiniteMax) {
                    let only_finite = |(&cell, finite): (&u32, bool)| if finite { cell } else { trash };
                    finite = real_numbers!(
                        array,
                        |v| cells.iter().zip(v[rows.clone()].iter().map(|x| x.is_finite())).map(only_finite).collect(),
                        else Vec::new()
                    );
                    &finite[..]
                } else {
                    cells
                };
                if lane.is_smallest() {
                    real_numbers!(array, |v| fold::min(&v[rows], cells, best), else ());
                } else {
                    real_numbers!(array, |v| fold::max(&v[rows], cells, best), else ());
                }
            }
            Store::Moments(moments) => {
                numbers!(array, |v| fold::moments(&v[rows], EdgeValue::to_f64, cells, moments), else ());
            }
        }
    }

    fn merge(&mut self, lane: Lane, other: &Store, elements: Range<usize>, target: &impl Fn(usize) -> usize) {
        let smallest = lane.is_smallest();
        let each = Each { elements, target };
        fn better<T: Copy + PartialOrd>(smallest: bool) -> impl Fn(&mut T, &T) {
            move |mine, &v| {
                if (smallest && v < *mine) || (!smallest && v > *mine) {
                    *mine = v;
                }
            }
        }
        match (self, other) {
            (Store::Nothing, Store::Nothing) => {}
            (Store::Integers(mine), Store::Integers(theirs)) => each.add(mine, theirs, |a, b| *a += b),
            (Store::Floats(mine), Store::Floats(theirs)) => each.add(mine, theirs, |a, b| {
                a.add(b.high);
                a.low += b.low;
            }),
            (Store::Signed(mine), Store::Signed(theirs)) => each.add(mine, theirs, better(smallest)),
            (Store::Unsigned(mine), Store::Unsigned(theirs)) => each.add(mine, theirs, better(smallest)),
            (Store::Real(mine), Store::Real(theirs)) => each.add(mine, theirs, better(smallest)),
            (Store::Moments(mine), Store::Moments(theirs)) => each.add(mine, theirs, merge_moments),
            _ => unreachable!("stores of one lane are of one kind"),
        }
    }
}

/// The elements to merge, and where each belongs.
struct Each<'a, F> {
    elements: Range<usize>,
    target: &'a F,
}

impl<F: Fn(usize) -> usize> Each<'_, F> {
    fn add<T>(self, mine: &mut [T], theirs: &[T], add: impl Fn(&mut T, &T)) {
        let first = self.elements.start;
        for (i, v) in theirs[self.elements].iter().enumerate() {
            add(&mut mine[(self.target)(first + i)], v);
        }
    }
}

/// Moves `from` to the pilot of `into` and adds it (Chan, Golub, LeVeque 1983, equation 2.1b for
/// shifted sums).
fn merge_moments(into: &mut Shifted, from: &Shifted) {
    if from.count == 0 {
        return;
    }
    if into.count == 0 {
        *into = *from;
        return;
    }
    let n = from.count as f64;
    let shift = from.pilot - into.pilot;
    into.count += from.count;
    into.second += from.second + 2.0 * shift * from.first + n * shift * shift;
    into.first += from.first + n * shift;
}
