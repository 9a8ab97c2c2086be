//! What is wanted, what is running: the state the window and the workers share.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Status;
use crate::dataset::Dataset;
use crate::expr::Expr;
use crate::query::{Answer, Ask, Question};
use crate::select::Selection;
use crate::task::{Progress, Task, TaskController};

/// A scan expected to take longer than this in all is cancelled once none of its questions is wanted any
/// more; a shorter one may finish, so that the pictures follow a drag that never rests.
const WORTH_FINISHING: Duration = Duration::from_millis(600);
/// How long a scan runs before its speed is known well enough to judge.
const TOO_EARLY_TO_JUDGE: Duration = Duration::from_millis(40);

/// A scan waits so long at most for the sample to answer first, with which it would share the processors.
const HEAD_START: Duration = Duration::from_millis(100);
/// What a sample answered may make the window ask more of it, within so long.
const NEXT_ROUND: Duration = Duration::from_millis(20);
/// How often it is looked whether the wait is over.
const MOMENT: Duration = Duration::from_millis(5);
/// When only the bell ends a wait.
const LONG: Duration = Duration::from_secs(3600);

/// A page of rows that is wanted.
#[derive(Debug, Clone)]
pub struct RowsRequest {
    /// The table.
    pub dataset: Arc<Dataset>,
    /// Which rows of it.
    pub selection: Selection,
    /// The answer to [`crate::query::Ask::Index`] for the same table and selection.
    pub index: Option<Arc<Answer>>,
    /// Position among the passing rows of the first one wanted.
    pub first: u64,
    /// How many are wanted.
    pub count: usize,
    /// Columns wanted.
    pub columns: Vec<Expr>,
}

impl RowsRequest {
    pub(super) fn key(&self) -> String {
        use std::fmt::Write;
        let mut key = format!("{}|{}|", self.dataset.identity(), self.selection.key());
        for clause in self.selection.clauses() {
            let _ = write!(key, "[{}]", clause.resolved(|expr| self.dataset.resolve(expr)).key());
        }
        let _ = write!(key, "{}+{}", self.first, self.count);
        for column in &self.columns {
            let _ = write!(key, "|{}", self.dataset.resolve(column));
        }
        key
    }
}

#[derive(Default)]
struct State {
    wanted: Vec<Question>,
    /// Since when something has been.
    wanted_since: Option<Instant>,
    running: Vec<Arc<str>>,
    /// Cubes among what is running.
    arming: usize,
    scan: TaskController,
    started: Option<Instant>,
    /// Rows and bytes a second of the scan before.
    last_speed: (f64, f64),
    samples: Vec<Question>,
    sampling: Vec<Arc<str>>,
    /// A table just opened, of which a sample will be asked.
    foretold: Option<Arc<Dataset>>,
    /// When the sample last answered.
    sampled: Option<Instant>,
    unseen_estimates: Vec<Arc<str>>,
    sample: TaskController,
    rows: Vec<(String, RowsRequest)>,
    reading: Option<String>,
    /// Finished, but not yet seen by the window: not to be computed again.
    unseen: Vec<Arc<str>>,
    unseen_rows: Vec<String>,
    read: TaskController,
    quit: bool,
}

/// What there is to do with samples.
pub(super) enum ToSample {
    /// Questions on one table, and the task to report to.
    Questions(Vec<Question>, Task),
    /// A table to read a sample of while nothing is asked.
    Ahead(Arc<Dataset>),
}

