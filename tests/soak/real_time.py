"""The same service by the real clock: here the relay itself carries the messages, and nobody moves time.

Accounts with a bill that is ten days late are reminded at once, each is told one message, pays, and its case
ends. That takes seconds, so it needs no simulated time; what comes after days is played in `playing`.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from api.demo.book import AccountLedger
from api.demo.draws import Draws
from api.demo.network import NEVER
from api.storage.outbox import Channel
from tests.soak.driving import SteadyClient, Waiting, all_of, until
from tests.soak.outcome import Outcome
from tests.soak.playing import Plan, Played, Stage, run_to_its_end
from tests.soak.scenario import Scenario, shelf

ACCOUNTS = 12
CHANNELS: tuple[Channel, ...] = ("case", "webhook")
REMINDER = "case/{}/1/account/reminder/1/notify.sms.reminder/do"
LATE_FEE = "case/{}/1/B1/late_fee/1/fee.late_fee/do"
CALLS = 60
"""Within so many calls fall the kills from outside."""


def zone_by_day(now: datetime) -> str:
    """Return a zone in which it is about noon, so that nothing waits for the morning."""
    ahead = 12 - now.astimezone(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


async def play_now(seed: int, plan: Plan, folder: Path) -> tuple[Played, list[str]]:
    """Run the service by the real clock; return what it led to and a sentence for everything wrong."""
    now = datetime.now(UTC)
    zone = zone_by_day(now)
    named = (AccountLedger(f"R{n}", f"RC{n}", zone, ()) for n in count())
    ledgers = tuple(islice((one for one in named if _answers(seed, one.account)), ACCOUNTS))
    told = Scenario(seed, shelf(), (), ledgers, (now + timedelta(days=1)).date())

    async def story(stage: Stage, client: SteadyClient, waiting: Waiting) -> None:
        await all_of([_one(client, waiting, ledger) for ledger in ledgers])

    played = await run_to_its_end(told, plan, folder, story, simulated=False)
    return played, _wrong(played.outcome, [ledger.account for ledger in ledgers])


def _answers(seed: int, account: str) -> bool:
    """Tell whether the network confirms this account's reminder at once: nothing here waits for hours."""
    return Draws(seed).fraction(REMINDER.format(account), "mood") >= NEVER


async def _one(client: SteadyClient, waiting: Waiting, ledger: AccountLedger) -> None:
    today = datetime.now(ZoneInfo(ledger.zone)).date()
    name = ledger.account
    await client.post("/v1/customers", {"id": ledger.customer, "segment": "consumer"})
    account = {"id": name, "customer": ledger.customer, "currency": "CNY", "timezone": ledger.zone}
    await client.post("/v1/accounts", account)
    bill = {"account": name, "id": "B1", "amount": "120.00"}
    days = {"value_date": str(today - timedelta(days=27)), "due_date": str(today - timedelta(days=10))}
    await client.post("/v1/bills", bill | days)
    await _seen(client, name, lambda case: bool(case["reached"] == "reminder"))
    paid = {"account": name, "id": "P1", "amount": "130.00", "value_date": str(today)}
    await client.post("/v1/payments", paid)
    await _seen(client, name, lambda case: bool(case["state"] == "ended"))
    for channel in CHANNELS:
        await until(lambda channel=channel: _empty(waiting, name, channel), f"{channel} of {name}")  # type: ignore[misc]


async def _empty(waiting: Waiting, account: str, channel: Channel) -> bool | None:
    return True if await waiting.of(account, channel) is None else None


async def _seen(client: SteadyClient, account: str, holds: Any) -> None:
    async def look() -> bool | None:
        page = await client.get("/v1/cases", account=account)
        if any(holds(case) for case in page["items"]):
            return True
        await asyncio.sleep(0.2)
        return None

    await until(look, f"the case of {account}")


def _wrong(outcome: Outcome, accounts: list[str]) -> list[str]:
    """Find everything but one reminder and one late fee, done, for each account, and a case that is cured."""
    wanted = {key.format(name) for name in accounts for key in (REMINDER, LATE_FEE)}
    found = [f"wrong: {said}" for said in outcome.wrong]
    found += [f"{key} was never told" for key in sorted(wanted - outcome.effects.keys())]
    found += [f"{key} was told besides" for key in sorted(outcome.effects.keys() - wanted)]
    found += [f"{key} is {said}" for key, said in outcome.actions.items() if " done, " not in said]
    found += [f"{name} is {said}" for name, said in outcome.cases.items() if "ended cured" not in said]
    return found
