"""Texts that are legal and unkind: long chains, huge numbers, wide and long tables."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.credit import Decision, EvaluationFailed, compile_policy, decide, grids, load_credit
from engine.source import Problem, has_errors
from tests.engine.credit.samples import DAY, HEAD, given, policy_of


@pytest.mark.parametrize("backwards", [False, True])
def test_a_chain_of_decisions_may_be_long(backwards: bool) -> None:
    chain = ["  g0: a", *(f"  g{i}: g{i - 1} + a" for i in range(1, 1500))]
    lines = "\n".join(reversed(chain) if backwards else chain)
    policy = policy_of(f"facts: {{a: {{type: integer}}}}\ndecisions:\n{lines}\noutcome: {{x: g1499}}\n")
    assert decide(policy, given(a=1), DAY).outcome == {"x": 1500}
    assert compile_policy(policy).decide(given(a=1), DAY).outcome == {"x": 1500}


@pytest.mark.parametrize("amount", ["10 ** 1000", "10 ** 40", "a * 10 ** 40", "10 ** -100", "-(10 ** 34)"])
def test_an_amount_beyond_all_bounds_is_refused_at_its_place(amount: str) -> None:
    policy = policy_of(
        f"facts: {{a: {{type: integer}}}}\ndecisions: {{}}\noutcome: {{x: {{money: {amount}}}}}\n"
    )
    machines: list[Callable[..., Decision]] = [decide, compile_policy(policy).decide]
    for machine, first in zip(machines, ([policy], []), strict=True):
        with pytest.raises(EvaluationFailed, match="an amount has at most 34 digits") as failed:
            machine(*first, given(a=1), DAY)
        assert failed.value.span.line == 9


def test_an_amount_below_zero_is_refused_at_its_place() -> None:
    policy = policy_of("facts: {a: {type: integer}}\ndecisions: {}\noutcome: {x: {money: 5 - a}}\n")
    assert decide(policy, given(a=5), DAY).outcome["x"].value == 0
    machines: list[Callable[..., Decision]] = [decide, compile_policy(policy).decide]
    for machine, first in zip(machines, ([policy], []), strict=True):
        with pytest.raises(EvaluationFailed, match=r"the result is -1, below zero; write `max\(0, ...\)`"):
            machine(*first, given(a=6), DAY)


def test_a_power_that_overflows_is_refused_at_its_place() -> None:
    policy = policy_of("facts: {}\ndecisions: {b: 10 ** 10 ** 10 ** 10}\noutcome: {x: {money: b}}\n")
    with pytest.raises(EvaluationFailed):
        decide(policy, {}, DAY)


def table(rows: list[str], head: str = "| a | b || o |") -> str:
    lines = "\n".join(f"      {line}" for line in [head, *rows])
    facts = "facts: {a: {type: integer}, b: {type: integer}}\n"
    return f"{facts}decisions:\n  g:\n    table: |\n{lines}\noutcome: {{g: g}}\n"


def problems_of(text: str) -> list[Problem]:
    return list(load_credit({"policy.yaml": (HEAD + text).encode()}).problems)


def test_counting_overlaps_ends() -> None:
    rows = [f"| [{n}..{n + 9000}] | - || 1 |" for n in range(600)]
    told = [p.message for p in problems_of(table(rows)) if p.code == "rows-overlap"]
    assert len(told) == 6
    assert "table `g` has at least 995 more pairs of rows that overlap" in told


def test_a_table_that_is_too_fine_is_said_not_to_be_analysed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grids, "BITS", 1000)
    rows = [f"| {n} | - || 1 |" for n in range(100)]
    told = [p for p in problems_of(table(rows)) if p.code == "table-not-analysed"]
    assert [p.severity for p in told] == ["info"]
    assert "for overlaps, gaps and rows that nobody reaches" in told[0].message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (table([], "|" + " a |" * 3000 + "| o |"), "3,001 columns; at most 200"),
        (table(["| 1 | - || 1 |"] * 10_001), "10,001 rows; at most 10,000"),
    ],
)
def test_a_table_that_is_too_large_is_one_problem(text: str, says: str) -> None:
    (problem,) = problems_of(text)
    assert problem.code == "table-too-large"
    assert says in problem.message


@pytest.mark.parametrize(
    ("end", "code", "place"),
    [
        ("x: 1\nstatus: '\"maybe\"'", "value-never", (11, 10)),
        ('x: 1\nstatus: if a > 1 then "refered" else "decided"', "value-never", (11, 23)),
        ("x: 1\n  reasons: if a > 1 then [1] else reasons", "reason-not-code", (11, 27)),
        ('x: 1\n  reasons: if a > 1 then ["NOPE"] else reasons', "unknown-reason", (11, 27)),
        ('x: 1\n  reasons: concatenate(reasons, ["NOPE"])', "unknown-reason", (11, 34)),
        ("x: a + 1 / 0", "division-by-zero", (10, 10)),
        ("x: if a > 1 then a / 0.00 else 1", "division-by-zero", (10, 20)),
    ],
)
def test_what_can_never_work_is_an_error_before_there_is_a_customer(
    end: str, code: str, place: tuple[int, int]
) -> None:
    text = f"facts: {{a: {{type: integer}}}}\ndecisions: {{}}\noutcome:\n  {end}\n"
    (problem,) = (one for one in problems_of(text) if has_errors([one]))
    assert (problem.code, problem.span.line, problem.span.column) == (code, *place)


def test_statuses_and_reasons_that_are_written_right_pass() -> None:
    text = """
