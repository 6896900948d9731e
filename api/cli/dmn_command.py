"""`forbear dmn`: decisions of DMN models, and the conformance kit."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from api.cli.dmn_policies import export_policy, import_model
from api.cli.facts_json import read_facts
from api.cli.frame import FINDINGS, OK, Trouble
from engine.dmn import (
    Evaluation,
    KitReport,
    Model,
    NotInModel,
    evaluate_bkm,
    evaluate_decision,
    evaluate_service,
    facts_from_json,
    kit_results,
    load_model,
    to_xml,
    value_as_json,
)
from engine.dmn.evaluation import InputTooDeep
from engine.dmn.from_xml import read_definitions
from engine.dmn.limits import LIMITS
from engine.dmn.model import Decision
from engine.dmn.out import NotInXml
from engine.feel import NotAFeelValue
from engine.source import Problem, render_problem

_SUFFIXES = (".dmn", ".xml")


@click.group("dmn")
def command() -> None:
    """Evaluate DMN models, write them again; run the DMN conformance kit.

    \b
    Examples:
      forbear dmn run loans.dmn --decision Routing --in facts.json
      forbear dmn write old.dmn --out loans.dmn
      forbear dmn export policies/consumer-credit credit.dmn
      forbear dmn import loans.dmn policies/loans --currency EUR
      forbear dmn tck TestCases --format csv
    """


@command.command("run")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--decision", help="Name of the decision to evaluate.")
@click.option("--service", help="Name of the decision service to call instead.")
@click.option("--function", help="Name of the business knowledge model to call instead.")
@click.option(
    "--in", "source", required=True, help="File of inputs as JSON, by name; `-` reads standard input."
)
@click.option("--at", help="What `now()` says, as 2026-06-30T09:00:00+08:00; without it, this moment.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def run_model(
    model: Path, decision: str | None, service: str | None, function: str | None, source: str, at: str | None,
    form: str,
) -> int:  # fmt: skip
    """Evaluate one decision of a DMN model (1.1 to 1.5).

    Models that MODEL imports are looked for by their namespace in its folder. What is wrong with the model
    or the inputs is worth null, as the standard asks, and is shown with its place; then it ends with 1.

    \b
    Example:
      forbear dmn run loans.dmn --decision Routing --in facts.json
      echo '{"Age": 17}' | forbear dmn run loans.dmn --decision Routing --in -
    """
    files = _texts(model)
    loaded = load_model(files, model.name)
    if loaded.policy is None:
        raise Trouble(f"`{model}` is no model that can be used.\n{_shown(loaded.problems, files)}")
    if sum(name is not None for name in (decision, service, function)) != 1:
        names = ", ".join(f"`{e.name}`" for e in loaded.policy.root.elements if isinstance(e, Decision))
        raise click.UsageError(f"Give one of --decision, --service and --function. Decisions: {names}.")
    chosen = decision or service or function or ""
    facts = facts_from_json(loaded.policy, read_facts(source, '{"Age": 17, ...}'), "" if decision else chosen)
    call = evaluate_decision if decision else evaluate_service if service else evaluate_bkm
    try:
        found: Evaluation = call(loaded.policy, chosen, facts, at=_instant(at))
    except (InputTooDeep, NotInModel, NotAFeelValue) as error:
        raise Trouble(str(error)) from error
    return _told(loaded.policy, found, (*loaded.problems, *found.warnings), files, form)


def _told(
    model: Model, found: Evaluation, problems: tuple[Problem, ...], files: Mapping[str, bytes], form: str
) -> int:
    if form == "json":
        listed = [{"code": p.code, "message": p.message, "place": str(p.span)} for p in problems]
        warnings = json.dumps(listed, ensure_ascii=False, indent=2).replace("\n", "\n  ")
        name = json.dumps(model.root.name, ensure_ascii=False)
        value = value_as_json(found.value).replace("\n", "\n  ")
        click.echo(f'{{\n  "model": {name},\n  "value": {value},\n  "warnings": {warnings}\n}}')
    else:
        click.echo(value_as_json(found.value))
        if problems:
            click.echo(_shown(problems, files), err=True)
    return FINDINGS if problems else OK


def _texts(model: Path) -> dict[str, bytes]:
    """Return the bytes of a model and of those beside it, which it may import."""
    beside = (path for path in model.parent.iterdir() if path.suffix in _SUFFIXES and path.is_file())
    return {model.name: _bytes(model), **{path.name: _bytes(path) for path in sorted(beside)}}


def _bytes(path: Path) -> bytes:
    """Return a file, or of one that is too large just enough to be refused."""
    with path.open("rb") as file:
        return file.read(LIMITS.bytes + 1)


def _instant(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"`{text}` is no instant such as 2026-06-30T09:00:00+08:00", param_hint="--at"
        ) from error
    if at.tzinfo is None:
        raise click.BadParameter(f"`{text}` has no offset such as +08:00", param_hint="--at")
    return at


def _shown(problems: tuple[Problem, ...], files: Mapping[str, bytes]) -> str:
    sources = {
        name: data.decode("utf-8", "replace") for name, data in files.items() if len(data) <= LIMITS.bytes
    }
    return "\n".join(render_problem(problem, sources) for problem in problems)


@command.command("write")
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write; else standard output."
)
def write_model(model: Path, out: Path | None) -> int:
    """Write a DMN model (1.1 to 1.5) again, as DMN 1.5.

    It decides the same. Diagrams and what tools have added as extensions go out as they came in.

    \b
    Example:
      forbear dmn write old.dmn --out loans.dmn
    """
    data = _bytes(model)
    loaded = read_definitions(data, model.name)
    if loaded.policy is None:
        raise Trouble(
            f"`{model}` is no model that can be used.\n{_shown(loaded.problems, {model.name: data})}"
        )
    try:
        written = to_xml(loaded.policy)
    except NotInXml as error:
        raise Trouble(str(error)) from error
    if out is None:
        click.echo(written, nl=False)
    else:
        out.write_bytes(written)
    if loaded.problems:
        click.echo(_shown(loaded.problems, {model.name: data}), err=True)
    return FINDINGS if loaded.problems else OK


@command.command("tck")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["text", "csv", "json"]), default="text", show_default=True
)
def run_kit(folder: Path, form: str) -> int:
    """Run the DMN conformance kit, or any folder that is laid out as its `TestCases`.

    Counts the cases in all, by level, and apart those that expect a value: an engine that always says null
    passes 43 % of the whole kit. `csv` writes the rows that vendors submit. Ends with 1 if one did not pass.

    \b
    Example:
      forbear dmn tck TestCases
      forbear dmn tck TestCases --format csv > tck_results.csv
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES and path.is_file())
    inside = f"{folder.resolve().name}/" if folder.resolve().name.startswith("compliance-level-") else ""
    files = {inside + path.relative_to(folder).as_posix(): _bytes(path) for path in paths}
    results = []
    for result in kit_results(files, at=datetime.now(UTC)):
        results.append(result)
        if sys.stderr.isatty() and len(results) % 50 == 0:
            click.echo(f"\r{len(results)} cases ...", nl=False, err=True)
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)
    report = KitReport(tuple(results))
    if not report.results:
        raise Trouble(
            f"There are no cases in `{folder}`; a case file is `<level>/<folder>/<name>-test-01.xml`."
        )
    click.echo({"text": _as_text, "csv": KitReport.csv, "json": _as_json}[form](report).rstrip("\n"))
    return FINDINGS if report.wrong else OK


