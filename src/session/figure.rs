//! A view and its answers as the plain data of a picture: what the window exports and what the command
//! line draws are the same.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::{
    AxisSpec, Brushed, Filter, PredicateSpec, Session, ViewId, ViewKind, ViewSpec, key_text, key_value,
};
use crate::aggregate::{Bins, Grid, Scale, to_f64};
use crate::data::{Kind, format_value, group_digits, kind, per_second, shorten};
use crate::dataset::Dataset;
use crate::export::{
    AxisKind, AxisLabel, Bars, Body, Chart, Dashboard, DashboardColumn, Heatmap, Histogram, OffAxis,
    RowsTable,
};
use crate::expr::Expr;
use crate::query::rows::RowPage;
use crate::query::{Answer, GroupKey, Groups, Measure};

/// Most bars of a picture; the others are counted.
const MOST_BARS: usize = 40;

/// The chart of a view: its answer over the rows selected, and over all rows for comparison. `None` when
/// the view asks for no numbers or the answer is not to its question.
pub fn chart(session: &Session, view: &ViewSpec, selected: &Answer, all: Option<&Answer>) -> Option<Chart> {
    let dataset = session.dataset()?;
    if view.kind == ViewKind::Number {
        return number(dataset, view, selected.grid()?, all.and_then(Answer::grid));
    }
    if view.kind == ViewKind::Groups {
        return groups(dataset, view, selected.groups()?);
    }
    let x = view.x.as_ref()?;
    let (title, body) = match view.kind {
        ViewKind::Histogram => {
            let (grid, ghost) = (selected.grid()?, all.and_then(Answer::grid));
            let body = histogram(session, view, label(dataset, x)?, grid, ghost)?;
            (bare(&x.expr), Body::Histogram(body))
        }
        ViewKind::Heatmap => {
            let y = view.y.as_ref()?;
            let body = heatmap(session, view, [label(dataset, x)?, label(dataset, y)?], selected.grid()?)?;
            (format!("{} × {}", bare(&x.expr), bare(&y.expr)), Body::Heatmap(body))
        }
        ViewKind::Bars => {
            let body = bars(session, view, selected.groups()?, all.and_then(Answer::groups));
            (bare(&x.expr), Body::Bars(body))
        }
        ViewKind::Groups | ViewKind::Number | ViewKind::Rows => return None,
    };
    let title =
        if view.measure == "count" { title } else { format!("{} by {title}", value_name(dataset, view)) };
    Some(Chart { title, subtitle: String::new(), body })
}

/// A number as a table of one row.
fn number(dataset: &Dataset, view: &ViewSpec, selected: &Grid, all: Option<&Grid>) -> Option<Chart> {
    let text = |grid: &Grid| match view.measure.as_str() {
        "count" => Some(group_digits(grid.total())),
        _ => format_value(grid.measures.first()?, 0),
    };
    let name = value_name(dataset, view);
    let of_all = all.map(|_| ("of all rows".to_owned(), true));
    let header = std::iter::once((name.clone(), true)).chain(of_all).collect();
    let rows = vec![std::iter::once(text(selected)).chain(all.map(text)).collect()];
    Some(Chart { title: name, subtitle: String::new(), body: Body::Rows(RowsTable { header, rows }) })
}

/// A table of groups, the first of them.
fn groups(dataset: &Dataset, view: &ViewSpec, groups: &Groups) -> Option<Chart> {
    let grouping = view.grouping.as_ref()?;
    let exprs: Vec<Expr> = grouping
        .keys
        .iter()
        .map(|key| Expr::parse(&key.expr, dataset.schema()).ok())
        .collect::<Option<_>>()?;
    let names = grouping.measures.iter().zip(&groups.approximate);
    let names = names.map(|(name, &is_sketch)| (marked(name.clone(), &[is_sketch]), true));
    let header = grouping.keys.iter().map(|key| (bare(&key.expr), false)).chain(names).collect();
    let line = |&group: &usize| {
        let keys = exprs.iter().zip(&groups.keys);
        let keys = keys.map(|(expr, key)| key_text(expr, &key_value(key, group)).map(|text| shorten(&text)));
        keys.chain(groups.measures.iter().map(|values| format_value(values, group))).collect()
    };
    let order = grouping.ordered(groups);
    let rows: Vec<_> = order.iter().take(MOST_BARS).map(line).collect();
    let title = match groups.found > rows.len() as u64 {
        true => format!("{}, {} of {}", view.title(), rows.len(), group_digits(groups.found)),
        false => view.title(),
    };
    Some(Chart { title, subtitle: String::new(), body: Body::Rows(RowsTable { header, rows }) })
}

