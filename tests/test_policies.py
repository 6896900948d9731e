"""The shipped policies: no error, no warning, and every case beside them holds."""

import re
from pathlib import Path

import pytest

from api.cli.check_command import check_one
from api.cli.policy_files import PolicyFiles, find_policies
from api.cli.surroundings import calendar_for, law_for
from api.cli.test_command import test_one as run_cases_of
from api.importer import load_mapping
from engine.ladder import load_collections, render_report, run_timelines
from engine.ladder.timeline_sides import Treated
from engine.policy import Loaded
from engine.source import Severity

ROOT = Path(__file__).parents[1]
SHIPPED = find_policies([ROOT / "policies"])
POLICIES = [one for one in SHIPPED if one.root == "policy.yaml"]


def name_of(files: PolicyFiles) -> str:
    return str(files.path.relative_to(ROOT / "policies"))


@pytest.mark.parametrize("files", SHIPPED, ids=name_of)
def test_a_shipped_text_has_no_error_and_no_warning(files: PolicyFiles) -> None:
    assert [p.message for p in check_one(files) if p.severity is not Severity.INFO] == []


@pytest.mark.parametrize("files", POLICIES, ids=name_of)
def test_a_shipped_policy_has_cases_and_they_hold(files: PolicyFiles) -> None:
    assert files.cases is not None
    result = run_cases_of(files)
    assert result.ok, result.text
    assert result.passed >= 5


def test_the_kinds_that_the_first_operator_needs_are_shipped() -> None:
    kinds = {one.what for one in SHIPPED}
    assert kinds >= {"credit", "collections", "law", "calendar", "portfolio"}


@pytest.mark.parametrize("path", sorted((ROOT / "fixtures/mappings").glob("*.yaml")), ids=lambda p: p.name)
def test_a_shipped_mapping_can_be_read(path: Path) -> None:
    loaded = load_mapping(path.read_bytes(), path.name)
    assert loaded.policy is not None, loaded.problems


def test_no_policy_reads_what_may_not_be_read() -> None:
    forbidden = ("SEX", "AGE", "MARRIAGE", "EDUCATION")
    rows = (ROOT / "fixtures/mappings/uci-default.yaml").read_text(encoding="utf-8").split("\nrows:")[1]
    assert [word for word in forbidden if f"{{{word}}}" in rows] == []


def test_the_examples_in_the_readme_of_collections_hold() -> None:
    """Every example of cases in the README is played against the policy beside it."""
    (files,) = find_policies([ROOT / "policies/collections"])
    policy = load_collections(files.texts, files.root).policy
    assert policy is not None
    readme = files.texts["README.md"].decode()
    blocks = [block for block in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL) if "\ncases:" in block]
    assert len(blocks) >= 4
    law, calendar = law_for(files, policy.regulation), calendar_for(files, policy.calendar)
    texts = {name: data.replace(b"currency: CNY", b"currency: USD") for name, data in files.texts.items()}
    texts[files.root] = texts[files.root].replace(b"policy: consumer", b"policy: travel")
    for old, new in (
        (b"overdue >= 20.00", b"overdue >= 3.00"),
        (b"closes: overdue < 5.00", b"closes: overdue < 1.00"),
    ):
        texts[files.root] = texts[files.root].replace(old, new)

    def in_dollars() -> Loaded[Treated]:
        travel = load_collections(texts, files.root).policy
        assert travel is not None
        return Loaded(Treated(travel, law, calendar), ())

    for block in blocks:
        report = run_timelines(
            policy,
            law,
            calendar,
            block.encode(),
            "README.md",
            texts=files.texts,
            beside={"travel-collections": in_dollars},
        )
        assert report.ok, render_report(report)
        assert not report.problems
