"""What authors of broken collections policies see, word by word.

`python -m tests.engine.ladder.test_policies_bad` writes the expected messages anew; read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.ladder import check_law, load_collections
from engine.source import render_problem
from tests.engine.ladder.world import law

FIXTURES = Path(__file__).parents[3] / "fixtures"
BAD = sorted((FIXTURES / "policies_bad").glob("collections-*"))
GOOD = sorted((FIXTURES / "policies_good").glob("collections-*"))


def message(folder: Path) -> str:
    """Return what the reader, and the law pack, say of a folder."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "expected.txt"]
    texts = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    loaded = load_collections(texts)
    problems = loaded.problems or (check_law(loaded.policy, law()) if loaded.policy else ())
    sources = {path: data.decode() for path, data in texts.items()}
    return "\n".join(render_problem(problem, sources) for problem in problems) + "\n"


@pytest.mark.parametrize("folder", BAD, ids=lambda folder: folder.name)
def test_each_broken_policy_gets_the_expected_message(folder: Path) -> None:
    assert message(folder) == (folder / "expected.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", GOOD, ids=lambda folder: folder.name)
def test_the_policy_that_they_break_is_good(folder: Path) -> None:
    assert message(folder) == "\n"


def test_there_are_broken_policies() -> None:
    assert len(BAD) >= 30


if __name__ == "__main__":
    for found in BAD:
        (found / "expected.txt").write_text(message(found), encoding="utf-8")
