"""A live run is the simulated run, event for event: random histories through a workflow, and in memory."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from random import Random

import pytest

from api.worker import wired
from engine.ladder import load_collections
from engine.ladder.simulate import Event, Played, Scenario, play
from engine.ledger import Entry, EntryAdapter, Terms
from engine.ledger.refusals import entry_problems
from tests.workflows.conftest import Run
from tests.workflows.fakes import ZONE, World, collections_world
from tests.workflows.scenarios import Stage, poke, start_case
from workflows import ids
from workflows.messages import CaseResult, CaseView

TERMS = Terms(account="A1", customer="of A1", currency="CNY", timezone="Asia/Shanghai")
FIRST = date(2026, 2, 2)
DAYS = 170
SEEDS = range(int(os.environ.get("FORBEAR_LIVE_RUNS", "4")))
Seen = tuple[date, int, tuple[str, ...]]
"""Local day and hour, and what was asked for then, without the name of the case."""


def history(random: Random) -> list[Entry]:
    """Draw what happens to an account: bills, money in parts and back, and what people say."""
    told: list[Entry] = []

    def tell(kind: str, day: int, ref: str, **values: object) -> None:
        on = FIRST + timedelta(days=day)
        at = datetime.combine(on, time(random.choice([8, 11, 14, 22])), ZONE)
        entry = EntryAdapter.validate_python(
            {"kind": kind, "id": ref, "value_date": on, "received_at": at, **values}
        )
        if not entry_problems(TERMS, told, entry):
            told.append(entry)

    for month in range(4):
        amount = random.choice(["30.00", "60.00", "120.00"])
        due = FIRST + timedelta(days=30 * month + 20)
        tell("bill", 30 * month, f"B{month}", amount=amount, due_date=due)
    for n in range(random.randint(0, 3)):
        day = random.randint(25, 150)
        tell("payment", day, f"P{n}", amount=random.choice(["20.00", "60.00", "100.00"]))
        if random.random() < 0.5:
            tell(
                "payment_returned", day + random.randint(1, 15), f"R{n}", payment=f"P{n}", reason="chargeback"
            )
    for n in range(random.randint(0, 3)):
        day = random.randint(25, 140)
        later = FIRST + timedelta(days=day + random.randint(1, 14))
        things: list[tuple[str, dict[str, object]]] = [
            ("dispute", {"bill": "B0", "amount": "25.00"}),
            ("promise", {"amount": "60.00", "by": later}),
            ("hold", {"hold": "hardship", "until": later}),
            ("act", {"act": "skip", "step": "bar", "actor": "anna", "reason": "because"}),
            ("act", {"act": "force", "step": "final_notice", "actor": "anna", "reason": "because"}),
            ("credit_note", {"bill": "B0", "amount": "10.00"}),
        ]
        kind, values = random.choice(things)
        tell(kind, day, f"X{n}", **values)
    return sorted(told, key=lambda entry: entry.received_at)


def simulated(world: World, policy: str, told: list[Entry]) -> Played:
    """Play the history with time skipped in memory."""
    _, texts = world.texts(policy)
    loaded = load_collections(texts)
    assert loaded.policy is not None
    end = datetime.combine(FIRST + timedelta(days=DAYS), time(23), ZONE)
    events = tuple(Event(entry.received_at, entry.id, entry=entry) for entry in told)
    return play(loaded.policy, world.law_pack, world.workdays, Scenario(TERMS, events, end))


def eventful(seed: int, world: World, policy: str) -> tuple[list[Entry], Played]:
    """Draw histories until there is one in which a first case asks for something at six moments."""
    for number in count():
        told = history(Random(f"{seed}/{number}"))
        played = simulated(world, policy, told)
        if len(of_first_case(played)) >= 6:
            return told, played
    raise AssertionError("never reached")


def of_first_case(played: Played) -> list[Seen]:
    """Return what the first case asked for, look by look."""
    looks = [look for look in played.looks if look.step.taken.case.endswith("/1")]
    return [seen(look.at, [a.key for a in look.step.actions]) for look in looks if look.step.actions]


def seen(at: datetime, keys: list[str]) -> Seen:
    local = at.astimezone(ZONE)
    return local.date(), local.hour, tuple(key.split("/", 3)[3] for key in keys)


async def live(stage: Stage, world: World, policy: str, told: list[Entry], opened: datetime) -> None:
    """Play the history through the real workflow, with the clock of Temporal skipped."""
    for entry in told:
        if entry.received_at <= opened:
            world.put("A1", entry)
    offset = opened - datetime.now(UTC)
    async with wired(stage.client, world.outside()):
        case, _ = await start_case(stage, policy, clock_offset=offset)
        handle = stage.client.get_workflow_handle(case, result_type=CaseResult)
        for number, entry in enumerate(entry for entry in told if entry.received_at > opened):
            if not await stage.clock.fast_forward(case, entry.received_at, offset):
                await handle.result()
                return
            world.put("A1", entry)
            await poke(stage, case, number, entry.received_at)
        end = datetime.combine(FIRST + timedelta(days=DAYS), time(23), ZONE)
        if not await stage.clock.fast_forward(case, end, offset):
            await handle.result()
            return
        await handle.query(ids.VIEW, result_type=CaseView)  # it has done what was due by then
        await handle.terminate("the story is over")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_workflow_does_what_the_simulation_says(run: Run, stage: Stage, seed: int) -> None:
    world, policy = collections_world()
    told, expected = eventful(seed, world, policy)
    run(live(stage, world, policy, told, expected.looks[0].at))
    found = [seen(step.at, [a.key for a in step.actions]) for step in world.steps if step.actions]
    assert found == of_first_case(expected)
    last = [look for look in expected.looks if look.step.taken.case.endswith("/1")][-1].step
    assert world.steps[-1].taken.ended == last.taken.ended
    assert world.steps[-1].taken.level == last.taken.level
    kept = [(row.step, row.entry, row.state) for row in world.steps[-1].taken.rows]
    assert kept == [(row.step, row.entry, row.state) for row in last.taken.rows]
