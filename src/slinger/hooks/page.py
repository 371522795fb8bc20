"""The timeline as one HTML page that needs nothing else.

What hooks print is written by strangers: all text goes through html.escape or, for the script, as JSON without a
character that HTML knows, and from there into text nodes. Beside that the page's policy allows no script and no style
but these two, by their hashes, and no address at all (Content Security Policy Level 3).
"""

from __future__ import annotations

import base64  # noqa: TID253 - this file is loaded for --html alone
import hashlib  # noqa: TID253
import html
import os

from slinger.hooks.layout import lay_out
from slinger.hooks.records import capability_names, cut_note
from slinger.hooks.trace import CATEGORIES, GATE, HOOK, LANES, totals
from slinger.hooks.words import in_words, moment
from slinger.spec.jsontext import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.hooks.records import HookRecord
    from slinger.hooks.trace import Step, Trace

HERE = os.path.dirname(os.path.abspath(__file__))
LANE_NAMES = {HOOK: "hooks"}

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
{facts}
</header>
<main>
<section id="live" hidden aria-labelledby="timeline-title">
<h2 id="timeline-title">Timeline</h2>
<div class="tools">
<button type="button" id="in">Zoom in</button>
<button type="button" id="out">Zoom out</button>
<button type="button" id="fit">All</button>
<button type="button" id="theme">Light or dark</button>
<p>Wheel zooms, dragging moves. With the keyboard: arrows go from bar to bar, Shift with arrows moves, + - 0 zoom, Enter
shows all about a bar.</p>
</div>
<div id="timeline" role="group" aria-label="Timeline of the container"></div>
<ul class="legend">{legend}</ul>
</section>
<noscript><p>Without scripts there is no timeline to zoom; all that it shows is in the tables below.</p></noscript>
<section aria-labelledby="hooks-title">
<h2 id="hooks-title">Hooks</h2>
{hooks}
</section>
<section aria-labelledby="steps-title">
<h2 id="steps-title">Steps</h2>
<details><summary>{steps_count}</summary>
<div class="scroll"><table>
<thead><tr><th scope="col">Verb</th><th scope="col">Began</th><th scope="col">Took</th><th scope="col">By</th>
<th scope="col">Step</th><th scope="col">About</th><th scope="col">From</th></tr></thead>
<tbody>
{steps}
</tbody></table></div></details>
</section>
</main>
<dialog id="dialog" aria-labelledby="dialog-title"><div id="dialog-body"></div>
<button type="button" id="close" autofocus>Close</button></dialog>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def page(trace: Trace) -> str:
    """The page of a trace."""
    style, script = _asset("page.css"), _asset("page.js")
    return PAGE.format(
        policy=f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; base-uri 'none'; "
        "form-action 'none'",
        title=_text(f"Container {trace.id}"),
        style=style,
        script=script,
        facts=_facts(trace),
        legend=_legend(trace),
        hooks="\n".join(map(_hook, trace.hooks)) or "<p>No hook has run.</p>",
        steps_count=f"{len(trace.steps)} steps",
        steps="\n".join(_row(step, trace.began) for step in trace.steps),
        data=_island(_data(trace)),
    )


def _asset(name: str) -> str:
    with open(f"{HERE}/{name}", encoding="utf-8") as file:
        return file.read()


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _text(value: str) -> str:
    """As text of HTML or a quoted attribute; half a surrogate, which UTF-8 has not, becomes a mark."""
    return html.escape(value.encode("utf-8", "replace").decode("utf-8"))


def _island(value: object) -> str:
    """JSON that cannot end the element that it stands in, nor begin one."""
    return dump(value).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _facts(trace: Trace) -> str:
    lines = [f"Bundle {trace.bundle}"]
    if trace.began:
        lines.append(f"Began {moment(trace.began)}" + (f", deleted {moment(trace.ended)}" if trace.ended else ""))
    failed = sum(not record.ok for record in trace.hooks)
    lines.append(f"{len(trace.hooks)} runs of hooks, {failed} failed")
    shown = [f'<p class="facts">{_text(line)}</p>' for line in lines]
    shown += [f'<p class="error">{_text(f"{verb} failed: {message}")}</p>' for verb, message in trace.errors]
    return "\n".join(shown)


def _css(category: str) -> str:
    return category.replace(" ", "-")


