//! Sums of values that are added up while they are computed, against sums of values that are kept.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float32Array, Float64Array};
use arrow::datatypes::Float64Type;
use outcrop::aggregate::{Bins, Scale};
use outcrop::dataset::Dataset;
use outcrop::expr::Expr;
use outcrop::query::{Axis, Question, ScanOptions, Workers, scan};
use outcrop::select::Selection;
use outcrop::task::Task;

use crate::common::{awkward_floats, floats, grid_question, table};

/// A sum and a count by the bits, from the first of the questions.
fn bits(questions: &[Question], threads: usize, chunk_rows: u64) -> Vec<u64> {
    let options = ScanOptions { chunk_rows, ..ScanOptions::default() };
    let answers = scan(questions, &Workers::new(threads).unwrap(), options, &Task::detached()).unwrap();
    let grid = answers[0].grid().unwrap();
    vec![
        grid.measures[0].as_primitive::<Float64Type>().value(0).to_bits(),
        grid.measures[1].as_primitive::<Float64Type>().value(0).to_bits(),
        grid.counts[0],
    ]
}

fn dataset(rows: usize, with_missing: bool) -> Arc<Dataset> {
    let given = |seed| -> Vec<Option<f64>> {
        let values = awkward_floats(rows, seed).into_iter();
        // Infinities would make every sum infinite or NaN.
        let finite = values.map(|v| v.filter(|v| with_missing || !v.is_infinite()));
        finite.map(|v| if with_missing { v } else { Some(v.unwrap_or(f64::NAN)) }).collect()
    };
    let narrow: Vec<Option<f32>> = given(3).into_iter().map(|v| v.map(|v| v as f32)).collect();
    table(vec![
        ("x", floats(&given(1))),
        (
            "y",
            if with_missing {
                floats(&given(2))
            } else {
                Arc::new(Float64Array::from_iter(given(2))) as ArrayRef
            },
        ),
        ("f", Arc::new(Float32Array::from(narrow))),
    ])
}

#[test]
fn a_sum_has_the_same_bits_whether_its_values_are_kept_or_not() {
    for rows in [0, 1, 15, 511, 512, 513, 5000] {
        for with_missing in [false, true] {
            let dataset = dataset(rows, with_missing);
            for text in ["x / (y + 3)", "sqrt((f - 1)**2 + f**2)", "float64(f) * x", "x + f / 3", "-y"] {
                let measures = [format!("sum({text})"), format!("mean({text})")];
                let measures = [measures[0].as_str(), measures[1].as_str()];
                let alone = grid_question(&dataset, Selection::all(), vec![], &measures);
                let expr = Expr::parse(text, dataset.schema()).unwrap();
                let axis = Axis { expr, bins: Bins::new(0.0, 10.0, 7, Scale::Linear).unwrap() };
                // An axis wants the values themselves.
                let beside = grid_question(&dataset, Selection::all(), vec![axis], &["count"]);
                for chunk_rows in [100, 1 << 15] {
                    let expected = bits(std::slice::from_ref(&alone), 1, chunk_rows);
                    let kept = bits(&[alone.clone(), beside.clone()], 1, chunk_rows);
                    assert_eq!(kept, expected, "{text}, {rows} rows");
                    for threads in 2..=4 {
                        assert_eq!(bits(std::slice::from_ref(&alone), threads, chunk_rows), expected);
                    }
                }
                if !with_missing && rows == 5000 {
                    let program = outcrop::expr::Program::compile(
                        &[Expr::parse(text, dataset.schema()).unwrap()],
                        dataset.schema(),
                    );
                    let columns: Vec<ArrayRef> = program
                        .columns()
                        .iter()
                        .map(|&column| dataset.source().read(column, 0..rows as u64).unwrap())
                        .collect();
                    let (mut pieces, mut values) = (0, 0);
                    let arrays = program.run_feeding(&columns, rows, &[0], &mut |_, reals| {
                        pieces += 1;
                        values += reals.len();
                    });
                    assert!(pieces > 1 && values == rows && arrays.unwrap().0[0].len() == rows, "{text}");
                }
            }
        }
    }
}
