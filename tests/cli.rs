//! The command line: the real program, run as a person or a script runs it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Output};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int64Type, UInt64Type};
use arrow::ipc::reader::FileReader;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::architecture::repository;

pub(crate) fn sample(name: &str) -> String {
    repository("sample-data").join(name).to_str().unwrap().to_owned()
}

fn outcrop(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_outcrop")).args(arguments).env("COLUMNS", "200").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Standard output of a run that must succeed and say nothing on the standard error.
pub(crate) fn succeeds(arguments: &[&str]) -> String {
    let output = outcrop(arguments);
    assert_eq!(text(&output.stderr), "", "{arguments:?}");
    assert!(output.status.success(), "{arguments:?}");
    text(&output.stdout)
}

/// Standard error of a run that must end with `code` and write no result.
fn fails(arguments: &[&str], code: i32) -> String {
    let output = outcrop(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "", "{arguments:?}");
    text(&output.stderr)
}

/// The lines of CSV without quotes, split.
fn csv(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split(',').collect()).collect()
}

pub(crate) fn saved(folder: &TempDir, name: &str, bytes: &[u8]) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

// The reference counts were computed in plain Python from the same file.

#[test]
fn groups_of_the_titanic_are_those_counted_in_python() {
    let out = succeeds(&[
        "agg",
        &sample("titanic.hdf5"),
        "--by",
        "pclass",
        "--by",
        "sex",
        "--agg",
        "count",
        "--agg",
        "sum(survived)",
        "--agg",
        "count(age)",
        "--agg",
        "mean(age)",
        "--agg",
        "sum(fare)",
        "-o",
        "-",
    ]);
    let lines = csv(&out);
    assert_eq!(lines[0], ["pclass", "sex", "count", "sum(survived)", "count(age)", "mean(age)", "sum(fare)"]);
    let expected: [(&str, &str, [u64; 3], [f64; 2]); 6] = [
        ("1", "female", [144, 139, 133], [37.037593984962406, 15755.3834]),
        ("1", "male", [179, 61, 151], [41.02924966887417, 12510.0209]),
        ("2", "female", [106, 94, 103], [27.499191262135923, 2462.8917]),
        ("2", "male", [171, 25, 158], [30.815400632911395, 3403.7457]),
        ("3", "female", [216, 106, 152], [22.185307236842107, 3310.0379]),
        ("3", "male", [493, 75, 349], [25.96227306590258, 6108.4073]),
    ];
    assert_eq!(lines.len(), 1 + expected.len());
    for (line, (class, sex, counts, reals)) in lines[1..].iter().zip(expected) {
        assert_eq!(line[..2], [class, sex]);
        for (found, expected) in line[2..5].iter().zip(counts) {
            assert_eq!(found.parse::<u64>().unwrap(), expected);
        }
        for (found, expected) in line[5..].iter().zip(reals) {
            assert!((found.parse::<f64>().unwrap() / expected - 1.0).abs() < 1e-12, "{found} {expected}");
        }
    }
}

#[test]
fn bins_of_the_titanic_are_those_counted_in_python() {
    let out = succeeds(&["agg", &sample("titanic.hdf5"), "--by", "age:0:80:16", "-o", "-"]);
    let counts: Vec<u64> = csv(&out)[1..].iter().map(|line| line[2].parse().unwrap()).collect();
    // Below, the bins, at or above 80, missing. The reference puts the one passenger of 80 into the last bin.
    let expected = [0, 51, 31, 27, 116, 184, 160, 132, 100, 69, 66, 43, 27, 27, 5, 6, 1, 1, 263];
    assert_eq!(counts, expected);
    assert_eq!(csv(&out)[0], ["age_lower", "age_upper", "count"]);
    assert_eq!(csv(&out)[1], ["", "0.0", "0"]);
    assert_eq!(csv(&out)[2], ["0.0", "5.0", "51"]);
}

#[test]
fn filters_count_as_in_python() {
    let count = |conditions: &[&str]| {
        let file = sample("titanic.hdf5");
        let mut arguments = vec!["agg", file.as_str(), "-o", "-"];
        for condition in conditions {
            arguments.extend(["--where", condition]);
        }
        csv(&succeeds(&arguments))[1][0].parse::<u64>().unwrap()
    };
    assert_eq!(count(&[]), 1309);
    assert_eq!(count(&["fare > 50 and sex == 'female'"]), 130);
    assert_eq!(count(&["fare > 50", "sex == 'female'"]), 130);
    assert_eq!(count(&["sex == 'female'", "(fare > 50) & (fare > 50)"]), 130);
}

