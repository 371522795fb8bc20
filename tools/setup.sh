#!/bin/bash
# setup.sh VENV GROUP: makes VENV and installs a dependency group of pyproject.toml into it; VENV/.GROUP is the stamp.
# What the machine itself lacks is told in one line, with the apt-get install that cures it.
set -euo pipefail

venv=$1 group=$2
missing=() packages=()

lacks() { # lacks WHAT PACKAGE...
    missing+=("$1")
    shift
    packages+=("$@")
}

# The first Python that is new enough. It is run, not looked up: a shim may stand for an absent version.
find_python() {
    local python
    for python in ${PYTHON:-} python3 python3.11 python3.12 python3.13 python3.14 /usr/bin/python3; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            "$python" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    return 1
}

has_headers() { # the newest header that is used, and a static C library
    printf '#include <stdlib.h>\n#include <linux/openat2.h>\n#include <linux/seccomp.h>\nint main(void) { return 0; }\n' |
        gcc -static -x c -o /dev/null - 2>/dev/null
}

if ! python=$(find_python); then
    lacks "Python 3.11 or newer" python3 python3-venv
elif ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    lacks "Python's venv module" python3-venv
fi
if ! command -v gcc >/dev/null; then
    lacks gcc gcc libc6-dev linux-libc-dev
elif ! has_headers; then
    lacks "the headers of the C library and of Linux" libc6-dev linux-libc-dev
fi
if ((${#missing[@]})); then
    what=$(printf ', %s' "${missing[@]}")
    echo "slinger: missing ${what:2}: apt-get install ${packages[*]}" >&2
    exit 1
fi

# A .venv of another machine or Python that has gone is made anew.
if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi
# Dependency groups need pip 25.1.
"$venv/bin/python" -m pip install --quiet 'pip>=25.1'
"$venv/bin/python" -m pip install --quiet --group "$group"
touch "$venv/.$group"
