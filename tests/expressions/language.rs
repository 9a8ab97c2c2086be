//! What can be written, and what is said about what cannot.

use outcrop::expr::{Expr, complete, quote_name, scalar};

use super::table;
use super::words::WORDS;
use crate::common::Random;

#[test]
fn a_tree_is_printed_as_text_that_reads_back_to_it() {
    let t = table();
    for (text, printed) in [
        ("x+1", "x + 1"),
        ("(x > 1) & (i == 1)", "x > 1 and i == 1"),
        ("x > 1 & i < 2 | flag", "x > 1 and i < 2 or flag"),
        ("x > 1 and (i < 2 or flag)", "x > 1 and (i < 2 or flag)"),
        ("0<x<5", "0 < x < 5"),
        ("x between 1 and 2", "1 <= x <= 2"),
        ("x not between 1 and 2", "x not between 1 and 2"),
        ("x not between l and null", "x not between l and null"),
        ("not (x between 1 and 2)", "not 1 <= x <= 2"),
        ("not 1 <= x <= 2 and notmissing(x)", "x not between 1 and 2"),
        ("x + 1 not in [1, 2]", "x + 1 not in [1, 2]"),
        ("(x not in [1]) not in [true]", "(x not in [1]) not in [true]"),
        ("2 not in [1]", "2 not in [1]"),
        ("flag and i not in [1]", "flag and i not in [1]"),
        ("not x not in [1]", "not x not in [1]"),
        ("between(x, 1, 2)", "1 <= x <= 2"),
        ("name like 'a%'", "like(name, 'a%')"),
        ("name NOT LIKE 'a%'", "not like(name, 'a%')"),
        ("flag is true", "flag == true"),
        ("flag IS NOT FALSE", "not flag == false"),
        ("contains(name, 'a', regex=false)", "contains(name, 'a', false)"),
        ("name.str.contains(regex = True, pattern = 'a')", "contains(name, 'a', true)"),
        ("find(name, 'a', end = 3)", "find(name, 'a', 0, 3)"),
        ("2**3**2", "2 ** 3 ** 2"),
        ("(2**3)^2", "(2 ** 3) ** 2"),
        ("-x**2", "-x ** 2"),
        ("(-2)**2", "(-2) ** 2"),
        ("-2**2", "-2 ** 2"),
        ("x - (1 - i)", "x - (1 - i)"),
        ("x - 1 - i", "x - 1 - i"),
        ("x.sqrt()", "sqrt(x)"),
        ("np.sqrt(x)", "sqrt(x)"),
        ("name.str.lower() == \"a'b\"", "lower(name) == 'a\\'b'"),
        ("t.dt.hour", "hour(t)"),
        ("`odd name` + `and`", "`odd name` + `and`"),
        ("name in ('a', 'b',)", "name in ['a', 'b']"),
        ("not name in ['a']", "not name in ['a']"),
        ("~flag", "not flag"),
        ("!flag && flag", "not flag and flag"),
        ("t > '2015-01-31 12:00'", "t > 2015-01-31T12:00:00"),
        ("i if flag else 0", "if(flag, i, 0)"),
        ("x IS NOT NULL", "not ismissing(x)"),
        ("x <> 1", "x != 1"),
        ("flag and 1 < x < 2", "flag and 1 < x < 2"),
        ("flag and 1 < x and x < 2", "flag and 1 < x and x < 2"),
        ("1 < x < i < 9", "1 < x < i < 9"),
        ("1_000 + 0xff", "1000 + 255"),
        ("x * -2", "x * -2"),
        ("--x", "--x"),
        ("pi * e", "3.141592653589793 * 2.718281828459045"),
    ] {
        let expr = t.parse(text);
        assert_eq!(expr.to_string(), printed, "{text}");
        let again = t.parse(printed);
        assert_eq!(again, expr, "{text}");
        assert_eq!(again.to_string(), printed, "{text}");
    }
}

