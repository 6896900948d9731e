"""Versions of one policy side by side: dates of effect that collide, overlap or leave a hole.

A version without `to` holds until the next one begins; a version with `to` says that nothing of it holds
on the day after.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise

from engine.source import Problem, Severity, Span
from engine.text import MapNode, Node, ScalarNode


@dataclass(frozen=True, slots=True)
class Version:
    """One text of a policy: whose, and from when until when it holds."""

    kind: str
    policy: str
    start: date
    end: date | None
    span: Span
    """The place of its `effective`."""


def version_of(node: Node | None) -> Version | None:
    """Return the version that a policy's text is; None when it does not say, which is told elsewhere."""
    if not isinstance(node, MapNode):
        return None
    effective = node.get("effective")
    kind, name = (_text(node.get(key)) for key in ("kind", "policy"))
    key = node.key("effective")
    start = _day(effective.get("from")) if isinstance(effective, MapNode) else None
    if not kind or not name or start is None or key is None or not isinstance(effective, MapNode):
        return None
    return Version(kind, name, start, _day(effective.get("to")), key.span)


def _text(node: Node | None) -> str:
    return node.text.strip() if isinstance(node, ScalarNode) else ""


def _day(node: Node | None) -> date | None:
    try:
        return date.fromisoformat(_text(node))
    except ValueError:
        return None


def version_problems(versions: Iterable[Version]) -> Iterator[Problem]:
    """Yield what is wrong between versions of one policy, each at the later version."""
    ordered = sorted(versions, key=lambda v: (v.kind, v.policy, v.start, v.span))
    for (_, name), group in groupby(ordered, key=lambda v: (v.kind, v.policy)):
        for one, following in pairwise(group):
            related = (("the other one stands here", one.span),)
            if one.start == following.start:
                message = f"two versions of `{name}` hold from {one.start}"
                advice = "give one of them another `from`"
                yield Problem("versions-collide", message, following.span, advice, related=related)
            elif one.end is not None and one.end >= following.start:
                message = f"versions of `{name}` overlap: until {one.end}, and from {following.start}"
                advice = (
                    f"let the earlier one end on {following.start - timedelta(days=1)}, or leave out its `to`"
                )
                yield _warning("versions-overlap", message, following.span, advice, related)
            elif one.end is not None and one.end + timedelta(days=1) < following.start:
                first, last = one.end + timedelta(days=1), following.start - timedelta(days=1)
                days = f"on {first}" if first == last else f"from {first} to {last}"
                message = f"no version of `{name}` holds {days}"
                advice = (
                    f"let the later one begin on {one.end + timedelta(days=1)}, or leave out the earlier `to`"
                )
                yield _warning("versions-hole", message, following.span, advice, related)


def _warning(
    code: str, message: str, span: Span, advice: str, related: tuple[tuple[str, Span], ...]
) -> Problem:  # fmt: skip
    return Problem(code, message, span, advice, Severity.WARNING, related)
