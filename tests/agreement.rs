//! A long random script of gestures: after each, the pictures of counts, sums, means, deviations and extremes, the
//! groups, the count, the rows and the exports are what a loop over the rows finds by the filters as they are written.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use outcrop::aggregate::{Bins, Scale, to_f64};
use outcrop::dataset::Dataset;
use outcrop::engine::{Engine, EngineOptions, Freshness, RowsRequest, Slot};
use outcrop::expr::Expr;
use outcrop::query::{
    Answer, Ask, Axis, Brush, GroupKey, Key, Listing, Measure, Question, SampleOptions, ScanOptions, output,
};
use outcrop::session::{
    AxisSpec, Command, CutAxis, FilterSpec, Gesture, PredicateSpec, Session, Shape, ViewId, ViewKind,
    ViewSpec, questions,
};

use crate::common::{Random, awkward_floats, floats, table};

const ROWS: usize = 500;

struct Rows {
    a: Vec<Option<f64>>,
    b: Vec<Option<f64>>,
    n: Vec<Option<i64>>,
    s: Vec<Option<&'static str>>,
    /// What is measured.
    w: Vec<Option<f64>>,
}

fn rows() -> Rows {
    let mut random = Random::new(41);
    let texts = [None, Some("x"), Some("y"), Some("z"), Some("")];
    Rows {
        a: awkward_floats(ROWS, 11),
        b: awkward_floats(ROWS, 12),
        n: (0..ROWS).map(|_| Some(random.below(9) as i64).filter(|&n| n != 7)).collect(),
        s: (0..ROWS).map(|_| texts[random.below(5) as usize]).collect(),
        w: (0..ROWS).map(|_| Some(random.unit() * 200.0 - 50.0).filter(|w| *w < 140.0)).collect(),
    }
}

impl Rows {
    fn number(&self, column: &str, row: usize) -> Option<f64> {
        let value = match column {
            "a" => self.a[row],
            "b" => self.b[row],
            "w" => self.w[row],
            _ => self.n[row].map(|n| n as f64),
        };
        value.filter(|v| !v.is_nan())
    }

    fn slot(&self, column: &str, edges: &[f64], row: usize) -> usize {
        let count = edges.len() - 1;
        match self.number(column, row) {
            None => count + 2,
            Some(v) if v < edges[0] => count + 1,
            Some(v) => (0..count).find(|&i| v >= edges[i] && v < edges[i + 1]).unwrap_or(count),
        }
    }

    fn passes(&self, filter: &FilterSpec, row: usize) -> bool {
        let within = |v: Option<f64>, [lo, hi]: [f64; 2]| {
            v.is_some_and(|v| v >= lo && (v < hi || hi == f64::INFINITY))
        };
        let inside = match &filter.predicate {
            PredicateSpec::Interval { expr, lo, hi } => within(self.number(expr, row), [*lo, *hi]),
            PredicateSpec::Intervals { expr, intervals, missing } => {
                let v = self.number(expr, row);
                intervals.iter().any(|&ends| within(v, ends)) || (v.is_none() && *missing)
            }
            PredicateSpec::Rect { x, x_range, y, y_range } => {
                within(self.number(x, row), *x_range) && within(self.number(y, row), *y_range)
            }
            PredicateSpec::Categories { values, missing, .. } => {
                self.s[row].map_or(*missing, |s| values.iter().any(|value| value == s))
            }
            PredicateSpec::Lasso { x, y, corners, more } => {
                let (i, j) = (self.slot(&x.expr, &x.edges, row), self.slot(&y.expr, &y.edges, row));
                let centre = |edges: &[f64], i: usize| (edges[i] + edges[i + 1]) / 2.0;
                let is_on = i + 1 < x.edges.len() && j + 1 < y.edges.len();
                let holds = |corners: &[_]| winds_around(corners, centre(&x.edges, i), centre(&y.edges, j));
                let join = |inside: bool, shape: &Shape| match holds(&shape.corners) {
                    true => !shape.takes_out,
                    false => inside,
                };
                is_on && more.iter().fold(holds(corners), join)
            }
            PredicateSpec::Where { .. } => self.n[row].is_some_and(|n| n > 2),
            PredicateSpec::Groups { conditions, .. } => {
                let group = self.s[row].zip(self.n[row]).map(|(s, n)| group(s, n));
                group.is_some_and(|group| conditions.contains(&group))
            }
        };
        inside != filter.inverted
    }
}

