from __future__ import annotations

from datetime import date, datetime

import pytest

from api.storage.accounts import add_account, page_of_accounts
from api.storage.errors import PolicyRefused
from api.storage.troubles import count_in_trouble, in_trouble
from api.wiring import Wiring
from engine.model import digest_bytes
from tests.api import policies
from tests.api.conftest import START, Build
from tests.api.scenes import account, add_parties, bill, local, pay, post
from workflows.ports import PolicyNotFound, TextNotFound

DAY = date(2026, 6, 1)


def credit(version: str, start: str, end: str = "") -> dict[str, bytes]:
    text = policies.CREDIT.replace(b'version: "1"', f'version: "{version}"'.encode())
    until = f", to: {end}" if end else ""
    return {"policy.yaml": text.replace(b"{from: 2026-01-01}", f"{{from: {start}{until}}}".encode())}


def test_texts_are_kept_by_the_digest_of_their_bytes(wiring: Wiring) -> None:
    texts = credit("2", "2026-07-01")
    published = wiring.publisher.publish(texts, START)
    manifest, found = wiring.shelf.texts(published.manifest.digest)
    assert (manifest, found) == (published.manifest, texts)
    mark = digest_bytes(texts["policy.yaml"])
    assert manifest.texts == {"policy.yaml": mark}
    assert wiring.shelf.text(mark) == texts["policy.yaml"]
    assert wiring.publisher.publish(texts, START).new is False


def test_what_is_not_there_is_said(wiring: Wiring) -> None:
    with pytest.raises(PolicyNotFound):
        wiring.shelf.texts("sha256:00")
    with pytest.raises(TextNotFound):
        wiring.shelf.text("sha256:00")
    with pytest.raises(PolicyNotFound):
        wiring.shelf.law("nobodys", DAY)


def test_the_text_in_force_is_that_of_the_day(wiring: Wiring) -> None:
    second = wiring.publisher.publish(credit("2", "2026-07-01"), START).manifest.digest
    first = wiring.shelf.in_force("credit", "plain-credit", date(2026, 6, 30)).digest
    assert first != second
    assert wiring.shelf.in_force("credit", "plain-credit", date(2026, 7, 1)).digest == second
    with pytest.raises(PolicyNotFound):
        wiring.shelf.in_force("credit", "plain-credit", date(2025, 12, 31))


def test_the_later_word_on_the_same_day_counts(wiring: Wiring) -> None:
    old = wiring.shelf.in_force("credit", "plain-credit", DAY).digest
    published = wiring.publisher.publish(credit("1b", "2026-01-01"), START)
    new = published.manifest.digest
    assert published.replaces == old
    assert wiring.publisher.publish(credit("1b", "2026-01-01"), START).replaces == ""
    assert wiring.publisher.publish(credit("2", "2026-07-01"), START).replaces == ""
    assert wiring.shelf.in_force("credit", "plain-credit", DAY).digest == new
    wiring.publisher.publish({"policy.yaml": policies.CREDIT}, START)
    assert wiring.shelf.in_force("credit", "plain-credit", DAY).digest == old


def test_a_text_that_ends_leaves_its_predecessor_in_force(wiring: Wiring) -> None:
    old = wiring.shelf.in_force("credit", "plain-credit", DAY).digest
    wiring.publisher.publish(credit("sale", "2026-07-01", "2026-08-01"), START)
    assert wiring.shelf.in_force("credit", "plain-credit", date(2026, 7, 31)).digest != old
    assert wiring.shelf.in_force("credit", "plain-credit", date(2026, 8, 1)).digest == old


def test_a_law_is_that_of_the_day(wiring: Wiring) -> None:
    newer = policies.LAW.replace(b"2000-01-01", b"2026-07-01").replace(b"> 30", b"> 60")
    wiring.publisher.publish({"law.yaml": newer}, START)
    before = wiring.shelf.law("plain-law", date(2026, 6, 30))
    after = wiring.shelf.law("plain-law", date(2026, 7, 1))
    assert before.digest == digest_bytes(policies.LAW)
    assert after.digest == digest_bytes(newer)


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ({"policy.yaml": policies.CREDIT.replace(b"< 12 ", b"< twelve")}, "twelve"),
        ({"policy.yaml": b"policy: x\nkind: poem\n"}, "poem"),
        ({"policy.yaml": b"- a list\n"}, "nothing"),
        ({"policy.yaml": b"\xff\xfe"}, "UTF-8"),
        ({"law.yaml": b"law: x\n"}, "lacks the key"),
    ],
)  # fmt: skip
def test_what_the_engine_cannot_use_is_refused_with_its_place(
    lite: Wiring, texts: dict[str, bytes], says: str
) -> None:
    with pytest.raises(PolicyRefused, match=says) as refused:
        lite.publisher.publish(texts, START)
    assert refused.value.problems


