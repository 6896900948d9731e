"""Regular expressions of XPath (XPath and XQuery Functions 3.1, 5.6), read by the `regex` package.

The engine has no clock, so the cost is bounded by the sizes of pattern and subject; a pattern with
nested repeats can still cost much within them, which is why both are small.
"""

from __future__ import annotations

from functools import lru_cache

import regex  # type: ignore[import-untyped]  # ships no types

from engine.feel.limits import LIMITS
from engine.feel.values import FeelError, Value

FLAGS = {"s": regex.DOTALL, "m": regex.MULTILINE, "i": regex.IGNORECASE, "x": regex.VERBOSE}


def compiled(pattern: str, flags: str, subject: str) -> regex.Pattern[str]:
    """Return a compiled pattern that may be matched against a subject; raises FeelError otherwise."""
    if len(pattern) > LIMITS.pattern:
        raise FeelError("limit", f"a pattern has more than {LIMITS.pattern} characters (limit `pattern`)")
    if len(subject) > LIMITS.subject:
        raise FeelError(
            "limit", f"a text to match has more than {LIMITS.subject} characters (limit `subject`)"
        )
    return _compiled(pattern, flags)


@lru_cache(maxsize=512)
def _compiled(pattern: str, flags: str) -> regex.Pattern[str]:
    options = regex.VERSION1
    for letter in flags:
        if letter not in FLAGS:
            raise FeelError("bad-argument", f"there is no flag `{letter}`; there are s, m, i and x")
        options |= FLAGS[letter]
    try:
        return regex.compile(pattern, options)
    except regex.error as error:
        raise FeelError("bad-argument", f"`{pattern}` is not a pattern: {error.msg}") from None


def replaced(subject: str, pattern: str, replacement: str, flags: str) -> str:
    """Return the subject with each match replaced; `$1` is a group, `\\$` a dollar."""
    found = compiled(pattern, flags, subject)
    template = regex.sub(r"\\\$|\$(\d)", lambda m: "$" if m[1] is None else f"\\g<{m[1]}>", replacement)
    try:
        return str(found.sub(template, subject))
    except (regex.error, IndexError) as error:
        raise FeelError("bad-argument", f"`{replacement}` is not a replacement: {error}") from None


def split(subject: str, pattern: str) -> list[Value]:
    """Return the parts of a subject between the matches."""
    return list(compiled(pattern, "", subject).split(subject))
