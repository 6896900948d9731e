"""`forbear import-tables`: edited sheets back into the policy they came from."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from api.cli.check_command import check_one, counted
from api.cli.frame import FINDINGS, OK, Trouble
from api.cli.policy_files import LARGEST, PolicyFiles, one_policy
from api.cli.replacing import replace_file
from engine.policy import Loaded
from engine.source import Problem, Severity, has_errors, render_problem
from engine.tables import Book, PutBack, put_back, read_csv_book, read_xlsx_book
from engine.tables.put import Place


@click.command("import-tables")
@click.argument("policy", type=click.Path(path_type=Path))
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Change nothing; show what would change.")
def command(policy: Path, source: Path, dry_run: bool) -> int:
    """Put edited sheets back into the texts of POLICY.

    SOURCE is a workbook (.xlsx), a CSV file or a folder of CSV files, as `forbear export` wrote them. Only
    rows that were edited change; comments and everything else in the policy stay. A formula, a table that was
    edited in the policy too, and an edit with which the policy would not pass `forbear check` are refused;
    then nothing is written and it ends with 1.

    \b
    Example:
      forbear export policies/consumer-credit credit.xlsx
      forbear import-tables policies/consumer-credit credit.xlsx --dry-run
    """
    files = one_policy(policy)
    book = _book(source)
    if book.policy is None:
        return _refused(book.problems, {})
    found: Loaded[PutBack] = put_back(files.texts, files.root, book.policy)
    if found.policy is None:
        return _refused(found.problems, files.sources())
    after = replace(files, texts={**files.texts, **found.policy.texts})
    told = check_one(after)
    sources = {**after.sources(), **_csv_sources(source)}
    located = replace(found.policy, places=_located(files, found.policy))
    problems = [located.in_sheets(p) for p in told if has_errors([p])]
    for note in found.policy.notes:
        click.echo(render_problem(note, sources) + "\n")
    if problems:
        return _refused(tuple(problems), sources)
    click.echo("\n".join([*_difference(files, found.policy), *_told(found.policy)]))
    if not dry_run:
        for name, data in found.policy.texts.items():
            replace_file(files.folder / name, data)
    _warn(files, after, told)
    word = "would change" if dry_run else "changed"
    click.echo(f"{files.path}: {counted(len(found.policy.changed), 'table', 'tables')} {word}.")
    return OK


def _book(source: Path) -> Loaded[Book]:
    if source.is_dir():
        paths = sorted(source.glob("*.csv"))
        if not paths:
            raise Trouble(f"There is no CSV file in `{source}`.")
        return read_csv_book({path.name: _read(path) for path in paths})
    if source.suffix.lower() == ".csv":
        index = source.with_name("_forbear.csv")
        beside = {index.name: _read(index)} if index.exists() else {}
        return read_csv_book({**beside, source.name: _read(source)})
    return read_xlsx_book(_read(source), source.name)


def _csv_sources(source: Path) -> dict[str, str]:
    """Return the CSV files of a source by name, for showing lines; the cells of a workbook have none."""
    paths = sorted(source.glob("*.csv")) if source.is_dir() else [source] if source.suffix == ".csv" else []
    return {path.name: _read(path).decode("utf-8-sig", "replace") for path in paths}


def _located(files: PolicyFiles, found: PutBack) -> dict[tuple[str, int], tuple[Place, ...]]:
    """Return places by the paths that problems have here."""
    return {(str(files.folder / name), line): cells for (name, line), cells in found.places.items()}


def _read(path: Path) -> bytes:
    if path.stat().st_size > LARGEST:
        raise Trouble(f"`{path}` has more than {LARGEST:,} bytes; no table is so large.")
    return path.read_bytes()


def _warn(before: PolicyFiles, after: PolicyFiles, told: Sequence[Problem]) -> None:
    """Show what the check warns of now and did not before the edit."""
    known = {(problem.code, problem.message) for problem in check_one(before)}
    new = [p for p in told if p.severity is Severity.WARNING and (p.code, p.message) not in known]
    for problem in new:
        click.echo(render_problem(problem, after.sources()) + "\n")


def _refused(problems: tuple[Problem, ...], sources: dict[str, str]) -> int:
    told = [render_problem(problem, sources) for problem in problems]
    click.echo("\n\n".join([*told, "Nothing was written."]))
    return FINDINGS


def _difference(files: PolicyFiles, found: PutBack) -> Iterator[str]:
    for name, data in found.texts.items():
        path = str(files.folder / name)
        old, new = (text.decode("utf-8-sig").splitlines() for text in (files.texts[name], data))
        yield from difflib.unified_diff(old, new, path, path, lineterm="", n=1)


def _told(found: PutBack) -> Iterator[str]:
    if found.missing:
        yield f"No sheet for {', '.join(found.missing)}: left as they are."