/// What is true of the rows of a group by `s` and `n`.
fn group(s: &str, n: i64) -> String {
    format!("s == '{s}' and n == {n}")
}

fn winds_around(corners: &[[f64; 2]], x: f64, y: f64) -> bool {
    let mut inside = false;
    for (i, a) in corners.iter().enumerate() {
        let b = corners[(i + 1) % corners.len()];
        if (a[1] <= y) != (b[1] <= y) && x >= a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]) {
            inside = !inside;
        }
    }
    inside
}

/// A measure of a column, as `mean(w)`, of these values of it; NaN where there is none.
fn measured(measure: &str, rows: usize, values: &[f64]) -> f64 {
    let (sum, count) = (values.iter().sum::<f64>(), values.len() as f64);
    let mean = sum / count;
    match measure.split('(').next().unwrap() {
        "count" => rows as f64,
        "sum" => sum,
        "mean" => mean,
        "sd" => (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt(),
        "min" => values.iter().copied().fold(f64::NAN, f64::min),
        "max" => values.iter().copied().fold(f64::NAN, f64::max),
        other => panic!("{other}"),
    }
}

fn assert_near(found: &[f64], expected: &[f64], about: &str) {
    assert_eq!(found.len(), expected.len(), "{about}");
    for (&found, &expected) in found.iter().zip(expected) {
        let is_near = (found - expected).abs() <= 1e-12 * expected.abs().max(1.0);
        assert!(is_near || found.is_nan() && expected.is_nan(), "{found} for {expected}: {about}");
    }
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(|a, b| a.is_nan().cmp(&b.is_nan()).then(a.total_cmp(b)));
    values
}

/// Counts alone, and two scenes of other measures, of the five views and of a number.
const COUNTS: [&str; 6] = ["count"; 6];
const MEASURES: [[&str; 6]; 2] = [
    ["sum(w)", "mean(w)", "sd(w)", "min(w)", "max(w)", "mean(w)"],
    ["min(n)", "sum(n)", "max(w)", "mean(w)", "sd(w)", "sd(w)"],
];

/// The columns a filter is about; a typed one is about none.
fn columns_of(filter: &FilterSpec) -> Vec<String> {
    match &filter.predicate {
        PredicateSpec::Interval { expr, .. }
        | PredicateSpec::Intervals { expr, .. }
        | PredicateSpec::Categories { expr, .. } => vec![expr.clone()],
        PredicateSpec::Rect { x, y, .. } => vec![x.clone(), y.clone()],
        PredicateSpec::Lasso { x, y, .. } => vec![x.expr.clone(), y.expr.clone()],
        PredicateSpec::Groups { keys, .. } => keys.clone(),
        PredicateSpec::Where { .. } => Vec::new(),
    }
}

struct Script {
    rows: Rows,
    dataset: Arc<Dataset>,
    session: Session,
    engine: Engine,
    random: Random,
}

impl Script {
    fn new(seed: u64, measures: [&str; 6]) -> Script {
        let rows = rows();
        let dataset = table(vec![
            ("a", floats(&rows.a)),
            ("b", floats(&rows.b)),
            ("n", Arc::new(Int64Array::from(rows.n.clone())) as ArrayRef),
            ("s", Arc::new(StringArray::from(rows.s.clone()))),
            ("w", floats(&rows.w)),
        ]);
        let mut session = Session::new();
        let path = PathBuf::from("made-up.arrow");
        session.apply(Command::Open(path.clone()));
        session.apply(Command::Opened { path, result: Ok(dataset.clone()) });
        for view in session.document().views.clone() {
            session.apply(Command::RemoveView(view.id));
        }
        let axis = |name: &str, hi: f64, bins| {
            Some(AxisSpec { range: Some([0.0, hi]), bins: Some(bins), ..AxisSpec::of(name) })
        };
        let views = [
            (ViewKind::Histogram, axis("a", 10.0, 5), None),
            (ViewKind::Histogram, axis("b", 8.0, 4), None),
            (ViewKind::Histogram, axis("n", 9.0, 9), None),
            (ViewKind::Heatmap, axis("a", 10.0, 5), axis("b", 8.0, 4)),
            (ViewKind::Bars, Some(AxisSpec::of("s")), None),
            (ViewKind::Number, None, None),
        ];
        for (i, ((kind, x, y), measure)) in views.into_iter().zip(measures).enumerate() {
            let view = ViewSpec::new(ViewId(i as u64 + 1), kind, x, y);
            session.apply(Command::AddView(ViewSpec { measure: measure.to_owned(), ..view }));
        }
        let scan = ScanOptions { chunk_rows: 64, ..ScanOptions::default() };
        let sample = SampleOptions { least_rows: 0, blocks: 32, block_rows: 2 };
        let engine = Engine::with_options(
            || {},
            EngineOptions { threads: 2, scan, sample, ..EngineOptions::default() },
        )
        .unwrap();
        Script { rows, dataset, session, engine, random: Random::new(seed) }
    }

    fn axes(&self, view: &ViewSpec) -> Vec<Axis> {
        let cut = |spec: &AxisSpec| {
            let expr = Expr::parse(&spec.expr, self.dataset.schema()).unwrap();
            Axis { bins: questions::bins(spec, &expr, None, 5), expr }
        };
        match view.kind {
            ViewKind::Bars | ViewKind::Rows | ViewKind::Number => Vec::new(),
            _ => [&view.x, &view.y].into_iter().flatten().map(cut).collect(),
        }
    }

    fn bins(&self, view: usize, axis: usize) -> Bins {
        self.axes(&self.session.document().views[view])[axis].bins.clone()
    }

    /// The axis of a column's line in the list.
    fn listed(&self) -> Axis {
        let expr = Expr::parse("w", self.dataset.schema()).unwrap();
        Axis { expr, bins: Bins::new(-50.0, 140.0, 6, Scale::Linear).unwrap() }
    }

    /// Brushes the line of a column of which there is no view.
    fn brush_listed(&mut self) {
        let axis = self.listed();
        self.engine.hold(Brush::over(std::slice::from_ref(&axis)));
        let [lo, hi] = self.interval(&axis.bins);
        let predicate = PredicateSpec::Interval { expr: "w".to_owned(), lo, hi };
        self.session.apply(Command::SetFilter(FilterSpec::new(predicate), Gesture::Begin));
    }

    /// Chooses lines of a table of two keys.
    fn choose_groups(&mut self) {
        let conditions = (0..1 + self.random.below(12))
            .map(|_| group(["x", "y", "z", ""][self.random.below(4) as usize], self.random.below(9) as i64));
        let conditions = conditions.collect();
        let predicate = PredicateSpec::Groups { keys: vec!["s".to_owned(), "n".to_owned()], conditions };
        self.session.apply(Command::SetFilter(FilterSpec::new(predicate), Gesture::Begin));
    }

    fn hold(&mut self, view: usize) {
        let spec = &self.session.document().views[view];
        let brush = match spec.kind {
            ViewKind::Bars => Some(Brush::over_values(&Expr::parse("s", self.dataset.schema()).unwrap())),
            _ => Brush::over(&self.axes(spec)),
        };
        self.engine.hold(brush);
    }

    /// Rows that pass all filters but those of exactly these columns.
    fn passing(&self, without: &[String]) -> Vec<usize> {
        let filters: Vec<&FilterSpec> = self
            .session
            .document()
            .filters
            .iter()
            .filter(|filter| filter.enabled && columns_of(filter) != without)
            .collect();
        (0..ROWS).filter(|&row| filters.iter().all(|filter| self.rows.passes(filter, row))).collect()
    }

    /// One frame; every answer that says it is exact is compared. Whether all are.
    fn frame(&mut self) -> bool {
        self.engine.poll();
        let mut exact = true;
        for view in self.session.document().views.clone() {
            let axes = self.axes(&view);
            let selection = self.session.selection_for(&view);
            let question = questions::question(&self.dataset, &view, &axes, selection).unwrap();
            let reply = self.engine.answer(Slot(view.id.0), &question);
            if reply.freshness != Freshness::Final {
                exact = false;
                continue;
            }
            let answer = reply.answer.unwrap();
            let expected = self.check_view(&view, &axes, &answer);
            let batch = output::to_batch(&question, &answer, output::TableOptions::default()).unwrap();
            let exported = to_f64(batch.column(batch.num_columns() - 1));
            assert_near(&sorted(exported), &sorted(expected), "an export");
        }
        exact &= self.check_groups();
        let selection = self.session.selection().clone();
        let count = Ask::Grid { axes: vec![], measures: vec![Measure::count()] };
        let count = Question::new(self.dataset.clone(), selection.clone(), count);
        let reply = self.engine.answer(Slot(100), &count);
        let passing = self.passing(&["no column".to_owned()]);
        match reply.freshness {
            Freshness::Final => {
                assert_eq!(reply.answer.unwrap().grid().unwrap().total(), passing.len() as u64);
            }
            _ => exact = false,
        }
        let index = Question::new(self.dataset.clone(), selection.clone(), Ask::Index);
        let reply = self.engine.answer(Slot(101), &index);
        if reply.freshness == Freshness::Final {
            let request = RowsRequest {
                dataset: self.dataset.clone(),
                selection,
                index: reply.answer,
                first: 0,
                count: ROWS,
                columns: vec![Expr::parse("n", self.dataset.schema()).unwrap()],
            };
            let page = self.engine.rows(Slot(102), &request);
            if page.freshness == Freshness::Final {
                let numbers: Vec<usize> =
                    page.page.unwrap().numbers.iter().map(|&row| row as usize).collect();
                assert_eq!(numbers, passing);
            } else {
                exact = false;
            }
        } else {
            exact = false;
        }
        self.engine.end_frame();
        exact
    }

    /// What a view asks to be left out of its filters; no filter is about what a number leaves out.
    fn columns(&self, view: &ViewSpec) -> Vec<String> {
        match view.kind {
            ViewKind::Number => vec!["no column".to_owned()],
            _ => [&view.x, &view.y].into_iter().flatten().map(|axis| axis.expr.clone()).collect(),
        }
    }

    /// A measure of these rows.
    fn measured(&self, measure: &str, rows: &[usize]) -> f64 {
        let column = measure.split(['(', ')']).nth(1).unwrap_or("w");
        let values: Vec<f64> = rows.iter().filter_map(|&row| self.rows.number(column, row)).collect();
        measured(measure, rows.len(), &values)
    }

    /// Compares an answer with a loop over the rows; what it should measure of every cell or group.
    fn check_view(&self, view: &ViewSpec, axes: &[Axis], answer: &Answer) -> Vec<f64> {
        let passing = self.passing(&self.columns(view));
        let about = format!("{} under {:?}", view.title(), self.session.document().filters);
        if let Answer::Groups(groups) = answer {
            let mut expected: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
            passing.iter().for_each(|&row| expected.entry(self.rows.s[row]).or_default().push(row));
            let GroupKey::Values(keys) = &groups.keys[0] else { panic!("slots") };
            let keys = keys.as_string::<i32>();
            let text = |i: usize| keys.is_valid(i).then(|| keys.value(i));
            let found: BTreeMap<_, _> = (0..groups.len()).map(|i| (text(i), i)).collect();
            assert!(found.keys().eq(expected.keys()), "{about}");
            let values = to_f64(&groups.measures[0]);
            let rows: Vec<u64> = found.values().map(|&i| groups.counts[i]).collect();
            assert!(rows.into_iter().eq(expected.values().map(|rows| rows.len() as u64)), "{about}");
            let found: Vec<f64> = found.values().map(|&i| values[i]).collect();
            let expected: Vec<f64> =
                expected.values().map(|rows| self.measured(&view.measure, rows)).collect();
            assert_near(&found, &expected, &about);
            return expected;
        }
        let grid = answer.grid().unwrap();
        let mut cells = vec![Vec::new(); grid.len()];
        for &row in &passing {
            let slot = |axis: &Axis| self.rows.slot(&axis.expr.to_string(), axis.bins.edges(), row);
            cells[axes.iter().fold(0, |cell, axis| cell * axis.bins.slots() + slot(axis))].push(row);
        }
        let counts: Vec<u64> = cells.iter().map(|rows| rows.len() as u64).collect();
        assert_eq!(grid.counts, counts, "{about}");
        let expected: Vec<f64> = cells.iter().map(|rows| self.measured(&view.measure, rows)).collect();
        assert_near(&to_f64(&grid.measures[0]), &expected, &about);
        expected
    }

    /// Groups by two keys, one of them binned, under all filters, with every measure. Whether the answer is exact.
    fn check_groups(&mut self) -> bool {
        const ALL: [&str; 6] = ["count", "sum(w)", "mean(w)", "sd(w)", "min(w)", "max(n)"];
        let a = self.axes(&self.session.document().views[0].clone()).remove(0);
        let keys = vec![Key::Value(Expr::parse("s", self.dataset.schema()).unwrap()), Key::Binned(a.clone())];
        let measures = ALL.iter().map(|text| Measure::parse(text, &self.dataset).unwrap()).collect();
        let ask = Ask::Groups { keys, measures, listing: Listing::default() };
        let question = Question::new(self.dataset.clone(), self.session.selection().clone(), ask);
        let reply = self.engine.answer(Slot(103), &question);
        if reply.freshness != Freshness::Final {
            return false;
        }
        let mut expected: BTreeMap<(Option<&str>, usize), Vec<usize>> = BTreeMap::new();
        for row in self.passing(&["no column".to_owned()]) {
            let slot = self.rows.slot("a", a.bins.edges(), row);
            expected.entry((self.rows.s[row], slot)).or_default().push(row);
        }
        let answer = reply.answer.unwrap();
        let groups = answer.groups().unwrap();
        let [GroupKey::Values(texts), GroupKey::Slots { slots, .. }] = groups.keys.as_slice() else {
            panic!("{:?}", groups.keys)
        };
        let texts = texts.as_string::<i32>();
        let key = |i: usize| (texts.is_valid(i).then(|| texts.value(i)), slots[i]);
        let found: BTreeMap<_, _> = (0..groups.len()).map(|i| (key(i), i)).collect();
        assert!(found.keys().eq(expected.keys()));
        for (measure, values) in ALL.iter().zip(&groups.measures) {
            let values = to_f64(values);
            let found: Vec<f64> = found.values().map(|&i| values[i]).collect();
            let expected: Vec<f64> = expected.values().map(|rows| self.measured(measure, rows)).collect();
            assert_near(&found, &expected, measure);
        }
        true
    }

    fn settle(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.frame() {
            assert!(Instant::now() < deadline, "not answered");
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// An interval between edges of an axis.
    fn interval(&mut self, bins: &Bins) -> [f64; 2] {
        let from = self.random.below(bins.count() as u64) as usize;
        let to = from + 1 + self.random.below((bins.count() - from) as u64) as usize;
        [bins.edges()[from], bins.edges()[to]]
    }

    fn predicate(&mut self, view: usize) -> PredicateSpec {
        let name = |axis: &Option<AxisSpec>| axis.as_ref().unwrap().expr.clone();
        let spec = self.session.document().views[view].clone();
        match spec.kind {
            ViewKind::Bars => {
                let all = ["x", "y", "z", ""];
                let values =
                    all.iter().filter(|_| self.random.below(2) == 0).map(|&s| s.to_owned()).collect();
                let missing = self.random.below(2) == 0;
                PredicateSpec::Categories { expr: name(&spec.x), values, missing }
            }
            ViewKind::Heatmap if self.random.below(2) == 0 => {
                let (x, y) = (self.bins(view, 0), self.bins(view, 1));
                let cut = |axis: &Option<AxisSpec>, bins: &Bins| CutAxis {
                    expr: name(axis),
                    edges: bins.edges().to_vec(),
                    log: false,
                };
                let mut polygon = || {
                    let corner = |_| [self.random.unit() * 10.0, self.random.unit() * 8.0];
                    (0..5).map(corner).collect::<Vec<_>>()
                };
                let corners = polygon();
                let more = [false, true].map(|takes_out| Shape { corners: polygon(), takes_out });
                let more = more.into_iter().take(self.random.below(3) as usize).collect();
                PredicateSpec::Lasso { x: cut(&spec.x, &x), y: cut(&spec.y, &y), corners, more }
            }
            ViewKind::Heatmap => {
                let (x, y) = (self.bins(view, 0), self.bins(view, 1));
                let (x_range, y_range) = (self.interval(&x), self.interval(&y));
                PredicateSpec::Rect { x: name(&spec.x), x_range, y: name(&spec.y), y_range }
            }
            _ => {
                let bins = self.bins(view, 0);
                let [lo, hi] = self.interval(&bins);
                match self.random.below(4) {
                    0 => {
                        let mut intervals = vec![[lo, hi], self.interval(&bins)];
                        if self.random.below(2) == 0 {
                            intervals.push([f64::NEG_INFINITY, bins.lo()]);
                        }
                        if self.random.below(2) == 0 {
                            intervals.push([bins.hi(), f64::INFINITY]);
                        }
                        let missing = self.random.below(2) == 0;
                        PredicateSpec::Intervals { expr: name(&spec.x), intervals, missing }
                    }
                    // Between edges: no cube serves.
                    1 if view < 2 => {
                        PredicateSpec::Interval { expr: name(&spec.x), lo: lo + 0.25, hi: hi + 0.125 }
                    }
                    _ => PredicateSpec::Interval { expr: name(&spec.x), lo, hi },
                }
            }
        }
    }

    fn gesture(&mut self) {
        let filters = self.session.document().filters.len() as u64;
        let one = |random: &mut Random| random.below(filters.max(1)) as usize;
        match self.random.below(18) {
            0 => drop(self.session.apply(Command::Undo)),
            1 => drop(self.session.apply(Command::Redo)),
            2 => drop(self.session.apply(Command::ClearFilters)),
            3 => {
                let at = one(&mut self.random);
                drop(self.session.apply(Command::RemoveFilter(at)));
            }
            4 => {
                let at = one(&mut self.random);
                drop(self.session.apply(Command::InvertFilter(at)));
            }
            5 => {
                let at = one(&mut self.random);
                drop(self.session.apply(Command::ToggleFilter(at)));
            }
            6 => {
                let typed = FilterSpec::new(PredicateSpec::Where { text: "n > 2".to_owned() });
                drop(self.session.apply(Command::SetFilter(typed, Gesture::Begin)));
            }
            7 => self.engine.hold(None),
            8 => self.brush_listed(),
            9 => self.choose_groups(),
            _ => {
                let view = self.random.below(5) as usize;
                self.hold(view);
                for step in 0..1 + self.random.below(6) {
                    let filter = FilterSpec::new(self.predicate(view));
                    let gesture = if step == 0 { Gesture::Begin } else { Gesture::Continue };
                    self.session.apply(Command::SetFilter(filter, gesture));
                    self.frame();
                }
            }
        }
    }
}

#[test]
fn after_every_gesture_everything_shown_agrees_with_a_loop_over_the_rows() {
    let scenes = [COUNTS, MEASURES[0], MEASURES[1], COUNTS];
    for (seed, measures) in (1..).zip(scenes) {
        let mut script = Script::new(seed, measures);
        script.settle();
        for _ in 0..150 {
            script.gesture();
            script.settle();
        }
    }
}

#[test]
fn a_cleared_brush_is_as_if_it_had_never_been() {
    for measures in [COUNTS, MEASURES[0]] {
        let mut script = Script::new(3, measures);
        script.settle();
        for view in 0..5 {
            script.hold(view);
            let filter = FilterSpec::new(script.predicate(view));
            script.session.apply(Command::SetFilter(filter, Gesture::Begin));
            script.settle();
            script.session.apply(Command::ClearFilters);
            assert!(script.frame(), "what was shown before is at hand");
            script.session.apply(Command::Undo);
            assert!(script.frame(), "and so is what was shown after");
            script.session.apply(Command::Redo);
        }
    }
}
