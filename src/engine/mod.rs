//! The only room that knows time: now, later, cancelled, again.
//!
//! An [`Engine`] belongs to the window's thread and never makes it wait. Every frame the views ask
//! their questions anew; what is cached is answered at once, what is not is computed by the scan
//! thread, and meanwhile the asking [`Slot`]'s last good answer is given as stale. Answers are found
//! by the question's own key, so that a late one can never be shown for another question and coming
//! back to an old one costs nothing.
//!
//! Until an exact answer comes, a question on a large table is answered from a sample of it, with the error
//! that the sample shows.
//!
//! Threads: `engine` runs one scan at a time, all waiting questions on one table in one pass; `sample`
//! answers from samples, beside any scan; `rows` reads the rows on screen; `codes` writes codes of axes to disk;
//! every file job (open, export) has a thread of its own. Files are read and work is done there and nowhere else.

mod cache;
mod cache_files;
mod code_files;
mod inbox;
mod jobs;
mod worker;
mod zone_maps;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::dataset::Dataset;
use crate::expr::Expr;
use crate::memory::memory_bytes;
use crate::query::rows::RowPage;
use crate::query::{
    Answer, Ask, Brush, Codes, Estimate, Overflow, QueryError, Question, SampleOptions, ScanOptions, Workers,
};
use crate::task::{Progress, Task};

use cache::Cache;
pub use cache_files::forbid_cache_files;
pub use code_files::CodeFiles;
use inbox::Inbox;
pub use inbox::RowsRequest;
pub use jobs::read_text;
pub use zone_maps::ZoneMaps;

/// Bytes of finished answers kept for coming back to, cubes among them, where the machine does not say how much memory
/// it has.
const ANSWER_BUDGET: usize = 256 << 20;
/// Share of the machine's memory that they may take.
const ANSWER_SHARE: usize = 32;
/// Share of the machine's memory that codes of axes may take.
const CODE_SHARE: usize = 4;
/// Bytes of codes kept where the machine does not say how much memory it has.
const CODE_BUDGET: usize = 1 << 30;
/// Bytes of finished estimates kept.
const ESTIMATE_BUDGET: usize = 64 << 20;
/// Bytes of pages of rows kept.
const PAGE_BUDGET: usize = 16 << 20;

/// Who asks; remembers the last good answer to show while the next is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u64);

/// How an answer relates to the question.
#[derive(Debug, Clone, PartialEq)]
pub enum Freshness {
    /// It is the exact answer.
    Final,
    /// It is an estimate from a sample; the exact answer is under way.
    Sampled(Progress),
    /// It answers an earlier question of the slot; the right one is under way.
    Stale(Progress),
    /// There will be no answer; what is shown is an earlier one.
    Failed(QueryError),
}

/// An answer, or the best there is.
#[derive(Debug, Clone)]
pub struct Reply {
    /// `None` until the slot has had its first answer.
    pub answer: Option<Arc<Answer>>,
    /// Whether it is the right one.
    pub freshness: Freshness,
    /// What the answer is known to, when it comes from a sample: the share of the rows that was read, and
    /// the standard errors. Such an answer is not for export.
    pub estimate: Option<Arc<Estimate>>,
    /// The expressions of the question of which values overflowed their type, as far as a scan has told.
    pub overflowed: Vec<Overflow>,
}

/// A page of rows, or the best there is.
#[derive(Debug, Clone)]
pub struct RowsReply {
    /// `None` until the slot has had its first page.
    pub page: Option<Arc<RowPage>>,
    /// Whether it is the right one.
    pub freshness: Freshness,
}

/// Something finished that no question asked for.
#[derive(Debug)]
pub enum Event {
    /// A file was opened, or not.
    Opened {
        /// The path asked for.
        path: PathBuf,
        /// The table, or a sentence that names the file and the reason.
        result: Result<Arc<Dataset>, String>,
    },
    /// A job given to [`Engine::run`] ended.
    Done {
        /// The job's name.
        name: String,
        /// What it says for itself.
        result: Result<String, String>,
    },
}

