"""An alert as a decision: what was raised, from which window, and that it can be taken again."""

from __future__ import annotations

from typing import Literal

from engine.model import Model, digest
from engine.watch.alerts import Alert, match_window
from engine.watch.errors import WatchError
from engine.watch.model import WatchPolicy
from engine.watch.window import Window


class AlertRecord(Model):
    """All that is needed to judge an alert later: the window it was found in stands in it whole."""

    id: str
    """`alert_id` of the alert."""
    alert: Alert
    window: Window
    engine: str
    semantics: int
    flag: Literal["", "not_answered", "differs"] = ""
    """Why the answer is not simply that of durable-rules; the reference matcher decided."""
    detail: str = ""
    dropped: int = 0
    """Events that the window had lost by then because it was full."""


def alert_id(alert: Alert) -> str:
    """Return the identity of an alert: its rule, its policy's text, its subject and the events that matched.

    32 hexadecimal digits. The same events found again by the same text are the same alert.
    """
    said = {
        "policy": alert.digest, "rule": alert.rule, "per": alert.per, "subject": alert.subject,
        "evidence": sorted((evidence.name, evidence.id) for evidence in alert.evidence),
    }  # fmt: skip
    return digest(said).removeprefix("sha256:")[:32]


def taken_again(policy: WatchPolicy, record: AlertRecord) -> tuple[str, ...]:
    """Return what differs when an alert is taken again by the reference matcher; empty: it agrees."""
    if record.alert.digest != policy.digest:
        return (f"it is of another policy: {record.alert.digest}",)
    if record.id != alert_id(record.alert):
        return (f"its id is `{record.id}`, its content has `{alert_id(record.alert)}`",)
    try:
        found = match_window(policy, record.window)
    except WatchError as error:
        return (f"it cannot be taken again: {error}",)
    if record.alert in found:
        return ()
    same = [alert for alert in found if alert_id(alert) == record.id]
    if not same:
        return (f"the window does not raise `{record.alert.rule}` by these events",)
    said, again = record.alert.model_dump(mode="json"), same[0].model_dump(mode="json")
    return tuple(
        f"{name}: {said[name]} then, {again[name]} now" for name in said if said[name] != again[name]
    )
