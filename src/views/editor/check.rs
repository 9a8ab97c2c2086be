//! What a typed text is worth where it is typed.

use std::sync::Arc;

use arrow::datatypes::DataType;

use super::place::{Place, place};
use crate::aggregate::{AGGREGATES, Aggregate};
use crate::data::{Kind, kind};
use crate::dataset::Dataset;
use crate::expr::{Completion, CompletionKind, Expr, ExprError, complete, describe};
use crate::query::Measure;
use crate::session::ViewKind;

/// What an expression is typed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The values of a virtual column.
    Column,
    /// Which rows pass.
    Condition,
    /// The axis of a view.
    Axis(ViewKind),
    /// What a view shows of the rows of a cell.
    Measure,
}

/// A text that is right.
pub(super) struct Checked {
    /// Its values row by row; `None` for the count of rows.
    pub(super) value: Option<Expr>,
    /// What it is, for a person.
    pub(super) about: String,
}

impl Purpose {
    /// Reads a text, or says where it is wrong.
    pub(super) fn check(self, text: &str, dataset: &Arc<Dataset>) -> Result<Checked, ExprError> {
        if self == Purpose::Measure {
            let measure = Measure::check(text, dataset)?;
            let Some(part) = measure.aggregation() else {
                return Ok(Checked { value: None, about: "A formula over aggregates".to_owned() });
            };
            let value = part.values.first().cloned();
            let of = value.as_ref().map(|value| format!("; of {}", describe(value.data_type())));
            let about = format!("{}{}", part.aggregate.doc.trim_end_matches('.'), of.unwrap_or_default());
            return Ok(Checked { value, about });
        }
        let expr = match Expr::parse(text, dataset.schema()) {
            Ok(expr) => expr,
            // On an axis a column's bare name will do, whatever letters it has.
            Err(error) => match (self, Expr::column(text.trim(), dataset.schema())) {
                (Purpose::Axis(_), Ok(column)) => column,
                _ => return Err(error),
            },
        };
        let found = describe(expr.data_type());
        let refused = match self {
            Purpose::Condition if expr.data_type() != &DataType::Boolean => {
                Some(format!("a filter is true or false for each row; this is {found}"))
            }
            Purpose::Axis(view) if !suits(view, kind(expr.data_type())) => {
                Some(format!("this axis takes numbers and times; this is {found}"))
            }
            _ => None,
        };
        match refused {
            Some(message) => {
                let start = text.len() - text.trim_start().len();
                Err(ExprError { message, span: start..text.trim_end().len(), suggestion: None })
            }
            None => Ok(Checked { value: Some(expr), about: format!("Type: {found}") }),
        }
    }

    /// How one may go on at byte `cursor`.
    pub(super) fn completions(self, text: &str, cursor: usize, dataset: &Dataset) -> Vec<Completion> {
        let schema = dataset.schema();
        match self {
            Purpose::Measure => match place(text, cursor).0 {
                Place::Outside(word) => aggregates(text, word, cursor),
                Place::Inside(start) => {
                    let mut found = complete(&text[start..], cursor - start, schema);
                    for completion in &mut found {
                        let replaced = &completion.replace;
                        completion.replace = replaced.start + start..replaced.end + start;
                    }
                    found
                }
            },
            Purpose::Axis(view) => {
                let mut found = complete(text, cursor, schema);
                let fits = |name: &str| schema.field(name).is_none_or(|field| suits(view, field.kind()));
                found.retain(|completion| {
                    let is_column = completion.kind == CompletionKind::Column;
                    !is_column || !is_whole(completion, text) || fits(&completion.name)
                });
                found
            }
            Purpose::Column | Purpose::Condition => complete(text, cursor, schema),
        }
    }

    /// What can be typed, while nothing is.
    pub(super) fn about(self) -> &'static str {
        match self {
            Purpose::Column => "computed as it is needed; nothing is stored",
            Purpose::Condition => "rows for which it is true pass",
            Purpose::Axis(_) => "a column, or an expression over columns",
            Purpose::Measure => {
                "count, an aggregate such as mean(x / y) where z > 0, or a formula such as sum(x) / count"
            }
        }
    }
}

/// Whether taking a completion leaves nothing of the text as it was.
pub(super) fn is_whole(completion: &Completion, text: &str) -> bool {
    let replace = &completion.replace;
    text[..replace.start].trim().is_empty() && text[replace.end..].trim().is_empty()
}

fn suits(view: ViewKind, kind: Kind) -> bool {
    match view {
        ViewKind::Heatmap => kind.is_ordinal(),
        _ => kind != Kind::Other,
    }
}

/// The aggregates whose names begin with, then those that have, the letters from `word` to the cursor; all
/// of them where these are a whole name.
fn aggregates(text: &str, word: usize, cursor: usize) -> Vec<Completion> {
    let start = word.min(cursor);
    let typed = text[start..cursor].to_lowercase();
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let end = cursor + text[cursor..].find(|c| !is_part(c)).unwrap_or(text.len() - cursor);
    let is_whole = AGGREGATES.iter().any(|aggregate| aggregate.name == typed);
    let mut found: Vec<_> = offered_aggregates()
        .filter(|aggregate| is_whole || aggregate.name.contains(&typed))
        .map(|aggregate| {
            let name = aggregate.name;
            let alone = aggregate.least_arguments() == 0;
            let calls = alone || text[end..].starts_with('(');
            Completion {
                name: name.to_owned(),
                kind: CompletionKind::Function,
                signature: aggregate.signature.to_owned(),
                doc: aggregate.doc.to_owned(),
                text: if calls { name.to_owned() } else { format!("{name}(") },
                replace: start..end,
            }
        })
        .collect();
    found.sort_by_key(|completion| !completion.name.starts_with(&typed));
    found
}

/// The aggregates a person may want; the others serve the axes.
pub fn offered_aggregates() -> impl Iterator<Item = &'static Aggregate> {
    AGGREGATES.iter().copied().filter(|aggregate| !aggregate.name.starts_with("finite"))
}