#[test]
fn csv_and_arrow_hold_the_same_table() {
    let folder = TempDir::new().unwrap();
    let (as_csv, as_arrow) = (folder.path().join("out.csv"), folder.path().join("out.arrow"));
    for path in [&as_csv, &as_arrow] {
        let file = sample("flights-200k.arrow");
        let path = path.to_str().unwrap();
        let arguments = ["--by", "time:0:24:6", "--by", "delay:-30:90:4", "--agg", "mean(distance)"];
        let all = [&["agg", &file][..], &arguments, &["--agg", "count", "-o", path]].concat();
        assert_eq!(succeeds(&all), "");
    }
    let written = std::fs::read_to_string(&as_csv).unwrap();
    let lines = csv(&written);
    let mut reader = FileReader::try_new(std::fs::File::open(&as_arrow).unwrap(), None).unwrap();
    let batch = reader.next().unwrap().unwrap();
    let names: Vec<String> = batch.schema().fields().iter().map(|f| f.name().clone()).collect();
    assert_eq!(lines[0], names);
    assert_eq!(names, ["time_lower", "time_upper", "delay_lower", "delay_upper", "mean(distance)", "count"]);
    assert_eq!(batch.num_rows(), lines.len() - 1);
    assert_eq!(batch.num_rows(), (6 + 3) * (4 + 3));
    let mut total = 0;
    for (row, line) in lines[1..].iter().enumerate() {
        for column in 0..5 {
            let array = batch.column(column).as_primitive::<Float64Type>();
            let value = array.is_valid(row).then(|| array.value(row));
            assert_eq!(line[column].parse::<f64>().ok(), value, "row {row}, {}", names[column]);
        }
        let count = batch.column(5);
        let count = match count.as_primitive_opt::<UInt64Type>() {
            Some(count) => count.value(row),
            None => count.as_primitive::<Int64Type>().value(row) as u64,
        };
        assert_eq!(line[5].parse::<u64>().unwrap(), count);
        total += count;
    }
    assert_eq!(total, 200_000);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "nothing temporary is left: {left:?}");
}

#[test]
fn virtual_columns_stand_wherever_stored_ones_do() {
    let out = succeeds(&[
        "agg",
        &sample("flights-200k.arrow"),
        "--let",
        "hour = floor(time)",
        "--let",
        "late = delay > 60",
        "--by",
        "hour:0:24:24",
        "--agg",
        "sum(late)",
        "--where",
        "hour < 12",
        "--sort",
        "sum(late):desc",
        "--limit",
        "1",
        "-o",
        "-",
    ]);
    assert_eq!(csv(&out)[0], ["hour_lower", "hour_upper", "sum(late)"]);
    assert_eq!(csv(&out).len(), 2);
    assert_eq!(csv(&out)[1][0], "11.0");
}

#[test]
fn limits_may_be_expressions_and_dates() {
    let out = succeeds(&["agg", &sample("stars.hdf5"), "--by", "x:-2*pi:2*pi:2", "-o", "-"]);
    let lower: f64 = csv(&out)[2][0].parse().unwrap();
    assert_eq!(lower, -2.0 * std::f64::consts::PI);
    let by = "time:2024-02-01:'2024-02-01T12:00':2";
    let out = succeeds(&["agg", &sample("weather.arrows"), "--by", by, "-o", "-"]);
    let lines = csv(&out);
    assert_eq!(lines[2], ["2024-02-01T00:00:00Z", "2024-02-01T06:00:00Z", "18"]);
    assert_eq!(lines[3], ["2024-02-01T06:00:00Z", "2024-02-01T12:00:00Z", "18"]);
}

