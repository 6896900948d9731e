"""`forbear demo`: see the whole idea work, on sample data or on the UCI file."""

from __future__ import annotations

import time
from pathlib import Path

import click

from api.cli.case_gate import cases_hold
from api.cli.frame import FINDINGS, OK, Trouble


@click.command("demo")
@click.option(
    "--data", type=click.Path(path_type=Path), help="The UCI file of card customers, as CSV or gzipped CSV."
)
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), default=Path(".forbear/demo"), show_default=True
)
@click.option(
    "--seed", type=int, default=20260101, show_default=True, help="Draws the sample and the network's moods."
)
@click.option("--keep", is_flag=True, help="Keep everything running at the end, until Ctrl-C.")
def command(data: Path | None, folder: Path, seed: int, keep: bool) -> int:
    """Run Forbear on a year of arrears in minutes, and prove what it did.

    Runs the cases beside the shipped policies and publishes these, with a real Temporal server, a ledger, a
    worker and the API; takes in customers and bills as a billing system would; grades everybody; runs months
    of arrears with time skipped; shows what came of it; audits every history. The data stays in the
    directory for `forbear up --data DIR`; what an earlier demo left there is removed first.

    Ends with 1 if anything is not as it must be: a difference in the audit, a case that is stuck.

    \b
    Example:
      forbear demo
      forbear demo --data taiwan_credit_card_default.csv.gz --seed 7
    """
    from api.demo.account_run import RunFailed
    from api.demo.client import CallLost, CallRefused
    from api.demo.leftovers import DirectoryBusy, check_ours
    from api.demo.processes import ServiceEnded
    from api.demo.run import DemoFailed, run_demo
    from api.demo.source import sample_source, uci_source
    from api.demo.uci_file import UciFileError
    from api.embedded import TemporalNotStarted
    from api.looping import run

    began, root = time.monotonic(), Path.cwd()
    _check_root(root)
    try:
        check_ours(folder)
        source = uci_source(root, data, seed) if data else sample_source(root, seed)
        if not cases_hold(root / "policies"):
            return FINDINGS
        run(run_demo(source, folder, root, click.echo, keep=keep, began=began))
    except (UciFileError, DirectoryBusy, TemporalNotStarted, ServiceEnded, CallLost) as error:
        raise Trouble(str(error)) from error
    except (DemoFailed, RunFailed, CallRefused) as error:
        click.echo(f"forbear: The demo failed: {error}", err=True)
        return FINDINGS
    except KeyboardInterrupt as interrupt:
        raise click.Abort from interrupt
    return OK


def _check_root(root: Path) -> None:
    for needed in ("policies", "fixtures/ledgers/sample", "requirements/lock.txt"):
        if not (root / needed).exists():
            raise Trouble(f"There is no `{needed}` here. Call `forbear demo` in the folder of the project.")
