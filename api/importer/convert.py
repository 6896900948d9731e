"""A line of a file to the rows of the bulk path: each value by the type of its field, exactly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from api.importer.mapping import FileMapping, Target, Tree, Value
from api.importer.report import Reject
from api.importer.source import Line

_AMOUNT = re.compile(r"[+-]?\d+(\.\d+)?")
_SIGN = re.compile(r"([<>])\s*0")
_INTEGER = re.compile(r"[+-]?\d+")
_TRUE = frozenset({"true", "yes", "y", "1"})
_FALSE = frozenset({"false", "no", "n", "0"})


@dataclass(frozen=True, slots=True)
class Made:
    """One row for the bulk path, and the line and target it was made from."""

    line: Line
    target: Target
    row: dict[str, Any]


class _Wrong(Exception):
    """A cell cannot be read as what its field needs."""

    def __init__(self, value: Value, text: str, message: str, advice: str) -> None:
        super().__init__(message)
        self.value, self.text, self.message, self.advice = value, text, message, advice


def convert(mapping: FileMapping, line: Line) -> Iterator[Made | Reject]:
    """Yield what a line becomes; a target that cannot be made is a reject that names the cell."""
    for target in mapping.rows:
        try:
            if target.when and not _wanted(mapping, target, line.cells):
                continue
            fields = _map(mapping, target.fields, line.cells)
        except _Wrong as wrong:
            column = ", ".join(wrong.value.columns)
            yield Reject(line.number, column, wrong.text, wrong.message, wrong.advice, target.kind)
        except KeyError as missing:
            message = f"it has no `{missing.args[0]}`."
            yield Reject(line.number, str(missing.args[0]), "", message, "", target.kind)
        else:
            yield Made(line, target, {"kind": target.kind, **fields})


def _wanted(mapping: FileMapping, target: Target, cells: Mapping[str, str]) -> bool:
    for column, wanted in target.when.items():
        cell = cells.get(column, "").strip()
        if cell in wanted or (cell and "*" in wanted):
            continue
        if not cell or not any(_has_sign(mapping, target, column, cell, said) for said in wanted):
            return False
    return True


def _has_sign(mapping: FileMapping, target: Target, column: str, cell: str, said: str) -> bool:
    """Tell whether an amount is on the side of zero that a condition names: `> 0` or `< 0`."""
    side = _SIGN.fullmatch(said)
    if side is None:
        return False
    asked = Value("{" + column + "}", "amount", target.span)
    text = _amount(mapping, asked, cell)
    negative, nothing = text.startswith("-"), not text.strip("-0.")
    return not nothing and negative is (side[1] == "<")


def _map(mapping: FileMapping, fields: Mapping[str, Tree], cells: Mapping[str, str]) -> dict[str, Any]:
    found = {name: _read(mapping, tree, cells) for name, tree in fields.items()}
    return {name: value for name, value in found.items() if value is not None}


def _read(mapping: FileMapping, tree: Tree, cells: Mapping[str, str]) -> Any:
    if isinstance(tree, Value):
        text = tree.fill(cells)
        return None if text is None else _typed(mapping, tree, _word(tree, text))
    if isinstance(tree, Mapping):
        return _map(mapping, tree, cells) or None
    items = [_read(mapping, item, cells) for item in tree]
    return [item for item in items if item is not None]


def _word(value: Value, text: str) -> str:
    """Return what the file's word means; once words are listed, another one is a mistake."""
    if not value.words or text in value.words or value.type not in ("text", "boolean"):
        return value.words.get(text, text)
    if value.type == "boolean" and text.lower() in _TRUE | _FALSE:
        return text
    known = ", ".join(f"`{word}`" for word in list(value.words)[:8])
    raise _Wrong(
        value, text, f"the mapping says nothing of this word; it knows {known}.", "Add it to `words`."
    )


