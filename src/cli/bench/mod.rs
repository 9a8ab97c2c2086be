//! `outcrop bench`: timed operations for a comparison of programs.
//!
//! Reads operations from a JSON file, runs each once and then `--repeat` times, and prints times and the
//! results of the first runs as one JSON object. Nothing is kept from one run to the next, but for zone maps where
//! `--zones` asks for it. Missing values (null and NaN) are in no bin, no mean and no group.

mod contract;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::info::json_value;
use super::input::{Filters, Input, Table, memory};
use super::output::say;
use super::{CliCommand, Execute, Failure, command};
use crate::aggregate::{Bins, Scale, to_f64};
use crate::dataset::Dataset;
use crate::engine::forbid_cache_files;
use crate::formats;
use crate::query::{Answer, Ask, Axis, GroupKey, Groups, Key, Listing, Measure, Question};
use crate::select::{Clause, Selection};
use crate::task::Task;
use contract::{Aggregation, CONTRACT, Hist, Op, OpReport, Report, Request, Top};

pub(super) const COMMAND: CliCommand = command::<Bench>("bench");

/// Time operations given as JSON, for comparing programs
///
/// Prints one JSON object with the seconds of every run and the results of the first.
#[derive(Debug, clap::Args)]
pub(super) struct Bench {
    /// The table: an HDF5 or Arrow file
    #[arg(long)]
    file: PathBuf,
    /// The operations, as JSON
    ///
    /// {"contract": 1, "ops": [{"id": "a", "kind": "hist", "axes": [{"expr": "age", "lo": 0, "hi": 80, "bins": 4}],
    /// "agg": {"fn": "count"}}]}; kinds are open, hist, minmax, groupby, nunique, quantile and scene.
    #[arg(long)]
    ops: PathBuf,
    /// Timed runs after the first
    #[arg(long, value_name = "N", default_value_t = 5)]
    repeat: usize,
    /// Threads to compute on; 0 is one per core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Memory that groups may take, as 512M or 2G
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = memory)]
    memory: usize,
    /// Let least and greatest come from the zone maps of the first run, as in all other uses of the program
    ///
    /// Without it they are found among the rows in every run.
    #[arg(long)]
    zones: bool,
}

/// What is kept from one run to the next where `--zones` is given.
const ZONES: &str = "zone maps, made by the first run";

type Result<T> = std::result::Result<T, Failure>;

impl Execute for Bench {
    fn execute(self) -> Result<()> {
        let text = std::fs::read_to_string(&self.ops).map_err(|error| Failure::about(&self.ops, error))?;
        let request: Request =
            serde_json::from_str(&text).map_err(|error| Failure::about(&self.ops, error))?;
        if request.contract != CONTRACT {
            return Err(Failure::about(
                &self.ops,
                format!("contract {} is not {CONTRACT}", request.contract),
            ));
        }
        // What was learned by another run would answer this one's first.
        forbid_cache_files();
        let mut input = Input::plain(self.file.clone(), self.threads);
        input.memory = self.memory;
        let mut table = input.open()?;
        table.stay_mapped();
        let ops = request.ops.iter().map(|op| self.report(op, &table)).collect();
        let report = Report {
            contract: CONTRACT,
            program: "outcrop",
            version: env!("CARGO_PKG_VERSION"),
            threads: table.workers.threads(),
            rows: table.dataset.row_count(),
            ops,
        };
        say(&serde_json::to_string(&report).map_err(|error| Failure::about(&self.ops, error))?)
    }
}

impl Bench {
    fn report(&self, op: &Value, table: &Table) -> OpReport {
        let id = op["id"].as_str().unwrap_or_default().to_owned();
        let timed = || -> Result<OpReport> {
            let known =
                Op::deserialize(op).map_err(|error| Failure::Usage(format!("not supported: {error}")))?;
            let once = |i: usize| seconds(|| run(&known, table, self.zones, i));
            let (first, done) = once(0)?;
            let result = canonical(&known, table, done)?;
            let runs = (1..=self.repeat).map(|i| Ok(once(i)?.0)).collect::<Result<_>>()?;
            let note = (self.zones && matches!(known, Op::Minmax { .. })).then_some(ZONES);
            Ok(OpReport::Done { id: id.clone(), first, runs, result, note })
        };
        timed().unwrap_or_else(|failure| OpReport::Error { id: id.clone(), error: failure.to_string() })
    }
}

fn seconds<T>(work: impl FnOnce() -> Result<T>) -> Result<(f64, T)> {
    let start = Instant::now();
    let done = work()?;
    Ok((start.elapsed().as_secs_f64(), done))
}

/// The finished result of one run, before it is brought into the form of the contract.
enum Finished {
    Rows(u64),
    Answers(Vec<Answer>),
}

