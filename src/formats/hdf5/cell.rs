//! The type of one stored element, and how a run of them becomes an array.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, FixedSizeListArray, LargeStringArray, PrimitiveArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Field, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use hdf5_pure::{Datatype, DatatypeByteOrder, FloatingPointLayout, StringPadding};

use super::container::Container;
use super::heap::Heap;
use super::text::TextBuilder;
use super::times::Time;
use crate::dataset::TextOffsets;
use crate::memory::{ByteOrder, Pod, RangeError, typed};

/// Members an enumeration may have and still be read as names.
const MOST_MEMBERS: usize = 1 << 16;

#[derive(Debug, Clone)]
enum Element {
    Integer {
        signed: bool,
    },
    /// Fewer bits than its bytes hold, or a width no machine has: widened to 64 bits.
    Bits {
        shift: u32,
        bits: u32,
        signed: bool,
    },
    Float,
    Boolean,
    Time(Time),
    FixedText {
        padding: StringPadding,
    },
    Utf32Text,
    HeapText,
    Names {
        codes: Arc<HashMap<Vec<u8>, i32>>,
        names: Arc<LargeStringArray>,
    },
    List(Box<Cell>),
}

/// One stored element.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    element: Element,
    order: ByteOrder,
    width: usize,
}

impl Cell {
    /// The element an HDF5 type describes. The error says why there is none.
    pub(super) fn of(datatype: &Datatype, container: &Container) -> Result<Cell, String> {
        let width = match datatype {
            Datatype::VariableLength { .. } => Heap::reference_bytes(container),
            _ => datatype.type_size() as usize,
        };
        let cell = |element, order: &DatatypeByteOrder| match order {
            DatatypeByteOrder::LittleEndian => Ok(Cell { element, order: ByteOrder::Little, width }),
            DatatypeByteOrder::BigEndian => Ok(Cell { element, order: ByteOrder::Big, width }),
            DatatypeByteOrder::Vax => Err("numbers in VAX byte order are not read".to_owned()),
        };
        let any_order = &DatatypeByteOrder::LittleEndian;
        let integer = |bit_offset: u16, bit_precision: u16, signed: bool| {
            let (shift, bits) = (u32::from(bit_offset), u32::from(bit_precision));
            if matches!(width, 1 | 2 | 4 | 8) && shift == 0 && bits as usize == 8 * width {
                Ok(Element::Integer { signed })
            } else if width <= 8 && bits > 0 && (shift + bits) as usize <= 8 * width {
                Ok(Element::Bits { shift, bits, signed })
            } else {
                Err(format!("integers of {bits} bits in {width} bytes are not read"))
            }
        };
        match datatype {
            Datatype::FixedPoint { byte_order, layout, .. } => {
                cell(integer(layout.bit_offset, layout.bit_precision, layout.signed)?, byte_order)
            }
            Datatype::BitField { byte_order, bit_offset, bit_precision, .. } => {
                cell(integer(*bit_offset, *bit_precision, false)?, byte_order)
            }
            Datatype::FloatingPoint { byte_order, layout, .. } => {
                if is_ieee(width, layout) {
                    cell(Element::Float, byte_order)
                } else {
                    Err(format!(
                        "floating-point numbers of {width} bytes not laid out as IEEE 754 are not read"
                    ))
                }
            }
            Datatype::String { padding, .. } => {
                cell(Element::FixedText { padding: padding.clone() }, any_order)
            }
            Datatype::VariableLength { .. } if width != datatype.type_size() as usize => {
                Err(format!("text in a file of {}-byte addresses is not read", container.offset_bytes))
            }
            Datatype::VariableLength { is_string: true, .. } => cell(Element::HeapText, any_order),
            Datatype::Opaque { tag, .. } => {
                let tag = String::from_utf8_lossy(tag);
                let name = tag.trim_end_matches('\0').trim_start_matches("NUMPY:");
                match Time::parse(name) {
                    Some(time) if width == 8 => cell(Element::Time(time), any_order),
                    _ => Err(format!("opaque values ({name}) are not read")),
                }
            }
            Datatype::Enumeration { base_type, members, .. } => {
                let base = Cell::of(base_type, container)?;
                let mut named: Vec<(&str, &[u8])> =
                    members.iter().map(|member| (member.name.as_str(), member.value.as_slice())).collect();
                named.sort_by_key(|&(_, value)| value);
                if width == 1 && named == [("FALSE", [0].as_slice()), ("TRUE", [1].as_slice())] {
                    return cell(Element::Boolean, any_order);
                }
                if members.len() > MOST_MEMBERS
                    || members.iter().any(|member| member.value.len() != base.width)
                {
                    return Ok(base);
                }
                let codes =
                    members.iter().zip(0..).map(|(member, code)| (member.value.clone(), code)).collect();
                let names = LargeStringArray::from_iter_values(members.iter().map(|member| &member.name));
                Ok(Cell {
                    element: Element::Names { codes: Arc::new(codes), names: Arc::new(names) },
                    ..base
                })
            }
            Datatype::VariableLength { .. } => Err("sequences of varying length are not read".to_owned()),
            Datatype::Reference { .. } => {
                Err("references to other parts of the file are not read".to_owned())
            }
            other => Err(format!("values of type {other} are not read")),
        }
    }

