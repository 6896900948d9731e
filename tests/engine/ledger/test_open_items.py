"""The small part of a position says what the whole of it says."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.ledger import Entry, position_at
from engine.ledger.open_items import open_items_at
from engine.watch.from_ledger import owed
from tests.engine.ledger.making import LATE, TERMS, entries, entry, noon
from tests.engine.ledger.making import day as on


@given(st.lists(entries(), max_size=14))
def test_it_says_what_the_position_says(history: list[Entry]) -> None:
    whole, part = position_at(TERMS, history, LATE), open_items_at(TERMS, history, LATE)
    assert part.debts == {debt.id for debt in whole.debts if debt.open > 0}
    assert part.owed == owed(whole)


def test_what_is_written_off_is_open_but_not_owed_and_credit_is_taken_off() -> None:
    history = [
        entry("bill", "01-05", due="01-25", id="B1", amount="50.00"),
        entry("bill", "02-05", due="02-25", id="B2", amount="30.00"),
        entry("write_off_mark", "02-06", id="W", bill="B1", marked=True),
        entry("bill", "02-07", due="02-27", id="F", category="fee", amount="5.00"),
        entry("payment", "02-10", id="P", amount="31.00", pays=[{"bill": "B2", "amount": "30.00"}]),
    ]
    found = open_items_at(TERMS, history, noon(on("02-20")))
    assert (found.debts, found.owed) == (frozenset({"B1", "F"}), Decimal("4.00"))
