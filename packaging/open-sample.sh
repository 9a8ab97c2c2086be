#!/bin/sh
# Opens a session in the window; without a display renders it to a picture and says where that is.
#   open-sample.sh PROGRAM SESSION PICTURE
set -eu
program=$1 session=$2 picture=$3

if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || [ "$(uname -s)" = Darwin ]; then
    exec "$program" "$session"
fi
mkdir -p "$(dirname "$picture")"
"$program" render "$session" -o "$picture"
echo "There is no display, so the session was rendered to $(cd "$(dirname "$picture")" && pwd)/$(basename "$picture")"
