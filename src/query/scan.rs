//! One shared pass over a table for any number of questions.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::coded::TableCodes;
use super::compile::{Compiled, Shape};
use super::groups::GroupMemory;
use super::overflow::Overflow;
use super::pass::{Partial, Pass, Worker};
use super::rounds;
use super::{Answer, Ask, Codes, Cube, Layout, QueryError, Question, RowIndex};
use crate::aggregate::Lanes;
use crate::dataset::Source;
use crate::task::Task;

/// Niceness of the threads behind a window.
#[cfg(target_os = "linux")]
const BACKGROUND: i32 = 10;

/// Has the system run this thread only when the window's thread has nothing to do.
pub fn stay_behind_window() {
    // On Linux niceness belongs to the thread. Where it cannot be set, its work is only less polite.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(BACKGROUND);
}

/// The threads a scan runs on.
#[derive(Debug)]
pub struct Workers(rayon::ThreadPool);

impl Workers {
    /// `threads` named threads; 0 means one per core.
    ///
    /// # Errors
    /// The system gave no threads.
    pub fn new(threads: usize) -> std::io::Result<Workers> {
        Workers::start(threads, || {})
    }

    /// As [`Workers::new`], but the system runs them only when the window's thread has nothing to do.
    ///
    /// # Errors
    /// The system gave no threads.
    pub fn in_background(threads: usize) -> std::io::Result<Workers> {
        Workers::start(threads, stay_behind_window)
    }

    fn start(threads: usize, begin: impl Fn() + Send + Sync + 'static) -> std::io::Result<Workers> {
        crate::memory::keep_freed_memory();
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("scan-{i}"))
            .start_handler(move |_| begin())
            .build()
            .map(Workers)
            .map_err(std::io::Error::other)
    }

    /// `work` of each of `0..count`, in order, done in parallel.
    pub(super) fn map<T: Send>(&self, count: usize, work: impl Fn(usize) -> T + Send + Sync) -> Vec<T> {
        use rayon::prelude::*;
        self.0.install(|| (0..count).into_par_iter().map(work).collect())
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.0.current_num_threads()
    }
}

/// How a scan goes about it.
#[derive(Debug, Clone, Copy)]
pub struct ScanOptions {
    /// Rows read and evaluated at once; small enough for intermediate results to stay in cache.
    pub chunk_rows: u64,
    /// Bytes that the groups of all questions may take; rows that do not fit wait on disk. A sixteenth of it is what
    /// each set of accumulators may keep of distinct values, and of those a mode or a quantile is found among.
    pub group_budget: usize,
    /// Bytes to read before the pages of the file are given back to the system.
    pub keep_mapped: u64,
}

/// What groups may take where nothing else is said.
pub(super) const GROUP_BUDGET: usize = 1 << 30;

impl Default for ScanOptions {
    fn default() -> ScanOptions {
        ScanOptions { chunk_rows: 1 << 15, group_budget: GROUP_BUDGET, keep_mapped: u64::MAX }
    }
}

/// Answers every question in one pass. All must ask of the same source.
///
/// The answers are the same to the last bit on any number of threads. `task` is told of every chunk.
///
/// # Errors
/// [`QueryError`]: the first failure in row order of any question, or cancellation.
pub fn scan(
    questions: &[Question],
    workers: &Workers,
    options: ScanOptions,
    task: &Task,
) -> Result<Vec<Answer>, QueryError> {
    scan_counting(questions, workers, options, task).map(|(answers, _)| answers)
}

/// As [`scan`], and the expressions of which values did not fit their type.
///
/// # Errors
/// As [`scan`].
pub fn scan_counting(
    questions: &[Question],
    workers: &Workers,
    options: ScanOptions,
    task: &Task,
) -> Result<(Vec<Answer>, Vec<Overflow>), QueryError> {
    let Some(first) = questions.first() else { return Ok((Vec::new(), Vec::new())) };
    let pass = |_: &Arc<Layout>| Pass::compile(questions);
    unchanged(first.dataset.source().as_ref(), || pass_over(first, pass, questions, workers, options, task))
}

