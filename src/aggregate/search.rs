//! Exact quantiles and numbers of distinct values, in several passes over the rows and little memory.
//!
//! Quantiles: the first pass finds the least and the greatest code, the second counts the codes of every cell
//! in equal ranges between them, the following count the ranges that hold wanted ranks again, more finely,
//! until few enough values are left to be collected. Distinct values of a narrow span set bits of a map that
//! all threads share; the order in which they are set does not matter. All others are told by grouping the rows
//! by them, which is not done here.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::ArrayRef;

use super::codes::codes;
use super::lanes::{Lane, Lanes};
use super::store::Store;

/// Counters of one pass, for all cells together.
const COUNTERS: u64 = 1 << 21;
/// Most counters of one cell, or of one range: they stay in the second-level cache.
const MOST_COUNTERS: u32 = 16;
/// Fewest counters that are worth a pass.
const LEAST_COUNTERS: u32 = 5;
/// Values collected rather than counted again.
const COLLECTED: u64 = if cfg!(test) { 1 << 8 } else { 1 << 21 };
/// Most bits of a map of distinct values: 128 MiB.
const MOST_BITS: u64 = 1 << 30;

/// What one pass looks for in the values of one input.
#[derive(Debug, Clone)]
pub enum Round {
    /// Least and greatest code.
    Extent,
    /// How many codes of every cell lie in each of the ranges from `least` on, `2^width` codes wide.
    Ranges {
        /// The least code of all cells.
        least: u64,
        /// Binary digits of a range.
        width: u32,
        /// Ranges of one cell, a power of two: `2^count`.
        count: u32,
    },
    /// As many finer ranges of some of these ranges.
    Finer(Arc<Wanted>),
    /// The codes in these ranges.
    Collect(Arc<Wanted>),
    /// Which codes there are.
    Bits(Arc<Bits>),
    /// Nothing: the rows are to be grouped by the values, and [`Search::tell`] told of it.
    Groups,
}

/// What one pass is to do for a lane of an input.
#[derive(Debug, Clone)]
pub struct Sight {
    /// The input, by position.
    pub input: usize,
    /// Its lane.
    pub lane: Lane,
    /// What is looked for.
    pub round: Round,
}

impl Sight {
    pub(super) fn store(&self, cells: usize) -> Store {
        Store::Sought(Box::new(Sought::new(self.round.clone(), cells)))
    }
}

/// The ranges of codes that hold wanted ranks.
#[derive(Debug)]
pub struct Wanted {
    ranges: Vec<Wide>,
    /// First range of every cell, and their number last.
    starts: Vec<u32>,
    /// Binary digits of the number of finer ranges.
    finer: u32,
}

/// A range of codes of one cell.
#[derive(Debug, Clone)]
struct Wide {
    cell: u32,
    first: u64,
    /// Binary digits of its length.
    width: u32,
    /// Values of the cell below it, and in it.
    before: u64,
    count: u64,
    /// Wanted ranks of the cell that lie in it, ascending.
    ranks: Vec<u64>,
}

impl Wanted {
    /// The range that a code of a cell lies in.
    #[inline]
    fn range_of(&self, cell: u32, code: u64) -> Option<usize> {
        let (from, to) = (self.starts[cell as usize] as usize, self.starts[cell as usize + 1] as usize);
        let after = self.ranges[from..to].partition_point(|range| range.first <= code);
        let at = (from + after).checked_sub(1).filter(|&at| at >= from)?;
        let range = &self.ranges[at];
        (range.width >= u64::BITS || (code - range.first) >> range.width == 0).then_some(at)
    }
}

/// A bit for every code of every cell.
#[derive(Debug)]
pub struct Bits {
    least: u64,
    /// Codes of one cell.
    span: u64,
    words: Vec<AtomicU64>,
}

impl Bits {
    #[inline]
    fn set(&self, cell: u32, code: u64) {
        let bit = u64::from(cell) * self.span + (code - self.least);
        let word = &self.words[(bit >> 6) as usize];
        let mask = 1 << (bit & 63);
        // Most values were met before; reading alone leaves the cache line with all threads.
        if word.load(Ordering::Relaxed) & mask == 0 {
            word.fetch_or(mask, Ordering::Relaxed);
        }
    }

