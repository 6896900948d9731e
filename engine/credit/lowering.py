"""Tables, scorecards and expressions to statements of one generated function."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NoReturn

from engine.credit import analysis
from engine.credit.analysis import Grid
from engine.credit.finish import collected
from engine.credit.grids import grid_of
from engine.credit.interpret import SUMMED, aggregated
from engine.credit.model import (
    Characteristic,
    CreditPolicy,
    DecisionDefinition,
    DecisionTable,
    Expression,
    HitPolicy,
    Rule,
    Scorecard,
)
from engine.credit.order import names_in
from engine.feel import kinds, syntax, to_python
from engine.feel.decimals import CONTEXT
from engine.feel.kinds import ContextOf, FeelType, ListOf
from engine.feel.to_python import Piece, Unit, Variable
from engine.feel.values import FeelError, Value

_MOST = Decimal(10) ** 30


class Stuck(FeelError):
    """Generated code has no plain answer; the interpreter says why."""

    def __init__(self) -> None:
        super().__init__("stuck", "there is no plain answer")


def stuck() -> NoReturn:
    """Give up: no row, two rows, or a value of the wrong kind."""
    raise Stuck


class Lowering:
    """Writes one function for one policy; statements are in the order of `policy.order`."""

    def __init__(self, policy: CreditPolicy) -> None:
        self.policy, self.unit = policy, Unit()
        self.body: list[ast.stmt] = []
        self.variables: dict[str, Variable] = {}
        self.reasons: dict[str, str] = {}
        """By decision: the identifier of the list of its reason codes."""
        self.whole = _read_whole(policy)

    def function(self) -> Callable[..., tuple[Any, ...]]:
        """Return (fact values, defaults) -> (reasons, told, status, *outcome)."""
        for name, fact in self.policy.facts.items():
            self.variables[name] = Variable(self.unit.fresh(), fact.kind.feel, fact.nullable)
        parameters = [variable.identifier for variable in self.variables.values()]
        defaulted = self.unit.fresh()
        for name in self.policy.order:
            self._decision(self.policy.decisions[name])
        self._end(defaulted)
        return self.unit.function([*parameters, defaulted], self.body)

    def _end(self, defaulted: str) -> None:
        policy, found, codes = self.policy, self.unit.fresh(), self.unit.fresh()
        lists = ast.Dict(
            [self.unit.constant(name) for name in self.reasons], [_name(i) for i in self.reasons.values()]
        )
        self._assign(found, self.unit.call(collected, self.unit.constant(policy), lists, _name(defaulted)))
        outcome = [self._piece(item.expression).code for item in policy.outcome]
        status = self._piece(policy.status).code if policy.status else self.unit.constant("decided")
        told: ast.expr = ast.Constant(None)
        if policy.told is not None:
            self._assign(codes, self.unit.call(list, _name(found)))
            self.variables["reasons"] = Variable(codes, ListOf(kinds.STRING), False)
            told = self._piece(policy.told).code
        result = [_name(found), told, status, *outcome]
        self.body.append(ast.Return(ast.Tuple(result, ast.Load())))

    # small parts

    def _piece(self, source: Expression) -> Piece:
        return to_python.expression(source.node, self.variables, self.unit)

    def _assign(self, identifier: str, code: ast.expr) -> None:
        self.body.append(_assignment(identifier, code))

    def _held(self, source: Expression) -> Variable:
        """Return the variable that holds an expression's value; a name is held already."""
        if isinstance(source.node, syntax.Name) and source.node.name in self.variables:
            return self.variables[source.node.name]
        piece = self._piece(source)
        if isinstance(piece.code, ast.Name):
            return Variable(piece.code.id, piece.kind, piece.nullable)
        held = Variable(self.unit.fresh(), piece.kind, piece.nullable)
        self._assign(held.identifier, piece.code)
        return held

    def _stuck(self) -> ast.stmt:
        return ast.Expr(self.unit.call(stuck))

    def _decision(self, decision: DecisionDefinition) -> None:
        if isinstance(decision, DecisionTable):
            self._table(decision)
        elif isinstance(decision, Scorecard):
            self._scorecard(decision)
        else:
            piece = self._piece(decision.expression)
            kept = Variable(self.unit.fresh(), self.policy.kinds[decision.name], piece.nullable)
            self._assign(kept.identifier, piece.code)
            self.variables[decision.name] = kept

    # tables

    def _table(self, table: DecisionTable) -> None:
        inputs = [self._held(heading) for heading in table.inputs]
        if table.hit is HitPolicy.FIRST or (table.hit is HitPolicy.UNIQUE and self._disjoint(table)):
            self._first(table, inputs)
        else:
            self._collected(table, inputs)

    def _disjoint(self, table: DecisionTable) -> bool:
        """Tell whether it is proved that no two rows match together."""
        columns = [[rule.tests[c] for rule in table.rules] for c in range(len(table.inputs))]
        grid = grid_of(self.policy, table.inputs, columns, self.policy.kinds)
        try:
            return isinstance(grid, Grid) and next(analysis.overlaps(grid), None) is None
        except analysis.TooLarge:
            return False

    def _condition(self, rule: Rule, inputs: Sequence[Variable]) -> ast.expr:
        pairs = zip(rule.tests, inputs, strict=True)
        codes = [
            to_python.cell(cell.node, held, self.variables, self.unit)
            for cell, held in pairs
            if cell.node.tests
        ]
        if not codes:
            return ast.Constant(True)
        return codes[0] if len(codes) == 1 else ast.BoolOp(ast.And(), codes)

    def _first(self, table: DecisionTable, inputs: Sequence[Variable]) -> None:
        """The first row that matches ends the search: `while True: if row: take it; break`."""
        outputs = [self.unit.fresh() for _ in table.outputs]
        nullable = [False] * len(outputs)
        search: list[ast.stmt] = []
        for rule in table.rules:
            taken = self._take(outputs, rule.results, nullable)
            search.append(ast.If(self._condition(rule, inputs), [*taken, ast.Break()], []))
        if table.otherwise is None:
            search.append(self._stuck())
        else:
            search += self._take(outputs, table.otherwise, nullable)
        self.body.append(ast.While(ast.Constant(True), [*search, ast.Break()], []))
        self._name_outputs(table, outputs, nullable)
        column = table.reason_column
        if column is not None:
            self.reasons[table.name] = self._listed(_name(outputs[column]))

    def _take(
        self, outputs: Sequence[str], results: Sequence[Expression], nullable: list[bool]
    ) -> list[ast.stmt]:
        statements: list[ast.stmt] = []
        for index, (identifier, result) in enumerate(zip(outputs, results, strict=True)):
            piece = self._piece(result)
            nullable[index] |= piece.nullable
            statements.append(_assignment(identifier, piece.code))
        return statements

    def _name_outputs(self, table: DecisionTable, outputs: Sequence[str], nullable: Sequence[bool]) -> None:
        kind = self.policy.kinds[table.name]
        if len(outputs) == 1:
            self.variables[table.name] = Variable(outputs[0], kind, nullable[0])
            return
        for output, identifier, null in zip(table.outputs, outputs, nullable, strict=True):
            self.variables[f"{table.name}.{output.name}"] = Variable(
                identifier, _entry(kind, output.name), null
            )
        if table.name in self.whole:
            context = self.unit.fresh()
            self._assign(context, self._context(table, [_name(identifier) for identifier in outputs]))
            self.variables[table.name] = Variable(context, kind, False)

    def _context(self, table: DecisionTable, values: Sequence[ast.expr]) -> ast.expr:
        return ast.Dict([self.unit.constant(output.name) for output in table.outputs], list(values))

    def _collected(self, table: DecisionTable, inputs: Sequence[Variable]) -> None:
        """Every row that matches adds its outputs to a list, of which the value is then made."""
        rows = self.unit.fresh()
        self._assign(rows, ast.List([], ast.Load()))
        for rule in table.rules:
            outputs = ast.Tuple([self._piece(result).code for result in rule.results], ast.Load())
            add = ast.Expr(ast.Call(ast.Attribute(_name(rows), "append", ast.Load()), [outputs], []))
            self.body.append(ast.If(self._condition(rule, inputs), [add], []))
        if table.otherwise is not None and not table.hit.lists and table.hit is not HitPolicy.COLLECT_COUNT:
            outputs = ast.Tuple([self._piece(result).code for result in table.otherwise], ast.Load())
            empty = ast.UnaryOp(ast.Not(), _name(rows))
            self.body.append(ast.If(empty, [_assignment(rows, ast.List([outputs], ast.Load()))], []))
        value = self.unit.fresh()
        self._assign(value, self.unit.call(joined, self.unit.constant(table), _name(rows)))
        self.variables[table.name] = Variable(value, self.policy.kinds[table.name], table.hit.single)
        column = table.reason_column
        if column is not None:
            self.reasons[table.name] = self.unit.fresh()
            codes = self.unit.call(codes_of, _name(rows), self.unit.constant(column))
            self._assign(self.reasons[table.name], codes)

    def _listed(self, code: ast.expr) -> str:
        """Return a list of one reason code, or of none."""
        identifier = self.unit.fresh()
        some = ast.List([code], ast.Load())
        absent = ast.Compare(code, [ast.Is()], [ast.Constant(None)])
        self._assign(identifier, ast.IfExp(absent, ast.Tuple([], ast.Load()), some))
        return identifier

    # scorecards

    def _scorecard(self, card: Scorecard) -> None:
        """Points are added as whole numbers of the finest unit, which is exact and fast."""
        scale, exact = _scale(card)
        earned: list[ast.expr] = []
        lost: list[ast.expr] = []
        for part in card.characteristics:
            points, loss = self._characteristic(card, part, scale)
            earned.append(_name(points))
            lost.append(_name(loss))
        total: ast.expr = self.unit.constant(int(card.base.scaleb(scale)) if exact else card.base)
        for code in earned:
            plus = ast.BinOp(total, ast.Add(), code)
            total = plus if exact else self.unit.call(CONTEXT.add, total, code)
        identifier = self.unit.fresh()
        if exact:
            total = self.unit.call(Decimal, total)
            total = self.unit.call(_unscaled, total, self.unit.constant(-scale)) if scale else total
        self._assign(identifier, total)
        self.variables[card.name] = Variable(identifier, kinds.NUMBER, False)
        if any(bin_.reason for part in card.characteristics for bin_ in part.bins):
            self.reasons[card.name] = self.unit.fresh()
            self._assign(self.reasons[card.name], self.unit.call(ranked, ast.Tuple(lost, ast.Load())))

    def _characteristic(self, card: Scorecard, part: Characteristic, scale: int) -> tuple[str, str]:
        """Return the identifiers of the points of a characteristic and of its (points lost, reason)."""
        held = self._held(part.expression)
        points, loss = self.unit.fresh(), self.unit.fresh()
        exact = _scale(card)[1]
        search: list[ast.stmt] = []
        if not self._bins_disjoint(part):
            hits = [to_python.cell(bin_.tests.node, held, self.variables, self.unit) for bin_ in part.bins]
            once = self.unit.call(only_one, ast.Tuple(hits, ast.Load()))
            search.append(ast.Expr(once))
        for bin_ in part.bins:
            missing = bin_.points - part.best
            told = (missing, bin_.reason) if bin_.reason and missing else None
            value = int(bin_.points.scaleb(scale)) if exact else bin_.points
            taken: list[ast.stmt] = [
                _assignment(points, self.unit.constant(value)),
                _assignment(loss, self.unit.constant(told)),
                ast.Break(),
            ]
            search.append(ast.If(to_python.cell(bin_.tests.node, held, self.variables, self.unit), taken, []))
        search += [self._stuck(), ast.Break()]
        self.body.append(ast.While(ast.Constant(True), search, []))
        return points, loss

    def _bins_disjoint(self, part: Characteristic) -> bool:
        cells = [bin_.tests for bin_ in part.bins]
        grid = grid_of(self.policy, [part.expression], [cells], self.policy.kinds)
        return isinstance(grid, Grid) and next(analysis.overlaps(grid), None) is None


