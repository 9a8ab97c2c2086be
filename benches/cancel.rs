//! How long a cancelled question goes on: `cargo bench --bench cancel -- FILE [PART OF A QUESTION'S TEXT]`.
//!
//! Every question is asked once whole and then again and again, cancelled after a growing share of the time that
//! took: while it scans, spills, folds, and finishes. Told are the longest and the median of the times from the
//! cancelling to the end of the work, and the share of the whole after which the longest began.
#![allow(clippy::unwrap_used, reason = "a bench may panic")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outcrop::dataset::Dataset;
use outcrop::expr::Expr;
use outcrop::formats;
use outcrop::query::{
    Ask, Axis, Brush, Key, Listing, Measure, Order, QueryError, Question, ScanOptions, Workers, scan,
};
use outcrop::select::Selection;
use outcrop::session::{AxisSpec, questions};
use outcrop::task::{Task, TaskController};

/// Moments at which a question is cancelled.
const MOMENTS: u32 = 12;

/// What is asked: keys (`x:lo:hi` is an axis), measures, how many groups are listed (0 for all), and the MiB that groups
/// may take. `?` before the keys asks for the cube of a brush over the first of them.
const ASKED: &[(&str, &str, usize, usize)] = &[
    ("zone_id", "mean(fare_amount), sum(tip)", 0, 1024),
    ("k", "mean(v)", 0, 1024),
    ("ride_id", "count", 100, 1024),
    ("ride_id", "count", 0, 1024),
    ("ride_id", "mean(fare_amount)", 100, 1024),
    ("ride_id", "mean(fare_amount)", 100, 256),
    ("pickup_lon, pickup_lat, fare_amount", "count", 3, 256),
    ("x, y", "count", 3, 1024),
    ("vendor, ride_id", "count", 3, 1024),
    ("", "nunique(ride_id)", 0, 1024),
    ("zone_id", "nunique(ride_id)", 0, 1024),
    ("", "median(fare_amount), mode(fare_amount)", 0, 1024),
    ("zone_id", "median(fare_amount)", 0, 1024),
    ("k", "median(v)", 0, 1024),
    ("pickup_lon:-74.1:-73.7, pickup_lat:40.55:40.95", "median(fare_amount)", 0, 1024),
    ("", "mutual_information(pickup_lon, pickup_lat)", 0, 1024),
    ("?trip_distance:0:32, zone_id", "count", 0, 1024),
    ("id", "count", 3, 1024),
    ("id", "count", 3, 256),
];

fn key(text: &str, dataset: &Dataset) -> Option<Key> {
    let mut parts = text.trim().split(':');
    let expr = Expr::parse(parts.next()?, dataset.schema()).ok()?;
    let Some(lo) = parts.next() else { return Some(Key::Value(expr)) };
    let range = Some([lo.parse().ok()?, parts.next()?.parse().ok()?]);
    let spec = AxisSpec { range, ..AxisSpec::of(expr.to_string()) };
    let bins = questions::bins(&spec, &expr, None, questions::HISTOGRAM_BINS);
    Some(Key::Binned(Axis { expr, bins }))
}

fn question(
    dataset: &Arc<Dataset>,
    (keys, measures, limit, _): (&str, &str, usize, usize),
) -> Option<Question> {
    let (is_cube, keys) = keys.strip_prefix('?').map_or((false, keys), |keys| (true, keys));
    let mut keys = keys
        .split(',')
        .filter(|key| !key.is_empty())
        .map(|text| key(text, dataset))
        .collect::<Option<Vec<_>>>()?;
    let measures: Vec<&str> = measures.split("), ").collect();
    let last = measures.len() - 1;
    let measure = |(i, text): (usize, &&str)| {
        Measure::parse(&if i < last { format!("{text})") } else { (*text).to_owned() }, dataset).ok()
    };
    let measures = measures.iter().enumerate().map(measure).collect::<Option<Vec<_>>>()?;
    let brushed = is_cube.then(|| keys.remove(0));
    let axes: Option<Vec<Axis>> = keys
        .iter()
        .map(|key| match key {
            Key::Binned(axis) => Some(axis.clone()),
            Key::Value(_) => None,
        })
        .collect();
    let order = (limit > 0).then_some(Order { measure: 0, descending: true });
    let listing = Listing { order, limit: (limit > 0).then_some(limit), ..Listing::default() };
    let ask = match axes {
        Some(axes) => Ask::Grid { axes, measures },
        None => Ask::Groups { keys, measures, listing },
    };
    let question = Question::new(dataset.clone(), Selection::all(), ask);
    match brushed {
        Some(Key::Binned(axis)) => Brush::over(&[axis]).and_then(|brush| brush.cube_for(&question)),
        _ => Some(question),
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let Some(file) = arguments.next() else {
        return println!("cancel: name a file, as in `cargo bench --bench cancel -- taxi-1e8.hdf5`");
    };
    let wanted = arguments.next().unwrap_or_default();
    let source = formats::open(Path::new(&file), &Task::detached()).unwrap();
    let dataset = Arc::new(Dataset::new(source));
    let workers = Workers::new(0).unwrap();
    println!("{} rows; ms from cancelling to the end of the work", dataset.row_count());
    println!("{:76} {:>8} {:>8} {:>8}  longest after", "question", "whole, s", "median", "longest");
    for asked in ASKED {
        let name = format!("{} by {}, {} listed, {} MiB", asked.1, asked.0, asked.2, asked.3);
        let Some(question) = question(&dataset, *asked).filter(|_| name.contains(&wanted)) else { continue };
        let options = ScanOptions { group_budget: asked.3 << 20, ..ScanOptions::default() };
        let questions = [question];
        let whole = || {
            let begun = Instant::now();
            let answer = scan(&questions, &workers, options, &Task::detached());
            (begun.elapsed(), answer)
        };
        let _warm = whole();
        let (time, answer) = whole();
        let refused = answer.err().map(|error| format!("  ({error})"));
        let mut after: Vec<(Duration, u32)> = Vec::new();
        for moment in 0..MOMENTS {
            let mut controller = TaskController::default();
            let task = controller.restart(0);
            let rest = std::thread::scope(|scope| {
                let work = scope.spawn(|| {
                    let result = scan(&questions, &workers, options, &task);
                    (matches!(result, Err(QueryError::Cancelled(_))), Instant::now())
                });
                std::thread::sleep(time * moment / MOMENTS);
                let cancelled = Instant::now();
                controller.cancel();
                let (was_cancelled, ended) = work.join().unwrap();
                was_cancelled.then(|| ended.saturating_duration_since(cancelled))
            });
            after.extend(rest.map(|rest| (rest, moment)));
        }
        after.sort();
        let ms = |at: usize| after.get(at).map_or(f64::NAN, |(rest, _)| rest.as_secs_f64() * 1e3);
        println!(
            "{name:76} {:8.2} {:8.1} {:8.1}  {:.0} %{}",
            time.as_secs_f64(),
            ms(after.len() / 2),
            ms(after.len().saturating_sub(1)),
            after.last().map_or(f64::NAN, |(_, moment)| 100.0 * f64::from(*moment) / f64::from(MOMENTS)),
            refused.unwrap_or_default(),
        );
    }
}
