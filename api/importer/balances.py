"""The operator's own balances, account by account or as totals, held against the ledger as it stands.

A file is CSV with the columns `account`, `currency` and any of `open`, `not_due`, `days_1_30`, `days_31_60`,
`days_61_90`, `over_90`, `overdue`, `disputed`, `written_off`, `credit`, in any order. A line without an
account is the total of a currency. An empty cell says nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from engine.ledger.ageing import FIGURES, AgedBalance
from engine.policy import Loaded
from engine.source import Problem, Span, has_errors
from engine.text import did_you_mean

KEYS = ("account", "currency")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Stated:
    """What the operator says of an account, or (empty account) of a currency."""

    line: int
    account: str
    currency: str
    figures: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger says of an account."""

    account: str
    currency: str
    balance: AgedBalance


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of an account or a total that is not the same."""

    account: str
    currency: str
    figure: str
    stated: Decimal | None
    ledger: Decimal | None
    line: int = 0
    """Line of the operator's file; 0: the account is not in it."""

    def __str__(self) -> str:
        who = f"account {self.account}" if self.account else "total"
        where = f" (line {self.line})" if self.line else ""
        if self.stated is None:
            return f"{who} {self.currency}: {self.figure} {self.ledger} here, not in the control{where}"
        if self.ledger is None:
            return f"{who} {self.currency}: {self.figure} {self.stated} in the control, not here{where}"
        off = self.ledger - self.stated
        return (
            f"{who} {self.currency}: {self.figure} {self.ledger} of {self.stated}, differs by {off:+}{where}"
        )


@dataclass
class Reconciliation:
    """What was held against what, and every difference, by account."""

    accounts: int = 0
    agreed: int = 0
    """Figures that are the same."""
    totals: dict[str, AgedBalance] = field(default_factory=dict)
    """What the ledger adds up to, by currency."""
    differences: list[Difference] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Tell whether the ledger says what the operator says."""
        return not self.differences


def load_balances(data: bytes, file: str) -> Loaded[tuple[Stated, ...]]:
    """Read the operator's balances; everything that is wrong is named with its line and column."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        problem = Problem("not-utf-8", "the file is not UTF-8", Span(file, line, 1), "save it as UTF-8")
        return Loaded(None, (problem,))
    rows = list(csv.reader(io.StringIO(text)))
    heading = [name.strip() for name in rows[0]] if rows else []
    problems = list(_check_heading(heading, Span(file, 1, 1)))
    found: list[Stated] = []
    seen: dict[tuple[str, str], int] = {}
    for number, row in enumerate(rows[1:] if not problems else (), start=2):
        if not any(cell.strip() for cell in row):
            continue
        stated, wrong = _stated(heading, row, Span(file, number, 1))
        problems += wrong
        if stated is None:
            continue
        key = (stated.account, stated.currency)
        if key in seen:
            message = f"the line says anew what line {seen[key]} says"
            problems.append(Problem("stated-twice", message, Span(file, number, 1), "keep one of them"))
        seen[key] = number
        found.append(stated)
    return Loaded(None if has_errors(problems) else tuple(found), tuple(problems))


def _check_heading(heading: Sequence[str], span: Span) -> Iterator[Problem]:
    known = (*KEYS, *FIGURES)
    for name in heading:
        if name not in known:
            advice = did_you_mean(name, known, of="columns of balances")
            yield Problem("unknown-column", f"`{name}` is no column of balances", span, advice)
    if twice := sorted({name for name in heading if heading.count(name) > 1}):
        yield Problem("column-twice", f"there are two columns `{twice[0]}`", span, "remove one")
    if "currency" not in heading or not set(heading) & set(FIGURES):
        yield Problem(
            "missing-column", "there is no `currency`, or no amount", span,
            "begin with `account,currency,open,overdue`",
        )  # fmt: skip


def _stated(heading: Sequence[str], row: Sequence[str], span: Span) -> tuple[Stated | None, list[Problem]]:
    if len(row) != len(heading):
        message = f"the line has {len(row)} cells, the heading has {len(heading)}"
        return None, [Problem("wrong-width", message, span, "quote cells that hold a comma")]
    cells = {name: cell.strip() for name, cell in zip(heading, row, strict=True)}
    problems: list[Problem] = []
    figures: dict[str, Decimal] = {}
    for name in FIGURES:
        if not (text := cells.get(name, "")):
            continue
        place = Span(span.file, span.line, 1, cell=f"column {name}")
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite() and "_" not in text:
            figures[name] = number
        else:
            advice = "write digits with a decimal point: `1234.50`"
            problems.append(Problem("not-a-number", f"`{text}` is not a number", place, advice))
    if not cells["currency"]:
        place = Span(span.file, span.line, 1, cell="column currency")
        problems.append(Problem("missing-currency", "the line has no currency", place, "write it: `EUR`"))
    if problems:
        return None, problems
    return Stated(span.line, cells.get("account", ""), cells["currency"], figures), []


def reconcile(stated: Iterable[Stated], standing: Iterable[Standing]) -> Reconciliation:
    """Hold what the operator states against the ledger, in one pass over its accounts."""
    found = Reconciliation()
    by_account = {(one.account, one.currency): one for one in stated if one.account}
    totals = [one for one in stated if not one.account]
    left = dict(by_account)
    sums: dict[str, dict[str, Decimal]] = {}
    for one in standing:
        found.accounts += 1
        mine = sums.setdefault(one.currency, dict.fromkeys(FIGURES, ZERO))
        for name in FIGURES:
            mine[name] += getattr(one.balance, name)
        said = left.pop((one.account, one.currency), None)
        if said is not None:
            _compare(found, said, one.account, one.balance)
        elif by_account and (one.balance.open or one.balance.credit):
            name = "open" if one.balance.open else "credit"
            amount = getattr(one.balance, name)
            found.differences.append(Difference(one.account, one.currency, name, None, amount))
    for gone in left.values():
        for name, amount in gone.figures.items():
            if amount:
                missing = Difference(gone.account, gone.currency, name, amount, None, gone.line)
                found.differences.append(missing)
    found.totals = {currency: AgedBalance(**figures) for currency, figures in sorted(sums.items())}
    for total in totals:
        _compare(found, total, "", found.totals.get(total.currency, AgedBalance()))
    found.differences.sort(key=lambda one: (one.account != "", one.currency, one.account))
    return found


def _compare(found: Reconciliation, said: Stated, account: str, balance: AgedBalance) -> None:
    for name, amount in said.figures.items():
        got: Decimal = getattr(balance, name)
        if got == amount:
            found.agreed += 1
        else:
            found.differences.append(Difference(account, said.currency, name, amount, got, said.line))
