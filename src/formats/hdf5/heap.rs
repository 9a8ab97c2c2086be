//! The global heap: where HDF5 keeps values of variable length.
//!
//! HDF5 File Format Specification 3.0, section III.E "Level 1E - Global Heap". A collection is
//! `GCOL`, version 1, three reserved bytes, its size, then objects: index (2 bytes), references (2),
//! reserved (4), size, and data padded to a multiple of 8. Object 0 is the free space.

use std::collections::HashMap;
use std::ops::Range;

use super::container::Container;

/// Reads heap objects of one file; remembers where those of the collections met lie.
pub(super) struct Heap<'a> {
    container: &'a Container,
    collections: HashMap<u64, HashMap<u16, Range<usize>>>,
}

/// A variable-length element as it is stored in a data set: count, address, index.
const COUNT_BYTES: usize = 4;
const INDEX_BYTES: usize = 4;

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

impl<'a> Heap<'a> {
    /// The heap of the file `container`.
    pub(super) fn new(container: &'a Container) -> Heap<'a> {
        Heap { container, collections: HashMap::new() }
    }

    /// Bytes of one stored reference into the heap.
    pub(super) fn reference_bytes(container: &Container) -> usize {
        COUNT_BYTES + container.offset_bytes + INDEX_BYTES
    }

    /// The bytes `reference` points at; `None` when it points nowhere (never written).
    pub(super) fn resolve(&mut self, reference: &[u8]) -> Result<Option<&'a [u8]>, String> {
        let address_end = COUNT_BYTES + self.container.offset_bytes;
        let count = little_endian(&reference[..COUNT_BYTES]) as usize;
        let address = little_endian(&reference[COUNT_BYTES..address_end]);
        let index = little_endian(&reference[address_end..]);
        if address == 0 {
            return Ok(None);
        }
        let objects = match self.collections.entry(address) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => entry.insert(scan(self.container, address)?),
        };
        let range = u16::try_from(index)
            .ok()
            .and_then(|index| objects.get(&index))
            .ok_or_else(|| format!("the text heap at byte {address} has no object {index}"))?;
        let bytes = &self.container.mapped.bytes()[range.clone()];
        bytes.get(..count).map(Some).ok_or_else(|| {
            format!(
                "object {index} of the text heap at byte {address} has {} bytes, not {count}",
                bytes.len()
            )
        })
    }
}

fn scan(container: &Container, address: u64) -> Result<HashMap<u16, Range<usize>>, String> {
    let damaged = || format!("there is no text heap at byte {address}");
    let length_bytes = container.length_bytes;
    let file = container.mapped.bytes();
    let start =
        container.base.checked_add(address).and_then(|at| usize::try_from(at).ok()).ok_or_else(damaged)?;
    let header = file.get(start..).and_then(|part| part.get(..8 + length_bytes)).ok_or_else(damaged)?;
    if !header.starts_with(b"GCOL\x01") {
        return Err(damaged());
    }
    let size = usize::try_from(little_endian(&header[8..])).map_err(|_| damaged())?;
    let end = start.checked_add(size).filter(|&end| end <= file.len()).ok_or_else(damaged)?;
    let mut objects = HashMap::new();
    let mut at = start + header.len();
    let object_header = 8 + length_bytes;
    while at + object_header <= end {
        let index = little_endian(&file[at..at + 2]) as u16;
        let length =
            usize::try_from(little_endian(&file[at + 8..at + object_header])).map_err(|_| damaged())?;
        if index == 0 {
            break;
        }
        let data = at + object_header;
        let data_end = data.checked_add(length).filter(|&data_end| data_end <= end).ok_or_else(damaged)?;
        objects.insert(index, data..data_end);
        at = data + length.next_multiple_of(8);
    }
    Ok(objects)
}
