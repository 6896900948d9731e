"""Law packs on the shelf: a policy that breaks one is not published; one that becomes stricter binds."""

from __future__ import annotations

import pytest

from api.storage.errors import PolicyRefused
from api.wiring import Wiring
from tests.api.policies import COLLECTIONS, LAW
from tests.api.scenes import in_arrears, local

NOW = local("2026-01-02 00:00")
STRICTER = LAW.replace(b"cut-after-30", b"cut-after-40").replace(b"> 30", b"> 40")
STRICTER = STRICTER.replace(b"in_force: 2000-01-01", b"in_force: 2026-04-01")


def test_a_policy_that_breaks_the_law_is_not_published(wiring: Wiring) -> None:
    careless = COLLECTIONS.replace(b"| bar       | >= 31 ", b"| bar       | >= 21 ")
    with pytest.raises(PolicyRefused) as caught:
        wiring.publisher.publish({"policy.yaml": careless}, NOW)
    (problem,) = [found for found in caught.value.problems if found.code == "breaks-law"]
    assert "clause `cut-after-30`" in problem.related[0][0]


def test_a_policy_that_only_a_law_to_come_forbids_is_published_until_it_comes(wiring: Wiring) -> None:
    wiring.publisher.publish({"plain-law.yaml": STRICTER}, NOW)
    soon = COLLECTIONS.replace(b'version: "1"', b'version: "2"')
    assert wiring.publisher.publish({"policy.yaml": soon}, NOW).new
    later = soon.replace(b"from: 2026-01-01", b"from: 2026-04-01")
    with pytest.raises(PolicyRefused, match="law pack `plain-law`"):
        wiring.publisher.publish({"policy.yaml": later}, NOW)


def test_a_law_that_becomes_stricter_refuses_the_step_of_an_open_case_and_is_named(wiring: Wiring) -> None:
    driver = in_arrears(wiring)
    driver.run(local("2026-03-19 09:00"), local("2026-04-17 00:00"))
    assert [a.do for a in driver.look(local("2026-04-18 09:00")).actions] == ["service"], "lawful until now"
    wiring.publisher.publish({"plain-law.yaml": STRICTER}, local("2026-04-18 09:00"))
    record = driver.look(local("2026-04-18 09:01"))
    assert record.actions == ()
    (note,) = [row.note for row in record.trace.rows if row.step == "bar"]
    assert (
        note == "law pack plain-law, clause cut-after-40 (made up): past due for 31 days, which is not > 40"
    )
    assert record.wake_at == local("2026-04-28 09:00")
    assert [a.do for a in driver.look(local("2026-04-28 09:00")).actions] == ["service"]


def test_what_was_asked_for_before_the_law_became_stricter_is_withdrawn(wiring: Wiring) -> None:
    driver = in_arrears(wiring)
    driver.run(local("2026-03-19 09:00"), local("2026-04-17 00:00"))
    record = driver.look(local("2026-04-18 09:00"))
    wiring.publisher.publish({"plain-law.yaml": STRICTER}, local("2026-04-18 09:00"))
    result = driver.act(record)
    assert result.requested == ()
    ((_, why),) = result.withdrawn
    assert "clause cut-after-40" in why
