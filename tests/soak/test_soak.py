"""The soak's own parts: it can be taken up again, it can fail, and its last result stands in a file."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.soak.fuzzing import TARGETS, Fuzzed, read_fuzzed
from tests.soak.playing import POSTGRESQL, SQLITE, drawn
from tests.soak.scenario import ROOT, SHORT, scenario
from tests.soak.state import RESULT, Round, State, kept_at, line_of, result_of

WHOLE = Round(0, 1000, "sqlite", {"service, write": 2, "temporal, from outside": 1}, 34, 2, 60.0)
PLANTED = {"drop": 7, "double": 3}
FAILING = """
from hypothesis import given, strategies as st

@given(st.binary())
def test_no_byte_is_zero(data):
    assert b"\\0" not in data

def test_that_is_no_property():
    raise AssertionError
"""


def test_a_soak_is_taken_up_where_it_was_ended(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    state = State(1, [WHOLE, replace(WHOLE, number=1)], PLANTED)
    state.write(path)
    assert State.read(path, 1) == state
    assert State.read(path, 1).kills == 6
    assert State.read(path, 2) == State(2)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (State(1, [replace(WHOLE, found=["effects: x is lost"])], PLANTED), "effects: x is lost"),
        (State(1, [WHOLE], {"drop": 0}), "the planted defect `drop` was not found"),
    ],
)
def test_what_was_found_fails_the_soak(tmp_path: Path, state: State, says: str) -> None:
    result = result_of(state, tmp_path / "none.json", ROOT)
    assert result["passed"] is False
    assert says in result["failures"][0]
    assert "FAILED with 1 findings" in result["line"]


def test_without_findings_it_passes(tmp_path: Path) -> None:
    result = result_of(State(1, [WHOLE], PLANTED), tmp_path / "none.json", ROOT)
    assert result["passed"] is True
    assert (result["kills"], result["effects_compared"], result["messages_told_again"]) == (3, 34, 2)


def test_a_result_keeps_the_lines_of_those_before_it(tmp_path: Path) -> None:
    path = tmp_path / "RESULT.json"
    for line in ("one", "two", "three"):
        kept_at(path, {"line": line})
    assert json.loads(path.read_text(encoding="utf-8")) == {"line": "three", "earlier": ["two", "one"]}


def fuzz(folder: Path, seed: int) -> int:
    options = ["--soak-seconds", "0", "--soak-seed", str(seed), "--soak-file", str(folder / "fuzz.json")]
    plain = ["-p", "tests.soak.fuzzing", "-p", "no:cacheprovider", "-q", "-o", "filterwarnings="]
    command = [sys.executable, "-m", "pytest", *plain, *options, str(folder / "test_failing.py")]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode


def test_a_failure_of_any_bytes_is_kept_with_its_seed_and_comes_again(tmp_path: Path) -> None:
    (tmp_path / "test_failing.py").write_text(FAILING, encoding="utf-8")
    assert fuzz(tmp_path, 7) == 1
    ((name, done),) = read_fuzzed(tmp_path / "fuzz.json").items()
    assert name.endswith("test_failing.py::test_no_byte_is_zero")
    assert isinstance(done, Fuzzed)
    assert done.examples > 0
    (failure,) = done.failures
    assert failure["seed"] == 7
    (tmp_path / "fuzz.json").unlink()
    assert fuzz(tmp_path, failure["seed"]) == 1


def test_every_target_of_the_fuzz_is_there() -> None:
    assert [name for name in TARGETS if not (ROOT / name).exists()] == []


def test_a_story_is_the_same_for_the_same_seed_and_ends_on_its_day() -> None:
    one, again = scenario(3, accounts=3, ends=SHORT), scenario(3, accounts=3, ends=SHORT)
    assert one.ledgers == again.ledgers
    assert one.ledgers != scenario(4, accounts=3, ends=SHORT).ledgers
    assert max(e.received_at for ledger in one.ledgers for e in ledger.entries) <= one.horizon


def test_every_part_is_killed_once_before_one_is_killed_twice() -> None:
    assert set(drawn(5, SQLITE, 4)) == set(SQLITE)
    assert set(drawn(5, POSTGRESQL, 5)) == set(POSTGRESQL)
    assert drawn(5, SQLITE, 10) == drawn(5, SQLITE, 10)


def test_the_last_result_is_checked_in_and_is_honest() -> None:
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    assert result["line"] == line_of(result)
    assert result["passed"] is (not result["failures"])
    assert result["kills"] == sum(result["kills_by_part"].values())
    assert set(result["planted_defects"]) == {"drop", "double"}