    fn distinct(&self, cell: usize) -> u64 {
        let (first, end) = (cell as u64 * self.span, (cell as u64 + 1) * self.span);
        let word = |at: u64| {
            let bits = self.words[at as usize].load(Ordering::Relaxed);
            let from = first.saturating_sub(at * 64).min(63);
            let bits = bits >> from << from;
            if (at + 1) * 64 > end { bits & !(u64::MAX << (end & 63)) } else { bits }
        };
        (first / 64..end.div_ceil(64)).map(|at| u64::from(word(at).count_ones())).sum()
    }
}

/// What one pass, or a part of it, found.
#[derive(Debug, Clone)]
enum Found {
    Extent(u64, u64),
    Counts(Vec<u64>),
    /// The range and the code of every value.
    Values(Vec<(u32, u64)>),
    /// In the shared map, or nowhere.
    Nothing,
}

/// The store of one pass of a search.
#[derive(Debug, Clone)]
pub(super) struct Sought {
    round: Round,
    found: Found,
}

impl Sought {
    pub(super) fn new(round: Round, cells: usize) -> Sought {
        let found = match &round {
            Round::Extent => Found::Extent(u64::MAX, 0),
            // The trash has its counters too.
            Round::Ranges { count, .. } => Found::Counts(vec![0; cells << count]),
            Round::Finer(wanted) => Found::Counts(vec![0; wanted.ranges.len() << wanted.finer]),
            Round::Collect(_) => Found::Values(Vec::new()),
            Round::Bits(_) | Round::Groups => Found::Nothing,
        };
        Sought { round, found }
    }

    pub(super) fn update(&mut self, array: &ArrayRef, rows: &Range<usize>, cells: &[u32], trash: u32) {
        let codes = codes(array, rows);
        let counting = codes.iter().zip(cells).filter(|(_, cell)| **cell != trash);
        match (&self.round, &mut self.found) {
            (Round::Extent, Found::Extent(least, greatest)) => {
                let none = |cell: u32, code, other| if cell == trash { other } else { code };
                for (&code, &cell) in codes.iter().zip(cells) {
                    *least = (*least).min(none(cell, code, u64::MAX));
                    *greatest = (*greatest).max(none(cell, code, 0));
                }
            }
            (Round::Ranges { least, width, count }, Found::Counts(counts)) => {
                let last = (1u64 << count) - 1;
                for (&code, &cell) in codes.iter().zip(cells) {
                    // What does not count has any code, and goes to the trash with it.
                    let range = (code.wrapping_sub(*least) >> width).min(last);
                    counts[((cell as usize) << count) + range as usize] += 1;
                }
            }
            (Round::Finer(wanted), Found::Counts(counts)) => {
                for (&code, &cell) in counting {
                    if let Some(at) = wanted.range_of(cell, code) {
                        let range = &wanted.ranges[at];
                        let finer = (code - range.first) >> range.width.saturating_sub(wanted.finer);
                        counts[(at << wanted.finer) + finer as usize] += 1;
                    }
                }
            }
            (Round::Collect(wanted), Found::Values(values)) => {
                for (&code, &cell) in counting {
                    if let Some(at) = wanted.range_of(cell, code) {
                        values.push((at as u32, code));
                    }
                }
            }
            (Round::Bits(bits), _) => counting.for_each(|(&code, &cell)| bits.set(cell, code)),
            _ => {}
        }
    }

    pub(super) fn merge(&mut self, other: &Sought) {
        match (&mut self.found, &other.found) {
            (Found::Extent(least, greatest), Found::Extent(low, high)) => {
                *least = (*least).min(*low);
                *greatest = (*greatest).max(*high);
            }
            (Found::Counts(mine), Found::Counts(theirs)) => {
                mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
            }
            (Found::Values(mine), Found::Values(theirs)) => mine.extend_from_slice(theirs),
            _ => {}
        }
    }
}

/// What a search is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Goal {
    /// The values at these quantiles, each 0 to 1.
    Quantiles(Vec<f64>),
    /// The number of distinct values.
    Distinct {
        /// Whether their codes may lie so close together that there is a bit for each.
        may_be_close: bool,
    },
}

impl Goal {
    /// Takes on the quantiles of another.
    pub fn join(&mut self, other: Goal) {
        if let (Goal::Quantiles(mine), Goal::Quantiles(more)) = (self, other) {
            mine.extend(more);
        }
    }
}

