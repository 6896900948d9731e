"""`forbear export`: the tables of a policy for a spreadsheet."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.check_command import counted
from api.cli.frame import FINDINGS, OK, Trouble
from api.cli.policy_files import one_policy
from api.cli.replacing import replace_file
from api.cli.workbook import to_workbook
from engine.source import render_problem
from engine.tables import book_of, csv_files


@click.command("export")
@click.argument("policy", type=click.Path(path_type=Path))
@click.argument("out", required=False, type=click.Path(path_type=Path))
@click.option("--to", "form", type=click.Choice(["xlsx", "csv"]), help="Without it, by the name of OUT.")
@click.option("--force", is_flag=True, help="Overwrite what stands there.")
def command(policy: Path, out: Path | None, form: str | None, force: bool) -> int:
    """Write the tables of POLICY to a workbook, or to a folder of CSV files.

    Without OUT it is named like the policy, where you are: `consumer-credit.xlsx`. Every cell is a text and
    comes back as it was; `forbear import-tables`, or `forbear import`, puts the edited sheets back.
    In CSV files a cell that begins with one of = + - @ gets a `'` before it.

    \b
    Example:
      forbear export policies/consumer-credit credit.xlsx
      forbear export policies/consumer-credit --to xlsx
      forbear export policies/consumer-credit tables --to csv
    """
    files = one_policy(policy)
    if out is None:
        out = Path(files.folder.resolve().name + ("" if form == "csv" else ".xlsx"))
    loaded = book_of(files.texts, files.root)
    if loaded.policy is None:
        sources = files.sources()
        click.echo("\n\n".join(render_problem(p, sources) for p in files.located(loaded.problems)))
        return FINDINGS
    if not loaded.policy.sheets:
        raise Trouble(f"`{files.path}` has no tables.")
    if form == "csv" or (form is None and out.suffix != ".xlsx"):
        parts = csv_files(loaded.policy)
        _free([out / name for name in parts], force=force)
        out.mkdir(parents=True, exist_ok=True)
        for name, data in parts.items():
            replace_file(out / name, data)
    else:
        _free([out], force=force)
        replace_file(out, to_workbook(loaded.policy))
    click.echo(f"{out}: {counted(len(loaded.policy.sheets), 'table', 'tables')} of {files.path}.")
    return OK


def _free(paths: list[Path], *, force: bool) -> None:
    taken = next((path for path in paths if path.exists()), None)
    if taken is not None and not force:
        raise Trouble(f"`{taken}` is already there. Give another name, or `--force` to overwrite it.")
