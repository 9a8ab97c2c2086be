//! One row of a cell: the first or last by an order, the least or greatest text.

use std::cmp::Ordering;

/// The row picked of a cell: its place in the order, its row of the table, its value.
pub(super) type Pick<V> = Option<(u64, u64, V)>;

/// Rows to pick among.
pub(super) struct Rows<'a> {
    pub(super) cells: &'a [u32],
    pub(super) trash: u32,
    /// Row of the table that the first of them is.
    pub(super) first_row: u64,
    /// Their places in the order; without them it is the order of rows.
    pub(super) orders: Option<&'a [u64]>,
}

impl Rows<'_> {
    /// Keeps of every cell the row that comes first, or last; of rows of one place, by the order of rows.
    pub(super) fn pick<V>(&self, picks: &mut [Pick<V>], last: bool, value: impl Fn(usize) -> V) {
        let wanted = if last { Ordering::Greater } else { Ordering::Less };
        for (i, &cell) in self.cells.iter().enumerate().filter(|(_, cell)| **cell != self.trash) {
            let place = (self.orders.map_or(0, |orders| orders[i]), self.first_row + i as u64);
            let pick = &mut picks[cell as usize];
            if pick.as_ref().is_none_or(|(order, row, _)| place.cmp(&(*order, *row)) == wanted) {
                *pick = Some((place.0, place.1, value(i)));
            }
        }
    }
}

/// Merges two picks.
pub(super) fn better<V: Clone>(last: bool) -> impl Fn(&mut Pick<V>, &Pick<V>) {
    let wanted = if last { Ordering::Greater } else { Ordering::Less };
    move |mine, theirs| {
        let Some((order, row, _)) = theirs else { return };
        if mine.as_ref().is_none_or(|(mine, mine_row, _)| (order, row).cmp(&(mine, mine_row)) == wanted) {
            mine.clone_from(theirs);
        }
    }
}

/// Keeps the smaller or the larger of two texts, by their bytes.
pub(super) fn better_text(best: &mut Option<Box<str>>, text: &str, smallest: bool) {
    let is_better = |best: &str| if smallest { text < best } else { text > best };
    if best.as_deref().is_none_or(is_better) {
        *best = Some(text.into());
    }
}