/// A search through the values of one input, pass by pass.
#[derive(Debug)]
pub struct Search {
    /// What for.
    pub goal: Goal,
    cells: usize,
    state: State,
    /// Values of every cell, and the codes found at ranks; quantiles only.
    ranked: Ranked,
}

#[derive(Debug)]
enum State {
    Next(Round),
    /// The distinct values of every cell.
    Done(Vec<u64>),
}

/// The number of values of every cell, and the codes at the ranks that were wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Ranked {
    totals: Vec<u64>,
    codes: std::collections::HashMap<(u32, u64), u64>,
}

impl Ranked {
    /// The codes between which a quantile of a cell lies, and how far between them.
    pub(super) fn at(&self, cell: u32, q: f64) -> Option<(u64, u64, f64)> {
        let total = self.totals.get(cell as usize).copied().filter(|&total| total > 0)?;
        let (below, above, fraction) = ranks(q, total);
        Some((*self.codes.get(&(cell, below))?, *self.codes.get(&(cell, above))?, fraction))
    }
}

/// The ranks between which a quantile lies, and how far between them, as numpy has it.
pub(super) fn ranks(q: f64, total: u64) -> (u64, u64, f64) {
    let place = q * (total - 1) as f64;
    let below = (place as u64).min(total - 1);
    (below, (below + 1).min(total - 1), place - below as f64)
}

impl Search {
    /// A search in the cells `0..cells`.
    pub fn new(goal: Goal, cells: usize) -> Search {
        let first = match goal {
            Goal::Distinct { may_be_close: false } => Round::Groups,
            _ => Round::Extent,
        };
        Search { goal, cells, state: State::Next(first), ranked: Ranked::default() }
    }

    /// Whether there is memory enough for it: quantiles take counters for every cell.
    pub fn is_possible(&self) -> bool {
        matches!(self.goal, Goal::Distinct { .. }) || self.cells as u64 <= COUNTERS >> LEAST_COUNTERS
    }

    /// What the next pass is to look for; `None` when there is nothing left to look for.
    pub fn round(&self) -> Option<Round> {
        match &self.state {
            State::Next(round) => Some(round.clone()),
            State::Done(_) => None,
        }
    }

    /// What was found, for the formulas of the aggregates.
    fn found(&self) -> Store {
        match (&self.goal, &self.state) {
            (Goal::Distinct { .. }, State::Done(distinct)) => Store::Distincts(distinct.clone()),
            _ => Store::Ranked(Box::new(self.ranked.clone())),
        }
    }

    /// Takes what a pass found in a lane of `from`, and decides on the next. What the last pass found is put
    /// into `lanes`.
    pub fn take(&mut self, input: usize, lane: Lane, from: &mut Lanes, lanes: Option<&mut Lanes>) {
        let Some(Store::Sought(sought)) = from.store_mut(input, lane) else { return };
        let nothing = Box::new(Sought::new(Round::Groups, 0));
        let sought = std::mem::replace(sought, nothing);
        self.advance(*sought);
        if let State::Done(_) = self.state {
            self.put(input, lane, lanes.unwrap_or(from));
        }
    }

    /// Ends the search with the distinct values of every cell, put into a lane of `lanes`.
    pub fn tell(&mut self, distinct: Vec<u64>, input: usize, lane: Lane, lanes: &mut Lanes) {
        self.state = State::Done(distinct);
        self.put(input, lane, lanes);
    }

    fn put(&self, input: usize, lane: Lane, lanes: &mut Lanes) {
        if let Some(store) = lanes.store_mut(input, lane) {
            *store = self.found();
        }
    }

