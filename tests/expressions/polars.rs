//! Agreement with an independent engine: see `agree_with_polars.py`.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::Float64Type;
use arrow::ipc::reader::FileReader;
use outcrop::data::{Field, Schema, format_value};
use outcrop::expr::{Expr, Program};

#[test]
fn random_expressions_agree_with_polars() {
    let Some(folder) = std::env::var_os("OUTCROP_POLARS").map(PathBuf::from) else {
        eprintln!("skipped: OUTCROP_POLARS names no folder made by agree_with_polars.py");
        return;
    };
    let mut reader = FileReader::try_new(File::open(folder.join("table.arrow")).unwrap(), None).unwrap();
    let batch = reader.next().unwrap().unwrap();
    let schema = Schema::new(
        batch.schema().fields().iter().map(|f| Field::new(f.name().clone(), f.data_type().clone())).collect(),
    );
    let (mut count, mut wrong) = (0, Vec::new());
    for line in BufReader::new(File::open(folder.join("cases.json")).unwrap()).lines() {
        let case: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let text = case["text"].as_str().unwrap();
        let expr = Expr::parse(text, &schema).unwrap_or_else(|e| panic!("{}", e.pointed(text)));
        let program = Program::compile(std::slice::from_ref(&expr), &schema);
        let columns: Vec<ArrayRef> = program.columns().iter().map(|i| batch.column(*i).clone()).collect();
        let found = program.run(&columns, batch.num_rows()).unwrap().remove(0);
        count += 1;
        for (row, wanted) in case["values"].as_array().unwrap().iter().enumerate() {
            if !agrees(&found, row, wanted, case["kind"] == "real") {
                wrong
                    .push(format!("{text}, row {row}: {:?}, but Polars {wanted}", format_value(&found, row)));
                break;
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
    eprintln!("{count} expressions agree with Polars");
}

fn agrees(found: &ArrayRef, row: usize, wanted: &serde_json::Value, real: bool) -> bool {
    if wanted.is_null() || found.is_null(row) {
        return wanted.is_null() && found.is_null(row);
    }
    let text = wanted.as_str().map_or_else(|| wanted.to_string(), str::to_owned);
    if real {
        let wanted: f64 = text.parse().unwrap();
        let value = found.as_primitive::<Float64Type>().value(row);
        return value == wanted
            || (value.is_nan() && wanted.is_nan())
            || (value - wanted).abs() <= 1e-11 * value.abs().max(wanted.abs());
    }
    let value = format_value(found, row).unwrap();
    let time = |text: &str| text.trim_end_matches('0').trim_end_matches('.').to_owned();
    value == text || (text.contains('T') && time(&value) == time(&text))
}
