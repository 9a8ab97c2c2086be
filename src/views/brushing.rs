//! A brush under the hand: from pointer and keys to filters.

use egui::accesskit::{Action, Role};
use egui::{EventFilter, Id, Key, PointerButton, Rect, Response, Sense, Ui, WidgetInfo};

use super::paint::axis::AxisMap;
use super::paint::brush::{self, Drag, Interval, Part, nudged};
use super::{ViewContext, ViewState};
use crate::session::{Brushed, Command, CutAxis, FilterSpec, Gesture, PredicateSpec, Shape, ViewSpec};

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
        /// What it is put to.
        others: Option<Others>,
    },
    /// Of a lasso.
    Lasso {
        /// The corners so far, in values of both axes.
        corners: Vec<[f64; 2]>,
        /// What it is put to.
        others: Option<Others>,
    },
}

/// The shapes of a plane beside the one being dragged.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Others {
    /// How the plane is cut.
    pub axes: [CutAxis; 2],
    /// The shapes.
    pub shapes: Vec<Shape>,
    /// Whether the one being dragged is taken out of them.
    pub takes_out: bool,
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

/// The filter of a view's own axis.
pub(super) struct Own {
    /// The values it names.
    pub brushed: Brushed,
    /// Whether it counts.
    pub enabled: bool,
    /// Whether the others pass.
    pub inverted: bool,
}

impl Own {
    /// That of `view`, if it is one of values.
    pub(super) fn of(view: &ViewSpec, cx: &ViewContext<'_>) -> Option<Own> {
        let (_, spec) = cx.session.filter_of(view)?;
        let brushed = Brushed::of(&spec.predicate)?;
        Some(Own { brushed, enabled: spec.enabled, inverted: spec.inverted })
    }

    /// Whether a value passes.
    pub(super) fn passes(&self, value: f64) -> bool {
        self.brushed.contains(value) != self.inverted
    }

    /// What passes.
    pub(super) fn passing(&self) -> Brushed {
        if self.inverted { self.brushed.complement() } else { self.brushed.clone() }
    }
}

/// Which part of which interval lies under a place; an edge goes before an inside.
pub(super) fn part_at(map: &AxisMap, brushed: &Brushed, at: f32, grab: f32) -> (Part, Option<usize>) {
    let rank = |part| match part {
        Part::Lower | Part::Upper => 0,
        Part::Inside => 1,
        Part::Outside => 2,
    };
    let parts = brushed.intervals.iter().enumerate();
    let parts = parts.map(|(nth, &interval)| (brush::part_at(map, Some(interval), at, grab), Some(nth)));
    parts.min_by_key(|(part, _)| rank(*part)).unwrap_or((Part::Outside, None))
}

/// Takes hold, where a drag begins: of an edge or the inside of an interval, or, with Shift or Alt or beside
/// all of them, of a new one. Returns which edge of which interval was taken.
pub(super) fn begin(
    ui: &Ui,
    response: &Response,
    map: &AxisMap,
    own: Option<&Own>,
    state: &mut ViewState,
    cx: &ViewContext<'_>,
) -> Option<(usize, Part)> {
    if !response.drag_started_by(PointerButton::Primary) {
        return None;
    }
    let origin = ui.input(|input| input.pointer.press_origin())?.x;
    let modifiers = ui.input(|input| input.modifiers);
    let mut hold = |drag, rest, takes_out, inverted| {
        state.brushing.begin(Held::Interval { drag, rest, takes_out }, inverted);
    };
    let new = Drag::New { origin };
    if modifiers.shift || modifiers.alt {
        // Of no brush at all everything passes; something can be taken out of that.
        let passing = match own.filter(|own| own.enabled) {
            Some(own) => own.passing(),
            None if modifiers.alt => Brushed::all(),
            None => Brushed::default(),
        };
        hold(new, passing, modifiers.alt, false);
        return None;
    }
    let under = own.map(|own| (own, part_at(map, &own.brushed, origin, cx.theme.size.grab)));
    let Some((own, (part, Some(nth)))) = under.filter(|(_, (part, _))| *part != Part::Outside) else {
        hold(new, Brushed::default(), false, false);
        return None;
    };
    let interval = own.brushed.intervals[nth];
    let rest = own.brushed.clone().without(interval);
    hold(Drag::begin(part, origin, Some(interval)), rest, false, own.inverted);
    matches!(part, Part::Lower | Part::Upper).then_some((nth, part))
}

/// What the brush being dragged holds with the hand where it is, and the interval under the hand.
pub(super) fn follow(
    ui: &Ui,
    response: &Response,
    map: &AxisMap,
    state: &ViewState,
) -> Option<(Brushed, Interval)> {
    let Some(Held::Interval { drag, rest, takes_out }) = state.brushing.held() else { return None };
    let pointer = hand(ui, response)?;
    let snap = !ui.input(|input| input.modifiers.ctrl);
    let interval = drag.interval(map, pointer.x, snap);
    let rest = rest.clone();
    ui.ctx().request_repaint();
    Some((if *takes_out { rest.without(interval) } else { rest.with(interval) }, interval))
}

/// Sets the filter wanted, and lets go of the brush once the button is up.
pub(super) fn take(
    ui: &Ui,
    response: &Response,
    view: &ViewSpec,
    wanted: Option<PredicateSpec>,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) {
    if let Some(predicate) = wanted {
        state.brushing.set(view, predicate, cx);
    }
    if response.drag_stopped() || !ui.input(|input| input.pointer.any_down()) {
        state.brushing.end();
    }
}

/// Filters to some values; with Shift puts them in or takes them out. Choosing what is chosen clears.
pub(super) fn choose(
    ui: &Ui,
    view: &ViewSpec,
    own: Option<&Own>,
    values: &Brushed,
    cx: &mut ViewContext<'_>,
) {
    let Some(axis) = &view.x else { return };
    let passing = own.filter(|own| own.enabled).map(Own::passing);
    let wanted = match passing {
        Some(passing) if ui.input(|input| input.modifiers.shift) => {
            if passing.holds(values) {
                passing.difference(values)
            } else {
                passing.union(values)
            }
        }
        Some(passing) if passing == *values => Brushed::default(),
        _ => values.clone(),
    };
    if wanted.is_empty() {
        clear(view, cx);
    } else {
        replace(wanted.predicate(&axis.expr), cx);
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
        && ui.memory(|memory| memory.top_modal_layer().is_none())
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
