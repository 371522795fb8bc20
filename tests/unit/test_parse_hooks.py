"""spec/parse_hooks.py: hook lists, and warnings for what looks like a hook but is none (crun issue 1501)."""

from __future__ import annotations

import pytest

from slinger.lifecycle import STAGE_NAMES
from slinger.spec.config import Hook, Hooks
from slinger.spec.parse import parse_config
from tests.unit.documents import NONE, changed, parsed

TRUE = [{"path": "/bin/true"}]


def warnings_about(*changes: tuple[str, object]) -> tuple[str, ...]:
    """What the parser warns of."""
    return parse_config(changed(*changes))[1]


def test_hooks_are_read_in_full() -> None:
    """Lists are in the order of the stages, entries in that of the document."""
    hooks = {
        "poststop": TRUE,
        "prestart": [{"path": "/a", "args": ["a", "b"], "env": ["C=d"], "timeout": 5}, {"path": "/b"}],
        "createRuntime": NONE,
    }
    assert parsed(("hooks", hooks)).hooks == Hooks(
        (
            ("prestart", (Hook("/a", ("a", "b"), ("C=d",), 5), Hook("/b"))),
            ("poststop", (Hook("/bin/true"),)),
        )
    )


def test_all_six_stages_are_read() -> None:
    """Each of lifecycle.STAGES, without a warning."""
    assert parsed(("hooks", dict.fromkeys(STAGE_NAMES, TRUE))).hooks == Hooks(
        tuple((name, (Hook("/bin/true"),)) for name in STAGE_NAMES)
    )


def test_an_empty_env_is_told_from_an_absent_one_but_empty_args_are_not() -> None:
    """An absent env inherits, an empty one does not; there is no argv without argv[0]."""
    hook = parsed(("hooks", {"prestart": [{"path": "/a", "args": NONE, "env": NONE}]})).hooks.of("prestart")
    assert hook == (Hook("/a", None, (), None),)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Poststart", "poststart"),
        ("postStop", "poststop"),
        ("POSTSTOP", "poststop"),
        ("preStart", "prestart"),
        ("createruntime", "createRuntime"),
        ("createContaner", "createContainer"),
        ("startContainers", "startContainer"),
        ("poststrat", "poststart"),
    ],
)
def test_a_misspelt_stage_is_warned_of(name: str, meant: str) -> None:
    """It is valid, it is ignored, and it was meant."""
    assert warnings_about(("hooks", {name: TRUE})) == (
        f'hooks.{name}: unknown property, ignored (did you mean "{meant}"?)',
    )


def test_any_other_name_among_hooks_is_warned_of() -> None:
    """Nothing else has a meaning there."""
    assert warnings_about(("hooks", {"onExit": TRUE, "prestart": TRUE})) == ("hooks.onExit: not a hook stage, ignored",)


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("timeOut", 'hooks.poststop[0].timeOut: unknown property, ignored (did you mean "timeout"?)'),
        ("arg", 'hooks.poststop[0].arg: unknown property, ignored (did you mean "args"?)'),
        ("when", "hooks.poststop[0].when: unknown property, ignored"),
    ],
)
def test_an_unknown_member_of_a_hook_is_warned_of(name: str, warning: str) -> None:
    """A hook that lost its timeout is no longer the one that was meant."""
    assert warnings_about(("hooks", {"poststop": [{"path": "/a", name: 1}]})) == (warning,)


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("hook", 'hook: unknown property, ignored (did you mean "hooks"?)'),
        ("Hooks", 'Hooks: unknown property, ignored (did you mean "hooks"?)'),
        ("mount", 'mount: unknown property, ignored (did you mean "mounts"?)'),
        ("Process", 'Process: unknown property, ignored (did you mean "process"?)'),
        ("poststart", 'poststart: not a property here, ignored (did you mean "hooks.poststart"?)'),
    ],
)
def test_a_misplaced_or_misspelt_property_is_warned_of(name: str, warning: str) -> None:
    """Also where there are no hooks at all."""
    assert warnings_about((name, TRUE)) == (warning,)


@pytest.mark.parametrize("name", ["vm", "windows", "solaris", "freebsd", "zos", "vendor", "x"])
def test_other_platforms_and_extensions_are_not_warned_of(name: str) -> None:
    """config.md, "Extensibility": unknown properties are ignored."""
    assert warnings_about((name, {})) == ()
