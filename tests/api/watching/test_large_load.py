"""A load of many accounts at once, where a watch policy hears the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlmodel import select

from api.storage import bulk
from api.storage.bulk import Batch, NewEntry
from api.storage.standing import AT_ONCE as CUSTOMERS
from api.storage.standing import latest_bodies, latest_decision
from api.storage.watch_tables import WatchEventRow, WatchMemberRow
from api.wiring import Wiring
from engine.credit.decision import Fact
from engine.ledger import Entry, EntryAdapter
from tests.api.scenes import add_parties, post
from tests.api.watching.conftest import DAY
from workflows.messages import AssessmentRecord

MANY, FEW = 20, 15


def rounds(n: int) -> Iterator[Entry]:
    """Yield what happens to an account, an entry in each round of the load."""
    yield entry("bill", "B1", 2, due_date="2026-03-18", amount=f"{40 + n}.00")
    if n % 5 == 4:
        yield entry("payment_returned", "R0", 3, payment="P1")  # before the payment is known
    else:
        yield entry("bill", "B2", 3, due_date="2026-03-20", amount="30.00", draft=n % 5 == 3)
    yield entry("payment", "P1", 4, amount=f"{40 + n}.00")
    match n % 5:
        case 0:
            yield entry("payment_returned", "R1", 5, payment="P1")
        case 1:
            yield entry("credit_note", "C1", 5, bill="B2", amount="30.00", reason="goodwill")
        case 2:
            yield entry("refund", "F1", 5, amount="1.00", payment="P1")
        case 3:
            yield entry("bill_issued", "I1", 5, bill="B2")
        case _:
            yield entry("bill", "B2", 5, due_date="2026-04-20", amount="200.00")
    yield entry("payment", "P2", 6, amount="60.00")


def entry(kind: str, ref: str, day: int, **values: object) -> Entry:
    said = {"kind": kind, "id": ref, "value_date": f"2026-03-{day:02}", "received_at": DAY.format(day)}
    return EntryAdapter.validate_python(said | values)


def graded(wiring: Wiring, customer: str, bill: int) -> None:
    """Record a decision with a limit of three times a usual bill."""
    at = datetime.fromisoformat(DAY.format(1))
    with wiring.database.read() as session:
        chosen = wiring.library.require(session, "credit", "plain-credit", at.date())
        _, policy = wiring.library.credit(session, chosen.digest)
    facts = {"tenure_months": Fact(value=3), "avg_monthly_bill": Fact(value=bill)}
    record = AssessmentRecord(
        id=f"assessment/{customer}/{bill}", request=f"{customer}/{bill}", customer=customer, account="",
        at=at, decision=policy.decide(facts, at.date()), facts_digest="", trace_digest="",
    )  # fmt: skip
    wiring.decisions.record([record])


def told(wiring: Wiring, of: str) -> tuple[dict[str, Any], set[str]]:
    """Return events of the accounts whose names begin so, and which windows they stand in; names left out."""
    with wiring.database.read() as session:
        rows = [row for row in session.exec(select(WatchEventRow)) if row.id.startswith(f"ledger/{of}")]
        members = {row.event for row in session.exec(select(WatchMemberRow))}
    found = {
        row.id.removeprefix(f"ledger/{of}"): (row.type, row.at, row.received_at, _values(row)) for row in rows
    }
    return found, {row.id.removeprefix(f"ledger/{of}") for row in rows if row.id in members}


def _values(row: WatchEventRow) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(row.body)["values"]
    return {name: value for name, value in values.items() if name != "account"}


def test_a_load_of_many_accounts_tells_what_single_posts_tell(
    watched: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", FEW)
    for of in ("L", "S"):
        for n in range(MANY):
            add_parties(watched, f"{of}{n}", customer=f"C{of}{n}")
    for of, n in ((of, n) for of in ("L", "S") for n in range(12)):
        graded(watched, f"C{of}{n}", 5 + n)
    histories = [list(rounds(n)) for n in range(MANY)]
    for number in range(5):
        items = [NewEntry(f"L{n}", found[number]) for n, found in enumerate(histories)]
        with watched.database.write() as work:
            batch = Batch(work, watched.writer, items, clamp=True)
            assert all(batch.add(item) for item in items)
            batch.finish()
        for n, found in enumerate(histories):
            one = found[number]
            post(watched, f"S{n}", one.received_at, **one.model_dump(exclude={"received_at"}))
    loaded, posted = told(watched, "L"), told(watched, "S")
    assert loaded == posted
    kinds = {kind for kind, *_ in loaded[0].values()}
    assert kinds == {"bill_due", "bill_settled", "payment_returned", "limit_crossed"}


def test_the_last_decisions_of_many_are_those_of_each(wiring: Wiring) -> None:
    names = [f"C{n}" for n in range(4)]
    for name, bills in zip(names, ((5,), (5, 9, 7), (8, 6), ()), strict=True):
        add_parties(wiring, f"A{name}", customer=name)
        for bill in bills:
            graded(wiring, name, bill)  # all at one instant
    with wiring.database.read() as session:
        asked = [*names, *(f"nobody{n}" for n in range(CUSTOMERS))]
        lasts = {name: row.body for name in names if (row := latest_decision(session, name))}
        assert latest_bodies(session, asked) == lasts
        assert set(lasts) == set(names[:3])
