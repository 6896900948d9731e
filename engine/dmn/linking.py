"""Every formula of a model read once, with the names that its place can see (7.3.1, 10.3.2.11)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import Any

from engine.dmn import expressions as x
from engine.dmn.graph import Graph, Node
from engine.dmn.limits import DmnLimits
from engine.dmn.model import BusinessKnowledgeModel, Decision, Definitions, ItemDefinition
from engine.dmn.names import is_feel
from engine.dmn.types import Types
from engine.feel import syntax as s
from engine.feel.kinds import FeelType
from engine.feel.parser import parse_expression, parse_unary_tests
from engine.feel.tokens import tokenize
from engine.policy import Loaded
from engine.source import Problem, Severity, Span

Names = frozenset[str]
Parsed = dict[x.Formula, s.Node]
ALWAYS = s.UnaryTests(())
"""`-`, and an empty cell."""


class Linker:
    """One linking of all models that are loaded together."""

    def __init__(
        self, models: Mapping[str, Definitions], graph: Graph, types: Types, limits: DmnLimits,
        problems: list[Problem],
    ) -> None:  # fmt: skip
        self.graph, self.types, self.limits, self.problems = graph, types, limits, problems
        self.parsed: Parsed = {}
        self.members = _members(models)
        for model in models.values():
            _Scope(self, model).items(model.items)
            for element in model.elements:
                self.element(Node(model, element))

    def element(self, node: Node) -> None:
        """Read the formulas of one element."""
        scope, element = _Scope(self, node.model), node.element
        self.types.of(node.model, element.variable.type_ref, element.variable.span)
        names = frozenset(requirement.path[0] for requirement in self.graph.required(node))
        if isinstance(element, Decision):
            scope.boxed(element.expression, names)
        elif isinstance(element, BusinessKnowledgeModel):
            scope.boxed(element.logic, names | {node.variable})


class _Scope:
    """The formulas of one model."""

    def __init__(self, linker: Linker, model: Definitions) -> None:
        self.linker, self.model = linker, model
        self.named = linker.types.named(model)

    def items(self, items: tuple[ItemDefinition, ...]) -> None:
        """Read the tests of types; those of a component see the components beside it."""
        beside = frozenset(item.name for item in items)
        for item in items:
            self.linker.types.find(self.model, item.name)
            for tests in (item.allowed, item.constraint):
                self.tests(tests, beside)
            self.items(item.components)

    def boxed(self, expression: x.Boxed | None, names: Names) -> None:
        """Read the formulas of a boxed expression whose place sees these names."""
        if expression is None:
            return
        self.linker.types.of(self.model, expression.type_ref, expression.span)
        match expression:
            case x.LiteralExpression(formula=formula):
                self.formula(formula, names)
            case x.Context(entries=entries):
                for entry in entries:
                    self.boxed(entry.value, names)
                    names |= self.variables(entry.variable)
            case x.FunctionDefinition(parameters=parameters, body=body):
                self.boxed(body, names | self.variables(*parameters))
            case x.IteratorExpression(source=source, body=body, variable=variable):
                self.boxed(source, names)
                self.boxed(body, names | {variable, "partial"})
            case x.FilterExpression(source=source, match=match):
                self.boxed(source, names)
                self.boxed(match, names | {"item"})
            case x.DecisionTable():
                self.table(expression, names)
            case _:
                self.variables(*getattr(expression, "columns", ()))
                for part in x.parts(expression):
                    self.boxed(part.value if isinstance(part, x.Binding) else part, names)  # type: ignore[arg-type]  # parts of these are boxed

    def variables(self, *items: x.InformationItem | None) -> Names:
        """Return the names of variables, and report the types of theirs that are unknown."""
        for item in items:
            if item is not None:
                self.linker.types.of(self.model, item.type_ref, item.span)
        return frozenset(item.name for item in items if item is not None)

    def table(self, table: x.DecisionTable, names: Names) -> None:
        """Read the cells of a decision table."""
        for clause in table.inputs:
            self.boxed(clause.expression, names)
            self.tests(clause.values, names)
        for column in table.outputs:
            self.linker.types.of(self.model, column.type_ref, column.span)
            self.tests(column.values, names)
            self.boxed(column.default, names)
        for rule in table.rules:
            for test in rule.tests:
                self.tests(test, names)
            for cell in rule.outputs:
                self.boxed(cell, names)

    def formula(self, formula: x.Formula | None, names: Names) -> None:
        """Read one expression."""
        if formula is not None and self.readable(formula):
            known = self.known(formula, names)
            self.keep(formula, parse_expression(formula.value, START, known, limits=self.feel))

    def tests(self, formula: x.Formula | None, names: Names) -> None:
        """Read one cell of tests."""
        if formula is None or not self.readable(formula):
            return
        if formula.value.strip() in ("", "-"):
            self.linker.parsed[formula] = ALWAYS
            return
        known = self.known(formula, names)
        self.keep(formula, parse_unary_tests(formula.value, START, known, limits=self.feel))

    @property
    def feel(self) -> Any:
        """The limits of one expression."""
        return self.linker.limits.feel

    def readable(self, formula: x.Formula) -> bool:
        """Tell whether a text is FEEL; otherwise say so."""
        language = formula.language or self.model.expression_language
        if is_feel(language):
            return True
        message = f"`{language}` is not FEEL, so the expression is worth null"
        place = formula.text.place(0)
        self.linker.problems.append(Problem("dmn-unsupported", message, place, "Write it in FEEL."))
        return False

    def known(self, formula: x.Formula, names: Names) -> Collection[str]:
        """Return the names in scope, and those of members that the text may speak of."""
        text = formula.value
        return names | {name for name, words in self.linker.members if all(word in text for word in words)}

    def keep(self, formula: x.Formula, loaded: Loaded[Any]) -> None:
        """Keep a tree, or say what is wrong; a wrong expression is worth null, so that is a warning."""
        if loaded.policy is not None:
            self.linker.parsed[formula] = renamed(loaded.policy, self.named)
        for problem in loaded.problems:
            place = formula.text.place(offset_of(formula.value, problem.span), problem.span.length)
            self.linker.problems.append(replace(problem, span=place, severity=Severity.WARNING))


START = Span("", 1, 1)


def offset_of(text: str, span: Span) -> int:
    """Return the offset of a place that counts lines and columns from the start of the text."""
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: span.line - 1]) + span.column - 1


def _members(models: Mapping[str, Definitions]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the names of several words that may stand behind a dot, each with its words."""
    found: set[str] = set()

    def item(definition: ItemDefinition) -> None:
        for part in definition.components:
            found.add(part.name)
            item(part)

    for model in models.values():
        for definition in model.items:
            item(definition)
        for element in model.elements:
            found.add(element.variable.name)
            stack: list[Any] = [getattr(element, "expression", None) or getattr(element, "logic", None)]
            while stack:
                top = stack.pop()
                if top is None or isinstance(top, x.Formula):
                    continue
                if isinstance(top, x.ContextEntry) and top.variable is not None:
                    found.add(top.variable.name)
                if isinstance(top, x.Relation):
                    found.update(column.name for column in top.columns)
                if isinstance(top, x.OutputClause) and top.name:
                    found.add(top.name)
                stack.extend(x.parts(top))
    words = ((name, tuple(token.text for token in tokenize(name)[:-1])) for name in sorted(found))
    return tuple((name, parts) for name, parts in words if len(parts) > 1)


def renamed(node: s.Node, named: Any) -> s.Node:
    """Return a tree in which the names of the model's types are replaced by what they stand for."""
    changes: dict[str, Any] = {}
    for part in fields(node):
        value = getattr(node, part.name)
        changed: Any = value
        if isinstance(value, FeelType):
            changed = named(value)
        elif isinstance(value, s.Node):
            changed = renamed(value, named)
        elif isinstance(value, tuple):
            changed = tuple(renamed(item, named) if isinstance(item, s.Node) else item for item in value)
            if all(new is old for new, old in zip(changed, value, strict=True)):
                changed = value
        if changed is not value:
            changes[part.name] = changed
    return replace(node, **changes) if changes else node
