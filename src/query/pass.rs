//! One chunk folded into the accumulators of all questions.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::compute::{FilterBuilder, FilterPredicate};

use super::cells::{CellBuffers, Slots};
use super::coded::ListedCodes;
use super::codes::{AxisCodes, Learned};
use super::compile::{Compiled, Shape};
use super::groups::{GroupMemory, GroupPartial, GroupTotal, Plan};
use super::key_texts::{KeyTexts, touch};
use super::masks::{Mask, Test, Tested};
use super::question::internal;
use super::skip::Verdict;
use super::summed::{ChunkSums, Summed};
use super::tally::Tally;
use super::{Ask, QueryError, Question};
use crate::aggregate::{Feed, Lanes, Slotter, plain_numbers};
use crate::data::Chunk;
use crate::dataset::Dataset;
use crate::expr::{Expr, Program, Reals};
use crate::memory::read_ahead;
use crate::select::{Clause, Selection};
use crate::task::Task;

/// All questions of one pass.
pub(super) struct Pass {
    pub(super) dataset: Arc<Dataset>,
    /// The expressions of `tests`, then those of `program`.
    pub(super) exprs: Vec<Expr>,
    /// What the clauses test; its values come first.
    pub(super) tests: Program,
    /// What they test as codes.
    pub(super) coded_tests: Vec<Arc<AxisCodes>>,
    /// All other values, needed only where rows pass.
    pub(super) program: Program,
    /// Clause lists, each once.
    pub(super) filters: Vec<Vec<usize>>,
    pub(super) clauses: Vec<(Clause, Test)>,
    /// Position of the values, and how they are cut.
    pub(super) axes: Vec<(usize, Slotter)>,
    /// Codes read in place of values; they come after all values.
    pub(super) coded: Vec<Arc<AxisCodes>>,
    /// Of every axis, the codes to be learned.
    pub(super) learning: Vec<Option<Arc<AxisCodes>>>,
    /// Codes that are read in place of texts that are keys.
    pub(super) coded_keys: Vec<ListedCodes>,
    /// Positions of the texts whose codes are to be learned.
    pub(super) numbering: Vec<(usize, Arc<AxisCodes>)>,
    /// Columns of texts that are keys, and nothing else.
    pub(super) unseen: Vec<usize>,
    /// Positions of the values that are binned or folded as numbers.
    pub(super) numbers: Vec<usize>,
    /// Values that are only summed up.
    pub(super) summed: Vec<Summed>,
    pub(super) questions: Vec<Compiled>,
    /// Of every expression, values that did not fit their type, in the chunks folded so far.
    pub(super) overflowed: Vec<AtomicU64>,
}

/// What one unit of rows adds up to for one question.
pub(super) enum Partial {
    Grid(Lanes),
    Groups(Box<GroupPartial>),
    /// Of all units so far.
    AllGroups(Box<GroupTotal>),
    Index(Vec<u32>),
    /// Counted in the tally of the worker.
    Tally,
}

impl Partial {
    /// Empty accumulators of one unit.
    pub(super) fn of_unit(question: &Compiled) -> Result<Partial, QueryError> {
        Partial::of(
            question,
            |cells| question.measures.lanes(cells * question.spread()).paired(),
            |plan| Ok(Partial::Groups(Box::new(GroupPartial::new(question, plan)?))),
        )
    }

    /// Empty accumulators of the whole table.
    fn of_table(question: &Compiled) -> Result<Partial, QueryError> {
        Partial::of(
            question,
            |cells| question.measures.lanes(cells),
            |plan| Ok(Partial::AllGroups(Box::new(GroupTotal::new(question, plan)?))),
        )
    }

    fn of(
        question: &Compiled,
        grid: impl Fn(usize) -> Lanes,
        groups: impl Fn(Plan) -> Result<Partial, QueryError>,
    ) -> Result<Partial, QueryError> {
        Ok(match &question.shape {
            Shape::Grid { .. } if question.is_tally() => Partial::Tally,
            Shape::Grid { cells, .. } => Partial::Grid(grid(cells + 1)),
            Shape::Groups { plan, .. } => groups(*plan)?,
            Shape::Index => Partial::Index(Vec::new()),
        })
    }

