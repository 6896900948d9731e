"""Until when a payment helps, from the account's own ledger; given facts stay as they were given."""

from __future__ import annotations

from api.rest.explaining import explanation
from api.storage.facts import FactGatherer
from api.wiring import Wiring
from engine.credit import Fact, compile_policy, decide
from tests.api.scenes import add_parties, in_arrears, local
from tests.engine.credit.test_nearest_dates import POLICY

AT = local("2026-04-01 10:00")


def would_change(wiring: Wiring, language: str = "en", **given: Fact) -> list[str]:
    with wiring.database.read() as session:
        facts = FactGatherer().facts(session, "C1", "", AT.date(), AT, "CNY")
        ahead = FactGatherer().paid_ahead(session, "C1", "", AT, "CNY")
    read = {name: facts[name] for name in POLICY.facts} | given
    decision = decide(POLICY, read, AT.date())
    found = explanation("d", decision, POLICY, compile_policy(POLICY), "customer", language, ahead)
    return found.would_change


def test_a_payment_is_told_with_the_last_day_on_which_it_helps(wiring: Wiring) -> None:
    """The bill of 18 March is 30 days late in the evening of 17 April."""
    in_arrears(wiring)
    said = (
        "If you pay 168.22 CNY by 16 April 2026, so that your overdue amount is 37.20 CNY or less, "
        "your grade would be A."
    )
    assert would_change(wiring)[0] == said
    assert would_change(wiring, "zh")[0].startswith("如果您最迟于2026年4月16日支付168.22元，")


def test_what_was_given_in_place_of_the_ledger_stays(wiring: Wiring) -> None:
    in_arrears(wiring)
    said = Fact(value=3, as_of=AT.date(), source="an officer")
    plain = "If you pay 168.22 CNY, so that your overdue amount is 37.20 CNY or less, your grade would be A."
    assert would_change(wiring, max_dpd_12m=said)[0] == plain


def test_with_two_accounts_it_is_not_clear_which_would_be_paid(wiring: Wiring) -> None:
    in_arrears(wiring)
    add_parties(wiring, "A2")
    assert would_change(wiring)[0].startswith("If you pay 168.22 CNY, so that")
