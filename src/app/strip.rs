//! The filter strip: how many rows pass, and one chip per filter.

use egui::{
    Align, Align2, Frame, Layout, Margin, Panel, Rect, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2,
};

use super::{App, chip};
use crate::engine::{Engine, Freshness, Slot};
use crate::query::{Ask, Question};
use crate::session::{Command, FilterSpec, Gesture, PredicateSpec, Session, ViewId};
use crate::views::Theme;
use crate::views::editor::{self, Editor, Purpose};
use crate::views::header::form;
use crate::views::paint::readout;

/// Asks how many rows pass.
const COUNT: Slot = Slot(1);
/// Height of the strip.
const HEIGHT: f32 = 40.0;
/// Room for the count and its bar.
const COUNT_WIDTH: f32 = 420.0;

/// What is being typed in the strip.
#[derive(Default)]
pub(super) struct Strip {
    filter: Editor,
    pub(super) typed: chip::Typed,
    /// The view whose filter is to be edited.
    pub(super) edit: Option<ViewId>,
    pub(super) condition: Editor,
}

/// Shows the strip.
pub(super) fn show(app: &mut App, ui: &mut Ui, theme: &Theme) {
    if app.session.dataset().is_none() {
        return;
    }
    let frame = Frame::new().fill(theme.panel).inner_margin(Margin::symmetric(12, 0));
    Panel::top("filters").exact_size(HEIGHT).frame(frame).show(ui, |ui| {
        let rect = ui.max_rect();
        ui.painter().hline(rect.expand(12.0).x_range(), rect.bottom(), theme.hairline());
        ui.horizontal_centered(|ui| {
            count(app, ui, theme);
            let has_filters = !app.session.filters().is_empty();
            let room = ui.available_width() - if has_filters { 72.0 } else { 0.0 };
            ui.allocate_ui_with_layout(vec2(room, HEIGHT), Layout::left_to_right(Align::Center), |ui| {
                let scroll = ScrollArea::horizontal()
                    .id_salt("chips")
                    .auto_shrink(false)
                    .scroll_bar_visibility(egui::scroll_area::ScrollBarVisibility::AlwaysHidden);
                scroll.show(ui, |ui| {
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        ui.spacing_mut().item_spacing.x = 6.0;
                        for at in 0..app.session.filters().len() {
                            chip::show(app, ui, theme, at);
                        }
                        add_filter(app, ui);
                    });
                });
            });
            if has_filters {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if ui.button("Clear all").clicked() {
                        app.commands.push(Command::ClearFilters);
                    }
                });
            }
        });
    });
}

/// The count of rows that pass, and their share as a bar.
fn count(app: &mut App, ui: &mut Ui, theme: &Theme) {
    let Some(dataset) = app.session.dataset().cloned() else { return };
    let total = dataset.row_count();
    let selection = app.session.selection().clone();
    let is_all = selection.is_all();
    let ask = Ask::Grid { axes: Vec::new(), measures: Vec::new() };
    let question = Question::new(dataset, selection, ask);
    if is_all {
        (app.count, app.exact, app.estimated) = (Some(total), true, None);
        app.engine.foresee(COUNT, &question);
    } else {
        let reply = app.engine.answer(COUNT, &question);
        app.exact = reply.freshness == Freshness::Final;
        app.estimated = reply.estimate.as_ref().map(|estimate| estimate.share());
        if let Some(grid) = reply.answer.as_ref().and_then(|answer| answer.grid()) {
            app.count = Some(grid.total());
        }
    }
    let (rect, response) = ui.allocate_exact_size(vec2(COUNT_WIDTH, HEIGHT), Sense::hover());
    let text = match app.count {
        Some(count) if app.estimated.is_some() => format!("≈ {}", readout::count_of(count, total)),
        Some(count) => readout::count_of(count, total),
        None => "counting …".to_owned(),
    };
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Label, true, &text));
    let strength = if app.exact || app.estimated.is_some() { 1.0 } else { 0.7 };
    let mut painter = ui.painter_at(rect);
    painter.multiply_opacity(strength);
    let galley = painter.layout_no_wrap(text, theme.strong(), theme.text);
    let at = Align2::LEFT_CENTER.anchor_size(pos2(rect.left(), rect.center().y - 3.0), galley.size());
    painter.galley(at.min, galley, theme.text);
    let track = Rect::from_min_size(pos2(rect.left(), rect.center().y + 9.0), vec2(COUNT_WIDTH - 24.0, 3.0));
    painter.rect_filled(track, 1, theme.ghost);
    if let Some(count) = app.count.filter(|_| total > 0) {
        let width = (track.width() as f64 * (count as f64 / total as f64)) as f32;
        let width = if count > 0 { width.max(1.0) } else { 0.0 };
        let color = if app.session.selection().is_all() { theme.all } else { theme.accent };
        painter.rect_filled(Rect::from_min_size(track.min, vec2(width, 3.0)), 1, color);
    }
}

fn add_filter(app: &mut App, ui: &mut Ui) {
    let button = ui.add(egui::Button::new("+ filter").frame(true).corner_radius(12));
    if button.clicked() {
        app.strip.filter = Editor::of("");
    }
    form(&button).show(|ui| {
        if let Some(text) = condition(ui, &mut app.strip.filter, &app.session, &mut app.engine, "Add filter")
        {
            let filter = FilterSpec::new(PredicateSpec::Where { text });
            app.commands.push(Command::SetFilter(filter, Gesture::Begin));
            ui.close();
        }
    });
}

/// An editor of a condition and the button that takes it; the condition once it is taken.
pub(super) fn condition(
    ui: &mut Ui,
    editor: &mut Editor,
    session: &Session,
    engine: &mut Engine,
    act: &str,
) -> Option<String> {
    ui.set_width(editor::WIDTH);
    let dataset = session.dataset()?;
    let hint = "delay > 15 and carrier == \"AA\"";
    let edited = editor.show(ui, Purpose::Condition, hint, dataset, engine);
    let button = |ui: &mut Ui| ui.add_enabled(edited.ready, egui::Button::new(act)).clicked();
    let clicked = ui.with_layout(Layout::right_to_left(Align::Center), button).inner;
    (edited.entered || clicked).then(|| editor.text().trim().to_owned())
}
