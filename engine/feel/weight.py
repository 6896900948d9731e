"""How large a value is, counted without recursion and only as far as the limits go.

Values may share their parts, so a small program can make a list that is endless to look through; and
they may be nested deeper than a function that looks through them can follow.
"""

from __future__ import annotations

from engine.feel.limits import LimitReached, Limits
from engine.feel.values import Value

CHARACTERS = 8
"""Characters of a text that count as much as one item."""


def weight(value: Value, most: int, limits: Limits) -> int:
    """Return the number of items and texts in a value; raises LimitReached beyond `most` or too deep."""
    total = 0
    level: list[Value] = [value]
    depth = 0
    while level:
        depth += 1
        if depth > limits.nesting:
            raise LimitReached(f"a value is nested more than {limits.nesting} deep (limit `nesting`)")
        below: list[Value] = []
        for part in level:
            if isinstance(part, str):
                total += 1 + len(part) // CHARACTERS
                continue
            total += 1
            if isinstance(part, list):
                below += part
            elif isinstance(part, dict):
                below += part.values()
            if total + len(below) > most:
                raise LimitReached(f"it takes more than {limits.iterations} steps (limit `iterations`)")
        level = below
    return total
