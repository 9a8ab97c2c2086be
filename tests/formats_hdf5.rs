//! HDF5 files are read as they were written, and bad ones are refused in words.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Float64Type, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use outcrop::dataset::Source;
use outcrop::formats::{OpenError, open};
use outcrop::task::Task;

use crate::common::{shared_data, test_data};

fn open_file(path: &Path) -> Arc<dyn Source> {
    open(path, &Task::detached()).unwrap_or_else(|error| panic!("{error}"))
}

fn vaex_file(name: &str) -> PathBuf {
    test_data().join("vaex").join(name)
}

/// Numbers that look random and are the same every time (SplitMix64).
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.bits() % limit
    }
}

fn open_vaex(name: &str) -> Arc<dyn Source> {
    open_file(&vaex_file(name))
}

/// Ranges of odd sizes that cover all rows, so that reads begin and end anywhere.
fn odd_ranges(rows: u64) -> Vec<Range<u64>> {
    let (mut start, mut sizes) = (0, [1, 3, 7, 8, 64, 127, 13, 251].into_iter().cycle());
    let mut ranges = Vec::new();
    while start < rows {
        let end = (start + sizes.next().unwrap()).min(rows);
        ranges.push(start..end);
        start = end;
    }
    ranges
}

/// A whole column, once in one piece and once in odd pieces, which must agree.
fn read_column(source: &dyn Source, name: &str) -> ArrayRef {
    let column = source.schema().position(name).unwrap_or_else(|| panic!("no column {name}"));
    let whole = source.read(column, 0..source.row_count()).unwrap();
    assert_eq!(whole.len() as u64, source.row_count());
    assert_eq!(whole.data_type(), &source.schema().fields()[column].data_type);
    let pieces: Vec<ArrayRef> = odd_ranges(source.row_count())
        .into_iter()
        .map(|rows| {
            let piece = source.read(column, rows.clone()).unwrap();
            assert_eq!(piece.len() as u64, rows.end - rows.start);
            assert_eq!(piece.data_type(), whole.data_type());
            piece
        })
        .collect();
    if !pieces.is_empty() {
        let pieces: Vec<&dyn Array> = pieces.iter().map(|piece| piece.as_ref()).collect();
        assert_eq!(
            texts(&concat(&pieces).unwrap()),
            texts(&whole),
            "column {name} differs when read in pieces"
        );
    }
    whole
}

/// All values as text, exactly.
fn texts(array: &ArrayRef) -> Vec<Option<String>> {
    let options = FormatOptions::new().with_display_error(true);
    let formatter = ArrayFormatter::try_new(array.as_ref(), &options).unwrap();
    (0..array.len()).map(|i| array.is_valid(i).then(|| formatter.value(i).to_string())).collect()
}

fn missing_or_nan(array: &ArrayRef) -> usize {
    let nan = match array.data_type() {
        DataType::Float64 => {
            array.as_primitive::<Float64Type>().iter().flatten().filter(|v| v.is_nan()).count()
        }
        _ => 0,
    };
    array.null_count() + nan
}

/// The sum of all values, rounded once (Shewchuk 1997, "Adaptive Precision Floating-Point Arithmetic").
fn exact_sum(values: &[f64]) -> f64 {
    let mut partials: Vec<f64> = Vec::new();
    for &value in values {
        let mut x = value;
        let mut kept = Vec::new();
        for &y in &partials {
            let (big, small) = if x.abs() < y.abs() { (y, x) } else { (x, y) };
            let high = big + small;
            let low = small - (high - big);
            if low != 0.0 {
                kept.push(low);
            }
            x = high;
        }
        kept.push(x);
        partials = kept;
    }
    partials.iter().rev().sum()
}

/// The number a JSON object of objects holds, as its digits: the integers are larger than 64 bits.
fn digits<'a>(json: &'a str, name: &str, key: &str) -> &'a str {
    let (_, object) = json.split_once(&format!("\"{name}\": {{")).unwrap();
    let (_, number) = object.split_once(&format!("\"{key}\": ")).unwrap();
    number.split([',', '\n']).next().unwrap()
}

