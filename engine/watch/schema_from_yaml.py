"""The declared events and facts of a watch policy, read from YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from engine.feel.durations import DaysDuration, parse_duration
from engine.text import MapNode, Node, Reader, ScalarNode, did_you_mean, optional
from engine.watch.model import AT, CUSTOMER, Aggregate, EventType, Function, Kind, Property
from engine.watch.values import MOST, bounds
from engine.watch.window import MOST_EVENTS

KINDS = ("integer", "decimal(2)", "string", "boolean", "date", "instant")
FUNCTIONS: Mapping[str, Function] = {
    "average": "average", "sum": "sum", "count": "count", "lowest": "lowest", "highest": "highest",
}  # fmt: skip
RESERVED = frozenset({
    "id", "type", "at", "sid", "now", "customer",
    "and", "or", "not", "in", "if", "then", "else", "for", "every", "some", "satisfies", "between",
    "instance", "of", "true", "false", "null", "function", "external", "return",
})  # fmt: skip
MOST_PLACES = 6
MOST_PROPERTIES = 40
MOST_TYPES = 60
_DECIMAL = re.compile(r"decimal\(([0-6])\)")
_MICROSECOND = 1000


def read_types(reader: Reader, fields: Mapping[str, Node]) -> dict[str, EventType]:
    """Return the events and facts by name, derived properties included."""
    types: dict[str, EventType] = {}
    pending: list[tuple[str, ScalarNode, MapNode]] = []
    for section, is_fact in (("events", False), ("facts", True)):
        for key, node in reader.entries(fields[section], f"`{section}`") if section in fields else ():
            if usable_name(reader, key, "an event") and _is_new(reader, key, types):
                types[key.text] = _type(reader, key, node, is_fact, pending)
    if len(types) > MOST_TYPES:
        message, advice = f"more than {MOST_TYPES} events are declared", "remove those that no rule names"
        reader.error("too-many-events", message, fields["events"].span, advice)
    for name, key, node in pending:
        # What is wrong with it is told; that conditions cannot name it would be told beside the point.
        some_number = Property(key.text, Kind.DECIMAL, key.span, 2, optional=True)
        prop = _derived(reader, key, node, types, types[name]) or some_number
        kind = types[name]
        types[name] = replace(kind, properties={**kind.properties, prop.name: prop})
    return types


def usable_name(reader: Reader, key: ScalarNode, what: str) -> bool:
    """Tell whether a key can be used as a name in conditions; what is wrong with it is noted."""
    if key.text in RESERVED:
        advice = (
            "call it `account_id`, say whose it is" if key.text in ("id", "sid") else "choose another name"
        )
        reader.error("reserved-name", f"`{key.text}` cannot be the name of {what}", key.span, advice)
        return False
    return reader.name(key, f"the name of {what}") is not None


def length(reader: Reader, node: Node, what: str) -> timedelta | None:
    """Return a fixed length of time: days, hours, minutes, seconds."""
    found = reader.scalar(node, what)
    if found is None:
        return None
    duration = parse_duration(found.text.strip())
    if not isinstance(duration, DaysDuration):
        advice = "write days or hours: `P30D`, `PT6H`; months have no fixed length"
        reader.error(
            "not-a-length", f"{what} is `{found.text}`, not a fixed length of time", found.span, advice
        )
        return None
    span = timedelta(microseconds=duration.nanoseconds // _MICROSECOND)
    if not timedelta(0) < span <= timedelta(days=3_660):
        reader.error(
            "too-large", f"{what} is `{found.text}`; it is more than nothing, at most P3660D", found.span
        )
        return None
    return span


def _is_new(reader: Reader, key: ScalarNode, types: Mapping[str, EventType]) -> bool:
    if key.text not in types:
        return True
    related = (("the first one stands here", types[key.text].span),)
    reader.error("name-taken", f"`{key.text}` is declared twice", key.span, related=related)
    return False


def _type(
    reader: Reader, key: ScalarNode, node: Node, is_fact: bool, pending: list[tuple[str, ScalarNode, MapNode]]
) -> EventType:
    properties = {
        AT: Property(AT, Kind.INSTANT, key.span),
        CUSTOMER: Property(CUSTOMER, Kind.STRING, key.span, optional=True),
    }
    if not (isinstance(node, ScalarNode) and node.is_null):
        for name, inner in reader.entries(node, f"event `{key.text}`"):
            if not usable_name(reader, name, "a property"):
                continue
            if isinstance(inner, MapNode) and any(inner.get(function) for function in FUNCTIONS):
                pending.append((key.text, name, inner))
            elif prop := _property(reader, name, inner):
                properties[name.text] = prop
    if len(properties) > MOST_PROPERTIES:
        message = f"`{key.text}` has more than {MOST_PROPERTIES} properties"
        reader.error("too-many-properties", message, key.span, "remove those that no rule reads")
    return EventType(key.text, key.span, properties, is_fact)


def _property(reader: Reader, key: ScalarNode, node: Node) -> Property | None:
    what = f"property `{key.text}`"
    if isinstance(node, ScalarNode):
        found = _kind(reader, node, what)
        return Property(key.text, found[0], key.span, found[1]) if found else None
    fields = reader.fields(node, what, ["type"], ["optional", "min", "max", "one_of"])
    if fields is None or "type" not in fields:
        return None
    found = _kind(reader, fields["type"], what)
    if found is None:
        return None
    kind, places = found
    low, high = (_bound(reader, fields, name, kind) for name in ("min", "max"))
    if low is not None and high is not None and high < low:
        reader.error("bounds-crossed", f"{what} goes from {low} to {high}", fields["max"].span)
    one_of = reader.list_of(fields["one_of"], "`one_of`", reader.text) if "one_of" in fields else ()
    if "one_of" in fields:
        reader.note_twice(fields["one_of"], f"`one_of` of {what}")
    if one_of and kind is not Kind.STRING:
        message = f"`one_of` is for strings; {what} has the kind `{kind}`"
        reader.error("one-of-string", message, fields["one_of"].span, "bound a number with `min` and `max`")
    may_lack = optional(fields, "optional", reader.boolean, "`optional`") or False
    return Property(key.text, kind, key.span, places, low, high, may_lack, tuple(one_of))


def _kind(reader: Reader, node: Node, what: str) -> tuple[Kind, int] | None:
    text = reader.text(node, what)
    if text is None:
        return None
    if places := _DECIMAL.fullmatch(text):
        return Kind.DECIMAL, int(places[1])
    if text in KINDS:
        return Kind(text), 0
    advice = did_you_mean(text, KINDS, of="kinds")
    if text in ("money", "decimal", "number", "float"):
        advice = "say how many places it has: `decimal(2)`; whole numbers are `integer`"
    reader.error("unknown-kind", f"`{text}` is not the kind of a property", node.span, advice)
    return None


def _bound(reader: Reader, fields: Mapping[str, Node], name: str, kind: Kind) -> Decimal | None:
    found = optional(fields, name, reader.decimal, f"`{name}`")
    if found is not None and not kind.is_number:
        message, advice = f"`{name}` is for numbers, not for a {kind}", "remove it; texts have `one_of`"
        reader.error("bounds-of-number", message, fields[name].span, advice)
        return None
    if found is not None and abs(found) > MOST * 1000:
        reader.error("too-large", f"`{name}` is {found}; numbers go to {MOST * 1000:f}", fields[name].span)
        return None
    return found


def _derived(
    reader: Reader, key: ScalarNode, node: MapNode, types: Mapping[str, EventType], own: EventType
) -> Property | None:
    what = f"property `{key.text}`"
    used = [function for function in FUNCTIONS if node.get(function)]
    fields = reader.fields(node, what, [used[0], "over"], ["at_least", "places"])
    if fields is None or "over" not in fields:
        return None
    over = length(reader, fields["over"], "`over`")
    source = _source(reader, used[0], fields[used[0]], types, own)
    if over is None or source is None:
        return None
    kind, of = types[source[0]], source[1]
    default = 0 if used[0] in ("sum", "count") else 1
    at_least = optional(fields, "at_least", reader.integer, "`at_least`")
    least = default if at_least is None else at_least
    if not default <= least <= MOST_EVENTS:
        reader.error("too-small", f"`at_least` is from {default} to {MOST_EVENTS}", fields["at_least"].span)
        return None
    how = Aggregate(FUNCTIONS[used[0]], kind.name, of, over, least)
    places = optional(fields, "places", reader.integer, "`places`")
    return _computed(reader, key, how, kind.properties.get(of), places, fields)


def _source(
    reader: Reader, function: str, node: Node, types: Mapping[str, EventType], own: EventType
) -> tuple[str, str] | None:
    """Return the event and property that are aggregated; a count has no property."""
    text = reader.text(node, f"`{function}`")
    if text is None:
        return None
    event, _, name = text.rpartition(".")
    if function == "count":
        event, name = text, ""
    kind = types.get(event) if event else own
    if kind is None or kind.is_fact:
        advice = did_you_mean(event, [t.name for t in types.values() if not t.is_fact], of="events")
        reader.error("unknown-event", f"there is no event `{event}`", node.span, advice)
        return None
    if function == "count":
        return kind.name, ""
    prop = kind.properties.get(name)
    if prop is None or not prop.kind.is_number or prop.derived:
        numbers = [p.name for p in kind.properties.values() if p.kind.is_number and not p.derived]
        advice = did_you_mean(name, numbers, of="numbers of this event")
        reader.error(
            "unknown-property", f"`{kind.name}` has no number `{name}` that is given", node.span, advice
        )
        return None
    return kind.name, name


def _computed(
    reader: Reader,
    key: ScalarNode,
    how: Aggregate,
    of: Property | None,
    places: int | None,
    fields: Mapping[str, Node],
) -> Property | None:
    """Return the property that an aggregate makes, with the bounds that follow from what it reads."""
    if places is not None and (how.function != "average" or not 0 <= places <= MOST_PLACES):
        message = f"`places` is for averages, from 0 to {MOST_PLACES}"
        advice = "`places: 2` stands at an average; elsewhere remove it"
        reader.error("not-places", message, fields["places"].span, advice)
        return None
    unknown = how.at_least > 0
    if of is None:
        most = Decimal(MOST_EVENTS)
        return Property(key.text, Kind.INTEGER, key.span, 0, Decimal(0), most, unknown, derived=how)
    low, high = bounds(of)
    if how.function == "sum":
        low, high = min(low * MOST_EVENTS, Decimal(0)), max(high * MOST_EVENTS, Decimal(0))
    digits = of.places
    if how.function == "average":
        digits = places if places is not None else max(of.places, 2)
    kind = Kind.DECIMAL if digits else Kind.INTEGER
    return Property(key.text, kind, key.span, digits, low, high, unknown, derived=how)
