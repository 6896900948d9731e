"""How long the check of a large table takes: `python -m benchmarks.checking`.

200 rows of 6 columns (numbers, amounts, texts, truth values), whole and without an overlap, so that every
customer has to be looked for; and the same with one bound moved, so that an overlap is found.
"""

from __future__ import annotations

import time
from itertools import product

from engine.credit import load_credit
from engine.source import Severity

HEAD = """policy: large
kind: credit
version: "1"
effective: {from: 2026-01-01}
currency: CNY
facts:
  days: {type: integer, min: 0}
  bill: {type: money, min: 0}
  rate: {type: decimal, min: 0, max: 1}
  score: {type: integer, min: 0, max: 999}
  segment: {type: string, one_of: [consumer, sme]}
  debit: {type: boolean}
decisions:
  grade:
    hit: UNIQUE
    table: |
      | days | bill | rate | score | segment | debit || grade |
"""


def text(rows: int = 200, *, broken: bool = False) -> bytes:
    """Return a policy with one table whose rows together match every customer once."""
    days = ["< 30", "[30..60)", "[60..90)", "[90..120)", ">= 120"]
    bills = ["< 50.00", "[50.00..100.00)", "[100.00..500.00)", "[500.00..1000.00)", ">= 1000.00"]
    rates = ["< 0.8", ">= 0.8"]
    some = list(product(days, bills, rates, ('"consumer"', '"sme"'), ("true", "false")))[:rows]
    if broken:
        some[77] = ("[29..60)", *some[77][1:])
    lines = [
        f"      | {a} | {b} | {c} | - | {d} | {e} || G{number} |\n"
        for number, (a, b, c, d, e) in enumerate(some)
    ]
    return (HEAD + "".join(lines) + "outcome: {grade: grade}\n").encode()


def main() -> None:
    """Print the time of a whole check, the best of three."""
    for name, data in (("whole", text()), ("with an overlap", text(broken=True))):
        best = 60.0
        for _ in range(3):
            start = time.perf_counter()
            problems = load_credit({"policy.yaml": data}).problems
            best = min(best, time.perf_counter() - start)
        told = [problem.code for problem in problems if problem.severity is not Severity.INFO]
        print(f"200 rows of 6 columns, {name}: {best * 1000:.0f} ms; {', '.join(told) or 'nothing wrong'}")  # noqa: T201  # a benchmark prints


if __name__ == "__main__":
    main()
