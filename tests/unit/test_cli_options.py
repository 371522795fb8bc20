"""How a command line is read: slinger.cli_options with a table of its own."""

from __future__ import annotations

import pytest

from slinger.cli_help import help_text, verb_help_text
from slinger.cli_options import FLAG, INT, REPEAT, VALUE, Option, Scan, Verb
from slinger.errors import UsageError

HELP = Option("help", "h", "", FLAG, "print help", default=False)
VERSION = Option("version", "v", "", FLAG, "print the version", default=False, first=True)
LOG = Option("log", "", "FILE", VALUE, "write there", "")
BUNDLE = Option("bundle", "b", "DIR", VALUE, "the bundle", ".")
FORMAT = Option("format", "f", "FORMAT", VALUE, "the format", "table", ("table", "json"))
COUNT = Option("count", "", "N", INT, "how many", 0)
ENV = Option("env", "e", "K=V", REPEAT, "a variable", ())
KEEP = Option("keep", "", "", FLAG, "keep it", default=False)

GLOBALS = (HELP, VERSION, LOG)
MAKE = Verb("make", "make", "make it", ("ID",), (BUNDLE, COUNT, ENV, KEEP))
KILL = Verb("kill", "kill", "kill it", ("ID", "[SIGNAL]"))
LIST = Verb("list", "list", "list them", (), (FORMAT,))
EXEC = Verb("exec", "exec", "run a command", ("ID", "COMMAND"), (ENV, KEEP), literal=True)
LOOK = Verb(
    "look",
    "look",
    "look at it",
    ("ID",),
    (FORMAT,),
    subverbs=(
        Verb("look show", "look", "the same", ("ID",), (FORMAT,)),
        Verb("look for", "look_for", "look for it", ("WHAT", "[WHERE]"), (COUNT,)),
    ),
)
VERBS = (MAKE, KILL, LIST, EXEC, LOOK)


def scanned(line: str) -> Scan:
    """The reading of a line whose words are separated by one space."""
    scan = Scan(GLOBALS, VERBS)
    scan.read(line.split(" ") if line else [])
    return scan


@pytest.mark.parametrize(
    "line",
    [
        "make --bundle /b x",
        "make --bundle=/b x",
        "make -bundle /b x",
        "make -bundle=/b x",
        "make -b /b x",
        "make -b=/b x",
        "make x --bundle /b",
        "make --bundle /a --bundle /b x",
        "make --bundle /b -- x",
    ],
)
def test_a_value_is_taken_in_every_spelling(line: str) -> None:
    """--x v, --x=v, one dash, the short name, before and after arguments; the last one counts."""
    scan = scanned(line)
    assert (scan.verb, scan.arguments, scan.options.text("bundle")) == (MAKE, ("x",), "/b")


@pytest.mark.parametrize(
    ("spelling", "value"),
    [
        ("--keep", True),
        ("-keep", True),
        ("--keep=true", True),
        ("--keep=TRUE", True),
        ("--keep=1", True),
        ("--keep=t", True),
        ("--keep=false", False),
        ("--keep=0", False),
    ],
)
def test_a_flag_may_say_its_value(spelling: str, value: bool) -> None:
    """As Go's flags: callers send --rootless=true and the like."""
    assert scanned(f"make {spelling} x").options.flag("keep") is value


def test_absent_options_have_their_defaults() -> None:
    """The default of the row, for each kind."""
    options = scanned("make x").options
    assert (options.text("bundle"), options.number("count"), options.texts("env"), options.flag("keep")) == (
        ".",
        0,
        (),
        False,
    )


def test_a_value_that_looks_like_an_option_is_a_value() -> None:
    """The word behind --bundle is its value, whatever it looks like."""
    assert scanned("make --bundle --keep x").options.text("bundle") == "--keep"


def test_a_repeated_option_gathers_its_values_in_order() -> None:
    """Not split at commas: a value may hold one."""
    assert scanned("make -e A=1,2 --env B= x").options.texts("env") == ("A=1,2", "B=")


