//! The middle: views side by side and one below the other, parted by hairlines that can be dragged;
//! what to do where there are none, and what went wrong.

use egui::{
    Align2, CentralPanel, CornerRadius, CursorIcon, Frame, Rect, RichText, Sense, Ui, UiBuilder, WidgetInfo,
    pos2, vec2,
};

use super::{App, dialogs};
use crate::session::{Command, Gesture, Layout};
use crate::views::paint::icon::{self, Icon};
use crate::views::{self, Theme};

/// Least width and height of a view.
const LEAST: f32 = 120.0;

/// Shows the middle.
pub(super) fn show(app: &mut App, ui: &mut Ui, theme: &'static Theme) {
    notice(app, ui, theme);
    CentralPanel::default().frame(Frame::new().fill(theme.canvas)).show(ui, |ui| {
        let rect = ui.max_rect();
        if app.session.dataset().is_none() {
            empty(app, ui, theme, rect);
        } else if app.session.document().views.is_empty() {
            let text = "No view. Double click a column on the left to see its distribution.";
            ui.painter().text(rect.center(), Align2::CENTER_CENTER, text, theme.body(), theme.weak);
        } else {
            grid(app, ui, theme, rect);
        }
        if ui.input(|input| !input.raw.hovered_files.is_empty()) {
            ui.painter().rect_filled(rect, CornerRadius::ZERO, theme.canvas.gamma_multiply(0.8));
            let stroke = egui::Stroke::new(2.0, theme.accent);
            ui.painter().rect_stroke(rect.shrink(8.0), 8, stroke, egui::StrokeKind::Inside);
            let font = egui::FontId::proportional(theme.size.large);
            ui.painter().text(rect.center(), Align2::CENTER_CENTER, "Drop to open", font, theme.text);
        }
    });
}

/// What went wrong, until it is dismissed.
fn notice(app: &mut App, ui: &mut Ui, theme: &Theme) {
    let Some(notice) = app.session.notice().cloned() else { return };
    let frame = Frame::new().fill(theme.error_pale).inner_margin(egui::Margin::symmetric(12, 6));
    egui::Panel::top("notice").frame(frame).show_separator_line(false).show(ui, |ui| {
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(16.0, theme.size.row), Sense::hover());
            icon::paint(ui.painter(), Icon::Warning, rect.center(), theme.error);
            let width = ui.available_width() - 120.0;
            ui.allocate_ui(vec2(width, theme.size.row), |ui| {
                let label = ui.add(egui::Label::new(RichText::new(&notice.text).color(theme.text)).wrap());
                label.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Alert, true, &notice.text));
            });
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if icon::button(ui, Icon::Close, "dismiss", true).clicked() {
                    app.commands.push(Command::DismissNotice);
                }
                if ui.button("Open…").clicked() {
                    app.dialog = Some(dialogs::open());
                }
            });
        });
    });
}

/// Nothing is open: what to do.
fn empty(app: &mut App, ui: &mut Ui, theme: &Theme, rect: Rect) {
    let area = Rect::from_center_size(rect.center(), vec2(420.0, 160.0));
    if let Some(path) = app.session.opening() {
        let text = format!("Opening {} …", path.display());
        ui.painter().text(rect.center(), Align2::CENTER_CENTER, text, theme.body(), theme.weak);
        return;
    }
    ui.scope_builder(UiBuilder::new().max_rect(area), |ui| {
        ui.vertical_centered(|ui| {
            ui.label(RichText::new("Open a table to explore it").size(theme.size.large).color(theme.text));
            ui.add_space(theme.size.unit);
            ui.label(RichText::new("Drop a file on this window, or").color(theme.weak));
            ui.add_space(theme.size.unit);
            if ui.button("Open…").clicked() {
                app.dialog = Some(dialogs::open());
            }
            ui.add_space(2.0 * theme.size.unit);
            let formats: Vec<&str> = crate::formats::FORMATS.iter().map(|format| format.name()).collect();
            let text = format!("Reads {}.", formats.join(", "));
            ui.label(RichText::new(text).font(theme.small()).color(theme.faint));
        });
    });
}

/// The rectangles of a layout's columns and of the cells of each.
fn place(layout: &Layout, rect: Rect) -> Vec<(Rect, Vec<Rect>)> {
    let widths = lengths(layout.columns.iter().map(|column| column.weight), rect.width());
    let mut left = rect.left();
    let mut columns = Vec::new();
    for (column, width) in layout.columns.iter().zip(widths) {
        let area = Rect::from_min_size(pos2(left, rect.top()), vec2(width, rect.height()));
        let heights = lengths(column.cells.iter().map(|cell| cell.weight), rect.height());
        let mut top = rect.top();
        let cells = heights.into_iter().map(|height| {
            let cell = Rect::from_min_size(pos2(left, top), vec2(width, height));
            top += height;
            cell
        });
        let cells = cells.collect();
        columns.push((area, cells));
        left += width;
    }
    columns
}