def _legend(trace: Trace) -> str:
    spent = dict(totals(trace))
    used = {step.category for step in trace.steps}
    return "".join(
        f'<li class="{_css(each)}">{each} <span>{in_words(spent[each]) if each in spent else "waiting"}</span></li>'
        for each in CATEGORIES
        if each in used
    )


def _rows_of_hook(record: HookRecord) -> list[tuple[str, str]]:
    """What a record says, but for the streams."""
    return [
        ("outcome", record.outcome),
        ("path", record.path),
        ("arguments", " ".join(map(_argument, record.args))),
        ("namespaces", " ".join(record.namespaces) or "the runtime's"),
        ("working directory", record.cwd or "process.cwd"),
        (
            "capabilities",
            "its caller's" if record.capabilities is None else " ".join(capability_names(record)) or "none",
        ),
        ("status shown", record.status),
        ("pid shown", "none" if record.pid_shown is None else str(record.pid_shown)),
        ("pid of the hook", str(record.pid)),
        ("began", moment(record.started)),
        ("took", in_words(record.duration)),
    ]


def _argument(text: str) -> str:
    """So that it is seen where an argument begins and ends."""
    return text if text.isprintable() and text and not set(text) & set(" '\"\\") else repr(text)


def _texts_of_hook(record: HookRecord) -> list[tuple[str, str]]:
    streams = (("stdout", record.stdout, record.stdout_size), ("stderr", record.stderr, record.stderr_size))
    return [(f"{name}{cut_note(size)}", text) for name, text, size in streams if size]


def _hook(record: HookRecord) -> str:
    mark = "" if record.ok else ' class="bad"'
    head = f"{record.stage} #{record.index}: {record.path}, {in_words(record.duration)}, "
    rows = "".join(f"<dt>{_text(term)}</dt><dd>{_text(value)}</dd>" for term, value in _rows_of_hook(record))
    texts = "".join(
        f'<p class="facts">{_text(title)}</p><pre tabindex="0">{_text(text)}</pre>'
        for title, text in _texts_of_hook(record)
    )
    opened = "" if record.ok else " open"
    return (
        f"<details{opened}><summary>{_text(head)}<span{mark}>{_text(record.outcome)}</span></summary>"
        f"<dl>{rows}</dl>{texts}</details>"
    )


def _row(step: Step, began: int) -> str:
    cells = (
        f"<td>{_text(step.verb)}</td>",
        f'<td class="number">{in_words(step.started - began)}</td>',
        f'<td class="number">{in_words(step.duration)}</td>',
        *(f"<td>{_text(value)}</td>" for value in (step.lane, step.name, step.about, step.origin)),
    )
    return f"<tr>{''.join(cells)}</tr>"


def _data(trace: Trace) -> dict[str, object]:
    """What the script draws."""
    layout = lay_out(trace)
    lanes = [lane for lane in LANES if any(step.lane == lane for step in trace.steps)]
    # A hook's step has its record's name and beginning; two of one name never begin at once.
    records = {(f"{each.stage}[{each.index}]", each.started): each for each in trace.hooks}
    steps: list[dict[str, object]] = []
    for step in trace.steps:
        record = records.get((step.name, step.started)) if step.lane == HOOK else None
        rows = [("verb", step.verb), ("by", step.lane), ("about", step.about), ("from", step.origin)]
        rows += [("began", moment(step.started)), ("took", in_words(step.duration))]
        if step.category == GATE:
            rows.append(("meaning", "the hands wait here until slinger has done its part"))
        steps.append(
            {
                "lane": lanes.index(step.lane),
                "x": layout.x(step.started),
                "w": step.duration,
                "name": f"{step.name} {step.about}".strip() if record is None else step.name,
                "kind": _css(step.category),
                "failed": record is not None and not record.ok,
                "outcome": record.outcome if record is not None else step.category,
                "rows": _rows_of_hook(record) if record is not None else [row for row in rows if row[1]],
                "texts": _texts_of_hook(record) if record is not None else [],
            }
        )
    return {
        "length": layout.length,
        "lanes": [LANE_NAMES.get(lane, lane) for lane in lanes],
        "parts": [{"name": part.name, "x": part.x, "w": part.length} for part in layout.parts],
        "pauses": [{"name": f"{in_words(long)} idle", "x": x, "w": width} for x, width, long in layout.pauses],
        "steps": steps,
    }
