//! Questions compiled for one pass: every expression, clause and axis evaluated once per chunk.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;

use super::groups::GroupPartial;
use super::{Ask, Axis, Key, Measure, QueryError, Question};
use crate::aggregate::{Bins, Grid, Lanes, Measured, Slotter, plain_numbers, within};
use crate::data::Chunk;
use crate::dataset::Source;
use crate::expr::{Expr, Program};
use crate::kernel::fold;
use crate::select::{Clause, Predicate, Selection};

/// Most cells a grid may have.
const MAX_CELLS: u64 = 1 << 26;

/// What a clause tests, by position of its values.
enum Test {
    Interval { value: usize, lo: f64, hi: f64 },
    Rect { x: usize, x_range: (f64, f64), y: usize, y_range: (f64, f64) },
    Where(usize),
}

/// A question by position of what it needs.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    filter: Vec<usize>,
    /// Types of the measured values, and where they are.
    pub(super) value_types: Vec<DataType>,
    values: Vec<usize>,
    pub(super) measures: Vec<Measured>,
    pub(super) shape: Shape,
}

/// What a question accumulates into.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    Grid { axes: Vec<usize>, slots: Vec<usize>, cells: usize },
    Groups { keys: Vec<CompiledKey> },
    Index,
}

#[derive(Debug, Clone)]
pub(super) enum CompiledKey {
    Value { value: usize, data_type: DataType },
    Binned { axis: usize, bins: Bins },
}

/// All questions of one pass.
pub(super) struct Pass {
    program: Program,
    clauses: Vec<(Test, bool)>,
    /// Position of the values, and how they are cut.
    axes: Vec<(usize, Slotter)>,
    /// Positions of the values that are binned or folded as numbers.
    numbers: Vec<usize>,
    pub(super) questions: Vec<Compiled>,
    /// Values that did not fit their type, in the chunks folded so far.
    pub(super) overflowed: AtomicU64,
}

/// What one unit of rows adds up to for one question.
pub(super) enum Partial {
    Grid(Lanes),
    Groups(Box<GroupPartial>),
    Index(Vec<u32>),
}

/// Rows binned and folded at once: their codes stay in the first-level cache. A multiple of 8, so that
/// blocks of a mask begin at whole bytes.
const BLOCK: usize = 2048;
/// Most cells that get four accumulators each.
const MOST_SPREAD: usize = 2048;

/// Buffers one worker uses again for every block.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) slots: Vec<Vec<u32>>,
    pub(super) cells: Vec<u32>,
}

/// Collects expressions, each once.
#[derive(Default)]
struct Collector {
    exprs: Vec<Expr>,
    places: HashMap<String, usize>,
}

impl Collector {
    fn place(&mut self, expr: Expr) -> usize {
        let text = expr.to_string();
        *self.places.entry(text).or_insert_with(|| {
            self.exprs.push(expr);
            self.exprs.len() - 1
        })
    }
}

