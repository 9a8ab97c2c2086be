//! The slot of every row on an axis, kept so that later scans need not read and cut the values again.
//!
//! A code is a byte, or two where an axis has more than 256 slots: a fourth to an eighth of the values. Codes
//! are learned chunk by chunk when a scan cuts all rows of a chunk; once those of all chunks are there, a scan
//! that needs the axis reads them in place of its values. The axes used longest ago are forgotten first.
//!
//! A [`Shelf`] keeps codes as files, from where they are mapped: those take none of the budget.
//!
//! Codes serve any axis of the same values whose edges are all among theirs, and any brush that ends on their
//! edges ([`super::coded`]).

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{ArrayRef, UInt8Array, UInt16Array};
use arrow::buffer::{Buffer, ScalarBuffer};

use super::Layout;
use super::code_file::CodeFile;
use crate::aggregate::Bins;
use crate::expr::Expr;
use crate::memory::{Mapped, Slab};

/// Most slots of an axis that has codes.
pub(super) const MOST_SLOTS: usize = 1 << 16;

/// Where codes are kept as files.
pub trait Shelf: Send + Sync {
    /// The file kept of an axis of a table; both are named by texts.
    fn find(&self, table: &str, axis: &str) -> Option<Arc<Mapped>>;
}

/// Codes of axes of any number of tables, within a budget of bytes.
pub struct Codes {
    budget: usize,
    shelf: Option<Arc<dyn Shelf>>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    axes: HashMap<AxisName, Entry>,
    /// Axes whose files are not to be trusted.
    damaged: HashSet<AxisName>,
    pass: u64,
}

/// The table, and the axis of it.
type AxisName = (Arc<str>, String);

/// Codes, and what was made of them.
pub(super) type Serving<T> = (Arc<AxisCodes>, T);

struct Entry {
    codes: Arc<AxisCodes>,
    /// The last pass that asked for them.
    used: u64,
}

impl Codes {
    /// None yet, and never more than `budget` bytes, to within those of a pass under way.
    pub fn new(budget: usize) -> Codes {
        Codes { budget, shelf: None, kept: Mutex::default() }
    }

    /// The same, looking on `shelf` for what it does not know.
    pub fn on_shelf(self, shelf: Arc<dyn Shelf>) -> Codes {
        Codes { shelf: Some(shelf), ..self }
    }

    /// Bytes of memory that all codes hold.
    pub fn bytes(&self) -> usize {
        self.lock().axes.values().map(|entry| entry.codes.bytes()).sum()
    }