#[test]
fn an_error_points_at_its_letter() {
    let t = table();
    for (text, span, message) in [
        ("x +", 3..3, "a value is expected here, but the text ends"),
        ("x + * 2", 4..5, "a value is expected here, not *"),
        ("sqr(x)", 0..3, "there is no function sqr; did you mean sqrt?"),
        ("1 + fla", 4..7, "there is no column fla; did you mean flag?"),
        ("hav(x)", 0..3, "there is no function hav; did you mean haversine?"),
        ("name in ['a', 1]", 14..15, "the items of a list are of one kind"),
        ("nmae == 'a'", 0..4, "there is no column nmae; did you mean name?"),
        ("x > 'a'", 4..7, "a number (float64) cannot be compared with text"),
        ("name > 1", 7..8, "text cannot be compared with a whole number (int64)"),
        ("(x + 1", 0..1, "this bracket is never closed with )"),
        ("x + 1)", 5..6, "this ) closes a bracket that was never opened"),
        ("x 1", 2..3, "an operator is expected here"),
        ("name == 'abc", 8..12, "this text has no closing '"),
        ("sqrt()", 0..6, "sqrt takes 1 argument, not 0: sqrt(x)"),
        ("sqrt(name)", 5..9, "a number is expected here, not text"),
        (
            "t > 'yesterday'",
            4..15,
            "'yesterday' is not a date; dates are written as 2015-01-31 or 2015-01-31T12:00",
        ),
        ("x and flag", 0..1, "a condition is expected here, not a number (float64)"),
        ("repeat(name, 20000)", 13..18, "20000 is more than the 10000 allowed here"),
        ("2x", 0..2, "2x is not a number; did you mean 2 * x?"),
        ("x ? 1 : 2", 2..3, "? has no meaning here; a choice is written if(condition, yes, no)"),
        ("", 0..0, "an expression is expected here"),
        ("hour", 0..4, "hour is a function: hour(time)"),
        (
            "name.str.contains('a', case=True)",
            23..27,
            "there is no column case, nor an argument of that name: contains(text, pattern, regex = true); did you mean date?",
        ),
        (
            "contains(text = name, 'a')",
            22..25,
            "arguments without a name stand before those with one: contains(text, pattern, regex = true)",
        ),
        (
            "contains(name, text = name)",
            15..26,
            "this argument is given twice: contains(text, pattern, regex = true)",
        ),
        (
            "name.contains(text = name)",
            14..25,
            "this argument stands before the dot: contains(text, pattern, regex = true)",
        ),
        ("find(name, end = 3)", 11..18, "part is needed, too: find(text, part, start = 0, end = end)"),
        (
            "x == null",
            0..9,
            "nothing equals null or differs from it; whether a value is missing tells is null; did you mean x is null?",
        ),
        (
            "flag and None <> x + 1",
            9..22,
            "nothing equals null or differs from it; whether a value is missing tells is not null; did you mean x + 1 is not null?",
        ),
        ("x is 1", 5..6, "null, nan, true or false is expected here: x is null"),
        ("between(x, 1)", 0..13, "three values are expected: between(x, 1, 2), or x between 1 and 2"),
        ("name == i0", 8..10, "there is no column i0, and a text stands in quotes; did you mean 'i0'?"),
        (
            "kind in [dog, cat]",
            9..12,
            "there is no column dog, and a text stands in quotes; did you mean 'dog'?",
        ),
        ("male == name", 0..4, "there is no column male, and a text stands in quotes; did you mean 'male'?"),
        ("x == i0", 5..7, "there is no column i0; did you mean i?"),
        (
            "x > 1e400",
            4..9,
            "1e400 is larger than any number, of which 1.8e308 is the largest; infinity is written inf",
        ),
        ("1e-400", 0..6, "1e-400 is nearer to 0 than any number, of which 5e-324 is the nearest"),
        ("1__0", 0..4, "an underscore stands alone between two digits; did you mean 10?"),
        ("x * 1_", 4..6, "an underscore stands alone between two digits; did you mean 1?"),
        (
            "if(nmae = 'a', 1, 0)",
            3..7,
            "there is no column nmae, nor an argument of that name: if(condition, yes, no); did you mean name?",
        ),
        ("if(nmae == 'a', 1, 0)", 3..7, "there is no column nmae; did you mean name?"),
        (
            "contains('abc',rjust('ab', 4, '*'))",
            15..34,
            "this regular expression cannot be read: repetition operator missing expression; did you mean '\\\\*\\\\*ab'?",
        ),
        (
            "contains(name, '(', true)",
            15..18,
            "this regular expression cannot be read: unclosed group; did you mean '\\\\('?",
        ),
    ] {
        let error = Expr::parse(text, &t.schema).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.span), (message, span), "{text}");
    }
    let text = "größe + naem";
    let error = Expr::parse(text, &t.schema).unwrap_err();
    assert!(error.pointed(text).starts_with("größe + naem\n^^^^^\n"), "{}", error.pointed(text));
}

