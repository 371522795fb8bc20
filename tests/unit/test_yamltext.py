"""host/yamltext.py: YAML as the JSON value that it stands for."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import pytest

from slinger.errors import ConfigError
from slinger.host.yamltext import load_yaml

if TYPE_CHECKING:
    from collections.abc import Callable

YAML = b"""\
---
cdiVersion: "1.1.0"
edits: &common
  mode: 0666
  flags: [yes, ~, 1.5]
again: *common
"""


def test_a_document_is_read() -> None:
    """Octal numbers as in YAML 1.1, which engines read; an alias is a copy."""
    edits = {"mode": 0o666, "flags": [True, None, 1.5]}
    assert load_yaml(YAML, "x.yaml") == {"cdiVersion": "1.1.0", "edits": edits, "again": edits}
    assert load_yaml(b"", "x.yaml") is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"a: [", "invalid YAML at line 1 column 5: expected the node content, but found '<stream end>'"),
        (b"a: 1\nb: 2\na: 3\n", 'invalid YAML at line 3: duplicate member "a"'),
        (b"x:\n- {a: 1, a: 2}\n", 'invalid YAML at line 2: duplicate member "a"'),
        (b"a: {b: 2020-01-01}", "a.b: date is no value of JSON (quote it if it is text)"),
        (b"a: &x [*x]", "a[0]: list is no value of JSON (quote it if it is text)"),
        (b"a: {1: x}", "a: the member 1 is no text (quote it)"),
        (b"a: !!python/object:os.system x",
         "invalid YAML at line 1 column 4: could not determine a constructor for the tag 'tag:yaml.org,2002:python/"),
        (b"a: 1\n---\nb: 2\n", "invalid YAML at line 2 column 1: but found another document"),
        (b"\xff", 'invalid YAML: unacceptable character #x00ff: invalid start byte in "<byte string>", position 0'),
        (b"[" * 3000, "invalid YAML: maximum recursion depth exceeded"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_named(text: bytes, why: str) -> None:
    """Never with a traceback, and never run."""
    with pytest.raises(ConfigError) as caught:
        load_yaml(text, "x.yaml")
    assert str(caught.value).startswith(f"x.yaml: {why}")


def test_without_the_package_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON needs none."""
    real: Callable[..., Any] = builtins.__import__

    def without_yaml(name: str, *more: Any) -> Any:
        if name == "yaml":
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", without_yaml)
    with pytest.raises(ConfigError) as caught:
        load_yaml(b"a: 1", "x.yaml")
    assert str(caught.value) == (
        "x.yaml: needs the Python package PyYAML (pip install 'slinger[cdi]', or give a JSON file)"
    )
