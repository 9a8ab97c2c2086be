//! Accumulators: the sufficient statistics of every cell.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Date64Type, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::table::Measured;
use super::values::{
    NumericKind, numbers, numeric_kind, plain_numbers, real_numbers, signed_numbers, unsigned_numbers,
    whole_numbers,
};
use crate::kernel::edge::EdgeValue;
use crate::kernel::fold::{self, Shifted};

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

/// The accumulated numbers of one lane, one element per cell.
#[derive(Debug, Clone)]
pub(super) enum Store {
    Counts(Vec<u64>),
    Integers(Vec<i128>),
    Floats { high: Vec<f64>, low: Vec<f64> },
    Signed(Vec<i64>),
    Unsigned(Vec<u64>),
    Real(Vec<f64>),
    Moments(Vec<Shifted>),
}

/// The lanes of one value column.
#[derive(Debug, Clone)]
struct ValueLanes {
    lanes: Vec<(Lane, Store)>,
}

/// All accumulators of one question: rows per cell, and the lanes of each value.
///
/// One element of every store, the *trash*, takes the rows that belong to no cell.
#[derive(Debug, Clone)]
pub struct Lanes {
    rows: Vec<u64>,
    values: Vec<ValueLanes>,
}

impl Lanes {
    /// Empty accumulators of `cells` elements for `measures` over values of these types.
    pub fn new(measures: &[Measured], value_types: &[DataType], cells: usize) -> Lanes {
        let values = value_types
            .iter()
            .enumerate()
            .map(|(v, data_type)| {
                let kind = numeric_kind(data_type);
                let mut wanted = vec![Lane::Count];
                for measure in measures.iter().filter(|measure| measure.value == Some(v)) {
                    for &lane in measure.aggregate.lanes {
                        if !wanted.contains(&lane) {
                            wanted.push(lane);
                        }
                    }
                }
                let lanes = wanted.into_iter().map(|lane| (lane, Store::new(lane, kind, cells))).collect();
                ValueLanes { lanes }
            })
            .collect();
        Lanes { rows: vec![0; cells], values }
    }

    /// Number of elements, the trash included.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Makes room for `cells` elements.
    pub fn grow(&mut self, cells: usize) {
        self.rows.resize(cells, 0);
        for value in &mut self.values {
            for (lane, store) in &mut value.lanes {
                store.grow(*lane, cells);
            }
        }
    }

    /// Folds rows in: row `i` belongs to `cells[i]`, its values are `values[v][i]`. Missing values
    /// count as rows but not as values; they are sent to `trash`.
    pub fn update(&mut self, values: &[ArrayRef], cells: &[u32], trash: u32) {
        fold::count(cells, &mut self.rows);
        let mut kept = Vec::new();
        for (lanes, array) in self.values.iter_mut().zip(values) {
            let array = plain_numbers(array);
            let cells = valid_cells(&array, cells, trash, &mut kept);
            for (lane, store) in &mut lanes.lanes {
                store.update(*lane, &array, cells, trash);
            }
        }
    }

    /// Adds what `other` accumulated; its element `i` belongs to `target(i)` here.
    pub fn merge(&mut self, other: &Lanes, target: impl Fn(usize) -> usize) {
        for (i, rows) in other.rows.iter().enumerate() {
            self.rows[target(i)] += rows;
        }
        for (mine, theirs) in self.values.iter_mut().zip(&other.values) {
            for ((lane, store), (_, from)) in mine.lanes.iter_mut().zip(&theirs.lanes) {
                store.merge(*lane, from, &target);
            }
        }
    }

    /// Rows per element.
    pub fn rows(&self) -> &[u64] {
        &self.rows
    }

    /// Bytes per element, to budget groups with.
    pub fn bytes_per_cell(&self) -> usize {
        let lanes = self.values.iter().flat_map(|value| &value.lanes);
        8 + lanes.map(|(_, store)| store.element_bytes()).sum::<usize>()
    }

    pub(super) fn store(&self, value: usize, lane: Lane) -> Option<&Store> {
        self.values.get(value)?.lanes.iter().find(|(l, _)| *l == lane).map(|(_, store)| store)
    }

    pub(super) fn counts(&self, value: usize) -> &[u64] {
        match self.store(value, Lane::Count) {
            Some(Store::Counts(counts)) => counts,
            _ => &[],
        }
    }
}

/// `cells` with the rows whose value is null or NaN sent to the trash.
fn valid_cells<'a>(array: &ArrayRef, cells: &'a [u32], trash: u32, kept: &'a mut Vec<u32>) -> &'a [u32] {
    let floats = array.data_type().is_floating();
    if array.null_count() == 0 && !floats {
        return cells;
    }
    kept.clear();
    kept.extend_from_slice(cells);
    match array.data_type() {
        DataType::Float32 => {
            for (cell, v) in kept.iter_mut().zip(array.as_primitive::<Float32Type>().values()) {
                *cell = if v.is_nan() { trash } else { *cell };
            }
        }
        DataType::Float64 => {
            for (cell, v) in kept.iter_mut().zip(array.as_primitive::<Float64Type>().values()) {
                *cell = if v.is_nan() { trash } else { *cell };
            }
        }
        _ => {}
    }
    if let Some(nulls) = array.logical_nulls() {
        for (cell, valid) in kept.iter_mut().zip(nulls.iter()) {
            *cell = if valid { *cell } else { trash };
        }
    }
    kept
}

