"""One decision of a whole policy: `python -m benchmarks.decision`. Prints medians and ratios."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from benchmarks import by_hand
from engine.credit import CreditPolicy, Fact, compile_policy, decide, load_credit
from engine.credit.facts import admit

DAY = date(2026, 11, 20)
CUSTOMERS, ROUNDS = 2_000, 7


def customers(count: int) -> list[dict[str, Any]]:
    """Return made-up customers, the same each time."""
    rng = random.Random(20261120)

    def money(most: int) -> Decimal:
        return Decimal(rng.randrange(most)).scaleb(-2)

    return [
        {
            "segment": rng.choice(["consumer", "consumer", "consumer", "sme", "key"]),
            "value": rng.choice(["low", "mid", "high"]),
            "id_verified": rng.random() < 0.97,
            "prior_write_off": rng.random() < 0.02,
            "direct_debit": rng.random() < 0.4,
            "tenure_months": rng.randrange(90),
            "avg_monthly_bill": money(60_000),
            "max_dpd_12m": rng.choice([None, 0, 0, 0, rng.randrange(1, 120)]),
            "arrears_count_12m": rng.choice([0, 0, 0, rng.randrange(9)]),
            "late_count_12m": rng.choice([0, 0, rng.randrange(8)]),
            "returned_payments_12m": rng.choice([0, 0, 0, 0, rng.randrange(6)]),
            "on_time_rate_12m": rng.choice([None, Decimal(rng.randrange(101)).scaleb(-2)]),
            "suspensions_12m": rng.choice([0, 0, 0, rng.randrange(4)]),
            "broken_promises_12m": rng.choice([0, 0, 0, rng.randrange(5)]),
            "overdue_now": rng.choice([Decimal(0), Decimal(0), money(120_000)]),
        }
        for _ in range(count)
    ]


def microseconds(work: Callable[[Any], object], items: list[Any]) -> float:
    """Return the median over the rounds of the processor time for one item."""
    rounds = []
    for _ in range(ROUNDS):
        start = process_time()
        for item in items:
            work(item)
        rounds.append((process_time() - start) / len(items) * 1e6)
    return median(rounds)


def load() -> CreditPolicy:
    """Return the policy of the benchmark."""
    loaded = load_credit({"policy.yaml": Path(__file__).with_name("policy.yaml").read_bytes()})
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


def main() -> None:
    """Check that all give the same, then measure."""
    policy, given = load(), customers(CUSTOMERS)
    compiled = compile_policy(policy)
    facts = [{n: Fact(value=v, as_of=DAY) for n, v in c.items() if v is not None} for c in given]
    values = [compiled.inputs(admit(policy, f, DAY).values) for f in facts]
    hand = [tuple(c.values()) for c in given]
    for number, (fact, row) in enumerate(zip(facts, hand, strict=True)):
        decision, (grade, limit, deposit, reasons) = compiled.decide(fact, DAY), by_hand.decide(*row)
        told = (decision.outcome["grade"], decision.outcome["credit_limit"].value)
        assert told == (grade, limit), number
        assert decision.outcome["deposit"].value == deposit, number
        assert [reason.code for reason in decision.reasons] == reasons, number
    base = microseconds(lambda row: by_hand.decide(*row), hand)
    some = facts[:200]
    lines = [
        ("by hand, Decimal in and out", base),
        ("compiled: typed facts to outputs", microseconds(lambda row: compiled.run(*row, ()), values)),
        (
            "compiled: with facts checked and a Decision made",
            microseconds(lambda f: compiled.decide(f, DAY), some),
        ),
        ("interpreted, no trace", microseconds(lambda f: decide(policy, f, DAY, trace=False), some)),
        ("interpreted, full trace", microseconds(lambda f: decide(policy, f, DAY), some)),
    ]
    for name, spent in lines:
        print(  # noqa: T201 - a benchmark prints
            f"{name:50} {spent:10.2f} us {spent / base:8.2f} x"
        )


if __name__ == "__main__":
    main()
