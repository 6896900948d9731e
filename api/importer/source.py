"""Lines of a file: CSV or NDJSON, each with the number of the line on which it begins."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from api.importer.mapping import FileMapping
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
        yield from _csv(mapping, text) if mapping.format == "csv" else _ndjson(text)
    finally:
        text.detach()


def _encoding(mapping: FileMapping) -> str:
    name = codecs.lookup(mapping.encoding).name
    return "utf-8-sig" if name == "utf-8" else name  # a byte-order mark is no part of the first heading


def _csv(mapping: FileMapping, text: io.TextIOWrapper) -> Iterator[Line | Reject]:
    csv.field_size_limit(MAX_LINE)
    reader = csv.reader(text, delimiter=mapping.delimiter, strict=True)
    try:
        heading = [name.strip() for name in next(reader)]
    except StopIteration:
        heading = []
    except csv.Error as error:
        raise _unreadable(mapping, f"the heading cannot be read: {error}", "check `delimiter`") from error
    _check_heading(mapping, heading)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Reject(number, "", "", f"the line cannot be read: {error}.", "Close the quotes it opens.")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(heading):
            message = f"it has {len(cells)} cells, the heading has {len(heading)}."
            yield Reject(
                number, "", mapping.delimiter.join(cells), message, "Quote cells that hold the delimiter."
            )
        elif (bad := next((n for n, c in zip(heading, cells, strict=True) if _broken(c)), None)) is not None:
            cell = cells[heading.index(bad)]
            message = f"it has characters that are not {mapping.encoding}."
            yield Reject(number, bad, cell, message, "Set `encoding` in the mapping.")
        else:
            yield Line(number, dict(zip(heading, cells, strict=True)))


def _broken(cell: str) -> bool:
    return "�" in cell or "\x00" in cell


def _check_heading(mapping: FileMapping, heading: Sequence[str]) -> None:
    twice = sorted({name for name in heading if heading.count(name) > 1})
    if twice:
        raise _unreadable(mapping, f"the file has two columns `{twice[0]}`", "rename one of them")
    asked = [(name, value.span) for value in mapping.values() for name in value.columns]
    asked += [(name, row.span) for row in mapping.rows for name in row.when]
    problems = []
    for name, span in asked:
        if name not in heading:
            advice = did_you_mean(name, heading, of="columns")
            problems.append(Problem("unknown-column", f"the file has no column `{name}`", span, advice))
    if problems:
        raise FileUnreadable(problems)


def _unreadable(mapping: FileMapping, message: str, advice: str) -> FileUnreadable:
    return FileUnreadable([Problem("file-unreadable", message, mapping.rows[0].span, advice)])


def _ndjson(text: io.TextIOWrapper) -> Iterator[Line | Reject]:
    for number, line in enumerate(text, start=1):
        if not line.strip():
            continue
        try:
            said = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
        except (ValueError, RecursionError) as error:
            yield Reject(number, "", line.strip(), f"it is not JSON: {error}.", "Write one object a line.")
            continue
        if not isinstance(said, dict):
            yield Reject(number, "", line.strip(), "it is not a JSON object.", "Write one object a line.")
            continue
        yield Line(number, {name: _cell(value) for name, value in said.items()})


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)
