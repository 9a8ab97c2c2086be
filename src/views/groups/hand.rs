//! Lines of a table of groups under the hand: a click filters to the group.

use egui::Ui;

use super::Table;
use crate::session::{Brushed, Command, FilterSpec, Gesture, PredicateSpec, Session, ViewSpec};
use crate::views::{ViewContext, bin_menu, brushing};

/// The filter of the table's own keys, if it counts.
pub(super) struct Chosen {
    predicate: PredicateSpec,
    inverted: bool,
}

impl Chosen {
    pub(super) fn of(view: &ViewSpec, cx: &ViewContext<'_>) -> Option<Chosen> {
        let (_, spec) = cx.session.filter_of(view).filter(|(_, spec)| spec.enabled)?;
        Some(Chosen { predicate: spec.predicate.clone(), inverted: spec.inverted })
    }

    /// Whether a group passes.
    pub(super) fn passes(&self, table: &Table<'_>, group: usize, session: &Session) -> bool {
        let own = predicate(table, group, session);
        own.is_some_and(|own| holds(&self.predicate, &own)) != self.inverted
    }
}

fn predicate(table: &Table<'_>, group: usize, session: &Session) -> Option<PredicateSpec> {
    table.grouping.predicate(session.dataset()?, table.groups, group)
}

/// Whether a filter names all that the filter to one group does.
fn holds(filter: &PredicateSpec, group: &PredicateSpec) -> bool {
    match (filter, group) {
        (
            PredicateSpec::Categories { values, missing, .. },
            PredicateSpec::Categories { values: own, missing: own_missing, .. },
        ) => own.iter().all(|value| values.contains(value)) && (*missing || !own_missing),
        (PredicateSpec::Groups { conditions, .. }, PredicateSpec::Groups { conditions: own, .. }) => {
            own.iter().all(|condition| conditions.contains(condition))
        }
        (filter, group) => match (Brushed::of(filter), Brushed::of(group)) {
            (Some(filter), Some(group)) => filter.holds(&group),
            _ => false,
        },
    }
}

/// The filter with the group's own put in, or taken out where it is in; `None` where nothing is left.
fn toggled(filter: &PredicateSpec, group: &PredicateSpec) -> Option<PredicateSpec> {
    let put = |list: &[String], own: &[String]| -> Vec<String> {
        let left = list.iter().filter(|value| !own.contains(value));
        left.chain(own.iter().filter(|value| !list.contains(value))).cloned().collect()
    };
    match (filter, group) {
        (
            PredicateSpec::Categories { expr, values, missing },
            PredicateSpec::Categories { values: own, missing: own_missing, .. },
        ) => {
            let (values, missing) = (put(values, own), missing != own_missing);
            let is_some = missing || !values.is_empty();
            is_some.then(|| PredicateSpec::Categories { expr: expr.clone(), values, missing })
        }
        (PredicateSpec::Groups { keys, conditions }, PredicateSpec::Groups { conditions: own, .. }) => {
            let conditions = put(conditions, own);
            let is_some = !conditions.is_empty();
            is_some.then(|| PredicateSpec::Groups { keys: keys.clone(), conditions })
        }
        (filter, group) => {
            let (all, own) = (Brushed::of(filter)?, Brushed::of(group)?);
            let changed = if all.holds(&own) { all.difference(&own) } else { all.union(&own) };
            let (PredicateSpec::Interval { expr, .. } | PredicateSpec::Intervals { expr, .. }) = group else {
                return None;
            };
            (!changed.is_empty()).then(|| changed.predicate(expr))
        }
    }
}

/// Filters to a group; with Shift puts it in or takes it out. Choosing the only one again clears.
pub(super) fn choose(
    ui: &Ui,
    table: &Table<'_>,
    group: usize,
    chosen: &Option<Chosen>,
    cx: &mut ViewContext<'_>,
) {
    let Some(own) = predicate(table, group, cx.session) else { return };
    let adds = ui.input(|input| input.modifiers.shift);
    let wanted = match chosen {
        Some(chosen) if adds => toggled(&chosen.predicate, &own),
        Some(chosen) if chosen.predicate == own => None,
        _ => Some(own),
    };
    match wanted {
        Some(predicate) => {
            let inverted = adds && chosen.as_ref().is_some_and(|chosen| chosen.inverted);
            let filter = FilterSpec { predicate, inverted, enabled: true };
            cx.commands.push(Command::SetFilter(filter, Gesture::Begin));
        }
        None => brushing::clear(table.view, cx),
    }
}

/// What the menu of a line is about.
pub(super) fn menu(
    table: &Table<'_>,
    group: usize,
    chosen: &Option<Chosen>,
    session: &Session,
) -> Option<bin_menu::Bar> {
    let own = predicate(table, group, session)?;
    let keep = FilterSpec::new(own.clone());
    let exclude = match chosen {
        Some(chosen) if holds(&chosen.predicate, &own) != chosen.inverted => {
            let predicate = toggled(&chosen.predicate, &own);
            predicate.map(|predicate| FilterSpec { predicate, inverted: chosen.inverted, enabled: true })
        }
        _ => None,
    };
    let exclude = exclude.unwrap_or(FilterSpec { inverted: true, ..keep.clone() });
    let cells = (0..table.columns()).map(|column| table.cell(column, group).unwrap_or_default());
    Some(bin_menu::Bar {
        name: table.name(group),
        copied: cells.collect::<Vec<_>>().join("\t"),
        keep,
        exclude,
        has_bounds: false,
    })
}
