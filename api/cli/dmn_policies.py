"""`forbear dmn export` and `forbear dmn import`: credit policies to DMN models and back."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from api.cli.check_command import counted
from api.cli.frame import FINDINGS, OK, Trouble
from api.cli.policy_files import ROOT, one_policy
from api.cli.replacing import replace_file
from engine.credit import load_credit
from engine.credit.from_dmn import from_dmn
from engine.credit.to_dmn import to_dmn
from engine.source import has_errors, render_problem


@click.command("export")
@click.argument("policy", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--camunda", is_flag=True, help="As DMN 1.3 with a diagram, which Camunda's modeler opens.")
@click.option("--force", is_flag=True, help="Overwrite what stands there.")
def export_policy(policy: Path, out: Path, camunda: bool, force: bool) -> int:
    """Write the tables, formulas and scorecards of a credit policy as a DMN 1.5 model.

    What DMN has no place for (how old facts may be, texts of reasons, promises, the status) is named, and
    goes out in an extension element: `dmn import` reads it back, other tools do not. What cannot be carried
    at all is named too, and then nothing is written and it ends with 1.

    \b
    Example:
      forbear dmn export policies/consumer-credit credit.dmn
      forbear dmn export policies/consumer-credit credit.dmn --camunda
    """
    files = one_policy(policy)
    loaded = load_credit(files.texts, files.root) if files.what == "credit" else None
    if loaded is None or loaded.policy is None:
        raise Trouble(
            f"`{files.path}` is no credit policy that can be used; `forbear check {policy}` says why."
        )
    if out.exists() and not force:
        raise Trouble(f"`{out}` is already there. Give another name, or `--force` to overwrite it.")
    found = to_dmn(loaded.policy, for_modelers=camunda, texts=files.texts)
    told = [render_problem(p, files.sources()) for p in files.located(found.problems)]
    click.echo("\n\n".join(told), err=True, nl=bool(told))
    if found.policy is None:
        return FINDINGS
    replace_file(out, found.policy)
    click.echo(f"{out}: {counted(len(loaded.policy.decisions), 'decision', 'decisions')} of {files.path}.")
    return OK


@click.command("import")
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--currency", help="Three letters of ISO 4217, for amounts; else that of the exported policy.")
@click.option(
    "--from",
    "start",
    type=click.DateTime(["%Y-%m-%d"]),
    help="First day of the policy; else as exported, or today.",
)
def import_model(model: Path, folder: Path, currency: str | None, start: datetime | None) -> int:
    """Write the decisions of a DMN model (1.1 to 1.5, also Camunda's) as a new credit policy in FOLDER.

    The type of an input is the one it declares, else that of the columns that test it; a column's list of
    values is said with the fact; what is noted at a rule stands above its row. What a policy cannot carry
    (functions, services, other languages than FEEL) is refused by name; then nothing is written and it ends
    with 1.

    \b
    Example:
      forbear dmn import loans.dmn policies/loans --currency EUR --from 2026-01-01
    """
    if (folder / ROOT).exists():
        raise Trouble(f"`{folder / ROOT}` is already there. Give the folder of a new policy.")
    day = start.date() if start else None
    today = date.today()  # noqa: DTZ011  # the day on the officer's own desk
    data = model.read_bytes()
    found = from_dmn(data, str(model), currency=currency, effective_from=day, otherwise=today)
    sources = {str(model): data.decode("utf-8", "replace")}
    problems = list(found.problems)
    if found.policy is not None:
        problems = [p for p in load_credit({ROOT: found.policy}).problems if has_errors([p])]
        sources[ROOT] = found.policy.decode()
    if found.policy is None or problems:
        click.echo("\n\n".join(render_problem(problem, sources) for problem in problems))
        click.echo("Nothing was written.")
        return FINDINGS
    for note in found.problems:
        click.echo(render_problem(note, sources) + "\n", err=True)
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / ROOT, found.policy)
    click.echo(f"{folder / ROOT}: written; `forbear check {folder}` says what may be said better.")
    return OK
