"""Built-ins on contexts (DMN 1.5, 10.3.4.10)."""

from __future__ import annotations

from engine.feel.functions.signature import function
from engine.feel.values import FeelError, Value, brief

Context = dict[str, Value]


@function("get value(m: context, key: string) -> any?")
def get_value(m: Context, key: str) -> Value:
    """Return an entry; null if there is none."""
    return m.get(key)


@function("get entries(m: context) -> list<any>")
def get_entries(m: Context) -> list[Value]:
    """Return the entries as a list of `{key, value}`."""
    return [{"key": key, "value": value} for key, value in m.items()]


@function("context(entries: list<context>) -> context")
def context(entries: list[Context]) -> Context:
    """Return a context from a list of `{key, value}`; a key may stand there once."""
    made: Context = {}
    for entry in entries:
        key = entry.get("key")
        if not isinstance(key, str) or "value" not in entry:
            raise FeelError("bad-argument", f"{brief(entry)} is not an entry with a `key` and a `value`")
        if key in made or not key:
            raise FeelError(
                "bad-argument", f"the key {brief(key)} {'stands there twice' if key else 'is empty'}"
            )
        made[key] = entry["value"]
    return made


@function("context put(context: context, key: string, value: any?) -> context")
def context_put(context: Context, key: str, value: Value) -> Context:
    """Return the context with an entry added or replaced."""
    return context_put_path(context, [key], value)


@function("context put(context: context, keys: list<string>, value: any?) -> context")
def context_put_path(context: Context, keys: list[str], value: Value) -> Context:
    """Return the context with an entry added or replaced in the contexts inside it."""
    if not all(keys):
        raise FeelError("bad-argument", "one of the keys is null or empty")
    if not keys:
        raise FeelError("bad-argument", "there are no keys")
    outer: Context = dict(context)
    inner = outer
    for key in keys[:-1]:
        below = inner.get(key)
        if below is not None and not isinstance(below, dict):
            raise FeelError("bad-argument", f"{brief(below)} under {brief(key)} is not a context")
        inner[key] = below = dict(below or {})
        inner = below
    inner[keys[-1]] = value
    return outer


@function("context merge(contexts: list<context>) -> context")
def context_merge(contexts: list[Context]) -> Context:
    """Return one context with the entries of all; later ones win."""
    merged: Context = {}
    for part in contexts:
        merged |= part
    return merged
