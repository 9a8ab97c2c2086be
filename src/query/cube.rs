//! Answers for every position of a brush at once: the data tiles of Falcon (Moritz, Howe, Heer, CHI 2019).
//!
//! A passive view under a moving brush asks the same question again and again, and only the brush's own
//! clause changes. The cube keeps the accumulators of that question for every slot of the brushed axis,
//! under all other clauses. A brush that ends on bin edges is then a set of slots, and its answer the
//! sum over them: its cost depends on bins, not on rows. The slots below, above and missing are slots as
//! any other, so that the complement of a brush, and no brush, are sets of slots too. Where bars are brushed
//! there are values in place of slots.

use arrow::array::{Array, ArrayRef, UInt32Array, UInt64Array};
use arrow::row::{RowConverter, SortField};

use super::brush::{MAX_CELLS, Wanted, passing, slots_together};
use super::compile::{Compiled, Shape};
use super::groups::{GroupTotal, present_keys};
use super::question::internal;
use super::{Answer, Ask, GroupKey, Groups, Key, OtherGroups, QueryError};
use crate::aggregate::{Bins, Lanes};
use crate::task::Task;

/// Accumulators of a question for every slot of the brushed axes.
#[derive(Debug, Clone)]
pub struct Cube {
    lanes: Lanes,
    question: Compiled,
    ask: Ask,
    brushed: Brushed,
    passive: Passive,
    elements: Elements,
}

/// What the elements of the accumulators are of.
#[derive(Debug, Clone)]
enum Elements {
    /// `[brushed slot][cell]`; the group of every cell, where cells are of groups.
    Dense { cells: usize, groups: Option<Vec<u32>> },
    /// `1 +` the groups of (passive, brushed): of each its passive cell or group, and its brushed slot or value.
    Sparse(Vec<(u32, u32)>),
}

/// What is asked beside the brush.
#[derive(Debug, Clone)]
enum Passive {
    Cells(usize),
    /// Keys, each once, in order.
    Groups {
        keys: Vec<GroupKey>,
        count: usize,
    },
}

/// What the brush chooses from.
#[derive(Debug, Clone)]
enum Brushed {
    Slots(usize),
    /// Each once, but for null.
    Values(ArrayRef),
}

impl Brushed {
    fn len(&self) -> usize {
        match self {
            Brushed::Slots(slots) => *slots,
            Brushed::Values(values) => values.len(),
        }
    }

    /// What of it passes the brush; `None` where it is of another.
    fn chosen(&self, wanted: &Wanted) -> Option<Vec<bool>> {
        match (wanted, self) {
            (Wanted::Values(clause), Brushed::Values(values)) => {
                passing(clause, values).map(|passing| passing.iter().collect())
            }
            (Wanted::Values(_), Brushed::Slots(_)) => None,
            (Wanted::Slots(slots), _) => (slots.len() == self.len()).then(|| slots.clone()),
        }
    }
}

impl Cube {
    pub(super) fn of_grid(
        lanes: Lanes,
        question: Compiled,
        active: &[Key],
        ask: &Ask,
    ) -> Result<Cube, QueryError> {
        let places = match &question.shape {
            Shape::Grid { places: Some(places), .. } => places,
            _ => {
                let brushed = slots_together(active);
                let cells = (lanes.len() - 1) / brushed;
                let elements = Elements::Dense { cells, groups: None };
                let (brushed, passive) = (Brushed::Slots(brushed), Passive::Cells(cells));
                return Ok(Cube { lanes, question, ask: ask.clone(), brushed, passive, elements });
            }
        };
        places.check(&lanes)?;
        let brushed = match places.active_values()? {
            Some(values) => Brushed::Values(values),
            None => Brushed::Slots(slots_together(active)),
        };
        let cells = (lanes.len() - 1) / brushed.len();
        let (passive, groups) = match ask {
            Ask::Groups { .. } => {
                let (keys, groups) = places.groups()?;
                (Passive::Groups { keys, count: cells }, Some(groups))
            }
            _ => (Passive::Cells(cells), None),
        };
        let elements = Elements::Dense { cells, groups };
        Ok(Cube { lanes, question, ask: ask.clone(), brushed, passive, elements })
    }

