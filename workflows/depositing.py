"""Deposits reviewed by rule, each look that asks for something in a record to take it again from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count
from zoneinfo import ZoneInfo

from engine.credit.finish import ENGINE
from engine.ladder import CollectionsPolicy
from engine.ladder.state import Action
from engine.ledger import Entry, Terms
from engine.ledger.deposit_rules import DepositAsk, DepositLook, deposit_look
from engine.ledger.known import known_entries
from engine.model import SEMANTICS
from workflows.messages import DepositRecord

SOURCE = "deposit"
"""What stands in place of `case` in the keys of these actions."""
_UNREAD = ("fact", "feed", "contact")
"""Entries that no rule of deposits reads: they are not recorded."""


def deposit_asks(
    policy: CollectionsPolicy, terms: Terms, entries: Sequence[Entry], at: datetime
) -> DepositLook:  # fmt: skip
    """Return what a policy's rule of deposits asks for at an instant; nothing without a rule."""
    if policy.deposits is None:
        return DepositLook()
    today = at.astimezone(ZoneInfo(terms.timezone)).date()
    return deposit_look(policy.deposits, terms, entries, today, at)


def deposited(
    policy: CollectionsPolicy, terms: Terms, entries: Sequence[Entry], at: datetime, known: Mapping[str, str]
) -> DepositRecord:
    """Look at an account's deposit, and write down what was asked for and what it was taken from; pure.

    `known`: the state of each action that was asked for before, by key.
    """
    read = [entry for entry in known_entries(entries, at) if entry.kind not in _UNREAD]
    asks = ((key_of(terms.account, ask, known), ask) for ask in deposit_asks(policy, terms, read, at).asks)
    return DepositRecord(
        at=at,
        policy=policy.digest,
        engine=ENGINE,
        semantics=SEMANTICS,
        terms=terms,
        entries=tuple(read),
        known=tuple(sorted(known.items())),
        actions=tuple(_action(policy, key, ask, at) for key, ask in asks if key not in known),
    )


def key_of(account: str, ask: DepositAsk, known: Mapping[str, str]) -> str:
    """Return the key of what is asked for; what was withdrawn is asked for anew, under another one."""
    token = "apply.deposit" if ask.what == "apply" else f"deposit.{ask.what}"
    for turn in count(1):
        entry = str(ask.number) if turn == 1 else f"{ask.number}-{turn}"
        key = f"{SOURCE}/{account}/account/{ask.what}/{entry}/{token}/do"
        if known.get(key) != "withdrawn":
            return key
    raise AssertionError("counted to the end of all numbers")


def _action(policy: CollectionsPolicy, key: str, ask: DepositAsk, at: datetime) -> Action:
    return Action(
        key=key, do="apply" if ask.what == "apply" else "deposit",
        args=("deposit",) if ask.what == "apply" else (ask.what,), step=ask.what, severe=True,
        amount=ask.amount, figures={"why": ask.why}, confirm_by=at + policy.confirm.within,
    )  # fmt: skip
