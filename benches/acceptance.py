#!/usr/bin/env python3
"""A person's brushing in the real window, and every number on screen checked against `outcrop agg`.

    benches/acceptance.py FILE X Y V K [--short] [--record FOLDER | --check FOLDER]

Opens the release build under Xvfb (software rendering) on FILE with histograms of the numbers X, Y and V, the mean of
V over X, a heatmap of X and Y, bars of K, a group-by table of K and a number; then brushes: back and forth, undo,
redo, a rectangle, a second interval, the ends of an axis, a bar, a group, inverted, moved, a lasso, undone step by
step, redone, cleared, and the clearing undone. After every step it keeps what OUTCROP_STATE_FILE tells: the count,
the filters, the numbers each view is painted from. When the window is closed `outcrop agg` computes all of them
from scratch, by conditions written from the filters; they must be equal to the last digit. Times of frames and
between repaints come from OUTCROP_FRAME_LOG, each step's longest gap among them. `--record` keeps the steps in
FOLDER without checking them, `--check` checks what is kept there; `--short` brushes two views, clicks a bar and clears. Needs xvfb, xdotool and python3.
"""

import argparse
import bisect
import csv
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

PROGRAM = os.environ.get("OUTCROP", "target/release/outcrop")
# The last step of a short run but for clearing.
SHORT = "a bar"
# Seconds that anything may take.
PATIENCE = 300


def session(file, x, y, v, k):
    """A session of one view of each kind."""
    views = [
        f'kind = "histogram"\n[views.x]\nexpr = "{x}"\nfit = "telling"\n',
        f'kind = "histogram"\n[views.x]\nexpr = "{y}"\nfit = "telling"\n',
        f'kind = "histogram"\n[views.x]\nexpr = "{v}"\nfit = "telling"\n',
        f'kind = "histogram"\nmeasure = "mean({v})"\n[views.x]\nexpr = "{x}"\nfit = "telling"\nbins = 30\n',
        f'kind = "heatmap"\n[views.x]\nexpr = "{x}"\nfit = "telling"\n[views.y]\nexpr = "{y}"\nfit = "telling"\n',
        f'kind = "bars"\n[views.x]\nexpr = "{k}"\n',
        f'kind = "groups"\n[views.grouping]\nkeys = [{{ expr = "{k}" }}]\nmeasures = ["count", "mean({v})"]\n'
        "order = { measure = 0, descending = true }\n",
        f'kind = "number"\nmeasure = "mean({v})"\n',
        'kind = "rows"\n',
    ]
    text = f'# Outcrop session\nversion = 1\nfile = "{file}"\ntheme = "light"\n'
    text += "".join(f"[[views]]\nid = {i + 1}\n{view}" for i, view in enumerate(views))
    for column in ([1, 2, 3], [4, 5, 8], [6, 7, 9]):
        text += "[[layout.columns]]\nweight = 1.0\n"
        text += "".join(f"[[layout.columns.cells]]\nview = {view}\nweight = 1.0\n" for view in column)
    return text


