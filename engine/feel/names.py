"""Names that hold blanks and signs (`monthly fee`, `a-b`): the longest known one wins (DMN 1.5, 10.3.1.4)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from engine.feel.functions import BUILT_IN_NAMES
from engine.feel.tokens import Token, tokenize

KEYWORDS = frozenset((
    "true", "false", "null", "for", "in", "return", "if", "then", "else", "some", "every", "satisfies",
    "instance", "of", "function", "external", "between", "and", "or",
))  # fmt: skip
NAME_SIGNS = frozenset("./-'+*")
PROPERTIES = ("time offset", "start included", "end included")


class Names:
    """Names by their words, so that the longest one that stands somewhere is found in one go."""

    def __init__(self, names: Collection[str] = ()) -> None:
        self.below: dict[str, Names] = {}
        self.name = ""
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Make a name known."""
        place = self
        for token in tokenize(name)[:-1]:
            place = place.below.setdefault(token.text, Names())
        place.name = " ".join(name.split())

    def longest(self, text: str, tokens: Sequence[Token], start: int) -> int:
        """Return how many words the longest name has that stands at an index; 0 for none.

        Blanks count: where `a-b` is a name, `a - b` still is a difference.
        """
        found, place, index = 0, self, start
        while (after := place.below.get(tokens[index].text)) is not None and tokens[index].kind != "string":
            place, index = after, index + 1
            if place.name and place.name == spelled(text, tokens[start:index]):
                found = index - start
        return found


def spelled(text: str, tokens: Sequence[Token]) -> str:
    """Return the part of a text that some tokens cover, with single blanks."""
    return " ".join(text[tokens[0].offset : tokens[-1].end].split())


STANDARD_NAMES = Names((*BUILT_IN_NAMES, *PROPERTIES))
