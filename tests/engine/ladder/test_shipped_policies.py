"""The shipped collections policies: read without a word, lawful, and every dated case of theirs true."""

from __future__ import annotations

import pytest

from engine.identity import meaning
from engine.ladder import check_law, load_collections, render_report, run_timelines
from engine.ladder.timeline_report import TimelineReport
from engine.source import render_problem
from tests.engine.ladder.world import calendar, law, policy, texts_of

SHIPPED = [
    ("collections", "cn-telecom", "CN", 40),
    ("collections-by-invoice", "cn-telecom", "CN", 9),
    ("uci-card-collections", "none", "TW", 5),
    ("us-collections", "us-reg-f", "US", 19),
]


def report_of(folder: str, regulation: str, region: str) -> TimelineReport:
    """Return what came of a folder's cases."""
    texts = texts_of(folder)
    return run_timelines(
        policy(folder), law(regulation), calendar(region), texts["cases.yaml"], "cases.yaml", texts=texts
    )


@pytest.mark.parametrize(("folder", "regulation", "region", "least"), SHIPPED)
def test_every_dated_case_goes_as_stated(folder: str, regulation: str, region: str, least: int) -> None:
    report = report_of(folder, regulation, region)
    assert report.ok, render_report(report)
    assert len(report.results) >= least


@pytest.mark.parametrize(("folder", "regulation", "region", "least"), SHIPPED)
def test_the_policy_is_read_without_a_word_and_keeps_its_law(
    folder: str, regulation: str, region: str, least: int
) -> None:
    texts = texts_of(folder)
    loaded = load_collections(texts)
    sources = {path: data.decode() for path, data in texts.items()}
    assert [render_problem(problem, sources) for problem in loaded.problems] == []
    assert loaded.policy is not None
    assert loaded.policy.regulation == regulation
    assert loaded.policy.calendar == region
    codes = [problem.code for problem in check_law(loaded.policy, law(regulation))]
    assert codes == (["no-law"] if regulation == "none" else [])


@pytest.mark.parametrize("folder", [folder for folder, *_ in SHIPPED])
def test_notices_speak_english_and_chinese_with_the_same_figures(folder: str) -> None:
    for name, languages in policy(folder).templates.items():
        assert set(languages) == {"en", "zh"}, name


def test_the_identity_is_that_of_the_bytes_and_the_meaning_is_not() -> None:
    texts = texts_of("collections")
    commented = load_collections(texts | {"policy.yaml": texts["policy.yaml"] + b"# a word\n"}).policy
    reworded = load_collections(texts | {"templates/reminder.en.txt": b"Pay {overdue}.\n"}).policy
    assert commented is not None
    assert reworded is not None
    assert commented.digest != policy().digest != reworded.digest
    assert meaning(commented) == meaning(policy()) != meaning(reworded)


def test_cases_and_readme_are_no_part_of_the_identity() -> None:
    assert set(policy().manifest.texts) == {
        "policy.yaml", *(path for path in texts_of("collections") if path.startswith("templates/"))
    }  # fmt: skip