    /// Of groups by the keys of `ask` (or the slots of its axes) and then by the `active` ones.
    pub(super) fn of_groups(
        groups: GroupTotal,
        question: Compiled,
        active: &[Key],
        ask: &Ask,
        task: &Task,
    ) -> Result<Cube, QueryError> {
        let (lanes, mut keys) = groups.sorted(&question, task)?;
        let rows = lanes.len() - 1;
        if rows > MAX_CELLS {
            return Err(QueryError::TooManyCells { cells: rows as u64, limit: MAX_CELLS as u64 });
        }
        // Of a grid the key comes first, as the table of groups wants it.
        let active_keys: Vec<GroupKey> = match ask {
            Ask::Grid { .. } => keys.drain(..active.len()).collect(),
            _ => keys.split_off(keys.len() - active.len()),
        };
        let (brushed, chosen) = brushed(&active_keys, rows)?;
        let (passive, group_of) = match ask {
            Ask::Grid { axes, .. } => {
                let cells = axes.iter().map(|axis| axis.bins.slots()).product();
                (Passive::Cells(cells), slots_of(&keys, rows))
            }
            _ => {
                let (firsts, group_of) = runs(&keys, rows)?;
                (Passive::Groups { keys: take(&keys, &firsts)?, count: firsts.len() }, group_of)
            }
        };
        let elements = Elements::Sparse(group_of.into_iter().zip(chosen).collect());
        Ok(Cube { lanes, question, ask: ask.clone(), brushed, passive, elements })
    }

    /// The answer for a brush over what is `wanted`.
    ///
    /// # Errors
    /// [`QueryError::Panicked`] when the groups cannot be put together, or the cube is of another brush.
    pub fn slice(&self, wanted: &Wanted) -> Result<Answer, QueryError> {
        let other = || QueryError::Panicked("a cube sliced by another brush".to_owned());
        let chosen = self.brushed.chosen(wanted).ok_or_else(other)?;
        let &(Passive::Cells(count) | Passive::Groups { count, .. }) = &self.passive;
        let mut lanes = self.question.measures.lanes(count + 1);
        match &self.elements {
            Elements::Dense { cells, groups } => {
                for slot in (0..chosen.len()).filter(|&slot| chosen[slot]) {
                    let first = slot * cells;
                    let elements = first..first + cells;
                    match groups {
                        None => lanes.merge(&self.lanes, elements, |element| element - first),
                        Some(of) => {
                            lanes.merge(&self.lanes, elements, |element| of[element - first] as usize)
                        }
                    }
                }
            }
            Elements::Sparse(places) => {
                let target = |element: usize| match element.checked_sub(1).map(|i| places[i]) {
                    Some((group, place)) if chosen[place as usize] => group as usize,
                    _ => count,
                };
                lanes.merge(&self.lanes, 0..self.lanes.len(), target);
            }
        }
        match &self.passive {
            Passive::Cells(_) => Ok(Answer::Grid(self.question.finish_grid(&lanes, &self.ask)?)),
            Passive::Groups { keys, count } => self.groups(&lanes, keys, *count).map(Answer::Groups),
        }
    }

