//! Measures that one pass cannot answer exactly in bounded memory: quantiles and distinct values of large
//! tables are searched for in further passes; bins of values are laid over extents found in one before.

use super::compile::{Compiled, Shape};
use super::groups::GroupTotal;
use super::measure::Searching;
use super::pass::{Partial, Pass};
use super::{Ask, Key, Listing, Measure, QueryError, Question};
use crate::aggregate::{Aggregate, Lanes, Round};
use crate::expr::Expr;
use crate::select::{Clause, Selection};

/// Rows of a table from which on numbers are searched for; those of fewer are kept.
pub(super) const MANY: u64 = 1 << 20;

/// The searches of every question of a pass over `rows` rows, once the pass is set to begin them.
pub(super) fn begin(pass: &mut Pass, questions: &[Question], rows: u64) -> Vec<Vec<Searching>> {
    let begun = |(compiled, question): (&mut Compiled, &Question)| match (&compiled.shape, &question.ask) {
        (&Shape::Grid { cells, .. }, Ask::Grid { .. }) => {
            let mut searches = compiled.measures.searches(cells);
            let is_worth_it = |s: &Searching| rows >= MANY || matches!(s.search.round(), Some(Round::Groups));
            searches.retain(|s| s.search.is_possible() && is_worth_it(s));
            compiled.measures.look_for(&searches, false);
            searches
        }
        _ => Vec::new(),
    };
    pass.questions.iter_mut().zip(questions).map(begun).collect()
}

/// Cuts the values of those measures that cut them, over their extents in the whole table: filters must not
/// move a bin. `run` makes a pass and gives its totals.
pub(super) fn cut(
    pass: &mut Pass,
    questions: &[Question],
    mut run: impl FnMut(&Pass) -> Result<Vec<Partial>, QueryError>,
) -> Result<(), QueryError> {
    let mut exprs: Vec<Expr> = Vec::new();
    for compiled in &pass.questions {
        for (input, _) in compiled.measures.uncut() {
            let new = compiled.measures.sources()[input].0.iter().filter(|expr| !exprs.contains(expr));
            let new: Vec<Expr> = new.cloned().collect();
            exprs.extend(new);
        }
    }
    let Some(first) = questions.first().filter(|_| !exprs.is_empty()) else { return Ok(()) };
    let end = |name| move |expr: &Expr| Measure::new(Aggregate::named(name)?, Some(expr.clone())).ok();
    let ends = exprs.iter().filter_map(end("finite_min")).chain(exprs.iter().filter_map(end("finite_max")));
    let ask = Ask::Grid { axes: Vec::new(), measures: ends.collect() };
    let question = Question::new(first.dataset.clone(), Selection::all(), ask);
    let extents = Pass::compile(std::slice::from_ref(&question))?;
    let Some(Partial::Grid(lanes)) = run(&extents)?.pop() else { return Ok(()) };
    let grid = extents.questions[0].finish_grid(&lanes, &question.ask)?;
    let extent_of = |expr: &Expr| {
        let at = exprs.iter().position(|known| known == expr)?;
        let ends = [grid.measure(at)[0], grid.measure(exprs.len() + at)[0]];
        ends.iter().all(|end| end.is_finite()).then_some(ends)
    };
    for compiled in &mut pass.questions {
        for (input, bins) in compiled.measures.uncut() {
            if let [x, y] = compiled.measures.sources()[input].0.as_slice()
                && let (Some(x), Some(y)) = (extent_of(x), extent_of(y))
            {
                compiled.measures.cut(input, [x, y], bins);
            }
        }
    }
    Ok(())
}

/// Goes on with the searches that the first pass, `begun`, began and puts what they find into its `totals`. `run`
/// makes one more pass and gives its totals; `distinct` is [`GroupTotal::distinct`].
pub(super) fn finish(
    begun: &Pass,
    mut searches: Vec<Vec<Searching>>,
    totals: &mut [Partial],
    questions: &[Question],
    mut run: impl FnMut(&Pass) -> Result<Vec<Partial>, QueryError>,
    distinct: impl Fn(GroupTotal, &Compiled, &[usize]) -> Result<Vec<u64>, QueryError>,
) -> Result<(), QueryError> {
    for (searches, partial) in searches.iter_mut().zip(&mut *totals) {
        let Partial::Grid(lanes) = partial else { continue };
        for searching in searches {
            searching.search.take(searching.input, searching.lane, lanes, None);
        }
    }
    loop {
        for (q, searches) in searches.iter_mut().enumerate() {
            let (Shape::Grid { slots, .. }, Partial::Grid(lanes)) =
                (&begun.questions[q].shape, &mut totals[q])
            else {
                continue;
            };
            for Searching { input, lane, search } in searches {
                if let Some(Round::Groups) = search.round() {
                    let groups = by_values(&questions[q], &begun.questions[q].measures.sources()[*input]);
                    let mut pass = Pass::compile(std::slice::from_ref(&groups))?;
                    let found = run(&pass)?.pop().zip(pass.questions.pop());
                    let Some((Partial::AllGroups(found), compiled)) = found else {
                        return Err(QueryError::Panicked("values were not grouped".to_owned()));
                    };
                    search.tell(distinct(*found, &compiled, slots)?, *input, *lane, lanes);
                }
            }
        }
        searches.iter_mut().for_each(|searches| searches.retain(|s| s.search.round().is_some()));
        let open: Vec<usize> = (0..searches.len()).filter(|&q| !searches[q].is_empty()).collect();
        if open.is_empty() {
            return Ok(());
        }
        let asked: Vec<Question> = open.iter().map(|&q| questions[q].clone()).collect();
        let mut pass = Pass::compile(&asked)?;
        for (compiled, &q) in pass.questions.iter_mut().zip(&open) {
            compiled.measures.look_for(&searches[q], true);
        }
        for (found, q) in run(&pass)?.into_iter().zip(open) {
            let (Partial::Grid(mut found), Partial::Grid(lanes)) = (found, &mut totals[q]) else { continue };
            let lanes: &mut Lanes = lanes;
            for searching in &mut searches[q] {
                searching.search.take(searching.input, searching.lane, &mut found, Some(lanes));
            }
        }
    }
}

/// The rows of a grid that count for a measure, grouped by cell and value.
fn by_values(question: &Question, (values, condition): &(Vec<Expr>, Option<Expr>)) -> Question {
    let axes: &[_] = if let Ask::Grid { axes, .. } = &question.ask { axes } else { &[] };
    let keys = axes.iter().cloned().map(Key::Binned).chain(values.iter().cloned().map(Key::Value)).collect();
    let condition = condition.iter().cloned().map(Clause::filter);
    let selection = Selection::of(question.selection.clauses().iter().cloned().chain(condition));
    let ask = Ask::Groups { keys, measures: Vec::new(), listing: Listing::default() };
    Question::new(question.dataset.clone(), selection, ask)
}
