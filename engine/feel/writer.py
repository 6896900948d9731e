"""Expressions to Python code: specialised where the types are known, else calls into the interpreter."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from engine.feel import runtime
from engine.feel import syntax as s
from engine.feel.functions import REGISTRY, Overload
from engine.feel.functions.from_text import at_literal
from engine.feel.functions.signature import VARIABLE
from engine.feel.inference import infer
from engine.feel.kinds import ANY, BOOLEAN, NULL, NUMBER, STRING, ContextOf, FeelType, ListOf
from engine.feel.unit import ORDERED, Piece, Unit, Variable, Variables
from engine.source import Span

OPERATORS: Final[dict[str, type[ast.cmpop]]] = {
    "=": ast.Eq, "!=": ast.NotEq, "<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE,
}  # fmt: skip
NOWHERE = Span("", 1, 1)
BRANCHES = 4
"""Of so many values at most, the least and the most are found by comparisons instead of a call."""


class Writer:
    """Writes code for the nodes of one tree."""

    def __init__(self, names: Variables, unit: Unit) -> None:
        self.names, self.unit = names, unit

    def piece(self, node: s.Node) -> Piece:
        """Return code for a node."""
        match node:
            case s.Number(value):
                return Piece(self.unit.constant(value), NUMBER, False)
            case s.String(value):
                return Piece(self.unit.constant(value), STRING, False)
            case s.Boolean(value):
                return Piece(self.unit.constant(value), BOOLEAN, False)
            case s.Null():
                return Piece(self.unit.constant(None), NULL)
            case s.AtLiteral(text):
                return Piece(self.unit.constant(at_literal(text)), self._kind(node), False)
            case s.Name(name) if name in self.names:
                return self._variable(self.names[name])
            case s.Path(s.Name(first), last) if (known := self.names.get(f"{first}.{last}")) is not None:
                return self._variable(known)
            case s.Path(source, name) if not isinstance(source, s.Name) or source.name in self.names:
                code = self.unit.call(runtime.entry_of, self.piece(source).code, self.unit.constant(name))
                return Piece(code, self._kind(node))
            case s.ListLiteral(items):
                pieces = tuple(self.piece(item) for item in items)
                code = ast.List([piece.code for piece in pieces], ast.Load())
                return Piece(code, self._kind(node), False, pieces)
            case s.Arithmetic():
                return self._arithmetic(node)
            case s.Negation(operand):
                code = self.unit.call(runtime.negate, self.piece(operand).code)
                return Piece(code, self._kind(node), False)
            case s.Comparison(operator, left, right):
                return self.comparison(operator, self.piece(left), self.piece(right))
            case s.And(items):
                return self._logic(items, decisive=False)
            case s.Or(items):
                return self._logic(items, decisive=True)
            case s.In(value, tests) if (found := self._in(self.piece(value), tests)) is not None:
                return found
            case s.Between(value, low, high):
                return self._between(self.piece(value), self.piece(low), self.piece(high))
            case s.If(condition, then, otherwise):
                decided = self._truth(self.piece(condition))
                return self._if(node, decided, self.piece(then), self.piece(otherwise))
            case s.Filter(source, s.Number(position)):
                return self._item(node, self.piece(source), position)
            case s.Call(s.Name(name), arguments, ()) if name in REGISTRY and name not in self.names:
                return self._built_in(node, name, [self.piece(argument) for argument in arguments])
        return self._interpreted(node)

    # --- the rest ---------------------------------------------------------------------------------

    def _kind(self, node: s.Node) -> FeelType:
        return infer(node, kinds_of(self.names), NOWHERE)[0]

    def _variable(self, variable: Variable) -> Piece:
        return Piece(ast.Name(variable.identifier, ast.Load()), variable.kind, variable.nullable)

    def _interpreted(self, node: s.Node) -> Piece:
        """Hand a node to the interpreter, with the variables that it may read."""
        code = self.unit.call(runtime.interpreted, self.unit.constant(node), self.used_by(node))
        return Piece(code, self._kind(node))

    # --- operators --------------------------------------------------------------------------------

    def _arithmetic(self, node: s.Arithmetic) -> Piece:
        left, right = self.piece(node.left), self.piece(node.right)
        sides = (left.code, right.code)
        if all(side.kind == NUMBER and not side.nullable for side in (left, right)):
            return Piece(self.unit.call(runtime.DECIMAL[node.operator], *sides), NUMBER, False)
        code = self.unit.call(runtime.arithmetic, self.unit.constant(node.operator), *sides)
        return Piece(code, self._kind(node), False)

    def comparison(self, operator: str, left: Piece, right: Piece) -> Piece:
        """Return code for `left operator right`."""
        direct = left.exact and right.exact and left.kind == right.kind
        if operator in ("=", "!=") and left.kind == right.kind and left.kind in (*ORDERED, BOOLEAN):
            direct = True  # null is equal to null only, in both languages
        nulls = [side for side in (left, right) if side.kind == NULL and isinstance(side.code, ast.Constant)]
        if nulls and operator in ("=", "!="):
            other = left if nulls[0] is right else right
            sign = ast.Is() if operator == "=" else ast.IsNot()
            return Piece(ast.Compare(other.code, [sign], [ast.Constant(None)]), BOOLEAN, False)
        if direct:
            return Piece(ast.Compare(left.code, [OPERATORS[operator]()], [right.code]), BOOLEAN, False)
        code = self.unit.call(runtime.compare, self.unit.constant(operator), left.code, right.code)
        return Piece(code, BOOLEAN, False)

    def _between(self, value: Piece, low: Piece, high: Piece) -> Piece:
        exact = value.exact and low.exact and high.exact and value.kind == low.kind == high.kind
        if exact and is_simple(low.code, high.code):  # a chain looks at the last only if it must
            chain = ast.Compare(low.code, [ast.LtE(), ast.LtE()], [value.code, high.code])
            return Piece(chain, BOOLEAN, False)
        return Piece(self.unit.call(runtime.is_between, low.code, high.code, value.code), BOOLEAN, False)

    def _logic(self, items: Sequence[s.Node], *, decisive: bool) -> Piece:
        pieces = [self.piece(item) for item in items]
        if all(piece.kind == BOOLEAN and not piece.nullable for piece in pieces):
            operator = ast.Or() if decisive else ast.And()
            return Piece(ast.BoolOp(operator, [piece.code for piece in pieces]), BOOLEAN, False)
        thunks = [ast.Lambda(ast.arguments([], [], None, [], [], None, []), piece.code) for piece in pieces]
        return Piece(self.unit.call(runtime.logic, self.unit.constant(decisive), *thunks), BOOLEAN)

    def _in(self, value: Piece, tests: Sequence[s.Node]) -> Piece | None:
        """Return code for `value in (tests)` where that is never unknown, else None."""
        literal = all(isinstance(test, s.Number | s.String | s.Boolean) for test in tests)
        if not is_simple(value.code) or (value.nullable and not literal):
            return None
        codes = [code for test in tests if (code := self.test(test, value)) is not None]
        if len(codes) < len(tests):
            return None
        return Piece(codes[0] if len(codes) == 1 else ast.BoolOp(ast.Or(), codes), BOOLEAN, False)

    def test(self, test: s.Node, subject: Piece) -> ast.expr | None:
        """Return code for one test that is true or false, never unknown; None if that is not certain."""
        match test:
            case s.UnaryComparison(operator, operand):
                bound = self.piece(operand)
                if bound.nullable:
                    return None
                return self.comparison(operator, subject, bound).code
            case s.RangeLiteral(low, high, low_closed, high_closed):
                first, last = self.piece(low), self.piece(high)
                exact = subject.exact and first.exact and last.exact
                if not exact or not subject.kind == first.kind == last.kind:
                    return None
                if not is_simple(first.code, last.code):
                    return None
                signs: list[ast.cmpop] = [
                    ast.LtE() if closed else ast.Lt() for closed in (low_closed, high_closed)
                ]
                return ast.Compare(first.code, signs, [subject.code, last.code])
            case s.Null():
                return ast.Constant(False)
            case s.Number() | s.String() | s.Boolean() | s.AtLiteral():
                return self.comparison("=", subject, self.piece(test)).code
        wanted = self.piece(test)
        if wanted.kind == subject.kind and wanted.kind in (*ORDERED, BOOLEAN) and not wanted.nullable:
            return self.comparison("=", subject, wanted).code
        return None

    def _truth(self, piece: Piece) -> ast.expr:
        if piece.kind == BOOLEAN and not piece.nullable:
            return piece.code
        return self.unit.call(runtime.truth, piece.code)

    def _if(self, node: s.Node, condition: ast.expr, then: Piece, otherwise: Piece) -> Piece:
        code = ast.IfExp(condition, then.code, otherwise.code)
        return Piece(code, self._kind(node), then.nullable or otherwise.nullable)

    def _item(self, node: s.Node, source: Piece, position: Decimal) -> Piece:
        code = self.unit.call(runtime.item_of, source.code, self.unit.constant(position))
        return Piece(code, self._kind(node))

    # --- built-ins --------------------------------------------------------------------------------

    def _built_in(self, node: s.Node, name: str, given: list[Piece]) -> Piece:
        kind = self._kind(node)
        codes = [piece.code for piece in given]
        for overload in REGISTRY[name].overloads:
            if _takes_exactly(overload, given):
                return self._direct(overload, given, kind)
        code = self.unit.call(runtime.call_by_position, self.unit.constant(REGISTRY[name]), *codes)
        return Piece(code, kind)

    def _direct(self, overload: Overload, given: list[Piece], kind: FeelType) -> Piece:
        """Call the function behind a built-in; the extremes of a few numbers are Python's own."""
        sign: ast.cmpop | None = {"min": ast.Lt(), "max": ast.Gt()}.get(overload.name)
        items = given[0].items or given
        if sign and len(items) > 1 and all(item.exact and item.kind == items[0].kind for item in items):
            return Piece(self._extreme(sign, [item.code for item in items]), kind, False)
        code = self.unit.call(overload.run, *(piece.code for piece in given))
        return Piece(code, kind, overload.nullable)

    def _extreme(self, sign: ast.cmpop, codes: Sequence[ast.expr]) -> ast.expr:
        """Return code for the least or the most: of equal ones the first, as Python's own `min` and `max`."""
        if len(codes) > BRANCHES:
            return self.unit.call(min if isinstance(sign, ast.Lt) else max, *codes)
        best = codes[0]
        for code in codes[1:]:
            left, first = self._kept(best)
            right, second = self._kept(code)
            best = ast.IfExp(ast.Compare(right, [sign], [left]), second, first)
        return best

    def _kept(self, code: ast.expr) -> tuple[ast.expr, ast.expr]:
        """Return code that computes a value once, and code that reads it again."""
        if is_simple(code):
            return code, code
        name = self.unit.fresh()
        return ast.NamedExpr(ast.Name(name, ast.Store()), code), ast.Name(name, ast.Load())

    def used_by(self, node: s.Node) -> ast.Dict:
        """Return code for the scope that the interpreter needs for a node."""
        used = {part.name for part in s.walk(node) if isinstance(part, s.Name)}
        chosen = [(n, v) for n, v in self.names.items() if n in used or n.split(".")[0] in used]
        keys: list[ast.expr | None] = [self.unit.constant(name) for name, _ in chosen]
        return ast.Dict(keys, [ast.Name(v.identifier, ast.Load()) for _, v in chosen])


