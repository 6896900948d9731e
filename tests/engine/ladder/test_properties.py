"""Random histories through the shipped ladder: it moves for a reason, never in circles, never unfairly."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.ladder.model import CollectionsPolicy
from engine.ladder.simulate import Event, Look, Played
from engine.ledger import Entry, EntryAdapter
from engine.ledger.account import LEVELS
from tests.engine.ladder.world import calendar, changed, evenings, played, policy
from tests.engine.ledger.making import ZONE

FIRST = date(2025, 3, 1)
END = FIRST + timedelta(days=330)
SLOW = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a history of a year shrinks for minutes
)


def entry_on(kind: str, day: int, hour: int, reference: str, /, **values: object) -> Entry:
    """Return an entry of a day, counted from FIRST."""
    on = FIRST + timedelta(days=day)
    received = datetime.combine(on, time(hour), ZONE)
    return EntryAdapter.validate_python(
        {"kind": kind, "id": reference, "value_date": on, "received_at": received, **values}
    )


@st.composite
def bills(draw: st.DrawFn) -> list[Entry]:
    """Return some monthly bills, some of them missing or small."""
    found = []
    for month in range(draw(st.integers(1, 6))):
        cents = draw(st.sampled_from([0, 300, 1_500, 4_900, 5_000, 10_000, 30_000]))
        if cents:
            day = 30 * month
            due = FIRST + timedelta(days=day + 20)
            found.append(entry_on("bill", day, 8, f"B{month}", amount=Decimal(cents) / 100, due_date=due))
    return found


HOLDS = ["hardship", "disaster", "legal_stay", "exempt", "unheard_of"]
KINDS = [
    "hold", "promise", "dispute", "fact", "demand", "act", "credit_note", "adjustment", "refund",
    "write_off_mark", "deposit",
]  # fmt: skip
FACTS: list[dict[str, object]] = [
    {"name": "vulnerable", "value": True}, {"name": "segment", "value": "key"},
    {"name": "exempt", "value": True},
]  # fmt: skip
STEPS = ["reminder", "final_notice", "bar", "suspend", "set_off", "terminate", "write_off", "nonsense"]


@st.composite
def happenings(draw: st.DrawFn, reference: str) -> Entry:
    """Return one thing that happens to an account beside bills and payments."""
    day, hour = draw(st.integers(20, 280)), draw(st.integers(0, 23))
    until = FIRST + timedelta(days=day + draw(st.integers(1, 60)))
    soon = FIRST + timedelta(days=day + draw(st.integers(1, 14)))
    kind = draw(st.sampled_from(KINDS))
    values: dict[str, dict[str, object]] = {
        "hold": {"hold": draw(st.sampled_from(HOLDS)), "until": draw(st.sampled_from([until, None]))},
        "promise": {"amount": "100.00", "by": soon},
        "dispute": {"bill": "B0", "amount": "40.00"},
        "fact": draw(st.sampled_from(FACTS)),
        "demand": {"source": "fraud", "level": draw(st.sampled_from(["suspended", "open"]))},
        "act": {
            "act": draw(st.sampled_from(["force", "skip", "stop", "resume", "confirm"])),
            "step": draw(st.sampled_from(STEPS)), "actor": "anna", "reason": "because",
        },
        "credit_note": {"amount": "30.00", "bill": draw(st.sampled_from(["B0", ""]))},
        "adjustment": {"amount": draw(st.sampled_from(["-30.00", "25.00"])), "bill": "B0"},
        "refund": {"amount": "20.00", "payment": "P0"},
        "write_off_mark": {"bill": draw(st.sampled_from(["B0", ""])), "marked": draw(st.booleans())},
        "deposit": {"amount": "35.00", "move": "held"},
    }  # fmt: skip
    return entry_on(kind, day, hour, reference, **values[kind])


@st.composite
def histories(draw: st.DrawFn) -> list[Entry]:
    """Return bills, payments, and now and then something else that happens to an account."""
    found = draw(bills())
    for n in range(draw(st.integers(0, 4))):
        day, hour = draw(st.integers(10, 300)), draw(st.integers(0, 23))
        amount = Decimal(draw(st.sampled_from([100, 1_500, 5_000, 9_500, 30_000, 60_000]))) / 100
        found.append(entry_on("payment", day, hour, f"P{n}", amount=amount))
        if draw(st.integers(0, 3)) == 0:
            back = min(320, day + draw(st.integers(0, 50)))
            found.append(entry_on("payment_returned", back, 10, f"R{n}", payment=f"P{n}"))
    for n in range(draw(st.integers(0, 3))):
        found.append(draw(happenings(f"X{n}")))
    return found


ASIDE = ("task", "fee")
"""What is asked for beside the row of a day: chores, and fees of what was confirmed."""


def _local(look: Look) -> date:
    return look.at.astimezone(ZONE).date()


@given(histories())
@SLOW
def test_at_most_one_row_a_day_and_no_key_twice(history: list[Entry]) -> None:
    found = played(history, END)
    keys = [action.key for look in found.looks for action in look.step.actions]
    assert len(set(keys)) == len(keys)
    ups: dict[tuple[str, date], set[str]] = {}
    for look in found.looks:
        again = {key for row in look.step.taken.rows if row.announces for key in row.keys}
        asked = [a for a in look.step.actions if a.do not in ASIDE and a.key not in again]
        rows = {action.key.rsplit("/", 2)[0] for action in asked if not action.undo}
        ups.setdefault((look.step.taken.case, _local(look)), set()).update(rows)
    assert all(len(rows) <= 1 for rows in ups.values())


@given(histories())
@SLOW
def test_no_more_than_sixty_looks_a_year_without_news(history: list[Entry]) -> None:
    found = played(history, END)
    news = {entry.received_at for entry in history}
    asked = {look.at for look in found.looks if look.step.actions}
    idle = {look.at for look in found.looks} - news - asked
    assert len(idle) <= 10
    assert len({look.at for look in found.looks} - news) <= 60


@given(histories())
@SLOW
def test_a_wake_up_is_later_than_the_look_and_always_finds_something(history: list[Entry]) -> None:
    for look in played(history, END).looks:
        assert look.step.wake_at is None or look.step.wake_at > look.at
        assert look.step.open or look.step.wake_at is None


@given(histories())
@SLOW
def test_an_interruption_is_lawful_noticed_and_in_hours(history: list[Entry]) -> None:
    found = played(history, END)
    for look in found.looks:
        local = look.at.astimezone(ZONE)
        for action in look.step.actions:
            if action.do != "service" or action.undo:
                continue
            assert look.step.trace.days_past_due > 30
            assert time(9) <= local.time() < time(16)
            assert calendar().is_working(local.date())
            assert calendar().is_working(local.date() + timedelta(days=1))
            rows = {row.step: row for row in look.step.taken.rows}
            if action.step == "bar":
                sent = [row for row in look.step.taken.rows if row.step in ("final_notice", "offer")]
                told = [row for row in sent if row.done_on and (local.date() - row.done_on).days >= 7]
                assert sent
                assert rows["bar"].forced or {debt for row in told for debt in row.debts} >= {*action.debts}
            if action.step == "terminate":
                assert rows["suspend"].done_on is not None
                assert (local.date() - rows["suspend"].done_on).days >= 61


@given(histories(), st.lists(st.tuples(st.integers(0, 329), st.integers(0, 23)), max_size=25))
@SLOW
def test_looking_more_often_changes_nothing(history: list[Entry], extra: list[tuple[int, int]]) -> None:
    plain = played(history, END)
    pokes = tuple(
        Event(datetime.combine(FIRST + timedelta(days=day), time(hour, 30), ZONE), "a poke without news")
        for day, hour in extra
    )
    often = played(history, END, more=pokes)
    assert _asked(often) == _asked(plain)


def _asked(found: Played) -> list[tuple[datetime, str]]:
    return [(look.at, action.key) for look in found.looks for action in look.step.actions]


@given(histories(), st.integers(10, 300), st.sampled_from([1_500, 5_000, 30_000]))
@SLOW
def test_one_more_payment_never_makes_the_level_worse(history: list[Entry], day: int, cents: int) -> None:
    # Who is let go for a while climbs again under the notices that are valid then, and those are younger
    # where a payment has ended the stretch before: so here nobody is let go.
    history = [entry for entry in history if entry.kind not in ("hold", "fact", "act", "write_off_mark")]
    extra = entry_on("payment", day, 8, "extra", amount=Decimal(cents) / 100)
    # Whose notices have lapsed is told again before the next cut, which comes so much later (rule 2: "still
    # valid"). Who paid until the level fell and owes more again was told later, so his notices may count
    # when those of who paid nothing have lapsed: the next test has the smallest such history. It cannot be
    # otherwise without telling everybody again before anything lapses, for no reason but this. So here
    # notices do not expire.
    lasting = changed(valid=("valid: P90D", "valid: P9999D"))
    _never_worse(history, extra, FIRST, END, lasting)


@pytest.mark.parametrize(
    ("valid", "without", "paid"),
    [("P90D", "2025-09-22", "2025-09-08"), ("P9999D", "2025-09-08", "2025-09-08")],
)
def test_only_lapsed_notices_give_who_paid_nothing_more_time(valid: str, without: str, paid: str) -> None:
    bill = entry_on("bill", 60, 8, "B2", amount="100.00", due_date=date(2025, 5, 20))
    more = entry_on("adjustment", 153, 8, "A", amount="25.00", bill="B2")
    part = entry_on("payment", 141, 8, "extra", amount="60.00")
    by = changed(valid=("valid: P90D", f"valid: {valid}"))
    for history, ended in (([bill, more], without), ([bill, part, more], paid)):
        found = played(history, date(2025, 9, 30), by)
        told = {a.step: _local(look) for look in found.looks for a in look.step.actions if a.do == "service"}
        assert told["terminate"] == date.fromisoformat(ended)


@given(histories(), st.integers(20, 200), st.integers(1, 60), st.integers(0, 60), st.sampled_from(HOLDS))
@SLOW
def test_a_payment_in_a_hold_makes_nothing_worse_while_it_lasts(
    history: list[Entry], day: int, lasts: int, after: int, kind: str
) -> None:
    until = FIRST + timedelta(days=day + lasts)
    history = [entry for entry in history if entry.kind not in ("hold", "act")]
    history.append(entry_on("hold", day, 7, "held", hold=kind, until=until))
    extra = entry_on("payment", day + min(after, lasts), 8, "extra", amount=Decimal("50.00"))
    _never_worse(history, extra, FIRST + timedelta(days=day), until)


def _never_worse(
    history: list[Entry], extra: Entry, first: date, last: date, by: CollectionsPolicy | None = None
) -> None:
    without, with_it = played(history, last, by), played([*history, extra], last, by)
    until = _first_wrong(without)
    for at in evenings(first, last):
        assert (until and at >= until) or _level(with_it, at) <= _level(without, at), at


def _first_wrong(found: Played) -> datetime | None:
    """Return when service first came back that was cut for a bill which turned out to be wrong.

    That is taken back with all that rests on it (rule 7), and the ladder goes up again for what came due
    meanwhile, one row a day and with its waits (rule 2). Who had paid was never cut wrongly, and may be in
    the middle of it: from then on the two cannot be compared.
    """
    wrong = (
        look.at for look in found.looks
        if any(row.wrongful and row.level for row in look.step.taken.left)
    )  # fmt: skip
    return next(wrong, None)


def _level(found: Played, at: datetime) -> int:
    """The level of service on a day; after a case has ended, the level it ended with."""
    last = [look for look in found.looks if look.at <= at]
    return LEVELS.index(last[-1].step.taken.level) if last else 0


@given(histories())
@SLOW
def test_every_case_ends_or_waits_for_somebody(history: list[Entry]) -> None:
    found = played(history, FIRST + timedelta(days=900))
    if not found.looks or not found.looks[-1].step.open:
        return
    last = found.looks[-1]
    account, rows = last.position, last.step.taken.rows
    waits = (
        any(row.state == "requested" and "approve" in row.keys[0] for row in rows)
        or any(hold.until is None for hold in account.holds)
        or any(dispute.remaining for dispute in account.disputes)
        or [act.act for act in account.acts if act.act in ("stop", "resume")][-1:] == ["stop"]
    )  # fmt: skip
    assert waits, (last.step.trace, last.step.taken)


def test_the_shipped_policy_is_what_these_tests_think() -> None:
    assert policy().interruptions.calendar == "CN"
