from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from engine.credit import (
    CreditPolicy,
    Decision,
    EvaluationFailed,
    Money,
    NoRowMatches,
    RowsCollide,
    compile_policy,
    decide,
)
from tests.engine.credit.samples import DAY, given, policy_of

FACTS = """
facts:
  amount: {type: money}
  count_of: {type: integer, optional: true}
  text: {type: string, optional: true}
"""


def table(hit: str, rows: str, more: str = "") -> CreditPolicy:
    """Return a policy whose outcome is the value of one table."""
    indented = "\n".join(f"      {row.strip()}" for row in rows.strip().splitlines())
    text = f"{FACTS}decisions:\n  it:\n    hit: {hit}\n    table: |\n{indented}\n{more}outcome: {{it: it}}\n"
    return policy_of(text)


def both(policy: CreditPolicy, **facts: Any) -> Decision:
    """Decide by both machines, which must agree, and return the traced decision."""
    decision = decide(policy, given(**facts), DAY)
    assert compile_policy(policy).decide(given(**facts), DAY) == decision.model_copy(update={"trace": ()})
    return decision


BANDS = """
| amount      || band |
| < 10        || low  |
| [10..20]    || mid  |
| > 20        || high |
"""
AGES = """
| amount || points |
| > 0    || 5      |
| > 10   || 3      |
| > 20   || 8      |
"""


@pytest.mark.parametrize(
    ("amount", "band"), [("9.99", "low"), ("10", "mid"), ("20", "mid"), ("20.01", "high"), ("-3", "low")]
)
def test_unique_takes_the_one_row_that_matches(amount: str, band: str) -> None:
    assert both(table("UNIQUE", BANDS), amount=amount).outcome == {"it": band}


def test_unique_with_two_matching_rows_is_an_error_that_names_both() -> None:
    # `abs` keeps the check from seeing the overlap, which it would refuse
    rows = "| amount || band |\n| abs(?) < 10 || a |\n| abs(?) < 5 || b |"
    policy = table("UNIQUE", rows)
    assert both(policy, amount="7").outcome == {"it": "a"}
    with pytest.raises(RowsCollide, match=r"row 1 \(line 17\) and row 2 \(line 18\) both match") as caught:
        both(policy, amount="3")
    assert (caught.value.rows, caught.value.lines) == ((1, 2), (17, 18))
    with pytest.raises(RowsCollide):
        compile_policy(policy).decide(given(amount="3"), DAY)


def test_no_row_is_an_error_that_names_the_values() -> None:
    policy = table("UNIQUE", "| amount | text || band |\n| < 10 | - || a |")
    with pytest.raises(NoRowMatches, match=r'no row matches amount 12, text "x"'):
        both(policy, amount="12", text="x")


def test_otherwise_answers_when_no_row_does() -> None:
    policy = table("UNIQUE", "| amount || band |\n| < 10 || a |", "    otherwise: b\n")
    assert both(policy, amount="12").outcome == {"it": "b"}


def test_a_policy_may_say_what_no_row_means() -> None:
    more = "when_no_row: {refer, reason: ODD}\nreasons: {ODD: {en: an odd case}}\n"
    policy = table("UNIQUE", "| amount || band |\n| < 10 || a |", more)
    decision = both(policy, amount="12")
    assert (decision.status, decision.outcome, [r.code for r in decision.reasons]) == (
        "referred",
        {},
        ["ODD"],
    )
    assert decision.trace[0].rows[0].because == "amount 12 is not < 10"


def test_first_takes_the_first_of_several() -> None:
    decision = both(table("FIRST", "| amount || n |\n| < 10 || 1 |\n| < 5 || 2 |\n| - || 3 |"), amount="3")
    assert decision.outcome == {"it": Decimal(1)}
    assert len(decision.trace[0].rows) == 1


