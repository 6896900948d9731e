"""How the columns of a file become customers, accounts and entries: a text that people write.

    mapping: erp-invoices
    format: csv                      # or ndjson
    encoding: utf-8                  # latin-1, cp1252, gb18030 ...
    delimiter: ","                   # or tab
    dates: ["%d/%m/%Y"]              # how days are written; the first form that fits counts
    decimal: "."                     # and `thousands: ","`, if amounts have them
    timezone: Asia/Shanghai          # for instants that are given as days
    rows:                            # what each line of the file becomes, in this order
      - customer: {id: "C{customer}", segment: sme}
      - account:  {id: "A{customer}", customer: "C{customer}", currency: CNY, timezone: Asia/Shanghai}
      - bill:
          {account: "A{customer}", id: "{invoice}", value_date: "{issued}", due_date: "{due}",
           amount: "{total}"}
      - payment:  {account: "A{customer}", id: "P{invoice}", value_date: "{paid}", amount: "{total}"}
        when:     {paid: "*"}        # only lines whose column is not empty; or a value, or a list of values

A value is a constant or a text with `{column}` in it; its type is that of the field. What needs more is a
map: `{value: "{LIMIT_BAL}", type: integer}`, `{value: "{x}", words: {"1": low, "2": high}}`,
`negate: true`, `at: "02:30"` for an instant that the file gives as a day. A field whose columns are
empty is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from api.importer.targets import TARGETS, Type, type_of
from engine.policy import Loaded
from engine.source import Span, has_errors, sort_problems
from engine.text import ListNode, MapNode, Node, Reader, ScalarNode, did_you_mean, read_yaml

_OPTIONAL = (
    "format",
    "encoding",
    "delimiter",
    "dates",
    "decimal",
    "thousands",
    "symbols",
    "timezone",
    "title",
)
_COLUMN = re.compile(r"\{([^{}]+)\}")
_TYPES: tuple[Type, ...] = ("text", "date", "instant", "amount", "integer", "boolean")
_ENCODINGS = ("utf-8", "latin-1", "cp1252", "gb18030", "utf-16")


@dataclass(frozen=True, slots=True)
class Value:
    """One field: a text with columns in it, and how it is to be read."""

    template: str
    type: Type
    span: Span
    words: Mapping[str, str] = field(default_factory=dict)
    """What the file's words mean here."""
    negate: bool = False
    at: str = "12:00"
    """For an instant that the file gives as a day: the local time."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made of."""
        return tuple(_COLUMN.findall(self.template))

    def fill(self, cells: Mapping[str, str]) -> str | None:
        """Return the text with the cells in place; None when one of them is empty."""
        if any(not cells[name].strip() for name in self.columns):
            return None
        return _COLUMN.sub(lambda found: cells[found[1]].strip(), self.template)


