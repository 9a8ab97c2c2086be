//! Exact quantiles in little memory: the bins that hold the wanted ranks are narrowed until their
//! distinct values can be counted one by one. All parts of one round share a pass over the rows.

use super::super::Failure;
use super::super::input::Table;
use crate::aggregate::{Bins, to_f64, widen};
use crate::expr::Expr;
use crate::query::{Answer, Ask, Axis, GroupKey, Key, Listing};
use crate::select::{Clause, Selection};

/// Bins of one round.
const BINS: usize = 1 << 16;
/// Rows of a bin whose values are counted one by one rather than binned again.
const FEW: u64 = 1 << 20;

/// Rows of consecutive ranks, some of which are wanted.
struct Part {
    rows: Selection,
    /// How the rows are told apart: by bins, or by value.
    bins: Option<Bins>,
    /// Rank of the first of the rows.
    first: u64,
    /// Ranks wanted, ascending.
    wanted: Vec<u64>,
}

/// The quantiles `q` of the non-missing values of `expr`, interpolated linearly between neighbours;
/// NaN of no values.
pub(super) fn quantiles(table: &Table, expr: &Expr, q: &[f64]) -> Result<Vec<f64>, Failure> {
    let measures = ["count", "finite_min", "finite_max"]
        .iter()
        .map(|name| table.measure("expr", &format!("{name}({expr})")))
        .collect::<Result<_, _>>()?;
    let ask = Ask::Grid { axes: Vec::new(), measures };
    let answer = table.answer("finding the extent", &table.question(&Selection::all(), ask))?;
    let extent = |m: usize| answer.grid().map_or(f64::NAN, |grid| grid.measure(m)[0]);
    let count = extent(0) as u64;
    if count == 0 {
        return Ok(vec![f64::NAN; q.len()]);
    }
    let places: Vec<f64> = q.iter().map(|q| q.clamp(0.0, 1.0) * (count - 1) as f64).collect();
    let mut wanted: Vec<u64> = places.iter().flat_map(|p| [p.floor() as u64, p.ceil() as u64]).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let bins = extent(1).is_finite().then(|| widen(extent(1), extent(2), BINS));
    let found = values_at(table, expr, Part { rows: Selection::all(), bins, first: 0, wanted })?;
    let at = |rank: f64| found.iter().find(|(r, _)| *r == rank as u64).map_or(f64::NAN, |(_, value)| *value);
    let between = |place: &f64| {
        let (below, above) = (at(place.floor()), at(place.ceil()));
        // Equal infinities have no difference.
        if below == above { below } else { below + (above - below) * place.fract() }
    };
    Ok(places.iter().map(between).collect())
}

/// The values at the wanted ranks.
fn values_at(table: &Table, expr: &Expr, whole: Part) -> Result<Vec<(u64, f64)>, Failure> {
    let mut found = Vec::new();
    let mut parts = vec![whole];
    while !parts.is_empty() {
        let question = |part: &Part| {
            let ask = match &part.bins {
                Some(bins) => {
                    let axes = vec![Axis { expr: expr.clone(), bins: bins.clone() }];
                    Ask::Grid { axes, measures: Vec::new() }
                }
                None => Ask::Groups {
                    keys: vec![Key::Value(expr.clone())],
                    measures: Vec::new(),
                    listing: Listing::default(),
                },
            };
            table.question(&part.rows, ask)
        };
        let questions: Vec<_> = parts.iter().map(question).collect();
        let answers = table.answers("counting", &questions)?;
        let mut finer = Vec::new();
        for (part, answer) in parts.iter().zip(&answers) {
            match (&part.bins, answer) {
                (Some(bins), Answer::Grid(grid)) => {
                    let mut rank = part.first;
                    let in_order = [bins.under()].into_iter().chain(0..bins.count()).chain([bins.over()]);
                    for slot in in_order {
                        let wanted = part.wanted_within(rank, grid.counts[slot]);
                        match bins.edges().get(slot..slot + 2) {
                            _ if wanted.is_empty() => {}
                            Some(&[lo, hi]) => {
                                finer.push(Part::of_bin(expr, [lo, hi], grid.counts[slot], rank, wanted));
                            }
                            // The bins reach from the smallest to the largest finite value.
                            _ if slot == bins.under() => {
                                found.extend(wanted.into_iter().map(|w| (w, f64::NEG_INFINITY)));
                            }
                            _ => found.extend(wanted.into_iter().map(|w| (w, f64::INFINITY))),
                        }
                        rank += grid.counts[slot];
                    }
                }
                (None, Answer::Groups(groups)) => {
                    let GroupKey::Values(keys) = &groups.keys[0] else { continue };
                    let mut rank = part.first;
                    for (value, &count) in to_f64(keys).into_iter().zip(&groups.counts) {
                        if !value.is_nan() {
                            found.extend(part.wanted_within(rank, count).into_iter().map(|w| (w, value)));
                            rank += count;
                        }
                    }
                }
                _ => {}
            }
        }
        parts = finer;
    }
    Ok(found)
}

impl Part {
    fn of_bin(expr: &Expr, [lo, hi]: [f64; 2], rows: u64, first: u64, wanted: Vec<u64>) -> Part {
        let finer = Bins::new(lo, hi, BINS, crate::aggregate::Scale::Linear);
        Part {
            rows: Selection::of([Clause::interval(expr.clone(), lo, hi)]),
            bins: finer.ok().filter(|_| rows > FEW),
            first,
            wanted,
        }
    }

    /// The wanted ranks among `count` rows from rank `first` on.
    fn wanted_within(&self, first: u64, count: u64) -> Vec<u64> {
        let from = self.wanted.partition_point(|&w| w < first);
        let to = self.wanted.partition_point(|&w| w < first + count);
        self.wanted[from..to].to_vec()
    }
}
