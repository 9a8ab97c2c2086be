//! What every chart asks: its question of the rows selected, and of all rows for the ghost behind them.

use std::sync::Arc;

use super::frame::Blank;
use super::state::Shown;
use super::{ViewContext, ViewState, slot};
use crate::engine::Freshness;
use crate::query::{Answer, Estimate};
use crate::select::Selection;
use crate::session::{ViewKind, ViewSpec, questions};

/// The answers a chart is painted from.
pub(super) struct Asked {
    /// Under all filters but the view's own.
    pub selected: Arc<Answer>,
    /// Of all rows, over the same axes; absent while it is computed.
    pub all: Option<Arc<Answer>>,
    /// Whether `selected` answers an earlier question.
    pub stale: bool,
    /// What `selected` is known to, where it comes from a sample.
    pub estimate: Option<Arc<Estimate>>,
}

/// Asks the question of `view` over the axes last cut.
pub(super) fn ask(view: &ViewSpec, state: &mut ViewState, cx: &mut ViewContext<'_>) -> Result<Asked, Blank> {
    let dataset = cx.session.dataset().ok_or_else(|| Blank::wrong("No file is open."))?;
    let question = |selection| questions::question(dataset, view, &state.axes, selection);
    let all = question(Selection::all()).map_err(Blank::wrong)?;
    let selected = question(cx.session.selection_for(view)).map_err(Blank::wrong)?;
    let ghost = cx.answers.unbrushed(slot(view.id, 2), &all);
    let reply = cx.answers.answer(slot(view.id, 3), &selected);
    if let Freshness::Failed(error) = &reply.freshness {
        return Err(Blank::unanswered(error));
    }
    state.overflowed.clone_from(&reply.overflowed);
    let stale = matches!(reply.freshness, Freshness::Stale(_));
    let is_exact = reply.freshness == Freshness::Final;
    let estimate = reply.estimate.filter(|_| !stale);
    let Some(selected) = reply.answer.filter(|answer| fits(answer, view, state)) else {
        return Err(Blank::Waiting(match (reply.freshness, ghost.freshness) {
            (Freshness::Stale(progress), _) | (_, Freshness::Stale(progress)) => progress,
            _ => Default::default(),
        }));
    };
    let all = ghost.answer.filter(|all| is_comparable(all, &selected));
    if !stale {
        state.is_filtered = !cx.session.selection().is_all();
    }
    state.estimate = estimate.clone();
    // What is exported is exact and of these filters, or waits.
    let all_exact = all.clone().filter(|_| ghost.freshness == Freshness::Final);
    state.shown = is_exact.then(|| Shown { selected: selected.clone(), all: all_exact });
    Ok(Asked { selected, all, stale, estimate })
}

/// Whether an answer, late or not, can be painted as the view's: over other bins it is only late, of
/// another shape it belongs to what the view was before.
fn fits(answer: &Answer, view: &ViewSpec, state: &ViewState) -> bool {
    match view.kind {
        ViewKind::Histogram | ViewKind::Heatmap | ViewKind::Number => {
            answer.grid().is_some_and(|grid| grid.axes.len() == state.axes.len())
        }
        ViewKind::Bars | ViewKind::Groups => answer.groups().is_some(),
        ViewKind::Rows => false,
    }
}

fn is_comparable(all: &Answer, selected: &Answer) -> bool {
    match (all, selected) {
        (Answer::Grid(all), Answer::Grid(selected)) => all.axes == selected.axes,
        (Answer::Groups(_), Answer::Groups(_)) => true,
        _ => false,
    }
}
