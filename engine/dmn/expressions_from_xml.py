"""XML elements to boxed expressions."""

from __future__ import annotations

from typing import Any, get_args

from engine.dmn import expressions as x
from engine.dmn.xml import Element
from engine.source import Problem
from engine.text import did_you_mean


def text_of(element: Element | None) -> str | None:
    """Return the text of an element, or None without it."""
    return None if element is None else "".join(element.texts)


def formula(element: Element | None) -> x.Formula | None:
    """Return the formula in an element that holds a `text`, or None if there is none."""
    text = None if element is None else element.first("text")
    if element is None or text is None or not text.text.value.strip():
        return None
    return x.Formula(text.text, element.get("expressionLanguage"))


class ExpressionReader:
    """Reads boxed expressions; what cannot be meant goes to `problems`."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems

    def problem(self, code: str, message: str, element: Element, advice: str = "") -> None:
        """Remember what is wrong with an element."""
        self.problems.append(Problem(code, message, element.span, advice))

    def variable(self, element: Element) -> x.InformationItem:
        """Read a variable, parameter or column."""
        name = " ".join((element.get("name") or "").split())
        type_ref = element.get("typeRef") or text_of(element.first("typeRef"))
        return x.InformationItem(name, type_ref.strip() if type_ref else None, element.span)

    def inside(self, element: Element | None) -> x.Boxed | None:
        """Read the one expression in an element that holds one."""
        if element is None:
            return None
        found = self.all_inside(element)
        if len(found) > 1:
            message = f"`{element.name}` holds {len(found)} expressions, not one"
            self.problem("dmn-structure", message, element)
        return found[0] if found else None

    def all_inside(self, element: Element) -> tuple[x.Boxed, ...]:
        """Read all expressions that stand directly in an element."""
        here = [c for c in element.children if c.name in self.KINDS and c.namespace == element.namespace]
        return tuple(self.KINDS[child.name](self, child) for child in here)

    def _common(self, element: Element) -> dict[str, Any]:
        type_ref = element.get("typeRef")
        return {
            "span": element.span, "id": element.get("id"), "label": element.get("label"),
            "type_ref": type_ref.strip() if type_ref else None,
        }  # fmt: skip

    def literal(self, element: Element) -> x.LiteralExpression:
        """Read a literal expression."""
        if element.first("importedValues") is not None:
            advice = "Write the expression here."
            self.problem("dmn-unsupported", "`importedValues` is not read", element, advice)
        return x.LiteralExpression(**self._common(element), formula=formula(element))

    def invocation(self, element: Element) -> x.Boxed:
        """Read an invocation."""
        bindings = []
        for binding in element.named("binding"):
            parameter = binding.first("parameter")
            name = self.variable(parameter).name if parameter is not None else ""
            bindings.append(x.Binding(parameter=name, value=self.inside(binding)))
        function = self.inside(element)
        return x.Invocation(**self._common(element), function=function, bindings=tuple(bindings))

    def context(self, element: Element) -> x.Boxed:
        """Read a boxed context."""
        entries = []
        for entry in element.named("contextEntry"):
            variable = entry.first("variable")
            item = None if variable is None else self.variable(variable)
            entries.append(x.ContextEntry(variable=item, value=self.inside(entry)))
        return x.Context(**self._common(element), entries=tuple(entries))

    def listed(self, element: Element) -> x.Boxed:
        """Read a boxed list."""
        return x.ListExpression(**self._common(element), items=self.all_inside(element))

    def relation(self, element: Element) -> x.Boxed:
        """Read a relation."""
        columns = tuple(self.variable(column) for column in element.named("column"))
        rows = tuple(self.all_inside(row) for row in element.named("row"))
        for row, cells in zip(element.named("row"), rows, strict=True):
            if len(cells) != len(columns):
                message = f"the row has {len(cells)} cells for {len(columns)} columns"
                self.problem("dmn-structure", message, row)
        return x.Relation(**self._common(element), columns=columns, rows=rows)

    def function(self, element: Element) -> x.Boxed:
        """Read a function definition."""
        return x.FunctionDefinition(
            **self._common(element), body=self.inside(element),
            parameters=tuple(self.variable(p) for p in element.named("formalParameter")),
            kind=self._one_of(element, "kind", get_args(x.FunctionKind), "FEEL"),
        )  # fmt: skip

    def conditional(self, element: Element) -> x.Boxed:
        """Read a boxed conditional."""
        condition, then, otherwise = (self.inside(element.first(name)) for name in ("if", "then", "else"))
        return x.Conditional(**self._common(element), condition=condition, then=then, otherwise=otherwise)

    def filtered(self, element: Element) -> x.Boxed:
        """Read a boxed filter."""
        source, match = (self.inside(element.first(name)) for name in ("in", "match"))
        return x.FilterExpression(**self._common(element), source=source, match=match)

    def iterator(self, element: Element) -> x.Boxed:
        """Read a boxed for, some or every."""
        body = element.first("return" if element.name == "for" else "satisfies")
        kind: Any = element.name
        variable = " ".join((element.get("iteratorVariable") or "").split())
        return x.IteratorExpression(
            **self._common(element), kind=kind, variable=variable,
            source=self.inside(element.first("in")), body=self.inside(body),
        )  # fmt: skip

    def table(self, element: Element) -> x.Boxed:
        """Read a decision table."""
        inputs = tuple(self._input(clause) for clause in element.named("input"))
        outputs = tuple(self._output(clause) for clause in element.named("output"))
        rules = tuple(self._rule(rule, len(inputs), len(outputs)) for rule in element.named("rule"))
        aggregation = self._one_of(element, "aggregation", get_args(x.Aggregation), "")
        return x.DecisionTable(
            **self._common(element), inputs=inputs, outputs=outputs, rules=rules,
            hit_policy=self._one_of(element, "hitPolicy", get_args(x.HitPolicy), "UNIQUE"),
            aggregation=aggregation,
            output_label=element.get("outputLabel"), orientation=element.get("preferredOrientation"),
            annotations=tuple(a.get("name") or "" for a in element.named("annotation")),
        )  # fmt: skip

    def _input(self, element: Element) -> x.InputClause:
        expression = element.first("inputExpression")
        return x.InputClause(
            span=element.span, label=element.get("label"), values=formula(element.first("inputValues")),
            expression=None if expression is None else self.literal(expression),
        )  # fmt: skip

    def _output(self, element: Element) -> x.OutputClause:
        default = element.first("defaultOutputEntry")
        name = element.get("name")
        return x.OutputClause(
            span=element.span, name=" ".join(name.split()) if name else None, label=element.get("label"),
            type_ref=element.get("typeRef"), values=formula(element.first("outputValues")),
            default=None if default is None else self.literal(default),
        )  # fmt: skip

    def _rule(self, element: Element, inputs: int, outputs: int) -> x.Rule:
        tests = tuple(formula(entry) or x.Formula(entry.text) for entry in element.named("inputEntry"))
        cells = tuple(self.literal(entry) for entry in element.named("outputEntry"))
        for what, have, of, want in (
            ("tests", tests, "inputs", inputs),
            ("cells", cells, "outputs", outputs),
        ):
            if len(have) != want:
                message = f"the rule has {len(have)} {what} for {want} {of}"
                self.problem("dmn-structure", message, element)
        notes = tuple(text_of(note.first("text")) or "" for note in element.named("annotationEntry"))
        description = text_of(element.first("description"))
        return x.Rule(
            span=element.span, tests=tests, outputs=cells, annotations=notes, description=description
        )  # fmt: skip

    def _one_of(self, element: Element, attribute: str, known: tuple[str, ...], default: str) -> Any:
        value = element.get(attribute)
        if value is None:
            return default or None
        if value in known:
            return value
        message = f"`{value}` is not a `{attribute}`"
        self.problem("dmn-structure", message, element, did_you_mean(value, known, of="values"))
        return default or None

    KINDS = {
        "literalExpression": literal, "invocation": invocation, "context": context, "list": listed,
        "relation": relation, "functionDefinition": function, "conditional": conditional, "filter": filtered,
        "for": iterator, "some": iterator, "every": iterator, "decisionTable": table,
    }  # fmt: skip
