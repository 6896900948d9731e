"""`forbear fmt`: the tables of policies with their bars below each other."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from api.cli.check_command import counted
from api.cli.frame import FINDINGS, OK
from api.cli.policy_files import PolicyFiles, find_policies
from api.cli.replacing import replace_file
from engine.source import render_problem
from engine.tables import align_text


@click.command("fmt")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Change nothing; name what would change, and end with 1 if any.")
@click.option("--diff", is_flag=True, help="Change nothing; show what would change.")
def command(paths: tuple[Path, ...], check: bool, diff: bool) -> int:
    """Align the pipe tables in policies.

    Only blanks inside the lines of tables change: comments, the order of everything and what the policy means
    stay. Chinese characters count as two places. A table that cannot be read stays as it is, and is told;
    then it ends with 1.

    \b
    Example:
      forbear fmt
      forbear fmt policies/consumer-credit --check
    """
    told, changed, unread = [], 0, 0
    for path, data in _texts(find_policies(paths or (Path("policies"),))):
        loaded = align_text(data, str(path))
        sources = {str(path): data.decode("utf-8-sig", "replace")}
        told += [render_problem(problem, sources) for problem in loaded.problems]
        unread += bool(loaded.problems)
        if loaded.policy is None or loaded.policy == data:
            continue
        changed += 1
        told.append(f"{path}: {'would be aligned' if check or diff else 'aligned'}")
        if diff:
            told += _difference(path, data, loaded.policy)
        elif not check:
            replace_file(path, loaded.policy)
    closing = f"{counted(changed, 'file', 'files')} {'would change' if check or diff else 'changed'}"
    closing += f", {unread} with tables that cannot be read" if unread else ""
    click.echo("\n".join([*told, f"{closing}."]))
    return FINDINGS if unread or (changed and (check or diff)) else OK


def _texts(found: Iterable[PolicyFiles]) -> Iterator[tuple[Path, bytes]]:
    """Yield every YAML text of the policies, each once."""
    for one in found:
        for name, data in one.texts.items():
            if name.endswith(".yaml"):
                yield one.folder / name, data


def _difference(path: Path, before: bytes, after: bytes) -> Iterator[str]:
    old, new = (text.decode("utf-8-sig").splitlines() for text in (before, after))
    yield from difflib.unified_diff(old, new, str(path), str(path), lineterm="")
