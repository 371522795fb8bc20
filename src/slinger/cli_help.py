"""Help in a terminal: the texts of ``slinger help`` and ``slinger help VERB``. The pages are docs/man."""

from __future__ import annotations

from slinger.cli_options import usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from slinger.cli_options import Option, Verb


def spelling(row: Option) -> str:
    """``-b, --bundle DIR``."""
    short = f"-{row.short}, " if row.short else ""
    return f"{short}--{row.name} {row.metavar}".rstrip()


def _listing(title: str, rows: Sequence[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join(["", f"{title}:", *(f"  {name:<{width}}  {text}" for name, text in rows), ""])


def help_text(settings: Sequence[Option], verbs: Sequence[Verb]) -> str:
    """What ``slinger help`` prints."""
    return (
        "slinger: run containers from OCI bundles, with their lifecycle hooks\n\n"
        "usage: slinger [options] VERB [options] [arguments]\n"
        + _listing("verbs", [(verb.name, verb.help) for verb in verbs])
        + _listing("options of every verb", [(spelling(row), row.help) for row in settings])
        + "\n'slinger help VERB' shows a verb's options; slinger(8) and slinger-VERB(8) are the manual.\n"
    )


def verb_help_text(verb: Verb) -> str:
    """What ``slinger help VERB`` and ``slinger VERB --help`` print."""
    listing = _listing("options", [(spelling(row), row.help) for row in verb.options]) if verb.options else ""
    if verb.subverbs:
        listing = _listing("verbs behind it", [(each.name, each.help) for each in verb.subverbs]) + listing
    return f"slinger {verb.name}: {verb.help}\n\n{usage(verb)}\n{listing}"
