//! The filter strip: how many rows pass, and one chip per filter.

use egui::{
    Align, Align2, CornerRadius, Frame, Key, Layout, Margin, Panel, Rect, Response, ScrollArea, Sense,
    Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use super::App;
use crate::engine::{Engine, Freshness, Slot};
use crate::query::{Ask, Question};
use crate::session::{Command, FilterSpec, Gesture, PredicateSpec, Session};
use crate::views::axes::bare;
use crate::views::editor::{self, Editor, Purpose};
use crate::views::header::form;
use crate::views::paint::icon::{self, Icon};
use crate::views::paint::readout;
use crate::views::paint::ticks::Unit;
use crate::views::{Theme, text_field};

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
    bounds: Vec<String>,
    condition: Editor,
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
                            chip(app, ui, theme, at);
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
    if selection.is_all() {
        (app.count, app.exact) = (Some(total), true);
    } else {
        let ask = Ask::Grid { axes: Vec::new(), measures: Vec::new() };
        let reply = app.engine.answer(COUNT, &Question::new(dataset, selection, ask));
        app.exact = reply.freshness == Freshness::Final;
        if let Some(grid) = reply.answer.as_ref().and_then(|answer| answer.grid()) {
            app.count = Some(grid.total());
        }
    }
    let (rect, response) = ui.allocate_exact_size(vec2(COUNT_WIDTH, HEIGHT), Sense::hover());
    let text = match app.count {
        Some(count) => readout::count_of(count, total),
        None => "counting …".to_owned(),
    };
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Label, true, &text));
    let strength = if app.exact { 1.0 } else { 0.7 };
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

/// What a filter lets pass, in words.
pub(super) fn describe(session: &Session, filter: &FilterSpec) -> String {
    let unit = |text: &str| session.expr(text).map_or(Unit::Number, |expr| Unit::of(expr.data_type()));
    let text = match &filter.predicate {
        PredicateSpec::Interval { expr, lo, hi } => {
            format!("{} {}", bare(expr), readout::interval(*lo, *hi, unit(expr)))
        }
        PredicateSpec::Rect { x, x_range, y, y_range } => format!(
            "{} {} × {} {}",
            bare(x),
            readout::interval(x_range[0], x_range[1], unit(x)),
            bare(y),
            readout::interval(y_range[0], y_range[1], unit(y))
        ),
        PredicateSpec::Categories { expr, values, missing } => {
            let mut listed: Vec<String> = values.iter().take(3).map(|v| crate::data::shorten(v)).collect();
            if *missing {
                listed.push("missing".to_owned());
            }
            if values.len() > 3 {
                listed.push(format!("{} more", values.len() - 3));
            }
            format!("{}: {}", bare(expr), listed.join(", "))
        }
        PredicateSpec::Where { text } => crate::data::shorten(text),
    };
    if filter.inverted { format!("not {text}") } else { text }
}

fn chip(app: &mut App, ui: &mut Ui, theme: &Theme, at: usize) {
    let filter = app.session.filters()[at].clone();
    let error = filter.clause.as_ref().err().map(ToString::to_string);
    let spec = &filter.spec;
    let text = describe(&app.session, spec);
    let color = match (&error, spec.enabled) {
        (Some(_), _) => theme.error,
        (None, true) => theme.text,
        (None, false) => theme.faint,
    };
    let galley = crate::views::paint::axis::one_line(ui.painter(), &text, theme.body(), color, 320.0);
    let size = vec2(galley.size().x + 24.0 + 8.0 + 2.0 * 20.0, theme.size.row);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let id = ui.make_persistent_id(("chip", at));
    let fill = if spec.enabled { theme.canvas } else { theme.panel };
    let outline = if spec.enabled && error.is_none() { theme.accent } else { theme.outline };
    ui.painter().rect(rect, CornerRadius::same(12), fill, Stroke::new(1.0, outline), StrokeKind::Inside);

    let part =
        |left: f32, width: f32| Rect::from_min_max(pos2(left, rect.top()), pos2(left + width, rect.bottom()));
    let toggle = part(rect.left() + 4.0, 20.0);
    let words = part(toggle.right(), galley.size().x + 4.0);
    let invert = part(words.right() + 2.0, 20.0);
    let close = part(invert.right(), 20.0);
    let on = format!("filter {text} on");
    let icon_color = if spec.enabled { theme.accent } else { theme.faint };
    if glyph(ui, id.with("toggle"), toggle, Icon::Toggle(spec.enabled), icon_color, &on, "on or off")
        .clicked()
    {
        app.commands.push(Command::ToggleFilter(at));
    }
    let inverted = format!("invert filter {text}");
    let icon_color = if spec.inverted { theme.accent } else { theme.faint };
    if glyph(ui, id.with("invert"), invert, Icon::Invert, icon_color, &inverted, "all rows but these")
        .clicked()
    {
        app.commands.push(Command::InvertFilter(at));
    }
    let remove = format!("remove filter {text}");
    if glyph(ui, id.with("close"), close, Icon::Close, theme.faint, &remove, "remove").clicked() {
        app.commands.push(Command::RemoveFilter(at));
    }
    let response = ui.interact(words, id.with("text"), Sense::click());
    let name = format!("filter {text}");
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, &name));
    ui.painter().galley(pos2(words.left() + 2.0, rect.center().y - galley.size().y / 2.0), galley, color);
    let response = match &error {
        Some(error) => response.on_hover_text(error),
        None => response,
    };
    if response.clicked() {
        app.strip.bounds = bounds(&app.session, spec);
        app.strip.condition = Editor::of(app.strip.bounds.first().cloned().unwrap_or_default());
    }
    edit_popup(app, &response, at, spec);
}

