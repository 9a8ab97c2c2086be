//! Watches the window for tests: when frames are painted, and what is shown.
//!
//! `OUTCROP_FRAME_LOG=path` writes the start and duration of every frame when the window closes;
//! `OUTCROP_STATE_FILE=path` keeps a description of what is shown, as JSON, written whole each time.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Instant;

use serde::Serialize;

use crate::engine::Engine;
use crate::export::atomic_write;
use crate::session::{FilterSpec, Session, ViewId, ViewKind};
use crate::views::ViewState;

/// Name of the job that writes the state.
pub(super) const STATE_JOB: &str = "state";

/// A frame: when it began and how long it took, in milliseconds, and whether more were wanted.
struct Frame {
    start: f64,
    duration: f64,
    animating: bool,
}

/// Watches, where the environment asks for it.
pub(super) struct Monitor {
    origin: Instant,
    frame_log: Option<PathBuf>,
    frames: Vec<Frame>,
    state_file: Option<PathBuf>,
    written: String,
    writing: bool,
}

/// What is shown.
#[derive(Serialize)]
struct State<'a> {
    file: Option<&'a PathBuf>,
    rows: Option<u64>,
    count: Option<u64>,
    exact: bool,
    /// Whether everything asked for has been answered.
    settled: bool,
    notice: Option<&'a str>,
    filters: &'a [FilterSpec],
    views: Vec<View>,
}

#[derive(Serialize)]
struct View {
    title: String,
    kind: ViewKind,
    /// Left, top, right, bottom of the picture, in points.
    plot: Option<[f32; 4]>,
    /// First and last edge and number of bins of every axis.
    axes: Vec<(f64, f64, usize)>,
}

impl Monitor {
    pub(super) fn from_environment() -> Monitor {
        let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Monitor {
            origin: Instant::now(),
            frame_log: path("OUTCROP_FRAME_LOG"),
            frames: Vec::new(),
            state_file: path("OUTCROP_STATE_FILE"),
            written: String::new(),
            writing: false,
        }
    }

    fn milliseconds(&self) -> f64 {
        self.origin.elapsed().as_secs_f64() * 1e3
    }

    pub(super) fn begin(&mut self, ctx: &egui::Context) {
        if self.frame_log.is_some() {
            let start = self.milliseconds();
            let animating = ctx.input(|input| input.pointer.any_down());
            self.frames.push(Frame { start, duration: 0.0, animating });
        }
    }

    pub(super) fn end(&mut self, working: bool) {
        let now = self.milliseconds();
        if let Some(frame) = self.frames.last_mut() {
            frame.duration = now - frame.start;
            frame.animating |= working;
        }
    }

    /// Writes the frames seen. The window is closing; nobody waits.
    pub(super) fn write(&mut self) {
        let Some(path) = self.frame_log.take() else { return };
        let frames = std::mem::take(&mut self.frames);
        let written = atomic_write(&path, |out| {
            writeln!(out, "start_ms,duration_ms,animating")?;
            for frame in &frames {
                let Frame { start, duration, animating } = frame;
                writeln!(out, "{start:.2},{duration:.2},{}", u8::from(*animating))?;
            }
            Ok(())
        });
        if let Err(error) = written {
            eprintln!("{error}");
        }
    }

    /// Writes what is shown, if it changed.
    pub(super) fn report(
        &mut self,
        session: &Session,
        (count, exact, settled): (Option<u64>, bool, bool),
        views: &HashMap<ViewId, ViewState>,
        engine: &mut Engine,
    ) {
        let Some(path) = self.state_file.clone().filter(|_| !self.writing) else { return };
        let document = session.document();
        let view = |spec: &crate::session::ViewSpec| {
            let state = views.get(&spec.id);
            let axes = state.map(ViewState::axes).unwrap_or_default();
            View {
                title: spec.title(),
                kind: spec.kind,
                plot: state.and_then(ViewState::plot).map(|r| [r.left(), r.top(), r.right(), r.bottom()]),
                axes: axes.iter().map(|a| (a.bins.lo(), a.bins.hi(), a.bins.count())).collect(),
            }
        };
        let state = State {
            file: document.file.as_ref(),
            rows: session.dataset().map(|dataset| dataset.row_count()),
            count,
            exact,
            settled,
            notice: session.notice().map(|notice| notice.text.as_str()),
            filters: &document.filters,
            views: document.views.iter().map(view).collect(),
        };
        let text = serde_json::to_string_pretty(&state).unwrap_or_default();
        if text != self.written {
            self.written.clone_from(&text);
            self.writing = true;
            engine.run(STATE_JOB, move |_| {
                let written = atomic_write(&path, |out| out.write_all(text.as_bytes()));
                written.map(|_| String::new()).map_err(|error| error.to_string())
            });
        }
    }

    /// The state was written, or not.
    pub(super) fn state_written(&mut self) {
        self.writing = false;
    }
}

impl Monitor {
    /// Whether the state is being written.
    pub(super) fn is_writing(&self) -> bool {
        self.writing
    }
}
