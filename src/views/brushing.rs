//! A brush under the hand: from pointer and keys to filters.

use egui::accesskit::{Action, Role};
use egui::{EventFilter, Id, Key, Rect, Response, Sense, Ui, WidgetInfo};

use super::ViewContext;
use super::paint::axis::AxisMap;
use super::paint::brush::{Drag, Interval, Part, nudged};
use crate::session::{Brushed, Command, FilterSpec, Gesture, PredicateSpec, ViewSpec};

/// A drag under way.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Held {
    /// Of one interval of a brush.
    Interval {
        /// What becomes of it.
        drag: Drag,
        /// What the brush holds beside it.
        rest: Brushed,
        /// Whether it is taken out of the rest rather than added.
        takes_out: bool,
    },
    /// Of a rectangle.
    Rectangle {
        /// Along the horizontal axis.
        x: Drag,
        /// Along the vertical axis.
        y: Drag,
    },
    /// Of a lasso: the corners so far, in values of both axes.
    Lasso(Vec<[f64; 2]>),
}

/// The brush of a view being dragged, if any.
#[derive(Debug, Default)]
pub(super) struct Brushing {
    held: Option<Held>,
    inverted: bool,
    /// Whether this drag has changed the filter already.
    changed: bool,
}

impl Brushing {
    /// Whether a drag is under way.
    pub(super) fn is_active(&self) -> bool {
        self.held.is_some()
    }

    /// Takes hold; `inverted` says whether the filter it makes is to be the complement.
    pub(super) fn begin(&mut self, held: Held, inverted: bool) {
        *self = Brushing { held: Some(held), inverted, changed: false };
    }

    /// What is held.
    pub(super) fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    /// What is held, to be continued.
    pub(super) fn held_mut(&mut self) -> Option<&mut Held> {
        self.held.as_mut()
    }

    /// Lets go.
    pub(super) fn end(&mut self) {
        self.held = None;
    }

    /// Says that the view's filter is to be `predicate`, if it is not already.
    pub(super) fn set(&mut self, view: &ViewSpec, predicate: PredicateSpec, cx: &mut ViewContext<'_>) {
        let existing = cx.session.filter_of(view).map(|(_, spec)| spec);
        // A nudge by keys is no drag: each is a step of its own.
        let inverted = match self.is_active() {
            true => self.inverted,
            false => existing.is_some_and(|spec| spec.inverted),
        };
        let filter = FilterSpec { predicate, inverted, enabled: true };
        if existing == Some(&filter) {
            return;
        }
        let goes_on = self.changed && self.is_active();
        let gesture = if goes_on { Gesture::Continue } else { Gesture::Begin };
        self.changed = true;
        cx.commands.push(Command::SetFilter(filter, gesture));
    }
}

/// Sets the filter of a dimension by one step.
pub(super) fn replace(predicate: PredicateSpec, cx: &mut ViewContext<'_>) {
    cx.commands.push(Command::SetFilter(FilterSpec::new(predicate), Gesture::Begin));
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

fn end_name(part: Part) -> &'static str {
    if part == Part::Lower { "lower" } else { "upper" }
}

/// The id of an edge of the brush called `name`.
pub(super) fn edge_id(ui: &Ui, name: &str, part: Part) -> Id {
    ui.scope_id().with(("edge", name, end_name(part)))
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
    let id = edge_id(ui, name, part);
    let end = end_name(part);
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
