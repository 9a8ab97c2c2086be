//! Groups of the whole table.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arrow::array::AsArray;
use arrow::datatypes::UInt32Type;
use rayon::prelude::*;

use super::cells::Cells;
use super::counted::{Part, Whole};
use super::listing::{Listing, Piece, Sorted, put_together};
use super::runs::Run;
use super::{GroupKey, GroupMemory, GroupPartial, Groups, Parting, Plan};
use crate::aggregate::{Bins, Lanes};
use crate::kernel::counts::WordCounts;
use crate::query::QueryError;
use crate::query::compile::{Compiled, CompiledKey, Shape};
use crate::task::Task;

/// Most groups added up by one thread alone.
const MOST_ALONE: usize = 1 << 18;

/// Groups of all units so far, added up in the order of the units.
pub(in crate::query) struct GroupTotal {
    plan: Plan,
    /// The groups while they are few.
    cells: Cells,
    /// The groups of every part, once they were many.
    parts: Vec<Part>,
    /// Not folded into their parts yet.
    runs: Vec<Run>,
    /// Rows whose key is missing, where words are counted: they are in no part.
    missing: u64,
    /// Rows of `runs`, and rows and groups of `parts`.
    waiting: u64,
    folded: u64,
    is_parted: bool,
    /// Whether the groups of the first rows were found to be too many to be kept beside later ones.
    is_too_much: bool,
}

impl GroupTotal {
    pub(in crate::query) fn new(question: &Compiled, plan: Plan) -> Result<GroupTotal, QueryError> {
        Ok(GroupTotal {
            plan,
            cells: Cells::new(question, false)?,
            parts: Vec::new(),
            runs: Vec::new(),
            missing: 0,
            waiting: 0,
            folded: 0,
            is_parted: false,
            is_too_much: false,
        })
    }

    /// Adds the groups of the next unit.
    pub(in crate::query) fn merge(
        &mut self,
        question: &Compiled,
        partial: GroupPartial,
    ) -> Result<(), QueryError> {
        if partial.parting.is_none() && !self.is_parted && self.cells.grouper.len() <= MOST_ALONE {
            return self.cells.absorb(question, partial.cells);
        }
        if !self.is_parted {
            self.is_parted = true;
            let cells = std::mem::replace(&mut self.cells, Cells::new(question, false)?);
            self.wait_for_groups(question, cells)?;
        }
        self.wait_for_groups(question, partial.cells)?;
        let runs = match partial.parting {
            None => Vec::new(),
            Some(Parting::Rows(rows)) => rows.runs,
            Some(Parting::Words(words)) => {
                self.missing += words.missing;
                words.runs
            }
        };
        runs.into_iter().for_each(|run| self.wait(run));
        Ok(())
    }

    fn wait_for_groups(&mut self, question: &Compiled, mut cells: Cells) -> Result<(), QueryError> {
        if !self.plan.counts_words {
            self.wait(Run::of_groups(question, cells, self.plan)?);
            return Ok(());
        }
        cells.gather(question);
        let (missing, words) = cells.counts();
        self.missing += missing;
        let run = Run::of_counts(words, self.plan);
        if run.part(self.plan.parts - 1).end > 0 {
            self.wait(run);
        }
        Ok(())
    }

    fn wait(&mut self, run: Run) {
        self.waiting += run.part(self.plan.parts - 1).end as u64;
        self.runs.push(run);
    }

    /// Whether the runs take so much that they should be folded before more rows are read.
    pub(in crate::query) fn wants_folding(&self, memory: &GroupMemory) -> bool {
        // The first fold tells how many of the rows are new groups.
        let enough = if self.folded == 0 { memory.budget / 32 } else { memory.budget / 8 };
        self.is_parted && !self.is_too_much && memory.held() > enough && self.fits(memory)
    }

