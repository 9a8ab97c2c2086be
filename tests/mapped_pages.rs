//! How much of a file stays mapped, as the system counts it.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::record_batch::RecordBatch;
use outcrop::dataset::Dataset;
use outcrop::export::{atomic_write, write_arrow};
use outcrop::formats::open;
use outcrop::query::{ScanOptions, Workers, scan};
use outcrop::select::Selection;
use outcrop::task::Task;

use crate::common::grid_question;

const MIB: u64 = 1 << 20;
const ROWS: u64 = 1 << 22;

/// Bytes of the file that are mapped into this process and in memory.
fn mapped_bytes(file: &Path) -> u64 {
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let name = file.to_str().unwrap();
    let of_file = maps.split_inclusive("VmFlags").filter(|map| map.contains(name));
    let rss = |map: &str| {
        map.lines().find_map(|line| line.strip_prefix("Rss:")?.split_whitespace().next()?.parse::<u64>().ok())
    };
    of_file.map(|map| rss(map).unwrap() << 10).sum()
}

#[test]
fn a_scan_gives_pages_back_and_answers_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pages.arrow");
    let values: ArrayRef = Arc::new(Float64Array::from_iter_values((0..ROWS).map(|row| row as f64 / 7.0)));
    let batch = RecordBatch::try_from_iter([("x", values)]).unwrap();
    atomic_write(&path, |out: &mut dyn std::io::Write| write_arrow(&batch, &[], out)).unwrap();
    let scanned = |keep_mapped: u64, threads: usize| {
        let dataset = Arc::new(Dataset::new(open(&path, &Task::detached()).unwrap()));
        // The second measure takes passes of its own.
        let question = grid_question(&dataset, Selection::all(), vec![], &["sum(x)", "median(x)"]);
        let options = ScanOptions { chunk_rows: 1 << 12, keep_mapped, ..ScanOptions::default() };
        let answers = scan(&[question], &Workers::new(threads).unwrap(), options, &Task::detached()).unwrap();
        let grid = answers[0].grid().unwrap();
        (mapped_bytes(&path), [grid.measure(0)[0].to_bits(), grid.measure(1)[0].to_bits()])
    };
    let (all, right) = scanned(u64::MAX, 1);
    assert!(all >= 32 * MIB, "{all} bytes");
    for threads in 1..=4 {
        let (left, same) = scanned(MIB, threads);
        assert_eq!(same, right);
        assert!(left <= 12 * MIB, "{left} bytes are mapped with {threads} threads");
    }
}
