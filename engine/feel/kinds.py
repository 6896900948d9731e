"""The types of FEEL: what is known of a value before it is there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FeelType:
    """A type of the language."""


@dataclass(frozen=True, slots=True)
class Simple(FeelType):
    """A type without parts, by its FEEL name."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ListOf(FeelType):
    """A list whose items are all of one type."""

    item: FeelType

    def __str__(self) -> str:
        return f"list<{self.item}>"


@dataclass(frozen=True, slots=True)
class RangeOf(FeelType):
    """A range of comparable values."""

    item: FeelType

    def __str__(self) -> str:
        return f"range<{self.item}>"


@dataclass(frozen=True, slots=True)
class ContextOf(FeelType):
    """A context with known entries; build one with `context_of`."""

    entries: tuple[tuple[str, FeelType], ...]

    def get(self, name: str) -> FeelType | None:
        """Return the type of an entry, or None if there is no such entry."""
        return next((kind for key, kind in self.entries if key == name), None)

    def __str__(self) -> str:
        return f"context<{', '.join(f'{name}: {kind}' for name, kind in self.entries)}>"


@dataclass(frozen=True, slots=True)
class FunctionOf(FeelType):
    """A function from parameters to a result."""

    parameters: tuple[FeelType, ...]
    result: FeelType

    def __str__(self) -> str:
        return f"function<{', '.join(map(str, self.parameters))}> -> {self.result}"


@dataclass(frozen=True, slots=True)
class Named(FeelType):
    """A type that somebody else defines, by name: an item definition of a DMN model."""

    name: str

    def __str__(self) -> str:
        return self.name


ANY = Simple("Any")
NULL = Simple("Null")
NUMBER = Simple("number")
STRING = Simple("string")
BOOLEAN = Simple("boolean")
DATE = Simple("date")
TIME = Simple("time")
DATE_TIME = Simple("date and time")
DAYS_DURATION = Simple("days and time duration")
MONTHS_DURATION = Simple("years and months duration")
CONTEXT = Simple("context")
FUNCTION = Simple("function")
LIST = ListOf(ANY)
RANGE = RangeOf(ANY)

DURATIONS = (DAYS_DURATION, MONTHS_DURATION)
BY_NAME: dict[str, FeelType] = {
    str(kind): kind
    for kind in (
        ANY, NULL, NUMBER, STRING, BOOLEAN, DATE, TIME, DATE_TIME, DAYS_DURATION, MONTHS_DURATION,
        CONTEXT, FUNCTION,
    )
} | {"list": LIST, "range": RANGE}  # fmt: skip


def context_of(**entries: FeelType) -> ContextOf:
    """Return the type of a context with these entries."""
    return ContextOf(tuple(entries.items()))


def fits(actual: FeelType, wanted: FeelType) -> bool:
    """Tell whether a value of one type may stand where the other is wanted (DMN 1.5, 10.3.2.9.1).

    Null stands everywhere, and so does `Any`, of which nothing is known before the value is there.
    """
    match actual, wanted:
        case _ if actual == wanted or wanted == ANY or actual in (ANY, NULL):
            return True
        case (ListOf(a), ListOf(b)) | (RangeOf(a), RangeOf(b)):
            return fits(a, b)
        case ContextOf(), Simple("context"):
            return True
        case Simple("context"), ContextOf():
            return True
        case ContextOf(), ContextOf():
            return all((have := actual.get(name)) and fits(have, kind) for name, kind in wanted.entries)
        case (FunctionOf(), Simple("function")) | (Simple("function"), FunctionOf()):
            return True
        case FunctionOf(given, result), FunctionOf(asked, expected):
            contra = len(given) == len(asked) and all(map(fits, asked, given))
            return contra and fits(result, expected)
        case (Named(), _) | (_, Named()):
            return True
    return False


def conforms_to(actual: FeelType, wanted: FeelType) -> bool:
    """Tell whether each value of one type is one of the other (DMN 1.5, 10.3.2.9.2).

    Unlike `fits`, which asks whether a value may be, `Any` conforms to nothing but itself.
    """
    match actual, wanted:
        case _ if wanted == ANY or actual == NULL:
            return True
        case (Simple("Any"), _):
            return False
        case (ListOf(a), ListOf(b)) | (RangeOf(a), RangeOf(b)):
            return conforms_to(a, b)
        case ContextOf(), ContextOf():
            return all(
                (have := actual.get(name)) and conforms_to(have, kind) for name, kind in wanted.entries
            )
        case FunctionOf(given, result), FunctionOf(asked, expected):
            contra = len(given) == len(asked) and all(map(conforms_to, asked, given))
            return contra and conforms_to(result, expected)
        case Simple("context"), ContextOf():
            return False
    return fits(actual, wanted)


def join(first: FeelType, second: FeelType) -> FeelType:
    """Return the narrowest type that both fit."""
    if first == second or second == NULL:
        return first
    if first == NULL:
        return second
    match first, second:
        case ListOf(a), ListOf(b):
            return ListOf(join(a, b))
        case RangeOf(a), RangeOf(b):
            return RangeOf(join(a, b))
        case ContextOf(), ContextOf() if {k for k, _ in first.entries} == {k for k, _ in second.entries}:
            return ContextOf(tuple((k, join(t, second.get(k) or ANY)) for k, t in first.entries))
        case ((ContextOf() | Simple("context")), (ContextOf() | Simple("context"))):
            return CONTEXT
    return ANY