/// The rows of a page as a chart of their own; `names` are its columns.
pub fn rows_chart(page: &RowPage, names: &[String]) -> Chart {
    let to_the_right =
        |array: &ArrayRef| matches!(kind(array.data_type()), Kind::Integer | Kind::Float | Kind::Duration);
    let mut header = vec![("row".to_owned(), true)];
    header.extend(names.iter().zip(&page.columns).map(|(name, array)| (shorten(name), to_the_right(array))));
    let row = |i: usize| {
        let values = page.columns.iter().map(|array| format_value(array, i).map(|text| shorten(&text)));
        std::iter::once(Some(group_digits(page.numbers[i]))).chain(values).collect()
    };
    let rows = RowsTable { header, rows: (0..page.len()).map(row).collect() };
    Chart { title: "rows".to_owned(), subtitle: String::new(), body: Body::Rows(rows) }
}

/// All charts of a session in the places of its layout. `passing` rows pass the filters.
pub fn dashboard(session: &Session, charts: Vec<(ViewId, Chart)>, passing: u64) -> Dashboard {
    let document = session.document();
    let total = session.dataset().map_or(0, |dataset| dataset.row_count());
    let name = document.file.as_ref().and_then(|file| file.file_name());
    let chips: Vec<String> = active_filters(session).map(filter_text).collect();
    let share = passing as f64 / total.max(1) as f64;
    let count = if chips.is_empty() {
        format!("{} rows", group_digits(total))
    } else {
        format!("{} of {} rows ({:.1}\u{2009}%)", group_digits(passing), group_digits(total), 100.0 * share)
    };
    let mut charts: HashMap<ViewId, Chart> = charts.into_iter().collect();
    let columns = document.layout.columns.iter().map(|column| DashboardColumn {
        weight: column.weight,
        charts: column
            .cells
            .iter()
            .filter_map(|cell| charts.remove(&cell.view).map(|chart| (cell.weight, chart)))
            .collect(),
    });
    Dashboard {
        title: name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        count,
        share: (!chips.is_empty()).then_some(share),
        columns: columns.filter(|column| !column.charts.is_empty()).collect(),
        chips,
        footer: String::new(),
    }
}

/// The filters that count, in one line.
pub fn filters_line(session: &Session) -> String {
    active_filters(session).map(filter_text).collect::<Vec<_>>().join(" · ")
}

fn active_filters(session: &Session) -> impl Iterator<Item = &Filter> {
    session.filters().iter().filter(|filter| filter.spec.enabled && filter.clause.is_ok())
}

/// A filter as a person reads it: `3.125 ≤ trip_distance < 10`.
pub fn filter_text(filter: &Filter) -> String {
    let types: Vec<DataType> = match &filter.clause {
        Ok(clause) => clause.expressions().iter().map(|expr| expr.data_type().clone()).collect(),
        Err(_) => Vec::new(),
    };
    let between = |expr: &str, lo: f64, hi: f64, axis: usize| {
        let data_type = types.get(axis).unwrap_or(&DataType::Float64);
        let number = |value| number_text(value, data_type);
        match (lo.is_finite(), hi.is_finite()) {
            (true, true) => format!("{} ≤ {} < {}", number(lo), bare(expr), number(hi)),
            (true, false) => format!("{} ≤ {}", number(lo), bare(expr)),
            (false, true) => format!("{} < {}", bare(expr), number(hi)),
            (false, false) => format!("{} not missing", bare(expr)),
        }
    };
    let text = match &filter.spec.predicate {
        PredicateSpec::Interval { expr, lo, hi } => between(expr, *lo, *hi, 0),
        PredicateSpec::Intervals { expr, .. } => {
            let brushed = Brushed::of(&filter.spec.predicate).unwrap_or_default();
            let mut parts: Vec<String> =
                brushed.intervals.iter().map(|&(lo, hi)| between(expr, lo, hi, 0)).collect();
            parts.extend(brushed.missing.then(|| format!("{} missing", bare(expr))));
            if parts.is_empty() { format!("{}: nothing", bare(expr)) } else { parts.join(" or ") }
        }
        PredicateSpec::Lasso { x, y, .. } => format!("lasso on {} × {}", bare(&x.expr), bare(&y.expr)),
        PredicateSpec::Rect { x, x_range, y, y_range } => {
            format!("{}, {}", between(x, x_range[0], x_range[1], 0), between(y, y_range[0], y_range[1], 1))
        }
        PredicateSpec::Categories { expr, values, missing } => {
            let mut names: Vec<String> = values.iter().map(|value| shorten(value)).collect();
            names.extend(missing.then(|| "missing".to_owned()));
            format!("{}: {}", bare(expr), names.join(", "))
        }
        PredicateSpec::Groups { conditions, .. } => shorten(&conditions.join(" or ")),
        PredicateSpec::Where { text } => shorten(text),
    };
    if filter.spec.inverted { format!("not ({text})") } else { text }
}

