"""What officers write around a table in their sheets: a title, words below and beside, a column of notes.

None of it is part of the table. It is left out, and said once a sheet, so that nothing is lost in silence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from engine.source import Problem, Severity, Span
from engine.text import Cell, Table
from engine.text.table import DIVIDER

Record = tuple[Cell, ...]
NOTES = frozenset(("note", "notes", "remark", "remarks", "comment", "comments", "why", "备注", "说明"))
"""Headings, in small letters, of columns that hold words for people."""


def left_out(code: str, message: str, span: Span, advice: str) -> Problem:
    """Return the note on a part of a sheet that is not read."""
    return Problem(code, message, span, advice, Severity.INFO)


def table_records(records: Sequence[Record]) -> tuple[list[Record], list[Problem]]:
    """Return the records of a table, each as wide as its heading, and a note on what stands around them."""
    kept, outside = list(records), list[Cell]()
    while len(kept) > 1 and len(_filled(kept[0])) == 1 < len(_filled(kept[1])) and kept[0][0].text != DIVIDER:
        outside += _filled(kept.pop(0))
    if not kept:
        return [], []
    wide = max(place for place, cell in enumerate(kept[0], 1) if cell.text)
    while len(kept) > 1 and wide > 1 and len(_filled(kept[-1])) == 1 and _apart(kept[-2], kept[-1]):
        outside += _filled(kept.pop())
    outside += [cell for record in kept for cell in record[wide:] if cell.text]
    padded = [(*record[:wide], *_blanks(record, kept[0][:wide])) for record in kept]
    if not outside:
        return padded, []
    first = min(outside, key=lambda cell: cell.span)
    more = f" and {len(outside) - 1} more" if len(outside) > 1 else ""
    message = f"`{first.text:.60}`{more} stands outside of the table, and is left out"
    advice = "a column of the table has a heading beside the others"
    return padded, [left_out("beside-table", message, first.span, advice)]


def _filled(record: Record) -> list[Cell]:
    return [cell for cell in record if cell.text]


def _apart(one: Record, other: Record) -> bool:
    """Tell whether blank rows stand between two records."""
    return other[0].span.line > one[0].span.line + 1


def _blanks(record: Record, heading: Record) -> list[Cell]:
    """Return the empty cells that a record lacks, each in the column of its heading."""
    line = record[0].span.line
    places = (cell.span for cell in heading[len(record) :])
    return [Cell("", replace(p, line=line, cell=re.sub(r"\d+$", str(line), p.cell))) for p in places]


def without_notes(table: Table, known: Sequence[str]) -> tuple[Table, list[Problem]]:
    """Return a table without the last columns that the policy has not and that are not filled: notes.

    A new column with a value in each row is a column of the table; one that is called a note is none.
    """
    cut = len(table.columns)
    while cut > 1 and _is_note(table, cut - 1, known):
        cut -= 1
    gone = table.columns[cut:]
    if not gone or (cut < len(table.inputs) and table.outputs):
        return table, []
    divide = len(table.inputs) if table.outputs else cut
    rows = tuple(replace(row, inputs=row.cells[:divide], outputs=row.cells[divide:cut]) for row in table.rows)
    kept = replace(table, inputs=table.columns[:divide], outputs=table.columns[divide:cut], rows=rows)
    named = " and ".join(f"`{cell.text}`" for cell in gone)
    what = (
        f"column {named} is no column of the table" if len(gone) == 1 else f"columns {named} are none of it"
    )
    message = f"the {what}, and stays in the sheet only"
    advice = "fill every cell if it shall be a column; a comment in the policy begins with `#` above its row"
    return kept, [left_out("column-left-out", message, gone[0].span, advice)]


def _is_note(table: Table, place: int, known: Sequence[str]) -> bool:
    heading = table.columns[place].text
    empty = any(not row.cells[place].text for row in table.rows)
    return heading not in known and (empty or heading.strip().casefold() in NOTES)
