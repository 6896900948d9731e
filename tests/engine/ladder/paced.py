"""Plain debts played by the machine itself at a stated pace: what the days of a ladder are held against."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from engine.ladder.law import LawPack
from engine.ladder.model import CollectionsPolicy
from engine.ladder.simulate import Event, Played, Reply, Scenario, Side, _Player, show
from engine.ladder.state import Action
from engine.ledger.account import Contacted, Terms
from engine.ledger.entries import Bill, Entry, FactSet
from engine.workdays import Calendar

Answers = Callable[[Action, datetime], datetime]
"""When an action that is asked for at an instant is confirmed."""
BY_PEOPLE = ("task", "approve")


class Paced(_Player):
    """A player whose receiver answers when it is told to; people answer at once."""

    answers: Answers

    def _ask(self, action: Action, at: datetime) -> None:
        super()._ask(action, at)
        free = max(at, action.not_before) if action.not_before else at
        when = at if action.do in BY_PEOPLE else max(free, self.answers(action, at))
        reply = Reply(show(action), "done", key=action.key)
        if when <= at:
            self._receipt(action.key, reply, at)
        else:
            event = Event(when, f"{reply.action} is done", reply=reply)
            self.queue = sorted([*self.queue, event], key=lambda one: one.at)


def took(
    policy: CollectionsPolicy, law: LawPack, calendar: Calendar, due: date, answers: Answers, *,
    amount: Decimal = Decimal(300), bills: int = 1, facts: dict[str, object] | None = None, term: int = 0,
    contacts: tuple[tuple[date, str, str], ...] = (), days: int = 420,
) -> list[tuple[str, int, int | None, int]]:  # fmt: skip
    """Return the steps that a debt is taken to: with days past due, day of confirmation, and entry."""
    found = play_paced(
        policy, law, calendar, due, answers, amount=amount, bills=bills, facts=facts, term=term,
        contacts=contacts, days=days,
    )  # fmt: skip
    seen: dict[tuple[str, int], tuple[str, int, int | None, int]] = {}
    for look in found.looks:
        for row in look.step.taken.rows:
            if not row.announces:
                done = (row.done_on - due).days if row.done_on else None
                seen[row.step, row.entry] = (row.step, (row.requested_on - due).days, done, row.entry)
    return sorted(seen.values(), key=lambda one: one[1])


def play_paced(
    policy: CollectionsPolicy, law: LawPack, calendar: Calendar, due: date, answers: Answers, *,
    amount: Decimal, bills: int, facts: dict[str, object] | None, term: int,
    contacts: tuple[tuple[date, str, str], ...], days: int,
) -> Played:  # fmt: skip
    """Play a debt that stays as it is; `contacts` are of other accounts: day, channel, outcome."""
    zone = ZoneInfo(policy.timezone)
    terms = Terms(account="A1", customer="C1", currency=policy.currency, timezone=policy.timezone)
    invoiced = due - timedelta(days=term)
    known = datetime.combine(invoiced, time(0, 1), zone)
    entries: list[Entry] = [
        FactSet(id=f"F{n}", value_date=invoiced, received_at=known, name=name, value=value)
        for n, (name, value) in enumerate((facts or {}).items())
    ]
    share = (amount / bills).quantize(Decimal("0.01"))
    for n in range(bills):
        rest = amount - share * (bills - 1)
        owed = share if n else rest
        entries.append(Bill(id=f"B{n}", value_date=invoiced, received_at=known, amount=owed, due_date=due))
    events = [Event(known, entry.id, entry=entry) for entry in entries]
    for n, (on, by, outcome) in enumerate(contacts):
        at = datetime.combine(on, time(0, 5), zone)
        made = Contacted(at=at, channel=by, outcome=outcome, key=f"case/A9/1/account/x/{n}/notify.{by}.x/do")
        events.append(Event(at, "a contact", contact=made))
    end = datetime.combine(due + timedelta(days=days), time(23, 59), zone)
    side = Side(policy, law, calendar, Scenario(terms, tuple(events), end, receiver="explicit"))
    player = Paced(side)
    player.answers = answers
    while (turn := player.next_instant()) is not None and turn <= end:
        player.turn(turn)
    return player.played


def at_once(action: Action, at: datetime) -> datetime:
    """Confirm an action when it is asked for."""
    return at


def at_last(action: Action, at: datetime) -> datetime:
    """Confirm an action at the last permitted moment."""
    return action.confirm_by or at


def after(at: datetime, span: timedelta) -> datetime:
    """Return an instant so much later."""
    return (at.astimezone(UTC) + span).astimezone(at.tzinfo)
