"""The dated timelines of the ledger: every kind of entry, alone and mixed, and what follows from it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from engine.ladder import load_collections, no_law, run_timelines
from engine.ladder.events_from_yaml import VERBS
from engine.ladder.timeline import Timeline, read_timelines
from engine.ledger.entries import KINDS
from engine.ledger.facts import RULES
from engine.ledger.unmatched import _NAMES
from engine.workdays import no_calendar

LEDGERS = Path(__file__).parents[3] / "fixtures" / "ledgers"
FOLDER = LEDGERS / "timelines"
CASES = (FOLDER / "cases.yaml").read_bytes()
EVERY = {one.model_fields["kind"].default for one in KINDS}


def run(cases: bytes, folder: Path = FOLDER) -> list[str]:
    """Return what does not hold, and what is wrong with the cases."""
    texts = {"policy.yaml": (folder / "policy.yaml").read_bytes()}
    policy = load_collections(texts, "policy.yaml").policy
    assert policy is not None
    report = run_timelines(policy, no_law(), no_calendar(), cases, "cases.yaml", texts=texts)
    failed = [f"{r.name}: {m.what}: {m.expected} {m.got}" for r in report.failed for m in r.mismatches]
    return [*failed, *(problem.message for problem in report.problems)]


@pytest.mark.parametrize("name", ["timelines", "charges"])
def test_every_timeline_of_the_ledger_holds(name: str) -> None:
    assert run((LEDGERS / name / "cases.yaml").read_bytes(), LEDGERS / name) == []


@cache
def histories() -> tuple[Timeline, ...]:
    """Return the timelines as they are read."""
    policy = load_collections({"policy.yaml": (FOLDER / "policy.yaml").read_bytes()}).policy
    assert policy is not None
    found = read_timelines(policy, CASES, "cases.yaml", {}).policy
    assert found is not None
    return found


def kinds_of(timeline: Timeline) -> set[str]:
    """Return the kinds of entries of a history; an answer to an action is a receipt."""
    events = timeline.scenario.events
    return {event.entry.kind if event.entry else "receipt" for event in events}


def spoken_of(kind: str) -> set[str]:
    """Return the kinds that an entry of a kind cannot do without: what it names, and what that names."""
    found = {"bill"} if kind in ("receipt", "act", "deposit", "deposit_review", "promise") else set()
    for _, named in _NAMES.get(kind, ()):
        found |= {named} | spoken_of(named)
    if kind in ("payment_returned", "return_reversed", "refund", "dispute_resolved", "plan_ended",
                "deposit", "deposit_review", "promise", "promise_withdrawn", "recovery",
                "fee_waived"):  # fmt: skip
        found |= {"payment", "bill"}
    return found | ({"deposit"} if kind == "deposit_review" else set())


PAIRED = {"dispute": {"dispute_resolved"}, "dispute_resolved": {"credit_note"},
          "deposit": {"deposit_review", "demand"}, "hold_released": {"hold"},
          "write_off_mark": {"recovery", "payment"}, "recovery": {"write_off_mark"},
          "credit_note": {"payment"}, "adjustment": {"payment"}, "write_down": {"payment"}}  # fmt: skip
"""What stands beside a kind because it shows what the kind is for."""


@pytest.mark.parametrize("kind", sorted(EVERY))
def test_every_kind_of_entry_has_a_timeline_alone_and_one_mixed(kind: str) -> None:
    """Alone: with nothing but what it speaks of, or what shows what it is for."""
    mine = [kinds_of(timeline) for timeline in histories() if kind in kinds_of(timeline)]
    beside = {kind} | spoken_of(kind) | PAIRED.get(kind, set())
    assert any(kinds <= beside for kinds in mine), mine
    assert any(len(kinds - beside) >= 3 for kinds in mine), mine


def test_one_history_has_every_kind() -> None:
    assert max(map(kinds_of, histories()), key=len) == EVERY


def test_every_fact_and_every_verb_has_a_timeline() -> None:
    text = CASES.decode()
    told = {name for name in VERBS if f" {name}: " in text.replace("{", " {").replace(",", ", ")}
    assert set(VERBS) - told == {"force", "resume", "confirm", "policy"}  # in policies/collections/cases.yaml
    assert {name for name in RULES if f"{name}: " not in text} == {"late_count_12m", "arrears_count_12m"}


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
        (b"deposit_release: 5", "one: 2026-01-26: ledger: deposit_release: ('5',) ('0',)"),
        (b"opne: 100", "a ledger says no `opne`"),
    ],
)
def test_what_differs_is_told(said: bytes, found: str) -> None:
    assert run(CASE % said) == ([found] if found else [])
