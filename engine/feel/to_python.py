"""Typed trees to Python: the fast path of expressions and cells, built as `ast`, never as text.

Generated code gives what the interpreter gives, or raises one of `FAILURES` exactly where the
interpreter would leave a note; the caller then asks the interpreter, which says why. Where the types
are known, code is specialised (numbers are compared as decimals); loops, filters and functions that
an expression defines go to the interpreter as they are, since their cost has to be counted.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.feel import runtime
from engine.feel import syntax as s
from engine.feel.functions import REGISTRY, Overload
from engine.feel.functions.from_text import at_literal
from engine.feel.functions.signature import VARIABLE
from engine.feel.inference import infer
from engine.feel.kinds import (
    BOOLEAN,
    DATE,
    DAYS_DURATION,
    MONTHS_DURATION,
    NULL,
    NUMBER,
    STRING,
    ContextOf,
    FeelType,
    ListOf,
)
from engine.feel.values import FeelError
from engine.source import Problem, Span

FAILURES: Final = (FeelError, ArithmeticError)
"""What generated code raises instead of leaving a note."""
ORDERED = (NUMBER, STRING, DATE, DAYS_DURATION, MONTHS_DURATION)
"""Types whose Python values compare as FEEL compares them."""
OPERATORS: Final[dict[str, type[ast.cmpop]]] = {
    "=": ast.Eq, "!=": ast.NotEq, "<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE,
}  # fmt: skip
NOWHERE = Span("", 1, 1)


class NotTyped(ValueError):
    """An expression is to be compiled that `infer` has found wrong."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"the expression cannot be compiled: {problem.message}")


@dataclass(frozen=True, slots=True)
class Variable:
    """A FEEL name in generated code: its identifier, type, and whether it may be null."""

    identifier: str
    kind: FeelType
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Piece:
    """Generated code for a value, with what is known of it."""

    code: ast.expr
    kind: FeelType
    nullable: bool = True
    items: tuple[Piece, ...] = ()
    """Of a list that is written out: its items."""

    @property
    def exact(self) -> bool:
        """Tell whether Python's own comparison is FEEL's."""
        return not self.nullable and self.kind in ORDERED


Variables = Mapping[str, Variable]
"""By FEEL name; an output of a table may stand under its path: `terms.floor`."""


@dataclass(slots=True)
class Unit:
    """One generated function: its constants, and identifiers that no text can choose."""

    constants: dict[str, object] = field(default_factory=dict)
    interned: dict[tuple[type, object], str] = field(default_factory=dict)
    count: int = 0

    def fresh(self) -> str:
        """Return an unused identifier."""
        self.count += 1
        return f"v{self.count}"

    def constant(self, value: object) -> ast.expr:
        """Return code for a constant; equal numbers and texts share one."""
        if value is None or isinstance(value, bool):
            return ast.Constant(value)
        shared = isinstance(value, str | runtime.Decimal)
        key = (type(value), str(value) if shared else id(value))
        if key not in self.interned:
            self.interned[key] = f"k{len(self.constants)}"
            self.constants[self.interned[key]] = value
        return ast.Name(self.interned[key], ast.Load())

    def call(self, function: Callable[..., Any], *arguments: ast.expr) -> ast.expr:
        """Return code that calls a function of the engine."""
        return ast.Call(self.constant(function), list(arguments), [])

    def function(self, parameters: Sequence[str], body: Sequence[ast.stmt]) -> Callable[..., Any]:
        """Compile a function of generated parameters; it sees its constants and nothing else."""
        arguments = ast.arguments([], [ast.arg(p) for p in parameters], None, [], [], None, [])
        module = ast.Module([_definition("generated", arguments, list(body))], [])
        space: dict[str, Any] = {"__builtins__": {}, **self.constants}
        exec(compile(ast.fix_missing_locations(module), "<generated>", "exec"), space)
        made: Callable[..., Any] = space["generated"]
        return made


def _definition(name: str, arguments: ast.arguments, body: list[ast.stmt]) -> ast.FunctionDef:
    parts: dict[str, Any] = {"name": name, "args": arguments, "body": body, "decorator_list": []}
    if "type_params" in ast.FunctionDef._fields:  # Python 3.12 and later
        parts["type_params"] = []
    return ast.FunctionDef(**parts)


