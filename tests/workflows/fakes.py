"""The ports in memory, with the real engine behind them: a shelf, ledgers, a courier that answers at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from engine.credit import load_credit
from engine.credit.decision import Fact
from engine.identity import manifest
from engine.ladder import LawPack, Position, load_collections, load_law, no_law, open_case, step
from engine.ladder.before_due import is_reminder
from engine.ledger import Terms, position_at
from engine.ledger.entries import Bill, Entry, Payment, Receipt
from engine.model import canonical, digest_bytes
from engine.policy import Manifest
from engine.workdays import Calendar, load_calendar, no_calendar
from workflows.activities.texts import PolicyTexts
from workflows.activities.wiring import Outside
from workflows.announcing import announced
from workflows.messages import (
    ActRequest,
    ActResult,
    AssessmentRecord,
    AssessmentRequest,
    CloseRequest,
    DepositRecord,
    ReminderRecord,
    ReviewChunk,
    StepRecord,
    TroubleNote,
)
from workflows.ports import PolicyNotFound, TextNotFound

HERE = Path(__file__).parent / "policies"
SHIPPED = Path(__file__).parents[2] / "policies"
ZONE = ZoneInfo("Asia/Shanghai")


@dataclass
class World:
    """Everything that is outside, and all that happened in it."""

    entries: dict[str, list[Entry]] = field(default_factory=dict)
    steps: list[StepRecord] = field(default_factory=list)
    done: dict[str, str] = field(default_factory=dict)
    """Action key to `requested` or `withdrawn`."""
    asked_again: list[str] = field(default_factory=list)
    closed: dict[str, CloseRequest] = field(default_factory=dict)
    troubles: list[TroubleNote] = field(default_factory=list)
    decisions: dict[str, AssessmentRecord] = field(default_factory=dict)
    chunks: dict[tuple[str, str], ReviewChunk] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    """Request to why it is not answered."""
    runs: dict[str, str] = field(default_factory=dict)
    customers: dict[str, tuple[str, dict[str, Fact]]] = field(default_factory=dict)
    due: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    refusal: str = ""
    announces: str = ""
    """The policy by which bills are announced before they are due."""
    reminders: list[ReminderRecord] = field(default_factory=list)
    before_act: Callable[[ActRequest], None] = lambda request: None
    lock: threading.RLock = field(default_factory=threading.RLock)
    law_pack: LawPack = field(default_factory=no_law)
    workdays: Calendar = field(default_factory=no_calendar)

    def outside(self) -> Outside:
        return Outside(shelf=self, ledger=self, cases=self, decisions=self, evidence=self, clock=self)

    def put(self, account: str, entry: Entry) -> None:
        with self.lock:
            self.entries.setdefault(account, []).append(entry)

    def publish(self, made: Manifest, texts: dict[str, bytes]) -> str:
        self.manifests[made.digest] = made
        for body in texts.values():
            self.bodies[digest_bytes(body)] = body
        return made.digest

    # PolicyShelf

    def texts(self, policy: str) -> tuple[Manifest, dict[str, bytes]]:
        if policy not in self.manifests:
            raise PolicyNotFound(policy)
        made = self.manifests[policy]
        return made, {path: self.bodies[mark] for path, mark in made.texts.items()}

    def law(self, name: str, on: date) -> LawPack:
        return self.law_pack

    def in_force(self, kind: str, name: str, on: date) -> Manifest:
        known = [m for m in self.manifests.values() if (m.kind, m.policy) == (kind, name)]
        return max((m for m in known if m.effective_from <= on), key=lambda m: m.effective_from)

    def text(self, digest: str) -> bytes:
        if digest not in self.bodies:
            raise TextNotFound(digest)
        return self.bodies[digest]

    # Ledger

    def position(self, account: str, at: datetime, regulation: str, calendar: str) -> Position:
        with self.lock:
            entries = list(self.entries.get(account, []))
        terms = Terms(account=account, customer=f"of {account}", currency="CNY", timezone="Asia/Shanghai")
        return Position(position_at(terms, entries, at), self.law_pack, self.workdays)

    def facts(self, customer: str, account: str, as_of: date, at: datetime, currency: str) -> dict[str, Fact]:
        return self.customers[customer][1]

    def facts_of(
        self, customers: Sequence[tuple[str, str]], as_of: date, at: datetime
    ) -> list[dict[str, Fact]]:
        return [self.facts(customer, "", as_of, at, currency) for customer, currency in customers]

    def customers_after(self, cursor: str, limit: int) -> list[tuple[str, str]]:
        names = sorted(name for name in self.customers if name > cursor)[:limit]
        return [(name, self.customers[name][0]) for name in names]

    # CaseBook

    def note_step(self, record: StepRecord) -> None:
        with self.lock:
            self.steps.append(record)

    def note_trouble(self, note: TroubleNote) -> None:
        self.troubles.append(note)

    def act(self, request: ActRequest) -> ActResult:
        self.before_act(request)
        with self.lock:
            policy = PolicyTexts(self).collections(request.policy)
            position = self.position(request.account, request.at, policy.regulation, policy.calendar)
            before = request.taken_before or open_case(
                policy, request.case, position, request.at, request.previous, request.item, care=request.care
            )
            due = {action.key for action in step(policy, before, position, request.at).actions}
            withdrawn = []
            for action in request.actions:
                if action.key in self.done:
                    self.asked_again.append(action.key)
                    continue
                status = "requested" if action.key in due else "withdrawn"
                self.done[action.key] = status
                if status == "withdrawn":
                    withdrawn.append((action.key, "no longer due"))
                self._answer(request, action.key, "done" if status == "requested" else "withdrawn")
            named = {key for key, _ in withdrawn}
            requested = tuple(a.key for a in request.actions if a.key not in named)
            return ActResult(
                requested=requested, withdrawn=tuple(withdrawn), version=position.account.version
            )

    def _answer(self, request: ActRequest, key: str, status: str) -> None:
        receipt = Receipt.model_validate(
            {"id": f"r-{len(self.done)}", "value_date": request.at.astimezone(ZONE).date(), "key": key,
             "received_at": request.at, "status": status, "at": request.at}
        )  # fmt: skip
        self.put(request.account, receipt)

    def close(self, request: CloseRequest) -> None:
        self.closed[request.case] = request

    def due_accounts(self, at: datetime, after: str, limit: int) -> list[str]:
        return sorted(account for account in self.due if account > after)[:limit]

    def regrade(self, at: datetime, limit: int, account: str = "") -> int:
        return 0

    def deposits_asked(self, since: datetime, after: str) -> list[DepositRecord]:
        return []

    def review_deposits(self, accounts: Sequence[str], at: datetime) -> list[DepositRecord]:
        return []

    def review_levels(self, accounts: Sequence[str], at: datetime) -> int:
        return 0

    def open_cases(self, accounts: Sequence[str], at: datetime) -> int:
        with self.lock:
            new = [account for account in accounts if account not in self.opened]
            self.opened += new
            return len(new)

    def remind(self, accounts: Sequence[str], at: datetime) -> list[ReminderRecord]:
        found = []
        with self.lock:
            policy = PolicyTexts(self).collections(self.announces) if self.announces else None
            for account in accounts if policy else ():
                assert policy
                position = self.position(account, at, policy.regulation, policy.calendar)
                record = announced(policy, position, at, [key for key in self.done if is_reminder(key)])
                self.done |= {action.key: "requested" for action in record.actions}
                found += [record] if record.actions else []
            self.reminders += found
        return found

    # DecisionBook

    def find(self, request: str) -> AssessmentRecord | None:
        found = self.decisions.get(request)
        return AssessmentRecord.model_validate_json(canonical(found)) if found else None

    def keep(
        self, record: AssessmentRecord, trace: bytes, run: tuple[str, str] | None = None
    ) -> AssessmentRecord:
        assert digest_bytes(trace) == record.trace_digest
        with self.lock:
            if run is not None:
                self.runs[run[1]] = run[0]
            counts = self.decisions.setdefault(record.request, record)
        return counts if counts is record else AssessmentRecord.model_validate_json(canonical(counts))

    def record(self, records: Iterable[AssessmentRecord]) -> None:
        with self.lock:
            for record in records:
                self.decisions.setdefault(record.request, record)

    def refused(self, request: AssessmentRequest, why: str) -> None:
        self.refusals[request.request] = why

    def note_chunk(self, run: str, chunk: ReviewChunk) -> None:
        self.chunks[run, chunk.last] = chunk

    # Evidence

    def register(self, workflow: str, run: str, kind: str, at: datetime) -> None:
        self.runs[run] = workflow

    # Clock

    def refuses(self, at: datetime) -> str:
        return self.refusal


def collections_world() -> tuple[World, str]:
    """A world with the test ladder, the Chinese telecom law pack and calendar; and the policy's digest."""
    world = World()
    texts = {
        "policy.yaml": (HERE / "collections.yaml").read_bytes(),
        "templates/reminder.en.txt": (HERE / "reminder.en.txt").read_bytes(),
        "templates/final.en.txt": (HERE / "final.en.txt").read_bytes(),
    }
    loaded = load_collections(texts)
    assert loaded.policy, loaded.problems
    law = (SHIPPED / "regulations" / "cn-telecom.yaml").read_bytes()
    calendar = (SHIPPED / "calendars" / "CN.yaml").read_bytes()
    for body in (law, calendar):
        world.bodies[digest_bytes(body)] = body
    pack, days = load_law(law, "law.yaml").policy, load_calendar(calendar, "calendar.yaml").policy
    assert pack
    assert days
    world.law_pack, world.workdays = pack, days
    return world, world.publish(loaded.policy.manifest, texts)


