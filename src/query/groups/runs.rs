//! Rows sorted by the hash of their keys, so that every part of the groups is folded alone, in cache.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, UInt32Array, UInt64Array, make_array,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{concat, take};

use super::cells::Cells;
use super::coder::hash;
use crate::aggregate::{Fed, Feed, Lanes};
use crate::kernel::counts::mixed;
use crate::memory::{Spill, spill_folder};
use crate::query::QueryError;
use crate::query::compile::Compiled;
use crate::query::question::internal;

/// Rows sorted at once: their columns stay in the second-level cache.
const RUN: usize = 1 << 17;

/// How the groups of a table may be cut into parts: a function of the table alone.
#[derive(Debug, Clone, Copy)]
pub(in crate::query) struct Plan {
    /// A power of two.
    pub(super) parts: usize,
    /// Whether they are of words that are only counted ([`counted`](super::counted)).
    pub(super) counts_words: bool,
    /// Groups from which on a unit may stop adding up rows that share few groups.
    few: usize,
}

impl Plan {
    pub(in crate::query) fn of(rows: u64, counts_words: bool) -> Plan {
        // Parts of at most 2^18 rows, more of words, whose counts want bits; and units that tell in a 32nd of their rows.
        let least = if counts_words { (rows >> 16).next_power_of_two().clamp(64, 256) } else { 16 };
        let parts = (rows >> 18).max(1).next_power_of_two().clamp(least, 4096) as usize;
        Plan { parts, counts_words, few: (rows / 64 / 32).clamp(512, 12_288) as usize }
    }

    /// Bits of a hash that tell its part.
    pub(super) fn bits(self) -> u32 {
        self.parts.trailing_zeros()
    }

    /// Whether a unit does better to sort its rows than to add them up, seeing its groups so far.
    pub(super) fn is_over(self, groups: usize, rows: u64) -> bool {
        /// Groups whose table and accumulators just fit the second-level cache.
        const MOST: usize = 1 << 16;
        /// Rows that tell: some keys are numbered before they are met, but never so many as half of these.
        const TELLING: u64 = 1 << 13;
        groups > MOST || groups > self.few && rows >= TELLING && groups as u64 * 2 > rows
    }
}

/// What a run holds of every tuple of keys.
pub(super) enum Payload {
    /// One row, what the measures are fed.
    Rows(Feed),
    /// The rows added up: elements of these lanes.
    Groups { lanes: Box<Lanes>, elements: Vec<u32> },
    /// How many rows.
    Counts(Vec<u64>),
}

/// Rows, or groups of them, sorted by part and within a part in their order.
pub(super) struct Run {
    pub(super) keys: Vec<ArrayRef>,
    pub(super) payload: Payload,
    /// Where every part ends.
    ends: Vec<u32>,
    /// Bytes of private memory.
    held: usize,
}

impl Run {
    /// The rows of part `p`.
    pub(super) fn part(&self, p: usize) -> Range<usize> {
        let start = if p == 0 { 0 } else { self.ends[p - 1] };
        start as usize..self.ends[p] as usize
    }

    /// Rows of words, sorted by part: their [`by_part`](crate::kernel::counts::by_part) keys.
    pub(super) fn of_words(keys: Vec<u64>, ends: Vec<u32>, memory: &GroupMemory) -> Result<Run, QueryError> {
        let payload = Payload::Rows(Feed { first_row: 0, inputs: Vec::new() });
        let mut run = Run { keys: vec![Arc::new(UInt64Array::from(keys))], payload, ends, held: 0 };
        memory.admit(&mut run)?;
        Ok(run)
    }

    /// Words and their rows, in any order.
    pub(super) fn of_counts(words: impl Iterator<Item = (u64, u64)>, plan: Plan) -> Run {
        let mut forms: Vec<(u64, u64)> = words.map(|(word, count)| (mixed(word), count)).collect();
        forms.sort_unstable();
        let bits = plan.bits();
        let end = |p: usize| forms.partition_point(|(form, _)| (form >> (u64::BITS - bits)) as usize <= p);
        let ends = (0..plan.parts).map(|p| end(p) as u32).collect();
        let keys = UInt64Array::from_iter_values(forms.iter().map(|(form, _)| form << bits));
        let counts = forms.iter().map(|(_, count)| *count).collect();
        Run { keys: vec![Arc::new(keys)], payload: Payload::Counts(counts), ends, held: 0 }
    }