/// The shared state, and the bell that tells the workers of a change.
#[derive(Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    changed: Condvar,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces everything wanted; stops work that is no longer.
    pub(super) fn want(
        &self,
        mut questions: Vec<Question>,
        mut samples: Vec<Question>,
        mut rows: Vec<(String, RowsRequest)>,
    ) {
        let mut state = self.lock();
        samples.retain(|question| {
            !state.sampling.contains(question.key()) && !state.unseen_estimates.contains(question.key())
        });
        each_once(&mut samples);
        state.samples = samples;
        let asks_no_rows =
            state.wanted.is_empty() && questions.is_empty() && rows.is_empty() && state.running.is_empty();
        if asks_no_rows && state.samples.is_empty() {
            state.rows.clear();
            return;
        }
        let wanted = |key: &Arc<str>| questions.iter().any(|question| question.key() == key);
        let obsolete = !state.running.is_empty() && !state.running.iter().any(wanted);
        if obsolete && !state.may_finish() {
            state.scan.cancel();
        }
        questions.retain(|question| {
            !state.running.contains(question.key()) && !state.unseen.contains(question.key())
        });
        each_once(&mut questions);
        if state.reading.as_ref().is_some_and(|reading| !rows.iter().any(|(key, _)| key == reading)) {
            state.read.cancel();
        }
        rows.retain(|(key, _)| state.reading.as_ref() != Some(key) && !state.unseen_rows.contains(key));
        if state.wanted.is_empty() {
            state.wanted_since = Some(Instant::now());
        }
        state.wanted = questions;
        state.rows = rows;
        if !(state.wanted.is_empty() && state.samples.is_empty() && state.rows.is_empty()) {
            self.changed.notify_all();
        }
    }

    /// Waits until `take` finds something to do. `None` to end.
    fn wait_for<T>(&self, take: impl Fn(&mut State) -> Option<T>) -> Option<T> {
        let mut state = self.lock();
        while !state.quit {
            if let Some(taken) = take(&mut state) {
                return Some(taken);
            }
            let patience = if state.lets_sample_go_first() { MOMENT } else { LONG };
            let woken = self.changed.wait_timeout(state, patience);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        None
    }

    /// Waits for questions; takes all that ask of one table, and the task to report to. `None` to end.
    pub(super) fn take_questions(&self) -> Option<(Vec<Question>, Task)> {
        self.wait_for(|state| {
            if state.lets_sample_go_first() {
                return None;
            }
            let (now, keys) = of_one_table(&mut state.wanted)?;
            state.running = keys;
            state.arming = now.iter().filter(|question| is_cube(question)).count();
            state.started = Some(Instant::now());
            let task = state.scan.restart(now[0].dataset.row_count());
            Some((now, task))
        })
    }

    /// The questions taken last are done with; `answered` are about to be sent.
    pub(super) fn questions_done(&self, answered: impl Iterator<Item = Arc<str>>) {
        let mut state = self.lock();
        state.unseen.extend(answered);
        if let Some(speed) = state.speed() {
            state.last_speed = speed;
        }
        state.running.clear();
        state.arming = 0;
        state.started = None;
        state.scan.cancel();
    }

    /// Whether a scan is under way.
    pub(super) fn is_scanning(&self) -> bool {
        self.lock().started.is_some()
    }

    /// Says that a sample of this table will be asked for.
    pub(super) fn foretell(&self, dataset: Arc<Dataset>) {
        self.lock().foretold = Some(dataset);
        self.changed.notify_all();
    }

    /// Whether a sample is being waited for, or nothing more will be asked.
    pub(super) fn awaits_sample(&self) -> bool {
        let state = self.lock();
        state.quit || !state.samples.is_empty()
    }

    /// Waits for questions to a sample; takes all that ask of one table, and the task to report to. `None` to
    /// end.
    pub(super) fn take_samples(&self) -> Option<ToSample> {
        self.wait_for(|state| match of_one_table(&mut state.samples) {
            Some((now, keys)) => {
                state.sampling = keys;
                Some(ToSample::Questions(now, state.sample.restart(0)))
            }
            None => state.foretold.take().map(ToSample::Ahead),
        })
    }

    /// The questions to a sample taken last are done with; `estimated` are about to be sent.
    pub(super) fn samples_done(&self, estimated: impl Iterator<Item = Arc<str>>) {
        let mut state = self.lock();
        state.unseen_estimates.extend(estimated);
        state.sampling.clear();
        state.sampled = Some(Instant::now());
    }

    /// The window has these estimates now.
    pub(super) fn seen_estimates<'a>(&self, keys: impl Iterator<Item = &'a Arc<str>>) {
        let mut state = self.lock();
        for key in keys {
            state.unseen_estimates.retain(|unseen| unseen != key);
        }
    }

    /// Waits for a page to read. `None` to end.
    pub(super) fn take_rows(&self) -> Option<(String, RowsRequest, Task)> {
        self.wait_for(|state| {
            if state.rows.is_empty() {
                return None;
            }
            let (key, request) = state.rows.remove(0);
            state.reading = Some(key.clone());
            let task = state.read.restart(request.count as u64);
            Some((key, request, task))
        })
    }

    /// The page taken last is done with; whether it is about to be sent.
    pub(super) fn rows_done(&self, sent: bool) {
        let mut state = self.lock();
        let key = state.reading.take();
        state.unseen_rows.extend(key.filter(|_| sent));
    }

    /// The window has these answers now.
    pub(super) fn seen<'a>(&self, keys: impl Iterator<Item = &'a Arc<str>>) {
        let mut state = self.lock();
        for key in keys {
            state.unseen.retain(|unseen| unseen != key);
        }
    }

    /// The window has this page now.
    pub(super) fn seen_rows(&self, key: &str) {
        self.lock().unseen_rows.retain(|unseen| unseen != key);
    }

    /// Stops the scan; the keys of its questions.
    pub(super) fn cancel(&self) -> Vec<Arc<str>> {
        let mut state = self.lock();
        state.scan.cancel();
        let wanted = std::mem::take(&mut state.wanted);
        state.running.iter().cloned().chain(wanted.iter().map(|q| q.key().clone())).collect()
    }

    pub(super) fn progress(&self) -> Option<Progress> {
        let state = self.lock();
        state.started.map(|_| state.scan.progress())
    }

    pub(super) fn status(&self) -> Status {
        let state = self.lock();
        let (rows_per_second, bytes_per_second) = state.speed().unwrap_or(state.last_speed);
        Status {
            progress: state.started.map(|_| state.scan.progress()),
            rows_per_second,
            bytes_per_second,
            waiting: state.running.len() + state.wanted.len(),
            arming: state.arming + state.wanted.iter().filter(|question| is_cube(question)).count(),
            ..Status::default()
        }
    }

    pub(super) fn quit(&self) {
        let mut state = self.lock();
        state.quit = true;
        state.scan.cancel();
        state.sample.cancel();
        state.read.cancel();
        self.changed.notify_all();
    }
}

