from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from engine.ledger import Entry, EntryAdapter
from engine.ledger.account import Terms
from engine.ledger.conduct import good_months

TERMS = Terms(account="A1", customer="C1", currency="CNY", timezone="Asia/Shanghai")
TODAY = date(2026, 12, 1)
AT = datetime(2026, 12, 1, 4, tzinfo=UTC)


def entry(kind: str, ref: str, day: str, **fields: Any) -> Entry:
    at = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return EntryAdapter.validate_python(
        {"kind": kind, "id": ref, "value_date": day, "received_at": at, **fields}
    )


def billed(month: int, paid_on: str = "") -> list[Entry]:
    found = [
        entry("bill", f"B{month}", f"2026-{month:02}-01", due_date=f"2026-{month:02}-15", amount="50.00")
    ]
    day = paid_on or f"2026-{month:02}-10"
    return [*found, entry("payment", f"P{month}", day, amount="50.00")]


@pytest.mark.parametrize(
    ("news", "months", "good"),
    [
        ([], 3, None),
        ([*billed(9), *billed(10), *billed(11)], 3, True),
        ([*billed(9), *billed(10, "2026-10-20"), *billed(11)], 3, False),
        ([*billed(9), *billed(10, "2026-10-20"), *billed(11)], 1, True),
        (billed(3), 3, None),
        ([entry("bill", "B0", "2026-03-01", due_date="2026-03-15", amount="9.00")], 3, False),
        ([*billed(11), entry("payment_returned", "X", "2026-11-12", payment="P11")], 3, False),
        ([*billed(11), entry("promise", "M", "2026-11-02", by="2026-11-05", amount="50.00")], 3, False),
    ],
)
def test_good_months(news: list[Entry], months: int, good: bool | None) -> None:
    assert good_months(TERMS, news, TODAY, AT, months) is good


def test_what_was_not_known_does_not_count() -> None:
    late = entry("payment_returned", "X", "2026-12-02", payment="P11")
    assert good_months(TERMS, [*billed(11), late], TODAY, AT, 3) is True
