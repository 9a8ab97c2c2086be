//! What is computed of the rows of a cell: aggregates, each with its arguments and its condition, and
//! formulas over them.
//!
//! ```text
//! count                                     rows
//! mean(fare)                                an aggregate of an expression
//! mean(fare) where passengers > 1           of some of the rows; also (count where paid) / count
//! first(fare, pickup)                       of two
//! quantile(fare, 0.9)                       with a number; `[0.1, 0.9]` are two measures
//! 100 * sum(tip) / sum(fare)                a formula over aggregates, with all functions of the language
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::QueryError;
use super::by_name::by_name;
use super::scan::GROUP_BUDGET;
use crate::aggregate::{
    AGGREGATES, Aggregate, Cuts, FromSample, Goal, Input, Lane, Lanes, Measured, Parameter, Search, Sight,
    Standing,
};
use crate::data::{Field, Schema};
use crate::dataset::Dataset;
use crate::expr::{Expr, ExprError, Outer, OuterCall, Program, describe, nearest, quote_name, scalar_with};

/// An aggregate of expressions, over the rows that meet a condition if it has one.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregation {
    /// What is computed.
    pub aggregate: &'static Aggregate,
    /// Of what; nothing counts rows.
    pub values: Vec<Expr>,
    /// The number after its values, as the 0.9 of `quantile(x, 0.9)`; 0 where it takes none.
    pub parameter: f64,
    /// Of which rows; without one of all.
    pub condition: Option<Expr>,
}

/// An aggregation, or a formula over several.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// At least one, none twice.
    parts: Vec<Aggregation>,
    /// Over columns named as the parts are written. Without one the measure is its only part.
    formula: Option<Expr>,
}

impl Measure {
    /// The measure `aggregate(value)`.
    ///
    /// # Errors
    /// A sentence that says why there is no such measure.
    pub fn new(aggregate: &'static Aggregate, value: Option<Expr>) -> Result<Measure, String> {
        let values: Vec<Expr> = value.into_iter().collect();
        accepted(aggregate, &values).map_err(|(message, _)| message)?;
        if aggregate.parameter.is_some() {
            return Err(format!("`{}` needs a number, as in `{}`", aggregate.name, aggregate.example));
        }
        Ok(Measure { parts: vec![Aggregation::of(aggregate, values)], formula: None })
    }

    /// The measure written as in the examples above, over the columns of `dataset`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the text.
    pub fn parse(text: &str, dataset: &Dataset) -> Result<Measure, String> {
        Measure::check(text, dataset).map_err(|error| error.to_string())
    }

    /// As [`Measure::parse`], with the place of what is wrong.
    ///
    /// # Errors
    /// [`ExprError`] with a place in `text`.
    pub fn check(text: &str, dataset: &Dataset) -> Result<Measure, ExprError> {
        let schema = dataset.schema();
        let outer = Outer::of(text, is_call)?;
        if let Some((name, span)) = outer.unknown.first() {
            let what =
                if outer.calls.is_empty() { "no aggregate" } else { "neither an aggregate nor a function" };
            return Err(unknown(name, span.clone(), what));
        }
        let of_rows = outer.names.iter().find(|(name, _)| schema.field(name).is_some());
        if outer.calls.is_empty() {
            return Err(not_aggregated(text, outer.names.first(), schema));
        }
        if let Some((name, span)) = of_rows {
            let name = quote_name(name);
            let message = format!(
                "{name} has a value for every row; beside an aggregate one of it is needed, as mean({name})"
            );
            let suggestion = Some(format!("mean({name})"));
            return Err(ExprError { message, span: span.clone(), suggestion });
        }
        let mut parts: Vec<Aggregation> = Vec::new();
        let mut places = Vec::new();
        for call in &outer.calls {
            let part = aggregation(text, call, schema)?;
            let place = parts.iter().position(|known| *known == part);
            places.push(place.unwrap_or_else(|| {
                parts.push(part);
                parts.len() - 1
            }));
        }
        if outer.is_one_call() {
            return Ok(Measure { parts, formula: None });
        }
        let measures = Measures::of_parts(&parts);
        let finished = measures.finish_parts(&measures.lanes(1), 0);
        let columns = formula_schema(&parts, &finished).with_variables(schema.variables().to_vec());
        let formula = outer.parse(&columns, |call| parts[places[call]].as_operand())?;
        Ok(Measure { parts, formula: Some(formula) })
    }