def test_any_takes_rows_that_agree_and_refuses_those_that_do_not() -> None:
    policy = table("ANY", "| amount || n |\n| abs(?) < 10 || 1 |\n| abs(?) < 5 || 1 |\n| abs(?) < 2 || 3 |")
    assert both(policy, amount="3").outcome == {"it": Decimal(1)}
    with pytest.raises(RowsCollide, match=r"row 1 .* and row 3"):
        both(policy, amount="1")


def test_rule_order_and_collect_list_all_rows_in_order() -> None:
    for hit in ("RULE ORDER", "COLLECT"):
        assert both(table(hit, AGES), amount="15").outcome == {"it": [Decimal(5), Decimal(3)]}
        assert both(table(hit, AGES), amount="0").outcome == {"it": []}


@pytest.mark.parametrize(
    ("hit", "value"), [("COLLECT SUM", 16), ("COLLECT MIN", 3), ("COLLECT MAX", 8), ("COLLECT COUNT", 3)]
)
def test_collect_makes_one_number_of_all_rows(hit: str, value: int) -> None:
    assert both(table(hit, AGES), amount="25").outcome == {"it": Decimal(value)}


def test_collect_without_a_row_counts_zero_and_sums_nothing() -> None:
    assert both(table("COLLECT COUNT", AGES), amount="0").outcome == {"it": Decimal(0)}
    with pytest.raises(NoRowMatches):
        both(table("COLLECT SUM", AGES), amount="0")
    assert both(table("COLLECT SUM", AGES, "    otherwise: 0\n"), amount="0").outcome == {"it": Decimal(0)}


def test_several_outputs_are_read_by_name_and_as_a_whole() -> None:
    text = f"""{FACTS}
decisions:
  terms:
    hit: FIRST
    table: |
      | amount || months | cap    |
      | > 10   || 2      | 300.00 |
      | -      || 0      | 0      |
  limit: min(terms.cap, amount * terms.months)
outcome: {{limit: {{money: limit}}, terms: terms}}
"""
    decision = both(policy_of(text), amount="20.50")
    assert decision.outcome["limit"] == Money(unit="CNY", value=Decimal("41.00"))
    assert decision.outcome["terms"] == {"months": Decimal(2), "cap": Decimal(300)}


@pytest.mark.parametrize(
    ("cell", "matches_null", "matches_seven"),
    [
        ("-", True, True), ("null", True, False), ("not(null)", False, True), (">= 5", False, True),
        ("not(>= 5)", False, False), ("[1..9]", False, True),
        ("not([1..9])", False, False), ("7", False, True),
        ("not(3)", True, True), ("null, > 5", True, True), ("not(null, 3)", False, True),
    ],
)  # fmt: skip
def test_null_passes_what_names_it_and_never_an_order(
    cell: str, matches_null: bool, matches_seven: bool
) -> None:
    policy = table("FIRST", f"| count_of || hit |\n| {cell} || true |\n| - || false |")
    assert both(policy, amount="1").outcome == {"it": matches_null}
    assert both(policy, amount="1", count_of=7).outcome == {"it": matches_seven}


CARD = f"""{FACTS}
decisions:
  score:
    scorecard:
      base: 100
      table: |
        | characteristic | bin      || points | reason |
        | amount         | < 10     || 0      | SMALL  |
        | amount         | [10..20] || 5      | SMALL  |
        | amount         | > 20     || 12.5   |        |
        | count_of       | null     || 3      | NONE   |
        | count_of       | 0        || 20     |        |
        | count_of       | not(0, null) || 1  | MANY   |
outcome: {{score: score, reasons: reasons}}
reasons: {{SMALL: {{en: a small amount}}, NONE: {{en: nothing known}}, MANY: {{en: too many}}}}
"""


@pytest.mark.parametrize(
    ("facts", "score", "reasons"),
    [
        ({"amount": "30", "count_of": 0}, "132.5", []),
        ({"amount": "10", "count_of": 0}, "125", ["SMALL"]),
        ({"amount": "1", "count_of": 5}, "101", ["MANY", "SMALL"]),
        ({"amount": "15"}, "108", ["NONE", "SMALL"]),
    ],
)
def test_a_scorecard_adds_points_and_ranks_reasons_by_points_lost(
    facts: dict[str, Any], score: str, reasons: list[str]
) -> None:
    decision = both(policy_of(CARD), **facts)
    assert decision.outcome == {"score": Decimal(score)}
    assert [reason.code for reason in decision.reasons] == reasons
    assert dict(decision.trace[0].points).keys() == {"amount", "count_of"}


