"""Decision tables to statements: a lookup where all cells and outputs are literal, else a search."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from engine.credit import generated
from engine.credit.interpret import SUMMED, aggregated
from engine.credit.lookups import Column, TooManySlots, nested
from engine.credit.model import DecisionTable, Expression, HitPolicy
from engine.credit.writing import Writing, assignment, looked_up, name_of, unpacking
from engine.feel import kinds, syntax
from engine.feel.kinds import ContextOf, FeelType
from engine.feel.to_python import Variable
from engine.feel.values import Value

LIST_SLOTS = 2_000
"""Slots of a lookup whose leaves are lists: independent columns multiply."""
_STUCK = object()
"""The leaf of a lookup where there is no plain answer."""
Leaf = Callable[[int], Any]


def write_table(writing: Writing, table: DecisionTable) -> None:
    """Write a decision table: its outputs become variables, its reason codes a list."""
    columns = _columns(writing, table)
    if columns is not None:
        writing.sorted[table.name] = [column.sorting for column in columns]
        try:
            (_look_up_rows if table.hit.single else _look_up_lists)(writing, table, columns)
            return
        except TooManySlots:
            pass  # a search costs more time, and gives the same
    inputs = [writing.held(heading) for heading in table.inputs]
    if table.hit is HitPolicy.FIRST:
        _search_first(writing, table, inputs)
    else:
        _search_all(writing, table, inputs)


def _columns(writing: Writing, table: DecisionTable) -> list[Column] | None:
    literal = all(_literal(result) for rule in table.rules for result in rule.results)
    if not literal and not table.hit.single:
        return None
    cells = [[rule.tests[place] for rule in table.rules] for place in range(len(table.inputs))]
    grid = writing.grid(table.inputs, cells)
    return None if grid is None else writing.columns(table.inputs, grid)


def _literal(result: Expression) -> bool:
    return isinstance(result.node, syntax.Number | syntax.String | syntax.Boolean | syntax.Null)


def _value(result: Expression) -> Value:
    node = result.node
    return node.value if isinstance(node, syntax.Number | syntax.String | syntax.Boolean) else None


def _row_of(table: DecisionTable, left: int) -> int | None:
    """Return the row that a table takes of those that match (as bits); -1: `otherwise`; None: no answer."""
    if not left:
        return None if table.otherwise is None else -1
    first = (left & -left).bit_length() - 1
    if table.hit is HitPolicy.UNIQUE and left & (left - 1):
        return None
    if table.hit is HitPolicy.ANY:
        values = [[_value(r) for r in rule.results] for i, rule in enumerate(table.rules) if left >> i & 1]
        return first if all(value == values[0] for value in values) else None
    return first


def _results_of(table: DecisionTable, row: int) -> tuple[Expression, ...]:
    return (table.otherwise or ()) if row < 0 else table.rules[row].results


# looking up


def _look_up_rows(writing: Writing, table: DecisionTable, columns: Sequence[Column]) -> None:
    rows = range(-1 if table.otherwise is not None else 0, len(table.rules))
    everything = [_results_of(table, row) for row in rows]
    literal = all(_literal(result) for results in everything for result in results)
    if not literal and table.hit is HitPolicy.ANY:
        raise TooManySlots  # whether outputs agree is known only when they are computed
    outputs = [writing.unit.fresh() for _ in table.outputs]
    nullable = [False] * len(outputs)
    if literal:
        nullable = [any(_value(results[i]) is None for results in everything) for i in range(len(outputs))]
        _literal_rows(writing, table, columns, outputs)
    else:
        _dispatched_rows(writing, table, columns, outputs, nullable)
    _name_outputs(writing, table, outputs, nullable)
    if table.reason_column is not None:
        column = table.reason_column
        writing.reasons[table.name] = _listed(writing, outputs[column], nullable[column])


def _literal_rows(
    writing: Writing, table: DecisionTable, columns: Sequence[Column], outputs: Sequence[str]
) -> None:
    def leaf(left: int) -> Any:
        row = _row_of(table, left)
        if row is None:
            return _STUCK
        values = tuple(_value(result) for result in _results_of(table, row))
        return values if len(values) > 1 else values[0]

    root = nested(columns, len(table.rules), leaf)
    found = outputs[0] if len(outputs) == 1 else writing.unit.fresh()
    writing.assign(found, looked_up(root, columns, writing.unit))
    _give_up_if_stuck(writing, found, root, len([c for c in columns if c.slot is not None]))
    if len(outputs) > 1:
        writing.body.append(unpacking(outputs, name_of(found)))


def _give_up_if_stuck(writing: Writing, found: str, root: Any, depth: int) -> None:
    level: dict[int, Any] = {id(root): root}
    for _ in range(depth):
        level = {id(child): child for node in level.values() for child in node}
    if id(_STUCK) in level:
        is_stuck = ast.Compare(name_of(found), [ast.Is()], [writing.unit.constant(_STUCK)])
        writing.body.append(ast.If(is_stuck, [writing.stuck()], []))


def _dispatched_rows(
    writing: Writing,
    table: DecisionTable,
    columns: Sequence[Column],
    outputs: Sequence[str],
    nullable: list[bool],
) -> None:
    """The lookup finds the number of the row; only its outputs are then computed."""
    root = nested(columns, len(table.rules), lambda left: _row_of(table, left))
    found = writing.unit.fresh()
    writing.assign(found, looked_up(root, columns, writing.unit))
    absent = ast.Compare(name_of(found), [ast.Is()], [ast.Constant(None)])
    writing.body.append(ast.If(absent, [writing.stuck()], []))
    rows = list(range(-1 if table.otherwise is not None else 0, len(table.rules)))
    writing.body += _dispatch(writing, table, rows, found, outputs, nullable)


def _dispatch(
    writing: Writing,
    table: DecisionTable,
    rows: Sequence[int],
    found: str,
    outputs: Sequence[str],
    nullable: list[bool],
) -> list[ast.stmt]:
    if len(rows) == 1:
        return _take(writing, outputs, _results_of(table, rows[0]), nullable)
    half = len(rows) // 2
    below = ast.Compare(name_of(found), [ast.Lt()], [ast.Constant(rows[half])])
    lower = _dispatch(writing, table, rows[:half], found, outputs, nullable)
    upper = _dispatch(writing, table, rows[half:], found, outputs, nullable)
    return [ast.If(below, lower, upper)]


def _take(
    writing: Writing, outputs: Sequence[str], results: Sequence[Expression], nullable: list[bool]
) -> list[ast.stmt]:
    statements: list[ast.stmt] = []
    for index, (identifier, result) in enumerate(zip(outputs, results, strict=True)):
        piece = writing.piece(result)
        nullable[index] |= piece.nullable
        statements.append(assignment(identifier, piece.code))
    return statements


def _look_up_lists(writing: Writing, table: DecisionTable, columns: Sequence[Column]) -> None:
    """The leaf is the table's whole value, with the reason codes."""
    if table.otherwise is not None and not all(map(_literal, table.otherwise)):
        raise TooManySlots  # `otherwise` has to be computed

    def leaf(left: int) -> Any:
        rules = [rule for place, rule in enumerate(table.rules) if left >> place & 1]
        rows = [tuple(map(_value, rule.results)) for rule in rules]
        if not rows and table.otherwise is not None and table.hit in SUMMED:
            rows = [tuple(map(_value, table.otherwise))]
        if table.hit in SUMMED and not (rows and all(isinstance(row[0], Decimal) for row in rows)):
            return _STUCK
        return _whole_value(table, rows), generated.codes_of(rows, table.reason_column)

    found, root = writing.unit.fresh(), nested(columns, len(table.rules), leaf, LIST_SLOTS)
    writing.assign(found, looked_up(root, columns, writing.unit))
    _give_up_if_stuck(writing, found, root, len([c for c in columns if c.slot is not None]))
    value, codes = writing.unit.fresh(), writing.unit.fresh()
    writing.body.append(unpacking([value, codes], name_of(found)))
    writing.variables[table.name] = Variable(value, writing.policy.kinds[table.name], False)
    if table.reason_column is not None:
        writing.reasons[table.name] = codes


