"""An alert that asks for a new grade, beside what else leads to one: one grade, with all causes named."""

from __future__ import annotations

from datetime import datetime, timedelta

from httpx import Client
from sqlmodel import select

from api.storage.tables import TaskRow
from api.storage.watch_tables import WatchActionRow
from api.wiring import Wiring
from engine.credit.decision import Fact
from tests.api.policies import CREDIT
from tests.api.scenes import bill, pay
from tests.api.storage.test_regrading import answered, asked, chargeback, graded, policy
from tests.api.watching.conftest import DAY, alerts, api, event, look, parties, serve, tell, watched

__all__ = ["api", "parties", "serve", "watched"]
FIRST = datetime.fromisoformat(DAY.format(1))


def reassessed(wiring: Wiring) -> list[tuple[str, str, str]]:
    with wiring.database.read() as session:
        rows = session.exec(select(WatchActionRow).where(WatchActionRow.do == "reassess"))
        return [(row.request, row.state, row.detail) for row in rows]


def two_chargebacks(wiring: Wiring) -> None:
    """On days 10 and 11: the second raises the alert of two returned payments."""
    for number in (1, 2):
        bill(wiring, "A1", FIRST, f"B{number}", "2026-03-20", "50.00")
    for number in (1, 2):
        pay(wiring, "A1", FIRST + timedelta(days=1), f"P{number}", "50.00")
    for number in (1, 2):
        chargeback(wiring, datetime.fromisoformat(DAY.format(9 + number)), f"X{number}", f"P{number}")


def test_a_chargeback_and_its_alert_lead_to_one_grade_that_names_both(api: Client, watched: Wiring) -> None:
    policy(watched)
    graded(watched, at=FIRST)
    two_chargebacks(watched)
    first, second = asked(watched)
    look(api, 11)
    (alert,) = alerts(api)
    assert len(asked(watched)) == 2, "no third one"
    both = f"alert ({alert['id']}); chargeback (A1/X2)"
    assert (first.regraded_for, asked(watched)[1].regraded_for) == ("chargeback (A1/X1)", both)
    assert reassessed(watched) == [(second.request, "requested", "")]
    record = answered(watched, asked(watched)[1])
    assert reassessed(watched) == [(second.request, "done", record.id)]
    assert api.get("/v1/customers/C1/decision").json()["decision"]["regraded_for"] == both


def test_a_grade_that_was_taken_meanwhile_answers_the_alert_and_tells_of_it(
    api: Client, watched: Wiring
) -> None:
    policy(watched)
    graded(watched, at=FIRST)
    two_chargebacks(watched)
    decided = [answered(watched, request) for request in asked(watched)]
    with watched.database.write() as work:  # both were told to Temporal before the watcher looked
        for request in asked(watched):
            mine = f"assess:{request.request}"
            work.session.connection().exec_driver_sql(
                f"UPDATE outbox SET state = 'delivered' WHERE once = '{mine}'"  # our own text
            )
    look(api, 11)
    (alert,) = alerts(api)
    assert len(asked(watched)) == 2
    assert reassessed(watched) == [(decided[1].request, "done", decided[1].id)]
    said = api.get(f"/v1/decisions/{decided[1].id}").json()
    assert said["regraded_for"] == f"alert ({alert['id']}); chargeback (A1/X2)"


def test_an_alert_alone_is_marked_and_takes_along_what_waits_for_tomorrow(
    api: Client, watched: Wiring
) -> None:
    policy(watched)
    graded(watched, at=FIRST)
    bill(watched, "A1", FIRST, "B1", "2026-03-20", "50.00")
    pay(watched, "A1", FIRST + timedelta(days=1), "P1", "50.00")
    chargeback(watched, datetime.fromisoformat(DAY.format(6)) - timedelta(hours=2))
    with watched.database.write() as work:
        at = datetime.fromisoformat(DAY.format(6)) - timedelta(hours=1)
        watched.writer.regrading.told(work, {"C1": ["tenure_months"]}, at)
    assert len(asked(watched)) == 1
    tell(api, *[event(f"r{n}", "payment_returned", 6, account="A1", amount="10.00") for n in (1, 2)])
    look(api, 6)
    (alert,) = alerts(api)
    _, mine = asked(watched)
    assert mine.request == f"alert-{alert['id']}-C1"
    assert "profile_change" in mine.regraded_for
    assert f"alert ({alert['id']})" in mine.regraded_for


def test_an_alert_is_marked_where_no_policy_speaks_of_new_grades(api: Client, watched: Wiring) -> None:
    tell(api, *[event(f"r{n}", "payment_returned", 6, account="A1", amount="10.00") for n in (1, 2)])
    look(api, 6)
    (alert,) = alerts(api)
    (mine,) = asked(watched)
    assert mine.regraded_for == f"alert ({alert['id']})"


def test_an_alert_grades_by_the_policy_of_the_last_decision(api: Client, watched: Wiring) -> None:
    other = CREDIT.replace(b"plain-credit", b"card-credit")
    digest = watched.publisher.publish({"policy.yaml": other}, FIRST).manifest.digest
    graded(watched, at=FIRST, policy="card-credit", facts={"tenure_months": Fact(value=24)})
    tell(api, *[event(f"r{n}", "payment_returned", 6, account="A1", amount="10.00") for n in (1, 2)])
    look(api, 6)
    assert [request.policy for request in asked(watched)] == [digest]


def test_a_grade_that_was_refused_answers_no_alert(api: Client, watched: Wiring) -> None:
    policy(watched)
    graded(watched, at=FIRST)
    two_chargebacks(watched)
    watched.decisions.refused(asked(watched)[1], "there is no such fact")
    look(api, 11)
    (alert,) = alerts(api)
    assert [one.request for one in asked(watched)][2:] == [f"alert-{alert['id']}-C1"]
    with watched.database.read() as session:
        assert len(session.exec(select(TaskRow).where(TaskRow.step == "regrade")).all()) == 1