    /// The same bytes read as what the NumPy type `dtype` says they stand for: times and truth values
    /// are stored as integers.
    pub(super) fn noted_as(&self, dtype: &str) -> Option<Cell> {
        let element = match (&self.element, self.width) {
            // pandas before 2.0 had nanoseconds only, and left the unit away.
            (Element::Integer { .. }, 8) if dtype == "datetime64" => Element::Time(Time::parse("M8[ns]")?),
            (Element::Integer { .. }, 8) => Element::Time(Time::parse(dtype)?),
            (Element::Integer { .. }, 1) if dtype == "bool" => Element::Boolean,
            _ => return None,
        };
        Some(Cell { element, ..self.clone() })
    }

    /// Text of `width` bytes, four for each character.
    pub(super) fn utf32(width: usize) -> Cell {
        Cell { element: Element::Utf32Text, order: ByteOrder::NATIVE, width }
    }

    /// `count` of these beside each other, as one list.
    pub(super) fn list(self, count: usize) -> Cell {
        Cell { width: self.width * count, order: self.order, element: Element::List(Box::new(self)) }
    }

    /// Bytes of one.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Whether it is an integer that is at home in 64 bits: an offset, a code.
    pub(super) fn is_integer(&self) -> bool {
        matches!(self.element, Element::Integer { .. })
    }

    /// The type of the arrays made of it.
    pub(super) fn data_type(&self) -> DataType {
        match &self.element {
            Element::Integer { signed: true } => match self.width {
                1 => DataType::Int8,
                2 => DataType::Int16,
                4 => DataType::Int32,
                _ => DataType::Int64,
            },
            Element::Integer { signed: false } => match self.width {
                1 => DataType::UInt8,
                2 => DataType::UInt16,
                4 => DataType::UInt32,
                _ => DataType::UInt64,
            },
            Element::Bits { signed: true, .. } => DataType::Int64,
            Element::Bits { signed: false, .. } => DataType::UInt64,
            Element::Float => match self.width {
                2 => DataType::Float16,
                4 => DataType::Float32,
                _ => DataType::Float64,
            },
            Element::Boolean => DataType::Boolean,
            Element::Time(time) => time.data_type(),
            Element::FixedText { .. } | Element::Utf32Text | Element::HeapText => DataType::LargeUtf8,
            Element::Names { .. } => dictionary_type(),
            Element::List(item) => DataType::FixedSizeList(
                Arc::new(Field::new("item", item.data_type(), true)),
                (self.width / item.width.max(1)) as i32,
            ),
        }
    }

