"""The officer's manual: every text in it is read, checked and, where it says what comes out, tried."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.credit import load_credit
from engine.credit.cases import run_cases
from engine.credit.check_promises import promise_problems
from engine.credit.facts_from_yaml import _KEYS
from engine.credit.from_yaml import _OPTIONAL, _REQUIRED
from engine.credit.model import FactKind, HitPolicy
from engine.ladder import (
    check_days,
    check_graph,
    check_law,
    load_collections,
    no_law,
    render_report,
    run_timelines,
)
from engine.ladder import from_yaml as collections_words
from engine.source import Severity, render_problem
from engine.workdays import no_calendar
from tests.engine.ladder.world import calendar
from tests.engine.schemas.test_json_schema import TEXTS, mistakes

ROOT = Path(__file__).parents[1]
CREDIT = (ROOT / "policies/CREDIT.md").read_text(encoding="utf-8")
UNUSED = {"unused-fact", "unused-decision", "unused-reason"}
"""What a part of a policy that stands alone may be told."""
_SECTION = re.compile(r"^(\w+):(.*(?:\n(?:[ #].*|(?=\n)))*)", re.M)
_ENTRY = re.compile(r"^  (\w+):.*(?:\n(?:   .*|(?=\n)))*", re.M)


def blocks(text: str) -> Iterator[str]:
    yield from (found[1] for found in re.finditer(r"^```yaml\n(.*?)^```$", text, re.M | re.S))


def sections(text: str) -> dict[str, str]:
    return {found[1]: found[0].rstrip() for found in _SECTION.finditer(text)}


def joined(whole: str, part: str) -> str:
    """Return a policy with a part put into it: whole sections, or entries of one on lines of their own."""
    found = sections(whole)
    for name, text in sections(part).items():
        old, new = ({e[1]: e[0].rstrip() for e in _ENTRY.finditer(t)} for t in (found.get(name, ""), text))
        listed = name in ("facts", "decisions", "reasons") and old and new
        found[name] = "\n".join([f"{name}:", *(old | new).values()]) if listed else text
    return "\n".join(found.values()) + "\n"


WHOLE, *PARTS = blocks(CREDIT)
CASES = [part for part in PARTS if "\ncases:\n" in part]
FRAGMENTS = [part for part in PARTS if part not in CASES]


def told(text: str) -> list[str]:
    texts = {"policy.yaml": text.encode()}
    loaded = load_credit(texts)
    problems = [*loaded.problems, *(promise_problems(loaded.policy) if loaded.policy else ())]
    kept = [p for p in problems if p.severity is not Severity.INFO and p.code not in UNUSED]
    return [render_problem(problem, {"policy.yaml": text}) for problem in kept]


def test_the_policy_of_the_manual_is_a_policy() -> None:
    assert load_credit({"policy.yaml": WHOLE.encode()}).problems == ()


@pytest.mark.parametrize("part", FRAGMENTS, ids=[part.split("\n")[1].strip()[:30] for part in FRAGMENTS])
def test_each_part_fits_into_it(part: str) -> None:
    assert told(joined(WHOLE, part)) == []


def test_the_cases_of_the_manual_hold() -> None:
    policy = load_credit({"policy.yaml": WHOLE.encode()}).policy
    assert policy is not None
    for part in CASES:
        report = run_cases(policy, part.encode(), "cases.yaml")
        assert report.passed, report.failed


def test_the_manual_shows_every_word_that_a_policy_knows() -> None:
    words = {*_KEYS, *_OPTIONAL, *_REQUIRED, *map(str, FactKind), *map(str, HitPolicy)}
    assert {word for word in words if word not in CREDIT} == set()


LADDERS = (ROOT / "policies/COLLECTIONS.md").read_text(encoding="utf-8")
LADDER, *LADDER_PARTS = blocks(LADDERS)
TIMELINES = [part for part in LADDER_PARTS if "\ncases:\n" in part]
SECTIONS = [part for part in LADDER_PARTS if part not in TIMELINES]


def collections_texts(text: str) -> dict[str, bytes]:
    """Return a collections policy with the texts of notices that the manual shows."""
    notices = re.findall(r"^```text\n(.*?)^```$", LADDERS, re.M | re.S)
    named = dict(zip(("reminder", "final_notice"), notices, strict=True))
    return {"policy.yaml": text.encode()} | {f"templates/{n}.en.txt": t.encode() for n, t in named.items()}


def ladder_problems(text: str) -> list[str]:
    loaded = load_collections(collections_texts(text))
    assert loaded.policy is not None, [render_problem(p, {"policy.yaml": text}) for p in loaded.problems]
    problems = [*loaded.problems, *check_law(loaded.policy, no_law()), *check_graph(loaded.policy)]
    problems += check_days(loaded.policy, no_law(), calendar("CN"))
    return [render_problem(p, {"policy.yaml": text}) for p in problems if p.severity is not Severity.INFO]


@pytest.mark.parametrize("part", ["", *SECTIONS], ids=[p.split("\n")[0][:30] for p in ("whole", *SECTIONS)])
def test_each_part_of_a_collections_policy_fits(part: str) -> None:
    whole = sections(LADDER) | sections(part)
    if "\n  disaster:" not in part:  # what stops in a hold needs the hold
        assert "stops_in" not in part
    assert ladder_problems("\n".join(whole.values()) + "\n") == []


def test_the_histories_of_the_manual_go_as_it_says() -> None:
    texts = collections_texts(LADDER)
    policy = load_collections(texts).policy
    assert policy is not None
    assert len(TIMELINES) == 1
    report = run_timelines(policy, no_law(), no_calendar(), TIMELINES[0].encode(), "cases.yaml", texts=texts)
    assert report.ok, render_report(report)
    assert not report.problems


def test_the_manual_shows_every_section_of_a_collections_policy() -> None:
    words = {*collections_words._REQUIRED, *collections_words._OPTIONAL}
    assert {word for word in words if f"{word}:" not in LADDERS} == set()


def test_an_editor_finds_nothing_wrong_in_what_the_manual_shows() -> None:
    """The published schemas take every text of the manual, alone or put into the policy it speaks of."""
    for part in ("", *FRAGMENTS):
        assert mistakes(joined(WHOLE, part).encode(), TEXTS["policy"]) == []
    for part in ("", *SECTIONS):
        text = "\n".join((sections(LADDER) | sections(part)).values()) + "\n"
        assert mistakes(text.encode(), TEXTS["policy"]) == []
    for part in (*CASES, *TIMELINES):
        assert mistakes(part.encode(), TEXTS["cases"]) == []
