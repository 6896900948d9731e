"""JSON as a ledger may take it: exact numbers, each key once, bounded depth; mistakes have pointers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

MAX_DEPTH = 32
MAX_DIGITS = 34


class BadJson(Exception):
    """The text is no JSON that can be taken; `pointer` (RFC 6901) names the place."""

    def __init__(self, slug: str, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.slug = slug
        self.detail = detail
        self.pointer = pointer
        self.said: Any = None
        """The text as it was read, with what may not stand in it; None: it could not be read."""


@dataclass(frozen=True, slots=True)
class _Refused:
    """A value that was read but may not stand: found again, with its pointer, by the walk."""

    why: str


def loads(text: bytes) -> Any:
    """Read JSON; raise BadJson.

    Refused are: numbers with a fraction or an exponent (amounts are decimal strings), numbers of more than
    34 digits, keys that come twice, NaN and infinities, NUL characters, half surrogates, more than 32 levels.
    """
    try:
        value = json.loads(
            text.decode("utf-8"), parse_float=_float, parse_int=_int, parse_constant=_constant,
            object_pairs_hook=_object,
        )  # fmt: skip
    except UnicodeDecodeError as error:
        raise BadJson("not-json", f"The body is not UTF-8: byte {error.start} cannot be read.") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BadJson("not-json", f"The body is not JSON: {error.msg} at {place}.") from error
    except RecursionError as error:
        raise BadJson("not-json", f"The body is nested more than {MAX_DEPTH} levels deep.") from error
    if not _is_clean(value, 0):
        try:
            _walk(value, "", 0)
        except BadJson as error:
            error.said = value
            raise
    return value


def pointer_of(location: tuple[int | str, ...]) -> str:
    """Return the JSON pointer (RFC 6901) of a place."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def _float(text: str) -> _Refused:
    return _Refused(
        f'`{text[:40]}` is a number with a fraction; write it as a decimal string, as in `"12.50"`.'
    )


def _constant(text: str) -> _Refused:
    return _Refused(f"`{text}` is no JSON; a number is written in digits, what is not known as `null`.")


def _int(text: str) -> int | _Refused:
    if len(text.lstrip("-")) > MAX_DIGITS:
        return _Refused(f"`{text[:40]}...` has more than {MAX_DIGITS} digits.")
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        found[twice] = _Refused(f"`{twice[:40]}` is given twice.")
    return found


def _is_clean(value: Any, depth: int) -> bool:
    """Tell whether the walk, which names places and is slower, would refuse nothing."""
    if isinstance(value, str):
        return _is_clean_text(value)
    if isinstance(value, dict):
        return depth < MAX_DEPTH and all(
            _is_clean_text(key) and _is_clean(item, depth + 1) for key, item in value.items()
        )
    if isinstance(value, list):
        return depth < MAX_DEPTH and all(_is_clean(item, depth + 1) for item in value)
    return not isinstance(value, _Refused)


def _walk(value: Any, pointer: str, depth: int) -> None:
    if isinstance(value, _Refused):
        _refuse(value.why, pointer)
    if isinstance(value, str):
        _check_text(value, pointer)
    elif isinstance(value, dict | list):
        if depth >= MAX_DEPTH:
            _refuse(f"The body is nested more than {MAX_DEPTH} levels deep.", pointer[:200])
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(key, str):
                _check_text(key, pointer)
            _walk(item, pointer + pointer_of((key,)), depth + 1)


def _is_clean_text(text: str) -> bool:
    return "\x00" not in text and (
        text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text if c > "\u07ff")
    )


def _check_text(text: str, pointer: str) -> None:
    if not _is_clean_text(text):
        _refuse("The text has a NUL character or half of a surrogate pair.", pointer)


def _refuse(why: str, pointer: str) -> NoReturn:
    raise BadJson("malformed-body", why, pointer)
