"""One broken file a mistake, with the whole message as the expected result."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.credit import load_credit
from engine.source import Severity
from tests.update_expected import BAD, credit_message, texts_of

FOLDERS = sorted(BAD.glob("credit-*"))
GOOD = BAD.parent / "policies_good"
ONLY_WARNED = {
    "amount-without-currency", "bare-threshold", "bin-missing", "cell-never-matches", "crossed-range",
    "reason-language", "row-hidden", "row-hidden-by-several", "row-missing", "row-twice",
    "row-twice-differs", "row-twice-first", "rows-missing",
    "unused-decision", "unused-fact",
}  # fmt: skip


PROMISED = {
    "promise-broken", "promise-broken-by-everybody", "promise-broken-less", "promise-empty",
    "promise-not-proved",
}  # fmt: skip


def test_there_are_broken_policies() -> None:
    assert len(FOLDERS) >= 50


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_mistake_gets_its_message(folder: Path) -> None:
    assert credit_message(folder) == (folder / "expected.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_an_error_leaves_no_policy_and_a_warning_does(folder: Path) -> None:
    loaded = load_credit(texts_of(folder))
    if folder.name.removeprefix("credit-") in PROMISED:
        assert loaded.ok  # whoever shows problems to an author asks for the proof
        return
    assert loaded.problems
    assert loaded.ok is (folder.name.removeprefix("credit-") in ONLY_WARNED)
    assert (loaded.policy is not None) is loaded.ok


@pytest.mark.parametrize("folder", sorted(GOOD.glob("credit-*")), ids=lambda folder: folder.name)
def test_a_good_policy_gets_no_message(folder: Path) -> None:
    loaded = load_credit(texts_of(folder))
    assert loaded.ok
    assert [problem for problem in loaded.problems if problem.severity is not Severity.INFO] == []
