//! From Arrow arrays to the kernels: one place that knows every numeric type.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, UInt8Array};
use arrow::buffer::{BooleanBuffer, Buffer};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::Bins;
use crate::data::Domain;
use crate::kernel::bin::{Edges, MISSING};
use crate::kernel::compare::unpack;
use crate::kernel::edge::{self, EdgeValue};
use crate::kernel::extent::{Extent, extent};
use crate::kernel::fold;

/// Which accumulator holds a type without loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumericKind {
    /// Fits `i64`: signed integers, booleans, dates, times, durations.
    Signed,
    /// Fits `u64`.
    Unsigned,
    /// Fits `f64`.
    Float,
}

/// The accumulator of a type; `None` for types without numbers in them.
pub fn numeric_kind(data_type: &DataType) -> Option<NumericKind> {
    match data_type {
        DataType::Float16 | DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) => {
            Some(NumericKind::Float)
        }
        t if t.is_unsigned_integer() => Some(NumericKind::Unsigned),
        t if t.is_signed_integer() || t.is_temporal() => match t {
            DataType::Interval(_) => None,
            _ => Some(NumericKind::Signed),
        },
        DataType::Boolean => Some(NumericKind::Signed),
        DataType::Dictionary(_, values) => numeric_kind(values),
        _ => None,
    }
}

/// The array in a type the kernels take: most as they are, booleans as bytes, the rare ones cast.
pub fn plain_numbers(array: &ArrayRef) -> ArrayRef {
    let target = match array.data_type() {
        DataType::Boolean => return booleans_as_bytes(array.as_boolean()),
        DataType::Float16 => DataType::Float32,
        DataType::Decimal128(..) => DataType::Float64,
        // Times and durations are the integers they count in; these casts copy nothing.
        DataType::Time32(_) | DataType::Date32 => DataType::Int32,
        DataType::Time64(_) | DataType::Date64 | DataType::Timestamp(..) | DataType::Duration(_) => {
            DataType::Int64
        }
        DataType::Dictionary(_, values) if numeric_kind(values).is_some() => values.as_ref().clone(),
        _ => return array.clone(),
    };
    arrow::compute::cast(array, &target)
        .unwrap_or_else(|_| arrow::array::new_null_array(&target, array.len()))
}

fn booleans_as_bytes(array: &BooleanArray) -> ArrayRef {
    let words: Vec<u64> = array.values().bit_chunks().iter_padded().collect();
    let bytes = unpack(&words, array.len());
    std::sync::Arc::new(UInt8Array::new(bytes.into(), array.nulls().cloned()))
}

/// Whole numbers in a type that counts in them.
pub(super) fn whole_as(values: Int64Array, data_type: &DataType) -> ArrayRef {
    let array: ArrayRef = std::sync::Arc::new(values);
    let narrowed = match data_type {
        DataType::Date32 | DataType::Time32(_) => {
            cast(&array, &DataType::Int32).and_then(|narrow| cast(&narrow, data_type))
        }
        _ => cast(&array, data_type),
    };
    narrowed.unwrap_or(array)
}

/// Runs `$body` with `$values` bound to the typed slice of `$array` when its type is listed.
macro_rules! match_types {
    ($array:expr, |$values:ident| $body:expr, else $other:expr, $($pattern:pat => $t:ty),*) => {
        match $array.data_type() {
            $($pattern => {
                let $values: &[<$t as ArrowPrimitiveType>::Native] = $array.as_primitive::<$t>().values();
                $body
            })*
            _ => $other,
        }
    };
}
pub(super) use match_types;

/// [`match_types!`] over every number.
macro_rules! numbers {
    ($array:expr, |$values:ident| $body:expr, else $other:expr) => {
        $crate::aggregate::values::match_types!(
            $array, |$values| $body, else $other,
            DataType::Int8 => Int8Type, DataType::Int16 => Int16Type, DataType::Int32 => Int32Type,
            DataType::Int64 => Int64Type,
            DataType::UInt8 => UInt8Type, DataType::UInt16 => UInt16Type, DataType::UInt32 => UInt32Type,
            DataType::UInt64 => UInt64Type,
            DataType::Float32 => Float32Type, DataType::Float64 => Float64Type
        )
    };
}
pub(super) use numbers;

/// [`match_types!`] over integers.
macro_rules! whole_numbers {
    ($array:expr, |$values:ident| $body:expr, else $other:expr) => {
        $crate::aggregate::values::match_types!(
            $array, |$values| $body, else $other,
            DataType::Int8 => Int8Type, DataType::Int16 => Int16Type, DataType::Int32 => Int32Type,
            DataType::Int64 => Int64Type,
            DataType::UInt8 => UInt8Type, DataType::UInt16 => UInt16Type, DataType::UInt32 => UInt32Type,
            DataType::UInt64 => UInt64Type
        )
    };
}
pub(super) use whole_numbers;