def compile_expression(node: s.Node, names: Mapping[str, FeelType]) -> Callable[[Mapping[str, Any]], Any]:
    """Return a function from a scope of FEEL values to the value; it raises FAILURES for a note.

    Raises NotTyped if the expression has problems.
    """
    unit = Unit()
    variables = {name: Variable(unit.fresh(), kind) for name, kind in names.items()}
    piece = expression(node, variables, unit)
    run = unit.function([v.identifier for v in variables.values()], [ast.Return(piece.code)])
    return lambda scope: run(*(scope.get(name) for name in names))


def expression(node: s.Node, names: Variables, unit: Unit) -> Piece:
    """Return code for an expression; raises NotTyped if it has problems."""
    _, problems = infer(node, _kinds(names), NOWHERE)
    if problems:
        raise NotTyped(problems[0])
    return Writer(names, unit).piece(node)


def cell(tests: s.UnaryTests, subject: Variable, names: Variables, unit: Unit) -> ast.expr:
    """Return code that is true exactly when a variable passes the tests of a cell, else false."""
    return Writer({**names, "?": subject}, unit).cell(tests, subject)


def _kinds(names: Variables) -> dict[str, FeelType]:
    kinds = {name: variable.kind for name, variable in names.items()}
    entries: dict[str, list[tuple[str, FeelType]]] = {}
    for name, kind in kinds.items():
        first, dot, last = name.partition(".")
        if dot:
            entries.setdefault(first, []).append((last, kind))
    return kinds | {first: ContextOf(tuple(known)) for first, known in entries.items()}


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
                return self._comparison(operator, self.piece(left), self.piece(right))
            case s.And(items):
                return self._logic(items, decisive=False)
            case s.Or(items):
                return self._logic(items, decisive=True)
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
        return infer(node, _kinds(self.names), NOWHERE)[0]

    def _variable(self, variable: Variable) -> Piece:
        return Piece(ast.Name(variable.identifier, ast.Load()), variable.kind, variable.nullable)

    def _interpreted(self, node: s.Node) -> Piece:
        """Hand a node to the interpreter, with the variables that it may read."""
        code = self.unit.call(runtime.interpreted, self.unit.constant(node), self._used_by(node))
        return Piece(code, self._kind(node))

    # --- operators --------------------------------------------------------------------------------

    def _arithmetic(self, node: s.Arithmetic) -> Piece:
        left, right = self.piece(node.left), self.piece(node.right)
        sides = (left.code, right.code)
        if all(side.kind == NUMBER and not side.nullable for side in (left, right)):
            return Piece(self.unit.call(runtime.DECIMAL[node.operator], *sides), NUMBER, False)
        code = self.unit.call(runtime.arithmetic, self.unit.constant(node.operator), *sides)
        return Piece(code, self._kind(node), False)

    def _comparison(self, operator: str, left: Piece, right: Piece) -> Piece:
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
        if exact and _is_simple(low.code, high.code):  # a chain looks at the last only if it must
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

    def _truth(self, piece: Piece) -> ast.expr:
        if piece.kind == BOOLEAN and not piece.nullable:
            return piece.code
        return self.unit.call(runtime.truth, piece.code)

    def _if(self, node: s.Node, condition: ast.expr, then: Piece, otherwise: Piece) -> Piece:
        code = ast.IfExp(condition, then.code, otherwise.code)
        return Piece(code, self._kind(node), then.nullable or otherwise.nullable)

    def _item(self, node: s.Node, source: Piece, position: runtime.Decimal) -> Piece:
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
        own = {"min": min, "max": max}.get(overload.name)
        items = given[0].items or given
        if own and len(items) > 1 and all(item.exact and item.kind == items[0].kind for item in items):
            return Piece(self.unit.call(own, *(item.code for item in items)), kind, False)
        code = self.unit.call(overload.run, *(piece.code for piece in given))
        return Piece(code, kind, overload.nullable)

    # --- cells ------------------------------------------------------------------------------------

    def cell(self, cell: s.UnaryTests, subject: Variable) -> ast.expr:
        """Return code that is true exactly when the subject passes."""
        if not cell.tests:
            return ast.Constant(True)
        if subject.nullable:
            there = Variable(subject.identifier, subject.kind, False)
            present = Writer({**self.names, "?": there}, self.unit)
            absent = Writer({**self.names, "?": Variable(subject.identifier, NULL)}, self.unit)
            is_null = ast.Compare(ast.Name(subject.identifier, ast.Load()), [ast.Is()], [ast.Constant(None)])
            return _if_code(is_null, absent.cell_of_null(cell), present.cell_of_value(cell, subject))
        return self.cell_of_value(cell, subject)

    def cell_of_null(self, cell: s.UnaryTests) -> ast.expr:
        """Return code for a null subject: mostly known at once."""
        known = [_null_passes(test) for test in cell.tests]
        if "?" in known:
            return self._cell_interpreted(cell)
        if True in known:
            return ast.Constant(not cell.negated)
        return ast.Constant(cell.negated and None not in known)

    def cell_of_value(self, cell: s.UnaryTests, subject: Variable) -> ast.expr:
        """Return code for a subject that is there."""
        own = Piece(ast.Name(subject.identifier, ast.Load()), subject.kind, False)
        codes = [self._test(test, own) for test in cell.tests]
        plain = [code for code in codes if code is not None]
        if len(plain) < len(codes):
            return self._cell_interpreted(cell)
        code = plain[0] if len(plain) == 1 else ast.BoolOp(ast.Or(), plain)
        return ast.UnaryOp(ast.Not(), code) if cell.negated else code

    def _test(self, test: s.Node, subject: Piece) -> ast.expr | None:
        """Return code for one test that is true or false, never unknown; None if that is not certain."""
        match test:
            case s.UnaryComparison(operator, operand):
                bound = self.piece(operand)
                if bound.nullable:
                    return None
                return self._comparison(operator, subject, bound).code
            case s.RangeLiteral(low, high, low_closed, high_closed):
                first, last = self.piece(low), self.piece(high)
                exact = subject.exact and first.exact and last.exact
                if not exact or not subject.kind == first.kind == last.kind:
                    return None
                if not _is_simple(first.code, last.code):
                    return None
                signs: list[ast.cmpop] = [
                    ast.LtE() if closed else ast.Lt() for closed in (low_closed, high_closed)
                ]
                return ast.Compare(first.code, signs, [subject.code, last.code])
            case s.Null():
                return ast.Constant(False)
            case s.Number() | s.String() | s.Boolean() | s.AtLiteral():
                return self._comparison("=", subject, self.piece(test)).code
        wanted = self.piece(test)
        if s.mentions_input(test):
            return wanted.code if wanted.kind == BOOLEAN and not wanted.nullable else None
        if wanted.kind == subject.kind and wanted.kind in (*ORDERED, BOOLEAN) and not wanted.nullable:
            return self._comparison("=", subject, wanted).code
        return None

    def _cell_interpreted(self, cell: s.UnaryTests) -> ast.expr:
        subject = ast.Name(self.names["?"].identifier, ast.Load())
        return self.unit.call(runtime.passes, self.unit.constant(cell), subject, self._used_by(cell))

    def _used_by(self, node: s.Node) -> ast.Dict:
        used = {part.name for part in s.walk(node) if isinstance(part, s.Name)}
        chosen = [(n, v) for n, v in self.names.items() if n in used or n.split(".")[0] in used]
        keys: list[ast.expr | None] = [self.unit.constant(name) for name, _ in chosen]
        return ast.Dict(keys, [ast.Name(v.identifier, ast.Load()) for _, v in chosen])


