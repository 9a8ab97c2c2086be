//! The head of a view: its axes as drop-downs that also take a typed expression or a dropped column,
//! what is measured, and a menu of the rest.

use egui::{Key, Popup, PopupCloseBehavior, Response, Sense, Ui, WidgetInfo, vec2};

use super::editor::{self, Editor, Purpose};
use super::paint::icon::{self, Icon};
use super::{ViewContext, ViewState, Wish, axes, slot, text_field};
use crate::aggregate::Bins;
use crate::data::{Kind, kind};
use crate::dataset::Dataset;
use crate::engine::Freshness;
use crate::export::{ColorMap, ColorScale};
use crate::expr::{Expr, quote_name};
use crate::query::{Ask, Axis, Question};
use crate::select::Selection;
use crate::session::{AxisSpec, Command, Gesture, ViewKind, ViewSpec, questions};

/// What is being typed into the fields of a header.
#[derive(Default)]
pub struct Typed {
    axis: Editor,
    measure: Editor,
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
fn drop_down(ui: &mut Ui, text: &str, name: &str, strong: bool, room: f32) -> Response {
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
    if response.dnd_hover_payload::<Dragged>().is_some() {
        let theme = cx.theme;
        ui.painter().rect_stroke(
            response.rect,
            4,
            egui::Stroke::new(1.5, theme.accent),
            egui::StrokeKind::Inside,
        );
    }
    let mut chosen =
        response.dnd_release_payload::<Dragged>().map(|column| quote_name(&column.0).into_owned());
    if response.clicked() {
        // A column is chosen anew, an expression is worked on.
        let expr = current.map(|axis| axis.expr).unwrap_or_default();
        let is_column = cx.session.expr(&expr).is_ok_and(|expr| expr.as_column().is_some());
        state.typed.axis = Editor::of(if is_column { String::new() } else { expr });
    }
    if let Some(dataset) = cx.session.dataset().cloned() {
        form(&response).show(|ui| {
            ui.set_width(editor::WIDTH);
            let typed = &mut state.typed.axis;
            let purpose = Purpose::Axis(view.kind);
            if typed.show(ui, purpose, "column or expression", &dataset, cx.answers).entered {
                let text = typed.text().trim();
                let is_name = Expr::column(text, dataset.schema()).is_ok();
                chosen = Some(if is_name { quote_name(text).into_owned() } else { text.to_owned() });
                ui.close();
            }
        });
    }
    if let Some(text) = chosen {
        put_axis(view, text, vertical, cx);
    }
}

/// Puts an expression on an axis. One that has no numeric axis turns a histogram into bars, and back.
fn put_axis(view: &mut ViewSpec, text: String, vertical: bool, cx: &ViewContext<'_>) {
    let Ok(expr) = cx.session.expr(&text) else { return };
    let ordinal = kind(expr.data_type()).is_ordinal();
    let axis = Some(AxisSpec::of(text));
    match view.kind {
        ViewKind::Heatmap if !ordinal => {}
        ViewKind::Heatmap if vertical => view.y = axis,
        ViewKind::Heatmap => view.x = axis,
        ViewKind::Histogram | ViewKind::Bars => {
            view.kind = if ordinal { ViewKind::Histogram } else { ViewKind::Bars };
            view.x = axis;
        }
        ViewKind::Rows => {}
    }
}

/// A line of a list of columns: its kind, its name, its unit.
pub fn column_line(ui: &mut Ui, dataset: &Dataset, field: &crate::data::Field) -> Response {
    let theme = super::Theme::current(ui);
    let size = vec2(ui.available_width(), theme.size.row);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    let name = axes::bare(&field.name);
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, &name));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 4, theme.hover);
    }
    let glyph = if dataset.is_virtual(&field.name) { Icon::Function } else { Icon::of(field.kind()) };
    icon::paint(ui.painter(), glyph, rect.left_center() + vec2(14.0, 0.0), theme.faint);
    let mut right = rect.right() - 6.0;
    if let Some(unit) = field.unit.as_ref().filter(|unit| !unit.is_empty()) {
        let unit = super::paint::axis::one_line(
            ui.painter(),
            &crate::data::shorten(unit),
            theme.small(),
            theme.faint,
            rect.width() * 0.35,
        );
        right -= unit.size().x + 4.0;
        let at = egui::pos2(right + 4.0, rect.center().y - unit.size().y / 2.0);
        ui.painter().galley(at, unit, theme.faint);
    }
    let left = rect.left() + 28.0;
    let color = if field.kind() == Kind::Other { theme.faint } else { theme.text };
    let text = super::paint::axis::one_line(ui.painter(), &name, theme.body(), color, right - left);
    ui.painter().galley(egui::pos2(left, rect.center().y - text.size().y / 2.0), text, color);
    response
}

