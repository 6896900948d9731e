"""What every construct of FEEL means: one case each, readable beside the standard (DMN 1.5, 10.3.2).

A wrong expression is worth null, and the reason is noted. Three-valued logic: null is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from engine.feel import syntax as s
from engine.feel.access import (
    belongs,
    between,
    entry_of,
    item_at,
    make_range,
    open_range,
    steps,
)
from engine.feel.access import range_steps as range_steps
from engine.feel.calls import call
from engine.feel.conformance import conforms
from engine.feel.functions.from_text import at_literal
from engine.feel.inference import infer
from engine.feel.kinds import ANY, FeelType, conforms_to
from engine.feel.limits import LIMITS, Limits
from engine.feel.limits import LimitReached as LimitReached
from engine.feel.operators import arithmetic, compare, negate
from engine.feel.scope import CLOCKS as CLOCKS
from engine.feel.scope import Given
from engine.feel.scope import Scope as Scope
from engine.feel.scope import item_scope as item_scope
from engine.feel.values import FeelError, Range, UserFunction, Value, brief, to_feel
from engine.feel.weight import CHARACTERS, weight
from engine.source import Span

A = TypeVar("A")
CONDITIONS = (s.Comparison, s.And, s.Or, s.Between, s.In, s.InstanceOf, s.Quantified, s.Call)
"""What may stand in a cell as a condition without `?`; a literal or a name is a value to compare with."""
ITEMS_A_STEP = 4
CHARACTERS_A_STEP = ITEMS_A_STEP * CHARACTERS
CALL = 3
"""What a call of a function counts of the limit `calls`, besides its own node: the stack of so many."""


@dataclass(frozen=True, slots=True)
class Note:
    """Why a part of an expression is worth null: `what` in kebab case, `why` as a sentence."""

    what: str
    why: str
    offset: int
    length: int


def evaluate(node: s.Node, scope: Mapping[str, Any], *, notes: list[Note], limits: Limits = LIMITS) -> Value:
    """Return what an expression is worth; every part that is worth null by mistake leaves a note.

    Raises NotAFeelValue if a name that is read holds something that FEEL has no kind for, such as a float.
    """
    interpreter = Interpreter(notes, limits)
    return interpreter.guarded(node, lambda: interpreter.whole(node, Scope(Given(scope))))


def matches(
    tests: s.UnaryTests, value: Any, scope: Mapping[str, Any], *, notes: list[Note], limits: Limits = LIMITS
) -> bool | None:
    """Tell whether a value passes the tests of a cell; None if that is unknown."""
    interpreter = Interpreter(notes, limits)
    inner = Scope({"?": to_feel(value)}, Scope(Given(scope)))
    return interpreter.guarded(tests, lambda: interpreter.passes(tests, inner))


class Interpreter:
    """One evaluation: its notes, its limits, and what it has cost so far."""

    def __init__(self, notes: list[Note], limits: Limits) -> None:
        self.notes, self.limits = notes, limits
        self.steps = self.depth = 0
        self.result_types: dict[int, FeelType] = {}

    def guarded(self, node: s.Node, work: Callable[[], A]) -> A | None:
        """Do some work that ends with null and a note when it costs too much."""
        try:
            return work()
        except LimitReached as reached:
            self.note(node, "limit", str(reached))
        except RecursionError:  # the caller's own stack was nearly full
            self.note(node, "limit", "it is nested too deep for the stack that is left (limit `calls`)")
        return None

    def note(self, node: s.Node, what: str, why: str) -> None:
        """Remember why a part is worth null."""
        if len(self.notes) < self.limits.notes:
            self.notes.append(Note(what, why, node.offset, node.length))

    def spend(self, count: int = 1) -> None:
        """Count some steps; raises LimitReached beyond the limit."""
        self.steps += count
        if self.steps > self.limits.iterations:
            raise LimitReached(f"it takes more than {self.limits.iterations} steps (limit `iterations`)")

    def look_through(self, *values: Value) -> None:
        """Count what it costs to look through values; raises LimitReached if they are too large or deep."""
        for value in values:
            if isinstance(value, list | dict) or (isinstance(value, str) and len(value) > 64):
                left = self.limits.iterations - self.steps
                self.spend(weight(value, left * ITEMS_A_STEP, self.limits) // ITEMS_A_STEP)

    def whole(self, node: s.Node, scope: Scope) -> Value:
        """Return what an expression is worth, if that is a value that others can look through."""
        value = self.value(node, scope)
        self.look_through(value)
        return value

    def value(self, node: s.Node, scope: Scope) -> Value:
        """Return what a node is worth; null with a note if it has no value."""
        self.spend()
        self.depth += 1
        if self.depth > self.limits.calls:
            raise LimitReached(f"it is nested more than {self.limits.calls} deep (limit `calls`)")
        try:
            return self._value(node, scope)
        except FeelError as error:
            self.note(node, error.what, error.why)
            return None
        finally:
            self.depth -= 1

    def _value(self, node: s.Node, scope: Scope) -> Value:
        match node:
            # literals
            case s.Number(value) | s.String(value) | s.Boolean(value):
                return value
            case s.Null():
                return None
            case s.AtLiteral(text):
                return at_literal(text)
            case s.ListLiteral(items):
                return [self.value(item, scope) for item in items]
            case s.ContextLiteral(entries):
                return self._context(entries, scope)
            case s.RangeLiteral(low, high, low_closed, high_closed):
                return make_range(self.value(low, scope), self.value(high, scope), low_closed, high_closed)
            case s.UnaryComparison(operator, operand):
                return open_range(operator, self.value(operand, scope))
            case s.FunctionDefinition():
                return self._function(node, scope)
            # names and access
            case s.Name(name):
                return scope.find(name)
            case s.Path(source, name):
                return self._path(self.value(source, scope), name)
            case s.Filter(source, condition):
                return self._filter(self.value(source, scope), condition, scope)
            case s.Call():
                return self._call(node, scope)
            # operators
            case s.Arithmetic(operator, left, right):
                return self._arithmetic(operator, self.value(left, scope), self.value(right, scope))
            case s.Negation(operand):
                return negate(self.value(operand, scope))
            case s.Comparison(operator, left, right):
                return self._compare(operator, self.value(left, scope), self.value(right, scope))
            case s.And(items):
                return self._logic(items, scope, decisive=False)
            case s.Or(items):
                return self._logic(items, scope, decisive=True)
            case s.Between(operand, low, high):
                bounds = Range(self.value(low, scope), self.value(high, scope))
                return between(self.value(operand, scope), bounds)
            case s.In(operand, tests):
                return self._any_passes(tests, self.value(operand, scope), scope, in_cell=False)
            case s.InstanceOf(operand, kind):
                return self._instance_of(self.value(operand, scope), kind)
            # control
            case s.If(condition, then, otherwise):
                return self.value(then if self._truth(condition, scope) else otherwise, scope)
            case s.For():
                return self._for(node, scope)
            case s.Quantified():
                return self._quantified(node, scope)
        raise TypeError(f"no meaning for {type(node).__name__}")

    # --- contexts, functions, filters -------------------------------------------------------------

    def _context(self, entries: tuple[s.Entry, ...], scope: Scope) -> Value:
        made: dict[str, Value] = {}
        inner = Scope(made, scope)
        for entry in entries:
            if entry.name in made or not entry.name:
                why = f"`{entry.name}` stands there twice" if entry.name else "is empty"
                raise FeelError("bad-argument", f"the key {why}")
            made[entry.name] = self.value(entry.value, inner)
        return made

    def _function(self, node: s.FunctionDefinition, scope: Scope) -> Value:
        if node.external:
            raise FeelError("external-function", "external functions are not run")
        parameters = tuple((p.name, p.type) for p in node.parameters)
        return UserFunction(
            parameters,
            lambda arguments: self._body(node.body, Scope(arguments, scope)),
            inferred=lambda: self._result_type(node),
        )

    def _result_type(self, node: s.FunctionDefinition) -> FeelType:
        if id(node) not in self.result_types:
            known = {parameter.name: parameter.type or ANY for parameter in node.parameters}
            self.result_types[id(node)] = infer(node.body, known, Span("", 1, 1))[0]
        return self.result_types[id(node)]

    def _body(self, body: s.Node, scope: Scope) -> Value:
        self.depth += CALL
        try:
            return self.value(body, scope)
        finally:
            self.depth -= CALL

    def _call(self, node: s.Call, scope: Scope) -> Value:
        function = self.value(node.function, scope)
        if isinstance(node.function, s.Name) and node.function.name in CLOCKS and not node.arguments:
            return function  # the caller gave the value
        named = {entry.name: self.value(entry.value, scope) for entry in node.named}
        arguments = [self.value(argument, scope) for argument in node.arguments]
        self.look_through(*arguments, *named.values())
        made = call(function, arguments, named, self.spend)
        if isinstance(made, str):
            self.spend(len(made) // CHARACTERS_A_STEP)
        return made

    def _arithmetic(self, operator: str, left: Value, right: Value) -> Value:
        if isinstance(left, str) and isinstance(right, str):
            self.spend((len(left) + len(right)) // CHARACTERS_A_STEP)
        return arithmetic(operator, left, right)

    def _path(self, source: Value, name: str) -> Value:
        if isinstance(source, list):
            self.look_through(source)
        return entry_of(source, name)

    def _compare(self, operator: str, left: Value, right: Value) -> bool:
        self.look_through(left, right)
        return compare(operator, left, right)

    def _instance_of(self, value: Value, kind: FeelType) -> bool:
        self.look_through(value)
        return conforms(value, kind, function_fits=conforms_to)

    def _filter(self, source: Value, condition: s.Node, scope: Scope) -> Value:
        """A number is a position; anything else is asked of each item, and what is true is kept."""
        if source is None:
            return None
        items: list[Value] = source if isinstance(source, list) else [source]
        if not items:
            return None if self._is_position(condition, scope) else []
        first = self.value(condition, item_scope(items[0], scope))
        if isinstance(first, Decimal):
            return item_at(items, first)
        kept: list[Value] = []
        for index, item in enumerate(items):
            holds = self.value(condition, item_scope(item, scope)) if index else first
            self._expect_truth(condition, holds)
            if holds is True:
                kept.append(item)
        return kept

    def _is_position(self, condition: s.Node, scope: Scope) -> bool:
        """Tell what a filter would be if there were items; there are none, so nothing is noted."""
        quiet = Interpreter([], self.limits)
        quiet.steps, quiet.depth = self.steps, self.depth
        found = quiet.value(condition, item_scope(None, scope))
        self.steps = quiet.steps
        return isinstance(found, Decimal)

    # --- logic ------------------------------------------------------------------------------------

    def _truth(self, condition: s.Node, scope: Scope) -> bool:
        """A condition that is not true is as good as false, but one that is no truth at all is noted."""
        truth = self.value(condition, scope)
        if not isinstance(truth, bool):
            self.note(condition, "not-a-truth", f"the condition is {brief(truth)}, neither true nor false")
        return truth is True

    def _expect_truth(self, node: s.Node, value: Value) -> None:
        """Null is unknown, but anything else that is no truth is noted."""
        if value is not None and not isinstance(value, bool):
            self.note(node, "not-a-truth", f"{brief(value)} is neither true nor false")

    def _logic(self, items: Iterable[s.Node], scope: Scope, *, decisive: bool) -> bool | None:
        """Return what `or` (true decides) or `and` (false decides) makes of the items (table 50)."""
        unknown = False
        for item in items:
            value = self.value(item, scope)
            if value is decisive:
                return decisive
            self._expect_truth(item, value)
            unknown = unknown or not isinstance(value, bool)
        return None if unknown else not decisive

    def passes(self, tests: s.UnaryTests, scope: Scope) -> bool | None:
        """Tell whether `?` passes the tests of a cell."""
        if not tests.tests:
            return True
        found = self._any_passes(tests.tests, scope.find("?"), scope, in_cell=True)
        return found if not tests.negated or found is None else not found

    def _any_passes(
        self, tests: tuple[s.Node, ...], subject: Value, scope: Scope, *, in_cell: bool
    ) -> bool | None:
        unknown = False
        for test in tests:
            try:
                passed = self._passes(test, subject, scope, in_cell)
            except FeelError as error:
                self.note(test, error.what, error.why)
                passed = None
            if passed:
                return True
            unknown = unknown or passed is None
        return None if unknown else False

    def _passes(self, test: s.Node, subject: Value, scope: Scope, in_cell: bool) -> bool | None:
        if subject is None and in_cell and isinstance(test, s.UnaryComparison | s.RangeLiteral):
            return self._null_passes(test, scope)
        if isinstance(test, s.UnaryComparison):
            return self._compare(test.operator, subject, self.value(test.operand, scope))
        wanted = self.value(test, scope)
        self.look_through(subject, wanted)
        if wanted is None and isinstance(test, s.RangeLiteral):
            return None
        if in_cell and s.mentions_input(test):
            return wanted if isinstance(wanted, bool) else None
        if (
            in_cell
            and isinstance(test, CONDITIONS)
            and isinstance(wanted, bool)
            and not isinstance(subject, bool)
        ):
            return wanted  # a condition that does not speak of `?`
        return belongs(subject, wanted)

    def _null_passes(self, test: s.UnaryComparison | s.RangeLiteral, scope: Scope) -> bool | None:
        """A missing input is nothing wrong in a cell: whether it passes `>= 720` is just unknown."""
        bounds = [self.value(bound, scope) for bound in s.children(test)]
        if isinstance(test, s.UnaryComparison) and test.operator in ("=", "!="):
            return (bounds[0] is None) == (test.operator == "=")
        return None

    # --- loops ------------------------------------------------------------------------------------

    def _for(self, node: s.For, scope: Scope) -> Value:
        results: list[Value] = []
        looks_back = any(isinstance(part, s.Name) and part.name == "partial" for part in s.walk(node.result))
        for inner in self._loop(node.iterators, scope):
            if looks_back:
                self.spend(len(results) // ITEMS_A_STEP)
                inner = Scope({"partial": list(results)}, inner)
            results.append(self.value(node.result, inner))
            if len(results) > self.limits.items:
                raise LimitReached(f"a list has more than {self.limits.items} items (limit `items`)")
        return results

    def _quantified(self, node: s.Quantified, scope: Scope) -> Value:
        decisive, unknown = node.kind == "some", False
        for inner in self._loop(node.iterators, scope):
            value = self.value(node.condition, inner)
            if value is decisive:
                return decisive
            self._expect_truth(node.condition, value)
            unknown = unknown or not isinstance(value, bool)
        return None if unknown else not decisive

    def _loop(self, iterators: tuple[s.Iterator, ...], scope: Scope) -> Iterable[Scope]:
        first, rest = iterators[0], iterators[1:]
        for item in self._domain(first, scope):
            self.spend()
            inner = Scope({first.name: item}, scope)
            if rest:
                yield from self._loop(rest, inner)
            else:
                yield inner

    def _domain(self, iterator: s.Iterator, scope: Scope) -> Iterable[Value]:
        domain = self.value(iterator.domain, scope)
        if iterator.end is not None:
            return steps(domain, self.value(iterator.end, scope))
        if isinstance(domain, Range):
            return range_steps(domain)
        if domain is None:
            raise FeelError("null-operand", "there is null to go through")
        return domain if isinstance(domain, list) else [domain]
