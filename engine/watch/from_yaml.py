"""The text of a watch policy to its typed, checked model.

A watch policy declares events with typed properties, and rules that join the events of one customer (or of
whatever `per` names) over a window. What a matcher could compute differently is refused here, by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from engine.identity import manifest
from engine.policy import Loaded, Texts
from engine.source import Span, has_errors, sort_problems
from engine.text import MapNode, Node, Reader, optional, read_yaml
from engine.watch.layout import LayoutTooLarge, lay_out
from engine.watch.model import EventType, Rule, WatchPolicy
from engine.watch.never import note_never
from engine.watch.rules_from_yaml import read_rule
from engine.watch.schema_from_yaml import length, read_types

_REQUIRED = ("policy", "kind", "version", "effective", "window", "events", "rules")
_OPTIONAL = ("title", "facts")
LONGEST_WINDOW = timedelta(days=1_100)


def load_watch(texts: Texts, root: str = "policy.yaml") -> Loaded[WatchPolicy]:
    """Read and check the watch policy whose text is `root`."""
    reader = Reader()
    loaded = read_yaml(texts[root], root) if root in texts else None
    if loaded is None:
        reader.error("unknown-file", f"there is no file `{root}`", Span(root, 1, 1))
    else:
        reader.take(loaded.problems)
    policy = _policy(reader, loaded.policy, root, texts) if loaded and loaded.policy is not None else None
    problems = sort_problems(reader.problems)
    return Loaded(None if has_errors(problems) else policy, problems)


def _policy(reader: Reader, node: Node, root: str, texts: Texts) -> WatchPolicy | None:
    fields = reader.fields(node, "a watch policy", _REQUIRED, _OPTIONAL)
    if fields is None:
        return None
    kind = optional(fields, "kind", reader.text, "`kind`")
    if kind is not None and kind != "watch":
        reader.error(
            "not-watch", f"this policy is of kind `{kind}`", fields["kind"].span, "write `kind: watch`"
        )
    name = optional(fields, "policy", reader.slug, "`policy`") or ""
    version = optional(fields, "version", reader.text, "`version`") or ""
    start, end = _effective(reader, fields)
    types, window = read_types(reader, fields), _window(reader, fields)
    stated = manifest(name, "watch", version, start or date.min, {root: texts[root]})
    draft = WatchPolicy(
        name=name,
        title=reader.localized(fields["title"], "`title`") if "title" in fields else {},
        version=version,
        effective_from=start or date.min,
        effective_to=end,
        window=window,
        types=types,
        rules=_rules(reader, fields, types, window) if types else (),
        manifest=stated,
        digest=stated.digest,
    )
    if not has_errors(reader.problems):
        _check(reader, draft, fields)
    return draft


def _window(reader: Reader, fields: Mapping[str, Node]) -> timedelta:
    window = length(reader, fields["window"], "`window`") if "window" in fields else None
    if window is not None and window > LONGEST_WINDOW:
        message = f"`window` is {window.days} days; at most {LONGEST_WINDOW.days} are kept"
        reader.error("too-large", message, fields["window"].span, f"write `P{LONGEST_WINDOW.days}D` or less")
    return window or timedelta(0)


def _rules(
    reader: Reader, fields: Mapping[str, Node], types: Mapping[str, EventType], window: timedelta
) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for node in reader.items(fields["rules"], "`rules`") if "rules" in fields else ():
        rule = read_rule(reader, node, types)
        if rule is None:
            continue
        distinct = node.get("distinct") if isinstance(node, MapNode) else None
        note_never(reader, rule, window or LONGEST_WINDOW, (distinct or node).span)
        if rule.name in rules:
            related = (("the first one stands here", rules[rule.name].span),)
            reader.error("name-taken", f"there are two rules `{rule.name}`", rule.span, related=related)
        rules[rule.name] = rule
    if "rules" in fields and not rules and not has_errors(reader.problems):
        reader.error("no-rules", "there is no rule", fields["rules"].span, "write one: `- rule: high-usage`")
    return tuple(rules.values())


def _check(reader: Reader, policy: WatchPolicy, fields: Mapping[str, Node]) -> None:
    """Note what is wrong with the rules together."""
    for rule in policy.rules:
        if rule.within is not None and rule.within > policy.window:
            message = f"rule `{rule.name}` looks further than the window of {policy.window.days} days"
            place = rule.within_span or rule.span
            advice = f"raise `window`, or write `P{policy.window.days}D` here"
            reader.error("within-window", message, place, advice)
    for per in policy.partitions:
        try:
            lay_out(policy, per)
        except LayoutTooLarge as why:
            reader.error(why.code, why.message, fields["rules"].span, why.advice)


def _effective(reader: Reader, fields: Mapping[str, Node]) -> tuple[date | None, date | None]:
    if "effective" not in fields:
        return None, None
    found = reader.fields(fields["effective"], "`effective`", ["from"], ["to"]) or {}
    start = optional(found, "from", reader.date, "`from`")
    end = optional(found, "to", reader.date, "`to`")
    if start and end and end < start:
        message = f"the policy ends on {end}, before it begins on {start}"
        reader.error("effective-crossed", message, found["to"].span)
    return start, end