# what generated code calls


def joined(table: DecisionTable, rows: list[tuple[Value, ...]]) -> Value:
    """Return a table's value from the outputs of its matching rows; raises Stuck if there is none."""
    hit = table.hit
    if hit is HitPolicy.UNIQUE and len(rows) > 1:
        stuck()
    if hit is HitPolicy.ANY and any(row != rows[0] for row in rows):
        stuck()
    if not rows and not hit.lists and hit is not HitPolicy.COLLECT_COUNT:
        stuck()
    if hit in SUMMED and not all(isinstance(row[0], Decimal) for row in rows):
        stuck()
    if len(table.outputs) == 1:
        return aggregated(hit, [row[0] for row in rows])
    names = [output.name for output in table.outputs]
    return aggregated(hit, [dict(zip(names, row, strict=True)) for row in rows])


def codes_of(rows: list[tuple[Value, ...]], column: int) -> list[Value]:
    """Return the reason codes of matching rows."""
    return [row[column] for row in rows if row[column] is not None]


def only_one(hits: tuple[bool, ...]) -> None:
    """Raise Stuck if more than one bin matches."""
    if hits.count(True) > 1:
        stuck()


def ranked(lost: tuple[tuple[Decimal, str] | None, ...]) -> list[str]:
    """Return reason codes by points lost, the most first; equal losses keep the author's order."""
    return [code for _, code in sorted((item for item in lost if item), key=_loss)]


