"""What a timeline expects of a day, held against what came: by value, and with the reason why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation, localcontext
from zoneinfo import ZoneInfo

from engine.ladder.case import Case, treatment_of
from engine.ladder.expected import ALL, AMOUNTS, NEVER, NOTHING, Expectation, Wanted
from engine.ladder.expected_ledger import compare_ledger
from engine.ladder.from_law import no_law
from engine.ladder.ladders_from_yaml import EXEMPT
from engine.ladder.late_fee import accrued
from engine.ladder.model import CollectionsPolicy
from engine.ladder.notices import AMOUNTS as STATED
from engine.ladder.notices import FIGURES, NOT_THERE, notice_text
from engine.ladder.simulate import Look, Played, show
from engine.ladder.state import Action, Position
from engine.ladder.stepping import PRECISION
from engine.ladder.timeline_report import Mismatch
from engine.ladder.words import NamedAction
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
    early: tuple[Look, datetime | None] | None = None
    """How the account stands in the evening before its first case, and when one can open."""
    reminded: tuple[tuple[datetime, Action], ...] = ()
    """Notices before due dates, up to this day."""
    reminding: Mapping[str, CollectionsPolicy] = field(default_factory=dict)
    reminds: datetime | None = None
    levelled: tuple[tuple[datetime, Action], ...] = ()
    """What others' demands on service had the receiver told, up to this day."""

    @property
    def last(self) -> Look:
        """The last step that was taken."""
        return self.looks[-1]


def compare(
    expectation: Expectation, played: Played, zone: ZoneInfo, *, several: bool = False
) -> Iterator[Mismatch]:
    """Yield what was expected of a day and did not come; of `several` accounts its currency is told."""
    day = _day(expectation, played, zone)
    of = f"{expectation.day} {expectation.currency}" if several else str(expectation.day)
    for wanted in expectation.wanted:
        what = f"{of}: {wanted.name}"
        if wanted.name == "do":
            yield from _compare_do(wanted, what, expectation.since, day)
        elif wanted.name == "ledger":
            lines = wanted.lines
            yield from compare_ledger(
                wanted.span, what, lines, played.entries, day.day, played.terms, played.deposits
            )  # fmt: skip
        elif wanted.name in ("told", "reminds"):
            got = tuple(_told(day) if wanted.name == "told" else [_instant(day.reminds, zone)])
            if not _meets(wanted, got):
                yield Mismatch(wanted.span, what, wanted.lines, got or (NOTHING,))
        elif wanted.name in _OF_NOTICES:
            got = tuple(_OF_NOTICES[wanted.name](day))
            if not _meets(wanted, got):
                named = {line.partition(": ")[0] for line in wanted.lines}
                if wanted.name == "figures":
                    got = tuple(line for line in got if line.partition(": ")[0] in named)
                yield Mismatch(wanted.span, what, wanted.lines, got or (NOTHING,))
        elif not day.looks:
            got = tuple(_before_a_case(wanted.name, day))
            if got == (NO_CASE,):
                yield Mismatch(wanted.span, what, wanted.lines, got)
            elif not _meets(wanted, got):
                yield Mismatch(wanted.span, what, wanted.lines, got or (NOTHING,), (NO_CASE,))
        else:
            got = tuple(_got(wanted.name, day))
            if not _meets(wanted, got):
                yield Mismatch(
                    wanted.span, what, wanted.lines, got or (NOTHING,), listed=wanted.name == "rows"
                )


