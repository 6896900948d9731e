"""What was given up is listed, and told after all when a person says so; 410 stops until somebody resumes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from api.relay.courier import PAUSES
from tests.api.conftest import Build
from tests.api.relay.listening import confirms, takes
from tests.api.relay.test_courier import AT, message, reminded, to_barring, with_receiver
from tests.api.rest.conftest import Serve
from tests.api.rest.test_gate import slug
from tests.api.scenes import pay


def test_a_dead_letter_is_listed_and_replayed(
    builder: Build, database_url: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With jitter the last attempt may fall into the minute before quiet hours, and the replay behind it.
    monkeypatch.setattr("api.relay.courier.JITTER", 0)
    with with_receiver(builder, database_url) as (wiring, heard):
        heard.reply = lambda event: (503, None)
        reminded(wiring)
        at = AT
        for _ in range(3 * len(PAUSES)):  # at night it is not tried
            at = wiring.courier.deliver("A1", at) or at
        api = serve(wiring)
        (dead,) = api.get("/v1/messages?state=dead").json()["items"]
        assert dead["error"].startswith(f"After {len(PAUSES) + 1} attempts: HTTP 503")
        again = api.post(f"/v1/messages/{dead['sequence']}/replay")
        assert (again.status_code, again.json()["state"], again.json()["attempts"]) == (200, "pending", 0)
        twice = api.post(f"/v1/messages/{dead['sequence']}/replay")
        assert (twice.status_code, slug(twice.json())) == (409, "not-dead")
        assert api.post("/v1/messages/999999/replay").status_code == 404
        heard.reply = confirms
        wiring.courier.deliver("A1", at + timedelta(minutes=1))
        assert api.get("/v1/messages?state=dead").json()["items"] == []
        assert message(wiring).state == "delivered"
        assert len({event["id"] for event in heard.events}) == 1, "one name, however often it is tried"


def test_a_severe_one_is_derived_again_before_it_is_replayed(builder: Build, serve: Serve) -> None:
    with with_receiver(builder) as (wiring, heard):
        _, at, key = to_barring(wiring)
        heard.reply = lambda event: (503, None)
        with wiring.database.write() as work:
            row = work.session.get_one(type(message(wiring)), message(wiring).id)
            row.state, row.attempts = "dead", len(PAUSES) + 1
            work.session.add(row)
        pay(wiring, "A1", at, "P1", "205.42")
        heard.reply = takes
        api = serve(wiring)
        assert api.post(f"/v1/messages/{message(wiring).id}/replay").status_code == 200
        wiring.courier.deliver("A1", at)
        assert message(wiring).state == "withdrawn"
        assert key not in heard.keys


def test_gone_stops_until_somebody_resumes(builder: Build, serve: Serve) -> None:
    with with_receiver(builder) as (wiring, heard):
        heard.reply = lambda event: (410, None)
        reminded(wiring)
        wiring.courier.deliver("A1", AT)
        api = serve(wiring)
        assert api.get("/v1/webhook").json()["sends"] is False
        heard.reply = confirms
        wiring.courier.deliver("A1", AT + timedelta(hours=1))
        assert len(heard.events) == 1
        assert api.post("/v1/webhook/resume").json()["sends"] is True
        wiring.courier.deliver("A1", AT + timedelta(hours=1))
        assert message(wiring).state == "delivered"
