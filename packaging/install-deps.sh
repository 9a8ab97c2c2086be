#!/bin/sh
# Installs the Debian or Ubuntu packages Outcrop needs, if any is missing.
#   install-deps.sh run    to build and open the window
#   install-deps.sh test   also to run the window tests
# Asks nothing. Without root, sudo or apt it says what to install and goes on, so that whatever
# can be done without them still is.
set -u

BUILD="gcc libc6-dev"
RUN="libgl1 libgl1-mesa-dri libx11-6 libx11-xcb1 libxcursor1 libxi6 libxkbcommon0 libxkbcommon-x11-0"
TEST="xvfb xdotool imagemagick x11-utils"

case "${1:-run}" in
run) wanted="$BUILD $RUN" ;;
test) wanted="$BUILD $RUN $TEST" ;;
*)
    echo "usage: $0 run|test" >&2
    exit 2
    ;;
esac

if ! command -v cargo >/dev/null 2>&1 && [ -z "${CARGO:-}" ]; then
    echo "Outcrop needs a Rust toolchain, and cargo is not on the PATH: see https://rustup.rs" >&2
    exit 1
fi

# Elsewhere (Fedora, Arch, macOS, …) the README lists what is needed.
command -v dpkg-query >/dev/null 2>&1 || exit 0

missing=""
for package in $wanted; do
    state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root="env"
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n env"
else
    as_root=""
fi

if [ -z "$as_root" ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Missing packages:$missing" >&2
    echo "Install them with:  sudo apt-get install$missing" >&2
    echo "Going on without them." >&2
    exit 0
fi

echo "Installing missing packages:$missing"
install() {
    # shellcheck disable=SC2086 # words are meant to split
    $as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
}
if ! install; then
    # The package lists of a fresh machine may be empty or old.
    $as_root apt-get update -qq
    install || {
        echo "apt-get could not install:$missing" >&2
        echo "Going on without them." >&2
    }
fi
