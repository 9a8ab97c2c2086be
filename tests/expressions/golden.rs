//! Every entry of the table of functions: text, tree, type, bounds and values, as in `functions.golden`.
//!
//! `UPDATE=1 cargo test` rewrites the file.

use std::fmt::Write;
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use outcrop::data::{Domain, Kind, format_value, kind};
use outcrop::expr::{Expr, functions};

use super::{Table, table};

/// Lowest and highest value, in the unit of the type.
pub(crate) fn bounds(array: &ArrayRef) -> Domain {
    let numbers: Vec<f64> = match array.data_type() {
        DataType::Boolean => array.as_boolean().iter().flatten().map(|b| f64::from(u8::from(b))).collect(),
        t if matches!(kind(t), Kind::Time | Kind::Duration) => {
            let whole = match t {
                DataType::Date32 => cast(&cast(array, &DataType::Int32).unwrap(), &DataType::Int64).unwrap(),
                _ => cast(array, &DataType::Int64).unwrap(),
            };
            whole.as_primitive::<Int64Type>().iter().flatten().map(|v| v as f64).collect()
        }
        t if t.is_numeric() => {
            cast(array, &DataType::Float64).unwrap().as_primitive::<Float64Type>().iter().flatten().collect()
        }
        _ => return Domain::ALL,
    };
    let mut found = Domain { missing: array.null_count() > 0, ..Domain::EMPTY };
    for number in numbers {
        found = found.hull(if number.is_nan() {
            Domain { nan: true, ..Domain::EMPTY }
        } else {
            Domain::new(number, number)
        });
    }
    let large = found.min.abs().max(found.max.abs()) >= 9e15;
    if large && array.data_type().is_integer() | array.data_type().is_temporal() {
        found.widened()
    } else {
        found
    }
}

pub(crate) fn holds(outer: Domain, inner: Domain) -> bool {
    (inner.is_empty() || (outer.min <= inner.min && inner.max <= outer.max))
        && (outer.nan || !inner.nan)
        && (outer.missing || !inner.missing)
}

/// Numbers with the digits that every system's mathematics agrees on.
fn cell(array: &ArrayRef, row: usize) -> String {
    match format_value(array, row) {
        None => "-".to_owned(),
        Some(_) if array.data_type().is_floating() => {
            let value = cast(array, &DataType::Float64).unwrap().as_primitive::<Float64Type>().value(row);
            let digits = if array.data_type() == &DataType::Float32 { 5 } else { 10 };
            if value == 0.0 || !value.is_finite() {
                format!("{value:?}")
            } else {
                let rounded: f64 = format!("{value:.digits$e}").parse().unwrap();
                format!("{rounded:?}")
            }
        }
        Some(text) if text.is_empty() || text.contains(' ') => format!("'{text}'"),
        Some(text) => text,
    }
}

fn line(t: &Table, text: &str, expr: &Expr, out: &mut String) {
    let array = t.array(expr);
    let domain = expr.domain(&|name| bounds(&t.arrays[t.schema.position(name).unwrap()]));
    let is_held = array.data_type().is_nested() || holds(domain, bounds(&array));
    assert!(is_held, "{text}: {domain:?} does not hold {:?}", bounds(&array));
    assert_eq!(t.parse(&expr.to_string()), *expr, "{text} is printed as {expr}");
    let range = match domain {
        d if d == (Domain { missing: d.missing, ..Domain::ALL }) => "any".to_owned(),
        d if d.is_empty() => "none".to_owned(),
        d => format!("{:.4e} .. {:.4e}{}", d.min, d.max, if d.nan { " or NaN" } else { "" }),
    };
    let rows = if expr.is_constant() { 1 } else { array.len() };
    let cells: Vec<String> = (0..rows).map(|row| cell(&array, row)).collect();
    writeln!(out, "{text}\n    {expr}: {}, {range}\n    {}", expr.data_type(), cells.join(" ")).unwrap();
}

/// The example's call with another first argument.
fn with_argument(call: &str, name: &str, argument: &str) -> Option<String> {
    let start = call.find(&format!("{name}("))? + name.len() + 1;
    let mut depth = 0;
    let mut quoted = false;
    for (i, c) in call[start..].char_indices() {
        match c {
            '\'' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' => depth += 1,
            ',' | ')' if depth == 0 => {
                return Some(format!("{}{argument}{}", &call[..start], &call[start + i..]));
            }
            ')' | ']' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[test]
fn every_function_has_an_example_that_holds() {
    let t = table();
    for function in functions() {
        let (call, result) = function.example.rsplit_once(" = ").unwrap();
        let value = t.values(call);
        let value = value.split(' ').next().unwrap();
        if result == "null" {
            assert_eq!(value, "-", "{}", function.example);
        } else {
            // Examples of what constants cannot show tell of the first row.
            let rows = if t.parse(call).is_constant() { 5 } else { 1 };
            let holds = t.values(&format!("({call}) == {result}"));
            assert!(holds.split(' ').take(rows).all(|holds| holds == "true"), "{}", function.example);
            if !result.starts_with('\'') && !result.contains("-0") {
                assert_eq!(value.contains('.'), result.contains('.'), "{}: {value}", function.example);
            }
        }
        assert!(function.doc.ends_with('.') && !function.signature.is_empty(), "{function:?}");
    }
}

#[test]
fn every_function_does_what_its_golden_lines_say() {
    let t = table();
    let mut found = String::new();
    for function in functions() {
        let (call, _) = function.example.rsplit_once(" = ").unwrap();
        line(&t, call, &t.parse(call), &mut found);
        for column in t.schema.fields() {
            let name = if column.name == "odd name" { "`odd name`".to_owned() } else { column.name.clone() };
            let Some(text) = with_argument(call, function.name, &name) else { continue };
            if let Ok(expr) = Expr::parse(&text, &t.schema) {
                line(&t, &text, &expr, &mut found);
            }
        }
    }
    for operator in ["+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">=", "==", "!=", "and", "or"] {
        let names =
            ["x", "f", "i", "l", "u", "b", "flag", "name", "kind", "t", "z", "date", "wait", "2", "0.5"];
        for (left, right) in names.iter().flat_map(|a| names.iter().map(move |b| (a, b))) {
            let text = format!("{left} {operator} {right}");
            if let Ok(expr) = Expr::parse(&text, &t.schema) {
                line(&t, &text, &expr, &mut found);
            }
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expressions/functions.golden");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    for (n, (found, wanted)) in found.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(found, wanted, "line {} of {}", n + 1, path.display());
    }
    assert_eq!(found.lines().count(), wanted.lines().count(), "UPDATE=1 cargo test rewrites the file");
}
