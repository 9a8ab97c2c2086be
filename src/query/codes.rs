//! The slot of every row on an axis, kept so that later scans need not read and cut the values again.
//!
//! A code is a byte, or two where an axis has more than 256 slots: a fourth to an eighth of the values. Codes
//! are learned chunk by chunk when a scan cuts all rows of a chunk; once those of all chunks are there, a scan
//! that needs the axis reads them in place of its values. The axes used longest ago are forgotten first.
//!
//! Texts of few distinct values have codes, too: the numbers of their values ([`super::listed`]).
//!
//! A [`Shelf`] keeps codes as files, from where they are mapped: those take none of the budget.
//!
//! Codes serve any axis of the same values whose edges are all among theirs, and any brush that ends on their
//! edges ([`super::coded`]).

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{Array, ArrayRef, UInt8Array, UInt16Array};
use arrow::buffer::{Buffer, ScalarBuffer};

use super::Layout;
use super::QueryError;
use super::code_file::CodeFile;
use super::listed::{Listed, Numbering};
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
    /// Texts of more distinct values than so many bytes have codes for.
    overfull: HashMap<AxisName, usize>,
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
        let known = axes.iter_mut().filter(|((of, _), entry)| {
            let codes = &entry.codes;
            of == table && codes.is_of(expr, Some(layout)) && codes.is_complete()
        });
        let mut known: Vec<&mut Entry> = known.map(|(_, entry)| entry).collect();
        known.sort_by_key(|entry| entry.codes.bins().map(Bins::count));
        let found = |entry: &Entry| serves(entry.codes.bins()?);
        let (entry, found) = known.into_iter().find_map(|entry| found(entry).map(|found| (entry, found)))?;
        entry.used = *pass;
        Some((entry.codes.clone(), found))
    }

    /// The codes of the values of `expr`, and what they stand for, if all are known; of any `layout` where none is given.
    pub(super) fn listed(
        &self,
        layout: Option<&Layout>,
        table: &str,
        expr: &Expr,
    ) -> Option<Serving<Arc<Listed>>> {
        let mut kept = self.lock();
        let Kept { axes, pass, .. } = &mut *kept;
        let such = |(of, entry): (&AxisName, &mut Entry)| {
            if *of.0 != *table || !entry.codes.is_of(expr, layout) {
                return None;
            }
            let listed = entry.codes.listed()?.clone();
            entry.used = *pass;
            Some((entry.codes.clone(), listed))
        };
        axes.iter_mut().find_map(such)
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
        let slots = Meaning::Slots(bins.clone());
        let new = |name: &AxisName, file: Option<Arc<Mapped>>| {
            let file = file.and_then(|file| CodeFile::of(file, table, &name.1, layout, slots.width()));
            AxisCodes::new(layout, expr, slots.clone(), file)
        };
        if bins.slots() <= MOST_SLOTS { self.known_or(table, axis, new) } else { None }
    }

    /// As [`Codes::of`], of the values of `expr`, which are texts; `None` also when they are known to be too many.
    pub(super) fn of_values(
        &self,
        layout: &Arc<Layout>,
        table: &Arc<str>,
        expr: &Expr,
    ) -> Option<Arc<AxisCodes>> {
        let axis = format!("{}|{expr}:values", layout.chunks());
        let overfull = self.lock().overfull.get(&(table.clone(), axis.clone())).copied().unwrap_or(0);
        let new = |name: &AxisName, file: Option<Arc<Mapped>>| {
            let of_width = |width| CodeFile::of(file.clone()?, table, &name.1, layout, width);
            let listed = of_width(1).or_else(|| of_width(2)).and_then(|file| {
                let listed = Listed::of_bytes(file.listed()?, expr.data_type())?;
                Some((Numbering::of_listed(expr.data_type(), file.width(), listed), file))
            });
            let (values, file) = match listed {
                Some((values, file)) => (values, Some(file)),
                None => (Numbering::new(expr.data_type(), overfull + 1), None),
            };
            AxisCodes::new(layout, expr, Meaning::Values(Arc::new(values)), file)
        };
        if overfull < 2 { self.known_or(table, axis, new) } else { None }
    }

    /// Those kept under a name, or those that `new` makes of the file of it.
    fn known_or(
        &self,
        table: &Arc<str>,
        axis: String,
        new: impl Fn(&AxisName, Option<Arc<Mapped>>) -> Option<AxisCodes>,
    ) -> Option<Arc<AxisCodes>> {
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
        let codes = Arc::new(new(&name, file)?);
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

    /// Forgets codes that can no longer be trusted, and whether there were any; and those of too many values.
    pub(super) fn forget_damaged(&self) -> bool {
        let mut kept = self.lock();
        let Kept { axes, damaged, overfull, .. } = &mut *kept;
        for (name, entry) in axes.extract_if(|_, entry| entry.codes.is_overfull()) {
            overfull.insert(name, entry.codes.width());
        }
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
        let Some(mapped) = AxisCodes::new(&codes.layout, &codes.expr, codes.meaning.clone(), Some(file))
        else {
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
        let codes = &self.codes;
        CodeFile::length(&self.table, &self.axis, &codes.layout, codes.width(), &codes.list_bytes()) as u64
    }

    /// Writes the codes as a [`Shelf`] is to keep them.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let AxisCodes { layout, learned, .. } = self.codes.as_ref();
        let chunks =
            learned.iter().flat_map(|slab| (0..layout.chunks()).filter_map(|chunk| slab.piece(chunk)));
        let (width, list) = (self.codes.width(), self.codes.list_bytes());
        CodeFile::write(&self.table, &self.axis, layout, width, chunks, &list, out)
    }
}

