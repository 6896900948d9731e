"""Rows of the benchmark's policy as durable-rules, by its C module, in a process of their own.

Only what production rules can say: the knockouts, the bins and the reason rows, 61 rules over one fact of
whole cents in which null is -1. The points are then added, and the grade, limit and deposit found, in
Python, as the rules cannot. The module can end its process on such rules; then that is what is told.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from engine.credit import CreditPolicy
from engine.credit.model import DecisionTable, Scorecard
from engine.feel import syntax

Rule = dict[str, Any]
CENTS = {"avg_monthly_bill", "overdue_now", "on_time_rate_12m"}
WORK = """
import json, sys, time
import durable_rules_engine as engine
handle = engine.create_ruleset("policy", sys.stdin.readline())
for number, line in enumerate(sys.stdin):
    fact = json.loads(line)
    fact["sid"] = sid = str(number)
    text = json.dumps(fact)
    begun = time.process_time()
    fired = []
    _, offset = engine.assert_fact(handle, text)
    step = engine.start_action_for_state(handle, offset)
    found = step[1] if step else None
    while found:
        fired += json.loads(found)
        found = engine.complete_and_start_action(handle, offset)
    engine.delete_state(handle, sid)
    print(json.dumps([time.process_time() - begun, fired]), flush=True)
"""


def rules(policy: CreditPolicy) -> dict[str, Rule]:
    """Return the rows as rules; a rule's name says the row."""
    made: dict[str, Rule] = {}
    for name in ("knockout", "told"):
        table = policy.decisions[name]
        assert isinstance(table, DecisionTable)
        for rule in table.rules:
            cells = zip(table.inputs, rule.tests, strict=True)
            tests = [
                _test(heading.text, test.node.tests[0])
                for heading, test in cells
                if test.node.tests and heading.text != "grade"
            ]
            made[f"{name}/{rule.number}"] = _rule(tests)
    card = policy.decisions["score"]
    assert isinstance(card, Scorecard)
    for part in card.characteristics:
        for bin_ in part.bins:
            made[f"score/{bin_.number}"] = _rule([_test(part.expression.text, bin_.tests.node.tests[0])])
    return made


def _rule(tests: list[list[Rule]]) -> Rule:
    conditions = [condition for test in tests for condition in test]
    return {"all": [{"m": conditions[0] if len(conditions) == 1 else {"$and": conditions}}], "count": 1}


def _test(name: str, test: syntax.Node) -> list[Rule]:
    """Return the conditions of one cell; an order leaves null out, which is -1."""
    match test:
        case syntax.Null():
            return [{name: -1}]
        case syntax.Boolean(value):
            return [{name: int(value)}]
        case syntax.Number():
            return [{name: _number(name, test)}]
        case syntax.UnaryComparison(sign, bound):
            code = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}[sign]
            low = [{"$gte": {name: 0}}] if sign.startswith("<") else []
            return [*low, {code: {name: _number(name, bound)}}]
        case syntax.RangeLiteral(low, high, low_closed, high_closed):
            return [
                {"$gte" if low_closed else "$gt": {name: _number(name, low)}},
                {"$lte" if high_closed else "$lt": {name: _number(name, high)}},
            ]
    raise ValueError(f"the benchmark has no cell like {test}")


def _number(name: str, node: syntax.Node) -> int:
    assert isinstance(node, syntax.Number)
    return int(node.value * 100) if name in CENTS else int(node.value)


def fact(values: dict[str, Any]) -> dict[str, Any]:
    """Return a customer as a fact of whole numbers."""
    return {
        name: -1 if value is None
        else int(value * 100) if name in CENTS
        else int(value) if isinstance(value, bool) else value
        for name, value in values.items()
    }  # fmt: skip


def fired(policy: CreditPolicy, customers: list[dict[str, Any]]) -> tuple[list[float], list[list[str]], str]:
    """Return for each customer the seconds and the rows that matched, and why there are no more of them."""
    definition = json.dumps(rules(policy))
    sent = "\n".join([definition, *(json.dumps(fact(customer)) for customer in customers)]) + "\n"
    done = subprocess.run(
        [sys.executable, "-c", WORK], input=sent, capture_output=True, text=True, timeout=300, check=False
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    error = done.stderr.strip().splitlines()
    why = "" if len(found) == len(customers) else error[-1] if error else f"it ended with {done.returncode}"
    return [seconds for seconds, _ in found], [names for _, names in found], why
