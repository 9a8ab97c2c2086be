//! Groups found by the code of their key, without hashing: dictionaries, booleans, and whole numbers and
//! times that lie close together; alone, or beside the slots of a binned axis.

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};

use crate::data::{Kind, kind};

/// Most elements looked up directly.
const MOST_ELEMENTS: i64 = 1 << 20;

/// The groups of the codes met so far.
#[derive(Default)]
pub(super) struct Direct {
    /// The values the codes of a dictionary stand for.
    dictionary: Option<ArrayRef>,
    /// Slots of the axis beside the key; 1 without one.
    slots: usize,
    /// The code that `groups[0]` is of.
    first: i64,
    /// `group + 1`, `[code][slot]`; 0 where it was not met.
    groups: Vec<u32>,
    /// `group + 1` of the missing value in every slot; 0 where it was not met.
    missing: Vec<u32>,
}

impl Direct {
    /// No code met yet, beside an axis of `slots` slots.
    pub(super) fn new(slots: usize) -> Direct {
        Direct { slots, missing: vec![0; slots], ..Direct::default() }
    }

    /// The code of every row of the key, null where it is missing. `None` when the key has no codes or
    /// they lie too far apart.
    pub(super) fn codes(&mut self, key: &ArrayRef) -> Option<ArrayRef> {
        let codes = match key.data_type() {
            DataType::Dictionary(..) => {
                let dictionary = key.as_any_dictionary();
                let values = dictionary.values();
                // A null among the values is a missing value by another code.
                if values.null_count() > 0 {
                    return None;
                }
                if !self
                    .dictionary
                    .as_ref()
                    .is_some_and(|known| std::ptr::addr_eq(known.as_ref(), values.as_ref()))
                {
                    *self = Direct { dictionary: Some(values.clone()), ..Direct::new(self.slots) };
                }
                cast(dictionary.keys(), &DataType::Int64).ok()?
            }
            DataType::UInt64 => return None,
            DataType::Date32 => cast(&cast(key, &DataType::Int32).ok()?, &DataType::Int64).ok()?,
            other if matches!(kind(other), Kind::Bool | Kind::Integer | Kind::Time | Kind::Duration) => {
                cast(key, &DataType::Int64).ok()?
            }
            _ => return None,
        };
        let values = codes.as_primitive::<Int64Type>();
        let (least, greatest) = (arrow::compute::min(values), arrow::compute::max(values));
        if let (Some(least), Some(greatest)) = (least, greatest) {
            self.cover(least, greatest)?;
        }
        Some(codes)
    }

    /// Makes room for the codes `least..=greatest`.
    fn cover(&mut self, least: i64, greatest: i64) -> Option<()> {
        let known = (self.groups.len() / self.slots) as i64;
        let (first, end) = if known == 0 {
            (least, greatest.checked_add(1)?)
        } else {
            (least.min(self.first), greatest.checked_add(1)?.max(self.first + known))
        };
        let elements = end.checked_sub(first)?.checked_mul(self.slots as i64)?;
        if elements > MOST_ELEMENTS {
            return None;
        }
        if known > 0 && first < self.first {
            let before = (self.first - first) as usize * self.slots;
            self.groups.splice(0..0, std::iter::repeat_n(0, before));
        }
        self.first = first;
        self.groups.resize(elements as usize, 0);
        Some(())
    }

    /// `group + 1` of row `row` of `codes` in `slot`; `find` finds the group when it is met first.
    #[inline]
    pub(super) fn element<E>(
        &mut self,
        codes: &PrimitiveArray<Int64Type>,
        row: usize,
        slot: usize,
        find: impl FnOnce() -> Result<u32, E>,
    ) -> Result<u32, E> {
        let place = if codes.is_null(row) {
            &mut self.missing[slot]
        } else {
            &mut self.groups[(codes.value(row) - self.first) as usize * self.slots + slot]
        };
        if *place == 0 {
            *place = find()? + 1;
        }
        Ok(*place)
    }
}
