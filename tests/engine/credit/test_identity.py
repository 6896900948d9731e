from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from engine.credit import load_credit
from engine.identity import manifest, meaning
from engine.model import digest_bytes
from tests.engine.credit.samples import policy_of
from tests.update_expected import BAD

SMALL = (BAD.parent / "policies_good" / "credit-small" / "policy.yaml").read_text(encoding="utf-8")


def meant(text: str) -> str:
    loaded = load_credit({"policy.yaml": text.encode()})
    assert loaded.policy is not None, loaded.problems
    return meaning(loaded.policy)


def test_the_identity_is_the_digest_of_the_raw_texts() -> None:
    policy = load_credit({"policy.yaml": SMALL.encode(), "notes.txt": b"not named by the policy"}).policy
    assert policy is not None
    line = f"{digest_bytes(SMALL.encode())} policy.yaml\n"
    assert policy.manifest.text.decode() == line
    assert policy.digest == digest_bytes(line.encode())
    assert (policy.manifest.policy, policy.manifest.kind) == ("small", "credit")


def test_a_manifest_does_not_depend_on_the_order_of_its_texts() -> None:
    day = date(2026, 1, 1)
    one = manifest("p", "credit", "1", day, {"a": b"1", "b": b"2"})
    other = manifest("p", "credit", "1", day, {"b": b"2", "a": b"1"})
    assert one.digest == other.digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("policy: small\n", "# a comment\npolicy: small\n"),
        ('version: "1"', 'version: "2"'),
        ("| > 0             | -          || E     |", "|   > 0 | - || E |"),
        ("max(0, limit - overdue_now)", "max( 0,limit - overdue_now )"),
        ("|| 500.00 |", "|| 500.00 |\n      # a comment in a table"),
        ("zh: 小政策", "zh: 另一个名字"),
    ],
)
def test_blanks_comments_and_labels_do_not_change_the_meaning(old: str, new: str) -> None:
    assert old in SMALL
    assert meant(SMALL.replace(old, new)) == meant(SMALL)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("< 120      || B", "< 120      || A"),
        (">= 90", ">= 91"),
        ("|| 500.00 |", "|| 500.01 |"),
        ("min: 0, optional: true", "min: 0"),
        ("{en: 90 days past due", "{en: 91 days past due"),
        ("currency: CNY", "currency: EUR"),
        ("base: 100", "base: 101"),
        ("hit: RULE ORDER", "hit: COLLECT"),
    ],
)
def test_anything_that_can_change_a_decision_changes_the_meaning(old: str, new: str) -> None:
    assert old in SMALL
    assert meant(SMALL.replace(old, new)) != meant(SMALL)


def test_the_meaning_has_no_places_in_it() -> None:
    policy = policy_of("facts: {n: {type: integer}}\ndecisions:\n  a: n + 1\noutcome: {a: a}\n")
    moved = policy_of("\n\nfacts: {n: {type: integer}}\ndecisions:\n\n  a: n + 1\noutcome: {a: a}\n")
    assert meaning(policy) == meaning(moved)
    assert meaning(replace(policy, currency="EUR")) != meaning(policy)