    fn advance(&mut self, sought: Sought) {
        self.state = match (sought.round, sought.found) {
            (Round::Extent, Found::Extent(least, greatest)) => self.after_extent(least, greatest),
            (Round::Ranges { least, width, count }, Found::Counts(counts)) => {
                let whole = |cell: usize| Wide {
                    cell: cell as u32,
                    first: least,
                    width: width + count,
                    before: 0,
                    count: 0,
                    ranks: Vec::new(),
                };
                let mut finer = Vec::new();
                self.ranked.totals = vec![0; self.cells];
                for (cell, counts) in counts.chunks(1 << count).enumerate().take(self.cells) {
                    let total: u64 = counts.iter().sum();
                    self.ranked.totals[cell] = total;
                    let range = Wide { count: total, ranks: self.wanted_ranks(total), ..whole(cell) };
                    self.narrow(&range, width, counts, &mut finer);
                }
                self.after_counting(finer)
            }
            (Round::Finer(wanted), Found::Counts(counts)) => {
                let mut finer = Vec::new();
                for (range, counts) in wanted.ranges.iter().zip(counts.chunks(1 << wanted.finer)) {
                    self.narrow(range, range.width.saturating_sub(wanted.finer), counts, &mut finer);
                }
                self.after_counting(finer)
            }
            (Round::Collect(wanted), Found::Values(mut values)) => {
                values.sort_unstable();
                let mut from = 0;
                for range in &wanted.ranges {
                    for &rank in &range.ranks {
                        let code = values.get(from + (rank - range.before) as usize).map(|(_, code)| *code);
                        self.ranked.codes.insert((range.cell, rank), code.unwrap_or(range.first));
                    }
                    from += range.count as usize;
                }
                State::Done(Vec::new())
            }
            (Round::Bits(bits), _) => State::Done((0..self.cells).map(|cell| bits.distinct(cell)).collect()),
            _ => State::Next(Round::Groups),
        };
    }