def _whole_value(table: DecisionTable, rows: Sequence[tuple[Value, ...]]) -> Value:
    if len(table.outputs) == 1:
        return aggregated(table.hit, [row[0] for row in rows])
    names = [output.name for output in table.outputs]
    return aggregated(table.hit, [dict(zip(names, row, strict=True)) for row in rows])


# searching


def _search_first(writing: Writing, table: DecisionTable, inputs: Sequence[Variable]) -> None:
    """The first row that matches ends the search: `while True: if row: take it; break`."""
    outputs = [writing.unit.fresh() for _ in table.outputs]
    nullable = [False] * len(outputs)
    search: list[ast.stmt] = []
    for rule in table.rules:
        taken = _take(writing, outputs, rule.results, nullable)
        search.append(ast.If(writing.condition(rule.tests, inputs), [*taken, ast.Break()], []))
    if table.otherwise is None:
        search.append(writing.stuck())
    else:
        search += _take(writing, outputs, table.otherwise, nullable)
    writing.body.append(ast.While(ast.Constant(True), [*search, ast.Break()], []))
    _name_outputs(writing, table, outputs, nullable)
    if table.reason_column is not None:
        column = table.reason_column
        writing.reasons[table.name] = _listed(writing, outputs[column], nullable[column])


def _search_all(writing: Writing, table: DecisionTable, inputs: Sequence[Variable]) -> None:
    """Every row that matches adds its outputs to a list, of which the value is then made."""
    rows = writing.unit.fresh()
    writing.assign(rows, ast.List([], ast.Load()))
    for rule in table.rules:
        add = ast.Attribute(name_of(rows), "append", ast.Load())
        call = ast.Call(add, [_computed(writing, rule.results)], [])
        writing.body.append(ast.If(writing.condition(rule.tests, inputs), [ast.Expr(call)], []))
    if table.otherwise is not None and not table.hit.lists and table.hit is not HitPolicy.COLLECT_COUNT:
        only = ast.List([_computed(writing, table.otherwise)], ast.Load())
        writing.body.append(ast.If(ast.UnaryOp(ast.Not(), name_of(rows)), [assignment(rows, only)], []))
    value = writing.unit.fresh()
    code = writing.unit.call(generated.joined, writing.unit.constant(table), name_of(rows))
    writing.assign(value, code)
    writing.variables[table.name] = Variable(value, writing.policy.kinds[table.name], table.hit.single)
    if table.reason_column is not None:
        codes = writing.reasons[table.name] = writing.unit.fresh()
        column = writing.unit.constant(table.reason_column)
        writing.assign(codes, writing.unit.call(generated.codes_of, name_of(rows), column))


