"""Holidays and made-up working days of a region, as the library `holidays` knows them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from importlib.metadata import version

import holidays

LOWEST, HIGHEST = 1950, 2100
"""Years for which the library answers."""
MADE_UP = "made up for a day off"
_SWAPPED = re.compile(r"\(substituted from (\d\d)/(\d\d)/(\d{4})\)")


@dataclass(frozen=True, slots=True)
class Built:
    """The days of some years."""

    title: str
    source: str
    years: tuple[int, ...]
    holidays: dict[date, str]
    working: dict[date, str]
    provisional: tuple[int, ...]
    """Years for which no day is swapped though the region swaps days: nobody has announced them yet."""


class NoSuchRegion(LookupError):
    """The library knows no region of this name."""

    def __init__(self, region: str, known: Sequence[str]) -> None:
        near = region_of(region) or next(iter(get_close_matches(region.upper(), known, 1)), None)
        advice = f"did you mean `{near}`?" if near else "write two letters of ISO 3166: `CN`, `US`, `DE-BE`."
        super().__init__(f"The library `holidays` knows no region `{region}`; {advice}")
        self.region = region


def region_of(name: str) -> str | None:
    """Return the code under which the library knows a region, also by another of its names: `UK` is `GB`."""
    country, _, part = name.strip().upper().partition("-")
    aliases = holidays.list_supported_countries()
    if country not in aliases:
        return None
    code = country
    if country not in holidays.list_supported_countries(include_aliases=False):
        code = holidays.country_holidays(country).country
    return f"{code}-{part}" if part and part in aliases[country] else code


def built(region: str, years: Sequence[int]) -> Built:
    """Return the days of a region (`CN`, or with its part, `DE-BE`); raise NoSuchRegion.

    Weekends are not among them unless they are a holiday, or worked for a day off.
    """
    country, _, part = region.partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known or (part and part not in known[country]):
        names = [*known, *(f"{country}-{one}" for one in known.get(country, ()))]
        raise NoSuchRegion(region, names)
    around = range(min(years) - 3, max(years) + 2)
    found = _calendar(country, part, [year for year in around if LOWEST <= year <= HIGHEST])
    wanted = set(years)
    days = {day: _plain(name) for day, name in sorted(found.items()) if day.year in wanted}
    swapped = {day for text in found.values() if (day := _worked_for(text)) is not None}
    worked = {*swapped, *getattr(found, "weekend_workdays", ())}
    working = {day: MADE_UP for day in sorted(worked) if day.year in wanted and day not in days}
    swaps = {day.year for day in swapped}
    early = tuple(year for year in sorted(wanted) if swaps and year not in swaps and year > max(swaps))
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(found).__mro__[1].__name__)
    title = f"{name}, {part}" if part else name
    return Built(title, f"holidays {version('holidays')}", tuple(sorted(wanted)), days, working, early)


def _calendar(country: str, part: str, years: Sequence[int]) -> holidays.HolidayBase:
    plain = holidays.country_holidays(country, subdiv=part or None, years=years)
    if "en_US" in plain.supported_languages:
        return holidays.country_holidays(country, subdiv=part or None, years=years, language="en_US")
    return plain


def _worked_for(name: str) -> date | None:
    found = _SWAPPED.search(name)
    return date(int(found[3]), int(found[1]), int(found[2])) if found else None


def _plain(name: str) -> str:
    day = _worked_for(name)
    return _SWAPPED.sub(f"(for {day})", name) if day else name
