//! Questions compiled for one pass: every expression, clause and axis named once, by position.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use arrow::array::ArrayRef;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;

use super::coded::{ListedCodes, SlotsFrom, TableCodes};
use super::codes::AxisCodes;
use super::groups::{Plan, are_words};
use super::masks::{Place, Test};
use super::measure::Measures;
use super::pass::Pass;
use super::places::Places;
use super::summed::Summed;
use super::{Ask, Axis, Key, Measure, QueryError, Question};
use crate::aggregate::{Bins, Fed, Feed, Grid, Lanes, Slotter};
use crate::data::Schema;
use crate::expr::{Expr, Program};
use crate::kernel::fold;
use crate::select::Clause;

/// Most cells a grid may have.
const MAX_CELLS: u64 = 1 << 26;

/// A question by position of what it needs.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    /// Which of the pass's filters.
    pub(super) filter: usize,
    pub(super) measures: Measures,
    /// Where the values of every input of the measures are.
    pub(super) fed: Vec<FedBy>,
    pub(super) shape: Shape,
}

#[derive(Debug, Clone)]
pub(super) struct FedBy {
    pub(super) values: Vec<usize>,
    /// Position of the clause.
    pub(super) condition: Option<usize>,
}

/// What a question accumulates into.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    Grid {
        axes: Vec<usize>,
        slots: Vec<usize>,
        cells: usize,
        /// Of a cube whose keys are cells.
        places: Option<Places>,
    },
    Groups {
        keys: Vec<CompiledKey>,
        plan: Plan,
        /// Whether a unit met so many words that are only counted that the others need not see for themselves.
        are_many: Arc<AtomicBool>,
    },
    Index,
}

#[derive(Debug, Clone)]
pub(super) enum CompiledKey {
    Value {
        value: Place,
        data_type: DataType,
    },
    /// By position of a column of texts that are numbered where they lie.
    Text {
        text: usize,
        data_type: DataType,
    },
    Binned {
        axis: usize,
        bins: Bins,
    },
}

impl CompiledKey {
    /// Type of the values rows are grouped by; of a binned axis, of its slots.
    pub(super) fn data_type(&self) -> &DataType {
        match self {
            CompiledKey::Value { data_type, .. } | CompiledKey::Text { data_type, .. } => data_type,
            CompiledKey::Binned { .. } => &DataType::UInt32,
        }
    }
}

/// An axis cut the same way wherever it is asked for.
struct CompiledAxis {
    expr: Expr,
    bins: Bins,
    from: SlotsFrom,
    /// Where its values are; of no meaning where codes are read instead.
    value: usize,
}

/// Keys that are texts.
#[derive(Default)]
struct Texts {
    /// Codes read in place of values.
    coded: Vec<ListedCodes>,
    /// Positions of the values of which codes are to be learned.
    numbering: Vec<(usize, Arc<AxisCodes>)>,
    /// Columns that are numbered where they lie.
    unseen: Vec<usize>,
}

impl Texts {
    /// The key of a resolved expression.
    fn key(
        &mut self,
        expr: Expr,
        schema: &Schema,
        collector: &mut Collector,
        codes: Option<&TableCodes>,
    ) -> CompiledKey {
        if let Some((codes, listed)) = codes.and_then(|codes| codes.listed(&expr)) {
            let known = self.coded.iter().position(|(known, _)| Arc::ptr_eq(known, &codes));
            let place = known.unwrap_or(self.coded.len());
            let data_type = listed.dictionary_type();
            if known.is_none() {
                self.coded.push((codes, listed));
            }
            return CompiledKey::Value { value: Place::Codes(place), data_type };
        }
        let data_type = expr.data_type().clone();
        let to_learn = codes.and_then(|codes| codes.unlisted(&expr));
        if let (None, Some(column)) = (&to_learn, text_column(&expr, schema)) {
            return CompiledKey::Text { text: place_in(&mut self.unseen, column), data_type };
        }
        let value = collector.place(expr);
        if let Some(codes) = to_learn
            && self.numbering.iter().all(|(known, _)| *known != value)
        {
            self.numbering.push((value, codes));
        }
        CompiledKey::Value { value: Place::Value(value), data_type }
    }
}

