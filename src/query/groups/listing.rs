//! Which of the groups are listed, and in what order.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{CastOptions, SortOptions, cast, cast_with_options, concat, take};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type, UInt32Type, UInt64Type};
use arrow::row::{RowConverter, Rows, SortField};
use rayon::prelude::*;

use super::cells::Cells;
use super::total::{group_keys, slot_order};
use super::{GroupKey, Groups, OtherGroups};
use crate::aggregate::{Lanes, plain_numbers};
use crate::data::{Field, Schema};
use crate::expr::{Expr, ExprError, Program};
use crate::query::compile::{Compiled, CompiledKey, Shape};
use crate::query::measure::Measures;
use crate::query::question::internal;
use crate::query::{Measure, QueryError};

/// Which groups are listed, and in what order. By default all, in the order of their keys.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// Only groups for which this is true.
    pub having: Option<Having>,
    /// Sorted by a measure; groups of equal measure, and all if not given, by their keys.
    pub order: Option<Order>,
    /// At most so many.
    pub limit: Option<usize>,
    /// Whether the groups beyond the limit are told together.
    pub other: bool,
}

/// A condition on the measures of a group.
#[derive(Debug, Clone)]
pub struct Having {
    condition: Expr,
    /// The measures, each named by its text.
    columns: Schema,
}

/// By their text, as questions are.
impl PartialEq for Having {
    fn eq(&self, other: &Having) -> bool {
        self.condition == other.condition
    }
}

impl Having {
    /// The condition `text` on these measures. Each is a column named by its text, which need not be
    /// quoted: `count > 10 and mean(fare) < 3`.
    ///
    /// # Errors
    /// [`ExprError`] with a place in the text in which the measures are quoted.
    pub fn parse(text: &str, measures: &[Measure]) -> Result<Having, ExprError> {
        let columns = columns_of(measures)?;
        let condition = Expr::parse(&quoted(text, &columns), &columns)?;
        if condition.data_type() != &DataType::Boolean {
            let message =
                format!("a condition is true or false; `{condition}` is of type {}", condition.data_type());
            return Err(ExprError { message, span: 0..text.len(), suggestion: None });
        }
        Ok(Having { condition, columns })
    }

