//! Which rows pass: every clause evaluated once per chunk.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::FilterPredicate;

use super::QueryError;
use super::brush::inside;
use super::cells::{Slots, each};
use super::coded::{TableCodes, slots_passing};
use super::compile::{Collector, Compiled};
use super::pass::Pass;
use super::question::internal;
use super::skip::Verdict;
use crate::aggregate::{Bins, Slotter, missing_values, within};
use crate::data::Chunk;
use crate::expr::Expr;
use crate::kernel::choose::{SPARE, positions};
use crate::kernel::fold::{self, Number};
use crate::select::{Clause, Predicate};

/// What a clause tests.
pub(super) enum Test {
    Ranges(Ranges),
    /// Points that lie in both.
    Rect(Ranges, Ranges),
    /// Points by `[slot of x][slot of y]`.
    Cells {
        x: (Place, Slotter),
        y: (Place, Slotter),
        inside: Arc<[bool]>,
        stride: usize,
    },
    /// Codes, by position, and which of them pass.
    Chosen(usize, Vec<bool>),
    /// By position of a boolean.
    Where(usize),
}

/// Intervals of values, or of the codes that stand for them.
pub(super) struct Ranges {
    of: Place,
    intervals: Vec<(f64, f64)>,
    missing: bool,
}

/// By position.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Value(usize),
    Codes(usize),
}

/// What tests and keys look at, in one chunk.
#[derive(Clone, Copy)]
pub(super) struct Tested<'a> {
    pub(super) values: &'a [ArrayRef],
    pub(super) codes: &'a [ArrayRef],
}

impl Tested<'_> {
    pub(super) fn at(&self, place: &Place) -> &ArrayRef {
        match *place {
            Place::Value(value) => &self.values[value],
            Place::Codes(codes) => &self.codes[codes],
        }
    }
}

impl Pass {
    /// Which rows pass each filter of the pass, `None` where all do, and how many. Each clause is evaluated
    /// once.
    pub(super) fn masks(&self, tested: Tested, rows: usize, verdicts: &[Verdict]) -> Vec<Mask> {
        let mut of_clauses = vec![None; self.clauses.len()];
        let filters = self.filters.iter().zip(verdicts);
        let mask = |(filter, verdict): (&Vec<usize>, &Verdict)| match verdict {
            Verdict::Always => Mask::new(None, rows),
            Verdict::Never => Mask { bits: Some(BooleanBuffer::new_unset(rows)), passing: 0 },
            Verdict::Unknown => Mask::new(self.mask(filter, tested, &mut of_clauses), rows),
        };
        filters.map(mask).collect()
    }

    /// Which rows meet each clause that is a condition of a measure, of the values of the pass; by position of
    /// the clause.
    pub(super) fn conditions(&self, values: &[ArrayRef]) -> Vec<Option<BooleanBuffer>> {
        let mut of_clauses = vec![None; self.clauses.len()];
        for clause in self.questions.iter().flat_map(Compiled::conditions) {
            self.mask(&[clause], Tested { values, codes: &[] }, &mut of_clauses);
        }
        of_clauses
    }

    /// Which rows pass all of `clauses`; `None` for all rows.
    fn mask(
        &self,
        clauses: &[usize],
        tested: Tested,
        masks: &mut [Option<BooleanBuffer>],
    ) -> Option<BooleanBuffer> {
        let mask = |&c: &usize| {
            let (clause, test) = &self.clauses[c];
            masks[c].get_or_insert_with(|| test.mask(tested, clause.inverted)).clone()
        };
        clauses.iter().map(mask).reduce(|a, b| &a & &b)
    }

    /// Which of the rows that were [`read`](Pass::read) pass question `q`; `None` for all rows.
    pub(super) fn passing(&self, chunk: &Chunk, q: usize) -> Result<Option<BooleanBuffer>, QueryError> {
        let values = self.tests.run(&chunk.columns, chunk.len())?;
        let mut of_clauses = vec![None; self.clauses.len()];
        let tested = Tested { values: &values, codes: &[] };
        Ok(self.mask(&self.filters[self.questions[q].filter], tested, &mut of_clauses))
    }
}

/// The rows of a chunk that pass a filter.
pub(super) struct Mask {
    /// A bit per row, from a whole byte on; `None` where all rows pass.
    pub(super) bits: Option<BooleanBuffer>,
    /// Rows that pass.
    pub(super) passing: usize,
}

impl Mask {
    fn new(bits: Option<BooleanBuffer>, rows: usize) -> Mask {
        let passing = bits.as_ref().map_or(rows, BooleanBuffer::count_set_bits);
        let bits = bits.filter(|_| passing < rows).map(|bits| match bits.offset() {
            0 => bits,
            _ => BooleanBuffer::new(bits.sliced(), 0, rows),
        });
        Mask { bits, passing }
    }

    /// The rows of `masks` that any of them lets pass.
    pub(super) fn any<'a>(masks: impl Iterator<Item = &'a Mask>, rows: usize) -> Mask {
        let mut any = Mask { bits: Some(BooleanBuffer::new_unset(rows)), passing: 0 };
        for mask in masks.filter(|mask| mask.passing > 0) {
            any = match (&any.bits, &mask.bits) {
                (Some(_), Some(bits)) if any.passing == 0 => Mask { bits: Some(bits.clone()), ..*mask },
                (Some(a), Some(b)) => Mask::new(Some(a | b), rows),
                _ => return Mask { bits: None, passing: rows },
            };
        }
        any
    }

    /// The mask of the rows that `kept` keeps, all of which are to pass some filter.
    pub(super) fn among(&self, kept: &FilterPredicate, rows: usize) -> Result<Mask, QueryError> {
        let Some(bits) = &self.bits else { return Ok(Mask { bits: None, passing: rows }) };
        let bits = kept.filter(&BooleanArray::new(bits.clone(), None)).map_err(internal)?;
        Ok(Mask::new(Some(bits.as_boolean().values().clone()), rows))
    }

    /// Writes the positions in `block` of its rows that pass, if not all do.
    pub(super) fn positions<'a>(&self, block: &Range<usize>, out: &'a mut Vec<u32>) -> Option<&'a [u32]> {
        let bits = self.bits.as_ref()?;
        out.resize(block.len() + SPARE, 0);
        let count = positions(&bits.values()[block.start / 8..], block.len(), out);
        Some(&out[..count])
    }
}

