"""How long the check of a large table takes: `python -m benchmarks.checking`.

200 rows of 6 columns (numbers, amounts, texts, truth values), whole and without an overlap, so that every
customer has to be looked for; the same with one bound moved, so that an overlap is found; and as a FIRST
table below 200 rows that overlap at random, many of them hidden by several others.
"""

from __future__ import annotations

import time
from collections import Counter
from itertools import product
from random import Random

from engine.credit import load_credit

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


def tangled(rows: int = 200) -> bytes:
    """Return a policy with a FIRST table whose rows touch each other in every way."""
    chance = Random(1)
    lines = []
    for number in range(rows):
        cells = []
        for _ in range(6):
            low = chance.randrange(95)
            cells.append("-" if chance.random() < 0.5 else f"[{low}..{chance.randrange(low, low + 20)}]")
        lines.append(f"      | {' | '.join(cells)} || G{number} |\n")
    facts = "".join(f"  f{n}: {{type: integer, min: 0, max: 120}}\n" for n in range(6))
    head = HEAD.split("facts:")[0] + f"facts:\n{facts}decisions:\n  grade:\n    hit: FIRST\n    table: |\n"
    names = " | ".join(f"f{n}" for n in range(6))
    ends = "    otherwise: {grade: '\"none\"'}\noutcome: {grade: grade}\n"
    return f"{head}      | {names} || grade |\n{''.join(lines)}{ends}".encode()


def main() -> None:
    """Print the time of a whole check, the best of three."""
    for name, data in (("whole", text()), ("with an overlap", text(broken=True)), ("tangled", tangled())):
        best = 60.0
        for _ in range(3):
            start = time.perf_counter()
            problems = load_credit({"policy.yaml": data}).problems
            best = min(best, time.perf_counter() - start)
        told = Counter(problem.code for problem in problems)
        said = ", ".join(f"{count} {code}" for code, count in told.items()) or "nothing wrong"
        print(f"200 rows of 6 columns, {name}: {best * 1000:.0f} ms; {said}")  # noqa: T201  # a benchmark prints


if __name__ == "__main__":
    main()
