"""Write docs/conformance.md: each rule of the specification, and the tests that show it.

The rules are those of docs/conformance.toml; which test shows which is said on the test, by its mark
``@pytest.mark.spec("config.md#mounts/order", ...)``, in which ``*`` stands for any text. Tests are parsed and not
imported, so nothing has to be there that they need. ``gen_conformance.py`` writes the page, ``--check`` fails when it
is stale; a rule that no test shows and a mark that names no rule are errors for both.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
RULES = HERE / "docs" / "conformance.toml"
PAGE = HERE / "docs" / "conformance.md"
TESTS = HERE / "tests"
END = "<!-- end -->"
KEYWORDS = ("MUST", "MUST NOT", "REQUIRED", "SHOULD", "SHOULD NOT", "NOT RECOMMENDED")


@dataclass(frozen=True)
class Rule:
    """A rule; `peers` is the reason for which slinger does as its peers do and not as the letter says."""

    section: str
    name: str
    keyword: str
    text: str
    peers: str = ""

    @property
    def id(self) -> str:
        """What the mark of a test says."""
        return f"{self.section}/{self.name}"


@dataclass(frozen=True)
class Shown:
    """A test, and a pattern of the ids of the rules that it shows."""

    path: str
    test: str
    pattern: str

    def shows(self, rule: Rule) -> bool:
        """Whether the pattern is of this rule."""
        return re.fullmatch(".*".join(map(re.escape, self.pattern.split("*"))), rule.id) is not None


def rules() -> list[Rule]:
    """All rules, in the order of the file; ValueError for one that is not written as it must be."""
    found: list[Rule] = []
    for section, entries in tomllib.loads(RULES.read_text(encoding="utf-8")).items():
        for name, entry in entries.items():
            match entry:
                case [keyword, text, *reason] if keyword in KEYWORDS and text and len(reason) <= 1:
                    found.append(Rule(section, name, keyword, text, *reason))
                case _:
                    message = f"{RULES.name}: {section}/{name}: expected [keyword, rule] or [keyword, rule, reason]"
                    raise ValueError(message)
    return found


def marks(mark: str = "spec") -> list[Shown]:
    """What the tests say of themselves by this mark."""
    return [shown for path in sorted(TESTS.rglob("test_*.py")) for shown in marks_of(path, mark)]


def marks_of(path: Path, mark: str = "spec") -> Iterator[Shown]:
    """The same of one file; ValueError for a mark that is not made of plain strings."""
    name = path.relative_to(HERE).as_posix() if path.is_relative_to(HERE) else path.name
    functions = [node for node in ast.parse(path.read_bytes()).body if isinstance(node, ast.FunctionDef)]
    for node in functions:
        for call in node.decorator_list:
            if not isinstance(call, ast.Call) or ast.unparse(call.func) != f"pytest.mark.{mark}":
                continue
            for argument in call.args:
                match argument:
                    case ast.Constant(value=str(pattern)):
                        yield Shown(name, node.name, pattern)
                    case _:
                        raise ValueError(f"{name}:{call.lineno}: a mark of ids, each a string as it stands")


def faults(known: Sequence[Rule], shown: Sequence[Shown]) -> list[str]:
    """Rules without a test, and marks without a rule."""
    bare = [f"{rule.id}: no test shows it" for rule in known if not any(each.shows(rule) for each in shown)]
    lost = [
        f"{each.path}: {each.test}: no rule {each.pattern!r}"
        for each in shown
        if not any(each.shows(rule) for rule in known)
    ]
    return bare + lost


def table(known: Sequence[Rule], shown: Sequence[Shown]) -> str:
    """The generated part of the page."""
    count = {keyword: sum(rule.keyword == keyword for rule in known) for keyword in KEYWORDS}
    lines = [
        f"{len(known)} rules: {', '.join(f'{number} {keyword}' for keyword, number in count.items())}.",
        *_peers(known),
    ]
    section = file = ""
    for rule in known:
        if rule.section != section:
            section = rule.section
            if section.partition("#")[0] != file:
                file = section.partition("#")[0]
                lines += ["", f"## {file}"]
            lines += ["", f"### {section}", "", "| rule | | what it wants | shown by |", "|---|---|---|---|"]
        tests = dict.fromkeys((each.path, each.test) for each in shown if each.shows(rule))
        links = ", ".join(f"[{test}](../{path})" for path, test in tests)
        name = rule.name.replace("[]", "[\\]")
        lines.append(f"| {name} | {rule.keyword}{' (peers)' if rule.peers else ''} | {rule.text} | {links} |")
    return "\n".join(lines)


def _peers(known: Sequence[Rule]) -> list[str]:
    rows = [rule for rule in known if rule.peers]
    if not rows:
        return []
    head = ["", "Where slinger does as its peers do and not as the letter says:", "", "| rule | why |", "|---|---|"]
    return [*head, *(f"| {rule.id} | {rule.peers} |" for rule in rows)]


def renewed(page: str, part: str) -> str:
    """The page with its generated part as it must be; ValueError for a page without a place for it."""
    return placed(page, part, "gen_conformance")


def placed(page: str, part: str, tool: str) -> str:
    """A page with what this tool generates; ValueError for a page without a place for it."""
    begin = f"<!-- generated by tools/{tool}.py -->"
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"no place for the table: {begin} ... {END}")
    return f"{before}{begin}\n\n{part}\n\n{END}{after}"


def main() -> int:
    """Write or check the page."""
    known, shown = rules(), marks()
    wrong = faults(known, shown)
    for fault in wrong:
        print(f"conformance: {fault}", file=sys.stderr)
    page = PAGE.read_text(encoding="utf-8")
    new = renewed(page, table(known, shown))
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(new, encoding="utf-8")
    elif new != page:
        print(f"stale: {PAGE.relative_to(HERE)}; run make gen", file=sys.stderr)
        return 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
