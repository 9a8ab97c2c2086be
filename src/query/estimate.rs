//! Questions answered from a sample: scaled up, with the error that the sample itself shows.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, UInt32Array, UInt64Array};
use arrow::compute::{SortOptions, cast, concat, take};
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, SortField};

use super::compile::{Compiled, Shape};
use super::groups::{GroupMemory, GroupTotal, present_keys};
use super::pass::{Partial, Pass};
use super::question::internal;
use super::sample::REPLICATES;
use super::scan::unchanged;
use super::{Answer, Ask, GroupKey, Groups, Listing, QueryError, Question, Sample, ScanOptions, Workers};
use crate::aggregate::{FromSample, Lanes, to_f64};
use crate::task::Task;

/// Most groups that are estimated.
const MOST_GROUPS: usize = 1 << 14;

/// Standard errors on either side that hold the truth in 95 of 100 cases: Student's t for the 31 degrees of
/// freedom that 32 replicates leave.
pub const TWO_SIDED_95: f64 = 2.0395;

/// What a sample says of all rows. It is never exact.
#[derive(Debug, Clone)]
pub struct Estimate {
    /// Counts and sums scaled up to the table; ratios, such as means, as they are in the sample; extremes as
    /// they are in the sample, and hence only bounds.
    pub answer: Arc<Answer>,
    /// Rows read.
    pub rows_read: u64,
    /// Rows of the table.
    pub rows: u64,
    /// Rows of the sample in every cell or group. Where there is none the table may still have some, and
    /// groups that the sample does not hold are not listed at all.
    pub seen: Vec<u64>,
    /// Standard error of every count.
    pub count_errors: Vec<f64>,
    /// One for each measure.
    pub measures: Vec<Accuracy>,
    unseen_limit: f64,
}

/// How far a measure may be off.
#[derive(Debug, Clone, PartialEq)]
pub enum Accuracy {
    /// Standard error of every value; NaN where the sample does not tell.
    Errors(Vec<f64>),
    /// The values are those of the sample, and no error is known: more rows can only take extremes and distinct
    /// values further, and what single rows decide is that of the rows read.
    Bound,
}

impl Estimate {
    /// Share of the rows that was read, in `0.0..=1.0`.
    pub fn share(&self) -> f64 {
        self.rows_read as f64 / (self.rows.max(1)) as f64
    }

    /// Where the count of cell or group `i` lies in 95 of 100 cases, in rows of the table.
    pub fn count_range(&self, i: usize) -> (f64, f64) {
        let (Some(&seen), Some(&error)) = (self.seen.get(i), self.count_errors.get(i)) else {
            return (0.0, f64::INFINITY);
        };
        if seen == 0 {
            return (0.0, self.unseen_limit);
        }
        let count = match self.answer.as_ref() {
            Answer::Grid(grid) => grid.counts[i] as f64,
            Answer::Groups(groups) => groups.counts[i] as f64,
            _ => return (0.0, f64::INFINITY),
        };
        ((count - TWO_SIDED_95 * error).max(seen as f64), count + TWO_SIDED_95 * error)
    }

    /// Bytes it holds, to within small change.
    pub fn bytes(&self) -> usize {
        let errors = self.measures.iter().map(|accuracy| match accuracy {
            Accuracy::Errors(errors) => errors.len() * 8,
            Accuracy::Bound => 0,
        });
        self.answer.bytes() + self.seen.len() * 16 + errors.sum::<usize>()
    }
}

