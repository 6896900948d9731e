"""The `decisions:` of a policy: tables, scorecards and expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from engine.credit.model import (
    REASON,
    Bin,
    Characteristic,
    DecisionDefinition,
    DecisionTable,
    Expression,
    Formula,
    HitPolicy,
    Output,
    Rule,
    Scorecard,
    Tests,
)
from engine.credit.policy_reader import PolicyReader
from engine.feel.syntax import Null, String
from engine.source import Span
from engine.text import (
    Cell,
    MapNode,
    Node,
    Row,
    ScalarNode,
    Table,
    did_you_mean,
    optional,
    read_csv_table,
    read_table,
    suggest,
)
from engine.text.meant import meant_test, plain_numbers

_BARE = re.compile(r"[^\W\d]\w*(?:-\w+)*")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_LETTERS = {
    "U": HitPolicy.UNIQUE, "F": HitPolicy.FIRST, "A": HitPolicy.ANY, "R": HitPolicy.RULE_ORDER,
    "C": HitPolicy.COLLECT, "C+": HitPolicy.COLLECT_SUM, "C<": HitPolicy.COLLECT_MIN,
    "C>": HitPolicy.COLLECT_MAX, "C#": HitPolicy.COLLECT_COUNT,
}  # fmt: skip
"""The letters by which DMN marks a table (8.2.8)."""
_NUMBERS = re.compile(r"[\s\d.,<>=\[\]()-]+")
_DECIMAL_COMMA = re.compile(r"(?<![\d,])(?<!\d\.)\d+,\d{1,2}(?![\d,])")
_RANGE = re.compile(r"([\[(]?)\s*(\d+(?:\.\d+)?)\s*(-|,|\.{3,})\s*(\d+(?:\.\d+)?)\s*([\])]?)")
_CHAINED = re.compile(r"\d+(?:\.\d+)?\s*<=?\s*\w+\s*<=?\s*\d+(?:\.\d+)?")
_POINTS_AND_COMMA = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:\.\d{3})+,\d{1,2}(?![\d,])")
_BESIDE = {
    "table": "move it into the scorecard", "file": "move it into the scorecard",
    "hit": "remove it: a scorecard adds the points of all its characteristics",
    "otherwise": "remove it, and write a bin for what is left",
}  # fmt: skip
"""What to do with keys of a decision table that stand beside a scorecard."""
_SEPARATED = re.compile(r"(?<![\w\"])(?<!\d\.)\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\w\"])")
_NOT_HERE = {"PRIORITY": "use FIRST, with the rows in order of priority", "OUTPUT ORDER": "use RULE ORDER"}
_KEYS = ("table", "file", "hit", "otherwise", "scorecard")


def read_decision(reader: PolicyReader, key: ScalarNode, node: Node) -> DecisionDefinition | None:
    """Read one decision; None, with the problems noted, when it cannot be understood."""
    what = f"decision `{key.text}`"
    if isinstance(node, ScalarNode):
        expression = reader.expression(node, what)
        return Formula(key.text, key.span, expression) if expression else None
    fields = reader.fields(node, what, optional=_KEYS)
    if fields is None:
        return None
    if "scorecard" in fields:
        for other in ("table", "file", "hit", "otherwise"):
            if other in fields:
                message = f"`{other}` of {what} does not go with `scorecard`"
                reader.error("scorecard-mixed", message, fields[other].span, _BESIDE[other])
        return _scorecard(reader, key, fields["scorecard"], f"scorecard `{key.text}`")
    return _decision_table(reader, key, node, fields, f"table `{key.text}`")


def _table(reader: PolicyReader, node: Node, fields: dict[str, Node], what: str) -> Table | None:
    """Return the table that stands in `table:` or in the CSV file that `file:` names."""
    if "table" in fields and "file" in fields:
        message = f"{what} stands here, and in `file` too"
        reader.error("table-where", message, fields["file"].span, "keep one of the two")
        return None
    if ("table" in fields) == ("file" in fields):
        keys = [key.text for key, _ in node.entries] if isinstance(node, MapNode) else []
        if not fields.keys() & {"table", "file"} and any(suggest(key, ["table", "file"]) for key in keys):
            return None  # the misspelt key was told
        advice = "write the rows after `table: |`, or name a CSV file with `file: tables/name.csv`"
        reader.error("table-where", f"{what} needs either `table` or `file`", node.span, advice)
        return None
    if "file" in fields:
        path = reader.text(fields["file"], f"`file` of {what}")
        data = reader.file(path, fields["file"].span) if path else None
        loaded = read_csv_table(data, path or "") if data is not None else None
    else:
        block = fields["table"]
        if not isinstance(block, ScalarNode):
            advice = "start the table on its own lines after `table: |`"
            reader.error("table-not-block", f"`table` of {what} is not a block of lines", block.span, advice)
            return None
        loaded = read_table(block)
    if loaded is None:
        return None
    reader.take(loaded.problems)
    return loaded.policy


def _decision_table(
    reader: PolicyReader, key: ScalarNode, node: Node, fields: dict[str, Node], what: str
) -> DecisionTable | None:
    hit = _hit(reader, fields, what)
    table = _table(reader, node, fields, what)
    if table is None or hit is None:
        return None
    if not table.outputs or not table.inputs:
        advice = "divide inputs from outputs by a double bar: `| score || grade |`"
        reader.error("table-divided", f"{what} needs an input and an output column", table.span, advice)
        return None
    inputs = [reader.expression_at(cell.text, cell.span) for cell in table.inputs]
    outputs = tuple(_output(reader, cell) for cell in table.outputs)
    results = _results(reader, table, what)
    otherwise = _otherwise(reader, fields, outputs, what)
    if len(outputs) > 1 and hit.name.startswith("COLLECT_"):
        message = f"{what} collects with {hit}, which needs one output column; there are {len(outputs)}"
        reader.error("collect-width", message, fields["hit"].span, "make a table for each output")
        return None
    rules = [_rule(reader, row, results) for row in table.rows]
    if not table.rows:
        reader.error("table-without-rows", f"{what} has no rows", table.span, "write one below the heading")
    if None in inputs or None in rules or not rules:
        return None
    return DecisionTable(
        key.text, key.span, hit,
        tuple(expression for expression in inputs if expression),
        outputs,
        tuple(rule for rule in rules if rule),
        otherwise,
    )  # fmt: skip


def _hit(reader: PolicyReader, fields: dict[str, Node], what: str) -> HitPolicy | None:
    if "hit" not in fields:
        return HitPolicy.UNIQUE
    text = reader.text(fields["hit"], f"`hit` of {what}")
    if text is None or text in set(HitPolicy):
        return HitPolicy(text) if text else None
    letters = _LETTERS.get(text.upper().replace(" ", ""))
    advice = (
        _NOT_HERE.get(text.upper())
        or (f"write `{letters}`" if letters else "")
        or did_you_mean(text, [str(hit) for hit in HitPolicy], of="hit policies")
    )
    reader.error("unknown-hit-policy", f"`{text}` is not a hit policy", fields["hit"].span, advice)
    return None


def _output(reader: PolicyReader, cell: Cell) -> Output:
    reader.name(ScalarNode(cell.text, cell.span, "quoted"), "the name of an output column")
    return Output(cell.text, cell.span)


_SEVERAL = re.compile(r"\w+(?:\s*[,;+/&]\s*\w+|\s+and\s+\w+)+")
"""Reason codes in one cell."""


def _results(reader: PolicyReader, table: Table, what: str) -> dict[tuple[int, int], Expression]:
    """Return the output cells by row number and column; a text column may be written bare."""
    found: dict[tuple[int, int], Expression] = {}
    for column, heading in enumerate(table.outputs):
        cells = [(row.number, row.outputs[column]) for row in table.rows]
        bare = heading.text == REASON or 2 * sum(_is_text(reader, cell) for _, cell in cells) > len(cells)
        for number, cell in cells:
            result = _result(reader, cell, bare, heading.text)
            if result:
                found[number, column] = result
    return found


def _is_text(reader: PolicyReader, cell: Cell) -> bool:
    text = cell.text
    if text in ("", "-", "null"):
        return True
    if text.startswith('"'):
        return True
    return bool(_BARE.fullmatch(text)) and text not in ("true", "false") and text not in reader.names


def _result(reader: PolicyReader, cell: Cell, bare: bool, heading: str) -> Expression | None:
    text = cell.text
    if text in ("", "-"):
        if heading != REASON:
            advice = "write the value, or `null` if there is none"
            reader.error("output-empty", f"an output cell of column `{heading}` is empty", cell.span, advice)
            return None
        return Expression("null", cell.span, Null())
    if bare and _is_text(reader, cell) and _BARE.fullmatch(text) and text != "null":
        return Expression(text, cell.span, String(text, length=len(text)))
    if heading == REASON and _is_several(
        reader, cell, "write one code a row; with `hit: RULE ORDER` all rows that match give their reasons"
    ):
        return None
    return None if _has_comma(reader, cell) else reader.expression_at(text, cell.span)


def _is_several(reader: PolicyReader, cell: Cell, advice: str) -> bool:
    """Note a cell that holds more than one reason code."""
    found = _SEVERAL.fullmatch(cell.text) is not None
    if found:
        reader.error("several-reasons", f"`{cell.text}` is more than one reason code", cell.span, advice)
    return found


def _is_other_range(reader: PolicyReader, cell: Cell) -> bool:
    """Note a range as it is written elsewhere: `3-12`, `[3,12)`, `[3...12)`, `3 <= x < 12`."""
    if _CHAINED.fullmatch(cell.text):
        message = f"`{cell.text}` compares twice"
        reader.error("range-chained", message, cell.span, f"write `{meant_test(cell.text)}`")
        return True
    found = _RANGE.fullmatch(cell.text)
    if found is None or (found[3] == "," and (found[1] == "[") == (found[5] == "]")):
        return False
    advice = f"write `{found[1] or '['}{found[2]}..{found[4]}{found[5] or ']'}` for a range"
    if found[3] == "-":
        reader.error("range-with-dash", f"`{cell.text}` is a subtraction", cell.span, advice)
    elif found[3] != ",":
        reader.error("range-with-dots", f"`{cell.text}` has {len(found[3])} dots", cell.span, advice)
    else:
        reader.error("range-with-comma", f"`{cell.text}` has a comma between its ends", cell.span, advice)
    return True


def _has_comma(reader: PolicyReader, cell: Cell) -> bool:
    """Note `1,500.00` and `50,00`, which FEEL reads as two values, 1 and 500.00, or 50 and 0."""
    found = _SEPARATED.search(cell.text)
    if found is None and _NUMBERS.fullmatch(cell.text):
        found = _POINTS_AND_COMMA.search(cell.text) or _DECIMAL_COMMA.search(cell.text)
    if found is None:
        return False
    place = cell.span.shifted(found.start(), len(found[0]))
    advice = f"write `{plain_numbers(found[0])}`, or a blank after the comma if two values are meant"
    reader.error("number-with-comma", f"`{found[0]}` has a comma in it", place, advice)
    return True


def _otherwise(
    reader: PolicyReader, fields: dict[str, Node], outputs: tuple[Output, ...], what: str
) -> tuple[Expression, ...] | None:
    if "otherwise" not in fields:
        return None
    node = fields["otherwise"]
    if isinstance(node, ScalarNode) and len(outputs) == 1:
        cells = {outputs[0].name: node}
    else:
        names = [output.name for output in outputs]
        found = reader.fields(node, f"`otherwise` of {what}", required=names)
        cells = {k: v for k, v in (found or {}).items() if isinstance(v, ScalarNode)}
    results = []
    for output in outputs:
        if output.name in cells:
            cell = cells[output.name]
            text = Cell(cell.text.strip(), cell.inner)
            results.append(_result(reader, text, _is_text(reader, text), output.name))
    complete = tuple(result for result in results if result)
    return complete if len(complete) == len(outputs) else None


def _rule(reader: PolicyReader, row: Row, results: dict[tuple[int, int], Expression]) -> Rule | None:
    tests = [_tests(reader, cell) for cell in row.inputs]
    values = [results.get((row.number, column)) for column in range(len(row.outputs))]
    if None in tests or None in values:
        return None
    span = replace(row.span, cell=f"row {row.number}")
    return Rule(row.number, span, tuple(t for t in tests if t), tuple(v for v in values if v))


def _tests(reader: PolicyReader, cell: Cell) -> Tests | None:
    if cell.text:
        if _is_other_range(reader, cell):
            return None
        return None if _has_comma(reader, cell) else reader.tests_at(cell.text, cell.span)
    advice = "write `-` where anything may stand"
    reader.error("input-empty", "an input cell is empty", cell.span, advice)
    return None


_CARD = ("characteristic", "bin", "points", REASON)


def _scorecard(reader: PolicyReader, key: ScalarNode, node: Node, what: str) -> Scorecard | None:
    fields = reader.fields(node, what, ["base"], ["table", "file"])
    if fields is None or not isinstance(node, MapNode):
        return None
    base = optional(fields, "base", reader.decimal, f"`base` of {what}")
    table = _table(reader, node, fields, what)
    if table is None or not _card_columns(reader, table, what):
        return None
    rows: dict[str, list[Bin]] = {}
    expressions: dict[str, Expression] = {}
    for row in table.rows:
        cells = dict(zip((c.text for c in table.columns), row.cells, strict=True))
        heading = cells["characteristic"]
        expression = reader.expression_at(heading.text, heading.span)
        bin_ = _bin(reader, row, cells)
        if expression and bin_:
            expressions.setdefault(heading.text, expression)
            rows.setdefault(heading.text, []).append(bin_)
    if base is None or not rows:
        if not table.rows:
            reader.error("table-without-rows", f"{what} has no rows", table.span)
        return None
    parts = tuple(Characteristic(expressions[name], tuple(bins)) for name, bins in rows.items())
    return Scorecard(key.text, key.span, base, parts)


def _card_columns(reader: PolicyReader, table: Table, what: str) -> bool:
    names = [cell.text for cell in table.columns]
    wrong = list(_wrong_columns(names))
    renamed = {suggest(name, _CARD) for name in wrong if name in names}
    wrong = [name for name in wrong if name in names or name not in renamed]  # told at what it is called here
    for name in wrong:
        span = next((cell.span for cell in table.columns if cell.text == name), table.span)
        known = name in names
        message = f"{what} has no column `{name}`" if known else f"{what} lacks the column `{name}`"
        advice = did_you_mean(name, _CARD, of="columns") if known else f"the columns are {', '.join(_CARD)}"
        reader.error("scorecard-column", message, span, advice)
    return not wrong


def _wrong_columns(names: list[str]) -> Iterator[str]:
    yield from (name for name in names if name not in _CARD)
    yield from (name for name in _CARD if name not in names and name != REASON)


def _bin(reader: PolicyReader, row: Row, cells: dict[str, Cell]) -> Bin | None:
    tests = _tests(reader, cells["bin"])
    points = _points(reader, cells["points"])
    reason = cells[REASON].text if REASON in cells else ""
    several = REASON in cells and _is_several(reader, cells[REASON], "write one code a bin: the main reason")
    if tests is None or points is None or several:
        return None
    span: Span = replace(row.span, cell=f"row {row.number}")
    place = cells[REASON].span if REASON in cells else None
    return Bin(row.number, span, tests, points, "" if reason == "-" else reason.strip('"'), place)


def _points(reader: PolicyReader, cell: Cell) -> Decimal | None:
    if _NUMBER.fullmatch(cell.text):
        return Decimal(cell.text)
    reader.error(
        "points-not-number", f"`{cell.text}` is not a number of points", cell.span, "write `35` or `-20`"
    )
    return None
