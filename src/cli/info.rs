//! `outcrop info`: what is in a file.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, UInt64Array};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use serde_json::{Value, json};

use super::input::{Filters, Input, Table};
use super::output::{TableOutput, say};
use super::{CliCommand, Execute, Failure, command};
use crate::data::{Field, Kind, format_value, group_digits, kind, shorten};
use crate::expr::Expr;
use crate::query::{Ask, Measure};

pub(super) const COMMAND: CliCommand = command::<Info>("info");

/// Statistics of one column, in the order they are computed and shown.
const STATISTICS: [&str; 5] = ["count", "min", "max", "mean", "sd"];

/// Tell what is in a file: rows, columns, types, units
///
/// Reads no value, however large the file, unless --stats asks for a pass over it.
#[derive(Debug, clap::Args)]
pub(super) struct Info {
    #[command(flatten)]
    input: Input,
    /// Also count, missing, min, max, mean and sd of every column, by one pass over the file
    #[arg(long)]
    stats: bool,
    #[command(flatten)]
    filters: Filters,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Statistics of a column: what could be computed of its type, as text and as JSON.
struct Statistics {
    count: u64,
    missing: u64,
    values: Vec<(&'static str, Option<String>, Value)>,
}

impl Execute for Info {
    fn execute(self) -> Result<(), Failure> {
        if !self.stats && !self.filters.conditions.is_empty() {
            return Err(Failure::Usage("--where needs --stats: without it no row is read".to_owned()));
        }
        let table = self.input.open()?;
        let bytes = std::fs::metadata(&table.path).ok().map(|meta| meta.len());
        let statistics = if self.stats { Some(statistics(&table, &self.filters)?) } else { None };
        if self.json {
            return say(&as_json(&table, bytes, statistics.as_deref()));
        }
        let rows = group_digits(table.dataset.row_count());
        let size = bytes.map(|bytes| format!(", {}", readable_bytes(bytes))).unwrap_or_default();
        let columns = table.dataset.schema().len();
        say(&format!(
            "{}: {rows} {}, {columns} {}{size}\n",
            table.path.display(),
            plural(table.dataset.row_count(), "row"),
            plural(columns as u64, "column")
        ))?;
        if columns == 0 {
            return Ok(());
        }
        TableOutput::Text.write(&as_table(&table, statistics.as_deref())?, &[])
    }
}

fn plural(count: u64, noun: &str) -> String {
    if count == 1 { noun.to_owned() } else { format!("{noun}s") }
}

/// One pass over the rows for all columns.
fn statistics(table: &Table, filters: &Filters) -> Result<Vec<Statistics>, Failure> {
    let selection = table.selection(filters)?;
    let schema = table.dataset.schema();
    let mut measures = Vec::new();
    let mut places = Vec::with_capacity(schema.len());
    for field in schema.fields() {
        let first = measures.len();
        if let Ok(expr) = Expr::column(&field.name, schema) {
            let of = |name: &str| {
                let aggregate = crate::aggregate::Aggregate::named(name)?;
                Measure::new(aggregate, Some(expr.clone())).ok().map(|measure| (aggregate.name, measure))
            };
            measures.extend(STATISTICS.iter().filter_map(|name| of(name)));
        }
        places.push(first..measures.len());
    }
    let names: Vec<&'static str> = measures.iter().map(|(name, _)| *name).collect();
    let measures = measures.into_iter().map(|(_, measure)| measure).collect();
    let question = table.question(&selection, Ask::Grid { axes: Vec::new(), measures });
    let answer = table.answer("reading all columns", &question)?;
    let grid = answer.grid().ok_or_else(|| Failure::about(&table.path, "no statistics were computed"))?;
    let rows = grid.total();
    let column = |place: std::ops::Range<usize>| {
        let mut found = Statistics { count: 0, missing: rows, values: Vec::new() };
        for i in place {
            let array = &grid.measures[i];
            if names[i] == "count" {
                found.count = grid.measure(i)[0] as u64;
                found.missing = rows - found.count.min(rows);
            } else {
                found.values.push((names[i], format_value(array, 0), json_value(array, 0)));
            }
        }
        found
    };
    Ok(places.into_iter().map(column).collect())
}

fn as_table(table: &Table, statistics: Option<&[Statistics]>) -> Result<RecordBatch, Failure> {
    let fields = table.dataset.schema().fields();
    let text = |of: &dyn Fn(usize, &Field) -> Option<String>| -> ArrayRef {
        Arc::new(fields.iter().enumerate().map(|(i, field)| of(i, field)).collect::<StringArray>())
    };
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("column", text(&|_, field| Some(field.name.clone()))),
        ("type", text(&|_, field| Some(type_name(&field.data_type)))),
    ];
    if fields.iter().any(|field| field.unit.is_some()) {
        columns.push(("unit", text(&|_, field| field.unit.clone())));
    }
    if let Some(statistics) = statistics {
        let counts = statistics.iter().map(|s| s.count).collect::<UInt64Array>();
        let missing = statistics.iter().map(|s| s.missing).collect::<UInt64Array>();
        columns.push(("count", Arc::new(counts)));
        columns.push(("missing", Arc::new(missing)));
        for name in &STATISTICS[1..] {
            let value = |i: usize| {
                statistics[i].values.iter().find(|(n, ..)| n == name).and_then(|(_, text, _)| text.clone())
            };
            columns.push((name, text(&|i, _| value(i))));
        }
    }
    let is_described = |field: &Field| field.description.is_some() || table.dataset.is_virtual(&field.name);
    if fields.iter().any(is_described) {
        let virtuals = table.dataset.virtual_columns();
        let description = |field: &Field| match virtuals.iter().find(|column| column.name == field.name) {
            Some(column) => Some(format!("= {}", column.text)),
            None => field.description.as_deref().map(shorten),
        };
        columns.push(("description", text(&|_, field| description(field))));
    }
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .map_err(|error| Failure::about(&table.path, error))
}

fn as_json(table: &Table, bytes: Option<u64>, statistics: Option<&[Statistics]>) -> String {
    let column = |(i, field): (usize, &Field)| {
        let mut column = json!({ "name": field.name, "type": type_name(&field.data_type) });
        if let Some(unit) = &field.unit {
            column["unit"] = json!(unit);
        }
        if let Some(description) = &field.description {
            column["description"] = json!(description);
        }
        if let Some(found) = table.dataset.virtual_columns().iter().find(|c| c.name == field.name) {
            column["expression"] = json!(found.text);
        }
        if let Some(statistics) = statistics.map(|all| &all[i]) {
            column["count"] = json!(statistics.count);
            column["missing"] = json!(statistics.missing);
            for (name, _, value) in &statistics.values {
                column[*name] = value.clone();
            }
        }
        column
    };
    let columns: Vec<Value> = table.dataset.schema().fields().iter().enumerate().map(column).collect();
    let whole = json!({
        "file": table.path.display().to_string(),
        "bytes": bytes,
        "rows": table.dataset.row_count(),
        "columns": columns,
    });
    format!("{whole:#}")
}

/// A value as JSON: numbers as numbers where JSON has them, everything else as text.
pub(super) fn json_value(array: &ArrayRef, row: usize) -> Value {
    let Some(text) = format_value(array, row) else { return Value::Null };
    match kind(array.data_type()) {
        Kind::Integer | Kind::Float | Kind::Bool => {
            let number =
                text.parse::<i64>().map(|n| json!(n)).or_else(|_| text.parse::<u64>().map(|n| json!(n)));
            number
                .ok()
                .or_else(|| text.parse::<f64>().ok().filter(|v| v.is_finite()).map(|v| json!(v)))
                .unwrap_or(match text.as_str() {
                    "true" => Value::Bool(true),
                    "false" => Value::Bool(false),
                    "NaN" => Value::Null,
                    _ => json!(text),
                })
        }
        _ => json!(text),
    }
}

/// A type as a person calls it.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "bool".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Dictionary(_, values) => format!("{}, dictionary", type_name(values)),
        DataType::Timestamp(unit, None) => format!("time ({unit})"),
        DataType::Timestamp(unit, Some(zone)) => format!("time ({unit}, {zone})"),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Duration(unit) => format!("duration ({unit})"),
        other => other.to_string().to_lowercase(),
    }
}

/// Bytes with three digits and a binary prefix.
fn readable_bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut prefix = "";
    for next in ["Ki", "Mi", "Gi", "Ti", "Pi"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        prefix = next;
    }
    let decimals = if prefix.is_empty() || value >= 100.0 { 0 } else { 1 };
    format!("{value:.decimals$} {prefix}B")
}
