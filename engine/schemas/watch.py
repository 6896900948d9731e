"""The schema of watch policies and of the cases beside them."""

from __future__ import annotations

from engine.schemas.parts import (
    NAME,
    SLUG,
    Schema,
    choice,
    document,
    effective,
    either,
    entries,
    integer,
    length,
    listed,
    localized,
    number,
    record,
    text,
    truth,
)
from engine.watch.rules_from_yaml import SEVERITIES
from engine.watch.schema_from_yaml import FUNCTIONS, KINDS

_KIND = text("string, integer, boolean, instant or decimal(2).", rf"^({'|'.join(KINDS)}|decimal\([0-9]+\))$")


def _property() -> Schema:
    given = record(
        "A property with its bounds.",
        {"type": _KIND},
        {
            "optional": truth("It may be missing."),
            "min": number("the least"),
            "max": number("the most"),
            "one_of": listed("All texts that it can be.", text("a text")),
        },
    )
    computed = [
        record(
            f"The {function} of earlier events.",
            {
                function: text("A number of this event, or event.number; for a count, an event."),
                "over": length("How far back."),
            },
            {"at_least": integer("Events that are needed."), "places": integer("Decimals of the result.")},
        )
        for function in FUNCTIONS
    ]
    return either("A property: its kind, or how it is computed.", _KIND, given, *computed)


def _rule() -> Schema:
    events = entries('By a name of your own: `type = "usage" and ...`.', text("a condition"), NAME)
    actions = either("What is asked for.", text("actions"), listed("actions", text("refer(fraud_desk)")))
    then = record(
        "The alert.",
        {"alert": text("Its name.", NAME)},
        {"severity": choice("How bad.", SEVERITIES), "do": actions},
    )
    return record(
        "One rule: these events together raise an alert.",
        {
            "rule": text("Its name.", SLUG),
            "all": events,
            "then": then,
            "reason": localized("Why it matters."),
        },
        {
            "none": events,
            "per": text("By what windows are kept.", NAME),
            "within": length("In which time."),
            "count": integer("How often."),
            "same": text("event.property"),
            "distinct": text("event.property"),
        },
    )


def watch_schema() -> Schema:
    """Return the schema of a watch policy."""
    properties = either(
        "The properties of an event.", entries("by name", _property(), NAME), {"type": "null"}
    )
    types = entries("Events, or facts, by name.", properties, NAME)
    schema = record(
        "A watch policy: events of a customer that raise alerts.",
        {
            "policy": text("The name: small letters, digits and hyphens.", SLUG),
            "kind": {"const": "watch"},
            "version": text("A version for people; the identity is the digest of the text."),
            "effective": effective(ends=True),
            "window": length("How far back events are kept."),
            "events": types,
            "rules": listed("The rules.", _rule()),
        },
        {"title": localized("What people call the policy."), "facts": types},
    )
    return document("watch", "Forbear watch policy", schema)


def watch_cases_schema() -> Schema:
    """Return the schema of the cases beside a watch policy."""
    moment = text("A day, or an instant with its offset: 2026-03-01T10:00:00+08:00.")
    event: Schema = {
        "type": "object",
        "required": ["type", "at"],
        "properties": {
            "id": text("A name."),
            "type": text("The event."),
            "at": moment,
            "received": moment,
            "customer": text("The customer."),
        },
        "description": "An event with its properties.",
    }
    alert = record(
        "An alert.",
        {"rule": text("The rule that fired.", SLUG)},
        {"evidence": listed("Its events.", text("an id")), "on": moment},
    )
    case = record(
        "One case.",
        {
            "case": text("A sentence that says what is shown."),
            "events": listed("As they arrive.", event),
            "expect": either("The alerts in order, or none.", {"const": "none"}, listed("alerts", alert)),
        },
        {"per": text("By what the window is kept."), "until": moment},
    )
    return record("Cases of a watch policy.", {"cases": listed("The cases.", case)})
