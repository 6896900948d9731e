"""One table of many rows: what it costs to read and check it, to compile it, and to decide by it."""

from __future__ import annotations

import random
from decimal import Decimal
from time import process_time

from benchmarks.rounds import microseconds
from engine.credit import compile_policy, load_credit

LARGE = """
policy: large
kind: credit
version: "1"
effective: {{from: 2026-01-01}}
currency: CNY
facts:
  s: {{type: string, one_of: [{segments}]}}
  m: {{type: money, min: 0}}
decisions:
  t:
    hit: UNIQUE
    table: |
      | s | m || a | b |
{rows}    otherwise: {{a: 9, b: 0}}
outcome: {{a: t.a, b: {{money: t.b}}}}
"""


def large(rows: int) -> tuple[float, float, float]:
    """Return, for so many rows: seconds to read and check, seconds to compile, microseconds to decide."""
    bands = rows // 10
    body = "".join(
        f'      | "s{segment}" | [{band}..{band + 1}) || {band % 7} | {band * 3}.50 |\n'
        for segment in range(10)
        for band in range(bands)
    )
    text = LARGE.format(segments=", ".join(f"s{n}" for n in range(10)), rows=body).encode()
    start = process_time()
    policy = load_credit({"policy.yaml": text}).policy
    read = process_time()
    assert policy is not None
    compiled = compile_policy(policy)
    made = process_time()
    rng = random.Random(rows)
    items = [
        (f"s{rng.randrange(10)}", Decimal(rng.randrange(bands * 100)).scaleb(-2), ()) for _ in range(2_000)
    ]
    return read - start, made - read, microseconds(lambda row: compiled.run(*row), items)
