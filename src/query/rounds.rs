//! Measures that one pass cannot answer exactly in bounded memory: quantiles and distinct values of large
//! grids are searched for in further passes.

use super::compile::{Compiled, Shape};
use super::measure::Searching;
use super::pass::{Partial, Pass};
use super::{Ask, QueryError, Question};
use crate::aggregate::{Lanes, is_searchable};

/// Rows of a table from which on there is a search; the values of fewer are kept.
const MANY: u64 = 1 << 20;

/// The searches of every question of a pass over `rows` rows, once the pass is set to begin them.
pub(super) fn begin(pass: &mut Pass, questions: &[Question], rows: u64) -> Vec<Vec<Searching>> {
    let begun = |(compiled, question): (&mut Compiled, &Question)| match (&compiled.shape, &question.ask) {
        (&Shape::Grid { cells, .. }, Ask::Grid { .. }) if rows >= MANY && is_searchable(cells) => {
            let searches = compiled.measures.searches(cells);
            compiled.measures.look_for(&searches, false);
            searches
        }
        _ => Vec::new(),
    };
    pass.questions.iter_mut().zip(questions).map(begun).collect()
}

/// Goes on with the searches that a first pass began and puts what they find into its `totals`. `run` makes one
/// more pass and gives its totals.
pub(super) fn finish(
    mut searches: Vec<Vec<Searching>>,
    totals: &mut [Partial],
    questions: &[Question],
    mut run: impl FnMut(&Pass) -> Result<Vec<Partial>, QueryError>,
) -> Result<(), QueryError> {
    for (searches, partial) in searches.iter_mut().zip(&mut *totals) {
        let Partial::Grid(lanes) = partial else { continue };
        for searching in searches {
            searching.search.take(searching.input, searching.lane, lanes, None);
        }
    }
    loop {
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
