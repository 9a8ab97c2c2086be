//! Rows into cells.
//!
//! `cells[i]` is the cell of row `i`; every cell number is below the length of the accumulators,
//! some element of which, the trash, is where unwanted rows go and is never read.

use super::wide::widest;

/// The number of a slot or a cell, in as many bits as it needs.
pub trait Number: Copy {
    /// It as an index.
    fn place(self) -> usize;
    /// It in 32 bits.
    fn wide(self) -> u32;
    /// A number that fits.
    fn of(wide: u32) -> Self;
}

macro_rules! numbers {
    ($($t:ty),*) => {
        $(impl Number for $t {
            #[inline(always)]
            fn place(self) -> usize {
                self as usize
            }
            #[inline(always)]
            fn wide(self) -> u32 {
                self.into()
            }
            #[inline(always)]
            fn of(wide: u32) -> $t {
                wide as $t
            }
        })*
    };
}
numbers!(u8, u16, u32);

/// Adds 1 to the cell of every row.
pub fn count<C: Number>(cells: &[C], counts: &mut [u32]) {
    for &cell in cells {
        counts[cell.place()] += 1;
    }
}

/// Adds 1 to the cell of every row in one of the four equal parts of `counts`, in turn: neighbouring rows
/// of one cell then touch different counts, and none waits for the store before it.
pub fn count_in_four<C: Number>(cells: &[C], counts: &mut [u32]) {
    let [a, b, c, d] = four_parts(counts);
    let (fours, rest) = cells.as_chunks::<4>();
    for cells in fours {
        a[cells[0].place()] += 1;
        b[cells[1].place()] += 1;
        c[cells[2].place()] += 1;
        d[cells[3].place()] += 1;
    }
    count(rest, a);
}

/// As [`count`], of the rows at these positions alone.
pub fn count_chosen<C: Number>(cells: &[C], chosen: &[u32], counts: &mut [u32]) {
    for &row in chosen {
        counts[cells[row as usize].place()] += 1;
    }
}

/// As [`count_in_four`], of the rows at these positions alone.
pub fn count_chosen_in_four<C: Number>(cells: &[C], chosen: &[u32], counts: &mut [u32]) {
    let [a, b, c, d] = four_parts(counts);
    let (fours, rest) = chosen.as_chunks::<4>();
    for rows in fours {
        a[cells[rows[0] as usize].place()] += 1;
        b[cells[rows[1] as usize].place()] += 1;
        c[cells[rows[2] as usize].place()] += 1;
        d[cells[rows[3] as usize].place()] += 1;
    }
    count_chosen(cells, rest, a);
}

/// Counts the rows of these cells in a byte each, which four times as many of a cache hold; `full` counts the times that
/// one had 256 and began anew.
pub fn count_in_bytes(cells: impl Iterator<Item = usize>, counts: &mut [u8], full: &mut [u32]) {
    for cell in cells {
        let count = &mut counts[cell];
        *count = count.wrapping_add(1);
        if *count == 0 {
            full[cell] += 1;
        }
    }
}

fn four_parts(counts: &mut [u32]) -> [&mut [u32]; 4] {
    let (lower, upper) = counts.split_at_mut(counts.len() / 2);
    let (a, b) = lower.split_at_mut(lower.len() / 2);
    let (c, d) = upper.split_at_mut(upper.len() / 2);
    [a, b, c, d]
}

widest! {
    /// Writes slots in 32 bits.
    pub fn widen<A: Number>(slots: &[A], wide: &mut [u32]) {
        for (wide, slot) in wide.iter_mut().zip(slots) {
            *wide = slot.wide();
        }
    }
}

widest! {
    /// Writes the cells of two axes, of which the second has `stride` slots; all must fit their type.
    pub fn cells_of_two<A: Number, B: Number, C: Number>(first: &[A], second: &[B], stride: u32, cells: &mut [C]) {
        for ((cell, &i), &j) in cells.iter_mut().zip(first).zip(second) {
            *cell = C::of(i.wide() * stride + j.wide());
        }
    }
}

widest! {
    /// Adds an axis before those of the cells, which are `stride` together.
    pub fn add_axis<A: Number>(slots: &[A], stride: u32, cells: &mut [u32]) {
        for (cell, slot) in cells.iter_mut().zip(slots) {
            *cell += slot.wide() * stride;
        }
    }
}

widest! {
    /// Adds `first` to every cell, wrapping around, multiplies it by `copies`, a power of two, and adds the row's place
    /// among as many: neighbouring rows of one cell then touch different accumulators, and none waits for the store
    /// before it.
    pub fn spread(cells: &mut [u32], first: u32, copies: u32) {
        let (shift, last) = (copies.trailing_zeros(), copies - 1);
        for (i, cell) in cells.iter_mut().enumerate() {
            *cell = cell.wrapping_add(first) << shift | (i as u32 & last);
        }
    }
}

