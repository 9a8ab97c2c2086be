//! The table of functions: one entry each, from which typing, running, help and completion follow.
//!
//! Operators are functions too. An entry is a constant in the file of its family; the table is
//! [`FUNCTIONS`].

mod bounds;
mod calendar;
mod conversion;
mod duration;
mod geometry;
mod hash;
mod logic;
mod missing;
mod nested;
mod numeric;
mod operators;
mod pattern;
mod structure;
mod text;
mod time;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::datatypes::{ArrowPrimitiveType, DataType};
use arrow::error::ArrowError;

use self::bounds::Bounds;
pub(super) use self::structure::fields as structure_fields;
use super::tree::Expr;
use super::typing::{Mistake, Typing};
use crate::kernel::compare::Side;
use crate::kernel::float::Float;

/// What a function is about, for the manual's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// `+`, `<`, `and` and the like.
    Operator,
    /// Numbers to numbers.
    Numeric,
    /// Conversions between types.
    Conversion,
    /// Choices and tests.
    Logic,
    /// Missing values and NaN.
    Missing,
    /// Text.
    Text,
    /// Dates, times and durations.
    Time,
    /// Places on a sphere and in the plane.
    Geometry,
    /// Lists and structures.
    List,
}

/// What a function makes of missing arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Missing {
    /// One missing argument makes the result missing.
    Propagates,
    /// One missing argument makes the result false.
    False,
    /// The result is never missing; the function's doc says what it is.
    Never,
    /// The function's doc says.
    Own,
}

/// One function.
pub struct Function {
    /// The name it is printed under.
    pub name: &'static str,
    /// Other names it is known by.
    pub aliases: &'static [&'static str],
    /// What it is about.
    pub family: Family,
    /// Its call with the arguments' names and the type of the result.
    pub signature: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// A call and its result.
    pub example: &'static str,
    /// What it makes of missing arguments.
    pub missing: Missing,
    pub(super) arity: (usize, usize),
    /// Whether texts beside a time are dates.
    pub(super) dates: bool,
    /// Whether numbers written in the text remain so through it.
    pub(super) keeps_weak: bool,
    pub(super) types: fn(&[Expr]) -> Result<Typing, Mistake>,
    /// Bounds of the result from bounds of the arguments.
    pub(super) domain: Bounds,
    /// Over arrays of the parameters' types.
    pub(super) kernel: fn(&Arguments) -> Result<ArrayRef, ArrowError>,
    /// Over slices, where parameters and result are of one real type.
    pub(super) float: Option<Float>,
    /// Whether the kernel gives no value where the result does not fit its type.
    pub(super) may_overflow: bool,
    /// What else may have no result.
    pub(super) undefined: Option<Undefined>,
}

/// In how many rows, of which no argument is missing, there is no result for another reason than overflow.
type Undefined = fn(&[ArrayRef]) -> Result<usize, ArrowError>;

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.signature)
    }
}

/// What most entries share.
pub(super) const BASE: Function = Function {
    name: "",
    aliases: &[],
    family: Family::Numeric,
    signature: "",
    doc: "",
    example: "",
    missing: Missing::Propagates,
    arity: (1, 1),
    dates: false,
    keeps_weak: true,
    types: numeric::real_types,
    domain: bounds::all,
    kernel: no_kernel,
    float: None,
    may_overflow: false,
    undefined: None,
};

fn no_kernel(_: &Arguments) -> Result<ArrayRef, ArrowError> {
    Err(ArrowError::NotYetImplemented("this function works on real numbers only".to_owned()))
}

/// All functions, by family.
pub fn functions() -> impl Iterator<Item = &'static Function> {
    [
        operators::FUNCTIONS,
        numeric::FUNCTIONS,
        conversion::FUNCTIONS,
        logic::FUNCTIONS,
        missing::FUNCTIONS,
        text::FUNCTIONS,
        pattern::FUNCTIONS,
        time::FUNCTIONS,
        calendar::FUNCTIONS,
        duration::FUNCTIONS,
        hash::FUNCTIONS,
        geometry::FUNCTIONS,
        nested::FUNCTIONS,
        structure::FUNCTIONS,
    ]
    .into_iter()
    .flatten()
}

static BY_NAME: LazyLock<HashMap<&'static str, &'static Function>> = LazyLock::new(|| {
    functions()
        .flat_map(|f| std::iter::once(f.name).chain(f.aliases.iter().copied()).map(move |n| (n, f)))
        .collect()
});

/// The function of this name or alias; `str_pandas_…` are the names Vaex gives to `str_…` as well.
pub fn function(name: &str) -> Option<&'static Function> {
    let pandas = || BY_NAME.get(format!("str_{}", name.strip_prefix("str_pandas_")?).as_str());
    BY_NAME.get(name).or_else(pandas).copied()
}

/// Names and aliases of all functions.
pub(super) fn all_names() -> impl Iterator<Item = &'static str> {
    BY_NAME.keys().copied()
}

/// One argument's values: an array of all rows, or an array of one value that stands for all rows.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) array: ArrayRef,
    pub(super) scalar: bool,
}

/// What a kernel gets.
pub(super) struct Arguments<'a> {
    pub(super) values: &'a [Value],
    pub(super) rows: usize,
    pub(super) output: &'a DataType,
}

impl Arguments<'_> {
    /// The array of argument `i`, of all rows or one.
    pub(super) fn array(&self, i: usize) -> &ArrayRef {
        &self.values[i].array
    }

    /// The array of argument `i` with one value per row.
    pub(super) fn full(&self, i: usize) -> Result<ArrayRef, ArrowError> {
        self.values[i].full(self.rows)
    }

    /// Where every argument has a value.
    pub(super) fn nulls(&self) -> Option<NullBuffer> {
        NullBuffer::union_many(self.values.iter().filter(|v| !v.scalar).map(|v| v.array.nulls()))
    }
}

impl Value {
    /// One value per row.
    pub(super) fn full(&self, rows: usize) -> Result<ArrayRef, ArrowError> {
        if !self.scalar {
            return Ok(self.array.clone());
        }
        let indices = arrow::array::UInt32Array::from(vec![0u32; rows]);
        arrow::compute::take(&self.array, &indices, None)
    }
}

/// The values of an argument of numbers or times.
pub(super) fn side<T: ArrowPrimitiveType>(value: &Value) -> Side<'_, T::Native> {
    let values = value.array.as_primitive::<T>();
    if value.scalar { Side::One(values.value(0)) } else { Side::Each(values.values()) }
}

/// Bits as an array, missing where `nulls` says.
pub(super) fn booleans(bits: Vec<u64>, rows: usize, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(BooleanArray::new(BooleanBuffer::new(Buffer::from_vec(bits), 0, rows), nulls))
}

/// As [`booleans`], but false where `nulls` says that there is nothing.
pub(super) fn certain(bits: Vec<u64>, rows: usize, nulls: Option<&NullBuffer>) -> ArrayRef {
    let bits = BooleanBuffer::new(Buffer::from_vec(bits), 0, rows);
    let bits = match nulls {
        Some(nulls) => &bits & nulls.inner(),
        None => bits,
    };
    Arc::new(BooleanArray::new(bits, None))
}

/// Values as an array of exactly the type `output`, missing where `nulls` says.
pub(super) fn primitives<T: ArrowPrimitiveType>(
    values: Vec<T::Native>,
    nulls: Option<NullBuffer>,
    output: &DataType,
) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(values.into(), nulls).with_data_type(output.clone()))
}
