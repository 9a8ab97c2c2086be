//! Answers for every position of a brush at once: the data tiles of Falcon (Moritz, Howe, Heer, CHI 2019).
//!
//! A passive view under a moving brush asks the same question again and again, and only the brush's own
//! clause changes. The cube keeps the accumulators of that question for every slot of the brushed axis,
//! under all other clauses. A brush that ends on bin edges is then a set of slots, and its answer the
//! sum over them: its cost depends on bins, not on rows. The slots below, above and missing are slots as
//! any other, so that the complement of a brush, and no brush, are sets of slots too.

use super::compile::Compiled;
use super::groups::{GroupTotal, present_keys};
use super::question::internal;
use super::{Answer, Ask, Axis, GroupKey, Groups, Listing, QueryError, Question};
use crate::aggregate::{Bins, Lanes};
use crate::select::{Dimension, Predicate};
use crate::task::Task;

/// Most cells of a cube; a larger one is not worth its building.
const MAX_CELLS: usize = 1 << 22;

/// What the hand holds: the axes of the view it moves in.
#[derive(Debug, Clone, PartialEq)]
pub struct Brush {
    axes: Vec<Axis>,
    dimension: Dimension,
}

impl Brush {
    /// A brush along one axis or over a plane of two; `None` for any other number.
    pub fn over(axes: &[Axis]) -> Option<Brush> {
        let dimension = match axes {
            [axis] => Dimension::axis(&axis.expr),
            [x, y] => Dimension::plane(&x.expr, &y.expr),
            _ => return None,
        };
        Some(Brush { axes: axes.to_vec(), dimension })
    }

    /// The cube that answers `question` wherever the brush is. `None` when the brush does not filter
    /// it by nature, or the cube would be too large.
    pub fn cube_for(&self, question: &Question) -> Option<Question> {
        let passive = match &question.ask {
            Ask::Grid { axes, .. } => axes.iter().map(|axis| axis.bins.slots()).product(),
            Ask::Groups { listing, .. } if *listing == Listing::default() => 1usize,
            Ask::Groups { .. } => return None,
            Ask::Index | Ask::Cube { .. } => return None,
        };
        let active: usize = self.axes.iter().map(|axis| axis.bins.slots()).product();
        if active.saturating_mul(passive) > MAX_CELLS {
            return None;
        }
        let selection = question.selection.without(&self.dimension);
        let ask = Ask::Cube { active: self.axes.clone(), ask: Box::new(question.ask.clone()) };
        Some(Question::new(question.dataset.clone(), selection, ask))
    }

    /// Which slots the brush's clause in `question` lets pass, `[slots of axis 0][slots of axis 1]`.
    /// `None` when there is no such clause, or it does not end on edges of the axes.
    pub fn slots_of(&self, question: &Question) -> Option<Vec<bool>> {
        let clause = question.selection.clauses().iter().find(|clause| clause.dimension == self.dimension)?;
        let slots = match (self.axes.as_slice(), &clause.predicate) {
            ([axis], Predicate::Interval { lo, hi, .. }) => inside(&axis.bins, &[(*lo, *hi)], false)?,
            ([axis], Predicate::Intervals { intervals, missing, .. }) => {
                inside(&axis.bins, intervals, *missing)?
            }
            ([x, y], Predicate::Rect { x_range, y_range, .. }) => {
                let (x, y) = (inside(&x.bins, &[*x_range], false)?, inside(&y.bins, &[*y_range], false)?);
                x.iter().flat_map(|&x| y.iter().map(move |&y| x && y)).collect()
            }
            ([x, y], Predicate::Cells { x_bins, y_bins, inside, .. })
                if x_bins.edges() == x.bins.edges() && y_bins.edges() == y.bins.edges() =>
            {
                inside.to_vec()
            }
            _ => return None,
        };
        Some(slots.into_iter().map(|inside| inside != clause.inverted).collect())
    }
}

/// The slots of an axis that lie in any of `intervals`, if all their ends are edges or no ends.
fn inside(bins: &Bins, intervals: &[(f64, f64)], missing: bool) -> Option<Vec<bool>> {
    let mut slots = vec![false; bins.slots()];
    slots[bins.missing()] = missing;
    let edge = |value: f64| bins.edges().iter().position(|&edge| edge == value);
    for &(lo, hi) in intervals {
        let from_below = lo == f64::NEG_INFINITY;
        let to_above = hi == f64::INFINITY;
        let first = if from_below { 0 } else { edge(lo)? };
        let last = if to_above { bins.count() } else { edge(hi)? };
        slots[first.min(last)..last].fill(true);
        slots[bins.under()] |= from_below;
        slots[bins.over()] |= to_above;
    }
    Some(slots)
}

/// Accumulators of a question for every slot of the brushed axes.
#[derive(Debug, Clone)]
pub struct Cube {
    lanes: Lanes,
    question: Compiled,
    ask: Ask,
    shape: Shape,
}

