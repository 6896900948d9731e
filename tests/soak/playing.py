"""One run of a scenario by the real service, left in peace or killed at seeded moments."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from api.demo.account_run import World
from api.demo.audit import prove
from api.demo.draws import Draws
from api.demo.network import Network
from api.embedded import HOST
from api.settings import Settings
from api.wiring import build, connect
from tests.soak import fuse as service_fuse
from tests.soak import receiver as receiver_part
from tests.soak.driving import (
    MOMENT,
    PATIENCE,
    RETRIED,
    Orders,
    SteadyClient,
    SteadyRun,
    SteadyTime,
    Waiting,
    all_of,
)
from tests.soak.outcome import Outcome, read_outcome
from tests.soak.parts import Child, Killable, Moments, Overdue, Temporal, free_port, fuses, python
from tests.soak.postgres import Postgres
from tests.soak.receiver import Kept
from tests.soak.scenario import BEGINS, Scenario
from workflows.audit.report import AuditReport

Kind = Literal["service", "worker", "receiver", "temporal", "database"]
SQLITE: tuple[Kind, ...] = ("service", "worker", "receiver", "temporal")
POSTGRESQL: tuple[Kind, ...] = (*SQLITE, "database")


@dataclass(frozen=True, slots=True)
class Plan:
    """Which parts are killed, how often, and the seed of the moments."""

    seed: int = 0
    kills: tuple[Kind, ...] = ()
    postgres: bool = False
    calls: int = 0
    """Within so many calls fall the kills from outside: as many as a run in peace has."""
    sabotage: str = ""
    """A defect that is put into the service, to see that the oracle finds it: `drop` or `double`."""


@dataclass(slots=True)
class Played:
    """What a run led to, what the audit found, and which kills it lived through."""

    outcome: Outcome
    report: AuditReport
    kills: Counter[str]
    calls: int


@dataclass(slots=True)
class Stage:
    """The running parts of one run."""

    folder: Path
    scenario: Scenario
    settings: Settings
    temporal: Temporal
    parts: dict[str, Child]
    moments: Moments
    killable: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The key of the API."""
        return (self.settings.data / "api.key").read_text(encoding="ascii").strip()

    def client(self, name: str, moments: Moments) -> SteadyClient:
        """Return a billing system; its name makes its keys its own."""
        return SteadyClient(f"http://{HOST}:{self.settings.port}", self.key, moments, name)

    @property
    def kept(self) -> Kept:
        """What the receiver was asked for."""
        return Kept(self.folder / "asked.sqlite")

    def kills(self) -> Counter[str]:
        """The kills so far, by part and moment."""
        return Counter(
            {f"{name}, {point}": n for name, part in self.killable.items() for point, n in part.kills.items()}
        )


Story = Callable[[Stage, SteadyClient, Waiting], Awaitable[None]]


async def play(scenario: Scenario, plan: Plan, folder: Path) -> Played:
    """Run a scenario once; raises RunFailed, PartEnded or CallRefused when it does not come to its end."""
    return await run_to_its_end(scenario, plan, folder, _half_a_year)


async def run_to_its_end(
    scenario: Scenario, plan: Plan, folder: Path, story: Story, *, simulated: bool = True
) -> Played:
    """Run a story by the service and read what it led to; raises as `play` does."""
    folder.mkdir(parents=True)
    async with _stage(scenario, plan, folder, simulated=simulated) as stage:
        await _guarded(stage, _live(stage, story))
        outcome = await asyncio.to_thread(
            read_outcome, stage.settings.database_url, scenario.zones, scenario.horizon, stage.kept.after()
        )
        client = await connect(stage.settings, "forbear-soak", stage.settings.temporal)
        report = await prove(stage.settings, client, stage.settings.data)
        return Played(outcome, report, stage.kills(), stage.moments.count)


async def _guarded(stage: Stage, work: Awaitable[None]) -> None:
    """Run the story beside its parts; whichever fails first ends it."""
    lives = [asyncio.create_task(part.run()) for part in stage.parts.values()]
    tale = asyncio.ensure_future(work)
    try:
        await asyncio.wait([tale, *lives], return_when=asyncio.FIRST_COMPLETED)
        for task in (*lives, tale):
            if task.done():
                task.result()
    finally:
        for task in (tale, *lives):
            task.cancel()
        await asyncio.gather(tale, *lives, return_exceptions=True)


@asynccontextmanager
async def _stage(scenario: Scenario, plan: Plan, folder: Path, *, simulated: bool) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        postgres = await asyncio.to_thread(Postgres.start, folder / "pg") if plan.postgres else None
        if postgres:
            stack.callback(postgres.stop)
        temporal = await Temporal.start(folder / "temporal")
        stack.push_async_callback(temporal.stop)
        port = free_port()
        settings = Settings(
            data=folder / "data", port=free_port(), temporal=f"{HOST}:{temporal.port}",
            database=postgres.url if postgres else "", webhook_url=f"http://{HOST}:{port}/events",
            webhook_inside=True,
        )  # fmt: skip
        secret = await asyncio.to_thread(_prepared, settings, scenario, simulated)
        parts = _parts(scenario, plan, folder, settings, port, secret)
        killable: dict[str, Killable] = {**parts, "temporal": temporal}
        if postgres:
            killable["database"] = postgres
        yield Stage(folder, scenario, settings, temporal, parts, _moments(plan, killable), dict(killable))


