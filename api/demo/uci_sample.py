"""Which UCI customers are run as cases, and how well a grade tells who will default."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from api.demo.draws import Draws
from api.demo.uci_file import UciCustomer

STRATA: Mapping[int, int] = {0: 6, 1: 70, 2: 150, 3: 42, 4: 18, 5: 8, 6: 5, 7: 6, 8: 5}
"""How many accounts by worst status of the six months; the rare ones are taken more often than they occur."""


def stratified(
    customers: Iterable[UciCustomer], draws: Draws, collectable: Callable[[UciCustomer], bool]
) -> list[UciCustomer]:
    """Return a drawn sample by worst status, in order of number.

    From 1 month late on, only customers are drawn of whom something could be collected: without a balance
    there is no bill, and without a bill no case.
    """
    groups: dict[int, list[UciCustomer]] = {worst: [] for worst in STRATA}
    for customer in customers:
        if customer.worst in groups and (customer.worst == 0 or collectable(customer)):
            groups[customer.worst].append(customer)
    chosen = [
        customer
        for worst, group in groups.items()
        for customer in draws.shuffled(group, "stratum", worst)[: STRATA[worst]]
    ]
    return sorted(chosen, key=lambda c: c.number)


@dataclass(frozen=True, slots=True)
class GradeRow:
    """One grade: how many customers have it, and how many of them defaulted."""

    grade: str
    customers: int
    defaults: int

    @property
    def rate(self) -> Fraction:
        """The share of its customers who defaulted."""
        return Fraction(self.defaults, self.customers)


def default_rates(customers: Iterable[UciCustomer], grades: Mapping[str, str]) -> list[GradeRow]:
    """Return default rates by grade, in order of grade; each customer must have one."""
    totals: dict[str, list[int]] = {}
    for customer in customers:
        row = totals.setdefault(grades[customer.customer], [0, 0])
        row[0] += 1
        row[1] += customer.defaulted
    return [GradeRow(grade, n, bad) for grade, (n, bad) in sorted(totals.items())]


def is_monotone(rows: Iterable[GradeRow]) -> bool:
    """Tell whether each grade defaults more often than the one before it."""
    rates = [row.rate for row in rows]
    return all(before < after for before, after in pairwise(rates))
