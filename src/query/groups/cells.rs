//! Groups and their accumulators.

use std::ops::Range;

use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;

use super::grouper::Grouper;
use super::runs::{Payload, Run};
use crate::aggregate::{Feed, Lanes};
use crate::kernel::fold;
use crate::query::QueryError;
use crate::query::compile::{Compiled, Shape};
use crate::query::key_texts::KeyRows;
use crate::query::masks::keep_passing;

/// Rows folded at once.
pub(super) const BLOCK: usize = 2048;

/// Groups and their accumulators: element 0 of the lanes is the trash, group `g` is element `g + 1`.
pub(super) struct Cells {
    pub(super) grouper: Grouper,
    lanes: Lanes,
    /// Elements per group.
    spread: usize,
}

impl Cells {
    /// None yet; with `spread`, each gets several accumulators while they are few, and [`Cells::settle`] must be called
    /// before they are read.
    pub(super) fn new(question: &Compiled, spread: bool) -> Result<Cells, QueryError> {
        let keys = match &question.shape {
            Shape::Groups { keys, .. } => keys.as_slice(),
            _ => &[],
        };
        let spread = if spread && question.measures.may_spread() { fold::copies(0) } else { 1 };
        let lanes = question.measures.lanes(spread);
        let lanes = if spread > 1 { lanes.paired() } else { lanes };
        Ok(Cells { grouper: Grouper::new(keys)?, lanes, spread })
    }

    /// Groups of one key, whose values have these words: `counts` are 0, the rows of missing values, then theirs.
    pub(super) fn of_counts(question: &Compiled, words: Vec<u64>, counts: Vec<u64>) -> Cells {
        let data_type = question.key_type().unwrap_or(&DataType::Null);
        Cells { grouper: Grouper::of_words(words, data_type), lanes: Lanes::counted(counts), spread: 1 }
    }

    /// Bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.grouper.bytes() + self.lanes.len() * self.lanes.bytes_per_cell() + self.lanes.kept_bytes()
    }

    /// The accumulators, one element per group.
    pub(super) fn lanes(&self) -> &Lanes {
        debug_assert_eq!(self.spread, 1, "gathered");
        &self.lanes
    }

    /// Folds the rows of `block` in. `keys` hold these rows alone; `cells` is used again.
    pub(super) fn update(
        &mut self,
        question: &Compiled,
        keys: &[KeyRows],
        feed: &Feed,
        block: Range<usize>,
        mask: Option<&BooleanBuffer>,
        cells: &mut Vec<u32>,
    ) -> Result<(), QueryError> {
        self.write(question, keys, block.len(), cells)?;
        if let Some(mask) = mask {
            // One less than the first group's.
            keep_passing(cells, mask, &block, u32::MAX);
        }
        fold::spread(cells, 1, self.spread as u32);
        self.lanes.update(feed, block, cells, 0);
        Ok(())
    }

    /// Writes the number of every tuple of keys, and makes room for its element, which is one more.
    fn write(
        &mut self,
        question: &Compiled,
        keys: &[KeyRows],
        rows: usize,
        cells: &mut Vec<u32>,
    ) -> Result<(), QueryError> {
        cells.resize(rows, 0);
        self.grouper.write(keys, cells)?;
        self.gather_to(question, fold::copies(self.grouper.len()));
        self.lanes.grow((self.grouper.len() + 2) * self.spread);
        Ok(())
    }

    /// Makes all that was added up readable.
    pub(super) fn settle(&mut self) {
        self.lanes.settle();
    }

    /// Leaves one accumulator to every group.
    pub(super) fn gather(&mut self, question: &Compiled) {
        self.gather_to(question, 1);
    }

    /// Leaves at most so many accumulators to every group.
    fn gather_to(&mut self, question: &Compiled, copies: usize) {
        if self.spread > copies {
            self.settle();
            let fewer = self.spread / copies;
            let mut lanes = question.measures.lanes(self.lanes.len() / fewer);
            lanes.merge(&self.lanes, 0..self.lanes.len(), |element| element / fewer);
            (self.lanes, self.spread) = (lanes.paired(), copies);
        }
    }

    /// The groups that have rows.
    pub(super) fn live(&self) -> Vec<u32> {
        (0..self.lanes().len().saturating_sub(1) as u32).filter(|&g| self.rows(g) > 0).collect()
    }

    /// Rows of a group.
    pub(super) fn rows(&self, group: u32) -> u64 {
        self.lanes.rows_at(group as usize + 1)
    }

    /// Of one key whose values are words: the rows where it is missing, and its words with their rows.
    pub(super) fn counts(&self) -> (u64, impl Iterator<Item = (u64, u64)>) {
        let groups = self.lanes().len().saturating_sub(1);
        let count = move |group: usize| if group < groups { self.lanes().rows_at(group + 1) } else { 0 };
        let words = self.grouper.words().iter().zip(1..).map(move |(&word, group)| (word, count(group)));
        (count(0), words.filter(|(_, count)| *count > 0))
    }

    /// Adds all groups of `other`.
    pub(super) fn absorb(&mut self, question: &Compiled, mut other: Cells) -> Result<(), QueryError> {
        other.gather(question);
        let live = other.live();
        let keys: Vec<KeyRows> = other.grouper.keys(&live)?.into_iter().map(KeyRows::Array).collect();
        let mut cells = Vec::new();
        self.write(question, &keys, live.len(), &mut cells)?;
        let mut targets = vec![0; other.lanes.len()];
        live.iter().zip(cells).for_each(|(&group, cell)| targets[group as usize + 1] = cell as usize + 1);
        self.lanes.merge(&other.lanes, 0..other.lanes.len(), |element| targets[element]);
        Ok(())
    }

    /// Adds what `runs` hold of part `p`, in their order.
    pub(super) fn fold(&mut self, question: &Compiled, runs: &[Run], p: usize) -> Result<(), QueryError> {
        let mut cells = Vec::new();
        for run in runs {
            let rows = run.part(p);
            for start in rows.clone().step_by(BLOCK) {
                let block = start..(start + BLOCK).min(rows.end);
                let keys = run.keys.iter().map(|key| KeyRows::Array(key.slice(start, block.len())));
                let keys: Vec<KeyRows> = keys.collect();
                match &run.payload {
                    Payload::Rows(feed) => {
                        self.update(question, &keys, feed, block, None, &mut cells)?;
                    }
                    Payload::Counts(_) => {
                        return Err(QueryError::Panicked("counted words folded as groups".to_owned()));
                    }
                    Payload::Groups { lanes, elements } => {
                        self.write(question, &keys, block.len(), &mut cells)?;
                        for (&element, &cell) in elements[block].iter().zip(&cells) {
                            let element = element as usize;
                            self.lanes.merge(lanes, element..element + 1, |_| cell as usize + 1);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// These groups, `groups[i]` as element `i + 1`; after them, if asked for, all `others` that are not
    /// among them, added up.
    pub(super) fn picked(&self, question: &Compiled, groups: &[u32], others: Option<&[u32]>) -> Lanes {
        let mut targets = vec![0; self.lanes.len()];
        let rest = groups.len() + 1;
        others.into_iter().flatten().for_each(|&group| targets[group as usize + 1] = rest);
        groups.iter().enumerate().for_each(|(i, &group)| targets[group as usize + 1] = i + 1);
        let mut lanes = question.measures.lanes(rest + usize::from(others.is_some()));
        lanes.merge(&self.lanes, 1..self.lanes.len(), |element| targets[element]);
        lanes
    }

    /// The accumulators, for the merging of all groups elsewhere.
    pub(super) fn into_lanes(self) -> Lanes {
        self.lanes
    }
}
