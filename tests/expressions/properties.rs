//! Random expressions over random rows: vectors agree with single rows, bounds hold, text reads back;
//! and kernels agree with twins that compute one row in the plainest way.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, DurationMillisecondArray, Float32Array,
    Float64Array, Int16Array, Int64Array, StringArray, TimestampMicrosecondArray, TimestampSecondArray,
    UInt64Array,
};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use outcrop::data::{Field, Schema, format_value};
use outcrop::expr::{Expr, Program};
use proptest::prelude::*;

use super::golden::{bounds, holds};

/// A small generator of random choices: splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn f64(&mut self) -> f64 {
        match self.below(12) {
            0 => self.pick(&[0.0, -0.0, 1.0, -1.0, 0.5]),
            1 => self.pick(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
            2 => self.pick(&[f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, 9.007199254740993e15, 9.3e18]),
            3 => f64::from_bits(self.next()),
            _ => (self.next() as i64 >> 40) as f64 / 1024.0,
        }
    }

    fn i64(&mut self) -> i64 {
        match self.below(8) {
            0 => self.pick(&[0, 1, -1, i64::MAX, i64::MIN, (1 << 53) + 1, i64::from(i32::MIN)]),
            1 => self.next() as i64,
            _ => self.next() as i64 >> 52,
        }
    }

    fn column<T>(&mut self, rows: usize, nulls: bool, mut f: impl FnMut(&mut Random) -> T) -> Vec<Option<T>> {
        (0..rows).map(|_| if nulls && self.below(8) == 0 { None } else { Some(f(self)) }).collect()
    }
}

type RealTwin = fn(f64, f64, i64) -> f64;
type WholeTwin = fn(i128, i128) -> Option<i128>;

const NUMBERS: [&str; 7] = ["x", "y", "f", "i", "s", "u", "flag"];

/// Columns of `rows` rows, each a slice at an odd offset of a longer array.
fn columns(random: &mut Random, rows: usize) -> (Schema, Vec<ArrayRef>) {
    let all = rows + 3;
    let nulls = random.below(2) == 0;
    let words = ["", "a", "Bee", "größe", "a,b", "12", "2015-01-31"];
    let texts = random.column(all, nulls, |r| r.pick(&words));
    let time = |r: &mut Random| r.next() as i64 >> 20;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("x", Arc::new(Float64Array::from(random.column(all, nulls, Random::f64)))),
        ("y", Arc::new(Float64Array::from(random.column(all, false, Random::f64)))),
        ("f", Arc::new(Float32Array::from(random.column(all, nulls, |r| r.f64() as f32)))),
        ("i", Arc::new(Int64Array::from(random.column(all, nulls, Random::i64)))),
        ("s", Arc::new(Int16Array::from(random.column(all, false, |r| r.i64() as i16)))),
        ("u", Arc::new(UInt64Array::from(random.column(all, nulls, |r| r.i64() as u64)))),
        ("flag", Arc::new(BooleanArray::from(random.column(all, nulls, |r| r.below(2) == 0)))),
        ("name", Arc::new(StringArray::from(texts.clone()))),
        ("kind", Arc::new(texts.into_iter().collect::<DictionaryArray<Int32Type>>())),
        ("t", Arc::new(TimestampMicrosecondArray::from(random.column(all, nulls, time)))),
        (
            "z",
            Arc::new(
                TimestampSecondArray::from(random.column(all, nulls, |r| r.next() as i64 >> 30))
                    .with_timezone("Europe/Amsterdam"),
            ),
        ),
        ("wait", Arc::new(DurationMillisecondArray::from(random.column(all, nulls, Random::i64)))),
    ];
    let schema = Schema::new(columns.iter().map(|(n, a)| Field::new(*n, a.data_type().clone())).collect());
    (schema, columns.into_iter().map(|(_, a)| a.slice(3, rows)).collect())
}

