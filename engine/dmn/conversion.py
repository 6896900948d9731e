"""Does a value belong to a type of a model, and the conversions that are made by themselves (10.3.2.9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.dmn.expressions import Formula
from engine.dmn.types import ItemType
from engine.feel.calls import arity
from engine.feel.conformance import MIDNIGHT, conforms
from engine.feel.dates import Date, DateTime
from engine.feel.values import UserFunction, Value, kind_of, show

Passes = Callable[[Formula, Value, Mapping[str, Value]], bool]
"""Tells whether a value passes the tests of a type; the mapping holds the entries beside it."""


def convert(value: Value, kind: ItemType, passes: Passes) -> tuple[Value, str | None]:
    """Return the value as a member of a type and None, or null and why it cannot be one (10.3.2.9.4)."""
    reason = why_not(value, kind, passes)
    if reason is None:
        return value, None
    if isinstance(value, list) and len(value) == 1 and not kind.is_list:
        inner = convert_date(value[0], kind)
        still = why_not(inner, kind, passes)
        return (inner, None) if still is None else (None, still)
    if kind.is_list:
        wrapped: Value = [convert_date(value, kind.item())]
        return (wrapped, None) if why_not(wrapped, kind, passes) is None else (None, reason)
    if why_not(dated := convert_date(value, kind), kind, passes) is None:
        return dated, None
    return None, reason


def convert_date(value: Value, kind: ItemType) -> Value:
    """Return the midnight of a date where a date and time is wanted, other values as they are."""
    return DateTime(value, MIDNIGHT) if isinstance(value, Date) and kind.is_date_time() else value


def why_not(
    value: Value, kind: ItemType, passes: Passes, beside: Mapping[str, Value] | None = None
) -> str | None:
    """Return why a value is no member of a type, or None if it is one; null is a member of every type."""
    if value is None:
        return None
    if kind.collection:
        return _why_no_list(value, kind, passes)
    reason = _why_no_base(value, kind, passes)
    if reason is not None:
        return reason
    for tests in (kind.allowed, kind.constraint):
        if tests is not None and not passes(tests, value, beside or {}):
            return f"{show(value):.80} is not one of the values that `{kind.name}` allows"
    return None


def _why_no_list(value: Value, kind: ItemType, passes: Passes) -> str | None:
    if not isinstance(value, list):
        return f"{show(value):.80} is a {kind_of(value)}, not a list"
    item = kind.item()
    for one in value:
        if (reason := why_not(one, item, passes)) is not None:
            return reason
    if kind.constraint is not None and not passes(kind.constraint, value, {}):
        return f"{show(value):.80} is not what `{kind.name}` allows"
    return None


def _why_no_base(value: Value, kind: ItemType, passes: Passes) -> str | None:
    if kind.base is not None:
        return why_not(value, kind.base, passes)
    if kind.fields is not None:
        if not isinstance(value, dict):
            return f"{show(value):.80} is a {kind_of(value)}, not a context `{kind.name}`"
        for name, part in kind.fields.items():
            if name not in value:
                return f"{show(value):.80} has no `{name}`, so it is not a `{kind.name}`"
            if (reason := why_not(value[name], part, passes, value)) is not None:
                return f"`{name}`: {reason}"
        return None
    if kind.signature is not None:
        wanted = len(kind.signature[0])
        if kind_of(value) != "function" or (isinstance(value, UserFunction) and arity(value) != wanted):
            return f"{show(value):.80} is not a function of {wanted} parameters"
        return None
    if not conforms(value, kind.feel):
        return f"{show(value):.80} is a {kind_of(value)}, not a {kind.feel}"
    return None
