"""The decisions of a credit policy as a DMN 1.5 model, for other tools; what DMN cannot carry is refused.

Tables and formulas are the same FEEL. A scorecard becomes a boxed context: one table of points for each
characteristic, and their sum as its result. What DMN has no place for (the quality of facts, results,
reasons, promises) goes out in an extension element that `from_dmn` reads and other tools do not: it is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from engine.credit.carried import element_of
from engine.credit.model import (
    CreditPolicy,
    DecisionDefinition,
    DecisionTable,
    Expression,
    FactDefinition,
    FactKind,
    HitPolicy,
    Scorecard,
    Tests,
)
from engine.dmn import expressions as x
from engine.dmn.for_modelers import to_modeler
from engine.dmn.model import Decision, Definitions, DrgElement, InputData, ItemDefinition, Reference
from engine.dmn.to_xml import to_xml
from engine.dmn.xml import Text
from engine.feel.printer import to_text
from engine.policy import Loaded, Texts
from engine.source import Problem, Severity, Span

TYPES = {
    FactKind.STRING: "string", FactKind.INTEGER: "number", FactKind.DECIMAL: "number",
    FactKind.MONEY: "number", FactKind.BOOLEAN: "boolean", FactKind.DATE: "date",
    FactKind.STRINGS: "tStrings",
}  # fmt: skip
NOTHING = {HitPolicy.COLLECT_COUNT: "0", HitPolicy.RULE_ORDER: "[]", HitPolicy.COLLECT: "[]"}
"""What tables are worth when no row matches, by hit policy; the others have no value then."""
TOTAL = "total"
"""The variable of a scorecard's context that holds its base."""
_NOWHERE = Span("", 1, 1)


def to_dmn(
    policy: CreditPolicy, *, for_modelers: bool = False, texts: Texts | None = None
) -> Loaded[bytes]:  # fmt: skip
    """Return the model as XML, with what is not carried as notes; None if a decision cannot be carried.

    With the policy's texts, comments above rows and decisions go out as their descriptions.
    `for_modelers`: in DMN 1.3 with a diagram, as Camunda's modeler opens it; else in DMN 1.5.
    """
    problems = [*_refused(policy), *_not_carried(policy)]
    if any(problem.severity is Severity.ERROR for problem in problems):
        return Loaded(None, tuple(problems))
    strings = ItemDefinition(name="tStrings", span=_NOWHERE, type_ref="string", collection=True)
    inputs: list[DrgElement] = [_input(fact) for fact in policy.facts.values()]
    notes = Notes(texts or {})
    decisions: list[DrgElement] = [_decision(policy, one, notes) for one in policy.decisions.values()]
    model = Definitions(
        file="", name=policy.name, namespace=f"urn:forbear:{policy.name}", version="1.5", span=_NOWHERE,
        id=f"policy-{policy.name}", description=policy.title.get("en"),
        items=(strings,) if any(f.kind is FactKind.STRINGS for f in policy.facts.values()) else (),
        elements=(*inputs, *decisions), kept=(element_of(policy),),
    )  # fmt: skip
    return Loaded((to_modeler if for_modelers else to_xml)(model), tuple(problems))


def _refused(policy: CreditPolicy) -> Iterator[Problem]:
    for decision in policy.decisions.values():
        if isinstance(decision, Scorecard):
            for part in decision.characteristics:
                if any(bin_.reason for bin_ in part.bins):
                    message = (
                        f"the reasons of scorecard `{decision.name}` go by points lost: no other tool does"
                    )
                    yield _kept_aside(message, decision.span)
                    break
        elif isinstance(decision, DecisionTable) and decision.hit.lists and len(decision.outputs) > 1:
            message = (
                f"table `{decision.name}` lists several outputs; without a row DMN gives null, not no rows"
            )
            yield Problem("dmn-not-carried", message, decision.span, "make a table for each output")


def _not_carried(policy: CreditPolicy) -> Iterator[Problem]:
    for fact in policy.facts.values():
        said = [
            key
            for key, value in (
                ("max_age", fact.max_age), ("verified", fact.verified), ("when_missing", fact.when_missing),
                ("when_old", fact.when_old), ("when_unverified", fact.when_unverified),
                ("changeable", not fact.changeable), ("label", fact.label),
            )
            if value
        ]  # fmt: skip
        if said:
            message = f"what fact `{fact.name}` says with {', '.join(said)} is not in DMN"
            yield _kept_aside(message, fact.span)
    for name, expression in (("`status`", policy.status), ("outcome `reasons`", policy.told)):
        if expression is not None:
            yield _kept_aside(f"{name} is not in DMN", expression.span)
    for item in policy.outcome:
        if item.money:
            yield _kept_aside(f"that outcome `{item.name}` is money is not in DMN", item.span)
            break
    parts = (
        ("texts of the reasons", policy.reasons.values()), ("promises", policy.promises),
        ("`when_no_row`", (policy.when_no_row,)), ("`when_failed`", (policy.when_failed,)),
        ("`validity`", (policy.validity,)), ("`regrade`", (policy.regrade,)),
    )  # fmt: skip
    for name, found in parts:
        first = next((part for part in found if part), None)
        if first is not None:
            yield _kept_aside(
                f"the {name} are not in DMN".replace("the `", "`").replace("` are", "` is"), first.span
            )


