"""The audit of a bundle: every run replayed strictly, every decision taken again, runs in a chain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from google.protobuf.message import DecodeError
from temporalio.api.history.v1 import History, HistoryEvent

from workflows import effects
from workflows.audit.alerting import alerts_again
from workflows.audit.depositing import deposits_again
from workflows.audit.redeciding import acted_as_decided, assessment_again, step_again
from workflows.audit.reminding import reminders_again
from workflows.audit.report import AuditReport, Finding, RunReport, Verdict
from workflows.audit.reviewing import chunks_again
from workflows.audit.shapes import SIMULATED
from workflows.audit.strict import Replayed, StrictReplayer
from workflows.audit.structure import check_structure, is_closed, name_of, task_starts
from workflows.audit.texts import Texts
from workflows.audit.values import Values, read_values
from workflows.messages import CaseStart, SweepRequest
from workflows.recorded import recorded_digest

BY_HAND = ("TERMINATED", "CANCELED", "TIMED_OUT")
_ROUNDING = timedelta(microseconds=2)
"""The workflow's clock is read through a binary float."""


@dataclass(frozen=True, slots=True)
class Exported:
    """One exported run: whose it is said to be, and the raw bytes of its history (protobuf)."""

    workflow: str
    run: str
    history: bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """What an auditor is given."""

    histories: Sequence[Exported]
    texts: Texts
    records: Mapping[str, Sequence[bytes]] = field(default_factory=dict)
    """Decisions of portfolio reviews by the digest that their chunk states, one canonical JSON text each;
    looks of sweeps at bills before their due date by their own digest."""
    alerts: Mapping[str, bytes] = field(default_factory=dict)
    """Alerts of watching by the digest of their bytes."""
    windows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The events of their windows as the manifest lists them: ids with digests."""


@dataclass(frozen=True, slots=True)
class AuditedRun:
    """One run's report, and how it hangs together with other runs."""

    report: RunReport
    first: str = ""
    previous: str = ""
    next: str = ""
    start: str = ""
    """Digest of the input."""
    continued: str = ""
    """Digest of the input of the run that goes on."""


async def audit(bundle: Bundle, *, accept_simulated: bool = False) -> AuditReport:
    """Audit a bundle; nothing in it can raise, everything wrong is in the report."""
    report = concluded(await audited_runs(bundle), accept_simulated=accept_simulated)
    return replace(report, alerts=tuple(alerts_again(bundle.alerts, bundle.texts, bundle.windows)))


async def audited_runs(bundle: Bundle) -> list[AuditedRun]:
    """Audit each run by itself."""
    async with StrictReplayer() as replayer:
        return [await _audited(replayer, exported, bundle) for exported in bundle.histories]


def concluded(runs: Sequence[AuditedRun], *, accept_simulated: bool = False) -> AuditReport:
    """Return the report on all runs, after checking that they follow each other."""
    return AuditReport(
        runs=tuple(run.report for run in runs),
        findings=tuple(_chains(runs)),
        notes=tuple(_notes(runs)),
        accept_simulated=accept_simulated,
    )


async def _audited(replayer: StrictReplayer, exported: Exported, bundle: Bundle) -> AuditedRun:
    try:
        return await _run(replayer, exported, bundle)
    except Exception as error:  # forged bytes must end in the report, whatever they break
        return _unreadable(exported, f"it cannot be followed: {type(error).__name__}: {error}")


async def _run(replayer: StrictReplayer, exported: Exported, bundle: Bundle) -> AuditedRun:
    try:
        events = list(History.FromString(exported.history).events)
    except DecodeError as error:
        return _unreadable(exported, f"the history cannot be read: {error}")
    said = check_structure(events, exported.workflow, exported.run)
    if not events or not events[0].HasField("workflow_execution_started_event_attributes"):
        return _unreadable(exported, said[0][1] if said else "the history has no beginning")
    # A history that does not hang together is not replayed: the SDK's core is not made for such.
    replayed = Replayed() if said else await replayer.replay(exported.workflow, exported.run, events)
    values = read_values(events, replayed.asked)
    said += (
        replayed.said
        + values.said
        + list(_steps_fit(values, task_starts(events)))
        + list(acted_as_decided(values.effects))
    )
    return _reported(exported, events, values, said, bundle)


def _reported(
    exported: Exported,
    events: Sequence[HistoryEvent],
    values: Values,
    said: list[tuple[int, str]],
    bundle: Bundle,
) -> AuditedRun:
    where = f"{exported.workflow} run {exported.run}"
    findings = [Finding(f"{where} event {number}" if number else where, "event", why) for number, why in said]
    report = RunReport(
        workflow=exported.workflow,
        run=exported.run,
        kind=values.kind,
        events=len(events),
        closed=is_closed(events),
        simulated=_simulated(events, values),
        ended=name_of(events[-1]).removeprefix("WORKFLOW_EXECUTION_") if is_closed(events) else "",
        findings=tuple(dict.fromkeys(findings)),
        verdicts=tuple(_verdicts(values, bundle, where)),
    )
    started = events[0].workflow_execution_started_event_attributes
    return AuditedRun(
        report,
        first=started.first_execution_run_id,
        previous=started.continued_execution_run_id,
        next=events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id,
        start=recorded_digest(values.start),
        continued=recorded_digest(values.continued),
    )


