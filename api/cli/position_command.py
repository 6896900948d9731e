"""`forbear position`: what is owed on an account as of any day, as known at any instant."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from api.cli.frame import OK
from api.cli.running import key_of, plainly, settings_for
from api.importer.reading_ledger import position_over_http


@click.command("position")
@click.argument("account")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="A business date; left out: today's.")
@click.option("--known-at", help="An instant with its offset; left out: as known now.")
@click.option("--url", help="Where the API is; without it, on this machine at FORBEAR_PORT.")
@click.option("--data", type=click.Path(path_type=Path), help="The data directory whose key is used.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    account: str, as_of: datetime | None, known_at: str | None, url: str | None, data: Path | None, form: str
) -> int:
    """Show what is owed on an account as of a day, as it was known at an instant.

    \b
    Example:
      forbear position A1001 --as-of 2026-03-31 --known-at 2026-04-02T12:00:00+08:00
    """
    settings = settings_for(data)
    where = url or f"http://{settings.host}:{settings.port}"
    with plainly():
        found = position_over_http(
            where, key_of(settings), account, as_of.date() if as_of else None, known_at
        )
    click.echo(json.dumps(found, indent=2) if form == "json" else _told(found))
    return OK


def _told(found: dict[str, Any]) -> str:
    lines = [
        f"{found['account']} on {found['on']}, as known at {found['at']}",
        f"open {found['open_amount']} {found['currency']}, overdue {found['overdue_amount']}, disputed "
        f"{found['disputed_amount']}, credit {found['credit']}, deposit {found['deposit']}",
    ]
    for debt in found["debts"]:
        late = f", {debt['days_past_due']} days past due" if debt["days_past_due"] else ""
        gone = ", written off" if debt["written_off"] else ""
        left = f"{debt['remaining_amount']} of {debt['amount']}"
        lines.append(f"  {debt['id']}  due {debt['due_date']}  {left}{late}{gone}")
    for money in found["allocations"]:
        parts = ", ".join(f"{part['debt']} {part['amount']}" for part in money["paid"]) or "nothing"
        lines.append(f"  {money['source']} of {money['value_date']}: {money['amount']} pays {parts}")
    return "\n".join(lines)
