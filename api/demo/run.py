"""The demo, step by step: what `forbear demo` does around one small Forbear."""

from __future__ import annotations

import asyncio
import io
import platform
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, time, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from temporalio.client import Client as TemporalClient

from api.demo import report
from api.demo.account_run import AccountRun, World
from api.demo.audit import BUNDLE, prove
from api.demo.book import AccountLedger, body_of, overdue_by_day
from api.demo.client import Client
from api.demo.draws import Draws
from api.demo.leftovers import make_fresh
from api.demo.network import Network
from api.demo.processes import Service, while_they_run
from api.demo.receiver import Receiver
from api.demo.show import Progress, Say
from api.demo.source import ASKED_SINGLY, Source
from api.demo.uci_sample import default_rates, is_monotone
from api.embedded import EmbeddedTemporal
from api.importer import load_mapping, over_http, run_import
from api.serving import told_to_stop
from api.settings import Settings
from api.simulated_time import SimulatedTime
from api.storage.directory import DataDirectory
from api.wiring import build, connect

STEPS = 9
AT_ONCE = 12
"""Accounts that are driven at the same time."""
ROWS = 4_000
"""Rows of one bulk request."""


class DemoFailed(Exception):
    """The demo did not come to its end as it must; the sentence says why."""


@dataclass(slots=True)
class Demo:
    """One run: its input, its directory, and what it talks to."""

    source: Source
    folder: Path
    root: Path
    say: Say
    progress: Progress
    network: Network
    receiver: Receiver
    settings: Settings
    directory: DataDirectory
    client: Client
    temporal: TemporalClient
    server: EmbeddedTemporal
    service: Service


async def run_demo(
    source: Source, folder: Path, root: Path, say: Say, *, keep: bool = False, began: float | None = None
) -> None:
    """Run all steps; raises DemoFailed, and what the parts raise when they cannot start.

    `began`: when its caller began, by the monotonic clock; the time that is told at the end counts from then.
    """
    progress = Progress(say, STEPS) if began is None else Progress(say, STEPS, began)
    say(f"Forbear demo on {source.title}; seed {source.seed}.\n")
    for note in source.notes:
        say(f"{note}\n")
    with progress.step("The environment, from the hashed lock") as result:
        result(environment(root))
    network = Network(Draws(source.seed), {ledger.account: ledger.zone for ledger in source.ledgers})
    async with _started(source, folder, root, say, progress, network) as demo:
        await while_they_run(_steps(demo, keep=keep), demo.server, demo.service)
    say(f"\nDone in {progress.elapsed:.0f} s. No process was left behind; the data is in {folder}.")


async def _steps(demo: Demo, *, keep: bool) -> None:
    await _publish(demo)
    await _take_in(demo)
    first = await _grade(demo)
    world = await _run_accounts(demo)
    await _show(demo, first, world)
    await _audit(demo)
    with demo.progress.step("Where to go on"):
        demo.say(report.where_next(demo.folder, demo.folder / BUNDLE))
    if keep:
        demo.say(
            f"\nStill running: {demo.client.url}/docs, Temporal at {demo.server.address}. Ctrl-C ends it."
        )
        await told_to_stop().wait()


def environment(root: Path) -> str:
    """Return what we run on, compared with the lock."""
    lines = (root / "requirements/lock.txt").read_text(encoding="utf-8").splitlines()
    locked = [line.split(" ")[0] for line in lines if "==" in line and "win32" not in line]
    same = 0
    for name, wanted in (entry.split("==") for entry in locked):
        try:
            same += version(name.split("[")[0]) == wanted
        except PackageNotFoundError:
            continue
    return f"Python {platform.python_version()}; {same} of {len(locked)} locked packages are here, as locked"


@asynccontextmanager
async def _started(
    source: Source, folder: Path, root: Path, say: Say, progress: Progress, network: Network
) -> AsyncIterator[Demo]:
    with progress.step("Start: Temporal, ledger, worker, API, and a billing system that listens") as result:
        make_fresh(folder)
        settings = Settings(data=folder)
        wiring = build(settings, simulated=True)
        wiring.close()
        directory = wiring.directory
        async with (
            Receiver(network) as receiver,
            await EmbeddedTemporal.start(folder / "temporal", simulated=True) as temporal,
            Service(folder, temporal.address, receiver.url) as service,
        ):
            receiver.trust(directory.webhook_secret)
            client = Client(service.url, directory.key)
            handle = await connect(settings, "forbear-demo", temporal.address)
            result(f"Temporal at {temporal.address}, API at {service.url}, receiver at {receiver.url}")
            try:
                yield Demo(
                    source=source, folder=folder, root=root, say=say, progress=progress, network=network,
                    receiver=receiver, settings=settings, directory=directory, client=client,
                    temporal=handle, server=temporal, service=service,
                )  # fmt: skip
            finally:
                await client.close()


