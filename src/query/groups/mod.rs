//! Rows grouped by the tuple of their keys: a number for every tuple, never the product of the keys.
//!
//! A unit of rows numbers its tuples as it meets them ([`grouper`]) and adds up their rows ([`cells`]).
//! A unit whose tuples are many instead sorts its rows by hash into *parts* ([`runs`]); every part is then
//! folded by one thread, in the order of the rows. Where nothing but the rows of values of one word is asked, these are
//! counted ([`counted`]). What does not fit the memory budget waits on disk.
//! Whether a unit sorts depends on its rows alone, so that the same question gives the same digits.

mod cells;
mod coder;
mod counted;
mod grouper;
mod listing;
mod runs;
mod total;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::buffer::BooleanBuffer;

pub(super) use coder::Coder;
pub(super) use counted::are_words;
pub(super) use listing::present_keys;
pub use listing::{Having, Listing, Order};
pub(super) use runs::{GroupMemory, Plan};
pub(super) use total::{GroupTotal, slot_order};

use super::QueryError;
use super::cells::Slots;
use super::compile::{Compiled, CompiledKey, Shape};
use super::key_texts::{KeyRows, KeyTexts};
use super::masks::Tested;
use crate::aggregate::{Bins, Feed};
use cells::Cells;
use counted::WordParting;
use runs::RowParting;

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

/// Finished groups, in the order asked for: if none was, ascending in their keys, missing keys last.
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
    /// Groups there are, those not listed too.
    pub found: u64,
    /// Those of them none of whose keys is null or NaN.
    pub present: u64,
    /// The groups that are not listed, taken together; `None` where not asked for, or where there are none.
    pub other: Option<OtherGroups>,
}

/// The rows of many groups taken together.
#[derive(Debug, Clone)]
pub struct OtherGroups {
    /// How many groups.
    pub groups: u64,
    /// Their rows.
    pub count: u64,
    /// One array of one value per measure.
    pub measures: Vec<ArrayRef>,
}

impl Groups {
    /// Number of groups listed.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether no group is listed.
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

/// Rows on their way into runs.
enum Parting {
    Rows(RowParting),
    Words(WordParting),
}

impl Parting {
    fn new(plan: Plan) -> Parting {
        match plan.counts_words {
            false => Parting::Rows(RowParting::default()),
            true => Parting::Words(WordParting::default()),
        }
    }
}

/// Groups of the rows of one unit.
pub(super) struct GroupPartial {
    plan: Plan,
    cells: Cells,
    /// Rows added up so far.
    rows: u64,
    /// Where the other rows go once the groups were too many.
    parting: Option<Parting>,
}

impl Compiled {
    /// The keys of the rows of a block; `values` are those of a chunk, `of_axes` the slots of the block.
    pub(super) fn keys<'a>(
        &self,
        values: Tested,
        texts: &'a [KeyTexts],
        of_axes: &[Slots],
        block: &Range<usize>,
    ) -> Vec<KeyRows<'a>> {
        let Shape::Groups { keys, .. } = &self.shape else { return Vec::new() };
        let of_key = |key: &CompiledKey| match key {
            CompiledKey::Value { value, .. } => {
                KeyRows::Array(values.at(value).slice(block.start, block.len()))
            }
            CompiledKey::Text { text, .. } => KeyRows::Texts(&texts[*text], block.clone()),
            CompiledKey::Binned { axis, .. } => {
                KeyRows::Array(Arc::new(UInt32Array::from(of_axes[*axis].widened())))
            }
        };
        keys.iter().map(of_key).collect()
    }

    /// Whether words that are only counted are many. That is not asked of a unit's rows alone: counts are the same.
    fn met_many(&self) -> &AtomicBool {
        static NEVER: AtomicBool = AtomicBool::new(false);
        if let Shape::Groups { are_many, .. } = &self.shape { are_many } else { &NEVER }
    }
}

impl GroupPartial {
    pub(super) fn new(question: &Compiled, plan: Plan) -> Result<GroupPartial, QueryError> {
        let parting = question.met_many().load(Ordering::Relaxed).then(|| Parting::new(plan));
        Ok(GroupPartial { plan, cells: Cells::new(question, true)?, rows: 0, parting })
    }

    /// Folds the rows of a block in: their `keys`, and `feed` for the measures. `cells` is used again.
    #[expect(clippy::too_many_arguments, reason = "the parts of one block, each used once")]
    pub(super) fn update(
        &mut self,
        question: &Compiled,
        keys: &[KeyRows],
        feed: &Feed,
        cells: &mut Vec<u32>,
        mask: Option<&BooleanBuffer>,
        block: &Range<usize>,
        memory: &GroupMemory,
    ) -> Result<(), QueryError> {
        let rows = block.len();
        if let Some(parting) = &mut self.parting {
            let mut keys = keys.iter().map(KeyRows::array).collect::<Result<Vec<_>, _>>()?;
            let block = block.clone();
            return match parting {
                Parting::Rows(rows) => rows.push(keys, feed, block, mask, self.plan, memory),
                Parting::Words(words) => words.push(&keys.remove(0), block, mask, self.plan, memory),
            };
        }
        self.cells.update(question, keys, feed, block.clone(), mask, cells)?;
        self.rows += rows as u64;
        if self.plan.is_over(self.cells.grouper.len(), self.rows) {
            self.parting = Some(Parting::new(self.plan));
            question.met_many().store(self.plan.counts_words, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Told that no row of the unit follows.
    pub(super) fn end(&mut self, memory: &GroupMemory) -> Result<(), QueryError> {
        self.cells.settle();
        match &mut self.parting {
            Some(Parting::Rows(rows)) => rows.flush(self.plan, memory),
            Some(Parting::Words(words)) => words.flush(self.plan, memory),
            None => Ok(()),
        }
    }
}
