"""Sheets that come back from a spreadsheet, put into the texts of a policy: just what was edited changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from engine.policy import Loaded, Texts
from engine.source import Problem
from engine.tables.align import PipeLine, cut_line, rendered, width
from engine.tables.book import Book, Sheet, content, quoted, rows_of
from engine.tables.found import FoundTable, find_tables
from engine.text import Cell, ScalarNode, Table, did_you_mean
from engine.text.table import find_bars

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
Line = tuple[tuple[str, ...], int]
"""The cells of a row and where its inputs end: what makes two rows the same."""


@dataclass(frozen=True, slots=True)
class PutBack:
    """What came of putting sheets back."""

    texts: Mapping[str, bytes]
    """The texts that changed."""
    changed: tuple[str, ...]
    same: tuple[str, ...]
    missing: tuple[str, ...]
    """Tables of the policy that the book has no sheet for; they stay as they are."""


def put_back(texts: Texts, root: str, book: Book) -> Loaded[PutBack]:
    """Return a policy's texts with the tables of a book; what is doubtful is a problem."""
    found = find_tables(texts, root)
    if found.policy is None:
        return Loaded(None, found.problems)
    by_name = {one.name: one for one in found.policy}
    problems: list[Problem] = []
    edits: dict[str, Sheet] = {}
    same: list[str] = []
    for sheet in book.sheets:
        name, held = book.index.get(sheet.name, (sheet.name, ""))
        if name not in by_name:
            problems.append(_unknown(sheet, name, by_name))
        elif content(sheet.table) in (held, content(by_name[name].table)):
            same.append(name)  # an old sheet that nobody edited says nothing about the policy of today
        elif held and held != content(by_name[name].table):
            problems.append(_edited_twice(sheet, name, by_name[name]))
        else:
            problems += _cannot_stand(sheet, by_name[name])
            edits[name] = sheet
    if problems:
        return Loaded(None, tuple(problems))
    after = _written(texts, [(by_name[name], sheet) for name, sheet in edits.items()])
    problems += _not_kept(after, root, edits)
    if problems:
        return Loaded(None, tuple(problems))
    missing = tuple(name for name in by_name if name not in edits and name not in same)
    changed = {path: data for path, data in after.items() if data != texts[path]}
    return Loaded(PutBack(changed, tuple(edits), tuple(same), missing), ())


def _unknown(sheet: Sheet, name: str, by_name: Mapping[str, FoundTable]) -> Problem:
    advice = did_you_mean(name, by_name, of="tables of this policy")
    return Problem("unknown-table", f"the policy has no table `{name}`", sheet.table.span, advice)


def _edited_twice(sheet: Sheet, name: str, one: FoundTable) -> Problem:
    message = f"the table `{name}` was changed in the policy after it had been exported, and in the sheet too"
    advice = "export again and repeat the edit, or bring the policy back first"
    related = (("the table stands here", one.span),)
    return Problem("table-edited-twice", message, sheet.table.span, advice, related=related)


def _cannot_stand(sheet: Sheet, one: FoundTable) -> Iterator[Problem]:
    """Yield the cells that a pipe table cannot hold."""
    if one.block is None:
        return
    for cell in _cells(sheet.table):
        bars, unclosed = find_bars(cell.text)
        if len(cell.text.splitlines()) > 1:
            yield Problem("cell-of-lines", "a cell of a table is one line", cell.span, "write it in one line")
        elif unclosed is not None:
            yield Problem("open-quote", "a quote is opened and not closed", cell.span, 'close it with `"`')
        elif bars:
            advice = "put a text with a bar in it in quotes"
            yield Problem("cell-with-bar", f"`{cell.text}` has a bar in it", cell.span, advice)


def _cells(table: Table) -> Iterator[Cell]:
    yield from table.columns
    for row in table.rows:
        yield from row.cells


def _written(texts: Texts, edits: Sequence[tuple[FoundTable, Sheet]]) -> dict[str, bytes]:
    """Return all texts with edits made, from the last to the first, so that lines keep their numbers."""
    after = dict(texts)
    for one, sheet in sorted(edits, key=lambda edit: edit[0].span, reverse=True):
        data = after[one.file]
        mark, text = (data[:3], data[3:]) if data.startswith(b"\xef\xbb\xbf") else (b"", data)
        if one.block:
            new = _block(one.block, text.decode().splitlines(keepends=True), sheet.table)
        else:
            new = _csv(one.table, _LINE.findall(text.decode()), sheet.table)
        after[one.file] = mark + "".join(new).encode()
    return after