facts: {a: {type: integer}}
decisions: {}
outcome:
  x: a / 2
  reasons: if a > 1 then ["KNOWN"] else reasons
status: if a > 1 then "referred" else if a = 0 then "refused" else "decided"
reasons: {KNOWN: {en: known}}
"""
    assert problems_of(text) == []


@pytest.mark.parametrize(
    ("row", "says", "advice", "column"),
    [
        (
            "| ＞＝ 3 | - || 1 |",
            "`＞＝` is written in full-width characters",
            "write `>= 3`, in plain characters",
            9,
        ),
        (
            "| > 3 | （1..2） || 1 |",
            "`（` is written in full-width characters",
            "write `(1..2)`, in plain characters",
            15,
        ),
        ("| > 3 | > 4 ｜｜ 1 |", "`｜` is a full-width bar", "write `|`", 19),
    ],
)
def test_full_width_signs_are_named(row: str, says: str, advice: str, column: int) -> None:
    problem = problems_of(table([row]))[0]
    assert (problem.message, problem.advice, problem.span.column) == (says, advice, column)


def test_a_range_the_wrong_way_round_is_told_so() -> None:
    told = problems_of(table(["| [500..430) | - || 1 |", "| < 430 | - || 2 |"]))
    assert [p.advice for p in told if p.code == "cell-never-matches"] == [
        "the lower bound stands first: `[430..500)`"
    ]


def test_a_misspelt_section_is_the_only_mistake_that_is_told() -> None:
    text = "fact: {a: {type: integer}}\ndecisions: {b: a + 1, c: a + 2}\noutcome: {b: b}\n"
    assert [p.code for p in problems_of(text)] == ["unknown-key"]


def test_an_unknown_reason_is_marked_itself() -> None:
    text = """
facts: {a: {type: integer, when_missing: {default: 0, reason: NOPE}}}
decisions:
  s:
    scorecard:
      base: 0
      table: |
        | characteristic | bin  || points | reason |
        | a              | < 3  || 0      | NADA   |
        | a              | >= 3 || 5      | -      |
outcome: {s: s}
"""
    lines = (HEAD + text).splitlines()
    marked = {p.message: (p.span, p.code) for p in problems_of(text)}
    assert {code for _, code in marked.values()} == {"unknown-reason"}
    found = [lines[s.line - 1][s.column - 1 : s.column - 1 + s.length] for s, _ in marked.values()]
    assert found == ["NOPE", "NADA"]
