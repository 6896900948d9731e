"""What all bodies share: names are checked, unknown fields refused, amounts exact."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)

from engine import model
from engine.text.currency import CODES, currency_advice

T = TypeVar("T")

FIRST_YEAR, LAST_YEAR = 1900, 2999
"""Years of bills and news; a calendar ends, and arithmetic with days must not meet its end."""


def _in_range(value: T) -> T:
    if isinstance(value, date) and not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"the year must be from {FIRST_YEAR} to {LAST_YEAR}")
    return value


_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _a_day(value: object) -> object:
    """Refuse what would be read as seconds since 1970, and instants."""
    if type(value) is date or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise ValueError("this is no day; write it as in `2026-03-01`")


Day = Annotated[date, BeforeValidator(_a_day), AfterValidator(_in_range)]
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d:?\d\d)?")


def _in_full(value: object) -> object:
    """Refuse what would be read as seconds since 1970: numbers, `20261120`, `2026`."""
    if isinstance(value, datetime) or (isinstance(value, str) and _INSTANT.fullmatch(value)):
        return value
    raise ValueError("this is no instant; write it as in `2026-03-01T10:00:00+08:00`")


Instant = Annotated[AwareDatetime, BeforeValidator(_in_full), AfterValidator(_in_range)]
Number = Annotated[int, Field(ge=0, le=2**31 - 1)]
_DIGITS = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def _in_plain_digits(value: object) -> object:
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise ValueError('this is no amount; write plain digits and at most one point, as in `"12.50"`')
    return value


Amount = Annotated[
    model.Amount,
    BeforeValidator(_in_plain_digits),
    WithJsonSchema(
        {
            "type": "string", "pattern": f"^{_DIGITS.pattern}$", "examples": ["128.40"],
            "description": "In plain digits, with no more decimals than the currency has (ISO 4217). "
            "A whole JSON number is taken as well.",
        }
    ),
]  # fmt: skip
Positive = Annotated[Amount, Field(gt=0)]
Id = Annotated[
    str,
    Field(
        min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@+-]*$",
        description="Letters, digits and `. _ : @ + -`; at most 64. It becomes part of keys and paths.",
    ),
]  # fmt: skip


def _not_blank(value: str) -> str:
    if not any(char.isprintable() and not char.isspace() for char in value):
        raise ValueError("this is blank")
    return value


Ref = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_not_blank)]
Words = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(_not_blank)]


def _is_a_currency(value: str) -> str:
    if value not in CODES:
        raise ValueError(f"this is no currency; {currency_advice(value)}")
    return value


Currency = Annotated[
    str, AfterValidator(_is_a_currency), Field(description="A code of ISO 4217.", examples=["CNY"])
]
ReceivedAt = Annotated[
    Instant | None,
    Field(description="Only in simulated time: when it became known. Else the server's clock says."),
]


class Body(BaseModel):
    """A body that comes in or goes out."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(Body, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = Field(default=None, description="Path of the next page; null on the last one.")


class Invalid(Body):
    """One thing that is wrong with a body."""

    pointer: str = Field(
        default="", description="JSON pointer (RFC 6901) to the field.", examples=["/amount"]
    )
    parameter: str = Field(default="", description="Name of the parameter of the address, if it is one.")
    detail: str
    code: str = Field(default="", description="Stable name of the rule that it breaks, if it has one.")
    advice: str = ""


class ProblemBody(BaseModel):
    """Why a call failed (RFC 9457, `application/problem+json`)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["/problems/account-not-found"])
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: list[Invalid] | None = None


def example(**fields: Any) -> ConfigDict:
    """Return the configuration of a body with its example."""
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [fields]})
