//! `outcrop render`: a whole session, or the first scene of a file, as one picture.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::input::{Input, Table};
use super::output::extension;
use super::scene::{Look, axes, charts, check_picture_path, session_on};
use super::{CliCommand, Execute, Failure, command};
use crate::export::Picture;
use crate::session::{Document, ThemeChoice, figure, first_scene, persist};

pub(super) const COMMAND: CliCommand = command::<Render>("render");

/// Draw a session as one picture, as the window shows it
///
/// Of a table the scene is drawn that the window shows first.
#[derive(Debug, clap::Args)]
pub(super) struct Render {
    /// A session file, or a table
    #[arg(value_name = "SESSION", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Threads to compute on; 0 is one per core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    #[command(flatten)]
    look: Look,
    /// Where to: a .png or .svg file
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Execute for Render {
    fn execute(self) -> Result<(), Failure> {
        check_picture_path(&self.output)?;
        let saved = read_session(&self.file)?;
        let file = match &saved {
            Some(document) => document.file.clone().ok_or_else(|| {
                Failure::about(&self.file, "the session names no table, so there is nothing to draw")
            })?,
            None => self.file.clone(),
        };
        let input = Input::plain(file, self.threads);
        let mut table = input.open()?;
        let document = saved.unwrap_or_else(|| first_document(&table));
        let dark = document.theme == ThemeChoice::Dark;
        let session = session_on(document, &table)?;
        if let Some(dataset) = session.dataset() {
            table.dataset = Arc::clone(dataset);
        }
        let axes = axes(&session, &table)?;
        let (charts, passing) = charts(&session, &table, &axes)?;
        let dashboard = figure::dashboard(&session, charts, passing);
        let notes = [("Source".to_owned(), table.path.display().to_string())];
        self.look.save(&self.output, Picture::Dashboard(&dashboard), dark, &notes)
    }
}

fn first_document(table: &Table) -> Document {
    let (views, layout) = first_scene(&table.dataset);
    Document { views, layout, ..Document::default() }
}

/// The session in a file; `None` when it holds something else.
fn read_session(path: &Path) -> Result<Option<Document>, Failure> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::about(path, "no such file"),
        _ => Failure::about(path, error),
    };
    let mut file = File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Ok(None);
    }
    let mut head = vec![0; persist::HEADER.len()];
    let mut read = 0;
    while read < head.len() {
        match file.read(&mut head[read..]).map_err(failed)? {
            0 => break,
            more => read += more,
        }
    }
    head.truncate(read);
    if !persist::recognizes(&head, &extension(path)) {
        return Ok(None);
    }
    // One byte more than allowed, so that a longer file is noticed.
    let mut bytes = head;
    file.take(persist::MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::about(path, "not a session: it is not text"))?;
    let document = persist::from_text(&text).map_err(|error| Failure::about(path, error))?;
    Ok(Some(persist::located(document, path)))
}