/// As [`scan_counting`]; axes that `codes` knows are not read, and others are learned.
///
/// # Errors
/// As [`scan`].
pub fn scan_with_codes(
    questions: &[Question],
    codes: &Codes,
    workers: &Workers,
    options: ScanOptions,
    task: &Task,
) -> Result<(Vec<Answer>, Vec<Overflow>), QueryError> {
    let Some(first) = questions.first() else { return Ok((Vec::new(), Vec::new())) };
    let source = first.dataset.source();
    let table: Arc<str> = source.identity().into();
    let pass = |layout: &Arc<Layout>| {
        let codes = TableCodes::new(codes, layout, &table, source.schema(), questions);
        Pass::with_codes(questions, Some(&codes))
    };
    let answer = || {
        codes.begin();
        unchanged(source.as_ref(), || pass_over(first, pass, questions, workers, options, task))
    };
    let answered = answer();
    // What was read from damaged codes is thrown away, as they are.
    if codes.forget_damaged() { answer() } else { answered }
}

/// What `read` gives, if `source` is what was opened before and after. A failure that comes of a change
/// is told as the change.
pub(super) fn unchanged<T>(
    source: &dyn Source,
    read: impl FnOnce() -> Result<T, QueryError>,
) -> Result<T, QueryError> {
    let changed = || QueryError::Changed { identity: source.identity() };
    if !source.is_current() {
        return Err(changed());
    }
    match read() {
        Err(QueryError::Cancelled(cancelled)) => Err(cancelled.into()),
        result if source.is_current() => result,
        _ => Err(changed()),
    }
}

fn pass_over(
    first: &Question,
    compile: impl FnOnce(&Arc<Layout>) -> Result<Pass, QueryError>,
    questions: &[Question],
    workers: &Workers,
    options: ScanOptions,
    task: &Task,
) -> Result<(Vec<Answer>, Vec<Overflow>), QueryError> {
    let source = first.dataset.source().clone();
    let layout = Arc::new(Layout::new(source.as_ref(), options.chunk_rows));
    let mut pass = compile(&layout)?;
    pass.questions.iter_mut().for_each(|question| question.measures.keep_to(options.group_budget));
    let groups = pass.questions.iter().filter(|question| matches!(question.shape, Shape::Groups { .. }));
    let memory = GroupMemory::new(options.group_budget / groups.count().max(1));
    let behind = Behind::new(source.as_ref(), options.keep_mapped, task);
    let rows = source.row_count();
    let mut announced = 0;
    let mut run = |pass: &Pass| {
        announced += rows;
        task.set_total(announced);
        pass.forget_overflows();
        totals(pass, &layout, workers, &memory, &behind, task)
    };
    rounds::cut(&mut pass, questions, &mut run)?;
    let searches = rounds::begin(&mut pass, questions, rows);
    let mut found = run(&pass)?;
    rounds::finish(&pass, searches, &mut found, questions, &mut run, |groups, question, slots| {
        workers.0.install(|| groups.distinct(question, slots, task))
    })?;
    let overflowed = pass.overflows();
    let parts = found.into_iter().zip(pass.questions).zip(questions);
    let answers = workers.0.install(|| {
        parts
            .map(|((partial, compiled), question)| {
                finish(partial, compiled, question, &layout, &memory, task)
            })
            .collect::<Result<_, _>>()
    })?;
    Ok((answers, overflowed))
}

