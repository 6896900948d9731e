"""Entries in few words, and random histories."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from engine.ledger import AccountPosition, Entry, EntryAdapter, Terms, position_at
from engine.ledger.account import LEVELS

TERMS = Terms(account="A1", customer="C1", currency="CNY", timezone="Asia/Shanghai")
ZONE = ZoneInfo(TERMS.timezone)
FIRST = date(2026, 1, 1)


def day(text: str) -> date:
    """Return a day of 2026: `02-14`; or a whole date."""
    return date.fromisoformat(text if len(text) > 5 else f"2026-{text}")


def noon(on: date, hour: int = 8) -> datetime:
    """Return an instant of a local day."""
    return datetime.combine(on, time(hour), ZONE)


def entry(kind: str, on: str, received: str = "", **values: Any) -> Entry:
    """Return one entry; amounts as text, `due` for the due date of a bill."""
    value_date = day(on)
    if "due" in values:
        values["due_date"] = day(values.pop("due"))
    values.setdefault("id", f"{kind}-{on}")
    received_at = noon(day(received) if received else value_date)
    return EntryAdapter.validate_python(
        {"kind": kind, "value_date": value_date, "received_at": received_at, **values}
    )


def position(*entries: Entry, on: str, hour: int = 20) -> AccountPosition:
    """Return the position in the evening of a day."""
    return position_at(TERMS, entries, noon(day(on), hour))


def opens(found: AccountPosition) -> dict[str, str]:
    """Return what is open by debt."""
    return {debt.id: str(debt.open) for debt in found.debts if debt.open}


AMOUNTS = st.integers(1, 30_000).map(lambda cents: Decimal(cents) / 100)
BILLS = [f"B{n}" for n in range(5)]
OWED = [*BILLS, *BILLS, "PL", "PL/1", "PL/2", "PM"]
"""What is corrected, disputed, paid by name: bills, and plans in their place."""
PAYMENTS = [f"P{n}" for n in range(4)]
MOVES = ["requested", "held", "topped_up", "interest", "released", "applied"]
DAYS = st.integers(0, 200).map(lambda n: FIRST + timedelta(days=n))


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """Return one entry of any kind that moves money, of a small world of bills and payments."""
    on = draw(DAYS)
    received = noon(on + timedelta(days=draw(st.integers(-5, 60))), draw(st.integers(0, 23)))
    kind = draw(
        st.sampled_from(
            ["bill", "bill", "bill", "payment", "payment", "payment_returned", "return_reversed", "refund",
             "credit_note", "adjustment", "dispute", "dispute_resolved", "promise", "hold", "hold_released",
             "write_off_mark", "deposit", "bill_issued", "plan", "plan_ended", "receipt", "fact",
             "fee_waived", "write_down", "recovery", "deposit_review", "promise_withdrawn", "act",
             "feed", "demand", "contact"]
        )
    )  # fmt: skip
    values: dict[str, Any] = draw(_VALUES[kind])
    values |= {"value_date": on, "received_at": received, "kind": "bill" if kind == "plan" else kind}
    if kind == "bill":
        values["due_date"] = on + timedelta(days=20)
    if kind == "plan":
        values["due_date"] = on + timedelta(days=60)
        values["instalments"] = [
            {"due_date": on + timedelta(days=30 * n), "amount": values["amount"] / 2} for n in (1, 2)
        ]
    if kind in ("receipt", "contact"):
        values["at"] = received
    return EntryAdapter.validate_python(values)


_ID = st.integers(0, 3).map(str)
_VALUES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "contact": st.fixed_dictionaries(
        {
            "id": _ID,
            "channel": st.sampled_from(["call", "visit"]),
            "outcome": st.sampled_from(["attempted", "conversation"]),
        }
    ),
    "bill": st.fixed_dictionaries(
        {
            "id": st.sampled_from(BILLS),
            "amount": AMOUNTS,
            "draft": st.sampled_from([False, False, True]),
            "category": st.sampled_from(["normal", "normal", "fee", "late_fee", "interest"]),
            "service": st.sampled_from(["", "", "tv", "voice"]),
        }
    ),
    "plan": st.fixed_dictionaries(
        {
            "id": st.sampled_from(["PL", "PL", "PM"]),
            "amount": st.sampled_from([Decimal(100), Decimal(50)]),
            "replaces": st.lists(st.sampled_from([*BILLS, "PL"]), unique=True, max_size=2),
            "charges": st.sampled_from([Decimal(0), Decimal(0), Decimal(7)]),
            "down_payment": st.sampled_from([Decimal(0), Decimal(0), Decimal(20)]),
        }
    ),
    "plan_ended": st.fixed_dictionaries({"id": _ID, "plan": st.sampled_from(["PL", "PL", "PM"])}),
    "bill_issued": st.fixed_dictionaries({"id": _ID, "bill": st.sampled_from(BILLS)}),
    "payment": st.fixed_dictionaries(
        {
            "id": st.sampled_from(PAYMENTS),
            "amount": AMOUNTS,
            "pays": st.lists(
                st.fixed_dictionaries({"bill": st.sampled_from([*OWED, "refund:0"]), "amount": AMOUNTS}),
                max_size=1,
            ),
            "service": st.sampled_from(["", "", "tv", "voice"]),
        }
    ),
    "payment_returned": st.fixed_dictionaries(
        {"id": st.sampled_from(["R0", "R1"]), "payment": st.sampled_from([*PAYMENTS, "0", "1"])}
    ),
    "return_reversed": st.fixed_dictionaries({"id": _ID, "returned": st.sampled_from(["R0", "R1"])}),
    "refund": st.fixed_dictionaries(
        {"id": _ID, "amount": AMOUNTS, "payment": st.sampled_from([*PAYMENTS, "", "0"])}
    ),
    "credit_note": st.fixed_dictionaries(
        {"id": _ID, "amount": AMOUNTS, "bill": st.sampled_from([*OWED, ""])}
    ),
    "adjustment": st.fixed_dictionaries(
        {
            "id": _ID,
            "amount": st.one_of(AMOUNTS, AMOUNTS.map(lambda a: -a)),
            "bill": st.sampled_from(OWED),
        }
    ),
    "dispute": st.fixed_dictionaries({"id": _ID, "amount": AMOUNTS, "bill": st.sampled_from(OWED)}),
    "dispute_resolved": st.fixed_dictionaries(
        {"id": _ID, "dispute": _ID, "outcome": st.sampled_from(["upheld", "rejected", "withdrawn"])}
    ),
    "fee_waived": st.fixed_dictionaries({"id": _ID, "amount": AMOUNTS, "bill": st.sampled_from(BILLS)}),
    "write_down": st.fixed_dictionaries({"id": _ID, "amount": AMOUNTS, "bill": st.sampled_from(OWED)}),
    "recovery": st.fixed_dictionaries(
        {"id": _ID, "amount": AMOUNTS, "bill": st.sampled_from(["", "", *BILLS])}
    ),
    "promise": st.fixed_dictionaries(
        {
            "id": _ID,
            "amount": st.just(Decimal(60)),
            "by": st.just(FIRST + timedelta(days=240)),
            "milestones": st.lists(
                st.fixed_dictionaries({"due_date": DAYS, "amount": AMOUNTS}),
                max_size=2,
                unique_by=lambda part: part["due_date"],
            ),
        }
    ),
    "promise_withdrawn": st.fixed_dictionaries({"id": _ID, "promise": _ID}),
    "hold": st.fixed_dictionaries(
        {"id": _ID, "hold": st.just("disaster"), "until": st.one_of(st.none(), DAYS)}
    ),
    "hold_released": st.fixed_dictionaries({"id": _ID, "hold": _ID}),
    "write_off_mark": st.fixed_dictionaries(
        {"id": _ID, "bill": st.sampled_from([*OWED, ""]), "marked": st.booleans()}
    ),
    "deposit": st.fixed_dictionaries({"id": _ID, "amount": AMOUNTS, "move": st.sampled_from(MOVES)}),
    "deposit_review": st.fixed_dictionaries(
        {"id": _ID, "amount": AMOUNTS, "outcome": st.sampled_from(["keep", "top_up", "release"])}
    ),
    "act": st.fixed_dictionaries(
        {"id": _ID, "act": st.just("skip"), "step": st.just("bar"), "actor": st.just("a"), "reason": _ID}
    ),
    "feed": st.fixed_dictionaries(
        {"id": _ID, "feed": st.sampled_from(["payments", "bills"]), "complete_to": DAYS.map(noon)}
    ),
    "demand": st.fixed_dictionaries(
        {"id": _ID, "source": st.sampled_from(["limit", "fraud"]), "level": st.sampled_from(LEVELS)}
    ),
    "receipt": st.fixed_dictionaries(
        {
            "id": _ID,
            "key": st.sampled_from(
                ["case/A1/1/account/write_off/1/write_off/do", "case/A1/1/account/x/1/notify.sms.x/do"]
            ),
            "status": st.sampled_from(["requested", "done", "failed", "withdrawn"]),
        }
    ),
    "fact": st.fixed_dictionaries(
        {"id": _ID, "name": st.just("value"), "value": st.sampled_from(["low", "high"])}
    ),
}

LATE = datetime(2027, 6, 1, tzinfo=UTC)
"""An instant by which every random entry is known and counts."""
