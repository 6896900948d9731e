"""What the model check refuses is not published: a ladder whose debts end nowhere binds nobody."""

from __future__ import annotations

import pytest

from api.storage.errors import PolicyRefused
from api.wiring import Wiring
from tests.api.conftest import START
from tests.api.policies import COLLECTIONS

NOTICES = {"templates/reminder.en.txt": b"{overdue}", "templates/final.en.txt": b"{overdue}"}


def test_a_ladder_whose_debts_end_nowhere_is_not_published(lite: Wiring) -> None:
    rows = [line for line in COLLECTIONS.splitlines(keepends=True) if not line.startswith(b"    | small ")]
    assert len(rows) < len(COLLECTIONS.splitlines())
    with pytest.raises(PolicyRefused, match="ends nowhere") as refused:
        lite.publisher.publish({"policy.yaml": b"".join(rows), **NOTICES}, START)
    assert [problem.code for problem in refused.value.problems] == ["dead-end"]