def _not_kept(after: Texts, root: str, edits: Mapping[str, Sheet]) -> Iterator[Problem]:
    """Read the result again, and yield the sheets that it does not hold as they are."""
    found = {one.name: one.table for one in find_tables(after, root).policy or ()}
    for name, sheet in edits.items():
        if name not in found or content(found[name]) != content(sheet.table):
            message = f"the table `{name}` cannot be written as the sheet has it"
            advice = "look for characters that cannot be seen, and for rows without any text"
            yield Problem("table-not-kept", message, sheet.table.span, advice)


# pipe tables


def _block(node: ScalarNode, lines: list[str], table: Table) -> list[str]:
    numbers = [span.line - 1 for span in node.lines]
    old: list[tuple[int, PipeLine]] = []
    for number, text in zip(numbers, node.text.splitlines(), strict=True):
        cut = cut_line(text)
        if cut is not None and not cut.is_rule:
            old.append((number, cut))
    divide = len(table.inputs) if table.outputs else None
    new = [PipeLine(tuple(c.text for c in cells), divide) for cells in _lines(table)]
    source = [lines[number] for number, _ in old]
    texts, moved = _shown(source, new)
    first = lines[old[0][0]]
    indent = first[: len(first) - len(first.lstrip())]
    end = first[len(first.rstrip("\r\n\x85\u2028\u2029")) :] or "\n"
    block = lines[numbers[0] : numbers[-1] + 1]
    written = [f"{indent}{text}{end}" for text in texts]
    places = [number - numbers[0] for number, _ in old]
    edited = _merged(block, places, [_key(cut) for _, cut in old], [_key(cut) for cut in new], written, moved)
    return lines[: numbers[0]] + _closed(edited, block[-1]) + lines[numbers[-1] + 1 :]


def _lines(table: Table) -> Iterator[tuple[Cell, ...]]:
    yield table.columns
    yield from (row.cells for row in table.rows)


def _key(line: PipeLine) -> Line:
    return line.cells, len(line.cells) if line.divide is None else line.divide


def _shown(source: list[str], new: list[PipeLine]) -> tuple[list[str], bool]:
    """Return the new lines as wide as the table was, and whether the rows that stay have to move as well."""
    least = _widths(source[0])
    if len(least) != len(new[0].cells):
        return rendered(new), True
    if len({tuple(_widths(line)) for line in source}) > 1:  # it was not aligned before
        return [rendered([line], least)[0] for line in new], False
    texts = rendered(new, least)
    return texts, _widths(texts[0]) != least


def _widths(line: str) -> list[int]:
    bars, _ = find_bars(line)
    return [max(0, width(line[left + 1 : right]) - 2) for left, right in pairwise(bars) if right > left + 1]


def _merged(
    block: list[str], places: list[int], old: list[Line], new: list[Line], written: list[str], moved: bool
) -> list[str]:
    """Return a block with new rows in place of the old: comments between them stay where they are."""
    merged: list[str] = []
    position = 0

    def keep_until(place: int) -> None:
        nonlocal position
        merged.extend(block[position:place])
        position = place

    for kind, first, last, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for step in range(max(last - first, end - start)):
            if first + step < last:
                keep_until(places[first + step])
                position += 1
            if start + step < end:
                stays = kind == "equal" and not moved
                merged.append(block[places[first + step]] if stays else written[start + step])
    keep_until(len(block))
    return merged


def _closed(block: list[str], last: str) -> list[str]:
    """Return a block whose last line ends as the last line before did."""
    if last.endswith(("\n", "\r")):
        return block
    *others, end = (line.rstrip("\r\n") for line in block)
    return [*(f"{line}\n" for line in others), end]


# CSV tables of a policy


def _csv(table: Table, lines: list[str], new: Table) -> list[str]:
    starts = [table.columns[0].span.line - 1, *(row.span.line - 1 for row in table.rows)]
    bounds = [*starts[1:], len(lines)]
    block = ["".join(lines[start:end]) for start, end in zip(starts, bounds, strict=True)]
    end = "\r\n" if lines[starts[0]].endswith("\r\n") else "\n"
    written = [",".join(map(quoted, row)) + end for row in rows_of(new)]
    before, after = ([tuple(row) for row in rows_of(one)] for one in (table, new))
    merged: list[str] = []
    for kind, first, last, start, stop in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            merged += block[first:last]
            continue
        blanks = [line for record in block[first:last] for line in _LINE.findall(record) if not line.strip()]
        merged += [*written[start:stop], *blanks]
    return lines[: starts[0]] + [line if line.endswith("\n") else f"{line}{end}" for line in merged]
