"""Pipe tables with their bars below each other; nothing else of a text is touched.

Widths are those of a fixed-width font: East Asian wide and full-width characters take two places
(Unicode Standard Annex 11), combining marks none.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from engine.policy import Loaded
from engine.source import Problem
from engine.tables.found import is_table, nodes_of
from engine.text import ScalarNode, read_table, read_yaml
from engine.text.table import DASHES, find_bars


@dataclass(frozen=True, slots=True)
class PipeLine:
    """One line of a pipe table cut into cells; `divide` is the number of cells before the double bar."""

    cells: tuple[str, ...]
    divide: int | None

    @property
    def is_rule(self) -> bool:
        """Tell whether the line is the row of dashes under a heading."""
        return bool(self.cells) and all(DASHES.fullmatch(cell) for cell in self.cells)


def width(text: str) -> int:
    """Return how many places a text takes in a fixed-width font."""
    return sum(map(_places, text))


def _places(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def align_text(data: bytes, file: str) -> Loaded[bytes]:
    """Return a YAML text with every pipe table in it aligned, byte for byte the same elsewhere.

    A table that cannot be read stays as it is, with its problems; a text that is no YAML comes back as None.
    """
    loaded = read_yaml(data, file)
    if loaded.policy is None:
        return Loaded(None, loaded.problems)
    problems: list[Problem] = []
    text = data.decode("utf-8-sig")
    lines = text.splitlines(keepends=True)
    for node in nodes_of(loaded.policy):
        if isinstance(node, ScalarNode) and is_table(node):
            found = read_table(node)
            problems += found.problems
            if found.policy is not None:
                _align(node, lines)
    mark = data[:3] if data.startswith(b"\xef\xbb\xbf") else b""
    return Loaded(mark + "".join(lines).encode(), tuple(problems))


def _align(node: ScalarNode, lines: list[str]) -> None:
    """Write the lines of one readable table anew, in place."""
    found = {span.line: text for text, span in zip(node.text.splitlines(), node.lines, strict=True)}
    cut = {line: cells for line, text in found.items() if (cells := cut_line(text)) is not None}
    indent = " " * (min(span.column for span in node.lines if found[span.line].strip()) - 1)
    for number, text in zip(cut, rendered(list(cut.values())), strict=True):
        line = lines[number - 1]
        lines[number - 1] = indent + text + line[len(line.rstrip("\r\n\x85\u2028\u2029")) :]


def cut_line(text: str) -> PipeLine | None:
    """Return the cells of a line of a readable table; None for a blank line and for a comment."""
    if not text.strip() or text.lstrip().startswith("#"):
        return None
    cells: list[str] = []
    divide: int | None = None
    for left, right in pairwise(find_bars(text)[0]):
        if right == left + 1:
            divide = len(cells)
        else:
            cells.append(text[left + 1 : right].strip())
    return PipeLine(tuple(cells), divide)


def rendered(lines: Sequence[PipeLine], least: Sequence[int] = ()) -> list[str]:
    """Return lines with columns of one width, at least the given widths."""
    columns = max((len(line.cells) for line in lines), default=0)
    widths = [*least, *[0] * (columns - len(least))]
    for line in lines:
        for column, cell in enumerate(line.cells):
            widths[column] = max(widths[column], 3 if line.is_rule else width(cell))
    return ["".join(_parts(line, widths)) for line in lines]


def _parts(line: PipeLine, widths: Sequence[int]) -> Iterator[str]:
    yield "|"
    for column, cell in enumerate(line.cells):
        if column == line.divide:
            yield "|"
        shown = _dashes(cell, widths[column]) if line.is_rule else cell
        yield f" {shown}{' ' * (widths[column] - width(shown))} |"
    if line.divide == len(line.cells):
        yield "|"


def _dashes(cell: str, wanted: int) -> str:
    left, right = cell.startswith(":"), cell.endswith(":")
    return f"{':' * left}{'-' * max(3 - left - right, wanted - left - right)}{':' * right}"
