"""What every boxed expression means: one case each, readable beside the standard (DMN 1.5, 10.2.1)."""

from __future__ import annotations

from collections.abc import Iterable

from engine.dmn import expressions as x
from engine.dmn.model import Definitions
from engine.dmn.run import STACK, Run
from engine.dmn.tables import table_value
from engine.dmn.types import ItemType
from engine.feel.calls import call
from engine.feel.interpreter import ITEMS_A_STEP, LimitReached, Scope, item_scope, range_steps
from engine.feel.kinds import FeelType
from engine.feel.values import FeelError, Range, UserFunction, Value, show


class Boxes:
    """The boxed expressions of one model in one evaluation."""

    def __init__(self, run: Run, model: Definitions) -> None:
        self.run, self.model = run, model

    def type_of(self, item: x.InformationItem | x.Boxed | x.OutputClause | None) -> ItemType | None:
        """Return the type that a variable, an expression or a column is declared with."""
        return None if item is None else self.run.model.types.of(self.model, item.type_ref, item.span)

    def value(self, expression: x.Boxed | None, scope: Scope) -> Value:
        """Return what a boxed expression is worth; null, with a warning, if it has no value."""
        if expression is None:
            return None
        self.run.spend()
        self.run.enter()
        try:
            value = self._value(expression, scope)
            if not isinstance(expression, x.LiteralExpression):
                self.run.look_through(value)
        except FeelError as error:
            self.run.warn(error.what, error.why, expression.span)
            return None
        finally:
            self.run.leave()
        if expression.type_ref is None or isinstance(expression, x.FunctionDefinition):
            return value
        return self.run.member(value, self.type_of(expression), "the expression", expression.span)

    def _value(self, expression: x.Boxed, scope: Scope) -> Value:
        match expression:
            case x.LiteralExpression(formula=formula):
                return None if formula is None else self.run.feel(formula, scope)
            case x.Context():
                return self._context(expression, scope)
            case x.ListExpression(items=items):
                return [self.value(item, scope) for item in items]
            case x.Relation():
                return [self._row(expression, row, scope) for row in expression.rows]
            case x.Invocation():
                return self._invocation(expression, scope)
            case x.FunctionDefinition():
                return self.function(expression, scope)
            case x.Conditional():
                return self._conditional(expression, scope)
            case x.FilterExpression():
                return self._filter(expression, scope)
            case x.IteratorExpression(kind="for"):
                return self._for(expression, scope)
            case x.IteratorExpression():
                return self._quantified(expression, scope)
            case x.DecisionTable():
                return table_value(expression, self, scope)
        raise TypeError(f"no meaning for {type(expression).__name__}")

    def _context(self, context: x.Context, scope: Scope) -> Value:
        made: dict[str, Value] = {}
        inner = Scope(made, scope)
        for entry in context.entries:
            value = self.value(entry.value, inner)
            if entry.variable is None:
                return value
            if not isinstance(entry.value, x.FunctionDefinition):
                kind = self.type_of(entry.variable)
                value = self.run.member(value, kind, f"`{entry.variable.name}`", entry.variable.span)
            if entry.variable.name in made:
                raise FeelError("bad-argument", f"the key `{entry.variable.name}` stands there twice")
            made[entry.variable.name] = value
        return made

    def _row(self, relation: x.Relation, row: tuple[x.Boxed, ...], scope: Scope) -> Value:
        values = (self.value(cell, scope) for cell in row)
        return {
            column.name: self.run.member(value, self.type_of(column), f"`{column.name}`", column.span)
            for column, value in zip(relation.columns, values, strict=False)
        }

    def _invocation(self, invocation: x.Invocation, scope: Scope) -> Value:
        function = self.value(invocation.function, scope)
        named = {binding.parameter: self.value(binding.value, scope) for binding in invocation.bindings}
        return call(function, (), named, self.run.spend)

    def function(self, definition: x.FunctionDefinition, scope: Scope, name: str = "") -> Value:
        """Return a function whose body sees a scope."""
        kinds = [self.type_of(parameter) for parameter in definition.parameters]
        names = [parameter.name for parameter in definition.parameters]
        result = self.result_of(definition)

        def body(arguments: dict[str, Value]) -> Value:
            if definition.kind != "FEEL":
                what = f"`{name or 'the function'}` is a function of {definition.kind}"
                raise FeelError("external-function", f"{what}; code outside of the model is never run")
            bound = {n: self.run.checked(arguments[n], kind) for n, kind in zip(names, kinds, strict=True)}
            return self.called(definition.body, Scope(bound, scope), result)

        parameters = tuple((n, structure(kind)) for n, kind in zip(names, kinds, strict=True))
        return UserFunction(parameters, body, structure(result), name)

    def called(self, body: x.Boxed | None, scope: Scope, result: ItemType | None) -> Value:
        """Return what the body of a function is worth."""
        self.run.enter(STACK)
        try:
            value = self.value(body, scope)
        finally:
            self.run.leave(STACK)
        return value if body is None else self.run.member(value, result, "the result", body.span)

    def result_of(self, item: x.InformationItem | x.FunctionDefinition) -> ItemType | None:
        """Return the type of a function's result; tools declare that, or the type of the function."""
        kind = self.type_of(item)
        while kind is not None and kind.is_function and kind.base is not None:
            kind = kind.base
        if kind is None or not kind.is_function:
            return kind
        return kind.signature[1] if kind.signature else None

    # --- control ----------------------------------------------------------------------------------

    def _conditional(self, conditional: x.Conditional, scope: Scope) -> Value:
        condition = self.value(conditional.condition, scope)
        if condition is not None and not isinstance(condition, bool):
            raise FeelError("not-a-truth", f"the condition is {show(condition):.80}, neither true nor false")
        return self.value(conditional.then if condition else conditional.otherwise, scope)

    def _items(self, source: x.Boxed | None, scope: Scope) -> Iterable[Value]:
        items = self.value(source, scope)
        if items is None:
            raise FeelError("null-operand", "there is null to go through")
        if isinstance(items, Range):
            return range_steps(items)
        return items if isinstance(items, list) else [items]

    def _truth(self, expression: x.Boxed | None, scope: Scope) -> bool:
        truth = self.value(expression, scope)
        if not isinstance(truth, bool):
            raise FeelError("not-a-truth", f"the condition is {show(truth):.80}, neither true nor false")
        return truth

    def _filter(self, expression: x.FilterExpression, scope: Scope) -> Value:
        items = self._items(expression.source, scope)
        return [item for item in items if self._truth(expression.match, item_scope(item, scope))]

    def _for(self, expression: x.IteratorExpression, scope: Scope) -> Value:
        results: list[Value] = []
        looks_back = "partial" in texts(expression.body)
        for item in self._items(expression.source, scope):
            self.run.spend(1 + len(results) // ITEMS_A_STEP if looks_back else 1)
            before: list[Value] = results[:] if looks_back else []
            inner = Scope({expression.variable: item, "partial": before}, scope)
            results.append(self.value(expression.body, inner))
            if len(results) > (most := self.run.limits.feel.items):
                raise LimitReached(f"a list has more than {most} items (limit `items`)")
        return results

    def _quantified(self, expression: x.IteratorExpression, scope: Scope) -> Value:
        items = self._items(expression.source, scope)
        truths = [self._truth(expression.body, Scope({expression.variable: item}, scope)) for item in items]
        return any(truths) if expression.kind == "some" else all(truths)


def texts(expression: x.Boxed | None) -> str:
    """Return all formulas in a boxed expression, one after the other."""
    found: list[str] = []
    stack: list[object] = [expression]
    while stack:
        top = stack.pop()
        if isinstance(top, x.Formula):
            found.append(top.value)
        elif top is not None:
            stack.extend(x.parts(top))
    return "\n".join(found)


def structure(kind: ItemType | None) -> FeelType | None:
    """Return a type as FEEL sees it."""
    return None if kind is None else kind.structure()
