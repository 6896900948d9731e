"""The watcher loses and doubles nothing: killed anywhere, disturbed by news, or with matchers that differ."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import Client
from sqlmodel import select

from api.matcher import Flag, Matched
from api.storage.audit import verify
from api.storage.tables import OutboxRow, TaskRow
from api.storage.watch_events import Told
from api.storage.watch_tables import WatchActionRow, WatchAlertRow, WatchOutcomeRow, WatchWindowRow
from api.watching import looking
from api.watching.watcher import Watcher
from api.wiring import Wiring
from engine.watch import SearchTooLong, WatchEvent, WatchPolicy, Window, match_window
from tests.api.conftest import START, Build
from tests.api.watching.conftest import DAY, WATCH, alerts, event, look, takeover, tell

ROOT = Path(__file__).parents[3]


def put(wiring: Wiring, *said: dict[str, Any]) -> None:
    """Put events into a wiring without its API."""
    fields = ("id", "type", "at", "customer", "values")
    told = [
        Told(
            WatchEvent.model_validate({name: one[name] for name in fields}),
            datetime.fromisoformat(one["received_at"]),
        )
        for one in said
    ]
    with wiring.database.write() as work:
        wiring.events.take(work, told)


def stored(wiring: Wiring) -> dict[str, list[str]]:
    """Return all that looks lead to, in an order of its own."""
    with wiring.database.read() as session:
        return {
            "alerts": sorted(row.body for row in session.exec(select(WatchAlertRow))),
            "actions": sorted(f"{row.key} {row.state}" for row in session.exec(select(WatchActionRow))),
            "outbox": sorted(f"{row.once} {row.body}" for row in session.exec(select(OutboxRow))),
            "tasks": sorted(row.key for row in session.exec(select(TaskRow))),
            "outcomes": sorted(row.alert for row in session.exec(select(WatchOutcomeRow))),
            "windows": sorted(
                f"{row.subject} {row.look_at} {row.reported}" for row in session.exec(select(WatchWindowRow))
            ),
        }


EVENTS = [
    *takeover(), *takeover("f", "C2"),
    event("b1", "promise_broken", 7, account="A1", promise="P1"),
    event("b2", "promise_broken", 7, account="A1", promise="P2"),
]  # fmt: skip


@pytest.mark.slow
def test_a_watcher_killed_anywhere_loses_and_doubles_nothing(builder: Build, tmp_path: Path) -> None:
    lite = builder()
    lite.publisher.publish({"policy.yaml": WATCH}, START)
    put(lite, *EVENTS)
    command = [
        sys.executable,
        "-m",
        "tests.api.watching.killed_watcher",
        str(tmp_path / "data"),
        DAY.format(9),
    ]
    codes: list[int] = []
    for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 0):
        later = str(1_000 * (len(codes) + 1))
        done = subprocess.run([*command, later, str(number)], cwd=ROOT, capture_output=True, check=False)
        codes.append(done.returncode)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert codes[-1] == 0
    assert len(codes) > 4
    after = stored(lite)
    with lite.database.read() as session:
        assert verify(session)[1] is None
    calm = builder(data=tmp_path / "calm")
    calm.publisher.publish({"policy.yaml": WATCH}, START)
    put(calm, *EVENTS)
    calm.watcher.look_at_all(datetime.fromisoformat(DAY.format(9)))
    assert after == stored(calm)
    assert len(after["alerts"]) == 4


@pytest.mark.parametrize("days", [[9], [2, 3, 4, 5, 6, 7, 8, 9], [6, 9]])
def test_what_comes_out_does_not_depend_on_when_the_looks_are_taken(api: Client, days: list[int]) -> None:
    tell(api, *EVENTS, event("m", "moved_out", 7, account="A1"))
    for day in days:
        look(api, day)
    found = {(alert["id"], alert["as_of"]) for alert in alerts(api)}
    assert len(found) == 4
    assert {as_of for _, as_of in found} == {"2026-03-06T02:00:00Z", "2026-03-07T02:00:00Z"}


class Meanwhile:
    """A matcher during whose first answer something comes in."""

    def __init__(self, wiring: Wiring, news: dict[str, Any]) -> None:
        self.wiring, self.news, self.asked = wiring, [news], 0

    def match(self, policy: WatchPolicy, window: Window) -> Matched:
        self.asked += 1
        if self.news:
            put(self.wiring, self.news.pop())
        return Matched(match_window(policy, window))


def test_what_comes_in_while_a_window_is_matched_is_looked_at_too(api: Client, watched: Wiring) -> None:
    tell(api, *takeover())
    late = event("ok", "identity_confirmed", 5, received_at=DAY.format(6))
    matcher = Meanwhile(watched, late)
    Watcher(watched.watcher._book, matcher, watched.clock.now).look_at_all(
        datetime.fromisoformat(DAY.format(9))
    )
    assert alerts(api) == []
    assert api.get("/v1/events/ok").status_code == 200


class Differing:
    """A matcher whose durable-rules was found to differ."""

    def match(self, policy: WatchPolicy, window: Window) -> Matched:
        return Matched(match_window(policy, window), Flag.DIFFERS, "rules x")


def test_a_look_at_which_the_matchers_differ_is_flagged(api: Client, watched: Wiring) -> None:
    tell(api, *takeover())
    watcher = Watcher(watched.watcher._book, Differing(), watched.clock.now)
    watcher.look_at_all(datetime.fromisoformat(DAY.format(6)))
    (alert,) = alerts(api)
    assert alert["flag"] == "differs"
    flags = api.get("/v1/alerts/flags").json()["items"]
    assert [(flag["subject"], flag["flag"], flag["detail"]) for flag in flags] == [
        ("C1", "differs", "rules x")
    ] * len(flags)
    assert flags


class TooLong:
    """A matcher for which one subject's events combine in too many ways."""

    def match(self, policy: WatchPolicy, window: Window) -> Matched:
        if window.subject == "C1":
            raise SearchTooLong("changed-then-spike", window.subject, 7)
        return Matched(match_window(policy, window))


