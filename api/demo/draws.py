"""Seeded draws that depend on what they are for, never on the order in which they are asked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Draws:
    """A source of draws; the same seed and purpose give the same draw on every machine and version."""

    seed: int

    def fraction(self, *purpose: object) -> Fraction:
        """Return a fraction in [0, 1)."""
        text = "/".join(str(part) for part in (self.seed, *purpose))
        return Fraction(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]), 1 << 64)

    def integer(self, low: int, high: int, *purpose: object) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + int(self.fraction(*purpose) * (high - low + 1))

    def one_of(self, values: Sequence[T], *purpose: object) -> T:
        """Return one of the values, each as likely as the others."""
        return values[int(self.fraction(*purpose) * len(values))]

    def shuffled(self, values: Sequence[T], *purpose: object) -> list[T]:
        """Return the values in a drawn order."""
        order = sorted(range(len(values)), key=lambda i: (self.fraction(*purpose, i), i))
        return [values[i] for i in order]
