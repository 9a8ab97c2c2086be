//! A bar on the terminal while work takes long.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::task::Task;

/// Work shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);
const BETWEEN_FRAMES: Duration = Duration::from_millis(100);

/// Does `work`, with a bar on the standard error if that is a terminal and the work takes long.
pub(super) fn watched<T>(what: &str, work: impl FnOnce(&Task) -> T) -> T {
    let task = Task::detached();
    if !io::stderr().is_terminal() {
        return work(&task);
    }
    thread::scope(|scope| {
        let (working, ended) = sync_channel::<()>(0);
        let watched = task.clone();
        // Without a thread to draw it there is no bar, and the work is done all the same.
        let _ = thread::Builder::new()
            .name("progress".to_owned())
            .spawn_scoped(scope, move || show(what, &watched, &ended));
        let result = work(&task);
        drop(working);
        result
    })
}

fn show(what: &str, task: &Task, ended: &Receiver<()>) {
    let goes_on = |wait| matches!(ended.recv_timeout(wait), Err(RecvTimeoutError::Timeout));
    if !goes_on(PATIENCE) {
        return;
    }
    let bar = ProgressBar::new(task.progress().total).with_message(what.to_owned());
    if let Ok(style) =
        ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} %  {prefix}  {eta:>4} left")
    {
        bar.set_style(style.progress_chars("━╸─"));
    }
    let start = Instant::now();
    while goes_on(BETWEEN_FRAMES) {
        let progress = task.progress();
        let seconds = start.elapsed().as_secs_f64();
        bar.set_prefix(format!("{:.1} GB/s", progress.bytes as f64 / 1e9 / seconds));
        bar.set_length(progress.total);
        bar.set_position(progress.done.min(progress.total));
    }
    bar.finish_and_clear();
}
