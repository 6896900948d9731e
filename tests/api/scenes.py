"""What tests play: an account's ledger, and its case driven step by step as a workflow would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from api.storage.accounts import add_account, get_account
from api.storage.customers import add_customer
from api.storage.feeds import add_feed
from api.storage.ledger import Posted
from api.storage.tables import AccountRow
from api.wiring import Wiring
from engine.ladder import Taken, open_case, step
from engine.ledger import EntryAdapter
from engine.model import SEMANTICS
from workflows.ids import case_id
from workflows.messages import ActRequest, ActResult, CloseRequest, StepRecord
from workflows.recorded import recorded_digest

ZONE = "Asia/Shanghai"


def local(text: str) -> datetime:
    """An instant in Shanghai: `2026-03-19 09:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE))


def add_parties(
    wiring: Wiring, *accounts: str, customer: str = "C1", currency: str = "CNY", policy: str = ""
) -> None:
    at = local("2026-01-01 00:00")
    with wiring.database.write() as work:
        add_customer(work, {"id": customer, "name": "", "segment": "consumer", "since": None}, at)
        for account in accounts:
            terms = {"id": account, "customer": customer, "currency": currency, "timezone": ZONE}
            add_account(work, terms | {"policy": policy}, at)


def post(
    wiring: Wiring, account: str, received_at: datetime, *, clamp: bool = False, **fields: Any
) -> Posted:
    dates = {"received_at": received_at, "value_date": received_at.date()}
    entry = EntryAdapter.validate_python(dates | fields)
    with wiring.database.write() as work:
        return wiring.writer.post(work, account, entry, clamp=clamp)


def bill(wiring: Wiring, account: str, at: datetime, ref: str, due: str, amount: str) -> Posted:
    return post(wiring, account, at, kind="bill", id=ref, due_date=due, amount=amount)


def pay(wiring: Wiring, account: str, at: datetime, ref: str, amount: str) -> Posted:
    return post(wiring, account, at, kind="payment", id=ref, amount=amount)


def account(wiring: Wiring, name: str) -> AccountRow:
    with wiring.database.read() as session:
        return get_account(session, name)


@dataclass
class Driver:
    """Looks at a case and acts, as the workflow does; the courier is told by the test."""

    wiring: Wiring
    account: str
    number: int
    policy: str
    taken: Taken | None = None
    chain: str = "chain"
    item: str = ""

    @property
    def case(self) -> str:
        return case_id(self.account, self.number)

    def look(self, at: datetime) -> StepRecord:
        with self.wiring.database.write() as work:
            add_feed(work, "payments", at, at)
        with self.wiring.database.read() as session:
            policy = self.wiring.library.collections(session, self.policy)
        position = self.wiring.ledger.position(self.account, at, policy.regulation, policy.calendar)
        before = self.taken or open_case(policy, self.case, position, at, item=self.item)
        found = step(policy, before, position, at)
        record = StepRecord(
            case=self.case, at=at, taken_before=recorded_digest(self.taken), policy=self.policy,
            law=position.law.digest, calendar=position.calendar.digest, engine="test", semantics=SEMANTICS,
            position=position.account, taken=found.taken, actions=found.actions, wake_at=found.wake_at,
            open=found.open, trace=found.trace, trace_digest=found.trace_digest,
        )  # fmt: skip
        self.wiring.cases.note_step(record)
        return record

    def request(self, record: StepRecord) -> ActRequest:
        return ActRequest(
            case=self.case, account=self.account, policy=self.policy, taken_before=self.taken,
            taken=record.taken, actions=record.actions, at=record.at, chain=self.chain, item=self.item,
        )  # fmt: skip

    def act(self, record: StepRecord) -> ActResult:
        result = self.wiring.cases.act(self.request(record))
        self.taken = record.taken
        return result

    def confirm(self, keys: Sequence[str], at: datetime) -> None:
        for number, key in zip(count(), keys, strict=False):
            ref = f"r-{at.isoformat()}-{number}{self.item}"
            post(self.wiring, self.account, at, kind="receipt", id=ref, key=key, status="done", at=at)

    def run(self, at: datetime, until: datetime) -> datetime:
        """Look, act and confirm everything at once, up to an instant; return the last look's."""
        while True:
            record = self.look(at)
            if record.actions:
                self.confirm(self.act(record).requested, at)
                at += timedelta(seconds=1)
                continue
            self.taken = record.taken
            if not record.open or record.wake_at is None or record.wake_at > until:
                return at
            at = max(record.wake_at, at + timedelta(seconds=1))

    def close(self, at: datetime) -> None:
        assert self.taken is not None
        self.wiring.cases.close(
            CloseRequest(
                case=self.case, account=self.account, number=self.number, ended=self.taken.ended, at=at,
                taken=self.taken, chain=self.chain,
            )
        )  # fmt: skip


def in_arrears(wiring: Wiring, name: str = "A1", amount: str = "205.42") -> Driver:
    """An account with a bill of March that nobody pays, and its open case."""
    add_parties(wiring, name)
    bill(wiring, name, local("2026-03-01 02:00"), "B1", "2026-03-18", amount)
    row = account(wiring, name)
    assert row.watch_on is not None
    assert wiring.cases.open_case(name, row.watch_on)
    with wiring.database.read() as session:
        policy = wiring.library.collections_for(session, row, local("2026-03-19 09:00").date())
    assert policy is not None
    return Driver(wiring, name, 1, policy.digest)
