//! Why a command did not succeed.

use std::io;
use std::path::Path;

use crate::export::ExportError;
use crate::expr::ExprError;
use crate::formats::OpenError;

/// A command did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What was typed makes no sense, by itself or for this file.
    #[error("{0}")]
    Usage(String),
    /// A file could not be read or written, or the work not be done.
    #[error("{0}")]
    Failed(String),
    /// Whoever read our output has left.
    #[error("nobody reads the output any more")]
    Hangup,
}

impl Failure {
    /// The exit code of the program.
    pub fn code(&self) -> u8 {
        match self {
            Failure::Hangup => 0,
            Failure::Failed(_) => 1,
            Failure::Usage(_) => 2,
        }
    }

    /// Something failed about the file at `path`.
    pub(super) fn about(path: &Path, reason: impl std::fmt::Display) -> Failure {
        Failure::Failed(format!("{}: {reason}", path.display()))
    }

    /// `text`, given as `flag`, is no expression: shown with a pointer under the letter.
    pub(super) fn expression(flag: &str, text: &str, error: &ExprError) -> Failure {
        let pointed: Vec<String> = error.pointed(text).lines().map(|line| format!("  {line}")).collect();
        Failure::Usage(format!("{flag}:\n{}", pointed.join("\n")))
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Failure {
        Failure::Failed(error.to_string())
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Failure {
        Failure::Failed(error.to_string())
    }
}

/// Failing to write to the standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::Hangup,
            _ => Failure::Failed(format!("standard output: {error}")),
        }
    }
}