    /// Told that no row of the unit follows.
    pub(super) fn end(&mut self, memory: &GroupMemory) -> Result<(), QueryError> {
        match self {
            Partial::Groups(groups) => groups.end(memory)?,
            Partial::Grid(lanes) => lanes.settle(),
            Partial::AllGroups(_) | Partial::Index(_) | Partial::Tally => {}
        }
        Ok(())
    }

    /// Whether the rows of a chunk are folded in at once, not block by block.
    fn is_folded_whole(&self, question: &Compiled) -> bool {
        match self {
            Partial::Grid(lanes) => question.is_one_cell() && lanes.are_totals(),
            Partial::Index(_) => true,
            Partial::Groups(_) | Partial::AllGroups(_) | Partial::Tally => false,
        }
    }
}

/// Rows binned and counted at once: their codes stay in the first-level cache. A multiple of 8, so that
/// blocks of a mask begin at whole bytes.
const COUNTED: usize = 2048;
/// Rows binned and folded at once where more than rows is asked for: what a block costs by itself then weighs more than
/// where its codes lie. In turn, 2048 and 8192 rows: groups by zone 0.154 and 0.137 s, a mean over a plane 0.202 and 0.179,
/// a count in 128 bins 0.038 and 0.045.
const FOLDED: usize = 8192;

/// Chunks that are asked of the disk together, ahead of the scan.
const TOGETHER: u64 = 16;

/// Of so many rows at least one must pass for the others to be worked on beside it. Below that, the passing
/// rows are brought together before anything else is computed of them.
const DENSE: usize = 4;

/// Buffers one worker uses again for every block.
#[derive(Default)]
struct Scratch {
    slots: Vec<Vec<u32>>,
    cells: CellBuffers,
    /// Positions of the rows that pass each filter.
    chosen: Vec<Vec<u32>>,
    /// Codes of the chunk, of every axis that is to be learned.
    learned: Vec<Option<Learned>>,
}

/// What one worker keeps from chunk to chunk.
pub(super) struct Worker {
    scratch: Scratch,
    /// One for every question that asks for rows alone.
    pub(super) tallies: Vec<Option<Tally>>,
}

/// Values of the rows of a chunk that are worked on, and which of them pass.
struct Values {
    rows: usize,
    /// One array per expression of the pass.
    arrays: Vec<ArrayRef>,
    /// Keys that were read as codes.
    keys: Vec<ArrayRef>,
    /// Keys that are columns of texts.
    texts: Vec<KeyTexts>,
    /// The expressions' arrays again, those that are binned or folded as plain numbers.
    numbers: Vec<ArrayRef>,
    /// One per filter.
    masks: Vec<Mask>,
    /// One per question, for its measures.
    feeds: Vec<Feed>,
    /// Of values that were not kept.
    sums: ChunkSums,
}

impl Pass {
    /// Reads the columns that the clauses test in `rows`.
    pub(super) fn read(&self, rows: Range<u64>, task: &Task) -> Result<Chunk, QueryError> {
        let columns = self.read_columns(&self.tests, &rows, task)?;
        Ok(Chunk { rows, columns })
    }

    /// The columns that `program` needs; what is seen of them is kept in the zone maps.
    fn read_columns(
        &self,
        program: &Program,
        rows: &Range<u64>,
        task: &Task,
    ) -> Result<Vec<ArrayRef>, QueryError> {
        program.columns().iter().map(|&column| self.read_column(column, rows, task)).collect()
    }

    fn read_column(&self, column: usize, rows: &Range<u64>, task: &Task) -> Result<ArrayRef, QueryError> {
        let values = self.dataset.source().read(column, rows.clone())?;
        self.dataset.zones().learn(column, rows, &values);
        let data = values.to_data();
        let bytes = data.get_slice_memory_size().unwrap_or(0);
        task.add_bytes(bytes as u64);
        // Texts that were read lie on the heap.
        if let Some(buffer) = data.buffers().first() {
            read_ahead(buffer, bytes * chunks_ahead(rows));
        }
        Ok(values)
    }

