import json
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from api.demo.draws import Draws
from api.demo.generate import SAMPLE, sample_files
from api.demo.profiles import FINAL_NOTICES, build_profiles, story_counts
from api.demo.rates import DISCONNECTED_PER_NOTICE, IBM_LATER_THAN, days_late, quota
from engine.ledger.entries import EntryAdapter

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", ["customers.csv", "accounts.csv", "entries.ndjson"])
def test_the_committed_files_are_what_the_generator_writes(name: str) -> None:
    assert (ROOT / SAMPLE / name).read_bytes() == sample_files()[name]


def test_another_seed_gives_another_ledger_of_the_same_shape() -> None:
    ours, other = sample_files(), sample_files(seed=7)
    assert ours["entries.ndjson"] != other["entries.ndjson"]
    assert ours["accounts.csv"].count(b"\n") == other["accounts.csv"].count(b"\n")


def test_every_line_is_an_entry_in_order_of_its_received_instant() -> None:
    at, seen = None, set()
    for line in sample_files()["entries.ndjson"].splitlines():
        read = json.loads(line)
        account = read.pop("account")
        entry = EntryAdapter.validate_python(read)
        assert at is None or at <= entry.received_at
        assert (account, entry.kind, entry.id) not in seen
        seen.add((account, entry.kind, entry.id))
        at = entry.received_at


def test_disconnections_follow_the_published_rate() -> None:
    counts = story_counts()
    cut_off = counts["suspended"] + counts["lost"]
    assert cut_off == quota(FINAL_NOTICES, DISCONNECTED_PER_NOTICE) == 22
    told = Counter(p.story for p in build_profiles(Draws(3)))
    assert {story: told[story] for story in counts} == counts


@pytest.mark.parametrize(("draw", "late"), [(Fraction(0), 1), (Fraction(99999, 100000), 18)])
def test_days_late_stays_within_its_bounds(draw: Fraction, late: int) -> None:
    assert days_late(draw, at_most=18) == late


def test_days_late_is_spread_as_published() -> None:
    drawn = [days_late(Fraction(n, 10_000), at_most=44) for n in range(10_000)]
    late = IBM_LATER_THAN[0] - IBM_LATER_THAN[44]
    for day in (3, 7, 14, 28):
        expected = (IBM_LATER_THAN[day] - IBM_LATER_THAN[44]) / late
        assert sum(d > day for d in drawn) / 10_000 == pytest.approx(expected, abs=0.002)


def test_draws_do_not_depend_on_the_order_of_asking() -> None:
    first, second = Draws(5), Draws(5)
    a = [first.integer(1, 6, "x"), first.integer(1, 6, "y")]
    b = [second.integer(1, 6, "y"), second.integer(1, 6, "x")]
    assert a == b[::-1]
