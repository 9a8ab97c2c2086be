//! Decoded chunks that may be wanted again.

use std::sync::{Mutex, PoisonError};

use arrow::buffer::Buffer;

/// Bytes kept per file.
const BUDGET_BYTES: usize = 128 << 20;

/// Data set and band within it.
type Key = (u64, u64);

/// The bands decoded last, within a budget of bytes. The lock is held to look up and to put away,
/// never while decoding.
#[derive(Debug, Default)]
pub(super) struct Cache {
    bands: Mutex<Vec<(Key, Buffer)>>,
}

impl Cache {
    /// The decoded band, if it is still kept.
    pub(super) fn get(&self, key: Key) -> Option<Buffer> {
        let mut bands = self.bands.lock().unwrap_or_else(PoisonError::into_inner);
        let position = bands.iter().rposition(|(kept, _)| *kept == key)?;
        let band = bands.remove(position);
        let bytes = band.1.clone();
        bands.push(band);
        Some(bytes)
    }

    /// Keeps a decoded band, and drops those unused longest beyond the budget.
    pub(super) fn insert(&self, key: Key, bytes: Buffer) {
        let mut bands = self.bands.lock().unwrap_or_else(PoisonError::into_inner);
        bands.retain(|(kept, _)| *kept != key);
        bands.push((key, bytes));
        let mut total: usize = bands.iter().map(|(_, bytes)| bytes.len()).sum();
        let mut dropped = 0;
        while total > BUDGET_BYTES && dropped + 1 < bands.len() {
            total -= bands[dropped].1.len();
            dropped += 1;
        }
        bands.drain(..dropped);
    }
}
