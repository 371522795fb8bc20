"""Values in the text format of GVariant, as annotations have them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slinger.errors import ConfigError
from slinger.plan.gvariant import HINT, Value, first_type, parse_value


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("true", "b", True),
        ("boolean false", "b", False),
        ("5", "i", 5),
        ("-5", "i", -5),
        ("0x10", "i", 16),
        ("010", "i", 8),
        ("1.5", "d", 1.5),
        ("double 3", "d", 3.0),
        ("uint64 18446744073709551615", "t", (1 << 64) - 1),
        ("@u 7", "u", 7),
        ("byte 0xff", "y", 255),
        ("'inactive-or-failed'", "s", "inactive-or-failed"),
        ('"it\'s"', "s", "it's"),
        (r"'a\'b\n\u00e4\U0001F600'", "s", "a'b\n\u00e4\U0001f600"),
        ("objectpath '/a'", "o", "/a"),
        (" [ 'a' , 'b' ] ", "as", ("a", "b")),
        ("@as []", "as", ()),
        ("[uint32 1, 2]", "au", (1, 2)),
        ("@ay [1, 2]", "ay", b"\x01\x02"),
        ("[('/dev/null', 'rwm')]", "a(ss)", (("/dev/null", "rwm"),)),
        ("@a(ss) [('/dev/null', 'rwm')]", "a(ss)", (("/dev/null", "rwm"),)),
        ("@(st) ('a', 1)", "(st)", ("a", 1)),
        ("('one',)", "(s)", ("one",)),
    ],
)
def test_a_value_has_the_type_that_glib_gives_it(text: str, kind: str, value: Value) -> None:
    """Written as `gvariant` prints it, with and without types."""
    assert parse_value(text, "here") == (kind, value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it ends too early"),
        ("inactive", '"inactive" is no value'),
        ("'open", "no ' at the end of a text"),
        ("5 6", '"6" is too much'),
        ("[]", "an empty array needs a type, such as @as []"),
        ("['a', 5]", '"5" is no value of type s'),
        ("['a' 'b']", '"," or "]" is missing before "\'b\']"'),
        ("byte 256", "256 is none of 0 to 255"),
        ("uint64 -1", "-1 is none of 0 to 18446744073709551615"),
        ("2147483648", "2147483648 is none of -2147483648 to 2147483647"),
        ("uint32 1.5", "1.5 is none of 0 to 4294967295"),
        ("@z 1", '"@z" is no type'),
        ("@s 5", '"5" is no value of type s'),
        ("@i 'a'", "a text where the type is i"),
        ("@s ['a']", "an array where the type is s"),
        ("@s ('a',)", "a tuple where the type is s"),
        ("@(ss) ('a',)", "fewer values than (ss) has"),
        ("@(s) ('a', 'b')", "more values than (s) has"),
        ("()", "a tuple without values"),
        (r"'\ud800'", "a text has characters that D-Bus cannot carry"),
        (r"'\uzz'", '"\\uzz\'" is no character'),
        ("[" * 40, "it is nested too deeply"),
        ("1__0", '"1__0" is no value'),
    ],
)
def test_what_is_no_value_is_told(text: str, why: str) -> None:
    """The whole text: the property, what stands there, why not, and what would do."""
    with pytest.raises(ConfigError) as caught:
        parse_value(text, "here")
    assert str(caught.value) == f"here: cannot read {text}: {why} ({HINT})"


@given(st.text(alphabet="[]()'\"@,\\ aubstyix0159.-+truefalse", max_size=40))
def test_any_text_is_a_value_or_an_error(text: str) -> None:
    """Invariant: what comes out is one complete type; nothing else is raised than ConfigError."""
    try:
        kind, _ = parse_value(text, "here")
    except ConfigError:
        return
    assert first_type(kind) == kind
