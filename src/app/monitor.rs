//! Watches the window for tests: when frames are painted, and what is shown.
//!
//! `OUTCROP_FRAME_LOG=path` writes the start and duration of every frame when the window closes;
//! `OUTCROP_STATE_FILE=path` keeps a description of what is shown, as JSON, written whole each time. While no
//! button is down it holds the numbers each view is painted from, in the words of `outcrop agg`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::aggregate::Scale;
use crate::engine::Engine;
use crate::export::{CsvOptions, atomic_write, write_csv};
use crate::query::output::{TableOptions, to_batch};
use crate::query::{Ask, Axis, Key};
use crate::session::{FilterSpec, Session, ViewId, ViewKind, ViewSpec, questions};
use crate::views::ViewState;

/// Name of the job that writes the state.
pub(super) const STATE_JOB: &str = "state";

/// A frame: when it began, counted from 1970, and how long it took, in milliseconds; whether the hand was
/// at work; how many views had a picture.
struct Frame {
    start: f64,
    duration: f64,
    animating: bool,
    pictures: usize,
}

/// Watches, where the environment asks for it.
pub(super) struct Monitor {
    origin: Instant,
    /// Milliseconds from 1970 to `origin`.
    epoch: f64,
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
    /// Whether keys are for it.
    focused: bool,
    /// Left, top, right, bottom of the picture, in points.
    plot: Option<[f32; 4]>,
    #[serde(flatten)]
    numbers: Option<Numbers>,
}

/// The numbers a view is painted from, once all are exact and while no button is down.
#[derive(Serialize)]
struct Numbers {
    /// What its cells stand for, as given to `outcrop agg --by`.
    by: Vec<String>,
    /// Its measures, as given to `outcrop agg --agg`.
    measures: Vec<String>,
    /// As `outcrop agg` writes them.
    csv: String,
}

impl Numbers {
    fn of(session: &Session, spec: &ViewSpec, state: &ViewState) -> Option<Numbers> {
        let dataset = session.dataset()?;
        let question = questions::question(dataset, spec, state.axes(), session.selection_for(spec)).ok()?;
        let (by, measures) = match &question.ask {
            Ask::Grid { axes, measures } => (axes.iter().map(cut).collect(), measures),
            Ask::Groups { keys, measures, .. } => (keys.iter().map(key).collect(), measures),
            _ => return None,
        };
        let batch = to_batch(&question, &state.shown()?.selected, TableOptions::default()).ok()?;
        let mut csv = Vec::new();
        write_csv(&batch, CsvOptions::default(), &mut csv).ok()?;
        let measures = measures.iter().map(ToString::to_string).collect();
        Some(Numbers { by, measures, csv: String::from_utf8(csv).ok()? })
    }
}

fn key(key: &Key) -> String {
    match key {
        Key::Binned(axis) => cut(axis),
        Key::Value(expr) => expr.to_string(),
    }
}

fn cut(Axis { expr, bins }: &Axis) -> String {
    let log = if bins.scale() == Scale::Log { ":log" } else { "" };
    format!("{expr}:{:?}:{:?}:{}{log}", bins.lo(), bins.hi(), bins.count())
}

impl Monitor {
    pub(super) fn from_environment() -> Monitor {
        let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Monitor {
            origin: Instant::now(),
            epoch: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0.0, |since| since.as_secs_f64() * 1e3),
            frame_log: path("OUTCROP_FRAME_LOG"),
            frames: Vec::new(),
            state_file: path("OUTCROP_STATE_FILE"),
            written: String::new(),
            writing: false,
        }
    }

    fn milliseconds(&self) -> f64 {
        self.epoch + self.origin.elapsed().as_secs_f64() * 1e3
    }

    pub(super) fn begin(&mut self, ctx: &egui::Context) {
        if self.frame_log.is_some() {
            let start = self.milliseconds();
            let animating = ctx.input(|input| input.pointer.any_down());
            self.frames.push(Frame { start, duration: 0.0, animating, pictures: 0 });
        }
    }

    pub(super) fn end(&mut self, brushing: bool, pictures: usize) {
        let now = self.milliseconds();
        if let Some(frame) = self.frames.last_mut() {
            frame.duration = now - frame.start;
            frame.animating |= brushing;
            frame.pictures = pictures;
        }
    }

    /// Writes the frames seen. The window is closing; nobody waits.
    pub(super) fn write(&mut self) {
        let Some(path) = self.frame_log.take() else { return };
        let frames = std::mem::take(&mut self.frames);
        let written = atomic_write(&path, |out| {
            writeln!(out, "start_ms,duration_ms,animating,pictures")?;
            for frame in &frames {
                let Frame { start, duration, animating, pictures } = frame;
                writeln!(out, "{start:.2},{duration:.2},{},{pictures}", u8::from(*animating))?;
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
        is_held: bool,
        focused: Option<ViewId>,
        views: &HashMap<ViewId, ViewState>,
        engine: &mut Engine,
    ) {
        let Some(path) = self.state_file.clone().filter(|_| !self.writing) else { return };
        let document = session.document();
        let view = |spec: &ViewSpec| {
            let state = views.get(&spec.id);
            let is_calm = settled && !is_held;
            let numbers = state.filter(|_| is_calm).and_then(|state| Numbers::of(session, spec, state));
            View {
                title: spec.title(),
                kind: spec.kind,
                focused: focused == Some(spec.id),
                plot: state.and_then(ViewState::plot).map(|r| [r.left(), r.top(), r.right(), r.bottom()]),
                numbers,
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
