"""Rows out of a body that comes in parts: NDJSON, or CSV with the names of fields in its first line.

At most one row is held that is not complete, and none may be longer than a body of its own could be.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from api.rest.strict_json import BadJson, loads
from engine.text import did_you_mean

NDJSON, CSV = "application/x-ndjson", "text/csv"
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as it was read, or why it cannot be; `line` is where it begins, from 1.

    What is said of a row that cannot be read tells only which one it is.
    """

    line: int
    said: Any = None
    wrong: BadJson | None = None


class RowReader(Protocol):
    """Takes a body in parts."""

    def feed(self, part: bytes) -> Iterator[RawRow]:
        """Give the rows that are complete with this part."""

    def end(self) -> Iterator[RawRow]:
        """Give what was left when the body ended."""


def reader_of(media: str, longest: int) -> RowReader:
    """Return the reader for a type of body; rows may have up to `longest` bytes."""
    return CsvReader(longest) if media == CSV else NdjsonReader(longest)


class _Lines:
    """Cuts parts into lines, each with its number; a line that is too long comes as None."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._rest = bytearray()
        self._number = 0
        self._skips = False

    def feed(self, part: bytes) -> Iterator[tuple[int, bytes | None]]:
        first, *more = part.split(b"\n")
        self._add(first)
        for piece in more:
            yield self._take()
            self._add(piece)

    def end(self) -> Iterator[tuple[int, bytes | None]]:
        if self._rest or self._skips:
            yield self._take()

    def _add(self, piece: bytes) -> None:
        self._rest += piece
        if len(self._rest) > self._longest:
            self._rest.clear()
            self._skips = True

    def _take(self) -> tuple[int, bytes | None]:
        self._number += 1
        line = None if self._skips else bytes(self._rest)
        self._rest.clear()
        self._skips = False
        return self._number, line


class NdjsonReader:
    """One JSON object a line; blank lines say nothing."""

    def __init__(self, longest: int) -> None:
        self._lines, self._longest = _Lines(longest), longest

    def feed(self, part: bytes) -> Iterator[RawRow]:
        """Give the rows that are complete with this part."""
        for number, line in self._lines.feed(part):
            yield from self._row(number, line)

    def end(self) -> Iterator[RawRow]:
        """Give the last row, if no end of line followed it."""
        for number, line in self._lines.end():
            yield from self._row(number, line)

    def _row(self, number: int, line: bytes | None) -> Iterator[RawRow]:
        if line is None:
            yield _too_long(number, self._longest)
        elif line.strip():
            try:
                yield RawRow(number, loads(line))
            except BadJson as error:
                yield RawRow(number, error.said, error)


class CsvReader:
    """RFC 4180 in UTF-8, with a header; commas, or semicolons if the header has no comma.

    An empty cell says nothing. A cell that begins with `[` or `{` is JSON; a fact's value may be a truth
    value or a whole number, all else is text. `facts.name` is a fact of a customer.
    """

    def __init__(self, longest: int) -> None:
        self._lines, self._longest = _Lines(longest), longest
        self._record: list[str] = []
        self._size = 0
        self._from = 1
        self._names: list[str] = []
        self._comma = ","

    def feed(self, part: bytes) -> Iterator[RawRow]:
        """Give the rows that are complete with this part; raises BadJson for a header that cannot be."""
        for number, line in self._lines.feed(part):
            yield from self._take(number, line)

    def end(self) -> Iterator[RawRow]:
        """Give the last row; one whose quotes are not closed is refused."""
        for number, line in self._lines.end():
            yield from self._take(number, line)
        if self._record:
            self._record = []
            yield _wrong(self._from, "a quoted cell is not closed before the end of the body")

    def _take(self, number: int, line: bytes | None) -> Iterator[RawRow]:
        if not self._record:
            self._from = number
        try:
            text = "" if line is None else line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            self._record = []
            yield _wrong(number, f"the line is not UTF-8: byte {error.start} cannot be read")
            return
        self._record.append(text)
        self._size = sum(map(len, self._record)) if len(self._record) > 1 else len(text)
        if line is None or self._size > self._longest:
            self._record = []
            yield _too_long(self._from, self._longest)
            return
        whole = "\n".join(self._record)
        if whole.count('"') % 2:
            return  # a quoted cell goes on in the next line
        self._record = []
        if whole.strip():
            yield from self._row(whole.removesuffix("\r"))

    def _row(self, text: str) -> Iterator[RawRow]:
        if not self._names:
            self._comma = ";" if ";" in text and "," not in text else ","
        try:
            (cells,) = csv.reader([text], strict=True, delimiter=self._comma) if "\n" not in text else [
                next(csv.reader(text.splitlines(keepends=True), strict=True, delimiter=self._comma))
            ]  # fmt: skip
        except csv.Error as error:
            if not self._names:
                raise BadJson("malformed-body", f"The header is not CSV: {error}.") from error
            yield _wrong(self._from, f"the row is not CSV: {error}")
            return
        if not self._names:
            self._names = _header(cells)
        elif len(cells) > len(self._names):
            why = f"it has {len(cells)} cells, the header has {len(self._names)}"
            yield replace(_wrong(self._from, why), said=dict(zip(self._names, cells, strict=False)))
        else:
            yield self._said(cells)

    def _said(self, cells: list[str]) -> RawRow:
        said: dict[str, Any] = {}
        for name, cell in zip(self._names, cells, strict=False):
            if cell == "":
                continue
            try:
                value = _value(name, cell)
            except BadJson as error:
                said = dict(zip(self._names, cells, strict=False))
                return RawRow(self._from, said, BadJson(error.slug, error.detail, f"/{name}"))
            outer, _, inner = name.partition(".")
            if inner:
                said.setdefault(outer, {})[inner] = value
            else:
                said[name] = value
        return RawRow(self._from, said)


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if "" in names:
        raise BadJson("malformed-body", f"The header's column {names.index('') + 1} has no name.")
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise BadJson("malformed-body", f"The header has the column `{twice[:60]}` twice.")
    known = ("kind", "id", "account", "customer", "value_date")
    if "id" not in names:
        near = next((n for n in names if n.lower() == "id"), names[0])
        advice = did_you_mean(near, known, of="columns are, among others")
        raise BadJson("malformed-body", f"The first line must name the columns, `id` among them; {advice}")
    return names


def _value(name: str, cell: str) -> Any:
    if cell[0] in "[{":
        return loads(cell.encode())
    if name == "value" or name.startswith("facts."):
        if cell in ("true", "false"):
            return cell == "true"
        if _WHOLE.fullmatch(cell):
            return int(cell)
    if "\x00" in cell:
        raise BadJson("malformed-body", "The text has a NUL character.")
    return cell


def _too_long(line: int, longest: int) -> RawRow:
    return _wrong(line, f"the row has more than {longest:,} bytes")


def _wrong(line: int, why: str) -> RawRow:
    return RawRow(line, wrong=BadJson("malformed-body", f"{why[0].upper()}{why[1:]}."))
