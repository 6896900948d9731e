"""The operator's own control figures: how many of a kind, and their sum, by currency, period and account.

A control file is CSV with the columns `kind`, `currency`, `period`, `account`, `count`, `sum`, in any order;
`kind` and one of `count` and `sum` are needed, an empty cell means: all. A mapping may have the same as
`control`. A period is a year, a month, a day, or `2026-01-01..2026-03-31`; it is about value dates.
"""

from __future__ import annotations

import csv
import io
import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from api.importer.targets import TARGETS
from engine.policy import Loaded
from engine.source import Problem, Span, has_errors
from engine.text import Node, Reader, ScalarNode, did_you_mean

NEEDED, MAY = ("kind",), ("currency", "period", "account", "count", "sum")
_PERIOD = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Period:
    """Value dates from `first` to `last`, both of them in it."""

    text: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the operator."""

    kind: str
    currency: str
    period: Period | None
    account: str
    count: int | None
    sum: Decimal | None
    span: Span

    def __str__(self) -> str:
        period = self.period.text if self.period else ""
        return " ".join(part for part in (self.kind, self.currency, period, self.account) if part)


def read_period(text: str) -> Period | None:
    """Read `2026`, `2026-01`, `2026-01-31` or `2026-01-01..2026-03-31`; None if it is none of them."""
    first, dots, last = text.partition("..")
    try:
        begin, end = _span(first), _span(last) if dots else None
    except ValueError:
        return None
    if begin is None or (dots and end is None):
        return None
    days = (begin[0], end[1] if end else begin[1])
    return Period(text, *days) if days[0] <= days[1] else None


def _span(text: str) -> tuple[date, date] | None:
    found = _PERIOD.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day = int(found[1]), int(found[2] or 0), int(found[3] or 0)
    if day:
        return date(year, month, day), date(year, month, day)
    if month:
        return date(year, month, 1), date(year, month, monthrange(year, month)[1])
    return date(year, 1, 1), date(year, 12, 31)


def figure_of_node(reader: Reader, node: Node) -> Figure | None:
    """Read one figure that stands in a mapping."""
    fields = reader.fields(node, "a control figure", NEEDED, MAY)
    if fields is None:
        return None
    cells = {key: value.text for key, value in fields.items() if isinstance(value, ScalarNode)}
    spans = {key: value.inner for key, value in fields.items() if isinstance(value, ScalarNode)}
    found, problems = _figure(cells, spans, node.span)
    reader.take(problems)
    return found


def load_control(data: bytes, file: str) -> Loaded[tuple[Figure, ...]]:
    """Read a control file; everything that is wrong is named with its line and column."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        message = "the control file is not UTF-8"
        return Loaded(None, (Problem("not-utf-8", message, Span(file, line, 1), "save it as UTF-8"),))
    rows = list(csv.reader(io.StringIO(text), strict=False))
    heading = [name.strip() for name in rows[0]] if rows else []
    problems = _check_heading(heading, Span(file, 1, 1))
    figures: list[Figure] = []
    for number, row in enumerate(rows[1:] if not problems else (), start=2):
        if not any(cell.strip() for cell in row):
            continue
        spans = {name: Span(file, number, 1, cell=f"column {name}") for name in heading}
        if len(row) != len(heading):
            message = f"the line has {len(row)} cells, the heading has {len(heading)}"
            advice = "quote cells that hold a comma"
            problems.append(Problem("wrong-width", message, Span(file, number, 1), advice))
            continue
        cells = {name: cell.strip() for name, cell in zip(heading, row, strict=True)}
        found, wrong = _figure(cells, spans, Span(file, number, 1))
        problems += wrong
        figures += [found] if found else []
    return Loaded(None if has_errors(problems) else tuple(figures), tuple(problems))


def _check_heading(heading: Sequence[str], span: Span) -> list[Problem]:
    problems = []
    for name in heading:
        if name not in (*NEEDED, *MAY):
            advice = did_you_mean(name, (*NEEDED, *MAY), of="columns of a control file")
            problems.append(
                Problem("unknown-column", f"`{name}` is no column of a control file", span, advice)
            )
    if twice := sorted({name for name in heading if heading.count(name) > 1}):
        problems.append(Problem("column-twice", f"there are two columns `{twice[0]}`", span, "remove one"))
    if "kind" not in heading:
        advice = "begin with `kind,currency,period,count,sum`"
        problems.append(Problem("missing-column", "there is no column `kind`", span, advice))
    return problems


def _figure(
    cells: Mapping[str, str], spans: Mapping[str, Span], whole: Span
) -> tuple[Figure | None, list[Problem]]:  # fmt: skip
    problems: list[Problem] = []

    def wrong(name: str, message: str, advice: str) -> None:
        problems.append(Problem("control-unclear", message, spans.get(name, whole), advice))

    kind, currency = cells.get("kind", ""), cells.get("currency", "")
    if kind not in TARGETS:
        wrong("kind", f"`{kind}` is nothing that a line can become", did_you_mean(kind, TARGETS, of="kinds"))
    if currency and not _CURRENCY.fullmatch(currency):
        wrong("currency", f"`{currency}` is no currency", "write a code of ISO 4217, as in `EUR`")
    said = cells.get("period", "")
    period = read_period(said) if said else None
    if said and period is None:
        wrong("period", f"`{said}` is no period", "write `2026`, `2026-01` or `2026-01-01..2026-03-31`")
    count, total = _number(cells.get("count", "")), _number(cells.get("sum", ""))
    for name, value in (("count", count), ("sum", total)):
        if cells.get(name) and value is None:
            wrong(name, f"`{cells[name]}` is not a number", "write digits with a decimal point: `1234.50`")
    if count is not None and count != int(count):
        wrong("count", f"`{cells['count']}` is not a whole number", "write digits only")
    if not cells.get("count") and not cells.get("sum"):
        wrong("count", "the figure says neither `count` nor `sum`", "write at least one of them")
    if total is not None and "amount" not in getattr(TARGETS.get(kind), "fields", ("amount",)):
        wrong("sum", f"{article(kind)} {kind} has no amount that could be summed", "leave `sum` empty")
    if problems:
        return None, problems
    counted = None if count is None else int(count)
    return Figure(kind, currency, period, cells.get("account", ""), counted, total, whole), problems


def article(noun: str) -> str:
    """Return `an` before a vowel."""
    return "an" if noun[:1] in "aeiou" else "a"


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and "_" not in text else None