/// [`match_types!`] over what fits `i64` beside `u32` and `u64`; booleans come as bytes.
macro_rules! signed_numbers {
    ($array:expr, |$values:ident| $body:expr, else $other:expr) => {
        $crate::aggregate::values::match_types!(
            $array, |$values| $body, else $other,
            DataType::Int8 => Int8Type, DataType::Int16 => Int16Type, DataType::Int32 => Int32Type,
            DataType::Int64 => Int64Type,
            DataType::UInt8 => UInt8Type
        )
    };
}
pub(super) use signed_numbers;

/// [`match_types!`] over unsigned integers.
macro_rules! unsigned_numbers {
    ($array:expr, |$values:ident| $body:expr, else $other:expr) => {
        $crate::aggregate::values::match_types!(
            $array, |$values| $body, else $other,
            DataType::UInt8 => UInt8Type, DataType::UInt16 => UInt16Type, DataType::UInt32 => UInt32Type,
            DataType::UInt64 => UInt64Type
        )
    };
}
pub(super) use unsigned_numbers;

/// [`match_types!`] over floats.
macro_rules! real_numbers {
    ($array:expr, |$values:ident| $body:expr, else $other:expr) => {
        $crate::aggregate::values::match_types!(
            $array, |$values| $body, else $other,
            DataType::Float32 => Float32Type, DataType::Float64 => Float64Type
        )
    };
}
pub(super) use real_numbers;

/// From the values of one type to the slots of one axis.
pub struct Slotter {
    edges: Box<dyn SlotsOf>,
    missing: u32,
}

trait SlotsOf: Send + Sync {
    fn write(&self, array: &ArrayRef, rows: Range<usize>, slots: &mut [u32]);

    /// Whether values are the slots themselves.
    fn are_codes(&self) -> bool {
        false
    }
}

struct Typed<P: ArrowPrimitiveType>(Edges<P::Native>)
where
    P::Native: EdgeValue;

impl<P: ArrowPrimitiveType> SlotsOf for Typed<P>
where
    P::Native: EdgeValue,
{
    fn write(&self, array: &ArrayRef, rows: Range<usize>, slots: &mut [u32]) {
        self.0.slots(&array.as_primitive::<P>().values()[rows], slots);
    }
}

struct AsTheyAre;

impl SlotsOf for AsTheyAre {
    fn write(&self, array: &ArrayRef, rows: Range<usize>, slots: &mut [u32]) {
        match array.data_type() {
            DataType::UInt8 => fold::widen(&array.as_primitive::<UInt8Type>().values()[rows], slots),
            _ => fold::widen(&array.as_primitive::<UInt16Type>().values()[rows], slots),
        }
    }

    fn are_codes(&self) -> bool {
        true
    }
}

/// The slot that every code stands for.
struct ByTable(Vec<u32>);

impl SlotsOf for ByTable {
    fn write(&self, array: &ArrayRef, rows: Range<usize>, slots: &mut [u32]) {
        fn look_up<T: Copy + Into<usize>>(codes: &[T], table: &[u32], slots: &mut [u32]) {
            slots.iter_mut().zip(codes).for_each(|(slot, &code)| *slot = table[code.into()]);
        }
        match array.data_type() {
            DataType::UInt8 => look_up(&array.as_primitive::<UInt8Type>().values()[rows], &self.0, slots),
            _ => look_up(&array.as_primitive::<UInt16Type>().values()[rows], &self.0, slots),
        }
    }
}

struct AllMissing(u32);

impl SlotsOf for AllMissing {
    fn write(&self, _: &ArrayRef, _: Range<usize>, slots: &mut [u32]) {
        slots.fill(self.0);
    }
}

fn typed<P: ArrowPrimitiveType>(bins: &Bins) -> Box<dyn SlotsOf>
where
    P::Native: EdgeValue,
{
    Box::new(Typed::<P>(Edges::new(bins.edges(), bins.guess())))
}

impl Slotter {
    /// For values of `data_type` on the axis `bins`. Values of a type without numbers are all missing.
    pub fn new(data_type: &DataType, bins: &Bins) -> Slotter {
        let empty = plain_numbers(&arrow::array::new_empty_array(data_type));
        let edges: Box<dyn SlotsOf> = match empty.data_type() {
            DataType::Int8 => typed::<Int8Type>(bins),
            DataType::Int16 => typed::<Int16Type>(bins),
            DataType::Int32 => typed::<Int32Type>(bins),
            DataType::Int64 => typed::<Int64Type>(bins),
            DataType::UInt8 => typed::<UInt8Type>(bins),
            DataType::UInt16 => typed::<UInt16Type>(bins),
            DataType::UInt32 => typed::<UInt32Type>(bins),
            DataType::UInt64 => typed::<UInt64Type>(bins),
            DataType::Float32 => typed::<Float32Type>(bins),
            DataType::Float64 => typed::<Float64Type>(bins),
            _ => Box::new(AllMissing(bins.count() as u32 + MISSING)),
        };
        Slotter { edges, missing: bins.count() as u32 + MISSING }
    }

