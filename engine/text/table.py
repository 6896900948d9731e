"""Tables as officers write them: pipe tables inside YAML and CSV files, each cell with its place.

    | segment | score      || grade |      a single bar divides cells, the double bar inputs from outputs
    | "sme"   | [420..520) || B     |      a bar inside quotes belongs to the cell

Lines that start with `#` are comments; a line of dashes under the heading is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from engine.policy import Loaded
from engine.source import Problem, Span
from engine.text.yaml import ScalarNode
from engine.text.yaml_mistakes import not_utf8

MAX_CSV_BYTES = 16 * 1024 * 1024
"""The largest CSV table that is read."""
MAX_COLUMNS = 200
"""The most columns of a table."""
_WIDE_BAR = "\uff5c"
MAX_ROWS = 10_000
"""The most rows of a table."""
_SPLIT = "divide it into several tables, each with a decision of its own"
DIVIDER = "||"
"""In a CSV file: the heading of the empty column that divides inputs from outputs."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of one cell without the blanks around it, and its place."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number from 1, its input and output cells."""

    number: int
    inputs: tuple[Cell, ...]
    outputs: tuple[Cell, ...]
    span: Span

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells from left to right."""
        return self.inputs + self.outputs


@dataclass(frozen=True, slots=True)
class Table:
    """A heading and rows of the same width; without a double bar all columns are inputs."""

    inputs: tuple[Cell, ...]
    outputs: tuple[Cell, ...]
    rows: tuple[Row, ...]
    span: Span

    @property
    def columns(self) -> tuple[Cell, ...]:
        """All column headings from left to right."""
        return self.inputs + self.outputs


@dataclass(frozen=True, slots=True)
class _Line:
    """One line cut into cells; `divide` is the number of cells before the double bar."""

    cells: tuple[Cell, ...]
    divide: int | None
    span: Span


def read_table(node: ScalarNode) -> Loaded[Table]:
    """Read a pipe table from a literal block (`|`) of a YAML file."""
    if node.style != "literal":
        advice = "write `|` behind the colon of its key, and the table on the lines below"
        return Loaded(None, (Problem("table-not-block", "a table is a block of lines", node.span, advice),))
    problems: list[Problem] = []
    lines = list(_pipe_lines(node, problems))
    return _table(lines, node.span, problems)


def _pipe_lines(node: ScalarNode, problems: list[Problem]) -> Iterator[_Line]:
    for text, span in zip(node.text.splitlines(), node.lines, strict=True):
        stripped = text.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if line := _pipe_line(text, span, problems):
            yield line


def _pipe_line(text: str, span: Span, problems: list[Problem]) -> _Line | None:
    bars, unclosed = find_bars(text)
    if unclosed is not None:
        advice = 'close the text with `"` before the next bar'
        problems.append(
            Problem("open-quote", "a quote is opened and not closed", span.shifted(unclosed), advice)
        )
        return None
    if not bars or text[: bars[0]].strip() or text[bars[-1] + 1 :].strip():
        advice = "each line of a table starts and ends with a bar: `| a | b || out |`"
        message = f"`{text.strip()}` is not a line of a table"
        if bars and not text[: bars[0]].strip():
            message, span = "the row does not end with a bar", span.shifted(len(text.rstrip()) - 1)
        problems.append(Problem("table-line", message, span, advice))
        return None
    cells: list[Cell] = []
    divide: int | None = None
    for left, right in pairwise(bars):
        if right == left + 1:
            if divide is not None:
                message = "the double bar stands twice in this line"
                advice = "one double bar divides inputs from outputs; an empty cell is written `-`"
                problems.append(Problem("double-bar", message, span.shifted(left, 2), advice))
                return None
            divide = len(cells)
            continue
        cells.append(_cell(text, left + 1, right, span))
    return _Line(tuple(cells), divide, span)