def test_the_trace_names_every_row_and_why_it_did_not_match() -> None:
    rows = """
        | amount   | text     || n |
        | < 10     | -        || 1 |
        | -        | "a","b"  || 2 |
        | [10..20] | not("c") || 3 |
        | -        | "c"      || 4 |
    """
    trace = decide(table("FIRST", rows), given(amount="15", text="c"), DAY).trace[0]
    assert [(row.row, row.line, row.matched, row.because) for row in trace.rows] == [
        (1, 17, False, "amount 15 is not < 10"),
        (2, 18, False, 'text "c" is none of "a","b"'),
        (3, 19, False, 'text "c" is excluded by not("c")'),
        (4, 20, True, ""),
    ]
    assert trace.reads == {"amount": Decimal(15), "text": "c"}


def test_an_expression_without_a_value_is_an_error_with_its_place() -> None:
    text = f"{FACTS}decisions:\n  ratio: 100 / amount\noutcome: {{ratio: ratio}}\n"
    with pytest.raises(EvaluationFailed, match="divided by zero") as caught:
        both(policy_of(text), amount="0")
    assert (caught.value.decision, caught.value.span.line, caught.value.span.column) == ("ratio", 13, 10)


def test_an_error_becomes_the_status_that_the_policy_names() -> None:
    more = "when_failed: {refuse, reason: ODD}\nreasons: {ODD: {en: it cannot be computed}}\n"
    text = f"{FACTS}decisions:\n  ratio: 100 / amount\noutcome: {{ratio: ratio}}\n{more}"
    decision = both(policy_of(text), amount="0")
    assert (decision.status, decision.reasons[0].code, decision.reasons[0].decision) == (
        "refused",
        "ODD",
        "ratio",
    )


def test_null_in_a_formula_is_an_error_not_a_silent_null() -> None:
    text = f"{FACTS}decisions:\n  more: count_of + 1\noutcome: {{more: more}}\n"
    with pytest.raises(EvaluationFailed, match="null"):
        both(policy_of(text), amount="0")


@pytest.mark.parametrize(("amount", "status"), [("1", "decided"), ("200", "referred"), ("2000", "refused")])
def test_the_policy_says_the_status(amount: str, status: str) -> None:
    expression = 'if amount > 1000 then "refused" else if amount > 100 then "referred" else "decided"'
    text = f"{FACTS}decisions:\n  a: amount\noutcome: {{a: {{money: a}}}}\nstatus: {expression}\n"
    decision = both(policy_of(text), amount=amount)
    assert decision.status == status
    assert decision.outcome["a"].value == Decimal(amount)


def test_a_status_that_does_not_exist_is_an_error() -> None:
    status = 'status: if amount > 0 then "may" + "be" else "decided"'
    text = f"{FACTS}decisions:\n  a: amount\noutcome: {{a: a}}\n{status}\n"
    with pytest.raises(EvaluationFailed, match='"maybe"'):
        both(policy_of(text), amount="1")


def test_money_without_a_value_is_an_error() -> None:
    text = f"{FACTS}decisions:\n  a: if amount > 0 then amount else null\noutcome: {{a: {{money: a}}}}\n"
    assert both(policy_of(text), amount="1").outcome["a"].value == 1
    with pytest.raises(EvaluationFailed, match="not an amount"):
        both(policy_of(text), amount="0")


def test_numbers_go_out_in_one_form() -> None:
    decisions = "  a: floor(amount, -2)\n  b: amount * 1.500\n"
    text = f"{FACTS}decisions:\n{decisions}outcome: {{a: a, b: b, c: {{money: a}}}}\n"
    outcome = both(policy_of(text), amount="1250.00").outcome
    assert [str(outcome["a"]), str(outcome["b"]), str(outcome["c"].value)] == ["1200", "1875", "1200.00"]


