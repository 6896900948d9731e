"""The two inputs of the demo: the sample ledger, and the UCI file of card customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from api.demo.book import AccountLedger, read_ledgers
from api.demo.draws import Draws
from api.demo.generate import SAMPLE, SEED
from api.demo.profiles import FIRST_MONTH, HORIZON
from api.demo.uci_file import MONTHS, UciCustomer, read_uci, unpacked
from api.demo.uci_ledger import StatementRule, cleared_in, fell_due, ledger_of, month_end
from api.demo.uci_sample import STRATA, stratified

MAPPINGS = Path("fixtures/mappings")
UCI_POLICY = "uci-card-collections"
UCI_SEGMENT = "card"
UCI_CREDIT = "uci-card-credit"
OPENS_AT = 100
"""New Taiwan dollars overdue with which the collections policy opens a case."""
ASKED_SINGLY = 24
"""How many customers are graded one by one, each by an assessment of its own."""


@dataclass(frozen=True, slots=True)
class ImportFile:
    """One file for the bulk importer."""

    path: Path
    mapping: Path
    data: bytes


@dataclass(frozen=True, slots=True)
class Source:
    """Everything a run of the demo needs to know about its input."""

    title: str
    seed: int
    currency: str
    zone: str
    begins: date
    ends: date
    imports: tuple[ImportFile, ...]
    ledgers: tuple[AccountLedger, ...]
    """The accounts whose ledgers are told, and whose cases are run."""
    accounts: tuple[dict[str, Any], ...] = ()
    """Accounts that no file brings, as the billing system posts them."""
    grade_on: tuple[date, ...] = ()
    """The days on which the whole book is graded."""
    credit: Mapping[str, str] | None = None
    """Credit policies by segment, where the portfolio does not name them."""
    outcomes: Sequence[UciCustomer] = ()
    """Customers whose outcome is known, to measure grades against."""
    notes: tuple[str, ...] = ()

    def instant(self, day: date, at: time = time(0, 0)) -> datetime:
        """Return a local time of the operator as an instant."""
        return datetime.combine(day, at, ZoneInfo(self.zone))

    @property
    def horizon(self) -> datetime:
        """The last instant of the run."""
        return self.instant(self.ends, time(23, 59))


def sample_source(root: Path, seed: int = SEED) -> Source:
    """Return the sample ledger; `seed` draws what the network does, never the ledger itself."""
    folder = root / SAMPLE
    imports = tuple(
        _import(folder / f"{name}.csv", root / MAPPINGS / f"sample-{name}.yaml")
        for name in ("customers", "accounts")
    )
    return Source(
        title="the sample ledger: 320 telecom accounts, January to December 2026",
        seed=seed,
        currency="CNY",
        zone="Asia/Shanghai",
        begins=FIRST_MONTH,
        ends=HORIZON,
        imports=imports,
        ledgers=tuple(read_ledgers(folder)),
        grade_on=(FIRST_MONTH + timedelta(days=31), HORIZON),
    )


def uci_source(root: Path, path: Path, seed: int) -> Source:
    """Return the UCI file: all customers to grade, a stratified sample of them to run as cases.

    Raises UciFileError if it is not that file.
    """
    customers, rule, draws = read_uci(path), StatementRule(), Draws(seed)
    chosen = stratified(customers, draws, lambda customer: _collectable(customer, rule))
    ledgers = tuple(
        AccountLedger(f"A{c.customer}", c.customer, rule.zone, tuple(ledger_of(c, rule, draws)))
        for c in chosen
    )
    strata = ", ".join(f"{worst}: {sum(c.worst == worst for c in chosen)}" for worst in STRATA)
    return Source(
        title=f"the UCI card customers in {path.name}: April to September 2005",
        seed=seed,
        currency="TWD",
        zone=rule.zone,
        begins=date(2005, 4, 1),
        ends=month_end(rule, MONTHS - 1),
        imports=(ImportFile(path, root / MAPPINGS / "uci-default.yaml", unpacked(path)),),
        ledgers=ledgers,
        accounts=tuple(_account(ledger, rule) for ledger in ledgers),
        grade_on=(month_end(rule, MONTHS - 1),),
        credit={UCI_SEGMENT: UCI_CREDIT},
        outcomes=customers,
        notes=(f"{len(chosen)} accounts drawn by worst months late ({strata}), seed {seed}",),
    )


def _collectable(customer: UciCustomer, rule: StatementRule) -> bool:
    """Tell whether some statement is paid late, or not at all, and asks for enough to open a case."""
    return any(
        cleared_in(customer, bill) != bill + 1 and fell_due(customer, bill, rule) >= OPENS_AT
        for bill in range(MONTHS - 1)
    )


def _import(path: Path, mapping: Path) -> ImportFile:
    return ImportFile(path, mapping, path.read_bytes())


def _account(ledger: AccountLedger, rule: StatementRule) -> dict[str, Any]:
    return {
        "kind": "account", "id": ledger.account, "customer": ledger.customer, "currency": "TWD",
        "timezone": rule.zone, "collections_policy": UCI_POLICY, "received_at": "2005-04-01T00:10:00+08:00",
    }  # fmt: skip
