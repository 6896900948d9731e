"""The policy of the benchmark as a graph for zen-engine, made from the same text; its fastest honest form.

Rows become rows of zen's tables, the scorecard one expression of nested conditions (a table for each
characteristic is slower). zen counts in binary floats and looks cells up by its own language, in which
`not("A")` is `$ != "A"` and null is `$ == null`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from itertools import pairwise
from typing import Any

from engine.credit import CreditPolicy
from engine.credit.model import DecisionTable, Scorecard
from engine.feel import syntax

Customer = dict[str, Any]
Result = tuple[str, float, float, list[str]]


def graph(policy: CreditPolicy) -> str:
    """Return the policy as a JDM graph."""
    order = ["knockout", "score", "grade", "terms", "limit", "deposit_months", "deposit", "told"]
    nodes = [{"id": "in", "name": "in", "type": "inputNode", "content": {"schema": ""}}]
    nodes += [_node(policy, name) for name in order]
    nodes.append({"id": "out", "name": "out", "type": "outputNode", "content": {"schema": ""}})
    names = ["in", *order, "out"]
    edges = [
        {"id": f"e{place}", "type": "edge", "sourceId": source, "targetId": target}
        for place, (source, target) in enumerate(pairwise(names))
    ]
    return json.dumps({"nodes": nodes, "edges": edges})


def _node(policy: CreditPolicy, name: str) -> dict[str, Any]:
    decision = policy.decisions[name]
    if isinstance(decision, DecisionTable):
        return {"id": name, "name": name, "type": "decisionTableNode", "content": _table(decision)}
    formulas = {
        "limit": "max([terms.floor, min([terms.cap, avg_monthly_bill * terms.multiple])])",
        "deposit": "avg_monthly_bill * months",
    }
    text = _points(decision) if isinstance(decision, Scorecard) else formulas[name]
    content = {"passThrough": True, "expressions": [{"id": name, "key": name, "value": text}]}
    return {"id": name, "name": name, "type": "expressionNode", "content": content}


def _table(table: DecisionTable) -> dict[str, Any]:
    headings = ["len(knockout)" if h.text.startswith("count") else h.text for h in table.inputs]
    inputs = [{"id": f"i{n}", "name": text, "field": text} for n, text in enumerate(headings)]
    outputs = [{"id": f"o{n}", "name": o.name, "field": o.name} for n, o in enumerate(table.outputs)]
    rules = []
    for rule in table.rules:
        row = {"_id": f"{table.name}{rule.number}"}
        row |= {f"i{n}": _cell(test.text) for n, test in enumerate(rule.tests)}
        row |= {f"o{n}": _output(result.node) for n, result in enumerate(rule.results)}
        rules.append(row)
    collects = table.hit.lists
    path = table.name if collects or table.name == "terms" else None
    return {
        "hitPolicy": "collect" if collects else "first", "inputs": inputs, "outputs": outputs,
        "rules": rules, "passThrough": True, "executionMode": "single", "inputField": None,
        "outputPath": path,
    }  # fmt: skip


def _cell(text: str) -> str:
    if text == "-":
        return ""
    if text == "null":
        return "$ == null"
    return f"$ != {text[4:-1]}" if text.startswith("not(") else text


def _output(node: syntax.Node) -> str:
    return json.dumps(node.value) if isinstance(node, syntax.String) else str(getattr(node, "value", "null"))


def _points(card: Scorecard) -> str:
    """Return the sum of a condition for each characteristic; bins come in rising order, null first."""
    parts = [str(card.base)]
    for part in card.characteristics:
        name, bins = part.expression.text, part.bins
        code = str(bins[-1].points)
        for bin_ in reversed(bins[:-1]):
            code = f"{_condition(name, bin_.tests.node.tests[0])} ? {bin_.points} : ({code})"
        parts.append(f"({code})")
    return " + ".join(parts)


def _condition(name: str, test: syntax.Node) -> str:
    match test:
        case syntax.Null():
            return f"{name} == null"
        case syntax.UnaryComparison(operator, syntax.Number(value)):
            return f"{name} {operator} {value}"
        case syntax.RangeLiteral(_, syntax.Number(high), _, closed):  # the bins below were tried before
            return f"{name} {'<=' if closed else '<'} {high}"
        case syntax.Number(value):
            return f"{name} == {value}"
    raise ValueError(f"the benchmark has no bin like {test}")


def paths(policy: CreditPolicy) -> dict[str, Callable[[Customer], Result]]:
    """Return zen's ways to decide: the fastest one, that of its README, and the fastest one with a trace."""
    zen = import_module("zen")  # it need not be there

    text = graph(policy)
    content = zen.ZenDecisionContent(text)
    loaded = zen.ZenEngine({"loader": lambda _: content})
    engine = zen.ZenEngine()

    def best(customer: Customer) -> Result:
        return told(loaded.evaluate("policy", customer)["result"])

    def with_trace(customer: Customer) -> Result:
        return told(loaded.evaluate("policy", customer, {"trace": True})["result"])

    def readme(customer: Customer) -> Result:
        return told(engine.create_decision(text).evaluate(customer)["result"])

    prepared = engine.create_decision(text)

    def prepared_once(customer: Customer) -> Result:
        return told(prepared.evaluate(customer)["result"])

    return {
        "zen-engine, content made once and loaded": best,
        "zen-engine, as its README (create_decision once)": prepared_once,
        "zen-engine, create_decision each time": readme,
        "zen-engine, content made once, with its trace": with_trace,
    }


def told(result: dict[str, Any]) -> Result:
    """Return what zen says in the form of the others."""
    codes = [row["reason"] for name in ("knockout", "told") for row in result.get(name) or ()]
    return result["grade"], result["limit"], result["deposit"], codes


def customer_of(values: dict[str, Any]) -> Customer:
    """Return a customer as zen takes one: its numbers are binary."""
    return {n: float(v) if type(v).__name__ == "Decimal" else v for n, v in values.items()}