def _cell(text: str, start: int, end: int, span: Span) -> Cell:
    raw = text[start:end]
    inner = raw.strip()
    offset = start + (raw.index(inner) if inner else 0)
    return Cell(inner, span.shifted(offset, max(1, len(inner))))


def find_bars(text: str) -> tuple[list[int], int | None]:
    """Return where the bars outside quotes stand, and where a quote that is never closed opens."""
    bars: list[int] = []
    opened: int | None = None
    escaped = False
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif opened is not None:
            escaped = char == "\\"
            opened = None if char == '"' else opened
        elif char == '"':
            opened = index
        elif char == "|":
            bars.append(index)
    return bars, opened


DASHES = re.compile(r":?-{3,}:?")
"""A cell of the row of dashes that may stand under a heading."""


def _table(lines: list[_Line], span: Span, problems: list[Problem]) -> Loaded[Table]:
    if not lines:
        if not problems:
            problems.append(Problem("table-empty", "the table has no heading", span, _HEADING))
        return Loaded(None, tuple(problems))
    head, *body = lines
    if len(head.cells) > MAX_COLUMNS:
        message = f"the table has {len(head.cells):,} columns; at most {MAX_COLUMNS} are read"
        return Loaded(None, (*problems, Problem("table-too-large", message, head.span, _SPLIT)))
    if len(body) > MAX_ROWS:
        message = f"the table has {len(body):,} rows; at most {MAX_ROWS:,} are read"
        return Loaded(None, (*problems, Problem("table-too-large", message, body[MAX_ROWS].span, _SPLIT)))
    if body and body[0].cells and all(DASHES.fullmatch(cell.text) for cell in body[0].cells):
        body = body[1:]
    problems += _heading_problems(head)
    if (misplaced := _heading_bar(head, body)) is not None:
        return Loaded(None, (*problems, misplaced))
    rows = []
    for number, line in enumerate(body, 1):
        wrong = _row_problem(head, line, number)
        if wrong:
            problems.append(wrong)
        else:
            rows.append(_row(head, line, number))
    divide = len(head.cells) if head.divide is None else head.divide
    table = Table(head.cells[:divide], head.cells[divide:], tuple(rows), span)
    return Loaded(None if problems else table, tuple(problems))


_HEADING = "write one: what is looked at, then `||`, then what follows"
_COLUMN = "write what the column looks at or gives, or remove it"
_DIVIDING = f"{_COLUMN}; in a sheet `||` heads the empty column between inputs and outputs"


def _heading_bar(head: _Line, body: list[_Line]) -> Problem | None:
    """Return what is wrong with the heading's double bar where all rows have theirs at one other column."""
    places = {line.divide for line in body}
    place = next(iter(places)) if len(places) == 1 and len(body) > 1 else None
    if place is None or place == head.divide or not 0 < place < len(head.cells):
        return None
    if any(len(line.cells) != len(head.cells) for line in body):
        return None
    cell = head.cells[place]
    where = "no double bar" if head.divide is None else "its double bar at another column than all rows"
    advice = f"put `||` before `{cell.text}`, as in the rows"
    return Problem("double-bar", f"the heading has {where}", cell.span, advice)


def _heading_problems(head: _Line) -> Iterator[Problem]:
    seen: dict[str, Span] = {}
    for cell in head.cells:
        if not cell.text:
            advice = _DIVIDING if head.divide is None else _COLUMN
            yield Problem("column-without-name", "a column has no name", cell.span, advice)
        elif cell.text in seen:
            first = (("the first one stands here", seen[cell.text]),)
            message = f"two columns are named `{cell.text}`"
            yield Problem("duplicate-column", message, cell.span, "join their cells", related=first)
        else:
            seen[cell.text] = cell.span


