//! Private memory of the program itself, as the system counts it, against the budget it was given.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array};
use arrow::record_batch::RecordBatch;
use outcrop::export::{atomic_write, write_arrow};

use crate::common::Random;

const MIB: u64 = 1 << 20;
/// What the program takes beside the groups: itself, blocks under way, and what the allocator keeps of them.
const BESIDE: u64 = 128 * MIB;
const ROWS: usize = 3_000_000;

/// Bytes of memory that are no pages of a file, now; `None` once the process has ended.
fn private_bytes(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? << 10)
}

/// The most private memory of a run, and what it printed.
fn peak(table: &Path, memory: &str) -> (u64, String) {
    let arguments = ["--by", "a", "--by", "b", "--agg", "sum(a)", "--top", "3", "--other", "--threads", "2"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_outcrop"))
        .arg("agg")
        .arg(table)
        .args(arguments)
        .args(["--no-cache", "-o", "-", "--memory", memory])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut most = 0;
    while let Some(now) = private_bytes(child.id()).filter(|_| child.try_wait().unwrap().is_none()) {
        most = most.max(now);
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    (most, String::from_utf8(output.stdout).unwrap())
}

#[test]
fn groups_beyond_the_budget_stay_within_it() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("pairs.arrow");
    let mut random = Random::new(4);
    let mut column = || Int64Array::from_iter_values((0..ROWS).map(|_| random.bits().cast_signed() >> 8));
    let columns = [("a", Arc::new(column()) as ArrayRef), ("b", Arc::new(column()))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    atomic_write(&table, |out: &mut dyn std::io::Write| write_arrow(&batch, &[], out)).unwrap();
    let (of_little, answer) = peak(&table, "16M");
    let (of_much, same) = peak(&table, "2G");
    assert_eq!(answer, same);
    assert!(answer.contains(&format!("{}", ROWS - 3)), "{answer}");
    let within = 16 * MIB + BESIDE;
    assert!(of_little <= within, "{} MiB where {} are allowed", of_little / MIB, within / MIB);
    assert!(of_much > within, "{} MiB: the groups would have fitted all the same", of_much / MIB);
}
