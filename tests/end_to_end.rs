//! The real program under a virtual screen, driven by a real pointer and real keys.
//!
//! What is shown is read from `OUTCROP_STATE_FILE`; what it should be is computed here from the
//! columns themselves, without the program's own scan.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::ipc::writer::FileWriter;
use serde_json::Value;

use super::common::Random;

const ROWS: usize = 50_000;
const WAIT: Duration = Duration::from_secs(60);

/// A program started by a test, ended with it.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a program can be started.
fn has(program: &str, argument: &str) -> bool {
    let quiet = |command: &mut Command| command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    quiet(Command::new(program).arg(argument))
}

/// A virtual screen of its own and what is shown on it.
struct Screen {
    _server: Process,
    display: String,
    program: Option<Process>,
    state: PathBuf,
}

impl Screen {
    /// `None`, with the reason said, where the tools are absent and nobody insists.
    fn new(folder: &Path) -> Option<Screen> {
        if !has("Xvfb", "-help") || !has("xdotool", "version") {
            assert!(std::env::var_os("CI").is_none(), "Xvfb and xdotool are needed");
            eprintln!("skipped: Xvfb and xdotool are needed to drive the window");
            return None;
        }
        // The server picks a free display and tells it through its output.
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = server.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).unwrap();
        let display = format!(":{}", line.trim());
        Some(Screen { _server: Process(server), display, program: None, state: folder.join("state.json") })
    }

    fn start(&mut self, arguments: &[&Path], frames: &Path) {
        let program = Command::new(env!("CARGO_BIN_EXE_outcrop"))
            .args(arguments)
            .env("DISPLAY", &self.display)
            .env_remove("WAYLAND_DISPLAY")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("OUTCROP_STATE_FILE", &self.state)
            .env("OUTCROP_FRAME_LOG", frames)
            .spawn()
            .unwrap();
        self.program = Some(Process(program));
    }

    fn xdotool(&self, arguments: &[&str]) {
        let status = Command::new("xdotool").args(arguments).env("DISPLAY", &self.display).status().unwrap();
        assert!(status.success(), "xdotool {arguments:?}");
    }

    fn move_to(&self, [x, y]: [f64; 2]) {
        self.xdotool(&["mousemove", &(x.round() as i64).to_string(), &(y.round() as i64).to_string()]);
        std::thread::sleep(Duration::from_millis(30));
    }

    fn drag(&self, from: [f64; 2], to: [f64; 2]) {
        self.move_to(from);
        self.xdotool(&["mousedown", "1"]);
        for i in 1..=8 {
            let at = |k: usize| from[k] + (to[k] - from[k]) * f64::from(i) / 8.0;
            self.move_to([at(0), at(1)]);
        }
        self.xdotool(&["mouseup", "1"]);
    }

    /// The state shown, once it is as wanted.
    fn wait(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + WAIT;
        let mut last = Value::Null;
        while Instant::now() < deadline {
            let text = std::fs::read_to_string(&self.state).unwrap_or_default();
            last = serde_json::from_str(&text).unwrap_or(Value::Null);
            if is_it(&last) {
                return last;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("not shown within {WAIT:?}: {what}; last seen: {last:#}");
    }
}

/// A point of the picture of the view called `title`, in parts of its width and height.
fn view<'a>(state: &'a Value, title: &str) -> &'a Value {
    state["views"].as_array().unwrap().iter().find(|view| view["title"] == title).unwrap()
}

fn point(state: &Value, title: &str, x: f64, y: f64) -> [f64; 2] {
    let plot: Vec<f64> =
        view(state, title)["plot"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    [plot[0] + (plot[2] - plot[0]) * x, plot[1] + (plot[3] - plot[1]) * y]
}

fn all_painted(state: &Value) -> bool {
    state["views"].as_array().is_some_and(|views| views.iter().all(|view| view["plot"].is_array()))
}

/// Columns `delay`, `distance` and `carrier` of a file written here.
struct Columns {
    delay: Vec<Option<f64>>,
    distance: Vec<f64>,
}

fn write(path: &Path) -> Columns {
    let mut random = Random::new(11);
    let mut columns = Columns { delay: Vec::new(), distance: Vec::new() };
    let mut carriers = Vec::new();
    for i in 0..ROWS {
        let distance = random.unit() * 3000.0;
        columns.delay.push((i % 97 != 0).then(|| random.unit() * random.unit() * 200.0 - 20.0));
        columns.distance.push(distance);
        carriers.push(["AA", "DL", "UA", "WN"][random.below(4) as usize]);
    }
    let schema = Arc::new(Schema::new(vec![
        Field::new("delay", DataType::Float64, true),
        Field::new("distance", DataType::Float64, false),
        Field::new("carrier", DataType::Utf8, false),
    ]));
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Float64Array::from(columns.delay.clone())),
        Arc::new(Float64Array::from(columns.distance.clone())),
        Arc::new(StringArray::from(carriers)),
    ];
    let batch = RecordBatch::try_new(schema.clone(), arrays).unwrap();
    let mut writer = FileWriter::try_new(std::fs::File::create(path).unwrap(), &schema).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    columns
}

