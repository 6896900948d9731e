"""Built-ins on strings (DMN 1.5, 10.3.4.3); positions count characters from 1, or from -1 at the end."""

from __future__ import annotations

from decimal import Decimal

from engine.feel import patterns
from engine.feel.functions.arithmetic import position
from engine.feel.functions.signature import function
from engine.feel.limits import Meter, free
from engine.feel.operators import bounded_length
from engine.feel.values import FeelError, Value, brief


@function("substring(string: string, start position: number, [length: number]) -> string")
def substring(string: str, start_position: Decimal, length: Decimal | None = None) -> str:
    """Return a part of a text."""
    start = position(start_position, "start position")
    if start == 0 or abs(start) > len(string):
        raise FeelError("bad-argument", f"there is no character {start} in a text of {len(string)}")
    index = start - 1 if start > 0 else len(string) + start
    if length is None:
        return string[index:]
    size = position(length, "length")
    if size < 1:
        raise FeelError("bad-argument", f"`length` is {size}, not at least 1")
    return string[index : index + size]


@function("string length(string: string) -> number")
def string_length(string: str) -> Decimal:
    """Return the number of characters."""
    return Decimal(len(string))


@function("upper case(string: string) -> string")
def upper_case(string: str) -> str:
    """Return the text in capitals."""
    return string.upper()


@function("lower case(string: string) -> string")
def lower_case(string: str) -> str:
    """Return the text in small letters."""
    return string.lower()


@function("substring before(string: string, match: string) -> string")
def substring_before(string: str, match: str) -> str:
    """Return what stands before the first occurrence; nothing if there is none."""
    head, found, _ = string.partition(match) if match else ("", "", "")
    return head if found else ""


@function("substring after(string: string, match: string) -> string")
def substring_after(string: str, match: str) -> str:
    """Return what stands after the first occurrence; nothing if there is none."""
    return string.partition(match)[2] if match else string


@function("contains(string: string, match: string) -> boolean")
def contains(string: str, match: str) -> bool:
    """Tell whether one text stands in the other."""
    return match in string


@function("starts with(string: string, match: string) -> boolean")
def starts_with(string: str, match: str) -> bool:
    """Tell whether a text begins with another."""
    return string.startswith(match)


@function("ends with(string: string, match: string) -> boolean")
def ends_with(string: str, match: str) -> bool:
    """Tell whether a text ends with another."""
    return string.endswith(match)


@function("matches(input: string, pattern: string, [flags: string?]) -> boolean", metered=True)
def matches(subject: str, pattern: str, flags: str | None = None, *, spend: Meter = free) -> bool:
    """Tell whether a pattern (XPath 3.1) matches somewhere in a text."""
    return patterns.search(subject, pattern, flags or "", spend)


@function(
    "replace(input: string, pattern: string, replacement: string, [flags: string?]) -> string", metered=True
)
def replace(
    subject: str, pattern: str, replacement: str, flags: str | None = None, *, spend: Meter = free
) -> str:
    """Return the text with all matches replaced; `$1` stands for the first group."""
    return patterns.replace(subject, pattern, replacement, flags or "", spend)


@function("split(string: string, delimiter: string) -> list<string>", metered=True)
def split(string: str, delimiter: str, *, spend: Meter = free) -> list[Value]:
    """Return the parts between the matches of a pattern."""
    return patterns.split(string, delimiter, spend)


@function("string join(list: list<any>, [delimiter: string?]) -> string")
def string_join(items: list[Value], delimiter: str | None = None) -> str:
    """Return the texts of a list as one; null items are left out."""
    for index, item in enumerate(items):
        if not isinstance(item, str | None):
            raise FeelError("bad-argument", f"item {index + 1} is {brief(item)}, not a text")
    texts = [item for item in items if isinstance(item, str)]
    between = delimiter or ""
    bounded_length(sum(map(len, texts)) + len(between) * max(0, len(texts) - 1))
    return between.join(texts)