/// What all rows add up to, in one pass over them.
fn totals(
    pass: &Pass,
    layout: &Layout,
    workers: &Workers,
    memory: &GroupMemory,
    behind: &Behind,
    task: &Task,
) -> Result<Vec<Partial>, QueryError> {
    let mut merger = Merger::new(pass)?;
    let next_unit = AtomicUsize::new(0);
    let together = |question: &Compiled| question.units_together(layout.unit_rows(), layout.units());
    let together: Vec<usize> = pass.questions.iter().map(together).collect();
    let most_together = together.iter().copied().max().unwrap_or(1);
    while next_unit.load(Ordering::Relaxed) < layout.units() {
        let shared = Mutex::new(&mut merger);
        let work = || {
            let mut worker = pass.worker();
            while lock(&shared).wants_more() {
                let first = next_unit.fetch_add(most_together, Ordering::Relaxed);
                if first >= layout.units() {
                    break;
                }
                let mut begun = Vec::new();
                for unit in first..layout.units().min(first + most_together) {
                    let ends =
                        |together: usize| (unit + 1).is_multiple_of(together) || unit + 1 == layout.units();
                    let result = one_unit(pass, layout, unit, begun, memory, task, &mut worker)
                        .and_then(|partials| finished(partials, together.iter().map(|&t| ends(t)), memory));
                    let done;
                    (done, begun) = match result {
                        Ok((done, rest)) => (Ok(done), rest),
                        Err(error) => (Err(error), Vec::new()),
                    };
                    let has_failed = done.is_err();
                    lock(&shared).take(unit, done, pass, memory);
                    behind.look(task);
                    if has_failed {
                        break;
                    }
                }
            }
            lock(&shared).count(&worker);
        };
        workers.0.scope(|scope| {
            for _ in 0..workers.threads() {
                scope.spawn(|_| work());
            }
        });
        if let Err(error) = workers.0.install(|| merger.fold_groups(pass, memory, task)) {
            workers.0.spawn(move || drop(merger));
            return Err(error);
        }
    }
    let counted = |(partial, counts)| match partial {
        Partial::Tally => Partial::Grid(Lanes::counted(counts)),
        partial => partial,
    };
    Ok(merger.total.into_iter().zip(merger.counts).map(counted).collect())
}

/// Gives mapped pages back once so many bytes were read since the last time.
struct Behind<'a> {
    source: &'a dyn Source,
    keep: u64,
    /// Bytes that had been read the last time.
    last: AtomicU64,
}

