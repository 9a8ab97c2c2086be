//! Any text is parsed or refused at a place within it; what was parsed is printed, parsed and run again.
#![no_main]

use std::sync::LazyLock;

use arrow::array::new_null_array;
use arrow::datatypes::{DataType, TimeUnit};
use libfuzzer_sys::fuzz_target;
use outcrop::data::{Field, Schema};
use outcrop::expr::{Expr, Program, complete};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let columns = [
        ("x", DataType::Float64),
        ("f", DataType::Float32),
        ("i", DataType::Int32),
        ("l", DataType::Int64),
        ("u", DataType::UInt64),
        ("flag", DataType::Boolean),
        ("name", DataType::Utf8),
        ("kind", dictionary),
        ("t", DataType::Timestamp(TimeUnit::Nanosecond, None)),
        ("z", DataType::Timestamp(TimeUnit::Second, Some("Europe/Amsterdam".into()))),
        ("wait", DataType::Duration(TimeUnit::Millisecond)),
        ("odd name", DataType::Int8),
    ];
    Schema::new(columns.into_iter().map(|(name, data_type)| Field::new(name, data_type)).collect())
});

fuzz_target!(|text: &str| {
    complete(text, text.len() / 2, &SCHEMA);
    match Expr::parse(text, &SCHEMA) {
        Err(error) => {
            assert!(error.span.start <= error.span.end && error.span.end <= text.len(), "{error:?}");
            assert!(text.is_char_boundary(error.span.start) && text.is_char_boundary(error.span.end));
            error.pointed(text);
        }
        Ok(expr) => {
            let printed = expr.to_string();
            match Expr::parse(&printed, &SCHEMA) {
                Ok(again) => {
                    assert_eq!(again, expr, "printed as {printed}");
                    assert_eq!(again.data_type(), expr.data_type(), "printed as {printed}");
                }
                // Brackets are written for safety, so that a text at a limit may come out beyond it.
                Err(error) => assert!(is_limit(&error.to_string()), "printed as {printed}: {error}"),
            }
            let program = Program::compile(std::slice::from_ref(&expr), &SCHEMA);
            let column = |i: &usize| new_null_array(&SCHEMA.fields()[*i].data_type, 3);
            let columns: Vec<_> = program.columns().iter().map(column).collect();
            if let Ok(values) = program.run(&columns, 3) {
                assert!(values[0].len() == 3 && values[0].data_type() == expr.data_type());
            }
        }
    }
});

fn is_limit(error: &str) -> bool {
    error.contains("nested too deeply") || error.contains("the longest that is read")
}
