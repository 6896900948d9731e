"""Which tables a policy has, each under the name that an officer would call it by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from engine.policy import Loaded, Texts
from engine.source import Problem, Span
from engine.text import ListNode, MapNode, Node, ScalarNode, Table, read_csv_table, read_table, read_yaml

_PLAIN_KEYS = ("table", "file", "scorecard", "decisions", "ladders")
"""Keys that say where a table stands, not what it is called."""


@dataclass(frozen=True, slots=True)
class FoundTable:
    """One table of a policy: a pipe table in a YAML text, or a CSV file that a policy names."""

    name: str
    """`grade`, `standard`; with the keys above it when two tables would have one name."""
    file: str
    """The text in which its rows stand, by its path beside the policy."""
    table: Table
    block: ScalarNode | None
    """Its block of lines; None: it is a CSV file of its own."""
    span: Span


def nodes_of(node: Node) -> Iterator[Node]:
    """Yield a node and everything in it, in reading order."""
    yield node
    if isinstance(node, MapNode):
        for _, value in node.entries:
            yield from nodes_of(value)
    elif isinstance(node, ListNode):
        for item in node.items:
            yield from nodes_of(item)


def find_tables(texts: Texts, root: str) -> Loaded[tuple[FoundTable, ...]]:
    """Return every table of a policy in reading order; one that cannot be read is a problem."""
    loaded = read_yaml(texts[root], root)
    if loaded.policy is None:
        return Loaded(None, loaded.problems)
    problems: list[Problem] = []
    found: list[tuple[tuple[str, ...], FoundTable]] = []
    for path, node in _scalars(loaded.policy, ()):
        one = _table(texts, root, path, node, problems)
        if one is not None:
            found.append((path, one))
    short = [_name(path) for path, _ in found]
    named = [one if short.count(one.name) == 1 else replace(one, name=".".join(path)) for path, one in found]
    return Loaded(None if problems else tuple(named), tuple(problems))


def _scalars(node: Node, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], ScalarNode]]:
    if isinstance(node, ScalarNode):
        yield path, node
    elif isinstance(node, MapNode):
        for key, value in node.entries:
            yield from _scalars(value, (*path, key.text))
    else:
        for number, item in enumerate(node.items, 1):
            yield from _scalars(item, (*path, str(number)))


def _name(path: tuple[str, ...]) -> str:
    named = [key for key in path if key not in _PLAIN_KEYS]
    return named[-1] if named else path[-1]


def _table(
    texts: Texts, root: str, path: tuple[str, ...], node: ScalarNode, problems: list[Problem]
) -> FoundTable | None:
    if path[-1:] == ("file",) and (file := node.text.strip()) in texts:
        loaded = read_csv_table(texts[file], file)
        block = None
    elif is_table(node):
        file, loaded, block = root, read_table(node), node
    else:
        return None
    problems += loaded.problems
    return FoundTable(_name(path), file, loaded.policy, block, node.span) if loaded.policy else None


def is_table(node: ScalarNode) -> bool:
    """Tell whether a block of lines is meant as a pipe table: its first line begins with a bar."""
    if node.style != "literal":
        return False
    said = (line.strip() for line in node.text.splitlines())
    return next((line.startswith("|") for line in said if line and not line.startswith("#")), False)
