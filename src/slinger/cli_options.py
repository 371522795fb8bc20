"""How a command line is read: rows of options and verbs in, values out. The rows are in cli_table.py.

The rules are those of Go's flag package, by which runc's callers write their calls:
``--name value``, ``--name=value``, the same with one dash (``-no-subreaper``), short names, flags as
``--debug`` or ``--debug=false``, and ``--`` before what only looks like an option. Beyond that an
option may follow the arguments, and a global option the verb. Abbreviations are refused.
argparse would do half of this and costs 8 ms.
"""

from __future__ import annotations

from slinger.errors import UsageError
from slinger.record import Record
from slinger.verbs import Values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from slinger.verbs import Value

FLAG = "flag"
VALUE = "value"
INT = "int"  # a whole number, not negative
REPEAT = "repeat"  # may be given several times; the value is a tuple

# What Go's strconv.ParseBool takes, after lower(): callers send --rootless=true.
TRUE = ("1", "t", "true")
FALSE = ("0", "f", "false")


class Option(Record):
    """One option. ``default`` is the value where it is not given.

    ``first``: a global option that is not looked for behind the verb.
    """

    name: str
    short: str
    metavar: str
    kind: str
    help: str
    default: Value
    choices: tuple[str, ...] = ()
    first: bool = False


class Verb(Record):
    """One verb: ``module`` has its ``main``; ``[X]`` among the arguments may be left out.

    ``literal``: from the first argument on nothing is an option (a command to be run).
    ``failure``: the exit status when slinger fails, as opposed to the program that it ran.
    ``subverbs``: verbs of their own behind this one's name, each with its full name (``hooks test``). A first
    argument that is none of them is this verb's own; behind ``--`` it is so whatever it is called.
    """

    name: str
    module: str
    help: str
    arguments: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    literal: bool = False
    failure: int = 1
    subverbs: tuple[Verb, ...] = ()

    def subverb(self, word: str) -> Verb | None:
        """The subverb that is called by this word, if there is one."""
        return next((each for each in self.subverbs if each.name.rpartition(" ")[2] == word), None)


class Scan:
    """One reading of a command line. What was understood before an error stays readable."""

    def __init__(self, settings: Sequence[Option], verbs: Sequence[Verb]) -> None:
        self._global_rows = tuple(settings)
        self._verb_rows = tuple(verbs)
        self.settings = Values((row.name, row.default) for row in settings)
        self.options = Values()
        self.verb: Verb | None = None
        self.arguments: tuple[str, ...] = ()

    @property
    def wants_help(self) -> bool:
        """--help or -h was among the options."""
        return self.settings.flag("help")

    def read(self, argv: Sequence[str]) -> None:
        """Read all of ``argv`` (without the program's name); UsageError names what is wrong."""
        words = list(argv)
        arguments: list[str] = []
        while words:
            word = words.pop(0)
            if word == "--":
                self._take_rest(arguments, words)
            elif word == "-" or not word.startswith("-"):
                self._take_word(arguments, word)
                if arguments and self.verb is not None and self.verb.literal:
                    self._take_rest(arguments, words)
            else:
                self._take_option(word, words)
        self.arguments = tuple(arguments)
        if self.verb is not None and not self.wants_help:
            check_arguments(self.verb, self.arguments)

    def _take_word(self, arguments: list[str], word: str) -> None:
        if self.verb is None:
            self._choose(find_verb(self._verb_rows, word))
            return
        subverb = None if arguments else self.verb.subverb(word)
        if subverb is None:
            arguments.append(word)
        elif self.options.any_given():
            message = f"{self.verb.name}: the options of {subverb.name} go behind it"
            raise UsageError(message, hint=usage(subverb))
        else:
            self._choose(subverb)

    def _choose(self, verb: Verb) -> None:
        self.verb = verb
        self.options = Values((row.name, row.default) for row in verb.options)

    def _take_rest(self, arguments: list[str], words: list[str]) -> None:
        while words:
            word = words.pop(0)
            if self.verb is None:
                self._take_word(arguments, word)
            else:
                arguments.append(word)

    def _take_option(self, word: str, words: list[str]) -> None:
        given, equals, attached = word.partition("=")
        row, values = self._find(given)
        spoken = f"{self.verb.name} {given}" if self.verb is not None else given
        if row.kind == FLAG:
            values.put(row.name, _truth(spoken, attached) if equals else True)
            return
        if not equals and not words:
            message = f"{spoken}: needs a value, {row.metavar}"
            raise UsageError(message)
        values.put(row.name, _value(row, spoken, attached if equals else words.pop(0)))

    def _find(self, given: str) -> tuple[Option, Values]:
        """The row of ``--name``, ``-name`` or ``-n``, and where its value goes: the verb's own come first."""
        name = given[2:] if given.startswith("--") else given[1:]
        own: tuple[Option, ...] = ()
        general = self._global_rows
        if self.verb is not None:
            own, general = self.verb.options, tuple(row for row in general if not row.first)
        for rows, values in ((own, self.options), (general, self.settings)):
            for row in rows:
                if name and name in (row.name, row.short):
                    return row, values
        raise self._unknown(given, name)

    def _unknown(self, given: str, name: str) -> UsageError:
        if self.verb is not None:
            known = [row.name for row in (*self.verb.options, *self._global_rows)]
            hint = f"slinger help {self.verb.name} lists the options"
            return UsageError(f"{self.verb.name}: unknown option {given}", hint=nearest(name, known, "--") or hint)
        owners = [verb.name for verb in self._verb_rows if name in [row.name for row in verb.options]]
        if owners:
            hint = f"it belongs behind the verb: {', '.join(owners)}"
        else:
            hint = nearest(name, [row.name for row in self._global_rows], "--") or "slinger help lists the options"
        return UsageError(f"unknown option {given}", hint=hint)


