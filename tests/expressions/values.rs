//! Types and values.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, ListArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use outcrop::data::{Field, Schema, format_value};
use outcrop::expr::{Expr, Program};

use super::table;

#[test]
fn quotients_are_rounded_down_as_python_has_them_by_infinity_too() {
    let infinity = f64::INFINITY;
    for (a, b, quotient) in [
        (5.0, infinity, "0.0"),
        (-5.0, infinity, "-1.0"),
        (5.0, -infinity, "-1.0"),
        (-5.0, -infinity, "0.0"),
        (0.0, -infinity, "-0.0"),
        (infinity, 5.0, "-"),
        (-7.5, 2.0, "-4.0"),
        (1e300, -1e-300, "-inf"),
    ] {
        let schema =
            Schema::new(vec![Field::new("a", DataType::Float64), Field::new("b", DataType::Float64)]);
        let columns = [a, b].map(|v| Arc::new(Float64Array::from(vec![v])) as ArrayRef);
        let program = Program::compile(&[Expr::parse("a // b", &schema).unwrap()], &schema);
        let found = program.run(&columns, 1).unwrap().remove(0);
        let text = format!("{:?}", found.as_primitive::<Float64Type>().value(0));
        assert_eq!(text.replace("NaN", "-"), quotient, "{a} // {b}");
    }
}

#[test]
fn whole_numbers_never_wrap() {
    let t = table();
    assert_eq!(t.values("i + i"), "4294967294 0 -14 -4294967296 -");
    assert_eq!(t.values("l + 1"), "- 4 -7 -9223372036854775807 -");
    assert_eq!(t.values("l * 2"), "- 6 -16 - -");
    assert_eq!(t.values("-l"), "-9223372036854775807 -3 8 - -");
    assert_eq!(t.values("abs(l)"), "9223372036854775807 3 8 - -");
    assert_eq!(t.values("u + 1"), "- 2 1 9223372036854775809 -");
    assert_eq!(t.values("u - 1"), "- 0 -1 9223372036854775807 -");
    assert_eq!(t.values("-u"), "- -1 0 -9223372036854775808 -");
    assert_eq!(t.values("s - 1"), "-129 -2 -1 126 -");
    assert_eq!(t.values("b ** 2"), "0 1 40000 65025 -");
    assert_eq!(t.values("l // 0"), "- - - - -");
    assert_eq!(t.values("l // -1"), "-9223372036854775807 -3 8 - -");
    assert_eq!(t.values("l % -1"), "0 0 0 0 -");
    assert_eq!(t.values("i // 2"), "1073741823 0 -4 -1073741824 -");
    assert_eq!(t.values("i % 4"), "3 0 1 0 -");
    assert_eq!(t.values("i % -4"), "-1 0 -3 0 -");
}

#[test]
fn division_is_real() {
    let t = table();
    assert_eq!(t.values("b / 2"), "0.0 0.5 100.0 127.5 -");
    assert_eq!(t.values("`odd name` / 0"), "inf inf inf inf -");
}

#[test]
fn comparisons_follow_ieee_and_are_false_of_missing_values() {
    let t = table();
    assert_eq!(t.values("x == 0"), "false true false false false");
    assert_eq!(t.values("x == x"), "true true false true false");
    assert_eq!(t.values("x != x"), "false false true false false");
    assert_eq!(t.values("x > 1"), "true false false true false");
    assert_eq!(t.values("not (x > 1)"), "false true true false true");
    assert_eq!(t.values("0 <= x < 2"), "true true false false false");
    assert_eq!(t.values("x > 1 & i < 0"), "false false false true false");
    assert_eq!(t.values("flag or true"), "true true true true true");
    assert_eq!(t.values("flag and false"), "false false false false false");
    assert_eq!(t.values("f == 0.1"), "true false false false false");
}

