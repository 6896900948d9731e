"""What authors of broken watch policies see, word by word.

`python -m tests.update_expected` writes the expected messages anew; read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.source import has_errors, render_problem
from engine.watch import load_watch

BAD = Path(__file__).parents[3] / "fixtures" / "policies_bad"
FOLDERS = sorted(BAD.glob("watch-*"))


def message(folder: Path) -> str:
    """Return what the reader says of a folder."""
    data = (folder / "policy.yaml").read_bytes()
    loaded = load_watch({"policy.yaml": data})
    assert loaded.problems
    assert (loaded.policy is None) is has_errors(loaded.problems)
    sources = {"policy.yaml": data.decode()}
    return "\n".join(render_problem(problem, sources) for problem in loaded.problems) + "\n"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_broken_policy_gets_the_expected_message(folder: Path) -> None:
    assert message(folder) == (folder / "expected.txt").read_text(encoding="utf-8")


def test_there_are_broken_policies() -> None:
    assert len(FOLDERS) >= 30


def update() -> None:
    """Write every expected message anew."""
    for found in FOLDERS:
        (found / "expected.txt").write_text(message(found), encoding="utf-8")
