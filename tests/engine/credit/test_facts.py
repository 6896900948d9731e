"""The door: what a caller may send, and what the policy says when a fact is missing, old or unverified."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from engine.credit import CreditPolicy, Decision, Fact, FactsRefused, Money, compile_policy, decide
from engine.credit.values import amount_of, one_form
from tests.engine.credit.samples import DAY, given, policy_of

KINDS = """
facts:
  word: {type: string, one_of: [low, mid], optional: true}
  count_of: {type: integer, min: 0, max: 10, optional: true}
  rate: {type: decimal, min: 0, max: 1, optional: true}
  amount: {type: money, optional: true}
  sure: {type: boolean, optional: true}
  day: {type: date, min: 2000-01-01, optional: true}
  words: {type: list of string, one_of: [a, b], optional: true}
decisions:
  one: 1
outcome:
  {word: word, count_of: count_of, rate: rate, amount: amount, sure: sure, day: day, words: words, n: one}
"""


@pytest.fixture(scope="module")
def kinds() -> CreditPolicy:
    return policy_of(KINDS)


@pytest.mark.parametrize(
    ("name", "value", "out"),
    [
        ("word", "low", "low"), ("count_of", 3, Decimal(3)), ("count_of", Decimal("3.0"), Decimal(3)),
        ("rate", "0.5", Decimal("0.5")), ("rate", 1, Decimal(1)), ("rate", Decimal("0.25"), Decimal("0.25")),
        ("amount", "12.50", Decimal("12.5")), ("amount", Money(unit="CNY", value=Decimal(3)), Decimal(3)),
        ("amount", {"unit": "CNY", "value": "3.10"}, Decimal("3.1")), ("amount", -7, Decimal(-7)),
        ("sure", False, False), ("day", "2026-01-31", date(2026, 1, 31)),
        ("day", date(2026, 1, 31), date(2026, 1, 31)), ("words", ["a", "b"], ["a", "b"]), ("words", (), []),
        ("word", None, None),
    ],
)  # fmt: skip
def test_a_fact_of_its_kind_is_taken(kinds: CreditPolicy, name: str, value: Any, out: Any) -> None:
    assert decide(kinds, given(**{name: value}), DAY).outcome[name] == out


@pytest.mark.parametrize(
    ("name", "value", "code", "says"),
    [
        ("rate", 0.5, "float", "binary float 0.5"),
        ("amount", 0.1, "float", "binary float"),
        ("amount", {"unit": "CNY", "value": 1.5}, "float", "binary float"),
        ("count_of", 1.0, "float", "binary float"),
        ("count_of", "3", "wrong-type", 'is `"3"`, not an integer'),
        ("count_of", True, "wrong-type", "not an integer"),
        ("count_of", Decimal("1.5"), "wrong-type", "whole"),
        ("count_of", 11, "out-of-range", "the most is 10"),
        ("count_of", -1, "out-of-range", "the least is 0"),
        ("count_of", 10**40, "out-of-range", "34 digits"),
        ("rate", "1e-3", "wrong-type", "not a number"),
        ("rate", "NaN", "wrong-type", "not a number"),
        ("rate", Decimal("NaN"), "wrong-type", "not a number"),
        ("rate", Decimal("Infinity"), "wrong-type", "not a number"),
        ("rate", "٠", "wrong-type", "not a number"),
        ("amount", "1,000", "wrong-type", "not a number"),
        ("amount", True, "wrong-type", "not an amount"),
        ("amount", {"unit": "EUR", "value": "1"}, "wrong-currency", "is in EUR; the policy counts in CNY"),
        ("amount", "88.405", "too-precise", "is 88.405; amounts in CNY have 2 decimals"),
        ("amount", {"unit": "CNY", "value": "0.001"}, "too-precise", "amounts in CNY have 2 decimals"),
        ("amount", Decimal("1E+40"), "out-of-range", "34 digits"),
        ("word", "hi", "out-of-range", "not one of low, mid"),
        ("word", 3, "wrong-type", "not a string"),
        ("sure", 1, "wrong-type", "not a boolean"),
        ("word", True, "wrong-type", "is `true`, not a string"),
        ("rate", {"a": [None, True]}, "wrong-type", "is `{a: [null, true]}`, not a decimal"),
        ("rate", {1, 2}, "wrong-type", "not a decimal"),
        ("sure", "true", "wrong-type", "not a boolean"),
        ("day", "2026-02-30", "wrong-type", "no such day"),
        ("day", "31.01.2026", "wrong-type", "not a date"),
        ("day", datetime(2026, 1, 1, tzinfo=UTC), "wrong-type", "not a date"),
        ("day", "1999-12-31", "out-of-range", "the least is 2000-01-01"),
        ("words", ["c"], "out-of-range", "`c`"),
        ("words", "a", "wrong-type", "not a list of string"),
        ("words", [1], "wrong-type", "not a list"),
    ],
)
def test_anything_else_is_refused(kinds: CreditPolicy, name: str, value: Any, code: str, says: str) -> None:
    for run in (decide, compile_policy(kinds).decide):
        arguments = (kinds, given(**{name: value}), DAY)
        with pytest.raises(FactsRefused) as caught:
            run(*(arguments if run is decide else arguments[1:]))
        (problem,) = caught.value.problems
        assert (problem.pointer, problem.code) == (f"/{name}", code)
        assert says in problem.message


def test_everything_that_is_wrong_is_told_at_once(kinds: CreditPolicy) -> None:
    facts = given(wrod="low", rate=0.5, count_of=99)
    with pytest.raises(FactsRefused, match="did you mean `word`") as caught:
        decide(kinds, facts, DAY)
    assert {problem.pointer for problem in caught.value.problems} == {"/wrod", "/rate", "/count_of"}


def test_a_fact_of_tomorrow_is_refused(kinds: CreditPolicy) -> None:
    with pytest.raises(FactsRefused, match="after the day of the decision"):
        decide(kinds, {"word": Fact(value="low", as_of=date(2026, 11, 21))}, DAY)


def test_a_pointer_escapes_what_json_pointers_escape(kinds: CreditPolicy) -> None:
    with pytest.raises(FactsRefused) as caught:
        decide(kinds, given(**{"a/b~c": 1}), DAY)
    assert caught.value.problems[0].pointer == "/a~1b~0c"


def test_select_keeps_what_the_policy_reads(kinds: CreditPolicy) -> None:
    assert list(kinds.select(given(word="low", other=1))) == ["word"]


QUALITY = """
facts:
  bill: {type: money, max_age: P3M, when_missing: {default: 50.00, reason: NO_BILL}}
  income: {type: money, verified: true, optional: true, when_unverified: {refer, reason: UNVERIFIED}}
  name_found:
    type: boolean
    max_age: P1Y
    when_missing: {refuse, reason: NO_NAME}
    when_old: {refer, reason: OLD_NAME}