fn number(r: &mut Random, depth: usize) -> String {
    if depth == 0 {
        return match r.below(5) {
            0 => format!("{}", r.i64()),
            1 => format!("{:?}", (r.i64() % 1000) as f64 / 8.0),
            _ => r.pick(&NUMBERS).to_owned(),
        };
    }
    let d = depth - 1;
    match r.below(16) {
        0..=6 => {
            let sign = r.pick(&["+", "-", "*", "/", "//", "%"]);
            format!("({} {sign} {})", number(r, d), number(r, d))
        }
        7 => format!("({} ** {})", number(r, d), r.pick(&["2", "3", "0.5", "-1", "0"])),
        8 => format!("-({})", number(r, d)),
        9 => {
            let name = r.pick(&[
                "sqrt", "abs", "floor", "ceil", "exp", "log", "sin", "arctan", "sign", "round", "log2",
                "arccos", "cosh", "float64", "int64", "float32",
            ]);
            format!("{name}({})", number(r, d))
        }
        10 => format!("if({}, {}, {})", condition(r, d), number(r, d), number(r, d)),
        11 => format!(
            "{}({}, {})",
            r.pick(&["minimum", "maximum", "coalesce", "greatest", "least", "fillna", "nullif"]),
            number(r, d),
            number(r, d)
        ),
        12 => format!("len({})", text(r, d)),
        13 => format!("{}({})", r.pick(&["hour", "year", "month", "dayofweek", "epoch"]), time(r, d)),
        14 => format!("clip({}, -3, 7.5)", number(r, d)),
        _ => format!("total_seconds({} - {})", time(r, d), time(r, d)),
    }
}

fn condition(r: &mut Random, depth: usize) -> String {
    if depth == 0 {
        return r.pick(&["flag", "true", "x > 0"]).to_owned();
    }
    let d = depth - 1;
    let sign = r.pick(&["<", "<=", ">", ">=", "==", "!="]);
    match r.below(14) {
        0..=3 => format!("({} {sign} {})", number(r, d), number(r, d)),
        4 => format!("({} < {} <= {})", number(r, d), number(r, d), number(r, d)),
        5 => format!("({} {} {})", condition(r, d), r.pick(&["and", "or", "&", "|"]), condition(r, d)),
        6 => format!("(not {})", condition(r, d)),
        7 => format!("({} {sign} {})", text(r, d), text(r, d)),
        8 => format!("({} {} [1, 2.5, -3, 0])", number(r, d), r.pick(&["in", "not in"])),
        9 | 10 => {
            let word = r.pick(&["between", "not between"]);
            format!("({} {word} {} and {})", number(r, d), number(r, d), number(r, d))
        }
        11 => format!("({} {} ['a', 'größe', ''])", text(r, d), r.pick(&["in", "not in"])),
        12 => format!("({} is {})", condition(r, d), r.pick(&["true", "not true", "false", "null"])),
        _ => format!("({} {sign} {})", time(r, d), time(r, d)),
    }
}

fn text(r: &mut Random, depth: usize) -> String {
    if depth == 0 {
        return r.pick(&["name", "kind", "'a'", "'Größe'"]).to_owned();
    }
    match r.below(5) {
        0 => format!("upper({})", text(r, depth - 1)),
        1 => format!("({} + {})", text(r, depth - 1), text(r, depth - 1)),
        2 => format!("slice({}, 1, -1)", text(r, depth - 1)),
        3 => format!("if({}, {}, {})", condition(r, depth - 1), text(r, depth - 1), text(r, depth - 1)),
        _ => text(r, 0),
    }
}

fn time(r: &mut Random, depth: usize) -> String {
    match r.below(6) {
        0 => "2015-01-31T12:00".to_owned(),
        1 if depth > 0 => {
            format!("dt_floor({}, {})", time(r, depth - 1), r.pick(&["'h'", "'D'", "'M'", "'W'"]))
        }
        2 if depth > 0 => format!("({} + wait)", time(r, depth - 1)),
        _ => r.pick(&["t", "z"]).to_owned(),
    }
}

