"""How long decisions hold, and what leads to new ones, as a policy says it."""

from __future__ import annotations

from datetime import date

import pytest

from engine.credit import CreditPolicy, compile_policy, decide, load_credit
from engine.credit.carried import carried_in, element_of
from engine.credit.decision import Fact
from tests.api.policies import CREDIT
from workflows.recorded import plain

FACTS = {"tenure_months": Fact(value=24), "avg_monthly_bill": Fact(value="33.33")}


def policy(more: str = "") -> CreditPolicy:
    loaded = load_credit({"policy.yaml": CREDIT + more.encode()})
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


@pytest.mark.parametrize(
    ("validity", "day", "last"),
    [
        ("P12M", date(2026, 3, 1), date(2027, 2, 28)),
        ("P1D", date(2026, 3, 1), date(2026, 3, 1)),
        ("P1M", date(2026, 1, 31), date(2026, 2, 27)),
    ],
)
def test_a_decision_says_its_last_day_in_both_machines(validity: str, day: date, last: date) -> None:
    found = policy(f"validity: {validity}\n")
    decision = decide(found, FACTS, day)
    assert decision.valid_until == last
    assert compile_policy(found).decide(FACTS, day).valid_until == last
    assert type(decision).model_validate_json(decision.model_dump_json()).valid_until == last


def test_a_decision_without_a_last_day_is_recorded_as_before() -> None:
    decision = decide(policy(), FACTS, date(2026, 3, 1))
    assert decision.valid_until is None
    assert "valid_until" not in decision.model_dump(mode="json")
    assert "valid_until" not in plain(decision)


@pytest.mark.parametrize(
    ("text", "on", "months"),
    [
        ("regrade: {on: [chargeback, alert]}\n", ("chargeback", "alert"), None),
        ("regrade: {after: 1 good month}\n", (), 1),
        ("regrade: {on: [profile_change], after: 12 good months}\n", ("profile_change",), 12),
        ("validity: P1Y\nregrade: {on: [expired]}\n", ("expired",), None),
    ],
)
def test_what_leads_to_a_new_grade(text: str, on: tuple[str, ...], months: int | None) -> None:
    found = policy(text).regrade
    assert found is not None
    assert (found.on, found.good_months) == (on, months)


@pytest.mark.parametrize(
    ("after", "advice"),
    [("0 good months", "`1 good months`"), ("61 good months", "`60 good months`"), ("a year", "`12 good")],
)
def test_months_that_cannot_be_looked_back_over(after: str, advice: str) -> None:
    loaded = load_credit({"policy.yaml": CREDIT + f"regrade: {{after: {after}}}\n".encode()})
    (problem,) = loaded.problems
    assert problem.code == "not-good-months"
    assert advice in problem.advice


def test_a_model_carries_them() -> None:
    found = policy("validity: P12M\nregrade: {on: [chargeback, expired], after: 6 good months}\n")
    carried = carried_in((element_of(found),))
    assert carried is not None
    assert carried.head["validity"] == "P1Y"
    assert carried.head["regrade"] == '{"on": [chargeback, expired], after: "6 good months"}'
