//! Values that are only summed up: they are added while they are computed, and never kept.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;

use super::compile::{Compiled, FedBy};
use super::masks::Mask;
use super::pass::Partial;
use crate::expr::Reals;
use crate::kernel::total::{Sums, sum_reals};

/// A value that nothing wants but the sums of one question without cells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Summed {
    question: usize,
    input: usize,
    value: usize,
    /// Its position among the outputs of the pass's program.
    output: usize,
}

impl Summed {
    /// Of values that are `wanted` so often; the first `tested` are what clauses test.
    pub(super) fn of(questions: &[Compiled], wanted: &[usize], tested: usize) -> Vec<Summed> {
        let of_input = |question: usize, input: usize, by: &FedBy| match (&by.values[..], by.condition) {
            (&[value], None) if value >= tested && wanted[value] == 1 => {
                Some(Summed { question, input, value, output: value - tested })
            }
            _ => None,
        };
        let totals = questions.iter().enumerate().filter(|(_, question)| question.is_one_cell());
        totals
            .flat_map(|(q, question)| {
                question.fed.iter().enumerate().filter_map(move |(input, by)| of_input(q, input, by))
            })
            .collect()
    }

    /// Whether it is `value`, and truth values of which only totals are wanted: these are counted as they are.
    pub(super) fn is_counted(&self, value: usize, arrays: &[ArrayRef], partials: &[Partial]) -> bool {
        self.value == value
            && arrays[value].data_type() == &DataType::Boolean
            && matches!(&partials[self.question], Partial::Grid(lanes) if lanes.are_totals())
    }

    /// Whether all rows of the chunk count, and nothing but their sum is accumulated.
    pub(super) fn is_plain(&self, questions: &[Compiled], masks: &[Mask], partials: &[Partial]) -> bool {
        masks[questions[self.question].filter].bits.is_none()
            && matches!(&partials[self.question], Partial::Grid(lanes) if lanes.is_sum_of_reals(self.input))
    }
}

/// The sums of some values of one chunk.
pub(super) struct ChunkSums {
    sums: Vec<(Summed, Sums)>,
}

impl ChunkSums {
    /// Of nothing yet.
    pub(super) fn of(summed: impl Iterator<Item = Summed>) -> ChunkSums {
        ChunkSums { sums: summed.map(|summed| (summed, Sums::default())).collect() }
    }

    /// The outputs of the program that are added up here.
    pub(super) fn outputs(&self) -> Vec<usize> {
        self.sums.iter().map(|(summed, _)| summed.output).collect()
    }

    /// Adds some values of an output.
    pub(super) fn take(&mut self, output: usize, reals: Reals<'_>) {
        for (_, sums) in self.sums.iter_mut().filter(|(summed, _)| summed.output == output) {
            match reals {
                Reals::Narrow(values) => sum_reals(values, sums),
                Reals::Double(values) => sum_reals(values, sums),
            }
        }
    }

    /// Adds all to the accumulators of the unit.
    pub(super) fn add_to(&self, partials: &mut [Partial]) {
        for (summed, sums) in &self.sums {
            if let Partial::Grid(lanes) = &mut partials[summed.question] {
                lanes.add_sums(summed.input, sums);
            }
        }
    }
}
