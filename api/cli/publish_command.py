"""`forbear publish`: put policies on the shelf of a data directory."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from api.cli.frame import OK, Trouble
from api.cli.running import plainly, settings_for
from api.wiring import build


@click.command("publish")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("policies"))
@click.option("--data", type=click.Path(path_type=Path), help="The data directory; without it, `.forbear`.")
def command(folder: Path, data: Path | None) -> int:
    """Publish a folder of policies: law packs, calendars, policies, the portfolio.

    A text that is there already stays as it is. A new one is in force from the day that it names, in place of
    the text that named the same day until now: both stay on the shelf, and what was decided stays decided. A
    text that has an error is not published, and says why.

    \b
    Example:
      forbear publish policies
    """
    if not folder.is_dir():
        raise Trouble(f"There is no folder `{folder}`.")
    with plainly():
        wiring = build(settings_for(data))
        try:
            for done in wiring.publisher.publish_folder(folder, datetime.now(UTC)):
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
