//! `outcrop agg`: aggregates by bins and keys, as a table.

use std::path::PathBuf;

use arrow::compute::{SortOptions, sort_to_indices, take_record_batch};
use arrow::record_batch::RecordBatch;

use super::axis::{AxisText, keys};
use super::input::{Filters, Input, Table};
use super::output::TableOutput;
use super::{CliCommand, Execute, Failure, command};
use crate::query::output::{TableOptions, to_batch};
use crate::query::{Ask, Axis, Having, Key, Listing, Measure, Order};

pub(super) const COMMAND: CliCommand = command::<Agg>("agg");

/// Most axes answered cell by cell; of more, only the cells that hold rows are listed.
const GRID_AXES: usize = 2;

/// Aggregate by bins and keys; one row per cell
///
/// A binned axis becomes its lower and upper edge, a key its value, then come the aggregates, named by
/// their text. Over one or two binned axes alone every cell is listed, those below, above and without a
/// value included; else every group that has rows.
#[derive(Debug, clap::Args)]
pub(super) struct Agg {
    #[command(flatten)]
    input: Input,
    /// What to group by: a key, or an axis cut into bins
    ///
    /// EXPR takes the values as they are; EXPR:lo:hi:bins cuts them into equal bins, EXPR:lo:hi:bins:log
    /// into bins of equal ratio; EXPR::bins covers the whole extent. A limit left empty is found by a pass
    /// over the rows. Limits may be expressions such as 2*pi, and dates for times.
    #[arg(long, value_name = "EXPR[:lo:hi:bins]", allow_hyphen_values = true)]
    by: Vec<String>,
    /// What to compute of every cell, as `mean(fare)`; counts rows if not given
    ///
    /// An aggregate of expressions, `mean(fare) where paid` of some rows, or a formula over aggregates, as
    /// `sum(tip) / sum(fare)`. Aggregates of many values that do not fit memory are marked ≈, or refused.
    #[arg(long = "agg", value_name = "MEASURE", allow_hyphen_values = true)]
    aggregates: Vec<String>,
    #[command(flatten)]
    filters: Filters,
    /// Order rows by this column of the result or measure, `COLUMN:desc` from the largest
    #[arg(long, value_name = "COLUMN[:desc]")]
    sort: Option<String>,
    /// Keep only the first rows of the result
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Only the N groups with the largest value of a measure, the first one if `--of` names none
    #[arg(long, value_name = "N", conflicts_with_all = ["sort", "limit"])]
    top: Option<usize>,
    /// The measure that `--top` goes by
    #[arg(long, value_name = "MEASURE", requires = "top")]
    of: Option<String>,
    /// Only groups that meet a condition on their measures, as `count > 10 and mean(fare) < 3`
    #[arg(long, value_name = "CONDITION", allow_hyphen_values = true)]
    having: Option<String>,
    /// Also the groups beyond `--top` or `--limit`, in one row; the column `groups` counts them
    #[arg(long)]
    other: bool,
    /// Where to: a .csv or .arrow file, or - for CSV; a readable table if not given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Execute for Agg {
    fn execute(self) -> Result<(), Failure> {
        let output = TableOutput::of(self.output.as_deref())?;
        let by = self.by.iter().map(|text| AxisText::parse("--by", text)).collect::<Result<Vec<_>, _>>()?;
        let table = self.input.open()?;
        let selection = table.selection(&self.filters)?;
        let count = ["count".to_owned()];
        let aggregates = if self.aggregates.is_empty() { &count[..] } else { &self.aggregates };
        let measures =
            aggregates.iter().map(|text| table.measures("--agg", text)).collect::<Result<Vec<_>, _>>()?;
        let measures = measures.concat();
        let keys = keys("--by", &by, &table, &selection)?;
        let is_listed = self.top.is_some() || self.having.is_some() || self.other;
        if is_listed && keys.is_empty() {
            return Err(Failure::Usage(
                "--top, --having and --other are of groups: --by names none".to_owned(),
            ));
        }
        let listing = self.listing(&measures, &table)?;
        let ask = match axes_alone(&keys).filter(|_| !is_listed) {
            Some(axes) => Ask::Grid { axes, measures },
            None => Ask::Groups { keys, measures, listing },
        };
        let question = table.question(&selection, ask);
        let answer = table.answer("aggregating", &question)?;
        let batch =
            to_batch(&question, &answer, TableOptions::default()).map_err(|error| table.failure(&error))?;
        let batch = match question.ask {
            // A row of all others stays the last.
            Ask::Groups { listing: Listing { other: true, .. }, .. } => batch,
            _ => {
                let batch = self.sorted(batch, &table)?;
                batch.slice(0, self.limit.unwrap_or(usize::MAX).min(batch.num_rows()))
            }
        };
        let notes = [
            ("source".to_owned(), table.path.display().to_string()),
            ("where".to_owned(), self.filters.conditions.join(" and ")),
        ];
        output.write(&batch, &notes)
    }
}

