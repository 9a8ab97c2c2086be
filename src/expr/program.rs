//! Trees to steps over arrays, and running them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, NullArray, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::error::ArrowError;

use super::error::ExprError;
use super::functions::{Arguments, Family, Function, Missing, Value};
use super::fuse::{fuse, operation};
use super::fused::{Fused, Place, Reals, is_loadable};
use super::literal::Literal;
use super::tree::{Call, Expr, Node};
use crate::data::Schema;

/// Several expressions compiled together: what they share is computed once, constants beforehand.
#[derive(Debug, Clone)]
pub struct Program {
    /// Schema positions, in the order in which `run` takes the arrays.
    columns: Vec<usize>,
    steps: Vec<Step>,
    /// The step each expression ends in, and its type.
    outputs: Vec<(usize, DataType)>,
    /// Of each expression, the steps in which a value may not fit its type.
    overflowing: Vec<Vec<usize>>,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    /// The array at this place of `columns`.
    Column(usize),
    Constant(ArrayRef),
    Cast(usize, DataType),
    Call {
        function: &'static Function,
        arguments: Vec<usize>,
        output: DataType,
    },
    /// Several calls on reals at once.
    Fused(Fused),
    /// Computed within the [`Step::Fused`] that needs it.
    Inside,
    /// A column that the schema does not have.
    Unknown(String),
}

impl Program {
    /// Compiles expressions over the stored columns of `schema`. A column that it does not have is an
    /// error when the program is run.
    pub fn compile(exprs: &[Expr], schema: &Schema) -> Program {
        let mut compiler = Compiler {
            schema,
            columns: Vec::new(),
            steps: Vec::new(),
            types: Vec::new(),
            known: HashMap::new(),
        };
        let outputs: Vec<(usize, DataType)> =
            exprs.iter().map(|e| (compiler.expr(e), e.data_type().clone())).collect();
        let steps = fuse(compiler.steps, &compiler.types, &outputs);
        let overflowing = outputs.iter().map(|(step, _)| overflowing(&steps, *step)).collect();
        Program { columns: compiler.columns, steps, outputs, overflowing }
    }

    /// Positions in the schema of the columns it reads, in the order in which [`Program::run`] wants them.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Whether [`Program::run_counting`] could count anything.
    pub fn may_overflow(&self) -> bool {
        self.overflowing.iter().any(|steps| !steps.is_empty())
    }

    /// Evaluates all expressions over `rows` rows: one array of `rows` values per expression, of exactly
    /// its type. `columns` are the arrays of [`Program::columns`].
    ///
    /// # Errors
    /// [`ExprError`] without a place when a function fails on the values.
    pub fn run(&self, columns: &[ArrayRef], rows: usize) -> Result<Vec<ArrayRef>, ExprError> {
        self.run_counting(columns, rows).map(|(values, _)| values)
    }

    /// As [`Program::run`], and of every expression in how many rows a whole number, time or duration did not
    /// fit its type and is therefore missing, summed over its operations.
    ///
    /// # Errors
    /// As [`Program::run`].
    pub fn run_counting(
        &self,
        columns: &[ArrayRef],
        rows: usize,
    ) -> Result<(Vec<ArrayRef>, Vec<u64>), ExprError> {
        self.run_feeding(columns, rows, &[], &mut |_, _| {})
    }

