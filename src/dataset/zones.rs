//! Zone maps: bounds and missing values of every column in every run of rows, learned when it is first
//! read, so that later scans need not read what cannot matter to them.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::ArrayRef;

use super::{Source, cut};
use crate::aggregate;
use crate::data::Domain;
use crate::memory::checksum;

/// Rows of one zone: those that a scan reads at once.
pub const ZONE_ROWS: u64 = 1 << 15;
/// Most zones of a table that are kept: 32 MiB for each column.
const MOST_ZONES: usize = 1 << 20;
/// First bytes of a zone map, with the number of its form.
const MAGIC: &[u8; 8] = b"OUTZON03";
/// Bytes of one zone written.
const ZONE_BYTES: usize = 17;

type ColumnZones = Box<[OnceLock<Domain>]>;

/// What is known of the columns of one table.
#[derive(Debug)]
pub struct Zones {
    /// First row of every zone, and the row count last.
    starts: Vec<u64>,
    /// By position in the schema; empty until something is known of the column.
    columns: Vec<OnceLock<ColumnZones>>,
    learned: AtomicU64,
    /// How many were known when the map was last kept.
    kept: AtomicU64,
}

impl Zones {
    /// Nothing known of zones of at most `rows` rows of `source`.
    pub fn new(source: &dyn Source, rows: u64) -> Zones {
        let mut starts = cut(source, rows);
        if starts.len() > MOST_ZONES {
            starts.clear();
        }
        let columns = source.schema().fields().iter().map(|_| OnceLock::new()).collect();
        Zones { starts, columns, learned: AtomicU64::new(0), kept: AtomicU64::new(0) }
    }

    /// Number of zones.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Whether there are no zones.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many zones of columns are known.
    pub fn known(&self) -> u64 {
        self.learned.load(Ordering::Relaxed)
    }

    /// Whether more is known than [`Zones::to_bytes`] last gave or [`Zones::take_bytes`] last took.
    pub fn has_news(&self) -> bool {
        self.known() > self.kept.load(Ordering::Relaxed)
    }

    /// Looks at `values`, those of `column` in `rows`, which begin with a zone: at each zone there not yet known. Types
    /// without numbers have no zones.
    pub fn learn(&self, column: usize, rows: &Range<u64>, values: &ArrayRef) {
        let Ok(first) = self.starts.binary_search(&rows.start) else { return };
        let ends = self.starts.iter().enumerate().skip(first + 1).take_while(|(_, end)| **end <= rows.end);
        for (next, &end) in ends {
            let start = self.starts[next - 1];
            if self.zone(column, next - 1).is_some() {
                continue;
            }
            let part = values.slice((start - rows.start) as usize, (end - start) as usize);
            if let Some(domain) = aggregate::bounds(&part) {
                self.set(column, next - 1, domain);
            }
        }
    }

    /// What is known of `column` in `rows`; `None` if there is a zone of which nothing is.
    pub fn of(&self, column: usize, rows: &Range<u64>) -> Option<Domain> {
        if rows.is_empty() {
            return None;
        }
        let first = self.starts.partition_point(|&start| start <= rows.start).checked_sub(1)?;
        let end = self.starts.partition_point(|&start| start < rows.end);
        (first..end).map(|zone| self.zone(column, zone)).reduce(|a, b| Some(a?.hull(b?))).flatten()
    }

    /// As [`Zones::of`], where `rows` are whole zones: of values all of which are there, the bounds are then the least and the
    /// greatest, but for whole numbers of 2^53 and beyond.
    pub fn of_whole(&self, column: usize, rows: &Range<u64>) -> Option<Domain> {
        let is_end = |row| self.starts.binary_search(row).is_ok();
        if is_end(&rows.start) && is_end(&rows.end) { self.of(column, rows) } else { None }
    }

    fn zone(&self, column: usize, zone: usize) -> Option<Domain> {
        self.columns.get(column)?.get()?.get(zone)?.get().copied()
    }

    fn set(&self, column: usize, zone: usize, known: Domain) {
        let Some(column) = self.columns.get(column) else { return };
        let zones = column.get_or_init(|| (0..self.len()).map(|_| OnceLock::new()).collect());
        if zones.get(zone).is_some_and(|place| place.set(known).is_ok()) {
            self.learned.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All that is known, as bytes to be kept under `identity`, which must tell the table and its state
    /// from every other.
    pub fn to_bytes(&self, identity: &str) -> Vec<u8> {
        self.kept.store(self.known(), Ordering::Relaxed);
        let mut bytes = self.head(identity);
        for (position, zones) in self.columns.iter().enumerate() {
            let Some(zones) = zones.get() else { continue };
            bytes.extend((position as u32).to_le_bytes());
            for zone in zones {
                let known = zone.get().copied();
                let domain = known.unwrap_or(Domain::EMPTY);
                bytes.extend(domain.min.to_le_bytes());
                bytes.extend(domain.max.to_le_bytes());
                let flags = [known.is_some(), domain.nan, domain.missing];
                bytes.push(flags.iter().rev().fold(0, |byte, &flag| byte << 1 | u8::from(flag)));
            }
        }
        bytes.extend(checksum(&bytes).to_le_bytes());
        bytes
    }

    /// Takes over what [`Zones::to_bytes`] wrote of this table under the same identity; gives whether it was.
    pub fn take_bytes(&self, bytes: &[u8], identity: &str) -> bool {
        let head = self.head(identity);
        let Some((bytes, sum)) = bytes.split_last_chunk::<8>() else { return false };
        let Some(body) = bytes.strip_prefix(head.as_slice()) else { return false };
        if checksum(bytes).to_le_bytes() != *sum {
            return false;
        }
        let column_bytes = 4 + self.len() * ZONE_BYTES;
        if self.is_empty() || !body.len().is_multiple_of(column_bytes) {
            return false;
        }
        for column in body.chunks_exact(column_bytes) {
            let Some((position, zones)) = column.split_first_chunk::<4>() else { continue };
            let position = u32::from_le_bytes(*position) as usize;
            for (number, zone) in zones.chunks_exact(ZONE_BYTES).enumerate() {
                if let Some(zone) = read_zone(zone) {
                    self.set(position, number, zone);
                }
            }
        }
        self.kept.store(self.known(), Ordering::Relaxed);
        true
    }

    /// What must be the same for bytes to be of this table.
    fn head(&self, identity: &str) -> Vec<u8> {
        let mut head = MAGIC.to_vec();
        for number in [identity.len() as u64, self.columns.len() as u64, self.starts.len() as u64] {
            head.extend(number.to_le_bytes());
        }
        head.extend(identity.as_bytes());
        let starts: Vec<u8> = self.starts.iter().flat_map(|start| start.to_le_bytes()).collect();
        head.extend(checksum(&starts).to_le_bytes());
        head
    }
}

fn read_zone(bytes: &[u8]) -> Option<Domain> {
    let (min, rest) = bytes.split_first_chunk::<8>()?;
    let (max, rest) = rest.split_first_chunk::<8>()?;
    let flags = *rest.first()?;
    let (min, max) = (f64::from_le_bytes(*min), f64::from_le_bytes(*max));
    let is_sound = flags & 1 != 0 && !min.is_nan() && !max.is_nan();
    is_sound.then_some(Domain { min, max, nan: flags & 2 != 0, missing: flags & 4 != 0 })
}
