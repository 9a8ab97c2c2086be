//! What crosses the edge of the window: files opened and written, by jobs of the engine.

use std::path::{Path, PathBuf};

use arrow::record_batch::RecordBatch;

use super::dialogs::Dialog;
use super::monitor::STATE_JOB;
use super::{App, chip};
use crate::engine::{Engine, Freshness, Slot, read_text};
use crate::export::{
    Chart, CsvOptions, Palette, Picture, PictureOptions, atomic_write, save_picture, save_table,
};
use crate::query::output::{TableOptions, to_batch};
use crate::session::{Command, ViewId, figure, persist, questions};
use crate::views::paint::readout;

/// Asks what is to be exported.
const EXPORT: Slot = Slot(2);
/// Names of the jobs whose end means more than a sentence.
const SESSION_JOB: &str = "session";
const BROWSE_JOB: &str = "browse";

/// What a file is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pick {
    Table,
    Session,
    SaveSession,
    Data,
    Picture,
}

/// Numbers ready to be written.
pub(super) struct Data {
    batch: RecordBatch,
    notes: Vec<(String, String)>,
}

/// Opens a table, or a session where the path is of one.
pub(super) fn open(app: &mut App, path: PathBuf) {
    if is_session(&path) {
        open_session(app, path);
    } else {
        app.commands.push(Command::Open(path));
    }
}

/// Whether a file is a session, by its name.
pub(super) fn is_session(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "outcrop")
}

/// Reads a session; it comes back as the text of its job.
pub(super) fn open_session(app: &mut App, path: PathBuf) {
    app.opening_session = Some(path.clone());
    read_session(&mut app.engine, path);
}

/// Starts reading a session.
pub(super) fn read_session(engine: &mut Engine, path: PathBuf) {
    engine.run(SESSION_JOB, move |_| read_text(&path, persist::MAX_BYTES as u64));
}

/// Writes the session.
pub(super) fn save_session(app: &mut App, path: PathBuf) {
    let text = persist::to_text(&persist::portable(app.session.document().clone(), &path));
    app.engine.run("save", move |_| {
        atomic_write(&path, |out| out.write_all(text.as_bytes())).map_err(|error| error.to_string())?;
        Ok(format!("The session is saved in {}.", path.display()))
    });
}

/// Opens the system's own dialog beside ours; the path comes back as the text of its job.
pub(super) fn browse(app: &mut App, pick: Pick, typed: &str) {
    let near = PathBuf::from(typed);
    app.engine.run(BROWSE_JOB, move |_| {
        let mut dialog = rfd::FileDialog::new();
        if let Some(folder) = near.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            dialog = dialog.set_directory(folder);
        }
        if let Some(name) = near.file_name() {
            dialog = dialog.set_file_name(name.to_string_lossy());
        }
        let chosen = match pick {
            Pick::Table => {
                let endings: Vec<&str> =
                    crate::formats::FORMATS.iter().flat_map(|format| format.extensions()).copied().collect();
                dialog.add_filter("tables", &endings).add_filter("all files", &["*"]).pick_file()
            }
            Pick::Session => dialog.add_filter("sessions", &["outcrop"]).pick_file(),
            Pick::SaveSession => dialog.add_filter("sessions", &["outcrop"]).save_file(),
            Pick::Data => dialog.add_filter("tables", &["csv", "tsv", "arrow"]).save_file(),
            Pick::Picture => dialog.add_filter("pictures", &["png", "svg"]).save_file(),
        };
        Ok(chosen.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default())
    });
}

/// A job ended.
pub(super) fn done(app: &mut App, ctx: &egui::Context, name: &str, result: Result<String, String>) {
    match (name, result) {
        (STATE_JOB, _) => app.monitor.state_written(),
        (BROWSE_JOB, Ok(path)) if path.is_empty() => {}
        (BROWSE_JOB, Ok(path)) => {
            if let Some(field) = app.dialog.as_mut().and_then(Dialog::path) {
                field.text = path;
            }
        }
        (SESSION_JOB, Ok(text)) => match persist::from_text(&text) {
            Ok(document) => {
                let document = match app.opening_session.take() {
                    Some(path) => persist::located(document, &path),
                    None => document,
                };
                app.commands.push(Command::Restore(Box::new(document)));
            }
            Err(error) => {
                app.commands.push(Command::Notify(format!("The session cannot be opened: {error}")))
            }
        },
        (SESSION_JOB, Err(text)) => app.commands.push(Command::Notify(text)),
        (_, Ok(text)) => app.toast.say(ctx, text, true),
        (_, Err(text)) => app.toast.say(ctx, text, false),
    }
}