    /// As [`Program::run_counting`], but of the outputs `fed`, by position, those values that are computed
    /// block by block anyway, and none of which is missing, are handed to `take` in their order instead of
    /// being kept. An array of type Null stands in their place.
    ///
    /// # Errors
    /// As [`Program::run`].
    pub fn run_feeding(
        &self,
        columns: &[ArrayRef],
        rows: usize,
        fed: &[usize],
        take: &mut dyn FnMut(usize, Reals<'_>),
    ) -> Result<(Vec<ArrayRef>, Vec<u64>), ExprError> {
        let failed = |error: ArrowError| ExprError::new(error.to_string(), 0..0);
        let mut values: Vec<Value> = Vec::with_capacity(self.steps.len());
        let mut lost = vec![0; self.steps.len()];
        for (i, step) in self.steps.iter().enumerate() {
            if let Step::Fused(fused) = step
                && let Some(output) = self.only_output(i).filter(|output| fed.contains(output))
                && fused.feed(&fused.inputs(&values), rows, &mut |reals| take(output, reals)).is_some()
            {
                values.push(Value { array: Arc::new(NullArray::new(rows)), scalar: false });
                continue;
            }
            let value = step.run(columns, rows, &values).map_err(failed)?;
            if step.may_overflow() && value.array.null_count() > 0 {
                lost[i] = step.overflowed(&value, &values, rows).map_err(failed)?;
            }
            values.push(value);
        }
        let arrays = self
            .outputs
            .iter()
            .enumerate()
            .map(|(output, (step, data_type))| {
                let array = values[*step].full(rows).map_err(failed)?;
                let is_fed = array.data_type() == &DataType::Null && fed.contains(&output);
                if is_fed || array.data_type() == data_type {
                    Ok(array)
                } else {
                    convert(&array, data_type).map_err(failed)
                }
            })
            .collect::<Result<_, _>>()?;
        let overflowed = self.overflowing.iter().map(|steps| steps.iter().map(|step| lost[*step]).sum());
        Ok((arrays, overflowed.collect()))
    }

    /// The output that a step is, if it is nothing else.
    fn only_output(&self, step: usize) -> Option<usize> {
        let mut outputs = (0..self.outputs.len()).filter(|&output| self.outputs[output].0 == step);
        let output = outputs.next()?;
        let is_wanted = |later: &Step| later.needs().contains(&step);
        (outputs.next().is_none() && !self.steps.iter().any(is_wanted)).then_some(output)
    }
}

impl Step {
    fn run(&self, columns: &[ArrayRef], rows: usize, values: &[Value]) -> Result<Value, ArrowError> {
        match self {
            Step::Column(i) => match columns.get(*i) {
                Some(array) if array.len() == rows => Ok(Value { array: array.clone(), scalar: false }),
                _ => {
                    Err(ArrowError::InvalidArgumentError(format!("column {i} of {rows} rows was not given")))
                }
            },
            Step::Constant(array) => Ok(Value { array: array.clone(), scalar: true }),
            Step::Cast(of, to) => {
                let of = &values[*of];
                Ok(Value { array: convert(&of.array, to)?, scalar: of.scalar })
            }
            Step::Call { function, arguments, output } => {
                let arguments: Vec<Value> = arguments.iter().map(|i| values[*i].clone()).collect();
                call(function, &arguments, rows, output)
            }
            Step::Fused(fused) => {
                let wrong = || ArrowError::CastError("a number is expected".to_owned());
                fused.run(&fused.inputs(values), rows).ok_or_else(wrong)
            }
            Step::Inside => Ok(Value { array: new_null_array(&DataType::Null, 1), scalar: true }),
            Step::Unknown(name) => {
                Err(ArrowError::SchemaError(format!("there is no stored column {}", super::quote_name(name))))
            }
        }
    }
}

impl Step {
    /// The steps whose values it takes.
    pub(super) fn needs(&self) -> &[usize] {
        match self {
            Step::Call { arguments, .. } => arguments,
            Step::Cast(of, _) => std::slice::from_ref(of),
            Step::Fused(fused) => &fused.inputs,
            Step::Column(_) | Step::Constant(_) | Step::Inside | Step::Unknown(_) => &[],
        }
    }

    fn may_overflow(&self) -> bool {
        match self {
            Step::Cast(_, to) => to.is_integer(),
            Step::Call { function, output, .. } => function.may_overflow && !output.is_floating(),
            _ => false,
        }
    }

