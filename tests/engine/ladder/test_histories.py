"""Hard histories, stated as an officer would: every case of `histories/*.yaml` under `forbear test`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from engine.ladder import CollectionsPolicy
from engine.ladder.timeline import Timeline, read_timelines, run_timeline
from tests.engine.ladder.world import calendar, changed, law, policy, texts_of

FOLDER = Path(__file__).parent / "histories"
VARIANTS: dict[str, dict[str, tuple[str, str]]] = {}
"""The words of the shipped policy that a file replaces, by the file's name."""


def the_policy(file: str) -> CollectionsPolicy:
    return changed("collections", **VARIANTS[file]) if file in VARIANTS else policy()


@cache
def timelines(file: str) -> dict[str, Timeline]:
    data = (FOLDER / f"{file}.yaml").read_bytes()
    loaded = read_timelines(the_policy(file), data, f"{file}.yaml", texts_of("collections"))
    assert loaded.policy is not None, loaded.problems
    return {timeline.name: timeline for timeline in loaded.policy}


CASES = [(path.stem, name) for path in sorted(FOLDER.glob("*.yaml")) for name in timelines(path.stem)]


@pytest.mark.parametrize(("file", "name"), CASES, ids=[name for _, name in CASES])
def test_history(file: str, name: str) -> None:
    result = run_timeline(the_policy(file), law(), calendar(), timelines(file)[name])
    assert result.ok, [mismatch.told for mismatch in result.mismatches]
