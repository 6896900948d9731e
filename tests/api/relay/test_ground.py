"""A message waits with its ground: who has paid, or wants no more messages, gets none on a later attempt."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from api.storage.acting import Acting
from api.storage.actions import get_action
from api.storage.customers import set_facts
from api.wiring import Wiring
from engine.credit.decision import Fact
from tests.api import policies
from tests.api.conftest import START, Build
from tests.api.relay.listening import takes
from tests.api.relay.test_courier import message, with_receiver
from tests.api.scenes import Driver, in_arrears, local, pay, post

AT = local("2026-03-21 09:00")
MILD = (
    policies.COLLECTIONS.replace(b"| >= 50.00 | reminder | P3D ", b"| >= 50.00 | -        | -   ")
    .replace(b"< 50.00 | reminder |", b"< 50.00 | -        |")
    .replace(b"optional: true}", b"optional: true}\n  opted_out: {type: list of string, optional: true}")
)
"""Nothing rests on the reminder, so it is not severe."""


def asked(wiring: Wiring) -> tuple[Driver, str]:
    texts = {"policy.yaml": MILD, "templates/reminder.en.txt": b"{overdue}"}
    wiring.publisher.publish(texts | {"templates/final.en.txt": b"{overdue}"}, START)
    driver = in_arrears(wiring)
    driver.run(local("2026-03-19 09:00"), local("2026-03-20 00:00"))
    (key,) = driver.act(driver.look(AT)).requested
    with wiring.database.read() as session:
        assert not get_action(session, key).severe
    return driver, key


def paid(wiring: Wiring, at: datetime) -> None:
    pay(wiring, "A1", at, "P1", "205.42")


def opted_out(wiring: Wiring, at: datetime) -> None:
    with wiring.database.write() as work:
        set_facts(work, {"C1": {"opted_out": Fact(value=("sms",), as_of=at.date())}}, at)


def disputed(wiring: Wiring, at: datetime) -> None:
    post(wiring, "A1", at, kind="dispute", id="D1", bill="B1", amount="205.42", reason="not mine")


@pytest.mark.parametrize("news", [paid, opted_out, disputed])
@pytest.mark.parametrize("attempts", [0, 1])
def test_a_reminder_whose_ground_is_gone_is_withdrawn(
    builder: Build, news: Callable[[Wiring, datetime], None], attempts: int
) -> None:
    with with_receiver(builder) as (wiring, heard):
        heard.reply = lambda event: (503, None)
        driver, key = asked(wiring)
        at = AT
        if attempts:
            at = wiring.courier.deliver("A1", AT) or AT
        news(wiring, at)
        heard.reply = takes
        assert wiring.courier.deliver("A1", at + timedelta(seconds=1)) is None
        assert len(heard.events) == attempts
        assert message(wiring).state == "withdrawn"
        with wiring.database.read() as session:
            action = get_action(session, key)
        assert (action.state, bool(action.detail)) == ("withdrawn", True)
        driver.look(at + timedelta(minutes=1))  # the ladder goes on from it


def test_what_still_holds_goes_out_on_another_day_and_after_other_news(builder: Build) -> None:
    with with_receiver(builder) as (wiring, heard):
        heard.reply = lambda event: (503, None)
        _, key = asked(wiring)
        wiring.courier.deliver("A1", AT)
        pay(wiring, "A1", AT, "P1", "10.00")
        night = local("2026-03-21 20:59")
        wiring.courier.deliver("A1", night)
        assert wiring.courier.deliver("A1", local("2026-03-22 00:30")) == local("2026-03-22 08:00")
        heard.reply = takes
        assert wiring.courier.deliver("A1", local("2026-03-22 08:00")) is None
        assert heard.keys == [key] * 3
        assert message(wiring).state == "delivered"


def test_without_news_nothing_is_derived_again_on_the_same_day(
    builder: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    with with_receiver(builder) as (wiring, heard):
        heard.reply = takes
        asked(wiring)
        monkeypatch.setattr(Acting, "reason_gone", lambda *_: pytest.fail("the way of most messages"))
        assert wiring.courier.deliver("A1", AT) is None
        assert len(heard.events) == 1