    /// The rows in which `result` is missing although no value it is made of is.
    fn overflowed(&self, result: &Value, values: &[Value], rows: usize) -> Result<u64, ArrowError> {
        let arguments: Vec<&Value> = match self {
            Step::Cast(of, _) if values[*of].array.data_type().is_integer() => vec![&values[*of]],
            Step::Call { arguments, .. } => arguments.iter().map(|i| &values[*i]).collect(),
            _ => return Ok(0),
        };
        let is_missing = |v: &Value| v.scalar && v.array.is_null(0);
        if arguments.iter().any(|v| is_missing(v)) {
            return Ok(0);
        }
        let (rows, times) = if result.scalar { (1, rows as u64) } else { (rows, 1) };
        let given = NullBuffer::union_many(arguments.iter().filter(|v| !v.scalar).map(|v| v.array.nulls()));
        let lost = result.array.null_count() - given.as_ref().map_or(0, NullBuffer::null_count);
        let undefined = match self {
            Step::Call { function: Function { undefined: Some(undefined), .. }, .. } if lost > 0 => {
                let full = arguments.iter().map(|v| v.full(rows)).collect::<Result<Vec<_>, _>>()?;
                undefined(&full)?
            }
            _ => 0,
        };
        Ok((lost - undefined) as u64 * times)
    }
}

/// The steps that `output` is made of and in which a value may not fit its type.
fn overflowing(steps: &[Step], output: usize) -> Vec<usize> {
    let mut needed = vec![false; steps.len()];
    needed[output] = true;
    for step in (0..=output).rev() {
        if needed[step] {
            steps[step].needs().iter().for_each(|&argument| needed[argument] = true);
        }
    }
    (0..=output).filter(|&step| needed[step] && steps[step].may_overflow()).collect()
}

/// Runs a function over values of the types it wants.
fn call(
    function: &Function,
    arguments: &[Value],
    rows: usize,
    output: &DataType,
) -> Result<Value, ArrowError> {
    let is_constant = arguments.iter().all(|a| a.scalar);
    let rows = if is_constant { 1 } else { rows };
    let is_absent = |a: &Value| a.scalar && (a.array.is_null(0) || a.array.data_type() == &DataType::Null);
    if function.missing == Missing::Propagates && arguments.iter().any(is_absent) {
        return Ok(Value { array: new_null_array(output, 1), scalar: true });
    }
    let local: Vec<Value>;
    let arguments = if is_constant {
        local = arguments.iter().map(|a| Value { array: a.array.clone(), scalar: false }).collect();
        &local
    } else {
        arguments
    };
    if let Some(float) = &function.float
        && matches!(output, DataType::Float32 | DataType::Float64)
        && arguments.iter().all(|v| v.array.data_type() == output)
        && let Some(operation) =
            operation(float, arguments.len(), &mut (0..arguments.len()).map(Place::Input), 0)
    {
        let fused =
            Fused { inputs: vec![], operations: vec![operation], registers: 1, data_type: output.clone() };
        let inputs: Vec<&Value> = arguments.iter().collect();
        if let Some(value) = fused.run(&inputs, rows) {
            return Ok(Value { array: value.array, scalar: is_constant });
        }
    }
    let expanded: Vec<Value>;
    let takes_scalars = matches!(function.family, Family::Operator | Family::Logic);
    let arguments = match arguments {
        [first, rest @ ..] if first.scalar && !takes_scalars => {
            let first = Value { array: first.full(rows)?, scalar: false };
            expanded = std::iter::once(first).chain(rest.iter().cloned()).collect();
            &expanded
        }
        other => other,
    };
    let arguments = Arguments { values: arguments, rows, output };
    let array = (function.kernel)(&arguments)?;
    debug_assert_eq!(array.len(), rows, "{}", function.name);
    Ok(Value { array, scalar: is_constant })
}

/// Arrow's conversion; what does not fit is missing.
fn convert(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == to {
        return Ok(array.clone());
    }
    if array.data_type() == &DataType::Null {
        return Ok(new_null_array(to, array.len()));
    }
    cast_with_options(array, to, &CastOptions { safe: true, ..Default::default() })
}

struct Compiler<'a> {
    schema: &'a Schema,
    columns: Vec<usize>,
    steps: Vec<Step>,
    /// Of the steps' values.
    types: Vec<DataType>,
    known: HashMap<([u64; 2], DataType), usize>,
}

