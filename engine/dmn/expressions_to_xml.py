"""Boxed expressions to XML."""

from __future__ import annotations

from collections.abc import Callable

from engine.dmn import expressions as x
from engine.dmn.out import Out


def variable(name: str, item: x.InformationItem) -> Out:
    """Return a variable, parameter or column."""
    return Out(name, {"name": item.name, "typeRef": item.type_ref})


def text(name: str, formula: x.Formula | None) -> Out | None:
    """Return an element that holds a formula, or nothing without one."""
    if formula is None:
        return None
    return Out(name, {"expressionLanguage": formula.language}, [Out("text", {}, text=formula.value)])


def common(expression: x.Boxed) -> dict[str, str | None]:
    """Return the attributes that all boxed expressions have."""
    return {"id": expression.id, "label": expression.label, "typeRef": expression.type_ref}


def boxed(expression: x.Boxed | None) -> Out | None:
    """Return a boxed expression under the name of its kind."""
    return None if expression is None else WRITERS[type(expression)](expression)


def child(name: str, expression: x.Boxed | None) -> Out:
    """Return an element that holds one expression."""
    return Out(name, {}, [boxed(expression)])


def literal(expression: x.LiteralExpression, name: str = "literalExpression") -> Out:
    """Return a literal expression, or a cell that is one."""
    formula = expression.formula
    inner = [] if formula is None else [Out("text", {}, text=formula.value)]
    language = None if formula is None else formula.language
    return Out(name, {**common(expression), "expressionLanguage": language}, inner)


def context(expression: x.Context) -> Out:
    """Return a boxed context."""
    entries = []
    for entry in expression.entries:
        name = None if entry.variable is None else variable("variable", entry.variable)
        entries.append(Out("contextEntry", {}, [name, boxed(entry.value)]))
    return Out("context", common(expression), entries)


def listed(expression: x.ListExpression) -> Out:
    """Return a boxed list."""
    return Out("list", common(expression), [boxed(item) for item in expression.items])


def relation(expression: x.Relation) -> Out:
    """Return a relation."""
    columns = [variable("column", column) for column in expression.columns]
    rows = [Out("row", {}, [boxed(cell) for cell in row]) for row in expression.rows]
    return Out("relation", common(expression), [*columns, *rows])


def invocation(expression: x.Invocation) -> Out:
    """Return an invocation."""
    bindings = [
        Out("binding", {}, [Out("parameter", {"name": binding.parameter}), boxed(binding.value)])
        for binding in expression.bindings
    ]
    return Out("invocation", common(expression), [boxed(expression.function), *bindings])


def function(expression: x.FunctionDefinition, name: str = "functionDefinition") -> Out:
    """Return a function definition, or the logic of a business knowledge model."""
    kind = None if expression.kind == "FEEL" else expression.kind
    parameters = [variable("formalParameter", parameter) for parameter in expression.parameters]
    return Out(name, {**common(expression), "kind": kind}, [*parameters, boxed(expression.body)])


def conditional(expression: x.Conditional) -> Out:
    """Return a boxed conditional."""
    parts = {"if": expression.condition, "then": expression.then, "else": expression.otherwise}
    return Out("conditional", common(expression), [child(name, part) for name, part in parts.items()])


def filtered(expression: x.FilterExpression) -> Out:
    """Return a boxed filter."""
    inner = [child("in", expression.source), child("match", expression.match)]
    return Out("filter", common(expression), inner)


def iterator(expression: x.IteratorExpression) -> Out:
    """Return a boxed for, some or every."""
    body = "return" if expression.kind == "for" else "satisfies"
    inner = [child("in", expression.source), child(body, expression.body)]
    return Out(expression.kind, {**common(expression), "iteratorVariable": expression.variable}, inner)


def table(expression: x.DecisionTable) -> Out:
    """Return a decision table."""
    attributes = {
        **common(expression), "hitPolicy": expression.hit_policy, "aggregation": expression.aggregation,
        "outputLabel": expression.output_label, "preferredOrientation": expression.orientation,
    }  # fmt: skip
    annotations = [Out("annotation", {"name": name}) for name in expression.annotations]
    columns = [*map(_input, expression.inputs), *map(_output, expression.outputs)]
    return Out("decisionTable", attributes, [*columns, *annotations, *map(_rule, expression.rules)])


def _input(clause: x.InputClause) -> Out:
    expression = None if clause.expression is None else literal(clause.expression, "inputExpression")
    return Out("input", {"label": clause.label}, [expression, text("inputValues", clause.values)])


def _output(clause: x.OutputClause) -> Out:
    attributes = {"name": clause.name, "label": clause.label, "typeRef": clause.type_ref}
    default = clause.default
    entry = literal(default, "defaultOutputEntry") if isinstance(default, x.LiteralExpression) else None
    return Out("output", attributes, [text("outputValues", clause.values), entry])


def _rule(rule: x.Rule) -> Out:
    description = None if rule.description is None else Out("description", {}, text=rule.description)
    tests = [text("inputEntry", test) for test in rule.tests]
    cells = [literal(cell, "outputEntry") for cell in rule.outputs]
    notes = [Out("annotationEntry", {}, [Out("text", {}, text=note)]) for note in rule.annotations]
    return Out("rule", {}, [description, *tests, *cells, *notes])


WRITERS: dict[type[x.Boxed], Callable[..., Out]] = {
    x.LiteralExpression: literal, x.Context: context, x.ListExpression: listed, x.Relation: relation,
    x.Invocation: invocation, x.FunctionDefinition: function, x.Conditional: conditional,
    x.FilterExpression: filtered, x.IteratorExpression: iterator, x.DecisionTable: table,
}  # fmt: skip
