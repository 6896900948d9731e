"""Versions of one policy side by side."""

from __future__ import annotations

import pytest

from engine.effect import Version, version_of, version_problems
from engine.source import Severity
from engine.text import read_yaml


def version(file: str, start: str, end: str = "", name: str = "p", kind: str = "credit") -> Version:
    to = f", to: {end}" if end else ""
    text = f"policy: {name}\nkind: {kind}\neffective: {{from: {start}{to}}}\n"
    found = version_of(read_yaml(text.encode(), file).policy)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (("2026-01-01", ""), ("2027-01-01", ""), None),
        (("2026-01-01", "2026-12-31"), ("2027-01-01", ""), None),
        (("2026-01-01", "2027-01-01"), ("2027-01-01", ""), "versions-overlap"),
        (("2026-01-01", "2026-12-30"), ("2027-01-01", ""), "versions-hole"),
        (("2026-01-01", ""), ("2026-01-01", "2026-12-31"), "versions-collide"),
    ],
)
def test_two_versions(first: tuple[str, str], second: tuple[str, str], code: str | None) -> None:
    found = list(version_problems([version("b.yaml", *second), version("a.yaml", *first)]))
    assert [problem.code for problem in found] == ([code] if code else [])
    for problem in found:
        assert problem.related[0][1].file != problem.span.file
        assert (problem.severity is Severity.ERROR) is (code == "versions-collide")


def test_other_policies_do_not_matter() -> None:
    some = [
        version("a", "2026-01-01"),
        version("b", "2026-01-01", name="q"),
        version("c", "2026-01-01", kind="watch"),
    ]
    assert list(version_problems(some)) == []


@pytest.mark.parametrize(
    "text", ["a: 1", "- a", "policy: p\nkind: credit\neffective: {from: soon}", "policy: p"]
)
def test_what_says_no_date_is_no_version(text: str) -> None:
    assert version_of(read_yaml(text.encode(), "f").policy) is None
