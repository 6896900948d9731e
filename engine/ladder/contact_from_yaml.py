"""The section `contact`: quiet hours, caps, channels in their order, languages, what goes into every text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from engine.ladder.ladders_from_yaml import CHANNELS
from engine.ladder.model import ContactRules
from engine.ladder.sections_from_yaml import fits, read_hours_of_day, span_of
from engine.source import Span
from engine.text import MapNode, Node, Period, Reader, ScalarNode, optional

CAPPED = ("call", "message", "sms", "email", "letter", "push")
"""What a cap may speak of: a channel, or every channel but the telephone."""
LONGEST_CAP = 92
"""Days over which a cap may count: contacts are kept in mind so long."""
_CAP = re.compile(r"(\d{1,4}) per (P\S+)")
EACH_DEBT = " for each debt"
"""What follows a cap that is counted for each debt, and not over all contacts with the customer."""
REST = "after_conversation"
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_KEYS = (
    "quiet_hours", "caps", "valid", "attempts", "fallback", "languages", "opt_out", "after_conversation",
    "consent", "consolidate",
)  # fmt: skip


def read_contact(reader: Reader, node: Node) -> ContactRules:
    """Read `contact`: when customers may be spoken to, how often, on which channel, in which language."""
    fields = reader.fields(node, "`contact`", (), _KEYS) or {}
    quiet = fields.get("quiet_hours")
    caps = _caps(reader, fields["caps"]) if "caps" in fields else ()
    rest, each = _rest(reader, fields[REST]) if REST in fields else (None, False)
    return ContactRules(
        read_hours_of_day(reader, quiet, "`quiet_hours`", "21:00-08:00") if quiet else None,
        tuple(cap for cap, _ in caps),
        optional(fields, "valid", span_of(reader), "`valid`"),
        optional(fields, "attempts", lambda n, w: reader.integer(n, w, 1, 20), "`attempts`") or 3,
        fallback=_once(reader, fields, "fallback", _channel) if "fallback" in fields else (),
        languages=_once(reader, fields, "languages", _language) if "languages" in fields else (),
        opt_out=reader.localized(fields["opt_out"], "`opt_out`") if "opt_out" in fields else {},
        after_conversation=rest,
        by_debt=(*(cap[0] for cap, by_debt in caps if by_debt), *((REST,) if each else ())),
        consent=optional(fields, "consent", span_of(reader), "`consent`"),
        consolidate=bool(optional(fields, "consolidate", reader.boolean, "`consolidate`")),
        spans=_spans(fields),
    )


def _spans(fields: Mapping[str, Node]) -> dict[str, Span]:
    """Return where each key's value stands, of caps also each: `caps.call`."""
    caps = fields.get("caps")
    inner = caps.entries if isinstance(caps, MapNode) else ()
    each = {f"caps.{key.text}": value.span for key, value in inner}
    return {key: value.span for key, value in fields.items()} | each


def _caps(reader: Reader, node: Node) -> tuple[tuple[tuple[str, int, Period], bool], ...]:
    found = []
    for kind, value in (reader.fields(node, "`caps`", (), CAPPED) or {}).items():
        cap = read_cap(reader, value, f"the cap of `{kind}`", each_debt=True)
        if cap:
            found.append(((kind, *cap), _is_each(value)))
    return tuple(found)


def _rest(reader: Reader, node: Node) -> tuple[Period | None, bool]:
    """Read `P7D` or `P7D for each debt`."""
    each = _is_each(node)
    if isinstance(node, ScalarNode) and each:
        node = replace(node, text=node.text.removesuffix(EACH_DEBT))
    return span_of(reader)(node, f"`{REST}`"), each


def _is_each(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.text.endswith(EACH_DEBT)


def read_cap(
    reader: Reader, node: Node, what: str, *, each_debt: bool = False
) -> tuple[int, Period] | None:  # fmt: skip
    """Read `7 per P7D`: at most so many in so long a time, its first day counted; perhaps `for each debt`."""
    text = reader.text(node, what) or ""
    text = text.removesuffix(EACH_DEBT) if each_debt else text
    found = _CAP.fullmatch(text)
    period = Period.parse(found[2]) if found else None
    if found is None or period is None or int(found[1]) < 1 or not fits(period):
        advice = "write `7 per P7D`" + (f", or `7 per P7D{EACH_DEBT}`" if each_debt else "")
        reader.error("not-a-cap", f"`{text}` is not a cap", node.span, advice)
        return None
    if period.days + 31 * period.months > LONGEST_CAP:
        message = f"`{text}` counts over more than {LONGEST_CAP} days"
        reader.error("cap-too-long", message, node.span, "count over at most three months: `P90D`")
        return None
    return int(found[1]), period


def _channel(reader: Reader, node: Node) -> str | None:
    return reader.choice(node, "a channel", CHANNELS)


def _language(reader: Reader, node: Node) -> str | None:
    text = reader.text(node, "a language")
    if text is None or _LANGUAGE.fullmatch(text):
        return text
    advice = "write two letters of ISO 639: `zh`, `en`"
    reader.error("not-a-language", f"`{text}` is not a language", node.span, advice)
    return None


def _once(reader: Reader, fields: Mapping[str, Node], name: str, read: object) -> tuple[str, ...]:
    """Read a list in which the order counts, so nothing may stand in it twice."""
    found: dict[str, Span] = {}
    for item in reader.items(fields[name], f"`{name}`"):
        word = _channel(reader, item) if read is _channel else _language(reader, item)
        if word in found:
            related = (("the first one stands here", found[word]),)
            message = f"`{word}` stands twice in `{name}`"
            reader.error("stands-twice", message, item.span, "remove one", related)
        elif word:
            found[word] = item.inner if isinstance(item, ScalarNode) else item.span
    return tuple(found)
