//! A session as plain, versioned text (TOML). Reading it runs nothing and opens nothing.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Document, LayoutColumn};

/// Version written; files of later versions are refused.
pub const VERSION: u32 = 1;
/// First line of every session file.
pub const HEADER: &str = "# Outcrop session";
/// Largest session file read, in bytes.
pub const MAX_BYTES: usize = 16 << 20;

/// A session text could not be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PersistError {
    /// Longer than any session.
    #[error("{bytes} bytes are more than a session file may have ({MAX_BYTES})")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Written by a later version of the program.
    #[error("the session is of version {found}; this program reads up to {VERSION}")]
    Version {
        /// Version found.
        found: u32,
    },
    /// Not a session.
    #[error("not a session: {0}")]
    Syntax(String),
}

#[derive(Serialize, Deserialize)]
struct Versioned {
    version: u32,
    #[serde(flatten)]
    rest: toml::Table,
}

/// The document as text.
pub fn to_text(document: &Document) -> String {
    let body = toml::to_string(document).unwrap_or_default();
    format!("{HEADER}\nversion = {VERSION}\n{body}")
}

/// The document with its file where the session file at `path` means it: a relative path begins in the
/// folder of the session file, so that both can be moved together.
pub fn located(mut document: Document, path: &Path) -> Document {
    if let (Some(file), Some(folder)) = (&mut document.file, path.parent()) {
        *file = folder.join(&file);
    }
    document
}

/// The document as it is best saved at `path`: its file by name alone where it lies in the folder of the
/// session file or below; the inverse of [`located`]. Both paths must be absolute for that.
pub fn portable(mut document: Document, path: &Path) -> Document {
    if let (Some(file), Some(folder)) = (&mut document.file, path.parent())
        && let Ok(inside) = file.strip_prefix(folder)
    {
        *file = inside.to_owned();
    }
    document
}

/// Whether a file that begins with `head` and has this lower-case extension holds a session.
pub fn recognizes(head: &[u8], extension: &str) -> bool {
    extension == "outcrop" || head.starts_with(HEADER.as_bytes())
}

/// The document of a text.
///
/// # Errors
/// [`PersistError`], which names the line and what was expected.
pub fn from_text(text: &str) -> Result<Document, PersistError> {
    if text.len() > MAX_BYTES {
        return Err(PersistError::TooLong { bytes: text.len() });
    }
    let syntax = |error: toml::de::Error| PersistError::Syntax(error.to_string().trim_end().to_owned());
    let versioned: Versioned = toml::from_str(text).map_err(syntax)?;
    if versioned.version > VERSION {
        return Err(PersistError::Version { found: versioned.version });
    }
    // Parsed again rather than converted, so that an error points at its line; the version line is
    // blanked, so that the lines keep their numbers.
    let body: String = text
        .lines()
        .map(|line| if line.trim_start().starts_with("version") && line.contains('=') { "" } else { line })
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut document: Document = toml::from_str(&body).map_err(syntax)?;
    // Written by hand a session may leave out where its views are.
    for view in &document.views {
        let is_here = |column: &LayoutColumn| column.cells.iter().any(|cell| cell.view == view.id);
        if !document.layout.columns.iter().any(is_here) {
            document.layout.add(view.id);
        }
    }
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn of(file: &str) -> Document {
        Document { file: Some(PathBuf::from(file)), ..Document::default() }
    }

    #[test]
    fn a_session_and_its_table_can_be_moved_together() {
        let saved = portable(of("/data/sky/stars.hdf5"), Path::new("/data/sky/night.outcrop"));
        assert_eq!(saved, of("stars.hdf5"));
        assert_eq!(located(saved, Path::new("/other/night.outcrop")), of("/other/stars.hdf5"));
        let below = portable(of("/data/sky/deep/stars.hdf5"), Path::new("/data/sky/night.outcrop"));
        assert_eq!(located(below, Path::new("/x/night.outcrop")), of("/x/deep/stars.hdf5"));
    }

    #[test]
    fn a_table_elsewhere_keeps_its_whole_path() {
        let saved = portable(of("/data/stars.hdf5"), Path::new("/home/night.outcrop"));
        assert_eq!(located(saved, Path::new("/moved/night.outcrop")), of("/data/stars.hdf5"));
    }
    #[test]
    fn views_that_a_text_puts_nowhere_have_a_place() {
        let text = "version = 1\n[[views]]\nid = 1\nkind = \"rows\"\n[[views]]\nid = 2\nkind = \"number\"\n\
                    [[layout.columns]]\nweight = 1.0\n[[layout.columns.cells]]\nview = 2\nweight = 1.0\n";
        let document = from_text(text).unwrap();
        let placed = document.layout.columns.iter().flat_map(|column| &column.cells).map(|cell| cell.view.0);
        assert_eq!(placed.collect::<Vec<_>>(), [2, 1]);
    }
}