/// Collects expressions, each once.
#[derive(Default)]
pub(super) struct Collector {
    exprs: Vec<Expr>,
    /// How often each is wanted.
    wanted: Vec<usize>,
    places: HashMap<String, usize>,
    /// Codes that clauses test.
    coded: Vec<Arc<AxisCodes>>,
}

impl Collector {
    pub(super) fn place(&mut self, expr: Expr) -> usize {
        let text = expr.to_string();
        let place = *self.places.entry(text).or_insert_with(|| {
            self.exprs.push(expr);
            self.wanted.push(0);
            self.exprs.len() - 1
        });
        self.wanted[place] += 1;
        place
    }

    /// The position of codes among those that clauses test.
    pub(super) fn place_codes(&mut self, codes: Arc<AxisCodes>) -> usize {
        self.coded.iter().position(|known| Arc::ptr_eq(known, &codes)).unwrap_or_else(|| {
            self.coded.push(codes);
            self.coded.len() - 1
        })
    }
}

impl Pass {
    /// Compiles `questions`, all on one table.
    pub(super) fn compile(questions: &[Question]) -> Result<Pass, QueryError> {
        Pass::with_codes(questions, None)
    }

    /// As [`Pass::compile`], reading `codes` in place of values, or learning them.
    pub(super) fn with_codes(questions: &[Question], codes: Option<&TableCodes>) -> Result<Pass, QueryError> {
        let Some(Question { dataset, .. }) = questions.first() else {
            return Err(QueryError::Panicked("a pass without questions".to_owned()));
        };
        let schema = dataset.source().schema();
        let mut collector = Collector::default();
        let mut clauses: Vec<(Clause, Test)> = Vec::new();
        let mut clause_places: HashMap<String, usize> = HashMap::new();
        let mut axes: Vec<CompiledAxis> = Vec::new();
        let mut compiled = Vec::with_capacity(questions.len());
        let mut filters: Vec<Vec<usize>> = Vec::new();
        let mut filter_of = Vec::with_capacity(questions.len());
        let mut texts = Texts::default();
        for question in questions {
            let mut filter = Vec::new();
            for clause in question.selection.clauses() {
                let clause = clause.resolved(|expr| question.dataset.resolve(expr));
                filter.push(clause_of(clause, &mut clauses, &mut clause_places, &mut collector, codes));
            }
            filter_of.push(place_in(&mut filters, filter));
        }
        let tested = collector.exprs.len();
        for (question, filter) in questions.iter().zip(filter_of) {
            let resolve = |expr: &Expr| question.dataset.resolve(expr);
            let mut axis = |expr: &Expr, bins: &Bins, collector: &mut Collector| {
                let expr = resolve(expr);
                axes.iter().position(|known| known.expr == expr && known.bins == *bins).unwrap_or_else(|| {
                    let from = codes.map_or(SlotsFrom::Values(None), |codes| codes.axis(&expr, bins));
                    let value = match from {
                        SlotsFrom::Values(_) => collector.place(expr.clone()),
                        SlotsFrom::Codes(..) => 0,
                    };
                    axes.push(CompiledAxis { expr, bins: bins.clone(), from, value });
                    axes.len() - 1
                })
            };
            let (active, ask) = question.ask.split();
            let binned = active.iter().map(|key| match key {
                Key::Binned(axis) => Some(axis),
                Key::Value(_) => None,
            });
            let binned: Option<Vec<&Axis>> = binned.collect();
            let places = Places::of(question, |expr| Some(codes?.listed(expr)?.1));
            let keys: Option<Vec<Key>> = match (ask, &binned) {
                _ if places.is_some() => None,
                (Ask::Groups { keys, .. }, _) => Some(keys.iter().chain(active).cloned().collect()),
                // Cells beside values that are brushed: groups of both, the values first.
                (Ask::Grid { axes, .. }, None) => {
                    Some(active.iter().cloned().chain(axes.iter().cloned().map(Key::Binned)).collect())
                }
                _ => None,
            };
            let no_measures: &[Measure] = &[];
            let measures = match ask {
                Ask::Grid { measures, .. } | Ask::Groups { measures, .. } => measures,
                Ask::Index | Ask::Cube { .. } => no_measures,
            };
            let shape = match (ask, binned, keys) {
                (_, _, Some(keys)) => {
                    let keys: Vec<CompiledKey> = keys
                        .into_iter()
                        .map(|key| match key {
                            Key::Value(expr) => texts.key(resolve(&expr), schema, &mut collector, codes),
                            Key::Binned(a) => CompiledKey::Binned {
                                axis: axis(&a.expr, &a.bins, &mut collector),
                                bins: a.bins,
                            },
                        })
                        .collect();
                    let counts_rows = measures.iter().all(Measure::counts_rows_alone);
                    let plan = Plan::of(question.dataset.row_count(), counts_rows && are_words(&keys));
                    Shape::Groups { keys, plan, are_many: Arc::default() }
                }
                (Ask::Grid { .. } | Ask::Groups { .. }, binned, None) => {
                    let asked: Vec<&Axis> = match (&places, ask) {
                        (Some(places), _) => places.axes().collect(),
                        (None, Ask::Grid { axes, .. }) => binned.into_iter().flatten().chain(axes).collect(),
                        _ => Vec::new(),
                    };
                    let slots: Vec<usize> = asked.iter().map(|a| a.bins.slots()).collect();
                    let cells = slots.iter().fold(1u64, |n, &s| n.saturating_mul(s as u64));
                    if cells > MAX_CELLS {
                        return Err(QueryError::TooManyCells { cells, limit: MAX_CELLS });
                    }
                    let axes = asked.iter().map(|a| axis(&a.expr, &a.bins, &mut collector)).collect();
                    Shape::Grid { axes, slots, cells: cells as usize, places }
                }
                _ => Shape::Index,
            };
            let measures = Measures::of(measures, resolve);
            let fed = measures
                .sources()
                .iter()
                .map(|(values, condition)| FedBy {
                    values: values.iter().map(|value| collector.place(value.clone())).collect(),
                    condition: condition.as_ref().map(|condition| {
                        let clause = Clause::filter(condition.clone());
                        clause_of(clause, &mut clauses, &mut clause_places, &mut collector, None)
                    }),
                })
                .collect();
            compiled.push(Compiled { filter, measures, fed, shape });
        }
        let tests = Program::compile(&collector.exprs[..tested], schema);
        let program = Program::compile(&collector.exprs[tested..], schema);
        let of_values = axes.iter().filter(|axis| matches!(axis.from, SlotsFrom::Values(_)));
        let mut numbers: Vec<usize> = of_values.map(|axis| axis.value).collect();
        numbers.extend(compiled.iter().flat_map(|question| question.fed.iter().flat_map(|fed| &fed.values)));
        numbers.sort_unstable();
        numbers.dedup();
        let summed = Summed::of(&compiled, &collector.wanted, tested);
        let mut coded = Vec::new();
        let mut learning = Vec::with_capacity(axes.len());
        let slotter = |axis: CompiledAxis| match axis.from {
            SlotsFrom::Codes(codes, slotter) => {
                // Codes come after the values of all expressions.
                coded.push(codes);
                learning.push(None);
                (collector.exprs.len() + coded.len() - 1, slotter)
            }
            SlotsFrom::Values(codes) => {
                learning.push(codes);
                (axis.value, Slotter::new(axis.expr.data_type(), &axis.bins))
            }
        };
        let axes = axes.into_iter().map(slotter).collect();
        let overflowed = collector.exprs.iter().map(|_| AtomicU64::new(0)).collect();
        Ok(Pass {
            dataset: dataset.clone(),
            exprs: collector.exprs,
            tests,
            coded_tests: collector.coded,
            program,
            clauses,
            filters,
            axes,
            coded,
            learning,
            coded_keys: texts.coded,
            numbering: texts.numbering,
            unseen: texts.unseen,
            numbers,
            summed,
            questions: compiled,
            overflowed,
        })
    }
}

