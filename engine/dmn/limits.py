"""What one model may cost to read and to evaluate: every bound has a name, and the error says it."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.feel.limits import Limits


@dataclass(frozen=True, slots=True)
class DmnLimits:
    """Bounds of one reading and one evaluation; no file and no input gets past them."""

    bytes: int = 20_000_000
    """Size of one file."""
    files: int = 500
    """Files that are given with a model."""
    elements: int = 400_000
    """XML elements of one file."""
    attributes: int = 60
    """Attributes of one XML element."""
    nesting: int = 80
    """Nesting of XML elements, so also of boxed expressions."""
    warnings: int = 1_000
    """Warnings that one evaluation keeps; the last one says that there were more."""
    feel: Limits = field(default_factory=Limits)
    """Bounds of each expression and, for nesting and steps, of the whole evaluation."""


LIMITS = DmnLimits()
