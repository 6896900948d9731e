"""`forbear check`: what is wrong with policies, where, and what to do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from api.cli.frame import FINDINGS, OK
from api.cli.ladder_days import LadderDays, ladder_days
from api.cli.policy_files import CASES, KINDS, PolicyFiles, find_policies
from api.cli.portfolio_check import portfolio_problems
from api.cli.sarif import to_sarif
from api.cli.surroundings import collections_problems, name_problems
from api.storage.portfolio import Portfolio, load_portfolio
from engine.credit import CreditPolicy, load_credit
from engine.credit.check_promises import promise_problems
from engine.credit.shadows import shadow_problems
from engine.effect import version_of, version_problems
from engine.ladder import CollectionsPolicy, load_collections, load_law
from engine.policy import Loaded
from engine.source import Problem, Severity, Span, has_errors, render_problem, sort_problems
from engine.text import read_yaml
from engine.watch import load_watch
from engine.workdays import load_calendar

_READERS: Mapping[str, Callable[[PolicyFiles], Loaded[Any]]] = {
    "credit": lambda f: load_credit(f.texts, f.root),
    "collections": lambda f: load_collections(f.texts, f.root),
    "watch": lambda f: load_watch(f.texts, f.root),
    "law": lambda f: load_law(f.texts[f.root], f.root),
    "calendar": lambda f: load_calendar(f.texts[f.root], f.root),
    "portfolio": lambda f: load_portfolio(f.texts[f.root], f.root),
}
_PLURAL = {
    "credit": ("credit policy", "credit policies"),
    "collections": ("collections policy", "collections policies"),
    "watch": ("watch policy", "watch policies"),
    "law": ("law pack", "law packs"),
    "calendar": ("calendar", "calendars"),
    "portfolio": ("portfolio", "portfolios"),
    "unknown": ("unknown text", "unknown texts"),
}
SHOWN = 50
"""Problems of one policy that are shown; beyond them one line says how many more there are."""
_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


@click.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True
)
@click.option(
    "--ladder", is_flag=True, help="Also tell how many days lie between the due date and each step."
)
@click.option(
    "--shadows", is_flag=True, help="Also tell which rows of FIRST tables earlier rows hide in part."
)
def command(paths: tuple[Path, ...], form: str, *, ladder: bool, shadows: bool) -> int:
    """Check policies, law packs, calendars and the portfolio.

    PATHS are policy folders, folders of policies or single files; without any, `policies`.
    Every problem is shown with its place, the line, why, and what to do. Ends with 1 if there is an error.
    `sarif` is what code hosts and editors show beside the lines.

    A collections policy is walked as a whole: debts that end nowhere, steps that nothing reaches, cuts that
    are never undone or flip, all against its law pack. With `--ladder` each step is shown with the earliest
    and the latest day on which it can come. With `--shadows` each row of a FIRST table from which earlier
    rows take customers is told with one whom each takes; JSON always has them.

    \b
    Example:
      forbear check
      forbear check policies/collections --ladder
      forbear check policies/consumer-credit --format json
      forbear check --format sarif > forbear.sarif
    """
    found = find_policies(paths or (Path("policies"),))
    problems = {one.path: check_one(one, shadows=shadows or form == "json") for one in found}
    for problem in _between_versions(found):
        path = Path(problem.span.file)
        problems[path] = sort_problems([*problems[path], problem])
    every = [p for some in problems.values() for p in some]
    ladders = [days for one in found for days in ladder_days(one)] if ladder else None
    if form == "sarif":
        click.echo(to_sarif(every, {name: text for one in found for name, text in one.sources().items()}))
    else:
        shown = _as_json(found, every, ladders) if form == "json" else _as_text(found, problems)
        click.echo(shown)
        for days in ladders or () if form == "text" else ():
            click.echo(f"\n{days.text}")
    return FINDINGS if has_errors(every) else OK


def _between_versions(found: Sequence[PolicyFiles]) -> Iterator[Problem]:
    """Yield what is wrong between versions of one policy that lie beside each other."""
    nodes = (
        (one, read_yaml(one.texts[one.root], str(one.path)).policy) for one in found if one.what in KINDS
    )
    return version_problems(v for _, node in nodes if (v := version_of(node)) is not None)


def check_one(files: PolicyFiles, *, shadows: bool = False) -> tuple[Problem, ...]:
    """Return all problems of one policy, with places from where the command was called.

    With `shadows` also the notes on rows that earlier rows hide in part.
    """
    if files.what == "unknown":
        return files.located(files.problems)
    loaded = _READERS[files.what](files)
    problems = [*loaded.problems, *name_problems(files)]
    if isinstance(loaded.policy, CollectionsPolicy):
        problems += collections_problems(files, loaded.policy)
    elif isinstance(loaded.policy, CreditPolicy):
        problems += promise_problems(loaded.policy)
        problems += shadow_problems(loaded.policy) if shadows else ()
    elif isinstance(loaded.policy, Portfolio):
        problems += portfolio_problems(files)
    if files.cases is not None and files.what in KINDS:
        problems += read_yaml(files.cases, CASES).problems
    return files.located(sort_problems(problems))


def _as_text(found: Sequence[PolicyFiles], problems: Mapping[Path, Sequence[Problem]]) -> str:
    lines = []
    for one in found:
        sources = one.sources()
        told, hidden = _most_important(problems[one.path])
        for problem in told:
            first, *rest = render_problem(problem, sources).split("\n")
            lines += [click.style(first, fg=_COLORS.get(problem.severity), bold=True), *rest, ""]
        if hidden:
            more = counted(hidden, "more problem", "more problems")
            lines += [f"{one.path}: {more} not shown here; `--format json` tells all", ""]
    return "\n".join([*lines, closing_line(found, [p for some in problems.values() for p in some])])


def _most_important(problems: Sequence[Problem]) -> tuple[list[Problem], int]:
    """Return the problems that are shown, in reading order, and how many are not; errors go first."""
    ranked = sorted(problems, key=lambda p: list(Severity).index(p.severity))
    told = set(ranked[:SHOWN])
    return [p for p in problems if p in told], len(ranked) - len(told)


def closing_line(found: Sequence[PolicyFiles], problems: Sequence[Problem]) -> str:
    """Return what was checked and how much is wrong, in one line."""
    counts: Counter[str] = Counter(one.what for one in found)
    checked = ", ".join(counted(counts[what], *_PLURAL[what]) for what in _PLURAL if counts[what])
    by = Counter(p.severity for p in problems)
    wrong = [
        counted(by[Severity.ERROR], "error", "errors"),
        counted(by[Severity.WARNING], "warning", "warnings"),
    ]
    notes = sum(n for severity, n in by.items() if severity not in (Severity.ERROR, Severity.WARNING))
    return f"{checked}: {', '.join([*wrong, *([counted(notes, 'note', 'notes')] if notes else [])])}."


def counted(number: int, one: str, many: str) -> str:
    """Return a number with its noun: `1 error`, `2 errors`."""
    return f"{number:,} {one if number == 1 else many}"


def _as_json(
    found: Sequence[PolicyFiles], problems: Sequence[Problem], ladders: Sequence[LadderDays] | None
) -> str:
    by = Counter(p.severity.value for p in problems)
    report: dict[str, Any] = {
        "checked": [{"path": str(one.path), "kind": one.what} for one in found],
        "problems": [problem_json(p) for p in problems],
        "errors": by["error"],
        "warnings": by["warning"],
    }
    if ladders is not None:
        report["ladders"] = [days.as_json() for days in ladders]
    return json.dumps(report, ensure_ascii=False, indent=2)


def problem_json(problem: Problem) -> dict[str, Any]:
    """Return a problem as plain values."""
    return {
        "code": problem.code,
        "severity": problem.severity.value,
        "message": problem.message,
        **_place(problem.span),
        "advice": problem.advice,
        "related": [{"note": note, **_place(span)} for note, span in problem.related],
    }


def _place(span: Span) -> dict[str, Any]:
    return {
        "file": span.file, "line": span.line, "column": span.column, "length": span.length, "cell": span.cell
    }  # fmt: skip
