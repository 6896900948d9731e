"""What is lived through while parts are killed: a few accounts with bills and payments over half a year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from api.demo.book import AccountLedger
from api.demo.draws import Draws
from api.demo.profiles import Profile, Story, build_profiles
from api.demo.stories import tell
from api.storage.publishing import read_folder
from engine.ledger.entries import Entry

ROOT = Path(__file__).parents[2]
BEGINS, ENDS = date(2026, 1, 1), date(2026, 6, 30)
SHORT = date(2026, 4, 30)
SLOT, APART = time(10, 20), timedelta(minutes=30)
"""News of a day comes at 10:20, 10:50 and so on: far from the hours at which anything is due by itself, so
that a minute lost to a kill changes no local date and no order."""
ALWAYS: tuple[Story, ...] = ("suspended", "returned", "disputed", "partial")
ALSO: tuple[Story, ...] = (
    "lost", "chargeback", "broken", "corrected", "hardship", "barred", "kept", "chronic",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything a run is told; the same for every run of one seed."""

    seed: int
    texts: tuple[Mapping[str, bytes], ...]
    """What is on the shelf, read once, so that an edit under way meets all runs or none."""
    profiles: tuple[Profile, ...]
    ledgers: tuple[AccountLedger, ...]
    ends: date = ENDS

    @property
    def horizon(self) -> datetime:
        """The last instant of a run."""
        return datetime.combine(self.ends, time(23, 40), ZoneInfo("Asia/Shanghai"))

    @property
    def zones(self) -> dict[str, str]:
        """The time zone of each account."""
        return {ledger.account: ledger.zone for ledger in self.ledgers}

    @property
    def parties(self) -> list[tuple[str, dict[str, Any]]]:
        """The calls that make customers and accounts: path and body."""
        calls: list[tuple[str, dict[str, Any]]] = []
        for p in self.profiles:
            facts = {"value": p.value, "vulnerable": p.vulnerable, "id_verified": p.id_verified}
            facts |= {"prior_write_off": p.prior_write_off, "direct_debit": p.method == "direct_debit"}
            begun = {"received_at": "2026-01-01T00:05:00+08:00"}
            customer = {"id": p.customer, "segment": p.segment, "since": str(p.since), "facts": facts}
            account = {"id": p.account, "customer": p.customer, "currency": "CNY", "timezone": p.zone}
            calls += [("/v1/customers", {**customer, **begun}), ("/v1/accounts", {**account, **begun})]
        return calls


def shelf() -> tuple[Mapping[str, bytes], ...]:
    """Read the shipped policies."""
    return tuple(read_folder(ROOT / "policies"))


def scenario(seed: int, accounts: int = 5, ends: date = ENDS) -> Scenario:
    """Draw the accounts, their stories and all their news up to a day."""
    draws = Draws(seed)
    people = build_profiles(draws)
    stories = [*ALWAYS, *draws.shuffled(ALSO, "also")][:accounts]
    profiles = tuple(_early(draws, people, story) for story in stories)
    ledgers = tuple(
        AccountLedger(p.account, p.customer, p.zone, _on_the_slots(tell(p, draws), p.zone, ends))
        for p in profiles
    )
    return Scenario(seed, shelf(), profiles, ledgers, ends)


def _early(draws: Draws, people: list[Profile], story: Story) -> Profile:
    """Return an account that lives through a story, begun in the first months."""
    found = draws.one_of([p for p in people if p.story == story], "account", story)
    return replace(found, starts=draws.integer(0, 1, "month", story))


def _on_the_slots(entries: list[Entry], zone: str, ends: date) -> tuple[Entry, ...]:
    moved: list[Entry] = []
    last: date | None = None
    place = 0
    for entry in entries:
        day = entry.received_at.astimezone(ZoneInfo(zone)).date()
        if day > ends:
            break
        place = place + 1 if day == last else 0
        last = day
        at = datetime.combine(day, SLOT, ZoneInfo(zone)) + place * APART
        moved.append(entry.model_copy(update={"received_at": at}))
    return tuple(moved)
