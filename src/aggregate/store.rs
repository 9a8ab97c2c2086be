//! The accumulated numbers of one lane.

use std::ops::Range;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::codes::{codes, texts};
use super::joint::Joint;
use super::lanes::{Input, Lane};
use super::pick::{self, Pick};
use super::search::{Ranked, Sought};
use super::tally::{Purpose, Tally};
use super::values::{
    NumericKind, numbers, numeric_kind, real_numbers, signed_numbers, unsigned_numbers, whole_numbers,
};
use crate::kernel::edge::EdgeValue;
use crate::kernel::fold::{self, Shifted, Sum};
use crate::kernel::moments::{self, Powers, Products};

/// One element per cell.
#[derive(Debug, Clone)]
pub(super) enum Store {
    Integers(Vec<i128>),
    Floats(Vec<Sum>),
    Signed(Vec<i64>),
    Unsigned(Vec<u64>),
    Real(Vec<f64>),
    Moments(Vec<Shifted>),
    Powers(Vec<Powers>),
    Products(Vec<Products>),
    /// Least or greatest text.
    Texts(Vec<Option<Box<str>>>),
    Picks(Vec<Pick<u64>>),
    TextPicks(Vec<Pick<Box<str>>>),
    Tally(Box<Tally>),
    Joint(Box<Joint>),
    /// What one pass of a search finds.
    Sought(Box<Sought>),
    /// Quantiles that were searched for.
    Ranked(Box<Ranked>),
    /// Numbers of distinct values that were searched for.
    Distincts(Vec<u64>),
    /// Of a type that has none.
    Nothing,
}

impl Store {
    pub(super) fn new(lane: Lane, input: &Input, cells: usize) -> Store {
        let types = &input.types;
        let kind = types.first().and_then(numeric_kind);
        let is_text = types.first().is_some_and(|t| crate::data::kind(t) == crate::data::Kind::Text);
        let tally = |purpose| Store::Tally(Box::new(Tally::new(purpose, input.budget)));
        let mut store = match (lane, kind) {
            (Lane::Count | Lane::Joint, _) => Store::Nothing,
            (Lane::Min | Lane::Max, None) if is_text => Store::Texts(Vec::new()),
            (Lane::First | Lane::Last, None) if is_text => Store::TextPicks(Vec::new()),
            (Lane::Distinct, known) if is_text || known.is_some() => tally(Purpose::Distinct),
            (Lane::Counts, known) if is_text || known.is_some() => tally(Purpose::Counts),
            (Lane::Ranks, Some(_)) => tally(Purpose::Ranks),
            (_, None) => Store::Nothing,
            (Lane::Sum, Some(NumericKind::Float)) => Store::Floats(Vec::new()),
            (Lane::Sum, _) => Store::Integers(Vec::new()),
            (Lane::Moments, _) => Store::Moments(Vec::new()),
            (Lane::Powers, _) => Store::Powers(Vec::new()),
            (Lane::Products, _) => Store::Products(Vec::new()),
            (Lane::First | Lane::Last, _) => Store::Picks(Vec::new()),
            (_, Some(NumericKind::Signed)) => Store::Signed(Vec::new()),
            (_, Some(NumericKind::Unsigned)) => Store::Unsigned(Vec::new()),
            (_, Some(NumericKind::Float)) => Store::Real(Vec::new()),
        };
        store.grow(lane, cells);
        store
    }

    pub(super) fn grow(&mut self, lane: Lane, cells: usize) {
        let smallest = lane.is_smallest();
        match self {
            Store::Nothing | Store::Sought(_) | Store::Ranked(_) | Store::Distincts(_) => {}
            Store::Integers(sums) => sums.resize(cells, 0),
            Store::Floats(sums) => sums.resize(cells, Sum::default()),
            Store::Signed(best) => best.resize(cells, if smallest { i64::MAX } else { i64::MIN }),
            Store::Unsigned(best) => best.resize(cells, if smallest { u64::MAX } else { u64::MIN }),
            Store::Real(best) => best.resize(cells, if smallest { f64::INFINITY } else { f64::NEG_INFINITY }),
            Store::Moments(moments) => moments.resize(cells, Shifted::EMPTY),
            Store::Powers(powers) => powers.resize(cells, Powers::EMPTY),
            Store::Products(products) => products.resize(cells, Products::EMPTY),
            Store::Texts(best) => best.resize(cells, None),
            Store::Picks(picks) => picks.resize(cells, None),
            Store::TextPicks(picks) => picks.resize(cells, None),
            Store::Tally(tally) => tally.grow(cells),
            Store::Joint(joint) => joint.tally.grow(cells),
        }
    }

    pub(super) fn element_bytes(&self) -> usize {
        match self {
            // Its values have a budget of their own.
            Store::Tally(_) | Store::Joint(_) => 16,
            Store::Nothing | Store::Sought(_) | Store::Ranked(_) | Store::Distincts(_) => 0,
            Store::Integers(_) | Store::Floats(_) => 16,
            Store::Moments(_) => size_of::<Shifted>(),
            Store::Powers(_) => size_of::<Powers>(),
            Store::Products(_) => size_of::<Products>(),
            Store::Texts(_) => size_of::<Box<str>>() + TEXT,
            Store::Picks(_) => size_of::<Pick<u64>>(),
            Store::TextPicks(_) => size_of::<Pick<Box<str>>>() + TEXT,
            Store::Signed(_) | Store::Unsigned(_) | Store::Real(_) => 8,
        }
    }