def _kept_aside(message: str, span: Span) -> Problem:
    advice = "it is kept in an extension element, which `forbear dmn import` reads back"
    return Problem("dmn-kept-aside", message, span, advice, Severity.INFO)


class Notes:
    """The comments of a policy's texts by their places."""

    def __init__(self, texts: Texts) -> None:
        self.lines = {path: data.decode("utf-8-sig", "replace").splitlines() for path, data in texts.items()}

    def above(self, span: Span) -> str | None:
        """Return the lines of comment right above a place, without their signs; None: there are none."""
        lines = self.lines.get(span.file, [])[: max(0, span.line - 1)]
        found = list(takewhile(lambda line: line.startswith("#"), (line.strip() for line in reversed(lines))))
        return "\n".join(line.lstrip("#").strip() for line in reversed(found)) or None


def _input(fact: FactDefinition) -> InputData:
    variable = x.InformationItem(fact.name, TYPES[fact.kind])
    return InputData(id=f"fact-{fact.name}", name=fact.name, variable=variable, span=_NOWHERE)


def _decision(policy: CreditPolicy, decision: DecisionDefinition, notes: Notes) -> Decision:
    logic: x.Boxed
    if isinstance(decision, DecisionTable):
        logic = _table(decision, notes)
    elif isinstance(decision, Scorecard):
        logic = _scorecard(decision, notes)
    else:
        logic = _literal(decision.expression)
    needed = tuple(
        Reference(f"#decision-{name}", "requiredDecision")
        if name in policy.decisions
        else Reference(f"#fact-{name}", "requiredInput")
        for name in policy.reads[decision.name]
        if name in policy.decisions or name in policy.facts
    )
    variable = x.InformationItem(decision.name)
    return Decision(
        id=f"decision-{decision.name}", name=decision.name, variable=variable, span=_NOWHERE,
        expression=logic, inputs=needed, description=notes.above(decision.span),
    )  # fmt: skip


def _table(table: DecisionTable, notes: Notes) -> x.DecisionTable:
    hit, _, aggregation = (
        str(table.hit).partition(" ") if table.hit.name.startswith("COLLECT") else (table.hit, "", "")
    )
    outputs = tuple(
        x.OutputClause(
            span=_NOWHERE, name=output.name, label=None, type_ref=None, values=None,
            default=_literal(table.otherwise[i]) if table.otherwise is not None else _nothing(table),
        )
        for i, output in enumerate(table.outputs)
    )  # fmt: skip
    rules = tuple(
        x.Rule(
            span=_NOWHERE,
            tests=tuple(_formula(cell) for cell in rule.tests),
            outputs=tuple(_literal(result) for result in rule.results),
            description=notes.above(rule.span),
        )
        for rule in table.rules
    )
    return x.DecisionTable(
        span=_NOWHERE, inputs=tuple(map(_clause, table.inputs)), outputs=outputs, rules=rules,
        hit_policy=hit, aggregation=aggregation or None,  # type: ignore[arg-type]  # the words of DMN are ours
    )  # fmt: skip


def _nothing(table: DecisionTable) -> x.LiteralExpression | None:
    """Return what a table without a matching row is worth, where DMN would say null."""
    word = NOTHING.get(table.hit)
    return None if word is None else _feel(word)


def _scorecard(card: Scorecard, notes: Notes) -> x.Context:
    entries = [x.ContextEntry(variable=x.InformationItem(TOTAL), value=_feel(f"{card.base:f}"))]
    names = [TOTAL]
    for number, part in enumerate(card.characteristics, 1):
        output = x.OutputClause(
            span=_NOWHERE, name="points", label=None, type_ref="number", values=None, default=None
        )  # fmt: skip
        rules = tuple(
            x.Rule(
                span=_NOWHERE, tests=(_formula(bin_.tests),), outputs=(_feel(f"{bin_.points:f}"),),
                description=notes.above(bin_.span),
            )
            for bin_ in part.bins
        )  # fmt: skip
        table = x.DecisionTable(
            span=_NOWHERE, inputs=(_clause(part.expression),), outputs=(output,), rules=rules
        )  # fmt: skip
        names.append(f"points_{number}")
        entries.append(x.ContextEntry(variable=x.InformationItem(names[-1]), value=table))
    entries.append(x.ContextEntry(variable=None, value=_feel(" + ".join(names))))
    return x.Context(span=_NOWHERE, entries=tuple(entries))


def _clause(heading: Expression) -> x.InputClause:
    return x.InputClause(span=_NOWHERE, label=heading.text, expression=_literal(heading), values=None)


def _formula(tests: Tests) -> x.Formula:
    return x.Formula(Text(" ".join(tests.text.split()), "", ()))


def _literal(expression: Expression) -> x.LiteralExpression:
    """Return an expression as FEEL: cells that were written bare get their quotes."""
    return _feel(to_text(expression.node))


def _feel(text: str) -> x.LiteralExpression:
    return x.LiteralExpression(span=_NOWHERE, formula=x.Formula(Text(text, "", ())))
