"""One evaluation of a model: values that are known, what it has cost, what was noted on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from engine.dmn.conversion import convert
from engine.dmn.expressions import Formula
from engine.dmn.limits import DmnLimits
from engine.dmn.types import ItemType
from engine.feel import syntax as s
from engine.feel.interpreter import ITEMS_A_STEP, Interpreter, LimitReached, Scope
from engine.feel.values import FeelError, Value
from engine.feel.weight import weight
from engine.source import Problem, Severity, Span

if TYPE_CHECKING:
    from engine.dmn.loading import Model

STACK: Final = 1
"""What a call of a function of the model costs of the limit `calls`: the stack of so many nodes."""


class Cost:
    """How deep and how long an evaluation is, counted through all its expressions."""

    depth = 0
    steps = 0


class Run:
    """What all parts of one evaluation share."""

    def __init__(self, model: Model, clock: Mapping[str, Value], limits: DmnLimits) -> None:
        self.model, self.limits = model, limits
        self.warnings: list[Problem] = []
        self.current: Cost | Interpreter = Cost()
        self.base = Scope(dict(clock))

    def warn(self, code: str, message: str, span: Span, advice: str = "") -> None:
        """Remember why something is worth null."""
        most = self.limits.warnings
        if len(self.warnings) < most:
            self.warnings.append(Problem(code, message, span, advice, Severity.WARNING))
        elif len(self.warnings) == most:
            message = f"there are more warnings than {most} (limit `warnings`)"
            self.warnings.append(Problem("limit", message, span, severity=Severity.WARNING))

    def enter(self, count: int = 1) -> None:
        """Count that the evaluation goes deeper; raises LimitReached beyond the limit."""
        self.current.depth += count
        if self.current.depth > self.limits.feel.calls:
            self.current.depth -= count
            raise LimitReached(f"it is nested more than {self.limits.feel.calls} deep (limit `calls`)")

    def leave(self, count: int = 1) -> None:
        """Count that the evaluation comes back."""
        self.current.depth -= count

    def spend(self, count: int = 1) -> None:
        """Count some steps; raises LimitReached beyond the limit."""
        self.current.steps += count
        if self.current.steps > (most := self.limits.feel.iterations):
            raise LimitReached(f"the evaluation takes more than {most} steps (limit `iterations`)")

    def look_through(self, value: Value) -> None:
        """Count what it costs to look through a value; raises LimitReached if it is too large or deep."""
        if isinstance(value, list | dict):
            left = self.limits.feel.iterations - self.current.steps
            self.spend(weight(value, left * ITEMS_A_STEP, self.limits.feel) // ITEMS_A_STEP)

    def feel(self, formula: Formula, scope: Scope) -> Value:
        """Return what a formula is worth."""
        tree = self.model.parsed.get(formula)
        if tree is None:
            self.warn("feel-syntax", f"`{formula.value:.80}` cannot be read", formula.text.place(0))
            return None
        value: Value = self._guarded(formula, tree, lambda reader: reader.whole(tree, scope))
        return value

    def passes(self, formula: Formula, value: Value, scope: Scope) -> bool:
        """Tell whether a value passes the tests of a cell."""
        tree = self.model.parsed.get(formula)
        if not isinstance(tree, s.UnaryTests):
            return False
        inner = Scope({"?": value}, scope)
        return self._guarded(formula, tree, lambda reader: reader.passes(tree, inner)) is True

    def values(self, formula: Formula, scope: Scope) -> list[Value]:
        """Return what the tests of a cell name, in order; of a test such as `> 5`, a range."""
        tree = self.model.parsed.get(formula)
        if not isinstance(tree, s.UnaryTests):
            return []
        inner = Scope({"?": None}, scope)
        tests = tree.tests
        found = self._guarded(formula, tree, lambda reader: [reader.value(test, inner) for test in tests])
        return found or []

    def _guarded(self, formula: Formula, tree: s.Node, work: Any) -> Any:
        outer = self.current
        reader = _Reader(self, formula)
        reader.depth, reader.steps = outer.depth, outer.steps
        self.current = reader
        try:
            return reader.guarded(tree, lambda: work(reader))
        except RecursionError:
            why = "it is nested too deep for the stack that is left (limit `calls`)"
            reader.note(tree, "limit", why)
            return None
        finally:
            outer.steps, self.current = reader.steps, outer

    def member(self, value: Value, kind: ItemType | None, what: str, span: Span) -> Value:
        """Return a value as a member of a type, or null with a warning."""
        if kind is None or value is None:
            return value
        converted, reason = convert(value, kind, self.allowed)
        if reason is not None:
            self.warn("not-conforming", f"{what} has to be a `{kind.name}`, so it is null: {reason}", span)
        return converted

    def checked(self, value: Value, kind: ItemType | None) -> Value:
        """Return an argument as a member of a type; raises FeelError if it cannot be one."""
        if kind is None or value is None:
            return value
        converted, reason = convert(value, kind, self.allowed)
        if reason is not None:
            raise FeelError("wrong-types", reason)
        return converted

    def allowed(self, formula: Formula, value: Value, beside: Mapping[str, Value]) -> bool:
        """Tell whether a value passes the tests of its type."""
        return self.passes(formula, value, Scope(dict(beside), self.base))


class _Reader(Interpreter):
    """An interpreter whose notes become warnings with the place of the formula."""

    def __init__(self, run: Run, formula: Formula) -> None:
        super().__init__([], run.limits.feel)
        self.run, self.formula = run, formula

    def note(self, node: s.Node, what: str, why: str) -> None:
        """Warn that a part of the formula is worth null."""
        self.run.warn(what, why, self.formula.text.place(node.offset, max(1, node.length)))