impl Compiler<'_> {
    fn push(&mut self, step: Step, data_type: &DataType) -> usize {
        self.steps.push(step);
        self.types.push(data_type.clone());
        self.steps.len() - 1
    }

    fn expr(&mut self, expr: &Expr) -> usize {
        self.typed(expr, expr.data_type())
    }

    /// The step that gives the expression in a type.
    fn typed(&mut self, expr: &Expr, data_type: &DataType) -> usize {
        let key = (expr.digest(), data_type.clone());
        if let Some(step) = self.known.get(&key) {
            return *step;
        }
        let step = if data_type != expr.data_type() {
            let of = self.expr(expr);
            self.folded(Step::Cast(of, data_type.clone()), &[of], data_type)
        } else {
            match &expr.0.node {
                Node::Column(name) => match self.schema.position(name) {
                    Some(position) => {
                        let place = self.columns.iter().position(|p| *p == position).unwrap_or_else(|| {
                            self.columns.push(position);
                            self.columns.len() - 1
                        });
                        self.push(Step::Column(place), data_type)
                    }
                    None => self.push(Step::Unknown(name.clone()), data_type),
                },
                Node::Literal(literal) => self.push(Step::Constant(literal.array()), data_type),
                Node::Call(call) => self.call(call, data_type),
            }
        };
        self.known.insert(key, step);
        step
    }

    fn call(&mut self, call: &Call, output: &DataType) -> usize {
        let arguments: Vec<usize> =
            call.arguments.iter().zip(&call.parameters).map(|(a, t)| self.typed(a, t)).collect();
        if matches!(call.function.name, "float32" | "float64")
            && let [number] = arguments[..]
            && is_loadable(&self.types[number])
        {
            return if self.types[number] == *output {
                number
            } else {
                self.folded(Step::Cast(number, output.clone()), &arguments, output)
            };
        }
        let (function, arguments) = self.simplified(call.function, arguments, output);
        let step = Step::Call { function, arguments: arguments.clone(), output: output.clone() };
        self.folded(step, &arguments, output)
    }

    /// A square as a product, which is rounded the same and many times as fast.
    fn simplified(
        &self,
        function: &'static Function,
        arguments: Vec<usize>,
        output: &DataType,
    ) -> (&'static Function, Vec<usize>) {
        if function.name == "power"
            && output.is_floating()
            && let [base, exponent] = arguments[..]
            && let Step::Constant(exponent) = &self.steps[exponent]
            && exponent.is_valid(0)
            && matches!(literal_of(exponent), Some(Literal::Float(2.0)))
            && let Some(multiply) = super::functions::function("multiply")
        {
            return (multiply, vec![base, base]);
        }
        (function, arguments)
    }

    /// Runs a step of constants at once.
    fn folded(&mut self, step: Step, arguments: &[usize], data_type: &DataType) -> usize {
        if arguments.iter().all(|i| matches!(self.steps[*i], Step::Constant(_))) {
            let values: Vec<Value> = (0..self.steps.len())
                .map(|i| match &self.steps[i] {
                    Step::Constant(array) => Value { array: array.clone(), scalar: true },
                    _ => Value { array: new_null_array(&DataType::Null, 1), scalar: true },
                })
                .collect();
            // What overflows is left to every run, which counts it.
            if let Ok(value) = step.run(&[], 1, &values)
                && value.array.len() == 1
                && !(step.may_overflow()
                    && value.array.is_null(0)
                    && step.overflowed(&value, &values, 1).is_ok_and(|lost| lost > 0))
            {
                return self.push(Step::Constant(value.array), data_type);
            }
        }
        self.push(step, data_type)
    }
}

/// The value of an expression without columns, `None` if it has columns or cannot be computed.
pub(super) fn constant(expr: &Expr) -> Option<Literal> {
    if let Some(literal) = expr.as_literal() {
        return Some(literal.clone());
    }
    if !expr.is_constant() {
        return None;
    }
    let array = Program::compile(std::slice::from_ref(expr), &Schema::default()).run(&[], 1).ok()?.pop()?;
    literal_of(&array)
}

fn literal_of(array: &ArrayRef) -> Option<Literal> {
    use arrow::datatypes::UInt64Type;
    if array.is_null(0) {
        return Some(Literal::Null);
    }
    Some(match array.data_type() {
        DataType::Boolean => Literal::Bool(array.as_boolean().value(0)),
        DataType::UInt64 => Literal::unsigned(array.as_primitive::<UInt64Type>().value(0)),
        t if t.is_integer() => {
            Literal::Int(convert(array, &DataType::Int64).ok()?.as_primitive::<Int64Type>().value(0))
        }
        t if t.is_floating() => {
            Literal::Float(convert(array, &DataType::Float64).ok()?.as_primitive::<Float64Type>().value(0))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            Literal::Text(convert(array, &DataType::LargeUtf8).ok()?.as_string::<i64>().value(0).to_owned())
        }
        _ => return None,
    })
}
