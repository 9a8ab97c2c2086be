//! All rows of a block into one element: no cells, no scattered stores.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::filter;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::lanes::Lane;
use super::store::Store;
use super::values::{plain_numbers, real_numbers, signed_numbers, unsigned_numbers, whole_numbers};
use crate::kernel::edge::EdgeValue;
use crate::kernel::extent::{Extent, extent};
use crate::kernel::total::{Sums, count_nan, extreme_reals, extreme_whole, sum_reals, sum_whole};

/// The values of the rows of a block that are wanted and not null.
pub(super) struct Total {
    values: ArrayRef,
    /// How many are NaN, once they were counted.
    nans: Option<u64>,
    /// Their bounds, once they were looked for.
    extent: Option<Extent<f64>>,
}

impl Total {
    /// Of `rows` of `array`, which [`plain_numbers`] made or which is of truth values; of the rows whose bit is set
    /// in `kept`, a bit for each of `rows`, if there is one.
    pub(super) fn new(array: &ArrayRef, rows: &Range<usize>, kept: Option<&BooleanBuffer>) -> Total {
        let part = array.slice(rows.start, rows.len());
        let valid = part.nulls().filter(|_| part.null_count() > 0).map(NullBuffer::inner);
        let wanted = match (valid, kept) {
            (Some(valid), Some(kept)) => Some(valid & kept),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        };
        let values = wanted.map(|wanted| {
            let wanted = BooleanArray::new(wanted, None);
            filter(&part, &wanted).unwrap_or_else(|_| part.slice(0, 0))
        });
        Total { values: values.unwrap_or(part), nans: None, extent: None }
    }

    /// Whether [`Total::add_to`] knows how to add to this store.
    pub(super) fn is_known(store: &Store) -> bool {
        matches!(
            store,
            Store::Integers(_)
                | Store::Floats(_)
                | Store::Signed(_)
                | Store::Unsigned(_)
                | Store::Real(_)
                | Store::Nothing
        )
    }

    /// Adds the values to element 0 of the store.
    pub(super) fn add_to(&mut self, store: &mut Store, lane: Lane) {
        if let (Some(booleans), Store::Integers(sums)) = (self.values.as_boolean_opt(), &mut *store) {
            sums[0] += booleans.true_count() as i128;
            return;
        }
        self.values = plain_numbers(&self.values);
        let greatest = !lane.is_smallest();
        if let Store::Real(best) = store {
            return self.add_real(&mut best[0], greatest, matches!(lane, Lane::FiniteMin | Lane::FiniteMax));
        }
        let values = &self.values;
        macro_rules! best {
            ($numbers:ident, $best:expr) => {
                $numbers!(
                    values,
                    |v| if let Some(&first) = v.first() {
                        let mut found = first;
                        extreme_whole(v, &mut found, greatest);
                        let found = found.into();
                        $best[0] = if greatest { $best[0].max(found) } else { $best[0].min(found) };
                    },
                    else ()
                )
            };
        }
        match store {
            Store::Integers(sums) => whole_numbers!(values, |v| sum_whole(v, &mut sums[0]), else ()),
            Store::Floats(sums) => {
                let mut added = Sums::default();
                real_numbers!(values, |v| sum_reals(v, &mut added), else ());
                added.add_to(&mut sums[0]);
                self.nans = Some(added.missing());
            }
            Store::Signed(best) => best!(signed_numbers, best),
            Store::Unsigned(best) => best!(unsigned_numbers, best),
            _ => {}
        }
    }

    fn add_real(&mut self, best: &mut f64, greatest: bool, finite: bool) {
        let extent = *self.extent.get_or_insert_with(|| real_extent(&self.values));
        if !extent.nan {
            self.nans = Some(0);
        }
        match extent.bounds {
            None => {}
            Some((least, most)) if !finite || (least.is_finite() && most.is_finite()) => {
                *best = if greatest { best.max(most) } else { best.min(least) };
            }
            Some(_) => real_numbers!(&self.values, |v| extreme_reals(v, best, greatest, finite), else ()),
        }
    }

    /// How many of the values are not NaN.
    pub(super) fn present(&self) -> usize {
        let count = || {
            let mut nans = 0;
            real_numbers!(&self.values, |v| count_nan(v, &mut nans), else ());
            nans
        };
        self.values.len() - self.nans.unwrap_or_else(count) as usize
    }
}

/// Least and greatest of both lanes in one pass over the values in their own type.
fn real_extent(values: &ArrayRef) -> Extent<f64> {
    fn widened<T: EdgeValue>(values: &[T]) -> Extent<f64> {
        let Extent { bounds, nan } = extent(values);
        Extent { bounds: bounds.map(|(least, most)| (least.to_f64(), most.to_f64())), nan }
    }
    real_numbers!(values, |v| widened(v), else Extent { bounds: None, nan: false })
}
