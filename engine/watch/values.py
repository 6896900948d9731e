"""Values of events: what a declared property may hold, and the whole numbers that stand for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, TypeAlias

from pydantic import AwareDatetime, BeforeValidator, Field

from engine.model import Model
from engine.watch.model import Kind, Property, Value

MOST = Decimal(10) ** 12
"""The largest number that a property holds, unless its `max` says otherwise."""
LONGEST = 200
"""Characters of a string property."""
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Instants and dates of events lie from the first to before the last."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MICROSECONDS_A_DAY = 86_400_000_000


def _no_float(value: object) -> object:
    if isinstance(value, float):
        raise ValueError("a number is a whole number or a decimal string, never a binary float")
    return value


Scalar: TypeAlias = Annotated[bool | int | Decimal | str | None, BeforeValidator(_no_float)]


class WatchEvent(Model):
    """Something that happened, or that is so, with an id that is unique in its window."""

    id: Annotated[str, Field(min_length=1, max_length=128)]
    type: str
    at: AwareDatetime
    customer: Annotated[str, Field(max_length=128)] = ""
    values: Mapping[str, Scalar] = {}


class Unfit(ValueError):
    """A value does not fit its property; the message says why."""


def fit(value: object, prop: Property) -> Value:
    """Return a value as its property's kind; raises Unfit if it is another kind or out of range."""
    if value is None:
        if not prop.optional:
            raise Unfit(f"`{prop.name}` is missing")
        return None
    match prop.kind:
        case Kind.INTEGER | Kind.DECIMAL:
            return _number(value, prop)
        case Kind.STRING:
            return _text(value, prop)
        case Kind.BOOLEAN if isinstance(value, bool):
            return value
        case Kind.DATE:
            return _date(value)
        case Kind.INSTANT:
            return _instant(value)
    raise Unfit(f"`{value}` is not a {prop.kind}")


def bounds(prop: Property) -> tuple[Decimal, Decimal]:
    """Return the least and the greatest number that a property holds."""
    low = -MOST if prop.minimum is None else prop.minimum
    return low, MOST if prop.maximum is None else prop.maximum


def _number(value: object, prop: Property) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise Unfit(f"`{value}` is not a number; write a whole number or a decimal string")
    text = str(value)
    try:
        number = Decimal(text) if len(text) <= 40 and text.isascii() and "_" not in text else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or (isinstance(value, str) and text.strip() != text):
        raise Unfit(f"`{text[:40]}` is not a number")
    low, high = bounds(prop)
    if not low <= number <= high:
        raise Unfit(f"{number} is not between {low} and {high}")
    if number != number.quantize(Decimal(1).scaleb(-prop.places)):
        told = f"{prop.places} decimal places" if prop.places else "whole numbers"
        raise Unfit(f"{number} has more places than `{prop.name}` has: {told}")
    return number


def _text(value: object, prop: Property) -> str:
    if not isinstance(value, str):
        raise Unfit(f"`{value}` is not a string")
    if len(value) > LONGEST:
        raise Unfit(f"the string has {len(value)} characters, more than {LONGEST}")
    if prop.one_of and value not in prop.one_of:
        raise Unfit(f"`{value}` is not one of {', '.join(f'`{option}`' for option in prop.one_of)}")
    return value


def _date(value: object) -> date:
    try:
        found = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else value
    except ValueError:
        found = None
    if isinstance(found, date) and not isinstance(found, datetime) and FIRST.date() <= found < LAST.date():
        return found
    raise Unfit(f"`{value}` is not a date; write year, month and day: `2026-01-31`")


def _instant(value: object) -> datetime:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, datetime) or found.tzinfo is None or not FIRST <= found < LAST:
        raise Unfit(f"`{value}` is not an instant; write date, time and offset: `2026-01-31T12:00:00+08:00`")
    return found


def microseconds(value: datetime | timedelta) -> int:
    """Return an instant as microseconds since 1970-01-01 UTC, or a duration as microseconds."""
    return (value - EPOCH if isinstance(value, datetime) else value) // MICROSECOND


def instants() -> tuple[int, int]:
    """Return the first and the last instant of an event, in microseconds."""
    return microseconds(FIRST), microseconds(LAST) - 1
