"""The rules of a watch policy, read from YAML and checked against the declared events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from engine.source import Span, has_errors
from engine.text import MapNode, Node, Reader, ScalarNode, did_you_mean, optional
from engine.watch.conditions import Text, find_type, parse_condition, read_conditions
from engine.watch.model import (
    CUSTOMER,
    Action,
    Alias,
    Compare,
    Constant,
    EventType,
    Kind,
    Reference,
    Rule,
    compares,
)
from engine.watch.plan import NotCarried, plan
from engine.watch.schema_from_yaml import length, usable_name

MOST_ALL = 4
MOST_NONE = 4
MOST_COUNT = 100
ACTIONS: Mapping[str, int] = {"reassess": 0, "refer": 1, "interim_limit": 1, "hold_orders": 0, "notify": 2}
"""What an alert can ask for, and how many arguments each takes."""
EXAMPLES: Mapping[str, str] = {
    "reassess": "reassess", "refer": "refer(fraud_desk)", "interim_limit": "interim_limit(200.00)",
    "hold_orders": "hold_orders", "notify": "notify(sms, identity_changed)",
}  # fmt: skip
SEVERITIES: Mapping[str, Literal["low", "medium", "high"]] = {
    "low": "low",
    "medium": "medium",
    "high": "high",
}
_ACTION = re.compile(r"([a-z_]+)(?:\(([^()]*)\))?")
_ARGUMENT = re.compile(r"[A-Za-z0-9_.-]+")


def read_rule(reader: Reader, node: Node, types: Mapping[str, EventType]) -> Rule | None:
    """Return one rule; everything that is wrong with it is noted, what no matcher carries by name."""
    before = len(reader.problems)
    fields = reader.fields(
        node, "a rule", ["rule", "all", "then", "reason"],
        ["none", "per", "within", "count", "same", "distinct"],
    )  # fmt: skip
    if fields is None or "rule" not in fields:
        return None
    name = reader.slug(fields["rule"], "the name of a rule") or ""
    wanted, barred = _aliases(reader, fields, types)
    scope = {alias.name: alias.type for alias in wanted}
    alert, severity, actions = _then(reader, fields)
    count = optional(fields, "count", lambda n, w: reader.integer(n, w, 2, MOST_COUNT), "`count`")
    rule = Rule(
        name=name, span=fields["rule"].span, per=_per(reader, fields, (*wanted, *barred)),
        all=wanted, none=barred,
        within=length(reader, fields["within"], "`within`") if "within" in fields else None,
        within_span=fields["within"].span if "within" in fields else None,
        count=count or 1,
        same=_property(reader, fields, "same", scope), distinct=_property(reader, fields, "distinct", scope),
        alert=alert, severity=severity, actions=actions,
        reason=reader.localized(fields["reason"], "`reason`") if "reason" in fields else {},
    )  # fmt: skip
    _check(reader, rule, fields)
    if has_errors(reader.problems[before:]) or not _carried(reader, rule):
        return None
    _warn_of_nulls(reader, rule)
    return rule


def _carried(reader: Reader, rule: Rule) -> bool:
    try:
        plan(rule)
    except NotCarried as why:
        reader.error(why.code, why.message, why.span, why.advice)
        return False
    return True


def _check(reader: Reader, rule: Rule, fields: Mapping[str, Node]) -> None:
    if "reason" in fields and "en" not in rule.reason:
        reader.error("no-reason", "`reason` has no English text", fields["reason"].span, "add `en: ...`")
    if rule.all and all(alias.type.is_fact for alias in rule.all):
        advice = "facts alone raise nothing; name the event that makes them matter"
        reader.error("no-event", f"rule `{rule.name}` looks for no event", fields["all"].span, advice)
    for key in ("same", "distinct"):
        if key in fields and "count" not in fields:
            reader.error("without-count", f"`{key}` needs `count`", fields[key].span, "add `count: 3`")
    if rule.within is not None and rule.count == 1 and sum(not a.type.is_fact for a in rule.all) == 1:
        reader.error("within-alone", "`within` has one event to look at", fields["within"].span, "remove it")


def _warn_of_nulls(reader: Reader, rule: Rule) -> None:
    """Warn where two events are joined because both lack something: in FEEL null is equal to null."""
    found = [c for a in (*rule.all, *rule.none) for condition in a.conditions for c in compares(condition)]
    asked = {c.left for c in found if c.operator == "!=" and c.right == Constant(None, None)}
    for compare in found:
        match compare:
            case Compare("=", Reference(one, first) as left, Reference(other, second) as right):
                open_ = first.optional and second.optional and CUSTOMER not in (first.name, second.name)
                if open_ and one != other and not {left, right} & asked:
                    advice = f"add `and {one}.{first.name} != null`"
                    message = "two events that both lack this are equal"
                    reader.warn("both-may-be-missing", message, compare.span, advice)


# --- events ---------------------------------------------------------------------------------------


def _aliases(
    reader: Reader, fields: Mapping[str, Node], types: Mapping[str, EventType]
) -> tuple[tuple[Alias, ...], tuple[Alias, ...]]:
    """Return the events that a rule looks for and those that must be absent."""
    written = {
        key: _written(reader, fields, key, most) for key, most in (("all", MOST_ALL), ("none", MOST_NONE))
    }
    names = frozenset(key.text for entries in written.values() for key, _ in entries)
    texts: dict[str, list[tuple[ScalarNode, Text, EventType]]] = {"all": [], "none": []}
    for section, entries in written.items():
        for key, found in entries:
            text = parse_condition(reader, key.text, found, names | _property_names(types))
            kind = find_type(reader, text, types) if text else None
            if text and kind:
                texts[section].append((key, text, kind))
    wanted = {text.alias: kind for _, text, kind in texts["all"]}
    unread = frozenset(key.text for key, _ in written["all"]) - wanted.keys()
    result = {
        section: tuple(
            Alias(
                key.text, key.span, kind,
                read_conditions(reader, text, wanted | {key.text: kind}, unread), text.text,
            )
            for key, text, kind in found
        )
        for section, found in texts.items()
    }  # fmt: skip
    return result["all"], result["none"]


def _property_names(types: Mapping[str, EventType]) -> frozenset[str]:
    return frozenset(name for kind in types.values() for name in kind.properties)


def _written(
    reader: Reader, fields: Mapping[str, Node], section: str, most: int
) -> list[tuple[ScalarNode, ScalarNode]]:
    if section not in fields:
        return []
    other = fields.get("all") if section == "none" else None
    found: list[tuple[ScalarNode, ScalarNode]] = []
    for key, node in reader.entries(fields[section], f"`{section}`"):
        if isinstance(other, MapNode) and (taken := other.key(key.text)):
            reader.error(
                "name-taken",
                f"`{key.text}` stands under `all` too",
                key.span,
                related=(("here", taken.span),),
            )
            continue
        text = reader.scalar(node, f"`{key.text}`")
        if usable_name(reader, key, "an event of a rule") and text:
            found.append((key, text))
    node = fields[section]
    if isinstance(node, MapNode) and not 1 <= len(node.entries) <= most:
        message = f"`{section}` names {len(node.entries)} events; it takes 1 to {most}"
        advice = "leave those that matter most, or make two rules" if node.entries else "name an event"
        reader.error("how-many-events", message, node.span, advice)
    return found


def _per(reader: Reader, fields: Mapping[str, Node], aliases: tuple[Alias, ...]) -> str:
    """Return what the windows of the rule are kept by; every event of it must carry that."""
    per = optional(fields, "per", reader.name, "`per`") or CUSTOMER
    if per == CUSTOMER:
        return per
    for alias in aliases:
        prop = alias.type.properties.get(per)
        if prop is None or prop.kind is not Kind.STRING:
            strings = [p.name for p in alias.type.properties.values() if p.kind is Kind.STRING]
            message = f"`{alias.type.name}` has no string `{per}`, by which the windows are kept"
            reader.error(
                "unknown-property", message, fields["per"].span, did_you_mean(per, strings, of="strings")
            )
    return per


def _property(
    reader: Reader, fields: Mapping[str, Node], key: str, scope: Mapping[str, EventType]
) -> Reference | None:
    text = optional(fields, key, reader.text, f"`{key}`")
    if text is None:
        return None
    alias, _, name = text.partition(".")
    kind = scope.get(alias)
    if kind is None or name not in kind.properties:
        known = [f"{a}.{p}" for a, t in scope.items() for p in t.properties]
        advice = did_you_mean(text, known, of="properties")
        reader.error("unknown-property", f"there is no `{text}` under `all`", fields[key].span, advice)
        return None
    return Reference(alias, kind.properties[name])


# --- alerts ---------------------------------------------------------------------------------------


def _then(
    reader: Reader, fields: Mapping[str, Node]
) -> tuple[str, Literal["low", "medium", "high"], tuple[Action, ...]]:
    found = (
        reader.fields(fields["then"], "`then`", ["alert"], ["severity", "do"]) if "then" in fields else None
    )
    found = found or {}
    alert = optional(found, "alert", reader.name, "`alert`") or ""
    severity = optional(found, "severity", lambda n, w: reader.choice(n, w, SEVERITIES), "a severity")
    actions: list[Action] = []
    for node in _listed(reader, found["do"]) if "do" in found else ():
        if action := _action(reader, *node):
            actions.append(action)
    return alert, SEVERITIES[severity or "medium"], tuple(actions)


def _listed(reader: Reader, node: Node) -> list[tuple[str, Span]]:
    if isinstance(node, ScalarNode):
        cut = re.split(r",(?![^(]*\))", node.text)
        return [(part.strip(), node.span) for part in cut]
    scalars = (reader.scalar(item, "an action") for item in reader.items(node, "`do`"))
    return [(found.text.strip(), found.span) for found in scalars if found]


def _action(reader: Reader, text: str, span: Span) -> Action | None:
    form = _ACTION.fullmatch(text)
    if form is None:
        advice = "write `refer(fraud_desk)`; in a list put an action with two arguments in quotes"
        reader.error("not-an-action", f"`{text}` is not an action", span, advice)
        return None
    name, arguments = form[1], tuple(part.strip() for part in (form[2] or "").split(",") if part.strip())
    if name not in ACTIONS:
        reader.error(
            "unknown-action", f"there is no action `{name}`", span, did_you_mean(name, ACTIONS, of="actions")
        )
        return None
    if len(arguments) != ACTIONS[name] or not all(map(_ARGUMENT.fullmatch, arguments)):
        wanted = ACTIONS[name]
        told = {0: "no argument", 1: "one argument", 2: "two arguments"}[wanted]
        reader.error(
            "action-arguments",
            f"`{name}` takes {told}",
            span,
            f"write `{EXAMPLES[name]}`; arguments are names or numbers, without blanks",
        )
        return None
    if name == "interim_limit" and not re.fullmatch(r"\d{1,12}(\.\d{1,2})?", arguments[0]):
        reader.error(
            "not-an-amount", f"`{arguments[0]}` is not an amount", span, "write `interim_limit(200.00)`"
        )
        return None
    return Action(name, arguments)