impl Behind<'_> {
    fn new<'a>(source: &'a dyn Source, keep: u64, task: &Task) -> Behind<'a> {
        Behind { source, keep, last: AtomicU64::new(task.progress().bytes) }
    }

    fn look(&self, task: &Task) {
        let (read, last) = (task.progress().bytes, self.last.load(Ordering::Relaxed));
        let is_due = read.saturating_sub(last) > self.keep;
        // Of several threads that see it one does it.
        if is_due && self.last.compare_exchange(last, read, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.source.let_go();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the rows of a unit add up to for every question, together with those of the units before it where these
/// have `begun` it.
fn one_unit(
    pass: &Pass,
    layout: &Layout,
    unit: usize,
    begun: Vec<Option<Partial>>,
    memory: &GroupMemory,
    task: &Task,
    worker: &mut Worker,
) -> Result<Vec<Partial>, QueryError> {
    let begun = begun.into_iter().chain(std::iter::repeat_with(|| None));
    let partial = |(question, begun): (_, Option<Partial>)| match begun {
        Some(partial) => Ok(partial),
        None => Partial::of_unit(question),
    };
    let mut partials = pass.questions.iter().zip(begun).map(partial).collect::<Result<Vec<_>, _>>()?;
    for rows in layout.stretches(unit, pass.chunks_at_once(&partials)) {
        let count = rows.end - rows.start;
        pass.update(rows, &mut partials, worker, memory, task)?;
        task.advance(count)?;
    }
    Ok(partials)
}

/// The partial results that end with their unit, and those that go on.
type Finished = (Vec<Option<Partial>>, Vec<Option<Partial>>);

fn finished(
    partials: Vec<Partial>,
    ends: impl Iterator<Item = bool>,
    memory: &GroupMemory,
) -> Result<Finished, QueryError> {
    let (mut done, mut rest) = (Vec::new(), Vec::new());
    for (mut partial, ends) in partials.into_iter().zip(ends) {
        if ends {
            partial.end(memory)?;
        }
        let (ended, going_on) = if ends { (Some(partial), None) } else { (None, Some(partial)) };
        done.push(ended);
        rest.push(going_on);
    }
    Ok((done, rest))
}

/// Merges units in order, whatever order they finish in.
struct Merger {
    next: usize,
    /// By unit, what ends with it.
    waiting: BTreeMap<usize, Vec<Option<Partial>>>,
    total: Vec<Partial>,
    /// Rows per cell where nothing else is asked.
    counts: Vec<Vec<u64>>,
    error: Option<(usize, QueryError)>,
    /// Whether groups want to be folded before more units are read.
    is_full: bool,
}

impl Merger {
    fn new(pass: &Pass) -> Result<Merger, QueryError> {
        Ok(Merger {
            next: 0,
            waiting: BTreeMap::new(),
            total: pass.totals()?,
            counts: pass.questions.iter().map(Compiled::no_counts).collect(),
            error: None,
            is_full: false,
        })
    }

    fn wants_more(&self) -> bool {
        self.error.is_none() && !self.is_full
    }

    fn take(
        &mut self,
        unit: usize,
        result: Result<Vec<Option<Partial>>, QueryError>,
        pass: &Pass,
        memory: &GroupMemory,
    ) {
        match result {
            Ok(partials) => {
                self.waiting.insert(unit, partials);
            }
            Err(error) => self.fail(unit, error),
        }
        while self.error.is_none()
            && let Some(partials) = self.waiting.remove(&self.next)
        {
            for ((total, partial), question) in self.total.iter_mut().zip(partials).zip(&pass.questions) {
                let Some(partial) = partial else { continue };
                let merged = match (total, partial) {
                    (Partial::Grid(total), Partial::Grid(lanes)) => {
                        match lanes.len() / total.len() {
                            1 => total.merge(&lanes, 0..lanes.len(), |element| element),
                            spread => total.merge(&lanes, 0..lanes.len(), |element| element / spread),
                        }
                        Ok(())
                    }
                    (Partial::AllGroups(total), Partial::Groups(groups)) => {
                        let merged = total.merge(question, *groups);
                        self.is_full |= total.wants_folding(memory);
                        merged
                    }
                    (Partial::Tally, Partial::Tally) => Ok(()),
                    (Partial::Index(total), Partial::Index(passing)) => {
                        total.extend(passing);
                        Ok(())
                    }
                    _ => unreachable!("partials of one question are of one shape"),
                };
                if let Err(error) = merged {
                    self.error = Some((unit, error));
                    return;
                }
            }
            self.next += 1;
        }
    }

    /// Adds what a worker counted in all its units.
    fn count(&mut self, worker: &Worker) {
        for (counts, tally) in self.counts.iter_mut().zip(&worker.tallies) {
            if let Some(tally) = tally {
                tally.add_to(counts);
            }
        }
    }

    fn fail(&mut self, unit: usize, error: QueryError) {
        if self.error.as_ref().is_none_or(|(earlier, _)| unit < *earlier) {
            self.error = Some((unit, error));
        }
    }

    /// Makes room for more units.
    fn fold_groups(&mut self, pass: &Pass, memory: &GroupMemory, task: &Task) -> Result<(), QueryError> {
        if let Some((_, error)) = self.error.take() {
            return Err(error);
        }
        self.is_full = false;
        for (total, question) in self.total.iter_mut().zip(&pass.questions) {
            if let Partial::AllGroups(total) = total {
                total.fold(question, memory, task)?;
            }
        }
        Ok(())
    }
}

fn finish(
    partial: Partial,
    compiled: Compiled,
    question: &Question,
    layout: &Arc<Layout>,
    memory: &GroupMemory,
    task: &Task,
) -> Result<Answer, QueryError> {
    Ok(match (partial, &question.ask) {
        (Partial::Grid(lanes), Ask::Cube { active, ask }) => {
            Answer::Cube(Box::new(Cube::of_grid(lanes, compiled, active, ask)?))
        }
        (Partial::AllGroups(groups), Ask::Cube { active, ask }) => {
            Answer::Cube(Box::new(Cube::of_groups(*groups, compiled, active, ask, task)?))
        }
        (Partial::Grid(lanes), ask) => Answer::Grid(compiled.finish_grid(&lanes, ask)?),
        (Partial::AllGroups(groups), Ask::Groups { listing, .. }) => {
            Answer::Groups(groups.finish(&compiled, listing, memory, task)?)
        }
        (Partial::Tally | Partial::Groups(_) | Partial::AllGroups(_), _) => {
            return Err(QueryError::Panicked("a partial result finished as another shape".to_owned()));
        }
        (Partial::Index(passing), _) => Answer::Index(RowIndex::new(layout.clone(), &passing)),
    })
}