#[test]
fn an_axis_without_limits_holds_every_finite_value() {
    for (file, by) in [
        ("weather.arrows", "temperature::7"),
        ("weather.arrows", "temperature::"),
        ("weather.arrows", "time::5"),
        ("flights-200k.arrow", "delay::10"),
        ("stars.hdf5", "iron::"),
        ("stars.hdf5", "mass:::4:log"),
        ("titanic.hdf5", "pclass::3"),
    ] {
        let out = succeeds(&["agg", &sample(file), "--by", by, "-o", "-"]);
        let lines = csv(&out);
        let (below, above) = (&lines[1], &lines[lines.len() - 2]);
        assert_eq!((below[0], below[2]), ("", "0"), "{file} {by}");
        assert_eq!((above[1], above[2]), ("", "0"), "{file} {by}");
    }
}

#[test]
fn info_reads_only_the_header() {
    let out = succeeds(&["info", &sample("titanic.hdf5"), "--json"]);
    let info: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(info["rows"], 1309);
    assert_eq!(info["columns"].as_array().unwrap().len(), 14);
    assert_eq!(info["columns"][4], json!({ "name": "age", "type": "float64" }));
    assert!(succeeds(&["info", &sample("stars.hdf5")]).contains("kpc"));
}

#[test]
fn info_with_stats_knows_every_column() {
    let out = succeeds(&["info", &sample("titanic.hdf5"), "--json", "--stats"]);
    let info: Value = serde_json::from_str(&out).unwrap();
    let missing: Vec<u64> =
        info["columns"].as_array().unwrap().iter().map(|c| c["missing"].as_u64().unwrap()).collect();
    assert_eq!(missing, [0, 0, 0, 0, 263, 0, 0, 0, 1, 1014, 2, 823, 1188, 564]);
    let age = &info["columns"][4];
    assert_eq!(age["count"], 1046);
    assert_eq!(age["min"], 0.1667);
    assert_eq!(age["max"], 80.0);
    assert!((age["sd"].as_f64().unwrap() - 14.40660823421771).abs() < 1e-12);
    let out = succeeds(&["info", &sample("titanic.hdf5"), "--json", "--stats", "--where", "sex == 'female'"]);
    let info: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(info["columns"][0]["count"], 144 + 106 + 216);
}

#[test]
fn a_mistake_is_pointed_at() {
    let file = sample("titanic.hdf5");
    let error = fails(&["agg", &file, "--where", "fare > fifty"], 2);
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines[..3], ["outcrop: --where:", "  fare > fifty", "         ^^^^^"]);
    let error = fails(&["agg", &file, "--agg", "mean(agee)"], 2);
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines[..3], ["outcrop: --agg:", "  mean(agee)", "       ^^^^"]);
    assert!(lines[3].contains("age"), "{error}");
    let error = fails(&["agg", &file, "--by", "age +:0:80:8"], 2);
    assert!(error.contains('^'), "{error}");
    let error = fails(&["info", &file, "--let", "x=age+*2"], 2);
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines[..3], ["outcrop: --let x:", "  age+*2", "      ^"]);
    let error = fails(&["agg", &file, "--where", "age + 1"], 2);
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines[..3], ["outcrop: --where:", "  age + 1", "  ^^^^^^^"]);
    assert!(lines[3].contains("a condition such as"), "{error}");
    let error = fails(&["agg", &file, "--agg", "var(age, dof=1)"], 2);
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines[..3], ["outcrop: --agg:", "  var(age, dof=1)", "           ^^^"]);
    let error = fails(&["agg", &file, "--where", "sex == male"], 2);
    assert!(error.contains("a text stands in quotes; did you mean 'male'?"), "{error}");
}

#[test]
fn virtual_columns_are_given_in_any_order_and_a_circle_is_named() {
    let file = sample("titanic.hdf5");
    let in_order = succeeds(&["agg", &file, "--agg", "mean(2 * age + 1)"]);
    let defined = ["--let", "a=b+1", "--let", "b=2*age", "--agg", "mean(a)"];
    let found = succeeds(&[&["agg", &file][..], &defined].concat());
    assert_eq!(found.lines().last().unwrap().trim(), in_order.lines().last().unwrap().trim());
    let error = fails(&["info", &file, "--let", "c=age", "--let", "a=b+1", "--let", "b=`a`*2"], 2);
    assert!(error.contains("column `a` would depend on itself: a → b → a"), "{error}");
    let error = fails(&["info", &file, "--let", "a=b+1", "--let", "b=agee*2"], 2);
    assert!(error.contains("  agee*2\n  ^^^^") && error.contains("age"), "{error}");
}

