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
from api.storage.library import Library
from api.storage.session import Work
from api.storage.tables import DecisionRow, Row
from engine.credit import CreditPolicy
from engine.credit.outcomes import result_named, result_type, result_values
from engine.feel import kinds
from engine.model import canonical, digest_bytes
from engine.text import did_you_mean
from engine.text.currency import decimals


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
    work: Work, library: Library, authorities: Mapping[str, Authority], decision: str,
    said: Mapping[str, Any],
) -> tuple[OverrideRow, bool]:  # fmt: skip
    """Keep an override; False if the very same was there.

    `said`: `id`, `outcome` (name to value), `reason`, `actor`, `role`, `at`, `until` (None: as long as the
    role may). A value has to be one that the policy of the decision can give: a grade that stands in it, an
    amount in whole units of its currency. Raises NotFound, BeyondAuthority, OverrideRefused, AlreadyThere.
    """
    row = work.session.get(DecisionRow, decision, with_for_update=True)
    if row is None:
        raise NotFound("decision", decision)
    authority = _authority(authorities, said["role"])
    longest = said["at"].date() + timedelta(days=authority.days)
    until = said["until"] or longest
    decided = json.loads(row.body)["decision"]["outcome"]
    policy = library.credit(work.session, row.policy)[0]
    outcome = {name: _value(policy, decided, name, value) for name, value in said["outcome"].items()}
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
    if until < said["at"].date():
        raise OverrideRefused("until", f"`until` {until} is over: it would never count.")
    if until > longest:
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


def _value(policy: CreditPolicy, decided: Mapping[str, Any], name: str, value: Any) -> Any:
    """Return a value in the form of the one it replaces; raise OverrideRefused for one that cannot be."""
    result = result_named(policy, name)
    if name not in decided or result is None:
        advice = did_you_mean(name, decided, of="it has") or "it has none that could be replaced"
        raise OverrideRefused(f"outcome/{name}", f"The decision has no `{name[:60]}`; {advice}")
    if result.money:
        return {"unit": policy.currency, "value": str(_amount(name, value, policy.currency))}
    known, kind = result_values(policy, result), result_type(policy, result)
    if known and value not in known:
        told = ", ".join(f"`{one}`" for one in known)
        raise OverrideRefused(
            f"outcome/{name}", f"`{str(value)[:60]}` is no `{name}` of this policy: {told}."
        )
    if kind == kinds.NUMBER:
        return str(_number(name, value))
    if kind not in (kinds.STRING, kinds.BOOLEAN):
        raise OverrideRefused(f"outcome/{name}", f"`{name}` is not put in place by a person.")
    if not isinstance(value, str if kind == kinds.STRING else bool):
        what = "a text" if kind == kinds.STRING else "`true` or `false`"
        raise OverrideRefused(f"outcome/{name}", f"`{name}` is {what}.")
    return value


def _number(name: str, value: Any) -> Decimal:
    try:
        found = Decimal(str(value))
    except ArithmeticError:
        found = Decimal("nan")
    if isinstance(value, bool) or not found.is_finite():
        raise OverrideRefused(f"outcome/{name}", f'`{name}` is a number; write it as in `"500.00"`.')
    return found


def _amount(name: str, value: Any, currency: str) -> Decimal:
    """Return an amount of whole units of the currency (ISO 4217), not below zero."""
    try:
        amount = _number(name, value)
    except OverrideRefused:
        amount = Decimal(-1)
    if amount < 0:
        raise OverrideRefused(f"outcome/{name}", f'`{name}` is an amount; write it as in `"500.00"`.')
    digits = decimals(currency)
    exact = amount.quantize(Decimal(1).scaleb(-digits)) if amount.adjusted() < 24 else None
    if exact is None or exact != amount:
        why = f"`{value}`: {currency} has {digits} decimals" if exact is not None else "this is too much"
        raise OverrideRefused(f"outcome/{name}", f"{why}.")
    return amount


def _check_authority(authority: Authority, role: str, outcome: Mapping[str, Any]) -> None:
    for name, value in outcome.items():
        most = authority.most.get(name)
        if most is None:
            may = ", ".join(f"`{known}`" for known in authority.most) or "nothing"
            raise BeyondAuthority(f"`{role}` may not override `{name}`, only {may}.")
        if most == "any":
            continue
        if not isinstance(value, dict):
            raise BeyondAuthority(f"`{role}` may set `{name}` up to an amount, and `{name}` is none.")
        if Decimal(value["value"]) > Decimal(most):
            raise BeyondAuthority(f"`{role}` may set `{name}` to {most} at most, not to {value['value']}.")
