//! HDF5: Vaex tables, plain data sets, PyTables records.
//!
//! Headers are read by `hdf5-pure`; contiguous values are a slice of the map and never pass through
//! it. What becomes a column:
//!
//! - a Vaex table (`/table/columns/<name>/data`, with masks, null bitmaps, texts, dictionaries, times),
//! - the data sets of one group, if all have the same first extent: the root, `/data`, `/columns`,
//!   AMUSE's `/particles/*/attributes` or any other,
//! - the members of the records of one data set of compound type (PyTables, pandas `format="table"`),
//! - a frame of pandas (`format="fixed"`).
//!
//! Rows of several elements become the columns `name[0]`, `name[1]`, ... (`name[0,1]` for more
//! dimensions), or one list when there are more than 256. A file with several tables opens Vaex's
//! `/table`, else the one of most values; `FILE#/path` opens another. A column of a kind that is not
//! read is there, all missing, with the reason as its description: values of varying length other than
//! text, references, virtual and external data sets, chunks found by a version 2 B-tree, layouts of
//! version 5 (HDF5 2.0 with `libver="latest"`), the filters szip, n-bit and Blosc with Snappy. Most of it
//! the C library reads: built with the feature `libhdf5`, a child process makes a plain copy by it.

mod blosc;
mod cache;
mod cell;
mod chunks;
mod column;
mod columns;
mod compressors;
mod container;
#[cfg(feature = "libhdf5")]
mod copy;
mod fault;
mod filters;
mod frames;
mod heap;
#[cfg(feature = "libhdf5")]
mod library;
mod storage;
mod table;
mod text;
mod times;
mod tree;

use std::io;
use std::path::Path;
use std::sync::Arc;

use self::container::{Container, MappedBytes};
use self::fault::Fault;
#[cfg(feature = "libhdf5")]
pub use self::library::{COPY_COMMAND, CopyLimits, copy_in_child};
use self::table::Hdf5Table;
use self::tree::{Candidate, Search};
use super::{Format, OpenError};
use crate::dataset::Source;
use crate::memory::Mapped;
use crate::task::{Cancelled, Task};

/// Tables named in a message.
const MOST_TABLES_NAMED: usize = 12;
/// Stack for reading headers; only what is used of it takes memory.
const DEEP_STACK_BYTES: usize = 128 << 20;

/// The HDF5 format.
#[derive(Debug)]
pub(super) struct Hdf5;

/// Why opening ended early.
#[derive(Debug)]
enum Stop {
    Fault(Fault),
    Cancelled(Cancelled),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

impl From<Cancelled> for Stop {
    fn from(cancelled: Cancelled) -> Stop {
        Stop::Cancelled(cancelled)
    }
}

impl Format for Hdf5 {
    fn name(&self) -> &'static str {
        "HDF5"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["hdf5", "h5", "hdf", "he5", "nc", "h5ad"]
    }

    fn recognizes(&self, head: &[u8], _extension: &str) -> bool {
        const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";
        // A user block of 512, 1024, 2048... bytes may come first.
        [0, 512, 1024, 2048].iter().any(|&at| head.get(at..).is_some_and(|rest| rest.starts_with(SIGNATURE)))
    }

    fn open(&self, path: &Path, task: &Task) -> Result<Arc<dyn Source>, OpenError> {
        let file = super::file_of(path);
        let part = path.to_str().and_then(|text| text.strip_prefix(file.to_str()?)?.strip_prefix('#'));
        let wanted = part.map(|part| format!("/{}", part.trim_matches('/')));
        let mapped = Mapped::open(&file).map_err(|source| OpenError::Io { path: file.clone(), source })?;
        let opened = with_deep_stack(|| open_table(mapped, &file, wanted.as_deref(), task))
            .map_err(|source| OpenError::Io { path: file.clone(), source })?;
        #[cfg(feature = "libhdf5")]
        let opened = with_library(opened, &file, wanted.as_deref(), task);
        match opened {
            Ok(table) => Ok(Arc::new(table)),
            Err(Stop::Cancelled(cancelled)) => Err(cancelled.into()),
            Err(Stop::Fault(fault)) => Err(OpenError::Malformed {
                path: path.to_owned(),
                format: self.name(),
                reason: fault.to_string(),
            }),
        }
    }
}

