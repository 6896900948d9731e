"""Where the parts of a YAML text on several lines stand in its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.source import Span

Runs = tuple[tuple[int, Span], ...]
"""From which character of the text on it stands where."""


def runs_of(value: str, lines: Sequence[str], start: Span) -> Iterator[tuple[int, Span]]:
    """Yield where each source line's part of a text begins; `lines` begin where `start` does.

    YAML joins lines and changes only blanks between them; where it changes more, as an escape does, the rest
    is left out.
    """
    offset, column = 0, start.column
    for number, line in enumerate(lines, start.line):
        written = line.strip()
        while offset < len(value) and value[offset].isspace():
            offset += 1
        same = _shared(written, value, offset)
        if written and not same:
            return
        if same:
            yield offset, Span(start.file, number, column + line.index(written), same)
            offset += same
        column = 1


def _shared(written: str, value: str, offset: int) -> int:
    """Return how many characters a line and the text from `offset` on have in common."""
    most = min(len(written), len(value) - offset)
    return next((n for n in range(most) if written[n] != value[offset + n]), most)