    /// The groups of `cells`.
    pub(super) fn of_groups(question: &Compiled, mut cells: Cells, plan: Plan) -> Result<Run, QueryError> {
        cells.gather(question);
        let live = cells.live();
        let keys = cells.grouper.keys(&live)?;
        let (order, ends) = sort(&keys, live.len(), None, plan)?;
        let elements = order.values().iter().map(|&i| live[i as usize] + 1).collect();
        let keys = taken(&keys, &order)?;
        let lanes = Box::new(cells.into_lanes());
        Ok(Run { keys, payload: Payload::Groups { lanes, elements }, ends, held: 0 })
    }

    /// The rows of these columns, the keys first, then what the measures are fed.
    fn of_rows(
        rows: Rows,
        columns: &[ArrayRef],
        mask: Option<&BooleanBuffer>,
        plan: Plan,
        memory: &GroupMemory,
    ) -> Result<Run, QueryError> {
        let (order, ends) = sort(&columns[..rows.keys], rows.count, mask, plan)?;
        let mut columns = columns.iter().map(|column| take(column, &order, None).map_err(internal));
        let mut next = |count: usize| columns.by_ref().take(count).collect::<Result<Vec<_>, _>>();
        let keys = next(rows.keys)?;
        let inputs = rows
            .inputs
            .iter()
            .map(|&(values, conditioned)| {
                let values = next(values)?;
                let condition = next(usize::from(conditioned))?;
                let condition = condition.first().map(|condition| condition.as_boolean().values().clone());
                Ok(Fed { values, condition })
            })
            .collect::<Result<Vec<_>, QueryError>>()?;
        let payload = Payload::Rows(Feed { first_row: rows.first_row, inputs });
        let mut run = Run { keys, payload, ends, held: 0 };
        memory.admit(&mut run)?;
        Ok(run)
    }

    fn columns(&mut self) -> impl Iterator<Item = &mut ArrayRef> {
        let inputs = match &mut self.payload {
            Payload::Rows(feed) => feed.inputs.as_mut_slice(),
            Payload::Groups { .. } | Payload::Counts(_) => &mut [],
        };
        self.keys.iter_mut().chain(inputs.iter_mut().flat_map(|fed| &mut fed.values))
    }
}

/// The rows that pass, sorted by part, and where every part ends.
fn sort(
    keys: &[ArrayRef],
    rows: usize,
    mask: Option<&BooleanBuffer>,
    plan: Plan,
) -> Result<(UInt32Array, Vec<u32>), QueryError> {
    let mut hashes = vec![0; rows];
    for key in keys {
        hash(key, &mut hashes)?;
    }
    let part = |hash: u64| (hash >> 40) as usize & (plan.parts - 1);
    let passes = |row: usize| mask.is_none_or(|mask| mask.value(row));
    let mut places = vec![0u32; plan.parts];
    match mask {
        None => hashes.iter().for_each(|&hash| places[part(hash)] += 1),
        Some(_) => {
            let passing = hashes.iter().enumerate().filter(|(row, _)| passes(*row));
            passing.for_each(|(_, &hash)| places[part(hash)] += 1);
        }
    }
    let mut total = 0;
    for place in &mut places {
        (*place, total) = (total, total + *place);
    }
    let mut order = vec![0; total as usize];
    for (row, &hash) in hashes.iter().enumerate() {
        if passes(row) {
            let place = &mut places[part(hash)];
            order[*place as usize] = row as u32;
            *place += 1;
        }
    }
    Ok((order.into(), places))
}

fn taken(columns: &[ArrayRef], order: &UInt32Array) -> Result<Vec<ArrayRef>, QueryError> {
    columns.iter().map(|column| take(column, order, None).map_err(internal)).collect()
}

/// What the columns of some rows are.
#[derive(Debug, Default)]
struct Rows {
    count: usize,
    first_row: u64,
    keys: usize,
    /// Values of every input of the measures, and whether it has a condition.
    inputs: Vec<(usize, bool)>,
}

/// Rows on their way into runs.
#[derive(Default)]
pub(super) struct RowParting {
    rows: Rows,
    /// Columns, block after block.
    blocks: Vec<Vec<ArrayRef>>,
    masks: Vec<(usize, Option<BooleanBuffer>)>,
    pub(super) runs: Vec<Run>,
}