async def _publish(demo: Demo) -> None:
    with demo.progress.step("Publish the policies on the shelf, each by the digest of its texts") as result:
        wiring = build(demo.settings, simulated=True)
        at = demo.source.instant(demo.source.begins) - timedelta(hours=1)
        published = await asyncio.to_thread(wiring.publisher.publish_folder, demo.root / "policies", at)
        wiring.close()
        demo.say(report.shelf(published))
        result(f"{len(published)} published")


async def _take_in(demo: Demo) -> None:
    source = demo.source
    with demo.progress.step("Take in customers, accounts and what is known of them") as result:
        for file in source.imports:
            loaded = load_mapping(file.mapping.read_bytes(), str(file.mapping))
            if loaded.policy is None:
                raise DemoFailed(f"the mapping {file.mapping} cannot be read: {loaded.problems[0].message}")
            post = over_http(demo.client.url, demo.directory.key)
            done = await asyncio.to_thread(run_import, loaded.policy, io.BytesIO(file.data), post)
            if done.rejects:
                raise DemoFailed(f"{file.path.name}: {done.rejects[0]}")
            kinds = ", ".join(f"{count:,} {kind}s" for kind, count in done.by_kind.items())
            result(f"importer: {kinds} from {file.path.name}")
        await _post_rows(demo, list(source.accounts))
        feeds = await _tell_feeds(demo)
        early = {ledger.account: ledger.calm_until(0) for ledger in source.ledgers}
        rows = [
            {"account": ledger.account, **body_of(entry)}
            for ledger in source.ledgers
            for entry in ledger.entries[: early[ledger.account]]
        ]
        await _post_rows(demo, rows)
        result(f"billing system: {len(rows):,} entries, up to the day on which an account is first overdue")
        result(f"payment feed: complete on {feeds} mornings")


async def _post_rows(demo: Demo, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), ROWS):
        refused = await demo.client.post_rows(rows[start : start + ROWS])
        if refused:
            raise DemoFailed(f"the API refused {len(refused)} rows, the first: {refused[0]}")


async def _tell_feeds(demo: Demo) -> int:
    """Say each morning that all payments of the days before are told."""
    source = demo.source
    days = (source.ends - source.begins).days + 1
    places = asyncio.Semaphore(4)

    async def tell(day: int) -> None:
        at = source.instant(source.begins + timedelta(days=day), time(6))
        body = {"complete_to": (at - timedelta(hours=1)).isoformat(), "received_at": at.isoformat()}
        async with places:
            await demo.client.post("/v1/feeds", {"feed": "payments", **body})

    await asyncio.gather(*(tell(day) for day in range(days)))
    return days