fn measure_button(ui: &mut Ui, view: &mut ViewSpec, state: &mut ViewState, cx: &mut ViewContext<'_>) {
    let name = format!("measure of {}: {}", view.title(), view.measure);
    let room = (ui.available_width() - 56.0).clamp(24.0, 160.0);
    let response = drop_down(ui, &view.measure, &name, false, room);
    if response.clicked() {
        state.typed.measure = Editor::of(view.measure.clone());
    }
    let Some(dataset) = cx.session.dataset().cloned() else { return };
    form(&response).show(|ui| {
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
                    view.measure = aggregate.name.to_owned();
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
            view.measure = typed.text().trim().to_owned();
            ui.close();
        }
    });
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

/// The settings of a view and what can be done with it.
fn menu(ui: &mut Ui, view: &ViewSpec, changed: &mut ViewSpec, cx: &mut ViewContext<'_>) {
    ui.set_width(200.0);
    let has_axis = matches!(view.kind, ViewKind::Histogram | ViewKind::Heatmap);
    if has_axis {
        let mut axis_settings = |ui: &mut Ui, axis: &mut Option<AxisSpec>, which: u64| {
            let Some(axis) = axis else { return };
            let name = axes::bare(&axis.expr);
            ui.weak(format!("Axis {name}"));
            if ui.checkbox(&mut axis.log, format!("logarithmic {name}")).changed() {
                axis.range = None;
            }
            let middle = middle(view, axis, which, cx);
            let button =
                ui.add_enabled(middle.is_some(), egui::Button::new(format!("middle 99\u{2009}% of {name}")));
            if button.clicked() {
                axis.range = middle;
                ui.close();
            }
            if axis.range.is_some() && ui.button(format!("full extent of {name}")).clicked() {
                axis.range = None;
                ui.close();
            }
            ui.horizontal(|ui| {
                for bins in [25, 50, 100, 200] {
                    let is_set = axis.bins == Some(bins);
                    let label = ui.selectable_label(is_set, bins.to_string());
                    if label.accessible_name(format!("{bins} bins of {name}")).clicked() {
                        axis.bins = if is_set { None } else { Some(bins) };
                    }
                }
                ui.weak("bins");
            });
        };
        axis_settings(ui, &mut changed.x, 0);
        axis_settings(ui, &mut changed.y, 1);
        ui.separator();
    }
    if matches!(view.kind, ViewKind::Histogram | ViewKind::Bars) {
        ui.checkbox(&mut changed.log_count, "logarithmic counts");
        ui.separator();
    }
    if view.kind == ViewKind::Heatmap {
        ui.weak("Colours");
        for (name, scale) in ColorScale::ALL {
            ui.radio_value(&mut changed.color_scale, scale, name);
        }
        ui.separator();
        for (name, map) in ColorMap::ALL {
            ui.radio_value(&mut changed.color_map, map, name);
        }
        ui.separator();
    }
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

/// The range that leaves out half a per cent of all rows at either end, once it is known.
fn middle(view: &ViewSpec, spec: &AxisSpec, n: u64, cx: &mut ViewContext<'_>) -> Option<[f64; 2]> {
    const FINE: usize = 1 << 14;
    let dataset = cx.session.dataset()?.clone();
    let expr = cx.session.expr(&spec.expr).ok()?;
    let extent = questions::extent(&dataset, &expr, spec.scale())?;
    let found = cx.answers.answer(slot(view.id, n), &extent).answer?;
    let [lo, hi] = questions::extent_of(&found)?;
    let bins = Bins::new(lo, hi.next_up(), FINE, spec.scale()).ok()?;
    let ask = Ask::Grid { axes: vec![Axis { expr, bins: bins.clone() }], measures: Vec::new() };
    let reply = cx.answers.answer(slot(view.id, 8 + n), &Question::new(dataset, Selection::all(), ask));
    let answer = reply.answer.filter(|_| reply.freshness == Freshness::Final)?;
    let counts = &answer.grid()?.counts[..bins.count()];
    let total: u64 = counts.iter().sum();
    let mut below = 0;
    let mut range = [bins.lo(), bins.hi()];
    for (bin, count) in counts.iter().enumerate() {
        if below <= total / 200 {
            range[0] = bins.edges()[bin];
        }
        below += count;
        if below >= total - total / 200 {
            range[1] = bins.edges()[bin + 1];
            break;
        }
    }
    (range[0] < range[1]).then_some(range)
}
