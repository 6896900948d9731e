"""The UCI file "default of credit card clients" as rows: statuses and amounts month by month."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MONTHS = 6
"""April to September 2005; index 0 is April."""
PAY = tuple(f"PAY_{n}" for n in (6, 5, 4, 3, 2, 0))
BILL_AMT = tuple(f"BILL_AMT{n}" for n in range(6, 0, -1))
PAY_AMT = tuple(f"PAY_AMT{n}" for n in range(6, 0, -1))
OUTCOME = "default payment next month"
NEEDED = ("ID", "LIMIT_BAL", *PAY, *BILL_AMT, *PAY_AMT, OUTCOME)


class UciFileError(ValueError):
    """The file is not the one that was meant, or a row of it cannot be read."""


@dataclass(frozen=True, slots=True)
class UciCustomer:
    """One customer: amounts in whole New Taiwan dollars, months from April to September 2005."""

    number: int
    limit: int
    status: tuple[int, ...]
    """Repayment status at the end of each month: n months late; 0 and below: not late."""
    billed: tuple[int, ...]
    """Statement balance at the end of each month."""
    paid: tuple[int, ...]
    """Paid during each month, towards the statement of the month before."""
    defaulted: bool
    """What happened in October 2005: never a fact, only what a grade is measured against."""

    @property
    def customer(self) -> str:
        """The customer's id in the ledger."""
        return f"U{self.number}"

    @property
    def worst(self) -> int:
        """The worst status of the six months, at least 0."""
        return max(0, *self.status)

    def facts(self) -> dict[str, int]:
        """Return the facts by their names in the policy; month 1 is September, month 6 is April."""
        named = {"limit_bal": self.limit}
        for n in range(1, MONTHS + 1):
            month = MONTHS - n
            named[f"pay_{n}"] = self.status[month]
            named[f"bill_amt_{n}"] = self.billed[month]
            named[f"pay_amt_{n}"] = self.paid[month]
        return named


LONGEST_VALUE = 1_000
"""Letters of one value. Python's own limit is one for the whole process, and others set it."""


def read_uci(path: Path) -> list[UciCustomer]:
    """Read the file, plain or gzipped; raise UciFileError with the line and column that is wrong."""
    data = unpacked(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UciFileError(
            f"`{path}` is not text in UTF-8. Give the CSV export of the UCI workbook (plain or gzipped)."
        ) from error
    return list(_rows(path, text))


def unpacked(path: Path) -> bytes:
    """Return the bytes of a file, unpacked if it is gzipped; raise UciFileError if it cannot be."""
    data = path.read_bytes()
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise UciFileError(f"`{path}` starts like a gzip file but cannot be unpacked: {error}.") from error


def _rows(path: Path, text: str) -> Iterator[UciCustomer]:
    reader = csv.reader(io.StringIO(text, newline=""))
    rows = _read(path, reader)
    header = next(rows, [])
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise UciFileError(
            f"`{path}` has no column `{missing[0]}`. `--data` reads the UCI file "
            '"default of credit card clients" (data set 350) as CSV; see fixtures/mappings/uci-default.yaml.'
        )
    at = {name: header.index(name) for name in NEEDED}
    seen: set[int] = set()
    for row in rows:
        number = _whole(path, reader.line_num, row, at, "ID")
        if number in seen:
            raise UciFileError(f"`{path}` line {reader.line_num}: `ID` {number} stands there twice.")
        seen.add(number)
        yield _customer(path, reader.line_num, row, at, number)
    if not seen:
        raise UciFileError(f"`{path}` has a header and no customers.")


def _read(path: Path, rows: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        for row in rows:
            if any(len(value) > LONGEST_VALUE for value in row):
                raise csv.Error(f"a value of over {LONGEST_VALUE:,} letters")
            yield row
    except csv.Error as error:
        raise UciFileError(f"`{path}` cannot be read as CSV: {error}. Is a quote left open?") from error


def _customer(path: Path, line: int, row: list[str], at: dict[str, int], number: int) -> UciCustomer:
    def whole(names: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(_whole(path, line, row, at, name) for name in names)

    return UciCustomer(
        number=number,
        limit=_whole(path, line, row, at, "LIMIT_BAL"),
        status=whole(PAY),
        billed=whole(BILL_AMT),
        paid=whole(PAY_AMT),
        defaulted=_whole(path, line, row, at, OUTCOME) == 1,
    )


def _whole(path: Path, line: int, row: list[str], at: dict[str, int], name: str) -> int:
    text = row[at[name]] if at[name] < len(row) else ""
    try:
        return int(text)
    except ValueError:
        raise UciFileError(
            f"`{path}` line {line}, column `{name}`: `{text}` is not a whole number."
        ) from None