#[test]
fn truth_values_in_a_list_count_as_one_and_zero_beside_numbers() {
    let t = table();
    assert_eq!(t.values("i in [true]"), t.values("i == 1"));
    assert_eq!(t.values("x in [2 <= 2, false]"), t.values("x == 1 or x == 0"));
    assert_eq!(t.values("flag in [true]"), t.values("flag == true"));
    assert_eq!(t.values("2 in [2 <= 2]"), "false false false false false");
}

#[test]
fn whole_and_real_numbers_are_compared_exactly() {
    let t = table();
    assert_eq!(t.values("l > 9223372036854775806.5"), "false false false false false");
    assert_eq!(t.values("l < 9223372036854775808.0"), "true true true true false");
    assert_eq!(t.values("l == 9.223372036854775807e18"), "false false false false false");
    assert_eq!(t.values("u > 9223372036854775807"), "true false false true false");
    assert_eq!(t.values("u > l"), "true false true true false");
    assert_eq!(t.values("l < float64(l)"), "true false false false false");
    assert_eq!(t.values("b < 300"), "true true true true false");
    assert_eq!(t.values("b > -1"), "true true true true false");
    assert_eq!(t.values("b == 0.5"), "false false false false false");
    assert_eq!(t.values("b != 0.5"), "true true true true false");
    assert_eq!(t.values("b < nan"), "false false false false false");
    assert_eq!(t.values("s < 0.5"), "true true true false false");
    assert_eq!(t.values("s <= -1.5"), "true false false false false");
    assert_eq!(t.values("`odd name` in [1.5]"), "false false false false false");
    assert_eq!(t.values("`odd name` in [1, 4.0]"), "true false false true false");
    assert_eq!(t.values("x in [0, nan]"), "false true false false false");
}

#[test]
fn single_precision_stays_single_unless_asked() {
    let t = table();
    let kind = |text: &str| t.parse(text).data_type().to_string();
    assert_eq!(kind("f * 2.5"), "Float32");
    assert_eq!(kind("sqrt(f) + 2*pi"), "Float32");
    assert_eq!(kind("f + b"), "Float32");
    assert_eq!(kind("f + i"), "Float64");
    assert_eq!(kind("f + x"), "Float64");
    assert_eq!(kind("float64(f) ** 2"), "Float64");
    assert_eq!(kind("f * 1e300"), "Float64");
    assert_eq!(kind("f + float64(2)"), "Float64");
    assert_eq!(kind("i / 2"), "Float64");
}

#[test]
fn texts_compare_plain_and_in_dictionaries() {
    let t = table();
    for column in ["name", "kind"] {
        assert_eq!(t.values(&format!("{column} == 'bee'")), "false true false false false");
        assert_eq!(t.values(&format!("{column} >= 'a'")), "false true false false false");
        assert_eq!(t.values(&format!("'a' <= {column}")), "false true false false false");
        assert_eq!(t.values(&format!("{column} in ['bee', 'Ant']")), "true true false false false");
        assert_eq!(t.values(&format!("{column}.str.lower()")), "ant bee  größe -");
        assert_eq!(t.values(&format!("len({column})")), "3 3 0 5 -");
        assert_eq!(t.values(&format!("{column}.str.contains('e')")), "false true false true -");
        assert_eq!(t.values(&format!("{column} == name")), "true true true true false");
        assert_eq!(t.values(&format!("{column} + '!'")), "Ant! bee! ! Größe! -");
        assert_eq!(t.values(&format!("contains({column}, '^.e', true)")), "false true false false -");
    }
}

