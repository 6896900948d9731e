"""What the check knows of a table, held against brute force."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.credit import load_credit
from engine.source import Severity, render_problem
from tests.engine.credit.samples import HEAD, codes_of

FACTS = """
facts:
  n: {type: integer, min: 0, max: 6, optional: true}
  m: {type: money, min: 0, max: 5}
  s: {type: string, one_of: [a, b, c]}
  b: {type: boolean}
"""


def table_text(hit: str, rows: list[tuple[str, ...]]) -> str:
    lines = "\n".join(f"      | {' | '.join(row)} || {number} |" for number, row in enumerate(rows, 1))
    head = "      | n | m | s | b || out |"
    return f"{FACTS}decisions:\n  it:\n    hit: {hit}\n    table: |\n{head}\n{lines}\noutcome: {{it: it}}\n"


NUMBERS = st.sampled_from(
    ["-", "< 2", ">= 2", "[1..4)", "(3..6]", "0, 5", "null", "not(null)", "not(2)", "not(>= 3)", "4"]
)
AMOUNTS = st.sampled_from(["-", "< 2.50", ">= 2.50", "[0..1]", "(1..5]", "2.5", "not(< 1)", "0", "1, > 4"])
WORDS = st.sampled_from(["-", '"a"', '"a","b"', 'not("c")', 'not("a","b")', '"c"'])
TRUTHS = st.sampled_from(["-", "true", "false", "not(true)"])
ROWS = st.lists(st.tuples(NUMBERS, AMOUNTS, WORDS, TRUTHS), min_size=1, max_size=5)

CUSTOMERS = list(
    product(
        [None, *range(7)],
        [Decimal(x) for x in ("0", "0.5", "1", "1.01", "2", "2.5", "2.51", "4", "4.2", "5")],
        "abc",
        [True, False],
    )
)


def matching(cells: tuple[str, ...], customer: tuple[object, ...]) -> bool:
    """Tell whether a customer passes the cells of a row, without the engine."""
    return all(_passes(cell, value) for cell, value in zip(cells, customer, strict=True))


def _passes(cell: str, value: object) -> bool:
    found = _truth(cell[4:-1] if cell.startswith("not(") else cell, value)
    if cell.startswith("not("):
        return found is False
    return found is True


def _truth(cell: str, value: object) -> bool | None:
    if cell == "-":
        return True
    parts = [_part(part.strip(), value) for part in ([cell] if cell[0] in "[(" else cell.split(","))]
    return True if True in parts else None if None in parts else False


def _part(part: str, value: object) -> bool | None:
    if part == "null":
        return value is None
    if part in ("true", "false"):
        return value is (part == "true")
    if part.startswith('"'):
        return value == part.strip('"')
    if part[0] not in "<>[(":
        return value == Decimal(part)
    if value is None:
        return None
    number = Decimal(str(value))
    if part[0] in "[(":
        low, high = part[1:-1].split("..")
        above = number >= Decimal(low) if part[0] == "[" else number > Decimal(low)
        return above and (number <= Decimal(high) if part[-1] == "]" else number < Decimal(high))
    bound = Decimal(part.lstrip("<>= "))
    return {"<": number < bound, "<=": number <= bound, ">": number > bound, ">=": number >= bound}[
        part.split()[0]
    ]


@settings(deadline=None, max_examples=150)
@given(ROWS)
def test_overlaps_and_gaps_agree_with_brute_force(rows: list[tuple[str, ...]]) -> None:
    codes = codes_of(table_text("UNIQUE", rows))
    counts = [sum(matching(row, customer) for row in rows) for customer in CUSTOMERS]
    assert ("rows-overlap" in codes) == any(count > 1 for count in counts)
    assert ("row-missing" in codes) == any(count == 0 for count in counts)


@settings(deadline=None, max_examples=80)
@given(ROWS)
def test_a_row_is_told_as_hidden_just_when_nobody_reaches_it(rows: list[tuple[str, ...]]) -> None:
    data = (HEAD + table_text("FIRST", rows)).encode()
    problems = load_credit({"policy.yaml": data}).problems
    told = {int(p.span.cell.removeprefix("row ")) for p in problems if p.code == "row-hidden"}
    first = {next((n for n, row in enumerate(rows, 1) if matching(row, one)), 0) for one in CUSTOMERS}
    possible = {n for n, row in enumerate(rows, 1) if any(matching(row, one) for one in CUSTOMERS)}
    assert told == possible - first
    for problem in problems:
        if problem.code == "row-hidden":  # the rows that are named are enough
            number = int(problem.span.cell.removeprefix("row "))
            before = [rows[int(span.cell.removeprefix("row ")) - 1] for _, span in problem.related]
            mine = [one for one in CUSTOMERS if matching(rows[number - 1], one)]
            assert all(any(matching(row, one) for row in before) for one in mine)


@settings(deadline=None, max_examples=80)
@given(ROWS)
def test_the_rows_that_are_proposed_for_a_gap_match_nobody_else_and_close_it(
    rows: list[tuple[str, ...]],
) -> None:
    whole = list(rows)
    for _ in range(30):
        loaded = load_credit({"policy.yaml": (HEAD + table_text("FIRST", whole)).encode()})
        found = [p for p in loaded.problems if p.code == "row-missing" and " matches " in p.message]
        if not found:
            break
        for problem in found:
            cells = problem.advice.split("`| ")[1].split(" || ")[0].split(" | ")
            whole.append((cells[0], cells[1], cells[2], cells[3]))
    data = (HEAD + table_text("FIRST", whole)).encode()
    problems = load_credit({"policy.yaml": data}).problems
    assert not [p for p in problems if p.code == "row-missing"]
    assert not [p for p in problems if p.severity is Severity.ERROR]
    old = {int(p.span.cell.removeprefix("row ")) for p in problems if p.code == "row-hidden"}
    assert not [n for n in old if n > len(rows)]
    unique = load_credit({"policy.yaml": (HEAD + table_text("UNIQUE", whole)).encode()}).problems
    for problem in unique:  # neither among themselves nor with the author's does a proposed row overlap
        if problem.code == "rows-overlap" and "more pairs" not in problem.message:
            places = [span.cell for span in (problem.span, *(span for _, span in problem.related))]
            assert max(int(place.removeprefix("row ")) for place in places) <= len(rows)


def test_a_row_that_is_too_hard_to_decide_is_named_and_the_others_are_told() -> None:
    chance = Random(3)  # a hard table, the same each time
    names = [f"f{number}" for number in range(60)]
    rows = []
    for _ in range(258):
        picked = chance.sample(names, 3)
        rows.append([chance.choice(["true", "false"]) if name in picked else "-" for name in names])
    rows += [rows[0], ["-"] * len(names)]
    facts = "".join(f"  {name}: {{type: boolean}}\n" for name in names)
    lines = "".join(f"      | {' | '.join(row)} || {number} |\n" for number, row in enumerate(rows, 1))
    table = f"decisions:\n  it:\n    hit: FIRST\n    table: |\n      | {' | '.join(names)} || out |\n{lines}"
    text = f"{HEAD}facts:\n{facts}{table}    otherwise: {{out: 0}}\noutcome: {{it: it}}\n"
    problems = load_credit({"policy.yaml": text.encode()}).problems
    told = {(p.code, p.span.cell) for p in problems}
    assert ("row-hidden", "row 259") in told
    assert ("row-undecided", "row 260") in told
    assert {code for code, _ in told} == {"row-hidden", "row-undecided"}


@settings(deadline=None, max_examples=80)
@given(ROWS)
def test_the_example_of_a_gap_is_a_customer_without_a_row(rows: list[tuple[str, ...]]) -> None:
    data = (HEAD + table_text("UNIQUE", rows)).encode()
    for problem in load_credit({"policy.yaml": data}).problems:
        if problem.code == "row-missing" and " matches " in problem.message:
            parts = dict(part.split(" ", 1) for part in problem.message.split(" matches ")[1].split(", "))
            number = None if parts["n"] == "null" else int(parts["n"])
            customer = (number, Decimal(parts["m"]), parts["s"].strip('"'), parts["b"] == "true")
            assert not any(matching(row, customer) for row in rows), problem.message


@pytest.mark.parametrize(
    ("heading", "cells", "codes"),
    [
        ("n", ["< 3", ">= 3", "null"], []),
        ("n", ["< 3", ">= 3"], ["row-missing"]),
        ("n", ["<= 2", ">= 3", "null"], []),  # whole numbers leave nothing between 2 and 3
        ("m", ["<= 2", ">= 3"], ["row-missing"]),
        ("m", ["<= 2", "(2..5]"], []),  # the fact ends at 5
        ("m", ["<= 2", "(2..5]", "> 5"], ["cell-never-matches"]),
        ("s", ['"a"', '"b","c"'], []),
        ("s", ['"a"', '"b"'], ["row-missing"]),
        ("s", ['"a"', 'not("a")'], []),
        ("b", ["true", "false"], []),
        ("b", ["true"], ["row-missing"]),
        ("count(list_of)", ["0", "> 0"], []),
        ("count(list_of)", ["0", "1"], ["row-missing"]),
        ("card", ["< 15", ">= 15"], []),
        ("card", ["< 10", ">= 10"], ["cell-never-matches"]),  # the card gives 10 to 20
        ("level", ['"high"', '"low"'], []),
        ("m * 2", ["< 3", ">= 3"], []),
        ("m * 2", ["< 3", "> 3"], ["row-missing"]),
        ("abs(m)", ["< 3", ">= 3"], ["table-not-analysed"]),
    ],
)
def test_what_a_heading_can_be_is_known(heading: str, cells: list[str], codes: list[str]) -> None:
    rows = "\n".join(f"      | {cell} || {number} |" for number, cell in enumerate(cells))
    text = f"""{FACTS}
