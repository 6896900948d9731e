"""kill -9 of every part at ten seeded moments, on both databases: nothing lost, nothing done twice.

The whole service runs (API, relay, workers, Temporal, a receiver over HTTP) while three accounts live through
months of simulated time; what comes of it is compared with a run that was left in peace. `make soak` does the
same for hours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.soak.oracle import differences
from tests.soak.outcome import Outcome
from tests.soak.playing import POSTGRESQL, SQLITE, Plan, Played, drawn, play
from tests.soak.postgres import PostgresAway
from tests.soak.scenario import SHORT, Scenario, scenario

SEED = 11
KILLS = 5
"""On each database."""


@pytest.fixture(scope="module")
def told() -> Scenario:
    return scenario(SEED, accounts=3, ends=SHORT)


@pytest.fixture(scope="module")
def peace(told: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The run that nobody disturbs."""
    return asyncio.run(play(told, Plan(), tmp_path_factory.mktemp("peace") / "run"))


def test_the_run_in_peace_is_right_by_itself_and_has_something_to_lose(peace: Played) -> None:
    outcome = peace.outcome
    assert outcome.wrong == ()
    assert peace.report.ok, peace.report.render_text()
    assert peace.kills.total() == 0
    assert {"reminder", "final_notice", "bar", "suspend"} <= {key.split("/")[4] for key in outcome.effects}
    assert any(key.endswith("service.suspended/undo") for key in outcome.effects)


def disturbed(told: Scenario, peace: Played, folder: Path, *, postgres: bool) -> Played:
    seed = SEED + postgres
    kinds = drawn(seed, POSTGRESQL if postgres else SQLITE, KILLS)
    return asyncio.run(play(told, Plan(seed, kinds, postgres, peace.calls), folder))


@pytest.mark.slow
@pytest.mark.parametrize("postgres", [False, True], ids=["sqlite", "postgresql"])
def test_five_kills_change_nothing(told: Scenario, peace: Played, tmp_path: Path, postgres: bool) -> None:
    try:
        played = disturbed(told, peace, tmp_path / "run", postgres=postgres)
    except PostgresAway as error:
        pytest.skip(str(error))
    assert played.kills.total() == KILLS, played.kills
    assert differences(peace.outcome, played.outcome) == []
    assert played.report.ok, played.report.render_text()


@pytest.mark.slow
def test_a_message_that_never_reaches_the_outbox_is_found(
    told: Scenario, peace: Played, tmp_path: Path
) -> None:
    played = asyncio.run(play(told, Plan(sabotage="drop"), tmp_path / "run"))
    found = differences(peace.outcome, played.outcome)
    assert any(said.startswith("effects: ") and " is lost: " in said for said in found)


def first(values: Mapping[str, str]) -> str:
    return min(values)


def an_effect_less(o: Outcome) -> Outcome:
    return replace(o, effects={k: v for k, v in o.effects.items() if k != first(o.effects)})


def an_effect_more(o: Outcome) -> Outcome:
    name = first(o.effects)
    return replace(o, effects={**o.effects, f"{name}/2": o.effects[name]})


def another_amount(o: Outcome) -> Outcome:
    name = first(o.effects)
    return replace(o, effects={**o.effects, name: o.effects[name].replace('"amount": "', '"amount": "1')})


def another_day(o: Outcome) -> Outcome:
    name = first(o.actions)
    return replace(o, actions={**o.actions, name: o.actions[name].replace("asked 2026-0", "asked 2026-1")})


def an_entry_less(o: Outcome) -> Outcome:
    return replace(o, entries={k: v for k, v in o.entries.items() if k != first(o.entries)})


def another_position(o: Outcome) -> Outcome:
    return replace(
        o, positions={name: said.replace("open", "suspended") for name, said in o.positions.items()}
    )


def a_case_that_stays_open(o: Outcome) -> Outcome:
    return replace(o, cases={name: said.replace("ended cured", "open ") for name, said in o.cases.items()})


def a_task_more(o: Outcome) -> Outcome:
    return replace(o, tasks={**o.tasks, "case/X/1/account/bar/1/task.call/do": "task open"})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (an_effect_less, "is lost"),
        (an_effect_more, "is there besides"),
        (another_amount, "and not"),
        (another_day, "and not"),
        (an_entry_less, "is lost"),
        (another_position, "and not"),
        (a_case_that_stays_open, "and not"),
        (a_task_more, "is there besides"),
        (lambda o: replace(o, wrong=("the audit chain breaks",)), "wrong: the audit chain breaks"),
    ],
)
def test_the_oracle_can_fail(peace: Played, change: Callable[[Outcome], Outcome], says: str) -> None:
    assert differences(peace.outcome, peace.outcome) == []
    found = differences(peace.outcome, change(peace.outcome))
    assert found
    assert all(says in sentence for sentence in found)
