"""What a mapping can say and no line of any file could mean: found before the file is opened."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from api.importer.cells import Unreadable, typed
from api.importer.days import fault_of_form, rivals
from api.importer.mapping import COLUMN, LINE, NTH, FileMapping, Value, leaves
from engine.source import Problem, Span
from engine.text import ListNode, Node, ScalarNode
from engine.text.currency import CODES, currency_advice

_CONDITION = re.compile(r"\s*(<=|>=|!=|<>|==|<|>|=|not\b)")
_SIGN = re.compile(r"[<>]\s*0")
_FORM = "write `%d/%m/%Y`: %d day, %m month, %Y year of four digits, %y of two"


def faults_of(mapping: FileMapping, keys: Mapping[str, Node]) -> Iterator[Problem]:
    """Yield what is wrong with a mapping that has the right form; `keys` are its nodes by key."""
    yield from _forms(mapping, keys)
    yield from _marks(mapping, keys)
    if mapping.currency and mapping.currency not in CODES:
        advice = currency_advice(mapping.currency)
        said = f"`{mapping.currency}` is no currency"
        yield Problem("unknown-currency", said, keys["currency"].span, advice)
    if not mapping.rows and isinstance(keys["rows"], ListNode) and not keys["rows"].items:
        advice = "write what a line becomes: `- bill: {account: ..., id: ...}`"
        yield Problem("no-rows", "the mapping makes nothing of a line", keys["rows"].span, advice)
    for row in mapping.rows:
        for tree in row.fields.values():
            for value in leaves(tree):
                yield from _value(mapping, value)


def fault_of_zone(zone: str, span: Span) -> Iterator[Problem]:
    """Yield that a time zone is not known, with those whose city it names."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        cities = sorted(name for name in available_timezones() if name.rpartition("/")[2] == zone)
        advice = f"write `{cities[0] if cities else 'Asia/Shanghai'}`"
        yield Problem("unknown-zone", f"`{zone}` is no time zone", span, advice)


def _forms(mapping: FileMapping, keys: Mapping[str, Node]) -> Iterator[Problem]:
    node = keys.get("dates")
    if node is None:
        return
    bad = False
    for item in node.items if isinstance(node, ListNode) else (node,):
        if isinstance(item, ScalarNode) and (fault := fault_of_form(item.text.strip())):
            bad = True
            yield Problem("not-a-form", f"`{item.text}` is no form of days: it {fault}", item.inner, _FORM)
    if not bad and (pair := rivals(mapping.dates)):
        first, second, text = pair
        message = f"`{first}` and `{second}` read `{text}` as different days"
        yield Problem("forms-differ", message, node.span, "keep the one in which the file is written")


def _marks(mapping: FileMapping, keys: Mapping[str, Node]) -> Iterator[Problem]:
    for name, said in (("decimal", mapping.decimal), ("thousands", mapping.thousands)):
        if name in keys and (len(said) != 1 or said.isalnum() or said in "+-()"):
            advice = 'write `decimal: ","` and `thousands: "."`, or what the file has'
            yield Problem("not-a-mark", f"`{name}` is `{said}`, not one mark", keys[name].span, advice)
    if mapping.decimal == mapping.thousands:
        where = keys.get("thousands", keys.get("decimal"))
        message = f"`{mapping.decimal}` stands for both `decimal` and `thousands`"
        advice = f'say `decimal: "{"," if mapping.decimal == "." else "."}"`, too'
        yield Problem("marks-alike", message, where.span if where else Span("", 0, 0), advice)


def fault_of_condition(said: str, column: str, span: Span) -> Iterator[Problem]:
    """Yield what is wrong with a text of `when`."""
    if _CONDITION.match(said) and not _SIGN.fullmatch(said):
        advice = '`when` knows `"*"` (not empty), `"> 0"`, `"< 0"`, a text, or a list of texts'
        yield Problem("not-a-condition", f"`{said}` is no condition on `{column}`", span, advice)


def _value(mapping: FileMapping, value: Value) -> Iterator[Problem]:
    left = COLUMN.sub("", value.template)
    if "{" in left or "}" in left:
        advice = 'write the name of a column in a pair of braces: `"{customer}"`'
        yield Problem("brace-alone", f"`{value.template}` has a brace of its own", value.span, advice)
        return
    for name in value.columns:
        if name.startswith("#") and name not in (LINE, NTH):
            message = f"`{{{name}}}` is no column of the line itself"
            yield Problem("unknown-own-column", message, value.span, f"write `{{{LINE}}}` or `{{{NTH}}}`")
    said = [("default", value.default)] if value.default is not None else []
    said += [("", value.template)] if not value.columns else []
    for what, text in said:
        try:
            typed(mapping, value, text.strip())
        except Unreadable as wrong:
            begin = f"the `{what}` `{text}`" if what else f"`{text}`"
            advice = (wrong.advice[:1].lower() + wrong.advice[1:]).removesuffix(".")
            yield Problem(
                "constant-unread", f"{begin}: {wrong.message.removesuffix('.')}", value.span, advice
            )
