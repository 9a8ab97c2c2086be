//! `outcrop bench`: what it is asked and what it answers.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::{sample, saved, succeeds};

#[test]
fn a_benchmark_keeps_its_contract() {
    let folder = TempDir::new().unwrap();
    let ops = json!({ "contract": 1, "dataset": "titanic", "ops": [
        { "id": "open", "kind": "open", "title": "not read" },
        { "id": "h", "kind": "hist", "axes": [{ "expr": "age", "lo": 0, "hi": 80, "bins": 4 }],
          "agg": { "fn": "count" }, "filter": "(fare > 50) & (sex == 'female')" },
        { "id": "m", "kind": "hist", "agg": { "fn": "mean", "expr": "fare" },
          "axes": [{ "expr": "pclass", "lo": 0, "hi": 5, "bins": 5, "int": true },
                   { "expr": "age", "lo": 0, "hi": 1000, "bins": 2 }] },
        { "id": "e", "kind": "minmax", "expr": "age" },
        { "id": "g", "kind": "groupby", "keys": ["embarked"],
          "aggs": [{ "fn": "count", "as": "n" }, { "fn": "mean", "expr": "age", "as": "mean_age" }] },
        { "id": "t", "kind": "groupby", "keys": ["embarked"], "aggs": [{ "fn": "count", "as": "n" }],
          "top": { "by": "n", "n": 2 } },
        { "id": "u", "kind": "nunique", "expr": "cabin" },
        { "id": "q", "kind": "quantile", "expr": "age", "q": [0.0, 0.25, 0.5, 0.75, 1.0] },
        { "id": "s", "kind": "scene", "brush": "age", "brushes": [[0, 16], [16, 80]],
          "views": [{ "id": "v", "kind": "hist", "axes": [{ "expr": "age", "lo": 0, "hi": 80, "bins": 2 }],
                      "agg": { "fn": "count" } }] },
        { "id": "x", "kind": "teleport" },
        { "id": "y", "kind": "minmax", "expr": "nothing" },
    ]});
    let ops = saved(&folder, "ops.json", ops.to_string().as_bytes());
    let out = succeeds(&["bench", "--file", &sample("titanic.hdf5"), "--ops", &ops, "--repeat", "2"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&report["contract"], &report["rows"]), (&json!(1), &json!(1309)));
    assert_eq!(report["program"], "outcrop");
    let op = |id: &str| report["ops"].as_array().unwrap().iter().find(|op| op["id"] == id).unwrap();
    let result = |id: &str| {
        assert!(op(id)["first"].as_f64().unwrap() >= 0.0);
        assert_eq!(op(id)["runs"].as_array().unwrap().len(), 2);
        op(id)["result"].clone()
    };
    assert_eq!(result("open"), json!({ "rows": 1309 }));
    let counts: Vec<u64> =
        result("h")["count"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
    assert_eq!(counts.len(), 4);
    let means = result("m")["mean"].as_array().unwrap().clone();
    assert_eq!(means.len(), 10);
    let empty: Vec<bool> = means.iter().map(Value::is_null).collect();
    assert_eq!(empty, [true, true, false, true, false, true, false, true, true, true]);
    assert_eq!(result("e"), json!({ "min": 0.1667, "max": 80.0 }));
    assert_eq!(result("g")["embarked"], json!(["C", "Q", "S"]), "missing keys are left out");
    assert_eq!(result("g")["n"], json!([270, 123, 914]));
    assert_eq!(result("t"), json!({ "embarked": ["S", "C"], "n": [914, 270] }));
    assert_eq!(result("u"), json!({ "nunique": 186 }));
    assert_eq!(result("q"), json!({ "value": [0.1667, 21.0, 28.0, 39.0, 80.0] }));
    assert_eq!(result("s"), json!({ "v.count": [115, 0] }), "of the first brush");
    for id in ["x", "y"] {
        assert!(op(id)["error"].is_string(), "{}", op(id));
    }
}

#[test]
fn zone_maps_answer_for_least_and_greatest_only_where_they_are_declared() {
    let folder = TempDir::new().unwrap();
    let minmax = |column: &str| json!({ "id": column, "kind": "minmax", "expr": column });
    // One has missing values, of which zone maps tell no exact extremes; the other has none.
    let ops = json!({ "contract": 1, "ops": [minmax("age"), minmax("sibsp")] });
    let ops = saved(&folder, "ops.json", ops.to_string().as_bytes());
    let report = |more: &[&str]| -> Value {
        let titanic = sample("titanic.hdf5");
        let arguments = [&["bench", "--file", &titanic, "--ops", &ops, "--repeat", "2"], more].concat();
        serde_json::from_str(&succeeds(&arguments)).unwrap()
    };
    let (rows, zones) = (report(&[]), report(&["--zones"]));
    for (op, right) in [(0, json!({ "min": 0.1667, "max": 80.0 })), (1, json!({ "min": 0, "max": 8 }))] {
        assert_eq!((&rows["ops"][op]["result"], &zones["ops"][op]["result"]), (&right, &right));
        assert!(rows["ops"][op]["note"].is_null());
        assert_eq!(zones["ops"][op]["note"], "zone maps, made by the first run");
    }
}
