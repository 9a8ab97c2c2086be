//! Texts changed at random: any is parsed or refused at a place within it, and what was parsed is printed,
//! parsed and run again. A fuzzer that needs no other tool; `tests/fuzz` holds one guided by coverage.

use outcrop::expr::{Expr, complete, functions};

use super::words::WORDS;
use super::{Table, table};
use crate::common::Random;

fn seeds() -> Vec<String> {
    let example = |text: &str| text.split(" = ").next().unwrap_or(text).to_owned();
    let mut seeds: Vec<String> = functions().map(|function| example(function.example)).collect();
    let more = [
        "0 < x <= 5 and not flag",
        "if(x > 1 & i < 2, name, 'b')",
        "sqrt((x - 1)**2 + (f - 2)^2) // 3",
        "name.str.lower() in ['a', \"b\"]",
        "t between 2015-01-31 and '2016-01-01T00:00'",
    ];
    seeds.extend(more.map(str::to_owned));
    seeds
}

fn mutated(text: &str, seeds: &[String], random: &mut Random) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(4) {
        let at = random.below(letters.len() as u64 + 1) as usize;
        let to = (at + random.below(8) as usize).min(letters.len());
        let word = WORDS[random.below(WORDS.len() as u64) as usize];
        let seed = &seeds[random.below(seeds.len() as u64) as usize];
        match random.below(6) {
            0 => drop(letters.drain(at..to)),
            1 => letters.truncate(at),
            2 => drop(letters.splice(at..to, word.chars())),
            3 => drop(letters.splice(at..at, word.chars())),
            4 => drop(letters.splice(at..to, seed.chars())),
            _ => letters.extend(letters[at..to].to_vec()),
        }
        letters.truncate(300);
    }
    letters.into_iter().collect()
}

/// Whether the text was accepted.
fn check(text: &str, t: &Table) -> bool {
    let middle = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    complete(text, middle, &t.schema);
    let expr = match Expr::parse(text, &t.schema) {
        Ok(expr) => expr,
        Err(error) => {
            assert!(
                error.span.start <= error.span.end && error.span.end <= text.len(),
                "{text:?}: {error:?}"
            );
            assert!(
                text.is_char_boundary(error.span.start) && text.is_char_boundary(error.span.end),
                "{text:?}"
            );
            let lacks = error.span.is_empty();
            assert!(!lacks || error.message.contains("expected"), "{text:?}: {error:?}");
            error.pointed(text);
            return false;
        }
    };
    let printed = expr.to_string();
    match Expr::parse(&printed, &t.schema) {
        Ok(again) => assert_eq!(again, expr, "{text:?} printed as {printed}"),
        // Brackets are written for safety, so that a text at a limit may come out beyond it.
        Err(error) => {
            let is_limit = ["nested too deeply", "the longest that is read"];
            assert!(
                is_limit.iter().any(|limit| error.message.contains(limit)),
                "{text:?}: {printed}: {error}"
            );
        }
    }
    let program = outcrop::expr::Program::compile(std::slice::from_ref(&expr), &t.schema);
    let columns: Vec<_> = program.columns().iter().map(|i| t.arrays[*i].clone()).collect();
    // What is refused is refused at its place, when it is read: nothing fails later.
    let values = program.run(&columns, 5).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert!(values[0].len() == 5 && values[0].data_type() == expr.data_type(), "{text:?}");
    true
}

fn run(count: usize, seed: u64) -> usize {
    let (t, seeds, mut random) = (table(), seeds(), Random::new(seed));
    // What was accepted is changed further.
    let mut pool = seeds.clone();
    let mut accepted = 0;
    for _ in 0..count {
        let from = random.below(pool.len() as u64) as usize;
        let text = mutated(&pool[from], &seeds, &mut random);
        if check(&text, &t) {
            accepted += 1;
            if pool.len() < 20_000 {
                pool.push(text);
            } else if from >= seeds.len() {
                pool[from] = text;
            }
        }
    }
    accepted
}

#[test]
fn texts_changed_at_random_are_read_or_refused_at_their_place() {
    assert!(run(5_000, 1) > 100);
}

#[test]
#[ignore = "runs for minutes: cargo test --release --test main -- --ignored millions"]
fn millions_of_texts_changed_at_random_are_read_or_refused_at_their_place() {
    let count = std::env::var("OUTCROP_TEXTS").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000_000);
    let seed = std::env::var("OUTCROP_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(2);
    let accepted = run(count, seed);
    println!("{accepted} of {count} texts were accepted");
}

#[test]
fn years_of_more_or_fewer_than_four_digits_read_back() {
    let t = table();
    for year in ["-2016-01-01", "-2016-01-01T00:00:05", "+12345-01-31", "0009-01-31"] {
        assert!(check(&format!("t between 2015-01-31 and '{year}'"), &t), "{year}");
    }
}
