"""A load of many accounts: what is left to the sweep ends where single posts end."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest

from api.rest.bulk import CHUNK
from api.storage.audit import verify
from api.storage.bulk import AT_ONCE, Batch, Item, NewEntry
from api.storage.cases import SqlCaseBook
from api.storage.errors import AlreadyThere, EntryRefused
from api.wiring import Wiring
from engine.ledger import Entry, EntryAdapter
from tests.api.scenes import account, add_parties, local, post

MANY = [f"A{n:03}" for n in range(AT_ONCE + 20)]
AT = local("2026-04-01 12:00")


def entry(kind: str, ref: str, day: str, **values: object) -> Entry:
    said = {"kind": kind, "id": ref, "value_date": day, "received_at": local(f"{day} 10:00")}
    return EntryAdapter.validate_python(said | values)


def history(n: int) -> list[Entry]:
    found = [entry("bill", "B1", "2026-03-01", due_date="2026-03-18", amount=f"{50 + n}.00")]
    if n % 3 == 1:
        found.append(
            entry("payment", "P1", "2026-03-10", amount="40.00", pays=[{"bill": "B9", "amount": 10}])
        )
    if n % 3 == 2:
        found.append(entry("bill", "B2", "2026-03-12", due_date="2026-03-30", amount="70.00"))
        found.append(entry("credit_note", "C1", "2026-03-13", bill="B1", amount="5.00"))
    return found


def load(wiring: Wiring, items: Sequence[Item]) -> None:
    for start in range(0, len(items), CHUNK):
        with wiring.database.write() as work:
            some = items[start : start + CHUNK]
            batch = Batch(work, wiring.writer, some, clamp=True)
            for item in some:
                batch.add(item)
            batch.finish()


def shown(wiring: Wiring, name: str) -> tuple[object, ...]:
    row = account(wiring, name)
    return (row.watch_on, row.trouble, row.unmatched, row.unmatched_due, row.open_case, row.version, row.seq)


def test_a_load_of_many_accounts_and_a_sweep_end_where_single_posts_end(wiring: Wiring) -> None:
    add_parties(wiring, *MANY)
    add_parties(wiring, *(f"S{name}" for name in MANY))
    rows = [NewEntry(name, one) for n, name in enumerate(MANY) for one in history(n)]
    random.Random(1).shuffle(rows)
    by_day = sorted(rows, key=lambda item: item.entry.received_at)
    load(wiring, by_day)
    load(wiring, by_day)  # sent again: nothing is there twice
    assert account(wiring, MANY[0]).watch_on == local("2026-03-01 10:00")
    due = wiring.cases.due_accounts(AT, "", 1_000)
    assert due == MANY
    look_at = local("2026-03-14 00:00")
    assert isinstance(wiring.cases, SqlCaseBook)
    assert wiring.cases.open_cases(due, look_at) == 0
    for n, name in enumerate(MANY):
        for one in history(n):
            post(wiring, f"S{name}", one.received_at, **one.model_dump(exclude={"received_at"}))
        wiring.cases.open_cases([f"S{name}"], look_at)
        assert shown(wiring, name) == shown(wiring, f"S{name}")
    with wiring.database.read() as session:
        assert verify(session)[1] is None
    opened = wiring.cases.open_cases(MANY, AT)
    assert opened == sum(account(wiring, name).open_case == 1 for name in MANY) > 0


def test_a_large_load_refuses_what_single_posts_refuse(wiring: Wiring) -> None:
    add_parties(wiring, *MANY)
    load(wiring, [NewEntry(name, history(0)[0]) for name in MANY])
    wrong = entry("credit_note", "C9", "2026-03-20", bill="B1", amount="50.01")
    other = entry("bill", "B1", "2026-03-01", due_date="2026-03-19", amount="50.00")
    taken = entry("bill", "B1/2", "2026-03-02", due_date="2026-03-19", amount="1.00")
    parts = [{"due_date": "2026-04-19", "amount": 1}, {"due_date": "2026-05-19", "amount": 1}]
    clash = entry("bill", "X", "2026-03-02", due_date="2026-03-19", amount=2, instalments=parts)
    items: list[Item] = [NewEntry(name, entry("payment", "P", "2026-03-20", amount=1)) for name in MANY]
    items += [NewEntry("A000", wrong), NewEntry("A001", other), NewEntry("A002", taken)]
    items += [
        NewEntry("A003", clash),
        NewEntry("A003", entry("bill", "X/2", "2026-03-20", due_date="2026-03-20", amount=1)),
    ]
    with wiring.database.write() as work:
        batch = Batch(work, wiring.writer, items, clamp=True)
        for item in items[: len(MANY)]:
            assert batch.add(item)
        with pytest.raises(EntryRefused):
            batch.add(items[-5])
        with pytest.raises(AlreadyThere):
            batch.add(items[-4])
        assert batch.add(items[-3])
        assert batch.add(items[-2])
        with pytest.raises(EntryRefused):
            batch.add(items[-1])
        batch.finish()


def test_an_account_with_an_open_case_is_told_in_a_large_load(wiring: Wiring) -> None:
    add_parties(wiring, *MANY)
    load(wiring, [NewEntry(name, history(0)[0]) for name in MANY])
    assert wiring.cases.open_cases(["A007"], AT) == 1
    at = AT + timedelta(hours=1)
    paid = entry("payment", "P1", "2026-04-01", amount="1.00").model_copy(update={"received_at": at})
    load(wiring, [NewEntry(name, paid) for name in MANY])
    row = account(wiring, "A007")
    assert (row.open_case, row.watch_on) == (1, None)
    assert account(wiring, "A008").watch_on == at
