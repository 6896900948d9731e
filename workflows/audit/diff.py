"""What differs between two messages, named by its path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload

_SHOWN = 60


def differences(recorded: Message, expected: Message, path: str = "") -> Iterator[str]:
    """Yield one sentence for each field that differs."""
    if isinstance(recorded, Payload) and isinstance(expected, Payload):
        yield from _payloads(recorded, expected, path)
        return
    for field in recorded.DESCRIPTOR.fields:
        name = f"{path}.{field.name}" if path else field.name
        left, right = getattr(recorded, field.name), getattr(expected, field.name)
        if left == right and _present(recorded, field) == _present(expected, field):
            continue
        if isinstance(left, Message):
            yield from differences(left, right, name) if left != right else [f"`{name}`: present or not"]
        elif _is_map(field):
            yield from _maps(left, right, name)
        elif field.is_repeated:
            yield from _lists(left, right, name)
        else:
            yield _said(name, left, right)


def json_differences(recorded: Any, expected: Any, path: str = "") -> Iterator[str]:
    """Yield one sentence for each place at which two plain values differ."""
    if isinstance(recorded, dict) and isinstance(expected, dict):
        for key in sorted({*recorded, *expected}):
            name = f"{path}.{key}" if path else str(key)
            if key not in recorded or key not in expected:
                yield _said(name, recorded.get(key, "nothing"), expected.get(key, "nothing"))
            else:
                yield from json_differences(recorded[key], expected[key], name)
    elif isinstance(recorded, list) and isinstance(expected, list) and len(recorded) == len(expected):
        for number, (left, right) in enumerate(zip(recorded, expected, strict=True)):
            yield from json_differences(left, right, f"{path}[{number}]")
    elif recorded != expected or type(recorded) is not type(expected):
        yield _said(path, recorded, expected)


def _payloads(recorded: Payload, expected: Payload, path: str) -> Iterator[str]:
    if dict(recorded.metadata) != dict(expected.metadata):
        yield _said(f"{path}.metadata", dict(recorded.metadata), dict(expected.metadata))
    if recorded.data == expected.data:
        return
    try:
        found = list(json_differences(json.loads(recorded.data), json.loads(expected.data), path))
    except ValueError:
        found = []
    yield from found or [f"`{path}`: other bytes with the same meaning, or none that can be read"]


def _maps(left: Any, right: Any, name: str) -> Iterator[str]:
    for key in sorted({*left, *right}):
        if key not in left or key not in right:
            yield f"`{name}.{key}`: only in the {'record' if key in left else 'recomputation'}"
        elif isinstance(left[key], Message):
            yield from differences(left[key], right[key], f"{name}.{key}")
        elif left[key] != right[key]:
            yield _said(f"{name}.{key}", left[key], right[key])


def _lists(left: Any, right: Any, name: str) -> Iterator[str]:
    if len(left) != len(right):
        yield f"`{name}`: {len(left)} recorded, {len(right)} recomputed"
        return
    for number, (one, other) in enumerate(zip(left, right, strict=True)):
        place = name if len(left) == 1 else f"{name}[{number}]"
        if isinstance(one, Message):
            yield from differences(one, other, place)
        elif one != other:
            yield _said(place, one, other)


def _said(path: str, recorded: Any, expected: Any) -> str:
    return f"`{path}`: recorded {_short(recorded)}, recomputed {_short(expected)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    return f"`{text[:_SHOWN]}...`" if len(text) > _SHOWN else f"`{text}`"


def _present(message: Message, field: Any) -> bool:
    return bool(field.has_presence and message.HasField(field.name))


def _is_map(field: Any) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)
