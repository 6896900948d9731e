"""What is wrong between a portfolio and the policies that lie beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from api.cli.policy_files import ROOT, PolicyFiles, find_policies
from api.storage.portfolio import Stated, named_problems, unknown_policy
from engine.source import Problem, Severity
from engine.text import ListNode, MapNode, Node, ScalarNode, did_you_mean, read_yaml, suggest
from engine.text.currency import CODES

_NAME = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
"""How a policy is called; its folder has the same name."""


def portfolio_problems(files: PolicyFiles) -> Iterator[Problem]:
    """Return the names in a portfolio that no policy beside it has, or one in another currency."""
    known: dict[str, dict[str, list[Stated]]] = {"credit": {}, "collections": {}}
    unreadable: set[str] = set()
    entries: dict[str, set[str]] = {}
    if any(files.folder.glob(f"*/{ROOT}")):
        for one in find_policies(path.parent for path in sorted(files.folder.glob(f"*/{ROOT}"))):
            called = _name_of(one)
            if one.what == "unknown" or not _NAME.fullmatch(called):
                unreadable.add(one.folder.name)  # what is wrong with it is told there
            elif one.what in known:
                known[one.what].setdefault(called, []).extend(_stated(one))
                for fact, options in _facts_of(one):
                    entries.setdefault(fact, set()).update(options)
    node = read_yaml(files.texts[files.root], files.root).policy
    for name in _named(node):
        if name.text not in known["credit"] and name.text not in unreadable:
            yield unknown_policy("credit", name, known["credit"])
    yield from named_problems(node, known["collections"], unreadable)
    credit = node.get("credit") if isinstance(node, MapNode) else None
    if isinstance(credit, MapNode) and not unreadable:
        yield from _entry_problems(credit, entries)


def _facts_of(files: PolicyFiles) -> Iterator[tuple[str, list[str]]]:
    """Yield the facts that a policy declares, each with the texts that it can be."""
    node = read_yaml(files.texts[files.root], files.root).policy
    facts = node.get("facts") if isinstance(node, MapNode) else None
    for key, value in facts.entries if isinstance(facts, MapNode) else ():
        options = value.get("one_of") if isinstance(value, MapNode) else None
        items = options.items if isinstance(options, ListNode) else ()
        yield key.text, [item.text for item in items if isinstance(item, ScalarNode)]


def _entry_problems(credit: MapNode, entries: Mapping[str, set[str]]) -> Iterator[Problem]:
    """Yield what is doubtful in the entry of the customer file that chooses, and in its values.

    The customer file may have entries that no policy reads: only what resembles one that is read is wrong.
    """
    by = credit.get("by")
    name = by.text if isinstance(by, ScalarNode) else "segment"
    if isinstance(by, ScalarNode) and entries and name not in entries:
        advice = did_you_mean(name, sorted(entries), of="facts")
        severity = Severity.ERROR if suggest(name, entries) else Severity.WARNING
        message = f"no policy here reads an entry `{name}` of the customer file"
        yield Problem("unknown-entry", message, by.span, advice, severity)
    options = sorted(entries.get(name, ()))
    for key, _ in credit.entries:
        if options and key.text != "by" and key.text not in options:
            message = f"`{name}` is never `{key.text}` in the policies here: nobody is judged by this line"
            advice = did_you_mean(key.text, options, of="it can be")
            yield Problem("unknown-entry", message, key.span, advice, Severity.WARNING)


def _name_of(files: PolicyFiles) -> str:
    node = read_yaml(files.texts[files.root], files.root).policy
    name = node.get("policy") if isinstance(node, MapNode) else None
    return name.text if isinstance(name, ScalarNode) else ""


def _named(node: Node | None) -> Iterator[ScalarNode]:
    """Yield the credit policies that a portfolio names."""
    credit = node.get("credit") if isinstance(node, MapNode) else None
    for key, value in credit.entries if isinstance(credit, MapNode) else ():
        if key.text != "by" and isinstance(value, ScalarNode):
            yield value


def _stated(files: PolicyFiles) -> Iterator[Stated]:
    """Yield in which currency a collections policy states amounts, if that can be read."""
    node = read_yaml(files.texts[files.root], str(files.path)).policy
    said = node.get("currency") if isinstance(node, MapNode) else None
    if isinstance(said, ScalarNode) and said.text.strip() in CODES:
        yield Stated(said.text.strip(), said.span)
