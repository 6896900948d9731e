"""YAML as authors of policies may write it: maps, lists and texts, each with its place.

Every scalar is kept as text, so `0.003` is exact and `2026.10` is not `2026.1`. What makes YAML
surprising is refused: duplicate keys, aliases and anchors, tags, several documents in one file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import yaml
from yaml import events as ev

from engine.policy import Loaded
from engine.source import Problem, Span
from engine.text.places import Runs, runs_of
from engine.text.yaml_mistakes import invisible_character, not_utf8, syntax_problem, unreadable_character

MAX_BYTES = 4 * 1024 * 1024
"""The largest YAML text that is read."""
MAX_DEPTH = 32
"""The deepest nesting of maps and lists that is read."""


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """One text with its place; only an unquoted `true`, `false`, `null`, `~` or nothing is more than text."""

    text: str
    span: Span
    style: str = "plain"
    """plain, quoted, literal (`|`) or folded (`>`)."""
    lines: tuple[Span, ...] = ()
    """For a literal block: where each of its lines stands, without the indentation."""
    runs: Runs = ()
    """For a text on several lines: where the part that each of them gives begins."""

    @property
    def boolean(self) -> bool | None:
        """The truth value if this is an unquoted `true` or `false`."""
        return {"true": True, "false": False}.get(self.text) if self.style == "plain" else None

    @property
    def is_null(self) -> bool:
        """Tell whether this is an unquoted `null`, `~` or nothing at all."""
        return self.style == "plain" and self.text in ("", "~", "null")

    @property
    def inner(self) -> Span:
        """The place of the first character of the text itself, after a quote or a block's indentation."""
        if self.style == "quoted":
            return self.span.shifted(1, max(1, self.span.length - 2))
        return self.lines[0] if self.lines else self.span

    def place(self, offset: int, length: int) -> Span:
        """Return where a part of the text stands, also where YAML has joined its lines."""
        before = (found for found in self.runs if found[0] <= offset)
        start, run = max(before, key=lambda found: found[0], default=(0, self.inner))
        return run.shifted(offset - start, max(1, length))


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list with its place."""

    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class MapNode:
    """A map in the author's order, each key once, with its place."""

    entries: tuple[tuple[ScalarNode, Node], ...]
    span: Span

    def get(self, name: str) -> Node | None:
        """Return the value of a key, or None."""
        return next((value for key, value in self.entries if key.text == name), None)

    def key(self, name: str) -> ScalarNode | None:
        """Return the key itself, with its place, or None."""
        return next((key for key, _ in self.entries if key.text == name), None)


Node: TypeAlias = ScalarNode | ListNode | MapNode


def read_yaml(data: bytes, file: str) -> Loaded[Node]:
    """Read one YAML text to nodes with places; what is wrong with it comes back as problems."""
    start = Span(file, 1, 1)
    if len(data) > MAX_BYTES:
        message = f"the file has {len(data):,} bytes; at most {MAX_BYTES:,} are read"
        advice = "move large tables to CSV files and name them with `file:`"
        return Loaded(None, (Problem("file-too-large", message, start, advice),))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Loaded(None, (not_utf8(data, error, file),))
    if invisible := invisible_character(text, file):
        return Loaded(None, (invisible,))
    composer = _Composer(text, file)
    try:
        node = composer.document()
    except _StopReading:
        node = None
    except yaml.reader.ReaderError as error:
        composer.problems.append(unreadable_character(text, error, file))
        node = None
    except yaml.MarkedYAMLError as error:
        composer.problems.append(syntax_problem(error, file, composer.source))
        node = None
    return Loaded(None if composer.problems else node, tuple(composer.problems))


class _StopReading(Exception):  # control flow inside this file, not an error of a caller
    """Reading on makes no sense; the problem is already noted."""