/// A number of an axis in the words of its type: times as dates.
pub(super) fn number_text(value: f64, data_type: &DataType) -> String {
    let as_time = || {
        let whole: ArrayRef = Arc::new(Int64Array::from(vec![value.ceil() as i64]));
        let narrow = match data_type {
            DataType::Date32 => cast(&whole, &DataType::Int32).ok()?,
            _ => whole,
        };
        format_value(&cast(&narrow, data_type).ok()?, 0)
    };
    match kind(data_type) {
        Kind::Time | Kind::Duration => as_time().unwrap_or_else(|| value.to_string()),
        _ => value.to_string(),
    }
}

/// An expression without the backticks of a lone column name.
fn bare(text: &str) -> String {
    match text.strip_prefix('`').and_then(|text| text.strip_suffix('`')) {
        Some(name) if !name.contains('`') => shorten(name),
        _ => shorten(text),
    }
}

fn label(dataset: &Dataset, axis: &AxisSpec) -> Option<AxisLabel> {
    let expr = Expr::parse(&axis.expr, dataset.schema()).ok()?;
    let kind = match kind(expr.data_type()) {
        Kind::Time => AxisKind::Time { unit_ns: (1e9 / per_second(expr.data_type())).round() as i64 },
        _ if axis.scale() == Scale::Log => AxisKind::Log,
        _ => AxisKind::Number,
    };
    Some(AxisLabel { label: bare(&axis.expr), unit: unit_of(dataset, &expr), kind })
}

fn unit_of(dataset: &Dataset, expr: &Expr) -> Option<String> {
    let field = dataset.schema().field(expr.as_column()?)?;
    field.unit.clone().filter(|unit| !unit.is_empty())
}

/// A name after `≈ ` where the measure is that of a sketch.
fn marked(name: String, approximate: &[bool]) -> String {
    if approximate.first() == Some(&true) { format!("≈ {name}") } else { name }
}

/// What the values of a view are: `rows`, `mean fare [USD]`.
fn value_name(dataset: &Dataset, view: &ViewSpec) -> String {
    let Ok(measure) = Measure::parse(&view.measure, dataset) else { return view.measure.clone() };
    if measure.is_count_of_rows() {
        return "rows".to_owned();
    }
    let plain = measure.aggregation().filter(|part| part.condition.is_none());
    let Some((part, [value])) = plain.map(|part| (part, part.values.as_slice())) else {
        return measure.to_string();
    };
    let name = part.aggregate.name;
    let has_unit_of_value = !name.starts_with("var") && name != "count";
    match unit_of(dataset, value).filter(|_| has_unit_of_value) {
        Some(unit) => format!("{name} {} [{unit}]", bare(&value.to_string())),
        None => format!("{name} {}", bare(&value.to_string())),
    }
}

fn off_axis(bins: &Bins, rows: impl Fn(usize) -> u64) -> OffAxis {
    OffAxis { missing: rows(bins.missing()), below: rows(bins.under()), above: rows(bins.over()) }
}

fn histogram(
    session: &Session,
    view: &ViewSpec,
    x: AxisLabel,
    grid: &Grid,
    ghost: Option<&Grid>,
) -> Option<Histogram> {
    let [bins] = grid.axes.as_slice() else { return None };
    let values = |grid: &Grid| grid.measure(0)[..bins.count()].to_vec();
    let own = session.filter_of(view).filter(|(_, filter)| filter.enabled);
    let brushed = own.and_then(|(_, filter)| {
        let brushed = Brushed::of(&filter.predicate)?;
        Some(if filter.inverted { brushed.complement() } else { brushed })
    });
    let mut selected = values(grid);
    let mut all = ghost.filter(|ghost| ghost.axes == grid.axes).map(values);
    if let Some(brushed) = &brushed {
        // The view leaves its own filter out; what it lets pass is drawn as selected.
        let whole = selected.clone();
        for (value, edges) in selected.iter_mut().zip(bins.edges().windows(2)) {
            if !brushed.holds(&Brushed::interval(edges[0], edges[1])) {
                *value = f64::NAN;
            }
        }
        all.get_or_insert(whole);
    }
    let on_axis = |(lo, hi): (f64, f64)| [lo.max(bins.lo()), hi.min(bins.hi())];
    let brushes = brushed.iter().flat_map(|brushed| &brushed.intervals).map(|&interval| on_axis(interval));
    Some(Histogram {
        edges: bins.edges().to_vec(),
        selected,
        all,
        x,
        y: marked(value_name(session.dataset()?, view), &grid.approximate),
        y_max: None,
        off_axis: off_axis(bins, |slot| grid.counts[slot]),
        brushes: brushes.filter(|[lo, hi]| lo < hi).collect(),
    })
}

