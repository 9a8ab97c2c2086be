//! The table a command works on, and what is asked of it in text.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::DataType;

use super::Failure;
use super::progress::watched;
use crate::data::group_digits;
use crate::dataset::{Dataset, DefineError};
use crate::engine::ZoneMaps;
use crate::expr::{Expr, ExprError, describe, scalar_with};
use crate::formats;
use crate::query::{
    Answer, Ask, Measure, Overflow, QueryError, Question, ScanOptions, Workers, scan_counting,
};
use crate::select::{Clause, Selection};

/// Bytes of a file that stay mapped: whoever stops the program waits until the system has taken its maps apart.
const KEEP_MAPPED: u64 = 1 << 30;

/// Which table, and how it is worked on.
#[derive(Debug, clap::Args)]
pub(super) struct Input {
    /// The table: an HDF5 or Arrow file
    #[arg(value_hint = clap::ValueHint::FilePath)]
    pub(super) file: PathBuf,
    /// Define a virtual column; others may use it, whatever the order
    #[arg(long = "let", value_name = "NAME=EXPR")]
    pub(super) definitions: Vec<String>,
    /// Give a number a name for every expression; later ones may use it
    #[arg(long = "set", value_name = "NAME=NUMBER")]
    pub(super) variables: Vec<String>,
    /// Threads to compute on; 0 is one per core
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) threads: usize,
    /// Memory that groups may take, as 512M or 2G; what does not fit waits in a temporary file
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = memory)]
    pub(super) memory: usize,
}

/// Bytes written as `64M`, `1.5G` or a plain number.
pub(super) fn memory(text: &str) -> Result<usize, String> {
    let unit_at = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let shift = match unit.to_ascii_uppercase().trim_end_matches("IB").trim_end_matches('B') {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err(format!("`{unit}` is no unit of memory; write 512M or 2G")),
    };
    let number: f64 = number.trim().parse().map_err(|_| format!("`{text}` is no size; write 512M or 2G"))?;
    let bytes = number * (1u64 << shift) as f64;
    const LEAST: f64 = (1 << 20) as f64;
    if (LEAST..=usize::MAX as f64).contains(&bytes) {
        Ok(bytes as usize)
    } else {
        Err("groups need at least 1M".to_owned())
    }
}

/// Which rows.
#[derive(Debug, clap::Args)]
pub(super) struct Filters {
    /// Only rows for which this is true; given several times, all must be
    #[arg(long = "where", value_name = "EXPR", allow_hyphen_values = true)]
    pub(super) conditions: Vec<String>,
}

/// An open table and the threads to scan it on.
pub(super) struct Table {
    pub(super) path: PathBuf,
    pub(super) dataset: Arc<Dataset>,
    pub(super) workers: Workers,
    options: ScanOptions,
}

impl Input {
    /// The columns of `file` and nothing else.
    pub(super) fn plain(file: PathBuf, threads: usize) -> Input {
        let memory = ScanOptions::default().group_budget;
        Input { file, definitions: Vec::new(), variables: Vec::new(), threads, memory }
    }

    /// Opens the table and defines its virtual columns. Reads no value.
    pub(super) fn open(&self) -> Result<Table, Failure> {
        let source = watched("opening", |task| formats::open(&self.file, task))?;
        let dataset = Dataset::new(source);
        if let Some(maps) = ZoneMaps::of_user() {
            maps.recall(&dataset);
        }
        let mut table = Table::new(&self.file, dataset, self.threads)?;
        table.options.group_budget = self.memory;
        table.options.keep_mapped = KEEP_MAPPED;
        table.set(&self.variables)?;
        table.define(&self.definitions)?;
        Ok(table)
    }
}

impl Table {
    pub(super) fn new(path: &Path, dataset: Dataset, threads: usize) -> Result<Table, Failure> {
        let workers = Workers::new(threads)
            .map_err(|error| Failure::Failed(format!("no threads to work on: {error}")))?;
        Ok(Table {
            path: path.to_owned(),
            dataset: Arc::new(dataset),
            workers,
            options: ScanOptions::default(),
        })
    }

    /// Keeps all that was read mapped, since it will be read again and again.
    pub(super) fn stay_mapped(&mut self) {
        self.options.keep_mapped = u64::MAX;
    }

    /// Gives numbers names.
    fn set(&mut self, variables: &[String]) -> Result<(), Failure> {
        let mut known: Vec<(String, f64)> = Vec::new();
        for text in variables {
            let Some((name, number)) = text.split_once('=') else {
                return Err(Failure::Usage(format!("--set takes NAME=NUMBER, not `{text}`")));
            };
            let value = scalar_with(number, &known).map_err(|e| Failure::expression("--set", number, &e))?;
            known.retain(|(other, _)| other != name.trim());
            known.push((name.trim().to_owned(), value));
        }
        if !known.is_empty() {
            let dataset = self
                .dataset
                .with_variables(known)
                .map_err(|error| Failure::Usage(format!("--set: {error}")))?;
            self.dataset = Arc::new(dataset);
        }
        Ok(())
    }

