//! Keys of a cube that are whole numbers close together, or texts that are all listed, as cells: the number of a row's
//! group is its place among all that there can be, and no row is looked up.
//!
//! Bounds of the numbers are those of zone maps, which hold for the table as it is; what would lie outside is looked
//! for all the same when the cube is finished. Texts are listed where codes of them are known.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, UInt32Array};
use arrow::compute::{cast, take};
use arrow::datatypes::DataType;

use super::brush::MAX_CELLS;
use super::groups::{GroupKey, slot_order};
use super::listed::Listed;
use super::question::internal;
use super::skip::domain_of;
use super::{Ask, Axis, Key, QueryError, Question};
use crate::aggregate::{Bins, Lanes, Scale};
use crate::expr::Expr;

/// Most numbers from the least key to the greatest.
const MOST_PLACES: f64 = 4096.0;

/// Most cells of rows alone, which take a sixth of the memory of others.
const MOST_COUNTS: usize = 1 << 23;

/// An axis of the cells.
#[derive(Debug, Clone)]
struct Place {
    axis: Axis,
    /// Of keys that are values.
    values: Option<Values>,
}

/// What the bins of a key hold, which are one number wide.
#[derive(Debug, Clone)]
enum Values {
    /// Numbers of a type.
    Whole(DataType),
    /// The texts in those places of the list.
    Listed(Arc<Listed>),
}

/// The axes that a cube of keys has.
#[derive(Debug, Clone)]
pub(super) struct Places {
    active: Vec<Place>,
    passive: Vec<Place>,
}

impl Places {
    /// Those of a cube that is brushed over values or asks for groups; `None` of other questions, and where keys
    /// are neither known to lie close together nor `listed`, with their expressions resolved.
    pub(super) fn of(question: &Question, listed: impl Fn(&Expr) -> Option<Arc<Listed>>) -> Option<Places> {
        let Ask::Cube { active, ask } = &question.ask else { return None };
        let place = |key| Place::of(key, question, &listed);
        let active: Vec<Place> = active.iter().map(place).collect::<Option<_>>()?;
        let passive: Vec<Place> = match ask.as_ref() {
            Ask::Groups { keys, .. } => keys.iter().map(place).collect::<Option<_>>()?,
            Ask::Grid { axes, .. } => {
                axes.iter().map(|axis| Place { axis: axis.clone(), values: None }).collect()
            }
            Ask::Index | Ask::Cube { .. } => return None,
        };
        let has_values = active.iter().chain(&passive).any(|place| place.values.is_some());
        let slots = active.iter().chain(&passive).map(|place| place.axis.bins.slots());
        let cells = slots.fold(1, usize::saturating_mul);
        let most = if ask.counts_rows_alone() { MOST_COUNTS } else { MAX_CELLS };
        (has_values && cells <= most).then_some(Places { active, passive })
    }

    /// The axes of the cells, those that are brushed first.
    pub(super) fn axes(&self) -> impl Iterator<Item = &Axis> {
        self.active.iter().chain(&self.passive).map(|place| &place.axis)
    }

    /// The values that are brushed, one for each of their slots; null for those of no value.
    pub(super) fn active_values(&self) -> Result<Option<ArrayRef>, QueryError> {
        let [Place { axis, values: Some(values) }] = self.active.as_slice() else { return Ok(None) };
        let slots: Vec<usize> = (0..axis.bins.slots()).collect();
        values.of_slots(&axis.bins, &slots).map(Some)
    }

