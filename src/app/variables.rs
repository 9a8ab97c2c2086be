//! Numbers that every expression knows by a name, below the list of columns.

use egui::{Align, DragValue, Layout, Sense, Ui, WidgetInfo, vec2};

use super::{App, dialogs};
use crate::session::Command;
use crate::views::Theme;
use crate::views::paint::axis::one_line;
use crate::views::paint::icon::{self, Icon};

/// Most lines shown without scrolling.
const MOST: usize = 6;

/// Height of the section.
pub(super) fn height(app: &App, theme: &Theme) -> f32 {
    theme.size.row * app.session.document().variables.len().min(MOST) as f32
}

/// Shows a line for each variable: its name, and its number to be dragged or typed.
pub(super) fn show(app: &mut App, ui: &mut Ui, theme: &Theme) {
    let variables = app.session.document().variables.clone();
    if variables.is_empty() {
        return;
    }
    let height = height(app, theme);
    let scroll = egui::ScrollArea::vertical().id_salt("variables").max_height(height);
    let scroll = scroll.min_scrolled_height(height).auto_shrink(false);
    scroll.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (name, value) in variables {
            line(app, ui, theme, &name, value);
        }
    });
}

fn line(app: &mut App, ui: &mut Ui, theme: &Theme, name: &str, value: f64) {
    let size = vec2(ui.available_width(), theme.size.row);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let accessible = format!("variable {name}");
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, &accessible));
    let contains_pointer = ui.rect_contains_pointer(rect);
    if contains_pointer || response.has_focus() {
        ui.painter().rect_filled(rect, 4, theme.hover);
    }
    if response.hovered() {
        app.hint = "double click: rename or type · drag the number · right click: more".to_owned();
    }
    let galley = one_line(ui.painter(), name, theme.body(), theme.text, rect.width() * 0.5);
    let left = rect.left_center() + vec2(10.0, -galley.size().y / 2.0);
    ui.painter().galley(left, galley, theme.text);
    let builder = egui::UiBuilder::new().max_rect(rect.shrink2(vec2(4.0, 1.0))).id_salt(("variable", name));
    let mut child = ui.new_child(builder.layout(Layout::right_to_left(Align::Center)));
    if icon::button(&mut child, Icon::Close, &format!("remove variable {name}"), true).clicked() {
        app.commands.push(Command::RemoveVariable(name.to_owned()));
    }
    let mut number = value;
    let speed = if value == 0.0 { 0.01 } else { value.abs() * 0.005 };
    let drag = child.add(DragValue::new(&mut number).speed(speed).max_decimals(9));
    let drag = drag.accessible_name(format!("value of {name}"));
    if number != value && number.is_finite() {
        let gesture = super::part_of_drag(ui, drag.id);
        app.commands.push(Command::SetVariable { name: name.to_owned(), value: number, gesture });
    }
    let edit = || dialogs::variable(Some((name.to_owned(), value)));
    if response.double_clicked() {
        app.dialog = Some(edit());
    }
    response.context_menu(|ui| {
        if ui.button("Edit…").clicked() {
            app.dialog = Some(edit());
            ui.close();
        }
        if ui.button("Remove variable").clicked() {
            app.commands.push(Command::RemoveVariable(name.to_owned()));
            ui.close();
        }
    });
}
