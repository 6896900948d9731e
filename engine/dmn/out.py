"""A small tree of XML to write, and its text: indented, escaped, texts untouched."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

NOT_XML: Final = re.compile(r"[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


class NotInXml(ValueError):
    """A text holds a character that XML cannot hold."""

    def __init__(self, text: str, character: str) -> None:
        super().__init__(f"`{text!r:.80}` holds U+{ord(character):04X}, which XML cannot hold")


@dataclass(frozen=True, slots=True)
class Out:
    """An element to write: attributes without a value are left out; either children or a text."""

    name: str
    attributes: Mapping[str, str | None]
    children: Sequence[Out | None] = ()
    text: str | None = None

    def lines(self, indent: str = "") -> list[str]:
        """Return the element as lines; a text of several lines is one of them."""
        attributes = "".join(
            f' {name}="{escaped(value, quoted=True)}"'
            for name, value in self.attributes.items()
            if value is not None
        )
        start = f"{indent}<{self.name}{attributes}"
        children = [child for child in self.children if child is not None]
        if self.text is not None and not children:
            return [f"{start}>{escaped(self.text)}</{self.name}>"]
        if not children:
            return [f"{start}/>"]
        inside = [line for child in children for line in child.lines(f"{indent}  ")]
        mixed = [f"{indent}  {escaped(self.text)}"] if self.text and self.text.strip() else []
        return [f"{start}>", *mixed, *inside, f"{indent}</{self.name}>"]


def escaped(text: str, *, quoted: bool = False) -> str:
    """Return a text as XML holds it; raises NotInXml for one that it cannot hold."""
    if (found := NOT_XML.search(text)) is not None:
        raise NotInXml(text, found[0])
    more = {"\r": "&#13;"} | ({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"} if quoted else {})
    return escape(text, more)
