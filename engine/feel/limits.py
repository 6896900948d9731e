"""What one expression may cost: every bound has a name, and the error says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one reading and one evaluation; no input gets past them."""

    text: int = 50_000
    """Characters of an expression."""
    depth: int = 80
    """Nesting of an expression."""
    calls: int = 200
    """Nesting of evaluation; a call of a function counts as four."""
    iterations: int = 250_000
    """Steps of one evaluation: an operation, or four items or 32 characters that one looks at or makes."""
    items: int = 100_000
    """Items of a list."""
    nesting: int = 60
    """Nesting of a value: lists in lists, contexts in contexts."""
    characters: int = 1_000_000
    """Characters of a string."""
    pattern: int = 500
    """Characters of a regular expression."""
    subject: int = 10_000
    """Characters that a regular expression is matched against."""
    matching: int = 500_000
    """Steps of one regular expression on one text."""
    notes: int = 1_000
    """Notes that one evaluation keeps."""


LIMITS = Limits()


class LimitReached(Exception):
    """Something costs more than it may; the sentence names the limit."""


Meter = Callable[[int], None]
"""Counts steps; raises LimitReached beyond the limit."""


def free(_: int) -> None:
    """Count nothing: the meter of those who call a built-in without limits."""
