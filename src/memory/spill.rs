//! Memory lent from the disk.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use arrow::buffer::Buffer;
use bytes::Bytes;

/// Where a map of a file may begin: the largest page in use.
const PAGE: u64 = 1 << 16;
/// Where a buffer may begin inside one.
const ALIGNMENT: u64 = 64;

/// A temporary file that holds bytes until they are read back through a map, so that they take no
/// private memory. It has no name in its folder: the system removes it with its last map, whatever
/// happens to the program.
#[derive(Debug)]
pub struct Spill {
    file: File,
    end: Mutex<u64>,
}

impl Spill {
    /// An empty one, in [`spill_folder`].
    ///
    /// # Errors
    /// No file can be made there.
    pub fn new() -> io::Result<Spill> {
        let folder = spill_folder();
        let mut attempt = 0u32;
        loop {
            let path = folder.join(format!("outcrop-{}-{attempt}.spill", std::process::id()));
            match open_nameless(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 1000 => attempt += 1,
                opened => return Ok(Spill { file: opened?, end: Mutex::new(0) }),
            }
        }
    }

    /// Writes `buffers` and returns the same bytes, mapped.
    ///
    /// # Errors
    /// The disk is full, or the system does not map the file.
    pub fn lend(&self, buffers: &[Buffer]) -> io::Result<Vec<Buffer>> {
        let mut places = Vec::with_capacity(buffers.len());
        let mut length = 0u64;
        for buffer in buffers {
            places.push(length);
            length += (buffer.len() as u64).next_multiple_of(ALIGNMENT);
        }
        if length == 0 {
            return Ok(buffers.to_vec());
        }
        let start = {
            let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
            let start = *end;
            *end = start + (length + 1).next_multiple_of(PAGE);
            start
        };
        for (buffer, &place) in buffers.iter().zip(&places) {
            write_at(&self.file, buffer, start + place)?;
        }
        // A map must not reach beyond the end of the file.
        write_at(&self.file, &[0], start + length)?;
        #[expect(unsafe_code, reason = "mapping a file is what this room is for")]
        // SAFETY: the file has no name and belongs to this value alone, which writes no range twice.
        let map = unsafe { memmap2::MmapOptions::new().offset(start).len(length as usize).map(&self.file)? };
        let mapped = Buffer::from(Bytes::from_owner(map));
        let lent = buffers.iter().zip(&places);
        Ok(lent.map(|(buffer, &place)| mapped.slice_with_length(place as usize, buffer.len())).collect())
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The folder of spilled bytes: `TMPDIR` where it is set, else the system's folder for large temporary
/// files.
pub fn spill_folder() -> PathBuf {
    match std::env::var_os("TMPDIR") {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        // `/tmp` is often itself held in memory.
        _ if cfg!(unix) => PathBuf::from("/var/tmp"),
        _ => std::env::temp_dir(),
    }
}

#[cfg(unix)]
fn open_nameless(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).write(true).create_new(true).open(path)?;
    std::fs::remove_file(path)?;
    Ok(file)
}

#[cfg(windows)]
fn open_nameless(path: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    const FILE_FLAG_DELETE_ON_CLOSE: u32 = 0x0400_0000;
    let mut options = File::options();
    options.read(true).write(true).create_new(true).custom_flags(FILE_FLAG_DELETE_ON_CLOSE).open(path)
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(windows)]
fn write_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !bytes.is_empty() {
        let written = file.seek_write(bytes, offset)?;
        bytes = &bytes[written..];
        offset += written as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lent_reads_as_it_was() {
        let spill = Spill::new().unwrap();
        let large = Buffer::from_vec((0..100_000u64).collect::<Vec<_>>());
        let small = Buffer::from_vec(vec![1u8, 2, 3]);
        let empty = Buffer::from_vec(Vec::<u8>::new());
        for _ in 0..3 {
            let buffers = [small.clone(), large.clone(), empty.clone(), small.clone()];
            assert_eq!(spill.lend(&buffers).unwrap(), buffers);
            assert!(spill.lend(std::slice::from_ref(&empty)).unwrap()[0].is_empty());
        }
        assert!(spill.bytes() > 3 * 800_000);
        let lent = spill.lend(std::slice::from_ref(&large)).unwrap();
        drop(spill);
        assert_eq!(lent, [large]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        let full = File::options().read(true).write(true).open("/dev/full").unwrap();
        let spill = Spill { file: full, end: Mutex::new(0) };
        let error = spill.lend(&[Buffer::from_vec(vec![1u8; 100])]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
