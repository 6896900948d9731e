"""What an author probably meant by numbers, days and signs as they are written elsewhere."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal

from engine.source import Problem, Span

_SHORT = 60
"""Characters of an expression that is written out in an advice."""
_NARROW = {0x3000: " ", 0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2212: "-", 0x2013: "-"}
_NARROW |= {0xFF01 + n: chr(0x21 + n) for n in range(94)}
WIDE = re.compile("[" + "".join(map(chr, _NARROW)) + "]+")
"""Signs as input methods and word processors write them: `，`, `：`, `３`, curly quotes, long dashes."""

_UNIT = r"[A-Z]{3}|[¥$€£元]"
_MONEY = re.compile(rf"(?:^|[\s\d])(?:{_UNIT})(?:$|[\s\d])")
_VALUE = re.compile(rf"(?:{_UNIT})?\s*(?P<number>[-+]?[\d.,' _]+?)\s*(?P<percent>%)?\s*(?:{_UNIT})?")
_GROUPED = re.compile(
    r"(?P<whole>[-+]?[1-9]\d{0,2}(?:(?P<mark>[,' _])\d{3})(?:(?P=mark)\d{3})*)(?P<rest>\.\d+)?"
)
_COMMA = re.compile(r"(?P<whole>[-+]?(?:\d+|\d{1,3}(?:\.\d{3})+)),(?P<rest>\d{1,2}|(?<=\b0,)\d+)")
_PLAIN = re.compile(r"(?P<sign>[-+]?)(?P<whole>\d*)(?:\.(?P<rest>\d*))?")
_YEAR_FIRST = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})日?|(\d{4})(\d{2})(\d{2})")
_DAY_FIRST = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})")
_SPAN = re.compile(
    r"p?\s*(\d{1,4})\s*(d|day|days|天|日|w|week|weeks|周|m|month|months|个?月|y|year|years|年)", re.I
)
_COUNT = re.compile(r"p?\s*(\d{1,6})\s*(?:d|days?|天|日|times|x|次)", re.IGNORECASE)
_TIME = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm)?|(\d{2})(\d{2})", re.IGNORECASE)
_TRUTHS = {"yes": "true", "y": "true", "on": "true", "是": "true", "1": "true",
           "no": "false", "n": "false", "off": "false", "否": "false", "0": "false"}  # fmt: skip


def narrow(text: str) -> str:
    """Return a text with full-width signs, curly quotes and long dashes as plain ones."""
    return text.translate(_NARROW)


def plain_name(text: str) -> str:
    """Return what a name with blanks, hyphens or points in it would be with underscores; empty: no name."""
    found = re.sub(r"[\s.-]+", "_", narrow(text).strip())
    return found if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", found) else ""


def _number(text: str) -> str:
    found = _VALUE.fullmatch(narrow(text).strip())
    if found is None:
        return ""
    number = found["number"].strip()
    if grouped := _GROUPED.fullmatch(number):
        number = re.sub(r"[,' _]", "", grouped["whole"]) + (grouped["rest"] or "")
    elif comma := _COMMA.fullmatch(number):
        number = f"{comma['whole'].replace('.', '')}.{comma['rest']}"
    plain = _PLAIN.fullmatch(number)
    if plain is None or not (plain["whole"] or plain["rest"]):
        return ""
    number = plain["sign"].replace("+", "") + (plain["whole"] or "0")
    number += f".{plain['rest']}" if plain["rest"] else ""
    return f"{Decimal(number) / 100:f}" if found["percent"] else number


def _whole(text: str) -> str:
    if counted := _COUNT.fullmatch(narrow(text).strip()):
        return counted[1]
    number = _number(text)
    whole, _, rest = number.partition(".")
    return whole if not rest.strip("0") else ""


def _date(text: str) -> str:
    plain = narrow(text).strip()
    if found := _YEAR_FIRST.fullmatch(plain):
        year, month, day = (int(part) for part in found.groups() if part)
    elif found := _DAY_FIRST.fullmatch(plain):
        day, month, year = int(found[1]), int(found[3]), int(found[4])
        if found[2] != "." and month > 12:
            day, month = month, day
        elif found[2] != "." and day <= 12 and day != month:
            return ""  # both orders are used
    else:
        return ""
    with suppress(ValueError):
        return date(year, month, day).isoformat()
    return ""


def _span(text: str) -> str:
    plain = narrow(text).strip()
    if plain.isdecimal():
        return f"P{plain}D"
    found = _SPAN.fullmatch(plain)
    if found is None:
        return ""
    unit = {"天": "D", "日": "D", "周": "W", "年": "Y"}.get(
        found[2], "M" if "月" in found[2] else found[2][0].upper()
    )
    return f"P{found[1]}{unit}"


def _time(text: str) -> str:
    found = _TIME.fullmatch(narrow(text).strip())
    if found is None:
        return ""
    hour, minute = int(found[1] or found[4]), int(found[2] or found[5] or 0)
    if found[3]:
        hour = hour % 12 + (12 if found[3].casefold() == "pm" else 0)
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else ""


def _truth(text: str) -> str:
    plain = narrow(text).strip().casefold()
    return plain if plain in ("true", "false") else _TRUTHS.get(plain, "")


_MEANT: dict[str, Callable[[str], str]] = {
    "a number": _number, "a whole number": _whole, "a date": _date, "a span": _span, "a time": _time,
    "a truth value": _truth,
}  # fmt: skip


def meant(text: str, kind: str) -> str:
    """Return what was probably meant by a text that is not of a kind; empty when that is not clear."""
    read = _MEANT.get(kind)
    found = read(text[:80]) if read else ""
    return found if found != text else ""


def advice_on(text: str, kind: str, otherwise: str) -> str:
    """Return an advice for a text that is not of a kind: what was meant, or else how the kind is written."""
    found = meant(text, kind)
    if not found:
        return otherwise
    return proposal(text, found)


def proposal(text: str, found: str) -> str:
    """Return the advice to write one text instead of another, with what is easily overlooked."""
    if WIDE.search(text):
        return f"write `{found}`, in plain characters"
    if _MONEY.search(text):
        return f"write `{found}`: an amount stands alone, in the currency of the policy"
    return f"write `{found}`"


def days_of(text: str) -> str:
    """Return how many days the month of a date has, for a date with a day too many; empty for any other."""
    year, month = int(text[:4]), int(text[5:7])
    if not (1 <= month <= 12 and year >= 1):
        return "months are 01 to 12"
    return f"{date(year, month, 1):%B %Y} has {monthrange(year, month)[1]} days"


def full_width(problem: Problem, text: str, span: Span) -> Problem:
    """Return a problem of an expression that cannot be read; signs in full width are named as the cause."""
    found = WIDE.search(text)
    if found is None or problem.code != "feel-syntax" or '"' in text[: found.start()]:
        return problem
    place = span.shifted(found.start(), len(found[0])) if "\n" not in text else problem.span
    meant = narrow(text) if "\n" not in text and len(text) <= _SHORT else narrow(found[0])
    message = f"`{found[0]}` is written in full-width characters"
    if set(found[0]) & set("\u2018\u2019\u201c\u201d\u2212\u2013"):
        message = f"`{found[0]}` is not the plain sign"
    return replace(problem, message=message, span=place, advice=f"write `{meant}`, in plain characters")


def first_wide(lines: Iterable[tuple[int, str]]) -> tuple[int, int, str] | None:
    """Return line, column and sign of the first full-width punctuation outside quotes."""
    for number, line in lines:
        code = re.sub(r"\"[^\"]*\"|'[^']*'|#.*", lambda m: " " * len(m[0]), line)
        if found := re.search("[：，｛｝［］“”｜＃－]|^ *[\u00a0\u2000-\u200a\u3000]", code):
            return number, found.start() + len(found[0].rstrip(found[0][-1])) + 1, found[0][-1]
    return None


_SIGNS = (
    (r"≥|=>|>\s+=", ">="), (r"≤|=<|<\s+=", "<="), (r"==", "="), (r"&&|且", " and "), (r"\|\||或", " or "),
    (r"(?<=[\d\s])(?:days?|months?|weeks?|years?|天|日|元|周|年|个?月|分)(?![a-z0-9_])", ""),
    (r"\b[A-Z]{3}\b|[¥$€£]", ""),
)  # fmt: skip
_WORDS = (
    (r"(?:at least|no less than|minimum|min\.?|不少于|至少)\s*", ">= "),
    (r"(?:at most|no more than|up to|maximum|max\.?|不超过|至多)\s*", "<= "),
    (r"(?:more than|greater than|over|above|大于|超过)\s*", "> "),
    (r"(?:less than|below|under|小于|低于|不足)\s*", "< "),
    *_SIGNS,
    (r"\bor\b", ", "),
)  # fmt: skip
_N = r"-?\d+(?:\.\d+)?"
_BETWEEN = re.compile(rf"(>=|>)\s*({_N})\s+and\s+(<=|<)\s*({_N})")
_TURNED = re.compile(rf"(<=|<)\s*({_N})\s+and\s+(>=|>)\s*({_N})")
_AROUND = re.compile(rf"({_N})\s*(<=|<)\s*[a-z_?]+\s*(<=|<)\s*({_N})")
_IN_BRACKETS = re.compile(rf"([\[(])\s*({_N})\s*(?:-|,|;|to|~)\s*({_N})\s*([\])])")
_FROM_TO = re.compile(rf"(?:between\s+|from\s+)?({_N})\s*(?:\.\.+|-|~|to|and|至|到)\s*({_N})")
_AFTER = (
    (re.compile(rf"({_N})\s*(?:or more|and more|\+|以上)"), ">= "),
    (re.compile(rf"({_N})\s*(?:or less|以下)"), "<= "),
)


def plain_numbers(text: str) -> str:
    """Return a text with `1,250.00` and `50,00` as numbers with a point."""
    thousands = r"(?<!\d)(?<!\d[.,])[1-9]\d{0,2}(?:,\d{3})+(?![\d,])"
    text = re.sub(thousands, lambda found: found[0].replace(",", ""), text)
    points = r"(?<![\d.,])([1-9]\d{0,2}(?:\.\d{3})+),(\d{1,2})(?![\d,])"
    text = re.sub(points, lambda found: f"{found[1].replace('.', '')}.{found[2]}", text)
    return re.sub(r"(?<!\d)(?<!\d[.,])(\d+),(\d{1,2})(?![\d,])", r"\1.\2", text)


def meant_test(text: str) -> str:
    """Return what a cell on numbers probably meant, as FEEL writes it; it still has to be read."""
    plain = meant_condition(text, _WORDS)
    if found := _IN_BRACKETS.fullmatch(plain):
        return f"{found[1]}{found[2]}..{found[3]}{found[4]}"
    for pattern, sign in _AFTER:
        plain = pattern.sub(rf"{sign}\1", plain)
    if found := _BETWEEN.fullmatch(plain):
        plain = _range(found[1], found[2], found[4], found[3])
    elif found := _TURNED.fullmatch(plain):
        plain = _range(found[3], found[4], found[2], found[1])
    elif found := _AROUND.fullmatch(plain):
        plain = _range(found[2], found[1], found[4], found[3])
    elif found := _FROM_TO.fullmatch(plain):
        plain = _range(">=", found[1], found[2], "<=")
    return plain


def meant_condition(text: str, words: tuple[tuple[str, str], ...] = ()) -> str:
    """Return what a condition on numbers probably meant, as FEEL writes it; it still has to be read."""
    plain = plain_numbers(narrow(text)).strip(" \"'")
    for pattern, word in words or _SIGNS:
        plain = re.sub(pattern, word, plain, flags=re.IGNORECASE if pattern[0] == "(" else 0)
    return " ".join(plain.split()).replace(" ,", ",")


def _range(low_sign: str, low: str, high: str, high_sign: str) -> str:
    return f"{'[' if '=' in low_sign else '('}{low}..{high}{']' if '=' in high_sign else ')'}"
