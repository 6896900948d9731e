"""Every way to change one thing in a history: a leaf of a message, a leaf of a payload, an event."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import History

from workflows.audit.structure import name_of

Change = Callable[[History], None]


@dataclass(frozen=True)
class Tampering:
    """One change, and what it changes: `TIMER_STARTED/timer_id`."""

    what: str
    event: int
    change: Change

    def on(self, history: bytes) -> bytes:
        changed = History.FromString(history)
        self.change(changed)
        return changed.SerializeToString(deterministic=True)


def every_leaf(history: bytes) -> Iterator[Tampering]:
    """Change each scalar that is set in any event, each leaf of each payload, one at a time."""
    for index, event in enumerate(History.FromString(history).events):
        for path in _paths(event):
            yield Tampering(f"{name_of(event)}/{_named(path)}", index + 1, _leaf_change(index, path))
        for path, payload in _payloads(event, ()):
            for place in _json_places(payload):
                what = f"{name_of(event)}/{_named(path)}/{'.'.join(map(str, place))}"
                yield Tampering(what, index + 1, _json_change(index, path, place))


def every_event(history: bytes) -> Iterator[Tampering]:
    """Drop, double and exchange events, with and without numbering the rest anew; cut tails."""
    events = History.FromString(history).events
    for index, event in enumerate(events):
        for renumber in (False, True):
            said = f"{name_of(event)}{' renumbered' if renumber else ''}"
            yield Tampering(f"dropped {said}", index + 1, _drop(index, renumber))
            yield Tampering(f"doubled {said}", index + 1, _double(index, renumber))
            if index + 1 < len(events):
                yield Tampering(f"exchanged {said}", index + 1, _exchange(index, renumber))
    for index in range(1, len(events)):
        yield Tampering(f"cut before {name_of(events[index])}", index, _cut(index))


Place = tuple[str | int, ...]


def _paths(message: Message, path: Place = ()) -> Iterator[Place]:
    for field, value in message.ListFields():
        here = (*path, field.name)
        if _is_map(field):
            for key in value:
                if isinstance(value[key], Message):
                    yield from _paths(value[key], (*here, key))
                else:
                    yield (*here, key)
        elif field.is_repeated:
            for number, item in enumerate(value):
                if isinstance(item, Message):
                    yield from _paths(item, (*here, number))
                else:
                    yield (*here, number)
        elif isinstance(value, Message):
            yield from _paths(value, here)
        else:
            yield here


def _payloads(message: Message, path: Place) -> Iterator[tuple[Place, Payload]]:
    for field, value in message.ListFields():
        here = (*path, field.name)
        items: list[tuple[Place, Any]]
        if _is_map(field):
            items = [((*here, key), value[key]) for key in value]
        elif field.is_repeated:
            items = [((*here, number), item) for number, item in enumerate(value)]
        else:
            items = [(here, value)]
        for place, item in items:
            if isinstance(item, Payload):
                yield place, item
            elif isinstance(item, Message):
                yield from _payloads(item, place)


def _json_places(payload: Payload) -> Iterator[Place]:
    try:
        value = json.loads(payload.data)
    except ValueError:
        return
    yield from _plain_places(value, ())


def _plain_places(value: object, path: Place) -> Iterator[Place]:
    if isinstance(value, dict):
        for key in value:
            yield from _plain_places(value[key], (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _plain_places(item, (*path, number))
        if value:
            yield (*path, len(value))
    else:
        yield path


def _leaf_change(index: int, path: Place) -> Change:
    def change(history: History) -> None:
        holder: Any = _follow(history.events[index], path[:-1])
        last = path[-1]
        if isinstance(last, int) or not isinstance(holder, Message):
            holder[last] = _other(holder[last])
        else:
            setattr(holder, last, _other(getattr(holder, last)))

    return change


def _json_change(index: int, path: Place, place: Place) -> Change:
    def change(history: History) -> None:
        payload = _follow(history.events[index], path)
        value = json.loads(payload.data)
        holder, last = value, None
        for last in place[:-1]:
            holder = holder[last]
        if not place:
            value = _other(value)
        elif isinstance(holder, list) and place[-1] == len(holder):
            holder.pop()
        else:
            holder[place[-1]] = _other(holder[place[-1]])
        payload.data = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()

    return change


def _follow(start: Any, path: Place) -> Any:
    for part in path:
        start = (
            start[part] if isinstance(part, int) or not isinstance(start, Message) else getattr(start, part)
        )
    return start


def _other(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value + 1.0
        case bytes():
            return _text(value.decode()).encode()
        case str():
            return _text(value)
        case None:
            return "something"
    raise TypeError(type(value))


def _text(value: str) -> str:
    """Change one character, so that a number stays a number and a date most often a date."""
    for place in range(len(value) - 1, -1, -1):
        if value[place].isdigit():
            return f"{value[:place]}{'1' if value[place] != '1' else '2'}{value[place + 1 :]}"
    return value + "x"


def _numbered(history: History, renumber: bool) -> None:
    """Number the events anew, and let every reference follow."""
    if not renumber:
        return
    new = {event.event_id: number for number, event in enumerate(history.events, 1)}
    for number, event in enumerate(history.events, 1):
        event.event_id = number
        attributes = getattr(event, str(event.WhichOneof("attributes")))
        for field, value in attributes.ListFields():
            if field.name.endswith("_event_id"):
                setattr(attributes, field.name, new.get(value, value))


def _drop(index: int, renumber: bool) -> Change:
    def change(history: History) -> None:
        del history.events[index]
        _numbered(history, renumber)

    return change


def _double(index: int, renumber: bool) -> Change:
    def change(history: History) -> None:
        events = list(history.events)
        del history.events[:]
        history.events.extend([*events[: index + 1], *events[index:]])
        _numbered(history, renumber)

    return change


def _exchange(index: int, renumber: bool) -> Change:
    def change(history: History) -> None:
        events = list(history.events)
        events[index], events[index + 1] = events[index + 1], events[index]
        del history.events[:]
        history.events.extend(events)
        _numbered(history, renumber)

    return change


def _cut(index: int) -> Change:
    def change(history: History) -> None:
        del history.events[index:]

    return change


def _named(path: Place) -> str:
    parts = [str(part) for part in path if not isinstance(part, int)]
    if parts and parts[0].endswith("_event_attributes"):
        parts = parts[1:]
    return ".".join(parts)


def _is_map(field: Any) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)
