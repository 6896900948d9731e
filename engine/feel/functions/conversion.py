"""Built-ins from one type to another, and `not` and `is` (DMN 1.5, 10.3.4.1, 10.3.4.2, 10.3.4.6)."""

from __future__ import annotations

import re
from decimal import Decimal

from engine.feel.dates import Date, DateTime, Time
from engine.feel.decimals import CONTEXT, plain
from engine.feel.functions.signature import function
from engine.feel.operators import bounded_length, same
from engine.feel.values import FeelError, Value, brief, kind_of, show

NUMBER_TEXT = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
GROUPS = (" ", ",", ".", None)


@function("number(from: string, [grouping separator: string?], [decimal separator: string?]) -> number")
def number(text: str, grouping_separator: str | None = None, decimal_separator: str | None = None) -> Decimal:
    """Read a number, written with these separators."""
    if grouping_separator not in GROUPS:
        raise FeelError("bad-argument", f"{brief(grouping_separator)} does not separate groups")
    if decimal_separator not in (".", ",", None):
        raise FeelError("bad-argument", f"{brief(decimal_separator)} does not separate decimals")
    if grouping_separator is not None and grouping_separator == decimal_separator:
        raise FeelError("bad-argument", "the two separators are the same")
    clean = text.replace(grouping_separator, "") if grouping_separator else text
    clean = clean.replace(decimal_separator, ".") if decimal_separator else clean
    if not NUMBER_TEXT.fullmatch(clean):
        raise FeelError("bad-argument", f"`{text:.60}` is not a number")
    return CONTEXT.create_decimal(clean)


@function("number(from: number) -> number")
def number_from_number(value: Decimal) -> Decimal:
    """Return the number itself."""
    return value


@function("string(from: any) -> string")
def string(value: Value) -> str:
    """Return a value as text."""
    text = text_of(value)
    bounded_length(len(text))
    return text


def text_of(value: Value) -> str:
    """Return a value as `string()` writes it: a text as it is, a date without quotes."""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return plain(value)
    return (
        str(value)
        if isinstance(value, Date | Time | DateTime) or "duration" in kind_of(value)
        else show(value)
    )


@function("not(negand: any?) -> boolean?")
def negation(negand: Value) -> bool | None:
    """Return the opposite truth; null for what is neither true nor false."""
    if negand is None:
        return None
    if not isinstance(negand, bool):
        raise FeelError("bad-argument", f"{brief(negand)} is neither true nor false")
    return not negand


@function("is([value1: any?], [value2: any?]) -> boolean")
def is_same(value1: Value = None, value2: Value = None) -> bool:
    """Tell whether two values are the same element of the semantic domain: zones count, too."""
    if kind_of(value1) != kind_of(value2):
        return False
    if isinstance(value1, Date | Time | DateTime):
        return value1 == value2
    return same(value1, value2)
