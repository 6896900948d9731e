"""What came of timelines: each expectation that failed, and the story of its case as a dated list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from engine.source import Problem, Severity, Span, has_errors, render_problem


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that was expected and did not come: lines divided by newlines."""

    span: Span
    what: str
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one timeline went."""

    name: str
    span: Span
    mismatches: tuple[Mismatch, ...]
    story: tuple[tuple[datetime, str], ...]
    """What happened, by local instant."""

    @property
    def ok(self) -> bool:
        """Tell whether everything that was expected came."""
        return not self.mismatches


@dataclass(frozen=True, slots=True)
class TimelineReport:
    """How all timelines of a file went; with problems in the file none was run."""

    policy: str
    file: str
    results: tuple[CaseResult, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        """The cases in which something else happened."""
        return tuple(result for result in self.results if not result.ok)

    @property
    def ok(self) -> bool:
        """Tell whether the file could be read and every case went as expected."""
        return not self.failed and not has_errors(self.problems)


def render_report(report: TimelineReport, sources: Mapping[str, str] | None = None) -> str:
    """Return a report as text: problems, failed cases with their stories, and one line of counts."""
    parts = [render_problem(problem, sources or {}) for problem in report.problems]
    parts += [_render_case(result) for result in report.failed]
    passed = len(report.results) - len(report.failed)
    counts = f"{report.policy}: {passed} of {len(report.results)} timelines passed"
    errors = sum(problem.severity is Severity.ERROR for problem in report.problems)
    parts.append(f"{counts}; {errors} problems in {report.file}" if errors else f"{counts} ({report.file})")
    return "\n\n".join(parts)


def _render_case(result: CaseResult) -> str:
    lines = [f"FAILED {result.name}", f"  --> {result.span}"]
    for found in result.mismatches:
        lines.append(f"  {found.what} ({found.span})")
        lines += _block("expected", found.expected)
        lines += _block("got", found.got)
    lines.append("  what happened:")
    lines += [f"    {at:%Y-%m-%d %a %H:%M}  {text}" for at, text in result.story]
    return "\n".join(lines)


def _block(title: str, text: str) -> list[str]:
    first, *rest = text.split("\n")
    return [f"    {title + ':':<10}{first}", *(f"    {'':<10}{line}" for line in rest)]
