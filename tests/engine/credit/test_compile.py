"""The compiled policy equals the interpreter: random policies, random customers, errors included."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from benchmarks import by_hand, decision
from engine.credit import CreditError, CreditPolicy, Fact, compile_policy, decide, load_credit
from tests.engine.credit.samples import DAY, HEAD, policy_of
from tests.engine.credit.samples import given as given_facts

FACTS = """
facts:
  n: {type: integer, min: -3, max: 9, optional: true}
  m: {type: money, max_age: P3M, when_missing: {default: 3.50, reason: DEFAULTED}}
  r: {type: decimal, optional: true, verified: true, when_unverified: {refer, reason: UNSURE}}
  s: {type: string, one_of: [a, b, c]}
  t: {type: string, optional: true}
  b: {type: boolean}
  d: {type: date, optional: true}
"""
CELLS = {
    "n": [
        "-",
        "< 2",
        ">= 2",
        "[1..4)",
        "(3..6]",
        "0, 5",
        "null",
        "not(null)",
        "not(2)",
        "not(>= 3)",
        "4",
        "<= 0",
        "r",
        "< r",
    ],
    "m": [
        "-",
        "< 2.50",
        ">= 2.50",
        "[0..1]",
        "(1..5]",
        "2.5",
        "not(< 1)",
        "0",
        "> n * 1",
        "abs(?) > 3",
        "[n * 1..5]",
    ],
    "r": ["-", "null", "< 0.5", ">= 0.5", "not([0.1..0.9])", "0.25"],
    "s": ["-", '"a"', '"a","b"', 'not("c")', "t", "not(t)"],
    "t": ["-", '"x"', "null", 'not("x")', "s", 'starts with(?, "x")'],
    "b": ["-", "true", "false", "not(true)"],
    "d": [
        "-",
        '< date("2025-06-01")',
        '< @"2026-01-01"',
        '>= @"2026-01-01"',
        "null",
        '[@"2025-01-01"..@"2026-06-30"]',
    ],
    "n + 1": ["-", "> 2", "<= 2"],
    "count(first)": ["-", "0", "> 0", "> 1"],
    "score": ["-", "< 12", ">= 12", "[5..20]"],
    "m / n": ["-", "> 1", "<= 1"],
}
HITS = [
    "UNIQUE",
    "FIRST",
    "ANY",
    "RULE ORDER",
    "COLLECT",
    "COLLECT SUM",
    "COLLECT MIN",
    "COLLECT MAX",
    "COLLECT COUNT",
]
NUMBERS = ["1", "2.50", "0", "-3", "m", "n * 2", "m / 3", "if b then 1 else m", "null"]
SUMS = ["COLLECT SUM", "COLLECT MIN", "COLLECT MAX"]
TOLD = ["if count(reasons) > 2 then sublist(reasons, 1, 2) else reasons", "if b then [] else reasons"]
REASONS = ["ONE", "TWO", "THREE", ""]
FORMULAS = [
    "n * 1 + m", "m * 1.05", "if n = null then 0 else n", "max(0, m - 2)", "floor(m * 3, -1)", "m / n",
    'if b and s = "a" then m else 0', "count(first)", "score * 2", "terms.x + terms.y",
    "min([m, score * 1, 7])",
    "sum(for i in 1..3 return i * m)", "r", 'if n > 3 or r < 0.5 then "yes" else "no"', "terms",
    "n between 1 and 3", 'if t = null then "none" else upper case(t)', "first[1]", "d",
]  # fmt: skip


PARTITIONS = {
    "n": [["null", "< 2", ">= 2"], ["null", "0", "not(null, 0)"], ["< 3", ">= 3", "null"], ["-"]],
    "m": [["< 2.50", ">= 2.50"], ["<= 0", "(0..3.5)", "[3.5..5]", "> 5"], ["not(< 1)", "< 1"], ["-"]],
    "s": [['"a"', '"b","c"'], ['"a"', 'not("a")'], ["-"]],
    "t": [["null", '"x"', 'not("x", null)'], ["-"]],
    "b": [["true", "false"], ["-"]],
    "count(first)": [["0", "> 0"], ["-"]],
    "score": [["< 12", "[12..20)", ">= 20"], ["-"]],
}
RISKY = ["m / n", "n + 1"]


@st.composite
def tables(draw: st.DrawFn, columns: list[str], hit: str, outputs: list[str]) -> list[str]:
    """Return the lines of a table: disjoint rows under UNIQUE, random cells under the others."""
    known = [column for column in columns if hit != "UNIQUE" or column in PARTITIONS]
    headings = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True))
    if hit == "UNIQUE" and draw(st.integers(0, 9)) < 8:
        rows = list(product(*(draw(st.sampled_from(PARTITIONS[heading])) for heading in headings)))
        if draw(st.integers(0, 9)) == 0:
            rows.pop()
    else:
        size = draw(st.integers(1, 5))
        rows = [tuple(draw(st.sampled_from(CELLS[heading])) for heading in headings) for _ in range(size)]
    if hit == "FIRST" and draw(st.integers(0, 9)) < 8:
        rows.append(("-",) * len(headings))
    lines = [f"    hit: {hit}", "    table: |", f"      | {' | '.join(headings)} || {' | '.join(outputs)} |"]
    for cells in rows:
        values = [draw(st.sampled_from(REASONS if o == "reason" else NUMBERS)) for o in outputs]
        lines.append(f"      | {' | '.join(cells)} || {' | '.join(values)} |")
    if hit not in ("RULE ORDER", "COLLECT") and draw(st.integers(0, 9)) < 7:
        values = [draw(st.sampled_from(REASONS[:3] if o == "reason" else NUMBERS)) for o in outputs]
        inner = ", ".join(f'{name}: "{value}"' for name, value in zip(outputs, values, strict=True))
        lines.append(f"    otherwise: {{{inner}}}" if len(outputs) > 1 else f'    otherwise: "{values[0]}"')
    return lines


@st.composite
def policies(draw: st.DrawFn) -> str:
    """Return the text of a random policy, most of which can be loaded and mostly give an answer."""
    plain = ["n", "m", "r", "s", "t", "b", "d", *draw(st.sampled_from([[], [], RISKY]))]
    lines = ["  first:", *draw(tables(plain, draw(st.sampled_from(["RULE ORDER", "COLLECT"])), ["reason"]))]
    base = draw(st.sampled_from(["0", "10", "2.5"]))
    lines += ["  score:", "    scorecard:", f"      base: {base}", "      table: |"]
    lines += ["        | characteristic | bin || points | reason |"]
    for name in draw(
        st.lists(st.sampled_from(["n", "m", "s", "b", "t"]), min_size=1, max_size=3, unique=True)
    ):
        for cell in draw(st.sampled_from(PARTITIONS[name])):
            points, reason = draw(st.sampled_from(["0", "5", "2.5", "-4"])), draw(st.sampled_from(REASONS))
            lines.append(f"        | {name} | {cell} || {points} | {reason} |")
    later = [*plain, "count(first)", "score"]
    hit = draw(st.sampled_from(["UNIQUE", "FIRST", "FIRST", "ANY"]))
    lines += ["  terms:", *draw(tables(later, hit, ["x", "y", "reason"]))]
    hit = draw(st.sampled_from(HITS))
    outputs = [["x"], ["reason"]] if hit == "COLLECT COUNT" else [["x"], ["x", "reason"], ["reason"]]
    chosen = ["x"] if hit in SUMS else draw(st.sampled_from(outputs))
    lines += ["  last:", *draw(tables(later, hit, chosen))]
    formulas = draw(st.lists(st.sampled_from(FORMULAS), min_size=1, max_size=2, unique=True))
    lines += [f"  f{number}: {formula}" for number, formula in enumerate(formulas)]
    outcome = ", ".join(
        ["last: last", "score: {money: score}", *(f"f{i}: f{i}" for i in range(len(formulas)))]
    )
    ends = ["when_no_row: {refer, reason: ONE}", "when_failed: {refuse, reason: TWO}"]
    ends += ['status: \'if score > 10 then "decided" else "referred"\'']
    some = draw(st.lists(st.sampled_from(ends), unique=True, max_size=1))
    told = draw(st.sampled_from(["", ", reasons: reasons", *(f", reasons: '{text}'" for text in TOLD)]))
    texts = ", ".join(f"{code}: {{en: {code}}}" for code in ("ONE", "TWO", "THREE", "DEFAULTED", "UNSURE"))
    body = "\n".join([*lines, f"outcome: {{{outcome}{told}}}", *some, f"reasons: {{{texts}}}"])
    return f"{FACTS}decisions:\n{body}\n"


DECIMALS = st.sampled_from(
    [Decimal(x) for x in ("-3", "-0.01", "0", "0.25", "0.5", "1", "2.49", "2.5", "3.5", "5", "12.34")]
)
CUSTOMERS = st.fixed_dictionaries(
    {
        "n": st.none() | st.integers(-3, 9), "m": st.none() | DECIMALS, "s": st.sampled_from("abc"),
        "t": st.none() | st.sampled_from(["x", "a", "xyz", ""]), "b": st.booleans(),
        "r": st.none() | DECIMALS, "d": st.none() | st.dates(max_value=DAY),
        "old": st.booleans(), "sure": st.sampled_from([True, True, True, False]),
    }
)  # fmt: skip


def as_facts(customer: dict[str, Any]) -> dict[str, Fact]:
    facts = given_facts(**{name: customer[name] for name in "nmstbrd" if customer[name] is not None})
    if "m" in facts and customer["old"]:
        facts["m"] = Fact(value=customer["m"])
    if "r" in facts:
        facts["r"] = Fact(value=customer["r"], as_of=DAY, verified_by="desk" if customer["sure"] else "")
    return facts


def outcome_of(machine: Any, facts: dict[str, Fact]) -> str:
    """Return the whole decision as text, or the whole error."""
    try:
        return str(machine(facts).model_dump_json())
    except CreditError as error:
        return f"{type(error).__name__}: {error}"


@settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(policies(), st.lists(CUSTOMERS, min_size=6, max_size=6))
def test_the_compiled_policy_gives_what_the_interpreter_gives(
    text: str, customers: list[dict[str, Any]]
) -> None:
    policy = load_credit({"policy.yaml": (HEAD + text).encode()}).policy
    assume(policy is not None)
    assert policy is not None
    compiled = compile_policy(policy)
    for customer in customers:
        facts = as_facts(customer)
        by_hand = outcome_of(lambda f: decide(policy, f, DAY, trace=False), facts)
        assert outcome_of(lambda f: compiled.decide(f, DAY), facts) == by_hand
        traced = outcome_of(lambda f: decide(policy, f, DAY), facts)
        assert outcome_of(lambda f: compiled.decide(f, DAY, trace=True), facts) == traced
        without = outcome_of(lambda f: decide(policy, f, DAY).model_copy(update={"trace": ()}), facts)
        assert without == by_hand


def _one_table(hit: str, rows: str) -> CreditPolicy:
    return policy_of(
        "facts: {n: {type: integer, optional: true, min: 0}}\n"
        f"decisions:\n  it:\n    hit: {hit}\n    table: |\n      | n || out |\n{rows}\noutcome: {{it: it}}\n"
    )


def test_texts_of_a_policy_become_constants_and_never_code() -> None:
    nasty = "__import__('os').system('x')"
    policy = policy_of(
        f'facts: {{s: {{type: string, one_of: ["{nasty}", b]}}}}\n'
        "decisions:\n  it:\n    table: |\n      | s || out |\n"
        f'      | "{nasty}" || "{nasty}" |\n      | "b" || b |\n'
        "outcome: {it: it}\n"
    )
    compiled = compile_policy(policy)
    assert compiled.decide(given_facts(s=nasty), DAY).outcome == {"it": nasty}
    code = compiled.run.__code__
    assert set(code.co_names) <= {name for name in code.co_names if name.startswith("k")}
    assert compiled.run.__globals__["__builtins__"] == {}


def test_a_table_of_many_rows_is_not_too_deep_to_compile() -> None:
    rows = "\n".join(f"      | [{n}..{n + 1}) || {n} |" for n in range(1200))
    compiled = compile_policy(_one_table("UNIQUE", rows))
    assert compiled.decide(given_facts(n=1199), DAY).outcome == {"it": Decimal(1199)}


@pytest.mark.parametrize("base", ["0", "0.005", "123456789012345678901234567890.25"])
def test_points_are_added_exactly(base: str) -> None:
    text = f"""