def _unreadable(exported: Exported, why: str) -> AuditedRun:
    found = Finding(f"{exported.workflow} run {exported.run}", "event", why)
    return AuditedRun(RunReport(exported.workflow, exported.run, "", 0, False, False, findings=(found,)))


def _simulated(events: Sequence[HistoryEvent], values: Values) -> bool:
    offset = getattr(values.start, "clock_offset", None)
    return bool(offset) or any(event.event_type in SIMULATED for event in events)


def _verdicts(values: Values, bundle: Bundle, where: str) -> Iterator[Verdict]:
    for effect in values.effects:
        place = f"{where} event {effect.event}"
        if effect.result is None or effect.request is None:
            continue
        if effect.name == effects.STEP:
            yield step_again(effect, bundle.texts, place)
        elif effect.name == effects.ASSESS:
            yield assessment_again(effect, bundle.texts, place)
        elif effect.name == effects.GRADE_CHUNK:
            yield from chunks_again(effect, bundle.texts, bundle.records, place)
        elif effect.name == effects.OPEN_DUE:
            yield from reminders_again(effect, bundle.texts, bundle.records, place)
            yield from deposits_again(effect, bundle.texts, bundle.records, place)


def _steps_fit(values: Values, since: Mapping[int, datetime]) -> Iterator[tuple[int, str]]:
    """Check, apart from the workflow's code, that looks follow each other and the workflow's clock."""
    start = values.start
    if not isinstance(start, CaseStart):
        yield from _pages_fit(values)
        return
    allowed = {recorded_digest(start.taken)}
    for effect in values.effects:
        if effect.name == effects.STEP and effect.request is not None:
            asked = effect.request
            if effect.result is not None and effect.at is not None:
                earliest, at = since[effect.event], effect.result.at - start.clock_offset
                if not earliest - _ROUNDING <= at <= effect.at + _ROUNDING:
                    yield effect.event, f"the look is at {at}, the clock was {earliest} to {effect.at}"
            if recorded_digest(asked.taken) not in allowed:
                yield effect.event, "the look does not start from what the one before left"
            if effect.result is not None:
                allowed = {recorded_digest(effect.result.taken), recorded_digest(asked.taken)}
        elif effect.name == effects.ACT and not effect.failed and effect.request is not None:
            allowed = {recorded_digest(effect.request.taken)}


def _pages_fit(values: Values) -> Iterator[tuple[int, str]]:
    if not isinstance(values.start, SweepRequest):
        return
    for effect in values.effects:
        if effect.request is None or effect.at is None:
            continue
        if abs(effect.request.at - effect.at - values.start.clock_offset) > _ROUNDING:
            yield effect.event, f"the page is of {effect.request.at}, the clock says {effect.at}"


def _chains(runs: Sequence[AuditedRun]) -> Iterator[Finding]:
    """Check that the runs of each workflow follow each other without a gap."""
    by_id = {run.report.run: run for run in runs}
    if len(by_id) != len(runs):
        yield Finding("bundle", "runs", "a run is in the bundle twice")
    for run in runs:
        where = f"{run.report.workflow} run {run.report.run}"
        if run.previous:
            before = by_id.get(run.previous)
            if before is None:
                yield Finding(where, "runs", f"the run before it, {run.previous}, is not in the bundle")
            elif before.next != run.report.run or before.report.workflow != run.report.workflow:
                yield Finding(where, "runs", f"the run {run.previous} does not go on as this one")
            elif before.first != run.first:
                yield Finding(where, "runs", "it names another first run than the one before")
            elif before.continued != run.start:
                yield Finding(where, "runs", "it starts from something else than the run before left")
        if run.next and run.next not in by_id:
            yield Finding(where, "runs", f"the run that goes on, {run.next}, is not in the bundle")


def _notes(runs: Sequence[AuditedRun]) -> Iterator[str]:
    opened: dict[str, int] = defaultdict(int)
    for run in runs:
        if not run.report.closed and run.report.kind:
            opened[run.report.kind] += 1
    for kind, count in sorted(opened.items()):
        said = (
            f"{count:,} runs of {kind} were open when they were"
            if count > 1
            else f"A run of {kind} was open when it was"
        )
        yield f"{said} exported: how it ends is not proved."
    for run in runs:
        if run.report.ended in BY_HAND:
            told = run.report.ended.lower().replace("_", " ")
            yield f"{run.report.workflow} run {run.report.run} was {told} from outside, not by its own code."