    /// Which groups pass.
    fn passing(&self, measures: &[ArrayRef], groups: usize) -> Result<ArrayRef, QueryError> {
        let program = Program::compile(std::slice::from_ref(&self.condition), &self.columns);
        let options = CastOptions { safe: false, ..CastOptions::default() };
        let columns = program
            .columns()
            .iter()
            .map(|&column| {
                let data_type = &self.columns.fields()[column].data_type;
                cast_with_options(&measures[column], data_type, &options).map_err(internal)
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(program.run(&columns, groups)?.remove(0))
    }
}

/// The measures as columns, each named by its text.
fn columns_of(measures: &[Measure]) -> Result<Schema, ExprError> {
    let compiled = Measures::of(measures, Expr::clone);
    let wrong = |error: QueryError| ExprError { message: error.to_string(), span: 0..0, suggestion: None };
    let finished = compiled.finish(&compiled.lanes(1), 0).map_err(wrong)?;
    let fields = measures
        .iter()
        .zip(finished)
        .map(|(measure, finished)| Field::new(measure.to_string(), finished.data_type().clone()));
    Ok(Schema::new(fields.collect()))
}

/// The text with every bare name of a column in backticks.
fn quoted(text: &str, columns: &Schema) -> String {
    let mut names: Vec<&str> = columns.fields().iter().map(|field| field.name.as_str()).collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let (mut out, mut rest) = (String::new(), text);
    while let Some(next) = rest.chars().next() {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let inside = out.chars().next_back().is_some_and(is_part);
        let found = names.iter().find(|name| {
            !inside && rest.starts_with(**name) && !rest[name.len()..].starts_with(|c| is_part(c) || c == '(')
        });
        let length = match (next, found) {
            ('`', _) => rest[1..].find('`').map_or(rest.len(), |end| end + 2),
            (_, Some(name)) => {
                let _ = std::fmt::Write::write_fmt(&mut out, format_args!("`{name}`"));
                rest = &rest[name.len()..];
                continue;
            }
            _ => next.len_utf8(),
        };
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out
}

/// An order of groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Order {
    /// The measure, by its position.
    pub measure: usize,
    /// From the largest; missing and NaN come last either way.
    pub descending: bool,
}

impl Listing {
    /// The first `limit` groups by measure `measure`, the largest first.
    pub fn top(measure: usize, limit: usize) -> Listing {
        Listing { order: Some(Order { measure, descending: true }), limit: Some(limit), ..Listing::default() }
    }

    /// Which of `groups`, with these measures and in the order of their keys, are listed, in the order of the
    /// listing, and which others meet its condition.
    pub(in crate::query) fn chosen(
        &self,
        measures: &[ArrayRef],
        groups: usize,
    ) -> Result<(Vec<u32>, Vec<u32>), QueryError> {
        let mut listed: Vec<u32> = (0..groups as u32).collect();
        if let Some(having) = &self.having {
            let passing = having.passing(measures, groups)?;
            let passing = passing.as_boolean();
            listed.retain(|&i| passing.is_valid(i as usize) && passing.value(i as usize));
        }
        if let Some(Order { measure, descending }) = self.order {
            let rank = Column::of(std::slice::from_ref(&measures[measure]), descending, true)?;
            listed.sort_by(|&a, &b| rank.compare(a, b));
        }
        let beyond = listed.split_off(self.limit.unwrap_or(usize::MAX).min(listed.len()));
        Ok((listed, beyond))
    }

    /// Text that is equal for equal listings only.
    pub(in crate::query) fn write_key(&self, key: &mut String) {
        use std::fmt::Write;
        if *self != Listing::default() {
            let having = self.having.as_ref().map(|having| having.condition.to_string());
            let order = self.order.map(|order| (order.measure, order.descending));
            let _ = write!(key, "|list {having:?} {order:?} {:?} {}", self.limit, self.other);
        }
    }
}

/// Finished groups of one part, in no order.
pub(super) struct Piece {
    keys: Vec<ArrayRef>,
    counts: Vec<u64>,
    measures: Vec<ArrayRef>,
    approximate: Vec<bool>,
    /// Groups there are, and those without a missing key.
    pub(super) found: u64,
    present: u64,
    /// With "other" asked for, the accumulators of these groups, from element 1, and last those of the
    /// groups that are not among them.
    lanes: Option<Lanes>,
}

impl Piece {
    /// The groups of `cells` that may be listed.
    pub(super) fn of(cells: &Cells, question: &Compiled, listing: &Listing) -> Result<Piece, QueryError> {
        let mut live = cells.live();
        let all = question.measures.finish(cells.lanes(), cells.lanes().len())?;
        let of = |groups: &[u32]| {
            let elements = UInt32Array::from_iter_values(groups.iter().map(|&group| group + 1));
            let measures = all.iter().map(|all| take(all, &elements, None).map_err(internal));
            measures.collect::<Result<Vec<_>, _>>()
        };
        let mut measures = of(&live)?;
        if let Some(having) = &listing.having {
            let passing = having.passing(&measures, live.len())?;
            let passing = passing.as_boolean();
            let passes = |i: usize| passing.is_valid(i) && passing.value(i);
            live = live.iter().enumerate().filter(|(i, _)| passes(*i)).map(|(_, &group)| group).collect();
            measures = of(&live)?;
        }
        let Shape::Groups { keys, .. } = &question.shape else {
            return Err(QueryError::Panicked("groups finished as another shape".to_owned()));
        };
        let (found, present) = (live.len() as u64, cells.grouper.present(keys, &live));
        let all_live = live.clone();
        if let Some(limit) = listing.limit.filter(|&limit| limit < live.len()) {
            if let Some(contenders) = Sorted::contenders(&measures, listing, limit)? {
                live = contenders.iter().map(|&i| live[i as usize]).collect();
                measures = of(&live)?;
            }
            let keys = cells.grouper.keys(&live)?;
            let best = Sorted::of(question, &keys, &measures, listing)?.best(limit);
            live = best.iter().map(|&i| live[i as usize]).collect();
            measures = of(&live)?;
        }
        let keys = cells.grouper.keys(&live)?;
        let lanes = listing.other.then(|| cells.picked(question, &live, Some(&all_live)));
        let counts = live.iter().map(|&group| cells.rows(group)).collect();
        let approximate = question.measures.approximate(cells.lanes(), cells.lanes().len());
        Ok(Piece { keys, counts, measures, approximate, found, present, lanes })
    }

    /// Bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        let arrays = self.keys.iter().chain(&self.measures);
        self.counts.len() * 8 + arrays.map(|array| array.get_array_memory_size()).sum::<usize>()
    }
}

/// The answer of all pieces.
pub(super) fn put_together(
    pieces: Vec<Piece>,
    question: &Compiled,
    listing: &Listing,
) -> Result<Groups, QueryError> {
    let found = pieces.iter().map(|piece| piece.found).sum();
    let present = pieces.iter().map(|piece| piece.present).sum();
    let joined = |columns: fn(&Piece) -> &[ArrayRef]| {
        let count = pieces.first().map_or(0, |piece| columns(piece).len());
        (0..count).map(|c| join(pieces.iter().map(|piece| &columns(piece)[c]))).collect::<Result<Vec<_>, _>>()
    };
    let keys = joined(|piece| &piece.keys)?;
    let measures = joined(|piece| &piece.measures)?;
    let counts: Vec<u64> = pieces.iter().flat_map(|piece| &piece.counts).copied().collect();
    let approximate = (0..measures.len()).map(|m| pieces.iter().any(|piece| piece.approximate[m])).collect();
    let mut order = Sorted::of(question, &keys, &measures, listing)?.order();
    let beyond = order.split_off(listing.limit.unwrap_or(usize::MAX).min(order.len()));
    let listed = UInt32Array::from(order);
    let other = match listing.other && found > listed.len() as u64 {
        true => Some(other_groups(&pieces, &beyond, question, found - listed.len() as u64)?),
        false => None,
    };
    drop(pieces);
    let taken = |columns: &[ArrayRef]| {
        let columns = columns.iter().map(|column| take(column, &listed, None).map_err(internal));
        columns.collect::<Result<Vec<_>, _>>()
    };
    Ok(Groups {
        keys: group_keys(question, taken(&keys)?),
        counts: listed.values().iter().map(|&i| counts[i as usize]).collect(),
        measures: taken(&measures)?,
        approximate,
        found,
        present,
        other,
    })
}

/// The groups left out of the pieces, and of those in them the ones `beyond` the limit.
fn other_groups(
    pieces: &[Piece],
    beyond: &[u32],
    question: &Compiled,
    groups: u64,
) -> Result<OtherGroups, QueryError> {
    let mut beyond = beyond.to_vec();
    beyond.sort_unstable();
    let mut beyond = beyond.into_iter().map(|i| i as usize).peekable();
    let mut rest = question.measures.lanes(2);
    let mut first = 0;
    for piece in pieces {
        let end = first + piece.counts.len();
        let Some(lanes) = &piece.lanes else { continue };
        rest.merge(lanes, lanes.len() - 1..lanes.len(), |_| 1);
        while let Some(i) = beyond.next_if(|&i| i < end) {
            let element = i - first + 1;
            rest.merge(lanes, element..element + 1, |_| 1);
        }
        first = end;
    }
    let measures = question.measures.finish(&rest, 2)?.iter().map(|measure| measure.slice(1, 1)).collect();
    Ok(OtherGroups { groups, count: rest.rows_at(1), measures })
}

/// Columns one after another; sums of integers, and formulas over them, may be of two types.
fn join<'a>(columns: impl Iterator<Item = &'a ArrayRef>) -> Result<ArrayRef, QueryError> {
    let columns: Vec<&ArrayRef> = columns.collect();
    let types = || columns.iter().map(|column| column.data_type());
    let widest = types().find(|t| t.is_decimal()).or_else(|| types().find(|t| t.is_floating()));
    let same: Vec<ArrayRef> = match widest {
        Some(widest) => {
            columns.iter().map(|column| cast(column, widest)).collect::<Result<_, _>>().map_err(internal)?
        }
        None => columns.into_iter().cloned().collect(),
    };
    match same.as_slice() {
        [only] => Ok(only.clone()),
        several => concat(&several.iter().map(AsRef::as_ref).collect::<Vec<_>>()).map_err(internal),
    }
}