    /// The array of the `count` elements `bytes` holds, one after the other.
    pub(super) fn array(
        &self,
        bytes: &Buffer,
        count: usize,
        nulls: Option<NullBuffer>,
        container: &Container,
    ) -> Result<ArrayRef, String> {
        if bytes.len() != count * self.width {
            return Err(format!("{} bytes do not hold {count} values of {} bytes", bytes.len(), self.width));
        }
        let cells = || bytes.chunks_exact(self.width.max(1));
        Ok(match &self.element {
            Element::Integer { signed: true } => match self.width {
                1 => self.numbers::<Int8Type>(bytes, count, nulls)?,
                2 => self.numbers::<Int16Type>(bytes, count, nulls)?,
                4 => self.numbers::<Int32Type>(bytes, count, nulls)?,
                _ => self.numbers::<Int64Type>(bytes, count, nulls)?,
            },
            Element::Integer { signed: false } => match self.width {
                1 => self.numbers::<UInt8Type>(bytes, count, nulls)?,
                2 => self.numbers::<UInt16Type>(bytes, count, nulls)?,
                4 => self.numbers::<UInt32Type>(bytes, count, nulls)?,
                _ => self.numbers::<UInt64Type>(bytes, count, nulls)?,
            },
            &Element::Bits { shift, bits, signed } => {
                let unused = 64 - bits;
                let word = |cell: &[u8]| (self.word(cell) >> shift) << unused;
                if signed {
                    let values = cells().map(|cell| word(cell) as i64 >> unused).collect();
                    Arc::new(PrimitiveArray::<Int64Type>::new(values, nulls))
                } else {
                    let values = cells().map(|cell| word(cell) >> unused).collect();
                    Arc::new(PrimitiveArray::<UInt64Type>::new(values, nulls))
                }
            }
            Element::Float => match self.width {
                2 => {
                    let halves = typed::<u16>(bytes, 0, count, self.order).map_err(|e| e.to_string())?;
                    let values = ScalarBuffer::new(halves.into_inner(), 0, count);
                    Arc::new(PrimitiveArray::<Float16Type>::new(values, nulls))
                }
                4 => self.numbers::<Float32Type>(bytes, count, nulls)?,
                _ => self.numbers::<Float64Type>(bytes, count, nulls)?,
            },
            Element::Boolean => {
                let values = BooleanBuffer::collect_bool(count, |i| bytes[i] != 0);
                Arc::new(BooleanArray::new(values, nulls))
            }
            Element::Time(time) => {
                time.array(typed(bytes, 0, count, self.order).map_err(|e| e.to_string())?, nulls)
            }
            Element::FixedText { padding } => {
                let mut texts = TextBuilder::with_capacity(count, bytes.len())?;
                for cell in cells() {
                    texts.push_lossy(unpadded(cell, padding))?;
                }
                texts.finish(nulls)
            }
            Element::Utf32Text => {
                let mut texts = TextBuilder::with_capacity(count, bytes.len() / 4)?;
                let mut text = String::new();
                for cell in cells() {
                    text.clear();
                    text.extend(cell.chunks_exact(4).map(|c| {
                        char::from_u32(u32::from_bytes(c, self.order)).unwrap_or(char::REPLACEMENT_CHARACTER)
                    }));
                    texts.push_lossy(text.trim_end_matches('\0').as_bytes())?;
                }
                texts.finish(nulls)
            }
            Element::HeapText => {
                let mut heap = Heap::new(container);
                let mut texts = TextBuilder::with_capacity(count, 0)?;
                for cell in cells() {
                    let text = heap.resolve(cell)?.unwrap_or_default();
                    let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
                    texts.push_lossy(&text[..end])?;
                }
                texts.finish(nulls)
            }
            Element::Names { codes, names } => {
                let keys: PrimitiveArray<Int32Type> = cells().map(|cell| codes.get(cell).copied()).collect();
                let nulls = NullBuffer::union(keys.nulls(), nulls.as_ref());
                let keys = PrimitiveArray::<Int32Type>::new(keys.values().clone(), nulls);
                Arc::new(DictionaryArray::try_new(keys, names.clone()).map_err(|e| e.to_string())?)
            }
            Element::List(item) => {
                let size = self.width / item.width.max(1);
                let values = item.array(bytes, count * size, None, container)?;
                let field = Arc::new(Field::new("item", item.data_type(), true));
                let list = FixedSizeListArray::try_new(field, size as i32, values, nulls);
                Arc::new(list.map_err(|e| e.to_string())?)
            }
        })
    }

    fn numbers<T>(&self, bytes: &Buffer, count: usize, nulls: Option<NullBuffer>) -> Result<ArrayRef, String>
    where
        T: ArrowPrimitiveType,
        T::Native: Pod,
    {
        let values = typed::<T::Native>(bytes, 0, count, self.order).map_err(|e| e.to_string())?;
        Ok(Arc::new(PrimitiveArray::<T>::new(values, nulls)))
    }

    fn word(&self, cell: &[u8]) -> u64 {
        let push = |word: u64, &byte: &u8| word << 8 | u64::from(byte);
        match self.order {
            ByteOrder::Little => cell.iter().rev().fold(0, push),
            ByteOrder::Big => cell.iter().fold(0, push),
        }
    }

    /// The integers `bytes` holds as 64-bit ones; those beyond are the greatest there is.
    pub(super) fn integers(&self, bytes: &Buffer, count: usize) -> Result<ScalarBuffer<i64>, String> {
        match (self.width, &self.element) {
            (8, Element::Integer { signed: true }) => typed(bytes, 0, count, self.order).map_err(text_of),
            _ => self.distances(bytes, count, |_| 0).map(|(values, _)| values.into()),
        }
    }

