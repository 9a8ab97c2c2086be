//! Every dependency's licence is on the list of `deny.toml`. `cargo deny` checks the same where it is
//! installed; this test runs everywhere, without a network.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::architecture::repository;

#[test]
fn every_dependency_has_a_permissive_license() {
    let allowed = allowed();
    let packages = dependencies();
    assert!(packages.len() > 100, "only {} packages seen", packages.len());
    let refused: Vec<String> = packages
        .iter()
        .filter(|(_, license)| !is_allowed(license, &allowed))
        .map(|(name, license)| format!("{name}: {license}"))
        .collect();
    assert!(refused.is_empty(), "not on the list of deny.toml: {refused:#?}");
}

#[test]
fn evalexpr_stays_on_its_last_permissive_line() {
    let packages = dependencies();
    let evalexpr: Vec<_> = packages.iter().filter(|(name, _)| name.starts_with("evalexpr ")).collect();
    assert_eq!(evalexpr.len(), 1);
    assert!(evalexpr[0].0.starts_with("evalexpr 11."), "{evalexpr:?}");
}

#[test]
fn a_license_needs_one_allowed_alternative_and_all_its_parts() {
    let allowed = BTreeSet::from(["MIT".to_owned(), "OFL-1.1".to_owned(), "Apache-2.0 WITH X".to_owned()]);
    for good in ["MIT", "GPL-3.0 OR MIT", "MIT/Foo", "(MIT OR Foo) AND OFL-1.1", "Apache-2.0 WITH X OR Foo"] {
        assert!(is_allowed(good, &allowed), "{good}");
    }
    for bad in ["AGPL-3.0-only", "MIT AND GPL-3.0", "(MIT AND Foo) OR Bar", "", "Apache-2.0", "MIT)"] {
        assert!(!is_allowed(bad, &allowed), "{bad}");
    }
}

fn allowed() -> BTreeSet<String> {
    let text = std::fs::read_to_string(repository("deny.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    table["licenses"]["allow"].as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
}

/// Name with version, and licence, of everything this platform's build uses.
fn dependencies() -> Vec<(String, String)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let rustc = String::from_utf8(rustc.stdout).unwrap();
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host])
        .arg("--manifest-path")
        .arg(repository("Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            (format!("{} {}", text(&package["name"]), text(&package["version"])), text(&package["license"]))
        })
        .collect()
}

/// Whether an SPDX expression can be satisfied by allowed licences alone. `A/B` is the old way to
/// write `A OR B`.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    alternatives(&words, &mut at, allowed) && at == words.len()
}

fn alternatives(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut holds = parts(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        holds |= parts(words, at, allowed);
    }
    holds
}

fn parts(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut holds = license(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        holds &= license(words, at, allowed);
    }
    holds
}

fn license(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let Some(&word) = words.get(*at) else { return false };
    *at += 1;
    if word == "(" {
        let holds = alternatives(words, at, allowed);
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return holds && closed;
    }
    match (words.get(*at), words.get(*at + 1)) {
        (Some(&"WITH"), Some(exception)) => {
            *at += 2;
            allowed.contains(&format!("{word} WITH {exception}"))
        }
        _ => allowed.contains(word),
    }
}