/// A path beside the open file: its name, what is exported, an ending.
pub(super) fn beside(app: &App, what: &str, ending: &str) -> String {
    let file = app.session.document().file.as_deref().unwrap_or(Path::new("outcrop"));
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let separator = if what.is_empty() { "" } else { "-" };
    file.with_file_name(format!("{stem}{separator}{what}.{ending}")).display().to_string()
}

/// What of a view goes into the name of a file: its axes.
pub(super) fn stem(app: &App, view: ViewId) -> Option<String> {
    let view = app.session.document().view(view)?;
    let keys = view.grouping.iter().flat_map(|grouping| &grouping.keys);
    let axes = [&view.x, &view.y].into_iter().flatten().chain(keys);
    let text = axes.map(|axis| axis.expr.as_str()).collect::<Vec<_>>().join("-");
    let harmless = |c: char| if c.is_alphanumeric() || c == '-' { c } else { '_' };
    Some(text.trim_matches('`').chars().take(60).map(harmless).collect())
}

/// The numbers of a view under all filters. To be asked every frame until they are there.
///
/// # Errors
/// A sentence that says what is lacking yet, or wrong.
pub(super) fn prepare(app: &mut App, view: ViewId) -> Result<Data, String> {
    let session = &app.session;
    let dataset = session.dataset().ok_or("no file is open")?;
    let spec = session.document().view(view).ok_or("the view is gone")?;
    let axes = app.views.get(&view).map(|state| state.axes()).unwrap_or_default();
    let question = questions::question(dataset, spec, axes, session.selection().clone())?;
    let reply = app.engine.answer(EXPORT, &question);
    let answer = match (reply.freshness, reply.answer) {
        (Freshness::Final, Some(answer)) => answer,
        (Freshness::Failed(error), _) => return Err(error.to_string()),
        _ => return Err("computing …".to_owned()),
    };
    let batch =
        to_batch(&question, &answer, TableOptions { centres: true }).map_err(|error| error.to_string())?;
    Ok(Data { batch, notes: notes(app, view) })
}

/// What a file should say of itself: where it comes from and under which filters.
fn notes(app: &App, view: ViewId) -> Vec<(String, String)> {
    let session = &app.session;
    let document = session.document();
    let mut notes = vec![("software".to_owned(), format!("Outcrop {}", env!("CARGO_PKG_VERSION")))];
    if let Some(file) = &document.file {
        notes.push(("source".to_owned(), file.display().to_string()));
    }
    if let Some(view) = document.view(view) {
        notes.push(("view".to_owned(), view.title()));
    }
    for filter in document.filters.iter().filter(|filter| filter.enabled) {
        notes.push(("filter".to_owned(), chip::describe(session, filter)));
    }
    notes
}

/// Writes numbers to a file in the format its ending names.
pub(super) fn write_data(app: &mut App, data: Data, path: PathBuf) {
    app.engine.run("export", move |_| {
        save_table(&path, &data.batch, CsvOptions::default(), &data.notes)
            .map_err(|error| error.to_string())?;
        let rows = readout::rows(data.batch.num_rows() as u64);
        Ok(format!("{rows} written to {}.", path.display()))
    });
}

/// The picture of a view as plain data.
///
/// # Errors
/// A sentence that says what is lacking yet.
pub(super) fn chart(app: &App, view: ViewId) -> Result<Chart, String> {
    let spec = app.session.document().view(view).ok_or("the view is gone")?;
    let shown = app.views.get(&view).and_then(|state| state.shown()).ok_or("computing …")?;
    let all = shown.all.as_deref().filter(|_| !app.session.selection_for(spec).is_all());
    let chart = figure::chart(&app.session, spec, &shown.selected, all).ok_or("this view has no picture")?;
    Ok(Chart { subtitle: figure::filters_line(&app.session), ..chart })
}

/// Draws a picture into a file in the format its ending names.
pub(super) fn write_picture(
    app: &mut App,
    (view, chart): (ViewId, Chart),
    path: PathBuf,
    [width, height]: [u32; 2],
    scale: f32,
    dark: bool,
) {
    let palette = if dark { Palette::DARK } else { Palette::LIGHT };
    let options = PictureOptions { width, height, scale, palette };
    let notes = notes(app, view);
    app.engine.run("export", move |_| {
        save_picture(&path, Picture::Chart(&chart), options, &notes).map_err(|error| error.to_string())?;
        Ok(format!("The picture is in {}.", path.display()))
    });
}
