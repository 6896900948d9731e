"""Text to tokens: the lexical grammar of FEEL (DMN 1.5, 10.3.1.2, rules 27 to 64)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

SPACE = r"\s\u0085\u00A0\u1680\u180E\u2000-\u200B\u2028\u2029\u202F\u205F\u3000\uFEFF"
START = (
    r"?A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C-\u200D\u2070-\u218F"
    r"\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\U00010000-\U000EFFFF"
)
PART = START + r"0-9\u00B7\u0300-\u036F\u203F-\u2040"

TOKEN = re.compile(
    rf"""
      (?P<blank>   [{SPACE}]+ | //[^\n\r]* | /\*.*?\*/ )
    | (?P<number>  (?: \d+ (?: \.\d+ )? | \.\d+ ) (?: [eE][+-]?\d+ )? )
    | (?P<string>  "(?: [^"\\] | \\. )*" )
    | (?P<name>    [{START}][{PART}]* )
    | (?P<symbol>  \*\* | \.\. | <= | >= | != | -> | [-+*/()\[\]{{}},:.<>=@'] )
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{6})|(.))", re.DOTALL)
HALF = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair: no character, in no encoding."""
PLAIN_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}

Kind = Literal["number", "string", "name", "symbol", "end", "bad"]
KINDS: dict[str, Kind] = {"number": "number", "string": "string", "name": "name", "symbol": "symbol"}


@dataclass(frozen=True, slots=True)
class Token:
    """A word of an expression, with its place; `bad` is a character that begins no word."""

    kind: Kind
    text: str
    offset: int

    @property
    def end(self) -> int:
        """The offset behind the token."""
        return self.offset + len(self.text)


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a text without blanks and comments; the last is `end`, or `bad` before it."""
    tokens: list[Token] = []
    offset = 0
    while offset < len(text):
        found = TOKEN.match(text, offset)
        if found is None:
            tokens.append(Token("bad", text[offset], offset))
            break
        if found.lastgroup != "blank":
            tokens.append(Token(KINDS[found.lastgroup or ""], found[0], offset))
        offset = found.end()
    tokens.append(Token("end", "", len(text)))
    return tokens


def unescape(literal: str) -> str:
    """Return the text of a string literal; an unknown escape, and half of a pair, stand for themselves."""
    plain = ESCAPE.sub(_escape, literal[1:-1])
    if HALF.search(plain):  # a pair of \u escapes is one character
        plain = plain.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return plain


def escape(text: str) -> str:
    """Return a text as a string literal."""
    for plain, letter in (("\\", "\\"), ('"', '"'), ("\n", "n"), ("\r", "r"), ("\t", "t")):
        text = text.replace(plain, f"\\{letter}")
    return f'"{text}"'


def _escape(found: re.Match[str]) -> str:
    short, long, letter = found.groups()
    if letter is not None:
        return PLAIN_ESCAPES.get(letter, found[0])
    code = int(short or long, 16)
    return chr(code) if code <= 0x10FFFF else found[0]
