"""Each broken portfolio is told with its whole message, as `forbear check` tells it."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

import pytest

from api.cli.check_command import check_one
from api.cli.policy_files import find_policies
from engine.source import has_errors, render_problem

BAD = Path(__file__).parents[3] / "fixtures" / "policies_bad"
FOLDERS = sorted(BAD.glob("portfolio-*"))


def message(folder: Path) -> str:
    """Return what the check says of a portfolio; the policies beside it hold only what is asked of them."""
    with chdir(folder):
        (one,) = find_policies([Path("portfolio.yaml")])
        problems = check_one(one)
    assert has_errors(problems)
    return "\n".join(render_problem(problem, one.sources()) for problem in problems) + "\n"


def update() -> None:
    """Write what the check says into each `expected.txt`."""
    for folder in FOLDERS:
        (folder / "expected.txt").write_text(message(folder), encoding="utf-8")


def test_there_are_broken_portfolios() -> None:
    assert len(FOLDERS) >= 16


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_broken_portfolio_is_told(folder: Path) -> None:
    assert message(folder) == (folder / "expected.txt").read_text(encoding="utf-8")