    /// The measures of a text in which the number of an aggregate may be a list, as `quantile(x, [0.1, 0.9])`.
    ///
    /// # Errors
    /// As [`Measure::check`].
    pub fn each(text: &str, dataset: &Dataset) -> Result<Vec<Measure>, ExprError> {
        let outer = Outer::of(text, is_call)?;
        let list = outer.calls.iter().find_map(|call| {
            Aggregate::named(&call.name)?.parameter?;
            let span = trimmed(text, call.arguments.last()?);
            text[span.clone()].strip_prefix('[')?.strip_suffix(']')?;
            Some(span)
        });
        let Some(list) = list else { return Ok(vec![Measure::check(text, dataset)?]) };
        text[list.start + 1..list.end - 1]
            .split(',')
            .map(|number| {
                let one = format!("{}{}{}", &text[..list.start], number.trim(), &text[list.end..]);
                Measure::check(&one, dataset).map_err(|error| ExprError { span: list.clone(), ..error })
            })
            .collect()
    }

    /// Whether it is made of the number of rows alone.
    pub(super) fn counts_rows_alone(&self) -> bool {
        self.parts.iter().all(|part| part.values.is_empty() && part.condition.is_none())
    }

    /// The number of rows.
    pub fn count() -> Measure {
        Measure { parts: vec![Aggregation::of(AGGREGATES[0], Vec::new())], formula: None }
    }

    /// The aggregation it is; `None` of a formula.
    pub fn aggregation(&self) -> Option<&Aggregation> {
        match (&self.formula, self.parts.as_slice()) {
            (None, [part]) => Some(part),
            _ => None,
        }
    }

    /// The expressions it needs the values of.
    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expr> {
        self.parts.iter().flat_map(|part| part.values.iter().chain(&part.condition))
    }

    /// Whether it keeps the values themselves, many to a cell.
    pub(super) fn keeps_values(&self) -> bool {
        self.parts.iter().any(|part| part.aggregate.keeps_values())
    }

    /// Whether it is the number of rows.
    pub fn is_count_of_rows(&self) -> bool {
        self.aggregation().is_some_and(|part| part.values.is_empty() && part.condition.is_none())
    }

    /// The text that tells it from all others, once virtual columns are replaced by their meaning.
    pub(super) fn key(&self, resolve: &impl Fn(&Expr) -> Expr) -> String {
        let mut key: String = self.parts.iter().map(|part| format!("{};", part.resolved(resolve))).collect();
        if let Some(formula) = &self.formula {
            key.push_str(&formula.to_string());
        }
        key
    }
}

/// Whether a name outside of brackets means an aggregate.
fn is_call(name: &str, brackets: bool) -> bool {
    Aggregate::named(name).is_some_and(|aggregate| brackets || aggregate.least_arguments() == 0)
}

