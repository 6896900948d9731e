"""Promises: what is called proved is held against every customer there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from engine.credit import CreditError, CreditPolicy, Fact, load_credit
from engine.credit.check_promises import promise_problems
from engine.credit.compile import CompiledPolicy, compile_policy
from engine.credit.promises import as_fact, verdict
from tests.engine.credit.samples import DAY, HEAD, policy_of

SHIPPED = Path(__file__).parents[3] / "policies"
NAMES = ("consumer-credit", "key-account-credit", "sme-credit", "uci-card-credit")

FACTS = """
facts:
  n: {type: integer, min: 0, max: 5}
  m: {type: integer, min: 0, max: 4, optional: true}
  k: {type: decimal, min: 0, max: 3}
  b: {type: boolean}
"""
SAYS = re.compile(r"with \w+ (\S+) \w+ is (\S+), with (\S+) it is (\S+)")
POINTS = st.lists(st.sampled_from(["0", "10", "20"]), min_size=9, max_size=9)
BOUNDS = st.sampled_from(["10", "20", "30"])
RESULTS = st.lists(st.sampled_from(["0", "1", "2", "k", "5"]), min_size=5, max_size=5)
FORMULAS = st.sampled_from(
    [
        "level", "level + n", "level - n", "level * k", "max(level, n)", "min(level, 3 - n)", "-level * 2",
        "if b then level else n", "if n > 2 then level else k", "floor(level * k / 2, 0)", "level / (n + 1)",
        "if score >= 20 then level else 2 * level", "abs(level - 2)", "decimal(level * 0.3, 0) - 0.5 * score",
        "if knock then 0 else level", "2 - count(flags)", "if m = null then 0 else level", "level / n",
    ]
)  # fmt: skip
PROMISE = st.tuples(
    st.sampled_from(["more", "less"]), st.sampled_from(["n", "m", "k", "score"]),
    st.sampled_from(["raises", "lowers"]), st.sampled_from(["target", "score", "level"]),
)  # fmt: skip


def text_of(points: list[str], low: str, results: list[str], formula: str, promise: str) -> str:
    """A policy whose decisions hang together: a card, a list, a table, a formula."""
    p, r = points, results
    return f"""{FACTS}
decisions:
  score:
    scorecard:
      base: 0
      table: |
        | characteristic | bin        || points |
        | n              | < 2        || {p[0]} |
        | n              | [2..4)     || {p[1]} |
        | n              | >= 4       || {p[2]} |
        | m              | null       || {p[3]} |
        | m              | <= 1       || {p[4]} |
        | m              | > 1        || {p[5]} |
        | k              | < 1.5      || {p[6]} |
        | k              | >= 1.5     || {p[7]} |
  flags:
    hit: COLLECT
    table: |
      | n    | b    || out |
      | > 3  | -    || 1   |
      | -    | true || 2   |
  knock: count(flags) > 1
  level:
    hit: FIRST
    table: |
      | score    | count(flags) | b    || out |
      | > {low}  | 0            | -    || {r[0]} |
      | -        | 2            | -    || {r[1]} |
      | <= {low} | -            | true || {r[2]} |
      | > 10     | -            | -    || {r[3]} |
      | -        | -            | -    || {r[4]} |
  target: {formula}
