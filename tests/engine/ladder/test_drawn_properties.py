"""Random policies and histories: how often one looks, in which order news comes, and money that comes in."""

from __future__ import annotations

import os
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.ladder import CollectionsPolicy, StepTrace, open_case, step
from engine.ladder.scope import items
from engine.ladder.simulate import Event, Played
from engine.ledger import Entry
from engine.ledger.account import LEVELS
from tests.engine.ladder.drawn import policies
from tests.engine.ladder.test_properties import END, FIRST, entry_on, histories
from tests.engine.ladder.world import evening, evenings, played, position_of
from tests.engine.ledger.making import ZONE

MANY = settings(
    max_examples=int(os.environ.get("FORBEAR_EXAMPLES", "12")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a history of a year shrinks for minutes
)
POKES = st.lists(st.tuples(st.integers(0, 329), st.integers(0, 23)), max_size=25)


def asked(found: Played) -> list[tuple[datetime, str, Decimal]]:
    """Return everything that was asked for, with its amount."""
    return [(look.at, action.key, action.amount) for look in found.looks for action in look.step.actions]


@MANY
@given(policies(), histories(), POKES)
def test_splitting_a_wait_into_many_changes_nothing(
    policy: CollectionsPolicy, history: list[Entry], pokes: list[tuple[int, int]]
) -> None:
    instants = (datetime.combine(FIRST + timedelta(days=day), time(hour, 30), ZONE) for day, hour in pokes)
    more = tuple(Event(at, "a poke without news") for at in instants)
    assert asked(played(history, END, policy, more=more)) == asked(played(history, END, policy))


@MANY
@given(policies(), histories(), st.integers(0, 2**32))
def test_news_told_twice_is_told_once(policy: CollectionsPolicy, history: list[Entry], seed: int) -> None:
    random = Random(seed)
    again = [e.model_copy(update={"received_at": later(e, random)}) for e in history if random.random() < 0.5]
    assert asked(played([*history, *again], END, policy)) == asked(played(history, END, policy))


def later(entry: Entry, random: Random) -> datetime:
    """Return an instant some days after an entry was told."""
    return entry.received_at + timedelta(days=random.randint(0, 40), hours=random.randint(0, 20))


@MANY
@given(policies(), histories(), st.integers(0, 2**32))
def test_late_and_out_of_order_news_ends_in_the_same_position_and_next_step(
    policy: CollectionsPolicy, history: list[Entry], seed: int
) -> None:
    random = Random(seed)
    late = [e.model_copy(update={"received_at": later(e, random)}) for e in history]
    random.shuffle(late)
    end = END + timedelta(days=60)
    assert next_step(policy, late, end) == next_step(policy, history, end)


def next_step(policy: CollectionsPolicy, entries: list[Entry], day: date) -> list[StepTrace]:
    """Return how each case stands that begins with all that is known in the evening of a day."""
    at = evening(day)
    position = position_of(entries, at)
    about = items(policy.case, position.account)
    opened = [open_case(policy, "case/A1/1", position, at, None, item) for item in about]
    return [step(policy, taken, position, at).trace for taken in opened]


WHOLE = policies(grain="account", scope="account")
"""One case at a time: under a cap on messages, who pays one bill leaves room for a notice of another one."""
WHO_IS_LET_GO = ("hold", "fact", "act", "write_off_mark")


@MANY
@given(WHOLE, histories(), st.integers(10, 300), st.sampled_from(["15.00", "50.00", "300.00"]))
def test_one_more_payment_never_makes_the_level_worse(
    policy: CollectionsPolicy, history: list[Entry], day: int, amount: str
) -> None:
    # Who is let go for a while, or was warned by a notice that lapses, climbs again under younger notices.
    history = [entry for entry in history if entry.kind not in WHO_IS_LET_GO]
    if policy.contact.valid is not None:
        return
    extra = entry_on("payment", day, 8, "extra", amount=Decimal(amount))
    without, with_it = played(history, END, policy), played([*history, extra], END, policy)
    for at in evenings(FIRST, END, 3):
        assert level(with_it, at) <= level(without, at), at


def level(found: Played, at: datetime) -> int:
    """Return the level of service at an instant, the most severe of all cases; of an ended one, its last."""
    last = {look.step.taken.item: look.step.taken.level for look in found.looks if look.at <= at}
    return max(map(LEVELS.index, last.values()), default=0)
