//! The threads that compute answers and read rows.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use super::inbox::{Inbox, RowsRequest, ToSample};
use super::{Estimates, Message, Results, Wake, ZoneMaps, jobs};
use crate::dataset::Source;
use crate::query::{
    Codes, Overflow, QueryError, Question, Sample, SampleOptions, ScanOptions, Workers, estimate, rows,
    scan_with_codes,
};
use crate::task::Task;

/// How long one column of a sample may take one thread to read: half a dozen of them are to be there within 100 ms.
const COLUMN_TIME: Duration = Duration::from_millis(20);
/// Who asks at once need not wait for a column that is read ahead.
const AT_ONCE: Duration = Duration::from_millis(2);
/// Most columns of which a sample is read before it is asked for: those the list of columns shows at first.
const MOST_AHEAD: usize = 24;
/// Blocks read however long it takes.
const FEWEST_BLOCKS: usize = 512;

/// What scans are made with.
pub(super) struct Scans {
    pub(super) workers: Workers,
    pub(super) codes: Arc<Codes>,
    pub(super) options: ScanOptions,
    /// Rung after every scan, which may have learned codes.
    pub(super) ring: SyncSender<()>,
}

/// Starts the thread that answers questions, one pass at a time.
pub(super) fn start_scans(
    inbox: Arc<Inbox>,
    scans: Scans,
    sender: SyncSender<Message>,
    wake: Wake,
) -> io::Result<()> {
    jobs::spawn("engine", move || {
        while let Some((questions, task)) = inbox.take_questions() {
            let (results, overflowed) = answer_all(&questions, &scans, &task);
            inbox.questions_done(results.iter().map(|(key, _)| key.clone()));
            if !results.is_empty() {
                let identity = questions[0].dataset.identity();
                if sender.send(Message::Answers { results, identity, overflowed }).is_err() {
                    return;
                }
            }
            wake();
            if let (Some(question), Some(maps)) = (questions.first(), ZoneMaps::of_user()) {
                maps.keep(&question.dataset);
            }
            // A bell that has not been heard yet need not ring again.
            let _ = scans.ring.try_send(());
        }
    })
}

/// Answers in one pass; when that fails, each question alone, so that one bad column or expression
/// takes no other picture with it. Nothing is returned for cancelled questions.
fn answer_all(questions: &[Question], scans: &Scans, task: &Task) -> (Results, Vec<Overflow>) {
    let Scans { workers, codes, options, .. } = scans;
    let guarded = |questions: &[Question]| {
        jobs::guarded_with(QueryError::Panicked, || {
            scan_with_codes(questions, codes, workers, *options, task)
        })
    };
    let pair = |question: &Question, result| (question.key().clone(), result);
    match guarded(questions) {
        Ok((answers, overflowed)) => {
            let answers = questions.iter().zip(answers).map(|(q, answer)| pair(q, Ok(Arc::new(answer))));
            (answers.collect(), overflowed)
        }
        Err(QueryError::Cancelled(_)) => Default::default(),
        Err(error) if questions.len() == 1 => (vec![pair(&questions[0], Err(error))], Vec::new()),
        Err(_) => {
            let (mut results, mut overflowed) = (Vec::with_capacity(questions.len()), Vec::new());
            for question in questions {
                match guarded(std::slice::from_ref(question)) {
                    Ok((answers, more)) => {
                        overflowed.extend(more);
                        results
                            .extend(answers.into_iter().map(|answer| pair(question, Ok(Arc::new(answer)))));
                    }
                    Err(QueryError::Cancelled(_)) => break,
                    Err(error) => results.push(pair(question, Err(error))),
                }
            }
            (results, overflowed)
        }
    }
}

