//! Rows per second of whole scans over columns in memory: `cargo bench --bench scan -- [NAME]`.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench may panic, and its entry is made by a macro")]

use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Float64Array, Int32Array, LargeStringArray};
use arrow::datatypes::DataType;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use outcrop::aggregate::{Bins, Scale, Slotter, plain_numbers};
use outcrop::dataset::{Dataset, MemorySource};
use outcrop::expr::Expr;
use outcrop::kernel::cut::{CutPairs, CutSingles};
use outcrop::kernel::extent::extent;
use outcrop::kernel::split::{Reach, Split};
use outcrop::kernel::texts::TextIds;
use outcrop::query::{Ask, Axis, Key, Listing, Measure, Question, ScanOptions, Workers, scan};
use outcrop::select::{Clause, Selection};
use outcrop::task::Task;

const ROWS: usize = 1 << 24;

criterion_group!(benches, scans, kernels);
criterion_main!(benches);

fn scans(criterion: &mut Criterion) {
    let dataset = Arc::new(Dataset::new(Arc::new(data())));
    let expr = |text: &str| Expr::parse(text, dataset.schema()).unwrap();
    let axis = |text: &str, lo: f64, hi: f64, count: usize| Axis {
        expr: expr(text),
        bins: Bins::new(lo, hi, count, Scale::Linear).unwrap(),
    };
    let grid = |selection: Selection, axes: Vec<Axis>, measures: &[&str]| {
        let measures = measures.iter().map(|text| Measure::parse(text, &dataset).unwrap()).collect();
        vec![Question::new(dataset.clone(), selection, Ask::Grid { axes, measures })]
    };
    let groups = |keys: &[&str], measures: &[&str]| {
        let keys = keys.iter().map(|text| Key::Value(expr(text))).collect();
        let measures = measures.iter().map(|text| Measure::parse(text, &dataset).unwrap()).collect();
        vec![Question::new(
            dataset.clone(),
            Selection::all(),
            Ask::Groups { keys, measures, listing: Listing::default() },
        )]
    };
    let all = Selection::all;
    let brushed = || Selection::of([Clause::interval(expr("x"), 1.0, 4.0)]);
    let typed = Selection::of([Clause::filter(expr("(v > 10) & (k == 1)"))]);
    let cases: Vec<(&str, Vec<Question>)> = vec![
        ("count f32 128", grid(all(), vec![axis("x", 0.0, 32.0, 128)], &["count"])),
        ("count f64 128", grid(all(), vec![axis("v", 0.0, 128.0, 128)], &["count"])),
        ("count i32 260", grid(all(), vec![axis("k", 0.0, 260.0, 260)], &["count"])),
        (
            "count f32 512x512",
            grid(all(), vec![axis("x", 0.0, 32.0, 512), axis("y", 0.0, 1.0, 512)], &["count"]),
        ),
        (
            "mean 256x256",
            grid(all(), vec![axis("x", 0.0, 32.0, 256), axis("y", 0.0, 1.0, 256)], &["mean(v)"]),
        ),
        ("sd 128", grid(all(), vec![axis("x", 0.0, 32.0, 128)], &["sd(v)"])),
        ("min max", grid(all(), vec![], &["min(x)", "max(x)"])),
        ("filtered by an expression", grid(typed, vec![axis("x", 0.0, 32.0, 128)], &["count"])),
        ("filtered by a brush", grid(brushed(), vec![axis("v", 0.0, 128.0, 128)], &["count"])),
        ("distance", grid(all(), vec![axis("sqrt((v - 3)**2 + (v + 4)**2)", 0.0, 200.0, 128)], &["count"])),
        ("groups of 260 integers", groups(&["k"], &["count", "mean(v)"])),
        ("groups of 4 texts", groups(&["s"], &["count", "sum(v)"])),
        (
            "scene of 4 views",
            [
                grid(all(), vec![axis("x", 0.0, 32.0, 128)], &["count"]),
                grid(brushed(), vec![axis("v", 0.0, 128.0, 128)], &["count"]),
                grid(brushed(), vec![axis("y", 0.0, 1.0, 128)], &["count"]),
                grid(brushed(), vec![axis("v", 0.0, 128.0, 128), axis("y", 0.0, 1.0, 128)], &["count"]),
            ]
            .concat(),
        ),
    ];
    for (name, questions) in &cases {
        let mut group = criterion.benchmark_group(*name);
        group.throughput(Throughput::Elements(ROWS as u64)).sample_size(10);
        for threads in [1, 2] {
            let workers = Workers::new(threads).unwrap();
            group.bench_function(BenchmarkId::new("threads", threads), |bencher| {
                bencher
                    .iter(|| scan(questions, &workers, ScanOptions::default(), &Task::detached()).unwrap());
            });
        }
        group.finish();
    }
}