def test_a_window_that_cannot_be_matched_says_so_and_holds_up_no_other(api: Client, watched: Wiring) -> None:
    tell(api, *takeover(), *takeover("f", "C2"))
    watcher = Watcher(watched.watcher._book, TooLong(), watched.clock.now)
    watcher.look_at_all(datetime.fromisoformat(DAY.format(6)))
    assert [alert["customer"] for alert in alerts(api)] == ["C2"]
    with watched.database.read() as session:
        row = session.get(WatchWindowRow, ("plain-watch", "customer", "C1"))
    assert row is not None
    assert "needs more than 7 steps" in row.trouble
    (flag,) = api.get("/v1/alerts/flags").json()["items"]
    assert (flag["subject"], flag["flag"], flag["detail"]) == ("C1", "not_matched", row.trouble)
    tell(api, event("e5", "usage", 7, account="A1", amount="10.00"))
    look(api, 7)  # by the wiring's own matcher: nothing was lost
    assert [alert["customer"] for alert in alerts(api)] == ["C2", "C1"]


def test_a_full_window_drops_its_oldest_events_and_says_how_many(
    api: Client, watched: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "MOST_EVENTS", 4)
    old = [event(f"o{day}", "usage", 1, account="A1", amount="90.00") for day in (1, 2)]
    tell(api, *old, *takeover())
    look(api, 6)
    (alert,) = alerts(api)
    assert api.get(f"/v1/alerts/{alert['id']}").json()["dropped"] == 2


def test_a_later_text_judges_what_comes_later(api: Client, watched: Wiring) -> None:
    tell(api, *takeover()[:3])
    look(api, 5)
    later = WATCH.replace(b"2026-01-01", b"2026-03-06").replace(b"3 * spike.usual", b"9 * spike.usual")
    watched.publisher.publish({"policy.yaml": later}, START + timedelta(days=1))
    tell(api, takeover()[3])
    look(api, 6)
    assert alerts(api) == []
    tell(api, event("e9", "usage", 7, account="A1", amount="999.00"))
    look(api, 7)
    assert [alert["evidence"][1]["id"] for alert in alerts(api)] == ["e9"]


def test_a_running_watcher_hears_of_news_by_itself(builder: Build, serve: Any) -> None:
    real = builder(simulated=False)
    real.publisher.publish({"policy.yaml": WATCH}, START)
    client = serve(real)
    said = {"id": "b", "type": "promise_broken", "at": "2026-03-02T00:00:00Z", "customer": "C1"}
    now = real.clock.now().isoformat()

    async def heard() -> list[dict[str, Any]]:
        task = asyncio.create_task(real.watcher.run())
        values = {"account": "A1", "promise": "P"}
        answer = await asyncio.to_thread(client.post, "/v1/events", json=said | {"at": now, "values": values})
        assert answer.status_code == 201
        async with asyncio.timeout(60):
            while not (found := await asyncio.to_thread(alerts, client)):
                await asyncio.sleep(0.05)
        assert "Watching" not in (await asyncio.to_thread(client.get, "/ready")).text
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return found

    assert "Watching" not in client.get("/ready").text  # a process that is not to look is not unready
    assert [alert["rule"] for alert in asyncio.run(heard())] == ["broken"]
    ready = client.get("/ready")
    assert ready.status_code == 503
    assert "Watching has ended in this process." in ready.json()["why"]
