//! The engine: asked every frame, never blocking.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use outcrop::aggregate::{Bins, Scale};
use outcrop::data::{Field, Schema};
use outcrop::dataset::{Dataset, ReadError, Source};
use outcrop::engine::{Engine, EngineOptions, Event, Freshness, Reply, RowsRequest, Slot};
use outcrop::expr::Expr;
use outcrop::query::{Ask, Axis, Brush, Question, SampleOptions, ScanOptions};
use outcrop::select::{Clause, Selection};

/// 0, 1, 2 … as `x`; `bad` cannot be read; `slow` takes a while; reads are counted.
struct Counting {
    schema: Schema,
    rows: u64,
    reads: AtomicUsize,
}

impl Counting {
    fn table(rows: u64) -> (Arc<Dataset>, Arc<Counting>) {
        let field = |name: &str| Field::new(name, DataType::Float64);
        let schema = Schema::new(vec![field("x"), field("bad"), field("slow"), field("panics")]);
        let source = Arc::new(Counting { schema, rows, reads: AtomicUsize::new(0) });
        (Arc::new(Dataset::new(source.clone())), source)
    }
}

impl Source for Counting {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn row_count(&self) -> u64 {
        self.rows
    }

    fn read(&self, column: usize, rows: Range<u64>) -> Result<ArrayRef, ReadError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        match column {
            1 => return Err(ReadError { column: "bad".to_owned(), rows, reason: "torn page".to_owned() }),
            2 => std::thread::sleep(Duration::from_millis(5)),
            3 => panic!("a decoder's bug"),
            _ => {}
        }
        Ok(Arc::new(Float64Array::from_iter_values(rows.map(|row| row as f64))))
    }

    fn identity(&self) -> String {
        format!("counting:{:p}", self)
    }
}

fn engine() -> Engine {
    let scan = ScanOptions { chunk_rows: 100, ..ScanOptions::default() };
    Engine::with_options(|| {}, EngineOptions { threads: 2, scan, ..EngineOptions::default() }).unwrap()
}

fn histogram(dataset: &Arc<Dataset>, column: &str, selection: Selection) -> Question {
    let expr = Expr::column(column, dataset.schema()).unwrap();
    let bins = Bins::new(0.0, 1000.0, 10, Scale::Linear).unwrap();
    let ask = Ask::Grid { axes: vec![Axis { expr, bins }], measures: vec![] };
    Question::new(dataset.clone(), selection, ask)
}

fn brush(dataset: &Dataset, lo: f64, hi: f64) -> Selection {
    Selection::of([Clause::interval(Expr::column("x", dataset.schema()).unwrap(), lo, hi)])
}