#[test]
fn times_compare_with_dates_in_any_unit_and_zone() {
    let t = table();
    assert_eq!(t.values("t == '2015-01-31T12:00'"), "true false false false false");
    assert_eq!(t.values("t > 2015-01-31"), "true false false true false");
    assert_eq!(t.values("t <= 2015-01-31"), "false true true false false");
    assert_eq!(t.values("t < 1970-01-01"), "false false true false false");
    assert_eq!(t.values("date == '2015-01-31'"), "true false false false false");
    assert_eq!(t.values("date < 2015-01-30T12:00"), "false true true true false");
    assert_eq!(t.values("z == '2015-01-31T01:00'"), "true false false false false");
    assert_eq!(t.values("z == 2015-01-31T00:00Z"), "true false false false false");
    assert_eq!(t.values("hour(z)"), "1 1 0 0 -");
    assert_eq!(t.values("t.dt.hour"), "12 0 23 0 -");
    assert_eq!(t.values("hour(t)"), "12 0 23 0 -");
    assert_eq!(t.values("year(date)"), "2015 1970 1969 2015 -");
    assert_eq!(t.values("date in ['2015-01-31']"), "true false false false false");
    assert_eq!(t.values("wait > t - t"), "true false false true false");
    assert_eq!(t.values("date == t"), "false true false false false");
}

#[test]
fn vectors_over_many_rows_agree_with_one_row_at_a_time() {
    let t = table();
    assert_eq!(t.values("if(x > 1, i, 0)"), "2147483647 0 0 -2147483648 0");
    assert_eq!(t.values("i if x > 1 else 0"), "2147483647 0 0 -2147483648 0");
    assert_eq!(t.values("coalesce(x, -1)"), "1.5 -0.0 NaN inf -1.0");
    assert_eq!(t.values("x is null"), "false false false false true");
    assert_eq!(t.values("isna(x)"), "false false true false true");
    assert_eq!(t.values("sqrt((float64(f) - 2)**2 + x**2)").split(' ').nth(1), Some("0.0"));
    assert_eq!(t.values("2 + 3 * 4"), "14 14 14 14 14");
}

#[test]
fn long_lists_find_what_short_ones_do() {
    let t = table();
    let more = "101, 102, 103, 104, 105, 106, 107";
    for (column, few) in [
        ("x", "0, nan, 1.5"),
        ("x", "0"),
        ("f", "0.1, 2"),
        ("i", "0, -7"),
        ("l", "3, -8"),
        ("u", "1, 0"),
        ("b", "200"),
        ("l", "3.5, 3"),
    ] {
        let (short, long) = (format!("{column} in [{few}]"), format!("{column} in [{few}, {more}, null]"));
        assert_eq!(t.values(&short), t.values(&long), "{long}");
        assert!(t.values(&long).contains("true"), "{long}");
    }
    for column in ["name", "kind"] {
        let long = format!("{column} in ['bee', 'c', 'd', 'e', 'f', 'g', 'h', '']");
        assert_eq!(t.values(&long), "false true true false false");
    }
    assert_eq!(t.values("t in ['2015-01-31T12:00', 1970-01-01, 1971-01-01, 1972-01-01, 1973-01-01, 1974-01-01, 1975-01-01]"), "true true false false false");
    assert_eq!(
        t.values("float64(l) in [9223372036854775807, 1, 2, 4, 5, 6, 7]"),
        "false false false false false"
    );
}

#[test]
fn what_does_not_fit_is_counted() {
    let t = table();
    let overflowed = |text: &str| {
        let program = Program::compile(&[t.parse(text)], &t.schema);
        let columns: Vec<ArrayRef> = program.columns().iter().map(|i| t.arrays[*i].clone()).collect();
        program.run_counting(&columns, 5).unwrap().1[0]
    };
    for (text, count) in [
        ("l + 1", 1),
        ("l * 2", 2),
        ("-l", 1),
        ("abs(l)", 1),
        ("l // 0", 0),
        ("1 // 0", 0),
        ("7 // (1 - 1) + l", 0),
        ("l // -1", 1),
        ("l // `odd name`", 0),
        ("l % -1", 0),
        ("u + 1", 1),
        ("u - 1", 1),
        ("u + l", 2),
        ("i + i", 0),
        ("l + null", 0),
        ("l * 2.0", 0),
        ("9223372036854775807 + 1", 5),
        ("coalesce(l * 2, 0) + l * 2", 2),
    ] {
        assert_eq!(overflowed(text), count, "{text}");
    }
}