fn aggregation(text: &str, call: &OuterCall, schema: &Schema) -> Result<Aggregation, ExprError> {
    let aggregate = Aggregate::named(&call.name)
        .ok_or_else(|| unknown(&call.name, call.name_span.clone(), "no aggregate"))?;
    let is_star = matches!(call.arguments.as_slice(), [only] if text[only.clone()].trim() == "*");
    let spans = if is_star { &[][..] } else { &call.arguments[..] };
    let (aggregate, spans) = by_name(text, aggregate, spans, schema)?;
    // The number, if it takes one, is what follows its values.
    let takes_number = aggregate.parameter.is_some() && spans.len() > aggregate.least_arguments();
    let (spans, number) = match spans.split_last() {
        Some((number, spans)) if takes_number => (spans, Some(number)),
        _ => (&spans[..], None),
    };
    let read = |span: &std::ops::Range<usize>| {
        Expr::parse(&text[span.clone()], schema).map_err(|mut error| {
            error.span = error.span.start + span.start..error.span.end + span.start;
            error
        })
    };
    let values = spans.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    accepted(aggregate, &values).map_err(|(message, at)| {
        let span = spans.get(at).map_or_else(|| lacking(text, call), |span| trimmed(text, span));
        ExprError { message, span, suggestion: None }
    })?;
    let parameter = parameter(text, call, aggregate, number, schema)?;
    let mut condition: Option<Expr> = None;
    for span in &call.conditions {
        let found = read(span)?;
        if found.data_type() != &DataType::Boolean {
            let is = describe(found.data_type());
            let message = format!("a condition is true or false for each row; this is {is}");
            return Err(ExprError { message, span: trimmed(text, span), suggestion: None });
        }
        condition = Some(match condition {
            Some(known) => known.and(found),
            None => found,
        });
    }
    Ok(Aggregation { aggregate, values, parameter, condition })
}

/// The place of the bracket before which something is lacking.
fn lacking(text: &str, call: &OuterCall) -> std::ops::Range<usize> {
    call.span.end - usize::from(text[call.span.clone()].ends_with(')'))..call.span.end
}

/// The number after the values.
fn parameter(
    text: &str,
    call: &OuterCall,
    aggregate: &'static Aggregate,
    span: Option<&std::ops::Range<usize>>,
    schema: &Schema,
) -> Result<f64, ExprError> {
    let Some(Parameter { least, greatest, default }) = aggregate.parameter else { return Ok(0.0) };
    if let (None, Some(default)) = (span, default) {
        return Ok(default);
    }
    let (message, span) = match span {
        None => (
            format!("`{}` needs a number, as in `{}`", aggregate.name, aggregate.example),
            lacking(text, call),
        ),
        Some(span) => {
            let span = trimmed(text, span);
            match scalar_with(&text[span.clone()], schema.variables()) {
                Ok(number) if (least..=greatest).contains(&number) => return Ok(number),
                Ok(number) => {
                    (format!("a number from {least} to {greatest} is expected here, not {number}"), span)
                }
                Err(error) => (error.to_string(), span),
            }
        }
    };
    Err(ExprError { message, span, suggestion: None })
}

/// Checks number and types of values; else what is wrong, and with which of them.
fn accepted(aggregate: &Aggregate, values: &[Expr]) -> Result<(), (String, usize)> {
    let name = aggregate.name;
    let signature = aggregate.signature;
    if values.len() < aggregate.least_arguments() {
        let what = if values.is_empty() { "a value" } else { "another value" };
        return Err((format!("`{name}` needs {what}, as in `{signature}`"), values.len()));
    }
    if values.len() > aggregate.arguments.len() {
        return Err((
            format!("`{name}` takes no more than {} values: {signature}", aggregate.arguments.len()),
            aggregate.arguments.len(),
        ));
    }
    let refused = values.iter().zip(aggregate.arguments).position(|(value, argument)| {
        let accepts = argument.accepts;
        !accepts(value.data_type())
    });
    match refused {
        Some(at) => {
            let (value, is) = (&values[at], describe(values[at].data_type()));
            Err((format!("`{name}` is not defined for `{value}`, which is {is}"), at))
        }
        None => Ok(()),
    }
}

pub(super) fn trimmed(text: &str, span: &std::ops::Range<usize>) -> std::ops::Range<usize> {
    let part = &text[span.clone()];
    let start = span.start + part.len() - part.trim_start().len();
    start..(span.start + part.trim_end().len()).max(start)
}

fn unknown(name: &str, span: std::ops::Range<usize>, what: &str) -> ExprError {
    let known = || AGGREGATES.iter().map(|aggregate| aggregate.name);
    let list: Vec<_> = known().collect();
    ExprError {
        message: format!("`{name}` is {what}; the aggregates are {}", list.join(", ")),
        span,
        suggestion: nearest(name, known()).map(str::to_owned),
    }
}

