"""The brake: more interruptions on one day than can be right are stopped until a person has looked.

`brake: {interruptions: 3 x mean of 28 days, at_least: 10}`. A feed of payments that broke, a policy that was
edited in haste: both look like many interruptions on one day, each of them right by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from engine.source import Span
from engine.text import Node, Reader

WATCHED = "interruptions"
"""The class of actions that the brake watches: what cuts service, orders, billing or the contract."""
AT_LEAST = 10
"""So many a day are never too many, also where there is no mean yet."""
_FORM = re.compile(r"(\d{1,4}(?:\.\d{1,4})?)\s*x\s+mean\s+of\s+(\d{1,3})\s+days")
_EXAMPLE = "write `interruptions: 3 x mean of 28 days`"


@dataclass(frozen=True, slots=True)
class BrakeRules:
    """How many interruptions a day may have: a multiple of the mean of the days before it."""

    factor: Decimal
    days: int
    span: Span
    at_least: int = AT_LEAST

    def most(self, before: Sequence[int]) -> int:
        """Return how many a day may have, given the counts of the days before it, the last one last.

        Only the last `days` count. The counts begin with the first day that had any, and days without
        any are 0: a book that is young has the mean of its own days, and without any the floor is all.
        """
        seen = before[-self.days :]
        if not seen:
            return self.at_least
        mean = Decimal(sum(seen)) / len(seen)
        return max(self.at_least, int((self.factor * mean).to_integral_value(ROUND_FLOOR)))


def read_brake(reader: Reader, node: Node) -> BrakeRules | None:
    """Read `brake`: which class of actions it watches, and how many a day may have."""
    fields = reader.fields(node, "`brake`", [WATCHED], ["at_least"])
    if fields is None or WATCHED not in fields:
        return None
    value = reader.scalar(fields[WATCHED], f"`{WATCHED}`")
    if value is None:
        return None
    found = _FORM.fullmatch(" ".join(value.text.split()))
    if found is None:
        message = f"`{value.text}` says not how many interruptions a day may have"
        reader.error("not-a-brake", message, value.inner, _EXAMPLE)
        return None
    factor, days = Decimal(found[1]), int(found[2])
    if factor < 1 or days < 1:
        message = f"`{value.text}` would stop the interruptions of ordinary days"
        reader.error("brake-too-tight", message, value.inner, "write a factor and days of 1 or more")
        return None
    floor = (
        reader.integer(fields["at_least"], "`at_least`", 0, 1_000_000) if "at_least" in fields else AT_LEAST
    )
    return BrakeRules(factor, days, node.span, AT_LEAST if floor is None else floor)