#[test]
fn a_drag_in_the_real_window_shows_and_exports_what_the_columns_say() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut screen) = Screen::new(folder.path()) else { return };
    let (table, csv, frames) =
        (folder.path().join("trips.arrow"), folder.path().join("out.csv"), folder.path().join("frames.csv"));
    let columns = write(&table);
    screen.start(&[&table], &frames);
    let total = ROWS as u64;
    let state =
        screen.wait("the first scene", |s| s["count"] == total && s["exact"] == true && all_painted(s));

    // There is no window manager to give the window the keyboard.
    screen.xdotool(&["search", "--onlyvisible", "--name", "Outcrop", "windowfocus"]);
    screen.drag(
        point(&state, "Histogram of distance", 0.25, 0.5),
        point(&state, "Histogram of distance", 0.6, 0.4),
    );
    let state = screen.wait("a filter", |s| {
        s["filters"].as_array().is_some_and(|filters| filters.len() == 1)
            && s["exact"] == true
            && s["count"] != total
    });
    // The pointer is at rest; what is still on its way arrives.
    let mut state = state;
    for _ in 0..10 {
        std::thread::sleep(Duration::from_millis(100));
        state = screen.wait("the count at rest", |s| s["exact"] == true);
    }
    let interval = &state["filters"][0]["predicate"]["interval"];
    let (lo, hi) = (interval["lo"].as_f64().unwrap(), interval["hi"].as_f64().unwrap());
    assert!((600.0..900.0).contains(&lo) && (1650.0..1950.0).contains(&hi), "{lo} {hi}");
    let passes = |i: &usize| columns.distance[*i] >= lo && columns.distance[*i] < hi;
    let passing = (0..ROWS).filter(passes).count() as u64;
    let state = screen.wait("the exact count", |s| s["count"] == passing && s["exact"] == true);

    // Focus the other histogram and take its numbers away, by keys alone after one click.
    screen.move_to(point(&state, "Histogram of delay", 0.9, 0.1));
    screen.xdotool(&["click", "1"]);
    screen.wait("the focus", |s| view(s, "Histogram of delay")["focused"] == true);
    screen.xdotool(&["key", "ctrl+e"]);
    std::thread::sleep(Duration::from_millis(400));
    screen.xdotool(&["key", "ctrl+a"]);
    screen.xdotool(&["type", "--delay", "15", &csv.display().to_string()]);
    std::thread::sleep(Duration::from_millis(400));
    screen.xdotool(&["key", "Return"]);
    let deadline = Instant::now() + WAIT;
    while !csv.exists() {
        assert!(Instant::now() < deadline, "nothing was exported");
        std::thread::sleep(Duration::from_millis(50));
    }
    check_export(&csv, &columns, passes);

    screen.xdotool(&["key", "ctrl+z"]);
    screen.wait("everything again", |s| s["count"] == total && s["exact"] == true);
    screen.xdotool(&["key", "ctrl+q"]);
    let deadline = Instant::now() + WAIT;
    while !frames.exists() {
        assert!(Instant::now() < deadline, "the window did not close");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Every line of the export against a count over the columns.
fn check_export(csv: &Path, columns: &Columns, passes: impl Fn(&usize) -> bool) {
    let text = std::fs::read_to_string(csv).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("delay_lower,delay_centre,delay_upper,count"));
    let mut bins = 0;
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let edge = |text: &str| text.parse::<f64>().ok();
        let (lower, upper) = (edge(fields[0]), edge(fields[2]));
        let is_in = |value: Option<f64>| match (value, lower, upper) {
            (None, None, None) => true,
            (Some(value), Some(lower), Some(upper)) => value >= lower && value < upper,
            (Some(value), None, Some(upper)) => value < upper,
            (Some(value), Some(lower), None) => value >= lower,
            _ => false,
        };
        let expected = (0..ROWS).filter(&passes).filter(|&i| is_in(columns.delay[i])).count();
        assert_eq!(fields[3].parse::<usize>().unwrap(), expected, "{line}");
        bins += 1;
    }
    assert!(bins > 10, "{text}");
}
