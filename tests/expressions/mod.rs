//! The expression language.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod completion;
mod golden;
mod language;
mod missing;
mod mutations;
mod polars;
mod properties;
mod sums;
mod vaex;
mod values;
mod words;

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, DurationMillisecondArray, Float32Array, Float64Array, Int8Array,
    Int32Array, Int64Array, StringArray, StructArray, TimestampNanosecondArray, TimestampSecondArray,
    UInt8Array, UInt64Array,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::Int32Type;
use outcrop::data::{Field, Schema, format_value};
use outcrop::expr::{Expr, Program};

/// A small table with columns of every kind: five rows, the last one missing throughout.
pub(crate) struct Table {
    pub(crate) schema: Schema,
    pub(crate) arrays: Vec<ArrayRef>,
}

const DAY: i64 = 86_400;

pub(crate) fn table() -> Table {
    let words = [Some("Ant"), Some("bee"), Some(""), Some("Größe"), None];
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "x",
            Arc::new(Float64Array::from(vec![
                Some(1.5),
                Some(-0.0),
                Some(f64::NAN),
                Some(f64::INFINITY),
                None,
            ])),
        ),
        ("f", Arc::new(Float32Array::from(vec![Some(0.1), Some(2.0), Some(f32::NAN), Some(-4.0), None]))),
        ("i", Arc::new(Int32Array::from(vec![Some(i32::MAX), Some(0), Some(-7), Some(i32::MIN), None]))),
        ("l", Arc::new(Int64Array::from(vec![Some(i64::MAX), Some(3), Some(-8), Some(i64::MIN), None]))),
        ("u", Arc::new(UInt64Array::from(vec![Some(u64::MAX), Some(1), Some(0), Some(1 << 63), None]))),
        ("b", Arc::new(UInt8Array::from(vec![Some(0), Some(1), Some(200), Some(255), None]))),
        ("s", Arc::new(Int8Array::from(vec![Some(-128), Some(-1), Some(0), Some(127), None]))),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), Some(false), Some(true), Some(false), None]))),
        ("name", Arc::new(StringArray::from(words.to_vec()))),
        ("kind", Arc::new(words.into_iter().collect::<DictionaryArray<Int32Type>>())),
        (
            "t",
            Arc::new(TimestampNanosecondArray::from(vec![
                Some(1_422_705_600_000_000_000),
                Some(0),
                Some(-1),
                Some(1_422_662_400_000_000_001),
                None,
            ])),
        ),
        (
            "z",
            Arc::new(
                TimestampSecondArray::from(vec![
                    Some(16_466 * DAY),
                    Some(0),
                    Some(-1),
                    Some(16_466 * DAY - 1),
                    None,
                ])
                .with_timezone("Europe/Amsterdam"),
            ),
        ),
        (
            "date",
            Arc::new(arrow::array::Date32Array::from(vec![
                Some(16_466),
                Some(0),
                Some(-1),
                Some(16_465),
                None,
            ])),
        ),
        (
            "wait",
            Arc::new(DurationMillisecondArray::from(vec![
                Some(1500),
                Some(0),
                Some(-1),
                Some(86_400_000),
                None,
            ])),
        ),
        ("odd name", Arc::new(Int64Array::from(vec![Some(1), Some(2), Some(3), Some(4), None]))),
        ("and", Arc::new(Int64Array::from(vec![Some(1), Some(2), Some(3), Some(4), None]))),
        ("pair", pairs()),
    ];
    let fields = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone())).collect();
    Table { schema: Schema::new(fields), arrays: columns.into_iter().map(|(_, array)| array).collect() }
}

/// A structure of a number `a` and a text `b`; missing as a whole in the last row.
fn pairs() -> ArrayRef {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None, Some(-1), Some(0), Some(5)]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("p"), Some("q"), None, Some(""), Some("r")]));
    let field =
        |name: &str, array: &ArrayRef| arrow::datatypes::Field::new(name, array.data_type().clone(), true);
    let fields = vec![field("a", &numbers), field("b", &texts)].into();
    let nulls = NullBuffer::from(vec![true, true, true, true, false]);
    Arc::new(StructArray::new(fields, vec![numbers, texts], Some(nulls)))
}

impl Table {
    pub(crate) fn parse(&self, text: &str) -> Expr {
        Expr::parse(text, &self.schema).unwrap_or_else(|e| panic!("{}", e.pointed(text)))
    }

    pub(crate) fn array(&self, expr: &Expr) -> ArrayRef {
        let program = Program::compile(std::slice::from_ref(expr), &self.schema);
        let columns: Vec<ArrayRef> = program.columns().iter().map(|i| self.arrays[*i].clone()).collect();
        let found = program.run(&columns, 5).unwrap_or_else(|error| panic!("{expr}: {error}")).pop().unwrap();
        assert_eq!(found.data_type(), expr.data_type(), "{expr}");
        assert_eq!(found.len(), 5, "{expr}");
        found
    }

    /// The values of all rows, `-` for missing.
    pub(crate) fn values(&self, text: &str) -> String {
        let array = self.array(&self.parse(text));
        let cells: Vec<String> = (0..5).map(|i| format_value(&array, i).unwrap_or("-".to_owned())).collect();
        cells.join(" ")
    }
}
