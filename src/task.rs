//! Stop work, and tell how far it is.
//!
//! The owner of a job keeps a [`TaskController`]; the workers hold a [`Task`] and call
//! [`Task::advance`] once per chunk. It does not know what the work is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The work was told to stop; whatever was computed is thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

/// Rows done and rows to do, as last reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Rows finished.
    pub done: u64,
    /// Rows of the whole task; 0 while unknown.
    pub total: u64,
    /// Bytes of values read.
    pub bytes: u64,
}

impl Progress {
    /// Share done in `0.0..=1.0`; 0 while the total is unknown.
    pub fn fraction(self) -> f32 {
        if self.total == 0 { 0.0 } else { (self.done as f64 / self.total as f64).min(1.0) as f32 }
    }
}

#[derive(Debug, Default)]
struct State {
    cancelled: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
    bytes: AtomicU64,
}

/// The worker's end: report progress, learn of cancellation.
#[derive(Debug, Clone, Default)]
pub struct Task(Arc<State>);

impl Task {
    /// A task nobody cancels.
    pub fn detached() -> Task {
        Task::default()
    }

    /// Announces how many rows the whole task has.
    pub fn set_total(&self, rows: u64) {
        self.0.total.store(rows, Ordering::Relaxed);
    }

    /// Adds `bytes` to the bytes of values read.
    pub fn add_bytes(&self, bytes: u64) {
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Adds `rows` to the rows done.
    ///
    /// # Errors
    /// [`Cancelled`] once the owner has cancelled.
    pub fn advance(&self, rows: u64) -> Result<(), Cancelled> {
        self.0.done.fetch_add(rows, Ordering::Relaxed);
        self.check()
    }

    /// # Errors
    /// [`Cancelled`] once the owner has cancelled.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.0.cancelled.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }

    /// Rows done so far.
    pub fn progress(&self) -> Progress {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        Progress { done: read(&self.0.done), total: read(&self.0.total), bytes: read(&self.0.bytes) }
    }
}

/// The owner's end: at most one task at a time; dropping it cancels the task.
#[derive(Debug, Default)]
pub struct TaskController(Option<Task>);

impl TaskController {
    /// Cancels the task before, if any, and starts a new one of `total` rows.
    pub fn restart(&mut self, total: u64) -> Task {
        self.cancel();
        let task = Task::default();
        task.set_total(total);
        self.0 = Some(task.clone());
        task
    }

    /// Cancels the running task; its worker stops at the next chunk.
    pub fn cancel(&mut self) {
        if let Some(task) = self.0.take() {
            task.0.cancelled.store(true, Ordering::Relaxed);
        }
    }

    /// How far the running task is; zero when there is none.
    pub fn progress(&self) -> Progress {
        self.0.as_ref().map(Task::progress).unwrap_or_default()
    }
}

impl Drop for TaskController {
    fn drop(&mut self) {
        self.cancel();
    }
}
