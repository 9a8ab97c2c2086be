//! One filter of the strip: what it lets pass in words, and its numbers to be typed.

use egui::{CornerRadius, Key, Rect, Response, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::{App, strip};
use crate::session::{Brushed, Command, CutAxis, FilterSpec, PredicateSpec, Session, Shape};
use crate::views::axes::bare;
use crate::views::editor::Editor;
use crate::views::header::form;
use crate::views::paint::axis::one_line;
use crate::views::paint::icon::{self, Icon};
use crate::views::paint::readout;
use crate::views::paint::ticks::Unit;
use crate::views::{Theme, text_field};

/// Most intervals and most values a chip names.
const NAMED: usize = 3;

/// What a filter lets pass, in words.
pub(super) fn describe(session: &Session, filter: &FilterSpec) -> String {
    let unit = |text: &str| unit_of(session, text);
    let text = match &filter.predicate {
        PredicateSpec::Interval { expr, .. } | PredicateSpec::Intervals { expr, .. } => {
            let brushed = Brushed::of(&filter.predicate).unwrap_or_default();
            format!("{} {}", bare(expr), brushed_text(&brushed, unit(expr)))
        }
        PredicateSpec::Rect { x, x_range, y, y_range } => format!(
            "{} {} × {} {}",
            bare(x),
            readout::interval(x_range[0], x_range[1], unit(x)),
            bare(y),
            readout::interval(y_range[0], y_range[1], unit(y))
        ),
        PredicateSpec::Lasso { x, y, more, .. } => {
            let shape = if more.is_empty() { "lasso" } else { "shapes" };
            format!("{shape} {} × {}", bare(&x.expr), bare(&y.expr))
        }
        PredicateSpec::Categories { expr, values, missing } => {
            let listed = values.iter().map(|value| crate::data::shorten(value)).collect();
            format!("{}: {}", bare(expr), listed_text(listed, *missing, ", "))
        }
        PredicateSpec::Groups { conditions, .. } => listed_text(conditions.clone(), false, " or "),
        PredicateSpec::Where { text } => crate::data::shorten(text),
    };
    if filter.inverted { format!("NOT {text}") } else { text }
}

/// `0.8 … 3.2 or ≥ 5 or missing`.
fn brushed_text(brushed: &Brushed, unit: Unit) -> String {
    let intervals = brushed.intervals.iter().map(|&(lo, hi)| readout::interval(lo, hi, unit));
    listed_text(intervals.collect(), brushed.missing, " or ")
}

fn listed_text(mut listed: Vec<String>, missing: bool, between: &str) -> String {
    if listed.len() > NAMED {
        let more = listed.len() - NAMED;
        listed.truncate(NAMED);
        listed.push(format!("{more} more"));
    }
    listed.extend(missing.then(|| "missing".to_owned()));
    if listed.is_empty() { "nothing".to_owned() } else { listed.join(between) }
}

fn unit_of(session: &Session, text: &str) -> Unit {
    session.expr(text).map_or(Unit::Number, |expr| Unit::of(expr.data_type()))
}

/// The chip of the filter at a position.
pub(super) fn show(app: &mut App, ui: &mut Ui, theme: &Theme, at: usize) {
    let filter = app.session.filters()[at].clone();
    let error = filter.clause.as_ref().err().map(ToString::to_string);
    let spec = &filter.spec;
    let text = describe(&app.session, spec);
    let color = match (&error, spec.enabled) {
        (Some(_), _) => theme.error,
        (None, true) => theme.text,
        (None, false) => theme.faint,
    };
    let galley = one_line(ui.painter(), &text, theme.body(), color, 320.0);
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
    let document = app.session.document();
    let wanted = app.strip.edit.and_then(|view| app.session.filter_of(document.view(view)?));
    let is_wanted = wanted.is_some_and(|(wanted, _)| wanted == at);
    if is_wanted {
        app.strip.edit = None;
        egui::Popup::open_id(ui.ctx(), egui::Popup::default_response_id(&response));
    }
    if is_wanted || response.clicked() {
        if let PredicateSpec::Where { text } = &spec.predicate {
            app.strip.condition = Editor::of(text.clone());
        }
        app.strip.typed = Typed::of(&app.session, spec);
    }
    edit(app, &response, at, spec);
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

/// The numbers and values of a filter as text to be edited.
#[derive(Default)]
pub(super) struct Typed {
    /// What each line is called, and its text.
    lines: Vec<(String, String)>,
    /// Whether missing values pass, where that is a choice.
    missing: Option<bool>,
}

impl Typed {
    fn of(session: &Session, spec: &FilterSpec) -> Typed {
        let mut typed = Typed::default();
        match &spec.predicate {
            PredicateSpec::Interval { expr, .. } | PredicateSpec::Intervals { expr, .. } => {
                let brushed = Brushed::of(&spec.predicate).unwrap_or_default();
                brushed.intervals.iter().for_each(|&interval| typed.add(session, expr, interval));
                typed.missing = Some(brushed.missing);
            }
            PredicateSpec::Rect { x, x_range, y, y_range } => {
                typed.add(session, x, (x_range[0], x_range[1]));
                typed.add(session, y, (y_range[0], y_range[1]));
            }
            PredicateSpec::Lasso { x, y, corners, more } => {
                let (ux, uy) = (unit_of(session, &x.expr), unit_of(session, &y.expr));
                let corner =
                    |&[x, y]: &[f64; 2]| format!("{} {}", readout::value(x, ux), readout::value(y, uy));
                let mut add = |role: &str, corners: &[[f64; 2]]| {
                    let text = corners.iter().map(corner).collect::<Vec<_>>().join("; ");
                    typed.lines.push((format!("{role}: {} {}; …", bare(&x.expr), bare(&y.expr)), text));
                };
                add("corners", corners);
                for (nth, shape) in more.iter().enumerate() {
                    let role = if shape.takes_out { "without" } else { "and" };
                    add(&format!("{role} ({})", nth + 2), &shape.corners);
                }
            }
            PredicateSpec::Categories { expr, values, missing } => {
                typed.lines = values.iter().map(|value| (bare(expr), value.clone())).collect();
                typed.missing = Some(*missing);
            }
            PredicateSpec::Groups { keys, conditions } => {
                let name = keys.iter().map(|key| bare(key)).collect::<Vec<_>>().join(", ");
                typed.lines = conditions.iter().map(|text| (name.clone(), text.clone())).collect();
            }
            PredicateSpec::Where { .. } => {}
        }
        typed
    }

    /// Two lines for an interval; an end that is none is left blank.
    fn add(&mut self, session: &Session, expr: &str, (lo, hi): (f64, f64)) {
        let unit = unit_of(session, expr);
        let text = |value: f64| if value.is_finite() { readout::value(value, unit) } else { String::new() };
        let ordinal = match self.lines.len() / 2 {
            0 => String::new(),
            n => format!(" ({})", n + 1),
        };
        self.lines.push((format!("{} from{ordinal}", bare(expr)), text(lo)));
        self.lines.push((format!("{} to below{ordinal}", bare(expr)), text(hi)));
    }

    fn text(&self, line: usize) -> &str {
        self.lines.get(line).map_or("", |(_, text)| text.trim())
    }

    /// The interval typed in two lines; blank is no end.
    fn interval(&self, session: &Session, expr: &str, line: usize) -> Result<(f64, f64), String> {
        let unit = unit_of(session, expr);
        let end = |line: usize, none: f64| match self.text(line) {
            "" => Ok(none),
            text => number(text, unit),
        };
        let (lo, hi) = (end(line, f64::NEG_INFINITY)?, end(line + 1, f64::INFINITY)?);
        if lo < hi { Ok((lo, hi)) } else { Err("the upper bound must be above the lower".to_owned()) }
    }

    /// The predicate with its numbers as typed; an error names the one that is wrong.
    fn applied(&self, session: &Session, predicate: &PredicateSpec) -> Result<PredicateSpec, String> {
        Ok(match predicate {
            PredicateSpec::Interval { expr, .. } | PredicateSpec::Intervals { expr, .. } => {
                let mut brushed = Brushed { missing: self.missing == Some(true), ..Brushed::default() };
                let lines = (0..self.lines.len()).step_by(2);
                let blank = |line: &usize| self.text(*line).is_empty() && self.text(*line + 1).is_empty();
                for line in lines.filter(|line| *line == 0 || !blank(line)) {
                    brushed = brushed.with(self.interval(session, expr, line)?);
                }
                brushed.predicate(expr)
            }
            PredicateSpec::Rect { x, y, .. } => {
                let finite = |(lo, hi): (f64, f64)| match lo.is_finite() && hi.is_finite() {
                    true => Ok([lo, hi]),
                    false => Err("a rectangle needs all four numbers".to_owned()),
                };
                PredicateSpec::Rect {
                    x: x.clone(),
                    x_range: finite(self.interval(session, x, 0)?)?,
                    y: y.clone(),
                    y_range: finite(self.interval(session, y, 2)?)?,
                }
            }
            PredicateSpec::Lasso { x, y, more, .. } => {
                let shape = |(nth, shape): (usize, &Shape)| {
                    let corners = corners(self.text(nth + 1), session, x, y)?;
                    Ok::<_, String>(Shape { corners, ..*shape })
                };
                PredicateSpec::Lasso {
                    x: x.clone(),
                    y: y.clone(),
                    corners: corners(self.text(0), session, x, y)?,
                    more: more.iter().enumerate().map(shape).collect::<Result<_, _>>()?,
                }
            }
            PredicateSpec::Categories { expr, .. } => PredicateSpec::Categories {
                expr: expr.clone(),
                values: self.lines.iter().map(|(_, text)| text.clone()).collect(),
                missing: self.missing == Some(true),
            },
            PredicateSpec::Groups { keys, .. } => PredicateSpec::Groups {
                keys: keys.clone(),
                conditions: self.lines.iter().map(|(_, text)| text.clone()).collect(),
            },
            PredicateSpec::Where { text } => PredicateSpec::Where { text: text.clone() },
        })
    }
}

fn number(text: &str, unit: Unit) -> Result<f64, String> {
    readout::parse(text, unit).ok_or_else(|| match unit {
        Unit::Time(_) => format!("`{text}` is no time such as 2024-05-17 or 2024-05-17T08:30:00"),
        _ => format!("`{text}` is no number"),
    })
}

fn corners(text: &str, session: &Session, x: &CutAxis, y: &CutAxis) -> Result<Vec<[f64; 2]>, String> {
    let (x, y) = (unit_of(session, &x.expr), unit_of(session, &y.expr));
    let corner = |corner: &str| {
        let (left, right) = corner.trim().split_once(' ').ok_or("a corner is two numbers: x y".to_owned())?;
        Ok::<_, String>([number(left, x)?, number(right, y)?])
    };
    let corners = text.split(';').filter(|corner| !corner.trim().is_empty()).map(corner);
    let corners: Vec<[f64; 2]> = corners.collect::<Result<_, _>>()?;
    if corners.len() < 3 { Err("a lasso has three corners or more".to_owned()) } else { Ok(corners) }
}

fn edit(app: &mut App, response: &Response, at: usize, spec: &FilterSpec) {
    form(response).show(|ui| {
        if let PredicateSpec::Where { .. } = spec.predicate {
            let applied =
                strip::condition(ui, &mut app.strip.condition, &app.session, &mut app.engine, "Apply");
            if let Some(text) = applied {
                let changed = FilterSpec { predicate: PredicateSpec::Where { text }, ..spec.clone() };
                app.commands.push(Command::ReplaceFilter(at, changed));
                ui.close();
            }
            return;
        }
        ui.set_width(260.0);
        let typed = &mut app.strip.typed;
        for (name, text) in &mut typed.lines {
            ui.label(egui::RichText::new(name.as_str()).small().weak());
            text_field::line(ui, text, name, "no bound", 240.0);
        }
        if let Some(missing) = &mut typed.missing {
            ui.checkbox(missing, "missing values too");
        }
        if let PredicateSpec::Interval { expr, .. } | PredicateSpec::Intervals { expr, .. } = &spec.predicate
            && ui.add(egui::Button::new("+ interval").frame(false)).clicked()
        {
            typed.add(&app.session, expr, (f64::NEG_INFINITY, f64::INFINITY));
        }
        let changed = typed.applied(&app.session, &spec.predicate);
        if let Err(message) = &changed {
            text_field::message(ui, Err(message));
        }
        let entered = ui.input(|input| input.key_pressed(Key::Enter));
        let clicked = ui.add_enabled(changed.is_ok(), egui::Button::new("Apply")).clicked();
        if let Ok(predicate) = changed
            && (entered || clicked)
        {
            app.commands.push(Command::ReplaceFilter(at, FilterSpec { predicate, ..spec.clone() }));
            ui.close();
        }
    });
}
