#!/bin/sh
# How far apart are the repaints of the window while a brush is dragged over a large file?
#
#     benches/window.sh FILE [SECONDS TO LOAD]
#
# Starts the release build under Xvfb (software rendering), waits for the first scene, drags a brush
# over the first histogram and back, and prints what OUTCROP_FRAME_LOG says of the frames in which
# something was being computed or dragged. Needs xvfb and xdotool.
set -eu
file=$1
wait=${2:-15}
log=$(mktemp)
display=:$((90 + $$ % 100))
Xvfb "$display" -screen 0 1280x800x24 >/dev/null 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; rm -f "$log"' EXIT
sleep 1
export DISPLAY="$display" LIBGL_ALWAYS_SOFTWARE=1
OUTCROP_FRAME_LOG="$log" target/release/outcrop "$file" &
program=$!
sleep "$wait"
xdotool windowfocus "$(xdotool search --name . | head -n 1)"
xdotool mousemove 300 300
sleep 3
xdotool mousedown 1
for x in $(seq 302 2 420) $(seq 418 -2 340); do
    xdotool mousemove "$x" 300
    sleep 0.03
done
xdotool mouseup 1
sleep 1
xdotool key ctrl+q
wait "$program"
awk -F, '
    NR > 2 && $3 == 1 {
        gap = $1 - before; frames++
        if (gap > longest) longest = gap
        if (gap > 100) late++
        if ($2 > paint) paint = $2
    }
    { before = $1 }
    END {
        printf "%d frames while busy: longest gap %.1f ms, %d over 100 ms; longest painting %.1f ms\n",
            frames, longest, late, paint
    }' "$log"