decisions:
  total: bill + (if income = null then 0 else income)
outcome: {total: {money: total}, found: name_found}
reasons:
  NO_BILL: {en: no recent bill}
  UNVERIFIED: {en: the income is not verified}
  NO_NAME: {en: the name is not known}
  OLD_NAME: {en: the name was checked long ago}
"""
FINE = {
    "bill": Fact(value="80", as_of=DAY),
    "income": Fact(value="1000", as_of=DAY, verified_by="desk"),
    "name_found": Fact(value=True, as_of=DAY),
}


@pytest.fixture(scope="module")
def quality() -> CreditPolicy:
    return policy_of(QUALITY)


def told(policy: CreditPolicy, **changes: Fact | None) -> tuple[Decision, str, list[str]]:
    facts = {name: fact for name, fact in {**FINE, **changes}.items() if fact is not None}
    decision = decide(policy, facts, DAY)
    assert compile_policy(policy).decide(facts, DAY) == decision.model_copy(update={"trace": ()})
    assert decide(policy, decision.facts, DAY) == decision  # it can be taken again from what it recorded
    return decision, decision.status, [reason.code for reason in decision.reasons]


def test_good_facts_leave_no_reason(quality: CreditPolicy) -> None:
    decision, status, codes = told(quality)
    assert (decision.outcome["total"].value, status, codes) == (Decimal("1080.00"), "decided", [])


def test_a_missing_fact_gets_its_default_with_a_reason(quality: CreditPolicy) -> None:
    decision, status, codes = told(quality, bill=None)
    assert (decision.outcome["total"].value, status, codes) == (Decimal("1050.00"), "decided", ["NO_BILL"])
    assert decision.reasons[0].decision == "bill"
    assert decision.facts["bill"].value == Decimal("50.00")


@pytest.mark.parametrize(("as_of", "total"), [("2026-08-20", 1080), ("2026-08-19", 1050)])
def test_a_fact_is_old_one_day_after_its_age(quality: CreditPolicy, as_of: str, total: int) -> None:
    decision, _, codes = told(quality, bill=Fact(value="80", as_of=date.fromisoformat(as_of)))
    assert decision.outcome["total"].value == total
    assert codes == ([] if total == 1080 else ["NO_BILL"])


def test_an_old_fact_is_recorded_as_it_was_given(quality: CreditPolicy) -> None:
    decision, _, _ = told(quality, bill=Fact(value="80", as_of=date(2026, 1, 1)))
    assert decision.facts["bill"].value == Decimal(80)


def test_a_fact_without_a_day_is_old(quality: CreditPolicy) -> None:
    assert told(quality, bill=Fact(value="80"))[2] == ["NO_BILL"]


def test_an_unverified_fact_is_referred(quality: CreditPolicy) -> None:
    decision, status, codes = told(quality, income=Fact(value="1000", as_of=DAY))
    assert (decision.outcome, status, codes) == ({}, "referred", ["UNVERIFIED"])


def test_an_optional_fact_may_be_left_out_even_if_it_must_be_verified(quality: CreditPolicy) -> None:
    assert told(quality, income=None)[0].outcome["total"].value == 80


def test_a_refusal_comes_before_a_referral(quality: CreditPolicy) -> None:
    _, status, codes = told(quality, name_found=None, income=Fact(value="1000", as_of=DAY))
    assert (status, codes) == ("refused", ["NO_NAME", "UNVERIFIED"])


def test_old_and_missing_may_mean_different_things(quality: CreditPolicy) -> None:
    _, status, codes = told(quality, name_found=Fact(value=True, as_of=date(2025, 11, 19)))
    assert (status, codes) == ("referred", ["OLD_NAME"])


def test_a_required_fact_that_is_missing_is_refused_with_an_advice() -> None:
    policy = policy_of("facts:\n  n: {type: integer, min: 0}\ndecisions:\n  a: n\noutcome: {a: a}\n")
    with pytest.raises(FactsRefused, match=r"`n` is missing \(send `n` \(integer, at least 0\)\)"):
        decide(policy, {}, DAY)


def test_amounts_are_recorded_in_one_form(quality: CreditPolicy) -> None:
    digests = {
        told(quality, bill=Fact(value=value, as_of=DAY))[0].facts_digest
        for value in (80, "80", "80.0", Decimal("80.000"), {"unit": "CNY", "value": "80.00"})
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("value", "number", "amount"),
    [
        ("0", "0", "0.00"), ("-0", "0", "0.00"), ("0.00", "0", "0.00"), ("1E+3", "1000", "1000.00"),
        ("1", "1", "1.00"),
        ("1.5", "1.5", "1.50"), ("1.50", "1.5", "1.50"), ("1.500", "1.5", "1.50"),
        ("1.005", "1.005", "1.005"),
        ("-2.10", "-2.1", "-2.10"), ("100", "100", "100.00"), ("-0.001", "-0.001", "-0.001"),
    ],
)  # fmt: skip
def test_numbers_and_amounts_have_one_form(value: str, number: str, amount: str) -> None:
    assert str(one_form(Decimal(value))) == number
    assert str(amount_of(Decimal(value))) == amount


AGE = """
facts:
  a: {type: decimal, max_age: P3M, when_old: {%s, reason: OLD}}
decisions: {b: a + 1}
outcome: {b: b, reasons: "[]"}
reasons: {OLD: {en: too old}}
"""


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        ("default: 0", "decided", "the policy's default is taken, reason OLD"),
        ("refuse", "refused", "the policy refuses, reason OLD"),
        ("refer", "referred", "the policy refers to a person, reason OLD"),
    ],
)
def test_a_fact_of_no_age_is_never_answered_in_silence(answer: str, status: str, says: str) -> None:
    decision = decide(policy_of(AGE % answer), {"a": Fact(value=5)}, DAY)
    assert decision.status == status
    told = [(part.decision, part.because) for part in decision.trace if part.kind == "fact"]
    assert told == [("a", f"it has no `as_of`, so that nobody can tell whether it is older than P3M: {says}")]


def test_a_fact_of_known_age_is_read() -> None:
    decision = decide(policy_of(AGE % "refuse"), {"a": Fact(value=5, as_of=DAY)}, DAY)
    assert decision.outcome["b"] == 6
    assert all(part.kind != "fact" for part in decision.trace)
