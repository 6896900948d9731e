"""The text of a cell as its field needs it: exact, or refused with what to do."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from api.importer.days import advice_on_day, moment
from api.importer.mapping import FileMapping, JsonNumber, Value

_AMOUNT = re.compile(r"[+-]?(\d+(\.\d+)?|\.\d+)")
_INTEGER = re.compile(r"[+-]?\d+")
_SHORTENED = re.compile(r"[+-]?\d([.,]\d+)?[eE]\+?\d+")
_CODE = re.compile(r"^[A-Za-z]{2,3}\b|\b[A-Za-z]{2,3}$")
_TRUE = frozenset({"true", "yes", "y", "1"})
_FALSE = frozenset({"false", "no", "n", "0"})
_ALIKE = str.maketrans({
    "\N{MINUS SIGN}": "-", "\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " ", "\N{THIN SPACE}": " ",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
})  # fmt: skip
"""Marks that systems write for the same: a minus, a blank between thousands, a Swiss apostrophe."""


class Unreadable(Exception):
    """A cell cannot be read as what its field needs."""

    def __init__(self, value: Value, text: str, message: str, advice: str) -> None:
        super().__init__(message)
        self.value, self.text, self.message, self.advice = value, text, message, advice


def typed(mapping: FileMapping, value: Value, text: str) -> Any:
    """Return a filled text as its field needs it. Raises Unreadable."""
    said = _word(value, text)
    match value.type:
        case "text":
            return str(said)
        case "amount":
            return amount(mapping, value, said)
        case "integer":
            return _integer(mapping, value, said)
        case "boolean":
            return _boolean(value, said)
        case "date":
            return _date(mapping, value, said).isoformat()
        case "instant":
            return _instant(mapping, value, said)


def _word(value: Value, text: str) -> str:
    """Return what the file's word means; once words are listed, another one is a mistake."""
    if not value.words or text in value.words or value.type not in ("text", "boolean"):
        return value.words.get(text, text)
    if value.type == "boolean" and text.lower() in _TRUE | _FALSE:
        return text
    known = ", ".join(f"`{word}`" for word in list(value.words)[:8])
    raise Unreadable(
        value, text, f"the mapping says nothing of this word; it knows {known}.", "Add it to `words`."
    )


@lru_cache(maxsize=8)
def _groups(thousands: str, decimal: str) -> re.Pattern[str]:
    """Match a number whose digits stand in groups as people write them, also 12,34,567."""
    mark = re.escape(thousands)
    return re.compile(rf"[-+(]*\d{{1,3}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}(?:{re.escape(decimal)}\d*)?[-)]*")


def _plain(mapping: FileMapping, text: str) -> str:
    """Return a number with a point and without groups; text as it is where it is not written as said."""
    if isinstance(text, JsonNumber):
        return str(text)  # a number of JSON has a point and no groups, however the file writes its texts
    for symbol in mapping.symbols:
        text = text.replace(symbol, "")
    text = text.translate(_ALIKE).strip()
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


def amount(mapping: FileMapping, value: Value, text: str) -> str:
    """Return an amount with its sign in front and a decimal point. Raises Unreadable."""
    plain = _turned(mapping, _plain(mapping, text))
    if not _AMOUNT.fullmatch(plain) or not plain.isascii():
        raise Unreadable(value, text, "this is not an amount.", _advice_on_amount(mapping, text))
    return _signed(plain.replace(".", "0.", 1) if plain.lstrip("+-").startswith(".") else plain, value.negate)


def _advice_on_amount(mapping: FileMapping, text: str) -> str:
    said = text.translate(_ALIKE).strip()
    if isinstance(text, JsonNumber):
        return "An amount has at most 34 digits."
    if _SHORTENED.fullmatch(said):
        return "A spreadsheet has shortened it: save the column as a number with all its digits."
    if said.startswith("(") and said.endswith(")") and mapping.negative != "parentheses":
        return "Set `negative: parentheses`."
    if said.endswith("-") and mapping.negative != "after":
        return "Set `negative: after`."
    marks = [mark for mark in said if unicodedata.category(mark) == "Sc"]
    code = _CODE.search(said)
    if marks or (code and any(digit.isdigit() for digit in said)):
        mark = marks[0] if marks else code[0] if code else ""
        return f'Say `symbols: "{mark}"` in the mapping: these characters are left out.'
    return f"Write `1234{mapping.decimal}50`, or set `decimal` and `thousands`."


def _signed(plain: str, negate: bool) -> str:
    digits = plain.lstrip("+-")
    negative = plain.startswith("-") is not negate
    return f"-{digits}" if negative and digits.strip("0.") else digits


def _integer(mapping: FileMapping, value: Value, text: str) -> int:
    plain = _plain(mapping, text)
    if isinstance(text, JsonNumber):
        plain = _whole(plain)
    if not _INTEGER.fullmatch(plain) or not plain.isascii() or len(plain) > 34:
        raise Unreadable(value, text, "this is not a whole number.", "Write digits only.")
    return int(_signed(plain, value.negate))


def _whole(plain: str) -> str:
    """Return `5` for `5.0`: JSON has one kind of numbers."""
    try:
        number = Decimal(plain)
    except InvalidOperation:
        return plain
    return plain.partition(".")[0] if number.is_finite() and number == number.to_integral_value() else plain


def _boolean(value: Value, text: str) -> bool:
    word = text.lower()
    if word in _TRUE | _FALSE:
        return word in _TRUE
    raise Unreadable(
        value, text, "this is neither yes nor no.", "Say what the file's words mean with `words`."
    )


def _moment(mapping: FileMapping, value: Value, text: str) -> tuple[datetime, bool]:
    found = moment(text, mapping.dates if value.columns else ("%Y-%m-%d",))
    if found is not None:
        return found
    if not value.columns:
        raise Unreadable(value, text, "this is not a day.", "A constant day is written as `2026-01-31`.")
    forms = " or ".join(f"`{form}`" for form in mapping.dates)
    raise Unreadable(value, text, f"this is not a day written as {forms}.", advice_on_day(text))


def _date(mapping: FileMapping, value: Value, text: str) -> date:
    return _moment(mapping, value, text)[0].date()


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
    when, timed = _moment(mapping, value, text)
    if timed:
        return (when if when.tzinfo else when.replace(tzinfo=zone)).isoformat()
    return datetime.combine(when.date(), time.fromisoformat(value.at), zone).isoformat()
