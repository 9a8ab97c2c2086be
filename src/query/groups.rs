//! Rows grouped by the tuple of their keys: a hash of the tuple, never the product of the keys.

use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type};
use arrow::row::{RowConverter, SortField};
use hashbrown::{DefaultHashBuilder, HashTable};

use super::QueryError;
use super::compile::{Compiled, CompiledKey, Shape};
use super::direct::Direct;
use super::pass::Scratch;
use super::question::internal;
use crate::aggregate::{Bins, Feed, Lanes};

/// The values of one key, one per group.
#[derive(Debug, Clone)]
pub enum GroupKey {
    /// As they are.
    Values(ArrayRef),
    /// Slots of a binned axis.
    Slots {
        /// The axis.
        bins: Bins,
        /// Slot of every group.
        slots: Vec<usize>,
    },
}

/// Finished groups in ascending order of their keys, missing keys last.
#[derive(Debug, Clone)]
pub struct Groups {
    /// One per key asked.
    pub keys: Vec<GroupKey>,
    /// Rows in every group.
    pub counts: Vec<u64>,
    /// One array per measure.
    pub measures: Vec<ArrayRef>,
    /// Of every measure, whether it is that of a sketch (`≈`) rather than exact.
    pub approximate: Vec<bool>,
}

impl Groups {
    /// Number of groups.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether no row passed.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        let keys = self.keys.iter().map(|key| match key {
            GroupKey::Values(values) => values.get_array_memory_size(),
            GroupKey::Slots { slots, .. } => slots.len() * 8,
        });
        let measures = self.measures.iter().map(|m| m.get_array_memory_size());
        self.counts.len() * 8 + keys.chain(measures).sum::<usize>()
    }
}

/// Groups of the rows of one unit. Element 0 of the lanes is the trash; group `g` is element `g + 1`.
pub(super) struct GroupPartial {
    converter: RowConverter,
    hasher: DefaultHashBuilder,
    table: HashTable<u32>,
    /// Keys in the comparable form of the converter, one after another.
    bytes: Vec<u8>,
    /// End of every group's key in `bytes`.
    ends: Vec<usize>,
    lanes: Lanes,
    rows: u64,
    direct: Direct,
}

impl GroupPartial {
    pub(super) fn new(keys: &[CompiledKey], lanes: Lanes) -> Result<GroupPartial, QueryError> {
        let options = arrow::compute::SortOptions { descending: false, nulls_first: false };
        let fields = keys.iter().map(|key| {
            let data_type = match key {
                CompiledKey::Value { data_type, .. } => plain_key_type(data_type),
                CompiledKey::Binned { .. } => DataType::UInt32,
            };
            SortField::new_with_options(data_type, options)
        });
        let converter = RowConverter::new(fields.collect()).map_err(internal)?;
        Ok(GroupPartial {
            converter,
            hasher: DefaultHashBuilder::default(),
            table: HashTable::new(),
            bytes: Vec::new(),
            ends: Vec::new(),
            lanes,
            rows: 0,
            direct: Direct::new(slots_beside(keys)),
        })
    }

    /// Folds the rows of a block in; `values` as they are for the keys, `feed` for the measures.
    #[expect(clippy::too_many_arguments, reason = "the parts of one block, each used once")]
    pub(super) fn update(
        &mut self,
        question: &Compiled,
        values: &[ArrayRef],
        feed: &Feed,
        scratch: &mut Scratch,
        mask: Option<&BooleanBuffer>,
        block: &Range<usize>,
        budget: usize,
    ) -> Result<(), QueryError> {
        let Shape::Groups { keys } = &question.shape else { return Ok(()) };
        let rows = block.len();
        self.rows += rows as u64;
        self.write_cells(keys, values, scratch, mask, block)?;
        self.check(budget)?;
        self.lanes.grow(self.ends.len() + 1);
        self.lanes.update(feed, block.clone(), &scratch.cells, 0);
        Ok(())
    }

