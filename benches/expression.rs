//! Rows per second of expressions over chunks in memory: `cargo bench --bench expression`.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, DictionaryArray, Float32Array, Float64Array, Int64Array, StringArray};
use arrow::array::{TimestampNanosecondArray, UInt8Array};
use arrow::datatypes::Int32Type;
use outcrop::data::{Field, Schema};
use outcrop::expr::{Expr, Program};

const ROWS: usize = 1 << 16;
const CHUNKS: usize = 64;

const EXPRESSIONS: [&str; 14] = [
    "sqrt((float64(lon) + 73.984375)**2 + (float64(lat) - 40.75)**2)",
    "sqrt((x - 0.25)**2 + (y - 0.5)**2)",
    "tip / fare",
    "(fare > 10) & (passengers == 1)",
    "fare > 10",
    "x * y + 2.5 * x - y / 3",
    "sin(x)",
    "n * 3 + 1",
    "n % 7",
    "hour(t)",
    "vendor == 'CMT'",
    "payment == 'CMT'",
    "if(fare > 10, tip, 0)",
    "payment in ['CMT', 'DDS']",
];

fn main() {
    // A fixed stride through the unit interval: no random generator is needed for timing.
    let unit = |i: usize| (i as f64 * 0.618_033_988_749_895).fract();
    let words: Vec<&str> =
        (0..ROWS).map(|i| ["CMT", "VTS", "DDS", "Other"][(unit(i) * 4.0) as usize]).collect();
    let column =
        |k: usize, scale: f64| -> Vec<f64> { (0..CHUNKS * ROWS).map(|i| unit(i + k) * scale).collect() };
    let narrow = |values: Vec<f64>| -> Vec<f32> { values.into_iter().map(|v| v as f32).collect() };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("lon", Arc::new(Float32Array::from(narrow(column(1, -74.0))))),
        ("lat", Arc::new(Float32Array::from(narrow(column(2, 41.0))))),
        ("x", Arc::new(Float64Array::from(column(3, 1.0)))),
        ("y", Arc::new(Float64Array::from(column(4, 1.0)))),
        ("tip", Arc::new(Float64Array::from(column(5, 5.0)))),
        ("fare", Arc::new(Float64Array::from(column(6, 50.0)))),
        ("passengers", Arc::new(UInt8Array::from_iter_values(column(7, 6.0).into_iter().map(|v| v as u8)))),
        ("n", Arc::new(Int64Array::from_iter_values(column(8, 1e6).into_iter().map(|v| v as i64)))),
        (
            "t",
            Arc::new(TimestampNanosecondArray::from_iter_values(
                column(9, 1e17).into_iter().map(|v| v as i64),
            )),
        ),
    ];
    let vendor: ArrayRef = Arc::new(StringArray::from(words.clone()));
    let payment: ArrayRef = Arc::new(words.into_iter().collect::<DictionaryArray<Int32Type>>());
    let mut fields: Vec<Field> = columns.iter().map(|(n, a)| Field::new(*n, a.data_type().clone())).collect();
    fields.push(Field::new("vendor", vendor.data_type().clone()));
    fields.push(Field::new("payment", payment.data_type().clone()));
    let schema = Schema::new(fields);
    for text in EXPRESSIONS {
        let expr = Expr::parse(text, &schema).unwrap();
        let program = Program::compile(std::slice::from_ref(&expr), &schema);
        let chunks: Vec<Vec<ArrayRef>> = (0..CHUNKS)
            .map(|chunk| {
                let column = |i: &usize| match columns.get(*i) {
                    Some((_, array)) => array.slice(chunk * ROWS, ROWS),
                    None if *i == columns.len() => vendor.clone(),
                    None => payment.clone(),
                };
                program.columns().iter().map(column).collect()
            })
            .collect();
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let start = Instant::now();
            for chunk in &chunks {
                std::hint::black_box(program.run(chunk, ROWS).unwrap());
            }
            best = best.min(start.elapsed().as_secs_f64());
        }
        println!("{:8.1} M rows/s  {text}: {}", (CHUNKS * ROWS) as f64 / best / 1e6, expr.data_type());
    }
}
