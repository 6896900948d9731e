"""The regular expressions of XPath: text to a small program for the matcher in `patterns`.

Grammar: XML Schema Datatypes 1.1, appendix G, with the additions of XPath Functions 3.1, 5.6.1: anchors,
reluctant quantifiers, groups that do not capture, back-references. It is read strictly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, NoReturn

import regex  # type: ignore[import-untyped]  # ships no types

ENDLESS: Final = 1 << 30
DEPTH: Final = 20
INSTRUCTIONS: Final = 5000
BLANKS: Final = " \t\r\n"
LITERAL_ESCAPES: Final = frozenset("\\|.-^?*+{}()[]$")
CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t"}
NAME_START: Final = (
    r":A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C-\u200D\u2070-\u218F"
    r"\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\U00010000-\U000EFFFF"
)
NAME_PART: Final = rf"{NAME_START}\-.0-9\u00B7\u0300-\u036F\u203F-\u2040"
CLASSES: Final = {
    "s": r"[ \t\n\r]", "d": r"\p{Nd}", "w": r"[^\p{P}\p{Z}\p{C}]",
    "S": r"[^ \t\n\r]", "D": r"\P{Nd}", "W": r"[\p{P}\p{Z}\p{C}]",
    "i": f"[{NAME_START}]", "c": f"[{NAME_PART}]", "I": f"[^{NAME_START}]", "C": f"[^{NAME_PART}]",
}  # fmt: skip
MINOR_CATEGORIES: Final = {
    "L": "ultmo", "M": "nce", "N": "dlo", "P": "cdseifo", "Z": "slp", "S": "mcko", "C": "cfon",
}  # fmt: skip
CATEGORIES: Final = {major + minor for major, minors in MINOR_CATEGORIES.items() for minor in ("", *minors)}


class RegexError(ValueError):
    """The pattern is not one of XPath."""


# --- programs -------------------------------------------------------------------------------------

Holds = Callable[[str, int], bool]


@dataclass(frozen=True, slots=True)
class Char:
    """Take one character, if it is one of these."""

    accepts: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Fork:
    """Go on at two places, so many instructions away, the first one first."""

    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Mark:
    """Remember the place as the start (even) or end (odd) of a group."""

    number: int


@dataclass(frozen=True, slots=True)
class Anchor:
    """Go on if the place is right: the text, and the offset in it."""

    holds: Holds


@dataclass(frozen=True, slots=True)
class Again:
    """Take what a group has matched."""

    group: int


Instruction = Char | Fork | Mark | Anchor | Again
Code = tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled pattern; the end of the code is a match."""

    code: Code
    groups: int
    ignore_case: bool

    @property
    def refers(self) -> bool:
        """Tell whether it has back-references."""
        return any(isinstance(instruction, Again) for instruction in self.code)


@lru_cache(maxsize=512)
def compile_pattern(pattern: str, flags: str) -> Program:
    """Return the program of a pattern; raises RegexError if it is not one of XPath."""
    for flag in flags:
        if flag not in "smixq":
            raise RegexError(f"there is no flag `{flag}`; there are s, m, i, x and q")
    return _Reader(_without_blanks(pattern) if "x" in flags and "q" not in flags else pattern, flags).read()


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


@cache
def _set(text: str, ignore_case: bool) -> Callable[[str], bool]:
    """Return a test of one character against a class in the notation of `regex`."""
    try:
        found = regex.compile(text, regex.VERSION1 | (regex.IGNORECASE if ignore_case else 0))
    except regex.error as error:
        raise RegexError(str(error.msg)) from None
    return lru_cache(maxsize=256)(lambda letter: found.match(letter) is not None)


def _at_start(_: str, at: int) -> bool:
    return at == 0


def _at_end(text: str, at: int) -> bool:
    return at == len(text)


def _at_line_start(text: str, at: int) -> bool:
    return at == 0 or (text[at - 1] == "\n" and at < len(text))


def _at_line_end(text: str, at: int) -> bool:
    return at == len(text) or text[at] == "\n"


def _quoted(letter: str) -> str:
    """Return a character as itself in the notation of `regex`."""
    return f"\\U{ord(letter):08X}"


# --- the reader -----------------------------------------------------------------------------------


