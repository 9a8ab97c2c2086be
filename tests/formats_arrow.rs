//! Arrow files and streams, read through [`Source::read`] and compared with plain readers.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, FixedSizeBinaryArray, Float64Array, Int32Array, Int64Array,
    ListArray, RecordBatch, StringArray, new_null_array,
};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Field, Int8Type, Int32Type, Schema};
use arrow::ipc::CompressionType;
use arrow::ipc::reader::{FileReader, StreamReader};
use arrow::ipc::writer::{DictionaryHandling, FileWriter, IpcWriteOptions, StreamWriter};
use arrow::util::display::array_value_to_string;
use outcrop::dataset::Source;
use outcrop::formats;
use outcrop::task::Task;

use crate::common;

fn open(path: &Path) -> Arc<dyn Source> {
    formats::open(path, &Task::detached()).unwrap()
}

fn open_error(path: &Path) -> String {
    match formats::open(path, &Task::detached()) {
        Ok(_) => panic!("{} opened", path.display()),
        Err(error) => error.to_string(),
    }
}

fn column(source: &dyn Source, name: &str) -> ArrayRef {
    source.read(source.schema().position(name).unwrap(), 0..source.row_count()).unwrap()
}

fn write_file(path: &Path, batches: &[RecordBatch], options: IpcWriteOptions) {
    let file = File::create(path).unwrap();
    let mut writer = FileWriter::try_new_with_options(file, &batches[0].schema(), options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
}

fn write_stream(path: &Path, batches: &[RecordBatch], options: IpcWriteOptions) {
    let file = File::create(path).unwrap();
    let mut writer = StreamWriter::try_new_with_options(file, &batches[0].schema(), options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
}

/// The whole table read by arrow's own readers, one array per column.
fn plain_read(path: &Path) -> Option<Vec<ArrayRef>> {
    let file = || File::open(path).unwrap();
    let batches: Vec<RecordBatch> = match FileReader::try_new(file(), None) {
        Ok(reader) => reader.collect::<Result<_, _>>().ok()?,
        Err(_) => StreamReader::try_new(file(), None).ok()?.collect::<Result<_, _>>().ok()?,
    };
    let columns = batches.first()?.num_columns();
    (0..columns)
        .map(|c| {
            let parts: Vec<&dyn Array> = batches.iter().map(|b| b.column(c).as_ref()).collect();
            concat(&parts).ok()
        })
        .collect()
}

/// Ranges that begin and end at, before and after every boundary.
fn odd_ranges(rows: u64, splits: &[u64]) -> Vec<std::ops::Range<u64>> {
    let mut edges = vec![0, 1, rows / 3, rows / 2, rows.saturating_sub(1), rows];
    for split in splits.iter().take(4) {
        edges.extend([split - 1, *split, split + 1]);
    }
    edges.retain(|edge| *edge <= rows);
    edges.sort_unstable();
    edges.dedup();
    let mut ranges = Vec::new();
    for (i, start) in edges.iter().enumerate() {
        ranges.extend(edges[i..].iter().map(|end| *start..*end));
    }
    ranges
}

fn plain_values(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Dictionary(_, values) => plain_values(&cast(array, values).unwrap()),
        // Dictionaries nested in these may differ in codes that mean the same.
        nested if nested.is_nested() => {
            let text = |row| array_value_to_string(array, row).unwrap();
            Arc::new(StringArray::from_iter_values((0..array.len()).map(text)))
        }
        _ => array.clone(),
    }
}

fn assert_reads_like(source: &dyn Source, expected: &[ArrayRef]) {
    assert_eq!(source.schema().len(), expected.len());
    for (c, expected) in expected.iter().enumerate() {
        for range in odd_ranges(source.row_count(), source.splits()) {
            let got = source.read(c, range.clone()).unwrap();
            assert_eq!(got.data_type(), &source.schema().fields()[c].data_type);
            let wanted = expected.slice(range.start as usize, (range.end - range.start) as usize);
            assert_eq!(&plain_values(&got), &plain_values(&wanted), "column {c}, rows {range:?}");
        }
    }
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn numbers(start: i64, count: i64) -> RecordBatch {
    batch(vec![
        ("i", Arc::new(Int64Array::from_iter_values(start..start + count))),
        (
            "x",
            Arc::new(Float64Array::from_iter(
                (start..start + count).map(|i| (i % 7 != 0).then_some(i as f64)),
            )),
        ),
        (
            "s",
            Arc::new(StringArray::from_iter(
                (start..start + count).map(|i| (i % 5 != 0).then(|| format!("é{i}"))),
            )),
        ),
    ])
}

#[test]
fn every_type_has_the_exact_statistics() {
    let text = std::fs::read_to_string(common::test_data().join("reference_exact_stats.json")).unwrap();
    let reference: HashMap<String, HashMap<String, serde_json::Value>> = serde_json::from_str(&text).unwrap();
    for file in ["all_types_file.arrow", "all_types_stream.arrow"] {
        let source = open(&common::test_data().join(file));
        assert_eq!(source.row_count(), 1003);
        for (name, stats) in &reference {
            // Odd pieces, so that a wrong offset cannot cancel out.
            let c = source.schema().position(name).unwrap();
            let pieces: Vec<ArrayRef> = [0..1, 1..8, 8..500, 500..1002, 1002..1003]
                .into_iter()
                .map(|range| source.read(c, range).unwrap())
                .collect();
            let mut count = 0;
            let (mut sum, mut sum_int) = (0.0, 0_i128);
            let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
            for piece in &pieces {
                let wide = cast(piece, &DataType::Float64).unwrap();
                let text = cast(piece, &DataType::Utf8).unwrap();
                for i in 0..piece.len() {
                    let value = wide.as_primitive::<arrow::datatypes::Float64Type>().value(i);
                    if piece.is_null(i) || value.is_nan() {
                        continue;
                    }
                    count += 1;
                    sum += value;
                    sum_int += text.as_string::<i32>().value(i).parse::<i128>().unwrap_or(0);
                    min = min.min(value);
                    max = max.max(value);
                }
            }
            assert_eq!(count, stats["count"].as_u64().unwrap(), "{file} {name}");
            // serde_json reads the last bit of a float as it likes.
            let same = |a: f64, b: f64| (a - b).abs() <= f64::EPSILON * b.abs();
            assert!(same(min, stats["min"].as_f64().unwrap()), "{file} {name}");
            assert!(same(max, stats["max"].as_f64().unwrap()), "{file} {name}");
            let expected_sum = stats["sum"].to_string();
            match expected_sum.parse::<i128>() {
                Ok(exact) if name != "b" => assert_eq!(sum_int, exact, "{file} {name}"),
                _ => {
                    let exact: f64 = expected_sum.parse().unwrap();
                    assert!(
                        (sum - exact).abs() <= 1e-12 * exact.abs().max(1.0),
                        "{file} {name}: {sum} {exact}"
                    );
                }
            }
        }
    }
}

#[test]
fn ranges_across_batches_read_like_the_plain_reader() {
    let dir = tempfile::tempdir().unwrap();
    let batches = [numbers(0, 10), numbers(10, 0), numbers(10, 1), numbers(11, 64), numbers(75, 3)];
    for compression in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
        let options = || IpcWriteOptions::default().try_with_compression(compression).unwrap();
        let file = dir.path().join("batches.arrow");
        write_file(&file, &batches, options());
        let stream = dir.path().join("batches.stream");
        write_stream(&stream, &batches, options());
        for path in [file, stream] {
            let source = open(&path);
            assert_eq!(source.row_count(), 78);
            assert_eq!(source.splits(), [10, 11, 75]);
            assert_reads_like(source.as_ref(), &plain_read(&path).unwrap());
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_uncompressed_column_is_read_where_it_lies_in_the_map() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["mapped.arrow", "mapped.arrows"] {
        let path = dir.path().join(name);
        let batches = [numbers(0, 1000)];
        if name.ends_with('s') {
            write_stream(&path, &batches, IpcWriteOptions::default());
        } else {
            write_file(&path, &batches, IpcWriteOptions::default());
        }
        let source = open(&path);
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let line = maps.lines().find(|line| line.ends_with(path.to_str().unwrap())).unwrap();
        let (start, rest) = line.split_once('-').unwrap();
        let end = rest.split_once(' ').unwrap().0;
        let map = usize::from_str_radix(start, 16).unwrap()..usize::from_str_radix(end, 16).unwrap();
        for c in 0..3 {
            for buffer in source.read(c, 100..900).unwrap().to_data().buffers() {
                assert!(map.contains(&(buffer.as_ptr() as usize)), "{name} column {c} was copied");
            }
        }
    }
}

fn codes(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(values.iter().copied().collect::<DictionaryArray<Int8Type>>())
}

#[test]
fn a_dictionary_replaced_within_a_stream_keeps_one_code_per_value() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("replaced.arrows");
    let parts = [
        codes(&[Some("a"), Some("b"), None, Some("a")]),
        codes(&[Some("b"), Some("c"), Some("c")]),
        codes(&[None, Some("d"), Some("a")]),
    ];
    let batches: Vec<RecordBatch> = parts.iter().map(|part| batch(vec![("k", part.clone())])).collect();
    write_stream(&path, &batches, IpcWriteOptions::default());
    let source = open(&path);
    let all = column(source.as_ref(), "k");
    let text = cast(&all, &DataType::Utf8).unwrap();
    let expected =
        [Some("a"), Some("b"), None, Some("a"), Some("b"), Some("c"), Some("c"), None, Some("d"), Some("a")];
    assert_eq!(text.as_string::<i32>(), &StringArray::from(expected.to_vec()));
    let keys = all.as_dictionary::<Int32Type>().keys().clone();
    let code = |row: usize| keys.value(row);
    assert_eq!(code(0), code(9));
    assert_eq!(code(1), code(4));
    assert_eq!(code(5), code(6));
    assert_eq!(all.as_dictionary::<Int32Type>().values().len(), 4);
    // The same codes when read batch by batch.
    for row in 0..10 {
        let one = source.read(0, row..row + 1).unwrap();
        assert_eq!(one.as_dictionary::<Int32Type>().keys().slice(0, 1), keys.slice(row as usize, 1));
    }
}

#[test]
fn a_dictionary_that_grows_by_deltas_is_one_dictionary() {
    let dir = tempfile::tempdir().unwrap();
    let dictionary = |values: &[&str], keys: Vec<i32>| -> ArrayRef {
        let values: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
        Arc::new(DictionaryArray::<Int32Type>::new(Int32Array::from(keys), values))
    };
    let batches = [
        batch(vec![("k", dictionary(&["a", "b"], vec![1, 0]))]),
        batch(vec![("k", dictionary(&["a", "b", "c"], vec![2, 0]))]),
        batch(vec![("k", dictionary(&["a", "b", "c", "d"], vec![3, 2, 1]))]),
    ];
    let options = || IpcWriteOptions::default().with_dictionary_handling(DictionaryHandling::Delta);
    let stream = dir.path().join("delta.arrows");
    write_stream(&stream, &batches, options());
    let file = dir.path().join("delta.arrow");
    write_file(&file, &batches, options());
    for path in [stream, file] {
        let source = open(&path);
        let all = column(source.as_ref(), "k");
        let all = all.as_dictionary::<Int32Type>();
        assert_eq!(all.keys().values(), &[1, 0, 2, 0, 3, 2, 1]);
        assert_eq!(all.values().as_string::<i32>(), &StringArray::from(vec!["a", "b", "c", "d"]));
        assert_eq!(source.schema().fields()[0].data_type, *all.data_type());
    }
}

#[test]
fn missing_and_doubled_dictionary_values_are_resolved() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("odd.arrow");
    let values: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None, Some("x"), Some("y")]));
    let keys = Int32Array::from(vec![Some(0), Some(1), Some(2), None, Some(3)]);
    let array: ArrayRef = Arc::new(DictionaryArray::<Int32Type>::new(keys, values));
    write_file(&path, &[batch(vec![("k", array)])], IpcWriteOptions::default());
    let all = column(open(&path).as_ref(), "k");
    assert_eq!(all.null_count(), 2);
    let all = all.as_dictionary::<Int32Type>();
    assert_eq!(all.keys(), &Int32Array::from(vec![Some(0), None, Some(0), None, Some(1)]));
    assert_eq!(all.values().null_count(), 0);
}

