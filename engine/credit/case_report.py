"""What became of the cases beside a policy, as values and as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from engine.credit.decision import Decision
from engine.credit.model import CreditPolicy, DecisionDefinition, DecisionTable, Rule, Scorecard
from engine.credit.order import names_in
from engine.source import Problem, Span, excerpt, has_errors, render_problem

Machine = Literal["interpreted", "compiled"]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One expectation that was not met, as texts."""

    name: str
    expected: str
    got: str
    span: Span
    machine: Machine


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case: its sentence, whether it holds, and if not, what came out and why."""

    case: str
    span: Span
    mismatches: tuple[Mismatch, ...] = ()
    error: str = ""
    """The policy gave no decision at all, and this is why."""
    decision: Decision | None = None
    because: tuple[str, ...] = ()
    """The rows that decided, of a case that does not hold."""

    @property
    def passed(self) -> bool:
        """Tell whether the case holds."""
        return not self.mismatches and not self.error


@dataclass(frozen=True, slots=True)
class CaseReport:
    """All cases of one file."""

    policy: str
    file: str
    results: tuple[CaseResult, ...]
    problems: tuple[Problem, ...] = ()
    """What is wrong with the file itself."""

    @property
    def passed(self) -> bool:
        """Tell whether the file can be read and every case holds."""
        return not has_errors(self.problems) and all(result.passed for result in self.results)

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        """The cases that do not hold."""
        return tuple(result for result in self.results if not result.passed)


def render_report(report: CaseReport, sources: Mapping[str, str] | None = None) -> str:
    """Return a report as text: a line if all is well, else each failed case with what decided it."""
    lines = [render_problem(problem, sources or {}) for problem in report.problems]
    for result in report.failed:
        lines += _rendered(result, sources or {})
    if has_errors(report.problems):
        files = sorted({problem.span.file for problem in report.problems if has_errors([problem])})
        wrong = f"{' and '.join(files)} {'has' if len(files) == 1 else 'have'} mistakes"
        return "\n".join([*lines, f"{report.policy}: no case was run, because {wrong}"])
    held = len(report.results) - len(report.failed)
    lines.append(f"{report.policy}: {held} of {len(report.results)} cases hold ({report.file})")
    return "\n".join(lines)


def _rendered(result: CaseResult, sources: Mapping[str, str]) -> Iterator[str]:
    yield f"FAILED {result.case}"
    yield f"  --> {result.span}"
    if not result.mismatches:
        yield from excerpt(result.span, sources)
    for mismatch in result.mismatches:
        suffix = "" if mismatch.machine == "interpreted" else f" ({mismatch.machine})"
        yield f"  {mismatch.name}: expected {mismatch.expected}, got {mismatch.got}{suffix}"
        yield from excerpt(mismatch.span, sources)
    if result.error:
        yield f"  {result.error}"
    if result.because:
        yield "  because"
        yield from (f"    {line}" for line in result.because)


def because(policy: CreditPolicy, decision: Decision, names: set[str]) -> tuple[str, ...]:
    """Return the rows that decided the named results: each decision they rest on, with what it read."""
    wanted = _resting_on(policy, names)
    lines: list[str] = []
    for trace in decision.trace:
        if trace.decision not in wanted:
            continue
        lines.append(f"{trace.decision} = {_shown(trace.value)}")
        definition = policy.decisions[trace.decision]
        numbers = {row.row for row in trace.rows if row.matched}
        lines += [f"  {line}" for line in _rows(definition, numbers)]
        if trace.rows and not numbers:
            lines.append("  no row matched")
            lines += [f"  row {row.row} (line {row.line}): {row.because}" for row in trace.rows[:12]]
        reads = ", ".join(f"{name} {_shown(value)}" for name, value in trace.reads.items())
        lines.append(f"  it read {reads}" if reads else "  it read nothing")
    return tuple(lines)


def _resting_on(policy: CreditPolicy, names: set[str]) -> set[str]:
    """Return the decisions that some results of the policy rest on, directly or not."""
    sources = [item.expression for item in policy.outcome if item.name in names]
    sources += [policy.status] if "status" in names and policy.status else []
    if names & {"reasons", "principal"}:
        sources += [policy.told] if policy.told else []
        names = names | set(policy.decisions)
    waiting = {name for source in sources for name, _ in names_in(source)} | (names & set(policy.decisions))
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in policy.decisions and name not in found:
            found.add(name)
            waiting |= set(policy.reads[name])
    return found


def _rows(definition: DecisionDefinition, numbers: set[int]) -> Iterator[str]:
    if isinstance(definition, DecisionTable):
        for rule in definition.rules:
            if rule.number in numbers:
                yield f"row {rule.number} (line {rule.line}): {_rule_text(definition, rule)}"
    elif isinstance(definition, Scorecard):
        for part in definition.characteristics:
            for bin_ in part.bins:
                if bin_.number in numbers:
                    cell = f"{part.expression.text} {bin_.tests.text} -> {bin_.points} {bin_.reason}"
                    yield f"row {bin_.number} (line {bin_.line}): {cell.rstrip()}"


def _rule_text(table: DecisionTable, rule: Rule) -> str:
    tests = [
        f"{heading.text} {cell.text}"
        for heading, cell in zip(table.inputs, rule.tests, strict=True)
        if cell.node.tests
    ]
    results = [
        f"{output.name} {result.text}" for output, result in zip(table.outputs, rule.results, strict=True)
    ]
    return f"{', '.join(tests) or 'anything'} -> {', '.join(results)}"


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_shown(item)}' for key, item in value.items())}}}"
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
