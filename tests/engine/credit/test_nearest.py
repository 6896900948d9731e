"""The nearest change of one or two facts that leads to another result, to the cent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from engine.credit import CreditPolicy, Fact, decide, load_credit
from engine.credit.cases import read_cases
from engine.credit.nearest import nearest_changes
from tests.engine.credit.samples import DAY, HEAD, codes_of, given, policy_of

POLICIES = Path(__file__).parents[3] / "policies"

TEXT = """
facts:
  days: {type: integer, min: 0}
  bill: {type: money, min: 0}
  owed: {type: money, min: 0}
  since: {type: date, optional: true}
  written_off: {type: boolean, changeable: false}
decisions:
  months: if bill = 0 then 0 else owed / bill
  grade:
    hit: FIRST
    table: |
      | written_off | days  | months | since              || grade |
      | true        | -     | -      | -                  || D     |
      | -           | >= 30 | -      | -                  || C     |
      | -           | -     | > 0.5  | -                  || B     |
      | -           | -     | -      | > @"2026-03-01"    || B     |
      | -           | -     | -      | -                  || A     |
  limit: if grade = "A" then 100 else if grade = "B" then 50 else 0
outcome: {grade: grade, limit: {money: limit}}
"""


def told(policy: CreditPolicy, **facts: object) -> list[str]:
    return [str(one) for one in nearest_changes(policy, given(**facts), DAY)]


FACTS = {"days": 10, "bill": Decimal("74.40"), "owed": Decimal("0"), "written_off": False}


def test_one_fact_flips_the_result_at_its_bound() -> None:
    found = told(policy_of(TEXT), **{**FACTS, "days": 95})
    assert found[0] == "with days of 29 or less the grade would be A"


def test_an_amount_inside_a_formula_is_found_to_the_cent() -> None:
    policy = policy_of(TEXT)
    found = told(policy, **{**FACTS, "owed": Decimal("74.40")})
    assert found[0] == "with owed of 37.20 or less (37.20 less) the grade would be A"
    for owed, grade in (("37.20", "A"), ("37.21", "B")):
        decision = decide(policy, given(**{**FACTS, "owed": Decimal(owed)}), DAY)
        assert decision.outcome["grade"] == grade


def test_what_is_overdue_in_the_ledger_is_told_as_paying() -> None:
    policy = policy_of(TEXT.replace("owed", "overdue_now"))
    facts = {"overdue_now" if name == "owed" else name: value for name, value in FACTS.items()}
    found = told(policy, **{**facts, "overdue_now": Decimal("74.40")})
    assert found[0] == "by paying 37.20 (overdue_now of 37.20 or less) the grade would be A"


def test_two_facts_are_changed_when_one_is_not_enough() -> None:
    found = told(policy_of(TEXT), **{**FACTS, "days": 95, "owed": Decimal("74.40")})
    assert "with days of 29 or less the grade would be B" in found
    assert "with days of 29 or less and owed of 37.20 or less (37.20 less) the grade would be A" in found


def test_a_day_is_found_to_the_day() -> None:
    found = told(policy_of(TEXT), **FACTS, since=date(2026, 6, 30))
    assert found[0].startswith("with since of 2026-03-01")
    assert found[0].endswith("the grade would be A")


def test_what_cannot_change_is_never_named() -> None:
    policy = policy_of(TEXT)
    every = [*told(policy, **FACTS), *told(policy, **{**FACTS, "written_off": True})]
    assert not any("written_off" in sentence for sentence in every)
    assert told(policy, **{**FACTS, "written_off": True}) == []
    free = policy_of(TEXT.replace(", changeable: false", ""))
    assert told(free, **{**FACTS, "written_off": True})[0] == "with written_off of false the grade would be A"


def test_a_larger_limit_is_told_first() -> None:
    found = nearest_changes(policy_of(TEXT), given(**{**FACTS, "owed": Decimal("74.40")}), DAY)
    limits = [one.decision.outcome["limit"].value for one in found]
    assert limits == sorted(limits, reverse=True)


def test_whether_a_fact_can_change_is_no_part_of_what_a_policy_means() -> None:
    from engine.identity import meaning

    assert meaning(policy_of(TEXT)) == meaning(policy_of(TEXT.replace(", changeable: false", "")))


def test_the_mark_is_a_truth_value() -> None:
    assert codes_of(TEXT.replace("changeable: false", "changeable: never")) == ["not-a-boolean"]


@pytest.mark.parametrize("name", ["consumer-credit", "sme-credit", "key-account-credit", "uci-card-credit"])
def test_every_change_that_is_told_is_true(name: str) -> None:
    policy = load_credit({"policy.yaml": (POLICIES / name / "policy.yaml").read_bytes()}).policy
    assert policy is not None
    cases = read_cases(policy, (POLICIES / name / "cases.yaml").read_bytes(), "cases.yaml").policy
    assert cases is not None
    first = policy.outcome[0].name
    told_of = 0
    for case in cases[::9]:
        before = decide(policy, case.facts, case.as_of)
        for one in nearest_changes(policy, case.facts, case.as_of):
            assert all(policy.facts[change.fact].changeable for change in one.changes)
            facts = dict(case.facts)
            for change in one.changes:
                old = facts.get(change.fact, Fact(value=None))
                update = {"value": change.after, "as_of": case.as_of, "source": ""}
                facts[change.fact] = old.model_copy(update=update)
            after = decide(policy, facts, case.as_of)
            got = after.status if one.result == "status" else after.outcome[first]
            assert got == one.value
            assert (after.status, after.outcome.get(first)) != (before.status, before.outcome.get(first))
            assert len(one.changes) <= 2
            told_of += 1
    assert told_of >= 5


DAYS = """
facts:
  today: {type: date, changeable: false}
  since: {type: date}
  paid: {type: date, optional: true}
  owed: {type: money, min: 0}
  allowed: {type: money, min: 0}
decisions:
  grade: |
    if today > since + duration("P90D") and owed <= allowed * 0.5 then "A"
    else if paid != null and today - paid <= duration("P30D") then "B" else "C"
outcome: {grade: grade}
"""
OPEN = {"today": date(2026, 11, 20), "owed": Decimal("10.00"), "allowed": Decimal("20.00")}


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (
            {"since": date(2026, 8, 22)},
            "with since of 2026-08-21 or earlier (1 day earlier) the grade would be A",
        ),
        (
            {"since": date(2026, 1, 1), "owed": Decimal("10.01")},
            "with owed of 10.00 or less (0.01 less) the grade would be A",
        ),
        (
            {"since": date(2026, 11, 1), "paid": date(2026, 10, 20)},
            "with paid of 2026-10-21 or later (1 day later) the grade would be B",
        ),
    ],
)
def test_days_and_facts_that_formulas_compare_are_found_to_the_day(
    facts: dict[str, object], sentence: str
) -> None:
    assert sentence in told(policy_of(DAYS), **{**OPEN, **facts})


def test_in_yen_a_change_is_told_to_the_yen() -> None:
    rule = """'if owed * 3 > 1000 then "B" else "A"'"""
    text = f"\nfacts: {{owed: {{type: money, min: 0}}}}\ndecisions: {{grade: {rule}}}\n"
    loaded = load_credit(
        {"policy.yaml": (HEAD.replace("CNY", "JPY") + text + "outcome: {grade: grade}\n").encode()}
    )
    assert loaded.policy is not None
    (one,) = nearest_changes(loaded.policy, given(owed=Decimal(500)), DAY)
    assert str(one) == "with owed of 333.00 or less (167.00 less) the grade would be A"
    assert one.told("zh") == "如果owed为333.00或更少（减少167.00），grade将为A"
