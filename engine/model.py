"""The base of every value that is stored, sent or put into a history."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

SEMANTICS = 2
"""Rises only when the meaning of a policy changes; each rise has its entry in `engine/errata.py`."""


class Model(BaseModel):
    """A frozen value with named, checked fields; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


def _no_float(value: object) -> object:
    if isinstance(value, bool | float):
        raise ValueError("an amount is a decimal string or a whole number, never a binary float")
    return value


Amount = Annotated[Decimal, Field(allow_inf_nan=False, max_digits=34), BeforeValidator(_no_float)]
"""Money in the account's currency: an exact decimal; floats stop at the door."""
Positive = Annotated[Decimal, Field(allow_inf_nan=False, max_digits=34, gt=0), BeforeValidator(_no_float)]
"""An amount of more than nothing. Written out: around a validator of ours bounds are checked slowly."""


def canonical(value: Any) -> bytes:
    """Return the one JSON text of a value: keys sorted, no blanks, UTF-8, decimals as strings."""
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return _ENCODER.encode(plain).encode()


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Decimal):
        return str(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical form")


_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain
)  # fmt: skip


def digest(value: Any) -> str:
    """Return the sha256 of a value's canonical text, as `sha256:<hex>`."""
    return digest_bytes(canonical(value))


def digest_bytes(data: bytes) -> str:
    """Return the sha256 of raw bytes, as `sha256:<hex>`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