def _day(expectation: Expectation, played: Played, zone: ZoneInfo) -> _Day:
    day, item = expectation.day, expectation.item
    mine = [look for look in played.looks if item is None or look.taken_before.item == item]
    looks = tuple(look for look in mine if look.at.astimezone(zone).date() <= day)
    today = tuple(look for look in looks if look.at.astimezone(zone).date() == day)
    probed = [looks for at, looks in played.stood.items() if at.astimezone(zone).date() == day]
    open_now = [k for k in (probed[0] if probed else ()) if item is None or k.taken_before.item == item]
    last = looks[-1].step.taken.case if looks else ""
    evening = next((look for look in open_now if look.taken_before.case == last), None)
    reminded = tuple(
        (at, action) for at, action in played.reminded
        if at.astimezone(zone).date() <= day and item in (None, *action.debts)
    )  # fmt: skip
    reminds = next((on for at, on in played.reminds.items() if at.astimezone(zone).date() == day), None)
    levelled = tuple(found for found in played.levelled if found[0].astimezone(zone).date() <= day)
    early = next((one for at, one in played.early.items() if at.astimezone(zone).date() == day), None)
    if item is not None:
        early = None  # that is the whole account's
    return _Day(day, looks, today, evening, zone, early, reminded, played.reminding, reminds, levelled)


# what was asked for


def _compare_do(wanted: Wanted, what: str, since: date, day: _Day) -> Iterator[Mismatch]:
    asked = _asked(day, since)
    if len(asked) == len(wanted.actions) and all(
        show(action) == named.name and (not named.amount or Decimal(named.amount) == action.amount)
        for action, named in zip(asked, wanted.actions, strict=True)
    ):
        return
    lines = tuple(_named(named) for named in wanted.actions) or (NOTHING,)
    got = tuple(_came(action, wanted) for action in asked) or (NOTHING,)
    yield Mismatch(wanted.span, what, lines, got, tuple(_why(wanted, asked, day)), listed=True)


def _asked(day: _Day, since: date) -> list[Action]:
    """Return all that was asked for, in order; at one instant a case comes before a notice of its own."""
    asked = [(look.at, 0, action) for look in day.looks for action in look.step.actions]
    asked += [(at, 1, action) for at, action in day.reminded]
    asked.sort(key=lambda found: found[:2])
    return [action for at, _, action in asked if at.astimezone(day.zone).date() >= since]


def _told(day: _Day) -> Iterator[str]:
    """Yield the level that the receiver was told last, by service; `open` before it was told any."""
    asked = [(at, 0, action) for at, action in day.levelled]
    asked += [(look.at, 1, action) for look in day.looks for action in look.step.actions]
    asked.sort(key=lambda found: found[:2])  # of one instant, what was booked comes before the look at it
    levels = {action.service: action.level for _, _, action in asked if action.level}
    if not levels:
        yield "open"
    alone = set(levels) == {""}
    yield from sorted(str(level) if alone else f"{name or ALL}: {level}" for name, level in levels.items())


