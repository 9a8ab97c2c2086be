//! Files out: whole or not at all, tables exact.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arrow::array::{
    ArrayRef, DictionaryArray, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::Int32Type;
use arrow::ipc::reader::FileReader;
use outcrop::export::{
    CsvOptions, ExportError, TextOptions, atomic_write, save_table, sweep_stale, text_table, write_arrow,
    write_csv,
};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn an_export_replaces_the_file_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.csv");
    assert_eq!(atomic_write(&path, |out| out.write_all(b"first")).unwrap(), 5);
    atomic_write(&path, |out| out.write_all(b"second")).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"second");
    assert_eq!(names(dir.path()), ["out.csv"]);
}

#[test]
fn a_failed_export_leaves_the_old_file_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.csv");
    fs::write(&path, b"old").unwrap();
    let error = atomic_write(&path, |out| {
        out.write_all(&[1; 1 << 20])?;
        Err(io::Error::other("the source is damaged"))
    })
    .unwrap_err()
    .to_string();
    assert!(error.contains("out.csv") && error.contains("the source is damaged"), "{error}");
    let panicked = catch_unwind(AssertUnwindSafe(|| atomic_write(&path, |_| panic!("a bug in an export"))));
    assert!(panicked.is_err());
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(dir.path()), ["out.csv"]);
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("there")).unwrap();
    let target = dir.path().join("there/target.csv");
    fs::write(&target, b"old").unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
    let link = dir.path().join("link.csv");
    symlink("there/target.csv", &link).unwrap();
    atomic_write(&link, |out| out.write_all(b"new")).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&target).unwrap(), b"new");
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);

    let dangling = dir.path().join("dangling");
    symlink("there/fresh.csv", &dangling).unwrap();
    atomic_write(&dangling, |out| out.write_all(b"fresh")).unwrap();
    assert_eq!(fs::read(dir.path().join("there/fresh.csv")).unwrap(), b"fresh");

    let circle = dir.path().join("circle");
    symlink("circle", &circle).unwrap();
    assert!(atomic_write(&circle, |_| Ok(())).is_err());
}

#[test]
fn a_reader_of_the_old_file_keeps_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.bin");
    fs::write(&path, vec![7; 100_000]).unwrap();
    let mapped = outcrop::memory::Mapped::open(&path).unwrap();
    atomic_write(&path, |out| {
        mapped.bytes()[..50_000].iter().try_for_each(|byte| out.write_all(&[byte + 1]))
    })
    .unwrap();
    assert!(mapped.bytes().iter().all(|byte| *byte == 7));
    assert_eq!(fs::read(&path).unwrap(), vec![8; 50_000]);
}

