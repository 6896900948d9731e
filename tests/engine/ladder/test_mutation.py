"""Which small changes of a ladder its timelines notice."""

from __future__ import annotations

from pathlib import Path

from engine.ladder import load_collections, no_law
from engine.ladder.model import CollectionsPolicy
from engine.ladder.mutation import Trial, ladder_mutants, untaken
from engine.ladder.timeline import read_timelines
from engine.workdays import no_calendar

GOOD = Path(__file__).parents[3] / "fixtures" / "policies_good" / "collections-small"


def small() -> CollectionsPolicy:
    texts = {p.relative_to(GOOD).as_posix(): p.read_bytes() for p in GOOD.rglob("*") if p.is_file()}
    policy = load_collections(texts).policy
    assert policy is not None
    return policy


def test_every_threshold_wait_and_condition_is_changed_once_to_either_side() -> None:
    policy = small()
    named = [str(mutant) for mutant in ladder_mutants(policy)]
    assert len(named) == len(set(named)) >= 12
    assert any("opens `" in name for name in named)
    assert any(", wait `" in name for name in named)
    assert any(", age `>= 3`: 3 as 4" in name or ", age `>=" in name for name in named)
    for mutant in ladder_mutants(policy):
        assert mutant.policy != policy


def test_a_timeline_notices_what_it_walks_past() -> None:
    policy = small()
    row = policy.rows()[0]
    first = row.age.lowest
    history = f"""policy: {policy.name}
cases:
  - case: the first step
    history:
      - {{on: 2026-01-01, bill: B1, amount: 300.00, due: 2026-01-01}}
    expect:
      - {{on: 2026-01-{first:02}, do: nothing}}
      - {{on: 2026-01-{1 + first:02}, rows: [{row.step}]}}
"""
    read = read_timelines(policy, history.encode(), "cases.yaml", {})
    assert read.policy is not None, read.problems
    trial = Trial(policy, no_law(), no_calendar(), read.policy)
    assert len(trial.mutants) == len(list(ladder_mutants(policy)))
    told = [str(mutant) for mutant in trial.mutants if not trial.notices(mutant)]
    assert told
    assert not any(f"step {row.step} " in name and ", age " in name for name in told)
    walks = [walked for _, walked in trial.held]
    assert row not in untaken(policy, walks)
    assert policy.rows()[1] in untaken(policy, walks)


def test_a_timeline_that_does_not_hold_notices_nothing() -> None:
    policy = small()
    history = f"""policy: {policy.name}
cases:
  - case: wrong
    history: [{{on: 2026-01-01, bill: B1, amount: 300.00, due: 2026-01-01}}]
    expect: [{{on: 2026-02-01, open: false}}]
"""
    read = read_timelines(policy, history.encode(), "cases.yaml", {})
    assert read.policy is not None, read.problems
    trial = Trial(policy, no_law(), no_calendar(), read.policy)
    assert not trial.held
    assert not any(trial.notices(mutant) for mutant in trial.mutants)
    assert untaken(policy, []) == list(policy.rows())
