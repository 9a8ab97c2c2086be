//! The cell of every row of a block, from the slots of its axes. Slots that are codes of a byte or two are taken as they
//! are: what is not widened needs not be written and read again.

use std::ops::Range;

use arrow::array::{ArrayRef, AsArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, UInt8Type, UInt16Type};

use super::compile::{Compiled, Shape};
use super::masks::keep_passing;
use crate::kernel::fold::{self, Number};

/// Slots or cells of the rows of a block.
#[derive(Clone, Copy)]
pub(super) enum Slots<'a> {
    Bytes(&'a [u8]),
    Words(&'a [u16]),
    Wide(&'a [u32]),
}

/// Runs `$body` with `$numbers` bound to the slice, of whatever type.
macro_rules! each {
    ($slots:expr, |$numbers:ident| $body:expr) => {
        match $slots {
            $crate::query::cells::Slots::Bytes($numbers) => $body,
            $crate::query::cells::Slots::Words($numbers) => $body,
            $crate::query::cells::Slots::Wide($numbers) => $body,
        }
    };
}
pub(super) use each;

/// Cells of a block, used again for every question.
#[derive(Default)]
pub(super) struct CellBuffers {
    words: Vec<u16>,
    pub(super) wide: Vec<u32>,
}

impl<'a> Slots<'a> {
    /// Codes of `rows`.
    pub(super) fn of_codes(codes: &'a ArrayRef, rows: Range<usize>) -> Slots<'a> {
        match codes.data_type() {
            DataType::UInt8 => Slots::Bytes(&codes.as_primitive::<UInt8Type>().values()[rows]),
            _ => Slots::Words(&codes.as_primitive::<UInt16Type>().values()[rows]),
        }
    }

    pub(super) fn len(&self) -> usize {
        each!(self, |slots| slots.len())
    }

    /// They in 32 bits.
    pub(super) fn widened(&self) -> Vec<u32> {
        let mut wide = vec![0; self.len()];
        each!(self, |slots| fold::widen(slots, &mut wide));
        wide
    }
}

/// The cells of two axes, of which the second has `stride` slots.
fn cells_of_two<C: Number>(first: Slots, second: Slots, stride: u32, cells: &mut Vec<C>) {
    cells.resize(first.len(), C::of(0));
    each!(first, |first| each!(second, |second| fold::cells_of_two(first, second, stride, cells)));
}

/// Where the cells of a block are.
enum Written {
    /// They are the slots of this axis.
    Axis(usize),
    Words,
    Wide,
}

impl Compiled {
    /// The cell of each of the `rows` rows of a block; those of one axis are its slots.
    pub(super) fn cells<'a>(
        &self,
        rows: usize,
        of_axes: &[Slots<'a>],
        buffers: &'a mut CellBuffers,
    ) -> Slots<'a> {
        match self.write_cells(rows, of_axes, true, buffers) {
            Written::Axis(axis) => of_axes[axis],
            Written::Words => Slots::Words(&buffers.words),
            Written::Wide => Slots::Wide(&buffers.wide),
        }
    }

    /// Writes the element of every row of the block into `buffers.wide`; rows outside `mask` go to the trash, which is
    /// returned.
    pub(super) fn elements(
        &self,
        block: &Range<usize>,
        mask: Option<&BooleanBuffer>,
        of_axes: &[Slots],
        buffers: &mut CellBuffers,
    ) -> u32 {
        let Shape::Grid { cells: count, .. } = &self.shape else { return 0 };
        if let Written::Axis(axis) = self.write_cells(block.len(), of_axes, false, buffers) {
            buffers.wide.resize(block.len(), 0);
            each!(of_axes[axis], |slots| fold::widen(slots, &mut buffers.wide));
        }
        let trash = *count as u32;
        if let Some(mask) = mask {
            keep_passing(&mut buffers.wide, mask, block, trash);
        }
        let spread = self.spread() as u32;
        if spread > 1 {
            fold::spread(&mut buffers.wide, 0, spread);
        }
        trash * spread
    }

    /// Writes the cells of a block, in 16 bits where they fit and `narrow` allows it.
    fn write_cells(
        &self,
        rows: usize,
        of_axes: &[Slots],
        narrow: bool,
        CellBuffers { words, wide }: &mut CellBuffers,
    ) -> Written {
        let (axes, counts): (&[usize], &[usize]) = match &self.shape {
            Shape::Grid { axes, slots, .. } => (axes, slots),
            _ => (&[], &[]),
        };
        let (&[ref before @ .., first, second], &[.., first_count, second_count]) = (axes, counts) else {
            wide.clear();
            wide.resize(rows, 0);
            return axes.first().map_or(Written::Wide, |&only| Written::Axis(only));
        };
        let (first, second, stride) = (of_axes[first], of_axes[second], second_count as u32);
        let mut together = (first_count * second_count) as u32;
        let is_coded = !matches!((first, second), (Slots::Wide(_), Slots::Wide(_)));
        let fits_words = is_coded && together <= 1 << 16;
        let mut before = before.iter().zip(counts).rev();
        if fits_words && (narrow || before.len() > 0) {
            cells_of_two(first, second, stride, words);
            let Some((&axis, &count)) = before.next() else { return Written::Words };
            cells_of_two(of_axes[axis], Slots::Words(words), together, wide);
            together *= count as u32;
        } else {
            cells_of_two(first, second, stride, wide);
        }
        for (&axis, &count) in before {
            each!(of_axes[axis], |slots| fold::add_axis(slots, together, wide));
            together *= count as u32;
        }
        Written::Wide
    }
}
