"""Hard histories, stated as an officer would: every case of `histories/*.yaml` under `forbear test`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from engine.ladder import CollectionsPolicy
from engine.ladder.timeline import Timeline, read_timelines, run_timeline
from tests.engine.ladder.world import calendar, changed, law, policy, texts_of

FOLDER = Path(__file__).parent / "histories"
_FINAL = (
    "    | final_notice  | >= 20  | >= 50.00  | reminder     | P7D  "
    "|| notify(letter, final_notice)        | -              |"
)
VARIANTS: dict[str, dict[str, tuple[str, str]]] = {
    "run_at_month_end": {"runs": ("runs: daily", "runs: month_end")},
    "jump": {
        "late": ("when_late: step_by_step", "when_late: jump"),
        "row": (
            _FINAL,
            f"    | second | >= 10 | - | reminder | P3D || notify(email, reminder) | - |\n{_FINAL}",
        ),
    },
    "drafts": {"row": (_FINAL, _FINAL.replace("|| notify", "|| approve(letter), notify"))},
    "notice_lapses": {
        "valid": ("valid: P90D", "valid: P60D"),
        "end": (
            "| write_off     | >= 365 | -         | terminate    | -    ||",
            "| write_off     | >= 365 | -         | final_notice | -    ||",
        ),
    },
    "month_ends": {
        "net": (
            "    | reminder      | >= 3   | -         | -            | -    ||",
            "    | reminder      | -      | -         | -            | due + P10D ||",
        ),
        "month": (
            "    | final_notice  | >= 20  | >= 50.00  | reminder     | P7D  ||",
            "    | final_notice  | -      | >= 50.00  | reminder     | end_of_month(due + P30D) ||",
        ),
        "previous": ("| final_notice | P7D  || service", "| final_notice | P10D || service"),
    },
}
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
