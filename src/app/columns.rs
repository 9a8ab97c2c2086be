//! The list of columns on the left: find one, look at it, show it.

use egui::{
    Align, Frame, Layout, Margin, Panel, Rect, ScrollArea, Sense, TextEdit, Ui, WidgetInfo, pos2, vec2,
};

use super::{App, dialogs, variables};
use crate::data::{Field, Kind};
use crate::expr::{Expr, quote_name};
use crate::session::{AxisSpec, Command, Grouping, ViewKind, ViewSpec, view_of};
use crate::views::axes::bare;
use crate::views::header::Dragged;
use crate::views::paint::axis::one_line;
use crate::views::paint::icon::{self, Icon};
use crate::views::{Theme, glance, rows};

/// Height of a column's line, and of the name in it; the rest is its small distribution.
const HEIGHT: f32 = 46.0;
const NAME: f32 = 22.0;

/// What the list remembers.
#[derive(Default)]
pub(super) struct Columns {
    search: String,
    /// Of what table and search the positions are.
    key: (usize, String),
    matching: Vec<usize>,
}

/// Shows the list.
pub(super) fn show(app: &mut App, ui: &mut Ui, theme: &'static Theme) {
    let Some(dataset) = app.session.dataset().cloned() else { return };
    let frame = Frame::new().fill(theme.panel).inner_margin(Margin::same(8));
    let panel = Panel::left("columns").resizable(true).default_size(208.0).size_range(144.0..=420.0);
    panel.frame(frame).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        let fields = dataset.schema().fields();
        ui.horizontal(|ui| {
            let edit = TextEdit::singleline(&mut app.columns.search)
                .hint_text(format!("search {} columns", fields.len()))
                .align(egui::Align2::LEFT_CENTER)
                .desired_width(f32::INFINITY);
            ui.add(edit).accessible_name("search columns");
        });
        find(&mut app.columns, fields, std::sync::Arc::as_ptr(&dataset) as usize);
        let bottom = theme.size.row + 8.0 + variables::height(app, theme);
        let height = (ui.available_height() - bottom).max(theme.size.row);
        ui.allocate_ui(vec2(ui.available_width(), height), |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let scroll = ScrollArea::vertical().id_salt("columns").auto_shrink(false);
            let found = app.columns.matching.clone();
            scroll.show_rows(ui, HEIGHT, found.len(), |ui, range| {
                for &column in &found[range] {
                    line(app, ui, theme, &dataset, (column, &fields[column]));
                }
            });
            if found.is_empty() {
                ui.weak("no column of this name");
            }
        });
        variables::show(app, ui, theme);
        ui.with_layout(Layout::bottom_up(Align::Min), |ui| {
            ui.horizontal(|ui| {
                if ui.add(egui::Button::new("+ new column").frame(false)).clicked() {
                    app.dialog = Some(dialogs::new_column(None));
                }
                if ui.add(egui::Button::new("+ variable").frame(false)).clicked() {
                    app.dialog = Some(dialogs::variable(None));
                }
            });
        });
    });
}

/// Finds the columns whose names hold what is typed; only when either changed.
fn find(columns: &mut Columns, fields: &[Field], table: usize) {
    let wanted = columns.search.trim().to_lowercase();
    if columns.key == (table, wanted.clone()) && !columns.matching.is_empty() {
        return;
    }
    let names = fields.iter().enumerate();
    columns.matching = if wanted.is_empty() {
        (0..fields.len()).collect()
    } else {
        names.filter(|(_, field)| field.name.to_lowercase().contains(&wanted)).map(|(i, _)| i).collect()
    };
    columns.key = (table, wanted);
}

fn line(
    app: &mut App,
    ui: &mut Ui,
    theme: &'static Theme,
    dataset: &crate::dataset::Dataset,
    (position, field): (usize, &Field),
) {
    let size = vec2(ui.available_width(), HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, bare(&field.name)));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 4, theme.hover);
    }
    response.dnd_set_drag_payload(Dragged(field.name.clone()));
    if response.dragged() {
        ghost(ui, theme, &field.name);
    }
    let plus = Rect::from_min_size(rect.right_top() - vec2(NAME, 0.0), vec2(NAME, NAME));
    let is_virtual = dataset.is_virtual(&field.name);
    if response.hovered() {
        app.hint = "double click: show · drag: onto an axis · right click: more".to_owned();
        icon::paint(ui.painter(), Icon::Plus, plus.center(), theme.weak);
    }
    let view = glance::view_of(field, position);
    let mut missing = None;
    if field.kind() != Kind::Other {
        let place = Rect::from_min_max(
            pos2(rect.left() + 6.0, rect.top() + NAME),
            pos2(rect.right() - 6.0, rect.bottom() - 4.0),
        );
        let builder = egui::UiBuilder::new().max_rect(place).id_salt(("glance", &field.name));
        let mut child = ui.new_child(builder);
        missing =
            app.with_view(theme, view.id, |state, cx| glance::show(&mut child, place, &view, state, cx));
    }
    let room = if response.hovered() { plus.left() } else { rect.right() - 6.0 };
    name_line(
        ui,
        theme,
        Rect::from_min_max(rect.min, pos2(room, rect.top() + NAME)),
        field,
        is_virtual,
        missing,
    );
    let on_plus = response.clicked() && response.interact_pointer_pos().is_some_and(|at| plus.contains(at));
    if is_virtual && response.double_clicked() {
        app.dialog = Some(dialogs::new_column(definition(dataset, &field.name)));
    } else if on_plus || response.double_clicked() {
        add(app, field);
    }
    let response = response.on_hover_ui(|ui| {
        ui.set_min_width(200.0);
        ui.label(rows::describe(field));
        if let Some((_, text)) = definition(dataset, &field.name) {
            ui.weak(format!("= {text}"));
        }
        app.with_view(theme, view.id, |_, cx| glance::card(ui, field, &view, cx));
    });
    response.context_menu(|ui| context_menu(app, ui, dataset, field));
}

