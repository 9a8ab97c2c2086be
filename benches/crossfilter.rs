//! The live crossfilter on a file: `cargo bench --bench crossfilter -- FILE [--no-cache]`.
//!
//! Five histograms and a heatmap are asked of the engine every frame, as the window asks them. Measured are the
//! first picture (from a sample), the exact one, arming a view, moving its brush, clearing, undoing, and
//! cancelling. Every answer of the last step is at the end compared with a scan from scratch.
#![allow(clippy::unwrap_used, reason = "a bench may panic")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outcrop::dataset::Dataset;
use outcrop::engine::{Engine, Event, Freshness, Reply, Slot, forbid_cache_files};
use outcrop::expr::Expr;
use outcrop::query::{
    Answer, Ask, Axis, Brush, Measure, Question, Sample, SampleOptions, ScanOptions, Workers, estimate, scan,
};
use outcrop::select::{Clause, Dimension, Selection};
use outcrop::session::{AxisSpec, questions};
use outcrop::task::Task;

/// The window paints 60 times a second; here the engine is asked as often as it can be.
const PAUSE: Duration = Duration::from_micros(300);

struct Scene {
    engine: Engine,
    dataset: Arc<Dataset>,
    /// Expressions of the axes of every view.
    views: Vec<Vec<Expr>>,
    /// Axes that are not to be taken from extents, which outliers stretch.
    ranges: Vec<(&'static str, [f64; 2])>,
}

impl Scene {
    fn bins(&mut self, view: usize, exact: bool) -> Option<Vec<Axis>> {
        let exprs = self.views[view].clone();
        let target = if exprs.len() == 2 { questions::HEATMAP_BINS } else { questions::HISTOGRAM_BINS };
        let mut axes = Vec::new();
        for (n, expr) in exprs.into_iter().enumerate() {
            let range =
                self.ranges.iter().find(|(name, _)| *name == expr.to_string()).map(|(_, range)| *range);
            let spec = AxisSpec { range, ..AxisSpec::of(expr.to_string()) };
            let mut extent = None;
            if range.is_none() {
                let question = questions::extent(&self.dataset, &expr, spec.scale()).unwrap();
                let reply = self.engine.unbrushed(Slot(1000 + view as u64 * 2 + n as u64), &question);
                match reply.freshness {
                    Freshness::Final => {}
                    Freshness::Sampled(_) if !exact => {}
                    _ => return None,
                }
                extent = questions::extent_of(reply.answer?.as_ref());
            }
            axes.push(Axis { bins: questions::bins(&spec, &expr, extent, target), expr });
        }
        Some(axes)
    }

    fn question(&self, axes: &[Axis], selection: &Selection) -> Question {
        let own = match axes {
            [x, y] => Dimension::plane(&x.expr, &y.expr),
            _ => Dimension::axis(&axes[0].expr),
        };
        let ask = Ask::Grid { axes: axes.to_vec(), measures: vec![Measure::count()] };
        Question::new(self.dataset.clone(), selection.without(&own), ask)
    }

    /// One frame: the replies of all views whose axes are known.
    fn frame(&mut self, selection: &Selection, exact: bool) -> Vec<Option<Reply>> {
        self.engine.poll();
        let replies = (0..self.views.len())
            .map(|view| {
                let axes = self.bins(view, exact)?;
                let question = self.question(&axes, selection);
                Some(self.engine.answer(Slot(view as u64), &question))
            })
            .collect();
        self.engine.end_frame();
        replies
    }

