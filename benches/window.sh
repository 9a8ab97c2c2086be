#!/bin/sh
# How far apart are the repaints of the window while a brush is dragged over a large file, and is the number
# on screen afterwards what `outcrop agg` computes from scratch?
#
#     benches/window.sh FILE [COLUMN]
#
# Starts the release build under Xvfb (software rendering), waits for the first scene to be exact, rests the
# pointer over the histogram of COLUMN (or the first one) until the views are armed, and drags a brush back and
# forth. Prints percentiles of what OUTCROP_FRAME_LOG says of the frames in which a button was
# down. Needs xvfb, xdotool and python3.
set -eu
file=$1
column=${2:-}
program=target/release/outcrop
folder=$(mktemp -d)
export OUTCROP_STATE_FILE="$folder/state.json" OUTCROP_FRAME_LOG="$folder/frames.csv"
export LIBGL_ALWAYS_SOFTWARE=1
mkfifo "$folder/display"
Xvfb -displayfd 3 -screen 0 1280x800x24 -nolisten tcp 3>"$folder/display" >/dev/null 2>&1 &
server=$!
window=
trap 'kill $window $server 2>/dev/null || true; rm -rf "$folder"' EXIT
DISPLAY=:$(head -n 1 "$folder/display")
export DISPLAY

# state EXPRESSION: an expression over `s`, what is shown; fails until there is something.
state() {
    python3 -c '
import json, sys
s = json.load(open(sys.argv[1]))
column = sys.argv[3]
views = [v for v in s["views"] if v["kind"] == "histogram" and v["title"].endswith(column)]
print(eval(sys.argv[2]))' "$OUTCROP_STATE_FILE" "$1" "$column" 2>/dev/null
}
# wait_for SECONDS CONDITION
wait_for() {
    tries=$(($1 * 10))
    while [ "$(state "$2")" != True ]; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || { echo "not reached within $1 s: $2" >&2; exit 1; }
        sleep 0.1
    done
}
place() { state "int(views[0]['plot'][0] + (views[0]['plot'][2] - views[0]['plot'][0]) * $1)"; }

began=$(date +%s%N)
"$program" "$file" &
window=$!
wait_for 300 "all(v['plot'] for v in s['views'] if v['kind'] != 'rows') and len(views) > 0"
painted=$(date +%s%N)
wait_for 300 "s['settled']"
settled=$(date +%s%N)
xdotool windowfocus "$(xdotool search --onlyvisible --name Outcrop | head -n 1)"
y=$(state "int(views[0]['plot'][1] * 0.5 + views[0]['plot'][3] * 0.5)")
from=$(place 0.2) far=$(place 0.8) end=$(place 0.55)
xdotool mousemove "$from" "$y"
sleep 1
wait_for 300 "s['settled']"
armed=$(date +%s%N)
xdotool mousedown 1
for x in $(seq "$from" 3 "$far") $(seq "$far" -3 "$from") $(seq "$from" 3 "$end"); do
    xdotool mousemove "$x" "$y"
    sleep 0.012
done
xdotool mouseup 1
wait_for 300 "s['settled'] and len(s['filters']) == 1"
shown=$(state "s['count']")
condition=$(state "(lambda i: '{0} >= {1!r} and {0} < {2!r}'.format(i['expr'], i['lo'], i['hi']))(s['filters'][0]['predicate']['interval'])")
xdotool key ctrl+q
wait "$window"
window=
python3 - "$OUTCROP_FRAME_LOG" "$began" "$painted" "$settled" "$armed" <<'END'
import csv, sys
began, painted, settled, armed = (int(t) / 1e9 for t in sys.argv[2:])
print(f"first pictures {painted - began:.1f} s after start, all exact {settled - began:.1f} s, "
      f"armed {armed - settled - 1:.1f} s after the pointer came to rest")
frames = [(float(f["start_ms"]), float(f["duration_ms"]), f["animating"] == "1")
          for f in csv.DictReader(open(sys.argv[1]))]
def report(name, values):
    values = sorted(values)
    at = lambda p: values[min(len(values) - 1, int(p * len(values)))]
    print(f"{name}: {len(values)} frames, p50 {at(.5):.1f} ms, p95 {at(.95):.1f} ms, p99 {at(.99):.1f} ms, "
          f"longest {values[-1]:.1f} ms")
frames = frames[2:]
report("painting", [d for _, d, busy in frames if busy])
report("between repaints", [b[0] - a[0] for a, b in zip(frames, frames[1:]) if a[2] and b[2]])
END
counted=$("$program" agg "$file" --where "$condition" -o - | tail -n 1 | tr -d '\r')
echo "shown $shown, outcrop agg --where '$condition' $counted"
[ "$shown" = "$counted" ] || { echo "they differ" >&2; exit 1; }
