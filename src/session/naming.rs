//! The names a document gives, virtual columns and variables: who uses them, and calling them otherwise.

use std::sync::Arc;

use super::{AxisSpec, Document, FilterSpec, PredicateSpec, ViewSpec};
use crate::aggregate::Aggregate;
use crate::data::Schema;
use crate::dataset::Dataset;
use crate::expr::{Expr, mentions, quote_name, renamed};

/// What of a document names the column or variable `name`, in words.
pub(super) fn users(document: &Document, name: &str) -> Vec<String> {
    let is_used = |texts: Vec<&mut String>| texts.iter().any(|text| mentions(text, name));
    let mut document = document.clone();
    let mut found = Vec::new();
    for column in &mut document.columns {
        if column.name != name && mentions(&column.text, name) {
            found.push(format!("the column {}", column.name));
        }
    }
    for filter in &mut document.filters {
        if is_used(texts_of_filter(filter)) {
            found.push("a filter".to_owned());
        }
    }
    for view in &mut document.views {
        let title = view.title();
        if is_used(texts_of_view(view)) {
            found.push(format!("the view {title}"));
        }
    }
    found.dedup();
    found
}

/// Calls the virtual column or variable `from` by the name `to`.
pub(super) fn rename(document: &mut Document, from: &str, to: &str) {
    if let Some(value) = document.variables.remove(from) {
        document.variables.insert(to.to_owned(), value);
    }
    for column in &mut document.columns {
        column.text = renamed(&column.text, from, to);
        if column.name == from {
            column.name = to.to_owned();
        }
    }
    let of_filters = document.filters.iter_mut().flat_map(texts_of_filter);
    let of_views = document.views.iter_mut().flat_map(texts_of_view);
    of_filters.chain(of_views).for_each(|text| *text = renamed(text, from, to));
}

/// Whether `from` can be called `to` without a text coming to mean something else.
///
/// # Errors
/// A sentence: the name is taken, means something already, or cannot be told from an aggregate's.
pub(super) fn check(
    document: &Document,
    dataset: Option<&Arc<Dataset>>,
    from: &str,
    to: &str,
) -> Result<(), String> {
    let schema = dataset.map(|dataset| dataset.schema());
    let is_taken = schema.is_some_and(|schema| schema.field(to).is_some() || schema.variable(to).is_some());
    if is_taken {
        return Err(format!("{from} cannot be called {to}: there is a column or variable of this name."));
    }
    if Expr::parse(&quote_name(to), &Schema::default()).is_ok() {
        return Err(format!("{from} cannot be called {to}: this is a constant of the language."));
    }
    let mut views = document.views.clone();
    let is_measured = views.iter_mut().flat_map(texts_of_view).any(|text| mentions(text, from));
    let is_aggregate = [from, to].into_iter().find(|name| Aggregate::named(name).is_some());
    match is_aggregate.filter(|_| is_measured) {
        Some(name) => {
            Err(format!("{from} cannot be called {to} while views use it: {name} is an aggregate."))
        }
        None => Ok(()),
    }
}

/// The expressions a filter is made of.
fn texts_of_filter(filter: &mut FilterSpec) -> Vec<&mut String> {
    match &mut filter.predicate {
        PredicateSpec::Interval { expr, .. }
        | PredicateSpec::Intervals { expr, .. }
        | PredicateSpec::Categories { expr, .. } => vec![expr],
        PredicateSpec::Rect { x, y, .. } => vec![x, y],
        PredicateSpec::Lasso { x, y, .. } => vec![&mut x.expr, &mut y.expr],
        PredicateSpec::Groups { keys, conditions } => keys.iter_mut().chain(conditions).collect(),
        PredicateSpec::Where { text } => vec![text],
    }
}

/// The expressions and measures of a view.
fn texts_of_view(view: &mut ViewSpec) -> Vec<&mut String> {
    let axes = [&mut view.x, &mut view.y].into_iter().flatten();
    let mut texts: Vec<&mut String> = axes.map(|axis: &mut AxisSpec| &mut axis.expr).collect();
    texts.push(&mut view.measure);
    if let Some(grouping) = &mut view.grouping {
        texts.extend(grouping.keys.iter_mut().map(|key| &mut key.expr));
        texts.extend(&mut grouping.measures);
        texts.push(&mut grouping.having);
    }
    texts
}