#[test]
fn lists_are_summed_counted_and_taken_apart() {
    let items = |list: &[Option<i64>]| Some(list.to_vec());
    let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([
        items(&[Some(1), Some(2)]),
        items(&[]),
        None,
        items(&[None, Some(i64::MAX), Some(1)]),
        items(&[None]),
    ]));
    let large = arrow::compute::cast(
        &lists,
        &DataType::LargeList(Arc::new(arrow::datatypes::Field::new("item", DataType::Float64, true))),
    )
    .unwrap();
    let arrays = [lists.slice(0, 5), large];
    let schema = Schema::new(
        arrays.iter().zip(["l", "r"]).map(|(a, name)| Field::new(name, a.data_type().clone())).collect(),
    );
    let values = |text: &str| {
        let program = Program::compile(&[Expr::parse(text, &schema).unwrap()], &schema);
        let columns: Vec<ArrayRef> = program.columns().iter().map(|i| arrays[*i].clone()).collect();
        let (mut found, overflowed) = program.run_counting(&columns, 5).unwrap();
        let found = found.remove(0);
        let cells: Vec<String> = (0..5).map(|i| format_value(&found, i).unwrap_or("-".to_owned())).collect();
        (cells.join(" "), overflowed[0])
    };
    assert_eq!(values("list_sum(l)"), ("3 0 - - 0".to_owned(), 1));
    assert_eq!(values("r.array_sum()"), ("3.0 0.0 - 9.223372036854776e18 0.0".to_owned(), 0));
    assert_eq!(values("list_length(r)"), ("2 0 - 3 1".to_owned(), 0));
    assert_eq!(values("getitem(l, 0)").0, "1 - - - -");
    assert_eq!(values("getitem(l, -1)").0, "2 - - 1 -");
    assert_eq!(values("getitem(r, list_length(l) - 2)").0, "1.0 - - 9.223372036854776e18 -");
    assert_eq!(values("getitem(l, 9223372036854775807)").0, "- - - - -");
    assert_eq!(values("getitem(l, -9223372036854775807)").0, "- - - - -");
    let refused = |text: &str| Expr::parse(text, &schema).unwrap_err().to_string();
    assert!(refused("l == 1").contains("a list of a whole number (int64) cannot be compared"));
    assert!(refused("l[0]").contains("an item of a list getitem(x, 0)"));
    assert!(refused("list_sum(1)").contains("a list is expected here, not a whole number"));
    assert!(refused("list_sum(['a'])").contains("a list of numbers is expected here, not of text"));
}

#[test]
fn the_values_of_a_row_make_a_list() {
    let t = table();
    assert_eq!(t.values("list_sum([s, 0.5])"), "-127.5 -0.5 0.5 127.5 0.5");
    assert_eq!(t.values("list_sum(stack([b, s, 1]))"), "-127 1 201 383 1");
    assert_eq!(t.values("getitem([name, 'x'], 0)"), "Ant bee  Größe -");
    assert_eq!(t.values("dot_product([b, s], [2, 1])"), "-128 1 400 637 -");
    assert_eq!(t.values("dot_product([x, 1], [1, 0.5])"), "2.0 0.5 NaN inf -");
    assert_eq!(t.values("str_join([name, kind], '-')"), "Ant-Ant bee-bee - Größe-Größe -");
    assert_eq!(t.values("['a', null].str.join(name)"), "aAnt abee a aGröße -");
    let refused = |text: &str| {
        let error = Expr::parse(text, &t.schema).unwrap_err();
        (error.to_string(), text[error.span].to_owned())
    };
    let (error, place) = refused("dot_product([x, 1], [1, 2, 3])");
    assert!(error.contains("2 items are expected here as before, not 3") && place == "[1, 2, 3]", "{error}");
    let (error, place) = refused("[x, 'a']");
    assert!(error.contains("is expected here as before, not text") && place == "'a'", "{error}");
    let (error, place) = refused("[x, [1]]");
    assert!(error.contains("a value of a row is expected here, not a list") && place == "[1]", "{error}");
    let (error, place) = refused("str_join([x, 1], ',')");
    assert!(error.contains("a list of texts is expected") && place == "[x, 1]", "{error}");
    let (error, place) = refused("x in [l, 1]");
    assert!(error.contains("constant") && place == "[l, 1]", "{error}");
}