/// What is wrong with a text without an aggregate.
fn not_aggregated(text: &str, name: Option<&(String, std::ops::Range<usize>)>, schema: &Schema) -> ExprError {
    let whole = text.len() - text.trim_start().len()..text.trim_end().len();
    match name {
        _ if Expr::parse(text, schema).is_ok() => {
            let text = text.trim();
            ExprError {
                message: format!("`{text}` has a value for every row; of a cell it is one, as mean({text})"),
                span: whole,
                suggestion: Some(format!("mean({text})")),
            }
        }
        Some((name, span)) => unknown(name, span.clone(), "no aggregate"),
        None => ExprError {
            message: "an aggregate is expected, as count or mean(x)".to_owned(),
            span: whole,
            suggestion: None,
        },
    }
}

impl Aggregation {
    fn of(aggregate: &'static Aggregate, values: Vec<Expr>) -> Aggregation {
        Aggregation { aggregate, values, parameter: 0.0, condition: None }
    }

    fn resolved(&self, resolve: &impl Fn(&Expr) -> Expr) -> Aggregation {
        Aggregation {
            aggregate: self.aggregate,
            values: self.values.iter().map(resolve).collect(),
            parameter: self.parameter,
            condition: self.condition.as_ref().map(resolve),
        }
    }

    /// As it is written in a formula.
    fn as_operand(&self) -> String {
        if self.condition.is_some() { format!("({self})") } else { self.to_string() }
    }
}

impl std::fmt::Display for Aggregation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.aggregate.name)?;
        if !self.values.is_empty() {
            let mut inside: Vec<String> = self.values.iter().map(Expr::to_string).collect();
            inside.extend(self.aggregate.parameter.map(|_| self.parameter.to_string()));
            write!(f, "({})", inside.join(", "))?;
        }
        match &self.condition {
            Some(condition) => write!(f, " where {condition}"),
            None => Ok(()),
        }
    }
}

impl std::fmt::Display for Measure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.formula, self.parts.as_slice()) {
            (Some(formula), parts) => {
                let mut text = formula.to_string();
                for part in parts.iter().map(Aggregation::as_operand) {
                    text = text.replace(quote_name(&part).as_ref(), &part);
                }
                f.write_str(&text)
            }
            (None, parts) => parts.iter().try_for_each(|part| write!(f, "{part}")),
        }
    }
}

/// The columns a formula is over: the finished parts, by the name they are written with.
fn formula_schema(parts: &[Aggregation], finished: &[ArrayRef]) -> Schema {
    let field = |(part, array): (&Aggregation, &ArrayRef)| {
        Field::new(part.as_operand(), operand_type(array.data_type()).clone())
    };
    Schema::new(parts.iter().zip(finished).map(field).collect())
}

/// Whole sums beyond 64 bits are computed with as `f64`.
fn operand_type(data_type: &DataType) -> &DataType {
    if matches!(data_type, DataType::Decimal128(..)) { &DataType::Float64 } else { data_type }
}

/// A search that takes the place of a lane of an input.
#[derive(Debug)]
pub(super) struct Searching {
    pub(super) input: usize,
    pub(super) lane: Lane,
    pub(super) search: Search,
}

/// Share of the budget for groups that the values kept by one set of accumulators may take: distinct values, those a
/// mode or a quantile is found among. Each thread has a set, and there is one more for all.
const KEPT_SHARE: usize = 16;

/// The measures of a question by position of what they need.
#[derive(Debug, Clone)]
pub(super) struct Measures {
    asked: Vec<(Measure, Vec<usize>)>,
    parts: Vec<Measured>,
    inputs: Vec<Input>,
    /// Of every input, its expressions and its condition, resolved.
    sources: Vec<(Vec<Expr>, Option<Expr>)>,
    /// Of every input, into how many bins its values are cut; 0 where they are not.
    bins: Vec<usize>,
    /// What this pass looks for instead of accumulating it, and whether it does nothing else.
    sights: Vec<Sight>,
    only_sights: bool,
}

fn kept_of(budget: usize) -> usize {
    budget / KEPT_SHARE
}