#[test]
fn an_argument_of_an_aggregate_may_be_given_by_name() {
    let file = sample("titanic.hdf5");
    let value = |measure: &str| {
        let out = succeeds(&["agg", &file, "--agg", measure]);
        out.lines().last().unwrap().split_whitespace().last().unwrap().to_owned()
    };
    assert_eq!(value("var(age, ddof=1)"), value("var_sample(age)"));
    assert_eq!(value("sd(age, ddof = 0)"), value("sd(age)"));
    assert_ne!(value("sd(age)"), value("sd_sample(age)"));
}

#[test]
fn what_makes_no_sense_ends_with_two() {
    let file = sample("titanic.hdf5");
    for arguments in [
        &["agg"][..],
        &["agg", &file, "--by", "age:0:80"],
        &["agg", &file, "--by", "age:80:0:8"],
        &["agg", &file, "--by", "age:0:80:0"],
        &["agg", &file, "--by", "name:0:80:8"],
        &["agg", &file, "--where", "age + 1"],
        &["agg", &file, "--agg", "median of age"],
        &["agg", &file, "--agg", "mean(name)"],
        &["agg", &file, "--sort", "nothing"],
        &["agg", &file, "-o", "out.xlsx"],
        &["agg", &file, "--let", "age"],
        &["agg", &file, "--let", "age=1"],
        &["plot", &file, "--x", "age", "-o", "out.gif"],
        &["plot", &file, "-o", "out.png"],
        &["info", &file, "--where", "age > 1"],
        &["info", &file, "--nonsense"],
    ] {
        assert!(fails(arguments, 2).len() > 10, "{arguments:?}");
    }
}

#[test]
fn a_file_that_is_no_table_ends_with_one_and_is_named() {
    let folder = TempDir::new().unwrap();
    let titanic = std::fs::read(sample("titanic.hdf5")).unwrap();
    let flights = std::fs::read(sample("flights-200k.arrow")).unwrap();
    let bad = [
        folder.path().join("missing.hdf5").to_str().unwrap().to_owned(),
        folder.path().to_str().unwrap().to_owned(),
        saved(&folder, "empty.hdf5", b""),
        saved(&folder, "empty.arrow", b""),
        saved(&folder, "text.hdf5", b"this is no HDF5 file\n"),
        saved(&folder, "cut.hdf5", &titanic[..titanic.len() / 2]),
        saved(&folder, "short.hdf5", &titanic[..64]),
        saved(&folder, "cut.arrow", &flights[..flights.len() / 2]),
        saved(&folder, "noise.bin", &flights[1000..3000]),
    ];
    for path in &bad {
        for arguments in [
            &["info", path.as_str()][..],
            &["agg", path, "--by", "age"],
            &["plot", path, "--x", "age", "-o", "never.png"],
            &["render", path, "-o", "never.png"],
        ] {
            let error = fails(arguments, 1);
            assert!(
                error.starts_with("outcrop: ") && error.contains(path.as_str()),
                "{arguments:?}: {error}"
            );
            assert_eq!(error.trim_end().lines().count(), 1, "{error}");
        }
    }
    assert!(!Path::new("never.png").exists());
}

#[test]
fn columns_of_different_lengths_are_no_table() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ragged.hdf5");
    let mut file = hdf5_pure::FileBuilder::new();
    file.create_dataset("long").with_f64_data(&[1.0, 2.0, 3.0]);
    file.create_dataset("short").with_f64_data(&[1.0, 2.0]);
    std::fs::write(&path, file.finish().unwrap()).unwrap();
    let error = fails(&["info", path.to_str().unwrap()], 1);
    assert!(error.contains("ragged.hdf5") && error.contains("long") && error.contains("short"), "{error}");
}

