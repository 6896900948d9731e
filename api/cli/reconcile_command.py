"""`forbear reconcile`: the operator's own balances against the ledger as it stands."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from api.cli.frame import FINDINGS, OK, Trouble
from api.cli.running import key_of, plainly, settings_for
from api.importer.balances import Reconciliation, load_balances, reconcile
from api.importer.reading_ledger import balances_over_http
from engine.source import render_problem

SHOWN = 50
"""Differences that are written out."""


@click.command("reconcile")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="A business date; left out: today's.")
@click.option("--known-at", help="An instant with its offset; left out: as known now.")
@click.option("--url", help="Where the API is; without it, on this machine at FORBEAR_PORT.")
@click.option("--data", type=click.Path(path_type=Path), help="The data directory whose key is used.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    file: Path, as_of: datetime | None, known_at: str | None, url: str | None, data: Path | None, form: str
) -> int:
    """Hold the operator's balances (CSV) against the ledger as it stands, and list what differs by account.

    Columns: account, currency, and any of open, not_due, days_1_30, days_31_60, days_61_90, over_90, overdue,
    disputed, written_off, credit. A line without an account is the total of its currency. Ends with 1 if
    anything differs.

    \b
    Example:
      forbear reconcile balances.csv --as-of 2026-03-31
    """
    loaded = load_balances(file.read_bytes(), str(file))
    if loaded.policy is None:
        sources = {str(file): file.read_bytes().decode("utf-8", "replace")}
        told = "\n".join(render_problem(problem, sources) for problem in loaded.problems)
        raise Trouble(f"`{file}` holds no balances:\n{told}")
    settings = settings_for(data)
    where = url or f"http://{settings.host}:{settings.port}"
    day = as_of.date() if as_of else None
    with plainly():
        standing = balances_over_http(where, key_of(settings), day, known_at)
        found = reconcile(loaded.policy, standing)
    if form == "json":
        click.echo(json.dumps(_plain(found), indent=2, default=str))
    else:
        click.echo(_told(file, found))
    return OK if found.agrees else FINDINGS


def _plain(found: Reconciliation) -> dict[str, object]:
    totals = {currency: balance.model_dump(mode="json") for currency, balance in found.totals.items()}
    return {
        "agrees": found.agrees, "accounts": found.accounts, "agreed": found.agreed, "totals": totals,
        "differences": [asdict(one) for one in found.differences],
    }  # fmt: skip


def _told(file: Path, found: Reconciliation) -> str:
    lines = [str(one) for one in found.differences[:SHOWN]]
    if len(found.differences) > SHOWN:
        lines.append(f"... and {len(found.differences) - SHOWN} more")
    for currency, balance in found.totals.items():
        lines.append(f"{currency}: open {balance.open}, overdue {balance.overdue}, credit {balance.credit}")
    word = "agrees" if found.agrees else f"{len(found.differences)} differences"
    lines.append(f"{file}: {found.accounts:,} accounts, {found.agreed:,} figures agree; {word}.")
    return "\n".join(lines)