/// What the engine is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Status {
    /// Of the scan under way, if any.
    pub progress: Option<Progress>,
    /// Of the scan under way, or of the last one.
    pub rows_per_second: f64,
    /// Bytes of columns and codes read a second, of the same scan.
    pub bytes_per_second: f64,
    /// Questions being computed or waiting, cubes included.
    pub waiting: usize,
    /// Cubes among them: views being armed for the brush under the hand.
    pub arming: usize,
    /// File jobs under way.
    pub jobs: usize,
    /// Bytes held by cubes, which let a brush move without a scan.
    pub cube_bytes: usize,
    /// Bytes held by other answers, exact ones and estimates, to come back to.
    pub answer_bytes: usize,
    /// Bytes held by samples of tables.
    pub sample_bytes: usize,
    /// Bytes of memory held by codes of axes, read in place of columns.
    pub code_bytes: usize,
    /// Bytes of codes that are mapped from the cache folder instead, and take no memory of their own.
    pub mapped_code_bytes: usize,
}

/// How an engine goes about it.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// Threads of a scan; 0: one per core.
    pub threads: usize,
    /// How rows are scanned.
    pub scan: ScanOptions,
    /// Which tables are sampled first, and how.
    pub sample: SampleOptions,
    /// Bytes that codes of axes may take; without one a share of the machine's memory.
    pub code_budget: Option<usize>,
    /// Where codes are kept from one start to the next; without one nowhere.
    pub code_files: Option<CodeFiles>,
}

/// What a slot shows: an answer, and its error if it is an estimate.
type Shown = (Arc<Answer>, Option<Arc<Estimate>>);
/// Questions by their keys, and what their sample says; `None` where it says nothing.
type Estimates = Vec<(Arc<str>, Option<Arc<Estimate>>)>;

/// Questions by their keys, and what came of them.
type Results = Vec<(Arc<str>, Result<Arc<Answer>, QueryError>)>;

/// What the worker threads send back.
enum Message {
    Answers { results: Results, identity: String, overflowed: Vec<Overflow> },
    Estimates { estimates: Estimates, sample_bytes: usize },
    Page { key: String, result: Result<Arc<RowPage>, QueryError> },
    Event(Event),
}

type Wake = Arc<dyn Fn() + Send + Sync>;

/// Asks, schedules, caches; owned by one thread and never blocking it.
pub struct Engine {
    inbox: Arc<Inbox>,
    messages: Receiver<Message>,
    sender: SyncSender<Message>,
    wake: Wake,
    answers: Cache<Arc<str>, Result<Arc<Answer>, QueryError>>,
    estimates: Cache<Arc<str>, Option<Arc<Estimate>>>,
    pages: Cache<String, Result<Arc<RowPage>, QueryError>>,
    shown: HashMap<Slot, Shown>,
    /// Values that overflowed, by table and expression.
    overflowed: HashMap<(String, Expr), u64>,
    shown_pages: HashMap<Slot, Arc<RowPage>>,
    brush: Option<Brush>,
    asked: Vec<Question>,
    /// Cubes that will be wanted once a brush moves.
    foreseen: Vec<Question>,
    /// Asked of a sample, until the exact answer comes.
    asked_samples: Vec<Question>,
    least_sampled: u64,
    codes: Arc<Codes>,
    sample_bytes: usize,
    asked_rows: Vec<(String, RowsRequest)>,
    jobs: usize,
    events: Vec<Event>,
}

