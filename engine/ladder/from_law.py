"""Law pack text to clauses."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

from engine.ladder.from_feel import read_number_test
from engine.ladder.law import Clause, LawPack, Rule
from engine.model import digest_bytes
from engine.policy import Loaded
from engine.source import has_errors
from engine.text import Node, Reader, read_yaml

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
            reader.error("clause-twice", f"two clauses are named `{clause.id}`", clause.span, related=first)
        elif clause:
            clauses[clause.id] = clause
    if name is None or title is None:
        return None
    return LawPack(name, digest, tuple(clauses.values()), in_force, title)


_NEEDED: dict[str, str] = {
    "interruption": "days_past_due", "termination": "days_suspended",
    "late_fee": "rate", "restoration": "within",
}  # fmt: skip


def _clause(reader: Reader, node: Node) -> Clause | None:
    keys = ["clause", "rule", "says", "source"]
    fields = reader.fields(node, "a clause", keys, list(_NEEDED.values()))
    if fields is None or not set(keys) <= set(fields):
        return None
    name = reader.slug(fields["clause"], "`clause`")
    rule = next((r for r in RULES if r == reader.choice(fields["rule"], "a rule of law packs", RULES)), None)
    says = reader.localized(fields["says"], "`says`")
    source = reader.text(fields["source"], "`source`")
    if name is None or rule is None or source is None:
        return None
    needed = _NEEDED[rule]
    for key in _NEEDED.values():
        if (key in fields) != (key == needed):
            what = "needs" if key == needed else "has no use for"
            reader.error("clause-unclear", f"clause `{name}` of rule `{rule}` {what} `{key}`", node.span)
            return None
    value = fields[needed]
    days = None
    if needed.startswith("days"):
        found = reader.scalar(value, f"`{needed}`")
        days = read_number_test(reader, found.text, found.inner, needed) if found else None
    rate = reader.decimal(value, "`rate`", 0) if needed == "rate" else None
    within = _hours(reader, value) if needed == "within" else None
    return Clause(name, rule, says, source, node.span, days, rate, within)


def _hours(reader: Reader, node: Node) -> timedelta | None:
    text = reader.text(node, "`within`")
    if text and text.startswith("PT") and text.endswith("H") and text[2:-1].isdigit():
        return timedelta(hours=int(text[2:-1]))
    reader.error("not-hours", f"`within` is `{text}`, not hours", node.span, "write `PT48H`")
    return None


def no_law(name: str = "none") -> LawPack:
    """Return a pack without clauses, for operators whose regulator states none."""
    return LawPack(name, digest_bytes(b""), (), None, "")