fn check_statistics(source: &dyn Source, name: &str, json: &str) {
    let array = read_column(source, name);
    let expected = |key: &str| digits(json, name, key);
    if array.data_type().is_floating() {
        let number = |key: &str| expected(key).parse::<f64>().unwrap();
        let values = cast(&array, &DataType::Float64).unwrap();
        let values: Vec<f64> =
            values.as_primitive::<Float64Type>().iter().flatten().filter(|v| !v.is_nan()).collect();
        let distinct: HashSet<u64> = values.iter().map(|v| v.to_bits()).collect();
        assert_eq!(values.len().to_string(), expected("count"), "{name}: count");
        assert_eq!(exact_sum(&values), number("sum"), "{name}: sum");
        assert_eq!(values.iter().copied().fold(f64::INFINITY, f64::min), number("min"), "{name}: min");
        assert_eq!(values.iter().copied().fold(f64::NEG_INFINITY, f64::max), number("max"), "{name}: max");
        assert_eq!(distinct.len().to_string(), expected("nunique"), "{name}: distinct");
    } else {
        let number = |text: String| text.parse().unwrap_or_else(|_| i128::from(text == "true"));
        let values: Vec<i128> = texts(&array).into_iter().flatten().map(number).collect();
        let distinct: HashSet<i128> = values.iter().copied().collect();
        assert_eq!(values.len().to_string(), expected("count"), "{name}: count");
        assert_eq!(values.iter().sum::<i128>().to_string(), expected("sum"), "{name}: sum");
        assert_eq!(values.iter().min().unwrap().to_string(), expected("min"), "{name}: min");
        assert_eq!(values.iter().max().unwrap().to_string(), expected("max"), "{name}: max");
        assert_eq!(distinct.len().to_string(), expected("nunique"), "{name}: distinct");
    }
}

#[test]
fn every_column_of_every_layout_has_its_exact_statistics() {
    let expected = std::fs::read_to_string(vaex_file("reference_exact_stats.json")).unwrap();
    let mut checked = 0;
    let mut check_all = |source: &dyn Source| {
        assert_eq!(source.row_count(), 1003);
        for field in source.schema().fields() {
            if expected.contains(&format!("\"{}\": {{", field.name)) {
                check_statistics(source, &field.name, &expected);
                checked += 1;
            }
        }
    };
    check_all(&*open_vaex("all_types_v2.hdf5"));
    check_all(&*open_vaex("big_endian_v2.hdf5"));
    if let Some(shared) = shared_data() {
        check_all(&*open_file(&shared.join("vaex/generated/custom_group.hdf5")));
    }
    println!("{checked} columns agree with the exact statistics");
    assert!(checked >= 27);
}

#[test]
fn vaex_types_become_arrow_types() {
    let source = open_vaex("all_types_v2.hdf5");
    let data_type = |name: &str| source.schema().field(name).unwrap().data_type.clone();
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::LargeUtf8));
    assert_eq!(data_type("b"), DataType::Boolean);
    assert_eq!(data_type("u16"), DataType::UInt16);
    assert_eq!(data_type("t_ns"), DataType::Timestamp(TimeUnit::Nanosecond, None));
    assert_eq!(data_type("t_s"), DataType::Timestamp(TimeUnit::Second, None));
    assert_eq!(data_type("t_D"), DataType::Date32);
    assert_eq!(data_type("td_ms"), DataType::Duration(TimeUnit::Millisecond));
    assert_eq!(data_type("s"), DataType::Utf8);
    assert_eq!(data_type("cat"), dictionary);
    assert_eq!(data_type("v2d[2]"), DataType::Float64);
    let names: Vec<&str> = source.schema().fields().iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names[..3], ["i8", "i16", "i32"], "columns come in the order of the file");
    assert_eq!(names.len(), 27);
}

#[test]
fn titanic_has_its_missing_and_distinct_values() {
    let expected: serde_json::Value =
        serde_json::from_slice(&std::fs::read(vaex_file("titanic_reference.json")).unwrap()).unwrap();
    let source = open_vaex("titanic.hdf5");
    assert_eq!(source.row_count(), 1309);
    for (name, missing) in expected["missing"].as_object().unwrap() {
        let array = read_column(&*source, name);
        assert_eq!(missing_or_nan(&array) as u64, missing.as_u64().unwrap(), "{name}: missing");
        let distinct: HashSet<String> =
            texts(&array).into_iter().flatten().filter(|text| text != "NaN").collect();
        assert_eq!(distinct.len() as u64, expected["nunique"][name].as_u64().unwrap(), "{name}: distinct");
    }
    assert_eq!(texts(&read_column(&*source, "name"))[0].as_deref(), Some("Allen, Miss. Elisabeth Walton"));
}

