"""What every rule of the grammar stands on: the tokens, the names in scope, the places, the refusals."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NoReturn, TypeVar

from engine.feel import syntax as s
from engine.feel.limits import Limits
from engine.feel.names import KEYWORDS, NAME_SIGNS, STANDARD_NAMES, Names, spelled
from engine.feel.tokens import Token, tokenize

T = TypeVar("T", bound=s.Node)
R = TypeVar("R")


class SyntaxFailure(Exception):
    """The text is not FEEL: what was read, where, and what to do instead."""

    def __init__(self, message: str, token: Token, advice: str) -> None:
        super().__init__(message)
        self.message, self.offset, self.length = message, token.offset, max(1, len(token.text))
        self.advice = advice


class Reader:
    """One reading of one text."""

    def __init__(self, text: str, names: Collection[str], limits: Limits) -> None:
        self.text, self.limits = text, limits
        if len(text) > limits.text:
            self.refuse(
                f"the expression has {len(text)} characters, more than {limits.text} (limit `text`)",
                Token("bad", "", limits.text), "Split it into several decisions.",
            )  # fmt: skip
        self.tokens = tokenize(text)
        self.position = 0
        self.depth = 0
        self.names = Names(names)

    # --- tokens -----------------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.position]

    def ahead(self, count: int = 1) -> Token:
        """Return a later token; behind the last one, the last."""
        return self.tokens[min(self.position + count, len(self.tokens) - 1)]

    def advance(self) -> Token:
        """Take the next token."""
        token = self.token
        self.position += token.kind != "end"
        return token

    def at(self, *texts: str) -> bool:
        """Tell whether the next token is one of these words or signs."""
        return self.token.kind in ("symbol", "name") and self.token.text in texts

    def accept(self, *texts: str) -> bool:
        """Take the next token if it is one of these."""
        if found := self.at(*texts):
            self.position += 1
        return found

    def expect(self, text: str, where: str) -> Token:
        """Take the next token, which has to be this one."""
        if not self.at(text):
            self.unexpected(f"`{text}` {where}")
        return self.advance()

    def refuse(self, message: str, token: Token, advice: str) -> NoReturn:
        """Stop the reading."""
        raise SyntaxFailure(message, token, advice)

    def unexpected(self, wanted: str) -> NoReturn:
        """Stop the reading: something else was wanted here."""
        token = self.token
        before = self.tokens[self.position - 1].text if self.position else ""
        if token.kind == "end":
            behind = f"Write a value behind `{before}`."
            advice = behind if before and wanted == "a value" else "Complete the expression."
            self.refuse(f"expected {wanted}, but the text ends", token, advice)
        if token.text == '"':
            self.refuse('the text that begins with `"` has no end', token, 'Close it with `"`.')
        if token.text == "'":
            self.refuse(f"expected {wanted}, read `'`", token, 'Texts stand in double quotes: `"`.')
        advice = _advice(before, token.text)
        if not advice and wanted == "a value" and before and token.text in ")]},":
            advice = f"Write a value between `{before}` and `{token.text}`."
        self.refuse(f"expected {wanted}, read `{token.text}`", token, advice or GRAMMAR)

    def place(self, node: type[T], start: int, *parts: object) -> T:
        """Build a node that reaches from `start` to the last token taken."""
        end = self.tokens[self.position - 1].end if self.position else start
        return node(*parts, offset=start, length=end - start)

    def whole(self, rule: Callable[[], R]) -> R:
        """Read the whole text by a rule."""
        if self.token.kind == "end":
            self.refuse("there is nothing to read", self.token, "Write an expression; a cell may be `-`.")
        found = rule()
        if self.position < len(self.tokens) - 1:
            self.unexpected("an operator or the end")
        if isinstance(found, s.Node):
            self.measure(found)
        return found

    def measure(self, root: s.Node) -> None:
        """Refuse a tree that is too deep, which long chains of operators make without any brackets."""
        stack = [(root, 1)]
        while stack:
            node, depth = stack.pop()
            if depth > self.limits.depth:
                self.too_long(node.offset)
            stack.extend((child, depth + 1) for child in s.children(node))

    def too_deep(self, offset: int) -> NoReturn:
        """Stop the reading: this is nested deeper than anything may be."""
        self.refuse(
            f"the expression is nested more than {self.limits.depth} deep (limit `depth`)",
            Token("bad", "", offset), "Split it into several decisions.",
        )  # fmt: skip

    def too_long(self, offset: int) -> NoReturn:
        """Stop the reading: nothing need be in brackets here, but so many operators follow one another."""
        self.refuse(
            f"more than {self.limits.depth} operators or levels stand upon one another (limit `depth`): each "
            "sign of a chain such as `a + b + c` takes what stands before it",
            Token("bad", "", offset), "Write a long sum as `sum([a, b, c])`, or split it into decisions.",
        )  # fmt: skip

    # --- names ------------------------------------------------------------------------------------

    def introduce(self, name: str) -> None:
        """Make a name known from here on."""
        self.names.add(name)

    def known_name(self) -> str | None:
        """Take the longest known name that stands here."""
        if self.token.kind != "name":
            return None
        size = self._known_words()
        if size == 0:
            return None
        self.position += size
        return spelled(self.text, self.tokens[self.position - size : self.position])

    def _known_words(self) -> int:
        known = (self.names, STANDARD_NAMES)
        return max(names.longest(self.text, self.tokens, self.position) for names in known)

    def name(self, wanted: str = "a name") -> str:
        """Take a name: a known one, or else all the words that stand together."""
        if (known := self.known_name()) is not None:
            return known
        start = self.position
        while self.token.kind == "name" and self.token.text not in KEYWORDS:
            self.advance()
            if self._known_words():
                break
        if start == self.position:
            self.unexpected(wanted)
        return spelled(self.text, self.tokens[start : self.position])

    def name_until(self, stop: str, wanted: str) -> str:
        """Take a new name, which may hold signs and keywords, up to the word or sign behind it."""
        start = self.position
        while self.token.kind == "name" or (self.position > start and self.in_name(self.token)):
            if self.token.text == stop and self.position > start:
                break
            self.advance()
        if start == self.position or not self.at(stop):
            self.unexpected(wanted if start == self.position else f"`{stop}` behind the name")
        name = spelled(self.text, self.tokens[start : self.position])
        self.introduce(name)
        return name

    def in_name(self, token: Token) -> bool:
        """Tell whether a token can stand inside a name, though not at its start."""
        return token.kind == "number" or (token.kind == "symbol" and token.text in NAME_SIGNS)


WIDE = "，（）：＞＜＝"
ADVICE = {
    "≥": "At least is written `>=`.",
    "≤": "At most is written `<=`.",
    "≠": "Unequal is written `!=`.",
    "×": "Times is written `*`.",
    "÷": "Divided by is written `/`.",
    "&": "Write `and`.",
    "|": "Write `or`.",
    "!": "Write `not(...)`, or `!=` for unequal.",
    "%": "Write a rate as a decimal, `0.03`; the rest of a division is `modulo(a, b)`.",
    "is": "Equality is written `=`.",
    "is not": "Unequal is written `!=`.",
    "= =": "Equality is written with one `=`.",
    "= >": "At least is written `>=`.",
    "= <": "At most is written `<=`.",
    "> =": "At least is written `>=`.",
    "< =": "At most is written `<=`.",
    ";": "Values and arguments are divided by commas.",
    "< >": "Unequal is written `!=`.",
    **dict.fromkeys("“”„«»‘’", 'Texts stand in straight double quotes: `"`.'),
    **{
        wide: f"Write `{narrow}`: signs are half-width."
        for wide, narrow in zip("，（）：＞＜＝", ",():><=", strict=True)
    },
}


def _advice(before: str, text: str) -> str:
    """Return what to write instead of a word that stands behind another one."""
    for wrong in (f"{before} {text}", text, *text):
        if wrong in ADVICE:
            return ADVICE[wrong]
    return ""


GRAMMAR = "Write a number, a name, or a text in double quotes, and signs between them: `a + 1`, `x > 5`."
