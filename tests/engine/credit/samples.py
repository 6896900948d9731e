"""Small policies for tests: one line differs, the rest is the same."""

from __future__ import annotations

from datetime import date
from typing import Any

from engine.credit import CreditPolicy, Fact, load_credit
from engine.source import render_problem

DAY = date(2026, 11, 20)

HEAD = """
policy: sample
kind: credit
version: "1"
effective: {from: 2026-01-01}
currency: CNY
"""


def policy_of(text: str, **files: bytes) -> CreditPolicy:
    """Return the policy of a text without its head; every problem but a warning fails the test."""
    data = (HEAD + text).encode()
    loaded = load_credit({"policy.yaml": data, **{k.replace("__", "/"): v for k, v in files.items()}})
    told = "\n".join(render_problem(p, {"policy.yaml": data.decode()}) for p in loaded.problems)
    assert loaded.policy is not None, told
    return loaded.policy


def codes_of(text: str) -> list[str]:
    """Return the codes of all problems of a text without its head."""
    return [problem.code for problem in load_credit({"policy.yaml": (HEAD + text).encode()}).problems]


def given(**values: Any) -> dict[str, Fact]:
    """Return plain values as facts of the day."""
    return {
        name: value if isinstance(value, Fact) else Fact(value=value, as_of=DAY)
        for name, value in values.items()
    }
