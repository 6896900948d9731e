"""Typed trees to Python: the fast path of expressions and cells, built as `ast`, never as text.

Generated code gives what the interpreter gives, or raises one of `FAILURES` where the interpreter would
leave a note, or where a long text would be made; the caller then asks the interpreter, which counts what
that costs and says why there is no value. Where the types
are known, code is specialised (numbers are compared as decimals); loops, filters and functions that
an expression defines go to the interpreter as they are, since their cost has to be counted.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.feel import syntax as s
from engine.feel.cell_writer import CellWriter
from engine.feel.inference import infer
from engine.feel.kinds import FeelType
from engine.feel.unit import Piece, Unit, Variable, Variables
from engine.feel.values import FeelError
from engine.feel.writer import NOWHERE, Writer, kinds_of
from engine.source import Problem

__all__ = [
    "FAILURES",
    "NotTyped",
    "Piece",
    "Unit",
    "Variable",
    "Variables",
    "cell",
    "compile_expression",
    "expression",
]

FAILURES: Final = (FeelError, ArithmeticError)
"""What generated code raises instead of leaving a note."""


class NotTyped(ValueError):
    """An expression is to be compiled that `infer` has found wrong."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"the expression cannot be compiled: {problem.message}")


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
    _, problems = infer(node, kinds_of(names), NOWHERE)
    if problems:
        raise NotTyped(problems[0])
    return Writer(names, unit).piece(node)


def cell(tests: s.UnaryTests, subject: Variable, names: Variables, unit: Unit) -> ast.expr:
    """Return code that is true exactly when a variable passes the tests of a cell, else false."""
    return CellWriter({**names, "?": subject}, unit).cell(tests, subject)
