"""Rule 5: what is in force of all demands on service, and what is told when somebody else's changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal

import pytest

from engine.ladder.levels import Confirming, begins_later, is_demand, level_news, levels_in_force
from engine.ledger.account import DemandedLevel, Level, Terms
from engine.ledger.entries import Demand
from engine.ledger.position import position_at

TERMS = Terms(account="A1", customer="C1", currency="EUR", timezone="Europe/Berlin")
DAY = date(2026, 3, 1)
CONFIRMING = Confirming(cut=timedelta(days=2), restored=timedelta(hours=36))
Word = tuple[int, str, Literal["open", "outgoing_barred", "suspended", "terminated"]]


def at(day: int) -> datetime:
    return datetime(2026, 3, day, 12, tzinfo=UTC)


def demand(day: int, source: str, level: Level, *, from_day: int = 0) -> Demand:
    return Demand(
        id=f"{source}/{day}", value_date=date(2026, 3, from_day or day), received_at=at(day), source=source,
        level=level,
    )  # fmt: skip


def beside(level: Level, service: str = "") -> DemandedLevel:
    return DemandedLevel(source=f"case/A1/{service or 1}", level=level, since=DAY, service=service)


def news(
    words: list[Word], *cases: DemandedLevel, ended: frozenset[str] = frozenset()
) -> list[tuple[str, str, bool]]:
    """What is told after the last word: service, level, whether it is a cut."""
    entries = [demand(*word) for word in words]
    now = at(words[-1][0])
    before, after = (position_at(TERMS, known, now) for known in (entries[:-1], entries))
    actions = level_news(before, after, cases, entries, CONFIRMING, ended)
    return [(action.service, str(action.level), action.severe) for action in actions]


@pytest.mark.parametrize(
    ("words", "cases", "told"),
    [
        pytest.param([(1, "fraud", "suspended")], (), [("", "suspended", True)], id="alone"),
        pytest.param(
            [(1, "fraud", "suspended"), (2, "fraud", "open")], (), [("", "open", False)], id="and-gone"
        ),
        pytest.param([(1, "fraud", "open")], (), [], id="nothing-to-withdraw"),
        pytest.param([(1, "fraud", "outgoing_barred")], (beside("suspended"),), [], id="less-than-a-case"),
        pytest.param(
            [(1, "fraud", "suspended"), (2, "fraud", "open")],
            (beside("outgoing_barred"),),
            [("", "outgoing_barred", False)],
            id="down-to-a-case",
        ),
        pytest.param(
            [(1, "fraud", "suspended"), (2, "limit", "suspended"), (3, "fraud", "open")], (), [],
            id="another-still-demands-it",
        ),
        pytest.param(
            [(1, "fraud", "suspended"), (2, "fraud", "outgoing_barred")], (),
            [("", "outgoing_barred", False)], id="a-source-lowers-its-own",
        ),
        pytest.param(
            [(1, "fraud", "suspended"), (2, "fraud", "open")], (beside("terminated"),), [],
            id="a-terminated-account-stays",
        ),
        pytest.param(
            [(1, "fraud", "suspended")],
            (beside("outgoing_barred", "mobile"), beside("terminated", "tv")),
            [("", "suspended", True), ("mobile", "suspended", True)],
            id="services-with-it",
        ),
        pytest.param(
            [(1, "fraud", "suspended"), (2, "fraud", "open")],
            (beside("outgoing_barred", "mobile"), beside("suspended", "tv")),
            [("", "open", False), ("mobile", "outgoing_barred", False), ("tv", "suspended", False)],
            id="services-keep-their-own",
        ),
    ],
)  # fmt: skip
def test_what_the_receiver_is_told(
    words: list[Word], cases: tuple[DemandedLevel, ...], told: list[tuple[str, str, bool]]
) -> None:
    assert news(words, *cases) == told


def test_a_termination_that_nobody_was_told_of_is_withdrawn_like_any_demand() -> None:
    words: list[Word] = [(1, "customer", "terminated"), (2, "customer", "open")]
    assert news(words) == [("", "open", False)]


@pytest.mark.parametrize("source", ["customer", "fraud"])
def test_nothing_restores_what_was_told_to_be_at_an_end(source: str) -> None:
    words: list[Word] = [(1, "customer", "terminated"), (2, "customer", "open"), (3, "fraud", "suspended")]
    end = news(words[:1])
    assert end == [("", "terminated", True)]
    ended = frozenset({""})
    assert news(words[:2], ended=ended) == []
    assert news(words, ended=ended) == []
    again: list[Word] = [*words, (4, source, "terminated")]
    assert news(again, ended=ended) == [("", "terminated", True)]


def test_an_action_says_whose_it_is_by_when_it_is_confirmed_and_for_whom_it_is_not() -> None:
    entries = [demand(1, "fraud", "suspended"), demand(2, "fraud", "open")]
    nobody, cut, gone = (position_at(TERMS, entries[:n], at(max(n, 1))) for n in range(3))
    (asked,) = level_news(nobody, cut, (), entries, CONFIRMING)
    assert asked.key == "demand/A1/account/fraud/1/service.suspended/do"
    assert (asked.step, asked.args, asked.confirm_by) == ("fraud", ("suspended",), at(1) + timedelta(days=2))
    back, _ = level_news(cut, gone, (beside("suspended", "tv"),), entries, CONFIRMING)
    assert back.key == "demand/A1/account/fraud/2/service.open/do"
    assert (back.figures, back.confirm_by) == ({"except": "tv"}, at(2) + timedelta(hours=36))
    assert is_demand(back.key)
    assert not is_demand("case/A1/1/account/bar/1/service.open/undo")


def test_words_of_later_days_are_told_when_they_begin_each_under_its_own_key() -> None:
    entries = [
        demand(1, "fraud", "suspended", from_day=10),
        demand(2, "fraud", "open", from_day=12),
        demand(3, "fraud", "suspended", from_day=14),
    ]
    keys = []
    for day in (10, 12, 14):
        before, after = (position_at(TERMS, entries, at(on)) for on in (day - 1, day))
        keys += [action.key for action in level_news(before, after, (), entries, CONFIRMING)]
    assert [key.removeprefix("demand/A1/account/fraud/") for key in keys] == [
        "1/service.suspended/do", "2/service.open/do", "3/service.suspended/do",
    ]  # fmt: skip
    assert begins_later(entries, date(2026, 3, 10)) == date(2026, 3, 12)
    assert begins_later(entries, date(2026, 3, 14)) is None


def test_a_service_is_under_the_most_severe_of_its_own_and_of_all() -> None:
    demands = [beside("outgoing_barred"), beside("suspended", "tv"), beside("open", "mobile")]
    levels = levels_in_force(demands)
    assert levels == {"": "outgoing_barred", "tv": "suspended", "mobile": "outgoing_barred"}