/// Groups none of whose keys is null or NaN.
pub(in crate::query) fn present_keys(keys: &[GroupKey]) -> u64 {
    let missing = |key: &GroupKey| match key {
        GroupKey::Slots { bins, slots } => {
            BooleanBuffer::collect_bool(slots.len(), |group| slots[group] >= bins.count())
        }
        GroupKey::Values(values) => {
            let nulls = values.logical_nulls();
            let is_null = |group: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(group));
            match values.data_type() {
                DataType::Float64 => {
                    let values = values.as_primitive::<Float64Type>();
                    BooleanBuffer::collect_bool(values.len(), |g| is_null(g) || values.value(g).is_nan())
                }
                DataType::Float32 => {
                    let values = values.as_primitive::<Float32Type>();
                    BooleanBuffer::collect_bool(values.len(), |g| is_null(g) || values.value(g).is_nan())
                }
                _ => BooleanBuffer::collect_bool(values.len(), is_null),
            }
        }
    };
    let any = keys.iter().map(missing).reduce(|a, b| &a | &b);
    any.map_or(0, |any| (any.len() - any.count_set_bits()) as u64)
}

/// What groups are sorted by.
pub(super) struct Sorted {
    rank: Option<Column>,
    keys: Column,
    rows: usize,
}

impl Sorted {
    pub(super) fn by_keys(question: &Compiled, keys: &[ArrayRef]) -> Result<Sorted, QueryError> {
        Sorted::of(question, keys, &[], &Listing::default())
    }