fn glyph(
    ui: &Ui,
    id: egui::Id,
    rect: Rect,
    icon: Icon,
    color: egui::Color32,
    name: &str,
    hint: &str,
) -> Response {
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, name));
    let theme = Theme::current(ui);
    let color = if response.hovered() || response.has_focus() { theme.text } else { color };
    icon::paint(ui.painter(), icon, rect.center(), color);
    response.on_hover_text(hint)
}

/// The numbers of a filter as text, to be edited.
fn bounds(session: &Session, spec: &FilterSpec) -> Vec<String> {
    let unit = |text: &str| session.expr(text).map_or(Unit::Number, |expr| Unit::of(expr.data_type()));
    let both = |[lo, hi]: [f64; 2], unit| [readout::value(lo, unit), readout::value(hi, unit)];
    match &spec.predicate {
        PredicateSpec::Interval { expr, lo, hi } => both([*lo, *hi], unit(expr)).to_vec(),
        PredicateSpec::Rect { x, x_range, y, y_range } => {
            both(*x_range, unit(x)).into_iter().chain(both(*y_range, unit(y))).collect()
        }
        PredicateSpec::Categories { values, .. } => values.clone(),
        PredicateSpec::Where { text } => vec![text.clone()],
    }
}

/// The filter with its numbers as typed; an error names the one that is wrong.
fn with_bounds(session: &Session, spec: &FilterSpec, typed: &[String]) -> Result<FilterSpec, String> {
    let number = |expr: &str, at: usize| -> Result<f64, String> {
        let text = typed.get(at).map(String::as_str).unwrap_or_default();
        let unit = session.expr(expr).map_or(Unit::Number, |expr| Unit::of(expr.data_type()));
        readout::parse(text, unit).ok_or_else(|| match unit {
            Unit::Time(_) => format!("`{text}` is no time such as 2024-05-17 or 2024-05-17T08:30:00"),
            _ => format!("`{text}` is no number"),
        })
    };
    let range = |expr: &str, at: usize| {
        let (lo, hi) = (number(expr, at)?, number(expr, at + 1)?);
        if lo < hi { Ok([lo, hi]) } else { Err("the upper bound must be above the lower".to_owned()) }
    };
    let predicate = match &spec.predicate {
        PredicateSpec::Interval { expr, .. } => {
            let [lo, hi] = range(expr, 0)?;
            PredicateSpec::Interval { expr: expr.clone(), lo, hi }
        }
        PredicateSpec::Rect { x, y, .. } => {
            PredicateSpec::Rect { x: x.clone(), x_range: range(x, 0)?, y: y.clone(), y_range: range(y, 2)? }
        }
        PredicateSpec::Categories { expr, missing, .. } => {
            PredicateSpec::Categories { expr: expr.clone(), values: typed.to_vec(), missing: *missing }
        }
        PredicateSpec::Where { .. } => {
            PredicateSpec::Where { text: typed.first().cloned().unwrap_or_default() }
        }
    };
    Ok(FilterSpec { predicate, ..spec.clone() })
}

fn edit_popup(app: &mut App, response: &Response, at: usize, spec: &FilterSpec) {
    form(response).show(|ui| {
        if let PredicateSpec::Where { .. } = spec.predicate {
            if let Some(text) =
                condition(ui, &mut app.strip.condition, &app.session, &mut app.engine, "Apply")
            {
                let changed = FilterSpec { predicate: PredicateSpec::Where { text }, ..spec.clone() };
                app.commands.push(Command::ReplaceFilter(at, changed));
                ui.close();
            }
            return;
        }
        ui.set_width(260.0);
        let mut typed = std::mem::take(&mut app.strip.bounds);
        let names: Vec<String> = match &spec.predicate {
            PredicateSpec::Interval { expr, .. } => {
                vec![format!("{} from", bare(expr)), format!("{} to below", bare(expr))]
            }
            PredicateSpec::Rect { x, y, .. } => [x, y]
                .iter()
                .flat_map(|expr| [format!("{} from", bare(expr)), format!("{} to below", bare(expr))])
                .collect(),
            PredicateSpec::Categories { expr, .. } => typed.iter().map(|_| bare(expr)).collect(),
            PredicateSpec::Where { .. } => Vec::new(),
        };
        for (name, text) in names.iter().zip(&mut typed) {
            ui.label(egui::RichText::new(name).small().weak());
            text_field::line(ui, text, name, "", 240.0);
        }
        let changed = with_bounds(&app.session, spec, &typed);
        app.strip.bounds = typed;
        if let Err(message) = &changed {
            text_field::message(ui, Err(message));
        }
        let entered = ui.input(|input| input.key_pressed(Key::Enter));
        let clicked = ui.add_enabled(changed.is_ok(), egui::Button::new("Apply")).clicked();
        if let Ok(changed) = changed
            && (entered || clicked)
        {
            app.commands.push(Command::ReplaceFilter(at, changed));
            ui.close();
        }
    });
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
fn condition(
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
