"""`forbear audit`: prove what was done, from a bundle or from a data directory, off line."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

import click

from api.cli.frame import FINDINGS, OK, Trouble
from api.cli.running import plainly, settings_for
from api.evidence.auditing import audit_bundle
from api.evidence.bundle import bundle_files, to_zip, write_bundle
from api.evidence.gathering import Gatherer
from api.evidence.signing import public_pem, signing_key
from api.settings import Settings
from api.wiring import build
from workflows.audit.report import AuditReport
from workflows.ids import case_id


@click.command("audit")
@click.argument("bundle", required=False, type=click.Path(path_type=Path))
@click.option("--case", "case", help="One case: `A1001/1`, or a workflow's id.")
@click.option(
    "--accept-simulated", is_flag=True, help="Accept histories whose clock was moved: demos, tests."
)
@click.option(
    "--public-key", type=click.Path(path_type=Path), help="PEM file of the key that must have signed."
)
@click.option(
    "--save", type=click.Path(path_type=Path), help="Also write the evidence as a bundle to hand over."
)
@click.option("--data", type=click.Path(path_type=Path), help="The data directory, when no bundle is given.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    bundle: Path | None, case: str | None, accept_simulated: bool, public_key: Path | None,
    save: Path | None, data: Path | None, form: str,
) -> int:  # fmt: skip
    """Replay histories through the workflow code and take every decision in them again.

    BUNDLE is a signed bundle of evidence (a zip or a folder); nothing else is needed. Without it, what the
    data directory has exported is audited. With --public-key, the key that you were told on another way, it
    is proved who signed the bundle; without, somebody may have left out runs and signed the rest anew.

    Ends with 1 if anything was changed, dropped or added, or if a decision does not follow from the recorded
    facts and texts.

    \b
    Example:
      forbear audit .forbear/demo/evidence.zip --accept-simulated
      forbear audit evidence.zip --public-key operator.pem
      forbear audit --case A0399/1 --data .forbear/demo --accept-simulated
    """
    if bundle is not None and (case or save):
        raise click.UsageError("A bundle is audited as a whole; --case and --save are for a data directory.")
    with plainly():
        key = public_key.read_bytes() if public_key else None
        source: Path | bytes
        if bundle is None:
            settings = settings_for(data)
            source = _gathered(settings, case, save)
            key = key or public_pem(signing_key(settings.data))
        elif bundle.exists():
            source = bundle
        else:
            raise Trouble(f"There is no bundle `{bundle}`.")
        report = audit_bundle(source, accept_simulated=accept_simulated, public_key=key)
    click.echo(_as_json(report) if form == "json" else report.render_text())
    return OK if report.ok else FINDINGS


def _gathered(settings: Settings, case: str | None, save: Path | None) -> bytes:
    if not (settings.data / "forbear.json").exists():
        raise Trouble(f"`{settings.data}` is no data directory. Name one with --data, or give a bundle.")
    wiring = build(settings)
    try:
        names = [_workflow(case)] if case else []
        contents = asyncio.run(Gatherer(wiring.database, wiring.evidence).gather(names))
    finally:
        wiring.close()
    if not contents.runs and not contents.alerts:
        what = f"case `{case}`" if case else f"`{settings.data}`"
        raise Trouble(f"There is no exported evidence of {what}. A run is exported when it has ended.")
    files = bundle_files(contents, signing_key(settings.data))
    if save is not None:
        if save.exists():
            raise Trouble(f"`{save}` is there already; give another name.")
        write_bundle(save, files)
        click.echo(f"The evidence of {len(contents.runs)} runs is in {save}.", err=True)
    return to_zip(files)


def _workflow(case: str) -> str:
    account, slash, number = case.rpartition("/")
    if slash and "/" not in account and number.isdigit():
        return case_id(account, int(number))
    return case


def _as_json(report: AuditReport) -> str:
    said = {
        "ok": report.ok,
        "runs": len(report.runs),
        "events": sum(run.events for run in report.runs),
        "verdicts": report.counts(),
        "problems": [asdict(problem) for problem in report.problems],
        "differing": [asdict(verdict) for verdict in report.differing],
        "notes": list(report.notes),
        "simulated": report.simulated,
        "signed_by": report.signed_by,
        "trusted": report.trusted,
    }
    return json.dumps(said, ensure_ascii=False, indent=2)
