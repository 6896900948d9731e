"""Sheets that come back from a spreadsheet, put into the texts of a policy: just what was edited changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from itertools import pairwise

from engine.policy import Loaded, Texts
from engine.source import Problem, Span
from engine.tables.align import PipeLine, cut_line, rendered, width
from engine.tables.book import Book, Sheet, content, quoted, rows_of
from engine.tables.found import FoundTable, find_tables
from engine.tables.own import left_out, without_notes
from engine.text import Cell, ScalarNode, Table, did_you_mean
from engine.text.table import find_bars

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
Line = tuple[tuple[str, ...], int]
"""The cells of a row and where its inputs end: what makes two rows the same."""


Place = tuple[int, int, Cell]
"""From which column to which a cell reaches that was put back, and that cell in its sheet."""


@dataclass(frozen=True, slots=True)
class PutBack:
    """What came of putting sheets back."""

    texts: Mapping[str, bytes]
    """The texts that changed."""
    changed: tuple[str, ...]
    same: tuple[str, ...]
    missing: tuple[str, ...]
    """Tables of the policy that the book has no sheet for; they stay as they are."""
    notes: tuple[Problem, ...] = ()
    """What of the sheets was not taken, and what of the tables is gone."""
    places: Mapping[tuple[str, int], tuple[Place, ...]] = field(default_factory=dict)
    """By text and line of what was put back: its cells."""

    def in_sheets(self, problem: Problem) -> Problem:
        """Return a problem of what was put back with its places in the sheets, where the author is."""
        related = tuple((note, self._in_sheet(span)) for note, span in problem.related)
        return replace(problem, span=self._in_sheet(problem.span), related=related)

    def _in_sheet(self, span: Span) -> Span:
        cells = self.places.get((span.file, span.line), ())
        row = span.cell.startswith("row ") and "column" not in span.cell
        found = [cell for start, end, cell in cells if row or start <= span.column <= end]
        if not found:
            return span
        said = f": `{found[0].text}`" if found[0].text and found[0].span.cell and not row else ""
        return replace(found[0].span, cell=f"{found[0].span.cell}{said}")


def put_back(texts: Texts, root: str, book: Book) -> Loaded[PutBack]:
    """Return a policy's texts with the tables of a book; what is doubtful is a problem."""
    found = find_tables(texts, root)
    if found.policy is None:
        return Loaded(None, found.problems)
    by_name = {one.name: one for one in found.policy}
    problems: list[Problem] = []
    edits: dict[str, Sheet] = {}
    same: list[str] = []
    notes = list(book.notes)
    for sheet in book.sheets:
        name, held = book.index.get(sheet.name, (sheet.name, ""))
        if name not in by_name and (renamed := _renamed(sheet, book, by_name)):
            name, held = renamed, dict(book.index.values()).get(renamed, "")
            notes.append(_taken_for(sheet, name))
        if name in by_name:
            plain, more = without_notes(sheet.table, [cell.text for cell in by_name[name].table.columns])
            sheet = replace(sheet, table=plain)
            notes += more
        if name not in by_name:
            problems.append(_unknown(sheet, name, by_name))
        elif content(sheet.table) in (held, content(by_name[name].table)):
            same.append(name)  # an old sheet that nobody edited says nothing about the policy of today
        elif held and held != content(by_name[name].table):
            problems.append(_edited_twice(sheet, name, by_name[name]))
        else:
            problems += _cannot_stand(sheet, by_name[name])
            notes += _gone(sheet, by_name[name])
            edits[name] = sheet
    if problems:
        return Loaded(None, tuple(problems))
    after = _written(texts, [(by_name[name], sheet) for name, sheet in edits.items()])
    problems += _not_kept(after, root, edits)
    if problems:
        return Loaded(None, tuple(problems))
    missing = tuple(name for name in by_name if name not in edits and name not in same)
    changed = {path: data for path, data in after.items() if data != texts[path]}
    places = _places(after, root, edits)
    return Loaded(PutBack(changed, tuple(edits), tuple(same), missing, tuple(notes), places), ())


def _places(after: Texts, root: str, edits: Mapping[str, Sheet]) -> dict[tuple[str, int], tuple[Place, ...]]:
    """Return where each cell of what was put back stands in its sheet."""
    found: dict[tuple[str, int], tuple[Place, ...]] = {}
    for one in find_tables(after, root).policy or ():
        if one.name in edits:
            for written, cells in zip(_lines(one.table), _lines(edits[one.name].table), strict=True):
                span = written[0].span
                pairs = zip(written, cells, strict=True)
                each = ((c.span.column, c.span.column + c.span.length, s) for c, s in pairs)
                found[span.file, span.line] = tuple(each)
    return found


def _renamed(sheet: Sheet, book: Book, by_name: Mapping[str, FoundTable]) -> str:
    """Return the one table without a sheet that has the columns of a sheet with an unknown name."""
    there = {book.index.get(one.name, (one.name, ""))[0] for one in book.sheets}
    heading = [cell.text for cell in sheet.table.columns]
    like = [n for n, one in by_name.items() if [cell.text for cell in one.table.columns] == heading]
    return like[0] if len(like) == 1 and like[0] not in there else ""


def _taken_for(sheet: Sheet, name: str) -> Problem:
    message = f"the sheet `{sheet.name}` has the columns of table `{name}`, and is taken for it"
    return left_out("sheet-renamed", message, sheet.table.columns[0].span, f"name it `{name}` again")


def _gone(sheet: Sheet, one: FoundTable) -> Iterator[Problem]:
    """Yield a note on each column that the sheet has not any more, where none came in its place."""
    before, now = ([cell.text for cell in table.columns] for table in (one.table, sheet.table))
    for name in before if len(now) < len(before) else ():
        if name not in now:
            message = f"column `{name}` of table `{one.name}` is not in the sheet any more, and goes"
            yield left_out(
                "column-gone", message, sheet.table.columns[0].span, "if it shall stay, insert it again"
            )


def _unknown(sheet: Sheet, name: str, by_name: Mapping[str, FoundTable]) -> Problem:
    advice = did_you_mean(name, by_name, of="tables of this policy")
    return Problem("unknown-table", f"the policy has no table `{name}`", sheet.table.span, advice)


def _edited_twice(sheet: Sheet, name: str, one: FoundTable) -> Problem:
    message = f"the table `{name}` was changed in the policy after it had been exported, and in the sheet too"
    advice = "export again and repeat the edit, or bring the policy back first"
    related = (("the table stands here", one.span),)
    return Problem("table-edited-twice", message, sheet.table.span, advice, related=related)


def _cannot_stand(sheet: Sheet, one: FoundTable) -> Iterator[Problem]:
    """Yield what of a sheet can be no table of the policy: a divider that is gone, cells with bars."""
    if one.table.outputs and not sheet.table.outputs:
        first = one.table.outputs[0].text
        place = next((c.span for c in sheet.table.columns if c.text == first), sheet.table.columns[0].span)
        message = f"the empty column headed `||` is gone from the sheet `{sheet.name}`"
        yield Problem("divider-gone", message, place, f"insert it again before `{first}`")
        return
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
