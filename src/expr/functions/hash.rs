//! A number that stands for a value, the same in every run and on every machine.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, UInt64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, UInt64Type};
use arrow::error::ArrowError;

use super::super::tree::Expr;
use super::super::typing::{Mistake, Typing, describe, is_text, is_time, plain, unit};
use super::{Arguments, BASE, Family, Function, bounds, text};

/// The entries of this family.
pub(super) const FUNCTIONS: &[Function] = &[Function {
    name: "hash",
    family: Family::Conversion,
    signature: "hash(x)",
    doc: "64 bits that stay the same everywhere and are equal for equal values, as for a repeatable sample: \
          hash(id) % 100 == 0; the last step of SplitMix64 over a whole number, the bits of another real \
          number, the nanoseconds of a time or duration, or the FNV-1a hash of a text's UTF-8.",
    example: "hash('a') = 6857225946766476583",
    keeps_weak: false,
    types: hash_types,
    kernel: hash,
    domain: bounds::all,
    ..BASE
}];

fn hash_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    let own = arguments[0].data_type();
    let parameter = match plain(own) {
        t if is_text(t) => own.clone(),
        DataType::UInt64 => DataType::UInt64,
        t if t.is_integer() => DataType::Int64,
        t if t.is_floating() => DataType::Float64,
        DataType::Date32 => DataType::Timestamp(TimeUnit::Second, None),
        DataType::Date64 => DataType::Timestamp(TimeUnit::Millisecond, None),
        DataType::Boolean | DataType::Null | DataType::Duration(_) => own.clone(),
        t if is_time(t) => t.clone(),
        t => return Err(Mistake::at(0, format!("{} has no hash", describe(t)))),
    };
    Typing::new(vec![parameter], DataType::UInt64)
}

fn hash(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let array = a.array(0);
    let found: UInt64Array = match array.data_type() {
        t if is_text(t) => {
            return text::on_texts(a, |texts| {
                Ok(Arc::new(texts.iter().map(|t| t.map(hash_text)).collect::<UInt64Array>()))
            });
        }
        DataType::UInt64 => array.as_primitive::<UInt64Type>().unary(mixed),
        DataType::Float64 => array.as_primitive::<Float64Type>().unary(|v| mixed(bits(v))),
        t => {
            let factor: i128 = match unit(t) {
                Some(TimeUnit::Second) => 1_000_000_000,
                Some(TimeUnit::Millisecond) => 1_000_000,
                Some(TimeUnit::Microsecond) => 1_000,
                Some(TimeUnit::Nanosecond) | None => 1,
            };
            cast(array, &DataType::Int64)?
                .as_primitive::<Int64Type>()
                .unary(|v| mixed((i128::from(v) * factor) as u64))
        }
    };
    Ok(Arc::new(found))
}

/// The bits of a whole number as such, so that 1.0 is hashed as 1; else those of the real number.
fn bits(v: f64) -> u64 {
    const END: f64 = 18_446_744_073_709_551_616.0;
    match v {
        v if v.is_nan() => f64::NAN.to_bits(),
        v if v.trunc() == v && (0.0..END).contains(&v) => v as u64,
        v if v.trunc() == v && (-END / 2.0..0.0).contains(&v) => v as i64 as u64,
        v => v.to_bits(),
    }
}

/// The last step of SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195).
fn mixed(value: u64) -> u64 {
    let z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// FNV-1a of 64 bits (draft-eastlake-fnv), mixed.
fn hash_text(text: &str) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    mixed(text.bytes().fold(0xcbf2_9ce4_8422_2325, fold))
}