class _Composer:
    """Builds nodes from PyYAML's parsing events, which carry the places."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.source = text.splitlines()
        self.problems: list[Problem] = []
        self.events: Iterator[ev.Event] = iter(yaml.parse(text, Loader=yaml.SafeLoader))

    def document(self) -> Node | None:
        next(self.events)  # the stream starts
        if isinstance(next(self.events), ev.StreamEndEvent):
            self._note("file-empty", "the file is empty", Span(self.file, 1, 1))
            return None
        node = self._node(next(self.events), 1)
        next(self.events)  # the document ends
        more = next(self.events)
        if not isinstance(more, ev.StreamEndEvent):
            advice = "keep one document a file: remove `---` and what follows, or make it a file of its own"
            self._note("several-documents", "a second document starts here", self._span(more), advice)
        return node

    def _node(self, event: ev.Event, depth: int) -> Node:
        span = self._span(event)
        if depth > MAX_DEPTH:
            self._note("too-deep", f"maps and lists are nested more than {MAX_DEPTH} levels deep", span)
            raise _StopReading
        self._refuse_extras(event, span)
        if isinstance(event, ev.SequenceStartEvent):
            return ListNode(tuple(self._items(depth)), span)
        if isinstance(event, ev.MappingStartEvent):
            return MapNode(tuple(self._entries(depth)), span)
        if isinstance(event, ev.ScalarEvent):
            return self._scalar(event, span)
        return ScalarNode("", span)  # an alias, already refused

    def _refuse_extras(self, event: ev.Event, span: Span) -> None:
        anchor = getattr(event, "anchor", None)
        if isinstance(event, ev.AliasEvent):
            advice = "write the value out, so that each place can be read and changed alone"
            self._note("yaml-alias", f"`*{anchor}` is an alias; aliases are not read", span, advice)
        elif anchor:
            advice = "remove the anchor; a value is written where it applies"
            self._note("yaml-anchor", f"`&{anchor}` is an anchor; anchors are not read", span, advice)
        tag = getattr(event, "tag", None)
        if tag:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            advice = "remove the tag; the policy format knows the type of each value"
            self._note("yaml-tag", f"`{shown}` is a tag; tags are not read", span, advice)

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self.events), ev.SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _entries(self, depth: int) -> Iterator[tuple[ScalarNode, Node]]:
        seen: dict[str, Span] = {}
        while not isinstance(event := next(self.events), ev.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self.events), depth + 1)
            if not isinstance(key, ScalarNode):
                self._note("key-not-text", "a key must be a text, not a list or a map", key.span)
            elif key.text in seen:
                advice = "remove one of the two, or give it another name"
                first = (("the first one stands here", seen[key.text]),)
                self._note(
                    "duplicate-key", f"the key `{key.text}` stands here twice", key.span, advice, first
                )
            else:
                seen[key.text] = key.span
                yield key, value

    def _scalar(self, event: ev.ScalarEvent, span: Span) -> ScalarNode:
        style = {None: "plain", "": "plain", "|": "literal", ">": "folded"}.get(event.style, "quoted")
        lines: tuple[Span, ...] = ()
        if style == "literal":
            lines = tuple(self._block_lines(event.value, span))
        return ScalarNode(event.value, span, style, lines, self._runs(event, span, style))

    def _runs(self, event: ev.ScalarEvent, span: Span, style: str) -> Runs:
        assert event.end_mark is not None  # the parser, unlike an emitter, gives each event its marks
        block, last = style in ("literal", "folded"), event.end_mark.line + 1
        if not block and last == span.line:
            return ()
        first = Span(self.file, span.line + 1, 1) if block else span.shifted(style == "quoted")
        lines = self.source[first.line - 1 : last]
        if lines and not block:
            lines[0] = lines[0][first.column - 1 :]
        return tuple(runs_of(event.value, lines, first))

    def _block_lines(self, text: str, span: Span) -> Iterator[Span]:
        for number, line in enumerate(text.splitlines(), span.line + 1):
            source = self.source[number - 1] if number <= len(self.source) else line
            yield Span(self.file, number, max(1, len(source) - len(line) + 1), max(1, len(line)))

    def _span(self, event: ev.Event) -> Span:
        start, end = event.start_mark, event.end_mark
        assert start is not None  # the parser, unlike an emitter, gives each event its marks
        assert end is not None
        length = end.column - start.column if end.line == start.line else 1
        return Span(self.file, start.line + 1, start.column + 1, max(1, length))

    def _note(
        self, code: str, message: str, span: Span, advice: str = "",
        related: tuple[tuple[str, Span], ...] = (),
    ) -> None:  # fmt: skip
        self.problems.append(Problem(code, message, span, advice, related=related))
