"""An entry is judged beside the kinds that it is said to need, and nothing else changes the answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.ledger import Entry, entry_problems
from engine.ledger.refusals import needs_of
from tests.engine.ledger.making import TERMS, entries


@given(st.lists(entries(), max_size=14), entries())
def test_what_is_not_needed_changes_no_answer(history: list[Entry], new: Entry) -> None:
    others = [one for one in history if (one.kind, one.id) != (new.kind, new.id)]
    needed = needs_of(new)
    if needed is not None:
        beside = [one for one in others if one.kind in needed]
        assert entry_problems(TERMS, beside, new) == entry_problems(TERMS, others, new)