decisions:
  list_of:
    hit: COLLECT
    table: |
      | n   || out |
      | > 1 || 1   |
      | > 2 || 2   |
  card:
    scorecard:
      base: 10
      table: |
        | characteristic | bin   || points |
        | b              | true  || 10     |
        | b              | false || 0      |
  level:
    table: |
      | s        || level |
      | "a"      || high  |
      | not("a") || low   |
  it:
    table: |
      | {heading} || out |
{rows}
outcome: {{it: it, a: list_of, b: card, c: level, m: {{money: m}}}}
"""
    assert codes_of(text) == codes


@pytest.mark.parametrize(
    ("kind", "cells", "warned"),
    [
        ("money, min: 0", ["0", "(0..100]", "> 100"], False),
        ("money, min: 0", ["< 30", "30", "> 30"], True),
        ("integer, min: 0", ["0", "1", "2", ">= 3"], False),
        ("integer, min: 0", ["0", "30", ">= 60", "[1..29]", "[31..59]"], False),
        ("integer, min: 0", ["0", "30", ">= 60"], True),
        ("integer", ["1", "2", "3"], False),
        ("decimal", ["< 0.5", "0.5", "> 0.5"], True),
    ],
)
def test_a_bare_number_is_doubted_where_an_order_was_meant(kind: str, cells: list[str], warned: bool) -> None:
    rows = "\n".join(f"      | {cell} || {number} |" for number, cell in enumerate(cells))
    text = f"""
