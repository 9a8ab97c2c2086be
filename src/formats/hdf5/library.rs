//! What only the C library reads: a child process makes a plain copy of the file, which is then read
//! in the file's stead.
//!
//! Copies are kept in the user's cache folder, named after path and state of the file, so that a file
//! is copied once. A child that crashes, hangs or takes too much becomes a message.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::table::Hdf5Table;
use super::{Stop, copy, open_table};
use crate::memory::{Fingerprint, Mapped, cache_folder, confine, create_private, sweep};
use crate::task::{Cancelled, Task};

/// The hidden command that makes a copy: `outcrop __libhdf5 FILE COPY`.
pub const COPY_COMMAND: &str = "__libhdf5";
/// What the child says if values of other files are in the copy.
const OTHER_FILES: &str = "other files";
/// A child whose copy does not grow for this long hangs.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);
/// How often the child is looked at.
const GLANCE: Duration = Duration::from_millis(20);
/// Longest message of a child that is shown.
const LONGEST_MESSAGE: u64 = 2000;

/// What a copy may take.
#[derive(Debug, Clone, Copy)]
pub struct CopyLimits {
    /// Memory of the child.
    pub address_bytes: u64,
    /// Bytes written.
    pub output_bytes: u64,
}

impl Default for CopyLimits {
    fn default() -> CopyLimits {
        CopyLimits { address_bytes: 4 << 30, output_bytes: 64 << 30 }
    }
}

/// What the child does: confines itself, then copies `from` to `to`. Gives what it is to say on its
/// standard output.
///
/// # Errors
/// What is wrong, in words for a person.
pub fn copy_in_child(from: &Path, to: &Path, limits: CopyLimits) -> Result<&'static str, String> {
    confine(limits.address_bytes, limits.output_bytes.saturating_add(1 << 30))
        .map_err(|error| format!("the limits of the process cannot be set: {error}"))?;
    let copied = copy::copy_plain(from, to, limits)?;
    Ok(if copied.has_other_files { OTHER_FILES } else { "" })
}

/// The table `wanted` of the file at `path`, read from a plain copy.
pub(super) fn open_copy(path: &Path, wanted: Option<&str>, task: &Task) -> Result<Hdf5Table, Failure> {
    let state = Fingerprint::of(path)?;
    let copy = Copy::of(path, &state)?;
    let mapped = if copy.finished.exists() {
        Mapped::stand_in(&copy.finished, path, state)?
    } else {
        let result = copy.make(path, &state, task);
        // What is still called partial is not to be kept; once mapped, it needs no name.
        let _ = std::fs::remove_file(&copy.partial);
        result?
    };
    open_table(mapped, path, wanted, task).map_err(|stop| match stop {
        Stop::Cancelled(cancelled) => Failure::Cancelled(cancelled),
        Stop::Fault(fault) => Failure::Reason(fault.to_string()),
    })
}

/// Why there is no table.
pub(super) enum Failure {
    /// In words for a person.
    Reason(String),
    Cancelled(Cancelled),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Reason(error.to_string())
    }
}

/// Where the copy of a file is, and where it is made.
struct Copy {
    finished: PathBuf,
    partial: PathBuf,
}

impl Copy {
    fn of(path: &Path, state: &Fingerprint) -> io::Result<Copy> {
        let folder = cache_folder("hdf5");
        create_private(&folder)?;
        let mut hasher = DefaultHasher::new();
        path.canonicalize()?.hash(&mut hasher);
        let stem = format!("{:016x}-", hasher.finish());
        let name = format!("{stem}{state}.h5");
        sweep(&folder, &stem, &name);
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let partial = folder.join(format!("{name}.{}-{number}.partial", std::process::id()));
        Ok(Copy { finished: folder.join(name), partial })
    }

    /// Starts a child, waits for it, and maps its work. A copy that holds values of other files gets no
    /// lasting name: nothing would tell that those have changed.
    fn make(&self, path: &Path, state: &Fingerprint, task: &Task) -> Result<Arc<Mapped>, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(COPY_COMMAND)
            .args([path, &self.partial])
            .env("HDF5_USE_FILE_LOCKING", "BEST_EFFORT")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let ended = self.wait(&mut child, task);
        if ended.is_err() {
            // It may have ended by itself meanwhile.
            let _ = child.kill();
            let _ = child.wait();
        }
        let status = ended?;
        let said = text_of(child.stdout.take());
        if !status.success() {
            return Err(Failure::Reason(ending(status, &text_of(child.stderr.take()))));
        }
        if !self.partial.exists() {
            return Err(Failure::Reason("its process ended without a copy".to_owned()));
        }
        if Fingerprint::of(path)? != *state {
            return Err(Failure::Reason("the file changed while it was read".to_owned()));
        }
        if said.trim() == OTHER_FILES {
            return Ok(Mapped::stand_in(&self.partial, path, state.clone())?);
        }
        std::fs::File::open(&self.partial)?.sync_all()?;
        std::fs::rename(&self.partial, &self.finished)?;
        Ok(Mapped::stand_in(&self.finished, path, state.clone())?)
    }

    fn wait(&self, child: &mut Child, task: &Task) -> Result<ExitStatus, Failure> {
        let (mut last_sign, mut last_state) = (Instant::now(), None);
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            task.check().map_err(Failure::Cancelled)?;
            let state = std::fs::metadata(&self.partial).ok().map(|meta| (meta.len(), meta.modified().ok()));
            if state != last_state {
                (last_sign, last_state) = (Instant::now(), state);
            }
            if last_sign.elapsed() > LONGEST_SILENCE {
                let seconds = LONGEST_SILENCE.as_secs();
                return Err(Failure::Reason(format!("its process made no progress for {seconds} s")));
            }
            std::thread::sleep(GLANCE);
        }
    }
}

/// What is left to read in a pipe whose other end is closed.
fn text_of(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // A message that cannot be read is no message.
        let _ = pipe.take(LONGEST_MESSAGE).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn ending(status: ExitStatus, message: &str) -> String {
    let message = message.trim();
    if status.code() == Some(1) && !message.is_empty() {
        return message.trim_start_matches("outcrop: ").to_owned();
    }
    format!("its process ended unexpectedly ({status})")
}