    /// For slots that were found before and kept as `u8` or `u16`; of another axis, whose slots `table` leads to
    /// those of this one, where there is a table.
    pub fn of_codes(table: Option<Vec<u32>>) -> Slotter {
        let edges: Box<dyn SlotsOf> = match table {
            None => Box::new(AsTheyAre),
            Some(table) => Box::new(ByTable(table)),
        };
        Slotter { edges, missing: 0 }
    }

    /// Writes the slots of `rows` of `array`, which [`plain_numbers`] made; null and NaN go to the missing
    /// slot. `slots` must be as long as `rows`.
    pub fn write(&self, array: &ArrayRef, rows: Range<usize>, slots: &mut [u32]) {
        self.edges.write(array, rows.clone(), slots);
        if let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) {
            let first = nulls.offset() + rows.start;
            if first.is_multiple_of(8) {
                return fold::keep_set(slots, nulls.validity(), first, self.missing);
            }
            for (slot, row) in slots.iter_mut().zip(rows) {
                *slot = if nulls.is_valid(row) { *slot } else { self.missing };
            }
        }
    }

    /// Whether [`Slotter::write`] would write codes as they are.
    pub fn reads_codes(&self) -> bool {
        self.edges.are_codes()
    }

    /// The slot of every value of `array`, in any form.
    pub fn slots(&self, array: &ArrayRef) -> Vec<u32> {
        let array = plain_numbers(array);
        let mut slots = vec![0; array.len()];
        self.write(&array, 0..array.len(), &mut slots);
        slots
    }
}

/// Which values of `array` are missing: null, or NaN.
pub fn missing_values(array: &ArrayRef) -> BooleanBuffer {
    let array = plain_numbers(array);
    let nulls = array.logical_nulls().map(|nulls| !nulls.inner());
    let nans = real_numbers!(
        array,
        |values| Some(BooleanBuffer::collect_bool(values.len(), |i| values[i].is_nan())),
        else None
    );
    [nulls, nans]
        .into_iter()
        .flatten()
        .reduce(|a, b| &a | &b)
        .unwrap_or_else(|| BooleanBuffer::new_unset(array.len()))
}

/// Which values of `array` lie in `[lo, hi)`; missing ones do not.
pub fn within(array: &ArrayRef, lo: f64, hi: f64) -> BooleanBuffer {
    let array = plain_numbers(array);
    let inside =
        numbers!(array, |values| edge::within(values, lo, hi), else vec![0; array.len().div_ceil(64)]);
    let inside = BooleanBuffer::new(Buffer::from_vec(inside), 0, array.len());
    match array.nulls() {
        Some(nulls) => &inside & nulls.inner(),
        None => inside,
    }
}

/// Bounds of all values of `array`, those under a null among them; `None` of a type without numbers that can be
/// read as they are.
pub fn bounds(array: &ArrayRef) -> Option<Domain> {
    if matches!(array.data_type(), DataType::Boolean | DataType::Float16 | DataType::Decimal128(..))
        || matches!(array.data_type(), DataType::Dictionary(..))
    {
        return None;
    }
    let array = plain_numbers(array);
    let domain = numbers!(array, |values| Some(domain(extent(values))), else None)?;
    Some(Domain { missing: array.null_count() > 0, ..domain })
}

fn domain<T: EdgeValue>(extent: Extent<T>) -> Domain {
    /// From here on not every whole number is a double.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let domain = match extent.bounds {
        Some((least, greatest)) => {
            Domain { nan: extent.nan, ..Domain::new(least.to_f64(), greatest.to_f64()) }
        }
        None => Domain { nan: extent.nan, ..Domain::EMPTY },
    };
    let rounded = !T::IS_REAL && (domain.min <= -EXACT || domain.max >= EXACT);
    if rounded { domain.widened() } else { domain }
}

#[cfg(test)]
mod tests {
    use arrow::array::Int32Array;

    use super::*;
    use crate::aggregate::Scale;

    #[test]
    fn missing_rows_are_found_wherever_the_bits_of_a_block_begin() {
        let values: Vec<Option<i32>> =
            (0..100).map(|i| (i % 7 != 3 && i % 5 != 0).then_some(i % 10)).collect();
        let bins = Bins::new(0.0, 8.0, 8, Scale::Linear).unwrap();
        let slotter = Slotter::new(&DataType::Int32, &bins);
        let array: ArrayRef = std::sync::Arc::new(Int32Array::from(values.clone()));
        for cut in 0..18 {
            let part = array.slice(cut, 100 - cut);
            for start in 0..18 {
                let mut slots = vec![0; 50];
                slotter.write(&part, start..start + 50, &mut slots);
                for (slot, value) in slots.iter().zip(&values[cut + start..]) {
                    let naive =
                        value.map_or(bins.missing(), |v| bins.bin_of(v.into()).unwrap_or(bins.over()));
                    assert_eq!(*slot as usize, naive, "{cut} {start}");
                }
            }
        }
    }
}