def test_numbers_are_decimals_of_34_digits() -> None:
    text = f"{FACTS}decisions:\n  a: 1 / 3\n  b: 0.1 + 0.2\noutcome: {{a: a, b: b, c: amount}}\n"
    outcome = both(policy_of(text), amount="0").outcome
    assert outcome["b"] == Decimal("0.3")
    assert outcome["a"] == Decimal("0." + "3" * 34)


def test_decisions_may_stand_in_any_order() -> None:
    text = f"{FACTS}decisions:\n  c: b + 1\n  b: a * 2\n  a: amount\noutcome: {{c: c}}\n"
    policy = policy_of(text)
    assert policy.order == ("a", "b", "c")
    assert both(policy, amount="5").outcome == {"c": Decimal(11)}


def test_tables_may_stand_in_files() -> None:
    text = f"{FACTS}decisions:\n  it:\n    file: tables/bands.csv\noutcome: {{it: it}}\n"
    csv = b"amount,||,band\n< 10,,low\n[10..20],,mid\n> 20,,high\n"
    policy = policy_of(text, **{"tables/bands.csv": csv})
    assert both(policy, amount="20").outcome == {"it": "mid"}
    assert set(policy.manifest.texts) == {"policy.yaml", "tables/bands.csv"}


def test_dates_and_lists_are_facts_too() -> None:
    text = """
facts:
  since: {type: date, min: 2000-01-01}
  tags: {type: list of string, one_of: [vip, staff]}
decisions:
  early:
    table: |
      | since             || early |
      | < @"2020-01-01"   || true  |
      | >= @"2020-01-01"  || false |
  special: list contains(tags, "vip")
  age: date("2026-11-20") - since
outcome: {early: early, special: special, days: age.days, since: since, tags: tags}
"""
    outcome = both(policy_of(text), since="2019-12-31", tags=["vip"]).outcome
    assert (outcome["early"], outcome["special"], outcome["days"]) == (True, True, Decimal(2516))
    assert outcome["since"].isoformat() == "2019-12-31"
    assert both(policy_of(text), since="2020-01-01", tags=[]).outcome["early"] is False


def test_a_decision_day_is_a_date_and_not_an_instant() -> None:
    with pytest.raises(TypeError, match="local date"):
        decide(table("UNIQUE", BANDS), given(amount="1"), datetime(2026, 11, 20, tzinfo=UTC))


def test_without_a_trace_the_answer_is_the_same() -> None:
    policy = table("UNIQUE", BANDS)
    full = decide(policy, given(amount="1"), DAY)
    assert decide(policy, given(amount="1"), DAY, trace=False) == full.model_copy(update={"trace": ()})


def test_a_decision_records_what_it_rests_on() -> None:
    policy = table("UNIQUE", BANDS)
    decision = decide(policy, given(amount="1"), DAY)
    assert (decision.policy, decision.version, decision.digest) == ("sample", "1", policy.digest)
    assert decision.as_of == DAY
    assert set(decision.facts) == {"amount"}
    again = Decision.model_validate_json(decision.model_dump_json())
    assert decide(policy, again.facts, again.as_of) == decision


def test_a_bare_word_is_a_text_unless_it_is_a_name() -> None:
    rows = "| amount || out |\n| < 1 || null |\n| [1..2) || null |\n| [2..3) || count_of |\n| >= 3 || 7 |"
    policy = table("UNIQUE", rows)
    assert both(policy, amount="2.5", count_of=4).outcome == {"it": Decimal(4)}
    words = table("UNIQUE", '| amount || out |\n| < 1 || true-blue |\n| [1..2) || "x y" |\n| >= 2 || text |')
    assert both(words, amount="0").outcome == {"it": "true-blue"}
    assert both(words, amount="5", text="said").outcome == {"it": "said"}