/// The kind of a column, its name, its unit, and the share of it that is missing.
fn name_line(ui: &Ui, theme: &Theme, rect: Rect, field: &Field, is_virtual: bool, missing: Option<f64>) {
    let glyph = if is_virtual { Icon::Function } else { Icon::of(field.kind()) };
    icon::paint(ui.painter(), glyph, rect.left_center() + vec2(13.0, 0.0), theme.faint);
    let mut right = rect.right();
    let name_color = if field.kind() == Kind::Other { theme.faint } else { theme.text };
    let of_name = |room| one_line(ui.painter(), &bare(&field.name), theme.body(), name_color, room);
    let free = rect.width() - 32.0 - of_name(f32::INFINITY).size().x;
    let mut put = |text: &str, color| {
        let galley = one_line(ui.painter(), text, theme.small(), color, rect.width() * 0.5);
        right -= galley.size().x;
        ui.painter().galley(pos2(right, rect.center().y - galley.size().y / 2.0), galley, color);
        right -= 6.0;
    };
    if let Some(missing) = missing.filter(|missing| *missing > 0.0) {
        let text =
            if missing < 0.001 { "<\u{2009}0.1".to_owned() } else { format!("{:.1}", missing * 100.0) };
        // Where the name leaves no room for the word, the colour of what is missing says it.
        let (word, color) = if free > 84.0 { (" missing", theme.faint) } else { ("", theme.missing) };
        put(&format!("{text}\u{2009}%{word}"), color);
    }
    if let Some(unit) = field.unit.as_ref().filter(|unit| !unit.is_empty()) {
        put(&crate::data::shorten(unit), theme.faint);
    }
    let left = rect.left() + 26.0;
    let name = of_name(right - left);
    ui.painter().galley(pos2(left, rect.center().y - name.size().y / 2.0), name, name_color);
}

/// The column's name under the hand.
fn ghost(ui: &Ui, theme: &Theme, name: &str) {
    let Some(at) = ui.ctx().pointer_interact_pos() else { return };
    let layer = egui::LayerId::new(egui::Order::Tooltip, egui::Id::unique("dragged column"));
    let painter = ui.ctx().layer_painter(layer);
    let galley = one_line(&painter, &crate::data::shorten(name), theme.body(), theme.text, 240.0);
    let rect = Rect::from_min_size(at + vec2(12.0, 4.0), galley.size()).expand2(vec2(8.0, 4.0));
    let stroke = egui::Stroke::new(1.0, theme.outline);
    painter.rect(rect, 4, theme.popup, stroke, egui::StrokeKind::Inside);
    painter.galley(rect.min + vec2(8.0, 4.0), galley, theme.text);
}

fn definition(dataset: &crate::dataset::Dataset, name: &str) -> Option<(String, String)> {
    let column = dataset.virtual_columns().iter().find(|column| column.name == name)?;
    Some((column.name.clone(), column.text.clone()))
}

/// Adds the view that suits a column.
fn add(app: &mut App, field: &Field) {
    let id = app.session.document().next_id();
    match view_of(id, field) {
        Some(view) => {
            app.commands.push(Command::AddView(view));
            app.focused = Some(id);
        }
        None => app.commands.push(Command::Notify(format!(
            "{}: values of this type are shown in the rows only.",
            field.name
        ))),
    }
}

fn context_menu(app: &mut App, ui: &mut Ui, dataset: &crate::dataset::Dataset, field: &Field) {
    ui.set_min_width(180.0);
    let ordinal = field.kind().is_ordinal();
    if ui.add_enabled(ordinal, egui::Button::new("Add histogram")).clicked() {
        add(app, field);
        ui.close();
    }
    if ui.button("Add bars").clicked() {
        let id = app.session.document().next_id();
        let axis = AxisSpec::telling(quote_name(&field.name));
        app.commands.push(Command::AddView(ViewSpec::new(id, ViewKind::Bars, Some(axis), None)));
        ui.close();
    }
    if ui.button("Group by it").clicked() {
        if let Ok(expr) = Expr::column(&field.name, dataset.schema()) {
            let mut grouping = Grouping::by(Vec::new());
            grouping.add_key(quote_name(&field.name).into_owned(), &expr);
            let id = app.session.document().next_id();
            app.commands.push(Command::AddView(ViewSpec::of_groups(id, grouping)));
        }
        ui.close();
    }
    let fields = dataset.schema().fields();
    ui.add_enabled_ui(ordinal, |ui| {
        ui.menu_button("Add heatmap with", |ui| {
            ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
                let others =
                    fields.iter().filter(|other| other.kind().is_ordinal() && other.name != field.name);
                for other in others.take(200) {
                    if ui.button(crate::data::shorten(&other.name)).clicked() {
                        let id = app.session.document().next_id();
                        let axis = |field: &Field| Some(AxisSpec::telling(quote_name(&field.name)));
                        let view = ViewSpec::new(id, ViewKind::Heatmap, axis(field), axis(other));
                        app.commands.push(Command::AddView(view));
                        ui.close();
                    }
                }
            });
        });
    });
    ui.separator();
    if ui.button("Copy name").clicked() {
        ui.ctx().copy_text(field.name.clone());
        ui.close();
    }
    if let Some(definition) = definition(dataset, &field.name) {
        if ui.button("Edit…").clicked() {
            app.dialog = Some(dialogs::new_column(Some(definition)));
            ui.close();
        }
        if ui.button("Remove column").clicked() {
            app.commands.push(Command::RemoveColumn(field.name.clone()));
            ui.close();
        }
    }
}
