"""`forbear audit`: prove what was done, from a bundle or from a data directory, off line."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click

from api.cli.frame import FINDINGS, OK, Trouble
from api.cli.running import plainly, settings_for
from api.evidence.alert_chain import against_chain, alerts_of
from api.evidence.auditing import audit_bundle
from api.evidence.bundle import bundle_files, to_zip, write_bundle
from api.evidence.gathering import Gatherer
from api.evidence.signing import public_pem, signing_key
from api.settings import Settings
from api.storage.errors import NotFound
from api.wiring import build
from workflows.audit.report import AuditReport, Finding
from workflows.ids import case_id


@click.command("audit")
@click.argument("bundle", required=False, type=click.Path(path_type=Path))
@click.option("--case", "case", help="One case: `A1001/1`, or a workflow's id.")
@click.option("--alert", "alert", help="One alert of watching, by its id.")
@click.option("--customer", "customer", help="The alerts about one customer.")
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
    bundle: Path | None, case: str | None, alert: str | None, customer: str | None, accept_simulated: bool,
    public_key: Path | None, save: Path | None, data: Path | None, form: str,
) -> int:  # fmt: skip
    """Replay histories through the workflow code and take every decision in them again.

    BUNDLE is a signed bundle of evidence (a zip or a folder); nothing else is needed. Without it, what the
    data directory has exported is audited. With --public-key, the key that you were told on another way, it
    is proved who signed the bundle; without, somebody may have left out runs and signed the rest anew.

    Ends with 1 if anything was changed, dropped or added, or if a decision does not follow from the recorded
    facts and texts. An alert is taken again from the window that stands in it; in a data directory alerts and
    their events are also held against the audit chain.

    \b
    Example:
      forbear audit .forbear/demo/evidence.zip --accept-simulated
      forbear audit evidence.zip --public-key operator.pem
      forbear audit --case A0399/1 --data .forbear/demo --accept-simulated
      forbear audit --customer C1001 --save alerts-of-C1001.zip
    """
    if bundle is not None and (case or alert or customer or save):
        raise click.UsageError(
            "A bundle is audited as a whole; --case, --alert, --customer and --save are for a data directory."
        )
    if sum(map(bool, (case, alert, customer))) > 1:
        raise click.UsageError("Give one of --case, --alert and --customer.")
    with plainly():
        key = public_key.read_bytes() if public_key else None
        source: Path | bytes
        findings: tuple[Finding, ...] = ()
        if bundle is None:
            settings = settings_for(data)
            source, findings = _gathered(settings, Asked(case, alert, customer), save)
            key = key or public_pem(signing_key(settings.data))
        elif bundle.exists():
            source = bundle
        else:
            raise Trouble(f"There is no bundle `{bundle}`.")
        report = audit_bundle(source, accept_simulated=accept_simulated, public_key=key)
        report = replace(report, findings=(*findings, *report.findings))
    click.echo(_as_json(report) if form == "json" else report.render_text())
    return OK if report.ok else FINDINGS


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a data directory is to be audited; nothing: all of it."""

    case: str | None = None
    alert: str | None = None
    customer: str | None = None

    @property
    def said(self) -> str:
        """In words."""
        kind = "case" if self.case else "alert" if self.alert else "customer" if self.customer else ""
        return f"{kind} `{self.case or self.alert or self.customer}`" if kind else ""


def _gathered(settings: Settings, asked: Asked, save: Path | None) -> tuple[bytes, tuple[Finding, ...]]:
    if not (settings.data / "forbear.json").exists():
        raise Trouble(f"`{settings.data}` is no data directory. Name one with --data, or give a bundle.")
    wiring = build(settings)
    try:
        names = [_workflow(asked.case)] if asked.case else []
        with wiring.database.read() as session:
            alerts = [asked.alert] if asked.alert else None
            alerts = alerts_of(session, asked.customer) if asked.customer else alerts
            findings = () if asked.case else tuple(against_chain(session, wiring.library, alerts))
        contents = asyncio.run(Gatherer(wiring.database, wiring.evidence).gather(names, alerts))
    except NotFound:
        if not findings:
            raise Trouble(f"There is no {asked.said} in `{settings.data}`.") from None
        raise Trouble("\n".join(map(str, findings))) from None
    finally:
        wiring.close()
    if not contents.runs and not contents.alerts:
        what = asked.said or f"`{settings.data}`"
        if findings:
            raise Trouble("\n".join(map(str, findings)))
        raise Trouble(f"There is no exported evidence of {what}. A run is exported when it has ended.")
    files = bundle_files(contents, signing_key(settings.data))
    if save is not None:
        if save.exists():
            raise Trouble(f"`{save}` is there already; give another name.")
        write_bundle(save, files)
        told = f"{len(contents.runs)} runs and {len(contents.alerts)} alerts"
        click.echo(f"The evidence of {told} is in {save}.", err=True)
    return to_zip(files), findings


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