    /// Bytes of the files that are mapped.
    pub fn mapped_bytes(&self) -> usize {
        let mapped = |entry: &Entry| entry.codes.file.as_ref().map_or(0, CodeFile::bytes);
        self.lock().axes.values().map(mapped).sum()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a pass, whose axes do not push each other out.
    pub(super) fn begin(&self) {
        self.lock().pass += 1;
    }

    /// Codes of `expr` that are complete and of which `serves` makes something; those of the fewest bins.
    pub(super) fn serving<T>(
        &self,
        layout: &Layout,
        table: &Arc<str>,
        expr: &Expr,
        serves: impl Fn(&Bins) -> Option<T>,
    ) -> Option<Serving<T>> {
        let mut kept = self.lock();
        let Kept { axes, pass, .. } = &mut *kept;
        let such = |(of, codes): (&Arc<str>, &AxisCodes)| {
            let is_of = of == table && codes.expr == *expr && codes.layout.chunks() == layout.chunks();
            is_of && codes.is_complete()
        };
        let known = axes.iter_mut().filter(|((of, _), entry)| such((of, &entry.codes)));
        let mut known: Vec<&mut Entry> = known.map(|(_, entry)| entry).collect();
        known.sort_by_key(|entry| entry.codes.bins.count());
        let (entry, found) =
            known.into_iter().find_map(|entry| serves(&entry.codes.bins).map(|found| (entry, found)))?;
        entry.used = *pass;
        Some((entry.codes.clone(), found))
    }

    /// The codes of `expr`, over stored columns alone, on the axis `bins` of a table: those known, or new ones
    /// to be learned. `None` when they would not fit the budget beside those of this pass.
    pub(super) fn of(
        &self,
        layout: &Arc<Layout>,
        table: &Arc<str>,
        expr: &Expr,
        bins: &Bins,
    ) -> Option<Arc<AxisCodes>> {
        let axis = format!("{}|{expr}:{:?}", layout.chunks(), bins.edges());
        let name = (table.clone(), axis);
        let known = |kept: &mut Kept| {
            let pass = kept.pass;
            let entry = kept.axes.get_mut(&name)?;
            entry.used = pass;
            Some(entry.codes.clone())
        };
        let is_damaged = {
            let mut kept = self.lock();
            if let Some(codes) = known(&mut kept) {
                return Some(codes);
            }
            kept.damaged.contains(&name)
        };
        // Files are looked for while nobody waits for the lock.
        let shelf = self.shelf.as_ref().filter(|_| !is_damaged);
        let file = shelf.and_then(|shelf| shelf.find(&name.0, &name.1));
        let file = file.and_then(|file| CodeFile::of(file, table, &name.1, layout, width(bins)));
        let codes = Arc::new(AxisCodes::of(layout, expr, bins, file)?);
        // Let go of once the lock is: the window looks at what is kept in every frame.
        let mut forgotten = Vec::new();
        let mut kept = self.lock();
        let pass = kept.pass;
        let held = |kept: &Kept| kept.axes.values().map(|e| e.codes.full_bytes()).sum::<usize>();
        while codes.full_bytes() > 0 && codes.full_bytes() + held(&kept) > self.budget {
            let unused = kept.axes.iter().filter(|(_, e)| e.used < pass && e.codes.full_bytes() > 0);
            let oldest = unused.min_by_key(|(_, entry)| entry.used).map(|(name, _)| name.clone())?;
            forgotten.extend(kept.axes.remove(&oldest));
        }
        kept.axes.insert(name, Entry { codes: codes.clone(), used: pass });
        drop(kept);
        Some(codes)
    }

    /// Forgets codes that can no longer be trusted; whether there were any.
    pub(super) fn forget_damaged(&self) -> bool {
        let mut kept = self.lock();
        let Kept { axes, damaged, .. } = &mut *kept;
        let found: Vec<AxisName> =
            axes.extract_if(|_, entry| entry.codes.is_damaged()).map(|(name, _)| name).collect();
        let any = !found.is_empty();
        damaged.extend(found);
        any
    }

    /// Forgets the files that are no longer where they were, so that the disk can have their space.
    pub fn forget_lost_files(&self) {
        let in_files = |entry: &Entry| entry.codes.file.is_some().then(|| entry.codes.clone());
        let known: Vec<Arc<AxisCodes>> = self.lock().axes.values().filter_map(in_files).collect();
        // The system is asked while nobody waits for the lock.
        let is_lost = |codes: &Arc<AxisCodes>| !codes.file.as_ref().is_some_and(CodeFile::is_current);
        let lost: Vec<Arc<AxisCodes>> = known.into_iter().filter(is_lost).collect();
        self.lock().axes.retain(|_, entry| !lost.iter().any(|codes| Arc::ptr_eq(codes, &entry.codes)));
    }

    /// Codes of tables of at least `rows` rows that are complete, and in no file yet, those used last first.
    pub fn unkept(&self, rows: u64) -> Vec<KnownAxis> {
        let kept = self.lock();
        let such = |entry: &Entry| {
            let codes = &entry.codes;
            codes.file.is_none() && codes.is_complete() && codes.layout.rows() >= rows
        };
        let mut unkept: Vec<_> = kept.axes.iter().filter(|(_, entry)| such(entry)).collect();
        unkept.sort_by(|(a, x), (b, y)| y.used.cmp(&x.used).then_with(|| a.cmp(b)));
        let known = |(name, entry): (&AxisName, &Entry)| {
            let (table, axis) = name.clone();
            KnownAxis { table, axis, codes: entry.codes.clone() }
        };
        unkept.into_iter().map(known).collect()
    }

    /// Reads the codes of `axis` from the file they were written to from now on, and lets go of those in memory;
    /// whether the file holds them.
    pub fn read_from(&self, axis: &KnownAxis, file: Arc<Mapped>) -> bool {
        let KnownAxis { table, axis, codes } = axis;
        let Some(file) = CodeFile::of(file, table, axis, &codes.layout, codes.width()) else { return false };
        let Some(mapped) = AxisCodes::of(&codes.layout, &codes.expr, &codes.bins, Some(file)) else {
            return false;
        };
        if let Some(entry) = self.lock().axes.get_mut(&(table.clone(), axis.clone())) {
            entry.codes = Arc::new(mapped);
        }
        true
    }
}

/// An axis whose codes are all known.
pub struct KnownAxis {
    table: Arc<str>,
    axis: String,
    codes: Arc<AxisCodes>,
}

impl KnownAxis {
    /// What names the table.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// What names the axis within it.
    pub fn axis(&self) -> &str {
        &self.axis
    }