    /// Writes the element of every row of the block into the scratch: 0 where it does not pass.
    fn write_cells(
        &mut self,
        keys: &[CompiledKey],
        values: &[ArrayRef],
        scratch: &mut Scratch,
        mask: Option<&BooleanBuffer>,
        block: &Range<usize>,
    ) -> Result<(), QueryError> {
        let rows = block.len();
        let Scratch { slots, cells, .. } = scratch;
        let passes = |row: usize| mask.is_none_or(|mask| mask.value(block.start + row));
        cells.clear();
        let coded = match keys {
            [CompiledKey::Value { value, .. }] => Some((*value, None)),
            [CompiledKey::Value { value, .. }, CompiledKey::Binned { axis, bins }] => {
                Some((*value, Some((&slots[*axis], bins))))
            }
            _ => None,
        };
        if let Some((value, beside)) = coded {
            let key = values[value].slice(block.start, rows);
            let mut direct = std::mem::take(&mut self.direct);
            let codes = direct.codes(&key);
            if let Some(codes) = &codes {
                let codes = codes.as_primitive::<Int64Type>();
                for row in 0..rows {
                    let slot = beside.map_or(0, |(slots, _)| slots[row] as usize);
                    let find =
                        || self.group_of_row(&key, row, beside.map(|(_, bins)| slot_order(slot, bins)));
                    cells.push(if passes(row) { direct.element(codes, row, slot, find)? } else { 0 });
                }
            }
            self.direct = direct;
            if codes.is_some() {
                return Ok(());
            }
        }
        let columns = keys
            .iter()
            .map(|key| match key {
                CompiledKey::Value { value, .. } => plain_key(&values[*value].slice(block.start, rows)),
                CompiledKey::Binned { axis, bins } => {
                    let order = slots[*axis][..rows].iter().map(|&slot| slot_order(slot as usize, bins));
                    Ok(Arc::new(UInt32Array::from_iter_values(order)) as ArrayRef)
                }
            })
            .collect::<Result<Vec<_>, _>>()?;
        let keys = self.converter.convert_columns(&columns).map_err(internal)?;
        for row in 0..rows {
            cells.push(if passes(row) { self.group(keys.row(row).as_ref()) + 1 } else { 0 });
        }
        Ok(())
    }

    fn group_of_row(&mut self, key: &ArrayRef, row: usize, order: Option<u32>) -> Result<u32, QueryError> {
        let mut columns = vec![plain_key(&key.slice(row, 1))?];
        columns.extend(order.map(|order| Arc::new(UInt32Array::from_iter_values([order])) as ArrayRef));
        let keys = self.converter.convert_columns(&columns).map_err(internal)?;
        Ok(self.group(keys.row(0).as_ref()))
    }

    fn check(&self, budget: usize) -> Result<(), QueryError> {
        let used = self.bytes.len() + self.ends.len() * (12 + self.lanes.bytes_per_cell());
        if used <= budget {
            return Ok(());
        }
        Err(QueryError::TooManyGroups {
            groups: self.ends.len() as u64,
            rows: self.rows,
            budget_mib: budget as u64 >> 20,
        })
    }

    /// The group of a key, made if it is new.
    fn group(&mut self, key: &[u8]) -> u32 {
        let GroupPartial { hasher, table, bytes, ends, .. } = self;
        let hash = hasher.hash_one(key);
        if let Some(&group) = table.find(hash, |&group| key_of(bytes, ends, group) == key) {
            return group;
        }
        let group = ends.len() as u32;
        bytes.extend_from_slice(key);
        ends.push(bytes.len());
        table.insert_unique(hash, group, |&group| hasher.hash_one(key_of(bytes, ends, group)));
        group
    }

    pub(super) fn merge(&mut self, other: &GroupPartial, budget: usize) -> Result<(), QueryError> {
        self.rows += other.rows;
        let groups: Vec<usize> = (0..other.ends.len() as u32)
            .map(|group| self.group(key_of(&other.bytes, &other.ends, group)) as usize + 1)
            .collect();
        self.check(budget)?;
        self.lanes.grow(self.ends.len() + 1);
        self.lanes.merge(&other.lanes, 0..other.lanes.len(), |i| if i == 0 { 0 } else { groups[i - 1] });
        Ok(())
    }