#[test]
fn a_product_of_lists_that_does_not_fit_is_counted_and_one_that_has_no_partner_is_not() {
    let items = |list: &[Option<i64>]| Some(list.to_vec());
    let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([
        items(&[Some(1), Some(2)]),
        items(&[Some(i64::MAX), Some(2)]),
        None,
        items(&[None, Some(1)]),
        items(&[Some(1)]),
    ]));
    let schema = Schema::new(vec![Field::new("l", lists.data_type().clone())]);
    let program = Program::compile(&[Expr::parse("dot_product(l, [3, 4])", &schema).unwrap()], &schema);
    let (found, overflowed) = program.run_counting(&[lists], 5).unwrap();
    let cells: Vec<String> = (0..5).map(|i| format_value(&found[0], i).unwrap_or("-".to_owned())).collect();
    assert_eq!((cells.join(" ").as_str(), &overflowed[..]), ("11 - - - -", &[1][..]));
}

#[test]
fn parts_of_a_structure_are_values_like_any_other() {
    let t = table();
    for text in ["pair.a", "struct_get(pair, 'a')", "pair.struct.get('a')", "struct_get(pair, 0)"] {
        assert_eq!(t.values(text), "7 - -1 0 -", "{text}");
        assert_eq!(t.parse(text).columns(), ["pair"]);
    }
    assert_eq!(t.values("pair.b.upper() + 'x'"), "Px Qx - x -");
    assert_eq!(t.values("struct_project(pair, ['b']).b"), "p q -  -");
    assert_eq!(t.values("struct_get(struct_project(pair, ['b', 'a']), 1) + 1"), "8 - 0 1 -");
    assert_eq!(t.values("pair is null"), "false false false false true");
    let refused = |text: &str| {
        let error = Expr::parse(text, &t.schema).unwrap_err();
        (error.message, text[error.span].to_owned(), error.suggestion)
    };
    let (message, place, _) = refused("1 + pair.c");
    assert_eq!((message.as_str(), place.as_str()), ("this structure has no part c, only a, b", "c"));
    assert_eq!(refused("struct_get(pair, 'aa')").2.as_deref(), Some("'a'"));
    assert_eq!(refused("pair.aa").2.as_deref(), Some("a"));
    assert_eq!(refused("struct_get(pair, 2)").0, "this structure has no part 2; from 0 on they are a, b");
    assert_eq!(refused("struct_get(x, 'a')").0, "a structure is expected here, not a number (float64)");
    assert_eq!(refused("struct_get(pair, name)").1, "name");
    assert!(refused("pair + 1").0.contains("not a structure of a, b"));
}

#[test]
fn codes_of_a_dictionary_are_told() {
    let t = table();
    assert_eq!(t.values("index_values(kind)"), "0 1 2 3 -");
    let error = Expr::parse("index_values(name)", &t.schema).unwrap_err();
    assert!(error.message.contains("a dictionary column is expected here, not text"), "{error}");
}

#[test]
fn equal_values_have_equal_hashes() {
    let t = table();
    assert_eq!(t.values("hash(l) == hash(float64(l))"), "false true true true false");
    assert_eq!(t.values("hash(b) == hash(float32(b))"), "true true true true false");
    assert_eq!(t.values("hash(x) == hash(0)"), "false true false false false");
    assert_eq!(t.values("hash(flag) == hash(1)"), "true false true false false");
    assert_eq!(t.values("hash(name) == hash(kind)"), "true true true true false");
    assert_eq!(t.values("hash(date) == hash(2015-01-31)"), "true false false false false");
    assert_eq!(t.values("hash(t) == hash(2015-01-31T12:00)"), "true false false false false");
}
