"""A line of a file to the rows of the bulk path: each value by the type of its field, exactly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from api.importer.mapping import FileMapping, Target, Tree, Value
from api.importer.report import Reject
from api.importer.source import Line

_AMOUNT = re.compile(r"[+-]?\d+(\.\d+)?")
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
        if not _wanted(target, line.cells):
            continue
        try:
            fields = _map(mapping, target.fields, line.cells)
        except _Wrong as wrong:
            column = ", ".join(wrong.value.columns)
            yield Reject(line.number, column, wrong.text, wrong.message, wrong.advice, target.kind)
        except KeyError as missing:
            message = f"it has no `{missing.args[0]}`."
            yield Reject(line.number, str(missing.args[0]), "", message, "", target.kind)
        else:
            yield Made(line, target, {"kind": target.kind, **fields})


def _wanted(target: Target, cells: Mapping[str, str]) -> bool:
    for column, wanted in target.when.items():
        cell = cells.get(column, "").strip()
        if cell not in wanted and not (cell and "*" in wanted):
            return False
    return True


def _map(mapping: FileMapping, fields: Mapping[str, Tree], cells: Mapping[str, str]) -> dict[str, Any]:
    found = {name: _read(mapping, tree, cells) for name, tree in fields.items()}
    return {name: value for name, value in found.items() if value is not None}


def _read(mapping: FileMapping, tree: Tree, cells: Mapping[str, str]) -> Any:
    if isinstance(tree, Value):
        text = tree.fill(cells)
        return None if text is None else _typed(mapping, tree, tree.words.get(text, text))
    if isinstance(tree, Mapping):
        return _map(mapping, tree, cells) or None
    items = [_read(mapping, item, cells) for item in tree]
    return [item for item in items if item is not None]


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


def _plain(mapping: FileMapping, text: str) -> str:
    for symbol in mapping.symbols:
        text = text.replace(symbol, "")
    if mapping.thousands:
        text = text.replace(mapping.thousands, "")
    return text.replace(mapping.decimal, ".").strip()


def _amount(mapping: FileMapping, value: Value, text: str) -> str:
    plain = _plain(mapping, text)
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


def _date(mapping: FileMapping, value: Value, text: str) -> date:
    for form in mapping.dates:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007  # a day has no zone
        except ValueError:
            continue
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