    /// The texts of a column in `rows`, or those of them that are `kept`.
    fn key_texts(
        &self,
        column: usize,
        rows: &Range<u64>,
        kept: Option<&FilterPredicate>,
        task: &Task,
    ) -> Result<KeyTexts, QueryError> {
        let source = self.dataset.source();
        if let Some(kept) = kept {
            let all = self.read_column(column, rows, task)?;
            return Ok(KeyTexts::Read(kept.filter(&all).map_err(internal)?));
        }
        Ok(match source.unseen_texts(column, rows.clone())? {
            Some(texts) => {
                task.add_bytes(touch(&texts, chunks_ahead(rows)) as u64);
                KeyTexts::unseen(texts, source, column, rows.clone())
            }
            None => KeyTexts::Read(self.read_column(column, rows, task)?),
        })
    }

    /// Rows of a block: those of a question that sums do not depend on what else is asked.
    fn block(&self) -> usize {
        let counts = |q: &Compiled| q.is_tally() || matches!(q.shape, Shape::Index);
        if self.questions.iter().all(counts) { COUNTED } else { FOLDED }
    }

    /// Nothing counted and empty buffers.
    pub(super) fn worker(&self) -> Worker {
        let tally = |question: &Compiled| match question.shape {
            Shape::Grid { cells, .. } if question.is_tally() => Some(Tally::new(cells)),
            _ => None,
        };
        let chosen = vec![Vec::new(); self.filters.len()];
        let slots = vec![vec![0; self.block()]; self.axes.len()];
        let scratch = Scratch { slots, cells: CellBuffers::default(), chosen, learned: Vec::new() };
        Worker { scratch, tallies: self.questions.iter().map(tally).collect() }
    }

    /// Empty accumulators of one unit for every question.
    pub(super) fn partials(&self) -> Result<Vec<Partial>, QueryError> {
        self.questions.iter().map(Partial::of_unit).collect()
    }

    /// Empty accumulators of the whole table for every question.
    pub(super) fn totals(&self) -> Result<Vec<Partial>, QueryError> {
        self.questions.iter().map(Partial::of_table).collect()
    }

    /// Folds the rows of one or more chunks into the accumulators of its unit and the tallies of the worker.
    pub(super) fn update(
        &self,
        rows: Range<u64>,
        partials: &mut [Partial],
        worker: &mut Worker,
        memory: &GroupMemory,
        task: &Task,
    ) -> Result<(), QueryError> {
        if self.fold_zones(&rows, partials) {
            return Ok(());
        }
        let verdicts = self.verdicts(&rows);
        let overflows = self.tests.may_overflow() || self.program.may_overflow();
        // What does not fit its type is told of every row.
        if !overflows && verdicts.iter().all(|verdict| *verdict == Verdict::Never) {
            let indices = partials.iter_mut();
            indices.for_each(|p| {
                if let Partial::Index(passing) = p {
                    passing.push(0)
                }
            });
            return Ok(());
        }
        let chunk = self.read(rows, task)?;
        let (tested, overflowed) = self.tests.run_counting(&chunk.columns, chunk.len())?;
        self.count_overflowed(0, &overflowed);
        let codes = codes_in(&self.coded_tests, &chunk, task)?;
        let masks = self.masks(Tested { values: &tested, codes: &codes }, chunk.len(), &verdicts);
        for (question, partial) in self.questions.iter().zip(&mut *partials) {
            if let Partial::Index(passing) = partial {
                passing.push(masks[question.filter].passing as u32);
            }
        }
        let Some(values) = self.values(&chunk, tested, masks, partials, task)? else { return Ok(()) };
        self.fold_totals(&values, partials);
        if self.questions.iter().zip(&*partials).all(|(question, partial)| partial.is_folded_whole(question))
        {
            return Ok(());
        }
        // Where only some rows are worked on, the others' codes are not known.
        let first = chunk.rows.start;
        let blank = |codes: &Option<Arc<AxisCodes>>| codes.as_ref()?.blank(first, chunk.len());
        worker.scratch.learned = match values.rows == chunk.len() {
            true => self.learning.iter().map(blank).collect(),
            false => Vec::new(),
        };
        for start in (0..values.rows).step_by(self.block()) {
            let block = start..(start + self.block()).min(values.rows);
            self.fold(&values, &block, partials, worker, memory)?;
        }
        if values.rows == chunk.len() {
            for (value, codes) in &self.numbering {
                codes.number(first, &values.arrays[*value])?;
            }
        }
        for (codes, learned) in self.learning.iter().zip(worker.scratch.learned.drain(..)) {
            if let (Some(codes), Some(learned)) = (codes, learned) {
                codes.learn(first, learned);
            }
        }
        Ok(())
    }

