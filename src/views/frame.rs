//! The frame of every view: its header, and what is shown when there is no picture.

use egui::{Align2, CornerRadius, Rect, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use super::axes::bare;
use super::paint::axis::one_line;
use super::paint::icon::{self, Icon};
use super::{Theme, ViewContext, ViewState, Wish, class_of, estimate, header};
use crate::data::group_digits;
use crate::query::Overflow;
use crate::session::ViewSpec;
use crate::task::Progress;

/// How long a picture may lag before it is dimmed, in seconds: shorter lags would flicker.
const PATIENCE: f64 = 0.15;
/// How long the dimming takes.
const FADE: f64 = 0.2;

/// Why a view shows no picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Blank {
    /// There is no picture yet.
    Waiting(Progress),
    /// There can be no picture: what happened, and whether trying again may help.
    Failed {
        /// In words for a person.
        message: String,
        /// Whether the same may succeed another time.
        retry: bool,
    },
}

impl Blank {
    /// The failure `message`, which only a change of the view can mend.
    pub(super) fn wrong(message: impl ToString) -> Blank {
        Blank::Failed { message: message.to_string(), retry: false }
    }

    /// The failure of a question.
    pub(super) fn unanswered(error: &crate::query::QueryError) -> Blank {
        use crate::query::QueryError;
        match error {
            QueryError::Cancelled(_) => {
                Blank::Failed { message: "Stopped before it was finished.".to_owned(), retry: true }
            }
            other => Blank::Failed { message: other.to_string(), retry: true },
        }
    }
}

/// Shows a view in `rect`: its header, then its picture or what stands in for it.
pub fn show(ui: &mut Ui, rect: Rect, spec: &ViewSpec, state: &mut ViewState, cx: &mut ViewContext<'_>) {
    let theme = cx.theme;
    let unit = theme.size.unit;
    ui.painter().rect_filled(rect, CornerRadius::ZERO, theme.canvas);
    let header_rect = Rect::from_min_size(
        rect.min + vec2(unit, unit * 0.5),
        vec2(rect.width() - 2.0 * unit, theme.size.row),
    );
    let body = Rect::from_min_max(pos2(rect.left(), header_rect.bottom()), rect.max);
    if body.height() < 3.0 * theme.size.row || body.width() < 8.0 * unit {
        return;
    }
    let builder = UiBuilder::new()
        .max_rect(header_rect)
        .layout(egui::Layout::left_to_right(egui::Align::Center))
        .id_salt(("header", spec.id));
    ui.scope_builder(builder, |ui| header::show(ui, spec, state, cx));
    let shown = ui
        .scope_builder(UiBuilder::new().max_rect(body).id_salt(("view", spec.id)), |ui| {
            ui.set_clip_rect(body.intersect(ui.clip_rect()));
            (class_of(spec.kind).show)(ui, body, spec, state, cx)
        })
        .inner;
    if shown.is_err() {
        state.estimate = None;
    }
    match shown {
        Ok(()) => {
            remarks(ui, body, state, theme);
        }
        Err(Blank::Waiting(progress)) => waiting(ui, body, progress, cx),
        Err(Blank::Failed { message, retry }) => error_card(ui, body, spec, &message, retry, cx),
    }
    header::drop_column(ui, rect, spec, cx);
    if ui.input(|input| input.pointer.any_pressed())
        && ui.rect_contains_pointer(rect)
        && cx.focused != Some(spec.id)
    {
        cx.wishes.push(Wish::Focus(spec.id));
    }
}