#[test]
fn a_column_is_called_by_its_alias() {
    let source = open_vaex("with_alias.hdf5");
    let names: Vec<&str> = source.schema().fields().iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["X-1", "#"]);
}

#[test]
fn amuse_particles_are_a_table_with_units() {
    let source = open_vaex("default_amuse_plummer.hdf5");
    assert_eq!((source.row_count(), source.schema().len()), (1000, 8));
    assert_eq!(source.schema().field("vx").unwrap().unit.as_deref(), Some("m/s"));
    assert_eq!(source.schema().field("mass").unwrap().unit.as_deref(), Some("kg"));
}

#[test]
fn the_first_vaex_layout_has_units_and_times() {
    let source = open_vaex("v1_data_layout.hdf5");
    assert_eq!(source.row_count(), 1003);
    let x = source.schema().field("x").unwrap();
    assert_eq!(x.unit.as_deref(), Some("km/s"));
    assert_eq!(x.description.as_deref(), Some("x coordinate (ucd: pos.cartesian.x)"));
    assert_eq!(
        source.schema().field("t").unwrap().data_type,
        DataType::Timestamp(TimeUnit::Nanosecond, None)
    );
    let all = open_vaex("all_types_v2.hdf5");
    assert_eq!(texts(&read_column(&*source, "t")), texts(&read_column(&*all, "t_ns")));
}

#[test]
fn plain_data_sets_at_the_root_are_a_table() {
    let source = open_vaex("plain_root_h5py.hdf5");
    let names: Vec<&str> = source.schema().fields().iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["bytes", "chunked_i4", "contig", "gz", "m[0]", "m[1]"]);
    for name in names {
        assert_eq!(read_column(&*source, name).null_count(), 0);
    }
    let all = open_vaex("all_types_v2.hdf5");
    assert_eq!(texts(&read_column(&*source, "contig")), texts(&read_column(&*all, "f64")));
    assert_eq!(texts(&read_column(&*source, "gz")), texts(&read_column(&*all, "f64")));
    assert_eq!(texts(&read_column(&*source, "chunked_i4")), texts(&read_column(&*all, "i32")));
}

#[test]
fn of_several_tables_the_largest_opens_and_another_by_its_path() {
    let path = vaex_file("multi_group.hdf5");
    let largest = open_file(&path);
    assert_eq!((largest.row_count(), largest.schema().fields()[0].name.as_str()), (1003, "x"));
    let second = open_file(Path::new(&format!("{}#/second", path.display())));
    assert_eq!((second.row_count(), second.schema().fields()[0].name.as_str()), (100, "y"));
    assert_ne!(largest.identity(), second.identity());
    let error = open(Path::new(&format!("{}#/third", path.display())), &Task::detached()).err().unwrap();
    assert!(error.to_string().contains("/first (1003 rows of 1 columns), /second (100 rows"), "{error}");
}

#[test]
fn iris_and_the_samples_open() {
    for (name, rows, columns) in
        [("iris.hdf5", 150, 5), ("sample_simple.hdf5", 5, 3), ("sample_names_1.hdf5", 2, 3)]
    {
        let source = open_vaex(name);
        assert_eq!((source.row_count(), source.schema().len()), (rows, columns), "{name}");
        for field in source.schema().fields() {
            read_column(&*source, &field.name);
        }
    }
}

/// Values as `make_hdf5.py` writes them: times as counts, missing as null.
fn plain_texts(array: &ArrayRef) -> Vec<Option<String>> {
    match array.data_type() {
        DataType::Timestamp(..) | DataType::Duration(_) => texts(&cast(array, &DataType::Int64).unwrap()),
        DataType::Date32 => texts(&cast(array, &DataType::Int32).unwrap()),
        DataType::Float16 => texts(&cast(array, &DataType::Float64).unwrap()),
        _ => texts(array),
    }
}