    /// Bytes of the values it keeps.
    pub(super) fn kept_bytes(&self) -> usize {
        match self {
            Store::Tally(tally) => tally.bytes(),
            Store::Joint(joint) => joint.tally.bytes(),
            _ => 0,
        }
    }

    /// Folds `rows` of a chunk in that begins at row `first_row` of the table.
    pub(super) fn update(
        &mut self,
        lane: Lane,
        first_row: u64,
        values: &[ArrayRef],
        rows: &Range<usize>,
        cells: &[u32],
        trash: u32,
    ) {
        let Some(array) = values.first() else { return };
        let first_row = first_row + rows.start as u64;
        let block = rows.clone();
        let rows = rows.clone();
        match self {
            Store::Nothing | Store::Ranked(_) | Store::Distincts(_) => {}
            Store::Sought(sought) => sought.update(array, &block, cells, trash),
            Store::Joint(joint) => joint.update(values, &block, cells, trash),
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
            Store::Powers(powers) => {
                numbers!(array, |v| moments::powers(&v[rows], EdgeValue::to_f64, cells, powers), else ());
            }
            Store::Products(products) => {
                let Some(second) = values.get(1) else { return };
                moments::products(&floats(array, &block), &floats(second, &block), cells, products);
            }
            Store::Texts(best) => {
                let texts = texts(array, &block);
                let counting = cells.iter().enumerate().filter(|(_, cell)| **cell != trash);
                for (row, &cell) in counting {
                    pick::better_text(&mut best[cell as usize], texts.value(row), lane.is_smallest());
                }
            }
            Store::Picks(picks) => {
                let found = codes(array, &block);
                let orders = values.get(1).map(|order| codes(order, &block));
                let rows = pick::Rows { cells, trash, first_row, orders: orders.as_deref() };
                rows.pick(picks, lane == Lane::Last, |row| found[row]);
            }
            Store::TextPicks(picks) => {
                let texts = texts(array, &block);
                let orders = values.get(1).map(|order| codes(order, &block));
                let rows = pick::Rows { cells, trash, first_row, orders: orders.as_deref() };
                rows.pick(picks, lane == Lane::Last, |row| texts.value(row).into());
            }
            Store::Tally(tally) => {
                let counting = cells.iter().enumerate().filter(|(_, cell)| **cell != trash);
                if numeric_kind(array.data_type()).is_some() {
                    let found = codes(array, &block);
                    counting.for_each(|(row, &cell)| tally.add(cell, found[row]));
                } else {
                    let texts = texts(array, &block);
                    counting.for_each(|(row, &cell)| tally.add_text(cell, texts.value(row)));
                }
                tally.fit();
            }
        }
    }

    pub(super) fn merge(
        &mut self,
        lane: Lane,
        other: &Store,
        elements: Range<usize>,
        target: &impl Fn(usize) -> usize,
    ) {
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
            (Store::Floats(mine), Store::Floats(theirs)) => each.add(mine, theirs, |a, b| a.join(*b)),
            (Store::Signed(mine), Store::Signed(theirs)) => each.add(mine, theirs, better(smallest)),
            (Store::Unsigned(mine), Store::Unsigned(theirs)) => each.add(mine, theirs, better(smallest)),
            (Store::Real(mine), Store::Real(theirs)) => each.add(mine, theirs, better(smallest)),
            (Store::Moments(mine), Store::Moments(theirs)) => each.add(mine, theirs, merge_moments),
            (Store::Powers(mine), Store::Powers(theirs)) => each.add(mine, theirs, Powers::merge),
            (Store::Products(mine), Store::Products(theirs)) => each.add(mine, theirs, Products::merge),
            (Store::Texts(mine), Store::Texts(theirs)) => each.add(mine, theirs, |mine, text| {
                if let Some(text) = text {
                    pick::better_text(mine, text, smallest);
                }
            }),
            (Store::Picks(mine), Store::Picks(theirs)) => {
                each.add(mine, theirs, pick::better(lane == Lane::Last));
            }
            (Store::TextPicks(mine), Store::TextPicks(theirs)) => {
                each.add(mine, theirs, pick::better(lane == Lane::Last));
            }
            (Store::Sought(mine), Store::Sought(theirs)) => mine.merge(theirs),
            (Store::Joint(mine), Store::Joint(theirs)) => {
                mine.tally.merge(&theirs.tally, each.elements, target);
            }
            (Store::Tally(mine), Store::Tally(theirs)) => mine.merge(theirs, each.elements, target),
            _ => unreachable!("stores of one lane are of one kind"),
        }
    }
}

/// Bytes a text of a cell is reckoned to have.
const TEXT: usize = 24;

fn floats(array: &ArrayRef, rows: &Range<usize>) -> Vec<f64> {
    numbers!(array, |v| v[rows.clone()].iter().map(|&v| EdgeValue::to_f64(v)).collect(), else vec![f64::NAN; rows.len()])
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
