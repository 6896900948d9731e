"""Why a row did not match, in words: `score 431 is not in [520..600)`."""

from __future__ import annotations

from engine.credit.model import Tests
from engine.feel import syntax as s
from engine.feel.values import Value, show


def why_not(heading: str, value: Value, tests: Tests) -> str:
    """Return why a value does not pass a cell."""
    cell = " ".join(tests.text.split())
    if value is None:
        return f"{heading} is null, which `{cell}` does not match"
    shown = f"{heading} {show(value):.80}"
    items = tests.node.tests
    if tests.node.negated:
        return f"{shown} is excluded by {cell}"
    if len(items) > 1:
        return f"{shown} is none of {cell}"
    if items and isinstance(items[0], s.RangeLiteral):
        return f"{shown} is not in {cell}"
    if items and s.mentions_input(items[0]):
        return f"{shown} does not satisfy {cell}"
    return f"{shown} is not {cell}"