fn hdf5_file(name: &str) -> PathBuf {
    test_data().join("hdf5").join(name)
}

fn expected_values() -> serde_json::Map<String, serde_json::Value> {
    serde_json::from_slice(&std::fs::read(hdf5_file("expected.json")).unwrap()).unwrap()
}

fn same_value(read: &Option<String>, written: Option<&str>, is_float: bool) -> bool {
    match (read, written) {
        (Some(read), Some(written)) if is_float => {
            let (read, written): (f64, f64) = (read.parse().unwrap(), written.parse().unwrap());
            read.to_bits() == written.to_bits() || read.is_nan() && written.is_nan()
        }
        (read, written) => read.as_deref() == written,
    }
}

#[test]
fn every_storage_filter_and_type_gives_the_values_written() {
    let (mut columns, mut wrong) = (0, Vec::new());
    for (name, expected) in expected_values() {
        let source = open_file(&hdf5_file(&name));
        for (column, values) in expected.as_object().unwrap() {
            let array = read_column(&*source, column);
            let values: Vec<Option<&str>> = values.as_array().unwrap().iter().map(|v| v.as_str()).collect();
            let read = plain_texts(&array);
            let is_single = array.data_type() == &DataType::Float32;
            let is_float = array.data_type().is_floating();
            let written: Vec<Option<String>> = values
                .iter()
                .map(|v| match v {
                    Some(v) if is_single => Some(f64::from(v.parse::<f64>().unwrap() as f32).to_string()),
                    v => v.map(str::to_owned),
                })
                .collect();
            let read: Vec<Option<String>> =
                read.into_iter()
                    .map(|v| {
                        if is_single {
                            v.map(|v| f64::from(v.parse::<f32>().unwrap()).to_string())
                        } else {
                            v
                        }
                    })
                    .collect();
            assert_eq!(read.len(), written.len(), "{name}: {column}");
            if let Some(i) = (0..read.len()).find(|&i| !same_value(&read[i], written[i].as_deref(), is_float))
            {
                wrong.push(format!("{name}: {column}: row {i} is {:?}, not {:?}", read[i], written[i]));
            }
            columns += 1;
        }
    }
    println!("{columns} columns compared");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(columns > 150);
}

#[test]
fn what_is_not_read_is_a_column_that_says_so() {
    let source = open_file(&hdf5_file("plain_earliest.hdf5"));
    for (name, reason) in [
        ("sequences", "sequences of varying length"),
        ("references", "references to other parts"),
        ("f16bytes", "not laid out as IEEE 754"),
    ] {
        let field = source.schema().field(name).unwrap();
        assert_eq!(field.data_type, DataType::Null);
        assert!(field.description.as_ref().unwrap().contains(reason), "{field:?}");
        assert_eq!(read_column(&*source, name).len(), 67);
    }
    assert!(source.schema().field("single").is_none());
    let DataType::FixedSizeList(item, 300) = &source.schema().field("image").unwrap().data_type else {
        panic!("rows of 300 elements are one list");
    };
    assert_eq!(item.data_type(), &DataType::UInt8);
    read_column(&*source, "image");
    let source = open_file(&hdf5_file("vaex_odd.hdf5"));
    assert!(
        source.schema().field("without_data").unwrap().description.as_ref().unwrap().contains("no data set")
    );
    let source = open_file(&hdf5_file("many_dimensions_growable.hdf5"));
    assert!(source.schema().field("m").unwrap().description.as_ref().unwrap().contains("version 2 B-tree"));
    let source = open_file(&hdf5_file("deep_type.hdf5"));
    assert!(source.schema().field("deep").unwrap().description.as_ref().unwrap().contains("nests more than"));
    assert_eq!(texts(&read_column(&*source, "x")), ["0", "1", "2"].map(|v| Some(v.to_owned())));
}

#[test]
fn a_column_has_its_unit_and_description() {
    let source = open_file(&hdf5_file("plain_v114.hdf5"));
    let field = source.schema().field("gzip").unwrap();
    assert_eq!(field.unit.as_deref(), Some("km/s"));
    assert_eq!(field.description.as_deref(), Some("a speed (ucd: phys.veloc)"));
}