    /// The groups that all slots of the keys make, in ascending order, and the group of every cell.
    pub(super) fn groups(&self) -> Result<(Vec<GroupKey>, Vec<u32>), QueryError> {
        let mut tuples: Vec<(usize, Vec<usize>)> = vec![(0, Vec::new())];
        for Place { axis, .. } in &self.passive {
            let mut ordered: Vec<usize> = (0..axis.bins.slots()).collect();
            ordered.sort_by_key(|&slot| slot_order(slot, &axis.bins));
            let next = |(cell, tuple): &(usize, Vec<usize>)| {
                let (cell, tuple) = (*cell, tuple.clone());
                let with = |&slot: &usize| {
                    (cell * axis.bins.slots() + slot, tuple.iter().copied().chain([slot]).collect())
                };
                ordered.iter().map(with).collect::<Vec<_>>()
            };
            tuples = tuples.iter().flat_map(next).collect();
        }
        let mut group_of = vec![0; tuples.len()];
        for (group, (cell, _)) in tuples.iter().enumerate() {
            group_of[*cell] = group as u32;
        }
        let key = |(i, place): (usize, &Place)| {
            let slots: Vec<usize> = tuples.iter().map(|(_, tuple)| tuple[i]).collect();
            let bins = &place.axis.bins;
            Ok(match &place.values {
                Some(values) => GroupKey::Values(values.of_slots(bins, &slots)?),
                None => GroupKey::Slots { bins: bins.clone(), slots },
            })
        };
        let keys = self.passive.iter().enumerate().map(key).collect::<Result<_, QueryError>>()?;
        Ok((keys, group_of))
    }

    /// Fails where a row lies below or above the bounds that were known of a key.
    pub(super) fn check(&self, lanes: &Lanes) -> Result<(), QueryError> {
        let mut inner: usize = self.axes().map(|axis| axis.bins.slots()).product();
        let cells = inner;
        for Place { axis, values } in self.active.iter().chain(&self.passive) {
            let slots = axis.bins.slots();
            inner /= slots;
            let is_outside = |cell: usize| {
                let slot = cell / inner % slots;
                slot == axis.bins.under() || slot == axis.bins.over()
            };
            if values.is_some() && (0..cells).any(|cell| is_outside(cell) && lanes.rows_at(cell) > 0) {
                let text = format!("values of `{}` lie outside the bounds known of them", axis.expr);
                return Err(QueryError::Panicked(text));
            }
        }
        Ok(())
    }
}

impl Place {
    fn of(key: &Key, question: &Question, listed: &impl Fn(&Expr) -> Option<Arc<Listed>>) -> Option<Place> {
        let expr = match key {
            Key::Binned(axis) => return Some(Place { axis: axis.clone(), values: None }),
            Key::Value(expr) => expr,
        };
        let dataset = &question.dataset;
        let resolved = dataset.resolve(expr);
        let place = |bins, values| Place { axis: Axis { expr: expr.clone(), bins }, values: Some(values) };
        if !resolved.data_type().is_integer() {
            let listed = listed(&resolved)?;
            return Some(place(listed.bins()?.clone(), Values::Listed(listed)));
        }
        let domain = domain_of(&resolved, dataset, &(0..dataset.row_count()));
        let (least, greatest) = (domain.min.floor(), domain.max.ceil());
        // Doubles are exact there, and there is one at all.
        let is_exact = least.abs().max(greatest.abs()) < (1u64 << f64::MANTISSA_DIGITS) as f64;
        let is_close = least <= greatest && greatest - least < MOST_PLACES;
        if !(is_exact && is_close) {
            return None;
        }
        let count = (greatest - least) as usize + 1;
        let bins = Bins::new(least, greatest + 1.0, count, Scale::Linear).ok()?;
        Some(place(bins, Values::Whole(resolved.data_type().clone())))
    }
}

