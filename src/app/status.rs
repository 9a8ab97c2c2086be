//! The lowest line: how exact, how fast, what is under way; and what the hand can do here.

use egui::{Align, Frame, Layout, Margin, Panel, RichText, Ui, WidgetInfo, vec2};

use super::App;
use crate::data::si;
use crate::views::Theme;

/// Shows the line.
pub(super) fn show(app: &mut App, ui: &mut Ui, theme: &Theme) {
    let frame = Frame::new().fill(theme.panel).inner_margin(Margin::symmetric(12, 0));
    Panel::bottom("status").exact_size(theme.size.row + 4.0).frame(frame).show(ui, |ui| {
        ui.painter().hline(ui.max_rect().expand(12.0).x_range(), ui.max_rect().top(), theme.hairline());
        ui.horizontal_centered(|ui| work(app, ui, theme));
        let rect = ui.max_rect();
        let builder = egui::UiBuilder::new().max_rect(rect).layout(Layout::right_to_left(Align::Center));
        ui.scope_builder(builder, |ui| {
            let hint = if app.hint_shown.is_empty() { "F1: keys" } else { &app.hint_shown };
            let room = (ui.available_width() * 0.6).max(80.0);
            ui.allocate_ui_with_layout(
                vec2(room, rect.height()),
                Layout::right_to_left(Align::Center),
                |ui| {
                    ui.add(
                        egui::Label::new(RichText::new(hint).font(theme.small()).color(theme.faint))
                            .truncate(),
                    );
                },
            );
        });
    });
}

fn work(app: &mut App, ui: &mut Ui, theme: &Theme) {
    let status = app.engine.status();
    let small = |text: String| RichText::new(text).font(theme.small()).color(theme.weak);
    if app.session.dataset().is_none() {
        ui.label(small(if app.session.opening().is_some() { "opening …" } else { "no file" }.to_owned()));
        return;
    }
    if let Some(progress) = status.progress {
        let (rect, _) = ui.allocate_exact_size(vec2(72.0, 4.0), egui::Sense::hover());
        ui.painter().rect_filled(rect, 2, theme.active);
        let done = egui::Rect::from_min_size(rect.min, vec2(72.0 * progress.fraction(), 4.0));
        ui.painter().rect_filled(done, 2, theme.weak);
    }
    let mut parts = vec![exactness(app)];
    if let Some(progress) = status.progress {
        parts.push(format!("reading {:.0}\u{2009}%", progress.fraction() * 100.0));
    }
    if status.rows_per_second > 0.0 {
        parts.push(format!("{} rows/s", si(status.rows_per_second)));
    }
    if status.bytes_per_second > 0.0 {
        parts.push(format!("{}B/s", si(status.bytes_per_second)));
    }
    if status.arming > 0 {
        let views = if status.arming == 1 { "view" } else { "views" };
        parts.push(format!("arming {} {views} for the brush", status.arming));
    }
    let others = status.waiting.saturating_sub(status.arming);
    let jobs = others + status.jobs.saturating_sub(usize::from(app.monitor.is_writing()));
    if jobs > 0 {
        parts.push(format!("{jobs} {}", if jobs == 1 { "job" } else { "jobs" }));
    }
    let held = [
        ("cubes for brushing", status.cube_bytes),
        ("codes of axes, read in place of columns", status.code_bytes),
        ("answers to come back to", status.answer_bytes),
        ("samples", status.sample_bytes),
    ];
    let sum = held.iter().map(|(_, size)| size).sum();
    if sum > 1 << 20 {
        parts.push(format!("{} held", bytes(sum)));
    }
    let text = parts.join(" · ");
    let label = ui.label(small(text.clone()));
    label.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Status, true, &text));
    label.on_hover_ui(|ui| {
        for (what, size) in held {
            ui.label(format!("{what}: {}", bytes(size)));
        }
        if status.mapped_code_bytes > 0 {
            ui.label(format!("codes mapped from the cache folder: {}", bytes(status.mapped_code_bytes)));
        }
    });
    if status.progress.is_some() && ui.small_button("Cancel").clicked() {
        app.engine.cancel();
    }
}

/// Whether what is shown is exact, or of how many rows it is an estimate.
pub(super) fn exactness(app: &App) -> String {
    let estimates = app.views.values().filter_map(|view| view.estimated());
    match estimates.chain(app.estimated).reduce(f64::min) {
        Some(share) => format!("≈ from {:.2}\u{2009}% of the rows", share * 100.0),
        None if !app.exact => "counting".to_owned(),
        None => "exact".to_owned(),
    }
}

/// `12.3 MB`.
fn bytes(size: usize) -> String {
    format!("{}B", si(size as f64))
}
