"""What a line can become: the kinds and fields of the bulk path, and how each field is read from a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import BaseModel

from api.rest.accounts import AccountBody
from api.rest.customers import CustomerBody
from api.rest.entry_bodies import RESOURCES, kind_of

Type: TypeAlias = Literal["text", "date", "instant", "amount", "integer", "boolean"]

_TYPES: dict[str, Type] = {
    "value_date": "date", "due_date": "date", "by": "date", "until": "date", "since": "date", "as_of": "date",
    "received_at": "instant", "complete_to": "instant", "verified_at": "instant",
    "at": "instant",
    "amount": "amount", "draft": "boolean", "marked": "boolean",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TargetKind:
    """One kind of thing: its fields, and those that it cannot do without."""

    fields: tuple[str, ...]
    needed: tuple[str, ...]


def type_of(field: str) -> Type:
    """Return how a field is read when the mapping does not say."""
    return _TYPES.get(field, "text")


def _kind(body: type[BaseModel]) -> TargetKind:
    fields = [name for name in body.model_fields if name != "kind"]
    return TargetKind(tuple(fields), tuple(name for name in fields if body.model_fields[name].is_required()))


TARGETS: dict[str, TargetKind] = {
    "customer": _kind(CustomerBody),
    "account": _kind(AccountBody),
    **{kind_of(body): _kind(body) for body in RESOURCES.values()},
}
