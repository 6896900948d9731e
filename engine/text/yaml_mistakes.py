"""What is told of a text that is not YAML: where it went wrong, in the words of authors."""

from __future__ import annotations

import re

import yaml

from engine.source import Problem, Span
from engine.text.meant import first_wide, narrow


def not_utf8(data: bytes, error: UnicodeDecodeError, file: str) -> Problem:
    """Return the problem of a file that is not UTF-8, with the place of the first bad byte."""
    before = data[: error.start]
    line = before.count(b"\n") + 1
    column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
    advice = "save the file as UTF-8 (in a spreadsheet: `CSV UTF-8`)"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Problem("not-utf8", "the file is saved as UTF-16, not as UTF-8", Span(file, 1, 1), advice)
    message = f"the file is not saved as UTF-8: it has the byte `{data[error.start]:#04x}`"
    return Problem("not-utf8", message, Span(file, line, column), advice)


def unreadable_character(text: str, error: yaml.reader.ReaderError, file: str) -> Problem:
    """Return the problem of a character that YAML refuses."""
    code = error.character if isinstance(error.character, int) else ord(str(error.character))
    return _bad_character(text, int(error.position), code, file)


def invisible_character(text: str, file: str) -> Problem | None:
    """Return the problem of the first character that nobody sees and that changes what is read."""
    found = _INVISIBLE.search(text)
    return _bad_character(text, found.start(), ord(found[0]), file) if found else None


def _bad_character(text: str, position: int, code: int, file: str) -> Problem:
    lines = text[:position].splitlines() or [""]
    if text[:position].endswith(("\n", "\r")):
        lines.append("")
    message = f"the character U+{code:04X} is not allowed in a text file"
    span = Span(file, len(lines), len(lines[-1]) + 1)
    return Problem("bad-character", message, span, "delete the invisible character here")


_INVISIBLE = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Characters that nobody sees and that change what is read: of no width, or turning the direction."""
_QUOTES = 'put a text that has `: ` in it, or begins with `@`, `%`, `&` or `*`, in quotes: `"..."`'
_COLUMN = "start the lines that belong together in the same column"
_SAID = (
    ("mapping values are not allowed", "a second `: ` stands on one line", _QUOTES),
    ("'\\t' that cannot start any token", "there is a tab here", "write blanks instead of tabs"),
    ("that cannot start any token", "a text cannot begin with this sign", _QUOTES),
    ("could not find expected ':'", "the line is no `key: value`", "write a colon and a blank after the key"),
    ("expected <block end>", "the line does not begin in the column of those above it", _COLUMN),
    ("but got ':'", "a second `: ` stands in this entry", _QUOTES),
    ("expected ',' or '}'", "a comma or the closing `}` is missing before this", "write `{a: 1, b: 2}`"),
    ("expected ',' or ']'", "a comma or the closing `]` is missing before this", "add `]`, or the comma"),
    ("unexpected end of stream", "a quote was opened and not closed", "close it, on the same line"),
    ("expected <document start>", "the line does not begin in the column of those above it", _COLUMN),
    ("unknown escape character", "in double quotes a backslash is special", "use single quotes"),
    ("expected the node content", "a value is missing before this", "write the value, or remove the sign"),
)  # fmt: skip
"""What the reader of YAML says, and what is told instead: what is wrong, and what to do."""
_OPEN_QUOTE = re.compile(r"""(?:^|[:,\[{-])\s+(?P<open>(?P<sign>["'])(?:(?!(?P=sign)).)*)$""")


def syntax_problem(error: yaml.MarkedYAMLError, file: str, source: list[str]) -> Problem:
    """Return the problem of a text that is not YAML: what people do wrong rather than what the reader met."""
    said = str(error.problem or error.context or "it cannot be read")
    mark, context = error.problem_mark, error.context_mark
    if context and ("end of stream" in said or "expected ':'" in said):
        mark = context  # where it began says more than where it was noticed
    span = Span(file, mark.line + 1, mark.column + 1) if mark else Span(file, 1, 1)
    first = context.line if context else span.line - 1
    if found := _cause(source, first, span, said):
        return found
    fallback = (f"this is not YAML: {said}", "check the indentation and the quotes near here")
    message, advice = next(((text, advice) for part, text, advice in _SAID if part in said), fallback)
    related: tuple[tuple[str, Span], ...] = ()
    if context and "flow" in str(error.context) and context.line != span.line - 1:
        related = (("it was opened here", Span(file, context.line + 1, context.column + 1)),)
        closing = "}" if "mapping" in str(error.context) else "]"
        message, advice = f"the closing `{closing}` is missing before this", f"add `{closing}`"
    return Problem("yaml-syntax", message, span, advice, related=related)


def _cause(source: list[str], first: int, span: Span, said: str) -> Problem | None:
    """Return what people do wrong more often than the rules of YAML can say, if it is to be seen."""
    start = max(0, min(first, span.line - 1) - 1, span.line - 60)
    lines = list(enumerate(source[start : span.line], start + 1))
    if wide := first_wide(lines[-20:]):
        number, column, sign = wide
        shown = (
            f"`{sign}` is a full-width sign"
            if sign.isprintable()
            else "the line is indented with blanks of another kind"
        )
        advice = f"write `{narrow(sign)}`" if sign.isprintable() else "indent with plain blanks"
        return Problem("yaml-syntax", shown, Span(span.file, number, column), advice)
    for number, line in lines:
        if (found := _OPEN_QUOTE.search(line)) and not line.lstrip().startswith(("#", "|")):
            place = Span(span.file, number, found.start("open") + 1, len(found["open"]))
            return Problem(
                "yaml-syntax", "a quote was opened and not closed", place, "close it, on the same line"
            )
    if any(
        part in said
        for part in ("mapping values", "<block end>", "<document start>", "comment or a line break")
    ):
        return _misplaced(source, span)
    return None


def _misplaced(source: list[str], span: Span) -> Problem | None:
    """Return what is wrong with a line that stands in another column than those it could belong to."""
    line = source[span.line - 1] if span.line <= len(source) else ""
    before = [(n, text) for n, text in enumerate(source[: span.line - 1], 1) if text.strip(" -")]
    number, above = next(((n, t) for n, t in reversed(before) if not t.lstrip().startswith("#")), (0, ""))
    place, mine, other = Span(span.file, span.line, _indent(line) + 1), _indent(line), _indent(above)
    if line.lstrip().startswith("|") and above.rstrip().endswith(":"):
        message = f"the table needs a `|` behind `{above.strip()}`"
        return Problem("yaml-syntax", message, place, f"write `{above.strip()} |`")
    if re.search(r":\s+\|\s*[^\s|>+-]", line):
        return Problem(
            "yaml-syntax", "a table begins below the `|`", span, "begin the table on the next line"
        )
    rows = line.lstrip().startswith("|") and above.lstrip().startswith("|")
    if mine == other or not (rows or ": " in above + " "):
        return None
    related = (("the line above stands here", Span(span.file, number, other + 1)),)
    message = f"the line is indented by {mine}, the line above by {other}"
    return Problem("yaml-syntax", message, place, _COLUMN, related=related)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
