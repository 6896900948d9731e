"""What authors of broken collections policies see, word by word.

`timeline-*` are cases for the shipped policy. `python -m tests.update_expected` writes the expected messages
anew; read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.ladder import (
    check_days,
    check_graph,
    check_law,
    load_collections,
    load_law,
    render_report,
    run_timelines,
)  # fmt: skip
from engine.source import render_problem
from tests.engine.ladder.world import calendar, law, policy, texts_of

FIXTURES = Path(__file__).parents[3] / "fixtures"
BAD = sorted((FIXTURES / "policies_bad").glob("collections-*"))
TIMELINES = sorted((FIXTURES / "policies_bad").glob("timeline-*"))
LAWS = sorted((FIXTURES / "policies_bad").glob("law-*"))
GOOD = sorted((FIXTURES / "policies_good").glob("collections-*"))


def message(folder: Path) -> str:
    """Return what the reader, and the law pack, say of a folder."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "expected.txt"]
    texts = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    loaded = load_collections(texts)
    problems = loaded.problems
    if (found := loaded.policy) is not None and not problems:
        graph = "-graph-" in folder.name
        pack = law("us-reg-f" if found.regulation == "us-reg-f" else "cn-telecom")
        days = calendar("US" if found.calendar == "US" else "CN")
        problems = () if graph else check_law(found, pack)
        problems = problems or (*check_graph(found), *check_days(found, pack, days))
    sources = {path: data.decode() for path, data in texts.items()}
    return "\n".join(render_problem(problem, sources) for problem in problems) + "\n"


def timeline_message(folder: Path) -> str:
    """Return what an officer reads about the cases in a folder, played against the shipped policy."""
    data = (folder / "cases.yaml").read_bytes()
    report = run_timelines(policy(), law(), calendar(), data, "cases.yaml", texts=texts_of("collections"))
    return render_report(report, {"cases.yaml": data.decode("utf-8-sig", "replace")}) + "\n"


def law_message(folder: Path) -> str:
    """Return what the reader of law packs says of one."""
    data = (folder / "law.yaml").read_bytes()
    problems = load_law(data, "law.yaml").problems
    return "\n".join(render_problem(problem, {"law.yaml": data.decode()}) for problem in problems) + "\n"


@pytest.mark.parametrize("folder", LAWS, ids=lambda folder: folder.name)
def test_each_broken_law_pack_gets_the_expected_message(folder: Path) -> None:
    assert law_message(folder) == (folder / "expected.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", BAD, ids=lambda folder: folder.name)
def test_each_broken_policy_gets_the_expected_message(folder: Path) -> None:
    assert message(folder) == (folder / "expected.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", GOOD, ids=lambda folder: folder.name)
def test_the_policy_that_they_break_is_good(folder: Path) -> None:
    assert message(folder) == "\n"


@pytest.mark.parametrize("folder", TIMELINES, ids=lambda folder: folder.name)
def test_each_broken_timeline_gets_the_expected_message(folder: Path) -> None:
    assert timeline_message(folder) == (folder / "expected.txt").read_text(encoding="utf-8")


def test_there_are_broken_policies_and_timelines() -> None:
    assert len(BAD) >= 30
    assert len(TIMELINES) >= 60


def update() -> None:
    """Write every expected message anew."""
    for found in BAD:
        (found / "expected.txt").write_text(message(found), encoding="utf-8")
    for found in LAWS:
        (found / "expected.txt").write_text(law_message(found), encoding="utf-8")
    for found in TIMELINES:
        (found / "expected.txt").write_text(timeline_message(found), encoding="utf-8")
