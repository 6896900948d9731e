"""Why a row did not match, in words: `score 431 is not in [520..600)`."""

from __future__ import annotations

from engine.credit.model import Tests
from engine.feel import syntax as s
from engine.feel.values import Value, show


def why_not(heading: str, value: Value, tests: Tests) -> str:
    """Return why a value does not pass a cell."""
    return said_of(heading, value) + complaint(tests, of_null=value is None)


def said_of(heading: str, value: Value) -> str:
    """Return how the sentence begins: the heading and what it is worth."""
    return f"{heading} is null" if value is None else f"{heading} {show(value):.80}"


def complaint(tests: Tests, *, of_null: bool) -> str:
    """Return how the sentence ends; it is the same for all values that do not pass, but for null."""
    cell = " ".join(tests.text.split())
    if of_null:
        return f", which `{cell}` does not match"
    items = tests.node.tests
    if tests.node.negated:
        return f" is excluded by {cell}"
    if len(items) > 1:
        return f" is none of {cell}"
    if items and isinstance(items[0], s.RangeLiteral):
        return f" is not in {cell}"
    if items and s.mentions_input(items[0]):
        return f" does not satisfy {cell}"
    return f" is not {cell}"
