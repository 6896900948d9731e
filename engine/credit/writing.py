"""The generated function as it grows: its variables, its statements, and how it ends.

`to_python_tables.py` and `to_python_scorecards.py` write their decisions into it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from engine.credit import generated
from engine.credit.analysis import Grid
from engine.credit.grids import grid_of
from engine.credit.lookups import Column, Sorting, column_of, sorting_of
from engine.credit.model import CreditPolicy, DecisionTable, Expression, FactKind, Formula, Tests
from engine.credit.order import names_in
from engine.credit.slots import Reader, Slot, Subject
from engine.feel import kinds, syntax, to_python
from engine.feel.kinds import ListOf
from engine.feel.to_python import Piece, Unit, Variable


class Writing:
    """One function for one policy; decisions are written in the order of `policy.order`."""

    def __init__(self, policy: CreditPolicy) -> None:
        self.policy, self.unit = policy, Unit()
        self.body: list[ast.stmt] = []
        self.variables: dict[str, Variable] = {}
        self.whole: dict[str, str] = {}
        """By name: the identifier that holds the same number as an `int`."""
        self.sorted: dict[str, list[Sorting]] = {}
        """By decision: how its columns, or its characteristics, sort values, if all of them do."""
        self.reasons: dict[str, str] = {}
        """By decision: the identifier of the list of its reason codes."""
        self.as_one = _read_as_one(policy)
        """Decisions of several outputs that some expression reads as a whole."""
        self.optional: list[tuple[str, ast.stmt]] = []
        """Statements that are dropped if nothing comes to use their variable."""
        self.readers: dict[tuple[str, type], Reader] = {}
        """By variable and kind of division: its one search, for all columns that look at it."""
        self.parameters = [self._parameter(name) for name in policy.facts]

    def _parameter(self, name: str) -> str:
        """Whole facts come in as `int`; the number that expressions see is made of it if it is needed."""
        fact = self.policy.facts[name]
        given = self.unit.fresh()
        seen = given
        if fact.kind is FactKind.INTEGER:
            self.whole[name] = given
            seen = self.unit.fresh()
            made = self.unit.call(Decimal, name_of(given))
            absent = ast.Compare(name_of(given), [ast.Is()], [ast.Constant(None)])
            code = ast.IfExp(absent, ast.Constant(None), made) if fact.nullable else made
            self.assign_if_used(seen, code)
        self.variables[name] = Variable(seen, fact.kind.feel, fact.nullable)
        return given

    def functions(self) -> tuple[Callable[..., tuple[Any, ...]], Callable[..., tuple[Any, ...]]]:
        """Return (fact values, codes of defaults) -> (outcome, status, told, reason codes by decision).

        The second function gives the values of all decisions besides, in the policy's order of taking.
        """
        defaulted = self.unit.fresh()
        policy, codes = self.policy, self.unit.fresh()
        outcome = [self.piece(item.expression).code for item in policy.outcome]
        status = self.piece(policy.status).code if policy.status else self.unit.constant("decided")
        told: ast.expr = ast.Constant(None)
        if policy.told is not None:
            lists = [name_of(self.reasons[name]) for name in policy.decisions if name in self.reasons]
            self.assign(codes, self.unit.call(generated.merged, *lists, name_of(defaulted)))
            self.variables["reasons"] = Variable(codes, ListOf(kinds.STRING), False)
            told = self.piece(policy.told).code
        by_decision = tuple_of([name_of(identifier) for identifier in self.reasons.values()])
        results = [tuple_of(outcome), status, told, by_decision]
        values = tuple_of([self._value(name) for name in policy.order])
        parameters = [*self.parameters, defaulted]
        return (
            self.unit.function(parameters, self._used(ast.Return(tuple_of(results)))),
            self.unit.function(parameters, self._used(ast.Return(tuple_of([*results, values])))),
        )

    def _value(self, name: str) -> ast.expr:
        """Return code for the whole value of a decision."""
        if name in self.variables:
            return name_of(self.variables[name].identifier)
        table = self.policy.decisions[name]
        assert isinstance(table, DecisionTable)
        outputs = [output.name for output in table.outputs]
        keys: list[ast.expr | None] = [self.unit.constant(output) for output in outputs]
        return ast.Dict(keys, [name_of(self.variables[f"{name}.{output}"].identifier) for output in outputs])

    def _used(self, end: ast.stmt) -> list[ast.stmt]:
        """Return the statements: readers find what is read, and what sets a variable in vain is left out."""
        body = [*self.body, end]
        read = _read_in(body)
        found = {id(r.place): r.statements(read, self.unit) for r in self.readers.values()}
        body = [part for statement in body for part in found.get(id(statement), [statement])]
        read = _read_in(body)
        idle = {id(statement) for identifier, statement in self.optional if identifier not in read}
        return [statement for statement in body if id(statement) not in idle]

    def assign_if_used(self, identifier: str, code: ast.expr) -> None:
        """Write an assignment that is dropped if nothing comes to read the variable."""
        statement = assignment(identifier, code)
        self.optional.append((identifier, statement))
        self.body.append(statement)

    # what decisions are written with

    def piece(self, source: Expression) -> Piece:
        """Return code for an expression."""
        return to_python.expression(source.node, self.variables, self.unit)

    def assign(self, identifier: str, code: ast.expr) -> None:
        """Write an assignment."""
        self.body.append(assignment(identifier, code))

    def held(self, source: Expression) -> Variable:
        """Return the variable that holds an expression's value; a name is held already."""
        if isinstance(source.node, syntax.Name) and source.node.name in self.variables:
            return self.variables[source.node.name]
        piece = self.piece(source)
        if isinstance(piece.code, ast.Name):
            return Variable(piece.code.id, piece.kind, piece.nullable)
        held = Variable(self.unit.fresh(), piece.kind, piece.nullable)
        self.assign(held.identifier, piece.code)
        return held

    def stuck(self) -> ast.stmt:
        """Return the statement that gives up."""
        return ast.Expr(self.unit.call(generated.stuck))

    def condition(self, tests: Sequence[Tests], inputs: Sequence[Variable]) -> ast.expr:
        """Return code that is true exactly when all cells of a row pass."""
        pairs = [(cell.node, held) for cell, held in zip(tests, inputs, strict=True) if cell.node.tests]
        codes = [to_python.cell(node, held, self.variables, self.unit) for node, held in pairs]
        if not codes:
            return ast.Constant(True)
        return codes[0] if len(codes) == 1 else ast.BoolOp(ast.And(), codes)

    def formula(self, decision: Formula) -> None:
        """Write a decision that is one expression."""
        piece = self.piece(decision.expression)
        kept = Variable(self.unit.fresh(), self.policy.kinds[decision.name], piece.nullable)
        self.assign(kept.identifier, piece.code)
        self.variables[decision.name] = kept

    # looking up instead of searching

    def grid(self, headings: Sequence[Expression], columns: Sequence[Sequence[Tests]]) -> Grid | None:
        """Return cells as sets of pieces, if all of them can be."""
        grid = grid_of(self.policy, headings, columns, self.policy.kinds)
        return grid if isinstance(grid, Grid) else None

    def columns(self, headings: Sequence[Expression], grid: Grid) -> list[Column] | None:
        """Return how each column finds its slot; None, with nothing written, if one cannot."""
        written, before = len(self.body), dict(self.readers)
        columns: list[Column] = []
        for place, (heading, axis) in enumerate(zip(headings, grid.axes, strict=True)):
            sorting = sorting_of(axis, [row[place] for row in grid.rows])
            if sorting is None:
                del self.body[written:]
                self.readers = before
                return None
            subject = self._subject(heading)
            column = column_of(sorting, subject, self.unit)
            if column.guarded:
                absent = ast.Compare(name_of(subject.identifier), [ast.Is()], [ast.Constant(None)])
                self.body.append(ast.If(absent, [self.stuck()], []))
            if column.slot is not None:
                self._reader(subject, column.slot).slots.append(column.slot)
            columns.append(column)
        return columns

    def _reader(self, subject: Subject, slot: Slot) -> Reader:
        """Return the one search of a variable; the first column that looks at it has it written here."""
        key = (subject.identifier, type(slot.division))
        if key not in self.readers:
            self.readers[key] = Reader(subject, ast.Pass())
            self.body.append(self.readers[key].place)
        return self.readers[key]

    def _subject(self, heading: Expression) -> Subject:
        """Return the variable of a heading, as an `int` where it is one anyway."""
        match heading.node:
            case syntax.Name(name) if name in self.whole:
                return Subject(self.whole[name], True, self.variables[name].nullable)
            case syntax.Call(syntax.Name("count"), (syntax.Name(name),), ()) if self._is_list(name):
                counted = self.unit.fresh()
                self.assign(counted, self.unit.call(len, name_of(self.variables[name].identifier)))
                return Subject(counted, True, False)
        held = self.held(heading)
        return Subject(held.identifier, False, held.nullable)

    def _is_list(self, name: str) -> bool:
        variable = self.variables.get(name)
        return variable is not None and isinstance(variable.kind, ListOf) and not variable.nullable


