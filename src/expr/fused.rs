//! Arithmetic of reals, several functions at once over runs of rows so short that operands, constants and
//! registers stay in the first-level cache, and that memory is asked for the next columns while functions work.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, AsArray, PrimitiveArray, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::functions::Value;
use crate::kernel::float::{Binary, Float, Unary, to_f32, to_f64};
use crate::kernel::total::BLOCK;

/// Rows that all functions work on before they turn to the next ones, in bytes of one operand. Of 4096, columns came in
/// bursts, with memory idle between them and every burst waited for.
const TILE_BYTES: usize = 1024;
/// Most rows that are.
const TILE: usize = TILE_BYTES / size_of::<f32>();

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
    /// Those of `values` that it takes.
    pub(super) fn inputs<'a>(&self, values: &'a [Value]) -> Vec<&'a Value> {
        self.inputs.iter().map(|&input| &values[input]).collect()
    }

    /// Evaluates all rows; `None` if an input is of no number type.
    pub(super) fn run(&self, inputs: &[&Value], rows: usize) -> Option<Value> {
        if inputs.iter().any(|v| v.scalar && v.array.is_null(0)) {
            return Some(Value { array: new_null_array(&self.data_type, 1), scalar: true });
        }
        let array = match self.data_type {
            DataType::Float32 => self.array::<Float32Type>(inputs, rows)?,
            _ => self.array::<Float64Type>(inputs, rows)?,
        };
        Some(Value { array, scalar: false })
    }

    fn array<T: Width>(&self, inputs: &[&Value], rows: usize) -> Option<ArrayRef> {
        let mut out = vec![T::Native::ZERO; rows];
        Tiles::<T>::new(self, inputs)?.write(0, &mut out)?;
        let nulls = NullBuffer::union_many(inputs.iter().filter(|v| !v.scalar).map(|v| v.array.nulls()));
        Some(Arc::new(PrimitiveArray::<T>::new(out.into(), nulls)))
    }

    /// Evaluates all rows and hands them over block by block instead of keeping them. `None`, and nothing is
    /// handed over, if a value is missing or an input is of no number type.
    pub(super) fn feed(&self, inputs: &[&Value], rows: usize, take: &mut dyn FnMut(Reals<'_>)) -> Option<()> {
        if inputs.iter().any(|v| v.array.null_count() > 0 || !is_loadable(v.array.data_type())) {
            return None;
        }
        match self.data_type {
            DataType::Float32 => self.pieces::<Float32Type>(inputs, rows, |piece| take(Reals::Narrow(piece))),
            _ => self.pieces::<Float64Type>(inputs, rows, |piece| take(Reals::Double(piece))),
        }
    }

    fn pieces<T: Width>(
        &self,
        inputs: &[&Value],
        rows: usize,
        mut take: impl FnMut(&[T::Native]),
    ) -> Option<()> {
        let mut tiles = Tiles::<T>::new(self, inputs)?;
        let mut block = Aligned([T::Native::ZERO; BLOCK]);
        for from in (0..rows).step_by(BLOCK) {
            let block = &mut block.0[..BLOCK.min(rows - from)];
            tiles.write(from, block)?;
            take(block);
        }
        Some(())
    }
}

/// Values of some rows, of either width.
#[derive(Debug, Clone, Copy)]
pub enum Reals<'a> {
    /// Of `float32`.
    Narrow(&'a [f32]),
    /// Of `float64`.
    Double(&'a [f64]),
}

impl Reals<'_> {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Reals::Narrow(values) => values.len(),
            Reals::Double(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Begins where a line of memory does: no vector then lies across two of them.
#[repr(align(64))]
struct Aligned<N, const ROWS: usize>([N; ROWS]);

type Tile<N> = Aligned<N, TILE>;

/// The values of an input, row by row.
enum Source<'a, N> {
    Whole(&'a [N]),
    /// A constant, repeated.
    Repeated(Box<Tile<N>>),
    /// Converted tile by tile.
    Converted(&'a ArrayRef, Box<Tile<N>>),
}

/// A tree at work, one tile after the other.
struct Tiles<'a, T: Width> {
    steps: Vec<TileStep<T::Native>>,
    sources: Vec<Source<'a, T::Native>>,
    /// One is out while it is written to.
    registers: Vec<Option<Box<Tile<T::Native>>>>,
}

/// The loop of an [`Operation`], and the register for its result.
struct TileStep<N> {
    run: Loop<N>,
    to: usize,
}

enum Loop<N> {
    Unary(Unary<N>, Place),
    Binary(Binary<N>, Place, Place),
}

impl<'a, T: Width> Tiles<'a, T> {
    /// `None` if an input is of no number type.
    fn new(fused: &'a Fused, inputs: &[&'a Value]) -> Option<Tiles<'a, T>> {
        let tile = |value| Box::new(Aligned([value; TILE]));
        let zero = T::Native::ZERO;
        let mut sources = Vec::with_capacity(inputs.len());
        for value in inputs {
            if value.scalar {
                let mut one = [zero];
                T::load(&value.array, 0, &mut one)?;
                sources.push(Source::Repeated(tile(one[0])));
                continue;
            }
            sources.push(if value.array.data_type() == &fused.data_type {
                Source::Whole(&value.array.as_primitive::<T>().values()[..])
            } else {
                Source::Converted(&value.array, tile(zero))
            });
        }
        let step = |operation: &Operation| {
            Some(match operation {
                Operation::Unary(float, a, to) => {
                    TileStep { run: Loop::Unary(T::unary(float)?, *a), to: *to }
                }
                Operation::Binary(float, a, b, to) => {
                    TileStep { run: Loop::Binary(T::binary(float)?, *a, *b), to: *to }
                }
            })
        };
        let steps = fused.operations.iter().map(step).collect::<Option<_>>()?;
        let registers = (0..fused.registers).map(|_| Some(tile(zero))).collect();
        Some(Tiles { steps, sources, registers })
    }

    /// Evaluates the rows from `from` on.
    fn write(&mut self, from: usize, result: &mut [T::Native]) -> Option<()> {
        let rows = TILE_BYTES / size_of::<T::Native>();
        result.chunks_mut(rows).enumerate().try_for_each(|(i, tile)| self.write_tile(from + i * rows, tile))
    }

    fn write_tile(&mut self, from: usize, result: &mut [T::Native]) -> Option<()> {
        let length = result.len();
        for source in &mut self.sources {
            if let Source::Converted(array, tile) = source {
                T::load(array, from, &mut tile.0[..length])?;
            }
        }
        for (n, TileStep { run, to }) in self.steps.iter().enumerate() {
            let is_last = n + 1 == self.steps.len();
            let mut own = self.registers[*to].take()?;
            let target = if is_last { &mut *result } else { &mut own.0[..length] };
            let operand = |place: &Place| match *place {
                Place::Register(i) => self.registers[i].as_ref().map(|tile| &tile.0[..length]),
                Place::Input(i) => Some(match &self.sources[i] {
                    Source::Whole(values) => &values[from..from + length],
                    Source::Repeated(tile) | Source::Converted(_, tile) => &tile.0[..length],
                }),
            };
            match run {
                Loop::Unary(run, a) => run(operand(a)?, target),
                Loop::Binary(run, a, b) => run(operand(a)?, operand(b)?, target),
            }
            self.registers[*to] = Some(own);
        }
        Some(())
    }
}