outcome: {{target: target, score: score, level: level, knock: knock}}
promises: [{promise}]
"""


def result(compiled: CompiledPolicy, target: str, customer: dict[str, object]) -> Decimal | None:
    facts = {name: Fact(value=value, as_of=DAY) for name, value in customer.items() if value is not None}
    try:
        found = compiled.decide(facts, DAY).outcome.get(target)
    except CreditError:
        return None
    return found if isinstance(found, Decimal) else None


def violations(policy: CreditPolicy) -> Iterator[tuple[object, object]]:
    """Every pair of customers that breaks the promise, by trying all of them."""
    (promise,) = policy.promises
    changed = as_fact(policy, promise.subject)
    compiled = compile_policy(changed)
    values: dict[str, list[object]] = {
        "n": [0, 1, 2, 3, 4, 5], "m": [None, 0, 1, 2], "b": [True, False],
        "k": [Decimal(x) for x in ("0", "1", "1.5", "2", "3")],
    }  # fmt: skip
    if promise.subject == "score":
        values["score"] = [0, 5, 10, 11, 20, 25, 30, 40]
    subject = promise.subject
    for others in product(*(options for name, options in values.items() if name != subject)):
        customer = dict(zip((name for name in values if name != subject), others, strict=True))
        found = [
            (value, got)
            for value in values[subject]
            if value is not None
            and (got := result(compiled, promise.target, {**customer, subject: value})) is not None
        ]
        for place, (one, before) in enumerate(found):
            for other, after in found[place + 1 :]:
                rises, falls = after > before, after < before
                if promise.change == "less":
                    rises, falls = falls, rises
                if rises if promise.never == "raises" else falls:
                    yield one, other


@settings(deadline=None, max_examples=60)
@given(POINTS, BOUNDS, RESULTS, FORMULAS, PROMISE)
def test_what_is_proved_holds_for_everybody_and_what_is_broken_for_somebody_does_not(
    points: list[str], low: str, results: list[str], formula: str, promise: tuple[str, str, str, str]
) -> None:
    if promise[1] == promise[3]:
        return
    words = "{} {} never {} {}".format(*promise)
    loaded = load_credit({"policy.yaml": (HEAD + text_of(points, low, results, formula, words)).encode()})
    if loaded.policy is None:
        return
    problems = list(promise_problems(loaded.policy))
    codes = [problem.code for problem in problems]
    event(str(codes))
    if codes == ["promise-broken"]:
        found = SAYS.search(problems[0].message)
        assert found is not None
        one, before, other, after = map(Decimal, found.groups())
        assert (one < other) == (promise[0] == "more")
        assert before < after if promise[2] == "raises" else before > after
    if not codes or codes == ["promise-empty"]:
        assert next(violations(loaded.policy), None) is None


def test_the_formulas_of_the_sample_can_be_read() -> None:
    policy_of(text_of(["0"] * 9, "10", ["0", "1", "2", "k", "5"], "level", "more n never raises target"))


@pytest.mark.parametrize("name", NAMES)
def test_every_promise_of_the_shipped_policies_is_proved(name: str) -> None:
    texts = {"policy.yaml": (SHIPPED / name / "policy.yaml").read_bytes()}
    policy = load_credit(texts).policy
    assert policy is not None
    assert policy.promises
    for promise in policy.promises:
        assert verdict(as_fact(policy, promise.subject), promise).proved, promise.text
    assert not list(promise_problems(policy))


BREAKING = [
    ("[8..29]      || 25 ", "[8..29]      || 45 ", "max_dpd_12m"),
    ("-            || 1.00     | 30.00 ", "-            || 9.00     | 30.00 ", "max_dpd_12m"),
    ("max(terms.floor, min(", "overdue_now + max(terms.floor, min(", "overdue_now"),
]


@pytest.mark.parametrize(("old", "new", "broken"), BREAKING)
def test_one_wrong_cell_breaks_a_promise_and_the_customer_is_shown(old: str, new: str, broken: str) -> None:
    text = (SHIPPED / "consumer-credit" / "policy.yaml").read_text(encoding="utf-8")
    assert old in text
    policy = load_credit({"policy.yaml": text.replace(old, new).encode()}).policy
    assert policy is not None
    told = [problem for problem in promise_problems(policy) if problem.code == "promise-broken"]
    assert any(f"`more {broken} never" in problem.message for problem in told), told
    assert all("this customer breaks it" in problem.advice for problem in told)


def test_values_that_python_hashes_alike_are_told_apart() -> None:
    """The hashes of -1 and -2 are the same number: one must not stand for the other in a proof."""
    policy = policy_of(
        """
facts: {n: {type: integer, min: -5, max: 5}}
decisions:
  limit:
    hit: UNIQUE
    table: |
      | n     || limit |
      | <= -2 || 0     |
      | > -2  || 10    |
outcome: {limit: limit}
promises: [more n never raises limit]
"""
    )
    (promise,) = policy.promises
    assert not verdict(policy, promise).proved
