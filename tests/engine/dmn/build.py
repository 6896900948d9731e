"""Small DMN models for tests, written as XML."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from engine.dmn import Evaluation, Model, evaluate_decision, load_model
from engine.dmn.names import MODEL
from engine.feel import Value
from engine.source import Problem

NAMESPACE = "urn:test"


def definitions(*parts: str, namespace: str = NAMESPACE, version: str = MODEL, name: str = "test") -> bytes:
    """Return a file with some elements."""
    inside = "\n".join(parts)
    head = f'<definitions xmlns="{version}" name="{name}" namespace="{namespace}">'
    return f"{head}\n{inside}\n</definitions>".encode()


def literal(text: str, type_ref: str = "") -> str:
    """Return a literal expression."""
    return f"<literalExpression{_type(type_ref)}><text>{escape(text)}</text></literalExpression>"


def decision(name: str, logic: str, *, needs: str = "", knows: str = "", type_ref: str = "") -> str:
    """Return a decision; `needs` and `knows` are ids divided by commas, an input's begins with `?`."""
    required = "".join(
        f'<informationRequirement><required{"Input" if one[0] == "?" else "Decision"} href="{_href(one)}"/>'
        "</informationRequirement>"
        for one in needs.split(",")
        if one
    )
    known = "".join(
        f'<knowledgeRequirement><requiredKnowledge href="{_href(one)}"/></knowledgeRequirement>'
        for one in knows.split(",")
        if one
    )
    variable = f'<variable name="{name}"{_type(type_ref)}/>'
    return f'<decision id="{name}" name="{name}">{variable}{required}{known}{logic}</decision>'


def input_data(name: str, type_ref: str = "") -> str:
    """Return an input data."""
    return f'<inputData id="{name}" name="{name}"><variable name="{name}"{_type(type_ref)}/></inputData>'


def bkm(
    name: str, parameters: str, logic: str, *, knows: str = "", type_ref: str = "", kind: str = ""
) -> str:
    """Return a business knowledge model with parameters such as `a:number, b`."""
    kind = f' kind="{kind}"' if kind else ""
    return (
        f'<businessKnowledgeModel id="{name}" name="{name}"><variable name="{name}"{_type(type_ref)}/>'
        f"<encapsulatedLogic{kind}>{formal(parameters)}{logic}</encapsulatedLogic>"
        + "".join(
            f'<knowledgeRequirement><requiredKnowledge href="{_href(one)}"/></knowledgeRequirement>'
            for one in knows.split(",")
            if one
        )
        + "</businessKnowledgeModel>"
    )


def formal(parameters: str) -> str:
    """Return formal parameters such as `a:number, b`."""
    pairs = (one.strip().partition(":") for one in parameters.split(",") if one.strip())
    return "".join(f'<formalParameter name="{name}"{_type(kind)}/>' for name, _, kind in pairs)


def item(
    name: str, base: str = "", *, allowed: str = "", many: bool = False, inside: str = "", tag: str = ""
) -> str:
    """Return an item definition, or a component of one."""
    tag = tag or "itemDefinition"
    kind = f"<typeRef>{escape(base)}</typeRef>" if base else ""
    tests = f"<allowedValues><text>{escape(allowed)}</text></allowedValues>" if allowed else ""
    return f'<{tag} name="{name}" isCollection="{str(many).lower()}">{kind}{tests}{inside}</{tag}>'


def component(name: str, base: str, *, allowed: str = "", many: bool = False) -> str:
    """Return a component of an item definition."""
    return item(name, base, allowed=allowed, many=many, tag="itemComponent")


def table(inputs: str, outputs: str, *rules: str, policy: str = "UNIQUE", aggregation: str = "") -> str:
    """Return a decision table.

    Inputs `a; b`, outputs `name: "x", "y" = default; other`, rules `test; test | cell; cell`.
    """
    columns = "".join(
        f"<input><inputExpression><text>{escape(one.strip())}</text></inputExpression></input>"
        for one in inputs.split(";")
        if one.strip()
    )
    results = "".join(map(_output, outputs.split(";")))
    rows = "".join(map(_rule, rules))
    aggregated = f' aggregation="{aggregation}"' if aggregation else ""
    return f'<decisionTable hitPolicy="{policy}"{aggregated}>{columns}{results}{rows}</decisionTable>'


def _output(text: str) -> str:
    head, _, default = text.partition("=")
    name, _, values = head.partition(":")
    named = f' name="{name.strip()}"' if name.strip() else ""
    listed = f"<outputValues><text>{escape(values.strip())}</text></outputValues>" if values.strip() else ""
    entry = default.strip()
    preset = f"<defaultOutputEntry><text>{escape(entry)}</text></defaultOutputEntry>" if entry else ""
    return f"<output{named}>{listed}{preset}</output>"


def _rule(text: str) -> str:
    tests, _, cells = text.partition("|")
    left = "".join(
        f"<inputEntry><text>{escape(t.strip())}</text></inputEntry>" for t in tests.split(";") if t.strip()
    )
    right = "".join(f"<outputEntry><text>{escape(c.strip())}</text></outputEntry>" for c in cells.split(";"))
    return f"<rule>{left}{right}</rule>"


def _type(type_ref: str) -> str:
    return f' typeRef="{escape(type_ref)}"' if type_ref else ""


def _href(reference: str) -> str:
    bare = reference.strip().removeprefix("?")
    return bare if "#" in bare else f"#{bare}"


def loaded(*parts: str, **others: bytes) -> tuple[Model, tuple[Problem, ...]]:
    """Return a model and what is wrong with it; `others` are files that it may import."""
    found = load_model({"test.dmn": definitions(*parts), **others}, "test.dmn")
    assert found.policy is not None, found.problems
    return found.policy, found.problems


def evaluated(logic: str, *parts: str, inputs: dict[str, Any] | None = None, **options: str) -> Evaluation:
    """Return what a decision with some logic says."""
    model, _ = loaded(decision("it", logic, **options), *parts)
    return evaluate_decision(model, "it", inputs or {})


def value(logic: str, *parts: str, inputs: dict[str, Any] | None = None, **options: str) -> Value:
    """Return what a decision with some logic is worth."""
    return evaluated(logic, *parts, inputs=inputs, **options).value


def codes(problems: tuple[Problem, ...]) -> list[str]:
    """Return the codes of problems or warnings."""
    return [problem.code for problem in problems]
