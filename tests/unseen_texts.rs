//! Keys that are texts of a file, numbered where they lie, against the same texts read.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, LargeStringArray};
use arrow::buffer::{Buffer, NullBuffer};
use arrow::datatypes::Float64Type;
use outcrop::data::{Schema, format_value};
use outcrop::dataset::{Dataset, MemorySource, ReadError, Source, TextOffsets, UnseenTexts};
use outcrop::expr::Expr;
use outcrop::query::{
    Ask, GroupKey, Groups, Key, Listing, Measure, QueryError, Question, ScanOptions, Workers, scan,
};
use outcrop::select::{Clause, Selection};
use outcrop::task::Task;

use crate::common::{Random, awkward_floats, floats};

const ROWS: usize = 20_011;

/// Texts as bytes, column 0 of a table; what is not UTF-8 of them is read as U+FFFD.
struct Unseen {
    read: MemorySource,
    offsets: TextOffsets,
    bytes: Buffer,
    nulls: Option<NullBuffer>,
    /// Rows that cannot be read.
    broken: Range<u64>,
}

impl Source for Unseen {
    fn schema(&self) -> &Schema {
        self.read.schema()
    }
    fn row_count(&self) -> u64 {
        self.read.row_count()
    }
    fn read(&self, column: usize, rows: Range<u64>) -> Result<ArrayRef, ReadError> {
        if column == 0 && rows.start < self.broken.end && self.broken.start < rows.end {
            return Err(ReadError { column: "s".to_owned(), rows, reason: "no text".to_owned() });
        }
        self.read.read(column, rows)
    }
    fn unseen_texts(&self, column: usize, rows: Range<u64>) -> Result<Option<UnseenTexts>, ReadError> {
        let (start, count) = (rows.start as usize, (rows.end - rows.start) as usize);
        let offsets = match &self.offsets {
            TextOffsets::Narrow(offsets) => TextOffsets::Narrow(offsets.slice(start, count + 1)),
            TextOffsets::Wide(offsets) => TextOffsets::Wide(offsets.slice(start, count + 1)),
        };
        let nulls = self.nulls.as_ref().map(|nulls| nulls.slice(start, count));
        Ok((column == 0).then_some(UnseenTexts { offsets, bytes: self.bytes.clone(), nulls }))
    }
    fn identity(&self) -> String {
        self.read.identity()
    }
}

/// The texts in 64-bit offsets, or in those of 32.
fn source(texts: &[Vec<u8>], nulls: Option<NullBuffer>, is_narrow: bool) -> Unseen {
    let ends = texts.iter().scan(0, |end, text| {
        *end += text.len();
        Some(*end)
    });
    let ends: Vec<usize> = [0].into_iter().chain(ends).collect();
    let offsets = match is_narrow {
        true => TextOffsets::Narrow(ends.iter().map(|&end| end as i32).collect()),
        false => TextOffsets::Wide(ends.iter().map(|&end| end as i64).collect()),
    };
    let of_row = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)).then(|| &texts[row]);
    let read = (0..texts.len()).map(|row| of_row(row).map(|text| String::from_utf8_lossy(text).into_owned()));
    let read: ArrayRef = Arc::new(LargeStringArray::from_iter(read));
    let steps = Float64Array::from_iter_values((0..texts.len()).map(|row| row as f64));
    let values = floats(&awkward_floats(texts.len(), 3));
    let columns = vec![("s", read), ("x", Arc::new(steps) as ArrayRef), ("w", values)];
    Unseen { read: MemorySource::of(columns), offsets, bytes: texts.concat().into(), nulls, broken: 0..0 }
}

fn groups(
    source: Arc<dyn Source>,
    filter: &str,
    threads: usize,
    chunk_rows: u64,
) -> Result<Groups, QueryError> {
    let dataset = Arc::new(Dataset::new(source));
    let expr = |text: &str| Expr::parse(text, dataset.schema()).unwrap();
    let measure = |text: &&str| Measure::parse(text, &dataset).unwrap();
    let measures = ["sum(w)", "mean(x / 7) where w > 1", "sum(x / 3)"].iter().map(measure).collect();
    let keys = ["s", "floor(x / 9000)"].iter().map(|text| Key::Value(expr(text))).collect();
    let selection = match filter {
        "" => Selection::all(),
        filter => Selection::of([Clause::filter(expr(filter))]),
    };
    let question = Question::new(
        dataset.clone(),
        selection,
        Ask::Groups { keys, measures, listing: Listing::default() },
    );
    let options = ScanOptions { chunk_rows, ..ScanOptions::default() };
    let answers = scan(&[question], &Workers::new(threads).unwrap(), options, &Task::detached())?;
    Ok(answers[0].groups().unwrap().clone())
}