impl RowParting {
    /// Takes a block of rows: its keys, and of the feed and the mask the rows `block`.
    pub(super) fn push(
        &mut self,
        keys: Vec<ArrayRef>,
        feed: &Feed,
        block: Range<usize>,
        mask: Option<&BooleanBuffer>,
        plan: Plan,
        memory: &GroupMemory,
    ) -> Result<(), QueryError> {
        if self.blocks.is_empty() {
            self.rows.first_row = feed.first_row + block.start as u64;
            self.rows.keys = keys.len();
            self.rows.inputs =
                feed.inputs.iter().map(|fed| (fed.values.len(), fed.condition.is_some())).collect();
        }
        let mut columns = keys;
        for fed in &feed.inputs {
            columns.extend(fed.values.iter().map(|values| values.slice(block.start, block.len())));
            let condition = fed.condition.as_ref().map(|met| met.slice(block.start, block.len()));
            columns.extend(condition.map(|met| Arc::new(BooleanArray::new(met, None)) as ArrayRef));
        }
        self.blocks.push(columns);
        self.masks.push((block.len(), mask.map(|mask| mask.slice(block.start, block.len()))));
        self.rows.count += block.len();
        if self.rows.count >= RUN { self.flush(plan, memory) } else { Ok(()) }
    }

    /// Makes a run of the rows taken so far.
    pub(super) fn flush(&mut self, plan: Plan, memory: &GroupMemory) -> Result<(), QueryError> {
        let (rows, blocks) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.blocks));
        let masks = std::mem::take(&mut self.masks);
        let Some(first) = blocks.first() else { return Ok(()) };
        let columns = (0..first.len())
            .map(|column| {
                let blocks: Vec<&dyn Array> = blocks.iter().map(|block| block[column].as_ref()).collect();
                concat(&blocks).map_err(internal)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mask = masks.iter().any(|(_, mask)| mask.is_some()).then(|| {
            let mut all = BooleanBufferBuilder::new(rows.count);
            masks.iter().for_each(|(rows, mask)| match mask {
                Some(mask) => all.append_buffer(mask),
                None => all.append_n(*rows, true),
            });
            all.finish()
        });
        self.runs.push(Run::of_rows(rows, &columns, mask.as_ref(), plan, memory)?);
        Ok(())
    }
}

/// The memory all groups of one question share.
#[derive(Debug)]
pub(in crate::query) struct GroupMemory {
    /// Bytes they may take.
    pub(super) budget: usize,
    /// Bytes of the runs in private memory.
    held: AtomicUsize,
    spill: Mutex<Option<Arc<Spill>>>,
}

impl GroupMemory {
    pub(in crate::query) fn new(budget: usize) -> GroupMemory {
        GroupMemory { budget, held: AtomicUsize::new(0), spill: Mutex::new(None) }
    }

    /// Bytes of the runs in private memory.
    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Forgets runs that are dropped.
    pub(super) fn release(&self, runs: &[Run]) {
        self.held.fetch_sub(runs.iter().map(|run| run.held).sum(), Ordering::Relaxed);
    }

    /// Keeps a run in memory while all of them take less than a fifth of the budget, else on disk.
    fn admit(&self, run: &mut Run) -> Result<(), QueryError> {
        let bytes: usize = run.columns().map(|column| column.get_array_memory_size()).sum();
        if self.held.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.budget / 5 {
            run.held = bytes;
            return Ok(());
        }
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        let full = |error: std::io::Error| QueryError::Spill {
            folder: spill_folder().display().to_string(),
            reason: error.to_string(),
            budget_mib: self.budget as u64 >> 20,
        };
        let spill = {
            let mut spill = self.spill.lock().unwrap_or_else(PoisonError::into_inner);
            match &*spill {
                Some(spill) => spill.clone(),
                None => spill.insert(Arc::new(Spill::new().map_err(full)?)).clone(),
            }
        };
        for column in run.columns() {
            let data = column.to_data();
            let lent = spill.lend(data.buffers()).map_err(full)?;
            *column = make_array(data.into_builder().buffers(lent).build().map_err(internal)?);
        }
        Ok(())
    }
}
