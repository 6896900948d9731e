"""One decision of a whole policy, against the same by hand and against other engines, in one run.

    pip install --require-hashes -r requirements/benchmarks.txt     # the other engines; all of them optional
    python -m benchmarks.decision [--write benchmarks/results/decision.txt]

Times are processor time for one decision, medians of rounds that take turns, so that a busy machine slows
all of them alike. Every engine's answers are compared with those by hand before it is measured.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import by_hand, compare_durable, compare_rows, compare_zen
from benchmarks.large_table import large
from benchmarks.rounds import Contender, machine, medians
from engine.credit import CompiledPolicy, CreditPolicy, Fact, compile_policy, decide, load_credit
from engine.credit.facts import admit

DAY = date(2026, 11, 20)
CUSTOMERS = 14_000
Told = tuple[str, Any, Any, list[str]]
"""Grade, credit limit, deposit, reason codes."""


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


def load() -> CreditPolicy:
    """Return the policy of the benchmark."""
    loaded = load_credit({"policy.yaml": Path(__file__).with_name("policy.yaml").read_bytes()})
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


def ours(policy: CreditPolicy, compiled: CompiledPolicy, given: list[dict[str, Any]]) -> list[Contender]:
    """Return the policy by hand and our own machines, after a look at their answers."""
    facts = [{n: Fact(value=v, as_of=DAY) for n, v in c.items() if v is not None} for c in given]
    hand = [tuple(c.values()) for c in given]
    for fact, row in zip(facts[:500], hand, strict=False):
        decision, by_interpreter = compiled.decide(fact, DAY, trace=True), decide(policy, fact, DAY)
        assert decision == by_interpreter
        outcome, codes = decision.outcome, [reason.code for reason in decision.reasons]
        same((outcome["grade"], outcome["credit_limit"].value, outcome["deposit"].value, codes), row)
    values = [(*compiled.inputs(admit(policy, f, DAY).values), ()) for f in facts]
    return [
        Contender("by hand, Decimal in and out", lambda row: by_hand.decide(*row), hand),
        Contender("compiled", lambda row: compiled.run(*row), values),
        Contender("compiled, every decision's value kept", lambda row: compiled.run_all(*row), values),
        Contender("compiled, facts checked, a Decision made", lambda f: compiled.decide(f, DAY), facts),
        Contender(
            "compiled, a Decision with its whole trace written out",
            lambda f: compiled.decide(f, DAY, trace=True), facts,
        ),
        Contender("interpreted", lambda f: decide(policy, f, DAY, trace=False), facts, 50),
        Contender("interpreted, with its whole trace", lambda f: decide(policy, f, DAY), facts, 50),
    ]  # fmt: skip


def same(told: Told, row: tuple[Any, ...]) -> None:
    """Refuse an answer that differs from the one by hand; engines of binary floats may be a hair off."""
    grade, limit, deposit, codes = by_hand.decide(*row)
    assert (told[0], told[3]) == (grade, codes), row
    assert abs(float(told[1]) - float(limit)) < 1e-6, row
    assert abs(float(told[2]) - float(deposit)) < 1e-6, row


def others(policy: CreditPolicy, given: list[dict[str, Any]]) -> Iterator[Contender | str]:
    """Yield the other engines, after a look at their answers, and the names of those not installed."""
    try:
        customers = [compare_zen.customer_of(c) for c in given[:2_000]]
        for name, work in compare_zen.paths(policy).items():
            for customer, values in zip(customers[:200], given, strict=False):
                same(work(customer), tuple(values.values()))
            yield Contender(name, work, customers, 300)
    except ImportError:
        yield "zen-engine"
    for name, dialect in compare_rows.dialects().items():
        try:
            tried = compare_rows.by_rows(policy, dialect())
        except ImportError:
            yield name
            continue
        for values in given[:10]:
            same(tried(values), tuple(values.values()))
        yield Contender(f"{name}, row by row", tried, given[:200], 10)


def durable(policy: CreditPolicy, given: list[dict[str, Any]]) -> tuple[float | None, str]:
    """Return the median of durable-rules' C module, or why there is none."""
    try:
        version("durable-rules")
    except PackageNotFoundError:
        return None, "not installed"
    seconds, names, why = compare_durable.fired(policy, given[:1_000])
    for fired, values in zip(names, given, strict=False):
        codes = by_hand.decide(*values.values())[3]
        assert sum(name.startswith("knockout/") for name in fired) == sum(c.startswith("KO_") for c in codes)
        assert sum(name.startswith("score/") for name in fired) == 8
    return (median(seconds) * 1e6 if seconds else None), why


def report() -> Iterator[str]:
    """Yield the lines of the report."""
    policy, given = load(), customers(CUSTOMERS)
    found = list(others(policy, given))
    contenders = [
        *ours(policy, compile_policy(policy), given),
        *(c for c in found if isinstance(c, Contender)),
    ]
    times = medians(contenders)
    base = times["by hand, Decimal in and out"]
    zen = times.get("zen-engine, content made once and loaded")
    yield from machine()
    yield f"{'one decision, 113 rows, exact outputs':58} {'us':>10} {'x by hand':>11}"
    for name, spent in times.items():
        yield f"{name:58} {spent:10.2f} {spent / base:11.2f}"
    spent_durable, why = durable(policy, given)
    if spent_durable is not None:
        name = "durable-rules, C module: knockouts, bins, reason rows only"
        yield f"{name:58} {spent_durable:10.2f} {spent_durable / base:11.2f}"
    yield from (f"not installed: {name}" for name in found if isinstance(name, str))
    yield from [f"durable-rules: {why}"] if why else []
    yield ""
    ratio = times["compiled"] / base
    yield f"compiled against by hand                          {ratio:8.2f} x   (bar: at most 1.5)"
    if zen:
        ratio = zen / times["compiled"]
        yield f"zen-engine's best path against compiled           {ratio:8.2f} x   (bar: at least 12)"
    whole = times["compiled, a Decision with its whole trace written out"]
    plain = times["compiled, facts checked, a Decision made"]
    kept = times["compiled, every decision's value kept"]
    yield f"every decision's value kept, against by hand      {kept / base:8.2f} x   (bar: at most 3)"
    yield f"whole trace written out, against the same without {whole / plain:8.2f} x   (bar: at most 3)"
    yield ""
    yield f"{'one table':20} {'read and check':>16} {'compile':>10} {'decide':>12}"
    for rows in (100, 1_000, 10_000):
        read, made, spent = large(rows)
        yield f"{rows:8} rows        {read:14.2f} s {made:8.2f} s {spent:9.2f} us"


def main() -> None:
    """Print the report, and write it to a file if one is named."""
    options = argparse.ArgumentParser(description="One decision against the same by hand and other engines.")
    options.add_argument("--write", type=Path, help="also write the report to this file")
    target = options.parse_args().write
    lines = []
    for line in report():
        print(line, flush=True)  # noqa: T201 - a benchmark prints
        lines.append(line)
    if target is not None:
        target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
