//! Arithmetic of reals, several functions at once over blocks that stay in the first cache.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, AsArray, PrimitiveArray, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::functions::Value;
use crate::kernel::float::{Binary, Float, Unary, to_f32, to_f64};

/// Rows worked on at a time: with operands and constants, all registers stay in the first cache of 32 KiB.
const BLOCK: usize = 512;

/// A tree of functions of reals of one width. Every function propagates missing values.
#[derive(Debug, Clone)]
pub(super) struct Fused {
    /// Steps whose values it takes; of the width itself or of any number type.
    pub(super) inputs: Vec<usize>,
    pub(super) operations: Vec<Operation>,
    pub(super) registers: usize,
    pub(super) data_type: DataType,
}

/// Where an operation finds an operand.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Input(usize),
    Register(usize),
}

/// One function, and the register for its result; the last one's result is the whole's.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    Unary(Float, Place, usize),
    Binary(Float, Place, Place, usize),
}

/// A width of reals, and which loop of a [`Float`] is its.
pub(super) trait Width: ArrowPrimitiveType {
    fn unary(float: &Float) -> Option<Unary<Self::Native>>;
    fn binary(float: &Float) -> Option<Binary<Self::Native>>;
    /// Converts a slice of the array's values, if they are numbers.
    fn load(array: &ArrayRef, from: usize, out: &mut [Self::Native]) -> Option<()>;
}

macro_rules! width {
    ($t:ty, $native:ty, $convert:path, $unary:pat => $f:expr, $binary:pat => $g:expr) => {
        impl Width for $t {
            fn unary(float: &Float) -> Option<Unary<$native>> {
                if let $unary = float { Some(*$f) } else { None }
            }

            fn binary(float: &Float) -> Option<Binary<$native>> {
                if let $binary = float { Some(*$g) } else { None }
            }

            fn load(array: &ArrayRef, from: usize, out: &mut [$native]) -> Option<()> {
                macro_rules! from {
                    ($s:ty) => {{
                        let values = &array.as_primitive::<$s>().values()[from..];
                        $convert(&values[..out.len()], out)
                    }};
                }
                match array.data_type() {
                    DataType::Float64 => from!(Float64Type),
                    DataType::Float32 => from!(Float32Type),
                    DataType::Int64 => from!(Int64Type),
                    DataType::Int32 => from!(Int32Type),
                    DataType::Int16 => from!(Int16Type),
                    DataType::Int8 => from!(Int8Type),
                    DataType::UInt64 => from!(UInt64Type),
                    DataType::UInt32 => from!(UInt32Type),
                    DataType::UInt16 => from!(UInt16Type),
                    DataType::UInt8 => from!(UInt8Type),
                    _ => return None,
                }
                Some(())
            }
        }
    };
}
width!(Float32Type, f32, to_f32, Float::Unary(f, _) => f, Float::Binary(f, _) => f);
width!(Float64Type, f64, to_f64, Float::Unary(_, f) => f, Float::Binary(_, f) => f);

/// Whether arrays of this type can be taken as reals without a step of their own.
pub(super) fn is_loadable(data_type: &DataType) -> bool {
    data_type.is_integer() || matches!(data_type, DataType::Float32 | DataType::Float64)
}

impl Fused {
    /// Evaluates all rows; `None` if an input is of no number type.
    pub(super) fn run(&self, inputs: &[&Value], rows: usize) -> Option<Value> {
        if inputs.iter().any(|v| v.scalar && v.array.is_null(0)) {
            return Some(Value { array: new_null_array(&self.data_type, 1), scalar: true });
        }
        let array = match self.data_type {
            DataType::Float32 => self.blocks::<Float32Type>(inputs, rows)?,
            _ => self.blocks::<Float64Type>(inputs, rows)?,
        };
        Some(Value { array, scalar: false })
    }

    fn blocks<T: Width>(&self, inputs: &[&Value], rows: usize) -> Option<ArrayRef> {
        let zero = T::Native::ZERO;
        let mut sources = Vec::with_capacity(inputs.len());
        for value in inputs {
            sources.push(if value.scalar {
                let mut one = [zero];
                T::load(&value.array, 0, &mut one)?;
                Source::Block(vec![one[0]; BLOCK.min(rows)])
            } else if value.array.data_type() == &self.data_type {
                Source::Whole(&value.array.as_primitive::<T>().values()[..])
            } else {
                Source::Converted(&value.array, vec![zero; BLOCK.min(rows)])
            });
        }
        let mut registers = vec![vec![zero; BLOCK.min(rows)]; self.registers];
        let mut out = vec![zero; rows];
        for (i, result) in out.chunks_mut(BLOCK).enumerate() {
            let (from, length) = (i * BLOCK, result.len());
            for source in &mut sources {
                if let Source::Converted(array, block) = source {
                    T::load(array, from, &mut block[..length])?;
                }
            }
            for (n, operation) in self.operations.iter().enumerate() {
                let is_last = n + 1 == self.operations.len();
                let to = match operation {
                    Operation::Unary(_, _, to) | Operation::Binary(_, _, _, to) => *to,
                };
                let mut own = std::mem::take(&mut registers[to]);
                let target = if is_last { &mut *result } else { &mut own[..length] };
                let operand = |place: Place| match place {
                    Place::Register(i) => &registers[i][..length],
                    Place::Input(i) => match &sources[i] {
                        Source::Whole(values) => &values[from..from + length],
                        Source::Block(block) | Source::Converted(_, block) => &block[..length],
                    },
                };
                match operation {
                    Operation::Unary(float, a, _) => T::unary(float)?(operand(*a), target),
                    Operation::Binary(float, a, b, _) => T::binary(float)?(operand(*a), operand(*b), target),
                }
                registers[to] = own;
            }
        }
        let nulls = NullBuffer::union_many(inputs.iter().filter(|v| !v.scalar).map(|v| v.array.nulls()));
        Some(Arc::new(PrimitiveArray::<T>::new(out.into(), nulls)))
    }
}

/// The values of an input, row by row.
enum Source<'a, N> {
    Whole(&'a [N]),
    /// A constant, repeated.
    Block(Vec<N>),
    /// Converted block by block.
    Converted(&'a ArrayRef, Vec<N>),
}
