"""Everybody writes at once: nothing is lost, nobody waits for another in a circle."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from sqlmodel import select

from api.storage.audit import verify
from api.storage.bulk import Batch, Item, NewCustomer, NewEntry
from api.storage.customers import set_facts
from api.storage.tables import AccountRow, CustomerFactRow, EntryRow
from api.wiring import Wiring
from engine.credit.decision import Fact
from engine.ledger import Entry, EntryAdapter
from tests.api.scenes import add_parties, local, post

AT = local("2026-03-02 02:00")
ROUNDS = 15


def test_batches_facts_and_single_posts_do_not_block_each_other(wiring: Wiring) -> None:
    for n in range(6):
        add_parties(wiring, f"A{n}a", f"A{n}b", customer=f"C{n}")
    accounts = [f"A{n}{x}" for n in range(6) for x in "ab"]

    def batches(seed: int) -> None:
        draw = random.Random(seed)
        for turn in range(ROUNDS):
            some = draw.sample(accounts, 5)
            with wiring.database.write() as work:
                fact = {"x": Fact(value=f"{seed}-{turn}")}
                items: list[Item] = [NewCustomer(f"C{draw.randrange(6)}", "", "consumer", None, fact, AT)]
                items += [NewEntry(a, payment(f"B{seed}-{turn}-{a}")) for a in some]
                batch = Batch(work, wiring.writer, items, clamp=True)
                for item in items:
                    batch.add(item)
                batch.finish()

    def facts(seed: int) -> None:
        draw = random.Random(seed)
        for turn in range(ROUNDS):
            said = {f"C{n}": {"y": Fact(value=f"{seed}-{turn}")} for n in draw.sample(range(6), 3)}
            with wiring.database.write() as work:
                set_facts(work, said, AT)

    def singles(seed: int) -> None:
        draw = random.Random(seed)
        for turn in range(ROUNDS):
            account = draw.choice(accounts)
            post(wiring, account, AT, clamp=True, kind="payment", id=f"S{seed}-{turn}", amount="1.00")

    jobs = (batches, batches, facts, facts, singles, singles)
    failed = at_once([partial(job, seed) for seed, job in enumerate(jobs)])
    assert failed == []
    with wiring.database.read() as session:
        assert verify(session)[1] is None
        entries = session.exec(select(EntryRow)).all()
        facts_told = session.exec(select(CustomerFactRow)).all()
        rows = session.exec(select(AccountRow)).all()
    assert len(entries) == 2 * ROUNDS * 5 + 2 * ROUNDS
    for row in rows:
        own = sum(e.account == row.id for e in entries)
        told = sum(f.customer == row.customer for f in facts_told)
        assert (row.seq, row.version) == (own, own + told + 1)
        position = wiring.ledger.position(row.id, AT + timedelta(hours=1), "", "").account
        assert position.version == row.version


def payment(ref: str) -> Entry:
    fields = {"kind": "payment", "id": ref, "amount": "1.00", "value_date": "2026-03-02", "received_at": AT}
    return EntryAdapter.validate_python(fields)


def at_once(jobs: list[Callable[[], None]]) -> list[BaseException]:
    failed: list[BaseException] = []

    def run(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed
