"""Looks at one window, from its last look up to an instant: a pure function, so it can always be done again.

Each moment at which something became known, or at which time alone can change the answer, is looked at in
turn. What comes out does not depend on when the looks were taken: after an outage, after a kill in mid-flight
or in another process they are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from api.matcher import Matched
from api.watching.ports import FlaggedLook, Held, Looked
from engine.credit.finish import ENGINE
from engine.model import SEMANTICS
from engine.watch import (
    MOST_EVENTS,
    EventRefused,
    WatchError,
    WatchEvent,
    WatchPolicy,
    Window,
    admit,
    next_look,
    report,
    shrink,
)
from engine.watch.from_ledger import superseded
from engine.watch.record import AlertRecord, alert_id
from engine.watch.routing import can_fire, restricted

NOT_MATCHED = "not_matched"
"""The flag of a look that could not be taken; the next event of the window asks again."""
MOST_LOOKS = 100
"""Looks at one window before what was found is kept."""
PolicyAt = Callable[[datetime], WatchPolicy | None]
Match = Callable[[WatchPolicy, Window], Matched]


@dataclass
class _State:
    """How the window stands between two looks."""

    events: dict[str, tuple[WatchEvent, datetime]]
    look_at: datetime | None
    looked_to: datetime | None
    reported: dict[str, tuple[str, ...]]
    dropped: int
    gone: list[str] = field(default_factory=list)
    alerts: dict[str, AlertRecord] = field(default_factory=dict)
    flags: list[FlaggedLook] = field(default_factory=list)
    trouble: str = ""


def look(held: Held, until: datetime, policy_at: PolicyAt, match: Match) -> Looked:
    """Look at a window at every moment that is due by `until`; a look that fails ends it, with the reason."""
    events = {event.id: (event, known) for event, known in held.events}
    state = _State(events, held.look_at, held.looked_to, dict(held.reported), held.dropped)
    for _ in range(MOST_LOOKS):
        if state.look_at is None or state.look_at > until:
            break
        as_of = max(state.look_at, state.looked_to or state.look_at)
        policy = policy_at(as_of)
        if policy is None or held.key.per not in policy.partitions:
            state.look_at = None  # nobody looks any more; the next event asks again
            break
        _once(state, held, policy, as_of, match)
    return Looked(
        look_at=state.look_at, looked_to=state.looked_to, reported=state.reported, gone=tuple(state.gone),
        dropped=state.dropped, alerts=tuple(state.alerts.values()), flags=tuple(state.flags),
        trouble=state.trouble,
    )  # fmt: skip


def _once(state: _State, held: Held, policy: WatchPolicy, as_of: datetime, match: Match) -> None:
    _settle(state, as_of)
    known = _bounded(state, [event for event, known in state.events.values() if known <= as_of])
    window = Window(
        subject=held.key.subject, per=held.key.per, as_of=as_of, reported=state.reported,
        events=tuple(fitting for event in known if (fitting := _fitting(policy, event))),
    )  # fmt: skip
    # Most windows have bills and payments only: no matcher is asked about them, and no time waited for.
    live = can_fire(policy, window.per, {event.type for event in window.events})
    try:
        matched = match(policy, window) if live else Matched(())
    except WatchError as error:
        state.flags.append(FlaggedLook(policy.digest, window, NOT_MATCHED, str(error)))
        state.trouble, state.look_at, state.looked_to = str(error), None, as_of
        return
    for alert in matched.alerts:
        record = AlertRecord(
            id=alert_id(alert), alert=alert, window=window, engine=ENGINE, semantics=SEMANTICS,
            flag=matched.flag.value if matched.flag else "", detail=matched.detail, dropped=state.dropped,
        )  # fmt: skip
        state.alerts.setdefault(record.id, record)
    if matched.flag is not None:
        state.flags.append(FlaggedLook(policy.digest, window, matched.flag.value, matched.detail))
    after = shrink(policy, report(window, matched.alerts))
    kept = {event.id for event in after.events}
    fits, oldest = {event.id for event in window.events}, as_of - policy.keep
    # What does not fit the text in force stays while it could: an older text may come back.
    gone = (e.id for e in known if e.id not in kept and (e.id in fits or e.at <= oldest))
    _forget(state, list(gone))
    state.reported, state.looked_to, state.trouble = dict(after.reported), as_of, ""
    state.look_at = _next(state, policy, after, live)


def _next(state: _State, policy: WatchPolicy, window: Window, live: bool) -> datetime | None:
    """Return when to look next: at news that is known later, when time changes the answer, or to clear up."""
    moments = [known for _, known in state.events.values() if known > window.as_of]
    if live and (moment := next_look(policy, window)) is not None:
        moments.append(moment)
    if not moments:
        ageing = [e.at for e in window.events if not policy.types[e.type].is_fact]
        moments += [max(ageing) + policy.keep] if ageing else []
    return min(moments, default=None)


def _settle(state: _State, as_of: datetime) -> None:
    """Let the last word on an account that was opened stand for earlier ones, in what is used up too."""
    instead = superseded((event, known) for event, known in state.events.values() if known <= as_of)
    if instead:
        _forget(state, list(instead))
        state.reported = {
            rule: tuple(dict.fromkeys(instead.get(name, name) for name in used))
            for rule, used in state.reported.items()
        }


def _bounded(state: _State, known: list[WatchEvent]) -> list[WatchEvent]:
    """Leave out the oldest events of a window that is too full; how many is kept and told with each alert."""
    over = len(known) - MOST_EVENTS
    if over <= 0:
        return known
    ordered = sorted(known, key=lambda event: (event.at, event.id))
    _forget(state, [event.id for event in ordered[:over]])
    state.dropped += over
    return ordered[over:]


def _forget(state: _State, names: list[str]) -> None:
    for name in names:
        del state.events[name]
    state.gone += names


def _fitting(policy: WatchPolicy, event: WatchEvent) -> WatchEvent | None:
    """Return the event as a policy takes it; None if it was written for an older text and no longer fits."""
    own = restricted(policy, event)
    try:
        admit(policy, own)
    except EventRefused:
        return None
    return own
