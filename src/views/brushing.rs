//! A brush under the hand: from pointer and keys to filters.

use egui::accesskit::{Action, Role};
use egui::{EventFilter, Id, Key, Rect, Response, Sense, Ui, WidgetInfo};

use super::ViewContext;
use super::paint::axis::AxisMap;
use super::paint::brush::{Drag, Interval, Part, nudged};
use crate::session::{Command, FilterSpec, Gesture, PredicateSpec, ViewSpec};

/// A drag under way: one interval, or two of a rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Held {
    /// Along the horizontal axis.
    pub x: Drag,
    /// Along the vertical axis of a plane.
    pub y: Option<Drag>,
}

/// The brush of a view being dragged, if any.
#[derive(Debug, Default)]
pub(super) struct Brushing {
    held: Option<Held>,
    /// Whether this drag has changed the filter already.
    changed: bool,
}

impl Brushing {
    /// Whether a drag is under way.
    pub(super) fn is_active(&self) -> bool {
        self.held.is_some()
    }

    /// Takes hold.
    pub(super) fn begin(&mut self, held: Held) {
        self.held = Some(held);
        self.changed = false;
    }

    /// What is held.
    pub(super) fn held(&self) -> Option<Held> {
        self.held
    }

    /// Lets go.
    pub(super) fn end(&mut self) {
        self.held = None;
    }

    /// Says that the view's filter is to be `predicate`, if it is not already.
    pub(super) fn set(&mut self, view: &ViewSpec, predicate: PredicateSpec, cx: &mut ViewContext<'_>) {
        let existing = cx.session.filter_of(view).map(|(_, spec)| spec);
        if existing.is_some_and(|spec| spec.predicate == predicate && spec.enabled) {
            return;
        }
        // A nudge by keys is no drag: each is a step of its own.
        let goes_on = self.changed && self.is_active();
        let gesture = if goes_on { Gesture::Continue } else { Gesture::Begin };
        self.changed = true;
        let inverted = existing.is_some_and(|spec| spec.inverted);
        cx.commands.push(Command::SetFilter(FilterSpec { predicate, inverted, enabled: true }, gesture));
    }
}

/// Removes the view's own filter.
pub(super) fn clear(view: &ViewSpec, cx: &mut ViewContext<'_>) {
    if let Some((at, _)) = cx.session.filter_of(view) {
        cx.commands.push(Command::RemoveFilter(at));
    }
}

/// Whether the person asks for the view's brush to be cleared: a double click, or Esc while the view
/// has the focus and nobody else wants the key.
pub(super) fn wants_clear(ui: &Ui, response: &Response, view: &ViewSpec, cx: &ViewContext<'_>) -> bool {
    let escape = cx.focused == Some(view.id)
        && !ui.ctx().text_edit_focused()
        && !ui.ctx().any_popup_open()
        && ui.input(|input| input.key_pressed(Key::Escape));
    response.double_clicked() || escape
}

/// An edge of a brush as something that can be found by name, focused, and moved by keys. Returns the
/// interval it is moved to.
pub(super) fn edge(
    ui: &Ui,
    rect: Rect,
    map: &AxisMap,
    brush: Interval,
    part: Part,
    name: &str,
    value_text: &str,
) -> (Id, Option<Interval>) {
    let end = if part == Part::Lower { "lower" } else { "upper" };
    let id = ui.scope_id().with(("edge", name, end));
    let response = ui.interact(rect, id, Sense::focusable_noninteractive());
    let value = if part == Part::Lower { brush.0 } else { brush.1 };
    let name = format!("{name}, {end} edge");
    response.widget_info(|| WidgetInfo::slider(true, value, &name));
    ui.ctx().accesskit_node_builder(id, |node| {
        node.set_role(Role::Slider);
        node.set_value(value_text);
        node.add_action(Action::Increment);
        node.add_action(Action::Decrement);
    });
    let mut steps = 0;
    ui.input(|input| {
        steps += input.num_accesskit_action_requests(id, Action::Increment) as i64;
        steps -= input.num_accesskit_action_requests(id, Action::Decrement) as i64;
    });
    if response.has_focus() {
        let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
        ui.input(|input| {
            for event in &input.events {
                let egui::Event::Key { key, pressed: true, modifiers, .. } = event else { continue };
                let pace = if modifiers.shift { 10 } else { 1 };
                match key {
                    Key::ArrowRight | Key::ArrowUp => steps += pace,
                    Key::ArrowLeft | Key::ArrowDown => steps -= pace,
                    _ => {}
                }
            }
        });
    }
    let moved = (steps != 0).then(|| nudged(map, brush, part, steps)).filter(|moved| *moved != brush);
    (id, moved)
}

/// Where the hand holds what it drags: in the frame in which the button is let go, the place where it
/// was, however far the pointer has gone since.
pub(super) fn hand(ui: &Ui, response: &egui::Response) -> Option<egui::Pos2> {
    let let_go = ui.input(|input| {
        input.events.iter().find_map(|event| match event {
            egui::Event::PointerButton {
                pos, button: egui::PointerButton::Primary, pressed: false, ..
            } => Some(*pos),
            _ => None,
        })
    });
    let_go.or_else(|| response.interact_pointer_pos())
}
