//! The codes of one axis in a file: what they are of, the codes of all rows, and a checksum of every chunk; then, of codes
//! that stand for values, the list of these and its checksum.
//!
//! Only the head is read when a file is taken; a chunk is checked when it is first used.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::buffer::Buffer;

use super::Layout;
use crate::memory::{Mapped, checksum};

/// First bytes of a file, with the number of its form; codes of two bytes are in the machine's order.
const MAGIC: &[u8; 8] = if cfg!(target_endian = "little") { b"OUTCOD1l" } else { b"OUTCOD1b" };
/// Where the codes may begin.
const ALIGNMENT: usize = 64;

/// A file that holds the codes of an axis.
pub(super) struct CodeFile {
    file: Arc<Mapped>,
    /// First byte of the codes, and bytes of each.
    start: usize,
    width: usize,
    /// First byte of the checksums, and which chunks were found to have theirs.
    sums: usize,
    checked: Vec<AtomicBool>,
    /// First byte of the list of values.
    list: usize,
}

impl CodeFile {
    /// Takes `file` if it holds the codes of that axis of that table, `width` bytes each, by its head and length.
    pub(super) fn of(
        file: Arc<Mapped>,
        table: &str,
        axis: &str,
        layout: &Layout,
        width: usize,
    ) -> Option<CodeFile> {
        let head = head(table, axis, layout, width);
        let sums = sums_start(&head, layout, width);
        let list = sums + layout.chunks() * 8;
        let is_whole = file.bytes().len() >= list && file.bytes().starts_with(&head);
        let is_sound = is_whole && is_list(&file.bytes()[list..]);
        let checked = (0..layout.chunks()).map(|_| AtomicBool::new(false)).collect();
        is_sound.then(|| CodeFile { file, start: head.len(), width, sums, list, checked })
    }

    /// Bytes of each code.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The list of values that was written; `None` where there was none.
    pub(super) fn listed(&self) -> Option<&[u8]> {
        self.file.bytes()[self.list..].split_last_chunk::<8>().map(|(list, _)| list)
    }

    /// Bytes of the file that [`CodeFile::write`] writes.
    pub(super) fn length(table: &str, axis: &str, layout: &Layout, width: usize, list: &[u8]) -> usize {
        let list = if list.is_empty() { 0 } else { list.len() + 8 };
        sums_start(&head(table, axis, layout, width), layout, width) + layout.chunks() * 8 + list
    }

    /// Writes the codes of all chunks, in order, as [`CodeFile::of`] takes them, and the list of their values if there are
    /// any.
    pub(super) fn write(
        table: &str,
        axis: &str,
        layout: &Layout,
        width: usize,
        chunks: impl Iterator<Item = Buffer>,
        list: &[u8],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let head = head(table, axis, layout, width);
        out.write_all(&head)?;
        let mut sums = Vec::with_capacity(layout.chunks() * 8);
        for codes in chunks {
            out.write_all(&codes)?;
            sums.extend(checksum(&codes).to_le_bytes());
        }
        let end = head.len() + layout.rows() as usize * width;
        out.write_all(&vec![0; sums_start(&head, layout, width) - end])?;
        out.write_all(&sums)?;
        if list.is_empty() {
            return Ok(());
        }
        out.write_all(list)?;
        out.write_all(&checksum(list).to_le_bytes())
    }

    /// The codes of chunk `number`, which holds `rows`; `None` when they are not what was written.
    pub(super) fn chunk(&self, number: usize, rows: Range<u64>) -> Option<Buffer> {
        let from = self.start + rows.start as usize * self.width;
        let codes = self.file.buffer().slice_with_length(from, (rows.end - rows.start) as usize * self.width);
        let checked = &self.checked[number];
        if !checked.load(Ordering::Relaxed) {
            let sum = self.file.bytes().get(self.sums + number * 8..)?.first_chunk::<8>()?;
            if checksum(&codes).to_le_bytes() != *sum {
                return None;
            }
            checked.store(true, Ordering::Relaxed);
        }
        Some(codes)
    }

    /// Bytes of the file.
    pub(super) fn bytes(&self) -> usize {
        self.file.bytes().len()
    }

    /// Whether no part of the file was lost since it was mapped.
    pub(super) fn is_intact(&self) -> bool {
        self.file.is_intact()
    }

    /// Whether the file is still where it was, as it was.
    pub(super) fn is_current(&self) -> bool {
        self.file.is_current()
    }
}

/// Whether nothing stands there, or a list and its checksum.
fn is_list(bytes: &[u8]) -> bool {
    bytes.is_empty()
        || bytes.split_last_chunk::<8>().is_some_and(|(list, sum)| checksum(list).to_le_bytes() == *sum)
}

/// First byte of the checksums.
fn sums_start(head: &[u8], layout: &Layout, width: usize) -> usize {
    (head.len() + layout.rows() as usize * width).next_multiple_of(ALIGNMENT)
}

/// What must be the same for codes to be of this axis; the codes follow it.
fn head(table: &str, axis: &str, layout: &Layout, width: usize) -> Vec<u8> {
    let mut head = MAGIC.to_vec();
    for number in [table.len(), axis.len(), layout.rows() as usize, layout.chunks(), width] {
        head.extend((number as u64).to_le_bytes());
    }
    head.extend(table.as_bytes());
    head.extend(axis.as_bytes());
    head.extend(checksum(&layout.start_bytes()).to_le_bytes());
    head.resize(head.len().next_multiple_of(ALIGNMENT), 0);
    head
}