/// Loops over one block that stays in the second-level cache.
fn kernels(criterion: &mut Criterion) {
    const BLOCK: usize = 8192;
    let cells: Vec<u32> = (0..BLOCK as u32).map(|i| i.wrapping_mul(0x9e37_79b9) >> 24).collect();
    let prices: Vec<f64> = (0..BLOCK).map(|i| (i % 9973) as f64 / 100.0).collect();
    let reach = Reach::of(&prices, f64::MANTISSA_DIGITS).unwrap();
    let split = Split::of(reach, 1 << 20).unwrap();
    let marked = Split::marked(reach, 1 << 18).unwrap();
    let whole: Vec<i32> = cells.iter().map(|&cell| cell as i32 - 10).collect();
    let mut bytes = Vec::new();
    let mut ends = vec![0i64];
    for &cell in &cells {
        bytes.extend_from_slice(["CMT", "VTS", "DDS", "Juno"][cell as usize % 4].as_bytes());
        ends.push(bytes.len() as i64);
    }
    let mut group = criterion.benchmark_group("kernel");
    group.throughput(Throughput::Elements(BLOCK as u64)).sample_size(20);
    let (mut singles, mut pairs) = (CutSingles::new(256), CutPairs::new(256));
    group.bench_function("cut sums of one value", |bencher| {
        bencher.iter(|| singles.add(&prices, split, &cells));
    });
    group.bench_function("cut sums of two values", |bencher| {
        bencher.iter(|| pairs.add([&prices, &prices], [split; 2], &cells));
    });
    let mut pairs = CutPairs::new(256);
    group.bench_function("cut sums of two values that count the rows", |bencher| {
        bencher.iter(|| pairs.add([&prices, &prices], [marked, split], &cells));
    });
    let mut numbers = vec![0; BLOCK];
    let mut few = TextIds::default();
    group.bench_function("numbers of few short texts", |bencher| {
        bencher.iter(|| few.write(&ends, &bytes, &mut numbers));
    });
    let slotter = Slotter::new(&DataType::Int32, &Bins::new(0.0, 240.0, 240, Scale::Linear).unwrap());
    let array = plain_numbers(&(Arc::new(Int32Array::from(whole)) as ArrayRef));
    group.bench_function("slots of an integer axis", |bencher| {
        bencher.iter(|| slotter.write(&array, 0..BLOCK, &mut numbers));
    });
    group.bench_function("least and greatest", |bencher| bencher.iter(|| extent(&prices)));
    group.finish();
}

/// Skewed floats, uniform floats, prices, Zipf-like zones, four names.
fn data() -> MemorySource {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut unit = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    };
    let x: Vec<f32> = (0..ROWS).map(|_| (-(1.0 - unit()).ln() * 2.5) as f32).collect();
    let y: Vec<f32> = (0..ROWS).map(|_| unit() as f32).collect();
    let v: Vec<f64> =
        x.iter().map(|&x| (f64::from(x) * 2.6 + 2.5 + unit()) * 100.0).map(|v| v.round() / 100.0).collect();
    let k: Vec<i32> = (0..ROWS).map(|_| (260.0 * unit() * unit() * unit()) as i32).collect();
    let names = ["CMT", "VTS", "DDS", "Juno"];
    let s = LargeStringArray::from_iter_values((0..ROWS).map(|_| names[(unit() * unit() * 4.0) as usize]));
    MemorySource::of(vec![
        ("x", Arc::new(Float32Array::from(x)) as ArrayRef),
        ("y", Arc::new(Float32Array::from(y))),
        ("v", Arc::new(Float64Array::from(v))),
        ("k", Arc::new(Int32Array::from(k))),
        ("s", Arc::new(s)),
    ])
}