/// Says at the lower left of a view's body what is to be known of its numbers: that they are an estimate, and of
/// how many rows; that values overflowed.
fn remarks(ui: &Ui, body: Rect, state: &ViewState, theme: &Theme) {
    let estimate = state.estimate.as_deref().map(|estimate| (estimate::text(estimate), theme.text));
    let overflowed = state.overflowed.iter().map(|Overflow { expr, values }| {
        let are = if *values == 1 { "value overflowed and is" } else { "values overflowed and are" };
        (format!("{}: {} {are} missing", bare(&expr.to_string()), group_digits(*values)), theme.error)
    });
    let painter = ui.painter_at(body);
    let mut bottom = body.bottom() - 4.0;
    for (nth, (text, color)) in estimate.into_iter().chain(overflowed).enumerate() {
        let galley = one_line(&painter, &text, theme.small(), color, body.width() - 24.0);
        let rect = Align2::LEFT_BOTTOM.anchor_size(pos2(body.left() + 12.0, bottom), galley.size());
        let ground = rect.expand2(vec2(4.0, 2.0));
        painter.rect_filled(ground, 3, theme.canvas.gamma_multiply(0.88));
        painter.galley(rect.min, galley, color);
        let response = ui.interact(ground, ui.scope_id().with(("remark", nth)), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Status, true, &text));
        bottom = ground.top() - 2.0;
    }
}

/// How strongly a picture is painted: one whose answer has been late for a while recedes.
pub(super) fn strength(ui: &Ui, state: &mut ViewState, stale: bool) -> f32 {
    if !stale {
        state.stale_since = None;
        return 1.0;
    }
    let now = ui.input(|input| input.time);
    let since = *state.stale_since.get_or_insert(now);
    ui.ctx().request_repaint();
    let late = ((now - since - PATIENCE) / FADE).clamp(0.0, 1.0);
    1.0 - 0.55 * late as f32
}

fn waiting(ui: &mut Ui, body: Rect, progress: Progress, cx: &ViewContext<'_>) {
    let theme = cx.theme;
    ui.ctx().request_repaint_after_secs(0.05);
    let track = Rect::from_center_size(body.center(), vec2((body.width() * 0.4).min(160.0), 3.0));
    ui.painter().rect_filled(track, 2, theme.active);
    let done = Rect::from_min_size(track.min, vec2(track.width() * progress.fraction(), track.height()));
    ui.painter().rect_filled(done, 2, theme.weak);
    let text = if progress.total == 0 {
        "waiting".to_owned()
    } else {
        format!("reading  {:.0}\u{2009}%", progress.fraction() * 100.0)
    };
    let at = track.center_top() - vec2(0.0, 8.0);
    ui.painter().text(at, Align2::CENTER_BOTTOM, text, theme.small(), theme.weak);
}

fn error_card(
    ui: &mut Ui,
    body: Rect,
    spec: &ViewSpec,
    message: &str,
    retry: bool,
    cx: &mut ViewContext<'_>,
) {
    let theme = cx.theme;
    ui.painter().rect_filled(body, CornerRadius::ZERO, theme.canvas.gamma_multiply(0.85));
    let width = (body.width() - 4.0 * theme.size.unit).min(420.0);
    let job = egui::text::LayoutJob::simple(message.to_owned(), theme.body(), theme.text, width - 24.0);
    let galley = ui.painter().layout_job(job);
    let height = galley.size().y + theme.size.row + theme.size.unit;
    let card = Rect::from_center_size(body.center(), vec2(galley.size().x + 24.0, height)).intersect(body);
    icon::paint(ui.painter(), Icon::Warning, card.left_top() + vec2(7.0, 8.0), theme.error);
    let text_rect = Rect::from_min_size(card.min + vec2(24.0, 0.0), galley.size());
    let response = ui.interact(text_rect, ui.scope_id().with("error"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Alert, true, message));
    ui.painter_at(body).galley(text_rect.min, galley, theme.text);
    let buttons = Rect::from_min_max(
        pos2(text_rect.left() - 4.0, text_rect.bottom() + theme.size.unit),
        pos2(body.right(), text_rect.bottom() + theme.size.unit + theme.size.row),
    );
    let builder = UiBuilder::new()
        .max_rect(buttons)
        .layout(egui::Layout::left_to_right(egui::Align::Center))
        .id_salt("error buttons");
    ui.scope_builder(builder, |ui| {
        if retry && ui.button("Try again").clicked() {
            cx.wishes.push(Wish::Retry);
        }
        if cx.session.can_undo() && ui.button("Undo").clicked() {
            cx.commands.push(crate::session::Command::Undo);
        }
        if ui.button("Remove view").clicked() {
            cx.commands.push(crate::session::Command::RemoveView(spec.id));
        }
    });
}