    fn define(&mut self, definitions: &[String]) -> Result<(), Failure> {
        let flag = "--let";
        let split = |definition: &'_ String| match definition.split_once('=') {
            Some((name, text)) => Ok((name.trim().to_owned(), text.to_owned())),
            None => Err(Failure::Usage(format!("{flag} takes NAME=EXPR, not `{definition}`"))),
        };
        let named = definitions.iter().map(split).collect::<Result<Vec<_>, Failure>>()?;
        let columns = named.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let dataset = self.dataset.with_columns(columns).map_err(|error| match &error {
            DefineError::Text { name, error: place } => {
                let text = named.iter().rfind(|(known, _)| known == name).map_or("", |(_, text)| text);
                Failure::expression(&format!("{flag} {name}"), text, place)
            }
            error => Failure::Usage(format!("{flag}: {error}")),
        })?;
        self.dataset = Arc::new(dataset);
        Ok(())
    }

    /// The expression `text`, given as `flag`.
    pub(super) fn expr(&self, flag: &str, text: &str) -> Result<Expr, Failure> {
        Expr::parse(text, self.dataset.schema()).map_err(|error| Failure::expression(flag, text, &error))
    }

    /// The rows that pass all of these.
    pub(super) fn selection(&self, filters: &Filters) -> Result<Selection, Failure> {
        let clause = |text: &String| {
            let expr = self.expr("--where", text)?;
            if expr.data_type() != &DataType::Boolean {
                let found = describe(expr.data_type());
                let message = format!("a condition such as x > 1 is expected here, not {found}");
                let error = ExprError { message, span: 0..text.len(), suggestion: None };
                return Err(Failure::expression("--where", text, &error));
            }
            Ok(Clause::filter(expr))
        };
        Ok(Selection::of(filters.conditions.iter().map(clause).collect::<Result<Vec<_>, Failure>>()?))
    }

    /// The measure `text`, as `mean(fare)`.
    pub(super) fn measure(&self, flag: &str, text: &str) -> Result<Measure, Failure> {
        Measure::check(text, &self.dataset).map_err(|error| Failure::expression(flag, text, &error))
    }

    /// The measures `text`, several where a number in it is a list, as in `quantile(fare, [0.1, 0.9])`.
    pub(super) fn measures(&self, flag: &str, text: &str) -> Result<Vec<Measure>, Failure> {
        Measure::each(text, &self.dataset).map_err(|error| Failure::expression(flag, text, &error))
    }

    /// A question about the rows of `selection`.
    pub(super) fn question(&self, selection: &Selection, ask: Ask) -> Question {
        Question::new(self.dataset.clone(), selection.clone(), ask)
    }

    /// Answers all questions in one pass.
    pub(super) fn answers(&self, what: &str, questions: &[Question]) -> Result<Vec<Answer>, Failure> {
        let (answers, overflowed) =
            watched(what, |task| scan_counting(questions, &self.workers, self.options, task))
                .map_err(|error| self.failure(&error))?;
        if let Some(maps) = ZoneMaps::of_user() {
            maps.keep(&self.dataset);
        }
        for Overflow { expr, values } in overflowed {
            let are = if values == 1 {
                "value that overflowed its type is"
            } else {
                "values that overflowed their type are"
            };
            eprintln!("outcrop: `{expr}`: {} {are} missing", group_digits(values));
        }
        Ok(answers)
    }

    /// Answers one question.
    pub(super) fn answer(&self, what: &str, question: &Question) -> Result<Answer, Failure> {
        let answers = self.answers(what, std::slice::from_ref(question))?;
        answers.into_iter().next().ok_or_else(|| Failure::about(&self.path, "no answer"))
    }

    /// An error about this table.
    pub(super) fn failure(&self, error: &QueryError) -> Failure {
        Failure::about(&self.path, error)
    }
}

#[cfg(test)]
mod tests {
    use super::memory;

    #[test]
    fn sizes_of_memory_are_read_in_their_units() {
        for (text, bytes) in [("64M", 64 << 20), ("1.5G", 3 << 29), ("2GiB", 2 << 30), ("1048576", 1 << 20)] {
            assert_eq!(memory(text), Ok(bytes), "{text}");
        }
        for wrong in ["", "G", "1X", "-1G", "0", "1K", "NaN", "inf"] {
            assert!(memory(wrong).is_err(), "{wrong}");
        }
    }
}
