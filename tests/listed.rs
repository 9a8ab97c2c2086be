//! Codes of texts: keys, cells of cubes and clauses read them in place of the texts.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int64Array, LargeStringArray, StringArray};
use arrow::datatypes::UInt16Type;
use outcrop::aggregate::{Bins, Scale};
use outcrop::dataset::Dataset;
use outcrop::engine::CodeFiles;
use outcrop::expr::Expr;
use outcrop::query::{
    Answer, Ask, Axis, Brush, Codes, Key, Listing, Measure, Question, Wanted, Workers, scan, scan_with_codes,
};
use outcrop::select::{Clause, Selection};
use outcrop::task::Task;

use crate::codes::{Counting, options};
use crate::common::{Random, awkward_floats, floats, grid_question};

const ROWS: usize = 1500;
const TEXTS: [&str; 3] = ["s", "d", "l"];
const LITERALS: [&[&str]; 4] = [&["\"\"", "\"Zürich\""], &["\"NaN\""], &["\"nowhere\""], &[]];

/// `s`, `d` and `l` hold the same texts, as texts, as a dictionary and with long offsets; `a` all that goes wrong.
fn demo(rows: usize) -> (Arc<Dataset>, Arc<Counting>) {
    let mut random = Random::new(5);
    let known = [None, Some(""), Some("NaN"), Some("null"), Some("Zürich"), Some("zürich am See"), Some("b")];
    let texts: Vec<Option<&str>> = (0..rows).map(|_| known[random.below(7) as usize]).collect();
    let dictionary: DictionaryArray<UInt16Type> = texts.iter().copied().collect();
    let whole = (0..rows).map(|_| Some(random.below(9) as i64 - 4).filter(|&n| n != 3));
    let columns = vec![
        ("s", Arc::new(StringArray::from(texts.clone())) as ArrayRef),
        ("d", Arc::new(dictionary)),
        ("l", Arc::new(LargeStringArray::from(texts))),
        ("a", floats(&awkward_floats(rows, 1))),
        ("n", Arc::new(Int64Array::from_iter(whole))),
    ];
    Counting::table(columns, "listed@1")
}

fn expr(dataset: &Dataset, text: &str) -> Expr {
    Expr::parse(text, dataset.schema()).unwrap()
}

fn axis(dataset: &Dataset, text: &str, count: usize) -> Axis {
    Axis { expr: expr(dataset, text), bins: Bins::new(0.0, 10.0, count, Scale::Linear).unwrap() }
}

fn groups(dataset: &Arc<Dataset>, selection: &Selection, keys: &[&str], measures: &[&str]) -> Question {
    let keys = keys.iter().map(|text| Key::Value(expr(dataset, text))).collect();
    let measures = measures.iter().map(|text| Measure::parse(text, dataset).unwrap()).collect();
    let ask = Ask::Groups { keys, measures, listing: Listing::default() };
    Question::new(dataset.clone(), selection.clone(), ask)
}

/// Clauses that choose among the texts of `expr`, and their complements.
fn choices(dataset: &Dataset, expr: &Expr) -> Vec<Clause> {
    let mut clauses = Vec::new();
    for literals in LITERALS {
        for (missing, inverted) in [(false, false), (true, false), (false, true), (true, true)] {
            let literals: Vec<String> = literals.iter().map(|&text| text.to_owned()).collect();
            let clause = Clause::categories(expr.clone(), &literals, missing, dataset.schema()).unwrap();
            clauses.push(Clause { inverted, ..clause });
        }
    }
    clauses
}

fn scanned(questions: &[Question], codes: Option<&Codes>, threads: usize) -> Vec<Answer> {
    let (workers, task) = (Workers::new(threads).unwrap(), Task::detached());
    match codes {
        Some(codes) => scan_with_codes(questions, codes, &workers, options(), &task).unwrap().0,
        None => scan(questions, &workers, options(), &task).unwrap(),
    }
}

fn digest(answers: &[Answer]) -> Vec<String> {
    answers.iter().map(|answer| format!("{answer:?}")).collect()
}

/// Everything that is asked of texts, of one column of them: bars, tables, other views under a choice.
fn asked(dataset: &Arc<Dataset>, text: &str) -> Vec<Question> {
    let all = Selection::all();
    let mut questions = vec![
        groups(dataset, &all, &[text], &["count", "mean(a)", "sd(a)", "min(n)"]),
        groups(dataset, &all, &[text, "n"], &["count", "sum(a)"]),
    ];
    for clause in choices(dataset, &expr(dataset, text)) {
        let also = Clause::interval(expr(dataset, "a"), 1.0, 8.0);
        for selection in [Selection::of([clause.clone()]), Selection::of([clause.clone(), also])] {
            questions.push(groups(dataset, &selection, &[text], &["count", "max(a)"]));
            questions.push(grid_question(dataset, selection, vec![axis(dataset, "a", 5)], &["mean(a)"]));
        }
    }
    questions
}

