"""The shipped rule base: each rule has a case that raises it, says why in two languages, fits the ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from engine.watch import WatchEvent, WatchPolicy, admit, load_watch
from engine.watch.from_ledger import LEDGER_EVENTS
from engine.watch.routing import given, restricted

ROOT = Path(__file__).parents[3] / "policies"
NAMES = sorted(path.parent.name for path in ROOT.glob("*-watch/policy.yaml"))
PATTERNS = {
    "document-used-for-new-accounts", "identity-changed-then-spike", "new-account-high-usage",
    "three-returned-payments", "moved-without-settling", "dealer-early-defaults",
    "recharge-and-refund-loop",
}  # fmt: skip


def shipped(name: str) -> WatchPolicy:
    policy = load_watch({"policy.yaml": (ROOT / name / "policy.yaml").read_bytes()}).policy
    assert policy is not None
    return policy


def test_every_pattern_that_operators_asked_for_is_there() -> None:
    assert {rule.name for name in NAMES for rule in shipped(name).rules} >= PATTERNS


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_says_why_in_both_languages(name: str) -> None:
    for rule in shipped(name).rules:
        assert set(rule.reason) == {"en", "zh"}, rule.name


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_has_a_case_that_raises_it(name: str) -> None:
    cases = yaml.safe_load((ROOT / name / "cases.yaml").read_text())["cases"]
    raised = {found["rule"] for case in cases if case["expect"] != "none" for found in case["expect"]}
    assert raised == {rule.name for rule in shipped(name).rules}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("knows", ["all", "little"])
def test_what_the_ledger_reports_fits(name: str, knows: str) -> None:
    """Of an account nobody may know the document, of a returned payment nobody the amount."""
    policy = shipped(name)
    unsure = {"document", "device", "dealer", "address"} | ({"amount"} if knows == "little" else set())
    for kind in LEDGER_EVENTS.keys() & policy.types.keys():
        if knows == "little" and kind not in ("account_opened", "payment_returned"):
            continue
        values = {
            what: Decimal("12.50") if what in ("amount", "limit") else "x"
            for what in LEDGER_EVENTS[kind]
            if knows == "all" or what not in unsure
        }
        event = WatchEvent(id="e", type=kind, at=datetime(2026, 3, 1, tzinfo=UTC), values=values)
        admit(policy, restricted(policy, event))
        assert given(policy, kind).keys() <= set(LEDGER_EVENTS[kind])