    /// Bytes that [`write`](KnownAxis::write) writes.
    pub fn bytes(&self) -> u64 {
        CodeFile::length(&self.table, &self.axis, &self.codes.layout, self.codes.width()) as u64
    }

    /// Writes the codes as a [`Shelf`] is to keep them.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let AxisCodes { layout, learned, .. } = self.codes.as_ref();
        let chunks =
            learned.iter().flat_map(|slab| (0..layout.chunks()).filter_map(|chunk| slab.piece(chunk)));
        CodeFile::write(&self.table, &self.axis, layout, self.codes.width(), chunks, out)
    }
}

/// The codes of one axis.
pub(super) struct AxisCodes {
    layout: Arc<Layout>,
    expr: Expr,
    bins: Bins,
    /// Those of every chunk; nothing where `file` holds them.
    learned: Option<Arc<Slab>>,
    /// How many chunks are known, and what their codes hold.
    known: AtomicUsize,
    bytes: AtomicUsize,
    file: Option<CodeFile>,
    is_damaged: AtomicBool,
}

/// Bytes of a code.
fn width(bins: &Bins) -> usize {
    if bins.slots() > 1 << 8 { 2 } else { 1 }
}

impl AxisCodes {
    /// Those in `file`, or else none yet; `None` where an axis has too many slots, or the system no room.
    fn of(layout: &Arc<Layout>, expr: &Expr, bins: &Bins, file: Option<CodeFile>) -> Option<AxisCodes> {
        let ends =
            || (0..layout.chunks()).map(|chunk| layout.chunk(chunk).end as usize * width(bins)).collect();
        let blank = || Slab::new(ends()).ok().map(Arc::new);
        let learned = if file.is_some() { None } else { Some(blank()?) };
        (bins.slots() <= MOST_SLOTS).then(|| AxisCodes {
            layout: layout.clone(),
            expr: expr.clone(),
            bins: bins.clone(),
            learned,
            known: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            file,
            is_damaged: AtomicBool::new(false),
        })
    }

    fn width(&self) -> usize {
        width(&self.bins)
    }

    /// Bytes of memory once all are known.
    fn full_bytes(&self) -> usize {
        if self.file.is_some() { 0 } else { self.layout.rows() as usize * self.width() }
    }

    fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether those of every row are known.
    pub(super) fn is_complete(&self) -> bool {
        self.file.is_some() || self.known.load(Ordering::Acquire) == self.layout.chunks()
    }

    /// Whether its file was found damaged, or lost bytes.
    fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Relaxed) || self.file.as_ref().is_some_and(|file| !file.is_intact())
    }

    /// Those of the chunk that begins with row `start`, if they are known.
    pub(super) fn chunk(&self, start: u64) -> Option<ArrayRef> {
        let chunk = self.layout.chunk_of(start);
        let codes = match (&self.file, &self.learned) {
            (Some(file), _) => {
                let codes = file.chunk(chunk, self.layout.chunk(chunk));
                self.is_damaged.fetch_or(codes.is_none(), Ordering::Relaxed);
                codes?
            }
            (None, learned) => learned.as_ref()?.piece(chunk)?,
        };
        Some(match self.width() {
            1 => Arc::new(UInt8Array::new(ScalarBuffer::from(codes), None)),
            _ => Arc::new(UInt16Array::new(ScalarBuffer::from(codes), None)),
        })
    }

    /// Room for the codes of a chunk of `rows` rows that begins with `start`; `None` if they are known.
    pub(super) fn blank(&self, start: u64, rows: usize) -> Option<Learned> {
        let chunk = self.layout.chunk_of(start);
        if self.learned.as_ref().is_none_or(|slab| slab.is_filled(chunk)) {
            return None;
        }
        Some(match self.width() {
            1 => Learned::Bytes(Vec::with_capacity(rows)),
            _ => Learned::Words(Vec::with_capacity(rows)),
        })
    }

    /// Keeps the codes of the chunk that begins with row `start`.
    pub(super) fn learn(&self, start: u64, learned: Learned) {
        let codes = match learned {
            Learned::Bytes(codes) => Buffer::from_vec(codes),
            Learned::Words(codes) => Buffer::from_vec(codes),
        };
        if self.learned.as_ref().is_some_and(|slab| slab.fill(self.layout.chunk_of(start), &codes)) {
            self.bytes.fetch_add(codes.len(), Ordering::Relaxed);
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