#[test]
fn the_table_of_vaex_opens_whatever_is_beside_it() {
    let source = open_file(&hdf5_file("vaex_and_others.hdf5"));
    assert_eq!((source.row_count(), source.schema().fields()[0].name.as_str()), (3, "x"));
}

#[test]
fn a_table_without_rows_opens() {
    let source = open_file(&hdf5_file("no_rows.hdf5"));
    assert_eq!((source.row_count(), source.schema().len()), (0, 4));
    for field in source.schema().fields() {
        assert_eq!(read_column(&*source, &field.name).len(), 0);
    }
}

fn refusal(path: &Path) -> String {
    open(path, &Task::detached()).err().expect("the file is refused").to_string()
}

#[test]
fn columns_of_different_lengths_are_named() {
    let error = refusal(&hdf5_file("lengths_vaex.hdf5"));
    assert!(error.contains("`also_long`, `long` 12 rows") && error.contains("`short` 10 rows"), "{error}");
    let error = refusal(&hdf5_file("lengths_root.hdf5"));
    for part in ["`x`, `y` 100 rows", "`edges` 101 rows", "FILE#/", "/other (5 rows of 1 columns)"] {
        assert!(error.contains(part), "{error}");
    }
    let error = refusal(&hdf5_file("lengths_mask.hdf5"));
    assert!(error.contains("/table/columns/x/mask has 9 rows") && error.contains("10 rows"), "{error}");
    let one = open_file(Path::new(&format!("{}#/edges", hdf5_file("lengths_root.hdf5").display())));
    assert_eq!((one.row_count(), one.schema().len()), (101, 1));
    assert!(refusal(&hdf5_file("no_table.hdf5")).contains("only 2 single values"));
}

#[test]
fn wrong_offsets_and_codes_are_errors_that_name_column_and_row() {
    let source = open_file(&hdf5_file("bad_code.hdf5"));
    let read = |name: &str, rows| source.read(source.schema().position(name).unwrap(), rows);
    let error = read("c", 0..5).unwrap_err();
    assert_eq!((error.column.as_str(), error.rows.clone()), ("c", 0..5));
    assert!(error.reason.contains("row 3 has the code 9"), "{error}");
    assert!(read("c", 0..3).is_ok());
    let error = read("t", 0..5).unwrap_err();
    assert!(error.reason.contains("text of row 1"), "{error}");
    assert!(read("t", 2..5).is_ok());
    assert!(read("beyond", 0..5).unwrap_err().reason.contains("text of row 4"));
    assert!(read("t", 3..6).unwrap_err().reason.contains("only 5 rows"));
}

#[test]
fn chunked_columns_are_read_by_many_threads_at_once() {
    let source = open_file(&hdf5_file("plain_v114.hdf5"));
    let expected: Vec<_> =
        (0..source.schema().len()).map(|i| texts(&source.read(i, 0..source.row_count()).unwrap())).collect();
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let (source, expected) = (&source, &expected);
            scope.spawn(move || {
                let mut random = Random(seed);
                for _ in 0..500 {
                    let column = random.below(source.schema().len() as u64) as usize;
                    let (a, b) = (random.below(68), random.below(68));
                    let rows = a.min(b)..a.max(b);
                    let read = texts(&source.read(column, rows.clone()).unwrap());
                    assert_eq!(read, expected[column][rows.start as usize..rows.end as usize]);
                }
            });
        }
    });
}

#[test]
fn plug_in_filters_give_the_same_values_as_no_filter() {
    let source = open_file(&hdf5_file("plugins.hdf5"));
    for field in source.schema().fields() {
        let (_, kind) = field.name.split_once('_').unwrap();
        let plain = texts(&read_column(&*source, &format!("plain_{kind}")));
        assert_eq!(texts(&read_column(&*source, &field.name)), plain, "{}", field.name);
    }
    assert_eq!(source.schema().len(), 54);
}

