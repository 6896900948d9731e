"""Facts from a file or standard input: one JSON object, or one sentence that says what is wrong."""

from __future__ import annotations

import json
import sys
from decimal import Decimal, DecimalException
from pathlib import Path
from typing import Any

from api.cli.frame import Trouble
from engine.feel.decimals import CONTEXT

_DIGITS = 4_000
"""Digits of a whole number; numbers are kept with 34."""
_SHOWN = 40


def read_facts(source: str, example: str) -> dict[str, Any]:
    """Return a JSON object whose numbers are exact, from a file or, for `-`, standard input.

    Raises Trouble for what is not UTF-8, not JSON or not an object such as the example, for a key that comes
    twice, for a number that is none of FEEL, and for half of a surrogate pair.
    """
    data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    try:
        said = json.loads(
            data.decode("utf-8-sig"), parse_float=_number, parse_int=_whole, parse_constant=_no_number,
            object_pairs_hook=_once,
        )  # fmt: skip
        json.dumps(said, ensure_ascii=False, default=str).encode()
    except UnicodeDecodeError as error:
        raise Trouble(
            f"`{source}` is not UTF-8: byte {error.start + 1} is 0x{data[error.start]:02x}."
        ) from None
    except UnicodeEncodeError:
        why = "a text has half of a surrogate pair, such as `\\ud83d` alone"
        raise Trouble(f"`{source}` cannot be used: {why}.") from None
    except json.JSONDecodeError as error:
        raise Trouble(
            f"`{source}` is not JSON: {error.msg}, line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError:
        raise Trouble(f"`{source}` is nested too deep.") from None
    except ValueError as error:
        raise Trouble(f"`{source}` cannot be used: {error}.") from error
    if not isinstance(said, dict):
        raise Trouble(f"`{source}` is not a JSON object. Write `{example}`.")
    return said


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
        CONTEXT.create_decimal(number)
    except DecimalException:
        raise ValueError(f"`{text:.{_SHOWN}}` is too large; numbers end at 1e6144") from None
    return number


def _whole(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"a number has {len(text)} digits, more than {_DIGITS}")
    return int(text)


def _no_number(text: str) -> Any:
    raise ValueError(f"`{text}` is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"`{name}` stands there twice")
        found[name] = value
    return found