def test_two_dashes_end_the_options() -> None:
    """What follows is an argument, with or without a dash."""
    assert scanned("make -- --keep").arguments == ("--keep",)


def test_one_dash_is_an_argument() -> None:
    """As everywhere, where it stands for standard input."""
    assert scanned("make -").arguments == ("-",)


def test_the_command_of_a_literal_verb_keeps_its_options() -> None:
    """From the first argument on, words belong to the command."""
    scan = scanned("exec --env A=1 x ls --keep --env -- B")
    assert (scan.arguments, scan.options.flag("keep")) == (("x", "ls", "--keep", "--env", "--", "B"), False)


def test_a_global_option_may_follow_the_verb() -> None:
    """Where the verb has none of that name."""
    assert scanned("make x --log /l").settings.text("log") == "/l"


def test_the_verbs_own_option_comes_before_a_global_one() -> None:
    """So a verb can have --rootless though there is a global one."""
    own = Verb("other", "other", "", (), (LOG,))
    scan = Scan(GLOBALS, (own,))
    scan.read(["--log", "/global", "other", "--log", "/own"])
    assert (scan.settings.text("log"), scan.options.text("log")) == ("/global", "/own")


def test_help_needs_no_arguments() -> None:
    """Their number is not checked then."""
    assert scanned("make --help").wants_help


def test_what_was_read_before_an_error_stays_readable() -> None:
    """So an error in the line is still told in the log that the line names."""
    scan = Scan(GLOBALS, VERBS)
    with pytest.raises(UsageError):
        scan.read(["--log", "/l", "--bogus"])
    assert scan.settings.text("log") == "/l"


WRONG = [
    ("--bogus make x", "unknown option --bogus (slinger help lists the options)"),
    ("--lgo /l make x", "unknown option --lgo (did you mean --log?)"),
    ("--bundle /b make x", "unknown option --bundle (it belongs behind the verb: make)"),
    ("-x make x", "unknown option -x (slinger help lists the options)"),
    ("mak x", 'unknown verb "mak" (did you mean make?)'),
    ("frobnicate", 'unknown verb "frobnicate" (slinger help lists the verbs)'),
    ("make --bundel /b x", "make: unknown option --bundel (did you mean --bundle?)"),
    ("make --bund /b x", "make: unknown option --bund (did you mean --bundle?)"),
    ("make --xyzzy x", "make: unknown option --xyzzy (slinger help make lists the options)"),
    ("make -kb x", "make: unknown option -kb (slinger help make lists the options)"),
    ("make --=3 x", "make: unknown option -- (slinger help make lists the options)"),
    ("make -v x", "make: unknown option -v (slinger help make lists the options)"),
    ("make x --bundle", "make --bundle: needs a value, DIR"),
    ("make x -b", "make -b: needs a value, DIR"),
    ("make --keep=maybe x", 'make --keep: must be true or false, not "maybe"'),
    ("make --keep= x", 'make --keep: must be true or false, not ""'),
    ("make --count -1 x", 'make --count: must be a whole number from 0, not "-1"'),
    ("make --count 1_0 x", 'make --count: must be a whole number from 0, not "1_0"'),
    ("make --count 99999999999 x", 'make --count: must be a whole number from 0, not "99999999999"'),
    ("make --count= x", 'make --count: must be a whole number from 0, not ""'),
    ("list --format yaml", 'list --format: must be table or json, not "yaml"'),
    ("--log", "--log: needs a value, FILE"),
    ("make", "make: takes ID, got nothing (usage: slinger make [options] ID)"),
    ("make a b", "make: takes ID, got 2: a b (usage: slinger make [options] ID)"),
    ("list a", "list: takes no arguments, got 1: a (usage: slinger list [options])"),
    ("kill", "kill: takes ID [SIGNAL], got nothing (usage: slinger kill ID [SIGNAL])"),
    ("kill a 9 b", "kill: takes ID [SIGNAL], got 3: a 9 b (usage: slinger kill ID [SIGNAL])"),
    ("exec a", "exec: takes ID COMMAND, got 1: a (usage: slinger exec [options] ID COMMAND)"),
]