    /// Whether the groups would take less than three tenths of the budget after the next fold.
    fn fits(&self, memory: &GroupMemory) -> bool {
        let bytes: usize = self.parts.iter().map(Part::bytes).sum();
        let growth = bytes as f64 / self.folded.max(1) as f64 * self.waiting as f64;
        bytes as f64 + growth <= room(memory)
    }

    /// Whether they would after the first fold, by the groups of one part.
    fn begins_to_fit(&self, question: &Compiled, memory: &GroupMemory) -> Result<bool, QueryError> {
        let mut part = Part::new(question, self.plan)?;
        part.fold(question, &self.runs, 0)?;
        Ok((part.bytes() * self.plan.parts) as f64 <= room(memory))
    }

    /// Folds the runs into their parts.
    pub(in crate::query) fn fold(
        &mut self,
        question: &Compiled,
        memory: &GroupMemory,
        task: &Task,
    ) -> Result<(), QueryError> {
        if !self.wants_folding(memory) {
            return Ok(());
        }
        if self.folded == 0 && !self.begins_to_fit(question, memory)? {
            self.is_too_much = true;
            return Ok(());
        }
        self.make_parts(question)?;
        let runs = std::mem::take(&mut self.runs);
        let folded = self.parts.par_iter_mut().enumerate().try_for_each(|(p, part)| {
            task.check()?;
            part.fold(question, &runs, p)
        });
        memory.release(&runs);
        drop_behind(runs);
        folded?;
        self.folded += std::mem::take(&mut self.waiting);
        Ok(())
    }

    fn make_parts(&mut self, question: &Compiled) -> Result<(), QueryError> {
        if self.parts.is_empty() {
            let parts = (0..self.plan.parts).map(|_| Part::new(question, self.plan));
            self.parts = parts.collect::<Result<_, _>>()?;
        }
        Ok(())
    }