def _computed(writing: Writing, results: Sequence[Expression]) -> ast.expr:
    return ast.Tuple([writing.piece(result).code for result in results], ast.Load())


# naming


def _name_outputs(
    writing: Writing, table: DecisionTable, outputs: Sequence[str], nullable: Sequence[bool]
) -> None:
    kind = writing.policy.kinds[table.name]
    if len(outputs) == 1:
        writing.variables[table.name] = Variable(outputs[0], kind, nullable[0])
        return
    for output, identifier, null in zip(table.outputs, outputs, nullable, strict=True):
        path = f"{table.name}.{output.name}"
        writing.variables[path] = Variable(identifier, _entry(kind, output.name), null)
    if table.name in writing.as_one:
        names: list[ast.expr | None] = [writing.unit.constant(output.name) for output in table.outputs]
        context = writing.unit.fresh()
        writing.assign(context, ast.Dict(names, [name_of(identifier) for identifier in outputs]))
        writing.variables[table.name] = Variable(context, kind, False)


def _entry(kind: FeelType, name: str) -> FeelType:
    return (kind.get(name) if isinstance(kind, ContextOf) else None) or kinds.ANY


def _listed(writing: Writing, code: str, nullable: bool) -> str:
    """Return the identifier of a list of one reason code, or of none."""
    identifier = writing.unit.fresh()
    some: ast.expr = ast.Tuple([name_of(code)], ast.Load())
    if nullable:
        absent = ast.Compare(name_of(code), [ast.Is()], [ast.Constant(None)])
        some = ast.IfExp(absent, ast.Tuple([], ast.Load()), some)
    writing.assign(identifier, some)
    return identifier
