//! The rows a person looks at.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt64Array};

use super::pass::filter_pass;
use super::question::internal;
use super::scan::unchanged;
use super::skip::Verdict;
use super::{Layout, QueryError, RowIndex, ScanOptions};
use crate::dataset::Dataset;
use crate::expr::{Expr, Program};
use crate::select::Selection;
use crate::task::Task;

/// Some consecutive rows of those that pass.
#[derive(Debug, Clone)]
pub struct RowPage {
    /// Position of the first among the passing rows.
    pub first: u64,
    /// Row number in the file of every row.
    pub numbers: Vec<u64>,
    /// One array per column asked.
    pub columns: Vec<ArrayRef>,
}

impl RowPage {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }
}

/// Reads passing rows `first..first + count` (fewer at the end) of the columns `exprs`.
///
/// `index` must have been made for the same table and selection; then the cost depends on the rows asked and not
/// on their position. Without one the rows are looked for from the beginning of the table.
///
/// # Errors
/// [`QueryError`] when the file cannot be read or an expression not evaluated.
pub fn fetch(
    dataset: &Arc<Dataset>,
    selection: &Selection,
    index: Option<&RowIndex>,
    first: u64,
    count: usize,
    exprs: &[Expr],
    task: &Task,
) -> Result<RowPage, QueryError> {
    unchanged(dataset.source().as_ref(), || {
        let numbers = match index {
            Some(index) if !selection.is_all() => {
                passing_rows(dataset, selection, index, first, count, task)?
            }
            None if !selection.is_all() => first_passing(dataset, selection, first, count, task)?,
            _ => {
                let end = first.saturating_add(count as u64).min(dataset.row_count());
                (first.min(end)..end).collect()
            }
        };
        let resolved: Vec<Expr> = exprs.iter().map(|expr| dataset.resolve(expr)).collect();
        let program = Program::compile(&resolved, dataset.source().schema());
        let mut pieces: Vec<Vec<ArrayRef>> = vec![Vec::new(); exprs.len()];
        for run in close_runs(&numbers) {
            task.check()?;
            let (from, to) = (run[0], run[run.len() - 1] + 1);
            let columns = program
                .columns()
                .iter()
                .map(|&column| dataset.source().read(column, from..to))
                .collect::<Result<Vec<_>, _>>()?;
            let values = program.run(&columns, (to - from) as usize)?;
            let wanted = UInt64Array::from_iter_values(run.iter().map(|row| row - from));
            for (pieces, values) in pieces.iter_mut().zip(values) {
                pieces.push(arrow::compute::take(&values, &wanted, None).map_err(internal)?);
            }
        }
        let columns = pieces
            .iter()
            .zip(exprs)
            .map(|(pieces, expr)| match pieces.as_slice() {
                [] => Ok(arrow::array::new_empty_array(expr.data_type())),
                [one] => Ok(one.clone()),
                many => {
                    let many: Vec<&dyn Array> = many.iter().map(AsRef::as_ref).collect();
                    arrow::compute::concat(&many).map_err(internal)
                }
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(RowPage { first, numbers, columns })
    })
}

/// File row numbers of passing rows `first..first + count`.
fn passing_rows(
    dataset: &Arc<Dataset>,
    selection: &Selection,
    index: &RowIndex,
    first: u64,
    count: usize,
    task: &Task,
) -> Result<Vec<u64>, QueryError> {
    let pass = filter_pass(dataset, selection)?;
    let mut numbers = Vec::with_capacity(count);
    let mut wanted = first;
    while numbers.len() < count
        && let Some((chunk, before)) = index.locate(wanted)
    {
        task.check()?;
        let rows = index.layout().chunk(chunk);
        let read = pass.read(rows.clone(), task)?;
        let skip = (wanted - before) as usize;
        let room = count - numbers.len();
        let found_before = numbers.len();
        match pass.passing(&read, 0)? {
            Some(mask) => {
                numbers.extend(mask.set_indices().skip(skip).take(room).map(|i| rows.start + i as u64));
            }
            None => numbers.extend(rows.skip(skip).take(room)),
        }
        let found = numbers.len() - found_before;
        if found == 0 {
            // The file changed since it was indexed; what was found so far is all there is to show.
            break;
        }
        wanted += found as u64;
    }
    Ok(numbers)
}

/// As [`passing_rows`], found by testing one chunk after the other.
fn first_passing(
    dataset: &Arc<Dataset>,
    selection: &Selection,
    first: u64,
    count: usize,
    task: &Task,
) -> Result<Vec<u64>, QueryError> {
    let pass = filter_pass(dataset, selection)?;
    let layout = Layout::new(dataset.source().as_ref(), ScanOptions::default().chunk_rows);
    let mut numbers = Vec::with_capacity(count);
    let mut skip = first;
    for chunk in 0..layout.chunks() {
        task.check()?;
        let rows = layout.chunk(chunk);
        if numbers.len() == count {
            break;
        }
        if pass.verdicts(&rows).first() == Some(&Verdict::Never) {
            continue;
        }
        let read = pass.read(rows.clone(), task)?;
        let room = count - numbers.len();
        let found = match pass.passing(&read, 0)? {
            Some(mask) => {
                let passing = mask.count_set_bits() as u64;
                let wanted = mask.set_indices().skip(skip.min(passing) as usize).take(room);
                numbers.extend(wanted.map(|i| rows.start + i as u64));
                passing
            }
            None => {
                let from = rows.end.min(rows.start.saturating_add(skip));
                numbers.extend((from..rows.end).take(room));
                rows.end - rows.start
            }
        };
        skip = skip.saturating_sub(found);
    }
    Ok(numbers)
}

/// Cuts ascending row numbers where a gap makes reading through it dearer than starting anew.
fn close_runs(numbers: &[u64]) -> impl Iterator<Item = &[u64]> {
    const GAP: u64 = 4096;
    numbers.chunk_by(|a, b| b - a <= GAP)
}