def _instant(at: datetime | None, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else NEVER


def _figures(day: _Day) -> Iterator[str]:
    """Yield every figure of the day's notices; a dash for what there is none of, as texts have it."""
    for _, action, _ in _notices(day):
        yield from (f"{name}: {action.figures.get(name) or NOT_THERE}" for name in FIGURES)


def _notices(day: _Day) -> Iterator[tuple[datetime, Action, CollectionsPolicy]]:
    """Yield the day's notices, those of cases before those before due dates, with the text they are of."""
    for look in day.today:
        yield from ((look.at, action, look.policy) for action in look.step.actions if action.do == "notify")
    for at, action in day.reminded:
        if at.astimezone(day.zone).date() == day.day:
            yield at, action, day.reminding[action.key]


def _sent(day: _Day) -> Iterator[str]:
    """Yield from when on each of the day's notices may go out, in the account's time."""
    yield from (_instant(action.not_before or at, day.zone) for at, action, _ in _notices(day))


def _texts(day: _Day) -> Iterator[str]:
    """Yield what customers read in the day's notices."""
    yield from (notice_text(policy, action) for _, action, policy in _notices(day))


_OF_NOTICES: Mapping[str, Callable[[_Day], Iterator[str]]] = {
    "figures": _figures, "sent": _sent, "text": _texts,
}  # fmt: skip


def _named(action: NamedAction) -> str:
    return f"{action.name} {amount(Decimal(action.amount))}" if action.amount else action.name


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
        case "figures":
            return all(any(_same_figure(line, said) for said in got) for line in wanted.lines)
        case "says" | "text" if wanted.lines == (NOTHING,):
            return not got or got == (NOTHING,)
        case "says" | "text":
            return all(any(line in said for said in got) for line in wanted.lines)
        case "wake" | "reminds" | "sent":
            came = got or (NOTHING,)
            return len(came) == len(wanted.lines) and all(map(_same_instant, wanted.lines, came))
        case name if name in NUMBERS:
            return Decimal(wanted.lines[0]) == Decimal(got[0])
    return wanted.lines == (got or (NOTHING,))


def _same_instant(wanted: str, said: str) -> bool:
    """Tell whether an instant is the one expected, which may be a day alone."""
    return said == wanted or said.startswith(f"{wanted} ")


def _same_figure(wanted: str, said: str) -> bool:
    """Tell whether a figure is the one expected: amounts by value, everything else word by word."""
    name, _, value = wanted.partition(": ")
    called, _, stated = said.partition(": ")
    if name == called and value != stated and name in STATED and NOT_THERE not in (value, stated):
        try:
            return Decimal(value) == Decimal(stated)
        except InvalidOperation:
            return False
    return wanted == said


def _got(name: str, day: _Day) -> Iterator[str]:
    look = (day.evening or day.last) if name in MEASURED else day.last
    trace, taken = look.step.trace, look.step.taken
    match name:
        case "ladder":
            yield _ladder(look)
        case "reached" | "warranted" | "age" | "days_past_due":
            yield str(getattr(trace, name)) or NOTHING
        case "overdue" | "disputed":
            yield amount(getattr(trace, name))
        case "credit":
            yield amount(look.position.credit)
        case "late_fee" | "interest":
            yield amount(_late_fee(day.evening, name) if day.evening else Decimal(0))
        case "level":
            yield taken.level
        case "ended":
            yield taken.ended or NOTHING
        case "case":
            yield taken.case.rpartition("/")[2]
        case "open":
            yield "true" if look.step.open else "false"
        case "wake":
            yield _instant(look.step.wake_at, day.zone)
        case "rows":
            yield from dict.fromkeys(row.step for row in taken.rows)
        case _:
            yield from dict.fromkeys(_sentences(day.today or (day.evening or day.last,)))


def _before_a_case(name: str, day: _Day) -> Iterator[str]:
    """Yield what can be said of an account for which no case has opened yet."""
    match name:
        case "open":
            yield "false"
        case "level":
            yield "open"
        case "rows" | "reached" | "ended" | "says":
            return
        case "late_fee" | "interest":
            yield amount(Decimal(0))
        case "wake" if day.early:
            yield _instant(day.early[1], day.zone)
        case "ladder" if day.early:
            yield _ladder(day.early[0])
        case "age" | "days_past_due" | "warranted" if day.early:
            yield str(getattr(day.early[0].step.trace, name)) or NOTHING
        case "overdue" | "disputed" if day.early:
            yield amount(getattr(day.early[0].step.trace, name))
        case "credit" if day.early:
            yield amount(day.early[0].position.credit)
        case _:
            yield NO_CASE


def _ladder(look: Look) -> str:
    """Return the ladder of a case; `none` where the treatment exempts the customer."""
    exempt = not treatment_of(look.policy, look.position)
    return EXEMPT if exempt else look.step.trace.ladder


def _sentences(looks: Iterable[Look]) -> Iterator[str]:
    for look in looks:
        yield from look.step.trace.notes
        yield from (f"{row.step}: {row.note}" for row in look.step.trace.rows if row.note)


def _late_fee(look: Look, kind: str) -> Decimal:
    """Return the late fees that have grown by then and are not booked yet."""
    with localcontext() as context:
        context.prec = PRECISION
        position = Position(look.position, look.law or no_law(), no_calendar())
        case = Case(look.policy, look.step.taken, position, look.at)
        return accrued(case, case.today, kind)
