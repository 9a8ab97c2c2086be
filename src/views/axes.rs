//! The axes of a view: typed, cut into bins, named.

use std::collections::HashMap;
use std::sync::Arc;

use egui::Rect;

use super::paint::ticks::Unit;
use super::{Blank, ViewContext, slot};
use crate::data::kind;
use crate::dataset::Dataset;
use crate::engine::Freshness;
use crate::expr::Expr;
use crate::query::{Answer, Axis, Question};
use crate::session::outline::{self, Ends};
use crate::session::{AxisSpec, Fit, ViewSpec, questions};

/// An axis ready to be asked about and painted.
pub(super) struct Resolved {
    /// Expression and bins.
    pub axis: Axis,
    /// What its numbers count.
    pub unit: Unit,
    /// Name and unit of measurement.
    pub title: String,
    /// Whether it leaves out half a per cent of the rows at either end.
    pub is_middle: bool,
}

/// Where the axes of a view end, once that is known: asking anew in every frame would write out the thousands
/// of edges of [`outline::ends`] each time.
#[derive(Default)]
pub(super) struct Known(HashMap<u64, (Arc<Dataset>, AxisSpec, Option<Ends>)>);

impl Known {
    fn get(&self, n: u64, dataset: &Arc<Dataset>, spec: &AxisSpec) -> Option<Option<Ends>> {
        let (of, asked, ends) = self.0.get(&n)?;
        let is_same = asked.expr == spec.expr && asked.fit == spec.fit && asked.log == spec.log;
        (Arc::ptr_eq(of, dataset) && is_same).then_some(*ends)
    }
}

/// Cuts an axis into bins, asking for its extent where that is not yet `known`. `n` tells the view's
/// questions apart.
pub(super) fn resolve(
    view: &ViewSpec,
    spec: Option<&AxisSpec>,
    n: u64,
    target: usize,
    known: &mut Known,
    cx: &mut ViewContext<'_>,
) -> Result<Resolved, Blank> {
    let dataset = cx.session.dataset().ok_or_else(|| Blank::wrong("No file is open."))?.clone();
    let spec = spec.ok_or_else(|| Blank::wrong("Choose a column for the axis above."))?;
    let expr =
        cx.session.expr(&spec.expr).map_err(|error| Blank::wrong(format!("{}: {error}", spec.expr)))?;
    if !kind(expr.data_type()).is_ordinal() && kind(expr.data_type()) != crate::data::Kind::Bool {
        return Err(Blank::wrong(format!(
            "{} is of type {} and has no numeric axis; show it as bars.",
            spec.expr,
            expr.data_type()
        )));
    }
    let mut is_middle = false;
    // A range given needs no extent.
    let extent = match spec.range {
        Some(_) => None,
        None => {
            let ends = match known.get(n, &dataset, spec) {
                Some(ends) => ends,
                None => {
                    let ask = |question: &Question| found(view, n, spec, question, cx);
                    let ends = outline::ends(&dataset, spec, &expr, ask)?;
                    known.0.insert(n, (dataset.clone(), spec.clone(), ends));
                    ends
                }
            };
            is_middle = ends.is_some_and(|ends| ends.is_middle);
            ends.map(|ends| ends.range)
        }
    };
    let bins = questions::bins(spec, &expr, extent, target);
    let unit = Unit::of(expr.data_type());
    let title = title(&dataset, &expr, &spec.expr);
    Ok(Resolved { axis: Axis { expr, bins }, unit, title, is_middle })
}

/// What is known of all rows of a table; where an axis of its full extent ends must be known exactly.
fn found(
    view: &ViewSpec,
    n: u64,
    spec: &AxisSpec,
    question: &Question,
    cx: &mut ViewContext<'_>,
) -> Result<Arc<Answer>, Blank> {
    let slot = slot(view.id, n);
    let reply = match spec.fit {
        Fit::Full => cx.answers.unbrushed(slot, question),
        Fit::Middle | Fit::Telling => cx.answers.glance(slot, question),
    };
    match (reply.freshness, reply.answer) {
        // Of a sample: an axis may end where the sample does; what lies beyond is counted beside it.
        (Freshness::Final | Freshness::Sampled(_), Some(answer)) => Ok(answer),
        (Freshness::Failed(error), _) => Err(Blank::unanswered(&error)),
        (Freshness::Stale(progress), _) => Err(Blank::Waiting(progress)),
        (Freshness::Final | Freshness::Sampled(_), None) => Err(Blank::Waiting(Default::default())),
    }
}

/// A column's name with its unit of measurement: `distance (km)`.
pub fn title(dataset: &Dataset, expr: &Expr, text: &str) -> String {
    let name = bare(text);
    let unit = expr.as_column().and_then(|column| dataset.schema().field(column)?.unit.clone());
    match unit {
        Some(unit) if !unit.is_empty() => format!("{name} ({unit})"),
        _ => name,
    }
}

/// An expression without the backticks of a lone column name.
pub fn bare(text: &str) -> String {
    match text.strip_prefix('`').and_then(|text| text.strip_suffix('`')) {
        Some(name) if !name.contains('`') => crate::data::shorten(name),
        _ => crate::data::shorten(text),
    }
}

/// The part of a view's body left for the picture.
pub(super) fn plot_rect(body: Rect, left: f32, right: f32) -> Rect {
    Rect::from_min_max(
        egui::pos2(body.left() + left, body.top() + 10.0),
        egui::pos2(body.right() - right, body.bottom() - 38.0),
    )
    .round_ui()
}

use egui::emath::GuiRounding as _;
