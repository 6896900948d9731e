"""The table `before_due`: how many days before its due date a bill is announced, and by which notices."""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.credit.model import FactDefinition
from engine.ladder.ladders_from_yaml import fact_test, read_actions, read_ladder_table
from engine.ladder.model import ReminderRow
from engine.source import Span
from engine.text import Cell, Node, Reader, did_you_mean, suggest
from engine.text.meant import narrow

MOST_DAYS = 90
"""Nobody is reminded of a bill a quarter of a year before it is due."""
_DAYS = re.compile(r"[1-9]\d{0,3}")
_NEEDED = ("days", "do")


def read_before_due(
    reader: Reader, node: Node, facts: Mapping[str, FactDefinition]
) -> tuple[ReminderRow, ...]:
    """Read `before_due`; the rows come back with the earliest notice first."""
    table = read_ladder_table(reader, node, "`before_due`")
    if table is None:
        return ()
    columns = {cell.text: i for i, cell in enumerate(table.columns)}
    known = (*_NEEDED, *facts)
    for cell in table.columns:
        if cell.text not in known:
            advice = did_you_mean(cell.text, known, of="columns")
            reader.error("unknown-column", f"`before_due` has no column `{cell.text}`", cell.span, advice)
    missing = [name for name in _NEEDED if name not in columns]
    renamed = {suggest(cell.text, missing) for cell in table.columns if cell.text not in known}
    for name in missing if not renamed & {*missing} else ():
        reader.error("missing-column", f"`before_due` lacks the column `{name}`", table.span, f"add `{name}`")
    if missing:
        return ()
    if not table.rows:
        reader.error("before-due-empty", "`before_due` has no rows", table.span, "write a row, or remove it")
    rows = [
        _row(reader, {name: row.cells[i] for name, i in columns.items()}, facts, row.span)
        for row in table.rows
    ]
    found = sorted((row for row in rows if row), key=lambda row: -row.days)
    _check_reachable(reader, found)
    return tuple(found)


def _row(
    reader: Reader, cells: Mapping[str, Cell], facts: Mapping[str, FactDefinition], span: Span
) -> ReminderRow | None:
    days = _days(reader, cells["days"])
    do = read_actions(reader, cells["do"])
    tests = [fact_test(reader, name, cells[name]) for name in facts if name in cells]
    for item in do or ():
        if item.do != "notify":
            message = f"`{item}` stands before the due date, when nothing is owed yet"
            advice = "only `notify(channel, template)` may stand here"
            reader.error("not-before-due", message, item.span, advice)
            return None
    if days is None or do is None or None in tests:
        return None
    return ReminderRow(days, tuple(test for test in tests if test), do, span)


def _days(reader: Reader, cell: Cell) -> int | None:
    if _DAYS.fullmatch(cell.text) and int(cell.text) <= MOST_DAYS:
        return int(cell.text)
    meant = re.search(r"[1-9]\d?", narrow(cell.text))
    advice = f"write whole days before the due date, 1 to {MOST_DAYS}: `{meant[0] if meant else 3}`"
    if cell.text == "0":
        advice = f"a notice is void on the due date itself: write 1 to {MOST_DAYS}"
    reader.error("not-days", f"`{cell.text}` is not a number of days before the due date", cell.span, advice)
    return None


def _check_reachable(reader: Reader, rows: list[ReminderRow]) -> None:
    """Of the rows of one number of days the first that fits is taken: none may stand behind one for all."""
    for_all: dict[int, ReminderRow] = {}
    for row in rows:
        first = for_all.get(row.days)
        if first is not None:
            related = (("this row takes every customer", first.span),)
            message = f"the second row of {row.days} days is never reached"
            reader.error("row-hidden", message, row.span, "write it first, or remove it", related)
        elif not any(test.tests.tests for test in row.facts):
            for_all[row.days] = row
