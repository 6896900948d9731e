"""Cells of decision tables to Python code that is true exactly when the input passes."""

from __future__ import annotations

import ast

from engine.feel import runtime
from engine.feel import syntax as s
from engine.feel.kinds import BOOLEAN, NULL
from engine.feel.unit import Piece, Variable
from engine.feel.writer import Writer


class CellWriter(Writer):
    """Writes code for one cell; `?` is the variable of its column."""

    def cell(self, cell: s.UnaryTests, subject: Variable) -> ast.expr:
        """Return code that is true exactly when the subject passes."""
        if not cell.tests:
            return ast.Constant(True)
        if subject.nullable:
            there = Variable(subject.identifier, subject.kind, False)
            present = CellWriter({**self.names, "?": there}, self.unit)
            absent = CellWriter({**self.names, "?": Variable(subject.identifier, NULL)}, self.unit)
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
        codes = [self._test_of_cell(test, own) for test in cell.tests]
        plain = [code for code in codes if code is not None]
        if len(plain) < len(codes):
            return self._cell_interpreted(cell)
        code = plain[0] if len(plain) == 1 else ast.BoolOp(ast.Or(), plain)
        return ast.UnaryOp(ast.Not(), code) if cell.negated else code

    def _cell_interpreted(self, cell: s.UnaryTests) -> ast.expr:
        subject = ast.Name(self.names["?"].identifier, ast.Load())
        return self.unit.call(runtime.passes, self.unit.constant(cell), subject, self.used_by(cell))

    def _test_of_cell(self, test: s.Node, subject: Piece) -> ast.expr | None:
        if s.mentions_input(test) and not isinstance(test, s.UnaryComparison | s.RangeLiteral):
            wanted = self.piece(test)
            return wanted.code if wanted.kind == BOOLEAN and not wanted.nullable else None
        return self.test(test, subject)


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


def _is_literal(node: s.Node) -> bool:
    return isinstance(node, s.Number | s.String | s.AtLiteral)
