//! Why part of a file cannot be used.

/// What is wrong with a part of a file, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// It is sound, but of a kind that is not read.
    #[error("{0}")]
    Unsupported(String),
    /// It contradicts itself or its file.
    #[error("{0}")]
    Damaged(String),
}
