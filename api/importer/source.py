"""Lines of a file: CSV or NDJSON, each with the number of the line on which it begins."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b as digest
from typing import BinaryIO

from api.importer.mapping import LINE, NTH, OWN, FileMapping
from api.importer.report import Reject
from engine.source import Problem
from engine.text import did_you_mean

MAX_LINE = 1_000_000
"""Characters of one line or record."""


@dataclass(frozen=True, slots=True)
class Line:
    """One record of the file by column."""

    number: int
    cells: dict[str, str]


class FileUnreadable(Exception):
    """The file cannot be read by this mapping at all; each problem says why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{p.message} ({p.advice})" for p in problems))
        self.problems = tuple(problems)


def read_lines(mapping: FileMapping, file: BinaryIO) -> Iterator[Line | Reject]:
    """Yield the lines of a file; one that cannot be read is a reject. Raises FileUnreadable."""
    text = io.TextIOWrapper(file, encoding=_encoding(mapping), errors="replace", newline="")
    try:
        lines = _csv(mapping, text) if mapping.format == "csv" else _ndjson(text)
        yield from _with_own_columns(mapping, lines)
    finally:
        text.detach()


def _with_own_columns(mapping: FileMapping, lines: Iterator[Line | Reject]) -> Iterator[Line | Reject]:
    """Give each line the columns that no file has, as far as the mapping reads them."""
    counted = mapping.reads(NTH)
    if not counted and not any(mapping.reads(name) for name in OWN):
        yield from lines
        return
    seen: dict[bytes, int] = {}
    for line in lines:
        if isinstance(line, Line):
            own = {LINE: str(line.number)}
            if counted:
                said = digest(repr(line.cells).encode(), digest_size=16).digest()
                seen[said] = seen.get(said, 0) + 1
                own[NTH] = str(seen[said])
            yield Line(line.number, line.cells | own)
        else:
            yield line


def _encoding(mapping: FileMapping) -> str:
    name = codecs.lookup(mapping.encoding).name
    return "utf-8-sig" if name == "utf-8" else name  # a byte-order mark is no part of the first heading


def _csv(mapping: FileMapping, text: io.TextIOWrapper) -> Iterator[Line | Reject]:
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
    while True:
        number = mapping.skip + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Reject(number, "", "", f"the line cannot be read: {error}.", "Close the quotes it opens.")
            continue
        if len(cells) != len(heading):
            if not any(cell.strip() for cell in cells):
                continue
            message = f"it has {len(cells)} cells, the heading has {len(heading)}."
            yield Reject(
                number, "", mapping.delimiter.join(cells), message, "Quote cells that hold the delimiter."
            )
        elif (place := next((n for n, cell in enumerate(cells) if _broken(cell)), None)) is not None:
            message = f"it has characters that are not {mapping.encoding}."
            yield Reject(number, heading[place], cells[place], message, "Set `encoding` in the mapping.")
        elif any(cells) and (len(cells) > 1 or cells[0].strip()):
            yield Line(number, dict(zip(heading, cells, strict=True)))


def _broken(cell: str) -> bool:
    return (not cell.isascii() and "�" in cell) or "\x00" in cell


def _check_heading(mapping: FileMapping, heading: Sequence[str]) -> None:
    if any(_broken(name) for name in heading):
        advice = "set `encoding` to what the file was saved in: `gb18030`, `utf-16`, `cp1252` ..."
        raise _unreadable(mapping, f"the heading has characters that are not {mapping.encoding}", advice)
    twice = sorted({name for name in heading if heading.count(name) > 1})
    if twice:
        raise _unreadable(mapping, f"the file has two columns `{twice[0]}`", "rename one of them")
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
    for number, said in enumerate(text, start=1):
        line = said.removeprefix("\ufeff") if number == 1 else said
        if not line.strip():
            continue
        try:
            found = json.loads(
                line, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_object
            )
        except _Twice as twice:
            message, advice = f"it says `{twice}` twice.", "Keep one of them."
            yield Reject(number, str(twice), line.strip(), message, advice)
            continue
        except (ValueError, RecursionError) as error:
            yield Reject(number, "", line.strip(), f"it is not JSON: {error}.", "Write one object a line.")
            continue
        if not isinstance(found, dict):
            yield Reject(number, "", line.strip(), "it is not a JSON object.", "Write one object a line.")
            continue
        if _broken(line):
            message = "it has characters that cannot be read in the encoding of the mapping."
            yield Reject(number, "", line.strip(), message, "Set `encoding` in the mapping.")
            continue
        yield Line(number, {name: _cell(value) for name, value in found.items()})


class _Twice(ValueError):
    """An object names a field twice; the first such name is its text."""


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for n, name in enumerate(names) if name in names[:n]))
    return found


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)