#[derive(Debug, Clone)]
enum Shape {
    /// Elements are `[brushed slot][passive cell]`.
    Grid { active: usize, passive: usize },
    /// Elements are `1 +` the groups of (keys, brushed slots).
    Groups {
        /// Passive keys, each once, in order.
        keys: Vec<GroupKey>,
        /// For every element from 1: its passive group, and its brushed slot.
        places: Vec<(u32, u32)>,
        groups: usize,
    },
}

impl Cube {
    pub(super) fn of_grid(lanes: Lanes, question: Compiled, active: &[Axis], ask: &Ask) -> Cube {
        let active = active.iter().map(|axis| axis.bins.slots()).product();
        let passive = (lanes.len() - 1) / active;
        Cube { lanes, question, ask: ask.clone(), shape: Shape::Grid { active, passive } }
    }

    pub(super) fn of_groups(
        groups: GroupTotal,
        question: Compiled,
        active: &[Axis],
        task: &Task,
    ) -> Result<Cube, QueryError> {
        let (lanes, mut keys) = groups.sorted(&question, task)?;
        let brushed = keys.split_off(keys.len() - active.len());
        let (firsts, group_of) = runs(&keys, lanes.len() - 1)?;
        let place = |(i, group): (usize, u32)| {
            let slot = brushed.iter().fold(0, |slot, key| match key {
                GroupKey::Slots { bins, slots } => slot * bins.slots() + slots[i],
                GroupKey::Values(_) => slot,
            });
            (group, slot as u32)
        };
        let places = group_of.into_iter().enumerate().map(place).collect();
        let groups = firsts.len();
        let keys = take(&keys, &firsts)?;
        Ok(Cube { lanes, question, ask: Ask::Index, shape: Shape::Groups { keys, places, groups } })
    }

    /// The answer for a brush over the slots for which `wanted` is true.
    ///
    /// # Errors
    /// [`QueryError::Panicked`] when the groups cannot be put together.
    pub fn slice(&self, wanted: &[bool]) -> Result<Answer, QueryError> {
        let empty = |cells| self.question.measures.lanes(cells);
        match &self.shape {
            &Shape::Grid { active, passive } => {
                let mut lanes = empty(passive + 1);
                for slot in (0..active).filter(|&slot| wanted[slot]) {
                    let first = slot * passive;
                    lanes.merge(&self.lanes, first..first + passive, |element| element - first);
                }
                Ok(Answer::Grid(self.question.finish_grid(&lanes, &self.ask)?))
            }
            Shape::Groups { keys, places, groups } => {
                let mut lanes = empty(groups + 1);
                let target = |element: usize| match element.checked_sub(1).map(|i| places[i]) {
                    Some((group, slot)) if wanted[slot as usize] => group as usize,
                    _ => *groups,
                };
                lanes.merge(&self.lanes, 0..self.lanes.len(), target);
                let present: Vec<u32> =
                    (0..*groups as u32).filter(|&g| lanes.rows_at(g as usize) > 0).collect();
                let measures = self.question.measures.finish(&lanes, *groups)?;
                let keys = take(keys, &present)?;
                let approximate = self.question.measures.approximate(&lanes, *groups);
                Ok(Answer::Groups(Groups {
                    found: present.len() as u64,
                    present: present_keys(&keys),
                    keys,
                    approximate,
                    counts: present.iter().map(|&g| lanes.rows_at(g as usize)).collect(),
                    measures: measures.iter().map(|all| taken(all, &present)).collect::<Result<_, _>>()?,
                    other: None,
                }))
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.lanes.len() * self.lanes.bytes_per_cell()
    }
}

/// Where each run of equal keys begins, and the run of every row.
fn runs(keys: &[GroupKey], rows: usize) -> Result<(Vec<u32>, Vec<u32>), QueryError> {
    let columns = keys.iter().map(|key| match key {
        GroupKey::Values(values) => values.clone(),
        GroupKey::Slots { slots, .. } => {
            std::sync::Arc::new(arrow::array::UInt64Array::from_iter_values(slots.iter().map(|&s| s as u64)))
        }
    });
    let columns: Vec<_> = columns.collect();
    if rows == 0 {
        return Ok((Vec::new(), Vec::new()));
    }
    let ranges = arrow::compute::partition(&columns).map_err(internal)?.ranges();
    let mut group_of = Vec::with_capacity(rows);
    for (group, range) in ranges.iter().enumerate() {
        group_of.extend(range.clone().map(|_| group as u32));
    }
    Ok((ranges.iter().map(|range| range.start as u32).collect(), group_of))
}

fn take(keys: &[GroupKey], rows: &[u32]) -> Result<Vec<GroupKey>, QueryError> {
    let of = |key: &GroupKey| {
        Ok(match key {
            GroupKey::Values(values) => GroupKey::Values(taken(values, rows)?),
            GroupKey::Slots { bins, slots } => GroupKey::Slots {
                bins: bins.clone(),
                slots: rows.iter().map(|&row| slots[row as usize]).collect(),
            },
        })
    };
    keys.iter().map(of).collect()
}

fn taken(values: &arrow::array::ArrayRef, rows: &[u32]) -> Result<arrow::array::ArrayRef, QueryError> {
    let rows = arrow::array::UInt32Array::from(rows.to_vec());
    arrow::compute::take(values, &rows, None).map_err(internal)
}
