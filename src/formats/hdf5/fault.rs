//! Why part of a file cannot be used.

/// What is added to a reason that the C library would do away with.
const LIBRARY_HINT: &str = if cfg!(feature = "libhdf5") {
    ""
} else {
    " (a build of this program with `--features libhdf5` reads it)"
};

/// What is wrong with a part of a file, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// It is sound, but of a kind that is not read.
    #[error("{0}")]
    Unsupported(String),
    /// It is sound, but stored in a way that only the C library reads.
    #[error("{0}{LIBRARY_HINT}")]
    OnlyLibrary(String),
    /// It contradicts itself or its file.
    #[error("{0}")]
    Damaged(String),
}

impl Fault {
    /// What the HDF5 reader says of `part` of a file.
    pub(super) fn of(part: &str, error: &hdf5_pure::Error) -> Fault {
        use hdf5_pure::{Error, FormatError};
        if matches!(error, Error::Format(FormatError::InvalidLayoutVersion(5))) {
            return Fault::OnlyLibrary(format!(
                "{part} is of version 5, which HDF5 2.0 writes with libver=\"latest\""
            ));
        }
        let text = error.to_string();
        let reason = format!("{part} cannot be read: {}", text.trim_start_matches("HDF5 format error: "));
        match error {
            Error::Format(
                FormatError::UnsupportedVersion(_)
                | FormatError::UnsupportedMessage(_)
                | FormatError::InvalidLayoutVersion(_)
                | FormatError::UnsupportedVirtualLayout
                | FormatError::UnsupportedFilteredHeapObject
                | FormatError::UnsupportedSohmReference
                | FormatError::UnsupportedFillValueVersion(_)
                | FormatError::InvalidDatatypeVersion { .. },
            ) => Fault::OnlyLibrary(reason),
            Error::Format(
                FormatError::UnsupportedExternalStorage
                | FormatError::UnsupportedFilter(_)
                | FormatError::InvalidReferenceType(_)
                | FormatError::InvalidDatatypeClass(_),
            ) => Fault::Unsupported(reason),
            _ => Fault::Damaged(reason),
        }
    }
}