    fn of(
        question: &Compiled,
        keys: &[ArrayRef],
        measures: &[ArrayRef],
        listing: &Listing,
    ) -> Result<Sorted, QueryError> {
        let Shape::Groups { keys: asked, .. } = &question.shape else {
            return Err(QueryError::Panicked("groups finished as another shape".to_owned()));
        };
        let column = |(key, column): (&CompiledKey, &ArrayRef)| match key {
            CompiledKey::Value { .. } | CompiledKey::Text { .. } => column.clone(),
            CompiledKey::Binned { bins, .. } => Arc::new(
                column
                    .as_primitive::<UInt32Type>()
                    .unary::<_, UInt32Type>(|slot| slot_order(slot as usize, bins)),
            ),
        };
        let columns: Vec<ArrayRef> = asked.iter().zip(keys).map(column).collect();
        let rank = match listing.order {
            Some(Order { measure, descending }) => {
                Some(Column::of(std::slice::from_ref(&measures[measure]), descending, true)?)
            }
            None => None,
        };
        let rows = keys.first().map_or(0, |key| key.len());
        Ok(Sorted { rank, keys: Column::of(&columns, false, false)?, rows })
    }

    /// The groups among which are the first `limit`, told by their rank alone; `None` where only their
    /// keys tell.
    fn contenders(
        measures: &[ArrayRef],
        listing: &Listing,
        limit: usize,
    ) -> Result<Option<Vec<u32>>, QueryError> {
        if limit == 0 {
            return Ok(Some(Vec::new()));
        }
        let Some(Order { measure, descending }) = listing.order else { return Ok(None) };
        let rank = Column::of(std::slice::from_ref(&measures[measure]), descending, true)?;
        let mut order: Vec<u32> = (0..measures[measure].len() as u32).collect();
        let (_, &mut last, _) = order.select_nth_unstable_by(limit - 1, |&a, &b| rank.compare(a, b));
        order.retain(|&group| rank.compare(group, last) != Ordering::Greater);
        order.sort_unstable();
        Ok(Some(order))
    }

