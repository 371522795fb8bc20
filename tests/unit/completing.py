"""What a shell offers where Tab is pressed: bash, zsh and fish, each asked in its own way.

Rule of the file: words are given as the user sees them, so that --name=value is one. One process of a shell answers
for all lines; in what it prints, a line with a full stop ends each answer.
"""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tools.gen_completion import FOLDER

Line = Sequence[str]

BASH: Final = """
source "$1"
complete -p slinger >/dev/null || exit 9
shift
while (($#)); do
    COMP_WORDS=("${@:2:$1}")
    COMP_CWORD=$(($1 - 1))
    shift $(($1 + 1))
    _slinger
    printf '%s\\n' "${COMPREPLY[@]}" .
done
"""
FISH: Final = """
source $argv[1]
for line in $argv[2..]
    complete -C $line
    echo .
end
"""
# compadd is where all candidates pass. The line is there when the editor begins, so nothing is typed and nothing timed.
ZSH: Final = """
fpath=($FUNCTIONS $fpath)
autoload -Uz compinit && compinit -u -D
compadd() {
    local -a found
    if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\\ * ]]; then
        builtin compadd -O found "$@"
        ((#found)) && print -rl -- $found >>$OFFERED
    fi
    builtin compadd "$@"
}
zle -C list-choices list-choices _main_complete
zle-line-init() {
    for BUFFER in ${(f)"$(<$ASKED)"}; do
        CURSOR=$#BUFFER
        zle list-choices
        print -r -- . >>$OFFERED
    done
    exit
}
zle -N zle-line-init
"""


def in_bash(program: Path, directory: Path, lines: Sequence[Line]) -> str:
    """bash splits words at = as well, and hands its function all of them."""
    words: list[str] = []
    for line in lines:
        split = [part for word in line for part in word.replace("=", "\0=\0").removesuffix("\0").split("\0")]
        words += [str(len(split) + 1), str(program), *split]
    return _asked(["bash", "--norc", "-c", BASH, "bash", str(FOLDER / "slinger.bash"), *words], directory, {})


def in_fish(program: Path, directory: Path, lines: Sequence[Line]) -> str:
    """fish has a command for it; behind a tab it describes what it offers."""
    environment = {"PATH": f"{program.parent}:/usr/bin:/bin", "HOME": str(directory.parent)}
    words = [" ".join(["slinger", *line]) for line in lines]
    return _asked(
        ["fish", "--no-config", "-c", FISH, "--", str(FOLDER / "slinger.fish"), *words], directory, environment
    )


def in_zsh(program: Path, directory: Path, lines: Sequence[Line]) -> str:
    """zsh completes in its line editor alone, which wants a terminal."""
    home = directory.parent
    asked, offered = home / "asked", home / "offered"
    (home / "functions").mkdir()
    (home / "functions/_slinger").write_text((FOLDER / "slinger.zsh").read_text("utf-8"), "utf-8")
    (home / ".zshrc").write_text(ZSH, "utf-8")
    asked.write_text("\n".join(" ".join(["slinger", *line]) for line in lines), "utf-8")
    environment = {
        "PATH": f"{program.parent}:/usr/bin:/bin",
        "TERM": "dumb",
        "HOME": str(home),
        "ZDOTDIR": str(home),
        "FUNCTIONS": str(home / "functions"),
        "ASKED": str(asked),
        "OFFERED": str(offered),
    }
    said = _on_terminal(["zsh", "-d", "-i"], directory, environment)
    assert offered.exists(), said
    return offered.read_text("utf-8")


SHELLS: Final[dict[str, Callable[[Path, Path, Sequence[Line]], str]]] = {
    "bash": in_bash,
    "zsh": in_zsh,
    "fish": in_fish,
}


def offers(shell: str, program: Path, directory: Path, lines: Sequence[Line]) -> list[list[str]]:
    """What this shell offers for the last word of each line, sorted; options only where one has been begun."""
    answers: list[list[str]] = [[]]
    for row in SHELLS[shell](program, directory, lines).splitlines():
        if row == ".":
            answers.append([])
        else:
            answers[-1].append(row.partition("\t")[0].rstrip("/"))
    assert len(answers) == len(lines) + 1
    return [_plain(line[-1], answer) for line, answer in zip(lines, answers, strict=False)]


def _plain(word: str, answer: Sequence[str]) -> list[str]:
    """The same from all shells: each once, of --name=value the value."""
    option = word.partition("=")[0] if word.startswith("-") else ""
    found = {each.removeprefix(f"{option}=") for each in answer}
    return sorted(each for each in found if each and (option or not each.startswith("-")))


def _asked(command: list[str], directory: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        cwd=directory,
        env={**os.environ, **environment},
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout


def _on_terminal(command: list[str], directory: Path, environment: dict[str, str]) -> bytes:
    """Run it on a terminal of its own; what it has written. It is killed when nothing happens for half a minute."""
    master, slave = os.openpty()
    said = b""
    with subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, cwd=directory, env=environment, start_new_session=True
    ) as shell:
        os.close(slave)
        ended = os.pidfd_open(shell.pid)
        try:
            while (ready := select.select([master, ended], [], [], 30)[0]) and ended not in ready:
                said += os.read(master, 4096)
        except OSError:  # EIO: nobody holds the other end any more
            shell.wait(30)
        shell.kill()
    os.close(ended)
    os.close(master)
    return said