impl Pass {
    /// Compiles `questions`, all on one table.
    pub(super) fn compile(questions: &[Question]) -> Result<Pass, QueryError> {
        let mut collector = Collector::default();
        let mut clauses: Vec<(Test, bool)> = Vec::new();
        let mut clause_places: HashMap<String, usize> = HashMap::new();
        let mut axes: Vec<(usize, Bins)> = Vec::new();
        let mut compiled = Vec::with_capacity(questions.len());
        for question in questions {
            let resolve = |expr: &Expr| question.dataset.resolve(expr);
            let mut filter = Vec::new();
            for clause in question.selection.clauses() {
                let clause = clause.resolved(resolve);
                let place = *clause_places.entry(clause.key()).or_insert_with(|| {
                    clauses.push((test(&clause, &mut collector), clause.inverted));
                    clauses.len() - 1
                });
                filter.push(place);
            }
            let mut axis = |expr: &Expr, bins: &Bins, collector: &mut Collector| {
                let value = collector.place(resolve(expr));
                axes.iter().position(|(v, b)| *v == value && b == bins).unwrap_or_else(|| {
                    axes.push((value, bins.clone()));
                    axes.len() - 1
                })
            };
            let (active, ask) = question.ask.split();
            let shape = match ask {
                Ask::Grid { axes: asked, .. } => {
                    let asked: Vec<&Axis> = active.iter().chain(asked).collect();
                    let slots: Vec<usize> = asked.iter().map(|a| a.bins.slots()).collect();
                    let cells = slots.iter().fold(1u64, |n, &s| n.saturating_mul(s as u64));
                    if cells > MAX_CELLS {
                        return Err(QueryError::TooManyCells { cells, limit: MAX_CELLS });
                    }
                    let axes = asked.iter().map(|a| axis(&a.expr, &a.bins, &mut collector)).collect();
                    Shape::Grid { axes, slots, cells: cells as usize }
                }
                Ask::Groups { keys, .. } => Shape::Groups {
                    keys: keys
                        .iter()
                        .cloned()
                        .chain(active.iter().cloned().map(Key::Binned))
                        .map(|key| match &key {
                            Key::Value(expr) => {
                                let expr = resolve(expr);
                                let data_type = expr.data_type().clone();
                                CompiledKey::Value { value: collector.place(expr), data_type }
                            }
                            Key::Binned(a) => CompiledKey::Binned {
                                axis: axis(&a.expr, &a.bins, &mut collector),
                                bins: a.bins.clone(),
                            },
                        })
                        .collect(),
                },
                Ask::Index | Ask::Cube { .. } => Shape::Index,
            };
            let no_measures: &[Measure] = &[];
            let measures = match ask {
                Ask::Grid { measures, .. } | Ask::Groups { measures, .. } => measures,
                Ask::Index | Ask::Cube { .. } => no_measures,
            };
            let (mut values, mut value_types, mut measured) = (Vec::new(), Vec::new(), Vec::new());
            for measure in measures {
                let value = measure.value.as_ref().map(|expr| {
                    let expr = resolve(expr);
                    let data_type = expr.data_type().clone();
                    let place = collector.place(expr);
                    values.iter().position(|&v| v == place).unwrap_or_else(|| {
                        values.push(place);
                        value_types.push(data_type);
                        values.len() - 1
                    })
                });
                measured.push(Measured { aggregate: measure.aggregate, value });
            }
            compiled.push(Compiled { filter, value_types, values, measures: measured, shape });
        }
        let schema = match questions.first() {
            Some(question) => question.dataset.source().schema().clone(),
            None => Default::default(),
        };
        let program = Program::compile(&collector.exprs, &schema);
        let mut numbers: Vec<usize> = axes.iter().map(|(value, _)| *value).collect();
        numbers.extend(compiled.iter().flat_map(|question| &question.values));
        numbers.sort_unstable();
        numbers.dedup();
        let slotter =
            |(value, bins): (usize, Bins)| (value, Slotter::new(collector.exprs[value].data_type(), &bins));
        let axes = axes.into_iter().map(slotter).collect();
        Ok(Pass { program, clauses, axes, numbers, questions: compiled, overflowed: AtomicU64::new(0) })
    }

