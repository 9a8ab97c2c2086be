//! The head of a view: its axes as drop-downs that also take a typed expression or a dropped column,
//! what is measured, and a menu of the rest.

use egui::{Key, Popup, PopupCloseBehavior, Response, Sense, Ui, WidgetInfo, vec2};

use super::editor::{self, Editor, Purpose};
use super::paint::icon::{self, Icon};
use super::{ViewContext, ViewState, Wish, axes, groups, text_field};
use crate::data::kind;
use crate::expr::{Expr, quote_name};
use crate::session::{AxisSpec, Command, Fit, Gesture, Grouping, ViewKind, ViewSpec};

/// What is being typed into the fields of a header.
#[derive(Default)]
pub struct Typed {
    pub(super) axis: Editor,
    pub(super) measure: Editor,
    /// The condition on groups, while it is typed.
    pub(super) having: Option<String>,
    row: String,
}

/// The name of a column being dragged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dragged(pub String);

/// The head of a view.
pub(super) fn show(ui: &mut Ui, view: &ViewSpec, state: &mut ViewState, cx: &mut ViewContext<'_>) {
    ui.spacing_mut().item_spacing.x = 2.0;
    let mut changed = view.clone();
    match view.kind {
        ViewKind::Histogram | ViewKind::Bars => {
            axis_button(ui, "x axis", &mut changed, false, state, cx);
            measure_button(ui, &mut changed, state, cx);
        }
        ViewKind::Heatmap => {
            axis_button(ui, "x axis", &mut changed, false, state, cx);
            ui.label(egui::RichText::new("×").color(cx.theme.faint));
            axis_button(ui, "y axis", &mut changed, true, state, cx);
            measure_button(ui, &mut changed, state, cx);
        }
        ViewKind::Groups => groups::shelf(ui, &mut changed, state, cx),
        ViewKind::Number => measure_button(ui, &mut changed, state, cx),
        ViewKind::Rows => {
            ui.add_space(4.0);
            ui.label(egui::RichText::new("Rows").font(cx.theme.strong()));
            go_to_row(ui, state, cx);
        }
    }
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        let name = format!("menu of {}", view.title());
        let more = icon::button(ui, Icon::More, &name, true);
        Popup::menu(&more)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .show(|ui| menu(ui, view, &mut changed, cx));
        if view.kind == ViewKind::Heatmap
            && icon::toggle(ui, Icon::Lasso, &format!("lasso on {}", view.title()), state.lasso).clicked()
        {
            state.lasso = !state.lasso;
        }
    });
    if changed != *view {
        cx.commands.push(Command::ChangeView(changed, Gesture::Begin));
    }
}

/// A pop-up below a button in which one types; it stays until one clicks elsewhere.
pub fn form(response: &Response) -> Popup<'_> {
    Popup::menu(response)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .style(egui::style::StyleModifier::default())
}

/// A flat button with a caret that opens a list.
pub(super) fn drop_down(ui: &mut Ui, text: &str, name: &str, strong: bool, room: f32) -> Response {
    let theme = super::Theme::current(ui);
    let font = if strong { theme.strong() } else { theme.body() };
    let color = if strong { theme.text } else { theme.weak };
    let galley = super::paint::axis::one_line(ui.painter(), text, font, color, room);
    let size = vec2(galley.size().x + 24.0, theme.size.row - 2.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, name));
    let open = Popup::is_id_open(ui.ctx(), Popup::default_response_id(&response));
    if open || response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 4, if open { theme.active } else { theme.hover });
    }
    let at = egui::pos2(rect.left() + 4.0, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, color);
    icon::paint(ui.painter(), Icon::Caret, rect.right_center() - vec2(10.0, 0.0), theme.faint);
    response
}

fn axis_button(
    ui: &mut Ui,
    role: &str,
    view: &mut ViewSpec,
    vertical: bool,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) {
    let current = if vertical { view.y.clone() } else { view.x.clone() };
    let text = current.as_ref().map_or("choose a column".to_owned(), |axis| axes::bare(&axis.expr));
    let name = format!("{role} of {}: {text}", view.title());
    let room = (ui.available_width() * 0.45).clamp(40.0, 220.0);
    let response = drop_down(ui, &text, &name, true, room);
    let expr = current.map(|axis| axis.expr).unwrap_or_default();
    let chosen = dropped(ui, &response).or_else(|| axis_form(&response, view.kind, &expr, state, cx, |_| {}));
    if let Some(text) = chosen {
        put_axis(view, text, vertical, cx);
    } else if state.is_middle[usize::from(vertical)] {
        middle_button(ui, view, vertical, cx);
    }
}

