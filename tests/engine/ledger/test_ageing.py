"""The aged balance of an account, by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.ledger import Entry, position_at
from engine.ledger.ageing import BUCKETS, aged
from tests.engine.ledger.making import LATE, TERMS, entries, entry, position

HISTORY = [
    entry("bill", "01-01", id="B0", amount="10", due="01-01"),
    entry("bill", "02-01", id="B1", amount="20", due="02-10"),
    entry("bill", "03-01", id="B2", amount="40", due="03-12"),
    entry("bill", "04-01", id="B3", amount="80", due="04-11"),
    entry("bill", "04-05", id="B4", amount="160", due="05-11"),
    entry("bill", "01-01", id="BW", amount="7", due="01-05"),
    entry("write_off_mark", "04-01", id="W", bill="BW"),
    entry("dispute", "04-02", id="D", bill="B2", amount="15"),
]


def test_every_bucket_by_hand() -> None:
    found = aged(position(*HISTORY, on="05-11"))
    assert {name: str(value) for name, value in found.model_dump().items()} == {
        "open": "310", "not_due": "160", "days_1_30": "80", "days_31_60": "40", "days_61_90": "20",
        "over_90": "10", "overdue": "150", "disputed": "15", "written_off": "7", "credit": "0",
    }  # fmt: skip
    later = aged(position(*HISTORY, on="05-12"))  # 91, 61, 31 days and 1
    assert [later.over_90, later.days_61_90, later.days_31_60, later.days_1_30] == [30, 40, 80, 160]
    assert aged(position(entry("payment", "01-01", amount="5"), on="01-02")).credit == 5


@given(st.lists(entries(), max_size=14))
def test_the_buckets_add_up(history: list[Entry]) -> None:
    found = aged(position_at(TERMS, history, LATE))
    buckets = [getattr(found, name) for name in (*(name for name, _ in BUCKETS), "over_90")]
    assert sum(buckets) == found.open
    assert found.overdue == found.open - found.not_due
