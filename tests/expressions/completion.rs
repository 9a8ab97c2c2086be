//! What is offered while someone types.

use outcrop::expr::{Completion, CompletionKind, Expr, call_around, complete};

use super::table;

fn offered(text: &str) -> Vec<Completion> {
    let cursor = text.find('|').unwrap();
    let text = text.replace('|', "");
    let found = complete(&text, cursor, &table().schema);
    for completion in &found {
        assert!(completion.replace.start <= cursor && cursor <= completion.replace.end, "{completion:?}");
        assert!(text.get(completion.replace.clone()).is_some(), "{completion:?}");
    }
    found
}

fn applied(text: &str) -> String {
    let first = offered(text).remove(0);
    let mut text = text.replace('|', "");
    text.replace_range(first.replace, &first.text);
    text
}

#[test]
fn letters_are_completed_to_columns_and_functions() {
    assert_eq!(applied("sqr|"), "sqrt(");
    assert_eq!(applied("1 + na|"), "1 + name");
    assert_eq!(applied("odd|"), "`odd name`");
    assert_eq!(applied("`odd|"), "`odd name`");
    assert_eq!(applied("`od|d` + 1"), "`odd name` + 1");
    assert_eq!(applied("sq|t(x)"), "sqrt(x)");
    assert_eq!(applied("x > 1 or|"), "x > 1 or");
    assert_eq!(applied("NAM|"), "name");
    assert_eq!(applied("str_lo|"), "str_lower(", "by another name");
    assert_eq!(applied("hvsn|"), "haversine(", "letters with others between");
    let first = offered("wai|").remove(0);
    assert_eq!((first.kind, first.signature.as_str()), (CompletionKind::Column, "a duration"));
    let first = offered("haver|").remove(0);
    assert_eq!(first.signature, "haversine(lon1, lat1, lon2, lat2, radius = 6371.0088)");
    assert!(first.doc.starts_with("The distance along the sphere"));
}

#[test]
fn methods_are_completed_by_their_namespace() {
    assert_eq!(applied("t.dt.ho|"), "t.dt.hour");
    assert_eq!(applied("name.str.low|"), "name.str.lower");
    assert_eq!(applied("name.str.contai|"), "name.str.contains(");
    assert!(offered("name.str.|").iter().all(|c| c.kind == CompletionKind::Function));
    assert!(offered("t.dt.|").iter().any(|c| c.name == "floor"));
    assert!(!offered("t.dt.|").iter().any(|c| c.name == "lower"));
}

#[test]
fn nothing_is_offered_within_texts_and_numbers() {
    assert_eq!(offered("name == 'na|"), []);
    assert_eq!(offered("12|"), []);
    assert_eq!(offered("1.|"), []);
    assert_eq!(offered("xyzzy|"), []);
    assert!(!offered("|").is_empty());
    assert!(!offered("name == 'a' and |").is_empty());
    // Any place in any text is answered without a panic.
    let text = "größe + `é` . 'ü' .str. lower(";
    for cursor in 0..text.len() + 2 {
        complete(text, cursor, &table().schema);
    }
}

#[test]
fn variables_are_completed_with_their_numbers() {
    let schema = table().schema.with_variables(vec![("limit".to_owned(), 2.5)]);
    let found = complete("x > lim", 7, &schema);
    let limit = found.iter().find(|completion| completion.name == "limit").unwrap();
    assert_eq!((limit.signature.as_str(), limit.text.as_str()), ("2.5", "limit"));
    assert!(complete("x > `lim", 8, &schema).iter().all(|completion| completion.name != "limit"));
}

#[test]
fn what_is_completed_can_be_read() {
    let t = table();
    for completion in offered("|").into_iter().filter(|c| c.kind == CompletionKind::Column) {
        assert!(Expr::parse(&completion.text, &t.schema).is_ok(), "{completion:?}");
    }
}

#[test]
fn the_call_around_a_place_is_found() {
    let around = |text: &str| {
        let cursor = text.find('|').unwrap();
        call_around(&text.replace('|', ""), cursor).map(|(function, argument)| (function.name, argument))
    };
    assert_eq!(around("hypot(|"), Some(("hypot", 0)));
    assert_eq!(around("1 + hypot(x, |y)"), Some(("hypot", 1)));
    assert_eq!(around("hypot(sqrt(x), (1 + 2) * |"), Some(("hypot", 1)));
    assert_eq!(around("hypot(x, y)|"), None);
    assert_eq!(around("(x|"), None);
    assert_eq!(around("log(')', |"), Some(("log", 1)));
    assert_eq!(around("x.log(|"), Some(("log", 1)));
    assert_eq!(around("name.str.contains(|").map(|(_, argument)| argument), Some(1));
    let text = "größe + `é(` . 'ü(' .str. lower([(,";
    for cursor in 0..text.len() + 2 {
        call_around(text, cursor);
    }
}
