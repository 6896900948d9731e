"""The promises of the language and of its machines, in one table; each is tried on random input.

What the random input looks like stands beside the tests of each room: sentences of the grammar in
`feel/test_fuzz.py`, random policies and customers in `credit/test_compile.py`, random tables with a plain
judge of cells in `credit/test_check.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.credit import CreditPolicy, compile_policy, decide, load_credit
from engine.dmn import evaluate_decision, load_model, to_xml
from engine.dmn.from_xml import read_definitions
from engine.feel import parse_expression, parse_unary_tests, to_text
from engine.feel.values import show
from tests.engine.credit.samples import DAY, HEAD, codes_of
from tests.engine.credit.test_check import CUSTOMERS as EVERYBODY
from tests.engine.credit.test_check import ROWS, matching, table_text
from tests.engine.credit.test_compile import CUSTOMERS, PARTITIONS, as_facts, outcome_of, policies
from tests.engine.dmn.build import decision, definitions, literal
from tests.engine.feel.test_fuzz import SCOPE, SPAN, grammar

SOME = settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))
Rows = list[tuple[str, ...]]


@SOME
@given(grammar)
def an_expression_reads_back_as_it_was_printed(text: str) -> None:
    node = parse_expression(text, SPAN, SCOPE).policy
    assume(node is not None)
    assert node is not None
    assert parse_expression(to_text(node), SPAN, SCOPE).policy == node


@SOME
@given(st.lists(grammar, min_size=1, max_size=3), st.booleans())
def a_cell_reads_back_as_it_was_printed(parts: list[str], negated: bool) -> None:
    text = ", ".join(parts)
    cell = parse_unary_tests(f"not({text})" if negated else text, SPAN, SCOPE).policy
    assume(cell is not None)
    assert cell is not None
    assert parse_unary_tests(to_text(cell), SPAN, SCOPE).policy == cell


@SOME
@given(grammar)
def a_model_that_was_written_decides_as_the_one_that_was_read(text: str) -> None:
    data = definitions(decision("it", literal(text)))
    model = read_definitions(data, "m.dmn").policy
    assert model is not None
    before, after = (load_model({"m.dmn": found}, "m.dmn").policy for found in (data, to_xml(model)))
    assert before is not None
    assert after is not None
    values = [evaluate_decision(found, "it", {}) for found in (before, after)]
    assert show(values[0].value) == show(values[1].value)
    assert [w.message for w in values[0].warnings] == [w.message for w in values[1].warnings]


def _policy(hit: str, rows: Rows, numbers: list[int]) -> CreditPolicy | None:
    """Return a policy of one table; a row keeps its number wherever it stands."""
    text = table_text(hit, rows)
    for place, number in enumerate(numbers, 1):
        text = text.replace(f"|| {place} |", f"||  {number} |", 1)
    return load_credit({"policy.yaml": (HEAD + text).encode()}).policy


def _answers(policy: CreditPolicy, customer: tuple[object, ...]) -> set[str]:
    """Return what both machines say of a customer."""
    values = dict(zip("nmsb", customer, strict=True))
    facts = as_facts({**dict.fromkeys("tdr"), "old": False, "sure": True, **values})
    facts = {name: fact for name, fact in facts.items() if name in policy.facts}
    found = decide(policy, facts, DAY, trace=False), compile_policy(policy).decide(facts, DAY)
    return {str(decision.outcome) for decision in found}


@st.composite
def disjoint(draw: st.DrawFn) -> Rows:
    """Return rows of which no customer passes two: every way to combine parts of three columns."""
    numbers = draw(st.sampled_from(PARTITIONS["n"]))
    amounts = draw(st.sampled_from([["< 2.50", ">= 2.50"], ["[0..1]", "(1..5]"], ["-"]]))
    words, truths = draw(st.sampled_from(PARTITIONS["s"])), draw(st.sampled_from(PARTITIONS["b"]))
    rows = list(product(numbers, amounts, words, truths))
    return draw(st.lists(st.sampled_from(rows), min_size=min(2, len(rows)), max_size=8, unique=True))


@SOME
@given(disjoint(), st.randoms(use_true_random=False), st.sampled_from(EVERYBODY))
def the_order_of_rows_does_not_matter_under_unique(
    rows: Rows, random: Any, customer: tuple[object, ...]
) -> None:
    assume(sum(matching(row, customer) for row in rows) == 1)
    order = list(range(len(rows)))
    random.shuffle(order)
    plain = _policy("UNIQUE", rows, sorted(n + 1 for n in order))
    mixed = _policy("UNIQUE", [rows[n] for n in order], [n + 1 for n in order])
    assume(plain is not None and mixed is not None)
    assert plain is not None
    assert mixed is not None
    assert len(_answers(plain, customer) | _answers(mixed, customer)) == 1


@SOME
@given(ROWS, st.data(), st.sampled_from(EVERYBODY))
def a_row_that_nobody_reaches_changes_nothing(
    rows: Rows, data: st.DataObject, customer: tuple[object, ...]
) -> None:
    assume(any(matching(row, customer) for row in rows))
    copied = data.draw(st.integers(0, len(rows) - 1))
    place = data.draw(st.integers(copied + 1, len(rows)))
    numbers = list(range(1, len(rows) + 1))
    without = _policy("FIRST", rows, numbers)
    more = [*rows[:place], rows[copied], *rows[place:]]
    with_it = _policy("FIRST", more, [*numbers[:place], 77, *numbers[place:]])
    assume(without is not None and with_it is not None)
    assert without is not None
    assert with_it is not None
    assert len(_answers(without, customer) | _answers(with_it, customer)) == 1


@SOME
@given(ROWS)
def the_check_of_a_table_agrees_with_brute_force(rows: Rows) -> None:
    codes = codes_of(table_text("UNIQUE", rows))
    counts = [sum(matching(row, customer) for row in rows) for customer in EVERYBODY]
    assert ("rows-overlap" in codes) == any(count > 1 for count in counts)
    assert ("row-missing" in codes) == any(count == 0 for count in counts)


@SOME
@given(policies(), st.lists(CUSTOMERS, min_size=4, max_size=4))
def the_compiled_policy_is_the_interpreted_one_with_its_trace(
    text: str, customers: list[dict[str, Any]]
) -> None:
    policy = load_credit({"policy.yaml": (HEAD + text).encode()}).policy
    assume(policy is not None)
    assert policy is not None
    compiled = compile_policy(policy)
    for customer in customers:
        facts = as_facts(customer)
        assert outcome_of(lambda f: compiled.decide(f, DAY, trace=True), facts) == outcome_of(
            lambda f: decide(policy, f, DAY), facts
        )


PROPERTIES: dict[str, Callable[[], None]] = {
    "parse . print = id: expressions": an_expression_reads_back_as_it_was_printed,
    "parse . print = id: cells": a_cell_reads_back_as_it_was_printed,
    "read . write = id: models": a_model_that_was_written_decides_as_the_one_that_was_read,
    "the order of rows does not matter under UNIQUE": the_order_of_rows_does_not_matter_under_unique,
    "a row that nobody reaches changes nothing": a_row_that_nobody_reaches_changes_nothing,
    "the check agrees with brute force": the_check_of_a_table_agrees_with_brute_force,
    "interpreter = compiled, with the trace": the_compiled_policy_is_the_interpreted_one_with_its_trace,
}


@pytest.mark.parametrize("name", PROPERTIES)
def test_it_holds(name: str) -> None:
    PROPERTIES[name]()
