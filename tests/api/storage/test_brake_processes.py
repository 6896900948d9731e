"""Two worker processes on one PostgreSQL ask for interruptions at once: the brake counts them together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from sqlmodel import col, select

from api.settings import Settings
from api.storage import brakes
from api.storage.audit import verify
from api.storage.tables import AuditRow, OutboxRow, TaskRow
from api.wiring import build
from tests.api.conftest import Build, fresh_database
from tests.api.relay.test_courier import SECRET
from tests.api.storage.test_brake import AT, at_the_bar, braked, day_of
from workflows.messages import ActRequest

CASES = 5


def work(folder: str, url: str, receiver: str, told: Connection) -> None:
    """Act on what is sent, then deliver for the accounts that are sent, until nothing comes any more."""
    settings = Settings(data=Path(folder), database=url).changed(webhook_url=receiver, webhook_secret=SECRET)
    wiring = build(settings, simulated=True)
    told.send("ready")
    for request in iter(told.recv, None):
        if isinstance(request, ActRequest):
            told.send(wiring.cases.act(request).requested)
        else:
            wiring.courier.deliver(request, AT)
            told.send(request)
    wiring.close()


@contextmanager
def worker(folder: Path, url: str, receiver: str) -> Iterator[Connection]:
    here, there = get_context("spawn").Pipe()
    child = get_context("spawn").Process(target=work, args=(str(folder), url, receiver, there))
    child.start()
    there.close()
    try:
        assert here.recv() == "ready"
        yield here
        here.send(None)
    finally:
        here.close()
        child.join(60)


def test_two_processes_together_never_send_more_than_the_day_may_have(builder: Build, postgres: str) -> None:
    with braked(builder, url := fresh_database(postgres)) as (wiring, heard), ExitStack() as stack:
        drivers = [at_the_bar(wiring, f"A{n}") for n in range(CASES)]
        requests = [driver.request(driver.look(AT)) for driver in drivers]
        folder = wiring.directory.path
        both = [stack.enter_context(worker(folder, url, heard.url)) for _ in range(2)]
        names = [driver.account for driver in drivers]
        keys = _act(both, requests[:2])
        _deliver(both, names[:2])  # each process tries to send for every account
        assert sorted(heard.keys) == sorted(keys), "so many the day may have"
        keys += _act(both, requests[2:])
        assert len(set(keys)) == CASES
        row = day_of(wiring)
        assert (row.counted, row.most, row.on_since) == (CASES, 2, AT)
        _deliver(both, names)
        assert len(heard.keys) == 2, "and not one more"
        with wiring.database.read() as session:
            held = select(OutboxRow).where(col(OutboxRow.error).startswith(brakes.BRAKED))
            waiting = session.exec(held).all()
            assert len(waiting) == CASES - 2
            tasks = session.exec(select(TaskRow).where(col(TaskRow.key).startswith("brake/"))).all()
            assert len(tasks) == 1
        with wiring.database.write() as session_:
            brakes.release(session_, "maria", "I have looked", AT)
        _deliver(both, names)
        assert sorted(heard.keys) == sorted(keys)
        with wiring.database.read() as session:
            kinds = session.exec(select(AuditRow.kind).where(col(AuditRow.kind).startswith("brake"))).all()
            assert kinds == ["brake-on", "brake-released"]
            assert verify(session)[1] is None


def _act(both: list[Connection], requests: list[ActRequest]) -> list[str]:
    """Let the processes act on every second request each, at once; return the keys that were asked for."""
    for n, asked in enumerate(requests):
        both[n % 2].send(asked)
    return [key for n in range(len(requests)) for key in both[n % 2].recv()]


def _deliver(both: list[Connection], names: list[str]) -> None:
    """Let both processes deliver for all accounts at once."""
    for name in names:
        for told in both:
            told.send(name)
    for told in both:
        assert [told.recv() for _ in names] == names