def _typed(mapping: FileMapping, value: Value, text: str) -> Any:
    match value.type:
        case "text":
            return text
        case "amount":
            return _amount(mapping, value, text)
        case "integer":
            return _integer(mapping, value, text)
        case "boolean":
            return _boolean(value, text)
        case "date":
            return _date(mapping, value, text).isoformat()
        case "instant":
            return _instant(mapping, value, text)


@lru_cache(maxsize=8)
def _groups(thousands: str, decimal: str) -> re.Pattern[str]:
    """Match a number whose digits stand in groups as people write them, also 12,34,567."""
    mark = re.escape(thousands)
    return re.compile(rf"[-+(]*\d{{1,3}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}(?:{re.escape(decimal)}\d*)?[-)]*")


def _plain(mapping: FileMapping, text: str) -> str:
    """Return a number with a point and without groups; text as it is where it is not written as said."""
    for symbol in mapping.symbols:
        text = text.replace(symbol, "")
    text = text.strip()
    if mapping.thousands and mapping.thousands in text:
        if not _groups(mapping.thousands, mapping.decimal).fullmatch(text):
            return f"`{text}`"
        text = text.replace(mapping.thousands, "")
    if mapping.decimal != "." and "." in text:
        return f"`{text}`"
    return (text if mapping.decimal == "." else text.replace(mapping.decimal, ".")).strip()


def _turned(mapping: FileMapping, plain: str) -> str:
    """Write an amount with its sign in front, however the file writes negative ones."""
    if mapping.negative == "after" and plain.endswith("-") and not plain.startswith(("-", "+")):
        return f"-{plain[:-1].rstrip()}"
    if mapping.negative == "parentheses" and plain.startswith("(") and plain.endswith(")"):
        return f"-{plain[1:-1].strip()}"
    return plain


def _amount(mapping: FileMapping, value: Value, text: str) -> str:
    plain = _turned(mapping, _plain(mapping, text))
    if not _AMOUNT.fullmatch(plain) or not plain.isascii():
        shown = f"`1234{mapping.decimal}50`"
        raise _Wrong(
            value, text, "this is not an amount.", f"Write {shown}, or set `decimal` and `thousands`."
        )
    return _signed(plain, value.negate)


def _signed(plain: str, negate: bool) -> str:
    digits = plain.lstrip("+-")
    negative = plain.startswith("-") is not negate
    return f"-{digits}" if negative and digits.strip("0.") else digits


def _integer(mapping: FileMapping, value: Value, text: str) -> int:
    plain = _plain(mapping, text)
    if not _INTEGER.fullmatch(plain) or not plain.isascii() or len(plain) > 34:
        raise _Wrong(value, text, "this is not a whole number.", "Write digits only.")
    return int(_signed(plain, value.negate))


def _boolean(value: Value, text: str) -> bool:
    word = text.lower()
    if word in _TRUE | _FALSE:
        return word in _TRUE
    raise _Wrong(value, text, "this is neither yes nor no.", "Say what the file's words mean with `words`.")


@lru_cache(maxsize=10_000)
def _day(text: str, forms: tuple[str, ...]) -> date | None:
    for form in forms:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007  # a day has no zone
        except ValueError:
            continue
    return None


def _date(mapping: FileMapping, value: Value, text: str) -> date:
    found = _day(text, mapping.dates if value.columns else ("%Y-%m-%d",))
    if found is not None:
        return found
    forms = " or ".join(f"`{form}`" for form in mapping.dates)
    raise _Wrong(value, text, f"this is not a day written as {forms}.", "Set `dates` in the mapping.")


def _instant(mapping: FileMapping, value: Value, text: str) -> str:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is not None and found.tzinfo is not None:
        return found.isoformat()
    zone = ZoneInfo(mapping.timezone)
    if found is not None and len(text) > 10:
        return found.replace(tzinfo=zone).isoformat()
    return datetime.combine(_date(mapping, value, text), time.fromisoformat(value.at), zone).isoformat()
