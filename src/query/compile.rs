//! Questions compiled for one pass: every expression, clause and axis named once, by position.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::masks::Test;
use super::pass::Pass;
use super::{Ask, Axis, Key, Measure, QueryError, Question};
use crate::aggregate::{Bins, Grid, Lanes, Measured, Slotter};
use crate::expr::{Expr, Program};

/// Most cells a grid may have.
const MAX_CELLS: u64 = 1 << 26;

/// Most cells that get four accumulators each.
const MOST_SPREAD: usize = 2048;

/// A question by position of what it needs.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    pub(super) filter: Vec<usize>,
    /// Types of the measured values, and where they are.
    pub(super) value_types: Vec<DataType>,
    pub(super) values: Vec<usize>,
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

/// Collects expressions, each once.
#[derive(Default)]
pub(super) struct Collector {
    exprs: Vec<Expr>,
    places: HashMap<String, usize>,
}

impl Collector {
    pub(super) fn place(&mut self, expr: Expr) -> usize {
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
                    clauses.push((Test::of(&clause, &mut collector), clause.inverted));
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
}

impl Compiled {
    /// Whether all rows belong to one cell.
    pub(super) fn is_one_cell(&self) -> bool {
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
}