facts: {{x: {{type: {kind}}}}}
decisions:
  it:
    hit: FIRST
    table: |
      | x || out |
{rows}
      | - || 99 |
outcome: {{it: it}}
"""
    assert ("bare-threshold" in codes_of(text)) is warned


@pytest.mark.parametrize(
    ("decisions", "code"),
    [
        ("  x: y\n  y: x\n", "decision-cycle"),
        ("  a: a + 1\n", "decision-cycle"),
        ("  a: n + m\n  if: 1\n", "reserved-name"),
        ("  a-b: n\n", "not-a-name"),
        ("  reasons: n\n", "reserved-name"),
        ("  a:\n", "empty"),
        ("  a: {}\n", "table-where"),
        ("  a: {table: x, file: y}\n", "table-where"),
        ("  a: {scorecard: {base: 1}, hit: FIRST}\n", "scorecard-mixed"),
        ('  a: s = "d"\n', "value-never"),
        ("  a: s + 1\n", "wrong-types"),
        ("  a: n.x\n", "no-such-entry"),
        ("  a: if n then 1 else 2\n", "wrong-types"),
    ],
)
def test_a_decision_that_cannot_work_is_named(decisions: str, code: str) -> None:
    assert code in codes_of(f"{FACTS}decisions:\n{decisions}outcome: {{n: n}}\n")


def test_a_thousand_rows_are_read_checked_and_disjoint() -> None:
    rows = "\n".join(
        f'      | [{step}..{step + 1}) | "{s}" || {step} |' for step in range(334) for s in "abc"
    )
    text = f"""{HEAD}