#[test]
fn errors_name_the_path_and_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("no/such/out.csv");
    let error = atomic_write(&missing, |_| Ok(())).unwrap_err().to_string();
    assert!(error.contains("out.csv") && error.contains("folder does not exist"), "{error}");
    let error = atomic_write(dir.path(), |_| Ok(())).unwrap_err().to_string();
    assert!(error.contains("it is a folder"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_says_how_much_is_needed() {
    let error = atomic_write(Path::new("/dev/full"), |out| out.write_all(&[0; 200_000])).unwrap_err();
    assert!(
        matches!(error, ExportError::DiskFull { written: 0, needed: 200_000, exact: true, .. }),
        "{error:?}"
    );
    let text = error.to_string();
    assert!(text.contains("the disk is full: 200000 bytes are needed, room was found for 0"), "{text}");
}

#[test]
fn stale_temporary_files_are_swept_and_fresh_ones_kept() {
    let dir = tempfile::tempdir().unwrap();
    let old = dir.path().join(".outcrop-1-1.tmp");
    let fresh = dir.path().join(".outcrop-1-2.tmp");
    let other = dir.path().join("kept.tmp");
    for path in [&old, &fresh, &other] {
        fs::write(path, b"x").unwrap();
    }
    let two_days_ago = SystemTime::now() - Duration::from_secs(2 * 24 * 3600);
    for path in [&old, &other] {
        fs::File::options().write(true).open(path).unwrap().set_modified(two_days_ago).unwrap();
    }
    sweep_stale(dir.path());
    assert_eq!(names(dir.path()), [".outcrop-1-2.tmp", "kept.tmp"]);
}

fn sample() -> RecordBatch {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("x", Arc::new(Float64Array::from(vec![Some(0.1), None, Some(f64::NAN), Some(-1e300)]))),
        ("f", Arc::new(Float32Array::from(vec![0.1, -0.0, f32::INFINITY, 16_777_217.0]))),
        ("n", Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(-1), None, Some(i64::MAX)]))),
        ("s", Arc::new(StringArray::from(vec![Some("=1+1"), Some(""), None, Some("a \"b\", c\n")]))),
        (
            "t",
            Arc::new(TimestampMillisecondArray::from(vec![Some(0), Some(1_577_934_245_678), None, Some(-1)])),
        ),
        (
            "k",
            Arc::new(
                [Some("-x"), None, Some("日本"), Some("b")]
                    .into_iter()
                    .collect::<DictionaryArray<Int32Type>>(),
            ),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn csv(batch: &RecordBatch, options: CsvOptions) -> String {
    let mut out = Vec::new();
    write_csv(batch, options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn csv_is_exact_and_tells_missing_from_empty() {
    let text = csv(&sample(), CsvOptions::default());
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines[0], "x,f,n,s,t,k");
    assert_eq!(lines[1], "0.1,0.1,-9223372036854775808,=1+1,1970-01-01T00:00:00,-x");
    assert_eq!(lines[2], ",-0.0,-1,\"\",2020-01-02T03:04:05.678,");
    assert_eq!(lines[3], "NaN,inf,,,,日本");
    assert_eq!(
        lines[4],
        "-1e300,16777216.0,9223372036854775807,\"a \"\"b\"\", c\n\",1969-12-31T23:59:59.999,b"
    );
}

#[test]
fn formulas_are_neutralised_in_text_only() {
    let options = CsvOptions { neutralise_formulas: true, ..CsvOptions::default() };
    let text = csv(&sample(), options);
    assert!(text.contains(",'=1+1,") && text.contains(",'-x\r\n"), "{text}");
    assert!(text.contains("\r\n-1e300,"), "{text}");
}

#[test]
fn floats_in_csv_read_back_to_the_same_bits() {
    let values: Vec<f64> = (0..2000_u64)
        .map(|i| f64::from_bits(i.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .filter(|value| value.is_finite())
        .chain([0.0, -0.0, f64::MIN_POSITIVE, 5e-324, f64::MAX])
        .collect();
    let array: ArrayRef = Arc::new(Float64Array::from(values.clone()));
    let text = csv(&RecordBatch::try_from_iter([("x", array)]).unwrap(), CsvOptions::default());
    let read: Vec<f64> = text.lines().skip(1).map(|line| line.parse().unwrap()).collect();
    assert_eq!(values.len(), read.len());
    assert!(values.iter().zip(&read).all(|(a, b)| a.to_bits() == b.to_bits()));
}

#[test]
fn arrow_files_carry_their_notes_and_open_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.arrow");
    let notes = [("filter".to_owned(), "x > 3".to_owned())];
    atomic_write(&path, |out| write_arrow(&sample(), &notes, out)).unwrap();
    let reader = FileReader::try_new(fs::File::open(&path).unwrap(), None).unwrap();
    assert_eq!(reader.schema().metadata().get("filter").map(|text| text.to_string()).unwrap(), "x > 3");
    let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>().unwrap();
    // Compared as text, because NaN is not equal to itself.
    assert_eq!(csv(&batches[0], CsvOptions::default()), csv(&sample(), CsvOptions::default()));
    let source = outcrop::formats::open(&path, &outcrop::task::Task::detached()).unwrap();
    assert_eq!(source.row_count(), 4);
}

#[test]
fn a_text_table_is_aligned_and_says_what_it_leaves_out() {
    let text = text_table(&sample(), TextOptions { rows: Some(3), width: Some(60), value_width: 22 });
    let expected = [
        "  x     f                     n  s",
        "───  ────  ────────────────────  ────",
        "0.1   0.1  -9223372036854775808  =1+1",
        "  –  -0.0                    -1",
        "NaN   inf                     –  –",
        "… and 1 more row",
        "… and 2 more columns: t, k",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn wide_and_hostile_text_does_not_break_the_columns() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("a", Arc::new(StringArray::from(vec!["日本", "\u{202e}x", "y\tz", "0123456789"]))),
        ("b", Arc::new(Int64Array::from(vec![1, 2, 3, 4]))),
    ];
    let text = text_table(
        &RecordBatch::try_from_iter(columns).unwrap(),
        TextOptions { value_width: 9, ..TextOptions::default() },
    );
    for line in text.lines() {
        assert_eq!(unicode_width::UnicodeWidthStr::width(line), 12, "{text}");
    }
    assert!(text.contains("01234567…"), "{text}");
}

#[test]
fn a_table_is_saved_in_the_format_of_its_extension() {
    let dir = tempfile::tempdir().unwrap();
    let save = |name: &str| {
        let path = dir.path().join(name);
        save_table(&path, &sample(), CsvOptions::default(), &[]).map(|_| path)
    };
    assert!(fs::read(save("a.csv").unwrap()).unwrap().starts_with(b"x,f,n"));
    assert!(fs::read(save("a.tsv").unwrap()).unwrap().starts_with(b"x\tf\tn"));
    assert!(fs::read(save("a.arrow").unwrap()).unwrap().starts_with(b"ARROW1"));
    let error = save("a.xlsx").unwrap_err().to_string();
    assert!(error.contains("a.xlsx") && error.contains(".csv"), "{error}");
}
