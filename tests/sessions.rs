//! A user's day, replayed without a window.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};
use outcrop::dataset::Dataset;
use outcrop::session::{
    Command, FilterSpec, Gesture, PredicateSpec, Request, Session, ThemeChoice, ViewKind, persist,
};

use crate::common::table;

fn demo() -> Arc<Dataset> {
    table(vec![
        ("x", Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0])) as ArrayRef),
        ("y", Arc::new(Float64Array::from(vec![4.0, 5.0, 6.0]))),
        ("kind", Arc::new(StringArray::from(vec!["a", "b", "a \"quoted\""]))),
    ])
}

fn open() -> Session {
    let mut session = Session::new();
    let path = PathBuf::from("demo.arrow");
    assert_eq!(session.apply(Command::Open(path.clone())), [Request::Open(path.clone())]);
    session.apply(Command::Opened { path, result: Ok(demo()) });
    session
}

fn interval(lo: f64, hi: f64) -> FilterSpec {
    FilterSpec::new(PredicateSpec::Interval { expr: "x".to_owned(), lo, hi })
}

#[test]
fn opening_a_file_builds_a_first_scene() {
    let session = open();
    let kinds: Vec<ViewKind> = session.document().views.iter().map(|view| view.kind).collect();
    use ViewKind::{Bars, Heatmap, Histogram, Rows};
    assert_eq!(kinds, [Histogram, Histogram, Bars, Heatmap, Rows]);
    let placed: usize = session.document().layout.columns.iter().map(|column| column.cells.len()).sum();
    assert_eq!(placed, 5);
}

#[test]
fn a_view_is_filtered_by_every_brush_but_its_own() {
    let mut session = open();
    session.apply(Command::SetFilter(interval(1.0, 2.0), Gesture::Begin));
    let views = session.document().views.clone();
    assert_eq!(session.selection().clauses().len(), 1);
    assert!(session.selection_for(&views[0]).is_all(), "the histogram of x itself");
    for view in &views[1..] {
        assert_eq!(session.selection_for(view).clauses().len(), 1, "{}", view.title());
    }
}

#[test]
fn a_drag_is_one_step_of_undo() {
    let mut session = open();
    let before = session.document().clone();
    session.apply(Command::SetFilter(interval(1.0, 2.0), Gesture::Begin));
    session.apply(Command::SetFilter(interval(1.0, 3.0), Gesture::Continue));
    session.apply(Command::SetFilter(interval(1.0, 4.0), Gesture::Continue));
    let after = session.document().clone();
    assert_eq!(after.filters, [interval(1.0, 4.0)]);
    session.apply(Command::Undo);
    assert_eq!(session.document(), &before);
    assert!(session.selection().is_all());
    session.apply(Command::Redo);
    assert_eq!(session.document(), &after);
    assert!(!session.can_redo());
}

#[test]
fn filters_are_toggled_inverted_and_cleared() {
    let mut session = open();
    session.apply(Command::SetFilter(interval(1.0, 2.0), Gesture::Begin));
    session.apply(Command::ToggleFilter(0));
    assert!(session.selection().is_all());
    session.apply(Command::ToggleFilter(0));
    session.apply(Command::InvertFilter(0));
    assert!(session.selection().clauses()[0].inverted);
    session.apply(Command::ClearFilters);
    assert!(session.document().filters.is_empty());
    session.apply(Command::RemoveFilter(7));
}

#[test]
fn categories_of_any_text_become_a_clause_on_their_axis() {
    let mut session = open();
    let values = vec!["a".to_owned(), "a \"quoted\"".to_owned()];
    let predicate = PredicateSpec::Categories { expr: "kind".to_owned(), values, missing: true };
    session.apply(Command::SetFilter(FilterSpec::new(predicate), Gesture::Begin));
    assert!(session.filters()[0].clause.is_ok(), "{:?}", session.filters()[0].clause);
    let bars = session.document().views[2].clone();
    assert!(session.selection_for(&bars).is_all());
    assert_eq!(session.filter_of(&bars).unwrap().0, 0);
}

#[test]
fn virtual_columns_follow_undo_and_refuse_cycles() {
    let mut session = open();
    let define =
        |name: &str, text: &str| Command::DefineColumn { name: name.to_owned(), text: text.to_owned() };
    session.apply(define("s", "x + y"));
    session.apply(define("d", "s * 2"));
    assert!(session.dataset().unwrap().schema().field("d").is_some());
    session.apply(define("s", "d + 1"));
    assert!(session.notice().unwrap().text.contains("s → d → s"), "{:?}", session.notice());
    session.apply(Command::RemoveColumn("s".to_owned()));
    assert!(session.dataset().unwrap().schema().field("s").is_some(), "d uses it");
    session.apply(Command::Undo);
    assert!(session.dataset().unwrap().schema().field("d").is_none());
}

#[test]
fn a_file_that_does_not_open_leaves_what_is_open_as_it_was() {
    let mut session = open();
    let before = session.document().clone();
    let path = PathBuf::from("gone.hdf5");
    session.apply(Command::Open(path.clone()));
    session.apply(Command::Opened { path, result: Err("gone.hdf5: no such file".to_owned()) });
    assert_eq!(session.document(), &before);
    assert_eq!(session.notice().unwrap().text, "gone.hdf5: no such file");
}