/// Answers every question from `sample`, which is of the table they ask of. `None` for a question no sample
/// answers: an index of rows, a cube, too many groups.
///
/// # Errors
/// [`QueryError`]: the first failure of any question, or cancellation.
pub fn estimate(
    sample: &Arc<Sample>,
    questions: &[Question],
    workers: &Workers,
    task: &Task,
) -> Result<Vec<Option<Estimate>>, QueryError> {
    unchanged(sample.source().as_ref(), || {
        let of_sample = |question: &Question| {
            let dataset = question.dataset.over(sample.clone());
            Question::new(Arc::new(dataset), question.selection.clone(), question.ask.clone())
        };
        let questions: Vec<Question> = questions.iter().map(of_sample).collect();
        let pass = Pass::compile(&questions)?;
        let mut columns = [pass.tests.columns(), pass.program.columns()].concat();
        columns.sort_unstable();
        columns.dedup();
        sample.prepare(&columns, workers);
        let memory = GroupMemory::new(ScanOptions::default().group_budget);
        let of_replicate = |i: usize| -> Result<Vec<Partial>, QueryError> {
            task.check()?;
            let (mut partials, mut worker) = (pass.partials()?, pass.worker());
            pass.update(sample.replicate_rows(i), &mut partials, &mut worker, &memory, task)?;
            partials.iter_mut().try_for_each(|partial| partial.end(&memory))?;
            for ((partial, tally), question) in partials.iter_mut().zip(&worker.tallies).zip(&pass.questions)
            {
                if let Some(tally) = tally {
                    let mut counts = question.no_counts();
                    tally.add_to(&mut counts);
                    *partial = Partial::Grid(Lanes::counted(counts));
                }
            }
            Ok(partials)
        };
        let mut of_questions: Vec<Vec<Partial>> = questions.iter().map(|_| Vec::new()).collect();
        for partials in workers.map(REPLICATES, of_replicate) {
            of_questions.iter_mut().zip(partials?).for_each(|(all, partial)| all.push(partial));
        }
        let mut estimates = Vec::with_capacity(questions.len());
        for ((question, compiled), partials) in questions.iter().zip(&pass.questions).zip(of_questions) {
            task.check()?;
            estimates.push(match &question.ask {
                Ask::Groups { listing, .. } if *listing == Listing::default() => {
                    groups(sample, compiled, partials, task)?
                }
                ask @ Ask::Grid { .. } => grid(sample, compiled, ask, &partials)?,
                _ => None,
            });
        }
        Ok(estimates)
    })
}

fn grid(
    sample: &Sample,
    compiled: &Compiled,
    ask: &Ask,
    partials: &[Partial],
) -> Result<Option<Estimate>, QueryError> {
    let Shape::Grid { cells, .. } = compiled.shape else { return Ok(None) };
    let lanes = partials.iter().map(|partial| {
        let mut folded = compiled.measures.lanes(cells + 1);
        if let Partial::Grid(lanes) = partial {
            let spread = lanes.len() / (cells + 1);
            folded.merge(lanes, 0..lanes.len(), |element| element / spread);
        }
        folded
    });
    let judged = Judged::new(sample, compiled, lanes.collect(), 0..cells)?;
    let mut grid = compiled.finish_grid(&judged.total, ask)?;
    grid.counts = judged.counts(sample);
    grid.measures = judged.measures.clone();
    Ok(Some(judged.estimate(sample, Answer::Grid(grid))))
}

/// Of groups by plain values, all of them listed.
fn groups(
    sample: &Sample,
    compiled: &Compiled,
    partials: Vec<Partial>,
    task: &Task,
) -> Result<Option<Estimate>, QueryError> {
    let Shape::Groups { plan, .. } = &compiled.shape else { return Ok(None) };
    // Keys and accumulators of every replicate.
    let mut keys: Vec<Vec<ArrayRef>> = Vec::new();
    let mut parts: Vec<Lanes> = Vec::new();
    for partial in partials {
        let Partial::Groups(part) = partial else { return Ok(None) };
        let mut total = GroupTotal::new(compiled, *plan)?;
        total.merge(compiled, *part)?;
        let (lanes, of_part) = total.sorted(compiled, task)?;
        let values = of_part.into_iter().map(|key| match key {
            GroupKey::Values(values) => Some(values),
            GroupKey::Slots { .. } => None,
        });
        let Some(values) = values.collect::<Option<Vec<_>>>() else { return Ok(None) };
        keys.resize(values.len(), Vec::new());
        keys.iter_mut().zip(values).for_each(|(all, values)| all.push(values));
        parts.push(lanes);
    }
    let together = keys.iter().map(|parts| {
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        concat(&parts).map_err(internal)
    });
    let keys = together.collect::<Result<Vec<_>, _>>()?;
    let (firsts, group_of) = distinct(&keys)?;
    if firsts.len() > MOST_GROUPS {
        return Ok(None);
    }
    let mut offset = 0;
    let aligned = parts.iter().map(|part| {
        let mut aligned = compiled.measures.lanes(firsts.len() + 1);
        let target = |element: usize| match element {
            0 => 0,
            element => group_of[offset + element - 1] as usize + 1,
        };
        aligned.merge(part, 0..part.len(), target);
        offset += part.len() - 1;
        aligned
    });
    let aligned = aligned.collect();
    let judged = Judged::new(sample, compiled, aligned, 1..firsts.len() + 1)?;
    let first = UInt32Array::from(firsts);
    let keys = keys.iter().map(|values| take(values, &first, None).map(GroupKey::Values).map_err(internal));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let answer = Answer::Groups(Groups {
        found: first.len() as u64,
        present: present_keys(&keys),
        keys,
        counts: judged.counts(sample),
        measures: judged.measures.clone(),
        approximate: compiled.measures.approximate(&judged.total, first.len() + 1),
        other: None,
    });
    Ok(Some(judged.estimate(sample, answer)))
}

