"""`forbear import`: somebody else's file, by a mapping, into a running Forbear."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Literal, cast

import click

from api.cli.check_command import counted
from api.cli.frame import FINDINGS, OK, Trouble
from api.cli.import_tables_command import command as import_tables
from api.cli.replacing import replace_file
from api.cli.running import key_of, plainly, settings_for
from api.importer import (
    Figure,
    FileMapping,
    ImportReport,
    OfflineLedger,
    load_control,
    load_mapping,
    over_http,
    rejected_file,
    run_import,
)
from api.importer.mapping import NTH
from api.importer.posting import Post, answers
from api.importer.rejected import NamesByCount
from api.importer.source import FileUnreadable
from engine.source import Problem, render_problem

SHOWN = 50
"""Refused lines that are written out."""
ALONE = "No server answers here, so the file was checked by itself: what the ledger holds is not in it."


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("sheets", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--mapping", type=click.Path(path_type=Path), help="How its columns are read.")
@click.option(
    "--control", type=click.Path(path_type=Path), help="The operator's own counts and sums, as CSV."
)
@click.option(
    "--rejects", type=click.Path(dir_okay=False, path_type=Path),
    help="Write the refused lines here, each with why; mended, the same mapping reads them.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Keep nothing; say what would happen. Needs no server.")
@click.option(
    "--mode", type=click.Choice(["each", "all"]), default="each", show_default=True,
    help="each: keep the good rows; all: keep all or none.",
)  # fmt: skip
@click.option("--url", help="Where the API is; without it, on this machine at FORBEAR_PORT.")
@click.option("--data", type=click.Path(path_type=Path), help="The data directory whose key is used.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
def command(
    context: click.Context, file: Path, sheets: Path | None, mapping: Path | None, control: Path | None,
    rejects: Path | None, dry_run: bool, mode: Literal["each", "all"], url: str | None, data: Path | None,
    form: str,
) -> int:  # fmt: skip
    """Import customers, accounts, bills, payments and more from a CSV or NDJSON file, also a gzipped one.

    Every row that is refused is named by line, column and value. An import that was stopped is run again:
    what is there already changes nothing. With `--control` the totals are held against the operator's own
    figures (columns kind, currency, period, account, count, sum). Ends with 1 if a row was refused or a
    figure differs. api/importer/README.md says all that a mapping can say.

    With a policy and SHEETS it is `forbear import-tables`: the edited tables go back into the policy.

    \b
    Example:
      forbear import fixtures/ledgers/sample/customers.csv --dry-run \\
          --mapping fixtures/mappings/sample-customers.yaml
      forbear export policies/consumer-credit credit.xlsx
      forbear import policies/consumer-credit credit.xlsx
    """
    if sheets is not None:
        if mapping is not None:
            raise click.UsageError("A mapping reads one file; tables go back into a policy without one.")
        return int(context.invoke(import_tables, policy=file, source=sheets, dry_run=dry_run))
    if mapping is None:
        raise click.UsageError(
            "Give the `--mapping` by which the file is read; or, to put edited tables back into a policy, "
            "the policy and the sheets: `forbear import policies/consumer-credit credit.xlsx`."
        )
    if rejects is not None and rejects.exists() and rejects.samefile(file):
        raise click.UsageError("`--rejects` names the file that is read; give it another name.")
    read = _mapping(mapping)
    if rejects is not None and read.reads(NTH):
        raise Trouble(str(NamesByCount()))
    figures = _control(control) if control else ()
    post = _server(url, data, may_be_alone=dry_run)
    try:
        with _opened(file) as source, plainly():
            report = run_import(
                read, source, post or OfflineLedger(datetime.now(UTC)).post, mode=mode, dry_run=dry_run,
                control=figures, progress=_progress if sys.stderr.isatty() else None,
            )  # fmt: skip
    except FileUnreadable as error:
        told = _rendered(error.problems, mapping)
        raise Trouble(f"`{file}` cannot be read by `{mapping}`:\n{told}") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Trouble(
            f"`{file}` begins like a gzipped file and is not whole: {error}. Get it again and import it "
            "whole: what was stored of it before is found by its id and changes nothing."
        ) from error
    if rejects is not None and report.rejects:
        replace_file(rejects, rejected_file(read, report.heading, report.rejects))
    if form == "json":
        click.echo(json.dumps(_as_json(report, alone=post is None), indent=2, default=str))
    else:
        told = _told(file, report, dry_run=dry_run) + (f"\n{ALONE}" if post is None else "")
        click.echo(told + (f"\nThe refused lines are in {rejects}." if rejects and report.rejects else ""))
    return FINDINGS if report.rejects or not report.agrees else OK


def _server(url: str | None, data: Path | None, *, may_be_alone: bool) -> Post | None:
    """Return how rows are posted; None for a dry run where nobody named a server and none answers."""
    settings = settings_for(data)
    where = url or f"http://{settings.host}:{settings.port}"
    if may_be_alone and not url and not ((settings.data / "api.key").exists() and answers(where)):
        return None
    return over_http(where, key_of(settings))


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    with file.open("rb") as source:
        packed = source.peek(2)[:2] == b"\x1f\x8b"
        yield cast(BinaryIO, gzip.GzipFile(fileobj=source)) if packed else source


def _as_json(report: ImportReport, *, alone: bool) -> dict[str, object]:
    found = asdict(report)
    for reject in found["rejects"]:
        del reject["said"]  # that is for the file of refused lines
    del found["heading"]
    return found | {"alone": alone}


def _progress(report: ImportReport) -> None:
    click.echo(f"{report.lines:,} lines, {report.stored:,} stored, {report.refused:,} refused ...", err=True)


def _rendered(problems: tuple[Problem, ...], path: Path) -> str:
    sources = {str(path): path.read_bytes().decode("utf-8", "replace")}
    return "\n".join(render_problem(problem, sources) for problem in problems)


def _mapping(path: Path) -> FileMapping:
    loaded = load_mapping(path.read_bytes(), str(path))
    if loaded.policy is None:
        raise Trouble(f"`{path}` is no mapping:\n{_rendered(loaded.problems, path)}")
    return loaded.policy


def _control(path: Path) -> tuple[Figure, ...]:
    loaded = load_control(path.read_bytes(), str(path))
    if loaded.policy is None:
        raise Trouble(f"`{path}` is no control file:\n{_rendered(loaded.problems, path)}")
    return loaded.policy


def _told(file: Path, report: ImportReport, *, dry_run: bool) -> str:
    lines = [str(reject) for reject in report.rejects[:SHOWN]]
    if len(report.rejects) > SHOWN:
        lines.append(f"... and {len(report.rejects) - SHOWN} more")
    lines += [str(one) for one in report.reconciled]
    if report.unread and not report.agrees:
        lines.append(f"{report.unread:,} rows could not be read, so their amounts are in no total.")
    for key in report.absent:
        lines.append(f"No line has the key {key}; fields made of it are left out.")
    if over := report.passed_over:
        which = ", ".join(str(number) for number in over[:5]) + (", ..." if len(over) > 5 else "")
        lines.append(
            f"{counted(len(over), 'line becomes', 'lines become')} nothing, because no `when` of the mapping "
            f"takes {'it' if len(over) == 1 else 'them'}: {which}."
        )
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(report.by_kind.items())) or "nothing new"
    word = (
        "would be stored" if dry_run else "stored" if report.kept else "not stored, because a row was refused"
    )
    lines.append(
        f"{file}: {report.lines:,} lines; {word}: {kinds}; {report.already:,} there already; "
        f"{report.refused:,} refused."
    )
    return "\n".join(lines)
