"""Money overdue by day: what is past due when the day ends, and nothing that was paid during it."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from api.demo.book import overdue_by_day
from engine.ledger.entries import Bill, Payment

ZONE = ZoneInfo("Asia/Shanghai")


def test_what_is_paid_on_the_last_day_is_not_overdue_at_its_end() -> None:
    bill = Bill(
        id="B-1", value_date=date(2026, 11, 22), due_date=date(2026, 12, 29), amount=Decimal("127.63"),
        received_at=datetime(2026, 11, 22, 2, 30, tzinfo=ZONE),
    )  # fmt: skip
    paid = Payment(
        id="P-1", value_date=date(2026, 12, 31), amount=Decimal("127.63"),
        received_at=datetime(2026, 12, 31, 16, 59, tzinfo=ZONE),
    )  # fmt: skip
    found = overdue_by_day({"A1": [bill, paid]}, date(2026, 12, 28), date(2026, 12, 31))
    assert [str(amount) for amount in found.values()] == ["0", "127.63", "127.63", "0"]
