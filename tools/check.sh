#!/bin/bash
# check.sh: every check of the house, each run to its end; exit status 1 when one of them found something.
# Called by `make check`, which has set up .venv and PATH.
set -uo pipefail

failed=()
export PYTHONDONTWRITEBYTECODE=1

run() { # run NAME COMMAND...
    local name=$1
    shift
    if ! "$@"; then
        failed+=("$name")
    fi
}

c_warnings() { # builds in .build/CC with every warning an error
    local build=.build/$1
    rm -rf "$build"
    CC=$1 meson setup "$build" -Dwerror=true -Dbuildtype=release >"$build.log" 2>&1 &&
        ninja -C "$build" --quiet >>"$build.log" 2>&1 && return
    cat "$build.log"
    return 1
}

mapfile -t python_folders < <(find src tests tools bench -name '*.py' | cut -d/ -f1 | sort -u)
mapfile -t c_files < <(find init tests -name '*.[ch]' ! -name '*.gen.h')
mapfile -t shell_files < <(find .ci tools tests bench completions -name '*.sh' -o -name '*.bash' -o -path .ci/run)

mkdir -p .build
run "ruff check" ruff check --quiet "${python_folders[@]}"
run "ruff format" ruff format --check --quiet "${python_folders[@]}"
run "mypy" mypy --no-error-summary "${python_folders[@]}"
run "pyright" pyright --level error
run "clang-format" clang-format --dry-run -Werror "${c_files[@]}"
run "shellcheck" shellcheck "${shell_files[@]}"
for tool in tools/gen_*.py; do
    run "$tool --check" python "$tool" --check
done
run "gcc warnings" c_warnings gcc
if command -v clang >/dev/null; then
    run "clang warnings" c_warnings clang
fi

if ((${#failed[@]})); then
    echo "check: failed: $(printf '%s, ' "${failed[@]}" | sed 's/, $//')"
    exit 1
fi
echo "check: clean"