class _Reader:
    """One pass over one pattern."""

    def __init__(self, pattern: str, flags: str) -> None:
        self.pattern, self.flags = pattern, flags
        self.index = self.depth = self.groups = 0
        self.closed: set[int] = set()

    def read(self) -> Program:
        code = tuple(map(self._literal, self.pattern)) if "q" in self.flags else self._choice()
        if self.index < len(self.pattern) and "q" not in self.flags:
            self._refuse(f"`{self.pattern[self.index]}` closes nothing")
        return Program(code, self.groups, "i" in self.flags)

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

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > DEPTH:
            self._refuse(f"it is nested more than {DEPTH} deep")

    # --- structure --------------------------------------------------------------------------------

    def _choice(self) -> Code:
        branches = [self._sequence()]
        while self._accept("|"):
            branches.append(self._sequence())
        code = branches.pop()
        while branches:
            first = branches.pop()
            jump = len(code) + 1
            code = (Fork(1, len(first) + 2), *first, Fork(jump, jump), *code)
        return code

    def _sequence(self) -> Code:
        code: list[Instruction] = []
        while self.letter not in ("", "|", ")"):
            code += self._repeated(self._atom())
            if len(code) > INSTRUCTIONS:
                self._refuse("its repeats are too long when written out (limit `pattern`)")
        return tuple(code)

    def _repeated(self, code: Code) -> Code:
        bounds = self._bounds()
        if bounds is None:
            return code
        least, most = bounds
        lazy = self._accept("?")
        if self.letter and self.letter in "?*+{":
            self._refuse(f"`{self.letter}` repeats a repeat")
        if (len(code) + 2) * (least + 1 if most == ENDLESS else most) > INSTRUCTIONS:
            self._refuse("its repeats are too long when written out (limit `pattern`)")
        if most == ENDLESS:
            size = len(code)
            loop = (_fork(1, size + 2, lazy), *code, Fork(-size - 1, -size - 1))
            return code * least + loop
        optional: Code = ()
        for _ in range(most - least):
            optional = (_fork(1, len(code) + len(optional) + 1, lazy), *code, *optional)
        return code * least + optional

    def _bounds(self) -> tuple[int, int] | None:
        for sign, least, most in (("?", 0, 1), ("*", 0, ENDLESS), ("+", 1, ENDLESS)):
            if self._accept(sign):
                return least, most
        if not self._accept("{"):
            return None
        low = high = self._digits()
        if self._accept(","):
            high = ENDLESS if self.letter == "}" else self._digits()
        if not self._accept("}") or low > high:
            self._refuse("a quantifier is `{n}`, `{n,}` or `{n,m}`")
        return low, high

    def _digits(self) -> int:
        start = self.index
        while self.letter.isdecimal() and self.letter.isascii():
            self.index += 1
        text = self.pattern[start : self.index]
        if not text or len(text) > 4:
            self._refuse("a quantifier counts from 0 to 9999")
        return int(text)

    # --- atoms ------------------------------------------------------------------------------------

    def _atom(self) -> Code:
        letter = self._take()
        lines = "m" in self.flags
        match letter:
            case "(":
                return self._group()
            case "[":
                return (self._one_of(self._class()),)
            case "\\":
                return (self._escape(),)
            case ".":
                return (self._one_of("(?s:.)" if "s" in self.flags else r"[^\n\r]"),)
            case "^":
                return (Anchor(_at_line_start if lines else _at_start),)
            case "$":
                return (Anchor(_at_line_end if lines else _at_end),)
            case "?" | "*" | "+" | "{" | "}" | "]":
                self._refuse(f"`{letter}` stands for itself only as `\\{letter}`")
        return (self._literal(letter),)

    def _literal(self, letter: str) -> Char:
        return self._one_of(_quoted(letter)) if "i" in self.flags else Char(letter.__eq__)

    def _one_of(self, text: str) -> Char:
        return Char(_set(text, "i" in self.flags))

    def _group(self) -> Code:
        self._deeper()
        number = 0
        if not self._accept("?:"):
            self.groups += 1
            number = self.groups
        inner = self._choice()
        if not self._accept(")"):
            self._refuse("a `(` is not closed")
        self.depth -= 1
        if not number:
            return inner
        self.closed.add(number)
        return (Mark(2 * number), *inner, Mark(2 * number + 1))

    def _escape(self) -> Instruction:
        letter = self._take()
        if letter.isdecimal() and letter.isascii():
            return self._back_reference(letter)
        return self._one_of(self._escaped(letter))

    def _back_reference(self, digits: str) -> Again:
        while self.letter.isdecimal() and self.letter.isascii() and int(digits + self.letter) <= self.groups:
            digits += self._take()
        number = int(digits)
        if number not in self.closed:
            self._refuse(f"there is no group {number} before `\\{digits}`")
        return Again(number)

    def _escaped(self, letter: str) -> str:
        """Return an escape in the notation of `regex`."""
        if letter in LITERAL_ESCAPES or letter in CONTROLS:
            return _quoted(CONTROLS.get(letter, letter))
        if letter in "pP":
            return self._property(letter)
        if letter not in CLASSES:
            self._refuse(f"`\\{letter}` stands for nothing")
        return CLASSES[letter]

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
        """Read a class behind its `[`, into the notation of `regex`."""
        self._deeper()
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
            return low
        self.index += 1
        high, end = self._class_letter()
        if not end or end < plain:
            self._refuse(f"`{plain}-{end}` is not a range")
        return f"{low}-{high}"

    def _class_letter(self) -> tuple[str, str]:
        """Read one letter: in the notation of `regex`, and as itself unless it stands for many."""
        letter = self._take()
        if letter == "[":
            self._refuse("`[` stands for itself only as `\\[`")
        if letter != "\\":
            return _quoted(letter), letter
        escape = self._take()
        single = escape in LITERAL_ESCAPES or escape in CONTROLS
        return self._escaped(escape), CONTROLS.get(escape, escape) if single else ""


def _fork(inside: int, behind: int, lazy: bool) -> Fork:
    return Fork(behind, inside) if lazy else Fork(inside, behind)