facts:
  x: {{type: money, min: 0}}
  s: {{type: string, one_of: [a, b, c]}}
decisions:
  it:
    table: |
      | x | s || out |
{rows}
      | >= 334 | - || 0 |
outcome: {{it: it}}
"""
    loaded = load_credit({"policy.yaml": text.encode()})
    assert loaded.problems == ()


@pytest.mark.parametrize(
    ("outcome", "warned"),
    [
        ("m", True), ("-m", True), ("m * 2", True), ("m / 2", True), ("m / m", False), ("m * m", False),
        ("n", False),
        ("max(0, m - 1)", True), ("if b then m else 0", True), ("half", True), ("picked", True),
        ("n * 2", False),
    ],
)  # fmt: skip
def test_an_amount_that_is_told_without_a_currency_is_doubted(outcome: str, warned: bool) -> None:
    text = f"""{FACTS}
decisions:
  half: m / 2
  picked:
    hit: FIRST
    table: |
      | b    || out |
      | true || m   |
      | -    || 0   |
outcome: {{it: '{outcome}', s: s, a: {{money: half}}, c: {{money: picked}}}}
"""
    assert ("amount-without-currency" in codes_of(text)) is warned


def test_status_is_no_result_of_its_own() -> None:
    assert "reserved-name" in codes_of(f"{FACTS}decisions:\n  x: n\noutcome: {{status: s}}\n")


SMALL = Path(__file__).parents[3] / "fixtures/policies_good/credit-small/policy.yaml"
GOOD = SMALL.read_text(encoding="utf-8")
SCRAPS = [
    "||",
    "|",
    '"',
    "'",
    "{",
    "[",
    ": ",
    "- ",
    "null",
    ">= ",
    "..",
    "not(",
    "#",
    "&a",
    "!!x",
    "\t",
    "0",
    "?",
    "\n",
]


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, len(GOOD)), st.integers(0, 12), st.sampled_from(SCRAPS)), max_size=3)
)
def test_a_damaged_policy_gets_a_problem_with_a_place_or_loads(damage: list[tuple[int, int, str]]) -> None:
    text = GOOD
    for place, length, scrap in damage:
        text = text[:place] + scrap + text[place + length :]
    loaded = load_credit({"policy.yaml": text.encode()})
    assert (loaded.policy is None) == any(p.severity is Severity.ERROR for p in loaded.problems)
    lines = text.splitlines() or [""]
    for problem in loaded.problems:
        assert 1 <= problem.span.line <= len(lines) + 1
        assert render_problem(problem, {"policy.yaml": text})


@given(st.binary(max_size=300))
def test_any_bytes_get_a_problem(data: bytes) -> None:
    assert load_credit({"policy.yaml": data}).problems


def test_a_policy_without_its_main_text_is_a_problem() -> None:
    assert [problem.code for problem in load_credit({"other.yaml": b""}).problems] == ["unknown-file"]


@pytest.mark.parametrize("day", ['@"2020-01-01"', 'date("2020-01-01")'])
def test_days_are_analysed_as_dates_are_written(day: str) -> None:
    text = f"""{HEAD}
facts: {{since: {{type: date}}}}
decisions:
  t:
    table: |
      | since    || out |
      | < {day}  || 1   |
      | > {day}  || 2   |
outcome: {{t: t}}
"""
    (problem,) = load_credit({"policy.yaml": text.encode()}).problems
    assert problem.code == "row-missing"
    assert problem.message.endswith('matches since @"2020-01-01"')
    assert '`| @"2020-01-01" || ... |`' in problem.advice