def _row_problem(head: _Line, line: _Line, number: int) -> Problem | None:
    span = replace(line.span, cell=f"row {number}")
    wide = next((cell for cell in line.cells if _WIDE_BAR in cell.text and '"' not in cell.text), None)
    if wide is not None and (len(line.cells), line.divide) != (len(head.cells), head.divide):
        place = replace(wide.span.shifted(wide.text.index(_WIDE_BAR)), cell=span.cell)
        return Problem("table-width", f"`{_WIDE_BAR}` is a full-width bar", place, "write `|`")
    if len(line.cells) != len(head.cells):
        cells = "1 cell" if len(line.cells) == 1 else f"{len(line.cells)} cells"
        message = f"row {number} has {cells}, the heading has {len(head.cells)}"
        return Problem("table-width", message, span, _first_unmatched(head, line))
    if line.divide != head.divide:
        message = f"row {number} has its double bar at another column than the heading"
        return Problem("double-bar", message, span, "put `||` before the first output, in each line")
    return None


def _first_unmatched(head: _Line, line: _Line) -> str:
    """Return what is missing or too many: the double bar tells on which side of it."""
    divide = len(head.cells) if head.divide is None else head.divide
    inputs = len(line.cells) if line.divide is None else line.divide
    outputs = len(line.cells) - inputs
    if inputs < divide and len(line.cells) < len(head.cells):
        missing = f"there is no cell for column `{head.cells[inputs].text}`"
        return f"{missing}; write `-` where anything may stand"
    if len(line.cells) < len(head.cells):
        missing = f"there is no cell for the output column `{head.cells[divide + outputs].text}`"
        return f"{missing}; write the value, or `null` if there is none"
    extra = line.cells[divide] if inputs > divide else line.cells[len(head.cells)]
    return f"`{extra.text}` is one too many: remove it, or add a column"


def _row(head: _Line, line: _Line, number: int) -> Row:
    named = tuple(
        Cell(cell.text, replace(cell.span, cell=cell.span.cell or f"row {number}, column {column.text}"))
        for column, cell in zip(head.cells, line.cells, strict=True)
    )
    divide = len(named) if head.divide is None else head.divide
    return Row(number, named[:divide], named[divide:], line.span)


def read_csv_table(data: bytes, file: str, *, comments: bool = False) -> Loaded[Table]:
    """Read a table from a CSV file (RFC 4180, UTF-8): a column headed `||` divides inputs from outputs.

    With `comments` a record whose first cell begins with `#` is passed over.
    """
    start = Span(file, 1, 1)
    if len(data) > MAX_CSV_BYTES:
        message = f"the file has {len(data):,} bytes; at most {MAX_CSV_BYTES:,} are read"
        return Loaded(None, (Problem("file-too-large", message, start),))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Loaded(None, (not_utf8(data, error, file),))
    problems: list[Problem] = []
    records = [record for record in _csv_records(text, file, problems) if any(cell.text for cell in record)]
    records = [one for one in records if not (comments and one[0].text.startswith("#"))]
    if records and len(records[0]) == 1 and ";" in records[0][0].text:
        advice = "save the file with commas between the cells"
        divided = Problem("csv-semicolon", "the cells are divided by semicolons", records[0][0].span, advice)
        return Loaded(None, (divided,))  # what else is wrong in it comes of that
    if problems:
        return Loaded(None, tuple(problems))
    return read_records(records, start)


def read_records(records: Iterable[tuple[Cell, ...]], start: Span) -> Loaded[Table]:
    """Read a table from records of cells, of which the first is the heading; `||` heads the divider."""
    problems: list[Problem] = []
    lines = list(_csv_lines(records, problems))
    return _table(lines, start, problems)


