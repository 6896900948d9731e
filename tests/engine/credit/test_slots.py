"""One look at a variable for many columns: every way to find a slot gives what the interpreter gives."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.credit import CreditPolicy, compile_policy, decide
from engine.credit.slots import BRANCHES, DIRECT, Cuts, Names, first_from
from tests.engine.credit.samples import DAY, policy_of
from tests.engine.credit.samples import given as facts_of

KINDS = {
    "integer": "{type: integer, optional: true}",
    "integer from -5": "{type: integer, min: -5, optional: true}",
    "integer from 0": "{type: integer, min: 0, optional: true}",
    "decimal": "{type: decimal, optional: true}",
    "money from 0": "{type: money, min: 0, optional: true}",
}
TINY = Decimal("1e-20")


def partition(bounds: list[Decimal], closed: list[bool]) -> list[str]:
    """Return cells that cover the line: `< 1`, `[1..2)`, ..., and null; a bound belongs up or down."""
    if not bounds:
        return ["not(null)", "null"]
    cells = [f"{'<' if closed[0] else '<='} {bounds[0]}"]
    for place in range(len(bounds) - 1):
        low, high = "[" if closed[place] else "(", ")" if closed[place + 1] else "]"
        cells.append(f"{low}{bounds[place]}..{bounds[place + 1]}{high}")
    return [*cells, f"{'>=' if closed[-1] else '>'} {bounds[-1]}", "null"]


def policy(kind: str, columns: list[list[str]]) -> CreditPolicy:
    """Return a policy with a table for each column, so that all of them look at one fact."""
    tables = "".join(
        f"  t{number}:\n    hit: FIRST\n    table: |\n      | n || x{number} |\n"
        + "".join(f"      | {cell} || {row} |\n" for row, cell in enumerate(cells))
        + '    otherwise: "-1"\n'
        for number, cells in enumerate(columns)
    )
    told = ", ".join(f"t{number}: t{number}" for number in range(len(columns)))
    return policy_of(f"facts: {{n: {KINDS[kind]}}}\ndecisions:\n{tables}outcome: {{{told}}}\n")


def around(bounds: list[Decimal], kind: str) -> list[Decimal | None]:
    """Return null, the bounds, and the numbers next to them that the fact can be."""
    step = {"integer": Decimal(1), "money": Decimal("0.01")}.get(kind.split()[0], TINY)
    near = {bound + step * way for bound in bounds for way in (-1, 0, 1)} | {Decimal(0), Decimal(10**6)}
    low = Decimal(kind.rpartition(" ")[2]) if "from" in kind else None
    return [None, *sorted(n for n in near if low is None or n >= low)]


SIZES = st.sampled_from([1, 2, 3, BRANCHES, BRANCHES + 1, 30])


@st.composite
def cut_columns(draw: st.DrawFn) -> tuple[str, list[list[str]], list[Decimal]]:
    """Return a kind of fact, cells of some columns, and all their bounds."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    whole = kind.startswith("integer")
    most = draw(st.sampled_from([60, DIRECT, 5_000]))
    numbers = st.integers(1, most).map(Decimal)
    if not whole:
        numbers = st.integers(1, most * 100).map(lambda n: Decimal(n).scaleb(-2))
    columns, everything = [], set()
    for _ in range(draw(st.integers(1, 3))):
        size = draw(SIZES)
        bounds = sorted(draw(st.lists(numbers, min_size=size, max_size=size, unique=True)))
        closed = draw(st.lists(st.booleans(), min_size=size, max_size=size))
        columns.append(partition(bounds, closed))
        everything |= set(bounds)
    return kind, columns, sorted(everything)


@settings(deadline=None, max_examples=60)
@given(cut_columns())
def test_all_columns_of_a_fact_are_cut_as_the_interpreter_cuts_them(
    case: tuple[str, list[list[str]], list[Decimal]],
) -> None:
    kind, columns, bounds = case
    made = policy(kind, columns)
    compiled = compile_policy(made)
    numbers = around(bounds, kind)
    for number in numbers if len(numbers) < 60 else [*numbers[:30], *numbers[-30:]]:
        facts = facts_of(**({} if number is None else {"n": number}))
        assert compiled.decide(facts, DAY, trace=True) == decide(made, facts, DAY)


@pytest.mark.parametrize(
    ("point", "above", "first"),
    [
        ("2", False, 2),
        ("2", True, 3),
        ("1.5", False, 2),
        ("1.5", True, 2),
        ("-1.5", False, -1),
        ("-2", True, -1),
    ],
)
def test_the_first_whole_number_beyond_a_cut(point: str, above: bool, first: int) -> None:
    assert first_from(Decimal(point), above=above) == first


def test_the_slot_of_a_value() -> None:
    cuts = Cuts((Decimal(1), Decimal(1), Decimal(5)), (False, True, False))
    assert [cuts.slot_of(Decimal(x)) for x in ("0.9", "1", "1.1", "5", "9")] == [0, 1, 2, 3, 3]
    assert cuts.slot_of("1") is None
    names = Names({"a": 0, "b": 1}, 2)
    assert [names.slot_of(x) for x in ("a", "b", "c")] == [0, 1, 2]
    assert Names({"a": 0}, None).slot_of("b") is None