def credit_world() -> tuple[World, str]:
    """A world with the shipped consumer credit policy, and the policy's digest."""
    world = World()
    texts = {"policy.yaml": (SHIPPED / "consumer-credit" / "policy.yaml").read_bytes()}
    loaded = load_credit(texts)
    assert loaded.policy, loaded.problems
    policy = loaded.policy
    made = manifest(policy.name, "credit", policy.version, date(2026, 1, 1), texts)
    assert made.digest == policy.digest
    return world, world.publish(made, texts)


def bill(number: str, due: date, amount: str, known: datetime) -> Bill:
    return Bill(
        id=number,
        value_date=due - timedelta(days=20),
        received_at=known,
        due_date=due,
        amount=Decimal(amount),
    )


def paid(number: str, on: datetime, amount: str) -> Payment:
    return Payment(id=number, value_date=on.astimezone(ZONE).date(), received_at=on, amount=Decimal(amount))


FACTS: dict[str, object] = {
    "value": "mid", "id_verified": True, "prior_write_off": False, "direct_debit": True,
    "tenure_months": 60, "avg_monthly_bill": Decimal("88.40"), "max_dpd_12m": 0, "arrears_count_12m": 0,
    "late_count_12m": 0, "returned_payments_12m": 0, "on_time_rate_12m": Decimal(1), "suspensions_12m": 0,
    "broken_promises_12m": 0, "overdue_now": Decimal(0),
}  # fmt: skip


def facts(**changed: object) -> dict[str, Fact]:
    """Facts of a customer who always pays, with some changed."""
    day = date(2026, 11, 20)
    return {name: Fact(value=value, as_of=day, source="ledger") for name, value in (FACTS | changed).items()}
