"""A line of a file to the rows of the bulk path: each value by the type of its field, exactly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from api.importer.cells import Unreadable, amount, typed
from api.importer.mapping import FileMapping, JsonNumber, Target, Tree, Value
from api.importer.report import Reject
from api.importer.source import Line

_SIGN = re.compile(r"([<>])\s*0")


@dataclass(frozen=True, slots=True)
class Made:
    """One row for the bulk path, and the line and target it was made from."""

    line: Line
    target: Target
    row: dict[str, Any]


def convert(mapping: FileMapping, line: Line) -> Iterator[Made | Reject]:
    """Yield what a line becomes; a target that cannot be made is a reject that names the cell."""
    for target in mapping.rows:
        try:
            if target.when and not _wanted(mapping, target, line.cells):
                continue
            fields = _map(mapping, target.fields, line.cells)
        except Unreadable as wrong:
            column = ", ".join(wrong.value.columns)
            yield Reject(line.number, column, wrong.text, wrong.message, wrong.advice, target.kind, line.said)
            continue
        yield Made(line, target, {"kind": target.kind, **fields})


def _wanted(mapping: FileMapping, target: Target, cells: Mapping[str, str]) -> bool:
    for column, wanted in target.when.items():
        said = cells.get(column, "")
        cell = said if isinstance(said, JsonNumber) else said.strip()
        if cell in wanted or (cell and "*" in wanted):
            continue
        if not cell or not any(_has_sign(mapping, target, column, cell, side) for side in wanted):
            return False
    return True


def _has_sign(mapping: FileMapping, target: Target, column: str, cell: str, said: str) -> bool:
    """Tell whether an amount is on the side of zero that a condition names: `> 0` or `< 0`."""
    side = _SIGN.fullmatch(said)
    if side is None:
        return False
    text = amount(mapping, Value("{" + column + "}", "amount", target.span), cell)
    negative, nothing = text.startswith("-"), not text.strip("-0.")
    return not nothing and negative is (side[1] == "<")


def _map(mapping: FileMapping, fields: Mapping[str, Tree], cells: Mapping[str, str]) -> dict[str, Any]:
    found = {name: _read(mapping, tree, cells) for name, tree in fields.items()}
    return {name: value for name, value in found.items() if value is not None}


def _read(mapping: FileMapping, tree: Tree, cells: Mapping[str, str]) -> Any:
    if isinstance(tree, Value):
        text = tree.fill(cells)
        return None if text is None else typed(mapping, tree, text)
    if isinstance(tree, Mapping):
        return _map(mapping, tree, cells) or None
    items = [_read(mapping, item, cells) for item in tree]
    return [item for item in items if item is not None]