impl Store {
    fn new(lane: Lane, kind: Option<NumericKind>, cells: usize) -> Store {
        let mut store = match (lane, kind) {
            (Lane::Count, _) | (_, None) => Store::Counts(Vec::new()),
            (Lane::Sum, Some(NumericKind::Float)) => Store::Floats { high: Vec::new(), low: Vec::new() },
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
        let smallest = matches!(lane, Lane::Min | Lane::FiniteMin);
        match self {
            Store::Counts(counts) => counts.resize(cells, 0),
            Store::Integers(sums) => sums.resize(cells, 0),
            Store::Floats { high, low } => {
                high.resize(cells, 0.0);
                low.resize(cells, 0.0);
            }
            Store::Signed(best) => best.resize(cells, if smallest { i64::MAX } else { i64::MIN }),
            Store::Unsigned(best) => best.resize(cells, if smallest { u64::MAX } else { u64::MIN }),
            Store::Real(best) => best.resize(cells, if smallest { f64::INFINITY } else { f64::NEG_INFINITY }),
            Store::Moments(moments) => moments.resize(cells, Shifted::EMPTY),
        }
    }

    fn element_bytes(&self) -> usize {
        match self {
            Store::Integers(_) | Store::Floats { .. } => 16,
            Store::Moments(_) => size_of::<Shifted>(),
            _ => 8,
        }
    }

    fn update(&mut self, lane: Lane, array: &ArrayRef, cells: &[u32], trash: u32) {
        match self {
            Store::Counts(counts) => fold::count(cells, counts),
            Store::Integers(sums) => whole_numbers!(array, |v| fold::sum_integers(v, cells, sums), else ()),
            Store::Floats { high, low } => {
                real_numbers!(array, |v| fold::sum_floats(v, cells, high, low), else ())
            }
            Store::Signed(best) if matches!(lane, Lane::Min | Lane::FiniteMin) => {
                signed_numbers!(array, |v| fold::min(v, cells, best), else ())
            }
            Store::Signed(best) => signed_numbers!(array, |v| fold::max(v, cells, best), else ()),
            Store::Unsigned(best) if matches!(lane, Lane::Min | Lane::FiniteMin) => {
                unsigned_numbers!(array, |v| fold::min(v, cells, best), else ())
            }
            Store::Unsigned(best) => unsigned_numbers!(array, |v| fold::max(v, cells, best), else ()),
            Store::Real(best) => {
                let finite: Vec<u32>;
                let cells = if matches!(lane, Lane::FiniteMin | Lane::FiniteMax) {
                    let only_finite = |(&cell, finite): (&u32, bool)| if finite { cell } else { trash };
                    finite = real_numbers!(
                        array,
                        |v| cells.iter().zip(v.iter().map(|x| x.is_finite())).map(only_finite).collect(),
                        else Vec::new()
                    );
                    &finite[..]
                } else {
                    cells
                };
                if matches!(lane, Lane::Min | Lane::FiniteMin) {
                    real_numbers!(array, |v| fold::min(v, cells, best), else ());
                } else {
                    real_numbers!(array, |v| fold::max(v, cells, best), else ());
                }
            }
            Store::Moments(moments) => {
                numbers!(array, |v| fold::moments(v, EdgeValue::to_f64, cells, moments), else ());
            }
        }
    }

    fn merge(&mut self, lane: Lane, other: &Store, target: &impl Fn(usize) -> usize) {
        let smallest = matches!(lane, Lane::Min | Lane::FiniteMin);
        fn best<T: Copy + PartialOrd>(
            mine: &mut [T],
            theirs: &[T],
            smallest: bool,
            target: &impl Fn(usize) -> usize,
        ) {
            for (i, &v) in theirs.iter().enumerate() {
                let slot = &mut mine[target(i)];
                if (smallest && v < *slot) || (!smallest && v > *slot) {
                    *slot = v;
                }
            }
        }
        match (self, other) {
            (Store::Counts(mine), Store::Counts(theirs)) => {
                theirs.iter().enumerate().for_each(|(i, n)| mine[target(i)] += n);
            }
            (Store::Integers(mine), Store::Integers(theirs)) => {
                theirs.iter().enumerate().for_each(|(i, n)| mine[target(i)] += n);
            }
            (Store::Floats { high, low }, Store::Floats { high: h, low: l }) => {
                for (i, (&h, &l)) in h.iter().zip(l).enumerate() {
                    let at = target(i);
                    fold::add_two_sum(h, &mut high[at], &mut low[at]);
                    low[at] += l;
                }
            }
            (Store::Signed(mine), Store::Signed(theirs)) => best(mine, theirs, smallest, target),
            (Store::Unsigned(mine), Store::Unsigned(theirs)) => best(mine, theirs, smallest, target),
            (Store::Real(mine), Store::Real(theirs)) => best(mine, theirs, smallest, target),
            (Store::Moments(mine), Store::Moments(theirs)) => {
                theirs.iter().enumerate().for_each(|(i, m)| merge_moments(&mut mine[target(i)], m));
            }
            _ => unreachable!("stores of one lane are of one kind"),
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