    fn compare(&self, a: u32, b: u32) -> Ordering {
        let by_rank = self.rank.as_ref().map_or(Ordering::Equal, |rank| rank.compare(a, b));
        by_rank.then_with(|| self.keys.compare(a, b))
    }

    /// All groups, sorted.
    pub(super) fn order(&self) -> Vec<u32> {
        if let (None, Column::Words(words)) = (&self.rank, &self.keys) {
            let mut sorted: Vec<_> = words.iter().copied().zip(0u32..).collect();
            sorted.par_sort_unstable();
            return sorted.into_iter().map(|(_, group)| group).collect();
        }
        let mut order: Vec<u32> = (0..self.rows as u32).collect();
        order.par_sort_unstable_by(|&a, &b| self.compare(a, b));
        order
    }

    /// The first `limit` groups, in no order.
    fn best(&self, limit: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.rows as u32).collect();
        if limit > 0 && limit < order.len() {
            order.select_nth_unstable_by(limit - 1, |&a, &b| self.compare(a, b));
        }
        order.truncate(limit);
        order
    }
}

/// Values in a form that compares fast.
enum Column {
    /// Whether it is missing, and a word in the order of the values.
    Words(Vec<(bool, u64)>),
    Rows(Rows),
}

impl Column {
    fn of(columns: &[ArrayRef], descending: bool, nan_is_missing: bool) -> Result<Column, QueryError> {
        const SIGN: u64 = 1 << 63;
        let turned = |word: u64| if descending { !word } else { word };
        if let [column] = columns
            && super::coder::is_word(column.data_type())
        {
            let plain = plain_numbers(column);
            let is_null = |row: usize| plain.is_null(row);
            let as_type = |data_type: &DataType| cast(&plain, data_type).map_err(internal);
            let words = match plain.data_type() {
                DataType::UInt64 => {
                    let values = plain.as_primitive::<UInt64Type>().values().iter();
                    values.enumerate().map(|(row, &v)| (is_null(row), turned(v))).collect()
                }
                DataType::Float32 | DataType::Float64 => {
                    let values = as_type(&DataType::Float64)?;
                    let values = values.as_primitive::<Float64Type>().values().iter();
                    let word = |(row, v): (usize, &f64)| {
                        let bits = v.to_bits();
                        let word = if bits & SIGN == 0 { bits | SIGN } else { !bits };
                        (is_null(row) || (nan_is_missing && v.is_nan()), turned(word))
                    };
                    values.enumerate().map(word).collect()
                }
                _ => {
                    let values = as_type(&DataType::Int64)?;
                    let values = values.as_primitive::<Int64Type>().values().iter();
                    values.enumerate().map(|(row, &v)| (is_null(row), turned(v as u64 ^ SIGN))).collect()
                }
            };
            return Ok(Column::Words(words));
        }
        let options = SortOptions { descending, nulls_first: false };
        let fields = columns
            .iter()
            .map(|column| SortField::new_with_options(column.data_type().clone(), options))
            .collect();
        let converter = RowConverter::new(fields).map_err(internal)?;
        Ok(Column::Rows(converter.convert_columns(columns).map_err(internal)?))
    }

    fn compare(&self, a: u32, b: u32) -> Ordering {
        let (a, b) = (a as usize, b as usize);
        match self {
            // Missing values are all one.
            Column::Words(words) => match (words[a], words[b]) {
                ((true, _), (true, _)) => Ordering::Equal,
                (a, b) => a.cmp(&b),
            },
            Column::Rows(rows) => rows.row(a).cmp(&rows.row(b)),
        }
    }
}