    /// The integers `bytes` holds as codes of a dictionary; those that cannot be one are -1.
    pub(super) fn codes(&self, bytes: &Buffer, count: usize) -> Result<ScalarBuffer<i32>, String> {
        macro_rules! widened {
            ($t:ty) => {{
                let values = typed::<$t>(bytes, 0, count, self.order).map_err(text_of)?;
                values.iter().map(|&value| i32::from(value)).collect()
            }};
        }
        Ok(match (self.width, matches!(self.element, Element::Integer { signed: true })) {
            (1, true) => widened!(i8),
            (1, false) => widened!(u8),
            (2, true) => widened!(i16),
            (2, false) => widened!(u16),
            _ => self.integers(bytes, count)?.iter().map(|&v| i32::try_from(v).unwrap_or(-1)).collect(),
        })
    }

    /// Whether the integers are at home in 32 bits.
    pub(super) fn is_narrow(&self) -> bool {
        self.width < 4 || (self.width == 4 && matches!(self.element, Element::Integer { signed: true }))
    }

    /// As [`integers`](Self::integers), each less the first, and the first.
    pub(super) fn offsets(&self, bytes: &Buffer, count: usize) -> Result<(Vec<i64>, i64), String> {
        self.distances(bytes, count, |first| first)
    }

    /// The integers `bytes` holds as they are, where they are signed, of 32 bits or 64.
    pub(super) fn stored_offsets(&self, bytes: &Buffer, count: usize) -> Result<Option<TextOffsets>, String> {
        Ok(match (self.width, &self.element) {
            (4, Element::Integer { signed: true }) => {
                Some(TextOffsets::Narrow(typed(bytes, 0, count, self.order).map_err(text_of)?))
            }
            (8, Element::Integer { signed: true }) => {
                Some(TextOffsets::Wide(typed(bytes, 0, count, self.order).map_err(text_of)?))
            }
            _ => None,
        })
    }

    /// As [`offsets`](Self::offsets), of integers that are [narrow](Self::is_narrow).
    pub(super) fn narrow_offsets(&self, bytes: &Buffer, count: usize) -> Result<(Vec<i32>, i64), String> {
        if self.width == 4 {
            let values = typed::<i32>(bytes, 0, count, self.order).map_err(text_of)?;
            let first = values.first().copied().unwrap_or(0);
            return Ok((values.iter().map(|value| value.wrapping_sub(first)).collect(), first.into()));
        }
        let (offsets, first) = self.offsets(bytes, count)?;
        Ok((offsets.into_iter().map(|offset| offset as i32).collect(), first))
    }

    /// Integers, each less what `from` gives for the first of them, and that.
    fn distances(
        &self,
        bytes: &Buffer,
        count: usize,
        from: impl Fn(i64) -> i64,
    ) -> Result<(Vec<i64>, i64), String> {
        macro_rules! widened {
            ($t:ty, $widen:expr) => {{
                let values = typed::<$t>(bytes, 0, count, self.order).map_err(text_of)?;
                let from = values.first().map_or(0, |&first| from($widen(first)));
                (values.iter().map(|&value| $widen(value).wrapping_sub(from)).collect(), from)
            }};
        }
        Ok(match (self.width, matches!(self.element, Element::Integer { signed: true })) {
            (1, true) => widened!(i8, i64::from),
            (1, false) => widened!(u8, i64::from),
            (2, true) => widened!(i16, i64::from),
            (2, false) => widened!(u16, i64::from),
            (4, true) => widened!(i32, i64::from),
            (4, false) => widened!(u32, i64::from),
            (_, true) => widened!(i64, i64::from),
            (_, false) => widened!(u64, |value: u64| i64::try_from(value).unwrap_or(i64::MAX)),
        })
    }
}

fn text_of(error: RangeError) -> String {
    error.to_string()
}

/// The type of a column of names: text said once, and codes.
pub(super) fn dictionary_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::LargeUtf8))
}

fn is_ieee(width: usize, layout: &FloatingPointLayout) -> bool {
    let (exponent, mantissa, bias) = match width {
        2 => (5, 10, 15),
        4 => (8, 23, 127),
        8 => (11, 52, 1023),
        _ => return false,
    };
    layout.bit_offset == 0
        && usize::from(layout.bit_precision) == 8 * width
        && layout.mantissa_location == 0
        && layout.mantissa_size == mantissa
        && layout.exponent_location == mantissa
        && layout.exponent_size == exponent
        && layout.exponent_bias == bias
}

fn unpadded<'a>(cell: &'a [u8], padding: &StringPadding) -> &'a [u8] {
    let end = match padding {
        StringPadding::NullTerminate => cell.iter().position(|&byte| byte == 0).unwrap_or(cell.len()),
        StringPadding::NullPad => cell.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1),
        StringPadding::SpacePad => {
            cell.iter().rposition(|&byte| byte != b' ' && byte != 0).map_or(0, |last| last + 1)
        }
    };
    &cell[..end]
}