impl Compiled {
    /// Whether all rows belong to one cell.
    pub(super) fn is_one_cell(&self) -> bool {
        matches!(&self.shape, Shape::Grid { axes, .. } if axes.is_empty())
    }

    /// Whether nothing but the rows of every cell is asked.
    pub(super) fn is_tally(&self) -> bool {
        matches!(self.shape, Shape::Grid { .. }) && self.fed.is_empty()
    }

    /// A count of 0 for every cell of a tally.
    pub(super) fn no_counts(&self) -> Vec<u64> {
        match self.shape {
            Shape::Grid { cells, .. } if self.is_tally() => vec![0; cells],
            _ => Vec::new(),
        }
    }

    /// Accumulators per cell in the partial result of a unit.
    pub(super) fn spread(&self) -> usize {
        match self.shape {
            Shape::Grid { cells, .. } if self.measures.may_spread() => fold::copies(cells),
            _ => 1,
        }
    }

    /// How many units of so many rows are added up together, a power of two: of a grid whose cells are many beside the
    /// rows of a unit, merging them would take longer than the rows.
    pub(super) fn units_together(&self, unit_rows: u64, units: usize) -> usize {
        const ROWS_OF_A_CELL: u64 = 32;
        const LEAST: usize = 4;
        match self.shape {
            Shape::Grid { cells, .. } if !self.is_tally() => {
                let wanted = (cells as u64 * ROWS_OF_A_CELL).div_ceil(unit_rows.max(1));
                let most = (units / LEAST).max(1).next_power_of_two();
                wanted.next_power_of_two().min(most as u64) as usize
            }
            _ => 1,
        }
    }