/// Whole-point lengths in proportion to weights, that fill the room exactly.
fn lengths(weights: impl Iterator<Item = f32>, room: f32) -> Vec<f32> {
    let weights: Vec<f32> = weights.map(|weight| if weight > 0.0 { weight } else { 0.01 }).collect();
    let total: f32 = weights.iter().sum();
    let mut done = 0.0;
    let mut at = 0.0;
    weights
        .iter()
        .map(|weight| {
            done += weight;
            let end = (room * done / total).round();
            let length = end - at;
            at = end;
            length
        })
        .collect()
}

fn grid(app: &mut App, ui: &mut Ui, theme: &'static Theme, rect: Rect) {
    let layout = app.session.document().layout.clone();
    let places = place(&layout, rect);
    for (column, (_, cells)) in layout.columns.iter().zip(&places) {
        for (cell, area) in column.cells.iter().zip(cells) {
            let Some(spec) = app.session.document().view(cell.view).cloned() else { continue };
            ui.scope_builder(UiBuilder::new().max_rect(*area).id_salt(("cell", cell.view)), |ui| {
                app.with_view(theme, cell.view, |state, cx| views::show(ui, *area, &spec, state, cx));
            });
        }
    }
    splitters(app, ui, theme, &layout, &places);
}

fn splitters(app: &mut App, ui: &Ui, theme: &Theme, layout: &Layout, places: &[(Rect, Vec<Rect>)]) {
    for (i, (area, cells)) in places.iter().enumerate() {
        if i + 1 < places.len() {
            let line = Rect::from_x_y_ranges(area.right()..=area.right(), area.y_range());
            let name = format!("between columns of views {} and {}", i + 1, i + 2);
            if let Some((delta, gesture)) = splitter(ui, theme, line, true, &name) {
                let mut layout = layout.clone();
                let lengths = (area.width(), places[i + 1].0.width());
                let (a, b) = (layout.columns[i].weight, layout.columns[i + 1].weight);
                (layout.columns[i].weight, layout.columns[i + 1].weight) = shared(lengths, (a, b), delta);
                app.commands.push(Command::SetLayout(layout, gesture));
            }
        }
        for (j, pair) in cells.windows(2).enumerate() {
            let line = Rect::from_x_y_ranges(area.x_range(), pair[0].bottom()..=pair[0].bottom());
            let name = format!("between views {} and {} of column {}", j + 1, j + 2, i + 1);
            if let Some((delta, gesture)) = splitter(ui, theme, line, false, &name) {
                let mut layout = layout.clone();
                let cells = &mut layout.columns[i].cells;
                let weights = (cells[j].weight, cells[j + 1].weight);
                (cells[j].weight, cells[j + 1].weight) =
                    shared((pair[0].height(), pair[1].height()), weights, delta);
                app.commands.push(Command::SetLayout(layout, gesture));
            }
        }
    }
}

/// The weights of two neighbours after the line between them moved by `delta` points.
fn shared((a, b): (f32, f32), weights: (f32, f32), delta: f32) -> (f32, f32) {
    let least = LEAST.min(a).min(b);
    let moved = (a + delta).clamp(least, (a + b - least).max(least));
    let total = weights.0 + weights.1;
    let first = total * moved / (a + b).max(1.0);
    (first, total - first)
}

fn splitter(ui: &Ui, theme: &Theme, line: Rect, vertical: bool, name: &str) -> Option<(f32, Gesture)> {
    let grab = theme.size.grab / 2.0;
    let rect = if vertical { line.expand2(vec2(grab, 0.0)) } else { line.expand2(vec2(0.0, grab)) };
    let response = ui.interact(rect, ui.scope_id().with(name), Sense::drag());
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Splitter, true, name));
    let is_held = response.hovered() || response.dragged();
    let stroke = if is_held { egui::Stroke::new(2.0, theme.outline) } else { theme.hairline() };
    if vertical {
        ui.painter().vline(line.center().x, line.y_range(), stroke);
    } else {
        ui.painter().hline(line.x_range(), line.center().y, stroke);
    }
    if is_held {
        ui.ctx().set_cursor_icon(if vertical {
            CursorIcon::ResizeHorizontal
        } else {
            CursorIcon::ResizeVertical
        });
    }
    let delta = if vertical { response.drag_delta().x } else { response.drag_delta().y };
    let has_moved = response.dragged() && delta != 0.0;
    has_moved.then(|| (delta, super::part_of_drag(ui, response.id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_fill_the_room_to_the_point() {
        for room in [100.0, 101.0, 733.0] {
            let lengths = lengths([1.0, 1.25, 0.3, 1.0].into_iter(), room);
            assert_eq!(lengths.iter().sum::<f32>(), room);
            assert!(lengths.iter().all(|length| length.fract() == 0.0));
        }
    }

    #[test]
    fn a_dragged_line_leaves_both_neighbours_their_least() {
        let (a, b) = shared((400.0, 400.0), (1.0, 1.0), 100.0);
        assert!((a - 1.25).abs() < 1e-6 && (b - 0.75).abs() < 1e-6);
        let (a, b) = shared((400.0, 400.0), (1.0, 1.0), 1e6);
        assert!((b / (a + b) * 800.0 - LEAST).abs() < 1e-3);
    }
}
