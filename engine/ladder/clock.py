"""Days that do not count: holds and promises as intervals, and the clock that they stop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from engine.ladder.model import CollectionsPolicy, HoldRules, PromiseRules
from engine.ledger.account import AccountPosition, HeldInterval, Promised
from engine.ledger.promised import Asked, Counted, shared
from engine.source import Span

NOWHERE = Span("", 1, 1)
FOREVER = date.max.toordinal()
Days = tuple[int, int]
"""`[first, end)` as ordinals of local days; open-ended ones end at FOREVER."""


@dataclass(frozen=True, slots=True)
class Held:
    """One hold in force over some days, with the rules of its kind."""

    id: str
    rules: HoldRules
    days: Days
    bill: str
    open_ended: bool
    """It had no end of its own and was not released: what it ends with is up to its rules."""

    def covers(self, day: int) -> bool:
        """Tell whether the day lies in the hold."""
        return self.days[0] <= day < self.days[1]

    def blocks(self, day: int) -> bool:
        """Tell whether no step may be taken up on a day: through the `until` day itself."""
        return self.days[0] <= day <= self.days[1]


def hold_rules(policy: CollectionsPolicy, kind: str) -> HoldRules:
    """Return the rules of a kind of hold; an unknown kind blocks steps and changes nothing else."""
    return policy.holds.get(kind) or HoldRules(kind, "runs", "keep", NOWHERE)


def held_intervals(policy: CollectionsPolicy, position: AccountPosition) -> tuple[Held, ...]:
    """Return the holds of an account with their ends: stated, released, or after the time of their kind."""
    return tuple(_held(hold_rules(policy, hold.kind), hold) for hold in position.holds)


def _held(rules: HoldRules, hold: HeldInterval) -> Held:
    end, open_ended = hold.until, hold.until is None
    if end is None and rules.lasts:
        end = rules.lasts.after(hold.since)
    days = (hold.since.toordinal(), end.toordinal() if end else FOREVER)
    return Held(hold.id, rules, days, hold.bill, open_ended)


@dataclass(frozen=True, slots=True)
class PromiseState:
    """What a promise is worth on a day."""

    promise: Promised
    state: str
    """refused, active, kept, broken, withdrawn."""
    last: date
    """The last day on which it can be kept."""
    why: str = ""
    paid: Decimal = Decimal(0)
    """What has been paid towards it by then; money counts for one promise only."""


def promise_states(
    policy: CollectionsPolicy, position: AccountPosition, day: date
) -> tuple[PromiseState, ...]:
    """Return the state of each promise on a day, in the order in which they were made."""
    rules = policy.promises
    if rules is None:
        why = "the policy accepts no promises"
        return tuple(PromiseState(promise, "refused", promise.by, why) for promise in position.promises)
    refused: dict[str, str] = {}
    taken: list[Promised] = []
    for promise in position.promises:
        earlier = sum(1 for other in taken if (promise.made_on - other.made_on).days < 365)
        refused[promise.id] = _refused(rules, promise, earlier)
        if not refused[promise.id]:
            taken.append(promise)
    counted = _counted(rules, position, taken)
    return tuple(
        PromiseState(promise, "refused", rules.grace.after(promise.by), refused[promise.id])
        if refused[promise.id]
        else _promise(rules, promise, counted[promise.id], day)
        for promise in position.promises
    )


def _counted(
    rules: PromiseRules, position: AccountPosition, taken: list[Promised]
) -> Mapping[str, tuple[Counted, ...]]:
    """Return the money that counts for each accepted promise: the one that is due first has it."""
    money = max((promise.paid_by for promise in position.promises), key=len, default=())
    asked = [
        Asked(p.id, p.made_on, p.milestones or ((p.by, p.amount),), p.withdrawn_on) for p in taken
    ]  # fmt: skip
    return shared(asked, money, rules.grace.after, rules.tolerance)


def _promise(
    rules: PromiseRules, promise: Promised, counted: tuple[Counted, ...], day: date
) -> PromiseState:  # fmt: skip
    last = rules.grace.after(promise.by)
    so_far = sum((one.amount for one in counted if one.day <= day), Decimal(0))
    gone = promise.withdrawn_on if promise.withdrawn_on and promise.withdrawn_on <= day else None
    wanted = Decimal(0)
    for due, amount in promise.milestones or ((promise.by, promise.amount),):
        wanted += amount
        last = rules.grace.after(due)
        paid = sum((one.amount for one in counted if one.day <= min(last, day)), Decimal(0))
        if paid < wanted * (1 - rules.tolerance):
            # What was broken already is not made good by taking it back.
            broken = (gone or day) > last
            state = "broken" if broken else "withdrawn" if gone else "active"
            return PromiseState(promise, state, last, paid=so_far)
    return PromiseState(promise, "withdrawn" if gone and gone <= last else "kept", last, paid=so_far)


def _refused(rules: PromiseRules, promise: Promised, earlier: int) -> str:
    if (promise.by - promise.made_on).days > rules.max_days:
        return f"it is for more than {rules.max_days} days later"
    if promise.amount < rules.covers * promise.overdue:
        return f"{promise.amount} is less than {rules.covers} of the {promise.overdue} past due"
    if rules.per_year is not None and earlier >= rules.per_year:
        return f"there were {earlier} in the year before"
    return ""


def promise_pauses(policy: CollectionsPolicy, position: AccountPosition) -> list[Days]:
    """Return the days for which accepted promises stop the clock, where the policy says so."""
    if hold_rules(policy, "promise").clock == "runs":
        return []
    days = []
    for found in promise_states(policy, position, position.today):
        if found.state != "refused":
            end = found.last + timedelta(days=1)
            if found.promise.withdrawn_on:
                end = min(end, found.promise.withdrawn_on)
            days.append((found.promise.made_on.toordinal(), end.toordinal()))
    return days


def merged(days: Iterable[Days]) -> tuple[Days, ...]:
    """Return intervals joined where they overlap or touch, so that each day is counted once."""
    found: list[Days] = []
    for first, end in sorted(days):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((first, end))
    return tuple(found)


def lost(pauses: tuple[Days, ...], base: int, day: int) -> int:
    """Return how many days of `[base, day)` the clock stood still."""
    return sum(max(0, min(day, end) - max(base, first)) for first, end in pauses)