/// Asks frame by frame until the answer is no longer stale.
fn settle(engine: &mut Engine, slot: Slot, question: &Question) -> Reply {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        engine.poll();
        let reply = engine.answer(slot, question);
        engine.end_frame();
        if !matches!(reply.freshness, Freshness::Stale(_)) {
            return reply;
        }
        assert!(Instant::now() < deadline, "no answer");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn total(reply: &Reply) -> u64 {
    reply.answer.as_ref().unwrap().grid().unwrap().total()
}

#[test]
fn asking_again_reads_nothing() {
    let (dataset, source) = Counting::table(1000);
    let mut engine = engine();
    let question = histogram(&dataset, "x", brush(&dataset, 100.0, 300.0));
    assert_eq!(total(&settle(&mut engine, Slot(1), &question)), 200);
    let reads = source.reads.load(Ordering::Relaxed);
    let again = histogram(&dataset, "x", brush(&dataset, 100.0, 300.0));
    assert_eq!(engine.answer(Slot(2), &again).freshness, Freshness::Final);
    engine.end_frame();
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(source.reads.load(Ordering::Relaxed), reads);
}

#[test]
fn a_reply_tells_what_overflowed_in_its_own_expressions_alone() {
    let (dataset, _) = Counting::table(1000);
    let mut engine = engine();
    let large = Expr::parse("int64(x) * 9223372036854775807", dataset.schema()).unwrap();
    let bins = Bins::new(0.0, 1000.0, 10, Scale::Linear).unwrap();
    let ask = Ask::Grid { axes: vec![Axis { expr: large.clone(), bins }], measures: vec![] };
    let told = |reply: Reply| reply.overflowed.into_iter().map(|o| (o.expr, o.values)).collect::<Vec<_>>();
    let plain = histogram(&dataset, "x", Selection::all());
    for selection in [Selection::all(), brush(&dataset, 100.0, 300.0)] {
        let question = Question::new(dataset.clone(), selection, ask.clone());
        // Of 0 and 1 the product fits; it is told of every row, whether or not it passes.
        assert_eq!(told(settle(&mut engine, Slot(1), &question)), [(large.clone(), 998)]);
        assert_eq!(told(engine.answer(Slot(1), &question)), [(large.clone(), 998)]);
        assert_eq!(told(settle(&mut engine, Slot(2), &plain)), []);
    }
}

#[test]
fn what_was_shown_stays_until_the_next_answer_comes() {
    let (dataset, _) = Counting::table(1000);
    let mut engine = engine();
    let before = histogram(&dataset, "x", brush(&dataset, 0.0, 500.0));
    settle(&mut engine, Slot(1), &before);
    let after = histogram(&dataset, "slow", brush(&dataset, 0.0, 400.0));
    let reply = engine.answer(Slot(1), &after);
    assert!(matches!(reply.freshness, Freshness::Stale(_)));
    assert_eq!(total(&reply), 500, "the earlier answer, marked stale");
    assert!(engine.answer(Slot(2), &after).answer.is_none(), "another slot has shown nothing yet");
    engine.end_frame();
    assert_eq!(total(&settle(&mut engine, Slot(1), &after)), 400);
}

#[test]
fn the_last_of_many_brushes_is_the_one_answered() {
    let (dataset, _) = Counting::table(10_000);
    let mut engine = engine();
    for step in 1..=200 {
        engine.poll();
        let question = histogram(&dataset, "slow", brush(&dataset, 0.0, f64::from(step) * 10.0));
        let reply = engine.answer(Slot(1), &question);
        if reply.freshness == Freshness::Final {
            assert_eq!(total(&reply), step as u64 * 10);
        }
        engine.end_frame();
        std::thread::sleep(Duration::from_millis(1));
    }
    let last = histogram(&dataset, "slow", brush(&dataset, 0.0, 2000.0));
    assert_eq!(total(&settle(&mut engine, Slot(1), &last)), 2000);
}

#[test]
fn one_bad_column_takes_no_other_picture_with_it() {
    let (dataset, _) = Counting::table(1000);
    let mut engine = engine();
    let questions = ["x", "bad", "panics"].map(|column| histogram(&dataset, column, Selection::all()));
    for (i, question) in questions.iter().enumerate() {
        engine.answer(Slot(i as u64), question);
    }
    engine.end_frame();
    let failure = |reply: Reply| match reply.freshness {
        Freshness::Failed(error) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(total(&settle(&mut engine, Slot(0), &questions[0])), 1000);
    let read = failure(settle(&mut engine, Slot(1), &questions[1]));
    assert!(read.contains("`bad`") && read.contains("torn page"), "{read}");
    let panicked = failure(settle(&mut engine, Slot(2), &questions[2]));
    assert!(panicked.contains("a decoder's bug"), "{panicked}");
    assert_eq!(total(&settle(&mut engine, Slot(0), &questions[0])), 1000, "the engine lives");
}

#[test]
fn a_cancelled_scan_stops_and_can_be_tried_again() {
    let (dataset, source) = Counting::table(100_000);
    let mut engine = engine();
    let question = histogram(&dataset, "slow", Selection::all());
    engine.answer(Slot(1), &question);
    engine.end_frame();
    while engine.status().progress.is_none_or(|progress| progress.done == 0) {
        std::thread::sleep(Duration::from_millis(1));
    }
    engine.cancel();
    let reply = settle(&mut engine, Slot(1), &question);
    assert!(matches!(reply.freshness, Freshness::Failed(_)));
    std::thread::sleep(Duration::from_millis(50));
    let reads = source.reads.load(Ordering::Relaxed);
    assert!(reads < 1000, "{reads} of 1000 chunks were read");
    engine.retry();
    assert_eq!(total(&settle(&mut engine, Slot(1), &question)), 100_000);
}

#[test]
fn questions_asked_in_one_frame_share_one_pass() {
    let (dataset, source) = Counting::table(1000);
    let mut engine = engine();
    let questions = [0.0, 100.0, 200.0].map(|lo| histogram(&dataset, "x", brush(&dataset, lo, 500.0)));
    let mut answered = 0;
    while answered < questions.len() {
        engine.poll();
        answered = (0..)
            .zip(&questions)
            .filter(|(i, q)| engine.answer(Slot(*i), q).freshness == Freshness::Final)
            .count();
        engine.end_frame();
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(source.reads.load(Ordering::Relaxed), 10, "ten chunks of one column");
}

#[test]
fn the_last_row_of_a_billion_is_reached() {
    let rows = 1_000_000_000;
    let (dataset, _) = Counting::table(rows);
    let mut engine = engine();
    let columns = vec![Expr::column("x", dataset.schema()).unwrap()];
    let request = RowsRequest {
        dataset,
        selection: Selection::all(),
        index: None,
        first: rows - 3,
        count: 50,
        columns,
    };
    let page = loop {
        engine.poll();
        let reply = engine.rows(Slot(9), &request);
        engine.end_frame();
        if reply.freshness == Freshness::Final {
            break reply.page.unwrap();
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!(page.numbers, [rows - 3, rows - 2, rows - 1]);
}

#[test]
fn a_file_job_ends_in_an_event_even_if_it_panics() {
    let mut engine = engine();
    engine.run("export", |_| panic!("no such luck"));
    engine.open("/no/such/file.hdf5".into());
    let mut events = Vec::new();
    while events.len() < 2 {
        events.extend(engine.poll());
        std::thread::sleep(Duration::from_millis(1));
    }
    let said = |event: &Event| match event {
        Event::Done { name, result } => format!("{name}: {}", result.clone().unwrap_err()),
        Event::Opened { result, .. } => result.as_ref().unwrap_err().clone(),
    };
    let mut said: Vec<String> = events.iter().map(said).collect();
    said.sort();
    assert_eq!(said, ["/no/such/file.hdf5: no such file", "export: internal error: no such luck"]);
    assert_eq!(engine.status().jobs, 0);
}

#[test]
fn a_large_table_is_answered_from_a_sample_until_the_exact_answer_comes() {
    let (dataset, _) = Counting::table(100_000);
    let sample = SampleOptions { least_rows: 50_000, blocks: 32, block_rows: 16 };
    let scan = ScanOptions { chunk_rows: 200, ..ScanOptions::default() };
    let mut engine =
        Engine::with_options(|| {}, EngineOptions { threads: 2, scan, sample, ..EngineOptions::default() })
            .unwrap();
    let question = histogram(&dataset, "slow", Selection::all());
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut estimates = 0;
    loop {
        engine.poll();
        let reply = engine.answer(Slot(1), &question);
        engine.end_frame();
        match reply.freshness {
            Freshness::Sampled(_) => {
                let estimate = reply.estimate.as_ref().unwrap();
                assert_eq!(estimate.rows_read, 512);
                assert!((99_000..101_000).contains(&total(&reply)));
                estimates += 1;
            }
            Freshness::Final => {
                assert!(reply.estimate.is_none());
                assert_eq!(total(&reply), 100_000);
                break;
            }
            _ => {}
        }
        assert!(Instant::now() < deadline, "no answer");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(estimates > 0, "the sample came first");
    assert!(engine.status().sample_bytes > 0 && engine.status().answer_bytes > 0);
}

#[test]
fn a_question_to_the_sample_alone_is_answered_however_long_nothing_was_asked() {
    let (dataset, _) = Counting::table(100_000);
    let sample = SampleOptions { least_rows: 1000, blocks: 64, block_rows: 8 };
    let options = EngineOptions { threads: 2, sample, ..EngineOptions::default() };
    let mut engine = Engine::with_options(|| {}, options).unwrap();
    for hi in [100.0, 200.0, 300.0] {
        // Long enough for every thread to sleep until it is called.
        std::thread::sleep(Duration::from_millis(50));
        let question = histogram(&dataset, "x", brush(&dataset, 0.0, hi));
        let deadline = Instant::now() + Duration::from_secs(30);
        while matches!(engine.glance(Slot(1), &question).freshness, Freshness::Stale(_)) {
            engine.end_frame();
            assert!(Instant::now() < deadline, "no estimate");
            std::thread::sleep(Duration::from_millis(1));
            engine.poll();
        }
    }
}

#[test]
fn what_is_foreseen_follows_the_first_brush_in_its_frame() {
    let (dataset, source) = Counting::table(1000);
    let mut engine = engine();
    let axis = Axis {
        expr: Expr::column("x", dataset.schema()).unwrap(),
        bins: Bins::new(0.0, 1000.0, 10, Scale::Linear).unwrap(),
    };
    engine.hold(Brush::over(&[axis]));
    let count = |selection| {
        Question::new(dataset.clone(), selection, Ask::Grid { axes: Vec::new(), measures: Vec::new() })
    };
    // The number of all rows is known and not asked for.
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut calm = 0;
    while calm < 5 {
        assert!(Instant::now() < deadline);
        engine.poll();
        engine.foresee(Slot(1), &count(Selection::all()));
        engine.end_frame();
        calm = if engine.status().waiting == 0 { calm + 1 } else { 0 };
        std::thread::sleep(Duration::from_millis(1));
    }
    engine.poll();
    let reads = source.reads.load(Ordering::Relaxed);
    assert!(reads > 0);
    let reply = engine.answer(Slot(1), &count(brush(&dataset, 200.0, 500.0)));
    assert_eq!((reply.freshness.clone(), total(&reply)), (Freshness::Final, 300));
    assert_eq!(source.reads.load(Ordering::Relaxed), reads);
}