    /// The groups of `keys` that have rows in `lanes`, as the question lists them.
    fn groups(&self, lanes: &Lanes, keys: &[GroupKey], count: usize) -> Result<Groups, QueryError> {
        let Ask::Groups { listing, .. } = &self.ask else {
            return Err(QueryError::Panicked("groups of a cube of cells".to_owned()));
        };
        let with_rows: Vec<u32> = (0..count as u32).filter(|&g| lanes.rows_at(g as usize) > 0).collect();
        let finished = self.question.measures.finish(lanes, count)?;
        let measures = finished.iter().map(|all| taken(all, &with_rows)).collect::<Result<Vec<_>, _>>()?;
        let (listed, beyond) = listing.chosen(&measures, with_rows.len())?;
        let groups = |chosen: &[u32]| chosen.iter().map(|&i| with_rows[i as usize]).collect::<Vec<u32>>();
        let (first, rest) = (groups(&listed), groups(&beyond));
        let other = match listing.other && !rest.is_empty() {
            true => {
                let mut together = self.question.measures.lanes(2);
                for &group in &rest {
                    together.merge(lanes, group as usize..group as usize + 1, |_| 1);
                }
                let measures = self.question.measures.finish(&together, 2)?;
                Some(OtherGroups {
                    groups: rest.len() as u64,
                    count: together.rows_at(1),
                    measures: measures.iter().map(|measure| measure.slice(1, 1)).collect(),
                })
            }
            false => None,
        };
        Ok(Groups {
            found: (first.len() + rest.len()) as u64,
            present: present_keys(&take(keys, &first)?) + present_keys(&take(keys, &rest)?),
            keys: take(keys, &first)?,
            approximate: self.question.measures.approximate(lanes, count),
            counts: first.iter().map(|&g| lanes.rows_at(g as usize)).collect(),
            measures: measures.iter().map(|all| taken(all, &listed)).collect::<Result<_, _>>()?,
            other,
        })
    }

    pub(super) fn bytes(&self) -> usize {
        let places = match &self.elements {
            Elements::Dense { groups, .. } => groups.as_ref().map_or(0, |groups| groups.len() * 4),
            Elements::Sparse(places) => places.len() * 8,
        };
        self.lanes.len() * self.lanes.bytes_per_cell() + places
    }
}

/// The slots of the axes together, `[slots of axis 0][slots of axis 1]`, of every row.
fn slots_of(keys: &[GroupKey], rows: usize) -> Vec<u32> {
    let at = |i: usize| {
        keys.iter().fold(0, |slot, key| match key {
            GroupKey::Slots { bins, slots } => slot * bins.slots() + slots[i],
            GroupKey::Values(_) => slot,
        })
    };
    (0..rows).map(|i| at(i) as u32).collect()
}

/// What the brush chooses from, and which of it every row has.
fn brushed(keys: &[GroupKey], rows: usize) -> Result<(Brushed, Vec<u32>), QueryError> {
    let [GroupKey::Values(values)] = keys else {
        let bins = keys.iter().map(|key| match key {
            GroupKey::Slots { bins, .. } => Bins::slots(bins),
            GroupKey::Values(_) => 1,
        });
        return Ok((Brushed::Slots(bins.product()), slots_of(keys, rows)));
    };
    let converter = RowConverter::new(vec![SortField::new(values.data_type().clone())]).map_err(internal)?;
    let texts = converter.convert_columns(std::slice::from_ref(values)).map_err(internal)?;
    let mut known = std::collections::HashMap::new();
    let mut firsts = Vec::new();
    let mut chosen = Vec::with_capacity(rows);
    for row in 0..rows {
        let next = firsts.len() as u32;
        chosen.push(*known.entry(texts.row(row)).or_insert_with(|| {
            firsts.push(row as u32);
            next
        }));
    }
    Ok((Brushed::Values(taken(values, &firsts)?), chosen))
}

/// Where each run of equal keys begins, and the run of every row.
fn runs(keys: &[GroupKey], rows: usize) -> Result<(Vec<u32>, Vec<u32>), QueryError> {
    let columns = keys.iter().map(|key| match key {
        GroupKey::Values(values) => values.clone(),
        GroupKey::Slots { slots, .. } => {
            std::sync::Arc::new(UInt64Array::from_iter_values(slots.iter().map(|&s| s as u64)))
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

fn taken(values: &ArrayRef, rows: &[u32]) -> Result<ArrayRef, QueryError> {
    let rows = UInt32Array::from(rows.to_vec());
    arrow::compute::take(values, &rows, None).map_err(internal)
}