#[test]
fn frames_of_pandas_are_tables() {
    for (name, even, text) in
        [("fixed.h5", DataType::UInt8, None), ("table.h5", DataType::Boolean, Some("s39"))]
    {
        let source = open_file(&test_data().join("pandas").join(name));
        let names: Vec<&str> = source.schema().fields().iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names[..6], ["index", "whole", "third", "even", "when", "negative"], "{name}");
        assert_eq!(
            (source.row_count(), source.schema().field("even").unwrap().data_type.clone()),
            (40, even)
        );
        let last = |column| texts(&read_column(&*source, column)).pop().unwrap();
        assert_eq!(last("third").as_deref(), Some("13.0"));
        assert_eq!(last("negative").as_deref(), Some("-5.571428571428571"));
        assert_eq!(last("when").as_deref(), Some("2020-01-02T15:00:00"));
        if text.is_some() {
            assert_eq!(last("text").as_deref(), text);
        }
    }
}

/// Opens a file that may be bad and reads all of it. Whether it opened; an error must be in words.
fn survives(path: &Path) -> bool {
    let source = match open(path, &Task::detached()) {
        Ok(source) => source,
        Err(OpenError::Malformed { reason, .. }) => {
            assert!(!reason.is_empty());
            return false;
        }
        Err(error) => {
            assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
            return false;
        }
    };
    let rows = source.row_count();
    for column in 0..source.schema().len() {
        for range in [0..rows.min(5000), rows.saturating_sub(7)..rows] {
            if let Err(error) = source.read(column, range) {
                assert_eq!(error.column, source.schema().fields()[column].name);
                assert!(!error.reason.is_empty());
            }
        }
    }
    true
}

#[test]
fn a_missing_and_an_empty_file_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.hdf5");
    let error = open(&missing, &Task::detached()).err().unwrap().to_string();
    assert!(error.contains("missing.hdf5") && error.contains("no such file"), "{error}");
    let empty = folder.path().join("empty.hdf5");
    std::fs::write(&empty, b"").unwrap();
    let error = open(&empty, &Task::detached()).err().unwrap().to_string();
    assert!(error.contains("empty.hdf5") && error.contains("empty"), "{error}");
    let text = folder.path().join("text.hdf5");
    std::fs::write(&text, b"x,y\n1,2\n").unwrap();
    assert!(matches!(open(&text, &Task::detached()), Err(OpenError::Unrecognized { .. })));
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.hdf5");
    let mut cuts = 0;
    for name in ["all_types_v2.hdf5", "titanic.hdf5", "plain_root_h5py.hdf5"] {
        let bytes = std::fs::read(vaex_file(name)).unwrap();
        for i in 1..24 {
            std::fs::write(&path, &bytes[..bytes.len() * i / 24]).unwrap();
            let error = open(&path, &Task::detached()).err().unwrap().to_string();
            assert!(error.contains("cut.hdf5") && error.contains("cut short"), "{error}");
            cuts += 1;
        }
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(!survives(&path));
    }
    println!("{cuts} cut files refused");
}

#[test]
fn a_file_with_flipped_bits_opens_or_is_refused_but_never_harms() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(20_261_121);
    let (mut opened, mut refused) = (0, 0);
    for name in
        ["all_types_v2.hdf5", "titanic.hdf5", "plain_root_h5py.hdf5", "multi_group.hdf5", "with_alias.hdf5"]
    {
        let original = std::fs::read(vaex_file(name)).unwrap();
        for i in 0..100 {
            let mut bytes = original.clone();
            for _ in 0..1 + random.below(4) {
                let limit =
                    if random.below(2) == 0 { bytes.len() as u64 } else { 8192.min(bytes.len() as u64) };
                bytes[random.below(limit) as usize] ^= 1 << random.below(8);
            }
            let path = folder.path().join(format!("{i}.hdf5"));
            std::fs::write(&path, &bytes).unwrap();
            if survives(&path) {
                opened += 1
            } else {
                refused += 1
            }
            std::fs::remove_file(&path).unwrap();
        }
    }
    println!("{} files with flipped bits: {opened} opened, {refused} refused", opened + refused);
    assert_eq!(opened + refused, 500);
}

#[test]
fn foreign_files_open_or_are_refused_in_words() {
    let Some(shared) = shared_data() else {
        eprintln!("skipped: no shared data");
        return;
    };
    let (mut opened, mut refused, mut folders) = (0, 0, vec![shared.join("corpora/hdf5-valid")]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension != "md" && extension != "txt") {
                if survives(&path) { opened += 1 } else { refused += 1 }
            }
        }
    }
    println!("{opened} foreign files opened, {refused} refused");
}
