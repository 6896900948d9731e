"""Service is a level (rule 5): what is in force of all demands, and what is told when one changes.

A case tells the most severe level with its own cuts and restorations. Here is told what follows when
somebody else's demand comes or goes: a fraud desk, a limit alarm, the customer. It is not the ladder's
interruption, so neither its hours nor its windows, holds and notices apply; emergency calls are never barred.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count

from engine.ladder.memory import Row, most_severe
from engine.ladder.state import Action, Taken
from engine.ledger.account import LEVELS, AccountPosition, DemandedLevel, Level
from engine.ledger.entries import Act, Demand, Entry

SOURCE = "demand"
"""What stands in place of `case` in the keys of these actions."""
ALL = ""
"""The service of a demand on all services of an account."""


@dataclass(frozen=True, slots=True)
class Confirming:
    """How long a receipt may take before a person is asked."""

    cut: timedelta
    restored: timedelta


def is_demand(key: str) -> bool:
    """Tell whether an action's key is of a level that somebody else's demand has changed."""
    return key.startswith(f"{SOURCE}/")


def levels_in_force(demands: Iterable[DemandedLevel]) -> dict[str, Level]:
    """Return the most severe level by service: of all (`ALL`), and of each that has its own demand."""
    demands = tuple(demands)
    whole = most_severe([demand.level for demand in demands if not demand.service])
    found = {ALL: whole}
    for demand in demands:
        if demand.service:
            found[demand.service] = most_severe([found.get(demand.service, whole), demand.level])
    return found


def case_demands(
    cases: Iterable[Taken], position: AccountPosition, counts: Callable[[Row], bool]
) -> tuple[DemandedLevel, ...]:
    """Return what an account's cases demand of service, the last case first; one that has ended counts, too.

    A row that a later case has taken over speaks there. `counts`: the receiver was told of a row. What
    ended a contract counts until a person lets the ladder go on for a new order.
    """
    found, seen = list[DemandedLevel](), set[str]()
    for taken in cases:
        rows = [Row.of(row) for row in taken.rows]
        mine = [row for row in rows if not seen.intersection(row.keys) and not _is_over(row, taken, position)]
        level = most_severe([row.demands for row in mine if row.level and counts(row)])
        seen.update(key for row in (*taken.rows, *taken.left) for key in row.keys)
        if level != "open":
            reason = f"arrears of {taken.item}" if taken.item else "arrears"
            since = min(row.requested_on for row in mine if row.level)
            found.append(
                DemandedLevel(
                    source=taken.case, level=level, reason=reason, since=since, service=taken.service
                )
            )
    return tuple(found)


def _is_over(row: Row, taken: Taken, position: AccountPosition) -> bool:
    return row.ends_contract and any(lets_go_on(act, taken.ended_on) for act in position.acts)


def lets_go_on(act: Act, ended: date | None) -> bool:
    """Tell whether by this act a person lets the ladder go on for a new order, after an end on a day."""
    return act.act == "resume" and ended is not None and act.value_date >= ended


def level_news(
    before: AccountPosition, after: AccountPosition, cases: Sequence[DemandedLevel],
    entries: Iterable[Entry], confirming: Confirming, ended: Collection[str] = (),
    named: Collection[str] = (),
) -> tuple[Action, ...]:  # fmt: skip
    """Return what the receiver is told because others' demands changed between two positions.

    `cases`: what cases demand at both; `entries`: all that are known; `ended`: the services of whose end the
    receiver was told by others' demands: nothing restores them (rule 6). `named`: the services of which it
    was told by name before. One action for each service whose level changed, that of all services first.
    """
    old, new = (_by_name(levels_in_force((*one.demands, *cases)), named) for one in (before, after))
    source = _changed(before, after)
    if source is None:
        return ()
    turn = _turn(entries, source, after)
    return tuple(
        _action(service, old, new, source, turn, after, confirming)
        for service in sorted(new)
        if _is_told(service, old, new) and not (new[service] != "terminated" and {service, ALL} & {*ended})
    )


def _by_name(levels: dict[str, Level], named: Collection[str]) -> dict[str, Level]:
    """Return levels with those of all services said by name where the receiver knows the name."""
    return dict.fromkeys(named, levels[ALL]) | levels


def _is_told(service: str, old: dict[str, Level], new: dict[str, Level]) -> bool:
    """Tell whether a service's level is news: it changed, or all others were just given back more than it."""
    given_back = LEVELS.index(new[ALL]) < LEVELS.index(old[ALL])
    return old[service] != new[service] or (given_back and new[service] != new[ALL])


def _changed(before: AccountPosition, after: AccountPosition) -> str | None:
    old, new = ({d.source: (d.level, d.since) for d in one.demands} for one in (before, after))
    return next((name for name in sorted({*old, *new}) if old.get(name) != new.get(name)), None)


def _turn(entries: Iterable[Entry], source: str, after: AccountPosition) -> int:
    """Return the how many-th word of a source has begun to count: each is told once."""
    words = {
        entry.id for entry in entries
        if isinstance(entry, Demand) and entry.source == source
        and entry.received_at <= after.at and entry.value_date <= after.today
    }  # fmt: skip
    return len(words)


def _action(
    service: str, old: dict[str, Level], new: dict[str, Level], source: str, turn: int,
    after: AccountPosition, confirming: Confirming,
) -> Action:  # fmt: skip
    level = new[service]
    rises = LEVELS.index(level) > LEVELS.index(old[service])
    head = f"{SOURCE}/{after.terms.account}/{service or 'account'}/{source}/{turn}"
    return Action(
        key=f"{head}/service.{level}/do", do="service", args=(level,), step=source, service=service,
        severe=rises, level=level, figures=_others(new, service),
        confirm_by=after.at + (confirming.cut if rises else confirming.restored),
    )  # fmt: skip


def _others(levels: dict[str, Level], service: str) -> dict[str, str]:
    """Return what a message about all services leaves alone: those with a level of their own."""
    own = sorted(name for name in levels if service == ALL and name and levels[name] != levels[ALL])
    return {"except": ", ".join(own)} if own else {}


def corrections_of(about: Action, level: Level) -> Iterator[str]:
    """Yield the keys of messages that put right what was told by another one, of another level."""
    head = about.key.rsplit("/", 2)[0]
    yield f"{head}/service.{level}/do"
    yield from (f"{head}.{number}/service.{level}/do" for number in count(2))


def corrected(
    about: Action, key: str, levels: dict[str, Level], known: Level, at: datetime, confirming: Confirming
) -> Action:  # fmt: skip
    """Return a message of the level in force, to a receiver that knows another one."""
    level = levels.get(about.service, levels[ALL])
    rises = LEVELS.index(level) > LEVELS.index(known)
    by = at + (confirming.cut if rises else confirming.restored)
    return about.model_copy(
        update={"key": key, "args": (level,), "level": level, "severe": rises, "confirm_by": by}
        | {"figures": _others(levels, about.service)}
    )


def ended_by(told: Iterable[tuple[Action, date]], position: AccountPosition) -> frozenset[str]:
    """Return the services that are at an end by what the receiver was told, with the day, of others' demands.

    A person who lets the ladder go on for a new order ends that, too.
    """
    return frozenset(
        action.service for action, day in told
        if action.level == "terminated" and not any(lets_go_on(act, day) for act in position.acts)
    )  # fmt: skip


def begins_later(entries: Iterable[Entry], today: date) -> date | None:
    """Return the first day after today on which a demand that is known begins to count."""
    days = (e.value_date for e in entries if isinstance(e, Demand) and e.value_date > today)
    return min(days, default=None)