#[test]
fn a_session_survives_its_text() {
    let mut session = open();
    session.apply(Command::SetTheme(ThemeChoice::Dark));
    session.apply(Command::SetFilter(interval(-0.0, f64::INFINITY), Gesture::Begin));
    session.apply(Command::SetFilter(
        FilterSpec::new(PredicateSpec::Rect {
            x: "x".to_owned(),
            x_range: [1.5e-8, 2.5e-8],
            y: "y".to_owned(),
            y_range: [0.1, 0.3],
        }),
        Gesture::Begin,
    ));
    session.apply(Command::DefineColumn { name: "odd `name`\n".to_owned(), text: "x * 2".to_owned() });
    let text = persist::to_text(session.document());
    assert_eq!(&persist::from_text(&text).unwrap(), session.document(), "{text}");
}

#[test]
fn a_variable_is_set_changed_taken_back_and_kept_while_a_column_needs_it() {
    let mut session = open();
    let set = |name: &str, value: f64| Command::SetVariable {
        name: name.to_owned(),
        value,
        gesture: Gesture::Begin,
    };
    session.apply(set("limit", 2.5));
    let define = Command::DefineColumn { name: "above".to_owned(), text: "x > limit".to_owned() };
    session.apply(define);
    assert!(session.notice().is_none());
    let text = persist::to_text(session.document());
    assert!(text.contains("limit = 2.5"), "{text}");
    assert_eq!(persist::from_text(&text).unwrap().variables, session.document().variables);
    session.apply(set("limit", 4.0));
    assert_eq!(session.expr("above").unwrap().to_string(), "above");
    assert_eq!(session.expr("limit").unwrap().to_string(), "4.0");
    session.apply(Command::Undo);
    assert_eq!(session.document().variables["limit"], 2.5);
    session.apply(Command::RemoveVariable("limit".to_owned()));
    assert_eq!(session.document().variables["limit"], 2.5);
    assert!(session.notice().is_some_and(|notice| notice.text.contains("limit")));
    for wrong in ["x", "two words", "and"] {
        session.apply(Command::DismissNotice);
        session.apply(set(wrong, 1.0));
        assert!(session.notice().is_some() && !session.document().variables.contains_key(wrong), "{wrong}");
    }
}

#[test]
fn a_name_is_changed_wherever_it_is_used_and_what_is_used_is_not_lost() {
    let mut session = open();
    let set = |name: &str, value: f64| {
        let name = name.to_owned();
        Command::SetVariable { name, value, gesture: Gesture::Begin }
    };
    let rename = |from: &str, to: &str| Command::Rename { from: from.to_owned(), to: to.to_owned() };
    session.apply(set("limit", 2.5));
    session.apply(Command::DefineColumn { name: "far".to_owned(), text: "x * limit".to_owned() });
    session.apply(Command::DefineColumn { name: "farther".to_owned(), text: "far + y".to_owned() });
    let text = "far > limit".to_owned();
    session.apply(Command::SetFilter(FilterSpec::new(PredicateSpec::Where { text }), Gesture::Begin));
    let before = session.document().clone();
    let passing = session.selection().clone();
    for (name, users) in [("limit", "the column far, a filter"), ("far", "the column farther, a filter")] {
        let is_variable = name == "limit";
        let name = name.to_owned();
        let lose = if is_variable { Command::RemoveVariable(name) } else { Command::RemoveColumn(name) };
        session.apply(lose);
        let notice = session.notice().map(|notice| notice.text.clone()).unwrap_or_default();
        assert!(notice.contains(users), "{notice}");
        assert_eq!(session.document(), &before);
        session.apply(Command::DismissNotice);
    }
    for (from, to) in
        [("far", "x"), ("far", "limit"), ("limit", "farther"), ("far", "pi"), ("limit", "two words")]
    {
        session.apply(rename(from, to));
        assert!(session.notice().is_some(), "{from} is not to be called {to}");
        assert_eq!(session.document(), &before);
        session.apply(Command::DismissNotice);
    }
    session.apply(rename("far", "far away"));
    session.apply(rename("limit", "most"));
    assert_eq!(session.notice(), None);
    let columns: Vec<_> = session
        .document()
        .columns
        .iter()
        .map(|column| (column.name.as_str(), column.text.as_str()))
        .collect();
    assert_eq!(columns, [("far away", "x * most"), ("farther", "`far away` + y")]);
    assert_eq!(
        session.filters()[0].spec.predicate,
        PredicateSpec::Where { text: "`far away` > most".to_owned() }
    );
    assert!(session.filters()[0].clause.is_ok() && session.selection().clauses().len() == 1);
    session.apply(Command::Undo);
    session.apply(Command::Undo);
    assert_eq!((session.document(), session.selection()), (&before, &passing));
}

#[test]
fn a_bad_session_text_is_refused_with_its_line() {
    let later = persist::from_text("version = 99\n").unwrap_err();
    assert_eq!(later, persist::PersistError::Version { found: 99 });
    let wrong = persist::from_text("version = 1\n\nthem = \"dark\"\n").unwrap_err().to_string();
    assert!(wrong.contains("line 3") && wrong.contains("them"), "{wrong}");
    assert!(persist::from_text("\u{89}HDF").is_err());
    assert!(persist::from_text(&" ".repeat(persist::MAX_BYTES + 1)).is_err());
}
