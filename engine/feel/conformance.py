"""Does a value belong to a type, and the conversions that the standard makes by itself (10.3.2.9.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from engine.feel.dates import UTC, Date, DateTime, Time
from engine.feel.functions.signature import BuiltIn
from engine.feel.kinds import (
    ANY,
    DATE_TIME,
    NULL,
    ContextOf,
    FeelType,
    FunctionOf,
    ListOf,
    Named,
    RangeOf,
    Simple,
    fits,
)
from engine.feel.values import FeelError, Range, UserFunction, Value, brief, kind_of

Resolve = Callable[[str], FeelType | None]
"""Finds a type that is defined elsewhere, by its name."""
Fits = Callable[[FeelType, FeelType], bool]
"""Compares the type that a value has with the one that is wanted."""


class Mismatch(FeelError):
    """A value is not of the type that is wanted."""

    def __init__(self, value: Value, wanted: FeelType) -> None:
        super().__init__("wrong-types", f"{brief(value)} is not {_article(str(wanted))}")


def _article(noun: str) -> str:
    return f"a{'n' if noun[0] in 'aeiouAEIOU' else ''} {noun}"


def conforms(
    value: Value, kind: FeelType, resolve: Resolve = lambda _: None, function_fits: Fits = fits
) -> bool:
    """Tell whether a value belongs to a type; null belongs to `Null` and `Any` only.

    `function_fits` compares the type of a function with the wanted one. Where a value is only put in a place,
    a function of which not all is known may stand; `instance of` asks with `conforms_to`.
    """
    match kind:
        case Simple(name):
            return kind_of(value) == name or (kind == ANY and value is not None)
        case ListOf(item):
            return isinstance(value, list) and (
                item == ANY or all(v is None or conforms(v, item, resolve, function_fits) for v in value)
            )
        case RangeOf(item):
            return isinstance(value, Range) and all(
                bound is None or conforms(bound, item, resolve, function_fits)
                for bound in (value.low, value.high)
            )
        case ContextOf(entries):
            return isinstance(value, dict) and all(
                key in value and (value[key] is None or conforms(value[key], wanted, resolve, function_fits))
                for key, wanted in entries
            )
        case FunctionOf(parameters, _):
            return any(function_fits(have, kind) for have in _function_types(value, len(parameters)))
        case Named(name):
            known = resolve(name)
            return known is not None and conforms(value, known, resolve, function_fits)
    return False


def _function_types(value: Value, count: int) -> Iterator[FunctionOf]:
    """Yield the types that a function has for so many arguments: a built-in may have several."""
    match value:
        case UserFunction(parameters, _, result, _, inferred):
            known = result or (inferred() if inferred else NULL)  # of a boxed one, nobody may know it
            yield FunctionOf(tuple(kind or ANY for _, kind in parameters), known)
        case BuiltIn(_, overloads):
            for overload in overloads:
                if overload.takes(count):
                    kinds = (overload.formal(index).type for index in range(count))
                    yield FunctionOf(tuple(kinds), overload.result)


def coerced(value: Value, kind: FeelType, resolve: Resolve = lambda _: None) -> Value:
    """Return the value as a member of the type, converted if need be; raises Mismatch if it cannot be one.

    A list of one stands for its item, an item for a list of one, and a date for its midnight.
    """
    if value is None or kind == NULL or conforms(value, kind, resolve):
        return value
    if isinstance(kind, Named) and (known := resolve(kind.name)) is not None:
        return coerced(value, known, resolve)
    if isinstance(value, list) and len(value) == 1 and not isinstance(kind, ListOf):
        value = value[0]  # once only: a list in a list is no item
        if value is None or conforms(value, kind, resolve):
            return value
    if isinstance(kind, ListOf) and not isinstance(value, list) and conforms(value, kind.item, resolve):
        return [value]
    if kind == DATE_TIME and isinstance(value, Date):
        return DateTime(value, MIDNIGHT)
    raise Mismatch(value, kind)


MIDNIGHT: Final = Time(0, UTC)
"""The standard sees a date as its midnight in UTC (10.3.2.3.4)."""