fn heatmap(session: &Session, view: &ViewSpec, [x, y]: [AxisLabel; 2], grid: &Grid) -> Option<Heatmap> {
    let [x_bins, y_bins] = grid.axes.as_slice() else { return None };
    let measured = grid.measure(0);
    let is_count = view.measure == "count";
    let value = |i: usize, j: usize| {
        let cell = grid.cell(i, j);
        // A cell without rows is empty, not zero.
        if is_count && grid.counts[cell] == 0 { f64::NAN } else { measured[cell] }
    };
    let values = (0..y_bins.count()).flat_map(|j| (0..x_bins.count()).map(move |i| value(i, j))).collect();
    let own = session.filter_of(view).filter(|(_, filter)| filter.enabled);
    let (mut brushes, mut lassos) = (Vec::new(), Vec::new());
    match own.map(|(_, filter)| &filter.predicate) {
        Some(PredicateSpec::Rect { x_range, y_range, .. }) => {
            brushes.push([x_range[0], x_range[1], y_range[0], y_range[1]]);
        }
        Some(PredicateSpec::Lasso { corners, more, .. }) => {
            lassos.push(corners.clone());
            lassos.extend(more.iter().map(|shape| shape.corners.clone()));
        }
        _ => {}
    }
    let of_x = |i: usize| (0..y_bins.slots()).map(|j| grid.counts[grid.cell(i, j)]).sum();
    let of_y = |j: usize| (0..x_bins.slots()).map(|i| grid.counts[grid.cell(i, j)]).sum();
    Some(Heatmap {
        x_edges: x_bins.edges().to_vec(),
        y_edges: y_bins.edges().to_vec(),
        values,
        x,
        y,
        value: marked(value_name(session.dataset()?, view), &grid.approximate),
        scale: view.color_scale,
        map: view.color_map,
        reversed: view.reversed,
        range: view.color_range,
        x_off_axis: off_axis(x_bins, of_x),
        y_off_axis: off_axis(y_bins, of_y),
        brushes,
        lassos,
    })
}

/// Bars in the order of all rows, the largest first.
fn bars(session: &Session, view: &ViewSpec, selected: &Groups, all: Option<&Groups>) -> Bars {
    let of = |groups: &Groups| -> Vec<(Option<String>, f64, u64)> {
        let Some(GroupKey::Values(keys)) = groups.keys.first() else { return Vec::new() };
        let values = groups.measures.first().map(to_f64).unwrap_or_default();
        (0..groups.len()).map(|i| (format_value(keys, i), values[i], groups.counts[i])).collect()
    };
    let mut here: HashMap<String, f64> = HashMap::new();
    let mut missing = 0;
    for (key, value, rows) in of(selected) {
        match key {
            Some(key) => drop(here.insert(key, value)),
            None => missing += rows,
        }
    }
    let mut order: Vec<(String, f64)> = of(all.unwrap_or(selected))
        .into_iter()
        .filter_map(|(key, value, _)| key.map(|key| (key, value)))
        .collect();
    let height = |value: f64| if value.is_nan() { f64::NEG_INFINITY } else { value };
    order.sort_by(|a, b| height(b.1).total_cmp(&height(a.1)).then(a.0.cmp(&b.0)));
    let more = order.len().saturating_sub(MOST_BARS) as u64;
    order.truncate(MOST_BARS);
    let chosen = match session.filter_of(view) {
        Some((_, filter)) if filter.enabled => match &filter.predicate {
            PredicateSpec::Categories { values, .. } => values.as_slice(),
            _ => &[],
        },
        _ => &[],
    };
    let is_count = view.measure == "count";
    let value = |key: &String| here.get(key).copied().unwrap_or(if is_count { 0.0 } else { f64::NAN });
    Bars {
        selected: order.iter().map(|(key, _)| value(key)).collect(),
        all: all.map(|_| order.iter().map(|(_, value)| *value).collect()),
        brushed: (0..order.len()).filter(|&i| chosen.contains(&order[i].0)).collect(),
        labels: order.into_iter().map(|(key, _)| shorten(&key)).collect(),
        value: marked(
            session.dataset().map(|dataset| value_name(dataset, view)).unwrap_or_default(),
            &selected.approximate,
        ),
        more,
        missing,
    }
}