#[test]
fn units_and_descriptions_come_from_the_field_metadata() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("units.arrow");
    let metadata = [("unit", " km/s "), ("description", "radial velocity")];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let field = Field::new("rv", DataType::Float64, false).with_metadata(HashMap::from(metadata));
    let schema = Arc::new(Schema::new(vec![field]));
    let values = Arc::new(Float64Array::from(vec![1.0]));
    write_file(&path, &[RecordBatch::try_new(schema, vec![values]).unwrap()], IpcWriteOptions::default());
    let source = open(&path);
    let field = &source.schema().fields()[0];
    assert_eq!(field.unit.as_deref(), Some("km/s"));
    assert_eq!(field.description.as_deref(), Some("radial velocity"));
}

#[test]
fn tables_without_rows_or_columns_open() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("empty.arrow");
    write_file(&path, &[numbers(0, 0)], IpcWriteOptions::default());
    let source = open(&path);
    assert_eq!((source.row_count(), source.schema().len()), (0, 3));
    assert_eq!(source.read(2, 0..0).unwrap().len(), 0);
    assert!(source.read(0, 0..1).unwrap_err().to_string().contains("the table has 0 rows"));
    assert!(source.splits().is_empty());

    let file = File::create(&path).unwrap();
    let mut writer = FileWriter::try_new(file, &Schema::empty()).unwrap();
    writer.finish().unwrap();
    let source = open(&path);
    assert_eq!((source.row_count(), source.schema().len()), (0, 0));
}

