"""Cases of a watch policy: dated events, and the alerts that they raise with their evidence.

    cases:
      - case: a spike after the identity was changed
        events:
          - {id: e1, type: identity_changed, at: 2026-03-01T10:00:00+08:00}
          - {id: e2, type: usage, at: 2026-03-02, amount: 400.00}
        until: 2026-03-10
        expect:
          - {rule: identity-changed-then-spike, evidence: [e1, e2], on: 2026-03-02}

The events arrive one after the other, at `at` unless `received` says later, and time runs on until `until`
(left out: until the last event), as in the service. A day alone is its midnight in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from engine.policy import Loaded, Texts
from engine.source import Problem, Span, has_errors, sort_problems
from engine.text import MapNode, Node, Reader, ScalarNode, did_you_mean, optional, read_yaml
from engine.watch.alerts import Alert
from engine.watch.clock import replay
from engine.watch.errors import EventRefused, WatchError
from engine.watch.model import CUSTOMER, Kind, WatchPolicy
from engine.watch.values import Scalar, WatchEvent
from engine.watch.window import admit

SUBJECT = "the customer"
_ENVELOPE = ("id", "type", "at", "received", "customer")


@dataclass(frozen=True, slots=True)
class Expected:
    """One alert that a case expects."""

    rule: str
    span: Span
    evidence: tuple[str, ...] | None = None
    on: datetime | None = None

    def fits(self, alert: Alert) -> bool:
        """Tell whether an alert is the expected one."""
        return (
            alert.rule == self.rule
            and (self.evidence is None or self.evidence == tuple(e.id for e in alert.evidence))
            and (
                self.on is None
                or self.on == alert.as_of
                or self.on.date() == alert.as_of.astimezone(UTC).date()
            )
        )

    def __str__(self) -> str:
        evidence = "" if self.evidence is None else f" by {', '.join(self.evidence)}"
        return f"{self.rule}{evidence}{f' on {self.on.date()}' if self.on else ''}"


@dataclass(frozen=True, slots=True)
class Case:
    """One case: events as they arrive, and the alerts expected in order."""

    name: str
    span: Span
    per: str
    arrivals: tuple[tuple[datetime, WatchEvent], ...]
    until: datetime
    expected: tuple[Expected, ...]


@dataclass(frozen=True, slots=True)
class CaseReport:
    """What became of one case: no lines mean that it passed."""

    name: str
    span: Span
    failures: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    """The rules that fired."""

    @property
    def passed(self) -> bool:
        """Tell whether everything was as expected."""
        return not self.failures


@dataclass(frozen=True, slots=True)
class CasesReport:
    """What became of all cases of a policy."""

    policy: str
    file: str
    cases: tuple[CaseReport, ...]
    problems: tuple[Problem, ...] = field(default=())
    silent: tuple[str, ...] = ()
    """Rules that fire in no case."""

    @property
    def ok(self) -> bool:
        """Tell whether the cases could be read and all passed."""
        return not has_errors(self.problems) and all(case.passed for case in self.cases)

    def render(self) -> str:
        """Return the report as text, failures with their places."""
        lines: list[str] = []
        for case in self.cases:
            lines.append(f"{'ok  ' if case.passed else 'FAIL'} {case.name}")
            lines += [f"     {failure} ({case.span})" for failure in case.failures]
        passed = sum(case.passed for case in self.cases)
        lines.append(f"{self.policy}: {passed} of {len(self.cases)} cases pass")
        lines += [f"note: rule `{rule}` fires in no case" for rule in self.silent]
        return "\n".join(lines)


def read_watch_cases(policy: WatchPolicy, data: bytes, file: str = "cases.yaml") -> Loaded[tuple[Case, ...]]:
    """Read the cases of a watch policy; nothing is read of a file with mistakes."""
    reader = _CaseReader(policy)
    loaded = read_yaml(data, file)
    reader.take(loaded.problems)
    cases = reader.cases(loaded.policy) if loaded.policy is not None else ()
    problems = sort_problems(reader.problems)
    return Loaded(None if has_errors(problems) else cases, problems)


def run_watch_cases(policy: WatchPolicy, data: bytes | Texts, file: str = "cases.yaml") -> CasesReport:
    """Run the cases of a watch policy by the reference matcher and report what differs."""
    loaded = read_watch_cases(policy, data[file] if isinstance(data, Mapping) else data, file)
    reports = tuple(run_case(policy, case) for case in loaded.policy or ())
    fired = {rule for found in reports for rule in found.rules}
    silent = tuple(r.name for r in policy.rules if r.name not in fired) if reports else ()
    return CasesReport(policy.name, file, reports, loaded.problems, silent)


def run_case(policy: WatchPolicy, case: Case) -> CaseReport:
    """Run one case by the reference matcher."""
    try:
        alerts = replay(policy, case.per, SUBJECT, case.arrivals, case.until)
    except WatchError as error:
        return CaseReport(case.name, case.span, (str(error),))
    failures = [
        f"expected {wanted}, got {_told(got)}"
        for wanted, got in zip(case.expected, alerts, strict=False)
        if not wanted.fits(got)
    ]
    failures += [f"expected {wanted}, got no alert" for wanted in case.expected[len(alerts) :]]
    failures += [f"not expected: {_told(got)}" for got in alerts[len(case.expected) :]]
    return CaseReport(case.name, case.span, tuple(failures), tuple(alert.rule for alert in alerts))


def _told(alert: Alert) -> str:
    return (
        f"{alert.rule} by {', '.join(e.id for e in alert.evidence)} on {alert.as_of.astimezone(UTC).date()}"
    )


class _CaseReader(Reader):
    """Reads cases against the declared events of one policy."""

    def __init__(self, policy: WatchPolicy) -> None:
        super().__init__()
        self.policy = policy

    def cases(self, node: Node) -> tuple[Case, ...]:
        fields = self.fields(node, "a file of cases", ["cases"]) or {}
        items = self.items(fields["cases"], "`cases`") if "cases" in fields else ()
        if "cases" in fields and not items and not has_errors(self.problems):
            advice = "write one that each rule fires in, and one in which it just does not"
            self.error("no-cases", "there is no case", fields["cases"].span, advice)
        found = tuple(case for item in items if (case := self._case(item)))
        seen: dict[str, Span] = {}
        for case in found:
            if case.name in seen:
                related = (("the first one stands here", seen[case.name]),)
                self.error("name-taken", f"there are two cases `{case.name}`", case.span, related=related)
            seen[case.name] = case.span
        return found

    def _case(self, node: Node) -> Case | None:
        fields = self.fields(node, "a case", ["case", "events", "expect"], ["per", "until"])
        if fields is None or not {"case", "events", "expect"} <= fields.keys():
            return None
        name = self.text(fields["case"], "`case`")
        per = optional(fields, "per", lambda n, w: self.choice(n, w, self.policy.partitions), "a partition")
        arrivals = tuple(
            found
            for number, item in enumerate(self.items(fields["events"], "`events`"), 1)
            if (found := self._arrival(item, number))
        )
        until = optional(fields, "until", self.moment, "`until`")
        if name is None or not arrivals:
            return None
        until = until or max(received for received, _ in arrivals)
        expected = self._expected(fields["expect"], {event.id for _, event in arrivals})
        return Case(name, fields["case"].span, per or self._usual(), arrivals, until, expected)

    def _usual(self) -> str:
        return CUSTOMER if CUSTOMER in self.policy.partitions else self.policy.partitions[0]

    def _arrival(self, node: Node, number: int) -> tuple[datetime, WatchEvent] | None:
        if not isinstance(node, MapNode):
            self.error(
                "not-a-map", "an event is not a map", node.span, "write `{type: usage, at: 2026-03-01}`"
            )
            return None
        kind_node, at_node = node.get("type"), node.get("at")
        if kind_node is None or at_node is None:
            self.error("missing-key", "an event lacks `type` or `at`", node.span, "write both")
            return None
        kind = self.choice(kind_node, "an event of this policy", self.policy.types)
        at = self.moment(at_node, "`at`")
        received = self.moment(found, "`received`") if (found := node.get("received")) else at
        if kind is None or at is None or received is None:
            return None
        plain = {name: self.text(n, f"`{name}`") for name in ("id", "customer") if (n := node.get(name))}
        values = {key.text: self._value(kind, key, n) for key, n in node.entries if key.text not in _ENVELOPE}
        event = WatchEvent(
            id=plain.get("id") or f"e{number}", type=kind, at=at,
            customer=plain.get("customer") or "", values=values,
        )  # fmt: skip
        try:
            admit(self.policy, event)
        except EventRefused as refused:
            for problem in refused.problems:
                place = node.key(problem.pointer.rpartition("/")[2])
                self.error(problem.code, problem.message, place.span if place else node.span, problem.advice)
            return None
        return received, event

    def _value(self, kind: str, key: ScalarNode, node: Node) -> Scalar:
        prop = self.policy.types[kind].properties.get(key.text)
        if isinstance(node, ScalarNode) and node.is_null:
            return None
        if prop is not None and prop.kind is Kind.BOOLEAN:
            return self.boolean(node, f"`{key.text}`")
        if prop is not None and prop.kind is Kind.INSTANT:
            moment = self.moment(node, f"`{key.text}`")
            return moment.isoformat() if moment else None
        return self.text(node, f"`{key.text}`")

    def _expected(self, node: Node, ids: set[str]) -> tuple[Expected, ...]:
        if isinstance(node, ScalarNode) and node.text == "none":
            return ()
        found: list[Expected] = []
        for item in self.items(node, "`expect`"):
            fields = self.fields(item, "an expected alert", ["rule"], ["evidence", "on"]) or {}
            names = [rule.name for rule in self.policy.rules]
            rule = optional(fields, "rule", lambda n, w: self.choice(n, w, names), "a rule of this policy")  # noqa: B023  # called at once
            evidence = (
                self.list_of(fields["evidence"], "`evidence`", self.text) if "evidence" in fields else None
            )
            for name in evidence or ():
                if name not in ids:
                    advice = did_you_mean(name, ids, of="events of this case")
                    self.error(
                        "unknown-event", f"the case has no event `{name}`", fields["evidence"].span, advice
                    )
            if rule:
                on = optional(fields, "on", self.moment, "`on`")
                found.append(Expected(rule, fields["rule"].span, evidence, on))
        return tuple(found)

    def moment(self, node: Node, what: str) -> datetime | None:
        """Return an instant written with its offset; a day alone is its midnight in UTC."""
        found = self.scalar(node, what)
        if found is None:
            return None
        try:
            moment = datetime.fromisoformat(found.text.strip())
        except ValueError:
            advice = "write `2026-03-01`, or `2026-03-01T10:00:00+08:00`"
            self.error("not-an-instant", f"{what} is `{found.text}`, not an instant", found.span, advice)
            return None
        if moment.tzinfo is None and moment.time() != time(0):
            advice = "write the offset from UTC: `2026-03-01T10:00:00+08:00`"
            self.error("no-offset", f"{what} is `{found.text}`, a time without an offset", found.span, advice)
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