    pub(super) fn finish(self, question: &Compiled) -> Result<Groups, QueryError> {
        let count = self.ends.len();
        let (lanes, order, keys) = self.sorted(question)?;
        let take = UInt32Array::from_iter_values(order.iter().map(|&group| group + 1));
        let measures = question
            .measures
            .finish(&lanes, count + 1)?
            .iter()
            .map(|all| arrow::compute::take(all, &take, None).map_err(internal))
            .collect::<Result<Vec<_>, _>>()?;
        let counts = order.iter().map(|&group| lanes.rows_at(group as usize + 1)).collect();
        let approximate = question.measures.approximate(&lanes, count + 1);
        Ok(Groups { keys, counts, measures, approximate })
    }

    /// The accumulators, the groups in ascending order of their keys, and the keys in that order.
    pub(super) fn sorted(self, question: &Compiled) -> Result<(Lanes, Vec<u32>, Vec<GroupKey>), QueryError> {
        let Shape::Groups { keys } = &question.shape else {
            return Err(QueryError::Panicked("groups finished as another shape".to_owned()));
        };
        let mut order: Vec<u32> = (0..self.ends.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| {
            key_of(&self.bytes, &self.ends, a).cmp(key_of(&self.bytes, &self.ends, b))
        });
        let parser = self.converter.parser();
        let sorted = order.iter().map(|&group| parser.parse(key_of(&self.bytes, &self.ends, group)));
        let columns = self.converter.convert_rows(sorted).map_err(internal)?;
        let keys = keys
            .iter()
            .zip(columns)
            .map(|(key, column)| match key {
                CompiledKey::Value { .. } => GroupKey::Values(column),
                CompiledKey::Binned { bins, .. } => {
                    let orders = column.as_primitive::<arrow::datatypes::UInt32Type>().values();
                    GroupKey::Slots {
                        bins: bins.clone(),
                        slots: orders.iter().map(|&order| slot_at(order as usize, bins)).collect(),
                    }
                }
            })
            .collect();
        Ok((self.lanes, order, keys))
    }
}

/// Slots of the axis beside a first key.
fn slots_beside(keys: &[CompiledKey]) -> usize {
    match keys {
        [_, CompiledKey::Binned { bins, .. }] => bins.slots(),
        _ => 1,
    }
}

fn key_of<'a>(bytes: &'a [u8], ends: &[usize], group: u32) -> &'a [u8] {
    let group = group as usize;
    let start = if group == 0 { 0 } else { ends[group - 1] };
    &bytes[start..ends[group]]
}

/// Slots in reading order: below the axis, its bins, above it, missing.
fn slot_order(slot: usize, bins: &Bins) -> u32 {
    let order = match slot {
        s if s < bins.count() => s + 1,
        s if s == bins.under() => 0,
        s if s == bins.over() => bins.count() + 1,
        _ => bins.count() + 2,
    };
    order as u32
}

fn slot_at(order: usize, bins: &Bins) -> usize {
    match order {
        0 => bins.under(),
        o if o <= bins.count() => o - 1,
        o if o == bins.count() + 1 => bins.over(),
        _ => bins.missing(),
    }
}

fn plain_key_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, values) => values.as_ref().clone(),
        other => other.clone(),
    }
}

/// A key column in a form whose bytes compare equal iff the values are the same group.
fn plain_key(array: &ArrayRef) -> Result<ArrayRef, QueryError> {
    Ok(match array.data_type() {
        DataType::Dictionary(_, values) => arrow::compute::cast(array, values).map_err(internal)?,
        DataType::Float64 => {
            Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(one_zero_one_nan))
        }
        DataType::Float32 => Arc::new(
            array
                .as_primitive::<Float32Type>()
                .unary::<_, Float32Type>(|v| if v.is_nan() { f32::NAN } else { v + 0.0 }),
        ),
        _ => array.clone(),
    })
}

/// Every NaN as one NaN, -0.0 as 0.0 (`-0.0 + 0.0` is `0.0`).
fn one_zero_one_nan(v: f64) -> f64 {
    if v.is_nan() { f64::NAN } else { v + 0.0 }
}
