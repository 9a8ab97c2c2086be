//! The plain data a session is made of.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Grouping;
use crate::aggregate::{Bins, Scale};
use crate::export::{ColorMap, ColorScale};

/// Names a view for as long as the session lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ViewId(pub u64);

/// What a view draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewKind {
    /// Bars over one binned axis.
    Histogram,
    /// Colours over two binned axes.
    Heatmap,
    /// One bar per value of a key.
    Bars,
    /// One number.
    Number,
    /// One line per group of one or several keys.
    Groups,
    /// The rows themselves.
    Rows,
}

/// Colours of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThemeChoice {
    /// As the system is set.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// Where an axis without a range begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// At the least and the greatest finite value.
    #[default]
    Full,
    /// Without half a per cent of the rows at either end.
    Middle,
    /// As [`Fit::Middle`] where outliers would squash the rest, else as [`Fit::Full`].
    Telling,
}

impl Fit {
    fn is_full(&self) -> bool {
        *self == Fit::Full
    }
}

/// One axis of a view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AxisSpec {
    /// The expression drawn.
    pub expr: String,
    /// First and last edge in the values' own unit; without it `fit` says where it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 2]>,
    /// Where it begins and ends, without a range.
    #[serde(default, skip_serializing_if = "Fit::is_full")]
    pub fit: Fit,
    /// Whether wheel and hand leave its range alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub locked: bool,
    /// Number of bins; without it as many as suit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bins: Option<usize>,
    /// Width of a bin in the values' own unit, instead of a number of bins; of linear axes only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<f64>,
    /// Whether the axis is logarithmic.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub log: bool,
}

impl AxisSpec {
    /// The full extent of `expr`.
    pub fn of(expr: impl Into<String>) -> AxisSpec {
        AxisSpec {
            expr: expr.into(),
            range: None,
            fit: Fit::Full,
            locked: false,
            bins: None,
            width: None,
            log: false,
        }
    }

    /// `expr` over its full extent, or over its middle where that tells more.
    pub fn telling(expr: impl Into<String>) -> AxisSpec {
        AxisSpec { fit: Fit::Telling, ..AxisSpec::of(expr) }
    }

    /// Linear or logarithmic.
    pub fn scale(&self) -> Scale {
        if self.log { Scale::Log } else { Scale::Linear }
    }
}

/// One view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewSpec {
    /// Its name.
    pub id: ViewId,
    /// What it draws.
    pub kind: ViewKind,
    /// Horizontal axis; the key of [`ViewKind::Bars`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<AxisSpec>,
    /// Vertical axis of a [`ViewKind::Heatmap`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<AxisSpec>,
    /// What is measured, as `count` or `mean(fare)`.
    #[serde(default = "count")]
    pub measure: String,
    /// How values become colours.
    #[serde(default)]
    pub color_scale: ColorScale,
    /// Which colours.
    #[serde(default)]
    pub color_map: ColorMap,
    /// Whether the colours run the other way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reversed: bool,
    /// Least and greatest value the colours are spread over; without it those of the cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color_range: Option<[f64; 2]>,
    /// Whether the count axis is logarithmic.
    #[serde(default)]
    pub log_count: bool,
    /// What a [`ViewKind::Groups`] lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouping: Option<Grouping>,
}

fn count() -> String {
    "count".to_owned()
}

impl ViewSpec {
    /// A view that counts rows.
    pub fn new(id: ViewId, kind: ViewKind, x: Option<AxisSpec>, y: Option<AxisSpec>) -> ViewSpec {
        ViewSpec {
            id,
            kind,
            x,
            y,
            measure: count(),
            color_scale: ColorScale::default(),
            color_map: ColorMap::default(),
            reversed: false,
            color_range: None,
            log_count: false,
            grouping: None,
        }
    }

    /// A table of groups.
    pub fn of_groups(id: ViewId, grouping: Grouping) -> ViewSpec {
        ViewSpec { grouping: Some(grouping), ..ViewSpec::new(id, ViewKind::Groups, None, None) }
    }

    /// What a person calls it: `Histogram of delay`.
    pub fn title(&self) -> String {
        let text = |axis: &Option<AxisSpec>| axis.as_ref().map(|a| a.expr.clone()).unwrap_or_default();
        match self.kind {
            ViewKind::Histogram => format!("Histogram of {}", text(&self.x)),
            ViewKind::Heatmap => format!("Heatmap of {} and {}", text(&self.x), text(&self.y)),
            ViewKind::Bars => format!("Bars of {}", text(&self.x)),
            ViewKind::Number => format!("Number {}", self.measure),
            ViewKind::Groups => {
                let keys = self.grouping.iter().flat_map(|grouping| &grouping.keys);
                format!("Groups of {}", keys.map(|key| key.expr.as_str()).collect::<Vec<_>>().join(", "))
            }
            ViewKind::Rows => "Rows".to_owned(),
        }
    }
}