@pytest.mark.parametrize(("line", "text"), WRONG)
def test_a_wrong_line_is_refused_by_name(line: str, text: str) -> None:
    """The message names the word, the hint what to do about it."""
    with pytest.raises(UsageError) as caught:
        scanned(line)
    assert str(caught.value) == text


def test_help_lists_verbs_and_global_options() -> None:
    """The whole text."""
    assert help_text(GLOBALS, (MAKE, LIST)) == (
        "slinger: run containers from OCI bundles, with their lifecycle hooks\n"
        "\n"
        "usage: slinger [options] VERB [options] [arguments]\n"
        "\n"
        "verbs:\n"
        "  make  make it\n"
        "  list  list them\n"
        "\n"
        "options of every verb:\n"
        "  -h, --help     print help\n"
        "  -v, --version  print the version\n"
        "  --log FILE     write there\n"
        "\n"
        "'slinger help VERB' shows a verb's options; slinger(8) and slinger-VERB(8) are the manual.\n"
    )


def test_help_of_a_verb_lists_its_options() -> None:
    """The whole text."""
    assert verb_help_text(MAKE) == (
        "slinger make: make it\n"
        "\n"
        "usage: slinger make [options] ID\n"
        "\n"
        "options:\n"
        "  -b, --bundle DIR  the bundle\n"
        "  --count N         how many\n"
        "  -e, --env K=V     a variable\n"
        "  --keep            keep it\n"
    )


def test_help_of_a_verb_without_options_is_short() -> None:
    """No empty list."""
    assert verb_help_text(KILL) == "slinger kill: kill it\n\nusage: slinger kill ID [SIGNAL]\n"


@pytest.mark.parametrize(
    ("line", "verb", "arguments"),
    [
        ("look x", "look", ("x",)),
        ("look --format json x", "look", ("x",)),
        ("look show x", "look show", ("x",)),
        ("look show show", "look show", ("show",)),
        ("look --log /l show x --format json", "look show", ("x",)),
        ("look for x y --count 3", "look for", ("x", "y")),
        ("look -- for", "look", ("for",)),
        ("-- look for", "look", ("for",)),
    ],
)
def test_a_subverb_is_the_first_word_behind_its_verb(line: str, verb: str, arguments: tuple[str, ...]) -> None:
    """Any other word is an argument of the verb itself; -- says so of a word that is called as a subverb is."""
    scan = scanned(line)
    assert scan.verb is not None
    assert (scan.verb.name, scan.arguments) == (verb, arguments)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("look for", "look for: takes WHAT [WHERE], got nothing (usage: slinger look for [options] WHAT [WHERE])"),
        ("look for x --count y", 'look for --count: must be a whole number from 0, not "y"'),
        ("look for x --cont 1", "look for: unknown option --cont (did you mean --count?)"),
        ("look x for", "look: takes ID, got 2: x for (usage: slinger look [options] ID)"),
        (
            "look --format json for x",
            "look: the options of look for go behind it (usage: slinger look for [options] WHAT [WHERE])",
        ),
    ],
)
def test_a_fault_behind_a_subverb_names_both_words(line: str, message: str) -> None:
    """As they are typed."""
    with pytest.raises(UsageError) as caught:
        scanned(line)
    assert str(caught.value) == message


def test_the_help_of_a_verb_lists_its_subverbs() -> None:
    """Before the options."""
    assert verb_help_text(LOOK) == (
        "slinger look: look at it\n\nusage: slinger look [options] ID\n\n"
        "verbs behind it:\n  look show  the same\n  look for   look for it\n\n"
        "options:\n  -f, --format FORMAT  the format\n"
    )