/// Everything listed, floats to the bit.
fn listed(groups: &Groups) -> Vec<String> {
    let keys = groups.keys.iter().map(|key| match key {
        GroupKey::Values(values) => values.clone(),
        GroupKey::Slots { .. } => unreachable!("no key is binned"),
    });
    let arrays: Vec<ArrayRef> = keys.chain(groups.measures.iter().cloned()).collect();
    let value = |array: &ArrayRef, row: usize| match array.as_primitive_opt::<Float64Type>() {
        Some(floats) => format!("{:x}", floats.value(row).to_bits()),
        None => format!("{:?}", format_value(array, row)),
    };
    let line = |row: usize| {
        let values: Vec<String> = arrays.iter().map(|array| value(array, row)).collect();
        format!("{} {}", groups.counts[row], values.join(" "))
    };
    (0..groups.len()).map(line).collect()
}

/// Columns of texts: few and short, of all lengths, too many to know, all different, and some that are not UTF-8.
fn columns() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let mut random = Random::new(8);
    let mut column =
        |text: &mut dyn FnMut(u64) -> Vec<u8>| (0..ROWS).map(|_| text(random.bits() >> 20)).collect();
    let pick =
        |names: &'static [&'static [u8]], bits: u64| names[(bits % names.len() as u64) as usize].to_vec();
    vec![
        ("few", column(&mut |bits| pick(&[b"CMT", b"VTS", b"DDS", b"Juno", b"", b"\0"], bits))),
        ("long", column(&mut |bits| pick(&[b"a", b"seven b", b"eight by", b"a text of many bytes"], bits))),
        ("many", column(&mut |bits| format!("{}", bits % 900).into_bytes())),
        ("different", column(&mut |bits| format!("{bits:x}").into_bytes())),
        (
            "rarely broken",
            column(&mut |bits| {
                if bits % 700 == 0 {
                    pick(&[b"\xff", b"a\x80", b"\xc3"], bits / 700)
                } else {
                    pick(&[b"\xc3\xa9", b"CMT"], bits)
                }
            }),
        ),
        // The two halves of a character.
        ("cut", (0..ROWS).map(|row| if row % 2 == 0 { vec![0xc3] } else { vec![0xa9] }).collect()),
        ("one", vec!["é".into()]),
        ("none", Vec::new()),
    ]
}

#[test]
fn texts_numbered_where_they_lie_are_grouped_as_those_that_were_read() {
    for (name, texts) in columns() {
        let nulls = NullBuffer::from_iter((0..texts.len()).map(|row| row % 11 != 3));
        for (is_narrow, nulls) in [(false, None), (true, None), (false, Some(nulls))] {
            let unseen = Arc::new(source(&texts, nulls, is_narrow));
            for filter in ["", "x >= 100 and x < 19000", "x % 50 == 7", "x < 0"] {
                for (threads, chunk_rows) in [(1, 997), (2, 4096), (4, 64)] {
                    let of_read = groups(Arc::new(unseen.read.clone()), filter, threads, chunk_rows).unwrap();
                    let found = groups(unseen.clone(), filter, threads, chunk_rows).unwrap();
                    assert_eq!(listed(&found), listed(&of_read), "{name}, {filter}, {threads}, {chunk_rows}");
                }
            }
        }
    }
}

#[test]
fn offsets_that_lead_nowhere_are_told_as_by_reading_them() {
    let texts = columns().remove(0).1;
    let good = source(&texts, None, false);
    let TextOffsets::Wide(offsets) = &good.offsets else { unreachable!() };
    let all = listed(&groups(Arc::new(good.read.clone()), "", 2, 1000).unwrap());
    for wrong in [-1, i64::MIN, i64::MAX, good.bytes.len() as i64 + 1] {
        for row in [0, 5, 12_345, ROWS] {
            let mut ends = offsets.to_vec();
            ends[row] = wrong;
            let broken = |broken| Unseen {
                read: good.read.clone(),
                offsets: TextOffsets::Wide(ends.clone().into()),
                bytes: good.bytes.clone(),
                nulls: None,
                broken,
            };
            // A source that reads them all the same.
            let found = groups(Arc::new(broken(0..0)), "", 2, 1000).unwrap();
            assert_eq!(listed(&found), all, "{wrong} at {row}");
            let refused = groups(Arc::new(broken(row.min(ROWS - 1) as u64..row as u64 + 1)), "", 2, 1000);
            assert!(refused.unwrap_err().to_string().contains("no text"), "{wrong} at {row}");
        }
    }
}
