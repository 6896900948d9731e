"""`forbear publish`: put policies on the shelf of a data directory."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from api.cli.case_gate import cases_hold
from api.cli.frame import FINDINGS, OK, Trouble
from api.cli.running import plainly, settings_for
from api.wiring import build


@click.command("publish")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("policies"))
@click.option("--data", type=click.Path(path_type=Path), help="The data directory; without it, `.forbear`.")
@click.option("--without-cases", metavar="REASON", help="Do not run the cases; the reason is recorded.")
def command(folder: Path, data: Path | None, without_cases: str | None) -> int:
    """Publish a folder of policies: law packs, calendars, policies, the portfolio.

    A text that is there already stays as it is. A new one is in force from the day that it names, in place of
    the text that named the same day until now: both stay on the shelf, and what was decided stays decided.

    First everything is checked and the cases beside the policies are run: where a text has an error or a case
    does not hold, nothing is published, and it ends with 1. `--without-cases` leaves the cases out; its
    reason is kept and named in the audit chain.

    \b
    Example:
      forbear publish policies
      forbear publish policies --without-cases "the ledger of the cases is being moved"
    """
    if not folder.is_dir():
        raise Trouble(f"There is no folder `{folder}`.")
    if without_cases is not None and not without_cases.strip():
        raise click.BadParameter("say why the cases are not run", param_hint="--without-cases")
    if without_cases is None and not cases_hold(folder):
        return FINDINGS
    with plainly():
        wiring = build(settings_for(data))
        try:
            for done in wiring.publisher.publish_folder(
                folder, datetime.now(UTC), (without_cases or "").strip()
            ):
                made = done.manifest
                word = "new" if done.new else "there already"
                word += (
                    f", replaces {done.replaces[:19]} for all that is decided from now on"
                    if done.replaces
                    else ""
                )
                since = f"from {made.effective_from}"
                click.echo(f"{made.kind:<12} {made.policy:<22} {since}  {made.digest[:19]}  {word}")
        finally:
            wiring.close()
    return OK
