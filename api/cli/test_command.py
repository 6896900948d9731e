"""`forbear test`: run the cases that stand beside policies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from api.cli.case_coverage import Tried, credit_tried, watch_tried
from api.cli.case_writing import with_generated, with_updates
from api.cli.check_command import check_one, counted, problem_json
from api.cli.frame import FINDINGS, OK, Trouble
from api.cli.junit import to_junit
from api.cli.ladder_coverage import ladder_tried
from api.cli.policy_files import CASES, CSV_CASES, PolicyFiles, find_policies
from api.cli.replacing import replace_file
from api.cli.surroundings import calendar_for, law_for, policies_beside, portfolio_beside
from engine.credit import load_credit
from engine.credit.case_report import Mismatch
from engine.credit.case_report import render_report as render_credit
from engine.credit.cases import run_cases
from engine.ladder import load_collections, run_timelines
from engine.ladder import render_report as render_timelines
from engine.ladder.timeline_report import CaseResult as TimelineResult
from engine.source import Problem, Span, has_errors, render_problem
from engine.watch import load_watch, run_watch_cases


@dataclass(frozen=True, slots=True)
class Tested:
    """How the cases beside one policy went."""

    path: Path
    held: tuple[str, ...]
    """The sentences of the cases that hold."""
    failed: tuple[dict[str, Any], ...] = ()
    """Each failed case: its sentence, its place, and what differs."""
    problems: tuple[Problem, ...] = ()
    """What is wrong with the policy or the file of its cases, so that no case could be run."""
    text: str = ""
    tried: Tried | None = None
    """What the cases try of the policy, if that was asked for and can be told."""
    walks: tuple[frozenset[tuple[str, str]], ...] = ()
    """Of each timeline that holds: the ladder and step of the rows that it takes."""

    @property
    def passed(self) -> int:
        """How many cases hold."""
        return len(self.held)

    @property
    def name(self) -> str:
        """The file of the cases."""
        return str(self.path)

    @property
    def told(self) -> tuple[tuple[str, str, int, tuple[str, ...]], ...]:
        """Each case that does not hold: sentence, file, line, why."""
        return tuple((f["case"], f["file"], f["line"], tuple(f["why"])) for f in self.failed)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Why no case could be run."""
        return tuple(problem for problem in self.problems if has_errors([problem]))

    @property
    def ok(self) -> bool:
        """Tell whether every case holds."""
        return not self.failed and not has_errors(self.problems)


@click.command("test")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True
)
@click.option(
    "--coverage", is_flag=True, help="Name each row, bound and threshold change that no case tries."
)
@click.option("--mutation", is_flag=True, help="Also try each threshold and wait of ladders; takes a minute.")
@click.option(
    "--generate", "new", is_flag=True, help="Add the cases that are missing at bounds to cases.yaml."
)
@click.option("--update", is_flag=True, help="Write what came out in place of what was expected.")
def command(
    paths: tuple[Path, ...], form: str, coverage: bool, mutation: bool, new: bool, update: bool
) -> int:  # fmt: skip
    """Run the cases beside policies: facts and outcomes, dated timelines, events and alerts.

    PATHS are policy folders or folders of policies; without any, `policies`. Ends with 1 if a case does not
    hold, or cannot be run, and with 3 if there are none. Cases of a credit policy may also stand in
    `cases.csv`, a row a case.

    Of credit policies it tells how many rows some case matches, how many bounds are tried on both sides (one
    cent, one day, one unit apart), and how many changes of one threshold would go unnoticed; of collections
    policies how many rows are taken, and with `--mutation` how many changes would go unnoticed; of watch
    policies how many rules fire, and how many changes of one threshold (`count`, `within`) are noticed.

    \b
    Example:
      forbear test
      forbear test policies/collections --format json
      forbear test policies/consumer-credit --coverage
      forbear test policies/consumer-credit --generate
      forbear test --format junit > forbear-cases.xml
    """
    every = find_policies(paths or (Path("policies"),))
    found = [one for one in every if one.case_file is not None or (new and one.what == "credit")]
    if new or update:
        found = [_written(one, new=new, quiet=form != "text") for one in found]
    results = [_measured(one, test_one(one), ladders=mutation) for one in found]
    if not results:
        first = (
            " `forbear test --generate` writes first ones." if any(o.what == "credit" for o in every) else ""
        )
        raise Trouble(f"There are no cases to run: no `{CASES}` stands beside a policy here.{first}")
    if form == "text":
        click.echo(_as_text(results, details=coverage or mutation))
    else:
        click.echo(_as_json(results) if form == "json" else to_junit(results))
    return OK if all(result.ok for result in results) else FINDINGS


def _written(files: PolicyFiles, *, new: bool, quiet: bool) -> PolicyFiles:
    """Add missing cases, or update those that do not hold, and say so: beside a report for machines aside."""
    edit = with_generated(files) if new else with_updates(files)
    for name, data in edit.texts.items():
        replace_file(files.folder / name, data)
    for line in edit.told:
        click.echo(line, err=quiet)
    return replace(files, texts={**files.texts, **edit.texts})


def _measured(files: PolicyFiles, tested: Tested, *, ladders: bool) -> Tested:
    """Tell what the cases try, if they could be run."""
    if tested.errors:
        return tested
    if files.what == "collections":
        return replace(tested, tried=ladder_tried(files, tested.walks, mutation=ladders))
    return replace(tested, tried=credit_tried(files) if files.what == "credit" else watch_tried(files))