/// A row for each distinct tuple of `keys`, ascending with missing ones last, and of every row its tuple.
fn distinct(keys: &[ArrayRef]) -> Result<(Vec<u32>, Vec<u32>), QueryError> {
    let options = SortOptions { descending: false, nulls_first: false };
    let field = |key: &ArrayRef| SortField::new_with_options(key.data_type().clone(), options);
    let converter = RowConverter::new(keys.iter().map(field).collect()).map_err(internal)?;
    let tuples = converter.convert_columns(keys).map_err(internal)?;
    let mut order: Vec<u32> = (0..tuples.num_rows() as u32).collect();
    order.sort_by(|&a, &b| tuples.row(a as usize).cmp(&tuples.row(b as usize)));
    let mut firsts: Vec<u32> = Vec::new();
    let mut group_of = vec![0; order.len()];
    for row in order {
        if firsts.last().is_none_or(|&first| tuples.row(first as usize) != tuples.row(row as usize)) {
            firsts.push(row);
        }
        group_of[row as usize] = firsts.len() as u32 - 1;
    }
    Ok((firsts, group_of))
}

/// The replicates added up, and how they differ, in the order of the elements.
struct Judged {
    total: Lanes,
    seen: Vec<u64>,
    count_errors: Vec<f64>,
    measures: Vec<ArrayRef>,
    accuracies: Vec<Accuracy>,
}

impl Judged {
    /// Of accumulators with the cells or groups at `elements`.
    fn new(
        sample: &Sample,
        compiled: &Compiled,
        lanes: Vec<Lanes>,
        elements: Range<usize>,
    ) -> Result<Judged, QueryError> {
        let mut total = compiled.measures.lanes(lanes.first().map_or(elements.end, Lanes::len));
        for part in &lanes {
            total.merge(part, 0..part.len(), |element| element);
        }
        let expansion = sample.expansion();
        // What is sampled without replacement varies less, the more of it is sampled.
        let unread = (1.0 - 1.0 / expansion).max(0.0);
        let seen: Vec<u64> = elements.clone().map(|element| total.rows_at(element)).collect();
        let error = |(element, &seen): (usize, &u64)| {
            let mean = seen as f64 / REPLICATES as f64;
            let squares = lanes.iter().map(|part| (part.rows_at(element) as f64 - mean).powi(2)).sum::<f64>();
            (squares * REPLICATES as f64 / (REPLICATES - 1) as f64 * unread).sqrt() * expansion
        };
        let count_errors: Vec<f64> = elements.clone().zip(&seen).map(error).collect();
        let measures = finished(compiled, &total, elements.end, expansion)?;
        let measures: Vec<ArrayRef> =
            measures.into_iter().map(|values| values.slice(elements.start, elements.len())).collect();
        let is_plain = |m: usize| compiled.measures.is_bound(m) || compiled.measures.is_count_of_rows(m);
        let variances = match (0..measures.len()).all(is_plain) {
            true => Vec::new(),
            false => jackknife(compiled, &lanes, &measures, &elements, expansion)?,
        };
        let accuracies = (0..measures.len()).map(|m| {
            if compiled.measures.is_bound(m) {
                Accuracy::Bound
            } else if compiled.measures.is_count_of_rows(m) {
                Accuracy::Errors(count_errors.clone())
            } else {
                Accuracy::Errors(variances[m].iter().map(|variance| (variance * unread).sqrt()).collect())
            }
        });
        Ok(Judged { accuracies: accuracies.collect(), total, seen, count_errors, measures })
    }