#[test]
fn a_file_cut_at_any_byte_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    for (name, stream) in [("cut.arrow", false), ("cut.arrows", true)] {
        let path = dir.path().join(name);
        let batches = [numbers(0, 20), numbers(20, 5)];
        if stream {
            write_stream(&path, &batches, IpcWriteOptions::default());
        } else {
            write_file(&path, &batches, IpcWriteOptions::default());
        }
        let whole = std::fs::read(&path).unwrap();
        for length in (0..whole.len()).step_by(7) {
            std::fs::write(&path, &whole[..length]).unwrap();
            match formats::open(&path, &Task::detached()) {
                Err(error) => assert!(error.to_string().contains(name), "{error}"),
                Ok(source) => {
                    // A stream cut between two messages, or before its end mark, is whole.
                    assert!(stream && [0, 20, 25].contains(&source.row_count()), "cut at {length}");
                }
            }
        }
    }
}

/// Opens and reads everything; errors must name the file, nothing may take long.
fn survive(path: &Path) -> Result<u64, String> {
    let start = Instant::now();
    let name = path.file_name().unwrap().to_str().unwrap();
    let result = match formats::open(path, &Task::detached()) {
        Err(error) => Err(error.to_string()),
        Ok(source) => {
            let rows = source.row_count();
            let mut result = Ok(rows);
            for c in 0..source.schema().len() {
                for range in
                    [0..rows.min(1000), rows / 2..rows.min(rows / 2 + 1000), rows.saturating_sub(1)..rows]
                {
                    let count = range.end - range.start;
                    match source.read(c, range) {
                        Ok(array) => {
                            assert_eq!(array.len() as u64, count);
                            assert_eq!(array.data_type(), &source.schema().fields()[c].data_type);
                        }
                        Err(error) => result = Err(error.to_string()),
                    }
                }
            }
            result
        }
    };
    if let Err(message) = &result {
        assert!(message.contains(name), "does not name {name}: {message}");
        assert!(message.len() < 2000, "{message}");
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{} took {:?}", path.display(), start.elapsed());
    result
}

#[test]
fn mutated_files_never_end_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mutated.arrow");
    let with_codes = |start| {
        let mut columns: Vec<(&str, ArrayRef)> = vec![("k", codes(&[Some("a"), None, Some("b")]))];
        let widths: [&[u8]; 3] = [b"abcdefg", b"0123456", b"-------"];
        columns.push(("w", Arc::new(FixedSizeBinaryArray::try_from_iter(widths.into_iter()).unwrap())));
        let lists = [Some(vec![Some(1), None]), None, Some(vec![Some(3)])];
        columns.push(("l", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists))));
        let rest = numbers(start, 3);
        columns.extend(["i", "x", "s"].into_iter().zip(rest.columns().iter().cloned()));
        batch(columns)
    };
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut errors = 0;
    for compression in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
        for stream in [false, true] {
            let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
            let batches = [with_codes(0), with_codes(3)];
            if stream {
                write_stream(&path, &batches, options);
            } else {
                write_file(&path, &batches, options);
            }
            let whole = std::fs::read(&path).unwrap();
            for _ in 0..400 {
                let mut bytes = whole.clone();
                for _ in 0..=random(3) {
                    let at = random(bytes.len());
                    bytes[at] = [0, 1, 0x7f, 0x80, 0xff, random(256) as u8][random(6)];
                }
                std::fs::write(&path, &bytes).unwrap();
                errors += usize::from(survive(&path).is_err());
            }
        }
    }
    assert!(errors > 200, "only {errors} of 2400 mutations were noticed");
}

