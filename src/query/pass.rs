//! One chunk folded into the accumulators of all questions.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::buffer::BooleanBuffer;

use super::compile::{Compiled, Shape};
use super::groups::GroupPartial;
use super::masks::{Test, keep_passing};
use super::{Ask, QueryError, Question};
use crate::aggregate::{Feed, Lanes, Slotter, plain_numbers};
use crate::data::Chunk;
use crate::dataset::Source;
use crate::expr::Program;
use crate::kernel::fold;
use crate::select::Selection;

/// All questions of one pass.
pub(super) struct Pass {
    pub(super) program: Program,
    pub(super) clauses: Vec<(Test, bool)>,
    /// Position of the values, and how they are cut.
    pub(super) axes: Vec<(usize, Slotter)>,
    /// Positions of the values that are binned or folded as numbers.
    pub(super) numbers: Vec<usize>,
    pub(super) questions: Vec<Compiled>,
    /// Values that did not fit their type, in the chunks folded so far.
    pub(super) overflowed: AtomicU64,
}

/// What one unit of rows adds up to for one question.
pub(super) enum Partial {
    Grid(Lanes),
    Groups(Box<GroupPartial>),
    Index(Vec<u32>),
}

/// Rows binned and folded at once: their codes stay in the first-level cache. A multiple of 8, so that
/// blocks of a mask begin at whole bytes.
const BLOCK: usize = 2048;
/// Buffers one worker uses again for every block.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) slots: Vec<Vec<u32>>,
    pub(super) cells: Vec<u32>,
}

impl Pass {
    /// Reads the columns the pass needs in `rows`.
    pub(super) fn read(&self, source: &dyn Source, rows: std::ops::Range<u64>) -> Result<Chunk, QueryError> {
        let columns = self
            .program
            .columns()
            .iter()
            .map(|&column| source.read(column, rows.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Chunk { rows, columns })
    }

    /// Empty accumulators of one unit for every question.
    pub(super) fn partials(&self) -> Result<Vec<Partial>, QueryError> {
        self.accumulators(Compiled::spread)
    }

    /// Empty accumulators of the whole table for every question.
    pub(super) fn totals(&self) -> Result<Vec<Partial>, QueryError> {
        self.accumulators(|_| 1)
    }

    fn accumulators(&self, spread: impl Fn(&Compiled) -> usize) -> Result<Vec<Partial>, QueryError> {
        self.questions
            .iter()
            .map(|question| {
                Ok(match &question.shape {
                    Shape::Grid { cells, .. } => {
                        let elements = (cells + 1) * spread(question);
                        Partial::Grid(question.measures.lanes(elements))
                    }
                    Shape::Groups { keys } => {
                        Partial::Groups(Box::new(GroupPartial::new(keys, question.measures.lanes(1))?))
                    }
                    Shape::Index => Partial::Index(Vec::new()),
                })
            })
            .collect()
    }

    /// Folds one chunk into the accumulators of its unit.
    pub(super) fn update(
        &self,
        chunk: &Chunk,
        partials: &mut [Partial],
        scratch: &mut Scratch,
        budget: usize,
    ) -> Result<(), QueryError> {
        let rows = chunk.len();
        let (values, overflowed) = self.program.run_counting(&chunk.columns, rows)?;
        if overflowed > 0 {
            self.overflowed.fetch_add(overflowed, Ordering::Relaxed);
        }
        let mut numbers = values.clone();
        for &value in &self.numbers {
            numbers[value] = plain_numbers(&values[value]);
        }
        let masks = self.masks(&values);
        for (question, partial) in self.questions.iter().zip(&mut *partials) {
            if let Partial::Index(passing) = partial {
                let mask = masks[question.filter.as_slice()].as_ref();
                passing.push(mask.map_or(rows, BooleanBuffer::count_set_bits) as u32);
            }
        }
        let first_row = chunk.rows.start;
        let feeds: Vec<Feed> =
            self.questions.iter().map(|question| question.feed(first_row, &numbers, &masks)).collect();
        scratch.slots.resize_with(self.axes.len(), || vec![0; BLOCK]);
        let folded = self.questions.iter().any(|question| !matches!(question.shape, Shape::Index));
        for start in (0..if folded { rows } else { 0 }).step_by(BLOCK) {
            let block = start..(start + BLOCK).min(rows);
            for ((value, slotter), slots) in self.axes.iter().zip(&mut scratch.slots) {
                slotter.write(&numbers[*value], block.clone(), &mut slots[..block.len()]);
            }
            for ((question, feed), partial) in self.questions.iter().zip(&feeds).zip(&mut *partials) {
                let mask = masks[question.filter.as_slice()].as_ref();
                match partial {
                    Partial::Index(_) => {}
                    Partial::Grid(lanes) if mask.is_none() && question.is_one_cell() => {
                        scratch.cells.resize(block.len(), 0);
                        let trash = (lanes.len() / 2) as u32;
                        lanes.update_one(feed, block.clone(), &mut scratch.cells, trash);
                    }
                    Partial::Grid(lanes) => {
                        let trash = question.grid_cells(&block, mask, scratch);
                        lanes.update(feed, block.clone(), &scratch.cells, trash);
                    }
                    Partial::Groups(groups) => {
                        groups.update(question, &values, feed, scratch, mask, &block, budget)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Compiled {
    /// Writes the element of every row of the block into the scratch; rows outside `mask` go to the
    /// trash, which is returned.
    fn grid_cells(&self, block: &Range<usize>, mask: Option<&BooleanBuffer>, scratch: &mut Scratch) -> u32 {
        let Shape::Grid { axes, slots, cells: count } = &self.shape else { return 0 };
        let Scratch { slots: codes, cells } = scratch;
        let rows = block.len();
        cells.clear();
        match axes.as_slice() {
            [] => cells.resize(rows, 0),
            [a] => cells.extend_from_slice(&codes[*a][..rows]),
            [a, b] => {
                let stride = slots[1] as u32;
                cells.extend(codes[*a][..rows].iter().zip(&codes[*b][..rows]).map(|(&i, &j)| i * stride + j));
            }
            more => {
                cells.resize(rows, 0);
                for (&axis, &stride) in more.iter().zip(slots) {
                    for (cell, &slot) in cells.iter_mut().zip(&codes[axis]) {
                        *cell = *cell * stride as u32 + slot;
                    }
                }
            }
        }
        let trash = *count as u32;
        if let Some(mask) = mask {
            keep_passing(cells, mask, block, trash);
        }
        if self.spread() == 4 {
            fold::spread_by_four(cells);
            return trash * 4;
        }
        trash
    }
}

/// A question on `selection` alone, for testing which rows pass.
pub(super) fn filter_pass(
    dataset: &Arc<crate::dataset::Dataset>,
    selection: &Selection,
) -> Result<Pass, QueryError> {
    Pass::compile(&[Question::new(dataset.clone(), selection.clone(), Ask::Index)])
}
