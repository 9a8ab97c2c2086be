//! The first views of a file, chosen from names and types alone.

use super::{AxisSpec, Layout, LayoutCell, LayoutColumn, ViewId, ViewKind, ViewSpec};
use crate::data::{Field, Kind};
use crate::dataset::Dataset;
use crate::expr::quote_name;

/// Most histograms of the first scene.
const HISTOGRAMS: usize = 4;

/// The view that suits one column: a histogram of numbers and times, bars of anything else.
pub fn view_of(id: ViewId, field: &Field) -> Option<ViewSpec> {
    let axis = Some(AxisSpec::telling(quote_name(&field.name)));
    match field.kind() {
        kind if kind.is_ordinal() => Some(ViewSpec::new(id, ViewKind::Histogram, axis, None)),
        Kind::Bool | Kind::Text => Some(ViewSpec::new(id, ViewKind::Bars, axis, None)),
        _ => None,
    }
}

/// Histograms of the most telling columns, bars of one text column, one heatmap, and the rows.
pub fn first_scene(dataset: &Dataset) -> (Vec<ViewSpec>, Layout) {
    let fields = dataset.schema().fields();
    let mut ordinal: Vec<&Field> = fields.iter().filter(|field| field.kind().is_ordinal()).collect();
    // A stable sort keeps the order of the file among equals.
    ordinal.sort_by_key(|field| std::cmp::Reverse(interest(field)));
    let texts: Vec<&Field> =
        fields.iter().filter(|field| matches!(field.kind(), Kind::Text | Kind::Bool)).collect();
    let category = texts.iter().find(|field| is_category(field)).copied();

    let mut views = Vec::new();
    let mut next = 1;
    let mut id = || {
        next += 1;
        ViewId(next - 1)
    };
    let bars_wanted = usize::from(category.is_some());
    let mut left = Vec::new();
    for field in ordinal.iter().take(HISTOGRAMS - bars_wanted) {
        if let Some(view) = view_of(id(), field) {
            left.push(view.id);
            views.push(view);
        }
    }
    if let Some(view) = category.and_then(|field| view_of(id(), field)) {
        left.push(view.id);
        views.push(view);
    }
    let mut right = Vec::new();
    if let Some((x, y)) = plane(&ordinal) {
        let axis = |field: &Field| Some(AxisSpec::telling(quote_name(&field.name)));
        let view = ViewSpec::new(id(), ViewKind::Heatmap, axis(x), axis(y));
        right.push(view.id);
        views.push(view);
    }
    let rows = ViewSpec::new(id(), ViewKind::Rows, None, None);
    right.push(rows.id);
    views.push(rows);

    let column = |weight: f32, ids: &[ViewId]| LayoutColumn {
        weight,
        cells: ids.iter().map(|&view| LayoutCell { view, weight: 1.0 }).collect(),
    };
    let mut columns = Vec::new();
    if left.len() > 2 {
        let (first, second) = left.split_at(left.len().div_ceil(2));
        columns.push(column(1.0, first));
        columns.push(column(1.0, second));
    } else if !left.is_empty() {
        columns.push(column(1.0, &left));
    }
    columns.push(column(1.25, &right));
    (views, Layout { columns })
}

/// How much a column's distribution is likely to tell; higher first.
fn interest(field: &Field) -> u8 {
    let name = field.name.to_lowercase();
    let is_identifier =
        name == "id" || name.ends_with("_id") || name.ends_with("index") || name.ends_with("key");
    match (is_identifier, field.kind()) {
        (true, _) => 0,
        (_, Kind::Float) => 3,
        (_, Kind::Time | Kind::Duration) => 2,
        _ => 2,
    }
}

/// Text that names kinds rather than things, by its column's name.
fn is_category(field: &Field) -> bool {
    let name = field.name.to_lowercase();
    let names_things = ["name", "id", "comment", "description", "address", "url", "ticket"];
    !names_things.iter().any(|thing| name == *thing || name.ends_with(&format!("_{thing}")))
}

/// Two columns that belong together in a plane: coordinates by name, else the first two.
fn plane<'a>(ordinal: &[&'a Field]) -> Option<(&'a Field, &'a Field)> {
    const PAIRS: [(&str, &str); 8] = [
        ("lon", "lat"),
        ("longitude", "latitude"),
        ("ra", "dec"),
        ("pickup_lon", "pickup_lat"),
        ("pickup_longitude", "pickup_latitude"),
        ("px", "py"),
        ("l", "b"),
        ("x", "y"),
    ];
    let named = |name: &str| ordinal.iter().find(|field| field.name.eq_ignore_ascii_case(name)).copied();
    let coordinates = PAIRS.iter().find_map(|(x, y)| Some((named(x)?, named(y)?)));
    coordinates.or(match ordinal {
        [x, y, ..] => Some((*x, *y)),
        _ => None,
    })
}
