"""``slinger hooks lint PATH``: what is wrong with the hooks of a bundle, or will silently be ignored."""

from __future__ import annotations

from slinger.errors import one_line
from slinger.hooks.lint import ERROR, lint
from slinger.spec.jsontext import dump_pretty
from slinger.verbs import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call


def main(call: Call) -> Outcome:
    """One line a finding, or JSON; status 1 if there is an error among them, or with --strict anything."""
    findings = [finding for path in call.arguments for finding in lint(path)]
    failed = any(finding.level == ERROR for finding in findings) or (call.options.flag("strict") and bool(findings))
    if call.options.flag("json"):
        rows = [{"level": f.level, "file": f.file, "at": f.at, "message": f.message} for f in findings]
        return Outcome(dump_pretty(rows, "  ") + "\n", int(failed))
    return Outcome("".join(f"{f.level}: {one_line(f.text())}\n" for f in findings), int(failed))
