//! What a picture shows, as plain data.

use super::colors::{ColorMap, ColorScale, Rgb};

/// One chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// The filters it shows it under, or nothing.
    pub subtitle: String,
    /// The chart itself.
    pub body: Body,
}

/// The kinds of chart.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// A value per bin of one axis.
    Histogram(Histogram),
    /// A value per cell of two axes.
    Heatmap(Heatmap),
    /// A value per category.
    Bars(Bars),
    /// The rows themselves.
    Rows(RowsTable),
}

/// What the numbers on an axis are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AxisKind {
    /// Numbers, evenly spaced.
    Number,
    /// Positive numbers by their logarithm; edges are the numbers themselves.
    Log,
    /// Times since 1970 in UTC, so many nanoseconds each.
    Time {
        /// Nanoseconds per unit of the edges.
        unit_ns: i64,
    },
}

/// Name and kind of an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct AxisLabel {
    /// Column or expression.
    pub label: String,
    /// Unit of measurement, if known.
    pub unit: Option<String>,
    /// How its numbers are written and spaced.
    pub kind: AxisKind,
}

impl AxisLabel {
    pub(super) fn text(&self) -> String {
        match &self.unit {
            Some(unit) => format!("{} [{unit}]", self.label),
            None => self.label.clone(),
        }
    }
}

/// Rows that lie on no bin. Never dropped in silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OffAxis {
    /// Missing or not a number.
    pub missing: u64,
    /// Below the first edge.
    pub below: u64,
    /// Above the last edge.
    pub above: u64,
}

/// A value per bin.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Ascending; one more than bins.
    pub edges: Vec<f64>,
    /// The value of each bin over the rows selected; NaN where there is none.
    pub selected: Vec<f64>,
    /// The same over all rows: the ghost behind. None when no filter is set.
    pub all: Option<Vec<f64>>,
    /// The axis of the edges.
    pub x: AxisLabel,
    /// What the values are: `rows`, `mean fare [USD]`.
    pub y: String,
    /// Upper end of the axis of values where it is held fixed.
    pub y_max: Option<f64>,
    /// Rows on no bin.
    pub off_axis: OffAxis,
    /// Intervals brushed on the axis.
    pub brushes: Vec<[f64; 2]>,
}

/// A value per cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmap {
    /// Ascending; one more than columns.
    pub x_edges: Vec<f64>,
    /// Ascending; one more than rows.
    pub y_edges: Vec<f64>,
    /// Row by row from the lowest `y`, each row from the lowest `x`; NaN is an empty cell.
    pub values: Vec<f64>,
    /// The horizontal axis.
    pub x: AxisLabel,
    /// The vertical axis.
    pub y: AxisLabel,
    /// What the values are.
    pub value: String,
    /// How values are spread over the colours.
    pub scale: ColorScale,
    /// The colours.
    pub map: ColorMap,
    /// Whether they run the other way.
    pub reversed: bool,
    /// The values of the first and last colour where they are held fixed.
    pub range: Option<[f64; 2]>,
    /// Rows on no cell of the horizontal axis.
    pub x_off_axis: OffAxis,
    /// Rows on no cell of the vertical axis.
    pub y_off_axis: OffAxis,
    /// Rectangles brushed: `[x_lo, x_hi, y_lo, y_hi]`.
    pub brushes: Vec<[f64; 4]>,
    /// Corners of the lassos drawn, in values of both axes.
    pub lassos: Vec<Vec<[f64; 2]>>,
}

impl Heatmap {
    /// The colour at `position` in `0.0..=1.0`, on a ground.
    pub(super) fn color(&self, ground: Rgb, position: f64) -> Rgb {
        let position = if self.reversed { 1.0 - position } else { position };
        self.map.color_on(ground, position)
    }
}

/// A value per category.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// Names of the categories.
    pub labels: Vec<String>,
    /// The value of each over the rows selected.
    pub selected: Vec<f64>,
    /// The same over all rows. None when no filter is set.
    pub all: Option<Vec<f64>>,
    /// What the values are.
    pub value: String,
    /// Categories there are besides those given.
    pub more: u64,
    /// Rows without a category.
    pub missing: u64,
    /// Positions of the categories that are brushed.
    pub brushed: Vec<usize>,
}

/// Charts one below the other.
#[derive(Debug, Clone, PartialEq)]
pub struct DashboardColumn {
    /// Share of the width.
    pub weight: f32,
    /// Share of the height, and chart.
    pub charts: Vec<(f32, Chart)>,
}

/// Some rows of the table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RowsTable {
    /// Names of the columns, and whether their values stand to the right.
    pub header: Vec<(String, bool)>,
    /// Values as text; None is missing.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Everything the window shows, in one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Dashboard {
    /// Usually the file.
    pub title: String,
    /// `82 803 554 of 1 000 000 000 rows (8.3 %)`.
    pub count: String,
    /// Share of the rows that pass, for the bar beside the count.
    pub share: Option<f64>,
    /// The filters, one text each.
    pub chips: Vec<String>,
    /// The charts, in columns side by side.
    pub columns: Vec<DashboardColumn>,
    /// Last line: exact or not, when, from what.
    pub footer: String,
}
