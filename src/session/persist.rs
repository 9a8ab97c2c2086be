//! A session as plain, versioned text (TOML). Reading it runs nothing and opens nothing.

use serde::{Deserialize, Serialize};

use super::Document;

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
    toml::from_str(&body).map_err(syntax)
}