    /// The grid of accumulators with one element per cell.
    pub(super) fn finish_grid(&self, lanes: &Lanes, ask: &Ask) -> Result<Grid, QueryError> {
        let axes: Vec<Bins> = match ask {
            Ask::Grid { axes, .. } => axes.iter().map(|axis| axis.bins.clone()).collect(),
            _ => Vec::new(),
        };
        let cells = axes.iter().map(Bins::slots).product();
        let measures = self.measures.finish(lanes, cells)?;
        let approximate = self.measures.approximate(lanes, cells);
        let counts = (0..cells).map(|cell| lanes.rows_at(cell)).collect();
        Ok(Grid { axes, counts, measures, approximate })
    }

    /// A chunk from row `first_row` of the table on, as the accumulators are fed it.
    pub(super) fn feed(
        &self,
        first_row: u64,
        numbers: &[ArrayRef],
        conditions: &[Option<BooleanBuffer>],
    ) -> Feed {
        let fed = |by: &FedBy| Fed {
            values: by.values.iter().map(|&value| numbers[value].clone()).collect(),
            condition: by.condition.and_then(|clause| conditions[clause].clone()),
        };
        Feed { first_row, inputs: self.fed.iter().map(fed).collect() }
    }

    /// Positions of the clauses that are conditions of measures.
    pub(super) fn conditions(&self) -> impl Iterator<Item = usize> {
        self.fed.iter().filter_map(|fed| fed.condition)
    }
}

/// Where `item` is in a list that holds everything once.
fn place_in<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}

/// The column it is, if it is one of texts and nothing else.
fn text_column(expr: &Expr, schema: &Schema) -> Option<usize> {
    let is_text = matches!(expr.data_type(), DataType::Utf8 | DataType::LargeUtf8);
    expr.as_column().filter(|_| is_text).and_then(|name| schema.position(name))
}

/// The position of a clause whose expressions are resolved.
fn clause_of(
    clause: Clause,
    clauses: &mut Vec<(Clause, Test)>,
    places: &mut HashMap<String, usize>,
    collector: &mut Collector,
    codes: Option<&TableCodes>,
) -> usize {
    *places.entry(clause.key()).or_insert_with(|| {
        let test = Test::of(&clause, collector, codes);
        clauses.push((clause, test));
        clauses.len() - 1
    })
}
