"""Regular expressions of XPath (Functions and Operators 3.1, 5.6), translated for the `regex` package.

The matcher backtracks and the engine has no clock, so a pattern tells beforehand what it can cost at
most on a text of a length: choices multiply, loops multiply by the length, choices inside a loop go to
the power of its rounds. What may cost more than the limit is refused, never tried.
"""

from __future__ import annotations

from functools import lru_cache

import regex  # type: ignore[import-untyped]  # ships no types

from engine.feel.limits import LIMITS
from engine.feel.values import FeelError, Value
from engine.feel.xpath_regex import Cost, RegexError, translate


@lru_cache(maxsize=512)
def _compiled(pattern: str, flags: str) -> tuple[regex.Pattern[str], Cost]:
    options = regex.VERSION1 | (regex.IGNORECASE if "i" in flags else 0)
    text, cost = translate(pattern, flags)
    try:
        return regex.compile(text, options), cost
    except regex.error as error:
        raise RegexError(str(error.msg)) from None


def compiled(pattern: str, flags: str, subject: str) -> regex.Pattern[str]:
    """Return a pattern that may be matched against a subject; raises FeelError otherwise."""
    for name, text, most in (("pattern", pattern, LIMITS.pattern), ("subject", subject, LIMITS.subject)):
        if len(text) > most:
            raise FeelError("limit", f"matching is limited to {most} characters (limit `{name}`)")
    try:
        found, cost = _compiled(pattern, flags)
    except RegexError as error:
        raise FeelError("bad-argument", f"`{pattern:.60}` is not a pattern: {error}") from None
    if cost(len(subject)) > LIMITS.matching:
        why = f"may take more than {LIMITS.matching} steps on {len(subject)} characters (limit `matching`)"
        raise FeelError("limit", f"`{pattern:.60}` {why}")
    return found


def search(subject: str, pattern: str, flags: str) -> bool:
    """Tell whether the pattern matches somewhere in the subject."""
    return compiled(pattern, flags, subject).search(subject) is not None


def replace(subject: str, pattern: str, replacement: str, flags: str) -> str:
    r"""Return the subject with each match replaced; `$1` is a group, `\$` a dollar, `\\` a backslash."""
    found = compiled(pattern, flags, subject)
    if found.fullmatch(""):
        raise FeelError("bad-argument", f"`{pattern:.60}` matches nothing, which cannot be replaced")
    if "q" in flags:
        return str(found.sub(lambda _: replacement, subject))
    parts = _template(replacement, found.groups)
    return str(found.sub(lambda m: "".join(p if isinstance(p, str) else m[p] or "" for p in parts), subject))


def _template(replacement: str, groups: int) -> list[str | int]:
    parts: list[str | int] = []
    index = 0
    while index < len(replacement):
        letter, after = replacement[index], replacement[index + 1 : index + 2]
        if letter == "\\" and after and after in "\\$":
            parts.append(after)
            index += 2
        elif letter == "$" and after.isdecimal() and after.isascii():
            end = index + 2
            while replacement[end : end + 1].isdecimal() and int(replacement[index + 1 : end + 1]) <= groups:
                end += 1
            number = int(replacement[index + 1 : end])
            parts.append(number if number <= groups else "")
            index = end
        elif letter in "\\$":
            raise FeelError("bad-argument", f"`{replacement:.60}` has a `{letter}` that stands for nothing")
        else:
            parts.append(letter)
            index += 1
    return parts


def split(subject: str, pattern: str) -> list[Value]:
    """Return the parts of a subject between the matches."""
    found = compiled(pattern, "", subject)
    if found.fullmatch(""):
        raise FeelError("bad-argument", f"`{pattern:.60}` matches nothing, which cannot separate")
    parts: list[Value] = []
    start = 0
    for match in found.finditer(subject):
        parts.append(subject[start : match.start()])
        start = match.end()
    return [*parts, subject[start:]]