def every_verb(verbs: Sequence[Verb]) -> tuple[Verb, ...]:
    """The verbs, each followed by its subverbs."""
    return tuple(row for verb in verbs for row in (verb, *verb.subverbs))


def find_verb(verbs: Sequence[Verb], name: str) -> Verb:
    """The row of this name; UsageError with the nearest name if there is none."""
    for verb in verbs:
        if verb.name == name:
            return verb
    hint = nearest(name, [verb.name for verb in verbs], "") or "slinger help lists the verbs"
    message = f'unknown verb "{name}"'
    raise UsageError(message, hint=hint)


def nearest(name: str, known: Iterable[str], dashes: str) -> str:
    """A hint with the most similar known name, or ""."""
    import difflib  # 10 ms, only where the call has failed anyway

    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {dashes}{close[0]}?" if close else ""


def check_arguments(verb: Verb, arguments: tuple[str, ...]) -> None:
    """UsageError unless the verb takes this many arguments."""
    least = sum(not name.startswith("[") for name in verb.arguments)
    endless = verb.literal or (verb.arguments and verb.arguments[-1].endswith("...]"))
    most = len(arguments) if endless else len(verb.arguments)
    if least <= len(arguments) <= most:
        return
    takes = " ".join(verb.arguments) or "no arguments"
    got = "nothing" if not arguments else f"{len(arguments)}: {' '.join(arguments)}"
    message = f"{verb.name}: takes {takes}, got {got}"
    raise UsageError(message, hint=usage(verb))


def usage(verb: Verb) -> str:
    """How to call a verb, on one line."""
    options = ["[options]"] if verb.options else []
    return " ".join(["usage: slinger", verb.name, *options, *verb.arguments])


def _truth(spoken: str, text: str) -> bool:
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    message = f'{spoken}: must be true or false, not "{text}"'
    raise UsageError(message)


def _value(row: Option, spoken: str, text: str) -> Value:
    if row.kind == INT:
        # isdigit alone takes other scripts' digits, int() alone takes "1_0" and " 1".
        if not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004 - fits 32 bits
            message = f'{spoken}: must be a whole number from 0, not "{text}"'
            raise UsageError(message)
        return int(text)
    if row.choices and text.lower() not in row.choices:
        message = f'{spoken}: must be {" or ".join(row.choices)}, not "{text}"'
        raise UsageError(message)
    if row.choices:
        return text.lower()
    return (text,) if row.kind == REPEAT else text