impl Measures {
    /// The accumulators and formulas of `measures`, with their expressions resolved.
    pub(super) fn of(measures: &[Measure], resolve: impl Fn(&Expr) -> Expr) -> Measures {
        let mut compiled = Measures {
            asked: vec![],
            parts: vec![],
            inputs: vec![],
            sources: vec![],
            bins: vec![],
            sights: vec![],
            only_sights: false,
        };
        for measure in measures {
            let parts = measure.parts.iter().map(|part| compiled.part(part.resolved(&resolve))).collect();
            compiled.asked.push((measure.clone(), parts));
        }
        compiled
    }

    fn of_parts(parts: &[Aggregation]) -> Measures {
        let measures: Vec<Measure> =
            parts.iter().map(|part| Measure { parts: vec![part.clone()], formula: None }).collect();
        Measures::of(&measures, Expr::clone)
    }

    fn part(&mut self, part: Aggregation) -> usize {
        let is_count_of_rows = part.values.is_empty() && part.condition.is_none();
        // Values cut into another number of bins are another input.
        let bins = if part.aggregate.lanes.contains(&Lane::Joint) { part.parameter as usize } else { 0 };
        let input = (!is_count_of_rows).then(|| {
            let types = part.values.iter().map(|value| value.data_type().clone()).collect();
            let conditioned = part.condition.is_some();
            let source = (part.values, part.condition);
            let known = (0..self.sources.len()).find(|&i| self.sources[i] == source && self.bins[i] == bins);
            known.unwrap_or_else(|| {
                self.bins.push(bins);
                self.inputs.push(Input { types, conditioned, cuts: None, budget: kept_of(GROUP_BUDGET) });
                self.sources.push(source);
                self.sources.len() - 1
            })
        });
        let measured = Measured { aggregate: part.aggregate, input, parameter: part.parameter };
        self.parts.iter().position(|known| *known == measured).unwrap_or_else(|| {
            self.parts.push(measured);
            self.parts.len() - 1
        })
    }

    /// Expressions and condition of every input.
    pub(super) fn sources(&self) -> &[(Vec<Expr>, Option<Expr>)] {
        &self.sources
    }

    /// Empty accumulators of `cells` elements.
    pub(super) fn lanes(&self, cells: usize) -> Lanes {
        match self.only_sights {
            true => Lanes::in_sight(&self.inputs, &self.sights, cells),
            false => Lanes::new(&self.parts, &self.inputs, &self.sights, cells),
        }
    }

    /// Gives the values that are kept their share of this budget.
    pub(super) fn keep_to(&mut self, budget: usize) {
        self.inputs.iter_mut().for_each(|input| input.budget = kept_of(budget));
    }

    /// The searches that take the place of accumulators of many values, over `cells` cells.
    pub(super) fn searches(&self, cells: usize) -> Vec<Searching> {
        let mut found: Vec<(usize, Lane, Goal)> = Vec::new();
        for part in &self.parts {
            let Some(input) = part.input else { continue };
            let Some((lane, goal)) = self.inputs[input].types.first().and_then(|t| part.goal(t)) else {
                continue;
            };
            match found.iter_mut().find(|(i, l, _)| (*i, *l) == (input, lane)) {
                Some((.., known)) => known.join(goal),
                None => found.push((input, lane, goal)),
            }
        }
        let searching = |(input, lane, goal)| Searching { input, lane, search: Search::new(goal, cells) };
        found.into_iter().map(searching).collect()
    }

    /// The inputs whose values are cut into bins, and into how many.
    pub(super) fn uncut(&self) -> Vec<(usize, usize)> {
        let is_cut = |part: &&Measured| part.aggregate.lanes.contains(&Lane::Joint);
        self.parts.iter().filter(is_cut).filter_map(|p| Some((p.input?, p.parameter as usize))).collect()
    }

    /// Cuts the values of an input into at most `most` bins over their extents.
    pub(super) fn cut(&mut self, input: usize, extents: [[f64; 2]; 2], most: usize) {
        let Some(input) = self.inputs.get_mut(input) else { return };
        if let [x, y] = input.types.as_slice() {
            input.cuts = Cuts::new([x, y], extents, most).map(Arc::new);
        }
    }

