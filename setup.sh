#!/usr/bin/env bash
# Sets everything up in this folder's .venv: the FluidSynth library (Debian, Ubuntu), a virtual environment, audeo-bench.
#   ./setup.sh         to use it
#   ./setup.sh test    to test it as well
# PYTHON=/path/to/python3.12 chooses another interpreter.
# Running it again is cheap: what is there is left alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

case "${1:-}" in
    "") target=".[scale]" ;;
    test) target=".[test]" ;;
    *) echo "usage: ./setup.sh [test]" >&2; exit 2 ;;
esac

fail() { echo "setup.sh: error: $*" >&2; exit 1; }

# Installs Debian packages, through sudo where that is needed and there is somebody to ask.
install_debian() {
    local root=()
    command -v apt-get >/dev/null || fail "please install $* with your system's package manager, then run this again"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "please have an administrator run: apt-get install $*"
        root=(sudo)
    fi
    echo "setup.sh: installing $* ..."
    "${root[@]}" apt-get update -qq </dev/null
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
}

has_library() { /sbin/ldconfig -p 2>/dev/null | grep -q "lib$1\.so" || ldconfig -p 2>/dev/null | grep -q "lib$1\.so"; }

find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3.11 python3 python3.12 python3.13; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    fail "no Python 3.11 or newer found"
}

has_library fluidsynth || install_debian libfluidsynth3
if [ "${1:-}" = test ] && ! { command -v chromium && command -v chromedriver; } >/dev/null; then
    (install_debian chromium chromium-driver) || echo "setup.sh: no Chromium; the page's browser tests will be skipped" >&2
fi

if [ ! -x .venv/bin/python ]; then
    python=$(find_python)
    # Debian's python3 comes without ensurepip, which a virtual environment needs.
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        install_debian "python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    fi
    "$python" -m venv .venv
fi

# pip is asked only when something that it would act on has changed.
wanted="$target $(cat pyproject.toml constraints.txt | sha256sum)"
stamp=.venv/audeo-bench-setup
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "setup.sh: installing audeo-bench and the libraries it needs into .venv (some minutes, once) ..."
    .venv/bin/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e "$target"
    echo "$wanted" >"$stamp"
fi

if [ "${1:-}" = test ]; then
    echo "setup.sh: done. Now: .venv/bin/pytest -n 2"
else
    echo "setup.sh: done. Now: source .venv/bin/activate && audeo-bench midi --system keywise --limit 1"
fi