#[test]
fn a_file_written_is_whole_or_the_old_one() {
    let folder = TempDir::new().unwrap();
    let old = saved(&folder, "out.csv", b"old");
    let file = sample("titanic.hdf5");
    fails(&["agg", &file, "--by", "agee", "-o", &old], 2);
    assert_eq!(std::fs::read(&old).unwrap(), b"old");
    let nowhere = folder.path().join("no/such/folder/out.csv");
    let error = fails(&["agg", &file, "-o", nowhere.to_str().unwrap()], 1);
    assert!(error.contains("no/such/folder"), "{error}");
    succeeds(&["agg", &file, "--by", "sex", "-o", &old]);
    assert_eq!(std::fs::read_to_string(&old).unwrap(), "sex,count\r\nfemale,466\r\nmale,843\r\n");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn pictures_are_drawn() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (stars, titanic, weather) = (sample("stars.hdf5"), sample("titanic.hdf5"), sample("weather.arrows"));
    let common = ["--width", "400", "--height", "300"];
    for (name, arguments) in [
        ("histogram.png", &["plot", &titanic, "--x", "age:0:80:16", "--where", "sex == 'female'"][..]),
        ("mean.png", &["plot", &titanic, "--x", "age", "--agg", "mean(fare)", "--dark"]),
        ("bars.png", &["plot", &titanic, "--x", "embarked"]),
        ("bool.png", &["plot", &titanic, "--x", "survived"]),
        ("map.png", &["plot", &stars, "--x", "x", "--y", "y", "--bins", "40"]),
        ("log.png", &["plot", &stars, "--x", "mass:::20:log"]),
        ("time.png", &["plot", &weather, "--x", "time", "--y", "temperature"]),
        ("let.png", &["plot", &stars, "--let", "r=sqrt(x**2+y**2)", "--x", "r::30"]),
        ("none.png", &["plot", &titanic, "--x", "age:0:80:16", "--where", "age > 1000"]),
        ("scene.png", &["render", &stars, "--dark"]),
    ] {
        let path = path(name);
        succeeds(&[arguments, &common, &["-o", &path]].concat());
        let picture = image::open(&path).unwrap();
        assert_eq!((picture.width(), picture.height()), (400, 300), "{name}");
        let colors: std::collections::HashSet<_> = picture.to_rgb8().pixels().map(|p| p.0).collect();
        assert!(colors.len() > 10, "{name} is blank");
    }
    let svg = path("map.svg");
    succeeds(&["plot", &stars, "--x", "x", "--y", "y", "--where", "age < 1", "-o", &svg]);
    let text = std::fs::read_to_string(&svg).unwrap();
    for word in ["<svg", "kpc", "age &lt; 1"] {
        assert!(text.contains(word), "{word}");
    }
}

#[test]
fn a_session_is_rendered_and_its_table_found_beside_it() {
    let folder = TempDir::new().unwrap();
    let picture = folder.path().join("session.svg");
    succeeds(&["render", &sample("flights.outcrop"), "-o", picture.to_str().unwrap()]);
    let text = std::fs::read_to_string(&picture).unwrap();
    for word in ["flights-200k.arrow", "delay", "distance"] {
        assert!(text.contains(word), "{word}");
    }
    let future = saved(&folder, "future.outcrop", b"# Outcrop session\nversion = 9999\n");
    assert!(fails(&["render", &future, "-o", "never.png"], 1).contains("future.outcrop"));
    let broken = saved(&folder, "broken.outcrop", b"# Outcrop session\nversion = 1\nviews = 7\n");
    assert!(fails(&["render", &broken, "-o", "never.png"], 1).contains("line 3"));
    let lost = saved(&folder, "lost.outcrop", b"# Outcrop session\nversion = 1\nfile = \"gone.hdf5\"\n");
    assert!(fails(&["render", &lost, "-o", "never.png"], 1).contains("gone.hdf5: no such file"));
}

#[test]
fn help_and_version_are_there() {
    assert!(succeeds(&["--version"]).starts_with("outcrop "));
    let help = succeeds(&["--help"]);
    for command in outcrop::cli::COMMANDS {
        assert!(help.contains(command.name), "{}", command.name);
        assert!(succeeds(&[command.name, "--help"]).contains("Usage:"));
    }
}

