"""Real ledgers by their mappings: two renderings of one give one position, with the totals of others."""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api.importer import ImportReport, OfflineLedger, load_mapping, run_import
from engine.ledger import AccountPosition, position_at

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("FORBEAR_DATA_SETS") or ROOT.parent / "shared" / "data")
WATER = DATA / "synthetic-water-utility"
AT = datetime(2026, 1, 1, tzinfo=UTC)

needs_data = pytest.mark.skipif(not DATA.exists(), reason="the data sets are not beside the project")


def load(name: str, data: bytes, ledger: OfflineLedger) -> ImportReport:
    """Import a file by a shipped mapping; it must be taken whole."""
    loaded = load_mapping((ROOT / f"fixtures/mappings/{name}.yaml").read_bytes(), name)
    assert loaded.policy is not None, loaded.problems
    report = run_import(loaded.policy, io.BytesIO(data), ledger.post, dry_run=True)
    assert report.rejects == []
    return report


def positions(ledger: OfflineLedger, day: date) -> dict[str, AccountPosition]:
    """Return all positions at the end of a day."""
    return {
        name: position_at(
            terms, ledger.entries[name],
            datetime.combine(day, time(23, 59), ZoneInfo(terms.timezone)),
        )
        for name, terms in ledger.terms.items()
    }  # fmt: skip


AGEING = {
    "2012-06-30": (98, "5504.09", 55, [(83, "4594.36"), (6, "395.12"), (5, "278.37"), (4, "236.24")]),
    "2012-12-31": (99, "5725.06", 61, [(86, "4936.32"), (6, "376.84"), (5, "361.07"), (2, "50.83")]),
    "2013-06-30": (84, "5119.85", 52, [(72, "4284.29"), (8, "521.40"), (4, "314.16"), (0, "0")]),
    "2013-09-30": (88, "5029.22", 55, [(81, "4563.74"), (5, "342.24"), (2, "123.24"), (0, "0")]),
    "2013-12-31": (13, "761.90", 11, [(3, "206.25"), (7, "382.71"), (1, "34.22"), (2, "138.72")]),
}
"""Open invoices, their sum, customers, and both by days past due (none, 1-7, 8-14, 15-30): from pandas."""


@needs_data
@pytest.mark.kit
def test_two_renderings_of_one_ledger_give_one_position() -> None:
    ledgers = []
    for name, file in (
        ("ibm-receivables", "ibm_accounts_receivable.csv"),
        ("ibm-receivables-dmy", "ibm_accounts_receivable_dmy.csv"),
    ):
        ledger = OfflineLedger(AT)
        report = load(name, (DATA / file).read_bytes(), ledger)
        assert report.agrees, [str(one) for one in report.reconciled]
        assert report.by_kind == {"customer": 100, "account": 100, "bill": 2466, "payment": 2466}
        ledgers.append(ledger)
    for said, (count, amount, customers, buckets) in AGEING.items():
        day = date.fromisoformat(said)
        mine, others = (positions(ledger, day) for ledger in ledgers)
        assert mine == others
        debts = [debt for position in mine.values() for debt in position.debts if debt.open]
        assert (len(debts), sum(debt.open for debt in debts)) == (count, Decimal(amount))
        assert sum(any(d.open for d in p.debts) for p in mine.values()) == customers
        late = [(max(0, (day - debt.due_date).days), debt.open) for debt in debts]
        for (low, high), (many, total) in zip(((0, 0), (1, 7), (8, 14), (15, 30)), buckets, strict=True):
            found = [open_ for days, open_ in late if low <= days <= high]
            assert (len(found), sum(found)) == (many, Decimal(total))


@needs_data
@pytest.mark.kit
def test_payments_that_name_no_bill_end_in_the_balance_of_others() -> None:
    ledger, balance = OfflineLedger(AT), defaultdict[str, Decimal](Decimal)
    for name in ("customers", "bills", "payments"):
        with gzip.open(WATER / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
            lines = [line for line in file if line.startswith(("customer_id", "C10002", "C10100"))]
        load(f"water-{name}", "".join(lines).encode(), ledger)
        for row in csv.DictReader(lines):
            balance[row["customer_id"]] += Decimal(row.get("bill_amount") or 0) - Decimal(
                row.get("amount") or 0
            )
    for account, position in positions(ledger, date(2026, 12, 31)).items():
        assert sum(debt.open for debt in position.debts) - position.credit == balance[account]
    kinds = Counter(entry.kind for entries in ledger.entries.values() for entry in entries)
    assert (len(ledger.terms), kinds["bill"], kinds["payment"] > 800) == (20, 960, True)