def test_one(files: PolicyFiles) -> Tested:
    """Run the cases beside one policy."""
    path = files.case_file or files.folder / CASES
    problems = check_one(files)
    if has_errors(problems):
        sources = files.sources()
        text = "\n\n".join(render_problem(p, sources) for p in problems if has_errors([p]))
        return Tested(path, (), problems=problems, text=text)
    cases = files.texts.get(path.name, b"")
    runs: dict[str, Callable[[PolicyFiles, bytes, Path], Tested]] = {
        "credit": _credit, "collections": _collections, "watch": _watch,
    }  # fmt: skip
    tested = runs[files.what](files, cases, path)
    return tested if tested.held or tested.failed or tested.errors else _without_cases(tested, cases)


def _without_cases(tested: Tested, cases: bytes) -> Tested:
    """Say that a file has no case: nothing holds where nothing is asked."""
    advice = "write one for each thing that the policy must do, and one in which it just does not"
    problem = Problem("no-cases", "there is no case", Span(str(tested.path), 1, 1), advice)
    text = render_problem(problem, _sources(tested.path, cases))
    return replace(tested, problems=(*tested.problems, problem), text=text)


def _credit(files: PolicyFiles, cases: bytes, path: Path) -> Tested:
    policy = load_credit(files.texts, files.root).policy
    assert policy is not None  # it was checked
    report = run_cases(policy, files.cases, str(files.folder / CASES), files.texts.get(CSV_CASES))
    failed = tuple(_failed(r.case, r.span, [*_differing(r.mismatches), r.error]) for r in report.failed)
    held = tuple(r.case for r in report.results if r.passed)
    return Tested(path, held, failed, report.problems, render_credit(report, files.sources()))


def _differing(mismatches: Iterable[Mismatch]) -> Iterator[str]:
    return (f"{m.name}: expected {m.expected}, got {m.got}" for m in mismatches)


def _collections(files: PolicyFiles, cases: bytes, path: Path) -> Tested:
    policy = load_collections(files.texts, files.root).policy
    assert policy is not None  # it was checked
    law, calendar = law_for(files, policy.regulation), calendar_for(files, policy.calendar)
    report = run_timelines(
        policy,
        law,
        calendar,
        cases,
        str(path),
        texts=files.texts,
        beside=policies_beside(files),
        named=portfolio_beside(files),
    )
    failed = tuple(
        _failed(r.name, r.span, [mismatch.told for mismatch in r.mismatches])
        | _details(r, _sources(path, cases))
        for r in report.failed
    )
    held = tuple(r.name for r in report.results if r not in report.failed)
    text = render_timelines(report, _sources(path, cases))
    walks = tuple(r.walked for r in report.results if r.ok)
    return Tested(path, held, failed, report.problems, text, walks=walks)


def _details(result: TimelineResult, sources: Mapping[str, str]) -> dict[str, Any]:
    """Return of a timeline that failed each expectation with its place and its line, and what happened."""
    lines = {name: text.splitlines() for name, text in sources.items()}
    wrong = [
        {
            "file": m.span.file, "line": m.span.line, "column": m.span.column,
            "read": "".join(lines.get(m.span.file, ())[m.span.line - 1 : m.span.line]).strip(),
            "what": m.what, "expected": list(m.expected), "got": list(m.got), "because": list(m.why),
        }
        for m in result.mismatches
    ]  # fmt: skip
    story = [{"at": at.isoformat(), "what": text} for at, text in result.story]
    return {"column": result.span.column, "expectations": wrong, "story": story}


def _watch(files: PolicyFiles, cases: bytes, path: Path) -> Tested:
    policy = load_watch(files.texts, files.root).policy
    assert policy is not None  # it was checked
    report = run_watch_cases(policy, cases, str(path))
    failed = tuple(_failed(c.name, c.span, c.failures) for c in report.cases if not c.passed)
    parts = [render_problem(problem, _sources(path, cases)) for problem in report.problems]
    parts.append("\n".join(line for line in report.render().splitlines() if not line.startswith("ok ")))
    held = tuple(c.name for c in report.cases if c.passed)
    return Tested(path, held, failed, report.problems, "\n\n".join(parts))


def _sources(path: Path, cases: bytes) -> dict[str, str]:
    return {str(path): cases.decode("utf-8-sig", errors="replace")}


def _failed(case: str, span: Span, why: Iterable[str]) -> dict[str, Any]:
    return {
        "case": case, "file": span.file, "line": span.line, "why": [line for line in why if line],
    }  # fmt: skip


def _as_text(results: list[Tested], *, details: bool) -> str:
    lines = []
    for result in results:
        lines.append(result.text if result.ok else click.style(result.text, fg="red"))
        if result.tried is not None:
            lines.append(f"  {result.tried.line}")
            lines += [f"    {line}" for line in result.tried.details if details]
    failed = sum(len(result.failed) for result in results)
    held = sum(result.passed for result in results)
    stuck = sum(has_errors(result.problems) for result in results)
    closing = f"{counted(held, 'case holds', 'cases hold')}, {failed} do not"
    if stuck:
        closing += f"; {counted(stuck, 'file', 'files')} could not be run"
    return "\n".join([*lines, f"{closing}."])


def _as_json(results: list[Tested]) -> str:
    report = {
        "files": [
            {
                "path": str(result.path),
                "passed": result.passed,
                "failed": list(result.failed),
                "problems": [problem_json(p) for p in result.problems],
                **(
                    {"tried": {**result.tried.numbers, "not": list(result.tried.details)}}
                    if result.tried
                    else {}
                ),
            }
            for result in results
        ],
        "passed": sum(result.passed for result in results),
        "failed": sum(len(result.failed) for result in results),
    }
    return json.dumps(report, ensure_ascii=False, indent=2)