/// Accumulators to give to each of so many cells: as many as the first-level cache holds of, if that is of use.
pub fn copies(cells: usize) -> usize {
    match cells {
        0..=256 => 4,
        257..=1024 => 2,
        _ => 1,
    }
}

widest! {
    /// Sends the rows whose bit is 0 to `trash`. Bit `first + i` of `bits`, least significant first, belongs
    /// to `cells[i]`; `first` must be a multiple of 8.
    pub fn keep_set(cells: &mut [u32], bits: &[u8], first: usize, trash: u32) {
        for (cells, &byte) in cells.chunks_mut(8).zip(&bits[first / 8..]) {
            for (i, cell) in cells.iter_mut().enumerate() {
                let keep = 0u32.wrapping_sub(u32::from(byte >> i & 1));
                *cell = (*cell & keep) | (trash & !keep);
            }
        }
    }
}

/// Adds every integer value to its cell, exactly.
pub fn sum_integers<T: Copy + Into<i128>>(values: &[T], cells: &[u32], sums: &mut [i128]) {
    for (&v, &cell) in values.iter().zip(cells) {
        sums[cell as usize] += v.into();
    }
}

/// Adds every value to its cell with its rounding error kept in `low`: Knuth's TwoSum (The Art of
/// Computer Programming, vol. 2, 4.2.2, theorem B).
pub fn sum_floats<T: Copy + Into<f64>>(values: &[T], cells: &[u32], sums: &mut [Sum]) {
    for (&v, &cell) in values.iter().zip(cells) {
        sums[cell as usize].add(v.into());
    }
}

/// A sum and the rounding errors it has left behind; its value is `high + low`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sum {
    /// The rounded sum.
    pub high: f64,
    /// What rounding took from it.
    pub low: f64,
}

impl Sum {
    /// Adds `value`, TwoSum.
    #[inline]
    pub fn add(&mut self, value: f64) {
        let sum = self.high + value;
        let part = sum - self.high;
        self.low += (self.high - (sum - part)) + (value - part);
        self.high = sum;
    }

    /// Adds all that `other` has added.
    #[inline]
    pub fn join(&mut self, other: Sum) {
        self.add(other.high);
        // What an infinite or undefined sum has left behind is undefined.
        if other.high.is_finite() {
            self.add(other.low);
        }
    }

    /// The sum; an infinite or undefined one as it is.
    pub fn value(self) -> f64 {
        if self.high.is_finite() { self.high + self.low } else { self.high }
    }
}

/// Keeps the smallest value of every cell. NaN is passed over.
pub fn min<T: Copy, A: Copy + PartialOrd + From<T>>(values: &[T], cells: &[u32], best: &mut [A]) {
    for (&v, &cell) in values.iter().zip(cells) {
        let v = A::from(v);
        let slot = &mut best[cell as usize];
        if v < *slot {
            *slot = v;
        }
    }
}

/// Keeps the largest value of every cell. NaN is passed over.
pub fn max<T: Copy, A: Copy + PartialOrd + From<T>>(values: &[T], cells: &[u32], best: &mut [A]) {
    for (&v, &cell) in values.iter().zip(cells) {
        let v = A::from(v);
        let slot = &mut best[cell as usize];
        if v > *slot {
            *slot = v;
        }
    }
}

/// Sums of deviations from a pilot value near the mean, and of their squares: shifted data, as in
/// Chan, Golub, LeVeque, "Algorithms for Computing the Sample Variance" (1983), section 3.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shifted {
    /// Values folded in.
    pub count: u64,
    /// The first value of the cell.
    pub pilot: f64,
    /// Sum of `v - pilot`.
    pub first: f64,
    /// Sum of `(v - pilot)^2`.
    pub second: f64,
}

impl Shifted {
    /// No value yet.
    pub const EMPTY: Shifted = Shifted { count: 0, pilot: 0.0, first: 0.0, second: 0.0 };
}

/// Folds every value into the moments of its cell.
pub fn moments<T: Copy>(values: &[T], to_f64: impl Fn(T) -> f64, cells: &[u32], moments: &mut [Shifted]) {
    for (&v, &cell) in values.iter().zip(cells) {
        let v = to_f64(v);
        let m = &mut moments[cell as usize];
        if m.count == 0 {
            m.pilot = v;
        }
        let d = v - m.pilot;
        m.count += 1;
        m.first += d;
        m.second += d * d;
    }
}