def test_an_account_is_watched_from_the_day_its_policy_begins(builder: Build) -> None:
    wiring = builder()
    add_parties(wiring, "A1")
    bill(wiring, "A1", local("2025-11-01 10:00"), "B1", "2025-11-20", "50.00")
    assert account(wiring, "A1").watch_on == local("2025-11-21 00:00")
    assert wiring.cases.open_case("A1", local("2025-11-21 00:00")) is False
    assert "`plain-collections` is not in force on 2025-11-21" in account(wiring, "A1").trouble
    assert account(wiring, "A1").watch_on == local("2026-01-01 00:00")
    assert wiring.cases.open_case("A1", local("2026-01-01 00:00")) is False
    assert account(wiring, "A1").watch_on == local("2026-01-01 09:00")
    assert account(wiring, "A1").trouble == ""
    assert wiring.cases.open_case("A1", local("2026-01-01 09:00"))


def test_accounts_are_looked_at_again_when_a_policy_is_published_after_their_bills(builder: Build) -> None:
    wiring = builder(publish=False)
    add_parties(wiring, "A1")
    bill(wiring, "A1", local("2026-03-01 10:00"), "B1", "2026-03-20", "50.00")
    assert account(wiring, "A1").watch_on == local("2026-03-21 00:00")
    from tests.api.conftest import publish_plain

    publish_plain(wiring)
    now = account(wiring, "A1").watch_on
    assert now is not None
    assert wiring.cases.due_accounts(max(now, START), "", 10) == ["A1"]
    assert wiring.cases.open_case("A1", max(now, START)) is False
    assert account(wiring, "A1").watch_on == local("2026-03-21 09:00")


def test_a_missing_law_loses_no_news_and_is_said(builder: Build) -> None:
    wiring = builder(publish=False)
    for name, text in (("policy.yaml", policies.COLLECTIONS), ("portfolio.yaml", policies.PORTFOLIO)):
        templates = {"templates/reminder.en.txt": b"x", "templates/final.en.txt": b"x"}
        texts = {name: text} | (templates if name == "policy.yaml" else {})
        wiring.publisher.publish(texts, START)
    add_parties(wiring, "A1")
    assert bill(wiring, "A1", local("2026-03-01 10:00"), "B1", "2026-03-20", "50.00").new
    row = account(wiring, "A1")
    assert "plain-law" in row.trouble
    assert row.watch_on == local("2026-03-02 10:00")
    wiring.publisher.publish({"law.yaml": policies.LAW}, START)
    wiring.cases.open_case("A1", local("2026-03-02 10:00"))
    assert account(wiring, "A1").trouble == ""


def test_an_account_in_another_currency_falls_under_no_policy(lite: Wiring) -> None:
    add_parties(lite)
    with lite.database.write() as work:
        terms = {"id": "A1", "customer": "C1", "currency": "TWD", "timezone": "Asia/Taipei", "policy": ""}
        add_account(work, terms, START)
    bill(lite, "A1", local("2026-03-01 10:00"), "B1", "2026-03-20", "50.00")
    assert account(lite, "A1").watch_on == local("2026-03-21 00:00")
    assert lite.cases.open_case("A1", local("2026-03-21 00:00")) is False
    row = account(lite, "A1")
    assert (row.watch_on, row.open_case) == (None, None)
    assert "counts in CNY, the account in TWD" in row.trouble


def test_only_accounts_in_trouble_are_counted(wiring: Wiring) -> None:
    add_parties(wiring, "A1", "A2", "A4")
    add_parties(wiring, "A3", currency="EUR")
    bill(wiring, "A3", local("2026-03-25 10:00"), "B1", "2026-03-26", "50.00")
    wiring.cases.open_case("A3", local("2026-03-27 10:00"))
    post(wiring, "A1", local("2026-03-01 10:00"), kind="payment_returned", id="R1", payment="NOPE")
    post(wiring, "A2", local("2026-03-26 10:00"), kind="payment_returned", id="R1", payment="NOPE")
    pay(wiring, "A1", local("2026-03-03 10:00"), "P1", "1.00")

    def names(at: datetime | None) -> list[str]:
        with wiring.database.read() as session:
            found = [row.id for row in page_of_accounts(session, "", 10, troubled=in_trouble(at))]
            assert count_in_trouble(session, at) == len(found)
            return found

    assert names(local("2026-03-27 09:00")) == ["A1", "A3"]
    assert names(local("2026-03-27 11:00")) == ["A1", "A2", "A3"]
    assert names(None) == ["A1", "A3"]
