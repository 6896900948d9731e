"""Overrides: a person puts another outcome in place of a decided one, within limits and for a time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlmodel import Field, Session, col, select

from api.settings import Authority
from api.storage.columns import Instant
from api.storage.errors import AlreadyThere, NotFound, StorageError
from api.storage.session import Work
from api.storage.tables import DecisionRow, Row
from engine.model import canonical, digest_bytes
from engine.text import did_you_mean


class OverrideRow(Row, table=True):
    """One override of a decision; only ever added. The latest that has not expired counts."""

    __tablename__ = "overrides"
    id: str = Field(primary_key=True)
    decision: str = Field(foreign_key="decisions.id", index=True)
    outcome: str
    """Name and value of what it puts in place, canonical JSON."""
    reason: str
    actor: str
    role: str
    at: datetime = Field(sa_type=Instant)
    until: date
    """The last day on which it counts."""


class BeyondAuthority(StorageError):
    """The role may not do this; the sentence says what it may."""


class OverrideRefused(StorageError):
    """The override does not fit the decision."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


def add_override(
    work: Work, authorities: Mapping[str, Authority], decision: str, said: Mapping[str, Any]
) -> tuple[OverrideRow, bool]:
    """Keep an override; False if the very same was there.

    `said`: `id`, `outcome` (name to value), `reason`, `actor`, `role`, `at`, `until` (None: as long as the
    role may). Raises NotFound, BeyondAuthority, OverrideRefused and AlreadyThere.
    """
    row = work.session.get(DecisionRow, decision, with_for_update=True)
    if row is None:
        raise NotFound("decision", decision)
    authority = _authority(authorities, said["role"])
    longest = said["at"].date() + timedelta(days=authority.days)
    until = said["until"] or longest
    decided = json.loads(row.body)["decision"]["outcome"]
    outcome = {name: _value(decided, name, value) for name, value in said["outcome"].items()}
    values = {
        "id": said["id"], "decision": decision, "outcome": canonical(outcome).decode(),
        "reason": said["reason"], "actor": said["actor"], "role": said["role"], "until": until,
    }  # fmt: skip
    known = work.session.get(OverrideRow, said["id"])
    if known is not None:
        differs = [name for name, value in values.items() if getattr(known, name) != value]
        if said["until"] is None and differs == ["until"]:
            differs = []
        if differs:
            raise AlreadyThere("override", known.id, differs)
        return known, False
    _check_authority(authority, said["role"], outcome)
    if not said["at"].date() <= until <= longest:
        raise BeyondAuthority(f"`{said['role']}` may override for {authority.days} days: until {longest}.")
    made = OverrideRow(**values, at=said["at"])
    work.session.add(made)
    work.session.flush()
    mark = canonical({**values, "until": until.isoformat(), "at": said["at"].isoformat()})
    work.audit("override", made.id, said["at"], digest_bytes(mark))
    return made, True


def overrides_of(session: Session, decision: str) -> Sequence[OverrideRow]:
    """Return the overrides of a decision, in the order in which they were made."""
    query = select(OverrideRow).where(OverrideRow.decision == decision)
    return session.exec(query.order_by(col(OverrideRow.at), col(OverrideRow.id))).all()


def in_force(session: Session, row: DecisionRow, on: date) -> dict[str, Any]:
    """Return the outcome of a decision that counts on a day: as decided, or as a person put it."""
    outcome: dict[str, Any] = json.loads(row.body)["decision"]["outcome"]
    for override in overrides_of(session, row.id):
        if override.at.date() <= on <= override.until:
            outcome |= json.loads(override.outcome)
    return outcome


def _authority(authorities: Mapping[str, Authority], role: str) -> Authority:
    if role not in authorities:
        known = (
            did_you_mean(role, authorities, of="roles are")
            or "no role may override: see `authority` in settings"
        )
        raise BeyondAuthority(f"`{role[:60]}` is no role that may override; {known}".rstrip(".") + ".")
    return authorities[role]


def _value(decided: Mapping[str, Any], name: str, value: Any) -> Any:
    """Return a value in the form of the one it replaces."""
    if name not in decided:
        advice = did_you_mean(name, decided, of="it has")
        raise OverrideRefused(f"outcome/{name}", f"The decision has no `{name[:60]}`; {advice}")
    if not isinstance(decided[name], dict):
        if isinstance(decided[name], str) and not isinstance(value, str):
            raise OverrideRefused(f"outcome/{name}", f'`{name}` is a text, as in `"{decided[name]}"`.')
        return value
    try:
        amount = Decimal(str(value))
    except ArithmeticError:
        amount = Decimal(-1)
    if isinstance(value, bool) or not amount.is_finite() or amount < 0:
        raise OverrideRefused(f"outcome/{name}", f'`{name}` is an amount; write it as in `"500.00"`.')
    return {"unit": decided[name]["unit"], "value": str(amount)}


def _check_authority(authority: Authority, role: str, outcome: Mapping[str, Any]) -> None:
    for name, value in outcome.items():
        most = authority.most.get(name)
        if most is None:
            may = ", ".join(f"`{known}`" for known in authority.most) or "nothing"
            raise BeyondAuthority(f"`{role}` may not override `{name}`, only {may}.")
        if isinstance(value, dict) and most != "any" and Decimal(value["value"]) > Decimal(most):
            raise BeyondAuthority(f"`{role}` may set `{name}` to {most} at most, not to {value['value']}.")
