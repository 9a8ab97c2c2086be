//! `outcrop __libhdf5`: the child process in which the HDF5 library runs. No person types it.

use std::path::PathBuf;

use super::output::say;
use super::{CliCommand, Execute, Failure, command};
use crate::formats::{COPY_COMMAND, CopyLimits, copy_in_child};

pub(super) const COMMAND: CliCommand = CliCommand { is_hidden: true, ..command::<PlainCopy>(COPY_COMMAND) };

/// Copy an HDF5 file plainly: no filters, no chunks, no other files
#[derive(Debug, clap::Args)]
pub(super) struct PlainCopy {
    /// The file to copy
    file: PathBuf,
    /// The copy, which must not exist
    copy: PathBuf,
}

impl Execute for PlainCopy {
    fn execute(self) -> Result<(), Failure> {
        let said = copy_in_child(&self.file, &self.copy, CopyLimits::default()).map_err(Failure::Failed)?;
        say(said)
    }
}