def _as_text(report: KitReport) -> str:
    head = f"{'cases':<22}{'all':>7}{'passed':>9}{'failed':>9}{'errors':>9}{'%':>9}"
    lines = [head]
    for name, values in (("all", False), ("that expect a value", True)):
        for level in ("", *report.levels):
            count = report.count(level, only_values=values)
            numbers = (count.passed, count.failed, count.errors, count.rate)
            lines.append(f"{level or name:<22}{count.total:>7}" + "".join(f"{n:>9}" for n in numbers))
    outside = [r for r in report.wrong if r.outside]
    others = [r for r in report.wrong if not r.outside]
    if outside:
        kinds = ", ".join(sorted({r.outside for r in outside}))
        lines += ["", f"Need code outside of the model ({kinds}), which is never run:"]
        lines += [f"  {r.folder} {r.case}" for r in outside]
    if others:
        lines += ["", "Did not pass:", *(f"  {r.folder} {r.case}: {r.message}" for r in others)]
    return "\n".join(lines)


def _as_json(report: KitReport) -> str:
    return json.dumps(
        {**report.counts(), "wrong": [
            {"folder": r.folder, "file": r.file, "case": r.case, "status": r.status, "message": r.message,
             "needs": r.outside or None} for r in report.wrong
        ]}, ensure_ascii=False, indent=2,
    )  # fmt: skip


command.add_command(export_policy)
command.add_command(import_model)