#[test]
fn a_buffer_that_declares_more_than_it_can_expand_to_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bomb.arrow");
    let zeros: ArrayRef = Arc::new(Int64Array::from(vec![0; 100_000]));
    for codec in [CompressionType::LZ4_FRAME, CompressionType::ZSTD] {
        let options = IpcWriteOptions::default().try_with_compression(Some(codec)).unwrap();
        write_file(&path, &[batch(vec![("z", zeros.clone())])], options);
        let mut bytes = std::fs::read(&path).unwrap();
        let declared = 800_000_i64.to_le_bytes();
        let at = bytes.windows(8).position(|window| window == declared).unwrap();
        bytes[at..at + 8].copy_from_slice(&(1_i64 << 40).to_le_bytes());
        std::fs::write(&path, &bytes).unwrap();
        let message = open(&path).read(0, 0..1).unwrap_err().to_string();
        assert!(message.contains("bomb.arrow") && message.contains("record batch 0"), "{message}");
        assert!(message.contains("1099511627776 bytes"), "{message}");
    }
}

#[test]
fn feather_version_1_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.feather");
    std::fs::write(&path, b"FEA1\0\0\0\0old contents FEA1").unwrap();
    assert!(open_error(&path).contains("Feather version 1"));
}

#[test]
fn opening_touches_no_value() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("nulls.arrow");
    // 2^40 rows in 2^10 batches: possible only if rows are counted from the headers.
    let rows = 1_usize << 30;
    let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Null, true)]));
    let one = RecordBatch::try_new(schema, vec![new_null_array(&DataType::Null, rows)]).unwrap();
    write_file(&path, &vec![one; 1 << 10], IpcWriteOptions::default());
    let start = Instant::now();
    let source = open(&path);
    assert_eq!(source.row_count(), 1 << 40);
    assert_eq!(source.read(0, (1 << 39) - 5..(1 << 39) + 5).unwrap().len(), 10);
    assert!(start.elapsed() < Duration::from_millis(500));
}