/// Starts the thread that answers from samples. It keeps the sample of the table asked of last.
pub(super) fn start_samples(
    inbox: Arc<Inbox>,
    workers: Workers,
    options: SampleOptions,
    sender: SyncSender<Message>,
    wake: Wake,
) -> io::Result<()> {
    jobs::spawn("sample", move || {
        let mut kept: Option<(String, Option<Arc<Sample>>)> = None;
        let mut sample_of = |source: &Arc<dyn Source>| {
            let identity = source.identity();
            let (_, sample) = match kept.take() {
                Some(known) if known.0 == identity => kept.insert(known),
                _ => kept.insert((identity, timely(source, options))),
            };
            sample.clone()
        };
        while let Some(work) = inbox.take_samples() {
            let (questions, task) = match work {
                ToSample::Questions(questions, task) => (questions, task),
                ToSample::Ahead(dataset) => {
                    // Of a compressed table a column may take long, and hold up what is asked meanwhile.
                    let is_paged = dataset.source().page_rows() > options.block_rows;
                    let sample = if is_paged { None } else { sample_of(dataset.source()) };
                    std::thread::sleep(AT_ONCE);
                    let columns = 0..dataset.source().schema().fields().len().min(MOST_AHEAD);
                    for column in columns.take_while(|_| !inbox.awaits_sample()) {
                        sample.iter().for_each(|sample| sample.read_ahead(column, &workers));
                    }
                    continue;
                }
            };
            let sample = sample_of(questions[0].dataset.source());
            let estimates = match &sample {
                Some(sample) => estimate_all(sample, &questions, &workers, &task),
                None => questions.iter().map(|question| (question.key().clone(), None)).collect(),
            };
            let sample_bytes = sample.as_ref().map_or(0, |sample| sample.bytes());
            inbox.samples_done(estimates.iter().map(|(key, _)| key.clone()));
            if sender.send(Message::Estimates { estimates, sample_bytes }).is_err() {
                return;
            }
            wake();
        }
    })
}

/// The sample of a table, with fewer blocks where each takes long, as from a disk.
fn timely(source: &Arc<dyn Source>, options: SampleOptions) -> Option<Arc<Sample>> {
    let sample = Sample::of(source, options)?;
    if source.page_rows() > options.block_rows || source.schema().fields().is_empty() {
        return Some(sample);
    }
    let begun = Instant::now();
    let tried = sample.try_blocks() as f64;
    let affordable = tried * COLUMN_TIME.as_secs_f64() / begun.elapsed().as_secs_f64();
    if affordable >= options.blocks as f64 {
        return Some(sample);
    }
    let affordable = (affordable as usize).clamp(FEWEST_BLOCKS.min(options.blocks), options.blocks);
    // A sample has a power of two of them.
    let blocks = 1 << affordable.max(1).ilog2();
    Sample::of(source, SampleOptions { blocks, ..options })
}

/// What the sample says, of each question alone where not of all. What goes wrong is not told here: the
/// exact answer will say so.
fn estimate_all(sample: &Arc<Sample>, questions: &[Question], workers: &Workers, task: &Task) -> Estimates {
    let of = |questions: &[Question]| {
        jobs::guarded_with(QueryError::Panicked, || estimate(sample, questions, workers, task))
    };
    let keys = questions.iter().map(|question| question.key().clone());
    let estimates = of(questions).unwrap_or_else(|_| {
        let alone = questions.iter().map(|question| of(std::slice::from_ref(question)).ok()?.pop()?);
        alone.collect()
    });
    keys.zip(estimates.into_iter().map(|estimate| estimate.map(Arc::new))).collect()
}

/// Starts the thread that reads the rows on screen, beside any scan.
pub(super) fn start_rows(inbox: Arc<Inbox>, sender: SyncSender<Message>, wake: Wake) -> io::Result<()> {
    jobs::spawn("rows", move || {
        while let Some((key, request, task)) = inbox.take_rows() {
            let result = jobs::guarded_with(QueryError::Panicked, || read_page(&request, &task));
            let cancelled = matches!(result, Err(QueryError::Cancelled(_)));
            inbox.rows_done(!cancelled);
            if cancelled {
                wake();
                continue;
            }
            if sender.send(Message::Page { key, result: result.map(Arc::new) }).is_err() {
                return;
            }
            wake();
        }
    })
}

fn read_page(request: &RowsRequest, task: &Task) -> Result<rows::RowPage, QueryError> {
    let index = request.index.as_ref().and_then(|answer| answer.index());
    rows::fetch(
        &request.dataset,
        &request.selection,
        index,
        request.first,
        request.count,
        &request.columns,
        task,
    )
}
