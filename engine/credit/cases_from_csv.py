"""Cases as rows of a CSV file, for officers who work in spreadsheets.

    case,facts_base,tenure_months,avg_monthly_bill,||,grade,reasons
    One month short of a year,wavering,11,,,C,"PAID_LATE, SHORT_TENURE"

Before `||` stand the sentence, perhaps `facts_base` and `as_of`, and facts; behind it what must come out. An
empty cell says nothing; `null` takes a fact away, or expects nothing; `[]` expects no reasons. A row whose
first cell begins with `#` is a comment. A fact that is called `as_of` is the day of the case.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from engine.source import Span
from engine.text import Cell, ListNode, MapNode, Node, Reader, Row, ScalarNode, Table, read_csv_table

_OWN = ("case", "facts_base", "as_of")


def case_rows(reader: Reader, data: bytes, file: str, known: Container[str] = ()) -> tuple[Node, ...]:
    """Return the rows of a CSV file as cases of a YAML file are read; `known` are the policy's facts."""
    loaded = read_csv_table(data, file, comments=True)
    reader.take(loaded.problems)
    table = loaded.policy
    if table is None:
        return ()
    if not table.outputs or "case" not in [cell.text for cell in table.inputs]:
        advice = "head the columns `case`, facts ..., `||`, and what must come out: `grade`, `reasons` ..."
        reader.error("cases-columns", "these columns are not those of cases", table.span, advice)
        return ()
    return tuple(_case(table, row, known) for row in table.rows)


def _case(table: Table, row: Row, known: Container[str]) -> Node:
    given = {
        name.text: (name, cell) for name, cell in zip(table.inputs, row.inputs, strict=True) if cell.text
    }
    entries: list[tuple[ScalarNode, Node]] = [
        (_key(name.text, name.span), _scalar(cell)) for key, (name, cell) in given.items() if key in _OWN
    ]
    facts = tuple(
        (_key(name.text, name.span), _value(cell))
        for key, (name, cell) in given.items()
        if key not in _OWN or (key == "as_of" and key in known)
    )
    expected = tuple(
        (_key(name.text, name.span), _value(cell, listed=name.text == "reasons"))
        for name, cell in zip(table.outputs, row.outputs, strict=True)
        if cell.text
    )
    entries += [(_key("facts", row.span), MapNode(facts, row.span))] if facts else []
    entries.append((_key("expect", row.span), MapNode(expected, row.span)))
    return MapNode(tuple(entries), row.span)


def in_cell(told: str, cell: str) -> str:
    """Return what came out as a cell says it, in the form of what stands there: brackets, signs, decimals."""
    if told.startswith("[") and told.endswith("]") and not cell.startswith("["):
        inner = told[1:-1]
        return inner.replace(", ", "; ") if ";" in cell else inner or "[]"
    whole, point, decimals = told.partition(".")
    plain = re.fullmatch(r"-?\d+", cell) and re.fullmatch(r"-?\d+", whole)
    return whole if point and plain and not decimals.strip("0") else told


def _key(text: str, span: Span) -> ScalarNode:
    return ScalarNode(text, span)


def _scalar(cell: Cell) -> ScalarNode:
    return ScalarNode(cell.text, cell.span)


def _value(cell: Cell, *, listed: bool = False) -> Node:
    if cell.text == "[]" or (listed and cell.text != "null"):
        return ListNode(tuple(_items(cell)), cell.span)
    if cell.text.startswith("[") and cell.text.endswith("]"):
        return ListNode(tuple(_items(cell)), cell.span)
    return _scalar(cell)


def _items(cell: Cell) -> Iterator[ScalarNode]:
    for found in re.finditer(r"[^\s,;\[\]]+", cell.text):
        yield ScalarNode(found[0], cell.span.shifted(found.start(), len(found[0])))
