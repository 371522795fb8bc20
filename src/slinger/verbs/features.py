"""``slinger features``: what this runtime supports (runtime-spec features.md); needs no root."""

from __future__ import annotations

from slinger.spec.features import features
from slinger.spec.jsontext import dump_pretty
from slinger.verbs import Outcome
from slinger.verbs.version import libseccomp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call


def main(_call: Call) -> Outcome:
    """Answer with the features object."""
    return Outcome(dump_pretty(features(libseccomp=libseccomp()), "    ") + "\n")
