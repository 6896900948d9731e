"""What a timeline expects of a day, held against what came: by value, and with the reason why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from zoneinfo import ZoneInfo

from engine.ladder.case import Case
from engine.ladder.expected import AMOUNTS, NEVER, NOTHING, Expectation, Wanted
from engine.ladder.expected_ledger import compare_ledger
from engine.ladder.from_law import no_law
from engine.ladder.late_fee import accrued
from engine.ladder.simulate import Look, Played, show
from engine.ladder.state import Action, Position
from engine.ladder.stepping import PRECISION
from engine.ladder.timeline_report import Mismatch
from engine.workdays import no_calendar

MEASURED = (*AMOUNTS, "age", "days_past_due", "warranted", "reached", "ladder")
"""What is measured in the evening of the day; everything else is as of the last step."""
NUMBERS = (*AMOUNTS, "age", "days_past_due", "case")
CENTS = Decimal("0.01")
NO_CASE = "no case has opened by then"


@dataclass(frozen=True, slots=True)
class _Day:
    """A local day of a history that was played, with all looks up to its evening."""

    day: date
    looks: tuple[Look, ...]
    today: tuple[Look, ...]
    evening: Look | None
    """How an open case stands in the evening, without consequences."""
    zone: ZoneInfo

    @property
    def last(self) -> Look:
        """The last step that was taken."""
        return self.looks[-1]


def compare(expectation: Expectation, played: Played, zone: ZoneInfo) -> Iterator[Mismatch]:
    """Yield what was expected of a day and did not come."""
    day = _day(expectation.day, played, zone)
    for wanted in expectation.wanted:
        what = f"{expectation.day}: {wanted.name}"
        if wanted.name == "do":
            yield from _compare_do(wanted, what, expectation.since, day)
        elif wanted.name == "ledger":
            lines = wanted.lines
            yield from compare_ledger(wanted.span, what, lines, played.entries, day.day, zone)
        elif not day.looks:
            if (wanted.name, wanted.lines) != ("open", ("false",)):
                yield Mismatch(wanted.span, what, wanted.lines, (NO_CASE,))
        else:
            got = tuple(_got(wanted.name, day))
            if not _meets(wanted, got):
                yield Mismatch(
                    wanted.span, what, wanted.lines, got or (NOTHING,), listed=wanted.name == "rows"
                )


def _day(day: date, played: Played, zone: ZoneInfo) -> _Day:
    looks = tuple(look for look in played.looks if look.at.astimezone(zone).date() <= day)
    today = tuple(look for look in looks if look.at.astimezone(zone).date() == day)
    evening = next((look for at, look in played.probed.items() if at.astimezone(zone).date() == day), None)
    return _Day(day, looks, today, evening, zone)


# what was asked for


def _compare_do(wanted: Wanted, what: str, since: date, day: _Day) -> Iterator[Mismatch]:
    looks = [look for look in day.looks if look.at.astimezone(day.zone).date() >= since]
    asked = [action for look in looks for action in look.step.actions]
    if len(asked) == len(wanted.actions) and all(
        show(action) == named.name and (not named.amount or Decimal(named.amount) == action.amount)
        for action, named in zip(asked, wanted.actions, strict=True)
    ):
        return
    lines = tuple(_line(named.name, Decimal(named.amount or 0)) for named in wanted.actions) or (NOTHING,)
    got = tuple(_came(action, wanted) for action in asked) or (NOTHING,)
    yield Mismatch(wanted.span, what, lines, got, tuple(_why(wanted, asked, day)), listed=True)


def _line(name: str, value: Decimal) -> str:
    return f"{name} {amount(value)}" if value else name


def _came(action: Action, wanted: Wanted) -> str:
    """Return an action with its amount, unless it is expected without one."""
    name = show(action)
    plain = any(named.name == name and not named.amount for named in wanted.actions)
    return _line(name, Decimal(0) if plain else action.amount)


def _why(wanted: Wanted, asked: Iterable[Action], day: _Day) -> Iterator[str]:
    """Yield why steps that were expected were not taken, in the words of the last look of the day."""
    if not day.looks:
        yield NO_CASE
        return
    came = {action.step for action in asked}
    steps = [named.name.removeprefix("undo ").partition(" ")[0].partition("/")[0] for named in wanted.actions]
    missing = [step for step in steps if step not in came]
    look = day.today[-1] if day.today else day.evening
    if look is None:
        yield f"the case had ended before: {day.last.step.taken.ended}"
        return
    notes = [f"{row.step}: {row.note}" for row in look.step.trace.rows if row.step in missing and row.note]
    yield from notes or (look.step.trace.notes if missing else ())


# everything else


def amount(value: Decimal) -> str:
    """Return an amount with its cents: `4.00`, also where it was computed as `4`."""
    exponent = value.as_tuple().exponent
    return str(value.quantize(CENTS) if isinstance(exponent, int) and exponent > -2 else value)


def _meets(wanted: Wanted, got: tuple[str, ...]) -> bool:
    match wanted.name:
        case "says" | "figures":
            return all(any(line in said for said in got) for line in wanted.lines)
        case "wake":
            return wanted.lines == got or got[0].startswith(f"{wanted.lines[0]} ")
        case name if name in NUMBERS:
            return Decimal(wanted.lines[0]) == Decimal(got[0])
    return wanted.lines == (got or (NOTHING,))


def _got(name: str, day: _Day) -> Iterator[str]:
    look = (day.evening or day.last) if name in MEASURED else day.last
    trace, taken = look.step.trace, look.step.taken
    match name:
        case "reached" | "warranted" | "age" | "days_past_due" | "ladder":
            yield str(getattr(trace, name)) or NOTHING
        case "overdue" | "disputed":
            yield amount(getattr(trace, name))
        case "credit":
            yield amount(look.position.credit)
        case "late_fee":
            yield amount(_late_fee(day.evening) if day.evening else Decimal(0))
        case "level":
            yield taken.level
        case "ended":
            yield taken.ended or NOTHING
        case "case":
            yield taken.case.rpartition("/")[2]
        case "open":
            yield "true" if look.step.open else "false"
        case "wake":
            wake = look.step.wake_at
            yield f"{wake.astimezone(day.zone):%Y-%m-%d %H:%M}" if wake else NEVER
        case "rows":
            yield from (row.step for row in taken.rows)
        case "figures":
            actions = (action for one in day.today for action in one.step.actions)
            yield from (f"{figure}: {value}" for a in actions for figure, value in a.figures.items())
        case _:
            yield from dict.fromkeys(_sentences(day.today or (day.evening or day.last,)))


def _sentences(looks: Iterable[Look]) -> Iterator[str]:
    for look in looks:
        yield from look.step.trace.notes
        yield from (f"{row.step}: {row.note}" for row in look.step.trace.rows if row.note)


def _late_fee(look: Look) -> Decimal:
    """Return the late fees that have grown by then and are not booked yet."""
    with localcontext() as context:
        context.prec = PRECISION
        position = Position(look.position, no_law(), no_calendar())
        case = Case(look.policy, look.step.taken, position, look.at)
        return accrued(case, case.today)