    /// Frames until all replies are good; the time that took.
    fn until(&mut self, selection: &Selection, exact: bool, good: impl Fn(&Reply) -> bool) -> Duration {
        let start = Instant::now();
        loop {
            let replies = self.frame(selection, exact);
            if replies.iter().all(|reply| reply.as_ref().is_some_and(&good)) {
                return start.elapsed();
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// What all views ask.
    fn questions(&mut self, selection: &Selection) -> Vec<Question> {
        let views = 0..self.views.len();
        let question = |view| {
            let axes = self.bins(view, true).unwrap();
            self.question(&axes, selection)
        };
        views.map(question).collect()
    }

    /// What all views show.
    fn shown(&mut self, selection: &Selection) -> Vec<(Question, Arc<Answer>)> {
        self.until(selection, true, is_final);
        let replies = self.frame(selection, true);
        self.questions(selection)
            .into_iter()
            .zip(replies.into_iter().map(|reply| reply.unwrap().answer.unwrap()))
            .collect()
    }

    /// Frames until nothing is being computed or waiting.
    fn until_idle(&mut self, selection: &Selection) -> Duration {
        let start = Instant::now();
        let mut calm = 0;
        while calm < 3 {
            self.frame(selection, true);
            calm = if self.engine.status().waiting == 0 { calm + 1 } else { 0 };
            std::thread::sleep(PAUSE);
        }
        start.elapsed()
    }
}

fn is_final(reply: &Reply) -> bool {
    reply.freshness == Freshness::Final
}

fn ms(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1e3;
    if ms < 10.0 { format!("{ms:.2} ms") } else { format!("{ms:.0} ms") }
}

fn say(what: &str, time: Duration) {
    println!("{what:44} {:>12}", ms(time));
}

fn main() {
    let file: PathBuf = match std::env::args().skip(1).find(|arg| !arg.starts_with("--")) {
        Some(file) => file.into(),
        None => {
            return println!(
                "crossfilter: name a file, as in `cargo bench --bench crossfilter -- taxi-1e8.hdf5`"
            );
        }
    };
    if std::env::args().any(|arg| arg == "--no-cache") {
        forbid_cache_files();
    }
    let mut engine = Engine::new(|| {}).unwrap();
    let begun = Instant::now();
    engine.open(file);
    let dataset = loop {
        if let Some(Event::Opened { result, .. }) = engine.poll().pop() {
            break result.unwrap();
        }
        std::thread::sleep(PAUSE);
    };
    let opened = begun.elapsed();
    let taxi = dataset.schema().position("trip_distance").is_some();
    let texts: &[&[&str]] = if taxi {
        &[
            &["trip_distance"],
            &["fare_amount"],
            &["tip"],
            &["passenger_count"],
            &["zone_id"],
            &["pickup_lon", "pickup_lat"],
        ]
    } else {
        &[&["x"], &["y"], &["v"], &["k"], &["x + y"], &["x", "y"]]
    };
    let expr = |text: &&str| Expr::parse(text, dataset.schema()).unwrap();
    let views: Vec<Vec<Expr>> = texts.iter().map(|axes| axes.iter().map(expr).collect()).collect();
    let ranges = if taxi {
        vec![
            ("trip_distance", [0.0, 32.0]),
            ("fare_amount", [0.0, 100.0]),
            ("tip", [0.0, 20.0]),
            ("pickup_lon", [-74.1, -73.7]),
            ("pickup_lat", [40.55, 40.95]),
        ]
    } else {
        Vec::new()
    };
    let mut scene = Scene { engine, dataset: dataset.clone(), views, ranges };
    println!("{} rows, {} views", dataset.row_count(), scene.views.len());
    say("open", opened);

    let all = Selection::all();
    let first = scene.until(&all, false, |reply| reply.answer.is_some());
    say("first picture of all views, from opening", opened + first);
    let share = scene.frame(&all, false)[0].as_ref().and_then(|reply| Some(reply.estimate.as_ref()?.share()));
    println!(
        "  share read {:.3} %, sample {} MB",
        100.0 * share.unwrap_or(1.0),
        scene.engine.status().sample_bytes >> 20
    );
    say("exact picture of all views", scene.until(&all, true, is_final));

    let mut shown: Vec<(Question, Arc<Answer>)> = Vec::new();
    let mut first_brush: Option<Clause> = None;
    for (name, view) in [("first histogram", 0), ("second histogram", 1), ("heatmap", 5)] {
        let axes = scene.bins(view, true).unwrap();
        scene.engine.hold(Brush::over(&axes));
        let clause = |step: usize| {
            let range = |axis: &Axis| {
                let (edges, n) = (axis.bins.edges(), axis.bins.count());
                let from = step % (n / 2);
                (edges[from], edges[(from + n / 3).max(from + 1)])
            };
            match axes.as_slice() {
                [x, y] => Clause::rect(x.expr.clone(), range(x), y.expr.clone(), range(y)),
                _ => Clause::interval(axes[0].expr.clone(), range(&axes[0]).0, range(&axes[0]).1),
            }
        };
        let brushed = |step: usize| Selection::of([clause(step)]);
        // A brush before the cubes are there: what is shown, and when.
        let start = Instant::now();
        let early = scene.until(&brushed(0), true, |reply| !matches!(reply.freshness, Freshness::Stale(_)));
        say(&format!("{name}: brush not armed, all views follow"), early);
        scene.until(&brushed(0), true, is_final);
        scene.until_idle(&brushed(0));
        say(&format!("{name}: armed"), start.elapsed());
        let mut steps: Vec<Duration> = Vec::new();
        for step in 1..60 {
            let selection = brushed(step);
            let start = Instant::now();
            let replies = scene.frame(&selection, true);
            steps.push(start.elapsed());
            assert!(replies.iter().flatten().all(is_final), "a step that is not answered in its frame");
        }
        steps.sort();
        say(&format!("{name}: brush step, median"), steps[steps.len() / 2]);
        say(&format!("{name}: brush step, longest"), steps[steps.len() - 1]);
        say(&format!("{name}: clear"), scene.until(&all, true, is_final));
        say(&format!("{name}: undo"), scene.until(&brushed(7), true, is_final));
        shown.extend(scene.shown(&brushed(7)));
        if view == 0 {
            first_brush = Some(clause(7));
        } else if view == 1 {
            let both = |step: usize| brushed(step).with(first_brush.clone().unwrap());
            let start = Instant::now();
            scene.until(&both(0), true, is_final);
            scene.until_idle(&both(0));
            say("second histogram: armed under the brush of the first", start.elapsed());
            shown.extend(scene.shown(&both(7)));
        }
    }
    let status = scene.engine.status();
    let mb = |bytes: usize| bytes >> 20;
    let (cubes, answers) = (mb(status.cube_bytes), mb(status.answer_bytes));
    let (codes, mapped) = (mb(status.code_bytes), mb(status.mapped_code_bytes));
    println!("cubes {cubes} MB, codes {codes} MB, {mapped} MB mapped, answers {answers} MB");

    scene.engine.hold(None);
    sample(&mut scene);
    let odd = |hi: f64| Selection::of([Clause::interval(scene.views[0][0].clone(), 0.1234, hi)]);
    let (one, two) = (odd(3.3), odd(2.2));
    for _ in 0..200 {
        scene.frame(&one, true);
        std::thread::sleep(PAUSE);
    }
    let start = Instant::now();
    scene.engine.cancel();
    while scene.engine.status().progress.is_some() {
        std::thread::sleep(Duration::from_micros(50));
    }
    say("cancel of a scan under way", start.elapsed());
    say("a brush between edges, by a scan", scene.until(&two, true, is_final));
    check(&shown);
}

/// The sample alone, beside no scan.
fn sample(scene: &mut Scene) {
    let Some(sample) = Sample::of(scene.dataset.source(), SampleOptions::default()) else { return };
    let asked: Vec<Question> = scene.questions(&Selection::all());
    let workers = Workers::new(0).unwrap();
    for what in ["sample: read and answered, all views", "sample: answered again"] {
        let start = Instant::now();
        estimate(&sample, &asked, &workers, &Task::detached()).unwrap();
        say(what, start.elapsed());
    }
}

/// Compares what the views showed with a scan from scratch.
fn check(shown: &[(Question, Arc<Answer>)]) {
    let asked: Vec<Question> = shown.iter().map(|(question, _)| question.clone()).collect();
    let workers = Workers::new(0).unwrap();
    let scanned = scan(&asked, &workers, ScanOptions::default(), &Task::detached()).unwrap();
    for ((_, shown), scanned) in shown.iter().zip(&scanned) {
        assert_eq!(shown.grid().unwrap().counts, scanned.grid().unwrap().counts);
    }
    println!("{} answers equal those of a scan from scratch", shown.len());
}
