"""Law pack text to clauses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import time, timedelta
from typing import Any, get_args

from engine.ladder.contact_from_yaml import read_cap
from engine.ladder.from_feel import read_number_test
from engine.ladder.ladders_from_yaml import CHANNELS
from engine.ladder.law import Clause, LawPack, Rule
from engine.ladder.sections_from_yaml import read_hours_of_day, span_of
from engine.ladder.threshold import NumberTest
from engine.model import digest_bytes
from engine.policy import Loaded
from engine.source import has_errors
from engine.text import Node, Period, Reader, read_yaml

RULES: tuple[Rule, ...] = get_args(Rule)


def load_law(data: bytes, file: str) -> Loaded[LawPack]:
    """Read a law pack; every clause names its source, or it is refused."""
    loaded = read_yaml(data, file)
    if loaded.policy is None:
        return Loaded(None, loaded.problems)
    reader = Reader()
    pack = _pack(reader, loaded.policy, digest_bytes(data))
    problems = tuple(reader.problems)
    return Loaded(None if has_errors(problems) else pack, problems)


def _pack(reader: Reader, node: Node, digest: str) -> LawPack | None:
    fields = reader.fields(node, "a law pack", ["law", "title", "in_force", "clauses"], ["notes"])
    if fields is None or not {"law", "title", "in_force", "clauses"} <= set(fields):
        return None
    name = reader.slug(fields["law"], "`law`")
    title = reader.text(fields["title"], "`title`")
    in_force = reader.date(fields["in_force"], "`in_force`")
    clauses: dict[str, Clause] = {}
    for item in reader.items(fields["clauses"], "`clauses`"):
        clause = _clause(reader, item)
        if clause and clause.id in clauses:
            first = (("the first one stands here", clauses[clause.id].span),)
            message = f"two clauses are named `{clause.id}`"
            reader.error("clause-twice", message, clause.span, "rename one, or remove it", first)
        elif clause:
            clauses[clause.id] = clause
    if name is None or title is None:
        return None
    return LawPack(name, digest, tuple(clauses.values()), in_force, title)


_NEEDED: Mapping[Rule, tuple[str, ...]] = {
    "interruption": ("days_past_due",),
    "termination": ("days_suspended",),
    "late_fee": ("rate",),
    "restoration": ("within",),
    "working_days": ("calendar",),
    "contact_hours": ("hours", "channels"),
    "contact_frequency": ("most", "channels"),
    "after_conversation": ("period", "channels"),
    "cease_contact": (),
    "opt_out": ("channels",),
    "validation": ("template", "channels", "period", "received_after"),
    "legal_action": ("acts", "days_past_due"),
}
_MAY: Mapping[Rule, tuple[str, ...]] = {
    "late_fee": ("from",), "contact_frequency": ("consent",), "after_conversation": ("consent",),
}  # fmt: skip
"""What a clause says of its rule: what it must say, and what it may."""


def _clause(reader: Reader, node: Node) -> Clause | None:
    keys = ["clause", "rule", "says", "source"]
    fields = reader.fields(node, "a clause", keys, list(_VALUES))
    if fields is None or not set(keys) <= set(fields):
        return None
    name = reader.slug(fields["clause"], "`clause`")
    rule = next((r for r in RULES if r == reader.choice(fields["rule"], "a rule of law packs", RULES)), None)
    says = reader.localized(fields["says"], "`says`")
    source = reader.text(fields["source"], "`source`")
    if name is None or rule is None or source is None:
        return None
    needed, may = _NEEDED[rule], _MAY.get(rule, ())
    for key in _VALUES:
        if (key in needed and key not in fields) or (key in fields and key not in (*needed, *may)):
            what = "needs" if key in needed else "has no use for"
            place = fields.get(key, node)
            advice = f"add `{key}`" if key in needed else f"remove `{key}`"
            message = f"clause `{name}` of rule `{rule}` {what} `{key}`"
            reader.error("clause-unclear", message, place.span, advice)
            return None
    before = len(reader.problems)
    values: dict[str, Any] = {}
    for key, (field, read) in _VALUES.items():
        if key in fields:
            values[field] = read(reader, fields[key], f"`{key}`")
    if len(reader.problems) > before:
        return None
    return Clause(name, rule, says, source, node.span, **values)


def _days(reader: Reader, node: Node, what: str) -> NumberTest | None:
    found = reader.scalar(node, what)
    return read_number_test(reader, found.text, found.inner, what.strip("`")) if found else None


def _hours(reader: Reader, node: Node, what: str) -> timedelta | None:
    text = reader.text(node, what)
    if text and text.startswith("PT") and text.endswith("H") and text[2:-1].isdigit():
        return timedelta(hours=int(text[2:-1]))
    reader.error("not-hours", f"{what} is `{text}`, not hours", node.span, "write `PT48H`")
    return None


def _day_hours(reader: Reader, node: Node, what: str) -> tuple[time, time] | None:
    found = read_hours_of_day(reader, node, what, "08:00-21:00")
    if found and found[0] > found[1]:
        advice = "write the hours in which it is allowed: `08:00-21:00`"
        reader.error("hours-overnight", f"{what} runs over midnight", node.span, advice)
    return found


def _since_due(reader: Reader, node: Node, what: str) -> Period | None:
    text = reader.text(node, what) or ""
    found = re.fullmatch(r"due \+ (P\S+)", text)
    period = Period.parse(found[1]) if found else None
    if period is None:
        message = f"{what} is `{text}`, not a day since the due date"
        reader.error("wrong-form", message, node.span, "write `due + P1D`")
    return period


def _received(reader: Reader, node: Node, what: str) -> int | None:
    text = reader.text(node, what) or ""
    found = re.fullmatch(r"(\d{1,2}) working days", text)
    if found is None:
        message = f"{what} is `{text}`, not working days"
        reader.error("wrong-form", message, node.span, "write `5 working days`")
        return None
    return int(found[1])


def _channels(reader: Reader, node: Node, what: str) -> tuple[str, ...]:
    return reader.list_of(node, what, lambda n, _: reader.choice(n, "a channel", CHANNELS))


_VALUES: Mapping[str, tuple[str, Callable[[Reader, Node, str], Any]]] = {
    "days_past_due": ("days", _days),
    "days_suspended": ("days", _days),
    "rate": ("rate", lambda r, n, w: r.decimal(n, w, 0)),
    "from": ("grace", _since_due),
    "within": ("within", _hours),
    "calendar": ("calendar", Reader.text),
    "hours": ("hours", _day_hours),
    "channels": ("channels", _channels),
    "most": ("most", lambda r, n, w: read_cap(r, n, w)),
    "period": ("period", lambda r, n, w: span_of(r)(n, w)),
    "consent": ("consent", lambda r, n, w: span_of(r)(n, w)),
    "template": ("template", Reader.text),
    "received_after": ("received", _received),
    "acts": ("acts", lambda r, n, w: r.list_of(n, w, r.text)),
}
"""What clauses may say: the field of each key, and how it is read."""


def no_law(name: str = "none") -> LawPack:
    """Return a pack without clauses, for operators whose regulator states none."""
    return LawPack(name, digest_bytes(b""), (), None, "")