/// What codes stand for.
#[derive(Clone)]
enum Meaning {
    /// Slots of an axis.
    Slots(Bins),
    /// Values.
    Values(Arc<Numbering>),
}

/// The codes of one axis.
pub(super) struct AxisCodes {
    layout: Arc<Layout>,
    expr: Expr,
    meaning: Meaning,
    /// Those of every chunk; nothing where `file` holds them.
    learned: Option<Arc<Slab>>,
    /// How many chunks are known, and what their codes hold.
    known: AtomicUsize,
    bytes: AtomicUsize,
    file: Option<CodeFile>,
    is_damaged: AtomicBool,
}

impl AxisCodes {
    /// Those in `file`, or else none yet; `None` where the system has no room.
    fn new(layout: &Arc<Layout>, expr: &Expr, meaning: Meaning, file: Option<CodeFile>) -> Option<AxisCodes> {
        let width = meaning.width();
        let ends = || (0..layout.chunks()).map(|chunk| layout.chunk(chunk).end as usize * width).collect();
        let blank = || Slab::new(ends()).ok().map(Arc::new);
        let learned = if file.is_some() { None } else { Some(blank()?) };
        Some(AxisCodes {
            layout: layout.clone(),
            expr: expr.clone(),
            meaning,
            learned,
            known: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            file,
            is_damaged: AtomicBool::new(false),
        })
    }

    fn width(&self) -> usize {
        self.meaning.width()
    }

    fn is_of(&self, expr: &Expr, layout: Option<&Layout>) -> bool {
        self.expr == *expr && layout.is_none_or(|layout| self.layout.chunks() == layout.chunks())
    }

    /// The axis whose slots they are.
    fn bins(&self) -> Option<&Bins> {
        match &self.meaning {
            Meaning::Slots(bins) => Some(bins),
            Meaning::Values(_) => None,
        }
    }

    /// The values they stand for, once those of every row are known.
    pub(super) fn listed(&self) -> Option<&Arc<Listed>> {
        match &self.meaning {
            Meaning::Values(values) if self.is_complete() => values.listed(),
            _ => None,
        }
    }

    fn list_bytes(&self) -> Vec<u8> {
        self.listed().map_or_else(Vec::new, |listed| listed.to_bytes())
    }

    fn is_overfull(&self) -> bool {
        matches!(&self.meaning, Meaning::Values(values) if values.is_overfull())
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
        if self.learned.as_ref().is_none_or(|slab| slab.is_filled(chunk)) || self.is_overfull() {
            return None;
        }
        Some(match self.width() {
            1 => Learned::Bytes(Vec::with_capacity(rows)),
            _ => Learned::Words(Vec::with_capacity(rows)),
        })
    }

    /// Learns the codes of the chunk that begins with row `start` and has these `values`.
    pub(super) fn number(&self, start: u64, values: &ArrayRef) -> Result<(), QueryError> {
        if let Meaning::Values(numbering) = &self.meaning
            && let Some(mut blank) = self.blank(start, values.len())
            && let Some(codes) = numbering.codes(values)?
        {
            blank.extend(&codes);
            self.learn(start, blank);
        }
        Ok(())
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

impl Meaning {
    /// Bytes of a code.
    fn width(&self) -> usize {
        match self {
            Meaning::Slots(bins) if bins.slots() > 1 << 8 => 2,
            Meaning::Slots(_) => 1,
            Meaning::Values(values) => values.width(),
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