impl Values {
    /// Those that these slots of bins one number wide hold; null for slots of none.
    fn of_slots(&self, bins: &Bins, slots: &[usize]) -> Result<ArrayRef, QueryError> {
        match self {
            Values::Whole(data_type) => {
                let value = |&slot: &usize| (slot < bins.count()).then(|| bins.edges()[slot]);
                let values: Float64Array = slots.iter().map(value).collect();
                let typed = cast(&values, data_type).map_err(internal)?;
                debug_assert_eq!(typed.null_count(), values.null_count());
                Ok(typed)
            }
            Values::Listed(listed) => {
                let place = |&slot: &usize| (slot < bins.count()).then_some(slot as u32);
                let places: UInt32Array = slots.iter().map(place).collect();
                take(listed.sorted(), &places, None).map_err(internal)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::Int64Type;

    use super::*;
    use crate::dataset::{Dataset, MemorySource};
    use crate::query::{Brush, Listing, ScanOptions, Workers, scan};
    use crate::select::{Clause, Selection};
    use crate::task::Task;

    /// A brush over the column `x`, and what it selects.
    fn brushed(dataset: &Dataset) -> (Brush, Selection) {
        let x = Expr::column("x", dataset.schema()).expect("there is one");
        let bins = Bins::new(0.0, 8.0, 4, Scale::Linear).expect("there are such");
        let selection = Selection::of([Clause::interval(x.clone(), 0.0, 8.0)]);
        (Brush::over(&[Axis { expr: x, bins }]).expect("one axis"), selection)
    }

    fn cube_of(values: Vec<Option<i64>>, known: Option<Vec<i64>>) -> Question {
        let rows = 0..values.len() as u64;
        let column: ArrayRef = Arc::new(Int64Array::from(values));
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows.end as i64));
        let dataset = Dataset::new(Arc::new(MemorySource::of(vec![("n", column), ("x", numbers)])));
        if let Some(known) = known {
            let known: ArrayRef = Arc::new(Int64Array::from(known));
            dataset.zones().learn(0, &rows, &known);
        }
        let dataset = Arc::new(dataset);
        let key = Key::Value(Expr::column("n", dataset.schema()).expect("there is one"));
        let ask = Ask::Groups { keys: vec![key], measures: Vec::new(), listing: Listing::default() };
        let (brush, selection) = brushed(&dataset);
        brush.cube_for(&Question::new(dataset, selection, ask)).expect("small enough")
    }

    fn scanned(question: &Question) -> Result<Vec<crate::query::Answer>, QueryError> {
        let workers = Workers::new(2).expect("threads");
        scan(std::slice::from_ref(question), &workers, ScanOptions::default(), &Task::detached())
    }

    #[test]
    fn keys_are_cells_where_their_bounds_are_known_and_near() {
        let edge = 1i64 << 53;
        for (least, greatest, are_cells) in [
            (-3, 4, true),
            (5, 5, true),
            (0, 4095, true),
            (0, 4096, false),
            (-edge + 1, -edge + 3, true),
            (edge - 2, edge, false),
            (i64::MIN, i64::MAX, false),
        ] {
            let values = vec![Some(least), None, Some(greatest), Some(least)];
            let known = cube_of(values.clone(), Some(vec![least, greatest, least, least]));
            assert_eq!(Places::of(&known, |_| None).is_some(), are_cells, "{least} to {greatest}");
            assert!(Places::of(&cube_of(values, None), |_| None).is_none());
            let answers = scanned(&known).expect("an answer");
            let (brush, selection) = brushed(&known.dataset);
            let Ask::Cube { ask, .. } = &known.ask else { panic!("a cube") };
            let question = Question::new(known.dataset.clone(), selection, ask.as_ref().clone());
            let wanted = brush.wanted(&question).expect("ends on edges");
            let sliced = answers[0].cube().expect("a cube").slice(&wanted).expect("a slice");
            let groups = sliced.groups().expect("groups");
            let GroupKey::Values(keys) = &groups.keys[0] else { panic!("values") };
            let keys: Vec<Option<i64>> = keys.as_primitive::<Int64Type>().iter().collect();
            let (expected, counts) = match least == greatest {
                true => (vec![Some(least), None], vec![3, 1]),
                false => (vec![Some(least), Some(greatest), None], vec![2, 1, 1]),
            };
            assert_eq!((keys, &groups.counts), (expected, &counts));
        }
    }

    #[test]
    fn rows_outside_the_bounds_that_were_known_are_an_error_and_not_lost() {
        for (values, known) in [(vec![1, 2, 9], vec![1, 2, 2]), (vec![0, 2, 2], vec![1, 2, 2])] {
            let question = cube_of(values.into_iter().map(Some).collect(), Some(known));
            let error = scanned(&question).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains("`n` lie outside the bounds"), "{error}");
        }
    }
}
