"""What an audit found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

AGREES = "agrees"
DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with the evidence."""

    where: str
    """`case/A1/1 run 0192... event 17`, or a file of the bundle."""
    what: str
    """Stable name of the kind: `replay`, `event`, `result`, `chain`, `text`, `file`, `signature` ..."""
    detail: str

    def __str__(self) -> str:
        return f"{self.what}: {self.where}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One decision that was taken again."""

    where: str
    kind: Literal["step", "assessment", "chunk", "alert", "reminder", "deposit"]
    verdict: str
    """`agrees`, `differs by erratum 3`, or `differs`."""
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run: what it was, whether it has ended, and what was found."""

    workflow: str
    run: str
    kind: str
    events: int
    closed: bool
    simulated: bool
    ended: str = ""
    """How it ended, as Temporal says it: `COMPLETED`, `CONTINUED_AS_NEW`, `TERMINATED` ...; empty: open."""
    findings: tuple[Finding, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditReport:
    """A whole audit; `ok` says whether everything was proved."""

    runs: tuple[RunReport, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What is wrong with the bundle itself, or between runs."""
    notes: tuple[str, ...] = ()
    """What an auditor should know: who signed it, runs that are open as of the export."""
    alerts: tuple[Verdict, ...] = ()
    """The alerts of watching, which are no part of a run."""
    accept_simulated: bool = False
    trusted: bool = False
    """The auditor was told elsewhere of the key that signed: so nobody else left anything out."""
    signed_by: str = ""
    """Fingerprint of the public key; empty: not signed."""

    @property
    def simulated(self) -> bool:
        """Tell whether somebody moved a clock in any of the runs."""
        return any(run.simulated for run in self.runs)

    @property
    def problems(self) -> tuple[Finding, ...]:
        """Everything that is wrong."""
        found = [*self.findings, *(finding for run in self.runs for finding in run.findings)]
        if self.simulated and not self.accept_simulated:
            count = sum(run.simulated for run in self.runs)
            said = f"{count} runs have a simulated clock: somebody moved the time; accepted only when told to"
            found.append(Finding("bundle", "simulated clock", said))
        return tuple(found)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Every decision that was taken again."""
        return (*(verdict for run in self.runs for verdict in run.verdicts), *self.alerts)

    @property
    def differing(self) -> tuple[Verdict, ...]:
        """Decisions that differ and that no erratum explains."""
        return tuple(verdict for verdict in self.verdicts if verdict.verdict == DIFFERS)

    @property
    def ok(self) -> bool:
        """Tell whether all was proved."""
        return not self.problems and not self.differing

    def counts(self) -> dict[str, int]:
        """Return how many decisions got which verdict."""
        return dict(sorted(Counter(verdict.verdict for verdict in self.verdicts).items()))

    def render_text(self, most: int = 50) -> str:
        """Return the report for people; at most so many problems are written out."""
        events = sum(run.events for run in self.runs)
        lines = [f"{len(self.runs):,} runs, {events:,} events, replayed through the workflow code."]
        told = ", ".join(_counted(verdict, count) for verdict, count in self.counts().items())
        lines.append(f"{len(self.verdicts):,} decisions taken again: {told or 'none'}.")
        lines += self.notes
        if self.simulated:
            lines.append("The clock is a simulated clock.")
        lines += [f"  {problem}" for problem in self.problems[:most]]
        for verdict in self.differing[:most]:
            lines.append(f"  differs: {verdict.kind} {verdict.where}: {'; '.join(verdict.differences[:5])}")
        left = len(self.problems) + len(self.differing) - 2 * most
        if left > 0:
            lines.append(f"  ... and {left} more.")
        lines.append(self._last_word())
        return "\n".join(lines)

    def _last_word(self) -> str:
        if not self.ok:
            return "NOT PROVED."
        if self.trusted:
            return "Proved."
        return (
            "Proved in itself. Who signed it, and so that no run was left out, is not: "
            "give the key that you were told with --public-key."
        )


def _counted(verdict: str, count: int) -> str:
    return f"{count:,} {verdict.removesuffix('s') if count != 1 and ' ' not in verdict else verdict}"
