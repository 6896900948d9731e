"""Who is in the sample ledger: customers and accounts, and which story each account lives through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from api.demo.draws import Draws
from api.demo.rates import DISCONNECTED_PER_NOTICE, RECONNECTED_PER_DISCONNECTION, quota

FIRST_MONTH = date(2026, 1, 1)
MONTHS = 12
HORIZON = date(2026, 12, 31)
"""The last day of the sample ledger; what would happen later is not in the files."""

FINAL_NOTICES = 155
"""Accounts that are meant to reach a final notice; disconnections follow from the published rates."""
ALSO_NOTICED = 26
"""Of these, accounts of other stories: half paid, disputed, charged back and the like."""
SHAPE = {"consumer": 260, "sme": 45, "key": 15}
MONTHLY = {"consumer": (58, 229), "sme": (320, 1_900), "key": (6_000, 58_000)}
"""Monthly charges in CNY, from and to."""
DAYS_TO_PAY = {"consumer": 17, "sme": 21, "key": 30}

Story = Literal[
    "prompt", "doubled", "posted_late", "reminded", "noticed", "barred", "suspended", "lost", "partial",
    "returned", "chargeback", "disputed", "kept", "broken", "hardship", "disaster", "corrected", "chronic",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Profile:
    """One account with its customer: what stands still, and the story it lives through."""

    customer: str
    account: str
    segment: str
    value: str
    zone: str
    since: date
    cycle_day: int
    days_to_pay: int
    base: Decimal
    id_verified: bool
    prior_write_off: bool
    vulnerable: bool
    deposit: Decimal
    method: str
    story: Story = "prompt"
    starts: int = 0
    """The month of the ledger, from 0, whose bill the story is about."""


def story_counts() -> dict[Story, int]:
    """Return how many accounts live through which story; everybody else pays promptly."""
    cut_off = quota(FINAL_NOTICES, DISCONNECTED_PER_NOTICE)
    back = quota(cut_off, RECONNECTED_PER_DISCONNECTION)
    counts: dict[Story, int] = {
        "lost": cut_off - back, "suspended": back, "barred": 17, "broken": 5, "chargeback": 3,
    }  # fmt: skip
    counts["noticed"] = FINAL_NOTICES - ALSO_NOTICED - sum(counts.values())
    return counts | {
        "hardship": 5, "disaster": 4, "chronic": 5, "disputed": 10, "kept": 8, "returned": 8, "partial": 10,
        "corrected": 5, "posted_late": 5, "doubled": 5, "reminded": 34,
    }  # fmt: skip


def build_profiles(draws: Draws) -> list[Profile]:
    """Return every account of the sample, in order of its id, each with its story."""
    people = [_person(draws, n, segment) for n, segment in enumerate(_segments(), start=1)]
    stories = _cast(draws, people)
    return [replace(p, story=stories[p.account], starts=_start(draws, p, stories[p.account])) for p in people]


def _segments() -> list[str]:
    return [segment for segment, count in SHAPE.items() for _ in range(count)]


def _person(draws: Draws, number: int, segment: str) -> Profile:
    account = f"A{number:04d}"

    def within(low: int, high: int, what: str) -> int:
        return draws.integer(low, high, account, what)

    def chance(share: Fraction, what: str) -> bool:
        return draws.fraction(account, what) < share

    months = within(2, 96, "tenure")
    written_off = segment == "consumer" and chance(Fraction(3, 100), "write-off")
    new = months < 6
    band = draws.one_of(["low", "mid", "mid"], account, "band")
    # Every 21st customer of the consumer segment has a second line under the same customer.
    owner = number - 1 if segment == "consumer" and number % 21 == 0 else number
    return Profile(
        customer=f"C{owner:04d}",
        account=account,
        segment=segment,
        value="high" if chance(Fraction(12, 100), "value") else band,
        zone=_zone(draws, account, segment),
        since=FIRST_MONTH - timedelta(days=30 * months + within(0, 27, "since")),
        cycle_day=draws.one_of([1, 8, 15, 22], account, "cycle") if segment == "consumer" else 1,
        days_to_pay=DAYS_TO_PAY[segment],
        base=Decimal(within(*MONTHLY[segment], "base")),
        id_verified=not chance(Fraction(2, 100), "identity"),
        prior_write_off=written_off,
        vulnerable=segment == "consumer" and chance(Fraction(3, 100), "vulnerable"),
        deposit=Decimal(200) if segment == "consumer" and (new or written_off) else Decimal(0),
        method=draws.one_of(["direct_debit", "bank_transfer", "wallet"], account, "method"),
    )


def _zone(draws: Draws, account: str, segment: str) -> str:
    if segment == "key" and draws.fraction(account, "abroad") < Fraction(1, 10):
        return "Europe/Berlin"
    drawn = draws.fraction(account, "zone")
    if drawn < Fraction(6, 100):
        return "Asia/Urumqi"
    return "Asia/Hong_Kong" if drawn < Fraction(8, 100) else "Asia/Shanghai"


def _cast(draws: Draws, people: list[Profile]) -> dict[str, Story]:
    """Give the stories to accounts that can live through them; the choosiest story chooses first."""
    eligible: dict[Story, Callable[[Profile], bool]] = {
        "chronic": lambda p: p.segment == "key",
        "disaster": lambda p: p.zone == "Asia/Urumqi" and p.segment == "consumer",
        "hardship": lambda p: p.segment == "consumer" and p.value != "high" and not p.vulnerable,
    }
    counts = story_counts()
    free = draws.shuffled(people, "cast")
    cast: dict[str, Story] = {}
    for story in sorted(counts, key=lambda s: (s not in eligible, s)):
        suits = eligible.get(story, _ordinary)
        chosen = [p for p in free if suits(p)][: counts[story]]
        cast |= {p.account: story for p in chosen}
        free = [p for p in free if p.account not in cast]
    return cast | {p.account: "prompt" for p in free}


def _ordinary(profile: Profile) -> bool:
    return profile.segment != "key" and profile.value != "high" and not profile.vulnerable


def _start(draws: Draws, profile: Profile, story: Story) -> int:
    """Choose the month: early enough for an end that is meant to be seen, a few still open at the horizon."""
    if story == "lost":
        return draws.integer(1, 4, profile.account, "start")
    if story in ("suspended", "hardship", "chronic"):
        return draws.integer(1, 6, profile.account, "start")
    if story == "disaster":
        return 5
    late = draws.fraction(profile.account, "late start") < Fraction(12, 100)
    return MONTHS - 2 if late else draws.integer(0, MONTHS - 4, profile.account, "start")