/// The column dropped on a button, as an expression.
pub(super) fn dropped(ui: &Ui, response: &Response) -> Option<String> {
    if response.dnd_hover_payload::<Dragged>().is_some() {
        outline(ui, response.rect);
    }
    response.dnd_release_payload::<Dragged>().map(|column| quote_name(&column.0).into_owned())
}

fn outline(ui: &Ui, rect: egui::Rect) {
    let stroke = egui::Stroke::new(1.5, super::Theme::current(ui).accent);
    ui.painter().rect_stroke(rect, 4, stroke, egui::StrokeKind::Inside);
}

/// The form of a button that chooses an expression, now `current`, and `more` below it. Returns the one
/// chosen.
pub(super) fn axis_form(
    response: &Response,
    kind: ViewKind,
    current: &str,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
    more: impl FnOnce(&mut Ui),
) -> Option<String> {
    if response.clicked() {
        // A column is chosen anew, an expression is worked on.
        let is_column = cx.session.expr(current).is_ok_and(|expr| expr.as_column().is_some());
        state.typed.axis = Editor::of(if is_column { "" } else { current });
    }
    let dataset = cx.session.dataset().cloned()?;
    let mut chosen = None;
    form(response).show(|ui| {
        ui.set_width(editor::WIDTH);
        let typed = &mut state.typed.axis;
        if typed.show(ui, Purpose::Axis(kind), "column or expression", &dataset, cx.answers).entered {
            let text = typed.text().trim();
            let is_name = Expr::column(text, dataset.schema()).is_ok();
            chosen = Some(if is_name { quote_name(text).into_owned() } else { text.to_owned() });
            ui.close();
        }
        more(ui);
    });
    chosen
}

/// Takes a column dropped anywhere on a view: on the left third of a heatmap as its vertical axis, on a table
/// of groups as a key, elsewhere as the axis.
pub(super) fn drop_column(ui: &Ui, rect: egui::Rect, view: &ViewSpec, cx: &mut ViewContext<'_>) {
    let is_dragged = egui::DragAndDrop::has_payload_of_type::<Dragged>(ui.ctx());
    let pointer = ui.input(|input| input.pointer.interact_pos());
    let Some(at) = pointer.filter(|_| is_dragged && ui.rect_contains_pointer(rect)) else { return };
    let left =
        egui::Rect::from_min_max(rect.min, egui::pos2(rect.left() + rect.width() / 3.0, rect.bottom()));
    let vertical = view.kind == ViewKind::Heatmap && left.contains(at);
    let (place, role) = match view.kind {
        ViewKind::Rows => return,
        ViewKind::Groups => (rect, "drop: group by it"),
        ViewKind::Number => (rect, "drop: its mean"),
        ViewKind::Heatmap if vertical => (left, "drop: vertical axis"),
        ViewKind::Heatmap => (egui::Rect::from_min_max(left.right_top(), rect.max), "drop: horizontal axis"),
        ViewKind::Histogram | ViewKind::Bars => (rect, "drop: axis"),
    };
    outline(ui, place.shrink(2.0));
    *cx.hint = role.to_owned();
    if ui.input(|input| input.pointer.any_released())
        && let Some(column) = egui::DragAndDrop::take_payload::<Dragged>(ui.ctx())
    {
        let mut changed = view.clone();
        put_axis(&mut changed, quote_name(&column.0).into_owned(), vertical, cx);
        if changed != *view {
            cx.commands.push(Command::ChangeView(changed, Gesture::Begin));
        }
    }
}

/// Says that an axis leaves out its ends, and shows them on a click.
fn middle_button(ui: &mut Ui, view: &mut ViewSpec, vertical: bool, cx: &ViewContext<'_>) {
    // A heatmap's head holds two of them.
    let text = if view.kind == ViewKind::Heatmap { "99\u{2009}%" } else { "middle 99\u{2009}%" };
    let axis = if vertical { &mut view.y } else { &mut view.x };
    let Some(axis) = axis else { return };
    let text = egui::RichText::new(text).font(cx.theme.small()).color(cx.theme.faint);
    let response = ui.add(egui::Button::new(text).frame(false));
    let name = format!("full extent of {}", axes::bare(&axis.expr));
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, &name));
    let hint = "Half a per cent of the rows lies beyond either end, counted there. Click: the full extent.";
    if response.on_hover_text(hint).clicked() {
        axis.fit = Fit::Full;
    }
    ui.add_space(6.0);
}

