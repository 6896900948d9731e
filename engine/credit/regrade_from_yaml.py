"""How long a decision holds and what leads to a new one: `validity` and `regrade` of a credit policy."""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.credit.model import REGRADES, Regrade, Validity
from engine.credit.policy_reader import PolicyReader
from engine.text import Node, optional

_GOOD = re.compile(r"(\d{1,3}) good months?")
_MOST = 60
"""Months that a ledger is looked back over."""


def read_validity(reader: PolicyReader, fields: Mapping[str, Node]) -> Validity | None:
    """Return how long a decision holds; one that would be over at once is a problem."""
    if "validity" not in fields:
        return None
    node = fields["validity"]
    period = reader.period(node, "`validity`")
    if period is not None and not (period.months or period.days):
        reader.error("no-time", "a decision holds for no time", node.span, "write one day or more: `P12M`")
        return None
    return Validity(period, node.span) if period else None


def read_regrade(reader: PolicyReader, fields: Mapping[str, Node]) -> Regrade | None:
    """Return what leads to a new grade."""
    if "regrade" not in fields:
        return None
    node = fields["regrade"]
    found = reader.fields(node, "`regrade`", (), ("on", "after"))
    if found is None:
        return None
    if not found:
        message = "`regrade` names nothing that leads to a new grade"
        advice = "write `{on: [promise_broken, chargeback], after: 12 good months}`"
        reader.error("nothing-regrades", message, node.span, advice)
        return None
    months = _good_months(reader, found["after"]) if "after" in found else None
    return Regrade(_causes(reader, found["on"], fields) if "on" in found else (), months, node.span)


def _causes(reader: PolicyReader, node: Node, fields: Mapping[str, Node]) -> tuple[str, ...]:
    causes: list[str] = []
    for item in reader.items(node, "`on`"):
        cause = reader.choice(item, "an event that leads to a new grade", REGRADES)
        if cause is None:
            continue
        if cause in causes:
            reader.error("regrade-twice", f"`{cause}` stands here twice", item.span, "remove one")
        if cause == "expired" and "validity" not in fields:
            advice = "say how long a decision holds, `validity: P12M`, or remove `expired`"
            reader.error("regrade-never", "a decision of this policy never expires", item.span, advice)
        causes.append(cause)
    return tuple(causes)


def _good_months(reader: PolicyReader, node: Node) -> int | None:
    text = optional({"after": node}, "after", reader.text, "`after`")
    if text is None:
        return None
    form = _GOOD.fullmatch(" ".join(text.split()))
    months = int(form[1]) if form else 0
    if 1 <= months <= _MOST:
        return months
    number = re.search(r"\d+", text)
    shown = min(max(int(number[0]), 1), _MOST) if number and len(number[0]) < 4 else 12
    advice = f"write a number of months, 1 to {_MOST}: `{shown} good months`"
    reader.error("not-good-months", f"`after` is `{text}`", node.span, advice)
    return None


__all__ = ["read_regrade", "read_validity"]
