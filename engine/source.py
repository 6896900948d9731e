"""Where something was read, and what is wrong with it: author mistakes as collected values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final
from unicodedata import east_asian_width

WIDTH: Final = 160
"""Characters of a line that an excerpt shows at most; a whole model may stand on one line."""
BEFORE: Final = 60
"""How many of them stand before the place that is meant."""
CUT: Final = "..."


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in an author's text: file, line and column from 1, and the table cell if there is one."""

    file: str
    line: int
    column: int
    length: int = 1
    cell: str = ""
    """For a table cell: `row 3, column score`; for a spreadsheet: `Sheet1!B4`."""

    def shifted(self, offset: int, length: int = 1) -> Span:
        """Return the place `offset` characters to the right on the same line."""
        return Span(self.file, self.line, self.column + offset, length, self.cell)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}"
        return f"{place} ({self.cell})" if self.cell else place


class Severity(StrEnum):
    """How bad a problem is: an error stops a release, a warning and an info do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    """Nothing is wrong; something is said that must not be taken for granted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing an author got wrong: what was read in backticks, why, and what to do."""

    code: str
    """Stable name of the kind of mistake, in kebab case: `unknown-fact`."""
    message: str
    span: Span
    advice: str = ""
    severity: Severity = Severity.ERROR
    related: tuple[tuple[str, Span], ...] = ()
    """Other places that matter, each with its own short sentence."""


def has_errors(problems: Iterable[Problem]) -> bool:
    """Tell whether any of the problems stops a release."""
    return any(p.severity is Severity.ERROR for p in problems)


def sort_problems(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return problems in reading order, each once."""
    return tuple(sorted(set(problems), key=lambda p: (p.span, p.severity, p.code, p.message)))


def render_problem(problem: Problem, sources: Mapping[str, str]) -> str:
    """Return the problem as text: what, where, the source line with a marker, and what to do."""
    lines = [f"{problem.severity}[{problem.code}]: {problem.message}", f"  --> {problem.span}"]
    lines += excerpt(problem.span, sources)
    for note, span in problem.related:
        lines += [f"  ... {note}: {span}", *excerpt(span, sources)]
    if problem.advice:
        lines.append(f"  advice: {problem.advice}")
    return "\n".join(lines)


def excerpt(span: Span, sources: Mapping[str, str]) -> list[str]:
    """Return the source line of a place with a marker below it; nothing where the text is not given."""
    text = _lines(sources.get(span.file, ""))
    if not 1 <= span.line <= len(text):
        return []
    line, column = _window(text[span.line - 1], span.column - 1)
    gutter = " " * len(str(span.line))
    before, marked = line[:column], line[column:][: max(1, span.length)]
    return [
        f"  {gutter} |",
        f"  {span.line} | {line}",
        f"  {gutter} | {_padding(before, ' ')}{_padding(marked, '^') or '^'}",
    ]


@lru_cache(maxsize=4)
def _lines(text: str) -> list[str]:
    return text.splitlines()


def _window(line: str, column: int) -> tuple[str, int]:
    """Return the part of a line around a column, marked where it is cut, and the column in that part."""
    start = max(0, min(column - BEFORE, len(line) - WIDTH))
    part = "".join(char if char.isprintable() else " " for char in line[start : start + WIDTH])
    head, tail = CUT if start else "", CUT if start + WIDTH < len(line) else ""
    return f"{head}{part}{tail}", column - start + len(head)


def _padding(text: str, sign: str) -> str:
    """Return as many signs as a text takes columns: wide characters, as of Chinese, take two."""
    return "".join(sign * (2 if east_asian_width(char) in "WF" else 1) for char in text)