/// Puts an expression on an axis. One that has no numeric axis turns a histogram into bars, and back.
fn put_axis(view: &mut ViewSpec, text: String, vertical: bool, cx: &ViewContext<'_>) {
    let Ok(expr) = cx.session.expr(&text) else { return };
    let ordinal = kind(expr.data_type()).is_ordinal();
    let axis = Some(AxisSpec::telling(text.clone()));
    match view.kind {
        ViewKind::Heatmap if !ordinal => {}
        ViewKind::Heatmap if vertical => view.y = axis,
        ViewKind::Heatmap => view.x = axis,
        ViewKind::Histogram | ViewKind::Bars => {
            view.kind = if ordinal { ViewKind::Histogram } else { ViewKind::Bars };
            view.x = axis;
        }
        ViewKind::Groups => {
            let grouping = view.grouping.get_or_insert_with(|| Grouping::by(Vec::new()));
            grouping.add_key(text, &expr);
        }
        ViewKind::Number if ordinal => view.measure = format!("mean({text})"),
        ViewKind::Number | ViewKind::Rows => {}
    }
}

pub(super) fn measure_button(
    ui: &mut Ui,
    view: &mut ViewSpec,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) {
    let name = format!("measure of {}: {}", view.title(), view.measure);
    let room = (ui.available_width() - 56.0).clamp(24.0, 160.0);
    let response = drop_down(ui, &view.measure, &name, false, room);
    if let Some(measure) = measure_form(&response, &view.measure, state, cx) {
        view.measure = measure;
    }
}

/// The form of a button that chooses a measure, now `current`. Returns the one chosen.
pub(super) fn measure_form(
    response: &Response,
    current: &str,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) -> Option<String> {
    if response.clicked() {
        state.typed.measure = Editor::of(current);
    }
    let dataset = cx.session.dataset().cloned()?;
    let mut measure = None;
    form(response).show(|ui| {
        ui.set_width(editor::WIDTH);
        let typed = &mut state.typed.measure;
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = egui::Vec2::splat(2.0);
            let name = typed.text().split('(').next().unwrap_or_default().trim().to_owned();
            for aggregate in editor::offered_aggregates() {
                let chosen = ui.selectable_label(aggregate.name == name, aggregate.name);
                if !chosen.on_hover_text(aggregate.doc).clicked() {
                    continue;
                }
                if aggregate.least_arguments() == 0 {
                    measure = Some(aggregate.name.to_owned());
                    ui.close();
                } else {
                    let value =
                        typed.text().split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
                    let text = format!("{}({value})", aggregate.name);
                    let end = text.len() - 1;
                    typed.set(ui, text, end);
                }
            }
        });
        if typed.show(ui, Purpose::Measure, "count, mean(x), sum(x * y) …", &dataset, cx.answers).entered {
            measure = Some(typed.text().trim().to_owned());
            ui.close();
        }
    });
    measure
}

fn go_to_row(ui: &mut Ui, state: &mut ViewState, cx: &ViewContext<'_>) {
    ui.add_space(cx.theme.size.unit);
    let field = text_field::line(ui, &mut state.typed.row, "go to row", "go to row", 96.0);
    if field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
        let digits: String = state.typed.row.chars().filter(char::is_ascii_digit).collect();
        if let Ok(row) = digits.parse::<u64>() {
            state.position.go_to(row);
        }
    }
}

/// What can be done with a view.
fn menu(ui: &mut Ui, view: &ViewSpec, changed: &mut ViewSpec, cx: &mut ViewContext<'_>) {
    ui.set_width(200.0);
    if ui.button("Settings…").clicked() {
        cx.wishes.push(Wish::Settings(view.id));
        ui.close();
    }
    if matches!(view.kind, ViewKind::Histogram | ViewKind::Bars) {
        ui.checkbox(&mut changed.log_count, "logarithmic counts");
    }
    ui.separator();
    if view.kind != ViewKind::Rows {
        if ui.button("Export data…").clicked() {
            cx.wishes.push(Wish::ExportData(view.id));
            ui.close();
        }
        if ui.button("Export picture…").clicked() {
            cx.wishes.push(Wish::ExportPicture(view.id));
            ui.close();
        }
    }
    if cx.session.filter_of(view).is_some() && ui.button("Clear brush").clicked() {
        super::brushing::clear(view, cx);
        ui.close();
    }
    if ui.button("Remove view").clicked() {
        cx.commands.push(Command::RemoveView(view.id));
        ui.close();
    }
}