impl Engine {
    /// Starts the threads. `wake` is called from any of them when there is something to
    /// [`poll`](Engine::poll). Codes are kept in the user's cache folder.
    ///
    /// # Errors
    /// The system gave no threads.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> io::Result<Engine> {
        let code_files = CodeFiles::of_user();
        Engine::with_options(wake, EngineOptions { code_files, ..EngineOptions::default() })
    }

    /// As [`Engine::new`], with other options.
    ///
    /// # Errors
    /// The system gave no threads.
    pub fn with_options(
        wake: impl Fn() + Send + Sync + 'static,
        options: EngineOptions,
    ) -> io::Result<Engine> {
        let wake: Wake = Arc::new(wake);
        let inbox = Arc::new(Inbox::default());
        let (sender, messages) = sync_channel(1024);
        let workers = Workers::in_background(options.threads)?;
        let code_budget = options.code_budget.or(memory_bytes().map(|bytes| bytes / CODE_SHARE));
        let codes = Codes::new(code_budget.unwrap_or(CODE_BUDGET));
        let answer_budget = memory_bytes().map_or(ANSWER_BUDGET, |bytes| bytes / ANSWER_SHARE);
        let (ring, bell) = sync_channel(1);
        let codes = match options.code_files {
            Some(files) => {
                let codes = Arc::new(codes.on_shelf(Arc::new(files.clone())));
                let (kept, scans) = (codes.clone(), inbox.clone());
                let is_scanning = move || scans.is_scanning();
                jobs::spawn("codes", move || code_files::keep_when_calm(&files, &kept, &bell, is_scanning))?;
                codes
            }
            None => Arc::new(codes),
        };
        let scans = worker::Scans { workers, codes: codes.clone(), options: options.scan, ring };
        worker::start_scans(inbox.clone(), scans, sender.clone(), wake.clone())?;
        let samplers = Workers::new(options.threads)?;
        worker::start_samples(inbox.clone(), samplers, options.sample, sender.clone(), wake.clone())?;
        worker::start_rows(inbox.clone(), sender.clone(), wake.clone())?;
        Ok(Engine {
            inbox,
            messages,
            sender,
            wake,
            answers: Cache::new(answer_budget),
            estimates: Cache::new(ESTIMATE_BUDGET),
            pages: Cache::new(PAGE_BUDGET),
            shown: HashMap::new(),
            overflowed: HashMap::new(),
            shown_pages: HashMap::new(),
            brush: None,
            asked: Vec::new(),
            foreseen: Vec::new(),
            asked_samples: Vec::new(),
            least_sampled: options.sample.least_rows,
            codes,
            sample_bytes: 0,
            asked_rows: Vec::new(),
            jobs: 0,
            events: Vec::new(),
        })
    }

    /// Tells which brush is under the hand: questions that it filters are from now on answered from
    /// cubes, which are built ahead when nothing else is wanted. `None` when the hand is on no view.
    pub fn hold(&mut self, brush: Option<Brush>) {
        self.brush = brush;
    }

    /// The answer to `question`, or what there is until it comes. To be asked again every frame for as
    /// long as the answer is wanted.
    pub fn answer(&mut self, slot: Slot, question: &Question) -> Reply {
        let reply = self.reply(slot, question);
        Reply { overflowed: self.overflowed_in(question), ..reply }
    }

    fn overflowed_in(&self, question: &Question) -> Vec<Overflow> {
        if self.overflowed.is_empty() {
            return Vec::new();
        }
        let identity = question.dataset.identity();
        let counted = |expr: Expr| {
            let values = *self.overflowed.get(&(identity.clone(), expr.clone()))?;
            Some(Overflow { expr, values })
        };
        question.expressions().into_iter().filter_map(counted).collect()
    }

    fn reply(&mut self, slot: Slot, question: &Question) -> Reply {
        let wanted = match self.answers.get(question.key()).cloned() {
            Some(Ok(answer)) => {
                let reply = self.show(slot, answer);
                self.foresee(slot, question);
                return reply;
            }
            Some(Err(error)) => return self.shown(slot, Freshness::Failed(error)),
            None => match self.by_cube(slot, question) {
                Some(Ok(answer)) => return self.show(slot, answer),
                Some(Err(cube)) => cube,
                None => question.clone(),
            },
        };
        self.asked.push(wanted);
        let progress = self.inbox.progress().unwrap_or_default();
        match self.estimates.get(question.key()) {
            Some(Some(estimate)) => {
                self.shown.insert(slot, (estimate.answer.clone(), Some(estimate.clone())));
                return self.shown(slot, Freshness::Sampled(progress));
            }
            Some(None) => {}
            None if question.dataset.row_count() < self.least_sampled => {}
            None if matches!(question.ask, Ask::Index | Ask::Cube { .. }) => {}
            None => self.asked_samples.push(question.clone()),
        }
        self.shown(slot, Freshness::Stale(progress))
    }

    /// As [`Engine::answer`], of a question that follows no brush: no cube is built for it.
    pub fn unbrushed(&mut self, slot: Slot, question: &Question) -> Reply {
        let foreseen = self.foreseen.len();
        let reply = self.answer(slot, question);
        self.foreseen.truncate(foreseen);
        reply
    }

    /// As [`Engine::unbrushed`], where an estimate will do: of a table large enough to be sampled no more than
    /// the sample is read, and the same is answered however often it is asked.
    pub fn glance(&mut self, slot: Slot, question: &Question) -> Reply {
        if question.dataset.row_count() < self.least_sampled {
            return self.unbrushed(slot, question);
        }
        match self.estimates.get(question.key()) {
            Some(Some(estimate)) => {
                self.shown.insert(slot, (estimate.answer.clone(), Some(estimate.clone())));
                self.shown(slot, Freshness::Sampled(Progress::default()))
            }
            Some(None) => self.unbrushed(slot, question),
            None => {
                self.asked_samples.push(question.clone());
                self.shown(slot, Freshness::Stale(Progress::default()))
            }
        }
    }

    fn show(&mut self, slot: Slot, answer: Arc<Answer>) -> Reply {
        self.shown.insert(slot, (answer, None));
        self.shown(slot, Freshness::Final)
    }

    fn shown(&self, slot: Slot, freshness: Freshness) -> Reply {
        let (answer, estimate) = self.shown.get(&slot).cloned().unzip();
        Reply { answer, freshness, estimate: estimate.flatten(), overflowed: Vec::new() }
    }

    /// The answer from the cube of the brush that is held, or the cube to be built for it. `None` when no
    /// brush is held, it does not filter the question, or no cube serves.
    fn by_cube(&mut self, slot: Slot, question: &Question) -> Option<Result<Arc<Answer>, Question>> {
        let wanted = self.brush.as_ref()?.wanted(question)?;
        let cube = self.cube_for(slot, question)?;
        match self.answers.get(cube.key()) {
            Some(Ok(found)) => {
                let answer = Arc::new(found.cube()?.slice(&wanted).ok()?);
                self.answers.insert(question.key().clone(), Ok(answer.clone()), answer.bytes());
                Some(Ok(answer))
            }
            Some(Err(_)) => None,
            None => Some(Err(cube)),
        }
    }

    /// The cube of the held brush for a question. Of groups none is built that is known to be too large, and of the
    /// first of many none before it is known how many there are.
    fn cube_for(&self, slot: Slot, question: &Question) -> Option<Question> {
        let brush = self.brush.as_ref()?;
        let cube = brush.cube_for(question)?;
        if let Ask::Groups { listing, .. } = &question.ask {
            let known = self.shown.get(&slot).and_then(|(answer, _)| answer.groups());
            let found = known.map(|groups| groups.found);
            if found.is_none() && listing.limit.is_some() || !brush.suits(&cube, found, &self.codes) {
                return None;
            }
        }
        Some(cube)
    }

    /// Has the cube built that the held brush will want of `question`, when nothing else is wanted. What is answered
    /// exactly is foreseen by itself; of a question that is not asked, since its answer is known, it is to be said.
    pub fn foresee(&mut self, slot: Slot, question: &Question) {
        if let Some(cube) = self.cube_for(slot, question)
            && self.answers.get(cube.key()).is_none()
        {
            self.foreseen.push(cube);
        }
    }

    /// The page of rows asked for, or what there is until it comes.
    pub fn rows(&mut self, slot: Slot, request: &RowsRequest) -> RowsReply {
        let key = request.key();
        let freshness = match self.pages.get(&key) {
            Some(Ok(page)) => {
                self.shown_pages.insert(slot, page.clone());
                return RowsReply { page: Some(page.clone()), freshness: Freshness::Final };
            }
            Some(Err(error)) => Freshness::Failed(error.clone()),
            None => {
                self.asked_rows.push((key, request.clone()));
                Freshness::Stale(Progress::default())
            }
        };
        RowsReply { page: self.shown_pages.get(&slot).cloned(), freshness }
    }

    /// Hands the questions of this frame to the workers and withdraws those of earlier frames.
    pub fn end_frame(&mut self) {
        let foreseen = std::mem::take(&mut self.foreseen);
        let mut asked = std::mem::take(&mut self.asked);
        if asked.is_empty() {
            asked = foreseen;
        }
        let asked_rows = std::mem::take(&mut self.asked_rows);
        self.inbox.want(asked, std::mem::take(&mut self.asked_samples), asked_rows);
    }

    /// Takes in what has finished. To be called at the start of every frame.
    pub fn poll(&mut self) -> Vec<Event> {
        while let Ok(message) = self.messages.try_recv() {
            match message {
                Message::Answers { results, identity, overflowed } => {
                    let counted = overflowed.into_iter().map(|o| ((identity.clone(), o.expr), o.values));
                    self.overflowed.extend(counted);
                    self.inbox.seen(results.iter().map(|(key, _)| key));
                    for (key, result) in results {
                        let bytes = result.as_ref().map_or(256, |answer| answer.bytes());
                        self.answers.insert(key, result, bytes);
                    }
                }
                Message::Estimates { estimates, sample_bytes } => {
                    self.sample_bytes = sample_bytes;
                    self.inbox.seen_estimates(estimates.iter().map(|(key, _)| key));
                    for (key, estimate) in estimates {
                        let bytes = estimate.as_ref().map_or(64, |estimate| estimate.bytes());
                        self.estimates.insert(key, estimate, bytes);
                    }
                }
                Message::Page { key, result } => {
                    let bytes = result.as_ref().map_or(256, |page| {
                        page.columns.iter().map(|c| c.get_array_memory_size()).sum::<usize>() + page.len() * 8
                    });
                    self.inbox.seen_rows(&key);
                    self.pages.insert(key, result, bytes);
                }
                Message::Event(event) => {
                    self.jobs = self.jobs.saturating_sub(1);
                    self.events.push(event);
                }
            }
        }
        std::mem::take(&mut self.events)
    }

    /// Opens the file at `path` on a thread of its own; ends in [`Event::Opened`].
    pub fn open(&mut self, path: PathBuf) {
        let (inbox, least) = (self.inbox.clone(), self.least_sampled);
        self.start("open", move |_| {
            let result = jobs::open(&path);
            // The window asks a frame or two later.
            let large = result.as_ref().ok().filter(|dataset| dataset.row_count() >= least);
            large.into_iter().for_each(|dataset| inbox.foretell(dataset.clone()));
            Event::Opened { path, result }
        });
    }

    /// Runs `job` on a thread of its own; ends in [`Event::Done`].
    pub fn run(
        &mut self,
        name: impl Into<String>,
        job: impl FnOnce(&Task) -> Result<String, String> + Send + 'static,
    ) {
        let name = name.into();
        self.start("job", move |task| {
            let result = jobs::guarded(|| job(task));
            Event::Done { name, result }
        });
    }

    fn start(&mut self, thread: &str, job: impl FnOnce(&Task) -> Event + Send + 'static) {
        let (sender, wake) = (self.sender.clone(), self.wake.clone());
        let started = jobs::spawn(thread, move || {
            // A closed channel means the window is gone, and nobody is left to tell.
            let _ = sender.send(Message::Event(job(&Task::detached())));
            wake();
        });
        match started {
            Ok(()) => self.jobs += 1,
            Err(error) => self.events.push(Event::Done {
                name: thread.to_owned(),
                result: Err(format!("the system gives no more threads: {error}")),
            }),
        }
    }

    /// What is under way.
    pub fn status(&self) -> Status {
        let mut status = self.inbox.status();
        status.jobs = self.jobs;
        status.cube_bytes =
            self.answers.bytes_of(|result| result.as_ref().is_ok_and(|answer| answer.cube().is_some()));
        status.answer_bytes = self.answers.bytes() - status.cube_bytes + self.estimates.bytes();
        status.sample_bytes = self.sample_bytes;
        status.code_bytes = self.codes.bytes();
        status.mapped_code_bytes = self.codes.mapped_bytes();
        status
    }

    /// Stops the scan under way. Its questions stay unanswered until they change or
    /// [`retry`](Engine::retry).
    pub fn cancel(&mut self) {
        for key in self.inbox.cancel() {
            self.answers.insert(key, Err(QueryError::Cancelled(crate::task::Cancelled)), 256);
        }
    }

    /// Forgets failures and cancellations, so that they are tried again.
    pub fn retry(&mut self) {
        self.answers.retain(|result| result.is_ok());
        self.pages.retain(|result| result.is_ok());
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.inbox.quit();
    }
}