    /// Adds to what is counted of the expressions from `first` on.
    fn count_overflowed(&self, first: usize, overflowed: &[u64]) {
        for (count, &more) in self.overflowed[first..].iter().zip(overflowed).filter(|(_, more)| **more > 0) {
            count.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// Evaluates what the clauses did not test. `None` when no row is to be folded.
    fn values(
        &self,
        chunk: &Chunk,
        mut tested: Vec<ArrayRef>,
        mut masks: Vec<Mask>,
        partials: &[Partial],
        task: &Task,
    ) -> Result<Option<Values>, QueryError> {
        let mut rows = chunk.len();
        let folded = || self.questions.iter().filter(|question| !matches!(question.shape, Shape::Index));
        let any = Mask::any(folded().map(|question| &masks[question.filter]), rows);
        let skips = !self.program.may_overflow();
        if folded().next().is_none() || (any.passing == 0 && skips) {
            return Ok(None);
        }
        let mut columns = self.read_columns(&self.program, &chunk.rows, task)?;
        let mut coded = codes_in(&self.coded, chunk, task)?;
        let mut keys = Vec::with_capacity(self.coded_keys.len());
        for (codes, listed) in &self.coded_keys {
            keys.push(listed.decoded(&codes_of(codes, chunk, task)?)?);
        }
        let few = any.bits.filter(|_| any.passing * DENSE < rows && skips);
        let kept = few.map(|bits| FilterBuilder::new(&BooleanArray::new(bits, None)).optimize().build());
        let texts = |&column| self.key_texts(column, &chunk.rows, kept.as_ref(), task);
        let texts = self.unseen.iter().map(texts).collect::<Result<_, _>>()?;
        if let Some(kept) = &kept {
            for array in columns.iter_mut().chain(&mut tested).chain(&mut coded).chain(&mut keys) {
                *array = kept.filter(array).map_err(internal)?;
            }
            rows = any.passing;
            masks = masks.iter().map(|mask| mask.among(kept, rows)).collect::<Result<_, _>>()?;
        }
        let plain = self.summed.iter().filter(|summed| summed.is_plain(&self.questions, &masks, partials));
        let mut sums = ChunkSums::of(plain.copied());
        let fed = sums.outputs();
        let mut take = |output, reals: Reals<'_>| sums.take(output, reals);
        let (others, overflowed) = self.program.run_feeding(&columns, rows, &fed, &mut take)?;
        self.count_overflowed(tested.len(), &overflowed);
        let mut arrays = tested;
        arrays.extend(others);
        arrays.extend(coded);
        let mut numbers = arrays.clone();
        let is_counted = |value| self.summed.iter().any(|summed| summed.is_counted(value, &arrays, partials));
        for &value in self.numbers.iter().filter(|value| !is_counted(**value)) {
            numbers[value] = plain_numbers(&arrays[value]);
        }
        let conditions = self.conditions(&arrays);
        let feed = |question: &Compiled| question.feed(chunk.rows.start, &numbers, &conditions);
        let feeds = self.questions.iter().map(feed).collect();
        Ok(Some(Values { rows, arrays, keys, texts, numbers, masks, feeds, sums }))
    }

    /// Folds all values into the questions of one cell whose accumulators are totals.
    fn fold_totals(&self, values: &Values, partials: &mut [Partial]) {
        values.sums.add_to(partials);
        for ((question, feed), partial) in self.questions.iter().zip(&values.feeds).zip(partials) {
            let mask = &values.masks[question.filter];
            if partial.is_folded_whole(question)
                && let Partial::Grid(lanes) = partial
                && mask.passing > 0
            {
                lanes.update_one(feed, 0..values.rows, mask.bits.as_ref());
            }
        }
    }

    /// Folds one block of the values into all other questions.
    fn fold(
        &self,
        values: &Values,
        block: &Range<usize>,
        partials: &mut [Partial],
        worker: &mut Worker,
        memory: &GroupMemory,
    ) -> Result<(), QueryError> {
        let Values { arrays, keys, texts, numbers, masks, feeds, .. } = values;
        let keys = Tested { values: arrays, codes: keys };
        let Worker { scratch, tallies } = worker;
        let Scratch { slots, cells, chosen, learned } = scratch;
        let slots: Vec<Slots> = self
            .axes
            .iter()
            .zip(slots)
            .map(|((value, slotter), slots)| {
                if slotter.reads_codes() {
                    return Slots::of_codes(&numbers[*value], block.clone());
                }
                let slots = &mut slots[..block.len()];
                slotter.write(&numbers[*value], block.clone(), slots);
                Slots::Wide(slots)
            })
            .collect();
        for (learned, slots) in learned.iter_mut().zip(&slots) {
            if let (Some(learned), Slots::Wide(slots)) = (learned, slots) {
                learned.extend(slots);
            }
        }
        let positions: Vec<Option<&[u32]>> =
            masks.iter().zip(chosen).map(|(mask, out)| mask.positions(block, out)).collect();
        let questions = self.questions.iter().zip(feeds);
        for (((question, feed), partial), tally) in questions.zip(partials).zip(tallies) {
            let mask = &masks[question.filter];
            if mask.passing == 0 || partial.is_folded_whole(question) {
                continue;
            }
            match partial {
                Partial::Index(_) | Partial::AllGroups(_) => {}
                Partial::Tally => {
                    if let Some(tally) = tally {
                        tally.count(question.cells(block.len(), &slots, cells), positions[question.filter]);
                    }
                }
                Partial::Grid(lanes) => {
                    let trash = question.elements(block, mask.bits.as_ref(), &slots, cells);
                    lanes.update(feed, block.clone(), &cells.wide, trash);
                }
                Partial::Groups(groups) => {
                    let keys = question.keys(keys, texts, &slots, block);
                    groups.update(
                        question,
                        &keys,
                        feed,
                        &mut cells.wide,
                        mask.bits.as_ref(),
                        block,
                        memory,
                    )?;
                }
            }
        }
        Ok(())
    }
}

/// How many chunks the disk is asked for while this one is read.
fn chunks_ahead(rows: &Range<u64>) -> usize {
    let number = rows.start / (rows.end - rows.start).max(1);
    if number.is_multiple_of(TOGETHER) { TOGETHER as usize } else { 0 }
}

/// The codes of a chunk that are read in place of values.
fn codes_in(coded: &[Arc<AxisCodes>], chunk: &Chunk, task: &Task) -> Result<Vec<ArrayRef>, QueryError> {
    coded.iter().map(|codes| codes_of(codes, chunk, task)).collect()
}

fn codes_of(codes: &AxisCodes, chunk: &Chunk, task: &Task) -> Result<ArrayRef, QueryError> {
    let lost = || QueryError::Panicked("codes of an axis are lost".to_owned());
    let codes = codes.chunk(chunk.rows.start).ok_or_else(lost)?;
    task.add_bytes(codes.to_data().get_slice_memory_size().unwrap_or(0) as u64);
    Ok(codes)
}

/// A question on `selection` alone, for testing which rows pass.
pub(super) fn filter_pass(dataset: &Arc<Dataset>, selection: &Selection) -> Result<Pass, QueryError> {
    Pass::compile(&[Question::new(dataset.clone(), selection.clone(), Ask::Index)])
}
