"""Law packs: read with their sources, checked before release, and enforced at run time even so."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from engine.ladder import check_law, load_law, no_law, open_case, step
from engine.ladder.law import LawPack
from engine.ladder.state import Position, Taken, TakenRow
from engine.ledger import position_at
from tests.engine.ladder.world import calendar, changed, law, policy
from tests.engine.ledger.making import TERMS, ZONE, entry

GOOD = """law: test
title: A test
in_force: 2020-01-01
clauses:
  - clause: one
    rule: interruption
    says: {en: more than 30 days}
    source: the law
    days_past_due: "> 30"
"""


def test_the_shipped_pack_names_a_source_for_each_clause() -> None:
    assert {clause.rule for clause in law().clauses} == {
        "interruption",
        "termination",
        "late_fee",
        "restoration",
        "working_days",
    }
    assert all(
        "Telecommunications Regulations" in clause.source
        for clause in law().clauses
        if clause.rule != "working_days"
    )
    assert all("12 CFR 1006." in clause.source for clause in law("us-reg-f").clauses)
    assert law("none").clauses == ()
    assert no_law().clauses == ()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("    source: the law\n", "", "missing-key"),
        ('days_past_due: "> 30"', "rate: 0.003", "clause-unclear"),
        ('"> 30"', "30", "bare-threshold"),
        ("rule: interruption", "rule: interuption", "unknown-choice"),
        ("in_force: 2020-01-01", "in_force: soon", "not-a-date"),
        ("  - clause: one", "  - clause: One Thing", "not-a-name"),
    ],
)
def test_a_pack_that_cannot_be_read_says_where(old: str, new: str, code: str) -> None:
    assert old in GOOD
    loaded = load_law(GOOD.replace(old, new).encode(), "law.yaml")
    assert loaded.policy is None
    assert code in [problem.code for problem in loaded.problems]


@pytest.mark.parametrize(
    ("old", "new", "clause"),
    [
        ("| bar           | >= 31  |", "| bar           | >= 30  |", "interruption-after-30-days"),
        ("| suspend      | P61D |", "| suspend      | P60D |", "termination-after-60-days"),
        ("| suspend      | P61D |", "| final_notice | P61D |", "termination-after-60-days"),
        ("rate: 0.003 per day", "rate: 0.00300001 per day", "late-fee-three-per-mille"),
        ("restored_within: PT24H", "restored_within: P2D", "restoration-within-48-hours"),
        ("anchor: oldest_due_date", "anchor: invoice_date", "interruption-after-30-days"),
        ("from: due + P1D", "from: due + P0D", "late-fee-three-per-mille"),
        ("  calendar: CN", "  calendar: TW", "working-days-with-made-up-days"),
    ],
)
def test_a_policy_that_breaks_a_clause_is_not_released(old: str, new: str, clause: str) -> None:
    found = check_law(changed(this=(old, new)), law())
    assert found
    assert all(problem.code == "breaks-law" for problem in found)
    assert clause in found[0].related[0][0]


def test_an_exact_bound_keeps_the_law() -> None:
    assert check_law(policy(), law()) == ()


def test_a_policy_is_checked_against_its_own_pack_only() -> None:
    assert [problem.code for problem in check_law(policy(), law("none"))] == ["other-law"]


def _position(at: datetime, pack: LawPack) -> Position:
    bill = entry("bill", "2026-01-05", id="B1", due="2026-01-25", amount="300.00")
    account = position_at(TERMS, [bill], at)
    return Position(account.model_copy(update={"feeds": {"payments": at}}), pack, calendar())


def _noticed(at: datetime) -> Taken:
    """A case whose notices are long done."""
    done = at - timedelta(days=8)
    rows = tuple(
        TakenRow(
            step=name, entry=1, state="done", keys=(f"case/A1/1/account/{name}/1/notify.sms.x/do",),
            debts=("B1",), requested_at=done, requested_on=done.date(), done_at=done, done_on=done.date(),
            words={f"case/A1/1/account/{name}/1/notify.sms.x/do": "done"}, valid_until=date(2026, 12, 31),
        )
        for name in ("reminder", "final_notice")
    )  # fmt: skip
    opened = open_case(policy(), "case/A1/1", _position(at, law()), at)
    return opened.model_copy(update={"rows": rows})


@pytest.mark.parametrize(("day", "barred"), [(date(2026, 2, 24), False), (date(2026, 2, 25), True)])
def test_the_gate_holds_even_when_the_policy_would_not(day: date, barred: bool) -> None:
    careless = changed(this=("| bar           | >= 31  |", "| bar           | >= 21  |"))
    at = datetime.combine(day, time(9), ZONE)
    found = step(careless, _noticed(at), _position(at, law()), at)
    assert ("bar" in [action.step for action in found.actions]) is barred
    if not barred:
        notes = {row.step: row.note for row in found.trace.rows}
        assert "clause interruption-after-30-days" in notes["bar"]
        assert "30 days, which is not > 30" in notes["bar"]
        assert found.wake_at == datetime(2026, 2, 25, 9, tzinfo=ZONE)


def test_without_a_pack_the_policy_alone_decides() -> None:
    careless = changed(this=("| bar           | >= 31  |", "| bar           | >= 21  |"))
    at = datetime(2026, 2, 24, 9, tzinfo=ZONE)
    found = step(careless, _noticed(at), _position(at, no_law()), at)
    assert [action.step for action in found.actions] == ["bar"]
