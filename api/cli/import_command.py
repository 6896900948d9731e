"""`forbear import`: somebody else's file, by a mapping, into a running Forbear."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import click

from api.cli.frame import FINDINGS, OK, Trouble
from api.cli.running import key_of, plainly, settings_for
from api.importer import FileMapping, ImportReport, load_mapping, over_http, run_import
from api.importer.source import FileUnreadable
from engine.source import render_problem

SHOWN = 50
"""Refused lines that are written out."""


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--mapping", required=True, type=click.Path(path_type=Path), help="How its columns are read.")
@click.option("--dry-run", is_flag=True, help="Keep nothing; say what would happen.")
@click.option(
    "--mode", type=click.Choice(["each", "all"]), default="each", show_default=True,
    help="each: keep the good rows; all: keep all or none.",
)  # fmt: skip
@click.option("--url", help="Where the API is; without it, on this machine at FORBEAR_PORT.")
@click.option("--data", type=click.Path(path_type=Path), help="The data directory whose key is used.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    file: Path, mapping: Path, dry_run: bool, mode: Literal["each", "all"], url: str | None,
    data: Path | None, form: str,
) -> int:  # fmt: skip
    """Import customers, accounts, bills, payments and more from a CSV or NDJSON file.

    Every row that is refused is named by line, column and value. Importing the same file again changes
    nothing. Ends with 1 if a row was refused.

    \b
    Example:
      forbear import customers.csv --mapping fixtures/mappings/sample-customers.yaml --dry-run
    """
    settings = settings_for(data)
    read = _mapping(mapping)
    post = over_http(url or f"http://{settings.host}:{settings.port}", key_of(settings))
    try:
        with file.open("rb") as source, plainly():
            report = run_import(read, source, post, mode=mode, dry_run=dry_run)
    except FileUnreadable as error:
        told = "\n".join(
            render_problem(p, {str(mapping): mapping.read_text("utf-8")}) for p in error.problems
        )
        raise Trouble(f"`{file}` cannot be read by `{mapping}`:\n{told}") from error
    click.echo(
        json.dumps(asdict(report), indent=2) if form == "json" else _told(file, report, dry_run=dry_run)
    )
    return FINDINGS if report.rejects else OK


def _mapping(path: Path) -> FileMapping:
    data = path.read_bytes()
    loaded = load_mapping(data, str(path))
    if loaded.policy is None:
        sources = {str(path): data.decode("utf-8", "replace")}
        told = "\n".join(render_problem(problem, sources) for problem in loaded.problems)
        raise Trouble(f"`{path}` is no mapping:\n{told}")
    return loaded.policy


def _told(file: Path, report: ImportReport, *, dry_run: bool) -> str:
    lines = [str(reject) for reject in report.rejects[:SHOWN]]
    if len(report.rejects) > SHOWN:
        lines.append(f"... and {len(report.rejects) - SHOWN} more")
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(report.by_kind.items())) or "nothing new"
    word = (
        "would be stored" if dry_run else "stored" if report.kept else "not stored, because a row was refused"
    )
    lines.append(
        f"{file}: {report.lines:,} lines; {word}: {kinds}; {report.already:,} there already; "
        f"{report.refused:,} refused."
    )
    return "\n".join(lines)
