"""Reads a mapping: everything that is wrong is named with its place and an advice."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from datetime import time
from typing import Any

from api.importer.checking import fault_of_condition, fault_of_zone, faults_of
from api.importer.control import figure_of_node
from api.importer.mapping import FileMapping, Negative, Target, Tree, Value
from api.importer.targets import TARGETS, Type, type_of
from engine.policy import Loaded
from engine.source import has_errors, sort_problems
from engine.text import ListNode, MapNode, Node, Reader, ScalarNode, did_you_mean, read_yaml

OPTIONAL = (
    "format", "encoding", "delimiter", "skip", "dates", "decimal", "thousands", "symbols", "negative",
    "timezone", "currency", "title", "control",
)  # fmt: skip
TYPES: tuple[Type, ...] = ("text", "date", "instant", "amount", "integer", "boolean")
ENCODINGS = (
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "big5", "shift_jis", "euc-kr", "latin-1",
    "iso-8859-2", "iso-8859-15", "cp1250", "cp1251", "cp1252", "cp1254",
)  # fmt: skip
NEGATIVE: tuple[Negative, ...] = ("before", "after", "parentheses")
HOW = ("type", "words", "negate", "at", "pad", "default")
BLANKS = frozenset({" ", "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}", "\N{THIN SPACE}"})
QUALITY = ("as_of", "source", "verified_by", "verified_at")


def load_mapping(data: bytes, file: str) -> Loaded[FileMapping]:
    """Read a mapping; everything that is wrong is named with its place."""
    loaded = read_yaml(data, file)
    if loaded.policy is None:
        return Loaded(None, loaded.problems)
    reader = _MappingReader()
    mapping = reader.mapping(loaded.policy)
    problems = sort_problems(reader.problems)
    return Loaded(None if has_errors(problems) else mapping, problems)


class _MappingReader(Reader):
    def mapping(self, node: Node) -> FileMapping | None:
        found = self.fields(node, "a mapping", ("mapping", "rows"), OPTIONAL)
        if found is None or "rows" not in found:
            return None
        self.keys: Mapping[str, Node] = found
        form = self.choice(found["format"], "a format", ("csv", "ndjson")) if "format" in found else "csv"
        rows = [self._target(item) for item in self.items(found["rows"], "`rows`")]
        control = self.items(found["control"], "`control`") if "control" in found else ()
        figures = [figure_of_node(self, item) for item in control]
        mapping = FileMapping(
            name=self._said("mapping", ""), format="ndjson" if form == "ndjson" else "csv",
            encoding=self._encoding(), delimiter=self._delimiter(), dates=self._dates(),
            decimal=self._said("decimal", "."), thousands=self._mark("thousands"),
            symbols=self._said("symbols", ""), timezone=self._zone(), skip=self._skip(),
            negative=self._negative(), currency=self._said("currency", ""),
            rows=tuple(row for row in rows if row is not None),
            control=tuple(figure for figure in figures if figure is not None),
        )  # fmt: skip
        self.take(faults_of(mapping, found))
        return mapping

    def _said(self, name: str, default: str) -> str:
        return (self.text(self.keys[name], f"`{name}`") or default) if name in self.keys else default

    def _mark(self, name: str) -> str:
        """Return a mark of numbers, which may be a blank."""
        node = self.keys.get(name)
        return " " if isinstance(node, ScalarNode) and node.text in BLANKS else self._said(name, "")

    def _encoding(self) -> str:
        """Return an encoding by its name or another name of it: `UTF-8`, `windows-1252`."""
        said = self._said("encoding", "utf-8")
        try:
            name = codecs.lookup(said).name
        except LookupError:
            name = said
        known = {codecs.lookup(encoding).name: encoding for encoding in ENCODINGS}
        if name not in known and "encoding" in self.keys:
            self.choice(self.keys["encoding"], "an encoding that is read", ENCODINGS)
        return known.get(name, "utf-8")

    def _delimiter(self) -> str:
        node = self.keys.get("delimiter")
        said = "\t" if isinstance(node, ScalarNode) and node.text == "\t" else self._said("delimiter", ",")
        said = "\t" if said == "tab" else said
        if len(said) != 1:
            where = self.keys["delimiter"].span
            self.error("not-one-character", f"`delimiter` is `{said}`", where, "write `;` or `tab`")
        return said

    def _dates(self) -> tuple[str, ...]:
        if "dates" not in self.keys:
            return ("%Y-%m-%d",)
        node = self.keys["dates"]
        if isinstance(node, ScalarNode):  # one form needs no brackets
            return (self.text(node, "`dates`") or "%Y-%m-%d",)
        return self.list_of(node, "`dates`", self.text) or ("%Y-%m-%d",)

    def _zone(self) -> str:
        zone = self._said("timezone", "UTC")
        if "timezone" not in self.keys:
            return zone
        faults = list(fault_of_zone(zone, self.keys["timezone"].span))
        self.take(faults)
        return "UTC" if faults else zone

    def _skip(self) -> int:
        return (self.integer(self.keys["skip"], "`skip`", 0) or 0) if "skip" in self.keys else 0

    def _negative(self) -> Negative:
        node = self.keys.get("negative")
        said = self.choice(node, "a way to write negative amounts", NEGATIVE) if node else None
        return next((way for way in NEGATIVE if way == said), "before")

    def _target(self, node: Node) -> Target | None:
        if not isinstance(node, MapNode):
            advice = "write `- bill: {account: ..., id: ...}`"
            self.error("not-a-map", "a row is not a map", node.span, advice)
            return None
        kinds = [(key, value) for key, value in node.entries if key.text != "when"]
        if len(kinds) != 1:
            advice = "write one `- kind: {...}` a row"
            self.error("row-unclear", "a row becomes exactly one thing", node.span, advice)
            return None
        ((key, body),) = kinds
        known = TARGETS.get(key.text)
        if known is None:
            advice = did_you_mean(key.text, TARGETS, of="kinds")
            self.error("unknown-kind", f"`{key.text}` is nothing that a line can become", key.span, advice)
            return None
        optional = [name for name in known.fields if name not in known.needed]
        fields = self.fields(body, f"a {key.text}", known.needed, optional) or {}
        trees = {name: self._tree(value, name) for name, value in fields.items()}
        when = node.get("when")
        return Target(
            kind=key.text,
            fields={name: tree for name, tree in trees.items() if tree is not None},
            when=self._when(when) if when is not None else {},
            span=key.span,
        )

    def _when(self, node: Node) -> dict[str, frozenset[str]]:
        found = {}
        for key, value in self.entries(node, "`when`"):
            items = value.items if isinstance(value, ListNode) else (value,)
            texts = [self.text(item, f"`{key.text}`") for item in items]
            for item, said in zip(items, texts, strict=True):
                self.take(fault_of_condition(said or "", key.text, item.span))
            found[key.text] = frozenset(text for text in texts if text is not None)
        return found

    def _tree(self, node: Node, name: str) -> Tree | None:
        if isinstance(node, ScalarNode):
            return Value(node.text, type_of(name), node.inner)
        if isinstance(node, ListNode):
            items = (self._tree(item, name) for item in node.items)
            return tuple(item for item in items if item is not None)
        if node.get("value") is not None and name != "facts":
            return self._value(node, name)
        parts = {key.text: self._tree(value, key.text) for key, value in node.entries}
        return {key: part for key, part in parts.items() if part is not None}

    def _value(self, node: MapNode, name: str) -> Tree | None:
        fields = self.fields(node, f"`{name}`", ("value",), (*HOW, *QUALITY)) or {}
        template = fields.get("value")
        if not isinstance(template, ScalarNode):
            self.error("not-a-text", f"the `value` of `{name}` is not a text", node.span)
            return None
        found = Value(template.text, span=template.inner, **self._how(fields, name))
        quality = {key: self._tree(fields[key], key) for key in QUALITY if key in fields}
        return {"value": found, **{k: v for k, v in quality.items() if v is not None}} if quality else found

    def _how(self, fields: Mapping[str, Node], name: str) -> dict[str, Any]:
        kind = self.choice(fields["type"], "a type", TYPES) if "type" in fields else None
        how: dict[str, Any] = {"type": next((t for t in TYPES if t == kind), type_of(name))}
        if "words" in fields:
            pairs = self.entries(fields["words"], "`words`")
            how["words"] = {key.text: self.text(value, f"`{key.text}`") or "" for key, value in pairs}
        if "negate" in fields:
            how["negate"] = bool(self.boolean(fields["negate"], "`negate`"))
        if "pad" in fields:
            how["pad"] = self.integer(fields["pad"], "`pad`", 1, 128) or 0
        if "default" in fields:
            how["default"] = self.text(fields["default"], "`default`")
        if "at" in fields:
            how["at"] = self._hour(fields["at"])
        return how

    def _hour(self, node: Node) -> str:
        text = self.text(node, "`at`") or "12:00"
        try:
            time.fromisoformat(text)
        except ValueError:
            self.error("not-a-time", f"`at` is `{text}`", node.span, 'write `"02:30"`')
            return "12:00"
        return text