/// Sends the rows of the block that do not pass to the trash.
pub(super) fn keep_passing(cells: &mut [u32], mask: &BooleanBuffer, block: &Range<usize>, trash: u32) {
    fold::keep_set(cells, mask.values(), block.start, trash);
}

impl Test {
    /// The test of a clause whose expressions are resolved, by `codes` where they tell.
    pub(super) fn of(clause: &Clause, collector: &mut Collector, codes: Option<&TableCodes>) -> Test {
        if let Some((codes, chosen)) = codes.and_then(|codes| codes.chosen(clause)) {
            return Test::Chosen(collector.place_codes(codes), chosen);
        }
        let by_codes =
            |collector: &mut Collector, expr: &Expr, passes: &dyn Fn(&Bins) -> Option<Vec<bool>>| {
                let (codes, intervals) = codes?.passing(expr, passes)?;
                Some(Ranges { of: Place::Codes(collector.place_codes(codes)), intervals, missing: false })
            };
        let of_axis = |collector: &mut Collector, expr: &Expr, predicate: &Predicate| {
            by_codes(collector, expr, &|bins| slots_passing(predicate, bins))
        };
        match &clause.predicate {
            predicate @ Predicate::Interval { expr, lo, hi } => Test::Ranges(
                of_axis(collector, expr, predicate)
                    .unwrap_or_else(|| Ranges::of(collector, expr, vec![(*lo, *hi)], false)),
            ),
            predicate @ Predicate::Intervals { expr, intervals, missing } => Test::Ranges(
                of_axis(collector, expr, predicate)
                    .unwrap_or_else(|| Ranges::of(collector, expr, intervals.clone(), *missing)),
            ),
            predicate @ Predicate::Categories { expr, test, .. } => match of_axis(collector, expr, predicate)
            {
                Some(ranges) => Test::Ranges(ranges),
                None => Test::Where(collector.place(test.clone())),
            },
            Predicate::Rect { x, x_range, y, y_range } => {
                let mut side = |expr: &Expr, range: (f64, f64)| {
                    by_codes(collector, expr, &|bins| inside(bins, &[range], false))
                        .unwrap_or_else(|| Ranges::of(collector, expr, vec![range], false))
                };
                Test::Rect(side(x, *x_range), side(y, *y_range))
            }
            Predicate::Cells { x, x_bins, y, y_bins, inside } => {
                let mut slotter =
                    |expr: &Expr, bins: &Bins| match codes.and_then(|codes| codes.slots(expr, bins)) {
                        Some((codes, slotter)) => (Place::Codes(collector.place_codes(codes)), slotter),
                        None => {
                            let slotter = Slotter::new(expr.data_type(), bins);
                            (Place::Value(collector.place(expr.clone())), slotter)
                        }
                    };
                Test::Cells {
                    x: slotter(x, x_bins),
                    y: slotter(y, y_bins),
                    inside: inside.clone(),
                    stride: y_bins.slots(),
                }
            }
            Predicate::Where(test) => Test::Where(collector.place(test.clone())),
        }
    }

    fn mask(&self, tested: Tested, inverted: bool) -> BooleanBuffer {
        let mask = match self {
            Test::Ranges(ranges) => ranges.mask(tested),
            Test::Rect(x, y) => &x.mask(tested) & &y.mask(tested),
            Test::Cells { x, y, inside, stride } => {
                let slots = |(place, slotter): &(Place, Slotter)| slotter.slots(tested.at(place));
                let (x, y) = (slots(x), slots(y));
                BooleanBuffer::collect_bool(x.len(), |row| inside[x[row] as usize * stride + y[row] as usize])
            }
            Test::Chosen(codes, chosen) => among(&tested.codes[*codes], chosen),
            Test::Where(value) => true_values(&tested.values[*value]),
        };
        if inverted { !&mask } else { mask }
    }
}

impl Ranges {
    fn of(collector: &mut Collector, expr: &Expr, intervals: Vec<(f64, f64)>, missing: bool) -> Ranges {
        Ranges { of: Place::Value(collector.place(expr.clone())), intervals, missing }
    }

    fn mask(&self, tested: Tested) -> BooleanBuffer {
        let values = tested.at(&self.of);
        let inside = self.intervals.iter().map(|&(lo, hi)| within(values, lo, hi));
        let absent = self.missing.then(|| missing_values(values));
        let either = inside.chain(absent).reduce(|a, b| &a | &b);
        either.unwrap_or_else(|| BooleanBuffer::new_unset(values.len()))
    }
}

/// Rows whose code is one of the chosen.
fn among(codes: &ArrayRef, chosen: &[bool]) -> BooleanBuffer {
    each!(Slots::of_codes(codes, 0..codes.len()), |codes| {
        BooleanBuffer::collect_bool(codes.len(), |row| chosen[codes[row].place()])
    })
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
