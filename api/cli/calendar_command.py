"""`forbear calendar build`: a region's holidays and made-up working days, written as a text of the shelf."""

from __future__ import annotations

from datetime import date
from itertools import takewhile
from pathlib import Path

import click

from api.cli.calendar_days import HIGHEST, LOWEST, Built, NoSuchRegion, built
from api.cli.check_command import counted
from api.cli.frame import FINDINGS, OK, Trouble
from api.cli.replacing import replace_file
from engine.source import has_errors, render_problem
from engine.text import MapNode, ScalarNode, read_yaml
from engine.workdays import load_calendar

FOLDER = Path("policies/calendars")


@click.group("calendar")
def command() -> None:
    """Build calendars of working days."""


@command.command("build")
@click.argument("region")
@click.argument("years", nargs=-1, required=True)
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=FOLDER, show_default=True)
@click.option("--check", is_flag=True, help="Change nothing; end with 1 if the file is not up to date.")
def build(region: str, years: tuple[str, ...], folder: Path, check: bool) -> int:
    """Write the calendar of REGION (CN, US, DE-BE) for YEARS (2027, 2026-2028) to policies/calendars.

    Days come from the Python library `holidays`, off line. Years that the file has and that are not named
    stay as they are; so do its `overrides`, the days on which the operator knows better than the library:

    \b
      overrides:
        2027-02-11: {holiday: day off by the notice}
        2027-02-20: {working: made up for 11 February}
        2027-10-05: {ordinary: no day off after all}

    A year whose swapped days nobody has announced yet is marked `provisional`: build it again when they are.

    \b
    Example:
      forbear calendar build CN 2027
      forbear calendar build US 2026-2028
    """
    wanted = sorted({year for text in years for year in _years(text)})
    path = folder / f"{region}.yaml"
    before = path.read_bytes() if path.exists() else b""
    try:
        new = built(region, wanted)
    except NoSuchRegion as error:
        raise Trouble(str(error)) from None
    data = _text(region, new, path, before)
    loaded = load_calendar(data, str(path))
    if has_errors(loaded.problems):
        told = "\n".join(render_problem(p, {str(path): data.decode()}) for p in loaded.problems)
        raise Trouble(f"The calendar does not fit its `overrides`; nothing was written.\n{told}")
    same = data == before
    if not same and not check:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)
    days = counted(sum(d.year in wanted for d in new.holidays), "holiday", "holidays")
    made_up = counted(sum(d.year in wanted for d in new.working), "day made up", "days made up")
    done = "up to date" if same else "is not up to date" if check else "written"
    early = f"; provisional: {', '.join(map(str, new.provisional))}" if new.provisional else ""
    click.echo(f"{path}: {done}; {', '.join(map(str, wanted))} with {days} and {made_up}{early}")
    return FINDINGS if check and not same else OK


def _years(text: str) -> range:
    first, _, last = text.partition("-")
    if first.isdigit() and (last or first).isdigit():
        start, end = int(first), int(last or first)
        if LOWEST <= start <= end <= HIGHEST:
            return range(start, end + 1)
    raise click.UsageError(f"`{text}` is no year and no range of years; write `2027` or `2026-2028`")


def _text(region: str, new: Built, path: Path, before: bytes) -> bytes:
    kept, head, overrides = _before(path, before, new)
    holidays = kept.holidays | new.holidays
    working = kept.working | new.working
    years = sorted({*kept.years, *new.years})
    early = sorted({*kept.provisional, *new.provisional})
    title = [
        "# yaml-language-server: $schema=../schema/calendar.json",
        f"# Working days of {new.title}, built by `forbear calendar build {region}`.",
        "# What is written by hand belongs into `overrides`, which a later build keeps.",
    ]
    lines = [
        *(head or title),
        f"calendar: {region}",
        f"source: {new.source}",
        f"years: [{', '.join(map(str, years))}]",
        *([f"provisional: [{', '.join(map(str, early))}]"] if early else []),
        *_section("holidays", holidays),
        *(_section("working", working) if working else []),
        *overrides,
    ]
    return ("\n".join(lines) + "\n").encode()


def _section(name: str, days: dict[date, str]) -> list[str]:
    if not days:
        return [f"{name}: {{}}"]
    return [f"{name}:", *(f"  {day}: {_quoted(days[day])}" for day in sorted(days))]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _before(path: Path, data: bytes, new: Built) -> tuple[Built, list[str], list[str]]:
    """Return what the file says of other years, the lines above it, and its overrides as they stand."""
    empty = Built("", "", (), {}, {}, ())
    node = read_yaml(data, str(path)).policy if data else None
    if data and (not isinstance(node, MapNode) or has_errors(load_calendar(data, str(path)).problems)):
        raise Trouble(
            f"`{path}` is no calendar that can be read. Put it right (`forbear check {path}`) or remove it."
        )
    if not isinstance(node, MapNode):
        return empty, [], []
    loaded = load_calendar(data, str(path)).policy
    assert loaded is not None  # it was read without an error
    years = tuple(year for year in loaded.covers if year not in new.years)
    early = tuple(year for year in loaded.provisional if year in years)
    kept = Built("", "", years, _days(node, "holidays", years), _days(node, "working", years), early)
    key, lines = node.key("overrides"), data.decode("utf-8-sig").splitlines()
    head = list(takewhile(lambda line: line.startswith("#"), lines))
    if key is None:
        return kept, head, []
    start = key.span.line - 1
    while start and lines[start - 1].startswith("#"):
        start -= 1
    after = [k.span.line - 1 for k, _ in node.entries if k.span.line > key.span.line]
    return kept, head, lines[start : min(after, default=len(lines))]


def _days(node: MapNode, name: str, years: tuple[int, ...]) -> dict[date, str]:
    found = node.get(name)
    entries = found.entries if isinstance(found, MapNode) else ()
    days = {date.fromisoformat(k.text): v.text for k, v in entries if isinstance(v, ScalarNode)}
    return {day: text for day, text in days.items() if day.year in years}