/// Run number `i`, with what `zones` tell or without: everything from the text of the operation to its finished result.
fn run(op: &Op, table: &Table, zones: bool, i: usize) -> Result<Finished> {
    let one = |ask: Ask, filter: Option<&String>| {
        let question = table.question(&filtered(table, filter)?, ask);
        table.answers("computing", &[question]).map(Finished::Answers)
    };
    match op {
        Op::Open => {
            let source = formats::open(&table.path, &Task::detached())?;
            Ok(Finished::Rows(Dataset::new(source).row_count()))
        }
        Op::Hist(hist) => {
            table.answers("computing", &[question(hist, table, Selection::all())?]).map(Finished::Answers)
        }
        Op::Minmax { expr } => {
            let measures = [format!("min({expr})"), format!("max({expr})")];
            let measures = measures.iter().map(|text| table.measure("expr", text)).collect::<Result<_>>()?;
            let dataset = match zones {
                true => table.dataset.clone(),
                // Zones of the whole table are not learned, and those known would answer in place of the rows.
                false => Arc::new(table.dataset.with_zones_of(table.dataset.row_count())),
            };
            let question = Question::new(dataset, Selection::all(), Ask::Grid { axes: Vec::new(), measures });
            table.answers("computing", &[question]).map(Finished::Answers)
        }
        Op::Groupby { keys, aggs, filter, top } => {
            let listing = top.as_ref().and_then(|top| top_listing(keys, aggs, top)).unwrap_or_default();
            let keys =
                keys.iter().map(|text| table.expr("keys", text).map(Key::Value)).collect::<Result<_>>()?;
            one(Ask::Groups { keys, measures: measures(aggs, table)?, listing }, filter.as_ref())
        }
        Op::Nunique { expr } => {
            // Groups that nobody lists: exact however many there are, where the measure becomes a sketch.
            let keys = vec![Key::Value(table.expr("expr", expr)?)];
            let listing = Listing { limit: Some(0), ..Listing::default() };
            one(Ask::Groups { keys, measures: Vec::new(), listing }, None)
        }
        Op::Quantile { expr, q } => {
            let each = |q: &f64| table.measure("expr", &format!("quantile({expr}, {q})"));
            one(Ask::Grid { axes: Vec::new(), measures: q.iter().map(each).collect::<Result<_>>()? }, None)
        }
        Op::Scene { brush, brushes, views } => {
            let Some(&[lo, hi]) = brushes.get(i % brushes.len().max(1)) else {
                return Err(Failure::Usage("a scene needs brushes".to_owned()));
            };
            let selection = Selection::of([Clause::interval(table.expr("brush", brush)?, lo, hi)]);
            let questions = views
                .iter()
                .map(|view| question(&view.hist, table, selection.clone()))
                .collect::<Result<Vec<_>>>()?;
            table.answers("computing", &questions).map(Finished::Answers)
        }
    }
}

/// The first groups of one key, and two more: null and NaN are left out of the result.
fn top_listing(keys: &[String], aggs: &[Aggregation], top: &Top) -> Option<Listing> {
    let measure = aggs.iter().position(|agg| agg.name.as_ref() == Some(&top.by))?;
    (keys.len() == 1).then(|| Listing::top(measure, top.n + 2))
}

fn filtered(table: &Table, filter: Option<&String>) -> Result<Selection> {
    table.selection(&Filters { conditions: filter.cloned().into_iter().collect() })
}

fn question(hist: &Hist, table: &Table, selection: Selection) -> Result<Question> {
    let axes = hist
        .axes
        .iter()
        .map(|axis| {
            let expr = table.expr("axes", &axis.expr)?;
            let bins = Bins::new(axis.lo, axis.hi, axis.bins, Scale::Linear)
                .map_err(|error| Failure::Usage(error.to_string()))?;
            Ok(Axis { expr, bins })
        })
        .collect::<Result<_>>()?;
    let selection = filtered(table, hist.filter.as_ref())?
        .clauses()
        .iter()
        .fold(selection, |selection, clause| selection.with(clause.clone()));
    let measures = measures(std::slice::from_ref(&hist.agg), table)?;
    Ok(table.question(&selection, Ask::Grid { axes, measures }))
}

fn measures(aggs: &[Aggregation], table: &Table) -> Result<Vec<Measure>> {
    aggs.iter().map(|agg| table.measure("agg", &agg.text())).collect()
}

