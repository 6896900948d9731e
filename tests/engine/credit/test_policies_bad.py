"""One broken file a mistake, with the whole message as the expected result."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.credit import load_credit
from engine.source import Severity
from tests.update_expected import BAD, credit_message, texts_of

FOLDERS = sorted(BAD.glob("credit-*"))
GOOD = BAD.parent / "policies_good"
ONLY_WARNED = {
    "amount-without-currency", "answer-idle", "bare-threshold", "bin-missing", "cell-never-matches",
    "crossed-range",
    "reason-language", "row-hidden", "row-hidden-by-several", "row-missing", "row-twice",
    "row-twice-differs", "row-twice-first", "rows-missing",
    "table-not-analysed", "unused-decision", "unused-fact", "unused-reason",
    "money-of-number", "threshold-between-amounts", "units-doubtful",
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
    if folder.name.removeprefix("credit-") in {*PROMISED, "shadows-of-first"}:
        assert loaded.ok  # whoever shows problems to an author asks for the proof, and for the shadows
        return
    assert loaded.problems
    assert loaded.ok is (folder.name.removeprefix("credit-") in ONLY_WARNED)
    assert (loaded.policy is not None) is loaded.ok


@pytest.mark.parametrize("folder", sorted(GOOD.glob("credit-*")), ids=lambda folder: folder.name)
def test_a_good_policy_gets_no_message(folder: Path) -> None:
    loaded = load_credit(texts_of(folder))
    assert loaded.ok
    assert [problem for problem in loaded.problems if problem.severity is not Severity.INFO] == []


ROOMS = (
    "engine/credit", "engine/ladder", "engine/text", "engine/watch", "engine/feel/inference.py",
    "engine/feel/parser.py",
)  # fmt: skip
CASES, DMN = "tests/engine/credit/test_cases.py", "tests/engine/credit/test_dmn.py"
GRAPH = "tests/engine/ladder/test_graph.py"
CURRENCIES = "tests/engine/ladder/test_timeline_currencies.py"
BACKSTOPS = {"goes-in-circles"}
"""What no text that passes the other checks is known to reach."""
SHOWN_ELSEWHERE = {
    "cases-columns": "tests/engine/credit/test_coverage.py", "duplicate-case": CASES, "fact-refused": CASES,
    "other-policy": CASES, "nothing-expected": CASES, "unknown-base": CASES, "dmn-empty": DMN,
    "dmn-not-carried": DMN, "dmn-kept-aside": DMN, "dmn-currency": DMN, "dmn-left-out": DMN,
    "too-large": "tests/engine/text/test_reading.py",
    "row-undecided": "tests/engine/credit/test_check.py",  # hundreds of rows, made there
    "file-too-large": "tests/engine/text/test_yaml.py",
    "table-too-large": "tests/engine/credit/test_hostile.py",
    "adoption-changes-case": "tests/engine/ladder/test_adopting.py",  # two texts
    "step-removed": "tests/engine/ladder/test_adopting.py",
    "not-decided": GRAPH, "never-a-day": GRAPH,  # a calendar without a working day
    "no-law": "tests/engine/ladder/test_shipped_policies.py", "other-law": "tests/engine/ladder/test_law.py",
    "no-amounts-in": CURRENCIES, "same-name": CURRENCIES, "own-currency": CURRENCIES,
    "nothing-in-currency": CURRENCIES,
    "no-cases": "tests/api/cli/test_test_command.py", "no-offset": "tests/engine/watch/test_cases.py",
}  # fmt: skip
NOTED_BY = {"error", "warn", "warning", "Problem", "problem"}
CODE = re.compile(r"[a-z]+(?:-[a-z0-9]+)*")


def codes_in(path: Path) -> Iterator[str]:
    """Yield every code that a source file notes a problem with."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(
                func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.Constant(value=str(code)), *_]
            ) if name in NOTED_BY and CODE.fullmatch(code):
                yield code


def test_every_kind_of_mistake_has_a_broken_policy() -> None:
    root = BAD.parents[1]
    files = [
        f for room in ROOMS for f in ([root / room] if room.endswith(".py") else (root / room).glob("*.py"))
    ]
    noted = {code for file in files for code in codes_in(file)}
    texts = [path.read_text(encoding="utf-8") for path in BAD.glob("*/expected.txt")]
    shown = {code for text in texts for code in re.findall(r"^\w+\[([a-z0-9-]+)\]", text, re.M)}
    assert len(noted) >= 230
    assert noted - shown - SHOWN_ELSEWHERE.keys() == BACKSTOPS
    assert SHOWN_ELSEWHERE.keys() <= noted  # nothing is excused that is not there
    for code, test in SHOWN_ELSEWHERE.items():
        assert f'"{code}"' in (root / test).read_text(encoding="utf-8"), f"{code} is not in {test}"