def looked_up(root: Any, columns: Sequence[Column], unit: Unit) -> ast.expr:
    """Return code that follows the slots of the columns to the leaf; one slot becomes the leaf itself."""
    slots = [column.slot for column in columns if column.slot is not None]
    if len(slots) == 1:
        slots[0].values, slots[0].null = [root[at] for at in slots[0].values], root[slots[0].null]
        return name_of(slots[0].identifier)
    code = unit.constant(root)
    for slot in slots:
        code = ast.Subscript(code, name_of(slot.identifier), ast.Load())
    return code


def _read_in(body: Sequence[ast.stmt]) -> set[str]:
    nodes = (node for part in body for node in ast.walk(part))
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def name_of(identifier: str) -> ast.Name:
    """Return code that reads a variable."""
    return ast.Name(identifier, ast.Load())


def tuple_of(codes: Sequence[ast.expr]) -> ast.expr:
    """Return code for a tuple."""
    return ast.Tuple(list(codes), ast.Load())


def assignment(identifier: str, code: ast.expr) -> ast.stmt:
    """Return code that sets a variable."""
    return ast.Assign([ast.Name(identifier, ast.Store())], code)


def unpacking(identifiers: Sequence[str], code: ast.expr) -> ast.stmt:
    """Return code that sets several variables from a tuple."""
    return ast.Assign([ast.Tuple([ast.Name(i, ast.Store()) for i in identifiers], ast.Store())], code)


def _read_as_one(policy: CreditPolicy) -> set[str]:
    """Return the names that some expression reads by themselves, not by `name.output`."""
    sources = [e for decision in policy.decisions.values() for e in decision.expressions()]
    sources += [item.expression for item in policy.outcome]
    sources += [e for e in (policy.status, policy.told) if e]
    found: set[str] = set()
    for source in sources:
        named = [name for name, _ in names_in(source)]
        if not named:
            continue
        by_path = [
            part.source.name
            for part in syntax.walk(source.node)
            if isinstance(part, syntax.Path) and isinstance(part.source, syntax.Name)
        ]
        found |= {name for name in named if named.count(name) > by_path.count(name)}
    return found
