"""`forbear worker`: one more worker for a Forbear that runs elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.frame import OK
from api.cli.running import plainly, settings_for
from api.logs import log_to_terminal
from api.looping import run
from api.serving import told_to_stop, working
from api.settings import Settings


@click.command("worker")
@click.option("--data", type=click.Path(path_type=Path), help="The data directory; without it, `.forbear`.")
@click.option(
    "--temporal", help="`host:port` of Temporal; without it, FORBEAR_TEMPORAL, or the embedded one."
)
def command(data: Path | None, temporal: str | None) -> int:
    """Run a worker: it takes cases, assessments and reviews from Temporal, and serves no API.

    It also looks at windows of watching that are due, beside `forbear up`: whoever comes first takes one.

    Uses the same settings as `forbear up`: the same data directory, or the same FORBEAR_DATABASE and
    FORBEAR_TEMPORAL. Ends with Ctrl-C, when what it has begun is done.

    \b
    Example:
      FORBEAR_TEMPORAL=temporal.example:7233 FORBEAR_TEMPORAL_TLS=true forbear worker
    """
    settings = settings_for(data, temporal=temporal)
    log_to_terminal()
    with plainly():
        run(_work(settings))
    return OK


async def _work(settings: Settings) -> None:
    stop = told_to_stop()
    async with working(settings) as address:
        click.echo(f"Working for Temporal at {address}; Ctrl-C ends it.")
        await stop.wait()
        click.echo("Ending ...")
