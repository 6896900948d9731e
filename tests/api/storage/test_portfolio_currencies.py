"""A portfolio that names a collections policy for each currency: two accounts of a customer, two ladders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlmodel import select

from api.storage.accounts import get_account
from api.storage.errors import PolicyRefused
from api.storage.opening import treating
from api.storage.portfolio import Portfolio, load_portfolio
from api.storage.shelf import activate, names_of, put_on_shelf
from api.storage.tables import OutboxRow
from api.wiring import Wiring
from engine.identity import manifest
from tests.api.conftest import START, Build
from tests.api.policies import COLLECTIONS, CREDIT, LAW, PORTFOLIO
from tests.api.scenes import Driver, account, add_parties, bill, local, pay

NOTICES = {f"templates/{name}.en.txt": b"{currency} {overdue}" for name in ("reminder", "final")}
EARLY, DUE_DAY, LATER = local("2026-03-02 02:00"), local("2026-03-19 10:00"), local("2026-04-20 12:00")


def in_yen(*changes: tuple[bytes, bytes], name: bytes = b"yen-collections") -> bytes:
    text = COLLECTIONS.replace(b"plain-collections", name).replace(b"CNY", b"JPY")
    for old, new in ((b"20.00", b"400"), (b"50.00", b"1000"), (b"5.00", b"100"), *changes):
        text = text.replace(old, new)
    return text


YEN = {"policy.yaml": in_yen(), **NOTICES}
BY_CURRENCY = PORTFOLIO.replace(
    b"collections: plain-collections", b"collections: {CNY: plain-collections, JPY: yen-collections}"
)


def publish(wiring: Wiring, *texts: Mapping[str, bytes]) -> None:
    for one in texts:
        wiring.publisher.publish(one, START)


def named(text: bytes) -> dict[str, bytes]:
    return {"portfolio.yaml": PORTFOLIO.replace(b"plain-collections", text)}


def drivers(wiring: Wiring, *names: str) -> list[Driver]:
    assert wiring.cases.due_accounts(DUE_DAY, "", 10) == list(names)
    assert wiring.cases.open_cases(list(names), DUE_DAY) == len(names)
    found = []
    with wiring.database.read() as session:
        for name in names:
            policy = treating(session, wiring.library, get_account(session, name), DUE_DAY.date())
            assert policy is not None
            found.append(Driver(wiring, name, 1, policy.digest))
    return found


def steps(driver: Driver) -> list[str]:
    assert driver.taken is not None
    return sorted(row.step for row in driver.taken.rows)


def texts_sent(wiring: Wiring) -> dict[str, set[str]]:
    """What the notices of each account state."""
    found: dict[str, set[str]] = {}
    with wiring.database.read() as session:
        for row in session.exec(select(OutboxRow).where(OutboxRow.kind == "action")):
            for text in re.findall(r"(?:CNY|JPY) [0-9.,]*[0-9]", row.body):
                found.setdefault(row.account, set()).add(text)
    return found


@pytest.fixture
def both(wiring: Wiring) -> Wiring:
    """A customer who owes 205.42 yuan on one account and 5,000 yen on the other; neither names a policy."""
    publish(wiring, {"policy.yaml": COLLECTIONS, **NOTICES}, YEN, {"portfolio.yaml": BY_CURRENCY})
    add_parties(wiring, "CN")
    add_parties(wiring, "JP", currency="JPY")
    bill(wiring, "CN", EARLY, "B1", "2026-03-18", "205.42")
    bill(wiring, "JP", EARLY, "B1", "2026-03-18", "5000")
    return wiring


def test_each_account_climbs_the_ladder_of_its_currency(both: Wiring) -> None:
    yuan, yen = drivers(both, "CN", "JP")
    assert yuan.policy != yen.policy
    for driver in (yuan, yen):
        driver.run(DUE_DAY, LATER)
    assert steps(yuan) == steps(yen) == ["bar", "final", "reminder"]
    assert texts_sent(both) == {"CN": {"CNY 205.42"}, "JP": {"JPY 5,000"}}
    owed = [[str(debt.open) for debt in one.look(LATER).position.debts] for one in (yuan, yen)]
    assert owed == [["205.42"], ["5000"]]


def test_paying_in_one_currency_ends_the_case_of_that_account_alone(both: Wiring) -> None:
    yuan, yen = drivers(both, "CN", "JP")
    for driver in (yuan, yen):
        driver.run(DUE_DAY, LATER)
    pay(both, "JP", LATER, "P1", "4950")
    at = yen.run(LATER, LATER)
    assert yen.taken is not None
    assert yen.taken.ended == "cured"
    yen.close(at)
    assert (account(both, "JP").open_case, account(both, "CN").open_case) == (None, 1)
    assert yuan.look(LATER).open


def test_what_is_small_is_told_by_the_amounts_of_the_currency(wiring: Wiring) -> None:
    """300 is less than 400 yen and more than 20.00 yuan."""
    publish(wiring, YEN, {"portfolio.yaml": BY_CURRENCY})
    add_parties(wiring, "CN")
    add_parties(wiring, "JP", currency="JPY")
    for name in ("CN", "JP"):
        bill(wiring, name, EARLY, "B1", "2026-03-18", "300")
    assert wiring.cases.open_cases(["CN", "JP"], DUE_DAY) == 1
    assert (account(wiring, "CN").open_case, account(wiring, "JP").open_case) == (1, None)
    assert account(wiring, "JP").trouble == ""


def test_an_account_in_a_currency_without_a_policy_says_so_until_one_is_named(both: Wiring) -> None:
    add_parties(both, "DE", currency="EUR")
    bill(both, "DE", EARLY, "B1", "2026-03-18", "1205.42")
    assert both.cases.open_cases(["DE"], DUE_DAY) == 0
    assert account(both, "DE").trouble == (
        "It is overdue, and no policy treats it. The portfolio names no collections policy for accounts in"
        " EUR, only for CNY, JPY, and the account itself names none."
    )
    euro = {"policy.yaml": in_yen((b"JPY", b"EUR"), name=b"euro-collections"), **NOTICES}
    publish(both, euro)
    more = BY_CURRENCY.replace(b"JPY: yen", b"EUR: euro-collections, JPY: yen")
    both.publisher.publish({"portfolio.yaml": more}, DUE_DAY)
    assert "DE" in both.cases.due_accounts(DUE_DAY, "", 10)
    assert both.cases.open_cases(["DE"], DUE_DAY) == 1
    assert account(both, "DE").trouble == ""


def test_what_the_account_names_wins(both: Wiring) -> None:
    publish(both, {"policy.yaml": in_yen((b"400", b"9000"), name=b"gentle-yen"), **NOTICES})
    add_parties(both, "J2", currency="JPY", policy="gentle-yen")
    add_parties(both, "J3", currency="JPY", policy="plain-collections")
    for name in ("J2", "J3"):
        bill(both, name, EARLY, "B1", "2026-03-18", "5000")
    assert both.cases.open_cases(["J2", "J3"], DUE_DAY) == 0
    assert account(both, "J2").trouble == ""
    assert account(both, "J3").trouble.endswith(
        "The collections policy `plain-collections` counts in CNY, the account in JPY."
    )
    with both.database.write() as work:
        row = get_account(work.session, "J3")
        both.writer.rename_policy(work, row, "", DUE_DAY, clamp=False)
    assert account(both, "J3").open_case == 1


def test_the_next_text_of_the_currency_makes_its_accounts_due_on_its_first_day(both: Wiring) -> None:
    publish(both, {"policy.yaml": in_yen((b"2026-01-01", b"2026-03-10"), (b'"1"', b'"2"')), **NOTICES})
    with both.database.read() as session:
        changes = [
            both.library.next_change(session, get_account(session, name), EARLY.date())
            for name in ("CN", "JP")
        ]
    assert changes == [None, local("2026-03-10 00:00").date()]


def test_one_name_goes_on_meaning_every_account(both: Wiring) -> None:
    """A case that is open finishes under its text, whatever the portfolio names by then."""
    _, yen = drivers(both, "CN", "JP")
    both.publisher.publish({"portfolio.yaml": PORTFOLIO}, DUE_DAY)
    yen.run(DUE_DAY, LATER)
    assert steps(yen) == ["bar", "final", "reminder"]
    add_parties(both, "J2", currency="JPY")
    bill(both, "J2", EARLY, "B1", "2026-03-18", "5000")
    assert both.cases.open_cases(["J2"], DUE_DAY) == 0
    assert account(both, "J2").trouble.endswith("counts in CNY, the account in JPY.")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"{CNY: plain-collections, JPY: plain-collections}", "`plain-collections` states amounts in CNY"),
        (b"{CNY: yen-collections}", "write `CNY: plain-collections`, which states amounts in CNY"),
        (b"{CNY: plain-colections}", "did you mean `plain-collections`?"),
        (b"{CNY: plain-credit}", "there is no collections policy `plain-credit`"),
        (b"{CN: plain-collections}", "`CN` is not a currency"),
        (b"{}", "`collections` names no currency"),
        (b"{CNY: plain-collections, CNY: plain-collections}", "the key `CNY` stands here twice"),
    ],
)
def test_a_portfolio_that_does_not_fit_stays_off_the_shelf(lite: Wiring, text: bytes, says: str) -> None:
    publish(lite, YEN)
    with pytest.raises(PolicyRefused) as refused:
        publish(lite, named(text))
    assert says in str(refused.value)
    assert "portfolio.yaml:2:" in str(refused.value)
    with lite.database.read() as session:
        portfolio = lite.library.portfolio(session, START.date())
    assert portfolio is not None
    assert portfolio.collections == "plain-collections"


def test_a_later_text_in_another_currency_is_seen_and_an_older_one_is_not(lite: Wiring) -> None:
    ended = in_yen((b"JPY", b"EUR"), name=b"moved")
    publish(lite, {"policy.yaml": ended, **NOTICES})
    moved = in_yen((b"2026-01-01", b"2026-02-01"), (b'"1"', b'"2"'), name=b"moved")
    publish(lite, {"policy.yaml": moved, **NOTICES}, named(b"{CNY: plain-collections, JPY: moved}"))
    with pytest.raises(PolicyRefused, match="`moved` states amounts in JPY, not in EUR"):
        publish(lite, named(b"{EUR: moved}"))
    later = moved.replace(b"2026-02-01", b"2026-09-01").replace(b"JPY", b"KRW").replace(b'"2"', b'"3"')
    publish(lite, {"policy.yaml": later, **NOTICES})
    with pytest.raises(PolicyRefused, match="`moved` states amounts in KRW, not in JPY"):
        publish(lite, named(b"{JPY: moved}"))


def folder_of(tmp_path: Path, portfolio: bytes) -> Path:
    folder = tmp_path / "policies"
    texts = {
        "regulations/plain-law.yaml": LAW, "credit/policy.yaml": CREDIT, "plain/policy.yaml": COLLECTIONS,
        "yen/policy.yaml": in_yen(), "portfolio.yaml": portfolio,
    }  # fmt: skip
    for name in ("plain", "yen"):
        texts |= {f"{name}/{path}": body for path, body in NOTICES.items()}
    for path, body in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)
    return folder


def test_a_folder_whose_portfolio_does_not_fit_leaves_nothing_on_the_shelf(
    tmp_path: Path, builder: Build
) -> None:
    wiring = builder(publish=False)
    bad = BY_CURRENCY.replace(b"JPY: yen", b"EUR: yen")
    with pytest.raises(PolicyRefused, match="`yen-collections` states amounts in JPY, not in EUR"):
        wiring.publisher.publish_folder(folder_of(tmp_path, bad), START)
    with wiring.database.read() as session:
        assert not any(names_of(session, kind) for kind in ("law", "credit", "collections", "portfolio"))
    done = wiring.publisher.publish_folder(folder_of(tmp_path, BY_CURRENCY), START)
    assert [one.manifest.kind for one in done] == ["law", "credit", "collections", "collections", "portfolio"]


def test_a_portfolio_is_read_into_names() -> None:
    one = load_portfolio(PORTFOLIO, "portfolio.yaml").policy
    many = load_portfolio(BY_CURRENCY, "portfolio.yaml").policy
    assert isinstance(one, Portfolio)
    assert isinstance(many, Portfolio)
    assert [one.collections_for(code) for code in ("CNY", "JPY")] == ["plain-collections"] * 2
    assert [many.collections_for(code) for code in ("CNY", "JPY", "EUR", "")] == [
        "plain-collections", "yen-collections", "", "",
    ]  # fmt: skip
    assert (one.by_currency, sorted(many.by_currency)) == ({}, ["CNY", "JPY"])


def test_a_text_of_long_ago_that_cannot_be_read_any_more_is_in_nobodys_way(lite: Wiring) -> None:
    broken = {"policy.yaml": b"policy: old-collections\nkind: collections\ncurrency: yuan\n"}
    made = manifest("old-collections", "collections", "1", START.date(), broken)
    with lite.database.write() as work:
        put_on_shelf(work, made, broken, START)
        activate(work, made.digest, START.date(), START)
    publish(lite, YEN, {"portfolio.yaml": BY_CURRENCY})
    with pytest.raises(PolicyRefused, match="write `JPY: yen-collections`, which states amounts in JPY"):
        publish(lite, named(b"{JPY: plain-collections}"))