#[test]
fn answers_by_codes_of_texts_are_those_by_the_texts() {
    for rows in [0, 1, 64, ROWS] {
        let (dataset, source) = demo(rows);
        for text in ["s", "d", "l", "upper(s)", "if(n > 0, s, 'few')"] {
            let questions = asked(&dataset, text);
            let plain = digest(&scanned(&questions, None, 2));
            for (budget, threads) in [(1 << 20, [1, 4]), (100, [2, 3]), (0, [2, 2])] {
                let codes = Codes::new(budget);
                for threads in threads {
                    let answers = digest(&scanned(&questions, Some(&codes), threads));
                    assert_eq!(answers, plain, "{text}, {rows} rows, {budget} bytes, {threads} threads");
                }
                source.take_reads();
                scanned(&questions, Some(&codes), 2);
                let reads = source.take_reads();
                let is_read = reads[..3].iter().any(|&reads| reads > 0);
                assert_eq!(is_read, rows > budget && rows > 0, "{text} {rows} {budget}: {reads:?}");
            }
        }
    }
}

#[test]
fn bars_of_texts_are_armed_and_brushed_without_a_look_at_any_text() {
    let (dataset, source) = demo(ROWS);
    let measures = ["count", "sum(n)", "mean(a)", "sd(a)", "min(a)", "max(n)"];
    for text in TEXTS {
        let codes = Codes::new(1 << 20);
        let bars = |selection: &Selection| groups(&dataset, selection, &[text], &measures);
        let a = axis(&dataset, "a", 8);
        scanned(&[bars(&Selection::all())], Some(&codes), 2);
        source.take_reads();

        // Other views under brushed bars.
        let brush = Brush::over_values(&expr(&dataset, text));
        let plane = vec![a.clone(), axis(&dataset, "n", 5)];
        let passive = |selection: &Selection| {
            vec![
                grid_question(&dataset, selection.clone(), vec![a.clone()], &measures),
                grid_question(&dataset, selection.clone(), plane.clone(), &["count"]),
                grid_question(&dataset, selection.clone(), vec![], &measures),
                groups(&dataset, selection, &["n"], &measures),
                groups(&dataset, selection, &[text, "n"], &["count"]),
            ]
        };
        let clauses = choices(&dataset, &expr(&dataset, text));
        let cubes: Vec<Question> = passive(&Selection::of([clauses[0].clone()]))
            .iter()
            .map(|question| brush.cube_for(question).unwrap())
            .collect();
        let built = scanned(&cubes, Some(&codes), 3);
        assert_eq!(source.take_reads()[..3], [0; 3], "{text}: armed by codes");
        for clause in &clauses {
            let questions = passive(&Selection::of([clause.clone()]));
            let plain = scanned(&questions, None, 2);
            for ((question, cube), plain) in questions.iter().zip(&built).zip(&plain) {
                let sliced = cube.cube().unwrap().slice(&brush.wanted(question).unwrap()).unwrap();
                same(&sliced, plain, &format!("{text}: {}", clause.key()));
            }
        }

        // The bars under a brush on an axis.
        let brush = Brush::over(std::slice::from_ref(&a)).unwrap();
        let question = |lo, hi| bars(&Selection::of([Clause::interval(a.expr.clone(), lo, hi)]));
        let cube = brush.cube_for(&question(0.0, 10.0)).unwrap();
        assert!(brush.suits(&cube, None, &codes));
        source.take_reads();
        let built = scanned(std::slice::from_ref(&cube), Some(&codes), 2);
        assert_eq!(source.take_reads()[..3], [0; 3]);
        for (lo, hi) in [(0.0, 10.0), (1.25, 5.0), (5.0, 5.0), (f64::NEG_INFINITY, 2.5)] {
            let question = question(lo, hi);
            let wanted = brush.wanted(&question).unwrap();
            assert!(matches!(wanted, Wanted::Slots(_)));
            let sliced = built[0].cube().unwrap().slice(&wanted).unwrap();
            same(&sliced, &scanned(&[question], None, 2)[0], &format!("{text}: {lo} to {hi}"));
        }
    }
}

