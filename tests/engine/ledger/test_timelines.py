"""The dated timelines of the ledger: every kind of entry, alone and mixed, and what follows from it."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from engine.ladder import load_collections, no_law, run_timelines
from engine.ladder.events_from_yaml import VERBS
from engine.ledger.entries import Entry
from engine.ledger.facts import RULES
from engine.workdays import no_calendar

FOLDER = Path(__file__).parents[3] / "fixtures" / "ledgers" / "timelines"
CASES = (FOLDER / "cases.yaml").read_bytes()


def run(cases: bytes) -> list[str]:
    """Return what does not hold, and what is wrong with the cases."""
    texts = {"policy.yaml": (FOLDER / "policy.yaml").read_bytes()}
    policy = load_collections(texts, "policy.yaml").policy
    assert policy is not None
    report = run_timelines(policy, no_law(), no_calendar(), cases, "cases.yaml", texts=texts)
    failed = [f"{r.name}: {m.what}: {m.expected} {m.got}" for r in report.failed for m in r.mismatches]
    return [*failed, *(problem.message for problem in report.problems)]


def test_every_timeline_of_the_ledger_holds() -> None:
    assert run(CASES) == []


def test_every_kind_of_entry_and_every_fact_has_a_timeline() -> None:
    text = CASES.decode()
    told = {
        verb.kind
        for name, verb in VERBS.items()
        if f" {name}: " in text.replace("{", " {").replace(",", ", ")
    }
    kinds = {one.model_fields["kind"].default for one in get_args(get_args(Entry)[0])}
    assert kinds - told == {"receipt", "fact"}  # told in policies/collections/cases.yaml
    assert {name for name in RULES if f"{name}: " not in text} == {"late_count_12m", "arrears_count_12m",
                                                                   "suspensions_12m"}  # fmt: skip


CASE = b"""policy: ledger-timelines
cases:
  - case: one
    history:
      - {on: 2026-01-05, bill: B1, amount: 100.00, due: 2026-01-25}
    expect:
      - {on: 2026-01-26, ledger: {%s}}
"""


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (b"open: 100", ""),
        (b"open: 100.01", "one: 2026-01-26: ledger: open: ('100.01',) ('100.00',)"),
        (b"on_time_rate_12m: unknown", "one: 2026-01-26: ledger: on_time_rate_12m: ('unknown',) ('0.0000',)"),
        (b"contribution_12m: 0", "one: 2026-01-26: ledger: contribution_12m: ('0',) ('unknown',)"),
        (b"opne: 100", "a ledger says no `opne`"),
    ],
)
def test_what_differs_is_told(said: bytes, found: str) -> None:
    assert run(CASE % said) == ([found] if found else [])