#[test]
fn deep_and_long_texts_are_refused_politely() {
    let t = table();
    for text in [
        "(".repeat(100_000),
        "-".repeat(60_000),
        "not ".repeat(15_000),
        format!("{}x", "sqrt(".repeat(10_000)),
        "x".repeat(1 << 20),
        format!("x{}", "+x".repeat(20_000)),
        format!("x{}", "**x".repeat(20_000)),
        format!("x{}", ".sqrt()".repeat(5_000)),
        format!("x{}", " if flag else x".repeat(4_000)),
        "[".repeat(50_000),
    ] {
        let error = Expr::parse(&text, &t.schema).unwrap_err();
        assert!(error.message.len() < 200, "{}", error.message);
        assert!(error.pointed(&text).len() < 1000);
    }
    t.parse(&format!("x{}", " + x".repeat(400)));
    t.parse(&format!("{}x{}", "(".repeat(90), ")".repeat(90)));
}

#[test]
fn odd_names_are_quoted() {
    assert_eq!(quote_name("x"), "x");
    assert_eq!(quote_name("größe_2"), "größe_2");
    assert_eq!(quote_name("2x"), "`2x`");
    assert_eq!(quote_name("a`b"), "`a``b`");
    assert_eq!(quote_name("in"), "`in`");
    assert_eq!(quote_name(""), "``");
}

#[test]
fn substitution_keeps_types_and_shares_parts() {
    let t = table();
    let speed = t.parse("x / i");
    let expr = t.parse("x > 1 and x < 2").substitute(&|name| (name == "x").then(|| speed.clone()));
    assert_eq!(expr.to_string(), "x / i > 1 and x / i < 2");
    assert_eq!(expr.columns(), ["x", "i"]);
    // A constant keeps the type its column had.
    let expr = t.parse("f * x").substitute(&|name| (name == "x").then(|| t.parse("2.5")));
    assert_eq!(expr.to_string(), "f * float64(2.5)");
    assert_eq!(t.parse("f * float64(2.5)").data_type(), expr.data_type());
    // 200 levels of doubling are 200 shared parts, not 2^200.
    let mut doubled = t.parse("x");
    for _ in 0..200 {
        let before = doubled.clone();
        doubled = t.parse("x + x").substitute(&|_| Some(before.clone()));
    }
    assert_eq!(doubled.columns(), ["x"]);
    assert_eq!(t.array(&doubled).len(), 5);
}

#[test]
fn number_fields_take_arithmetic() {
    assert_eq!(scalar("2*pi").unwrap(), std::f64::consts::TAU);
    assert_eq!(scalar("1/3").unwrap(), 1.0 / 3.0);
    assert_eq!(scalar(" 1e6/3 ").unwrap(), 1e6 / 3.0);
    assert_eq!(scalar("-1.5e-3").unwrap(), -1.5e-3);
    assert_eq!(scalar("2^10").unwrap(), 1024.0);
    assert_eq!(scalar("math::sqrt(16)").unwrap(), 4.0);
    for wrong in ["", "1 +", "7 // 2", "2^3^2", "x", "true", "'a'"] {
        assert!(scalar(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn any_row_of_tokens_is_refused_in_place_or_printed_as_it_reads() {
    let t = table();
    let cases: u64 = std::env::var("FUZZ_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(3000);
    let mut random = Random::new(1);
    let mut next = |below: usize| random.below(below as u64) as usize;
    let mut read = 0;
    for _ in 0..cases {
        let mut text = String::new();
        for _ in 0..1 + next(7) {
            text.push_str(WORDS[next(WORDS.len())]);
            text.push_str(["", " "][next(2)]);
        }
        let place = next(text.len() + 1);
        complete(&text, place, &t.schema);
        match Expr::parse(&text, &t.schema) {
            Err(error) => {
                assert!(text.get(error.span.clone()).is_some(), "{text}: {error:?}");
                error.pointed(&text);
            }
            Ok(expr) => {
                read += 1;
                assert_eq!(t.parse(&expr.to_string()), expr, "{text} is printed as {expr}");
                t.array(&expr);
            }
        }
    }
    assert!(read > cases / 50, "{read} of {cases}");
}