    /// The groups that are asked for, finished.
    pub(in crate::query) fn finish(
        self,
        question: &Compiled,
        listing: &Listing,
        memory: &GroupMemory,
        task: &Task,
    ) -> Result<Groups, QueryError> {
        let parts = if self.is_parted { self.plan.parts } else { 1 };
        let (bytes, found, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let pieces = self.of_parts(question, task, |part, p, missing| {
            let piece = Piece::of(&part.into_cells(question, p, missing), question, listing)?;
            let bytes = bytes.fetch_add(piece.bytes(), Ordering::Relaxed) + piece.bytes();
            let found = found.fetch_add(piece.found as usize, Ordering::Relaxed) + piece.found as usize;
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            // Parts are of one size, but for chance, which the quarter allows for.
            let (needed, groups) = (bytes / done * parts, found / done * parts);
            let is_sure = done * 16 >= parts && needed > memory.budget + memory.budget / 4;
            if is_sure || bytes > memory.budget {
                too_many(needed, groups as u64, memory)?;
            }
            Ok(piece)
        })?;
        put_together(pieces, question, listing)
    }

    /// The distinct values of the last key, null and NaN not among them, in every cell of the grid that the
    /// binned keys before it span, with so many slots.
    pub(in crate::query) fn distinct(
        self,
        question: &Compiled,
        slots: &[usize],
        task: &Task,
    ) -> Result<Vec<u64>, QueryError> {
        let distinct: Vec<AtomicU64> = (0..slots.iter().product()).map(|_| AtomicU64::new(0)).collect();
        self.of_parts(question, task, |part, p, _| {
            part.present_cells(question, slots, p, |cell, values| {
                distinct[cell].fetch_add(values, Ordering::Relaxed);
            });
            Ok(())
        })?;
        Ok(distinct.into_iter().map(AtomicU64::into_inner).collect())
    }

    /// The runs that are not folded yet, and whether they hold most of the rows.
    fn waiting_runs(&self) -> (&[Run], bool) {
        (&self.runs, self.waiting > self.folded)
    }

    /// The rows without a key that are to be added to part `p`.
    fn missing_in(&self, p: usize) -> u64 {
        if p == 0 { self.missing } else { 0 }
    }

    /// What `of` makes of every part, given its number and the rows without a key that are to be added to it; of all
    /// groups as one part while they are few.
    fn of_parts<T: Send>(
        mut self,
        question: &Compiled,
        task: &Task,
        of: impl Fn(Whole, usize, u64) -> Result<T, QueryError> + Sync,
    ) -> Result<Vec<T>, QueryError> {
        if !self.is_parted {
            task.check()?;
            return Ok(vec![of(Whole::Cells(self.cells), 0, 0)?]);
        }
        self.make_parts(question)?;
        let parts = std::mem::take(&mut self.parts);
        let spare = || WordCounts::new(self.plan.bits());
        let part = |spare: &mut WordCounts, (p, part): (usize, Part)| {
            task.check()?;
            of(part.whole(question, self.waiting_runs(), p, spare)?, p, self.missing_in(p))
        };
        let made = parts.into_par_iter().enumerate().map_init(spare, part).collect();
        drop_behind(self.runs);
        made
    }

    /// All groups in ascending order of their keys: element `i + 1` of the lanes is of the keys `i`.
    pub(in crate::query) fn sorted(
        mut self,
        question: &Compiled,
        task: &Task,
    ) -> Result<(Lanes, Vec<GroupKey>), QueryError> {
        if self.is_parted {
            self.make_parts(question)?;
            let mut spare = WordCounts::new(self.plan.bits());
            for (p, part) in std::mem::take(&mut self.parts).into_iter().enumerate() {
                task.check()?;
                let part = part.whole(question, self.waiting_runs(), p, &mut spare)?;
                self.cells.absorb(question, part.into_cells(question, p, self.missing_in(p)))?;
            }
        }
        let live = self.cells.live();
        let keys = self.cells.grouper.keys(&live)?;
        let order = Sorted::by_keys(question, &keys)?.order();
        let groups: Vec<u32> = order.iter().map(|&i| live[i as usize]).collect();
        let keys = group_keys(question, self.cells.grouper.keys(&groups)?);
        Ok((self.cells.picked(question, &groups, None), keys))
    }
}

/// Drops runs beside other work: the system takes a tenth of a second for those of a large table. Called by the threads of a
/// scan.
fn drop_behind(runs: Vec<Run>) {
    rayon::spawn(move || drop(runs));
}

/// Bytes that groups may take between two stretches of the scan: tables that double leave holes behind, which makes half
/// as much again of them.
fn room(memory: &GroupMemory) -> f64 {
    memory.budget as f64 * 0.3
}

/// Refuses an answer that takes more than the budget.
fn too_many(bytes: usize, groups: u64, memory: &GroupMemory) -> Result<(), QueryError> {
    if bytes <= memory.budget {
        return Ok(());
    }
    Err(QueryError::TooManyGroups {
        groups,
        needed_mib: (bytes as u64).div_ceil(1 << 20),
        budget_mib: memory.budget as u64 >> 20,
    })
}

/// Key columns as the answer has them.
pub(super) fn group_keys(question: &Compiled, columns: Vec<arrow::array::ArrayRef>) -> Vec<GroupKey> {
    let Shape::Groups { keys, .. } = &question.shape else { return Vec::new() };
    keys.iter()
        .zip(columns)
        .map(|(key, column)| match key {
            CompiledKey::Value { .. } | CompiledKey::Text { .. } => GroupKey::Values(column),
            CompiledKey::Binned { bins, .. } => GroupKey::Slots {
                bins: bins.clone(),
                slots: column.as_primitive::<UInt32Type>().values().iter().map(|&s| s as usize).collect(),
            },
        })
        .collect()
}

/// Slots in reading order: below the axis, its bins, above it, missing.
pub(in crate::query) fn slot_order(slot: usize, bins: &Bins) -> u32 {
    let order = match slot {
        s if s < bins.count() => s + 1,
        s if s == bins.under() => 0,
        s if s == bins.over() => bins.count() + 1,
        _ => bins.count() + 2,
    };
    order as u32
}
