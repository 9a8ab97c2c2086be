//! One number: a measure of the rows selected, and of all rows below it.

use egui::{Align2, FontId, Rect, Sense, Ui, WidgetInfo, pos2};

use super::ask::{Asked, ask};
use super::frame::{Blank, strength};
use super::paint::axis::one_line;
use super::paint::readout;
use super::paint::ticks::Unit;
use super::{ViewContext, ViewState};
use crate::data::{Kind, format_value, group_digits, kind};
use crate::query::Answer;
use crate::session::ViewSpec;

/// Largest height of the figures.
const LARGEST: f32 = 44.0;

/// Asks and paints a number.
pub fn show(
    ui: &mut Ui,
    body: Rect,
    view: &ViewSpec,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) -> Result<(), Blank> {
    state.axes.clear();
    let Asked { selected, all, stale, estimate } = ask(view, state, cx)?;
    state.plot = Some(body);
    let theme = cx.theme;
    let about = if estimate.is_some() { "≈ " } else { "" };
    let Some(number) = text(view, &selected) else { return Err(Blank::Waiting(Default::default())) };
    let number = format!("{about}{number}");
    let whole = all.as_deref().and_then(|all| text(view, all)).filter(|_| state.is_filtered);
    let unit = if view.measure == "count" { "rows" } else { view.measure.as_str() };
    let name = format!("{unit}: {number}");
    let response = ui.interact(body, ui.scope_id().with("plot"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Canvas, true, &name));

    let mut painter = ui.painter_at(body);
    painter.multiply_opacity(strength(ui, state, stale));
    let room = body.width() - 4.0 * theme.size.unit;
    let color = if state.is_filtered { theme.accent } else { theme.text };
    let size = LARGEST.min(body.height() * 0.35);
    let measure = |size: f32| painter.layout_no_wrap(number.clone(), FontId::proportional(size), color);
    let width = measure(size).size().x;
    let galley = measure(if width > room { size * room / width } else { size });
    let at = Align2::CENTER_CENTER.anchor_size(body.center() - egui::vec2(0.0, 8.0), galley.size());
    painter.galley(at.min, galley, color);
    let below = match whole {
        Some(whole) => format!("{unit} · {whole} of all rows"),
        None => unit.to_owned(),
    };
    let galley = one_line(&painter, &below, theme.small(), theme.weak, room);
    let place = Align2::CENTER_TOP.anchor_size(pos2(body.center().x, at.bottom() + 4.0), galley.size());
    painter.galley(place.min, galley, theme.weak);
    Ok(())
}

/// The number of an answer as a person reads it.
fn text(view: &ViewSpec, answer: &Answer) -> Option<String> {
    let grid = answer.grid().filter(|grid| grid.axes.is_empty())?;
    let values = grid.measures.first()?;
    Some(match kind(values.data_type()) {
        _ if view.measure == "count" => group_digits(grid.total()),
        Kind::Float => {
            let value = crate::aggregate::to_f64(values)[0];
            if value.is_nan() { "missing".to_owned() } else { readout::brief(value, Unit::Number) }
        }
        _ => format_value(values, 0).unwrap_or_else(|| "missing".to_owned()),
    })
}