def kinds_of(names: Variables) -> dict[str, FeelType]:
    """Return the types of names; those that stand under a path are the entries of a context."""
    kinds = {name: variable.kind for name, variable in names.items()}
    entries: dict[str, list[tuple[str, FeelType]]] = {}
    for name, kind in kinds.items():
        first, dot, last = name.partition(".")
        if dot:
            entries.setdefault(first, []).append((last, kind))
    return kinds | {first: ContextOf(tuple(known)) for first, known in entries.items()}


def is_simple(*codes: ast.expr) -> bool:
    """Tell whether evaluating these can neither fail nor cost."""
    return all(isinstance(code, ast.Name | ast.Constant) for code in codes)


def _takes_exactly(overload: Overload, given: list[Piece]) -> bool:
    """Tell whether these arguments are certainly of the right types, so that nothing need be checked."""
    if not overload.takes(len(given)):
        return False
    for index, piece in enumerate(given):
        formal = overload.formal(index)
        if (piece.nullable and not formal.nullable) or not _certain(piece.kind, formal.type):
            return False
    return True


def _certain(kind: FeelType, formal: FeelType) -> bool:
    if isinstance(formal, ListOf) and isinstance(kind, ListOf):
        return formal.item in (VARIABLE, ANY)
    return formal in (kind, VARIABLE, ANY) and kind in (*ORDERED, BOOLEAN)
