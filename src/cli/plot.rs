//! `outcrop plot`: one chart to a file.

use std::collections::HashMap;
use std::path::PathBuf;

use super::axis::{AxisText, keys};
use super::input::{Filters, Input, Table};
use super::scene::{Look, charts, check_picture_path, session_on};
use super::{CliCommand, Execute, Failure, command};
use crate::data::{Kind, kind};
use crate::export::{ColorScale, Picture};
use crate::query::Key;
use crate::session::questions::{HEATMAP_BINS, HISTOGRAM_BINS};
use crate::session::{
    AxisSpec, ColumnSpec, Document, FilterSpec, Layout, PredicateSpec, ViewId, ViewKind, ViewSpec, figure,
};

pub(super) const COMMAND: CliCommand = command::<Plot>("plot");

/// Draw a histogram, a heatmap or bars
///
/// With --x alone a histogram, or bars where x is text or true/false; with --y too a heatmap of numbers or times.
#[derive(Debug, clap::Args)]
pub(super) struct Plot {
    #[command(flatten)]
    input: Input,
    /// The horizontal axis: EXPR, EXPR:lo:hi:bins[:log] or EXPR::bins, as for `agg --by`
    #[arg(long, value_name = "EXPR[:lo:hi:bins]", allow_hyphen_values = true)]
    x: String,
    /// The vertical axis, in the same forms
    #[arg(long, value_name = "EXPR[:lo:hi:bins]", allow_hyphen_values = true)]
    y: Option<String>,
    /// What is drawn of every bin, as `mean(fare)` or `sum(tip) / sum(fare)`
    #[arg(long = "agg", value_name = "MEASURE", allow_hyphen_values = true, default_value = "count")]
    measure: String,
    #[command(flatten)]
    filters: Filters,
    /// Bins of an axis that names no number of its own; about 50 if not given, 80 a side of a heatmap
    #[arg(long, value_name = "N")]
    bins: Option<usize>,
    /// How values become colours
    #[arg(long, value_name = "SCALE", default_value = "log", value_parser = ["linear", "sqrt", "log", "symlog", "equalised"])]
    color_scale: String,
    #[command(flatten)]
    look: Look,
    /// Where to: a .png or .svg file
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Execute for Plot {
    fn execute(self) -> Result<(), Failure> {
        check_picture_path(&self.output)?;
        let x = AxisText::parse("--x", &self.x)?;
        let y = self.y.as_deref().map(|y| AxisText::parse("--y", y)).transpose()?;
        let table = self.input.open()?;
        let selection = table.selection(&self.filters)?;
        table.measure("--agg", &self.measure)?;
        let expr = table.expr("--x", x.expr())?;
        let is_text = matches!(kind(expr.data_type()), Kind::Text | Kind::Bool);
        let spec = |axis: &AxisText<'_>| AxisSpec { log: axis.is_log(), ..AxisSpec::of(axis.expr()) };
        let (kind, axes) = match y {
            None if is_text => (ViewKind::Bars, vec![x]),
            None => (ViewKind::Histogram, vec![x.cut_into(self.bins, HISTOGRAM_BINS)]),
            Some(y) => {
                let axes = [x, y].map(|axis| axis.cut_into(self.bins, HEATMAP_BINS));
                (ViewKind::Heatmap, axes.to_vec())
            }
        };
        let mut specs = axes.iter().map(spec);
        let mut view = ViewSpec::new(ViewId(1), kind, specs.next(), specs.next());
        view.measure = self.measure.trim().to_owned();
        view.color_scale = match self.color_scale.as_str() {
            "linear" => ColorScale::Linear,
            "sqrt" => ColorScale::Sqrt,
            "symlog" => ColorScale::Symlog,
            "equalised" => ColorScale::Equalised,
            _ => ColorScale::Log,
        };
        let mut cut = Vec::new();
        for (flag, axis) in ["--x", "--y"].into_iter().zip(axes) {
            for key in keys(flag, &[axis], &table, &selection)? {
                if let Key::Binned(axis) = key {
                    cut.push(axis);
                }
            }
        }
        let session = session_on(self.document(view, &table), &table)?;
        let (mut charts, _) = charts(&session, &table, &HashMap::from([(ViewId(1), cut)]))?;
        let Some((_, mut chart)) = charts.pop() else {
            return Err(Failure::about(&table.path, "there is nothing to draw"));
        };
        chart.subtitle = figure::filters_line(&session);
        let notes = [
            ("Source".to_owned(), table.path.display().to_string()),
            ("Description".to_owned(), format!("{} {}", chart.title, chart.subtitle).trim().to_owned()),
        ];
        self.look.save(&self.output, Picture::Chart(&chart), false, &notes)
    }
}

impl Plot {
    fn document(&self, view: ViewSpec, table: &Table) -> Document {
        let filter = |text: &String| FilterSpec::new(PredicateSpec::Where { text: text.clone() });
        let column = |definition: &String| {
            let (name, text) = definition.split_once('=').unwrap_or((definition, ""));
            ColumnSpec { name: name.trim().to_owned(), text: text.to_owned() }
        };
        let mut layout = Layout::default();
        layout.add(view.id);
        Document {
            variables: table.dataset.schema().variables().iter().cloned().collect(),
            columns: self.input.definitions.iter().map(column).collect(),
            filters: self.filters.conditions.iter().map(filter).collect(),
            views: vec![view],
            layout,
            ..Document::default()
        }
    }
}
