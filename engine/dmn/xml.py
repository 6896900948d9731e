"""XML bytes to a small tree in which every element and every character of text keeps its place.

Any document type is refused, so there are no entities, no expansion and no file or address to fetch.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from engine.dmn.limits import LIMITS, DmnLimits
from engine.source import Problem, Span

REFUSED: Final = "Save the file without a `<!DOCTYPE ...>`; DMN needs none."


class XmlRefused(Exception):
    """Inside this package: the bytes are not XML that we read; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """The text of an element; `pieces` say where parts of it stand: offset, line, column."""

    value: str
    file: str
    pieces: tuple[tuple[int, int, int], ...]

    def place(self, offset: int, length: int = 1) -> Span:
        """Return where the character at an offset stands in the file."""
        if not self.pieces:
            return Span(self.file, 1, 1, length)
        index = max(0, bisect_right(self.pieces, offset, key=lambda piece: piece[0]) - 1)
        start, line, column = self.pieces[index]
        return Span(self.file, line, column + offset - start, length)


@dataclass(slots=True, eq=False)
class Element:
    """An XML element: namespace, local name, attributes as written, children and text."""

    namespace: str
    name: str
    attributes: dict[str, str]
    """By local name, or by `{namespace}name` if it has one."""
    span: Span
    prefixes: dict[str, str]
    """Prefixes that are declared here or around it."""
    children: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    pieces: list[tuple[int, int, int]] = field(default_factory=list)
    length: int = 0

    def get(self, name: str) -> str | None:
        """Return an attribute."""
        return self.attributes.get(name)

    @property
    def text(self) -> Text:
        """The text that stands directly in the element."""
        return Text("".join(self.texts), self.span.file, tuple(self.pieces))

    def named(self, name: str) -> Iterator[Element]:
        """Yield the children of a local name in the element's own namespace."""
        return (child for child in self.children if child.name == name and child.namespace == self.namespace)

    def first(self, name: str) -> Element | None:
        """Return the first child of a local name, or None."""
        return next(self.named(name), None)


class _Builder:
    """What the parser tells its events to."""

    def __init__(self, file: str, limits: DmnLimits) -> None:
        self.file, self.limits = file, limits
        self.parser: Any = None
        self.root: Element | None = None
        self.stack: list[Element] = []
        self.declared: dict[str, str] = {}
        self.count = 0

    def here(self) -> tuple[int, int]:
        return self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1

    def start_ns(self, prefix: str, uri: str) -> None:
        self.declared[prefix or ""] = uri or ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.count += 1
        self._within(self.count, self.limits.elements, "elements", "The file has", "elements")
        self._within(len(self.stack) + 1, self.limits.nesting, "nesting", "Elements are nested", "deep")
        self._within(len(attributes), self.limits.attributes, "attributes", "An element has", "attributes")
        namespace, name = _split(tag)
        line, column = self.here()
        around = self.stack[-1].prefixes if self.stack else {}
        prefixes, self.declared = ({**around, **self.declared} if self.declared else around), {}
        element = Element(namespace, name, attributes, Span(self.file, line, column), prefixes)
        if self.stack:
            self.stack[-1].children.append(element)
        else:
            self.root = element
        self.stack.append(element)

    def _within(self, count: int, most: int, limit: str, what: str, of: str) -> None:
        if count > most:
            line, column = self.here()
            message = f"{what} more than {most} {of} (limit `{limit}`)"
            raise XmlRefused(Problem("xml-limit", message, Span(self.file, line, column), "Split the model."))

    def end(self, _: str) -> None:
        self.stack.pop()

    def data(self, data: str) -> None:
        top = self.stack[-1]
        top.pieces.append((top.length, *self.here()))
        top.texts.append(data)
        top.length += len(data)

    def close(self) -> Element | None:
        return self.root


def parse_xml(data: bytes, file: str, limits: DmnLimits = LIMITS) -> Element:
    """Return the root of an XML file; raises XmlRefused with the place of what is wrong."""
    if len(data) > limits.bytes:
        message = f"the file has more than {limits.bytes} bytes (limit `bytes`)"
        raise XmlRefused(Problem("xml-limit", message, Span(file, 1, 1), "Split the model."))
    builder = _Builder(file, limits)
    parser: Any = DefusedXMLParser(target=builder, forbid_dtd=True)  # entities are forbidden by default
    parser.parser.buffer_text = False  # each piece of text is told with its own place
    builder.parser = parser.parser
    try:
        parser.feed(data)
        root: Element | None = parser.close()
    except DefusedXmlException as refused:
        span = Span(file, *builder.here())
        raise XmlRefused(Problem("xml-refused", _sentence(refused), span, REFUSED)) from None
    except ParseError as error:
        line, column = error.position
        why = str(error).split(":", 1)[0]
        problem = Problem("xml-syntax", f"this is not XML: {why}", Span(file, line, column + 1))
        raise XmlRefused(problem) from None
    except (LookupError, ValueError) as error:  # an encoding that nobody knows, or text that it cannot hold
        problem = Problem("xml-syntax", f"this is not XML: {error}", Span(file, 1, 1), "Save it as UTF-8.")
        raise XmlRefused(problem) from None
    if root is None:
        raise XmlRefused(Problem("xml-syntax", "the file holds no element", Span(file, 1, 1)))
    return root


def _sentence(refused: DefusedXmlException) -> str:
    what = {
        "DTDForbidden": "the file has a document type, which may define entities",
        "EntitiesForbidden": "the file defines an entity",
    }
    return what.get(type(refused).__name__, "the file refers to something outside of it")


def _split(tag: str) -> tuple[str, str]:
    namespace, _, name = tag.rpartition("}")
    return namespace.removeprefix("{"), name