    /// Reads the columns the pass needs in `rows`.
    pub(super) fn read(&self, source: &dyn Source, rows: std::ops::Range<u64>) -> Result<Chunk, QueryError> {
        let columns = self
            .program
            .columns()
            .iter()
            .map(|&column| source.read(column, rows.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Chunk { rows, columns })
    }

    /// Empty accumulators of one unit for every question.
    pub(super) fn partials(&self) -> Result<Vec<Partial>, QueryError> {
        self.accumulators(Compiled::spread)
    }

    /// Empty accumulators of the whole table for every question.
    pub(super) fn totals(&self) -> Result<Vec<Partial>, QueryError> {
        self.accumulators(|_| 1)
    }

    fn accumulators(&self, spread: impl Fn(&Compiled) -> usize) -> Result<Vec<Partial>, QueryError> {
        self.questions
            .iter()
            .map(|question| {
                Ok(match &question.shape {
                    Shape::Grid { cells, .. } => {
                        let elements = (cells + 1) * spread(question);
                        Partial::Grid(Lanes::new(&question.measures, &question.value_types, elements))
                    }
                    Shape::Groups { keys } => Partial::Groups(Box::new(GroupPartial::new(
                        keys,
                        &question.measures,
                        &question.value_types,
                    )?)),
                    Shape::Index => Partial::Index(Vec::new()),
                })
            })
            .collect()
    }

    /// Folds one chunk into the accumulators of its unit.
    pub(super) fn update(
        &self,
        chunk: &Chunk,
        partials: &mut [Partial],
        scratch: &mut Scratch,
        budget: usize,
    ) -> Result<(), QueryError> {
        let rows = chunk.len();
        let (values, overflowed) = self.program.run_counting(&chunk.columns, rows)?;
        if overflowed > 0 {
            self.overflowed.fetch_add(overflowed, Ordering::Relaxed);
        }
        let mut numbers = values.clone();
        for &value in &self.numbers {
            numbers[value] = plain_numbers(&values[value]);
        }
        let masks = self.masks(&values);
        for (question, partial) in self.questions.iter().zip(&mut *partials) {
            if let Partial::Index(passing) = partial {
                let mask = masks[question.filter.as_slice()].as_ref();
                passing.push(mask.map_or(rows, BooleanBuffer::count_set_bits) as u32);
            }
        }
        scratch.slots.resize_with(self.axes.len(), || vec![0; BLOCK]);
        let folded = self.questions.iter().any(|question| !matches!(question.shape, Shape::Index));
        for start in (0..if folded { rows } else { 0 }).step_by(BLOCK) {
            let block = start..(start + BLOCK).min(rows);
            for ((value, slotter), slots) in self.axes.iter().zip(&mut scratch.slots) {
                slotter.write(&numbers[*value], block.clone(), &mut slots[..block.len()]);
            }
            for (question, partial) in self.questions.iter().zip(&mut *partials) {
                let mask = masks[question.filter.as_slice()].as_ref();
                match partial {
                    Partial::Index(_) => {}
                    Partial::Grid(lanes) if mask.is_none() && question.is_one_cell() => {
                        scratch.cells.resize(block.len(), 0);
                        let trash = (lanes.len() / 2) as u32;
                        lanes.update_one(
                            &question.arrays(&numbers),
                            block.clone(),
                            &mut scratch.cells,
                            trash,
                        );
                    }
                    Partial::Grid(lanes) => {
                        let trash = question.grid_cells(&block, mask, scratch);
                        lanes.update(&question.arrays(&numbers), block.clone(), &scratch.cells, trash);
                    }
                    Partial::Groups(groups) => {
                        groups.update(question, &values, &numbers, scratch, mask, &block, budget)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Which rows pass each filter of the pass; `None` for all rows. Each clause is evaluated once.
    fn masks(&self, values: &[ArrayRef]) -> HashMap<&[usize], Option<BooleanBuffer>> {
        let mut of_clauses = vec![None; self.clauses.len()];
        let mut of_filters = HashMap::new();
        for question in &self.questions {
            of_filters
                .entry(question.filter.as_slice())
                .or_insert_with(|| self.mask(&question.filter, values, &mut of_clauses));
        }
        of_filters
    }

    /// Which rows pass all of `clauses`; `None` for all rows.
    fn mask(
        &self,
        clauses: &[usize],
        values: &[ArrayRef],
        masks: &mut [Option<BooleanBuffer>],
    ) -> Option<BooleanBuffer> {
        clauses
            .iter()
            .map(|&c| {
                masks[c].get_or_insert_with(|| self.clauses[c].0.mask(values, self.clauses[c].1)).clone()
            })
            .reduce(|a, b| &a & &b)
    }

    /// Which rows of `chunk` pass question `q`; `None` for all rows.
    pub(super) fn passing(&self, chunk: &Chunk, q: usize) -> Result<Option<BooleanBuffer>, QueryError> {
        let values = self.program.run(&chunk.columns, chunk.len())?;
        let mut of_clauses = vec![None; self.clauses.len()];
        Ok(self.mask(&self.questions[q].filter, &values, &mut of_clauses))
    }
}

impl Compiled {
    /// Whether all rows belong to one cell.
    fn is_one_cell(&self) -> bool {
        matches!(&self.shape, Shape::Grid { axes, .. } if axes.is_empty())
    }

    /// Accumulators per cell in the partial result of a unit.
    pub(super) fn spread(&self) -> usize {
        match self.shape {
            Shape::Grid { cells, .. } if cells <= MOST_SPREAD => 4,
            _ => 1,
        }
    }

    /// The grid of accumulators with one element per cell.
    pub(super) fn finish_grid(&self, lanes: &Lanes, ask: &Ask) -> Grid {
        let axes: Vec<Bins> = match ask {
            Ask::Grid { axes, .. } => axes.iter().map(|axis| axis.bins.clone()).collect(),
            _ => Vec::new(),
        };
        let cells = axes.iter().map(Bins::slots).product();
        let measures = self.measures.iter().map(|m| m.finish(lanes, &self.value_types, cells)).collect();
        Grid { axes, counts: (0..cells).map(|cell| lanes.rows_at(cell)).collect(), measures }
    }

    /// The measured values of a chunk.
    pub(super) fn arrays(&self, values: &[ArrayRef]) -> Vec<ArrayRef> {
        self.values.iter().map(|&v| values[v].clone()).collect()
    }

    /// Writes the element of every row of the block into the scratch; rows outside `mask` go to the
    /// trash, which is returned.
    fn grid_cells(&self, block: &Range<usize>, mask: Option<&BooleanBuffer>, scratch: &mut Scratch) -> u32 {
        let Shape::Grid { axes, slots, cells: count } = &self.shape else { return 0 };
        let Scratch { slots: codes, cells } = scratch;
        let rows = block.len();
        cells.clear();
        match axes.as_slice() {
            [] => cells.resize(rows, 0),
            [a] => cells.extend_from_slice(&codes[*a][..rows]),
            [a, b] => {
                let stride = slots[1] as u32;
                cells.extend(codes[*a][..rows].iter().zip(&codes[*b][..rows]).map(|(&i, &j)| i * stride + j));
            }
            more => {
                cells.resize(rows, 0);
                for (&axis, &stride) in more.iter().zip(slots) {
                    for (cell, &slot) in cells.iter_mut().zip(&codes[axis]) {
                        *cell = *cell * stride as u32 + slot;
                    }
                }
            }
        }
        let trash = *count as u32;
        if let Some(mask) = mask {
            keep_passing(cells, mask, block, trash);
        }
        if self.spread() == 4 {
            fold::spread_by_four(cells);
            return trash * 4;
        }
        trash
    }
}

/// Sends the rows of the block that do not pass to the trash.
pub(super) fn keep_passing(cells: &mut [u32], mask: &BooleanBuffer, block: &Range<usize>, trash: u32) {
    if (mask.offset() + block.start).is_multiple_of(8) {
        fold::keep_set(cells, mask.values(), mask.offset() + block.start, trash);
    } else {
        for (cell, row) in cells.iter_mut().zip(block.clone()) {
            *cell = if mask.value(row) { *cell } else { trash };
        }
    }
}

fn test(clause: &Clause, collector: &mut Collector) -> Test {
    match &clause.predicate {
        Predicate::Interval { expr, lo, hi } => {
            Test::Interval { value: collector.place(expr.clone()), lo: *lo, hi: *hi }
        }
        Predicate::Rect { x, x_range, y, y_range } => Test::Rect {
            x: collector.place(x.clone()),
            x_range: *x_range,
            y: collector.place(y.clone()),
            y_range: *y_range,
        },
        Predicate::Where(expr) => Test::Where(collector.place(expr.clone())),
    }
}

impl Test {
    fn mask(&self, values: &[ArrayRef], inverted: bool) -> BooleanBuffer {
        let mask = match self {
            Test::Interval { value, lo, hi } => within(&values[*value], *lo, *hi),
            Test::Rect { x, x_range, y, y_range } => {
                &within(&values[*x], x_range.0, x_range.1) & &within(&values[*y], y_range.0, y_range.1)
            }
            Test::Where(value) => true_values(&values[*value]),
        };
        if inverted { !&mask } else { mask }
    }
}

/// Rows whose boolean is true; a missing one is not.
fn true_values(array: &ArrayRef) -> BooleanBuffer {
    match array.as_boolean_opt() {
        Some(booleans) => match booleans.nulls() {
            Some(nulls) => booleans.values() & nulls.inner(),
            None => booleans.values().clone(),
        },
        None => BooleanBuffer::new_unset(array.len()),
    }
}

/// A question on `selection` alone, for testing which rows pass.
pub(super) fn filter_pass(
    dataset: &Arc<crate::dataset::Dataset>,
    selection: &Selection,
) -> Result<Pass, QueryError> {
    Pass::compile(&[Question::new(dataset.clone(), selection.clone(), Ask::Index)])
}
