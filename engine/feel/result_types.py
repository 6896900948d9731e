"""What comes out of an operator, an entry or a built-in, by the types of what goes in."""

from __future__ import annotations

from typing import Final

from engine.feel.functions import Overload
from engine.feel.functions.signature import VARIABLE
from engine.feel.kinds import (
    ANY,
    DATE,
    DATE_TIME,
    DAYS_DURATION,
    DURATIONS,
    MONTHS_DURATION,
    NULL,
    NUMBER,
    STRING,
    TIME,
    FeelType,
    ListOf,
    fits,
    join,
)

ORDERED = (NUMBER, STRING, DATE, TIME, DATE_TIME, *DURATIONS)
SUMS: Final[dict[tuple[FeelType, FeelType], FeelType]] = {
    (NUMBER, NUMBER): NUMBER, (STRING, STRING): STRING,
    (DAYS_DURATION, DAYS_DURATION): DAYS_DURATION, (MONTHS_DURATION, MONTHS_DURATION): MONTHS_DURATION,
    (DATE, DAYS_DURATION): DATE, (DATE, MONTHS_DURATION): DATE, (TIME, DAYS_DURATION): TIME,
    (DATE_TIME, DAYS_DURATION): DATE_TIME, (DATE_TIME, MONTHS_DURATION): DATE_TIME,
}  # fmt: skip
PRODUCTS: Final[dict[tuple[FeelType, FeelType], FeelType]] = {
    (NUMBER, NUMBER): NUMBER, (DAYS_DURATION, NUMBER): DAYS_DURATION,
    (MONTHS_DURATION, NUMBER): MONTHS_DURATION,
}  # fmt: skip
RESULTS: Final[dict[str, dict[tuple[FeelType, FeelType], FeelType]]] = {
    "+": SUMS | {(b, a): kind for (a, b), kind in SUMS.items()},
    "-": {pair: kind for pair, kind in SUMS.items() if pair != (STRING, STRING)}
    | dict.fromkeys(
        ((DATE, DATE), (DATE, DATE_TIME), (DATE_TIME, DATE), (DATE_TIME, DATE_TIME)), DAYS_DURATION
    )
    | {(TIME, TIME): DAYS_DURATION},
    "*": PRODUCTS | {(b, a): kind for (a, b), kind in PRODUCTS.items()},
    "/": PRODUCTS | {(kind, kind): NUMBER for kind in DURATIONS},
    "**": {(NUMBER, NUMBER): NUMBER},
}
DATE_PARTS = dict.fromkeys(("year", "month", "day", "weekday"), NUMBER)
TIME_PARTS = {
    **dict.fromkeys(("hour", "minute", "second"), NUMBER), "time offset": DAYS_DURATION, "timezone": STRING,
}  # fmt: skip
PARTS: Final[dict[FeelType, dict[str, FeelType]]] = {
    DATE: {**DATE_PARTS},
    TIME: {**TIME_PARTS},
    DATE_TIME: {**DATE_PARTS, **TIME_PARTS},
    DAYS_DURATION: dict.fromkeys(("days", "hours", "minutes", "seconds"), NUMBER),
    MONTHS_DURATION: dict.fromkeys(("years", "months"), NUMBER),
}


def bound_result(overload: Overload, given: list[FeelType], named: dict[str, FeelType]) -> FeelType | None:
    """Return the result of an overload for such arguments; None if it does not take them."""
    formals = {formal.name: formal for formal in overload.formals}
    if named and (named.keys() - formals.keys() or any(
        f.name not in named and not f.optional for f in overload.formals
    )):  # fmt: skip
        return None
    if not named and not overload.takes(len(given)):
        return None
    pairs = (
        [(formals[name].type, kind) for name, kind in named.items()]
        if named
        else [(overload.formal(i).type, kind) for i, kind in enumerate(given)]
    )
    variable: FeelType = NULL
    for formal, kind in pairs:
        if not _accepts(formal, kind):
            return None
        variable = join(variable, _variable(formal, kind))
    return _filled(overload.result, ANY if variable == NULL else variable)


def _accepts(formal: FeelType, kind: FeelType) -> bool:
    if formal == VARIABLE or fits(kind, formal):
        return True
    if isinstance(formal, ListOf):
        return _accepts(formal.item, kind.item if isinstance(kind, ListOf) else kind)
    if isinstance(kind, ListOf):  # a list of one stands for its item
        return _accepts(formal, kind.item)
    return (kind, formal) == (DATE, DATE_TIME)


def _variable(formal: FeelType, kind: FeelType) -> FeelType:
    """Return what `T` is, if a value of a type is given for a parameter."""
    if formal == VARIABLE:
        return kind
    if isinstance(formal, ListOf):
        return _variable(formal.item, kind.item if isinstance(kind, ListOf) else kind)
    return NULL


def _filled(result: FeelType, variable: FeelType) -> FeelType:
    if result == VARIABLE:
        return variable
    return ListOf(_filled(result.item, variable)) if isinstance(result, ListOf) else result
