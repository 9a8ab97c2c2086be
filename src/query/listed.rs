//! Expressions of few distinct texts: every value gets a number when it is first met, which is its code, and all of
//! them, once known, are listed in order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, StringArray, UInt8Array, UInt16Array};
use arrow::compute::{cast, sort_to_indices, take};
use arrow::datatypes::{DataType, UInt8Type, UInt16Type};

use super::QueryError;
use super::groups::Coder;
use super::question::internal;
use crate::aggregate::{Bins, Scale};

/// The type of the texts of a column whose values can be listed; `None` of all other types.
pub(super) fn text_type(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::Dictionary(_, values) => text_type(values),
        DataType::Utf8 | DataType::LargeUtf8 => Some(data_type),
        _ => None,
    }
}

/// The distinct values of an expression. Code 0 is a missing one's.
#[derive(Debug)]
pub(super) struct Listed {
    /// By code; null at 0.
    values: ArrayRef,
    /// In ascending order, without null.
    sorted: ArrayRef,
    /// One for each value, in their order; `None` where there is no value.
    bins: Option<Bins>,
    /// The slot of every code.
    slots: Vec<u32>,
}

impl Listed {
    /// Of values by code.
    fn new(values: ArrayRef) -> Result<Listed, QueryError> {
        let present = values.slice(1, values.len() - 1);
        let order = sort_to_indices(&present, None, None).map_err(internal)?;
        let sorted = take(&present, &order, None).map_err(internal)?;
        let count = present.len();
        let bins = Bins::new(0.0, count as f64, count, Scale::Linear).ok();
        let mut slots = vec![bins.as_ref().map_or(0, |bins| bins.missing() as u32); values.len()];
        for (slot, &code) in order.values().iter().enumerate() {
            slots[code as usize + 1] = slot as u32;
        }
        Ok(Listed { values, sorted, bins, slots })
    }

    /// The values by code, null for 0.
    pub(super) fn values(&self) -> &ArrayRef {
        &self.values
    }

    /// The values in ascending order.
    pub(super) fn sorted(&self) -> &ArrayRef {
        &self.sorted
    }

    /// A bin for each value, in ascending order: the value in place `i` lies in `[i, i + 1)`.
    pub(super) fn bins(&self) -> Option<&Bins> {
        self.bins.as_ref()
    }

    /// The slot of those bins that every code stands for.
    pub(super) fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// The type of [`Listed::decoded`].
    pub(super) fn dictionary_type(&self) -> DataType {
        DataType::Dictionary(Box::new(DataType::UInt16), Box::new(self.values.data_type().clone()))
    }

    /// Codes as the values they stand for.
    pub(super) fn decoded(&self, codes: &ArrayRef) -> Result<ArrayRef, QueryError> {
        let values = self.values.clone();
        Ok(match codes.data_type() {
            DataType::UInt8 => {
                let keys: &UInt8Array = codes.as_primitive::<UInt8Type>();
                Arc::new(DictionaryArray::try_new(keys.clone(), values).map_err(internal)?)
            }
            _ => {
                let keys: &UInt16Array = codes.as_primitive::<UInt16Type>();
                Arc::new(DictionaryArray::try_new(keys.clone(), values).map_err(internal)?)
            }
        })
    }

    /// The values but for null, each after its length.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut add = |text: &str| {
            bytes.extend((text.len() as u32).to_le_bytes());
            bytes.extend(text.as_bytes());
        };
        match self.values.data_type() {
            DataType::LargeUtf8 => self.values.as_string::<i64>().iter().flatten().for_each(&mut add),
            _ => self.values.as_string::<i32>().iter().flatten().for_each(&mut add),
        }
        bytes
    }

    /// What [`Listed::to_bytes`] wrote, as values of the type of `data_type`; `None` where it is nothing of the kind.
    pub(super) fn of_bytes(mut bytes: &[u8], data_type: &DataType) -> Option<Listed> {
        let mut texts = vec![None];
        while !bytes.is_empty() {
            let (length, rest) = bytes.split_first_chunk::<4>()?;
            let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            texts.push(Some(std::str::from_utf8(text).ok()?));
            bytes = rest;
        }
        let texts: ArrayRef = Arc::new(StringArray::from(texts));
        Listed::new(cast(&texts, text_type(data_type)?).ok()?).ok()
    }
}

/// Numbers the values of an expression, met by several threads.
pub(super) struct Numbering {
    data_type: DataType,
    /// Bytes of a code.
    width: usize,
    all: Mutex<Option<Coder>>,
    /// What single threads have met, so that they seldom wait for each other.
    met: Mutex<Vec<Met>>,
    is_overfull: AtomicBool,
    listed: OnceLock<Option<Arc<Listed>>>,
}

/// The values one thread has met, and the codes of its numbers.
struct Met {
    coder: Coder,
    codes: Vec<u32>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Numbering {
    /// Of values of `data_type`, for codes of so many bytes.
    pub(super) fn new(data_type: &DataType, width: usize) -> Numbering {
        Numbering {
            data_type: data_type.clone(),
            width,
            all: Mutex::default(),
            met: Mutex::default(),
            is_overfull: AtomicBool::new(false),
            listed: OnceLock::new(),
        }
    }

    /// Of values that are all known.
    pub(super) fn of_listed(data_type: &DataType, width: usize, listed: Listed) -> Numbering {
        let numbering = Numbering::new(data_type, width);
        let _ = numbering.listed.set(Some(Arc::new(listed)));
        numbering
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Whether there were more values than there are codes.
    pub(super) fn is_overfull(&self) -> bool {
        self.is_overfull.load(Ordering::Relaxed)
    }

    /// The codes of these values; `None` when there are too many of them.
    pub(super) fn codes(&self, values: &ArrayRef) -> Result<Option<Vec<u32>>, QueryError> {
        let met = lock(&self.met).pop();
        let mut met = match met {
            Some(met) => met,
            None => Met { coder: Coder::new(&self.data_type)?, codes: vec![0] },
        };
        let mut codes = vec![0; values.len()];
        met.coder.write(values, &mut codes)?;
        let new: Vec<u32> = (met.codes.len() as u32..=met.coder.len() as u32).collect();
        if !new.is_empty() {
            let values = met.coder.values(&new)?;
            let first = met.codes.len();
            met.codes.resize(first + new.len(), 0);
            let mut all = lock(&self.all);
            if all.is_none() {
                *all = Some(Coder::new(values.data_type())?);
            }
            if let Some(all) = all.as_mut() {
                all.write(&values, &mut met.codes[first..])?;
                if all.len() >> (8 * self.width) > 0 {
                    self.is_overfull.store(true, Ordering::Relaxed);
                    return Ok(None);
                }
            }
        }
        codes.iter_mut().for_each(|code| *code = met.codes[*code as usize]);
        lock(&self.met).push(met);
        Ok(Some(codes))
    }

    /// All values, in order; to be asked when no more are met. `None` where they cannot be listed.
    pub(super) fn listed(&self) -> Option<&Arc<Listed>> {
        let list = || {
            lock(&self.met).clear();
            let all = lock(&self.all).take()?;
            let codes: Vec<u32> = (0..=all.len() as u32).collect();
            Some(Arc::new(Listed::new(all.values(&codes).ok()?).ok()?))
        };
        self.listed.get_or_init(list).as_ref()
    }
}