fn run(expr: &Expr, schema: &Schema, columns: &[ArrayRef], rows: usize) -> ArrayRef {
    let program = Program::compile(std::slice::from_ref(expr), schema);
    let columns: Vec<ArrayRef> = program.columns().iter().map(|i| columns[*i].clone()).collect();
    let found = program.run(&columns, rows).unwrap().remove(0);
    assert_eq!((found.data_type(), found.len()), (expr.data_type(), rows), "{expr}");
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_expressions_agree_with_themselves_row_by_row(seed: u64, rows in 0usize..40) {
        let mut random = Random(seed);
        let (schema, columns) = columns(&mut random, rows);
        let source = match random.below(4) {
            0 => condition(&mut random, 4),
            1 => text(&mut random, 3),
            _ => number(&mut random, 4),
        };
        let expr = match Expr::parse(&source, &schema) {
            Ok(expr) => expr,
            // Naive and zoned times mixed with texts and the like are rightly refused.
            Err(error) => { prop_assert!(!error.message.is_empty()); return Ok(()); }
        };
        let again = Expr::parse(&expr.to_string(), &schema);
        prop_assert_eq!(again.as_ref().ok(), Some(&expr), "{} is printed as {}", source, expr);
        let whole = run(&expr, &schema, &columns, rows);
        for row in 0..rows {
            let one: Vec<ArrayRef> = columns.iter().map(|c| c.slice(row, 1)).collect();
            let single = run(&expr, &schema, &one, 1);
            prop_assert_eq!(format_value(&whole, row), format_value(&single, 0), "{} in row {}", source, row);
        }
        let domain = expr.domain(&|name| bounds(&columns[schema.position(name).unwrap()]));
        prop_assert!(holds(domain, bounds(&whole)), "{}: {:?} does not hold {:?}", source, domain, bounds(&whole));
    }

    #[test]
    fn any_text_is_read_or_refused_with_a_place(source in "[-a-z0-9 .,+*/%<>=!&|~()\\[\\]'\"`:^_éT]{0,40}") {
        let (schema, columns) = columns(&mut Random(1), 3);
        match Expr::parse(&source, &schema) {
            Ok(expr) => {
                prop_assert_eq!(Expr::parse(&expr.to_string(), &schema).ok(), Some(expr.clone()), "{} is printed as {}", source, expr);
                run(&expr, &schema, &columns, 3);
            }
            Err(error) => {
                prop_assert!(error.span.start <= error.span.end && error.span.end <= source.len(), "{:?}", error);
                prop_assert!(source.is_char_boundary(error.span.start) && source.is_char_boundary(error.span.end));
                error.pointed(&source);
            }
        }
    }
}

#[test]
fn fused_arithmetic_agrees_with_one_row_at_a_time_across_blocks() {
    let mut random = Random(7);
    for rows in [0, 1, 63, 64, 65, 127, 128, 129, 255, 257, 1023, 1024, 1025, 3000] {
        let (schema, columns) = columns(&mut random, rows);
        let get = |name: &str| columns[schema.position(name).unwrap()].clone();
        let (x, y, i) = (get("x"), get("y"), get("i"));
        let (x, y, i): (&Float64Array, &Float64Array, &Int64Array) =
            (x.as_primitive(), y.as_primitive(), i.as_primitive());
        let twins: [(&str, RealTwin); 12] = [
            ("sqrt((x - 0.25)**2 + (y - 0.5)**2)", |x, y, _| {
                ((x - 0.25) * (x - 0.25) + (y - 0.5) * (y - 0.5)).sqrt()
            }),
            ("x / y", |x, y, _| x / y),
            ("x * i + y / i - x", |x, y, i| x * i as f64 + y / i as f64 - x),
            ("floor(x) - ceil(y) + abs(x)", |x, y, _| x.floor() - y.ceil() + x.abs()),
            ("(x + y) * (x + y) - -x", |x, y, _| (x + y) * (x + y) - -x),
            ("(x * y)**2", |x, y, _| (x * y) * (x * y)),
            ("1 - (x / y)**2", |x, y, _| 1.0 - (x / y) * (x / y)),
            ("sqrt(x - y)", |x, y, _| (x - y).sqrt()),
            ("sqrt(x * y) + sqrt(x / y)", |x, y, _| (x * y).sqrt() + (x / y).sqrt()),
            // Wanted twice, the sum is no part of its root or its square.
            ("sqrt(x + y) + (x + y)", |x, y, _| (x + y).sqrt() + (x + y)),
            ("(x + y)**2 / (x + y)", |x, y, _| (x + y) * (x + y) / (x + y)),
            ("sqrt((x * x)**2)", |x, _, _| ((x * x) * (x * x)).sqrt()),
        ];
        for (text, twin) in twins {
            let expr = Expr::parse(text, &schema).unwrap();
            let found = run(&expr, &schema, &columns, rows);
            let found = found.as_primitive::<Float64Type>();
            for row in 0..rows {
                let missing = expr.columns().iter().any(|c| get(c).is_null(row));
                assert_eq!(found.is_null(row), missing, "{text}, row {row} of {rows}");
                if !missing {
                    let wanted = twin(x.value(row), y.value(row), i.value(row));
                    let value = found.value(row);
                    assert!(
                        value.to_bits() == wanted.to_bits() || (value.is_nan() && wanted.is_nan()),
                        "{text}: {value} is not {wanted}"
                    );
                }
            }
        }
    }
}

