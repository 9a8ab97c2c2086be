//! The brush under the hand: which cube answers it, and which part of the cube.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::BooleanBuffer;

use super::coded::slots_passing;
use super::places::Places;
use super::rounds::MANY;
use super::{Ask, Axis, Codes, Key, Measure, Question};
use crate::aggregate::{Bins, missing_values, within};
use crate::data::{Field, Schema};
use crate::expr::{Expr, Program};
use crate::select::{Clause, Dimension, Predicate};

/// Most cells of a cube; a larger one, as that of a plane of 80 x 80 bins under another, is not worth its building:
/// under such a brush the view is answered by the sample, marked so, and then by a scan.
pub(super) const MAX_CELLS: usize = 1 << 22;

/// Rows from which on a cube of more groups than are looked up in cache takes longer than the scans it saves.
const LARGE: u64 = 1 << 24;
const MOST_LOOKED_UP: usize = 1 << 16;

/// What the hand holds: the axes, or the values, of the view it moves in.
#[derive(Debug, Clone, PartialEq)]
pub struct Brush {
    active: Vec<Key>,
    dimension: Dimension,
}

/// Which rows of a cube a brush lets pass.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// Those in the slots that are true, `[slots of axis 0][slots of axis 1]`.
    Slots(Vec<bool>),
    /// Those with values that pass the clause.
    Values(Clause),
}

impl Brush {
    /// A brush along one axis or over a plane of two; `None` for any other number.
    pub fn over(axes: &[Axis]) -> Option<Brush> {
        let dimension = match axes {
            [axis] => Dimension::axis(&axis.expr),
            [x, y] => Dimension::plane(&x.expr, &y.expr),
            _ => return None,
        };
        Some(Brush { active: axes.iter().cloned().map(Key::Binned).collect(), dimension })
    }

    /// A brush over the values of an expression: bars, or rows of a table of groups.
    pub fn over_values(expr: &Expr) -> Brush {
        Brush { active: vec![Key::Value(expr.clone())], dimension: Dimension::axis(expr) }
    }

    /// The cube that answers `question` wherever the brush is. `None` when no cube can, or it would be
    /// too large. How many groups there are is found out when it is built: where they are too many, that is
    /// refused.
    pub fn cube_for(&self, question: &Question) -> Option<Question> {
        // A scan is exact where the slices of such a cube were sketches.
        if let Ask::Grid { measures, .. } | Ask::Groups { measures, .. } = &question.ask
            && measures.iter().any(Measure::keeps_values)
            && question.dataset.row_count() >= MANY
        {
            return None;
        }
        let passive = match &question.ask {
            Ask::Grid { axes, .. } => axes.iter().map(|axis| axis.bins.slots()).product(),
            Ask::Groups { .. } => 1usize,
            Ask::Index | Ask::Cube { .. } => return None,
        };
        if slots_together(&self.active).saturating_mul(passive) > MAX_CELLS {
            return None;
        }
        let selection = question.selection.without(&self.dimension);
        let ask = Ask::Cube { active: self.active.clone(), ask: Box::new(question.ask.clone()) };
        Some(Question::new(question.dataset.clone(), selection, ask))
    }

    /// Whether a cube of groups is worth its building, where so many groups are known, and these codes.
    pub fn suits(&self, cube: &Question, groups: Option<u64>, codes: &Codes) -> bool {
        let is_large = cube.dataset.row_count() >= LARGE;
        let most = if is_large { MOST_LOOKED_UP } else { MAX_CELLS };
        let cells = groups.map(|groups| groups.saturating_mul(slots_together(&self.active) as u64));
        let listed = |expr: &Expr| Some(codes.listed(None, &cube.dataset.source().identity(), expr)?.1);
        cells.map_or(!is_large, |cells| cells <= most as u64) || Places::of(cube, listed).is_some()
    }

    /// Which part of the cube answers `question`. `None` when the brush has no clause in it, or one that does
    /// not end on edges of the axes, or is no matter of the values alone.
    pub fn wanted(&self, question: &Question) -> Option<Wanted> {
        let clause = question.selection.clauses().iter().find(|clause| clause.dimension == self.dimension)?;
        let slots = match (self.active.as_slice(), &clause.predicate) {
            ([Key::Value(_)], Predicate::Where(_) | Predicate::Rect { .. } | Predicate::Cells { .. }) => {
                return None;
            }
            ([Key::Value(_)], _) => return Some(Wanted::Values(clause.clone())),
            ([Key::Binned(axis)], predicate) => slots_passing(predicate, &axis.bins)?,
            ([Key::Binned(x), Key::Binned(y)], Predicate::Rect { x_range, y_range, .. }) => {
                let (x, y) = (inside(&x.bins, &[*x_range], false)?, inside(&y.bins, &[*y_range], false)?);
                x.iter().flat_map(|&x| y.iter().map(move |&y| x && y)).collect()
            }
            ([Key::Binned(x), Key::Binned(y)], Predicate::Cells { x_bins, y_bins, inside, .. })
                if x_bins.edges() == x.bins.edges() && y_bins.edges() == y.bins.edges() =>
            {
                inside.to_vec()
            }
            _ => return None,
        };
        Some(Wanted::Slots(slots.into_iter().map(|inside| inside != clause.inverted).collect()))
    }
}

/// How many slots the brushed axes have together; 1 of values.
pub(super) fn slots_together(active: &[Key]) -> usize {
    let slots = |key: &Key| match key {
        Key::Binned(axis) => axis.bins.slots(),
        Key::Value(_) => 1,
    };
    active.iter().map(slots).product()
}

/// The slots of an axis that lie in any of `intervals`, if all their ends are edges or no ends.
pub(super) fn inside(bins: &Bins, intervals: &[(f64, f64)], missing: bool) -> Option<Vec<bool>> {
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

/// Which of `values`, each once, pass a clause on them; `None` where that cannot be told.
pub(super) fn passing(clause: &Clause, values: &ArrayRef) -> Option<BooleanBuffer> {
    let any_of = |intervals: &[(f64, f64)], missing: bool| {
        let inside = intervals.iter().map(|&(lo, hi)| within(values, lo, hi));
        let absent = missing.then(|| missing_values(values));
        inside.chain(absent).reduce(|a, b| &a | &b).unwrap_or_else(|| BooleanBuffer::new_unset(values.len()))
    };
    let passing = match &clause.predicate {
        Predicate::Interval { lo, hi, .. } => any_of(&[(*lo, *hi)], false),
        Predicate::Intervals { intervals, missing, .. } => any_of(intervals, *missing),
        Predicate::Categories { literals, missing, .. } => {
            let schema = Schema::new(vec![Field::new("value", values.data_type().clone())]);
            let test = Expr::parse(&Predicate::membership("value", literals, *missing), &schema).ok()?;
            let program = Program::compile(&[test], &schema);
            let columns: Vec<ArrayRef> = program.columns().iter().map(|_| values.clone()).collect();
            let found = program.run(&columns, values.len()).ok()?.pop()?;
            // Membership is never missing.
            found.as_boolean_opt()?.values().clone()
        }
        Predicate::Rect { .. } | Predicate::Cells { .. } | Predicate::Where(_) => return None,
    };
    Some(if clause.inverted { !&passing } else { passing })
}
