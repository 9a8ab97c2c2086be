//! A finished result over binned axes.

use arrow::array::{Array, ArrayRef};

use super::Bins;

/// Rows counted and measured over 0, 1 or 2 binned axes.
///
/// Cells are row-major, `[slots of axis 0][slots of axis 1]`; without axes there is one cell.
#[derive(Debug, Clone)]
pub struct Grid {
    /// The axes, slowest first.
    pub axes: Vec<Bins>,
    /// Rows in each cell.
    pub counts: Vec<u64>,
    /// One array per measure, one value per cell; null where an empty cell has no value.
    pub measures: Vec<ArrayRef>,
    /// Of every measure, whether it is that of a sketch (`≈`) rather than exact.
    pub approximate: Vec<bool>,
}

impl Grid {
    /// Number of cells.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether it has no cells; never true of a finished grid.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Rows in all cells: every row that passed the filter.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Cell of slot `i` of axis 0 and slot `j` of axis 1 (0 where there is no such axis).
    pub fn cell(&self, i: usize, j: usize) -> usize {
        match self.axes.len() {
            2 => i * self.axes[1].slots() + j,
            _ => i,
        }
    }

    /// Measure `m` as `f64` per cell; NaN where it is missing.
    pub fn measure(&self, m: usize) -> Vec<f64> {
        to_f64(&self.measures[m])
    }

    /// Bytes it holds, to within small change.
    pub fn bytes(&self) -> usize {
        self.counts.len() * 8 + self.measures.iter().map(|m| m.get_array_memory_size()).sum::<usize>()
    }
}

/// Any numeric array as `f64`, missing as NaN.
pub fn to_f64(array: &ArrayRef) -> Vec<f64> {
    use arrow::array::AsArray;
    use arrow::datatypes::{DataType, Float64Type};
    let number = match array.data_type() {
        DataType::Float64 => array.clone(),
        // Times and durations go by way of the integer they count in.
        DataType::Timestamp(..) | DataType::Date64 | DataType::Duration(_) | DataType::Date32 => {
            match arrow::compute::cast(array, &DataType::Int64)
                .and_then(|whole| arrow::compute::cast(&whole, &DataType::Float64))
            {
                Ok(number) => number,
                Err(_) => return vec![f64::NAN; array.len()],
            }
        }
        _ => match arrow::compute::cast(array, &DataType::Float64) {
            Ok(number) => number,
            Err(_) => return vec![f64::NAN; array.len()],
        },
    };
    let number = number.as_primitive::<Float64Type>();
    (0..number.len()).map(|i| if number.is_valid(i) { number.value(i) } else { f64::NAN }).collect()
}
