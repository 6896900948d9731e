"""What customers read: exact figures, written as their language writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from engine.ladder import load_collections
from engine.ladder.notices import amount_in, day_in, notice_text
from engine.ladder.simulate import show
from engine.ladder.state import Action
from tests.engine.ladder.world import changed, played, policy, texts_of
from tests.engine.ledger.making import entry

FIGURES = {
    "currency": "USD", "overdue": "1300.5", "disputed": "0", "days_past_due": "10", "debts": "B1, B2",
    "last_day": "2026-02-14", "next_date": "2026-02-15", "next_step": "call",
}  # fmt: skip


def notice(language: str, **figures: str) -> Action:
    return Action(
        key="k", do="notify", args=("sms", "reminder"), step="reminder", language=language,
        figures=FIGURES | figures, not_before=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("language", "value", "currency", "text"),
    [
        ("en", "1300.5", "USD", "1,300.50"),
        ("zh", "1234567.8", "CNY", "1,234,567.80"),
        ("de", "1234567.8", "EUR", "1.234.567,80"),
        ("fr", "1234.5", "EUR", "1\u00a0234,50"),
        ("ja", "1234", "JPY", "1,234"),
        ("en", "1.2345", "KWD", "1.2345"),
        ("en", "0", "USD", "0.00"),
        ("en", "1E+3", "USD", "1,000.00"),
        ("en", "-5", "USD", "-5.00"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency_and_loses_none(
    language: str, value: str, currency: str, text: str
) -> None:
    assert amount_in(language, Decimal(value), currency) == text


@pytest.mark.parametrize(
    ("language", "text"), [("en", "5 March 2026"), ("zh", "2026年3月5日"), ("xx", "2026-03-05")]
)
def test_a_day_is_written_as_the_language_writes_it(language: str, text: str) -> None:
    assert day_in(language, date(2026, 3, 5)) == text


def test_a_notice_states_its_figures_in_the_language_of_its_action() -> None:
    assert notice_text(policy("us-collections"), notice("en")) == (
        "USD 1,300.50 is 10 days past due (B1, B2). In dispute and not asked for: USD 0.00.\n"
        "Please pay by 14 February 2026. If nothing is paid, on 15 February 2026 the next step is: a call. "
        "Reply STOP or write to stop@example.com and we send no more messages here.\n"
    )
    assert "请在2026年2月14日前缴纳" in notice_text(policy("us-collections"), notice("zh"))


def test_a_figure_that_there_is_none_of_is_a_dash_and_never_a_brace() -> None:
    text = notice_text(policy("us-collections"), notice("en", last_day="", next_step="", next_date=""))
    assert "Please pay by -." in text
    assert "{" not in text


INTEREST = b"USD {overdue}, late fee {late_fee}, interest {interest}.\n"


def test_a_notice_states_the_interest_that_has_grown_as_an_amount_of_its_language() -> None:
    texts = dict(texts_of("us-collections")) | {"templates/reminder.en.txt": INTEREST}
    found = load_collections(texts, "policy.yaml")
    assert [p.message for p in found.problems if "interest" in p.message] == []
    assert found.policy is not None
    text = notice_text(found.policy, notice("en", late_fee="3.1", interest="1234.5"))
    assert text == "USD 1,300.50, late fee 3.10, interest 1,234.50.\n"
    assert "interest -." in notice_text(found.policy, notice("en"))  # no `interest` in this policy


def test_what_is_no_notice_has_no_text() -> None:
    action = notice("en").model_copy(update={"do": "task", "args": ("review",)})
    assert notice_text(policy("us-collections"), action) == ""
    unknown = notice("en").model_copy(update={"args": ("sms", "nothing")})
    assert notice_text(policy("us-collections"), unknown) == ""


def test_a_notice_is_sent_again_at_the_age_of_each_bill_and_nothing_waits_for_it_later() -> None:
    bills = [
        entry("bill", "2025-03-01", id="B0", due="2025-03-21", amount="49.00"),
        entry("bill", "2025-03-31", id="B1", due="2025-04-20", amount="49.00"),
        entry("bill", "2025-04-30", id="B2", due="2025-05-20", amount="60.00"),
    ]  # B1 alone, which the first final notice named, is too little to end a contract for
    paid = entry("payment", "2025-06-10", amount="49.00", pays=[{"bill": "B0", "amount": "49.00"}])
    lasting = changed(valid=("valid: P90D", "valid: P9999D"))
    found = played([*bills, paid], date(2025, 9, 30), lasting)
    later = [f"{look.at:%m-%d} {show(a)}" for look in found.looks for a in look.step.actions]
    told = [line for line in later if "notice" in line or "terminate service" in line]
    assert told[1:] == [
        "06-09 final_notice/2 notify(letter, final_notice)",
        "09-03 terminate service(terminated)",
    ]
