"""Why an alert was raised: each event with its values, computed ones too, beside the condition it met."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from pydantic import AwareDatetime

from engine.model import Model
from engine.watch.alerts import Alert
from engine.watch.model import AT, CUSTOMER, Value, WatchPolicy
from engine.watch.window import Item, Window, prepare


class Because(Model):
    """One name of a rule: the event that stood for it, and the condition as its author wrote it."""

    name: str
    condition: str
    event: str = ""
    """Id of the event; empty: that there is none is what the rule asks for."""
    type: str = ""
    at: AwareDatetime | None = None
    values: dict[str, str] = {}
    """By property, what was computed from earlier events too; what is not known is left out."""


def explain(policy: WatchPolicy, window: Window, alert: Alert) -> tuple[Because, ...]:
    """Return why a window raised an alert, in the order of its events; raises WatchError."""
    rule = next(rule for rule in policy.rules if rule.name == alert.rule)
    texts = {alias.name: alias.text for alias in (*rule.all, *rule.none)}
    items = {item.id: item for item in prepare(policy, window).items}
    found = [_because(evidence.name, texts[evidence.name], items[evidence.id]) for evidence in alert.evidence]
    return (*found, *(Because(name=alias.name, condition=alias.text) for alias in rule.none))


def _because(name: str, condition: str, item: Item) -> Because:
    values = {
        key: _said(value)
        for key, value in item.values.items()
        if value is not None and key not in (AT, CUSTOMER)
    }
    return Because(
        name=name, condition=condition, event=item.id, type=item.type.name, at=item.at, values=values
    )


def _said(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case datetime() | date():
            return value.isoformat()
        case timedelta():
            return str(value)
    return str(value)