class Window:
    """The program under a display of its own, driven by xdotool."""

    def __init__(self, path, folder):
        self.state_file, self.frame_log = folder / "state.json", folder / "frames.csv"
        reading, writing = os.pipe()
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
        self.server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
        os.close(writing)
        display = ":" + os.read(reading, 16).decode().strip()
        self.environment = os.environ | {
            "DISPLAY": display,
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "OUTCROP_STATE_FILE": str(self.state_file),
            "OUTCROP_FRAME_LOG": str(self.frame_log),
        }
        self.began = time.time()
        self.program = subprocess.Popen([PROGRAM, str(path)], env=self.environment)

    def close(self):
        for process in (self.program, self.server):
            if process.poll() is None:
                process.terminate()
            process.wait()

    def xdotool(self, *words):
        command = ["xdotool", *(str(word) for word in words)]
        return subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True).stdout

    def state(self):
        try:
            return json.loads(self.state_file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    def wait_for(self, what, condition):
        end = time.time() + PATIENCE
        while time.time() < end:
            state = self.state()
            if state and condition(state):
                return state
            if self.program.poll() is not None:
                sys.exit("the window is gone")
            time.sleep(0.05)
        sys.exit(f"not reached within {PATIENCE} s: {what}")

    def settle(self):
        """What is shown once nothing changes any more."""
        calm, last = 0, None
        end = time.time() + PATIENCE
        while calm < 5:
            time.sleep(0.1)
            state = self.state()
            is_whole = state and state["settled"] and all(
                "csv" in view for view in state["views"] if view["kind"] != "rows")
            calm = calm + 1 if is_whole and state == last else 0
            last = state
            if time.time() > end:
                sys.exit(f"does not settle within {PATIENCE} s: {state}")
        return last

    def place(self, view, x, y):
        """A place in the picture of a view, in parts of its width and height."""
        left, top, right, bottom = self.state()["views"][view]["plot"]
        return round(left + (right - left) * x), round(top + (bottom - top) * y)

    def rest(self, at):
        """Rests the pointer at a place until the views are armed."""
        self.xdotool("mousemove", *at)
        time.sleep(0.6)
        self.wait_for("armed", lambda state: state["settled"])

    def drag(self, view, path, keys=()):
        """Drags along places of a view, three points every 12 ms."""
        points = [self.place(view, *place) for place in path]
        self.rest(points[0])
        for key in keys:
            self.xdotool("keydown", key)
        self.xdotool("mousedown", 1)
        for (x, y), (to_x, to_y) in zip(points, points[1:]):
            steps = max(abs(to_x - x), abs(to_y - y), 3) // 3
            for i in range(1, steps + 1):
                self.xdotool("mousemove", x + (to_x - x) * i // steps, y + (to_y - y) * i // steps)
                time.sleep(0.012)
        self.xdotool("mouseup", 1)
        for key in keys:
            self.xdotool("keyup", key)

    def click(self, at, keys=(), button=1):
        self.rest(at)
        for key in keys:
            self.xdotool("keydown", key)
        self.xdotool("mousedown", button)
        time.sleep(0.03)
        self.xdotool("mouseup", button)
        for key in keys:
            self.xdotool("keyup", key)
        # Two clicks shortly after each other would be a double click.
        time.sleep(0.5)

    def key(self, key):
        self.xdotool("key", key)


def steps(short):
    """Every step: its name, and what it does with the window; of a short run only the first and the last."""
    x, y, v, mean, heat, bars, groups = range(7)

    def end(view, side):
        # The small bars beside a histogram begin 5 points from it and are 7 wide.
        def click(window, keys=()):
            left, _, right, bottom = window.state()["views"][view]["plot"]
            at = left - 8.5 if side == "under" else right + 8.5
            window.click((round(at), round(bottom) - 3), keys)
        return click

    def zoom(window):
        window.xdotool("mousemove", *window.place(v, 0.5, 0.5))
        for _ in range(4):
            window.xdotool("click", 4)
            time.sleep(0.03)

    def clear(window):
        window.key("ctrl+k")
        time.sleep(0.3)
        window.xdotool("type", "--delay", "20", "clear all filters")
        window.key("Return")

    def lasso(window):
        window.key("l")
        around = [(0.2, 0.3), (0.5, 0.1), (0.8, 0.4), (0.7, 0.85), (0.35, 0.9), (0.2, 0.35)]
        window.drag(heat, around)

    back_and_forth = [(0.2, 0.5), (0.8, 0.5), (0.2, 0.5), (0.55, 0.5)]
    every = [
        ("open", lambda w: None),
        ("zoom into a histogram by the wheel", zoom),
        ("drag a brush back and forth", lambda w: w.drag(x, back_and_forth)),
        ("undo", lambda w: w.key("ctrl+z")),
        ("redo", lambda w: w.key("ctrl+shift+z")),
        ("a rectangle on the heatmap", lambda w: w.drag(heat, [(0.15, 0.2), (0.7, 0.8), (0.3, 0.5), (0.8, 0.9)])),
        (SHORT, lambda w: w.click((w.place(bars, 0.3, 0)[0], w.place(bars, 0, 0)[1] + 9))),
        ("undo the bar", lambda w: w.key("ctrl+z")),
        ("a second interval", lambda w: w.drag(x, [(0.7, 0.5), (0.95, 0.5), (0.85, 0.5)], ["shift"])),
        ("what lies above an axis", end(v, "over")),
        ("and below it", lambda w: end(v, "under")(w, ["shift"])),
        ("undo both", lambda w: (w.key("ctrl+z"), time.sleep(0.3), w.key("ctrl+z"))),
        ("a bar again", lambda w: w.click((w.place(bars, 0.3, 0)[0], w.place(bars, 0, 0)[1] + 9))),
        ("a line of the group-by table", lambda w: w.click(w.place(groups, 0.3, 0.5))),
        ("another brush, back and forth", lambda w: w.drag(y, back_and_forth)),
        ("inverted", lambda w: w.key("ctrl+shift+i")),
        ("moved back and forth", lambda w: w.drag(y, [(0.4, 0.5), (0.7, 0.5), (0.3, 0.5), (0.5, 0.5)])),
        ("a click into the heatmap's corner, then a lasso", lasso_after_focus(heat, lasso)),
        ("undo the lasso", lambda w: w.key("ctrl+z")),
        ("undo the move", lambda w: w.key("ctrl+z")),
        ("redo the move", lambda w: w.key("ctrl+shift+z")),
        ("clear", clear),
        ("undo the clearing", lambda w: w.key("ctrl+z")),
        ("clear again", clear),
    ]
    last = next(at for at, (name, _) in enumerate(every) if name == SHORT) + 1
    return every[:1] + every[2:last] + every[-1:] if short else every


def lasso_after_focus(view, lasso):
    def act(window):
        # The key L speaks of the view that has the focus; a press gives it.
        window.click(window.place(view, 0.99, 0.01), button=2)
        lasso(window)
    return act


def record(arguments, folder):
    """Drives the window and keeps what it shows after every step."""
    path = folder / "session.outcrop"
    path.write_text(session(os.path.abspath(arguments.file), *arguments.columns))
    window = Window(path, folder)
    kept = []
    try:
        window.wait_for("first pictures", lambda s: s["views"] and all(v["plot"] for v in s["views"][:7]))
        window.settle()
        exact = time.time() - window.began
        found = window.xdotool("search", "--onlyvisible", "--name", "Outcrop").split()
        window.xdotool("windowfocus", found[0])
        for name, act in steps(arguments.short):
            from_ms = time.time() * 1e3
            act(window)
            acted_ms = time.time() * 1e3
            state = window.settle()
            kept.append({"name": name, "from": from_ms, "acted": acted_ms, "to": time.time() * 1e3, "state": state})
            print(f"{name}: {state['count']} rows, {len(state['filters'])} filters, "
                  f"exact {time.time() - acted_ms / 1e3 - 0.5:.1f} s after the hand", flush=True)
        window.key("ctrl+q")
        window.program.wait(timeout=60)
    finally:
        window.close()
    (folder / "steps.json").write_text(json.dumps({"file": arguments.file, "steps": kept}))
    log = list(csv.DictReader(open(window.frame_log)))
    since = lambda frame: (float(frame["start_ms"]) + float(frame["duration_ms"])) / 1e3 - window.began
    views = max(int(frame["pictures"]) for frame in log)
    at = lambda least: since(next(frame for frame in log if int(frame["pictures"]) >= least))
    print(f"after start: the first frame {since(log[0]):.2f} s, the first picture {at(1):.2f} s, "
          f"all {views} pictures {at(views):.2f} s, all exact {exact:.1f} s")
    frames = [(float(f["start_ms"]), float(f["duration_ms"]), f["animating"] == "1") for f in log]
    report_frames(frames, kept)


def report_frames(frames, kept):
    """Percentiles over all steps, and each gap above 100 ms by the step it fell into."""
    held = [frame for frame in frames if frame[0] >= kept[1]["from"]]

    def report(name, values):
        values = sorted(values)
        at = lambda p: values[min(len(values) - 1, int(p * len(values)))]
        print(f"{name}: {len(values)} frames, p50 {at(.5):.1f} ms, p95 {at(.95):.1f} ms, p99 {at(.99):.1f} ms, "
              f"longest {values[-1]:.1f} ms")

    report("painting", [duration for _, duration, busy in held if busy])
    gaps = [(a[0], b[0] - a[0], a[1]) for a, b in zip(held, held[1:]) if a[2] and b[2]]
    report("between repaints", [gap for _, gap, _ in gaps])
    starts = [step["from"] for step in kept]
    for start, gap, painting in gaps:
        if gap > 100:
            step = kept[bisect.bisect_right(starts, start) - 1]
            when = "after the hand" if start > step["acted"] else "under the hand"
            print(f"  {gap:.0f} ms without a repaint, {painting:.1f} of them painting, {when}: {step['name']}")


def condition(predicate):
    """The filter's predicate in the words of `--where`."""
    (kind, p), = predicate.items()
    within = lambda expr, lo, hi: " and ".join(
        [f"({expr}) >= {lo!r}"] * (lo is not None) + [f"({expr}) < {hi!r}"] * (hi is not None)) or "true"
    if kind == "where":
        return p["text"]
    if kind == "interval":
        return within(p["expr"], finite(p["lo"]), finite(p["hi"]))
    if kind == "intervals":
        parts = [within(p["expr"], finite(lo), finite(hi)) for lo, hi in p["intervals"]]
        parts += [f"ismissing({p['expr']})"] if p["missing"] else []
        return any_of(parts)
    if kind == "rect":
        return within(p["x"], *p["x_range"]) + " and " + within(p["y"], *p["y_range"])
    if kind == "categories":
        parts = [f"({p['expr']}) == {literal(value)}" for value in p["values"]]
        parts += [f"ismissing({p['expr']})"] if p["missing"] else []
        return any_of(parts)
    if kind == "groups":
        return any_of(p["conditions"])
    assert kind == "lasso", kind
    return any_of(lasso_runs(p, within))


def finite(value):
    """An end of an interval; JSON has no infinite ones."""
    return value


def any_of(parts):
    return " or ".join(f"({part})" for part in parts) or "false"


def literal(value):
    try:
        float(value)
        return value
    except ValueError:
        return json.dumps(value)


def lasso_runs(p, within):
    """Runs of cells whose centre lies inside the polygon, as rectangles."""
    x, y = p["x"]["edges"], p["y"]["edges"]
    corners = p["corners"]
    runs = []
    for j in range(len(y) - 1):
        level = (y[j] + y[j + 1]) / 2
        sides = zip(corners, corners[1:] + corners[:1])
        crossings = sorted(a[0] + (level - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
                           for a, b in sides if (a[1] <= level) != (b[1] <= level))
        inside = [bisect.bisect_right(crossings, (x[i] + x[i + 1]) / 2) % 2 == 1 for i in range(len(x) - 1)]
        i = 0
        while i < len(inside):
            first = i
            while i < len(inside) and inside[i]:
                i += 1
            if first < i:
                runs.append(within(p["x"]["expr"], x[first], x[i]) + " and " + within(p["y"]["expr"], y[j], y[j + 1]))
            i += 1
    return runs


def missing_of(predicate):
    """The values that are missing where the predicate does not know."""
    (_, p), = predicate.items()
    names = [p[name] if isinstance(p[name], str) else p[name]["expr"] for name in ("expr", "x", "y") if name in p]
    return [f"ismissing({name})" for name in names]


def dimension(predicate):
    """What a filter is about, as `dimension_of_view` says it of views."""
    (kind, p), = predicate.items()
    if kind in ("rect", "lasso"):
        name = lambda axis: axis if isinstance(axis, str) else axis["expr"]
        return (name(p["x"]), name(p["y"]))
    return (p["expr"],) if "expr" in p else None


def dimension_of_view(view):
    exprs = tuple(text.split(":")[0] for text in view["by"])
    return exprs if exprs else None


def conditions(filters, leave_out=None):
    found = []
    for spec in filters:
        if not spec["enabled"] or (leave_out and dimension(spec["predicate"]) == leave_out):
            continue
        text = condition(spec["predicate"])
        if spec["inverted"]:
            # Exactly the other rows, those without a value included.
            text = any_of([f"not ({text})", *missing_of(spec["predicate"])])
        found.append(text)
    return tuple(found)


def check(folder):
    """Computes every number of every step from scratch."""
    kept = json.loads((folder / "steps.json").read_text())
    file, known, numbers = kept["file"], {}, 0

    def agg(by, measures, where):
        key = (tuple(by), tuple(measures), where)
        if key not in known:
            command = [PROGRAM, "agg", file, "-o", "-"]
            for flag, texts in (("--by", by), ("--agg", measures), ("--where", where)):
                for text in texts:
                    command += [flag, text]
            run = subprocess.run(command, capture_output=True, text=True)
            if run.returncode:
                sys.exit(f"{command}\n{run.stderr}")
            known[key] = run.stdout.replace("\r", "").splitlines()
        return known[key]

    wrong = 0
    for step in kept["steps"]:
        state = step["state"]
        counted = agg([], ["count"], conditions(state["filters"]))
        differing = [] if counted[-1] == str(state["count"]) else [f"the count {state['count']} is {counted[-1]}"]
        numbers += 1
        for view in state["views"]:
            if view["kind"] == "rows":
                continue
            expected = agg(view["by"], view["measures"], conditions(state["filters"], dimension_of_view(view)))
            shown = view["csv"].replace("\r", "").splitlines()
            if view["kind"] == "groups":
                # The table's last column counts the groups of a line; its lines are sorted by a measure.
                shown = [line.rsplit(",", 1)[0] for line in shown] if shown[0].endswith(",groups") else shown
            if view["kind"] in ("groups", "bars"):
                shown, expected = sorted(shown), sorted(expected)
            numbers += sum(len(line.split(",")) for line in shown[1:])
            if shown != expected:
                pairs = [f"{a} is {b}" for a, b in zip(shown, expected) if a != b]
                differing.append(f"{view['title']}: {len(shown)} and {len(expected)} lines, {pairs[:3]}")
        wrong += len(differing)
        print(f"{step['name']}: " + ("; ".join(differing) or "equal"), flush=True)
    print(f"{numbers} numbers of {len(kept['steps'])} steps, {len(known)} answers of outcrop agg: "
          + ("all equal" if not wrong else f"{wrong} views differ"))
    sys.exit(1 if wrong else 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?")
    parser.add_argument("columns", nargs="*", metavar="X Y V K")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--record", type=pathlib.Path)
    parser.add_argument("--check", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.check:
        check(arguments.check)
    if not arguments.file or len(arguments.columns) != 4:
        parser.error("a file and four columns are needed")
    folder = arguments.record or pathlib.Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    try:
        record(arguments, folder)
        if not arguments.record:
            check(folder)
    finally:
        if not arguments.record:
            shutil.rmtree(folder)


main()
