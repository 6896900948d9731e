from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from engine.text import MapNode, Node, Period, Reader, did_you_mean, read_yaml, suggest


def node_of(text: str) -> Node:
    loaded = read_yaml(f"a: {text}".encode(), "p.yaml")
    assert isinstance(loaded.policy, MapNode), loaded.problems
    node = loaded.policy.get("a")
    assert node is not None
    return node


Read = Callable[[Reader, Node, str], object]


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (Reader.integer, "90", 90), (Reader.integer, "-3", -3), (Reader.integer, "'7'", 7),
        (Reader.decimal, "0.003", Decimal("0.003")), (Reader.decimal, "1250", Decimal(1250)),
        (Reader.date, "2024-02-29", date(2024, 2, 29)), (Reader.boolean, "true", True),
        (Reader.period, "P3M", Period(3)), (Reader.period, "P1Y6M", Period(18)),
        (Reader.period, "P2W", Period(0, 14)),
        (Reader.name, "max_dpd_12m", "max_dpd_12m"), (Reader.slug, "consumer-credit", "consumer-credit"),
        (Reader.localized, "{en: x, zh: 好}", {"en": "x", "zh": "好"}), (Reader.localized, "x", {"en": "x"}),
    ],
)  # fmt: skip
def test_a_value_is_read_as_its_kind(read: Read, text: str, value: object) -> None:
    reader = Reader()
    assert read(reader, node_of(text), "it") == value
    assert reader.problems == []


@pytest.mark.parametrize(
    ("read", "text", "code"),
    [
        (Reader.integer, "90.0", "not-a-whole-number"), (Reader.integer, "1e3", "not-a-whole-number"),
        (Reader.integer, "1_000", "not-a-whole-number"), (Reader.integer, "٣", "not-a-whole-number"),
        (Reader.decimal, "1e-3", "not-a-number"), (Reader.decimal, "1,5", "not-a-number"),
        (Reader.decimal, ".5", "not-a-number"), (Reader.decimal, "NaN", "not-a-number"),
        (Reader.decimal, "1" * 35, "too-many-digits"), (Reader.date, "2026-02-30", "no-such-day"),
        (Reader.date, "01.02.2026", "not-a-date"), (Reader.date, "2026-1-1", "not-a-date"),
        (Reader.boolean, "yes", "not-a-boolean"), (Reader.boolean, "'true'", "not-a-boolean"),
        (Reader.period, "3 months", "not-a-period"), (Reader.period, "P", "not-a-period"),
        (Reader.period, "PT3H", "not-a-period"), (Reader.text, "", "empty"),
        (Reader.text, "[a]", "not-a-text"),
        (Reader.name, "a-b", "not-a-name"), (Reader.slug, "Consumer Credit", "not-a-name"),
        (Reader.localized, "{english: x}", "not-a-language"), (Reader.items, "x", "not-a-list"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_a_problem(read: Read, text: str, code: str) -> None:
    reader = Reader()
    read(reader, node_of(text), "it")
    assert [problem.code for problem in reader.problems] == [code]


def test_unknown_and_missing_keys_are_both_named() -> None:
    reader = Reader()
    node = node_of("{hit: UNIQUE, row: x}")
    found = reader.fields(node, "table `grade`", ["table"], ["hit", "file"])
    assert found is not None
    assert list(found) == ["hit"]
    assert [(p.code, p.advice) for p in reader.problems] == [
        ("unknown-key", "keys here: `file`, `hit`, `table`"), ("missing-key", "add `table: ...`"),
    ]  # fmt: skip


def test_a_misspelt_key_is_told_once() -> None:
    reader = Reader()
    reader.fields(node_of("{hit: UNIQUE, tabel: x}"), "table `grade`", ["table"], ["hit", "file"])
    assert [(p.code, p.advice) for p in reader.problems] == [("unknown-key", "did you mean `table`?")]


def test_bounds_are_held() -> None:
    reader = Reader()
    assert reader.integer(node_of("5"), "it", 0, 10) == 5
    assert reader.integer(node_of("-1"), "it", 0) is None
    assert reader.decimal(node_of("1.1"), "it", None, 1) is None
    assert [problem.code for problem in reader.problems] == ["too-small", "too-large"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("tenure_month", "tenure_months"),
        ("Segment", "segment"),
        ("max-dpd", "max_dpd"),
        ("xyz", None),
        ("a" * 99, None),
    ],
)
def test_the_nearest_word_is_suggested(word: str, meant: str | None) -> None:
    assert suggest(word, ["tenure_months", "segment", "max_dpd"]) == meant


def test_without_a_near_word_the_known_ones_are_told() -> None:
    assert did_you_mean("xyz", ["b", "a"], of="facts") == "facts: `a`, `b`"
    assert did_you_mean("xyz", []) == ""


@pytest.mark.parametrize(
    ("period", "day", "later"),
    [
        ("P3M", date(2026, 8, 20), date(2026, 11, 20)), ("P1M", date(2026, 1, 31), date(2026, 2, 28)),
        ("P1M", date(2024, 1, 31), date(2024, 2, 29)), ("P7D", date(2026, 12, 29), date(2027, 1, 5)),
        ("P1Y1D", date(2024, 2, 29), date(2025, 3, 1)), ("P9999Y", date(2026, 1, 1), date.max),
        ("P999999D", date(9000, 1, 1), date.max),
    ],
)  # fmt: skip
def test_a_period_moves_a_day_by_the_calendar(period: str, day: date, later: date) -> None:
    parsed = Period.parse(period)
    assert parsed is not None
    assert parsed.after(day) == later


def test_a_period_moves_back_and_stops_at_the_beginning_of_the_calendar() -> None:
    assert Period(3).before(date(2026, 5, 31)) == date(2026, 2, 28)
    assert Period(12 * 9999).before(date(2026, 5, 31)) == date.min
    assert str(Period(18, 3)) == "P1Y6M3D"
    assert str(Period()) == "P0D"