def _if_code(condition: ast.expr, then: ast.expr, otherwise: ast.expr) -> ast.expr:
    if isinstance(then, ast.Constant) and then.value is False:
        absent = ast.UnaryOp(ast.Not(), condition)
        return ast.BoolOp(ast.And(), [absent, otherwise])
    if isinstance(then, ast.Constant) and then.value is True:
        return ast.BoolOp(ast.Or(), [condition, otherwise])
    return ast.IfExp(condition, then, otherwise)


def _null_passes(test: s.Node) -> bool | str | None:
    """Tell whether null passes a test: true, false, unknown (None), or "?" where only a run can tell."""
    match test:
        case s.Null():
            return True
        case s.Number() | s.String() | s.Boolean() | s.AtLiteral():
            return False
        case s.UnaryComparison("<" | "<=" | ">" | ">=", operand):
            return None if _is_literal(operand) else "?"
        case s.RangeLiteral(low, high):
            return None if _is_literal(low) and _is_literal(high) else "?"
    return "?"


def _is_simple(*codes: ast.expr) -> bool:
    """Tell whether evaluating these can neither fail nor cost."""
    return all(isinstance(code, ast.Name | ast.Constant) for code in codes)


def _is_literal(node: s.Node) -> bool:
    return isinstance(node, s.Number | s.String | s.AtLiteral)


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
        return formal.item in (VARIABLE, runtime.ANY)
    return formal in (kind, VARIABLE, runtime.ANY) and kind in (*ORDERED, BOOLEAN)