fn is_cube(question: &Question) -> bool {
    matches!(question.ask, Ask::Cube { .. })
}

/// Takes the questions that ask of the same table as the first one, and their keys; `None` when there is none.
fn of_one_table(questions: &mut Vec<Question>) -> Option<(Vec<Question>, Vec<Arc<str>>)> {
    let table = questions.first()?.dataset.source().identity();
    let taken: Vec<Question> =
        questions.extract_if(.., |question| question.dataset.source().identity() == table).collect();
    let keys = taken.iter().map(|question| question.key().clone()).collect();
    Some((taken, keys))
}

fn each_once(questions: &mut Vec<Question>) {
    let mut seen = std::collections::HashSet::new();
    questions.retain(|question| seen.insert(question.key().clone()));
}

impl State {
    /// Whether a scan had better wait a little for the sample.
    fn lets_sample_go_first(&self) -> bool {
        let is_sampling = !self.samples.is_empty()
            || !self.sampling.is_empty()
            || self.sampled.is_some_and(|at| at.elapsed() < NEXT_ROUND);
        let is_early = self.wanted_since.is_some_and(|since| since.elapsed() < HEAD_START);
        !self.wanted.is_empty() && is_sampling && is_early
    }

    /// Rows and bytes a second of the scan under way.
    fn speed(&self) -> Option<(f64, f64)> {
        let elapsed = self.started?.elapsed().as_secs_f64();
        let Progress { done, bytes, .. } = self.scan.progress();
        (elapsed > 0.0 && done > 0).then(|| (done as f64 / elapsed, bytes as f64 / elapsed))
    }

    /// Whether the scan under way will be over soon enough to let it finish.
    fn may_finish(&self) -> bool {
        let Some(started) = self.started else { return true };
        let elapsed = started.elapsed();
        let fraction = f64::from(self.scan.progress().fraction());
        elapsed < TOO_EARLY_TO_JUDGE || elapsed.as_secs_f64() <= fraction * WORTH_FINISHING.as_secs_f64()
    }
}
