"""The regular expressions of XPath, read strictly, and written for Python's `regex` package.

Grammar: XML Schema Datatypes 1.1, appendix G, with the additions of XPath Functions 3.1, 5.6.1: anchors,
reluctant quantifiers, groups that do not capture, back-references.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log2
from typing import Final, NoReturn

Cost = Callable[[int], float]
"""How many ways a matcher may have to try on a text of a length, at most."""

ENDLESS: Final = 1 << 30
DEPTH: Final = 20
REPEATS: Final = 1000
BLANKS: Final = " \t\r\n"
LITERAL_ESCAPES: Final = frozenset("\\|.-^?*+{}()[]$")
CONTROL_ESCAPES: Final = {"n": "\\n", "r": "\\r", "t": "\\t"}
NAME_START: Final = ":A-Z_a-z\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF" \
    "\\u200C-\\u200D\\u2070-\\u218F\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD" \
    "\\U00010000-\\U000EFFFF"  # fmt: skip
NAME_PART: Final = f"{NAME_START}\\-.0-9\\u00B7\\u0300-\\u036F\\u203F-\\u2040"
CLASSES: Final = {
    "s": "[ \\t\\n\\r]", "d": "\\p{Nd}", "w": "[^\\p{P}\\p{Z}\\p{C}]",
    "i": f"[{NAME_START}]", "c": f"[{NAME_PART}]",
    "S": "[^ \\t\\n\\r]", "D": "\\P{Nd}", "W": "[\\p{P}\\p{Z}\\p{C}]",
    "I": f"[^{NAME_START}]", "C": f"[^{NAME_PART}]",
}  # fmt: skip
MINOR_CATEGORIES: Final = {
    "L": "ultmo", "M": "nce", "N": "dlo", "P": "cdseifo", "Z": "slp", "S": "mcko", "C": "cfon",
}  # fmt: skip
CATEGORIES: Final = {
    major + minor for major, minors in MINOR_CATEGORIES.items() for minor in ("", *minors)
}  # fmt: skip


class RegexError(ValueError):
    """The pattern is not one of XPath."""


@dataclass(frozen=True, slots=True)
class Part:
    """A translated piece: its text, the least it matches, its cost, and the choices written in it."""

    text: str
    least: int
    cost: Cost
    choices: int = 0


def translate(pattern: str, flags: str) -> tuple[str, Cost]:
    """Return the pattern for `regex`, version 1, and its cost; raises RegexError."""
    for flag in flags:
        if flag not in "smixq":
            raise RegexError(f"there is no flag `{flag}`; there are s, m, i, x and q")
    if "q" in flags:
        return "".join(map(_quoted, pattern)), _once
    return _Reader(_without_blanks(pattern) if "x" in flags else pattern, flags).read()


def _without_blanks(pattern: str) -> str:
    """Drop the blanks outside of character classes (flag `x`)."""
    kept, depth, escaped = [], 0, False
    for letter in pattern:
        if letter in BLANKS and depth == 0:
            continue
        if not escaped:
            depth += (letter == "[") - (letter == "]" and depth > 0)
        escaped = letter == "\\" and not escaped
        kept.append(letter)
    return "".join(kept)


def _once(_: int) -> float:
    return 1


def _quoted(letter: str) -> str:
    return (
        letter if letter.isalnum() else f"\\{letter}" if letter.isascii() and letter.isprintable() else letter
    )


class _Reader:
    """One pass over one pattern."""

    def __init__(self, pattern: str, flags: str) -> None:
        self.pattern, self.flags = pattern, flags
        self.index = self.depth = self.groups = 0
        self.closed: set[int] = set()

    def read(self) -> tuple[str, Cost]:
        part = self._choice()
        if self.index < len(self.pattern):
            self._refuse(f"`{self.pattern[self.index]}` closes nothing")
        if part.text.startswith("\\A") and "|" not in self.pattern:
            return part.text, part.cost
        return part.text, lambda length: part.cost(length) * (length + 1)  # it may begin anywhere

    @property
    def letter(self) -> str:
        return self.pattern[self.index : self.index + 1]

    def _take(self) -> str:
        letter = self.letter
        if not letter:
            self._refuse("it ends too early")
        self.index += 1
        return letter

    def _accept(self, text: str) -> bool:
        found = self.pattern.startswith(text, self.index)
        self.index += len(text) if found else 0
        return found

    def _refuse(self, why: str) -> NoReturn:
        raise RegexError(why)

    # --- structure --------------------------------------------------------------------------------

    def _choice(self) -> Part:
        branches = [self._sequence()]
        while self._accept("|"):
            branches.append(self._sequence())
        if len(branches) == 1:
            return branches[0]
        costs = [branch.cost for branch in branches]
        text = "|".join(branch.text for branch in branches)
        choices = sum(branch.choices for branch in branches) + len(branches) - 1
        least = min(branch.least for branch in branches)
        return Part(text, least, lambda length: sum(cost(length) for cost in costs), choices)

    def _sequence(self) -> Part:
        parts: list[Part] = []
        while self.letter not in ("", "|", ")"):
            parts.append(self._repeated(self._atom()))
        costs = [part.cost for part in parts]
        text, choices = "".join(part.text for part in parts), sum(part.choices for part in parts)
        return Part(text, sum(part.least for part in parts), lambda length: _product(costs, length), choices)

    def _repeated(self, part: Part) -> Part:
        bounds = self._bounds()
        if bounds is None:
            return part
        least, most, text = bounds
        if self._accept("?"):
            text += "?"
        if self.letter and self.letter in "?*+{":
            self._refuse(f"`{self.letter}` repeats a repeat")
        choices = part.choices + (least != most)
        return Part(part.text + text, part.least * least, _rounds(part, least, most), choices)

    def _bounds(self) -> tuple[int, int, str] | None:
        for sign, least, most in (("?", 0, 1), ("*", 0, ENDLESS), ("+", 1, ENDLESS)):
            if self._accept(sign):
                return least, most, sign
        if not self._accept("{"):
            return None
        low = self._digits()
        high: int = low
        if self._accept(","):
            high = ENDLESS if self.letter == "}" else self._digits()
        if not self._accept("}") or low > high:
            self._refuse("a quantifier is `{n}`, `{n,}` or `{n,m}`")
        return low, high, f"{{{low}}}" if low == high else f"{{{low},{'' if high == ENDLESS else high}}}"

    def _digits(self) -> int:
        start = self.index
        while self.letter.isdecimal() and self.letter.isascii():
            self.index += 1
        text = self.pattern[start : self.index]
        if not text or len(text) > 4 or int(text) > REPEATS:
            self._refuse(f"a quantifier counts from 0 to {REPEATS}")
        return int(text)

    # --- atoms ------------------------------------------------------------------------------------

    def _atom(self) -> Part:
        letter = self._take()
        if letter == "(":
            return self._group()
        if letter == "[":
            return Part(self._class(), 1, _once)
        if letter == "\\":
            return self._escape()
        if letter == ".":
            return Part("(?s:.)" if "s" in self.flags else "[^\\n\\r]", 1, _once)
        if letter == "^":
            return Part("(?:\\A|(?<=\\n)(?!\\Z))" if "m" in self.flags else "\\A", 0, _once)
        if letter == "$":
            return Part("(?=\\n|\\Z)" if "m" in self.flags else "\\Z", 0, _once)
        if letter in "?*+{}]":
            self._refuse(f"`{letter}` stands for itself only as `\\{letter}`")
        return Part(_quoted(letter), 1, _once)

    def _group(self) -> Part:
        self.depth += 1
        if self.depth > DEPTH:
            self._refuse(f"groups are nested more than {DEPTH} deep")
        head, number = "(?:", 0
        if not self._accept("?:"):
            self.groups += 1
            head, number = "(", self.groups
        inner = self._choice()
        if not self._accept(")"):
            self._refuse("a `(` is not closed")
        if number:
            self.closed.add(number)
        self.depth -= 1
        return Part(f"{head}{inner.text})", inner.least, inner.cost, inner.choices)

    def _escape(self) -> Part:
        letter = self._take()
        if letter.isdecimal() and letter.isascii():
            return self._back_reference(letter)
        return Part(self._escaped(letter), 1, _once)

    def _back_reference(self, digits: str) -> Part:
        while self.letter.isdecimal() and self.letter.isascii() and int(digits + self.letter) <= self.groups:
            digits += self._take()
        number = int(digits)
        if number not in self.closed:
            self._refuse(f"there is no group {number} before `\\{digits}`")
        return Part(f"(?({number})\\{number}|)", 0, _once)  # a group that took no part is empty

    def _escaped(self, letter: str) -> str:
        if letter in LITERAL_ESCAPES:
            return f"\\{letter}"
        if letter in "pP":
            return self._property(letter)
        found = CONTROL_ESCAPES.get(letter) or CLASSES.get(letter)
        if found is None:
            self._refuse(f"`\\{letter}` stands for nothing")
        return found

    def _property(self, letter: str) -> str:
        end = self.pattern.find("}", self.index)
        if not self._accept("{") or end < 0:
            self._refuse(f"`\\{letter}` needs a category: `\\{letter}{{Lu}}`")
        name = self.pattern[self.index : end]
        self.index = end + 1
        if name in CATEGORIES:
            return f"\\{letter}{{{name}}}"
        block = name.removeprefix("Is")
        if block == name or not block.replace("-", "").isalnum() or not block.isascii():
            self._refuse(f"there is no category `{name}`")
        return f"\\{letter}{{Block={block}}}"

    # --- character classes ------------------------------------------------------------------------

    def _class(self) -> str:
        """Read a class behind its `[`."""
        self.depth += 1
        if self.depth > DEPTH:
            self._refuse(f"classes are nested more than {DEPTH} deep")
        negated = self._accept("^")
        items: list[str] = []
        without = ""
        while not self._accept("]"):
            if items and self._accept("-["):
                without = f"--{self._class()}"
                if not self._accept("]"):
                    self._refuse("what is taken out of a class stands at its end")
                break
            items.append(self._class_item())
        if not items:
            self._refuse("a class is empty")
        self.depth -= 1
        group = f"[{'^' if negated else ''}{''.join(items)}]"
        return f"[{group}{without}]" if without else group

    def _class_item(self) -> str:
        low, plain = self._class_letter()
        if not plain or self.letter != "-" or self.pattern[self.index + 1 : self.index + 2] in ("]", "["):
            return low if not plain else _quoted(plain)
        self.index += 1
        _, end = self._class_letter()
        if not end or end < plain:
            self._refuse(f"`{plain}-{end}` is not a range")
        return f"{_quoted(plain)}-{_quoted(end)}"

    def _class_letter(self) -> tuple[str, str]:
        """Read one letter: as text of a class, and as itself unless it stands for many."""
        letter = self._take()
        if letter == "[":
            self._refuse("`[` stands for itself only as `\\[`")
        if letter != "\\":
            return letter, letter
        escape = self._take()
        text = self._escaped(escape)
        if escape in LITERAL_ESCAPES:
            return text, escape
        control = {"n": "\n", "r": "\r", "t": "\t"}.get(escape, "")
        return text, control


def _product(costs: list[Cost], length: int) -> float:
    result = 1.0
    for cost in costs:
        result = min(result * cost(length), 1e18)
    return result


def _rounds(part: Part, least: int, most: int) -> Cost:
    """Return the cost of a repeat: where it may stop, and the choices of each round."""

    def cost(length: int) -> float:
        rounds = min(most, length // max(1, part.least) + 1)
        inside = part.cost(length)
        stops = rounds - min(least, rounds) + 1
        if inside <= 1:
            return stops
        # each round chooses; but no more often than there are characters to choose at
        log_ways = min(rounds * log2(inside), (length + 1) * log2(part.choices + 1))
        return min(stops * float(2 ** min(log_ways, 60)), 1e18)

    return cost