async def _grade(demo: Demo) -> dict[str, dict[str, Any]]:
    """Grade some customers one by one and the whole book in one run; return the book's decisions."""
    source, on = demo.source, demo.source.grade_on[0]
    at = source.instant(on, time(23, 30)).isoformat()
    with demo.progress.step(f"Grade: some one by one, then the whole book, as of {on}") as result:
        chosen = source.ledgers[:: max(1, len(source.ledgers) // ASKED_SINGLY)][:ASKED_SINGLY]
        asked = {"as_of": str(on), "received_at": at}
        if source.credit:
            asked["policy"] = next(iter(source.credit.values()))
        answers = await asyncio.gather(*(_assess(demo, ledger, asked) for ledger in chosen))
        again = await _assess(demo, chosen[0], asked)
        if again != answers[0]:
            raise DemoFailed("the same Idempotency-Key was answered differently")
        result(f"{len(answers)} assessments, each a workflow; one asked twice was answered as before")
        decisions = await _review(demo, "first", on, at)
        result(f"{len(decisions):,} customers graded in one run over the book")
        for answer in answers:
            same = decisions[answer["customer"]]
            if same["outcome"] != answer["outcome"]:
                raise DemoFailed(f"customer {answer['customer']}: the run and the assessment differ")
        demo.say(report.grades(decisions))
        _measure(demo, decisions)
    return decisions


async def _assess(demo: Demo, ledger: AccountLedger, asked: dict[str, Any]) -> dict[str, Any]:
    body = {"customer": ledger.customer, **asked}
    key = {"Idempotency-Key": f"demo-{ledger.customer}"}
    answer: dict[str, Any] = await demo.client.post("/v1/assessments", body, **key)
    return answer


async def _review(demo: Demo, run: str, on: date, at: str) -> dict[str, dict[str, Any]]:
    body = {"run": run, "as_of": str(on), "received_at": at, "policies": dict(demo.source.credit or {})}
    answer = await demo.client.post("/v1/reviews", body, Prefer="wait=60")
    while answer["state"] == "running":
        await asyncio.sleep(0.5)
        answer = await demo.client.get(f"/v1/reviews/{run}")
    if answer["state"] != "done" or answer["failures"]:
        raise DemoFailed(f"the review {run} is {answer['state']}; {answer['failures'][:1]}")
    found = {}
    async for decision in demo.client.pages(f"/v1/reviews/{run}/decisions", limit=5_000):
        found[decision["customer"]] = decision
    return found


async def _run_accounts(demo: Demo) -> World:
    source = demo.source
    late = [ledger for ledger in source.ledgers if ledger.ever_overdue(source.ends)]
    # Who has most to tell begins, so that nobody's long year is left over when all others are done.
    late.sort(key=lambda ledger: len(ledger.entries) - ledger.calm_until(0), reverse=True)
    world = World(demo.client, demo.temporal, SimulatedTime(demo.temporal), demo.network, source.horizon)
    title = f"Run {len(late)} accounts in arrears from {source.begins} to {source.ends}, time skipped"
    with demo.progress.step(title) as result:
        places, done = asyncio.Semaphore(AT_ONCE), 0

        async def one(ledger: AccountLedger) -> None:
            nonlocal done
            async with places:
                await AccountRun(world, ledger, ledger.calm_until(0)).run()
            done += 1
            if done % 50 == 0:
                result(f"{done} accounts done, {demo.receiver.taken:,} actions asked for")

        await _all_or_first_failure(one(ledger) for ledger in late)
        if demo.receiver.refused:
            raise DemoFailed(f"the receiver refused a message: {demo.receiver.refused[0]}")
        result(f"{done} accounts done; actions: {report.moods(demo.network.moods)}")
    return world


async def _all_or_first_failure(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run everything; the first failure ends the rest and is raised as it is."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _show(demo: Demo, first: dict[str, dict[str, Any]], world: World) -> None:
    with demo.progress.step("What a credit officer wants to see") as result:
        source = demo.source
        if len(source.grade_on) > 1:
            on = source.grade_on[-1]
            last = await _review(demo, "last", on, source.horizon.isoformat())
            demo.say(report.moves(first, last, source.grade_on[0], on))
            demo.say(report.grades(last))
        cases = [case async for case in demo.client.pages("/v1/cases", limit=500)]
        stuck = [case for case in cases if case["trouble"]]
        if stuck:
            raise DemoFailed(f"case {stuck[0]['workflow']} cannot go on: {stuck[0]['trouble']}")
        demo.say(report.cases(cases, demo.network.orders, published=not source.outcomes))
        books = {
            ledger.account: [*ledger.entries, *world.booked[ledger.account]] for ledger in source.ledgers
        }
        by_day = await asyncio.to_thread(overdue_by_day, books, source.begins, source.ends)
        demo.say(report.overdue(by_day, source.currency))
        chosen = _richest(cases, demo.network)
        case = await demo.client.get(f"/v1/cases/{chosen['account']}/{chosen['number']}")
        demo.say(report.story(case, demo.network.zones[chosen["account"]]))
        result(f"{len(cases)} cases")


def _richest(cases: list[dict[str, Any]], network: Network) -> dict[str, Any]:
    """Return the case with most to tell: most steps taken, cured rather than open, the first of its like."""
    steps: dict[str, set[tuple[str, bool]]] = defaultdict(set)
    for order in network.orders:
        steps["/".join(order.key.split("/")[:3])].add((order.step, order.undo))
    return max(cases, key=lambda c: (c["ended"] == "cured", len(steps[c["workflow"]]), c["workflow"]))


def _measure(demo: Demo, decisions: dict[str, dict[str, Any]]) -> None:
    """Where the outcome is known, show the default rate by grade; it must rise from grade to grade."""
    if not demo.source.outcomes:
        return
    known = {customer: decision["outcome"]["grade"] for customer, decision in decisions.items()}
    rows = default_rates(demo.source.outcomes, known)
    demo.say(report.default_rates(rows))
    if not is_monotone(rows):
        raise DemoFailed("the default rate does not rise from grade to grade")


async def _audit(demo: Demo) -> None:
    with demo.progress.step("Audit: every history replayed, every decision taken again") as result:
        found = await prove(demo.settings, demo.temporal, demo.folder)
        demo.say(report.audited(found))
        result("proved" if found.ok else "NOT PROVED")
        if not found.ok:
            raise DemoFailed(f"the audit found a difference:\n{found.render_text(most=10)}")