def _prepared(settings: Settings, scenario: Scenario, simulated: bool) -> str:
    """Make the data directory, put the texts on the shelf; return the secret of the webhooks."""
    wiring = build(settings, simulated=simulated)
    try:
        at = scenario.horizon - timedelta(days=400)
        for texts in scenario.texts:
            wiring.publisher.publish(texts, at)
        return wiring.directory.webhook_secret
    finally:
        wiring.close()


def _parts(
    scenario: Scenario, plan: Plan, folder: Path, settings: Settings, port: int, secret: str
) -> dict[str, Child]:
    draws = random.Random(f"fuses {plan.seed}")
    given = settings.model_dump_json()
    zones = json.dumps(scenario.zones)
    commands = {
        "service": python("tests.soak.service", "api", given, plan.sabotage),
        "receiver": python(
            "tests.soak.receiver", str(folder / "asked.sqlite"), str(port), secret, str(scenario.seed), zones
        ),
    }
    if "worker" in plan.kills:
        commands["worker"] = python("tests.soak.service", "worker", given, plan.sabotage)
    found = {}
    for name, command in commands.items():
        points = receiver_part.POINTS if name == "receiver" else service_fuse.POINTS
        inside = (plan.kills.count(name) + 1) // 2
        found[name] = Child(name, command, fuses(points, inside, draws), folder / f"{name}.log")
    return found


def _moments(plan: Plan, killable: dict[str, Killable]) -> Moments:
    """Draw the moments of the kills from outside: half of those of our processes, all of the others."""
    draws = random.Random(f"moments {plan.seed}")
    outside: list[Killable] = []
    for name in dict.fromkeys(plan.kills):
        count = plan.kills.count(name)
        ours = name in ("service", "worker", "receiver")
        outside += [killable[name]] * (count // 2 if ours else count)
    late = plan.calls * 3 // 4
    free = [n for n in range(1, max(plan.calls, len(outside)) + 2) if n != late]
    moments: dict[int, Killable] = dict(zip(draws.sample(free, len(outside)), outside, strict=True))
    if plan.kills:
        moments[late] = Overdue([part for part in killable.values() if isinstance(part, Child)])
    return Moments(moments)


async def _live(stage: Stage, story: Story) -> None:
    """Tell the story to the service as soon as it runs, and wait until it is at rest."""
    await asyncio.gather(*(part.ready.wait() for part in stage.parts.values()))
    client = stage.client("story", stage.moments)
    waiting = Waiting(stage.settings.database_url)
    try:
        await story(stage, client, waiting)
        await _at_rest(stage)
    finally:
        waiting.close()
        await client.close()


async def _half_a_year(stage: Stage, client: SteadyClient, waiting: Waiting) -> None:
    """Drive all accounts to the horizon."""
    scenario = stage.scenario
    temporal = await connect(stage.settings, "forbear-soak", stage.settings.temporal)
    orders = Orders(stage.kept)
    world = World(
        client, temporal, SteadyTime(temporal, stage.moments), Network(Draws(scenario.seed), scenario.zones),
        scenario.horizon, MOMENT, RETRIED, PATIENCE,
    )  # fmt: skip
    await _set_up(stage)
    runs = [
        SteadyRun(world, ledger, waiting, orders, stage.parts["receiver"].ready)
        for ledger in scenario.ledgers
    ]
    await all_of([run.run() for run in runs])


async def _set_up(stage: Stage) -> None:
    """Make customers and accounts; say for each morning that all payments of the days before were told."""
    client = stage.client("set-up", Moments({}))
    for path, body in stage.scenario.parties:
        await client.post(path, body)
    for day in range((stage.scenario.ends - BEGINS).days + 2):
        at = f"{BEGINS + timedelta(days=day)}T06:00:00+08:00"
        body = {"feed": "payments", "complete_to": at.replace("T06", "T05"), "received_at": at}
        await client.post("/v1/feeds", body)
    await client.close()


async def _at_rest(stage: Stage) -> None:
    """Kill what was to be killed and was not yet; wait until every part runs."""
    for part in stage.moments.left:
        await part.kill()
    await asyncio.gather(*stage.moments.running)
    await asyncio.gather(*(part.ready.wait() for part in stage.parts.values()))


def drawn(seed: int, kinds: Sequence[Kind], kills: int) -> tuple[Kind, ...]:
    """Draw which parts are killed: each kind once as far as they go, the others at random."""
    draws = random.Random(f"kinds {seed}")
    first = list(kinds[:kills])
    return tuple(first + [draws.choice(list(kinds)) for _ in range(kills - len(first))])
