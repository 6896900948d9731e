from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dmn import Evaluation
from engine.feel import show
from tests.engine.dmn.build import codes, evaluated, input_data, table

RULES = ('< 10 | "low"', '< 20 | "mid"', '>= 5 | "high"')
ORDER = ': "high", "mid", "low"'


def tried(logic: str, n: Any = None, **inputs: Any) -> Evaluation:
    given_inputs = {"n": n, **inputs}
    parts = [input_data(name) for name in given_inputs]
    return evaluated(logic, *parts, inputs=given_inputs, needs=",".join(f"?{name}" for name in given_inputs))


@pytest.mark.parametrize(
    ("policy", "n", "result"),
    [
        ("UNIQUE", 25, '"high"'),
        ("UNIQUE", 15, "null"),
        ("FIRST", 7, '"low"'),
        ("FIRST", 15, '"mid"'),
        ("ANY", 25, '"high"'),
        ("ANY", 7, "null"),
        ("PRIORITY", 7, '"high"'),
        ("PRIORITY", 3, '"mid"'),
        ("OUTPUT ORDER", 7, '["high", "mid", "low"]'),
        ("RULE ORDER", 7, '["low", "mid", "high"]'),
        ("COLLECT", 7, '["low", "mid", "high"]'),
        ("COLLECT", 15, '["mid", "high"]'),
    ],
)
def test_hit_policies(policy: str, n: int, result: str) -> None:
    assert show(tried(table("n", ORDER, *RULES, policy=policy), n).value) == result


@pytest.mark.parametrize(
    ("aggregation", "n", "result"),
    [
        ("SUM", 5, "60"), ("MIN", 5, "10"), ("MAX", 5, "30"), ("COUNT", 5, "3"),
        ("SUM", 15, "30"), ("COUNT", 15, "1"), ("SUM", -1, "null"), ("COUNT", -1, "null"),
    ],
)  # fmt: skip
def test_aggregations(aggregation: str, n: int, result: str) -> None:
    rules = ("[0..10) | 10", "[0..10) | 20", ">= 0 | 30")
    assert show(tried(table("n", "", *rules, policy="COLLECT", aggregation=aggregation), n).value) == result


def test_no_rule_gives_the_default_or_null() -> None:
    assert show(tried(table("n", '= "none"', '1 | "one"'), 2).value) == '"none"'
    assert show(tried(table("n", "", '1 | "one"'), 2).value) == "null"
    for policy in ("COLLECT", "RULE ORDER", "OUTPUT ORDER", "PRIORITY", "ANY", "FIRST"):
        assert show(tried(table("n", ": 9, 1 = 9", "1 | 1", policy=policy), 2).value) == "9"
    both = table("n", 'a = "x"; b', '1 | "one"; 2')
    assert show(tried(both, 2).value) == '{a: "x", b: null}'


def test_several_outputs_are_a_context() -> None:
    logic = table("n", "grade; limit", '>= 5 | "A"; n * 100', '< 5 | "B"; 0')
    assert show(tried(logic, 7).value) == '{grade: "A", limit: 700}'


def test_priority_of_several_outputs_goes_from_left_to_right() -> None:
    outputs = 'a: "x", "y"; free; b: 2, 1'
    rules = ('- | "y"; 0; 2', '- | "x"; 5; 1', '- | "x"; 6; 2')
    assert show(tried(table("n", outputs, *rules, policy="PRIORITY"), 1).value) == '{a: "x", free: 6, b: 2}'
    found = tried(table("n", outputs, *rules, policy="OUTPUT ORDER"), 1).value
    assert [item["free"] for item in found] == [Decimal(6), Decimal(5), Decimal(0)]  # type: ignore[union-attr,index,call-overload]  # contexts


def test_aggregation_of_several_outputs_has_no_meaning_but_count_has() -> None:
    rules = ("- | 1; 2", "- | 3; 4")
    assert show(tried(table("n", "a; b", *rules, policy="COLLECT", aggregation="COUNT"), 1).value) == "2"
    found = tried(table("n", "a; b", *rules, policy="COLLECT", aggregation="SUM"), 1)
    assert (found.value, codes(found.warnings)) == (None, ["bad-aggregation"])


@pytest.mark.parametrize(
    ("policy", "n", "code", "says"),
    [
        ("UNIQUE", 7, "several-rules", "rules 1, 2, 3 match"),
        ("ANY", 7, "different-outputs", "rules 1, 2, 3 match with different outputs"),
    ],
)
def test_what_the_policy_forbids_is_null_and_names_the_rules(
    policy: str, n: int, code: str, says: str
) -> None:
    found = tried(table("n", "", *RULES, policy=policy), n)
    assert (found.value, codes(found.warnings)) == (None, [code])
    assert says in found.warnings[0].message


def test_priority_without_values_takes_the_first_and_says_so() -> None:
    found = tried(table("n", "", *RULES, policy="PRIORITY"), 7)
    assert (show(found.value), codes(found.warnings)) == ('"low"', ["no-priorities"])


@pytest.mark.parametrize(
    ("n", "cell", "hits"),
    [
        (5, "-", True), (None, "-", True), (5, "5", True), (5, "> 4, 1", True), (5, "not(5)", False),
        (5, "not(4, 6)", True), (5, "[1..5)", False), (5, "? = 5", True), (5, "even(?)", False),
        (None, "null", True), (5, "null", False), (5, "[1, 5]", True), (5, "limit", True),
        (5, "> limit - 1", True), (5, '"x"', False), (5, "limit > 4", True), (5, "limit > 5", False),
        ([1, 2], "list contains(?, 2)", True), ("sme", '"key", "sme"', True), (None, "> 4", False),
        (None, "not(4)", True), (None, "true", False), ("true", "true", False), (True, "true", True),
    ],
)  # fmt: skip
def test_cells(n: Any, cell: str, hits: bool) -> None:
    found = tried(table("n", "", f"{cell} | 1"), n, limit=5)
    assert (found.value == 1) is hits


def test_a_blank_cell_is_as_good_as_a_dash() -> None:
    logic = table("n", "", "- | 1").replace(
        "<inputEntry><text>-</text></inputEntry>", "<inputEntry><text> </text></inputEntry>"
    )
    assert tried(logic, 3).value == 1


def test_an_input_outside_of_its_values_is_noted_and_passes_no_dash() -> None:
    values = "<inputValues><text>[0..10]</text></inputValues></input>"
    logic = table("n", "", "- | 1", "11 | 2").replace("</input>", values)
    found = tried(logic, 11)
    assert (found.value, codes(found.warnings)) == (Decimal(2), ["input-not-allowed"])
    assert tried(logic, 12).value is None
    assert tried(logic, 10).value == 1


def test_an_output_outside_of_its_values_is_noted() -> None:
    found = tried(table("n", ': "a", "b"', '- | "c"'), 1)
    assert (found.value, codes(found.warnings)) == ("c", ["output-not-allowed"])


@given(st.permutations(["[0..10) | 1", "[10..20) | 2", ">= 20 | 3"]), st.integers(-5, 25))
def test_the_order_of_rules_has_no_meaning_under_unique(rules: list[str], n: int) -> None:
    assert tried(table("n", "", *rules), n).value == tried(table("n", "", *sorted(rules)), n).value


def test_the_order_of_rules_has_no_meaning_under_output_order() -> None:
    found = {
        show(tried(table("n", ORDER, *rules, policy="OUTPUT ORDER"), 7).value)
        for rules in permutations(RULES)
    }
    assert found == {'["high", "mid", "low"]'}
