"""Lines of NDJSON as cells by key: numbers exact as they are written, keys of inner objects with a dot."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TextIO

from api.importer.mapping import JsonNumber

MAX_DIGITS = 34
"""Digits of a number that is written out from one with an exponent."""


class Twice(ValueError):
    """An object names a field twice; the first such name is its text."""


def cells_of(text: str) -> dict[str, str] | None:
    """Return the cells of one line; None: it is no object.

    Raises Twice, ValueError (no JSON) and RecursionError (too deep).
    """
    found = json.loads(
        text, parse_float=_number, parse_int=_number, parse_constant=_no_number, object_pairs_hook=_object
    )
    if not isinstance(found, dict):
        return None
    cells = dict(_inner(found, ""))
    return cells | {name: _cell(value) for name, value in found.items()}


def bounded_lines(text: TextIO, limit: int) -> Iterator[tuple[int, str, bool]]:
    """Yield each line with its number, and whether it is longer than `limit`: then only its beginning."""
    number = 0
    while said := text.readline(limit + 1):
        number += 1
        long = len(said) > limit
        rest = said
        while len(rest) > limit and not rest.endswith(("\n", "\r")):
            rest = text.readline(limit + 1)
        yield number, said, long


def _number(text: str) -> JsonNumber:
    """Return a number as its digits; one whose exponent asks for too many is left as it is written."""
    if "e" not in text and "E" not in text:
        return JsonNumber(text)
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent beyond what Decimal has
        return JsonNumber(text)
    exponent, digits = number.as_tuple().exponent, len(number.as_tuple().digits)
    if not isinstance(exponent, int) or max(digits + exponent, digits, -exponent) > MAX_DIGITS:
        return JsonNumber(text)
    return JsonNumber(f"{number:f}")


def _no_number(text: str) -> str:
    raise ValueError(f"`{text}` is no number of JSON")


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise Twice(next(name for n, name in enumerate(names) if name in names[:n]))
    return found


def _inner(found: Mapping[str, object], before: str) -> Iterator[tuple[str, str]]:
    """Yield the cells of objects within: `{"total": {"amount": 5}}` has a cell `total.amount`."""
    for name, value in found.items():
        if isinstance(value, dict):
            for key, inner in value.items():
                yield f"{before}{name}.{key}", _cell(inner)
            yield from _inner(value, f"{before}{name}.")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
