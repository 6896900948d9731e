"""Matching by backtracking that never comes to the same place twice, so its cost is bounded.

A state is an instruction and an offset; one that has failed once is not tried again, which makes the
cost at most instructions times characters. With back-references what follows depends on the groups, too:
then nothing is remembered, and only the limit on steps holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.feel.limits import LIMITS, Meter, free
from engine.feel.operators import bounded_length
from engine.feel.values import FeelError, Value
from engine.feel.xpath_regex import Again, Anchor, Char, Fork, Mark, Program, RegexError, compile_pattern

STEPS_A_STEP = 2
"""Steps of a matcher that cost as much as one of the interpreter."""
Groups = tuple[int, ...]
"""Starts and ends by group, -1 for none; the first two are those of the whole match."""


@dataclass(slots=True)
class Matcher:
    """A program on one subject, with what it has cost so far."""

    program: Program
    subject: str
    spend: Meter
    steps: int = 0

    def matches(self) -> Iterator[Groups]:
        """Yield the matches from left to right; they do not overlap."""
        start = 0
        while (found := self.search(start)) is not None:
            yield found
            start = found[1] + (found[0] == found[1])

    def search(self, start: int) -> Groups | None:
        """Return the leftmost match from an offset on."""
        failed: set[int] = set()
        before = self.steps
        try:
            for offset in range(start, len(self.subject) + 1):
                if (found := self._match_at(offset, failed)) is not None:
                    return found
            return None
        finally:
            self.spend((self.steps - before) // STEPS_A_STEP)

    def _match_at(self, start: int, failed: set[int]) -> Groups | None:
        code, subject, remembers = self.program.code, self.subject, not self.program.refers
        waiting: list[tuple[int, int, Groups]] = [(0, start, (-1,) * (2 * self.program.groups + 2))]
        while waiting:
            at, offset, groups = waiting.pop()
            while at < len(code):
                state = offset * len(code) + at
                if remembers and state in failed:
                    break
                failed.add(state)
                self._spend()
                match code[at]:
                    case Char(accepts):
                        if offset >= len(subject) or not accepts(subject[offset]):
                            break
                        at, offset = at + 1, offset + 1
                    case Fork(first, second):
                        if first != second:
                            waiting.append((at + second, offset, groups))
                        at += first
                    case Mark(number):
                        groups = (*groups[:number], offset, *groups[number + 1 :])
                        at += 1
                    case Anchor(holds):
                        if not holds(subject, offset):
                            break
                        at += 1
                    case Again(group):
                        size = self._repeated(groups, group, offset)
                        if size is None:
                            break
                        at, offset = at + 1, offset + size
            else:
                return (start, offset, *groups[2:])
        return None

    def _repeated(self, groups: Groups, group: int, offset: int) -> int | None:
        """Return the length of a group's text if it stands at an offset again, else None."""
        text = _text(self.subject, groups, group)
        there = self.subject[offset : offset + len(text)]
        if self.program.ignore_case:
            text, there = text.casefold(), there.casefold()
        return len(text) if text == there else None

    def _spend(self) -> None:
        self.steps += 1
        if self.steps > LIMITS.matching:
            raise FeelError("limit", f"matching takes more than {LIMITS.matching} steps (limit `matching`)")


def _text(subject: str, groups: Groups, group: int) -> str:
    """Return what a group has matched; nothing if it took no part."""
    return subject[max(groups[2 * group], 0) : max(groups[2 * group + 1], 0)]


def matcher(subject: str, pattern: str, flags: str, spend: Meter) -> Matcher:
    """Return a pattern on a subject; raises FeelError if the pattern is wrong or either is too long."""
    for name, text, most in (("pattern", pattern, LIMITS.pattern), ("subject", subject, LIMITS.subject)):
        if len(text) > most:
            raise FeelError("limit", f"matching is limited to {most} characters (limit `{name}`)")
    try:
        return Matcher(compile_pattern(pattern, flags), subject, spend)
    except RegexError as error:
        raise FeelError("bad-argument", f"`{pattern:.60}` is not a pattern: {error}") from None


def search(subject: str, pattern: str, flags: str, spend: Meter) -> bool:
    """Tell whether the pattern matches somewhere in the subject."""
    return matcher(subject, pattern, flags, spend).search(0) is not None


def replace(subject: str, pattern: str, replacement: str, flags: str, spend: Meter) -> str:
    r"""Return the subject with each match replaced; `$1` is a group, `\$` a dollar, `\\` a backslash."""
    found = matcher(subject, pattern, flags, spend)
    _refuse_empty(pattern, flags)
    parts = [replacement] if "q" in flags else _template(replacement, found.program.groups)
    made: list[str] = []
    start = size = 0
    for groups in found.matches():
        made.append(subject[start : groups[0]])
        made += [part if isinstance(part, str) else _text(subject, groups, part) for part in parts]
        start = groups[1]
        size += sum(map(len, made[-len(parts) :]))
        bounded_length(size + len(subject))
    return "".join([*made, subject[start:]])


def split(subject: str, pattern: str, spend: Meter) -> list[Value]:
    """Return the parts of a subject between the matches."""
    found = matcher(subject, pattern, "", spend)
    _refuse_empty(pattern, "")
    parts: list[Value] = []
    start = 0
    for groups in found.matches():
        parts.append(subject[start : groups[0]])
        start = groups[1]
    return [*parts, subject[start:]]


def _refuse_empty(pattern: str, flags: str) -> None:
    """As XPath does: a pattern that matches the empty text cannot be replaced or split at (FORX0003)."""
    if matcher("", pattern, flags, free).search(0) is not None:
        raise FeelError("bad-argument", f"`{pattern:.60}` matches the empty text")


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