#[test]
fn nobody_reading_is_no_failure() {
    use std::process::Stdio;
    let mut child = Command::new(env!("CARGO_BIN_EXE_outcrop"))
        .args(["agg", &sample("flights-200k.arrow"), "--by", "distance", "--by", "delay", "-o", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert!(output.status.success());
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let run = |threads: &str| {
        succeeds(&[
            "agg",
            &sample("stars.hdf5"),
            "--by",
            "x:-20:20:40",
            "--agg",
            "mean(iron)",
            "--agg",
            "sd(mass)",
            "--threads",
            threads,
            "-o",
            "-",
        ])
    };
    assert_eq!(run("1"), run("3"));
}

#[test]
fn a_pipe_sees_no_progress_and_no_control_sequence() {
    let output = outcrop(&["agg", &sample("flights-200k.arrow"), "--by", "distance", "--by", "time"]);
    assert!(output.stderr.is_empty());
    assert!(!text(&output.stdout).contains('\u{1b}'));
}

#[test]
fn a_number_set_by_name_serves_every_expression() {
    let titanic = sample("titanic.hdf5");
    let count = |arguments: &[&str]| succeeds(&[&["agg", &titanic, "-o", "-"], arguments].concat());
    let wanted = count(&["--where", "age > 20", "--agg", "sum(age * 2)"]);
    let found = count(&[
        "--set",
        "limit=10*2",
        "--set",
        "twice=limit/10",
        "--let",
        "double=age * twice",
        "--where",
        "age > limit",
        "--agg",
        "sum(double)",
    ]);
    assert_eq!(found.lines().last(), wanted.lines().last());
    assert!(fails(&["agg", &titanic, "--set", "age=2"], 2).contains("there is a column of this name"));
    assert!(fails(&["agg", &titanic, "--set", "a b=2"], 2).contains("one plain word"));
    fails(&["agg", &titanic, "--set", "a=b"], 2);
}

#[test]
fn what_overflows_is_told() {
    let titanic = sample("titanic.hdf5");
    let output = outcrop(&["agg", &titanic, "--agg", "sum(9223372036854775807 + int64(age))"]);
    assert!(output.status.success());
    assert!(text(&output.stderr).contains("overflowed"), "{}", text(&output.stderr));
}

#[test]
fn an_expression_may_begin_with_a_minus() {
    let titanic = sample("titanic.hdf5");
    let count = |condition| succeeds(&["agg", &titanic, "-o", "-", "--where", condition]);
    assert_eq!(count("-30 < -age"), count("age < 30"));
    let groups = succeeds(&["agg", &titanic, "-o", "-", "--by", "-pclass", "--agg", "-sum(fare)"]);
    assert_eq!(groups.lines().count(), 4, "{groups}");
}

#[test]
fn groups_of_truth_values_keep_their_counts_in_either_order() {
    let sorted =
        |order| succeeds(&["agg", &sample("titanic.hdf5"), "-o", "-", "--by", "survived", "--sort", order]);
    assert_eq!(csv(&sorted("survived"))[1..], [["false", "809"], ["true", "500"]]);
    assert_eq!(csv(&sorted("survived:desc"))[1..], [["true", "500"], ["false", "809"]]);
}

#[test]
fn a_measure_is_found_however_it_is_written() {
    let file = sample("titanic.hdf5");
    let (measure, other) = ("mean(fare) where sex == 'female'", "mean( fare ) where sex = \"female\"");
    let sorted = |flags: &[&str]| {
        succeeds(&[&["agg", &file, "-o", "-", "--by", "pclass", "--agg", measure][..], flags].concat())
    };
    let descending = format!("{other}:desc");
    assert_eq!(sorted(&["--sort", &descending]), sorted(&["--sort", &format!("{measure}:desc")]));
    assert_eq!(sorted(&["--top", "2", "--of", other]), sorted(&["--top", "2"]));
    let keys: Vec<String> = csv(&sorted(&["--sort", other]))[1..].iter().map(|l| l[0].to_owned()).collect();
    assert_eq!(keys, ["3", "2", "1"]);
}

#[test]
fn what_is_of_groups_wants_groups() {
    let file = sample("titanic.hdf5");
    for flags in [&["--top", "3"][..], &["--having", "count > 1"], &["--other"]] {
        let error = fails(&[&["agg", &file][..], flags].concat(), 2);
        assert!(error.contains("--by names none"), "{error}");
    }
    let error = fails(&["agg", &file, "--by", "sex:0:1:2"], 2);
    assert!(error.contains("`sex` is text, which has no order"), "{error}");
}
