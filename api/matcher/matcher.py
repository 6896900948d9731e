"""durable-rules as a pure function of a window, with the reference matcher behind it.

Each policy digest has a process of its own, started when first needed and replaced when it is worn. One that
crashes, hangs or breaks off costs one retry in a fresh one; then the reference answers and the result is
flagged. A window is a value and its answer is one frame: a killed process loses and doubles nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock
from types import TracebackType

from api.matcher.process import Limits, MatcherGone, MatcherProcess, MatcherRefused
from engine.watch.alerts import Alert, alerts_of, choose
from engine.watch.encode import Encoding, encode
from engine.watch.model import WatchPolicy
from engine.watch.reference import Match, matches
from engine.watch.window import Prepared, Window, prepare

MOST_PROCESSES = 8
"""Policies whose processes run at the same time; the one that was used longest ago gives way."""
ATTEMPTS = 2


class Flag(StrEnum):
    """Why an answer is not simply that of durable-rules."""

    NOT_ANSWERED = "not_answered"
    """It gave no answer twice, or refused a window of too many matches; the reference answered."""
    DIFFERS = "differs"
    """It answered otherwise than the reference, which decides."""


@dataclass(frozen=True, slots=True)
class Matched:
    """The alerts of a window, in order of time and rule, and how they were found."""

    alerts: tuple[Alert, ...]
    flag: Flag | None = None
    detail: str = ""


@dataclass(slots=True)
class _Served:
    """One policy: its encodings by partition, its process, and the lock that keeps callers apart."""

    encodings: dict[str, Encoding]
    process: MatcherProcess | None = None
    lock: Lock = field(default_factory=Lock)


class Matcher:
    """Matches windows of watch policies; safe to share between threads.

    With `verify` every answer is compared with the reference matcher, which decides where they differ.
    """

    def __init__(self, limits: Limits | None = None, *, verify: bool = True) -> None:
        self.limits, self.verify = limits or Limits(), verify
        self.started = 0
        """Processes started so far."""
        self._served: OrderedDict[str, _Served] = OrderedDict()
        self._lock = Lock()

    def match(self, policy: WatchPolicy, window: Window) -> Matched:
        """Return the alerts of a window.

        Raises EventRefused, WindowRefused, UnknownPartition or SearchTooLong, as the reference does.
        """
        prepared = prepare(policy, window)
        found: dict[str, list[Match]] | None
        try:
            found, why = self._durable(policy, prepared), ""
        except MatcherGone as error:
            found, why = None, error.why
        if found is not None and not self.verify:
            return Matched(alerts_of(policy, prepared, found))
        right = {rule.name: list(matches(rule, prepared)) for rule in policy.rules_of(window.per)}
        alerts = alerts_of(policy, prepared, right)
        if found is None:
            return Matched(alerts, Flag.NOT_ANSWERED, why)
        differing = [name for name in right if right[name] != found[name]]
        if differing:
            return Matched(alerts, Flag.DIFFERS, f"rules {', '.join(differing)}")
        return Matched(alerts)

    def megabytes(self, policy: WatchPolicy) -> int:
        """Return the most memory that the policy's process has had; 0 if it has none."""
        served = self._served.get(policy.digest)
        return served.process.megabytes if served and served.process else 0

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            served, self._served = list(self._served.values()), OrderedDict()
        for one in served:
            with one.lock:
                _end(one)

    def __enter__(self) -> Matcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _durable(self, policy: WatchPolicy, window: Prepared) -> dict[str, list[Match]]:
        served = self._of(policy)
        encoding = served.encodings[window.per]
        facts = encoding.facts(window)
        with served.lock:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    raw = self._process(served).match(window.per, facts)
                    break
                except MatcherGone as error:
                    served.process = None
                    if attempt == ATTEMPTS or isinstance(error, MatcherRefused):
                        raise
            if self._served.get(policy.digest) is not served:  # it gave way to another policy meanwhile
                _end(served)
        found = encoding.matches(raw)
        return {rule.name: choose(rule, window, found[rule.name]) for rule in encoding.rules}

    def _process(self, served: _Served) -> MatcherProcess:
        if served.process is not None and served.process.is_worn:
            _end(served)
        if served.process is None:
            rulesets = {per: encoding.ruleset for per, encoding in served.encodings.items()}
            self.started += 1
            served.process = MatcherProcess(rulesets, self.limits)
        return served.process

    def _of(self, policy: WatchPolicy) -> _Served:
        with self._lock:
            if policy.digest not in self._served:
                encodings = {per: encode(policy, per) for per in policy.partitions}
                self._served[policy.digest] = _Served(encodings)
            self._served.move_to_end(policy.digest)
            oldest = self._served.popitem(last=False)[1] if len(self._served) > MOST_PROCESSES else None
        if oldest is not None:
            with oldest.lock:
                _end(oldest)
        return self._served[policy.digest]


def _end(served: _Served) -> None:
    if served.process is not None:
        served.process.close()
        served.process = None
