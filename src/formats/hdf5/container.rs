//! The file that all data sets of a table are in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::cache::Cache;
use crate::memory::Mapped;

/// The file a data set is in.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) mapped: Arc<Mapped>,
    pub(super) cache: Arc<Cache>,
    pub(super) base: u64,
    pub(super) offset_bytes: usize,
    pub(super) length_bytes: usize,
    next_id: AtomicU64,
}

impl Container {
    /// The mapped file, whose superblock says these widths of an address and of a length.
    pub(super) fn new(mapped: Arc<Mapped>, superblock: &hdf5_pure::Superblock) -> Container {
        Container {
            mapped,
            cache: Arc::new(Cache::default()),
            base: superblock.base_address.get(),
            offset_bytes: usize::from(superblock.offset_size),
            length_bytes: usize::from(superblock.length_size),
            next_id: AtomicU64::new(0),
        }
    }

    /// A number no other data set of the file has.
    pub(super) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }
}

/// The map, as the HDF5 reader wants its file.
#[derive(Debug, Clone)]
pub(super) struct MappedBytes(pub(super) Arc<Mapped>);

impl hdf5_pure::Source for MappedBytes {
    fn len(&self) -> u64 {
        self.0.bytes().len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), hdf5_pure::FormatError> {
        let available = self.0.bytes().len();
        let part = usize::try_from(offset)
            .ok()
            .and_then(|start| self.0.bytes().get(start..start.checked_add(buf.len())?))
            .ok_or(hdf5_pure::FormatError::UnexpectedEof {
                expected: usize::try_from(offset).unwrap_or(usize::MAX).saturating_add(buf.len()),
                available,
            })?;
        buf.copy_from_slice(part);
        if part.starts_with(SYMBOL_NODE) {
            hide_soft_links(self.0.bytes().get(offset as usize..).unwrap_or_default(), buf);
        }
        Ok(())
    }
}

/// How a node of the symbol table of a group begins (File Format Specification 3.0, III.B).
const SYMBOL_NODE: &[u8] = b"SNOD\x01";
const NODE_HEADER: usize = 8;
/// Name (8 bytes), address of the object header (8), type of the cache (4), reserved (4), cache (16).
const NODE_ENTRY: usize = 40;

/// Rewrites `read`, the beginning of `node`, without the entries that are soft links. Those have the
/// undefined address, at which hdf5-pure 0.47 looks for an object, so that it lists no group of the old
/// style that has one. Only addresses of 8 bytes are known here; others are left as they are.
fn hide_soft_links(node: &[u8], read: &mut [u8]) {
    let Some((header, entries)) = node.split_first_chunk::<NODE_HEADER>() else { return };
    let count = usize::from(u16::from_le_bytes([header[6], header[7]]));
    let is_soft = |entry: &[u8]| entry[8..16] == [0xff; 8];
    let entries = || entries.chunks_exact(NODE_ENTRY).take(count);
    if !entries().any(is_soft) {
        return;
    }
    let kept: Vec<&[u8]> = entries().filter(|entry| !is_soft(entry)).collect();
    let mut rewritten = header.to_vec();
    rewritten[6..8].copy_from_slice(&(kept.len() as u16).to_le_bytes());
    rewritten.extend(kept.concat());
    let length = rewritten.len().min(read.len());
    read[..length].copy_from_slice(&rewritten[..length]);
}