/// The result in the form of the contract: flat arrays, null for NaN.
fn canonical(op: &Op, table: &Table, done: Finished) -> Result<Map<String, Value>> {
    let mut result = Map::new();
    match (op, done) {
        (_, Finished::Rows(rows)) => {
            result.insert("rows".to_owned(), json!(rows));
        }
        (Op::Hist(hist), Finished::Answers(answers)) => {
            result.insert(hist.agg.function.clone(), cells(hist, &answers[0]));
        }
        (Op::Minmax { .. }, Finished::Answers(answers)) => {
            if let Some(grid) = answers[0].grid() {
                for (name, values) in ["min", "max"].into_iter().zip(&grid.measures) {
                    result.insert(name.to_owned(), json_array(values)[0].take());
                }
            }
        }
        (Op::Groupby { keys, aggs, top, .. }, Finished::Answers(answers)) => {
            if let Some(groups) = answers[0].groups() {
                columns(groups, keys, aggs, top.as_ref(), &mut result)
                    .map_err(|error| Failure::about(&table.path, error))?;
            }
        }
        (Op::Nunique { .. }, Finished::Answers(answers)) => {
            let distinct = answers[0].groups().map_or(0, |groups| groups.present);
            result.insert("nunique".to_owned(), json!(distinct));
        }
        (Op::Scene { views, .. }, Finished::Answers(answers)) => {
            for (view, answer) in views.iter().zip(&answers) {
                let name = format!("{}.{}", view.id, view.hist.agg.function);
                result.insert(name, cells(&view.hist, answer));
            }
        }
        (Op::Quantile { .. }, Finished::Answers(answers)) => {
            if let Some(grid) = answers[0].grid() {
                result.insert(
                    "value".to_owned(),
                    numbers((0..grid.measures.len()).map(|m| grid.measure(m)[0])),
                );
            }
        }
        (Op::Open, Finished::Answers(_)) => {}
    }
    Ok(result)
}

/// The values of the cells inside all axes, the first axis slowest.
fn cells(hist: &Hist, answer: &Answer) -> Value {
    let Some(grid) = answer.grid() else { return Value::Null };
    let count = |axis: usize| grid.axes.get(axis).map_or(1, Bins::count);
    let inside = (0..count(0)).flat_map(|i| (0..count(1)).map(move |j| grid.cell(i, j)));
    if hist.agg.function == "count" && hist.agg.expr.is_none() {
        return inside.map(|cell| grid.counts[cell]).collect();
    }
    let values = grid.measure(0);
    numbers(inside.map(|cell| values[cell]))
}

fn numbers(values: impl IntoIterator<Item = f64>) -> Value {
    values.into_iter().map(|v| if v.is_finite() { json!(v) } else { Value::Null }).collect()
}

/// Positions of the groups none of whose keys is missing, in order.
fn present(groups: &Groups) -> Vec<u32> {
    let is_present = |group: &usize| {
        groups.keys.iter().all(|key| match key {
            GroupKey::Values(values) => values.is_valid(*group) && !is_nan(values, *group),
            GroupKey::Slots { bins, slots } => slots[*group] < bins.count(),
        })
    };
    (0..groups.len()).filter(is_present).map(|group| group as u32).collect()
}

fn is_nan(values: &ArrayRef, row: usize) -> bool {
    match values.data_type() {
        DataType::Float32 => values.as_primitive::<Float32Type>().value(row).is_nan(),
        DataType::Float64 => values.as_primitive::<Float64Type>().value(row).is_nan(),
        _ => false,
    }
}

fn columns(
    groups: &Groups,
    keys: &[String],
    aggs: &[Aggregation],
    top: Option<&Top>,
    result: &mut Map<String, Value>,
) -> std::result::Result<(), arrow::error::ArrowError> {
    let mut order = present(groups);
    if let Some(top) = top {
        let by = aggs.iter().position(|agg| agg.name.as_ref() == Some(&top.by));
        let rank: Vec<f64> = match by {
            Some(by) => to_f64(&groups.measures[by]),
            None => groups.counts.iter().map(|&count| count as f64).collect(),
        };
        // Stable, so that groups of one rank stay in the order of their keys.
        order.sort_by(|&a, &b| rank[b as usize].total_cmp(&rank[a as usize]));
        order.truncate(top.n);
    }
    let order = UInt32Array::from(order);
    for (name, key) in keys.iter().zip(&groups.keys) {
        if let GroupKey::Values(values) = key {
            result.insert(name.clone(), json_array(&take(values, &order, None)?));
        }
    }
    for (agg, values) in aggs.iter().zip(&groups.measures) {
        let name = agg.name.clone().unwrap_or_else(|| agg.text());
        result.insert(name, json_array(&take(values, &order, None)?));
    }
    Ok(())
}

fn json_array(values: &ArrayRef) -> Value {
    if values.data_type().is_floating() {
        // The shortest text of a float32 is not its float64 value.
        return numbers(to_f64(values));
    }
    (0..values.len()).map(|row| json_value(values, row)).collect()
}
