"""What one expression may cost: every bound has a name, and the error says it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one reading and one evaluation; no input gets past them."""

    text: int = 50_000
    """Characters of an expression."""
    depth: int = 80
    """Nesting of an expression."""
    calls: int = 120
    """Nesting of evaluation, functions that call themselves included."""
    iterations: int = 1_000_000
    """Steps of one evaluation."""
    items: int = 100_000
    """Items of a list."""
    characters: int = 1_000_000
    """Characters of a string."""
    pattern: int = 500
    """Characters of a regular expression."""
    subject: int = 10_000
    """Characters that a regular expression is matched against."""
    matching: int = 20_000_000
    """Ways that matching may have to try, at most, as the pattern tells beforehand."""


LIMITS = Limits()