Tree = Value | Mapping[str, "Tree"] | tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that each line becomes: its kind, its fields, and for which lines."""

    kind: str
    fields: Mapping[str, Tree]
    when: Mapping[str, frozenset[str]]
    span: Span


@dataclass(frozen=True, slots=True)
class FileMapping:
    """A whole mapping."""

    name: str
    format: Literal["csv", "ndjson"]
    encoding: str
    delimiter: str
    dates: tuple[str, ...]
    decimal: str
    thousands: str
    symbols: str
    timezone: str
    rows: tuple[Target, ...]

    def values(self) -> tuple[Value, ...]:
        """Return every value of every target."""
        return tuple(value for row in self.rows for tree in row.fields.values() for value in leaves(tree))


def leaves(tree: Tree) -> tuple[Value, ...]:
    """Return every value in a field."""
    if isinstance(tree, Value):
        return (tree,)
    parts = tree.values() if isinstance(tree, Mapping) else tree
    return tuple(value for part in parts for value in leaves(part))


def load_mapping(data: bytes, file: str) -> Loaded[FileMapping]:
    """Read a mapping; everything that is wrong is named with its place."""
    loaded = read_yaml(data, file)
    if loaded.policy is None:
        return Loaded(None, loaded.problems)
    reader = Reader()
    mapping = _mapping(reader, loaded.policy)
    problems = sort_problems(reader.problems)
    return Loaded(None if has_errors(problems) else mapping, problems)


def _mapping(reader: Reader, node: Node) -> FileMapping | None:
    fields = reader.fields(node, "a mapping", ("mapping", "rows"), _OPTIONAL)
    if fields is None or "rows" not in fields:
        return None

    def said(name: str, default: str) -> str:
        return (reader.text(fields[name], f"`{name}`") or default) if name in fields else default

    form = reader.choice(fields["format"], "a format", ("csv", "ndjson")) if "format" in fields else "csv"
    if "encoding" in fields:
        reader.choice(fields["encoding"], "an encoding that is read", _ENCODINGS)
    delimiter = said("delimiter", ",")
    delimiter = "\t" if delimiter == "tab" else delimiter
    if len(delimiter) != 1:
        reader.error(
            "not-one-character",
            f"`delimiter` is `{delimiter}`",
            fields["delimiter"].span,
            "write `;` or `tab`",
        )
    dates = reader.list_of(fields["dates"], "`dates`", reader.text) if "dates" in fields else ("%Y-%m-%d",)
    zone = said("timezone", "UTC")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        reader.error(
            "unknown-zone", f"`{zone}` is no time zone", fields["timezone"].span, "write `Asia/Shanghai`"
        )
    rows = [_target(reader, item) for item in reader.items(fields["rows"], "`rows`")]
    return FileMapping(
        name=said("mapping", ""), format="ndjson" if form == "ndjson" else "csv",
        encoding=said("encoding", "utf-8"), delimiter=delimiter, dates=dates, decimal=said("decimal", "."),
        thousands=said("thousands", ""), symbols=said("symbols", ""), timezone=zone,
        rows=tuple(row for row in rows if row is not None),
    )  # fmt: skip


def _target(reader: Reader, node: Node) -> Target | None:
    if not isinstance(node, MapNode):
        reader.error("not-a-map", "a row is not a map", node.span, "write `- bill: {account: ..., id: ...}`")
        return None
    kinds = [(key, value) for key, value in node.entries if key.text != "when"]
    if len(kinds) != 1:
        reader.error(
            "row-unclear", "a row becomes exactly one thing", node.span, "write one `- kind: {...}` a row"
        )
        return None
    ((key, body),) = kinds
    known = TARGETS.get(key.text)
    if known is None:
        advice = did_you_mean(key.text, TARGETS, of="kinds")
        reader.error("unknown-kind", f"`{key.text}` is nothing that a line can become", key.span, advice)
        return None
    optional = [name for name in known.fields if name not in known.needed]
    fields = reader.fields(body, f"a {key.text}", known.needed, optional) or {}
    trees = {name: _tree(reader, value, name) for name, value in fields.items()}
    when = node.get("when")
    return Target(
        kind=key.text,
        fields={name: tree for name, tree in trees.items() if tree is not None},
        when=_when(reader, when) if when is not None else {},
        span=key.span,
    )


def _when(reader: Reader, node: Node) -> dict[str, frozenset[str]]:
    found = {}
    for key, value in reader.entries(node, "`when`"):
        items = value.items if isinstance(value, ListNode) else (value,)
        texts = [reader.text(item, f"`{key.text}`") for item in items]
        found[key.text] = frozenset(text for text in texts if text is not None)
    return found


def _tree(reader: Reader, node: Node, name: str) -> Tree | None:
    if isinstance(node, ScalarNode):
        return Value(node.text, type_of(name), node.inner)
    if isinstance(node, ListNode):
        items = (_tree(reader, item, name) for item in node.items)
        return tuple(item for item in items if item is not None)
    if node.get("value") is not None and name != "facts":
        return _value(reader, node, name)
    parts = {key.text: _tree(reader, value, key.text) for key, value in node.entries}
    return {key: part for key, part in parts.items() if part is not None}


def _value(reader: Reader, node: MapNode, name: str) -> Tree | None:
    allowed = ("type", "words", "negate", "at", "as_of", "source", "verified_by", "verified_at")
    fields = reader.fields(node, f"`{name}`", ("value",), allowed) or {}
    template = fields.get("value")
    if not isinstance(template, ScalarNode):
        reader.error("not-a-text", f"the `value` of `{name}` is not a text", node.span)
        return None
    words = {}
    if "words" in fields:
        for key, value in reader.entries(fields["words"], "`words`"):
            words[key.text] = reader.text(value, f"`{key.text}`") or ""
    kind = reader.choice(fields["type"], "a type", _TYPES) if "type" in fields else None
    found = Value(
        template=template.text,
        type=next((t for t in _TYPES if t == kind), type_of(name)),
        span=template.inner,
        words=words,
        negate=bool(reader.boolean(fields["negate"], "`negate`")) if "negate" in fields else False,
        at=(reader.text(fields["at"], "`at`") or "12:00") if "at" in fields else "12:00",
    )
    quality = {key: _tree(reader, fields[key], key) for key in allowed[4:] if key in fields}
    return {"value": found, **{k: v for k, v in quality.items() if v is not None}} if quality else found
