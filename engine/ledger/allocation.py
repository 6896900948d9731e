"""Which debt free money pays first: a rule by name, which stands still about an account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field, model_validator

from engine.model import Model

FEES = ("fee", "late_fee", "interest")
"""Categories of bills that are no principal."""
RULES = ("principal_first", "oldest_first", "by_service")


class AllocationRule(Model):
    """How money is spread that names no bill; what a payment names (`pays`) always comes first.

    `principal_first`: principal before fees, the oldest due date first. `oldest_first`: the oldest due date
    first, fees among the rest. `by_service`: the service that the payment is for, then the stated services in
    their order, then all others; within each as `principal_first`. What is disputed is paid last by all.
    """

    rule: Literal["principal_first", "oldest_first", "by_service"] = "principal_first"
    services: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=128)], ...], Field(max_length=50)
    ] = ()

    @model_validator(mode="after")
    def _fits(self) -> AllocationRule:
        if self.services and self.rule != "by_service":
            raise ValueError("`services` belong to the rule `by_service`")
        if len(set(self.services)) < len(self.services):
            raise ValueError("`services` names one service twice")
        return self

    def passes(self, service: str) -> tuple[Callable[[str, str], bool], ...]:
        """Return the passes of money for a service (empty: for none) over debts of (service, category)."""
        if self.rule == "oldest_first":
            return (lambda _service, _category: True,)
        named = (
            dict.fromkeys([*([service] if service else []), *self.services])
            if self.rule == "by_service"
            else {}
        )
        found: list[Callable[[str, str], bool]] = []
        for one in named:
            found += [_of(one, fees=False), _of(one, fees=True)]
        rest = frozenset(named)
        found += [_beside(rest, fees=False), _beside(rest, fees=True)]
        return tuple(found)


def _of(wanted: str, *, fees: bool) -> Callable[[str, str], bool]:
    return lambda service, category: service == wanted and (category in FEES) == fees


def _beside(named: frozenset[str], *, fees: bool) -> Callable[[str, str], bool]:
    return lambda service, category: service not in named and (category in FEES) == fees


PRINCIPAL_FIRST = AllocationRule()