/// Runs `work` where it may recurse deeply: a type of 65 535 bytes, the longest a header can hold, may
/// nest 8 000 levels, and the recursion over it overflows the 2 MiB of a common thread. Types that are
/// read later are known to be shallow.
fn with_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("hdf5 headers".to_owned()).stack_size(DEEP_STACK_BYTES);
        let done = thread.spawn_scoped(scope, work)?.join();
        Ok(done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// `opened`, or what the C library makes of the file if that is more.
#[cfg(feature = "libhdf5")]
fn with_library(
    opened: Result<Hdf5Table, Stop>,
    path: &Path,
    wanted: Option<&str>,
    task: &Task,
) -> Result<Hdf5Table, Stop> {
    let is_wanted = match &opened {
        Ok(table) => table.library_columns() > 0,
        Err(stop) => matches!(stop, Stop::Fault(Fault::OnlyLibrary(_))),
    };
    if !is_wanted {
        return opened;
    }
    match library::open_copy(path, wanted, task) {
        Ok(table) => Ok(table),
        Err(library::Failure::Cancelled(cancelled)) => Err(cancelled.into()),
        Err(library::Failure::Reason(reason)) => match opened {
            Ok(table) => Ok(table.with_note(&format!("the HDF5 library cannot read it either: {reason}"))),
            Err(Stop::Fault(fault)) => {
                Err(Fault::Unsupported(format!("{fault}; the HDF5 library cannot read it either: {reason}"))
                    .into())
            }
            Err(stop) => Err(stop),
        },
    }
}

fn open_table(
    mapped: Arc<Mapped>,
    path: &Path,
    wanted: Option<&str>,
    task: &Task,
) -> Result<Hdf5Table, Stop> {
    let file = hdf5_pure::File::from_source(MappedBytes(mapped.clone())).map_err(|error| match error {
        hdf5_pure::Error::FileMarkedInUse { .. } => Fault::Unsupported(
            "it is marked as being written: another program has it open, or ended without closing it \
             (`h5clear -s` removes the mark)"
                .to_owned(),
        ),
        error => Fault::of("its superblock", &error),
    })?;
    let (declared, available) = (file.superblock().eof_address, mapped.bytes().len() as u64);
    if declared > available {
        return Err(Fault::Damaged(format!(
            "the file is cut short: it ends at byte {available}, but says that it has {declared} bytes"
        ))
        .into());
    }
    let container = Arc::new(Container::new(mapped, file.superblock()));
    let mut search = Search::new(&container, task);
    if let Some(wanted) = wanted
        && let Ok(group) = file.group(wanted)
    {
        search.look(&group, wanted.trim_end_matches('/'))?;
        if let Some(index) = search.candidates.iter().position(|candidate| candidate.path == wanted) {
            return Ok(Hdf5Table::new(&container, path, search.candidates.swap_remove(index))?);
        }
        search = Search::new(&container, task);
    }
    search.walk(&file.root(), "", 0)?;
    let values = search.single_values;
    let mut candidates = search.candidates;
    if let Some(wanted) = wanted {
        let index = candidates.iter().position(|candidate| candidate.path == wanted);
        let candidate = match index {
            Some(index) => candidates.swap_remove(index),
            None => tree::single(&container, &file, wanted).ok_or_else(|| {
                Fault::Damaged(format!("it has no table {wanted}; it has {}", listed(&candidates)))
            })?,
        };
        return Ok(Hdf5Table::new(&container, path, candidate)?);
    }
    let Some(index) = preferred(&candidates) else {
        let only = if values > 0 { format!(", only {values} single values") } else { String::new() };
        return Err(Fault::Unsupported(format!("it holds no data set that could be a table{only}")).into());
    };
    let others = if candidates.len() > 1 {
        format!("; its tables are {} (FILE#/path opens one)", listed(&candidates))
    } else {
        String::new()
    };
    Hdf5Table::new(&container, path, candidates.swap_remove(index)).map_err(|fault| match fault {
        Fault::Unsupported(reason) => Fault::Unsupported(reason + &others).into(),
        Fault::OnlyLibrary(reason) => Fault::OnlyLibrary(reason + &others).into(),
        Fault::Damaged(reason) => Fault::Damaged(reason + &others).into(),
    })
}

/// The table to open of several: Vaex's own, whatever else there is; else one that is damaged or not
/// read, so that it is not passed over in silence; else that of most values, the first of equals.
fn preferred(candidates: &[Candidate]) -> Option<usize> {
    let is_vaex = |candidate: &Candidate| candidate.is_declared && matches!(&*candidate.path, "/table" | "/");
    let vaex = candidates.iter().position(is_vaex);
    let unusable = || candidates.iter().position(|candidate| candidate.columns.is_err());
    let largest = || (0..candidates.len()).rev().max_by_key(|&index| candidates[index].value_count());
    vaex.or_else(unusable).or_else(largest)
}

fn listed(candidates: &[Candidate]) -> String {
    if candidates.is_empty() {
        return "none".to_owned();
    }
    let mut names: Vec<String> = candidates
        .iter()
        .take(MOST_TABLES_NAMED)
        .map(|candidate| match &candidate.columns {
            Ok(columns) => {
                let rows = columns.iter().find_map(|column| column.rows()).unwrap_or(0);
                format!("{} ({rows} rows of {} columns)", candidate.path, columns.len())
            }
            Err(_) => format!("{} (damaged)", candidate.path),
        })
        .collect();
    if candidates.len() > MOST_TABLES_NAMED {
        names.push(format!("{} more", candidates.len() - MOST_TABLES_NAMED));
    }
    names.join(", ")
}