/// Equal in keys, order and counts, and in measures but for the last digits of sums.
fn same(a: &Answer, b: &Answer, what: &str) {
    let numbers = |answer: &Answer| -> (String, Vec<u64>, Vec<ArrayRef>) {
        match answer {
            Answer::Grid(grid) => (String::new(), grid.counts.clone(), grid.measures.clone()),
            Answer::Groups(groups) => {
                (format!("{:?}", groups.keys), groups.counts.clone(), groups.measures.clone())
            }
            _ => panic!("{what}"),
        }
    };
    let ((a_keys, a_counts, a), (b_keys, b_counts, b)) = (numbers(a), numbers(b));
    assert_eq!((a_keys, a_counts), (b_keys, b_counts), "{what}");
    for (a, b) in a.iter().zip(&b) {
        let (a, b) = (outcrop::aggregate::to_f64(a), outcrop::aggregate::to_f64(b));
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(&b) {
            let is_near = (a - b).abs() <= 1e-12 * a.abs().max(b.abs());
            assert!(a == b || (a.is_nan() && b.is_nan()) || is_near, "{what}: {a} is {b}");
        }
    }
}

/// `distinct` texts in `rows` rows.
fn many(rows: usize, distinct: usize) -> (Arc<Dataset>, Arc<Counting>) {
    let texts = (0..rows).map(|row| Some(format!("value {}", row * 7 % distinct)).filter(|_| row % 50 > 0));
    let columns = vec![
        ("s", Arc::new(StringArray::from_iter(texts)) as ArrayRef),
        ("a", floats(&awkward_floats(rows, 1))),
    ];
    Counting::table(columns, "many@1")
}

#[test]
fn more_texts_take_wider_codes_and_too_many_none() {
    for (rows, distinct, bytes, reads) in [
        (2000, 254, 2000, false),
        (2000, 256, 4000, false),
        (2000, 1999, 4000, false),
        (90_000, 89_997, 0, true),
    ] {
        let (dataset, source) = many(rows, distinct);
        let ask = groups(&dataset, &Selection::all(), &["s"], &["count", "mean(a)"]);
        let questions = [ask];
        let plain = digest(&scanned(&questions, None, 2));
        let codes = Codes::new(1 << 20);
        for threads in [2, 3, 1] {
            assert_eq!(digest(&scanned(&questions, Some(&codes), threads)), plain, "{distinct} texts");
        }
        source.take_reads();
        scanned(&questions, Some(&codes), 2);
        assert_eq!((codes.bytes(), source.take_reads()[0] > 0), (bytes, reads), "{distinct} texts");
    }
}

#[test]
fn texts_left_out_by_a_filter_are_not_listed() {
    let (dataset, _) = demo(ROWS);
    let codes = Codes::new(1 << 20);
    let narrow = Selection::of([Clause::interval(expr(&dataset, "a"), 2.0, 2.1)]);
    scanned(&[groups(&dataset, &narrow, &["s"], &["count"])], Some(&codes), 2);
    let all = [groups(&dataset, &Selection::all(), &["s"], &["count"])];
    assert_eq!(digest(&scanned(&all, Some(&codes), 2)), digest(&scanned(&all, None, 2)));
}

#[test]
fn texts_and_their_codes_are_read_from_disk_and_damaged_ones_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("codes");
    let files = CodeFiles::in_folder(place.clone(), 10, Some(1 << 20));
    let (dataset, source) = demo(ROWS);
    let questions = asked(&dataset, "s");
    let plain = digest(&scanned(&questions, None, 2));
    let start = || {
        let codes = Codes::new(1 << 20).on_shelf(Arc::new(files.clone()));
        source.take_reads();
        assert_eq!(digest(&scanned(&questions, Some(&codes), 2)), plain);
        (codes, source.take_reads()[0])
    };
    let (codes, reads) = start();
    assert!(reads > 0);
    files.keep(&codes);
    assert_eq!(start().1, 0, "of a kept file no text is read");
    let holds_texts = |path: &std::path::PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        let text = "zürich am See".as_bytes();
        bytes.windows(text.len()).any(|part| part == text)
    };
    let mut paths = std::fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path());
    let path = paths.find(holds_texts).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let is_refused = |content: &[u8]| {
        // A file that is mapped is replaced and never written into.
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, content).unwrap();
        start().1 > 0
    };
    let list = 60;
    for length in (whole.len() - list..whole.len()).chain([0, 1, whole.len() / 2]) {
        assert!(is_refused(&whole[..length]), "cut off at {length}");
    }
    for at in (whole.len() - list..whole.len()).chain((0..whole.len()).step_by(101)) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x04;
        assert!(is_refused(&damaged) || whole[at] == 0, "damaged at {at}");
    }
    assert!(!is_refused(&whole));
}
