//! The slot of every row on an axis, kept so that later scans need not read and cut the values again.
//!
//! A code is a byte, or two where an axis has more than 256 slots: a fourth to an eighth of the values. Codes
//! are learned chunk by chunk when a scan cuts all rows of a chunk; once those of all chunks are there, a scan
//! that needs the axis reads them in place of its values. The axes used longest ago are forgotten first.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arrow::array::{ArrayRef, UInt8Array, UInt16Array};

use super::Layout;
use crate::aggregate::Bins;
use crate::expr::Expr;

/// Codes of axes of any number of tables, within a budget of bytes.
pub struct Codes {
    budget: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    axes: HashMap<String, Entry>,
    pass: u64,
}

struct Entry {
    codes: Arc<AxisCodes>,
    /// The last pass that asked for them.
    used: u64,
}

impl Codes {
    /// None yet, and never more than `budget` bytes, to within those of a pass under way.
    pub fn new(budget: usize) -> Codes {
        Codes { budget, kept: Mutex::default() }
    }

    /// Bytes that all codes hold.
    pub fn bytes(&self) -> usize {
        self.lock().axes.values().map(|entry| entry.codes.bytes()).sum()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a pass, whose axes do not push each other out.
    pub(super) fn begin(&self) {
        self.lock().pass += 1;
    }

    /// The codes of `expr`, over stored columns alone, on the axis `bins` of a table: those known, or new ones
    /// to be learned. `None` when they would not fit the budget beside those of this pass.
    pub(super) fn of(
        &self,
        layout: &Arc<Layout>,
        table: &str,
        expr: &Expr,
        bins: &Bins,
    ) -> Option<Arc<AxisCodes>> {
        let mut kept = self.lock();
        let pass = kept.pass;
        let key = format!("{table}|{}|{expr}:{:?}", layout.chunks(), bins.edges());
        if let Some(entry) = kept.axes.get_mut(&key) {
            entry.used = pass;
            return Some(entry.codes.clone());
        }
        let codes = Arc::new(AxisCodes::new(layout, bins)?);
        let fits = |kept: &Kept| {
            codes.full_bytes() + kept.axes.values().map(|e| e.codes.full_bytes()).sum::<usize>()
                <= self.budget
        };
        while !fits(&kept) {
            let unused = kept.axes.iter().filter(|(_, entry)| entry.used < pass);
            let oldest = unused.min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone())?;
            kept.axes.remove(&oldest);
        }
        kept.axes.insert(key, Entry { codes: codes.clone(), used: pass });
        Some(codes)
    }
}

/// The codes of one axis.
pub(super) struct AxisCodes {
    layout: Arc<Layout>,
    is_wide: bool,
    chunks: Vec<OnceLock<ArrayRef>>,
    /// How many chunks are known, and what their codes hold.
    known: AtomicUsize,
    bytes: AtomicUsize,
}

impl AxisCodes {
    fn new(layout: &Arc<Layout>, bins: &Bins) -> Option<AxisCodes> {
        let slots = bins.slots();
        (slots <= 1 << 16).then(|| AxisCodes {
            layout: layout.clone(),
            is_wide: slots > 1 << 8,
            chunks: (0..layout.chunks()).map(|_| OnceLock::new()).collect(),
            known: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        })
    }

    fn width(&self) -> usize {
        1 + usize::from(self.is_wide)
    }

    fn full_bytes(&self) -> usize {
        self.layout.rows() as usize * self.width()
    }

    fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether those of every row are known.
    pub(super) fn is_complete(&self) -> bool {
        self.known.load(Ordering::Acquire) == self.chunks.len()
    }

    /// Those of the chunk that begins with row `start`, if they are known.
    pub(super) fn chunk(&self, start: u64) -> Option<&ArrayRef> {
        self.chunks.get(self.layout.chunk_of(start))?.get()
    }

    /// Room for the codes of a chunk of `rows` rows that begins with `start`; `None` if they are known.
    pub(super) fn blank(&self, start: u64, rows: usize) -> Option<Learned> {
        if self.chunk(start).is_some() {
            return None;
        }
        Some(match self.is_wide {
            false => Learned::Bytes(Vec::with_capacity(rows)),
            true => Learned::Words(Vec::with_capacity(rows)),
        })
    }

    /// Keeps the codes of the chunk that begins with row `start`.
    pub(super) fn learn(&self, start: u64, learned: Learned) {
        let codes: ArrayRef = match learned {
            Learned::Bytes(codes) => Arc::new(UInt8Array::from(codes)),
            Learned::Words(codes) => Arc::new(UInt16Array::from(codes)),
        };
        let (chunk, rows) = (self.layout.chunk_of(start), self.layout.chunk(self.layout.chunk_of(start)));
        let bytes = codes.len() * self.width();
        if codes.len() as u64 == rows.end - rows.start && self.chunks[chunk].set(codes).is_ok() {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
            self.known.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// Codes of a chunk that are being learned.
pub(super) enum Learned {
    Bytes(Vec<u8>),
    Words(Vec<u16>),
}

impl Learned {
    /// Adds the slots of the next rows.
    pub(super) fn extend(&mut self, slots: &[u32]) {
        match self {
            Learned::Bytes(codes) => codes.extend(slots.iter().map(|&slot| slot as u8)),
            Learned::Words(codes) => codes.extend(slots.iter().map(|&slot| slot as u16)),
        }
    }
}