facts: {{b: {{type: boolean}}}}
decisions:
  score:
    scorecard:
      base: {base}
      table: |
        | characteristic | bin   || points |
        | b              | true  || 0.1    |
        | b              | false || 0.02   |
outcome: {{score: score}}
"""
    policy = policy_of(text)
    for value, points in ((True, "0.1"), (False, "0.02")):
        expected = Decimal(base) + Decimal(points) if len(base) < 20 else None
        by_hand = decide(policy, given_facts(b=value), DAY).outcome["score"]
        assert compile_policy(policy).decide(given_facts(b=value), DAY).outcome["score"] == by_hand
        assert expected is None or by_hand == expected


def test_the_policy_of_the_benchmark_is_the_one_written_by_hand() -> None:
    compiled = compile_policy(decision.load())
    for customer in decision.customers(400):
        grade, limit, deposit, reasons = by_hand.decide(*customer.values())
        facts = given_facts(**{name: value for name, value in customer.items() if value is not None})
        taken = compiled.decide(facts, DAY)
        assert (taken.outcome["grade"], taken.outcome["credit_limit"].value) == (grade, limit)
        assert taken.outcome["deposit"].value == deposit
        assert [reason.code for reason in taken.reasons] == reasons


@pytest.mark.parametrize("cell", ["abs(?) >= {n}", "[m + {n}..m + {n} + 1)"])
def test_a_long_table_that_has_to_be_searched_is_not_too_deep_either(cell: str) -> None:
    rows = "\n".join(f"      | {cell.format(n=n)} || {n} |" for n in reversed(range(600)))
    policy = policy_of(
        "facts: {n: {type: integer, min: 0}, m: {type: integer, min: 0}}\n"
        f"decisions:\n  it:\n    hit: FIRST\n    table: |\n      | n || out |\n{rows}\n"
        "outcome: {it: it, m: m}\n"
    )
    facts = given_facts(n=599, m=0)
    assert compile_policy(policy).decide(facts, DAY) == decide(policy, facts, DAY, trace=False)
