//! Groups of one key whose values are words, of which nothing but the rows is asked: the words are counted, and nothing
//! else is kept of a row. Counts are the same in any order.

use std::ops::Range;

use arrow::array::{ArrayRef, AsArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, UInt64Type};

use super::cells::Cells;
use super::coder::{is_word, nan_word, push_mixed};
use super::runs::{GroupMemory, Payload, Plan, Run};
use crate::kernel::counts::{WordCounts, by_part};
use crate::query::QueryError;
use crate::query::compile::{Compiled, CompiledKey, Shape};

/// Words sorted at once: they and their sorted form stay in the second-level cache.
const RUN: usize = 1 << 16;

/// Whether these keys are one whose values are words.
pub(in crate::query) fn are_words(keys: &[CompiledKey]) -> bool {
    matches!(keys, [CompiledKey::Value { data_type, .. }] if is_word(data_type))
}

impl Compiled {
    /// The type of the first key.
    pub(super) fn key_type(&self) -> Option<&DataType> {
        match &self.shape {
            Shape::Groups { keys, .. } => keys.first().map(CompiledKey::data_type),
            _ => None,
        }
    }
}

/// Words on their way into runs.
#[derive(Default)]
pub(super) struct WordParting {
    forms: Vec<u64>,
    /// Rows whose key is missing.
    pub(super) missing: u64,
    pub(super) runs: Vec<Run>,
}

impl WordParting {
    /// Takes the keys of a block of rows, those that pass where there is a mask.
    pub(super) fn push(
        &mut self,
        key: &ArrayRef,
        block: Range<usize>,
        mask: Option<&BooleanBuffer>,
        plan: Plan,
        memory: &GroupMemory,
    ) -> Result<(), QueryError> {
        let passing = mask.map(|mask| mask.slice(block.start, block.len()));
        self.missing += push_mixed(key, passing, &mut self.forms)?;
        if self.forms.len() >= RUN { self.flush(plan, memory) } else { Ok(()) }
    }

    /// Makes a run of the words taken so far.
    pub(super) fn flush(&mut self, plan: Plan, memory: &GroupMemory) -> Result<(), QueryError> {
        let mut ends = Vec::new();
        let keys = by_part(&self.forms, plan.bits(), &mut ends);
        self.forms.clear();
        if !keys.is_empty() {
            self.runs.push(Run::of_words(keys, ends, memory)?);
        }
        Ok(())
    }
}

/// The groups of one part.
pub(super) enum Part {
    Cells(Cells),
    Counts(WordCounts),
}

impl Part {
    /// None yet.
    pub(super) fn new(question: &Compiled, plan: Plan) -> Result<Part, QueryError> {
        Ok(match plan.counts_words {
            false => Part::Cells(Cells::new(question, false)?),
            true => Part::Counts(WordCounts::new(plan.bits())),
        })
    }

    /// Bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Part::Cells(cells) => cells.bytes(),
            Part::Counts(counts) => counts.bytes(),
        }
    }

    /// Adds what `runs` hold of part `p`, in their order.
    pub(super) fn fold(&mut self, question: &Compiled, runs: &[Run], p: usize) -> Result<(), QueryError> {
        match self {
            Part::Cells(cells) => cells.fold(question, runs, p)?,
            Part::Counts(counts) => add_runs(counts, runs, p),
        }
        Ok(())
    }

    /// All groups of part `p`, with what `runs` hold of it, which `are_most` of its rows or not. Of most rows the words are
    /// counted in `spare`, whose memory serves one part after another: tables that widened one by one would leave
    /// holes of all sizes behind them.
    pub(super) fn whole<'a>(
        self,
        question: &Compiled,
        (runs, are_most): (&[Run], bool),
        p: usize,
        spare: &'a mut WordCounts,
    ) -> Result<Whole<'a>, QueryError> {
        match self {
            Part::Cells(mut cells) => {
                cells.fold(question, runs, p)?;
                Ok(Whole::Cells(cells))
            }
            Part::Counts(counts) => {
                match are_most {
                    true => spare.restart_with(&counts),
                    false => *spare = counts,
                }
                add_runs(spare, runs, p);
                Ok(Whole::Counts(spare))
            }
        }
    }
}

fn add_runs(counts: &mut WordCounts, runs: &[Run], p: usize) {
    for run in runs {
        let rows = run.part(p);
        let keys = &run.keys[0].as_primitive::<UInt64Type>().values()[rows.clone()];
        match &run.payload {
            Payload::Counts(more) => {
                keys.iter().zip(&more[rows]).for_each(|(&key, &more)| counts.add(key, more));
            }
            _ => counts.add_each(keys),
        }
    }
}

/// All groups of one part.
pub(super) enum Whole<'a> {
    Cells(Cells),
    Counts(&'a WordCounts),
}

impl Whole<'_> {
    /// Tells `found`, of the groups of part `p`, the cells of [`Grouper::present_cells`](super::grouper::Grouper) and in
    /// how many groups each is.
    pub(super) fn present_cells(
        &self,
        question: &Compiled,
        slots: &[usize],
        p: usize,
        mut found: impl FnMut(usize, u64),
    ) {
        match self {
            Whole::Cells(cells) => cells.grouper.present_cells(slots, &cells.live(), |cell| found(cell, 1)),
            Whole::Counts(counts) => {
                let mut nans = 0;
                if let Some(nan) = question.key_type().and_then(nan_word) {
                    counts.each(p as u64, |word, _| nans += u64::from(word == nan));
                }
                found(0, counts.len() as u64 - nans);
            }
        }
    }

    /// The groups of part `p`, which has so many rows without a key beside what was folded.
    pub(super) fn into_cells(self, question: &Compiled, p: usize, missing: u64) -> Cells {
        match self {
            Whole::Cells(cells) => cells,
            Whole::Counts(of) => {
                let mut words = Vec::with_capacity(of.len());
                // One more, which the lanes add.
                let mut counts = Vec::with_capacity(of.len() + 3);
                counts.extend([0, missing]);
                of.each(p as u64, |word, count| {
                    words.push(word);
                    counts.push(count);
                });
                Cells::of_counts(question, words, counts)
            }
        }
    }
}