    /// Has the pass look for what these searches need next; with `only`, for nothing else.
    pub(super) fn look_for(&mut self, searches: &[Searching], only: bool) {
        let sight = |s: &Searching| Some(Sight { input: s.input, lane: s.lane, round: s.search.round()? });
        self.sights = searches.iter().filter_map(sight).collect();
        self.only_sights = only;
    }

    /// Whether accumulators that are small enough may be four to a cell.
    pub(super) fn may_spread(&self) -> bool {
        self.parts.iter().all(|part| !part.aggregate.keeps_values())
    }

    fn finish_parts(&self, lanes: &Lanes, cells: usize) -> Vec<ArrayRef> {
        self.parts.iter().map(|part| part.finish(lanes, cells)).collect()
    }

    /// The finished measures over elements `0..cells` of `lanes`; null where a cell has no value.
    pub(super) fn finish(&self, lanes: &Lanes, cells: usize) -> Result<Vec<ArrayRef>, QueryError> {
        self.finish_with(lanes, cells, |_, array| array)
    }

    /// As [`Measures::finish`], with every finished aggregate replaced by `of_part` of it.
    pub(super) fn finish_with(
        &self,
        lanes: &Lanes,
        cells: usize,
        of_part: impl Fn(&Aggregate, ArrayRef) -> ArrayRef,
    ) -> Result<Vec<ArrayRef>, QueryError> {
        if let Some(lost) = self.parts.iter().find(|part| part.standing(lanes, cells) == Standing::Lost) {
            return Err(QueryError::TooManyValues { aggregate: lost.aggregate.name });
        }
        let finished = self.finish_parts(lanes, cells);
        let parts = self.parts.iter().zip(finished);
        let finished: Vec<ArrayRef> = parts.map(|(part, array)| of_part(part.aggregate, array)).collect();
        let measured = |(measure, places): &(Measure, Vec<usize>)| {
            let parts: Vec<ArrayRef> = places.iter().map(|&place| finished[place].clone()).collect();
            match &measure.formula {
                Some(formula) => computed(formula, &measure.parts, parts, cells),
                None => Ok(parts[0].clone()),
            }
        };
        self.asked.iter().map(measured).collect()
    }
}

impl Measures {
    /// Whether measure `m` is of a sample no more than what the sample holds.
    pub(super) fn is_bound(&self, m: usize) -> bool {
        let bound = |&part: &usize| self.parts[part].aggregate.from_sample() == FromSample::Bound;
        self.asked[m].1.iter().any(bound)
    }

    /// Whether measure `m` is the number of rows.
    pub(super) fn is_count_of_rows(&self, m: usize) -> bool {
        self.asked[m].0.is_count_of_rows()
    }

    /// Of every measure, whether it was finished from a sketch.
    pub(super) fn approximate(&self, lanes: &Lanes, cells: usize) -> Vec<bool> {
        let is = |&place: &usize| self.parts[place].standing(lanes, cells) == Standing::Approximate;
        self.asked.iter().map(|(_, places)| places.iter().any(is)).collect()
    }
}

/// A formula over finished parts. It is typed anew: a sum of whole numbers has one of two types.
fn computed(
    formula: &Expr,
    parts: &[Aggregation],
    finished: Vec<ArrayRef>,
    cells: usize,
) -> Result<ArrayRef, QueryError> {
    let schema = formula_schema(parts, &finished);
    let formula = Expr::parse(&formula.to_string(), &schema)?;
    let columns = finished
        .into_iter()
        .map(|array| cast(&array, operand_type(array.data_type())).map_err(super::question::internal))
        .collect::<Result<Vec<_>, _>>()?;
    let program = Program::compile(&[formula], &schema);
    let needed: Vec<ArrayRef> = program.columns().iter().map(|&column| columns[column].clone()).collect();
    Ok(program.run(&needed, cells)?.remove(0))
}