def _loss(item: tuple[Decimal, str]) -> Decimal:
    return item[0]


def _unscaled(total: Decimal, exponent: int) -> Decimal:
    return total.scaleb(exponent, CONTEXT)


# trees


def _name(identifier: str) -> ast.Name:
    return ast.Name(identifier, ast.Load())


def _assignment(identifier: str, code: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(identifier, ast.Store())], code)


def _entry(kind: FeelType, name: str) -> FeelType:
    return (kind.get(name) if isinstance(kind, ContextOf) else None) or kinds.ANY


def _scale(card: Scorecard) -> tuple[int, bool]:
    """Return the decimals of the finest points, and whether sums of them stay small enough to be exact."""
    numbers = [card.base, *(bin_.points for part in card.characteristics for bin_ in part.bins)]
    decimals = max(0, *(-int(number.as_tuple().exponent) for number in numbers))
    return decimals, sum(abs(number.scaleb(decimals)) for number in numbers) < _MOST


def _read_whole(policy: CreditPolicy) -> set[str]:
    """Return the decisions of several outputs that some expression reads as a whole, not by `.output`."""
    sources = [e for decision in policy.decisions.values() for e in decision.expressions()]
    sources += [item.expression for item in policy.outcome]
    sources += [e for e in (policy.status, policy.told) if e]
    whole: set[str] = set()
    for source in sources:
        named = [name for name, _ in names_in(source)]
        by_path = [
            part.source.name
            for part in syntax.walk(source.node)
            if isinstance(part, syntax.Path) and isinstance(part.source, syntax.Name)
        ]
        whole |= {name for name in named if named.count(name) > by_path.count(name)}
    return whole
