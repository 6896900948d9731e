"""A customer who owes in two currencies: two accounts, two policies, two ladders, in one timeline."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pytest

from engine.ladder import CollectionsPolicy, render_report, run_timelines
from engine.ladder.timeline_report import TimelineReport
from engine.ladder.timeline_sides import Neighbours, Treated
from engine.policy import Loaded
from tests.engine.ladder.world import calendar, changed, law, policy, texts_of

YUAN = "on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-25"
DOLLARS = "on: 2026-01-05, bill: U1, amount: 12.00, due: 2026-01-25, currency: USD"
REMINDED = "on: 2026-01-28, reached: reminder"


@cache
def travel(currency: str = "USD") -> CollectionsPolicy:
    return changed(
        "collections",
        name=("policy: consumer-collections", f"policy: travel-{currency.lower()}"),
        currency=("currency: CNY", f"currency: {currency}"),
        opens=("opens: overdue >= 20.00", "opens: overdue >= 3.00"),
        closes=("closes: overdue < 5.00", "closes: overdue < 1.00"),
    )


def beside() -> Neighbours:
    def one(currency: str) -> Loaded[Treated]:
        return Loaded(Treated(travel(currency), law(), calendar()), ())

    return {"travel-usd": lambda: one("USD"), "travel-jpy": lambda: one("JPY")}


def run(
    history: list[str], expect: list[str], more: str = "", currencies: str = "{USD: travel-usd}",
    named: Mapping[str, str] | None = None,
) -> TimelineReport:  # fmt: skip
    lines = ["policy: consumer-collections", "cases:", "  - case: One"]
    lines[1:1] = [f"currencies: {currencies}"] if currencies else []
    lines += [f"    {more}"] if more else []
    lines += ["    history:", *(f"      - {{{line}}}" for line in history)]
    lines += ["    expect:", *(f"      - {{{line}}}" for line in expect)]
    texts = texts_of("collections")
    texts["usd.yaml"] = texts["policy.yaml"].replace(b": CNY", b": USD").replace(b": consumer-c", b": usd-c")
    texts["no-law.yaml"] = texts["usd.yaml"].replace(b"regulation: cn-telecom", b"regulation: none")
    texts["same.yaml"] = texts["policy.yaml"].replace(b"currency: CNY", b"currency: USD")
    text = "\n".join(lines).encode()
    return run_timelines(
        policy(), law(), calendar(), text, "cases.yaml", texts=texts, beside=beside(), named=named
    )


@pytest.mark.parametrize("currencies", ["{USD: travel-usd}", "{USD: usd.yaml}"])
def test_each_currency_has_its_own_ladder_amounts_and_case(currencies: str) -> None:
    report = run(
        [YUAN, DOLLARS.replace("12.00", "60.00"), "on: 2026-02-15, payment: 60.00, currency: USD"],
        [
            'on: 2026-01-28, do: ["reminder notify(sms, reminder) 300.00"], wake: 2026-02-14, overdue: 300',
            "on: 2026-01-28, currency: USD, do: nothing, open: true, wake: 2026-01-29, overdue: 60",
            'on: 2026-01-29, currency: USD, do: ["reminder notify(sms, reminder) 60.00"]',
            "on: 2026-02-16, currency: USD, ended: cured, ledger: {open: 0}",
            "on: 2026-02-25, currency: CNY, level: outgoing_barred, ledger: {open: 300.00}",
        ],
        currencies=currencies,
    )
    assert report.ok, render_report(report)


def test_what_opens_and_closes_a_case_is_stated_for_each_currency() -> None:
    """12.00 is less than 20.00 yuan, and more than 3.00 dollars; 4.00 closes in one and not in the other."""
    report = run(
        [YUAN.replace("300.00", "12.00"), DOLLARS, "on: 2026-02-02, payment: 8.00, currency: USD"],
        [
            "on: 2026-01-29, open: false, overdue: 12.00",
            "on: 2026-01-29, currency: USD, open: true, overdue: 12.00",
            "on: 2026-02-02, currency: USD, open: true, overdue: 4.00",
        ],
    )
    assert report.ok, render_report(report)


def test_caps_count_the_contacts_of_both_accounts() -> None:
    told = 'on: 2026-01-28, at: "08:30", contact: sms, currency: USD'
    report = run(
        [YUAN, DOLLARS, told], ["on: 2026-01-28, do: nothing, says: cap", "on: 2026-01-29, reached: reminder"]
    )
    assert report.ok, render_report(report)


def test_a_fact_is_of_the_customer_unless_it_names_a_currency() -> None:
    fact = "on: 2026-01-06, fact: exempt, value: true"
    both = run(
        [YUAN, DOLLARS, fact], ["on: 2026-01-29, ladder: none", "on: 2026-01-29, currency: USD, ladder: none"]
    )
    assert both.ok, render_report(both)
    one = run(
        [YUAN, DOLLARS, f"{fact}, currency: USD"],
        ["on: 2026-01-29, ladder: standard", "on: 2026-01-29, currency: USD, ladder: none, do: nothing"],
    )
    assert one.ok, render_report(one)


def test_receipts_and_acts_are_of_one_account() -> None:
    report = run(
        [
            YUAN, DOLLARS, "on: 2026-02-01, stop: all, by: anna, reason: court, currency: USD",
            'on: 2026-01-28, at: "10:00", receipt: "reminder notify(sms, reminder)", status: failed',
        ],
        [
            "on: 2026-01-28, reached: nothing",
            "on: 2026-02-20, since: 2026-02-02, currency: USD, do: nothing, says: stopped",
        ],
        "receipts: explicit",
    )  # fmt: skip
    assert report.ok, render_report(report)


def test_what_failed_is_told_with_its_currency() -> None:
    report = run([YUAN, DOLLARS], ["on: 2026-01-30, currency: USD, overdue: 300.00", REMINDED])
    (result,) = report.failed
    (wrong,) = result.mismatches
    assert wrong.told == "2026-01-30 USD: overdue: expected 300.00, got 12.00"
    assert "USD: bill U1, amount 12.00, due 2026-01-25" in [text for _, text in result.story]


@pytest.mark.parametrize(
    ("currencies", "code"),
    [
        ("{CNY: travel-usd}", "own-currency"), ("{EUR: travel-usd}", "other-currency"),
        ("{USX: travel-usd}", "not-a-currency"), ("{USD: travel-us}", "unknown-policy"),
        ("{USD: same.yaml}", "same-name"), ("{USD: no-law.yaml}", "other-law"), ("travel-usd", "not-a-map"),
    ],
)  # fmt: skip
def test_the_policy_of_a_currency_has_to_state_amounts_in_it(currencies: str, code: str) -> None:
    assert [problem.code for problem in run([YUAN], [REMINDED], currencies=currencies).problems] == [code]


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("on: 2026-01-05, bill: E1, amount: 3.00, due: 2026-01-25, currency: EUR", ["no-amounts-in"]),
        ("on: 2026-01-05, bill: E1, amount: 3.00, due: 2026-01-25, currency: usd", ["not-a-currency"]),
        ("on: 2026-01-05, bill: E1, amount: 3.00 USD, due: 2026-01-25", ["not-a-number"]),
        ("on: 2026-01-27, dispute: D1, bill: U1, amount: 3.00", ["other-currency"]),
        ("on: 2026-01-27, payment: 3.00, pays: {U1: 3.00}", ["unknown-bill"]),
        ("on: 2026-01-27, policy: usd.yaml", ["other-currency", "unknown-policy"]),
    ],
)
def test_a_line_in_a_currency_that_cannot_be_meant_is_told(line: str, codes: list[str]) -> None:
    report = run([YUAN, DOLLARS, line], [REMINDED])
    assert sorted({problem.code for problem in report.problems}) == codes


def test_an_amount_has_the_decimals_of_its_currency() -> None:
    line = "on: 2026-01-05, bill: J1, amount: 3.50, due: 2026-01-25, currency: JPY"
    report = run([YUAN, line], [REMINDED], currencies="{JPY: travel-jpy}")
    assert [problem.code for problem in report.problems] == ["finer-than-currency"]


@pytest.mark.parametrize(
    ("line", "expect"), [(YUAN, f"{REMINDED}, currency: USD"), (DOLLARS, "on: 2026-01-28, do: nothing")]
)
def test_an_expectation_of_an_account_of_which_nothing_is_said_is_told(line: str, expect: str) -> None:
    assert [problem.code for problem in run([line], [expect]).problems] == ["nothing-in-currency"]


def test_without_a_policy_for_it_a_currency_is_refused() -> None:
    case = f"  - case: One\n    history: [{{{DOLLARS}}}]\n    expect: [{{{REMINDED}}}]\n"
    text = f"policy: consumer-collections\ncases:\n{case}"
    report = run_timelines(policy(), law(), calendar(), text.encode(), "cases.yaml")
    (problem,) = report.problems
    assert (problem.code, problem.span.line) == ("no-amounts-in", 4)
    assert "`currencies: {USD: ...}`" in problem.advice


PORTFOLIO = {"CNY": "consumer-collections", "USD": "travel-usd", "EUR": "travel-usd", "JPY": "travel-gone"}


def test_a_further_currency_takes_its_policy_from_the_portfolio() -> None:
    report = run(
        [YUAN, DOLLARS], ["on: 2026-01-29, currency: USD, open: true, overdue: 12.00", REMINDED],
        currencies="", named=PORTFOLIO,
    )  # fmt: skip
    assert report.ok, render_report(report)


def test_what_the_cases_name_wins_over_the_portfolio() -> None:
    """By `usd.yaml` a case opens at 20.00 dollars; the portfolio's text opens one at 3.00."""
    report = run(
        [YUAN, DOLLARS], ["on: 2026-01-29, currency: USD, open: false", REMINDED],
        currencies="{USD: usd.yaml}", named=PORTFOLIO,
    )  # fmt: skip
    assert report.ok, render_report(report)


def test_a_portfolio_without_a_line_for_the_currency_leaves_the_cases_as_they_are() -> None:
    report = run([YUAN, DOLLARS], [REMINDED], currencies="", named={"CNY": "consumer-collections"})
    assert [problem.code for problem in report.problems] == ["no-amounts-in"]
    report = run([YUAN], [REMINDED], currencies="", named=PORTFOLIO)
    assert report.ok, render_report(report)


@pytest.mark.parametrize(("code", "told"), [("EUR", "other-currency"), ("JPY", "unknown-policy")])
def test_a_portfolio_that_does_not_fit_is_told_at_the_line(code: str, told: str) -> None:
    line = f"on: 2026-01-05, bill: U1, amount: 3, due: 2026-01-25, currency: {code}"
    report = run([YUAN, line], [REMINDED], currencies="", named=PORTFOLIO)
    (problem,) = report.problems
    assert (problem.code, problem.span.line) == (told, 6)
    assert f"the portfolio names `{PORTFOLIO[code]}` for {code}" in problem.message + problem.advice