    fn counts(&self, sample: &Sample) -> Vec<u64> {
        self.seen.iter().map(|&seen| (seen as f64 * sample.expansion()).round() as u64).collect()
    }

    fn estimate(self, sample: &Sample, answer: Answer) -> Estimate {
        Estimate {
            answer: Arc::new(answer),
            rows_read: sample.rows(),
            rows: sample.source().row_count(),
            seen: self.seen,
            count_errors: self.count_errors,
            measures: self.accuracies,
            unseen_limit: sample.unseen_limit(),
        }
    }
}

/// Variance of every measure, by leaving out one replicate at a time (Tukey's jackknife); NaN where a
/// measure exists only with all of them.
fn jackknife(
    compiled: &Compiled,
    lanes: &[Lanes],
    measures: &[ArrayRef],
    elements: &Range<usize>,
    expansion: f64,
) -> Result<Vec<Vec<f64>>, QueryError> {
    let add = |to: &mut Lanes, from: &Lanes| to.merge(from, 0..from.len(), |element| element);
    let nothing = || compiled.measures.lanes(lanes.first().map_or(elements.end, Lanes::len));
    let mut before = Vec::with_capacity(lanes.len());
    let mut sum = nothing();
    for part in lanes {
        before.push(sum.clone());
        add(&mut sum, part);
    }
    let whole: Vec<Vec<f64>> = measures.iter().map(to_f64).collect();
    let mut variances: Vec<Vec<f64>> = whole.iter().map(|values| vec![0.0; values.len()]).collect();
    let count = lanes.len() as f64;
    let mut after = nothing();
    for (part, mut rest) in lanes.iter().zip(before).rev() {
        add(&mut rest, &after);
        let left = finished(compiled, &rest, elements.end, expansion * count / (count - 1.0))?;
        for ((variances, values), whole) in variances.iter_mut().zip(left).zip(&whole) {
            let values = to_f64(&values.slice(elements.start, elements.len()));
            for ((variance, value), whole) in variances.iter_mut().zip(values).zip(whole) {
                *variance += (value - whole).powi(2) * (count - 1.0) / count;
            }
        }
        add(&mut after, part);
    }
    Ok(variances)
}

/// The measures of a sample each of whose rows stands for `expansion` of the table.
fn finished(
    compiled: &Compiled,
    lanes: &Lanes,
    cells: usize,
    expansion: f64,
) -> Result<Vec<ArrayRef>, QueryError> {
    compiled.measures.finish_with(lanes, cells, |aggregate, array| match aggregate.from_sample() {
        FromSample::Total => scaled(&array, expansion),
        FromSample::Ratio | FromSample::Bound => array,
    })
}

/// Counts and sums of a sample as those of the table: counts and durations whole, all else as `f64`.
fn scaled(values: &ArrayRef, expansion: f64) -> ArrayRef {
    let numbers = to_f64(values);
    let scaled = (0..values.len()).map(|i| values.is_valid(i).then(|| numbers[i] * expansion));
    match values.data_type() {
        DataType::UInt64 => Arc::new(scaled.map(|v| v.map(|v| v.round() as u64)).collect::<UInt64Array>()),
        duration @ DataType::Duration(_) => {
            let whole: ArrayRef =
                Arc::new(scaled.map(|v| v.map(|v| v.round() as i64)).collect::<Int64Array>());
            cast(&whole, duration).unwrap_or(whole)
        }
        _ => Arc::new(scaled.collect::<Float64Array>()),
    }
}