impl Agg {
    /// What of the groups is listed: sorted by a measure they are many, and only the first are finished.
    fn listing(&self, measures: &[Measure], table: &Table) -> Result<Listing, Failure> {
        let position = |name: &str| {
            let wanted = column_name(name, table);
            measures.iter().position(|measure| measure.to_string() == wanted)
        };
        let order = match (&self.sort, self.top, &self.of) {
            (Some(sort), ..) => {
                let (name, descending) = direction(sort);
                match position(name) {
                    Some(measure) => Some(Order { measure, descending }),
                    None if self.other => return Err(no_measure("--sort", name, measures)),
                    // A key: sorted once all groups are there.
                    None => return self.with_condition(Listing::default(), measures),
                }
            }
            (None, Some(_), of) => {
                let measure = match of {
                    Some(of) => position(of).ok_or_else(|| no_measure("--of", of, measures))?,
                    None => 0,
                };
                Some(Order { measure, descending: true })
            }
            (None, None, _) => None,
        };
        let listing = Listing { order, limit: self.top.or(self.limit), other: self.other, having: None };
        self.with_condition(listing, measures)
    }

    fn with_condition(&self, listing: Listing, measures: &[Measure]) -> Result<Listing, Failure> {
        let Some(having) = &self.having else { return Ok(listing) };
        let having = Having::parse(having, measures)
            .map_err(|error| Failure::Usage(format!("--having {having}: {}", error.message)))?;
        Ok(Listing { having: Some(having), ..listing })
    }

    fn sorted(&self, batch: RecordBatch, table: &Table) -> Result<RecordBatch, Failure> {
        let Some(sort) = &self.sort else { return Ok(batch) };
        let (name, descending) = direction(sort);
        let measure = column_name(name, table);
        let names = [name, &measure, &format!("≈ {measure}")];
        let Some(column) = names.iter().find_map(|name| batch.column_by_name(name)) else {
            let names: Vec<String> =
                batch.schema().fields().iter().map(|f| format!("`{}`", f.name())).collect();
            return Err(Failure::Usage(format!(
                "--sort: the result has no column `{name}`; it has {}",
                names.join(", ")
            )));
        };
        let options = SortOptions { descending, nulls_first: false };
        sort_to_indices(column, Some(options), None)
            .and_then(|order| take_record_batch(&batch, &order))
            .map_err(|error| Failure::Usage(format!("--sort {name}: {error}")))
    }
}

/// What the column of a measure is called, however it is written.
fn column_name(text: &str, table: &Table) -> String {
    table.measure("--sort", text).map_or_else(|_| text.to_owned(), |measure| measure.to_string())
}

/// `COLUMN` or `COLUMN:desc`.
fn direction(sort: &str) -> (&str, bool) {
    match sort.strip_suffix(":desc") {
        Some(name) => (name, true),
        None => (sort, false),
    }
}

fn no_measure(flag: &str, name: &str, measures: &[Measure]) -> Failure {
    let names: Vec<String> = measures.iter().map(|measure| format!("`{measure}`")).collect();
    Failure::Usage(format!("{flag}: `{name}` is not among the measures {}", names.join(", ")))
}

/// The axes, if there is nothing else and few enough for a grid.
fn axes_alone(keys: &[Key]) -> Option<Vec<Axis>> {
    if keys.len() > GRID_AXES {
        return None;
    }
    keys.iter()
        .map(|key| match key {
            Key::Binned(axis) => Some(axis.clone()),
            Key::Value(_) => None,
        })
        .collect()
}