#[test]
fn whole_number_arithmetic_agrees_with_128_bits() {
    let mut random = Random(11);
    let rows = 500;
    let a: Vec<i64> = (0..rows).map(|_| random.i64()).collect();
    let b: Vec<i64> = (0..rows).map(|_| random.i64()).collect();
    let schema = Schema::new(["a", "b"].map(|n| Field::new(n, arrow::datatypes::DataType::Int64)).to_vec());
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int64Array::from(a.clone())), Arc::new(Int64Array::from(b.clone()))];
    let twins: [(&str, WholeTwin); 5] = [
        ("a + b", |a, b| Some(a + b)),
        ("a - b", |a, b| Some(a - b)),
        ("a * b", |a, b| Some(a * b)),
        ("a // b", |a, b| (b != 0).then(|| a.div_euclid(b) - i128::from(b < 0 && a.rem_euclid(b) != 0))),
        ("a % b", |a, b| {
            (b != 0).then(|| {
                let r = a.rem_euclid(b);
                if b < 0 && r != 0 { r + b } else { r }
            })
        }),
    ];
    for (text, twin) in twins {
        let found = run(&Expr::parse(text, &schema).unwrap(), &schema, &columns, rows);
        let found = found.as_primitive::<Int64Type>();
        for row in 0..rows {
            let wanted = twin(i128::from(a[row]), i128::from(b[row])).and_then(|v| i64::try_from(v).ok());
            let value = found.is_valid(row).then(|| found.value(row));
            assert_eq!(value, wanted, "{text} of {} and {}", a[row], b[row]);
        }
    }
}

#[test]
fn whole_numbers_compare_with_reals_as_mathematics_has_it() {
    let mut random = Random(13);
    let schema = Schema::new(vec![
        Field::new("a", arrow::datatypes::DataType::Int64),
        Field::new("b", arrow::datatypes::DataType::Float64),
    ]);
    /// `a < b` without rounding either: by the whole part, then by what is beyond it.
    fn less(a: i64, b: f64) -> bool {
        if b.is_nan() || b == f64::NEG_INFINITY {
            return false;
        }
        if b == f64::INFINITY {
            return true;
        }
        let floor = b.floor();
        if floor >= 9.3e18 {
            return true;
        }
        if floor <= -9.3e18 {
            return false;
        }
        let whole = floor as i128;
        i128::from(a) < whole || (i128::from(a) == whole && b > floor)
    }
    fn equal(a: i64, b: f64) -> bool {
        b.fract() == 0.0 && b.abs() < 9.3e18 && b as i128 == i128::from(a)
    }
    for _ in 0..300 {
        let a = random.i64();
        let b = if random.below(3) == 0 { a as f64 } else { random.f64() };
        let columns: Vec<ArrayRef> =
            vec![Arc::new(Int64Array::from(vec![a])), Arc::new(Float64Array::from(vec![b]))];
        let number = if b.is_nan() { "nan".to_owned() } else { format!("{b:?}") };
        for (sign, wanted) in [
            ("<", less(a, b)),
            ("<=", less(a, b) || equal(a, b)),
            (">", !b.is_nan() && !less(a, b) && !equal(a, b)),
            (">=", !b.is_nan() && !less(a, b)),
            ("==", equal(a, b)),
            ("!=", !equal(a, b)),
        ] {
            for text in [format!("a {sign} b"), format!("a {sign} {number}"), format!("{a} {sign} b")] {
                let found = run(&Expr::parse(&text, &schema).unwrap(), &schema, &columns, 1);
                assert_eq!(found.as_boolean().value(0), wanted, "{text} of {a} and {b:?}");
            }
        }
    }
}

#[test]
fn bounds_of_powers_hold_what_zeros_and_infinities_give() {
    let ends = [f64::NEG_INFINITY, -2.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0, f64::INFINITY];
    let schema = Schema::new(vec![Field::new("x", DataType::Float64), Field::new("y", DataType::Float64)]);
    let expr = Expr::parse("x ** y", &schema).unwrap();
    for (a, b) in ends.iter().flat_map(|a| ends.map(|b| (*a, b))) {
        for (c, d) in ends.iter().flat_map(|c| ends.map(|d| (*c, d))) {
            let x: ArrayRef = Arc::new(Float64Array::from(vec![a, a, b, b]));
            let y: ArrayRef = Arc::new(Float64Array::from(vec![c, d, c, d]));
            let columns = [x, y];
            let domain = expr.domain(&|name| bounds(&columns[schema.position(name).unwrap()]));
            let found = bounds(&run(&expr, &schema, &columns, 4));
            assert!(holds(domain, found), "{a} or {b} ** {c} or {d}: {domain:?} does not hold {found:?}");
        }
    }
}