def _csv_lines(records: Iterable[tuple[Cell, ...]], problems: list[Problem]) -> Iterator[_Line]:
    divide: int | None = None
    width = 0
    for number, record in enumerate(records):
        if number == 0:
            width = len(record)
            divide = next((i for i, cell in enumerate(record) if cell.text == DIVIDER), None)
        elif divide is not None and len(record) == width and record[divide].text not in ("", DIVIDER):
            cell = record[divide]
            message = f"`{cell.text}` stands in the column that only divides"
            advice = f"move it to the column it belongs to; the column headed `{DIVIDER}` stays empty"
            problems.append(Problem("divider-filled", message, cell.span, advice))
        elif divide is not None and len(record) == width - 1 and number:
            message = f"row {number} has {len(record)} cells, the heading has {width}"
            advice = f"below `{DIVIDER}` stands an empty cell in each row; an input without a test is `-`"
            problems.append(Problem("table-width", message, record[0].span, advice))
            continue
        cells = record if divide is None else record[:divide] + record[divide + 1 :]
        yield _Line(cells, divide, record[0].span)


_CSV_CELL = re.compile(r'[ \t]*"((?:[^"]|"")*)"[ \t]*(?=,|\r|\n|\Z)|([^,\r\n]*)')


def _csv_records(text: str, file: str, problems: list[Problem]) -> Iterator[tuple[Cell, ...]]:
    position, line, line_start = 0, 1, 0
    record: list[Cell] = []
    while True:
        match = _CSV_CELL.match(text, position)
        assert match is not None  # the second alternative matches nothing, too
        column = position - line_start + 1
        quoted = match[1] is not None
        raw = match[1].replace('""', '"') if quoted else match[2]
        lead = match.start(1) - position if quoted else len(raw) - len(raw.lstrip())
        span = Span(file, line, column + lead, max(1, len(raw.strip())))
        if not quoted and raw.lstrip().startswith('"'):
            advice = 'inside a quoted cell write `""` for a quote; close it before the comma'
            problems.append(Problem("open-quote", "a quote is opened and not closed", span, advice))
        record.append(Cell(raw.strip(), span))
        breaks = [m.end() for m in re.finditer(r"\r\n|\r|\n", match[0])]
        line, line_start = line + len(breaks), position + breaks[-1] if breaks else line_start
        position = match.end()
        if position < len(text) and text[position] == ",":
            position += 1
            continue
        yield tuple(record)
        record = []
        position += 2 if text.startswith("\r\n", position) else 1
        line, line_start = line + 1, position
        if position >= len(text):
            return


def csv_with_cells(data: bytes, edits: Mapping[tuple[int, int], str]) -> bytes:
    """Return a CSV file with other texts in some cells, by the line and column at which each begins.

    Everything else stays as it was, byte for byte; a cell that stood in quotes still does.
    """
    mark, body = (data[:3], data[3:]) if data.startswith(b"\xef\xbb\xbf") else (b"", data)
    text = body.decode("utf-8")
    parts: list[str] = []
    position, line, line_start = 0, 1, 0
    while position <= len(text):
        match = _CSV_CELL.match(text, position)
        assert match is not None  # the second alternative matches nothing, too
        raw = match[0]
        lead = match.start(1) - position if match[1] is not None else len(raw) - len(raw.lstrip())
        new = edits.get((line, position - line_start + 1 + lead))
        parts.append(raw if new is None else _in_place_of(raw, new))
        breaks = [m.end() for m in re.finditer(r"\r\n|\r|\n", raw)]
        line, line_start = line + len(breaks), position + breaks[-1] if breaks else line_start
        position = match.end()
        end = 2 if text.startswith("\r\n", position) else 1
        parts.append(text[position : position + end])
        if text[position : position + 1] != ",":
            line, line_start = line + 1, position + end
        position += end
    return mark + "".join(parts).encode("utf-8")


def _in_place_of(raw: str, text: str) -> str:
    """Return a cell with another text, with the blanks and the quotes that it had."""
    inner = raw.strip(" \t")
    before, after = raw[: len(raw) - len(raw.lstrip(" \t"))], raw[len(raw.rstrip(" \t")) :]
    if inner.startswith('"') or any(sign in text for sign in ',"\r\n'):
        text = '"' + text.replace('"', '""') + '"'
    return f"{before}{text}{after if inner else ''}"
