"""Days and instants as operators write them, by the forms of a mapping."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

COMMON = (
    "%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%Y/%m/%d",
    "%d-%m-%Y", "%d-%b-%Y", "%d %B %Y", "%Y%m%d", "%Y年%m月%d日", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M",
)  # fmt: skip
"""Forms that are proposed when a day does not fit."""
DIRECTIVES = frozenset("dmYybBjHIMSfpzaA%")
_DIRECTIVE = re.compile(r"%(.?)")
_ADJACENT = re.compile(r"%[a-zA-Z]%[a-zA-Z]")
_SERIAL = re.compile(r"[2-7]\d{4}(\.\d+)?")
_BEGIN = date(1899, 12, 30)
"""Day 0 of spreadsheets, from March 1900 on."""
_SAMPLES = tuple(datetime(*day, tzinfo=UTC) for day in ((2026, 2, 3), (2012, 11, 10), (2010, 12, 11)))


@lru_cache(maxsize=10_000)
def moment(text: str, forms: tuple[str, ...]) -> tuple[datetime, bool] | None:
    """Return a day, and whether its form has a time, by the first form that fits; None: none does."""
    for form in forms:
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007  # the form may have no zone, the caller knows one
        except ValueError:
            continue
        if _ADJACENT.search(form) and found.strftime(form).casefold() != text.casefold():
            continue  # without marks between them, a missing zero moves every digit after it
        return found, "%H" in form or "%I" in form
    return None


def advice_on_day(text: str) -> str:
    """Return what to do about a text that no form of the mapping fits."""
    if _SERIAL.fullmatch(text):
        day = _BEGIN + timedelta(days=int(text.partition(".")[0]))
        return (
            f"A spreadsheet counts days so, and this may be {day.isoformat()}: "
            "save the column as text, with days written out."
        )
    fits = [form for form in COMMON if moment(text, (form,)) is not None]
    if fits:
        return f"It would fit {' or '.join(f'`{form}`' for form in fits[:2])}: set `dates` in the mapping."
    return "Set `dates` in the mapping."


def fault_of_form(form: str) -> str:
    """Return what is wrong with a form of days; empty: nothing."""
    said = _DIRECTIVE.findall(form)
    if not said:
        return "has no `%`"
    unknown = [letter for letter in said if letter not in DIRECTIVES or not letter]
    if unknown:
        return f"has `%{unknown[0]}`, which is no part of a day"
    if not {"Y", "y"} & set(said):
        return "has no year"
    if "j" not in said and not ("d" in said and {"m", "b", "B"} & set(said)):
        return "has no day and month"
    return ""


def rivals(forms: tuple[str, ...]) -> tuple[str, str, str] | None:
    """Return two forms that read the same text as different days, and that text; None: there are none."""
    for place, first in enumerate(forms):
        for second in forms[place + 1 :]:
            for day in _SAMPLES:
                text = day.strftime(second)
                read, meant = moment(text, (first,)), moment(text, (second,))
                if read and meant and read[0].date() != meant[0].date():
                    return first, second, text
    return None
