"""What is wrong with cells on facts of the customer: names and values that no fact can have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from engine.credit.model import FactDefinition
from engine.feel import syntax as s
from engine.ladder.model import CollectionsPolicy, FactTest
from engine.text import Reader, did_you_mean
from engine.text.meant import advice_on

_LITERALS: dict[str, type[s.Node]] = {"boolean": s.Boolean, "string": s.String, "number": s.Number}
_SHOWN = {s.Boolean: "a truth value", s.String: "a text", s.Number: "a number"}
_EXAMPLES = {
    "boolean": "write `true`, `false` or `-`",
    "string": 'texts stand in double quotes: `"key"`',
    "number": "write a number or a comparison: `>= 3`",
}


def check_fact_cells(reader: Reader, policy: CollectionsPolicy) -> None:
    """Note cells of the treatment and of the ladders that can never be meant."""
    for row in policy.treatment:
        for cell in row.cells:
            _check_cell(reader, policy, cell)
    for ladder_row in policy.rows():
        for cell in ladder_row.facts:
            _check_cell(reader, policy, cell)


def _check_cell(reader: Reader, policy: CollectionsPolicy, cell: FactTest) -> None:
    fact = policy.facts.get(cell.name)
    if fact is None:
        return  # an unknown column is said where the table is read
    for name in (found for test in cell.tests.tests for found in _names(test)):
        known = ("true", "false") if fact.kind == "boolean" else tuple(f'"{v}"' for v in fact.one_of)
        advice = did_you_mean(name.name, known, of="values") or _EXAMPLES.get(fact.kind, "")
        if fact.kind == "boolean":
            advice = advice_on(name.name, "a truth value", advice)
        _note(reader, cell, name, f"`{name.name}` in column `{cell.name}` is no value", advice)
        return
    for value in (found for test in cell.tests.tests for found in _values(test)):
        if not _check_value(reader, cell, fact, value):
            return


def _check_value(reader: Reader, cell: FactTest, fact: FactDefinition, value: s.Node) -> bool:
    wanted = _LITERALS.get(fact.kind)
    if wanted and type(value) in _SHOWN and not isinstance(value, wanted):
        message = f"`{cell.text}` in column `{cell.name}` compares {_SHOWN[type(value)]}"
        _note(reader, cell, value, f"{message} with a fact of type {fact.kind}", _EXAMPLES[fact.kind])
        return False
    if isinstance(value, s.String) and fact.one_of and value.value not in fact.one_of:
        advice = did_you_mean(f'"{value.value}"', [f'"{one}"' for one in fact.one_of], of="values")
        _note(reader, cell, value, f'`{cell.name}` is never "{value.value}"', advice)
        return False
    return True


def _note(reader: Reader, cell: FactTest, node: s.Node, message: str, advice: str) -> None:
    reader.error("bad-fact-cell", message, cell.span.shifted(node.offset, max(1, node.length)), advice)


def _values(test: s.Node) -> Iterator[s.Node]:
    """Yield what the fact is compared with, where that stands in the cell itself."""
    match test:
        case s.UnaryComparison(_, operand):
            yield operand
        case s.ListLiteral(items):
            yield from items
        case s.RangeLiteral(low, high):
            yield from (low, high)
        case _:
            yield test


def _names(node: object) -> Iterator[s.Name]:
    """Yield the names in a cell that stand for nothing: only `?`, functions and their own variables do."""
    if isinstance(node, s.Name):
        if node.name != "?":
            yield node
    elif isinstance(node, s.Call):
        for part in (*node.arguments, *(entry.value for entry in node.named)):
            yield from _names(part)
    elif isinstance(node, (s.For, s.Quantified, s.FunctionDefinition, s.Filter)):
        return  # they bring names of their own
    elif isinstance(node, s.Node):
        for field in fields(node):
            yield from _names(getattr(node, field.name))
    elif isinstance(node, tuple):
        for part in node:
            yield from _names(part)
