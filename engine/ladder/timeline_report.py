"""What came of timelines: each expectation that failed, and the story of its case as a dated list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher

from engine.source import Problem, Severity, Span, excerpt, has_errors, render_problem


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that was expected and did not come."""

    span: Span
    what: str
    expected: tuple[str, ...]
    got: tuple[str, ...]
    why: tuple[str, ...] = ()
    """Why it did not come, in the words of the ladder."""
    listed: bool = False
    """Both are lists in an order that matters: what is missing and what came besides is marked."""

    @property
    def told(self) -> str:
        """All of it in one line."""
        why = f" ({'; '.join(self.why)})" if self.why else ""
        return f"{self.what}: expected {', '.join(self.expected)}, got {', '.join(self.got)}{why}"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one timeline went."""

    name: str
    span: Span
    mismatches: tuple[Mismatch, ...]
    story: tuple[tuple[datetime, str], ...]
    """What happened, by local instant."""
    walked: frozenset[tuple[str, str]] = frozenset()
    """The ladder and step of each row that it takes."""

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
    parts += ["\n".join(_case(result, sources or {})) for result in report.failed]
    passed = len(report.results) - len(report.failed)
    errors = sum(problem.severity is Severity.ERROR for problem in report.problems)
    if errors:
        mistakes = "1 mistake" if errors == 1 else f"{errors} mistakes"
        parts.append(f"{report.policy}: no timeline was played, because {report.file} has {mistakes}")
    else:
        parts.append(f"{report.policy}: {passed} of {len(report.results)} timelines passed ({report.file})")
    return "\n\n".join(parts)


def _case(result: CaseResult, sources: Mapping[str, str]) -> Iterator[str]:
    yield f"FAILED {result.name}"
    yield f"  --> {result.span}"
    for found in result.mismatches:
        yield f"  {found.what} ({found.span})"
        yield from (f"  {line}" for line in excerpt(found.span, sources))
        if found.listed and len(found.expected) + len(found.got) > 2:
            yield from _compared(found.expected, found.got)
        else:
            yield from _block("expected", found.expected)
            yield from _block("got", found.got)
        yield from _block("because", found.why)
    yield "  what happened:"
    yield from (f"    {at:%Y-%m-%d %a %H:%M}  {text}" for at, text in result.story)


def _compared(expected: tuple[str, ...], got: tuple[str, ...]) -> Iterator[str]:
    for tag, a, b, c, d in SequenceMatcher(None, expected, got, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from _block("as expected", expected[a:b])
        else:
            yield from _block("missing", expected[a:b])
            yield from _block("came instead" if tag == "replace" else "unexpected", got[c:d])


def _block(title: str, lines: tuple[str, ...]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"    {(title + ':') if number == 0 else '':<14}{line}"