/// Which rows a filter lets pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PredicateSpec {
    /// Values in `[lo, hi)`.
    Interval {
        /// The values.
        expr: String,
        /// First value inside.
        lo: f64,
        /// First value above.
        hi: f64,
    },
    /// Values in any of several intervals `[lo, hi)`.
    Intervals {
        /// The values.
        expr: String,
        /// First value inside and first value above of each; an infinite end is no end.
        intervals: Vec<[f64; 2]>,
        /// Whether missing values pass too.
        #[serde(default)]
        missing: bool,
    },
    /// Points in the cells of a plane whose centre lies inside a polygon.
    Lasso {
        /// Horizontal axis.
        x: CutAxis,
        /// Vertical axis.
        y: CutAxis,
        /// The polygon's corners, in values of both axes.
        corners: Vec<[f64; 2]>,
        /// Further polygons, each added to those before or taken out of them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        more: Vec<Shape>,
    },
    /// Points in a rectangle, half-open on both axes.
    Rect {
        /// Horizontal values.
        x: String,
        /// Their interval.
        x_range: [f64; 2],
        /// Vertical values.
        y: String,
        /// Their interval.
        y_range: [f64; 2],
    },
    /// Rows whose value is one of these.
    Categories {
        /// The values.
        expr: String,
        /// Their texts.
        values: Vec<String>,
        /// Whether missing values pass too.
        #[serde(default)]
        missing: bool,
    },
    /// Rows of any of several groups of a table of several keys.
    Groups {
        /// The keys.
        keys: Vec<String>,
        /// What is true of the rows of each group.
        conditions: Vec<String>,
    },
    /// Rows for which the expression is true.
    Where {
        /// The expression.
        text: String,
    },
}

/// A polygon beside others on a plane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Its corners, in values of both axes.
    pub corners: Vec<[f64; 2]>,
    /// Whether its cells are taken out rather than added.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_out: bool,
}

/// An axis cut at given edges, as the cells of a lasso need it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutAxis {
    /// The values.
    pub expr: String,
    /// The edges of its bins, ascending.
    pub edges: Vec<f64>,
    /// Whether it was drawn logarithmically.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub log: bool,
}

impl CutAxis {
    /// The bins between its edges; `None` unless these are finite and ascend.
    pub fn bins(&self) -> Option<Bins> {
        Bins::from_edges(self.edges.clone(), if self.log { Scale::Log } else { Scale::Linear })
    }
}

/// A filter as it is written, shown and saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterSpec {
    /// Which rows pass.
    pub predicate: PredicateSpec,
    /// Whether exactly the others pass.
    #[serde(default)]
    pub inverted: bool,
    /// Whether it counts; a filter can be turned off without losing it.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

impl FilterSpec {
    /// An enabled filter, not inverted.
    pub fn new(predicate: PredicateSpec) -> FilterSpec {
        FilterSpec { predicate, inverted: false, enabled: true }
    }
}

/// A virtual column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnSpec {
    /// Its name.
    pub name: String,
    /// Its expression.
    pub text: String,
}

/// A view's place in its column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayoutCell {
    /// Which view.
    pub view: ViewId,
    /// Share of the column's height, relative to its neighbours.
    pub weight: f32,
}

/// Views one below the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayoutColumn {
    /// Share of the width, relative to its neighbours.
    pub weight: f32,
    /// The views, from the top.
    pub cells: Vec<LayoutCell>,
}

/// Where the views are: columns side by side.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// From the left.
    pub columns: Vec<LayoutColumn>,
}

impl Layout {
    /// Puts `view` at the end of the column with the fewest views.
    pub fn add(&mut self, view: ViewId) {
        let cell = LayoutCell { view, weight: 1.0 };
        let roomiest = self.columns.iter_mut().min_by_key(|column| column.cells.len());
        match roomiest {
            Some(column) if column.cells.len() < 3 => column.cells.push(cell),
            _ => self.columns.push(LayoutColumn { weight: 1.0, cells: vec![cell] }),
        }
    }

    /// Takes `view` out, and its column if that is empty then.
    pub fn remove(&mut self, view: ViewId) {
        for column in &mut self.columns {
            column.cells.retain(|cell| cell.view != view);
        }
        self.columns.retain(|column| !column.cells.is_empty());
    }
}

/// Everything a session saves.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The file explored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Colours of the window.
    #[serde(default)]
    pub theme: ThemeChoice,
    /// Numbers known by name in every expression.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, f64>,
    /// Virtual columns, in order of definition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnSpec>,
    /// Filters, in order of making.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<FilterSpec>,
    /// The views.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<ViewSpec>,
    /// Where the views are.
    #[serde(default)]
    pub layout: Layout,
}

impl Document {
    /// The view called `id`.
    pub fn view(&self, id: ViewId) -> Option<&ViewSpec> {
        self.views.iter().find(|view| view.id == id)
    }

    /// A name no view has yet.
    pub fn next_id(&self) -> ViewId {
        ViewId(self.views.iter().map(|view| view.id.0).max().unwrap_or(0) + 1)
    }
}
