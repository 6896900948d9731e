"""What an expression can be worth, and how it looks from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal, Overflow
from reprlib import repr as shortened
from typing import Any, TypeAlias

from engine.feel import dates
from engine.feel.dates import Date, DateTime, Time
from engine.feel.decimals import CONTEXT, plain
from engine.feel.durations import DaysDuration, MonthsDuration
from engine.feel.kinds import FeelType
from engine.feel.limits import LIMITS
from engine.feel.tokens import HALF, escape


@dataclass(frozen=True, slots=True)
class Range:
    """Values between two bounds; a bound that is None is open to that side."""

    low: Value
    high: Value
    low_closed: bool = True
    high_closed: bool = True


@dataclass(frozen=True, slots=True)
class UnaryRange(Range):
    """A range that was written as a comparison: `(< 10)`; to the standard it differs from `(null..10)`."""

    sign: str = "="
    operand: Value = None


class Function:
    """Something that can be called: one of the language's own, or one that somebody defines."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class UserFunction(Function):
    """A function that an expression or a model defines."""

    parameters: tuple[tuple[str, FeelType | None], ...]
    call: Callable[[dict[str, Value]], Value] = field(repr=False)
    """Takes the arguments by name, gives the result; its notes go to the evaluation that made it."""
    result: FeelType | None = None
    name: str = ""
    inferred: Callable[[], FeelType] | None = field(default=None, repr=False)
    """Finds the type of the result in the body, where nobody has declared it."""


BRIEF = 60
"""Characters of a text that a message shows."""

Value: TypeAlias = (
    "bool | Decimal | str | Date | Time | DateTime | DaysDuration | MonthsDuration"
    " | list[Value] | dict[str, Value] | Range | Function | None"
)


class FeelError(Exception):
    """Inside the engine: this operation has no value, and why; the interpreter makes a note of it."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(why)
        self.what, self.why = what, why


class NotAFeelValue(TypeError):
    """A caller's value has no place in FEEL: a binary float, or something of another kind."""

    def __init__(self, value: object) -> None:
        what = type(value).__name__
        advice = "; give an exact decimal instead of a binary float" if isinstance(value, float) else ""
        super().__init__(f"`{shortened(value)}` ({what}) is not a FEEL value{advice}")


class HalfACharacter(NotAFeelValue):
    """A caller's text has half of a surrogate pair, which is no character and cannot be written."""

    def __init__(self, text: str) -> None:
        TypeError.__init__(self, f"`{text!a:.60}` has half of a surrogate pair")


class TooLarge(NotAFeelValue):
    """A caller's number is beyond those of FEEL."""

    def __init__(self, value: int | Decimal) -> None:
        digits = value.adjusted() if isinstance(value, Decimal) else value.bit_length() * 30103 // 100_000
        TypeError.__init__(self, f"a number of about 1e{digits} is too large; numbers end at 1e6144")


class TooDeep(NotAFeelValue):
    """A caller's value is nested deeper than any expression could look through."""

    def __init__(self, depth: int) -> None:
        TypeError.__init__(self, f"a value is nested more than {depth} deep (limit `nesting`)")


def to_feel(value: Any, depth: int = LIMITS.nesting) -> Value:
    """Return a plain Python value as a FEEL value: `int` as a number, `date` as a date, and so on.

    Raises NotAFeelValue for a float and for anything that FEEL has no kind for.
    """
    if depth == 0:
        raise TooDeep(LIMITS.nesting)
    match value:
        case None | bool() | Date() | Time() | DateTime() | DaysDuration() | MonthsDuration() | Range():
            return value
        case str():
            return _whole_text(value)
        case int() | Decimal():
            return _finite(value)
        case date() | datetime() | time():
            return dates.from_python(value)
        case timedelta():
            return DaysDuration((value.days * 86_400 + value.seconds) * 10**9 + value.microseconds * 1000)
        case Mapping():
            return {_whole_text(str(key)): to_feel(item, depth - 1) for key, item in value.items()}
        case list() | tuple():
            return [to_feel(item, depth - 1) for item in value]
        case Function():
            return value
    raise NotAFeelValue(value)


def _whole_text(text: str) -> str:
    if not text.isascii() and HALF.search(text):
        raise HalfACharacter(text)
    return text


def _finite(value: int | Decimal) -> Decimal:
    try:
        number = CONTEXT.create_decimal(value)
    except Overflow:
        raise TooLarge(value) from None
    if not number.is_finite():
        raise NotAFeelValue(value)
    return number


def from_feel(value: Value) -> Any:
    """Return a FEEL value as a plain Python one; dates within Python's years become `datetime` ones."""
    match value:
        case Date() | Time() | DateTime():
            return dates.to_python(value)
        case DaysDuration(nanoseconds):
            return timedelta(microseconds=nanoseconds // 1000)
        case list():
            return [from_feel(item) for item in value]
        case dict():
            return {key: from_feel(item) for key, item in value.items()}
    return value


def kind_of(value: Value) -> str:
    """Return the FEEL name of a value's type."""
    match value:
        case None:
            return "Null"
        case bool():
            return "boolean"
        case Decimal():
            return "number"
        case str():
            return "string"
        case Date():
            return "date"
        case Time():
            return "time"
        case DateTime():
            return "date and time"
        case DaysDuration():
            return "days and time duration"
        case MonthsDuration():
            return "years and months duration"
        case list():
            return "list"
        case dict():
            return "context"
        case Range():
            return "range"
    return "function"


def show(value: Value) -> str:
    """Return a value as FEEL would write it, for messages and traces."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Decimal():
            return plain(value)
        case str():
            return escape(value)
        case Date() | Time() | DateTime() | DaysDuration() | MonthsDuration():
            return f'@"{value}"'
        case list():
            return f"[{', '.join(map(show, value))}]"
        case dict():
            return f"{{{', '.join(f'{key}: {show(item)}' for key, item in value.items())}}}"
        case Range():
            return show_range(value)
    return "function"


def brief(value: Value, depth: int = 3) -> str:
    """Return a value as FEEL would write it, shortened to about 80 characters, for messages."""
    if isinstance(value, str) and len(value) > BRIEF:
        return f"{show(value[:BRIEF])}..."
    if isinstance(value, list):
        parts = [brief(item, depth - 1) for item in value[:4]] if depth else []
        return f"[{_shortened(parts, len(value))}]"
    if isinstance(value, dict):
        entries = list(value.items())[:4] if depth else []
        parts = [f"{key:.{BRIEF}}: {brief(item, depth - 1)}" for key, item in entries]
        return f"{{{_shortened(parts, len(value))}}}"
    return show(value)[: 2 * BRIEF]


def _shortened(parts: list[str], count: int) -> str:
    return ", ".join([*parts, "..."] if len(parts) < count else parts)


def show_range(value: Range) -> str:
    """Return a range as FEEL would write it: `[1..10)`, or `(< 10)`."""
    if isinstance(value, UnaryRange):
        return f"({value.sign} {show(value.operand)})"
    bounds = f"{show(value.low)}..{show(value.high)}"
    return f"{'[' if value.low_closed else '('}{bounds}{']' if value.high_closed else ')'}"