fn files_below(dir: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files_below(&path, files);
        } else {
            files.push(path);
        }
    }
}

#[test]
fn the_arrow_corpora_never_crash_and_good_files_read_right() {
    let Some(shared) = common::shared_data() else {
        eprintln!("skipped: no folder of shared data");
        return;
    };
    let corpora = shared.join("corpora");
    let manifest = std::fs::read_to_string(corpora.join("manifest.csv")).unwrap();
    let expects: HashMap<&str, &str> = manifest
        .lines()
        .filter_map(|line| {
            let mut cells = line.split(',');
            Some((cells.next()?, cells.nth(2)?))
        })
        .collect();
    let mut files = Vec::new();
    for folder in ["arrow-ipc-file", "arrow-ipc-stream", "arrow-ipc-tensor-stream"] {
        files_below(&corpora.join("arrow-testing/data").join(folder), &mut files);
    }
    let mut counts: HashMap<(&str, bool), usize> = HashMap::new();
    let mut compared = 0;
    for path in &files {
        let name = path.strip_prefix(&corpora).unwrap().to_str().unwrap();
        let Some(expect) = expects.get(name).copied().filter(|e| ["V", "N", "X", "E"].contains(e)) else {
            continue;
        };
        let result = survive(path);
        *counts.entry((expect, result.is_ok())).or_default() += 1;
        match expect {
            "V" => {
                result.unwrap();
                if let Some(expected) = plain_read(path) {
                    assert_reads_like(open(path).as_ref(), &expected);
                    compared += 1;
                }
            }
            "X" if name.contains("bigendian") => {
                assert!(result.unwrap_err().contains("big-endian"), "{name}")
            }
            "X" => println!("{name}: {result:?}"),
            "E" => assert!(result.is_err(), "{name}"),
            _ => {}
        }
    }
    println!("{counts:?}, {compared} compared with the plain reader");
    assert!(counts.values().sum::<usize>() > 200);
}

#[test]
fn real_files_read_like_the_plain_reader() {
    let Some(shared) = common::shared_data() else {
        eprintln!("skipped: no folder of shared data");
        return;
    };
    for name in ["real/flights/flights-200k.arrow", "vaex/repo/docs/source/data/io/sample_fruits.arrow"] {
        let path = shared.join(name);
        assert_reads_like(open(&path).as_ref(), &plain_read(&path).unwrap());
    }
}
