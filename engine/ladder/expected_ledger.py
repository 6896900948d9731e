"""What a timeline expects of the ledger itself: what is open, held or given up, and the facts that follow.

`ledger: {open: 40.00, credit: 0, deposit: 50.00, written_off: 0, on_time_rate_12m: 0.5, dpd_now: unknown}`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import get_args
from zoneinfo import ZoneInfo

from engine.ladder.timeline_report import Mismatch
from engine.ledger.account import AccountPosition, Terms
from engine.ledger.deposit import deposit_at
from engine.ledger.deposit_rules import DepositRules, What, deposit_look
from engine.ledger.entries import Entry
from engine.ledger.facts import RULES, facts_at
from engine.ledger.position import position_at
from engine.source import Span
from engine.text import MapNode, Node, Reader, ScalarNode, did_you_mean

UNKNOWN = "unknown"
AMOUNTS = (
    "open",
    "disputed",
    "written_off",
    "credit",
    "waiting",
    "deposit",
    "deposit_missing",
    "good_months",
)
"""What is open (written off or not, what is disputed with it), money that waits, the deposit."""
ASKED = tuple(f"deposit_{what}" for what in get_args(What))
"""What the policy's `deposits` ask for on the day, as long as it is not booked; 0: nothing."""
NAMES = (*AMOUNTS, *ASKED, *RULES)


def read_ledger(reader: Reader, node: Node) -> tuple[str, ...] | None:
    """Read `ledger` as lines `name: value`; names that are none and values that are no numbers are noted."""
    if not isinstance(node, MapNode):
        advice = "write `ledger: {open: 40.00, credit: 0}`"
        reader.error("not-a-map", "`ledger` is not a map", node.span, advice)
        return None
    lines = []
    for key, value in node.entries:
        if key.text not in NAMES:
            advice = did_you_mean(key.text, NAMES, of="what a ledger says")
            reader.error("unknown-ledger-figure", f"a ledger says no `{key.text}`", key.span, advice)
        elif isinstance(value, ScalarNode) and value.text == UNKNOWN:
            lines.append(f"{key.text}: {UNKNOWN}")
        elif (number := reader.decimal(value, f"`{key.text}`")) is not None:
            lines.append(f"{key.text}: {number}")
    return tuple(lines)


def compare_ledger(
    span: Span, what: str, lines: Sequence[str], entries: Sequence[Entry], day: date, terms: Terms,
    deposits: DepositRules | None,
) -> Iterator[Mismatch]:  # fmt: skip
    """Yield what the ledger says otherwise in the evening of a local day, as known by then."""
    at = datetime.combine(day, time(23, 59, 59), ZoneInfo(terms.timezone))
    names = [line.partition(": ")[0] for line in lines]
    said = _said(terms, entries, day, at) if any(name in AMOUNTS for name in names) else {}
    if any(name in ASKED for name in names):
        look = deposit_look(deposits or DepositRules(at_closing=False), terms, entries, day, at)
        said |= dict.fromkeys(ASKED, Decimal(0)) | {f"deposit_{ask.what}": ask.amount for ask in look.asks}
    facts = facts_at(terms, entries, day, at) if any(name in RULES for name in names) else {}
    for line in lines:
        name, _, wanted = line.partition(": ")
        got = said.get(name) if name in said else facts[name].value if name in facts else None
        if (got is None) != (wanted == UNKNOWN) or (got is not None and Decimal(wanted) != got):
            yield Mismatch(span, f"{what}: {name}", (wanted,), (UNKNOWN if got is None else str(got),))


def _said(terms: Terms, entries: Sequence[Entry], day: date, at: datetime) -> dict[str, Decimal | int]:
    position = position_at(terms, entries, at)
    deposit = deposit_at(entries, day, at, allocation=terms.allocation)
    return {
        **_owed(position), "credit": position.credit, "deposit": position.deposit,
        "waiting": sum((amount for _, amount in position.waiting), Decimal(0)),
        "deposit_missing": deposit.missing, "good_months": deposit.good_months,
    }  # fmt: skip


def _owed(position: AccountPosition) -> dict[str, Decimal | int]:
    zero = Decimal(0)
    return {
        "open": sum((d.open for d in position.debts if not d.written_off), zero),
        "disputed": sum((d.disputed for d in position.debts if not d.written_off), zero),
        "written_off": sum((d.open for d in position.debts if d.written_off), zero),
    }
