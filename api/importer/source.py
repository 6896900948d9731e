"""Lines of a file: CSV or NDJSON, each with the number of the line on which it begins."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b as digest
from typing import BinaryIO

from api.importer.mapping import LINE, NTH, OWN, FileMapping
from api.importer.ndjson import Twice, bounded_lines, cells_of
from api.importer.report import Reject
from engine.source import Problem
from engine.text import did_you_mean

MAX_LINE = 1_000_000
"""Characters of one line or record."""
_DELIMITERS = {";": "`;`", "\t": "`tab`", "|": '`"|"`', ",": '`","`'}
_SPREADSHEET = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How XLSX, ODS and the old XLS begin."""


@dataclass(frozen=True, slots=True)
class Line:
    """One record of the file by column."""

    number: int
    cells: dict[str, str]
    text: str = ""
    """The line itself, where it is NDJSON."""

    @property
    def said(self) -> tuple[str, ...]:
        """Return the line as it stands in the file: its cells, or its text."""
        return (self.text,) if self.text else tuple(v for name, v in self.cells.items() if name not in OWN)


class FileUnreadable(Exception):
    """The file cannot be read by this mapping at all; each problem says why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{p.message} ({p.advice})" for p in problems))
        self.problems = tuple(problems)


def read_lines(
    mapping: FileMapping, file: BinaryIO, heading: Callable[[tuple[str, ...]], None] = lambda _: None
) -> Iterator[Line | Reject]:
    """Yield the lines of a file; one that cannot be read is a reject. Raises FileUnreadable.

    `heading` hears of the columns of a CSV file before its first line.
    """
    text = io.TextIOWrapper(file, encoding=_encoding(mapping), errors="replace", newline="")
    try:
        lines = _csv(mapping, text, heading) if mapping.format == "csv" else _ndjson(text)
        yield from _with_own_columns(mapping, lines)
    except UnicodeError as error:  # UTF-16 says so where the file has no mark; all else is replaced
        advice = "set `encoding` to what the file was saved in: `utf-8`, `utf-16-le`, `cp1252` ..."
        raise _unreadable(mapping, f"the file is not {mapping.encoding}", advice) from error
    finally:
        text.detach()


def _with_own_columns(mapping: FileMapping, lines: Iterator[Line | Reject]) -> Iterator[Line | Reject]:
    """Give each line the columns that no file has, as far as the mapping reads them.

    A file of refused lines has `#line`: there it is the number in the file that they were refused from.
    """
    counted = mapping.reads(NTH)
    if not counted and not any(mapping.reads(name) for name in OWN):
        yield from lines
        return
    seen: dict[bytes, int] = {}
    for line in lines:
        if isinstance(line, Line):
            own = {LINE: str(line.number)}
            if counted:
                said = digest(repr(line.cells).encode("utf-8", "surrogatepass"), digest_size=16).digest()
                seen[said] = seen.get(said, 0) + 1
                own[NTH] = str(seen[said])
            if before := line.cells.get(LINE):
                own[LINE] = before
            yield Line(line.number, line.cells | own, line.text)
        else:
            yield line


def _encoding(mapping: FileMapping) -> str:
    name = codecs.lookup(mapping.encoding).name
    return "utf-8-sig" if name == "utf-8" else name  # a byte-order mark is no part of the first heading


def _csv(
    mapping: FileMapping, text: io.TextIOWrapper, told: Callable[[tuple[str, ...]], None]
) -> Iterator[Line | Reject]:
    csv.field_size_limit(MAX_LINE)
    for _ in range(mapping.skip):
        text.readline(MAX_LINE)
    reader = csv.reader(text, delimiter=mapping.delimiter, strict=True)
    try:
        heading = [name.strip().removeprefix("\ufeff") for name in next(reader)]
    except StopIteration:
        advice = "write the names of the columns in its first line; `skip` leaves out lines before it"
        raise _unreadable(mapping, "the file has no heading", advice) from None
    except csv.Error as error:
        raise _unreadable(mapping, f"the heading cannot be read: {error}", "check `delimiter`") from error
    _check_heading(mapping, heading)
    told(tuple(heading))
    while True:
        before = mapping.skip + reader.line_num
        number = before + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _unclosed(number, mapping.skip + reader.line_num, error)
            continue
        if len(cells) != len(heading):
            if not any(cell.strip() for cell in cells):
                continue
            message = f"it has {len(cells)} cells, the heading has {len(heading)}."
            said = mapping.delimiter.join(cells)
            yield Reject(number, "", said, message, "Quote cells that hold the delimiter.", said=tuple(cells))
        elif (place := next((n for n, cell in enumerate(cells) if _broken(cell)), None)) is not None:
            message = f"it has characters that are not {mapping.encoding}."
            yield Reject(number, heading[place], cells[place], message, "Set `encoding` in the mapping.")
        elif any(cells) and (len(cells) > 1 or cells[0].strip()):
            yield Line(number, dict(zip(heading, cells, strict=True)))


def _unclosed(number: int, last: int, error: csv.Error) -> Reject:
    """Name a record that ends nowhere, and every line that it has swallowed."""
    lost = f", and with it what follows up to line {last}" if last > number else ""
    if "field limit" in str(error):
        why, advice = f"a cell is longer than {MAX_LINE:,} characters", "Close the quotes that are open."
    elif "end of data" in str(error):
        why, advice = "the file ends within quotes", "Close them, or ask for the whole file again."
    else:
        why, advice = str(error), "Double the quotes within a quoted cell."
    return Reject(number, "", "", f"the line cannot be read{lost}: {why}.", advice)


def _broken(cell: str) -> bool:
    return (not cell.isascii() and ("�" in cell or _lone(cell))) or "\x00" in cell


def _lone(cell: str) -> bool:
    """Tell whether a text has half of a pair of surrogates, which is no character."""
    return any("\ud800" <= mark <= "\udfff" for mark in cell)


def _check_heading(mapping: FileMapping, heading: Sequence[str]) -> None:
    if heading and heading[0].encode("latin-1", "replace").startswith(_SPREADSHEET):
        advice = "save the sheet as CSV, or as Unicode text (`encoding: utf-16`, `delimiter: tab`)"
        raise _unreadable(mapping, "the file is a spreadsheet or an archive", advice)
    if any(_broken(name) for name in heading):
        advice = "set `encoding` to what the file was saved in: `gb18030`, `utf-16`, `cp1252` ..."
        raise _unreadable(mapping, f"the heading has characters that are not {mapping.encoding}", advice)
    twice = sorted({name for name in heading if heading.count(name) > 1})
    if twice:
        raise _unreadable(mapping, f"the file has two columns `{twice[0]}`", "rename one of them")
    if len(heading) == 1 and heading[0] not in mapping.columns():
        other = max(_DELIMITERS, key=heading[0].count)
        if other in heading[0] and other != mapping.delimiter:
            message = f"the heading `{heading[0][:60]}` is a single column"
            raise _unreadable(mapping, message, f"set `delimiter: {_DELIMITERS[other].strip('`')}`")
    asked = [(name, value.span) for value in mapping.values() for name in value.columns]
    asked += [(name, row.span) for row in mapping.rows for name in row.when]
    problems = []
    for name, span in asked:
        if name not in heading and name not in OWN:
            advice = did_you_mean(name, heading, of="columns")
            problems.append(Problem("unknown-column", f"the file has no column `{name}`", span, advice))
    if problems:
        raise FileUnreadable(problems)


def _unreadable(mapping: FileMapping, message: str, advice: str) -> FileUnreadable:
    return FileUnreadable([Problem("file-unreadable", message, mapping.rows[0].span, advice)])


def _ndjson(text: io.TextIOWrapper) -> Iterator[Line | Reject]:
    for number, said, long in bounded_lines(text, MAX_LINE):
        line = (said.removeprefix("\ufeff") if number == 1 else said).strip()
        if long:
            message = f"it is longer than {MAX_LINE:,} characters."
            yield Reject(number, "", line, message, "Write one object a line.")
        elif line:
            yield _object_line(number, line)


def _object_line(number: int, line: str) -> Line | Reject:
    one, said = "Write one object a line.", (line,)
    try:
        cells = cells_of(line)
    except Twice as twice:
        return Reject(number, str(twice), line, f"it says `{twice}` twice.", "Keep one of them.", said=said)
    except (ValueError, RecursionError) as error:
        advice = "Write text or leave the key out." if "no number" in str(error) else one
        return Reject(number, "", line, f"it is not JSON: {error}.", advice, said=said)
    if cells is None:
        return Reject(number, "", line, "it is not a JSON object.", one, said=said)
    if _broken(line) or any(_broken(cell) for cell in cells.values()):
        message = "it has characters that cannot be read in the encoding of the mapping."
        return Reject(number, "", line, message, "Set `encoding` in the mapping.", said=said)
    return Line(number, cells, line)
