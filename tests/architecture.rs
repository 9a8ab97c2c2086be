//! The walls of the house stand. Every wall is also tried by breaking it on purpose, so that the check
//! cannot rot.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A file that belongs to the repository.
pub(crate) fn repository(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// Most lines a file may have.
const MAX_LINES: usize = 600;

/// What stays in its rooms: words of the code, the rooms (or files) that may use them, and why.
const FENCES: &[(&[&str], &[&str], &str)] = &[
    (&["egui", "eframe", "egui_extras"], &["views", "app"], "only these paint"),
    (&["rfd"], &["app"], "dialogs belong to the window"),
    (
        &["std::thread", "thread::spawn", "thread::scope", "thread::Builder", "mpsc"],
        &["engine", "app", "cli/progress.rs", "formats/hdf5/mod.rs", "formats/hdf5/library.rs"],
        "the engine alone knows now and later; three more draw a bar, have a deep stack, wait for a child",
    ),
    (&["rayon"], &["query"], "one loop over rows"),
    (
        &["std::fs", "fs::", "File::", "OpenOptions"],
        &["memory", "formats", "export", "engine", "cli"],
        "the disk is outside the walls",
    ),
    (&["memmap2"], &["memory"], "bytes have one owner"),
    (&["hdf5_pure"], &["formats"], "strange types end at the border"),
    (
        &["unsafe"],
        &["memory", "kernel", "formats/hdf5/copy.rs"],
        "what nobody can check is written down once; the C library is called in a child process",
    ),
    (&["process::Command", "Stdio", "current_exe"], &["formats"], "one child process, for the C library"),
    (&["hdf5", "hdf5_sys"], &["formats"], "strange types end at the border"),
    (&["plotters"], &["export"], "pictures without a window are drawn in one place"),
    (&["clap", "indicatif"], &["cli"], "the terminal is one room"),
    (&["Engine"], &["engine", "app"], "views and session see answers, not the engine"),
    (&["todo!", "unimplemented!", "dbg!"], &[], "nothing is left half done"),
];

#[test]
fn a_room_uses_lower_rooms_only() {
    let plan = Plan::of_the_house();
    each_file(|path, text| uses_of_higher_rooms(&plan, path, &code_of(text)));
}

#[test]
fn what_is_fenced_stays_in_its_rooms() {
    each_file(|path, text| broken_fences(path, &code_of(text)));
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    each_file(malformed);
    each_file_under("tests", malformed);
}

#[test]
fn every_room_is_on_the_plan() {
    let plan = Plan::of_the_house();
    let found: Vec<String> = std::fs::read_dir(repository("src"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(misplanned(&plan, &lib_rs(), &found), Vec::<String>::new());
}

#[test]
fn a_use_of_a_higher_or_equal_room_is_found() {
    let plan = Plan::of(PLAN);
    let uses = |path, text| uses_of_higher_rooms(&plan, path, &code_of(text)).len();
    assert_eq!(uses("middle/mod.rs", "use crate::low::Thing;"), 0);
    assert_eq!(uses("middle/mod.rs", "use crate::middle::other;"), 0);
    assert_eq!(uses("middle/mod.rs", "use crate::high::Thing;"), 1);
    assert_eq!(uses("middle/mod.rs", "fn f() { crate::high::g() }"), 1);
    assert_eq!(uses("middle/mod.rs", "use crate::{low, high::{A, B}, twin as t};"), 2);
    assert_eq!(uses("middle/mod.rs", "use crate :: high;"), 1);
    assert_eq!(uses("twin.rs", "use crate::middle::Thing;"), 1, "rooms of one floor are strangers");
    assert_eq!(uses("middle/deep.rs", "use super::super::high::Thing;"), 1);
    assert_eq!(uses("middle/mod.rs", "use super::high::Thing;"), 1);
    assert_eq!(uses("middle/deep.rs", "use super::Thing;"), 0);
    assert_eq!(uses("middle/mod.rs", "use crate::unknown::Thing;"), 1);
    assert_eq!(
        uses("middle/mod.rs", "// crate::high\n/// [`crate::high`]\nfn f() { g(\"crate::high::x\") }"),
        0
    );
    assert_eq!(uses("middle/mod.rs", "#[cfg(test)]\nmod tests { use crate::high::Thing; }"), 0);
    assert_eq!(uses("middle/mod.rs", "#[cfg(test)]\nmod tests { }\nuse crate::high;"), 1);

    let mut plan = Plan::of(PLAN);
    for path in ["low.rs", "high/mod.rs"] {
        let text = format!("#[macro_export]\nmacro_rules! {}_macro {{}}", room_of(path));
        plan.macros.extend(exported_macros(path, &text));
    }
    let uses = |text| uses_of_higher_rooms(&plan, "middle/mod.rs", text).len();
    assert_eq!(uses("use crate::low_macro;"), 0);
    assert_eq!(uses("use crate::high_macro;"), 1);
}

#[test]
fn a_broken_fence_is_found() {
    let broken = |path, text| broken_fences(path, &code_of(text)).len();
    let attempts = [
        ("session/mod.rs", "use egui::Ui;", "views/mod.rs"),
        ("views/mod.rs", "fn f() { std::thread::spawn(g); }", "engine/worker.rs"),
        ("views/mod.rs", "use std::sync::mpsc::sync_channel;", "engine/mod.rs"),
        ("formats/csv.rs", "use rayon::prelude::*;", "query/scan.rs"),
        ("session/persist.rs", "fn f() { std::fs::read(p); }", "export/mod.rs"),
        ("query/scan.rs", "let f = File::open(p);", "formats/mod.rs"),
        ("query/scan.rs", "unsafe { x() }", "kernel/bin.rs"),
        ("formats/arrow.rs", "memmap2::Mmap::map(f)", "memory/mapped.rs"),
        ("views/mod.rs", "fn f(engine: &mut Engine) {}", "app/mod.rs"),
        ("app/mod.rs", "use plotters::prelude::*;", "export/picture.rs"),
    ];
    for (wrong, text, right) in attempts {
        assert_ne!(broken(wrong, text), 0, "{text} in {wrong}");
        assert_eq!(broken(right, text), 0, "{text} in {right}");
    }
    for unfinished in ["todo!()", "unimplemented!()", "dbg!(x)"] {
        assert_eq!(broken("engine/mod.rs", unfinished), 1, "{unfinished}");
    }
    assert_eq!(broken("query/scan.rs", "let engine_side = \"rayon egui unsafe\"; // unsafe"), 0);
}

#[test]
fn a_file_without_a_purpose_or_end_is_found() {
    assert!(malformed("a.rs", "//! What it is for.\n").is_empty());
    assert_eq!(malformed("a.rs", "use std::io;\n").len(), 1);
    let long = format!("//! Long.\n{}", "\n".repeat(MAX_LINES));
    assert_eq!(malformed("a.rs", &long).len(), 1);
}

#[test]
fn a_room_off_the_plan_is_found() {
    let plan = Plan::of(PLAN);
    let lib = "pub mod low;\npub mod middle;\npub mod twin;\npub mod high;\n";
    let files = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
    let all = files(&["lib.rs", "main.rs", "low.rs", "middle", "twin.rs", "high"]);
    assert!(misplanned(&plan, lib, &all).is_empty());
    assert_eq!(misplanned(&plan, lib, &[&all[..], &files(&["shed"])].concat()).len(), 1, "a room too many");
    assert_eq!(misplanned(&plan, lib, &all[..5]).len(), 1, "a room of the plan is not built");
    assert_eq!(misplanned(&plan, "pub mod low;\npub mod middle;\npub mod twin;\n", &all).len(), 1);
}

#[test]
fn comments_and_texts_are_no_code() {
    let code =
        code_of("let a = \"x // \\\" y\"; /* b /* c */ d */ let e = 'f'; let g = r#\"h\"i\"#; fn j<'k>() {}");
    for gone in ["x", "y", "b", "c ", "d", "'f'", "h", "i\""] {
        assert!(!code.contains(gone), "{gone} in {code}");
    }
    for kept in ["let a =", "let e =", "let g =", "fn j<'k>() {}"] {
        assert!(code.contains(kept), "{kept} in {code}");
    }
}

const PLAN: &str = "//! | 0 | [`low`] | x |\n//! | 1 | [`middle`] | x |\n//! | 1 | [`twin`] | x |\n//! | 2 | [`high`] | x |\n";

/// Rooms and their floors, as `src/lib.rs` tells them; exported macros, whose path begins at the crate
/// wherever they stand, by their room.
struct Plan {
    floors: BTreeMap<String, u32>,
    macros: BTreeMap<String, String>,
}

impl Plan {
    fn of(lib: &str) -> Plan {
        let row = |line: &str| {
            let mut cells = line.strip_prefix("//! |")?.split('|').map(str::trim);
            let floor = cells.next()?.parse().ok()?;
            let room = cells.next()?.trim_matches(['[', ']', '`']).to_owned();
            Some((room, floor))
        };
        Plan { floors: lib.lines().filter_map(row).collect(), macros: BTreeMap::new() }
    }

    fn of_the_house() -> Plan {
        let mut plan = Plan::of(&lib_rs());
        assert!(plan.floors.len() >= 5, "the table of src/lib.rs was not understood");
        let found = RefCell::new(BTreeMap::new());
        each_file(|path, text| {
            found.borrow_mut().extend(exported_macros(path, &code_of(text)));
            Vec::new()
        });
        plan.macros = found.into_inner();
        plan
    }
}

fn lib_rs() -> String {
    std::fs::read_to_string(repository("src/lib.rs")).unwrap()
}

fn each_file(check: impl Fn(&str, &str) -> Vec<String>) {
    each_file_under("src", check);
}

/// Shows `check` the path inside `folder` and the text of every Rust file; fails if it complains.
fn each_file_under(folder: &str, check: impl Fn(&str, &str) -> Vec<String>) {
    fn walk(
        root: &Path,
        folder: &Path,
        check: &impl Fn(&str, &str) -> Vec<String>,
        found: &mut Vec<String>,
    ) -> usize {
        let mut files = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files += walk(root, &path, check, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let relative = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                found.extend(check(&relative, &std::fs::read_to_string(&path).unwrap()));
                files += 1;
            }
        }
        files
    }
    let root = repository(folder);
    let mut found = Vec::new();
    let files = walk(&root, &root, &check, &mut found);
    assert!(files > 0, "no file seen in {folder}");
    assert!(found.is_empty(), "{found:#?}");
}

/// The room of a file: its folder, or itself.
fn room_of(path: &str) -> &str {
    path.split_once('/').map_or_else(|| path.trim_end_matches(".rs"), |(room, _)| room)
}

fn uses_of_higher_rooms(plan: &Plan, path: &str, code: &str) -> Vec<String> {
    let room = room_of(path);
    if matches!(room, "lib" | "main") {
        return Vec::new();
    }
    let Some(&floor) = plan.floors.get(room) else {
        return vec![format!("{path}: the room `{room}` is on no floor of src/lib.rs")];
    };
    let complain = |used: &String| match plan.floors.get(plan.macros.get(used).unwrap_or(used)) {
        _ if used == room || plan.macros.get(used).is_some_and(|home| home == room) => None,
        Some(&other) if other < floor => None,
        Some(other) => Some(format!("{path}: floor {floor} uses `{used}` on floor {other}")),
        None => Some(format!("{path}: uses `crate::{used}`, which is no room")),
    };
    rooms_used(path, code).iter().filter_map(complain).collect()
}

/// Names of the macros a file exports, each with its room.
fn exported_macros(path: &str, code: &str) -> Vec<(String, String)> {
    let tokens = tokens(code);
    let mark = ["#", "[", "macro_export", "]", "macro_rules", "!"];
    tokens
        .windows(mark.len() + 1)
        .filter(|window| window[..mark.len()] == mark)
        .map(|window| (window[mark.len()].to_owned(), room_of(path).to_owned()))
        .collect()
}

/// First names after `crate::`, or after as many `super::` as lead out of the room.
fn rooms_used(path: &str, code: &str) -> Vec<String> {
    let tokens = tokens(code);
    let depth = match path.matches('/').count() {
        0 => 1,
        n if path.ends_with("/mod.rs") => n,
        n => n + 1,
    };
    let mut used = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let mut next = i + 1;
        if tokens[i] == "super" {
            let mut supers = 1;
            while tokens.get(next) == Some(&"::") && tokens.get(next + 1) == Some(&"super") {
                supers += 1;
                next += 2;
            }
            if supers >= depth && tokens.get(next) == Some(&"::") {
                first_names(&tokens, next + 1, &mut used);
            }
        } else if tokens[i] == "crate" && tokens.get(next) == Some(&"::") {
            first_names(&tokens, next + 1, &mut used);
        }
        i = next;
    }
    used
}

/// The name at `at`, or the first name of every branch of the braces there.
fn first_names(tokens: &[&str], at: usize, names: &mut Vec<String>) {
    if tokens.get(at) != Some(&"{") {
        names.extend(tokens.get(at).map(|name| (*name).to_owned()));
        return;
    }
    let (mut depth, mut expected) = (0, true);
    for token in &tokens[at..] {
        match *token {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 1 => expected = true,
            name if depth == 1 && expected => {
                names.push(name.to_owned());
                expected = false;
            }
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
}

fn broken_fences(path: &str, code: &str) -> Vec<String> {
    let room = room_of(path);
    let mut found = Vec::new();
    for (words, allowed, why) in FENCES {
        if allowed.contains(&room) || allowed.contains(&path) {
            continue;
        }
        for word in *words {
            if contains_word(code, word) {
                found.push(format!("{path}: `{word}` may stand in {allowed:?} only: {why}"));
            }
        }
    }
    found
}

fn contains_word(code: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back().is_some_and(is_name);
        let after = word.ends_with(is_name) && code[at + word.len()..].starts_with(is_name);
        !before && !after
    })
}

fn malformed(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !text.starts_with("//!") {
        found.push(format!("{path}: does not begin with a sentence (`//!`) that says what it is for"));
    }
    let lines = text.lines().count();
    if lines > MAX_LINES {
        found.push(format!("{path}: {lines} lines are more than {MAX_LINES}"));
    }
    found
}

/// Rooms that are built but not planned, planned but not built, or not declared.
fn misplanned(plan: &Plan, lib: &str, files: &[String]) -> Vec<String> {
    let rooms: Vec<&str> = files
        .iter()
        .map(|name| name.trim_end_matches(".rs"))
        .filter(|name| !matches!(*name, "lib" | "main"))
        .collect();
    let mut found = Vec::new();
    for room in &rooms {
        if !plan.floors.contains_key(*room) {
            found.push(format!("src/{room} is not in the table of src/lib.rs"));
        } else if !lib.contains(&format!("pub mod {room};")) {
            found.push(format!("src/{room} is not declared in src/lib.rs"));
        }
    }
    found.extend(
        plan.floors
            .keys()
            .filter(|room| !rooms.contains(&room.as_str()))
            .map(|room| format!("no src/{room}")),
    );
    found
}

/// Names and punctuation of code; `::` is one token.
fn tokens(code: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if is_name(first) {
            rest.find(|c| !is_name(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// The code alone: without comments, the contents of texts and characters, and modules of tests.
fn code_of(text: &str) -> String {
    without_tests(&without_texts(text))
}

fn without_texts(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if first == '"' {
            quoted(rest, '"')
        } else if let Some(length) = raw_text(rest).filter(|_| !ends_in_name(&code)) {
            length
        } else if first == '\'' && is_character(rest) {
            quoted(rest, '\'')
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        code.push(' ');
        rest = &rest[skipped..];
    }
    code
}

fn ends_in_name(code: &str) -> bool {
    code.ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// Length of the text that begins with `quote`, both quotes included.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

fn raw_text(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(rest.len() - body.len() + length)
}

/// Whether the quote begins a character rather than a lifetime.
fn is_character(rest: &str) -> bool {
    let mut chars = rest.chars().skip(1);
    matches!((chars.next(), chars.next()), (Some('\\'), _) | (Some(_), Some('\'')))
}

/// Modules under `#[cfg(test)]` are not part of the house.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let Some(start) = code.find(MARK) else { return code.to_owned() };
    let after = &code[start + MARK.len()..];
    let mut depth = 0;
    for (at, c) in after.char_indices() {
        match c {
            '{' => depth += 1,
            ';' if depth == 0 => return format!("{}{}", &code[..start], without_tests(&after[at + 1..])),
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return format!("{}{}", &code[..start], without_tests(&after[at + 1..]));
                }
            }
            _ => {}
        }
    }
    code[..start].to_owned()
}