    fn after_extent(&mut self, least: u64, greatest: u64) -> State {
        if least > greatest {
            self.ranked.totals = vec![0; self.cells];
            return State::Done(vec![0; self.cells]);
        }
        let digits = u64::BITS - (greatest - least).leading_zeros();
        match self.goal {
            Goal::Distinct { .. } => {
                let span = (greatest - least).checked_add(1);
                let bits = span.and_then(|span| span.checked_mul(self.cells as u64));
                match (span, bits.filter(|&bits| bits <= MOST_BITS)) {
                    (Some(span), Some(bits)) => {
                        let words = (0..bits.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
                        State::Next(Round::Bits(Arc::new(Bits { least, span, words })))
                    }
                    // The span is too wide for a map of bits.
                    _ => State::Next(Round::Groups),
                }
            }
            Goal::Quantiles(_) => {
                let room = (COUNTERS / (self.cells as u64 + 1)).max(1).ilog2();
                let count = room.min(MOST_COUNTERS).min(digits);
                State::Next(Round::Ranges { least, width: digits - count, count })
            }
        }
    }

    /// The ranks wanted of `total` values, ascending.
    fn wanted_ranks(&self, total: u64) -> Vec<u64> {
        let Goal::Quantiles(quantiles) = &self.goal else { return Vec::new() };
        if total == 0 {
            return Vec::new();
        }
        let both = |&q: &f64| {
            let (below, above, _) = ranks(q, total);
            [below, above]
        };
        let mut ranks: Vec<u64> = quantiles.iter().flat_map(both).collect();
        ranks.sort_unstable();
        ranks.dedup();
        ranks
    }

    /// The parts of a range, `2^width` codes wide each, that hold wanted ranks; a part of one code is found.
    fn narrow(&mut self, range: &Wide, width: u32, counts: &[u64], finer: &mut Vec<Wide>) {
        let mut before = range.before;
        let mut ranks = range.ranks.as_slice();
        for (part, &count) in counts.iter().enumerate() {
            let here = ranks.partition_point(|&rank| rank < before + count);
            if here > 0 {
                let first = range.first + ((part as u64) << width);
                if width == 0 {
                    self.ranked.codes.extend(ranks[..here].iter().map(|&rank| ((range.cell, rank), first)));
                } else {
                    let ranks = ranks[..here].to_vec();
                    finer.push(Wide { cell: range.cell, first, width, before, count, ranks });
                }
                ranks = &ranks[here..];
            }
            before += count;
        }
    }

    fn after_counting(&self, ranges: Vec<Wide>) -> State {
        if ranges.is_empty() {
            return State::Done(Vec::new());
        }
        let mut starts = vec![0; self.cells + 2];
        ranges.iter().for_each(|range| starts[range.cell as usize + 1] += 1);
        for cell in 0..=self.cells {
            starts[cell + 1] += starts[cell];
        }
        let values: u64 = ranges.iter().map(|range| range.count).sum();
        let widest = ranges.iter().map(|range| range.width).max().unwrap_or(0);
        let room = (COUNTERS / ranges.len() as u64).max(2).ilog2();
        let wanted = Arc::new(Wanted { starts, finer: room.min(MOST_COUNTERS).min(widest), ranges });
        State::Next(if values <= COLLECTED { Round::Collect(wanted) } else { Round::Finer(wanted) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float64Array, UInt64Array};
    use arrow::datatypes::DataType;

    /// Searches through `array`, whose rows belong to `cells`, in passes of two parts.
    fn searched(goal: Goal, array: &ArrayRef, rows: &[u32], cells: usize) -> (Search, usize) {
        let mut search = Search::new(goal, cells);
        let mut passes = 0;
        while let Some(round) = search.round() {
            let middle = rows.len() / 3;
            let part = |part: Range<usize>| {
                let mut sought = Sought::new(round.clone(), cells + 1);
                sought.update(array, &part, &rows[part.clone()], cells as u32);
                sought
            };
            let mut whole = part(0..middle);
            whole.merge(&part(middle..rows.len()));
            search.advance(whole);
            passes += 1;
        }
        (search, passes)
    }

    #[test]
    fn ranks_are_found_whatever_the_values_in_few_passes() {
        let spread = |i: u64| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15)) >> (i % 60);
        let shapes: [fn(u64) -> u64; 4] =
            [|i| i * 3, |_| 7, |i| u64::MAX - i % 1000 * (i % 1000), |i| (i % 7) << 60];
        let quantiles = [0.0, 0.01, 0.5, 0.999, 1.0];
        for shape in shapes.into_iter().chain([spread as fn(u64) -> u64]) {
            let values: Vec<u64> = (0..5000).map(shape).collect();
            let cells: Vec<u32> = (0..5000).map(|i| i % 4).collect();
            let array: ArrayRef = Arc::new(UInt64Array::from(values.clone()));
            let (search, passes) = searched(Goal::Quantiles(quantiles.to_vec()), &array, &cells, 3);
            assert!(passes <= 6, "{passes} passes");
            for cell in 0..3 {
                let of_cell = values.iter().zip(&cells).filter(|(_, c)| **c == cell);
                let mut sorted: Vec<u64> = of_cell.map(|(v, _)| *v).collect();
                sorted.sort_unstable();
                for q in quantiles {
                    let (below, above, fraction) = ranks(q, sorted.len() as u64);
                    let right = (sorted[below as usize], sorted[above as usize], fraction);
                    assert_eq!(search.ranked.at(cell, q), Some(right), "{q} of cell {cell}");
                }
            }
        }
    }

    #[test]
    fn distinct_values_of_a_narrow_span_are_counted_in_each_cell() {
        let values: Vec<u64> = (0..5000).map(|i| 1000 + i * i % 777).collect();
        let cells: Vec<u32> = (0..5000).map(|i| i % 4).collect();
        let array: ArrayRef = Arc::new(UInt64Array::from(values.clone()));
        let (search, passes) = searched(Goal::Distinct { may_be_close: true }, &array, &cells, 3);
        let State::Done(found) = &search.state else { panic!("it gave up") };
        assert_eq!(passes, 2);
        for cell in 0..3 {
            let of_cell = values.iter().zip(&cells).filter(|(_, c)| **c == cell).map(|(v, _)| *v);
            let right = of_cell.collect::<std::collections::BTreeSet<_>>().len();
            assert_eq!(found[cell as usize], right as u64);
        }
    }

    #[test]
    fn a_span_too_wide_for_bits_is_left_to_groups_and_no_value_is_a_search_done() {
        let wide: ArrayRef = Arc::new(UInt64Array::from(vec![0, u64::MAX]));
        let mut search = Search::new(Goal::Distinct { may_be_close: true }, 1);
        let mut sought = Sought::new(Round::Extent, 2);
        sought.update(&wide, &(0..2), &[0, 0], 1);
        search.advance(sought);
        assert!(matches!(search.round(), Some(Round::Groups)));
        let none: ArrayRef = Arc::new(Float64Array::from(Vec::<f64>::new()));
        assert_eq!(none.data_type(), &DataType::Float64);
        let (search, passes) = searched(Goal::Quantiles(vec![0.5]), &none, &[], 2);
        assert_eq!((search.ranked.at(0, 0.5), passes), (None, 1));
    }
}
