"""The brake as operators see it: in `/ready`, in a list, and released with a name and a reason."""

from __future__ import annotations

from tests.api.conftest import Build
from tests.api.rest.conftest import Serve
from tests.api.storage.test_brake import AT, at_the_bar, barred, braked


def test_the_brake_is_seen_and_released_over_http(builder: Build, serve: Serve) -> None:
    with braked(builder) as (wiring, heard):
        keys = [barred(at_the_bar(wiring, f"A{n}")) for n in range(3)]
        api = serve(wiring)
        assert any(
            "The brake on interruptions is on since 2026-04-18" in told
            for told in api.get("/ready").json()["told"]
        )
        (item,) = api.get("/v1/brakes").json()["items"]
        assert (item["day"], item["counted"], item["most"], item["on"]) == ("2026-04-18", 3, 2, True)
        page = api.get("/v1/brakes?limit=1").json()
        assert page["next"] is None or api.get(page["next"]).json()["items"] == []
        body = {"actor": "maria", "reason": "I have looked", "received_at": AT.isoformat()}
        assert api.post("/v1/brakes/nonsense/release", json=body).status_code == 422
        answer = api.post("/v1/brakes/interruptions/release", json=body)
        assert answer.status_code == 200, answer.text
        (released,) = answer.json()["released"]
        assert (released["on"], released["released_by"], released["reason"]) == (
            False,
            "maria",
            "I have looked",
        )
        again = api.post("/v1/brakes/interruptions/release", json=body)
        assert (again.status_code, again.json()["type"]) == (409, "/problems/brake-not-on")
        wiring.courier.deliver("A2", AT)
        assert heard.keys == keys
