"""spec/jsontext.py and spec/jsonfault.py: JSON in and out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from slinger.errors import ConfigError
from slinger.spec.jsonfault import find_fault
from slinger.spec.jsontext import dump, dump_pretty, load

SOURCE = Path(__file__).parents[2] / "src"


@pytest.mark.parametrize(
    "text",
    ["{}", " [ ] \n", '"a\\u00e9\\n"', "0", "-1.5e+3", "[true,false,null]", '{"a":{"b":[1,{"c":"d"}]}}', "1e999"],
)
def test_a_document_is_read_as_by_the_standard_library(text: str) -> None:
    """The value is the same, and there is no fault to be found."""
    assert load(text.encode(), "x.json") == json.loads(text)
    assert find_fault(text) == (-1, "")


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ("", "line 1 column 1", "expecting a value"),
        (" \n ", "line 2 column 2", "expecting a value"),
        ("{]", "line 1 column 2", 'expecting a member name in double quotes or "}"'),
        ('{"a":1,}', "line 1 column 8", "expecting a member name in double quotes"),
        ('{"a" 1}', "line 1 column 6", 'expecting ":"'),
        ('{\n  "a": 1\n  "b": 2\n}', "line 3 column 3", 'expecting "," or "}"'),
        ("[1 2]", "line 1 column 4", 'expecting "," or "]"'),
        ("[1,]", "line 1 column 4", "expecting a value"),
        ("[", "line 1 column 2", 'expecting a value or "]"'),
        ("[}", "line 1 column 2", 'expecting a value or "]"'),
        ("{} {}", "line 1 column 4", "expecting the end of the document"),
        ("{}\x00", "line 1 column 3", "expecting the end of the document"),
        ('{"a": nul}', "line 1 column 7", "expecting a value"),
        ('{"a": NaN}', "line 1 column 7", "expecting a value"),
        ("-Infinity", "line 1 column 1", "expecting a value"),
        ("-", "line 1 column 1", "expecting a value"),
        ("[01]", "line 1 column 3", 'expecting "," or "]"'),
        ("1.", "line 1 column 2", "expecting the end of the document"),
        ("1e", "line 1 column 2", "expecting the end of the document"),
        ("'a'", "line 1 column 1", "expecting a value"),
        ('["a', "line 1 column 2", "string without an end"),
        ('["a\n"]', "line 1 column 4", "control character in a string"),
        ('["\\x"]', "line 1 column 3", "invalid escape in a string"),
        ('["\\u12g4"]', "line 1 column 3", "invalid escape in a string"),
        ("// a\n{}", "line 1 column 1", "expecting a value"),
        ("\ufeff{}", "line 1 column 1", "expecting a value"),
        ("9" * 5000, "line 1 column 1", "a number with too many digits"),
        ("[" * 100 + "}", "line 1 column 101", 'expecting a value or "]"'),
    ],
)
def test_a_fault_is_told_with_its_place(text: str, where: str, why: str) -> None:
    """Line and column count from 1."""
    with pytest.raises(ConfigError) as caught:
        load(text.encode(), "config.json")
    assert str(caught.value) == f"config.json: invalid JSON at {where}: {why}"
    assert caught.value.path == ""


@pytest.mark.spec("glossary.md#json/duplicate-names")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"a": "\xff"}', "x.json: not UTF-8: invalid start byte at byte 7"),
        (b"\xed\xa0\x80", "x.json: not UTF-8: invalid continuation byte at byte 0"),
        (b"[" * 100_000, "x.json: invalid JSON: nested too deeply"),
        (b'{"a": 1, "b": 2, "a": 1}', 'x.json: duplicate member "a"'),
        (b'{"a": [0, {"b": {"c": 1, "c": 2}}]}', 'a[1].b: duplicate member "c"'),
        (b'{"a": {"b": [{}]}, "c": {"d": 1, "d": 2}}', 'c: duplicate member "d"'),
        (b'{"a": {"x": 1, "x": 1}, "a": {}}', 'x.json: duplicate member "a"'),
        (b'{"a": ["\\ud800"]}', "a[0]: half of a surrogate pair"),
        (b'"\\uDFFF"', "x.json: half of a surrogate pair"),
        (b'{"\\ud800": 1}', "x.json: half of a surrogate pair in a member name"),
        (b'{"a\\u001b[2J": {"c": 1, "c": 2}}', 'a\\x1b[2J: duplicate member "c"'),
        (b'{"a": {"\\n": 1, "\\n": 2}}', 'a: duplicate member " | "'),
        (b'{"\\ud800": [{"b": 1, "b": 2}]}', "x.json: half of a surrogate pair in a member name"),
        (b'{"a": {"\\ud800": 1}}', "a: half of a surrogate pair in a member name"),
    ],
)
def test_what_json_allows_and_a_configuration_does_not_is_refused(text: bytes, message: str) -> None:
    """RFC 8259 leaves these to the reader; config.md wants UTF-8 and unique names."""
    with pytest.raises(ConfigError) as caught:
        load(text, "x.json")
    assert str(caught.value) == message


def test_a_whole_surrogate_pair_is_one_character() -> None:
    """A pair is how JSON writes what is beyond 16 bits."""
    assert load(b'"\\ud83d\\ude00"', "x.json") == "\U0001f600"


def test_compact_text_is_ascii_without_spaces() -> None:
    """Whatever the locale, the bytes are the same; tuples are arrays."""
    assert dump({"a": (1, True, None), "é\n": ["x", ()]}) == '{"a":[1,true,null],"\\u00e9\\n":["x",[]]}'


def test_pretty_text_has_a_member_a_line() -> None:
    """Empty arrays and objects stay on their line."""
    assert dump_pretty({"a": [1, {"b": "c"}], "d": [], "e": {}, "f": ()}, "  ") == (
        '{\n  "a": [\n    1,\n    {\n      "b": "c"\n    }\n  ],\n  "d": [],\n  "e": {},\n  "f": []\n}'
    )


def test_what_is_not_json_is_not_written() -> None:
    """A record or NaN in the value is a mistake of the caller's."""
    with pytest.raises(TypeError, match=r"^set is not JSON$"):
        dump({"a": {1}})
    with pytest.raises(ValueError, match=r"^Out of range float values are not JSON compliant"):
        dump(float("nan"))


def test_neither_reading_nor_failing_loads_the_json_module() -> None:
    """``import json`` costs 8 ms of each create."""
    code = (
        "import sys; from slinger.errors import ConfigError; from slinger.spec.parse import parse_config\n"
        'parse_config(b\'{"ociVersion": "1.0.0", "root": {"path": "/"}}\')\n'
        "try: parse_config(b'{]')\nexcept ConfigError: pass\n"
        "print('json' in sys.modules, 're' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(SOURCE)!r}); {code}"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "False False\n"
