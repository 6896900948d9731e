"""When the passing of time alone changes what a window says, and what a stream of events says over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from engine.watch.alerts import Alert, match_window
from engine.watch.linear import Side, Split, code_of
from engine.watch.model import NOW, Rule, WatchPolicy
from engine.watch.plan import plan
from engine.watch.values import EPOCH, FIRST, LAST, MICROSECOND, WatchEvent
from engine.watch.window import Prepared, Window, prepare, shrink


def next_look(policy: WatchPolicy, window: Window) -> datetime | None:
    """Return the next instant at which the answer can change although nothing new happens, or None.

    Time alone makes a rule fire when `now` passes a bound, when an event that forbade it grows old, or when
    an event dated later than the look comes due.
    """
    prepared = prepare(policy, window)
    moments = [event.at for event in window.events]
    for rule in policy.rules_of(window.per):
        if rule.uses_clock:
            moments += _thresholds(rule, prepared)
        barred = {alias.type.name for alias in rule.none}
        moments += [item.at + policy.window for item in prepared.items if item.type.name in barred]
    return min((moment for moment in moments if moment > window.as_of), default=None)


def replay(
    policy: WatchPolicy,
    per: str,
    subject: str,
    arrivals: Iterable[tuple[datetime, WatchEvent]],
    until: datetime,
) -> tuple[Alert, ...]:
    """Return the alerts of a stream in the order in which they are raised, each once.

    `arrivals` are events with the instants at which they became known, late ones too; after each arrival and
    whenever time alone can change something the window is matched, as the service does.
    """
    coming = sorted(arrivals, key=lambda arrival: (arrival[0], arrival[1].at, arrival[1].id))
    window, raised = Window(subject=subject, as_of=FIRST, per=per), list[Alert]()
    while (moment := _next(policy, window, coming)) is not None and moment <= until:
        news = [event for received, event in coming if received == moment]
        coming = [arrival for arrival in coming if arrival[0] > moment]
        window = window.model_copy(update={"as_of": moment, "events": (*window.events, *news)})
        alerts = match_window(policy, window)
        raised += alerts
        window = shrink(policy, report(window, alerts))
    return tuple(raised)


def report(window: Window, alerts: Sequence[Alert]) -> Window:
    """Return the window with the evidence of alerts marked as used up."""
    reported = {rule: list(ids) for rule, ids in window.reported.items()}
    for alert in alerts:
        reported.setdefault(alert.rule, []).extend(evidence.id for evidence in alert.evidence)
    return window.model_copy(update={"reported": {rule: tuple(ids) for rule, ids in reported.items()}})


def _next(
    policy: WatchPolicy, window: Window, coming: Sequence[tuple[datetime, WatchEvent]]
) -> datetime | None:
    moments = [coming[0][0]] if coming else []
    if window.events and (look := next_look(policy, window)):
        moments.append(look)
    return min(moments, default=None)


def _thresholds(rule: Rule, window: Prepared) -> Iterator[datetime]:
    """Yield the instants at which a comparison with `now` changes, and those just after."""
    types = {alias.name: alias.type.name for alias in (*rule.all, *rule.none)}
    for test, clock in _clock_tests(rule):
        factor = sum(coefficient for coefficient, _ in clock.terms)
        for item in window.items:
            if item.type.name != types[test.left.alias] or not factor:
                continue
            codes = {
                name: code_of(item.values.get(name), prop) for name, prop in item.type.properties.items()
            }
            moment = (test.left.of(codes) - test.constant) // factor
            yield from (_instant(micro) for micro in (moment, moment + 1) if _in_range(micro))


def _clock_tests(rule: Rule) -> Iterator[tuple[Split, Side]]:
    for patterns in plan(rule).alternatives:
        for pattern in patterns:
            for test in pattern.tests:
                if isinstance(test, Split) and test.right and test.right.alias == NOW:
                    yield test, test.right


def _in_range(micro: int) -> bool:
    return (FIRST - EPOCH) // MICROSECOND <= micro < (LAST - EPOCH) // MICROSECOND


def _instant(micro: int) -> datetime:
    return EPOCH + micro * MICROSECOND
