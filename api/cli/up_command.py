"""`forbear up`: everything in one process, until Ctrl-C."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import click

from api.cli.case_gate import cases_hold
from api.cli.frame import FINDINGS, OK, Trouble
from api.cli.running import plainly, settings_for
from api.logs import log_to_terminal
from api.looping import run
from api.serving import Serving, serving, told_to_stop
from api.settings import Settings


@click.command("up")
@click.option("--data", type=click.Path(path_type=Path), help="The data directory; without it, `.forbear`.")
@click.option("--port", type=click.IntRange(0, 65535), help="The API's port; 0: a free one.")
@click.option("--policies", type=click.Path(path_type=Path), default=Path("policies"), show_default=True)
def command(data: Path | None, port: int | None, policies: Path) -> int:
    """Start Forbear: Temporal, ledger, worker, relay and API.

    The first start makes the data directory, writes the key that every call of the API needs (only its owner
    can read it), and publishes the policies after their cases were run: where one does not hold, nothing is
    published, and it ends with 1. Listens on this machine only.

    \b
    Example:
      forbear up
      forbear up --data .forbear/demo
    """
    settings = settings_for(data, port=port)
    log_to_terminal()
    with plainly():
        code = run(_up(settings, policies))
    click.echo("Forbear has ended.")
    return code


async def _up(settings: Settings, policies: Path) -> int:
    stop = told_to_stop()
    async with serving(settings) as running:
        if await asyncio.to_thread(_shelf_is_empty, running):
            if not policies.is_dir():
                raise Trouble(
                    f"The shelf is empty, and there is no folder `{policies}` to publish from. "
                    f"Name one with `--policies`, or publish first: "
                    f"`forbear publish FOLDER --data {settings.data}`."
                )
            if not await asyncio.to_thread(cases_hold, policies):
                advice = f"forbear publish {policies} --data {settings.data} --without-cases REASON"
                click.echo(f"Mend them, or publish all the same: `{advice}`.", err=True)
                return FINDINGS
            publish = running.wiring.publisher.publish_folder
            done = await asyncio.to_thread(publish, policies, datetime.now(UTC))
            click.echo(f"The shelf was empty: {len(done)} texts of {policies} are published.")
        click.echo(_told(settings, running))
        await stop.wait()
        click.echo("Ending ...")
    return OK


def _shelf_is_empty(running: Serving) -> bool:
    from api.storage.shelf import page_of_policies

    with running.wiring.database.read() as session:
        return not page_of_policies(session, ("", "", ""), 1)


def _told(settings: Settings, running: Serving) -> str:
    lines = [
        "Forbear is up; Ctrl-C ends it.",
        f"  API           {running.url}, its page {running.url}/docs",
        f"  key           in {settings.data / 'api.key'}: send it as `Authorization: Bearer KEY`",
        f"  Temporal      {running.temporal}; its port is open to every user of this machine",
    ]
    if running.temporal_ui:
        lines.append(f"  Temporal UI   {running.temporal_ui}")
    if running.wiring.simulated:
        lines.append("  clock         simulated: made by the demo; not for real customers")
    return "\n".join(lines)
