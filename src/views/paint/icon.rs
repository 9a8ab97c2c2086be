//! Icons painted as strokes on a 12-point square, in the colour of the text beside them.

use egui::{Color32, Painter, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo, pos2, vec2};

use crate::data::Kind;
use crate::views::theme::Theme;

/// What an icon says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// Take away.
    Close,
    /// Opens a list below.
    Caret,
    /// More to do.
    More,
    /// The complement.
    Invert,
    /// Something new.
    Plus,
    /// Take back.
    Undo,
    /// Make again.
    Redo,
    /// Find.
    Search,
    /// A polygon drawn by hand.
    Lasso,
    /// On, or off.
    Toggle(bool),
    /// Went wrong.
    Warning,
    /// Continuous numbers.
    Number,
    /// Whole numbers.
    Whole,
    /// Text.
    Text,
    /// True or false.
    Truth,
    /// A point or a length of time.
    Clock,
    /// Computed from other columns.
    Function,
    /// Of no known kind.
    Unknown,
}

impl Icon {
    /// The icon of a kind of column.
    pub fn of(kind: Kind) -> Icon {
        match kind {
            Kind::Float => Icon::Number,
            Kind::Integer => Icon::Whole,
            Kind::Text => Icon::Text,
            Kind::Bool => Icon::Truth,
            Kind::Time | Kind::Duration => Icon::Clock,
            Kind::Other => Icon::Unknown,
        }
    }
}

/// What a kind of column is called.
pub fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Float => "number",
        Kind::Integer => "whole number",
        Kind::Text => "text",
        Kind::Bool => "true or false",
        Kind::Time => "time",
        Kind::Duration => "length of time",
        Kind::Other => "other",
    }
}

/// Paints `icon` around `center`.
pub fn paint(painter: &Painter, icon: Icon, center: Pos2, color: Color32) {
    let stroke = Stroke::new(1.4, color);
    let at = |x: f32, y: f32| pos2(center.x + x, center.y + y);
    let line = |points: &[(f32, f32)]| {
        painter.add(Shape::line(points.iter().map(|&(x, y)| at(x, y)).collect(), stroke));
    };
    match icon {
        Icon::Close => {
            line(&[(-3.5, -3.5), (3.5, 3.5)]);
            line(&[(-3.5, 3.5), (3.5, -3.5)]);
        }
        Icon::Caret => line(&[(-3.0, -1.5), (0.0, 1.5), (3.0, -1.5)]),
        Icon::More => {
            for x in [-4.0, 0.0, 4.0] {
                painter.circle_filled(at(x, 0.0), 1.2, color);
            }
        }
        Icon::Invert => {
            painter.circle_stroke(center, 4.5, stroke);
            painter.add(Shape::convex_polygon(arc(center, 4.5, 90.0, 270.0, 12), color, Stroke::NONE));
        }
        Icon::Plus => {
            line(&[(-4.0, 0.0), (4.0, 0.0)]);
            line(&[(0.0, -4.0), (0.0, 4.0)]);
        }
        Icon::Undo | Icon::Redo => {
            let side = if icon == Icon::Undo { -1.0 } else { 1.0 };
            let turned = |points: &[(f32, f32)]| {
                painter.add(Shape::line(points.iter().map(|&(x, y)| at(x * side, y)).collect(), stroke));
            };
            turned(&[
                (3.5, 4.0),
                (-1.5, 4.0),
                (-3.6, 3.0),
                (-4.3, 1.2),
                (-3.6, -0.7),
                (-1.5, -1.7),
                (4.5, -1.7),
            ]);
            turned(&[(2.0, -4.4), (4.9, -1.7), (2.0, 1.0)]);
        }
        Icon::Search => {
            painter.circle_stroke(at(-1.0, -1.0), 3.6, stroke);
            line(&[(1.7, 1.7), (4.8, 4.8)]);
        }
        Icon::Lasso => {
            painter.add(Shape::ellipse_stroke(at(0.5, -1.5), vec2(4.8, 3.2), stroke));
            line(&[(-2.5, 1.2), (-3.8, 3.0), (-2.6, 4.8)]);
        }
        Icon::Toggle(on) => {
            let rect = Rect::from_center_size(center, vec2(9.0, 9.0));
            painter.rect_stroke(rect, 2, stroke, egui::StrokeKind::Inside);
            if on {
                line(&[(-2.6, 0.2), (-0.8, 2.2), (2.8, -2.2)]);
            }
        }
        Icon::Warning => {
            painter.add(Shape::closed_line(vec![at(0.0, -5.0), at(5.5, 4.5), at(-5.5, 4.5)], stroke));
            line(&[(0.0, -1.8), (0.0, 1.4)]);
            painter.circle_filled(at(0.0, 3.0), 0.8, color);
        }
        Icon::Number => {
            line(&[(-5.0, 3.5), (-3.0, 2.8), (-1.5, -2.5), (0.0, -4.0), (1.5, -2.5), (3.0, 2.8), (5.0, 3.5)])
        }
        Icon::Whole => {
            for (x, top) in [(-4.0, 0.0), (-1.3, -4.0), (1.3, -1.5), (4.0, 2.0)] {
                line(&[(x, 4.0), (x, top)]);
            }
        }
        Icon::Text => {
            line(&[(-4.0, -3.5), (4.0, -3.5)]);
            line(&[(0.0, -3.5), (0.0, 4.0)]);
        }
        Icon::Truth => {
            painter.circle_stroke(center, 4.2, stroke);
            painter.circle_filled(center, 1.8, color);
        }
        Icon::Clock => {
            painter.circle_stroke(center, 4.6, stroke);
            line(&[(0.0, -2.6), (0.0, 0.2), (2.0, 1.4)]);
        }
        Icon::Function => {
            line(&[(3.4, -4.2), (1.8, -4.6), (0.8, -3.4), (-0.8, 3.4), (-1.8, 4.6), (-3.4, 4.2)]);
            line(&[(-2.4, -0.8), (2.8, -0.8)]);
        }
        Icon::Unknown => {
            painter.circle_filled(center, 1.4, color);
        }
    }
}

/// Points along a circle between two angles in degrees, clockwise from the right.
fn arc(center: Pos2, radius: f32, from: f32, to: f32, steps: usize) -> Vec<Pos2> {
    let angle = |i: usize| (from + (to - from) * i as f32 / steps as f32).to_radians();
    (0..=steps).map(|i| center + radius * vec2(angle(i).cos(), angle(i).sin())).collect()
}

/// A button that is an icon and stays pressed while something is on.
pub fn toggle(ui: &mut Ui, icon: Icon, name: &str, on: bool) -> Response {
    let theme = Theme::current(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(theme.size.row - 4.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(egui::accesskit::Role::Button, true, on, name));
    if on || response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 4, if on { theme.active } else { theme.hover });
    }
    paint(ui.painter(), icon, rect.center(), if on { theme.accent } else { theme.weak });
    response.on_hover_text(name)
}

/// A button that is an icon; `name` is its name and its hint.
pub fn button(ui: &mut Ui, icon: Icon, name: &str, enabled: bool) -> Response {
    let theme = Theme::current(ui);
    let size = Vec2::splat(theme.size.row - 4.0);
    let sense = if enabled { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(size, sense);
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, enabled, name));
    if enabled && (response.hovered() || response.has_focus()) {
        ui.painter().rect_filled(rect, 4, theme.hover);
    }
    let color = match (enabled, response.hovered()) {
        (false, _) => theme.outline,
        (true, true) => theme.text,
        (true, false) => theme.weak,
    };
    paint(ui.painter(), icon, rect.center(), color);
    response.on_hover_text(name)
}
