"""The days of each ladder of a policy, for `forbear check --ladder`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from api.cli.frame import Trouble
from api.cli.policy_files import PolicyFiles
from api.cli.surroundings import calendar_for, law_for
from engine.ladder import StepDays, days_table, load_collections, worst_days


@dataclass(frozen=True, slots=True)
class LadderDays:
    """One ladder, as text and as values."""

    policy: str
    ladder: str
    text: str
    steps: tuple[StepDays, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"policy": self.policy, "ladder": self.ladder, "steps": [asdict(step) for step in self.steps]}


def ladder_days(files: PolicyFiles) -> Iterator[LadderDays]:
    """Yield the days of each ladder of a policy that can be read, with its law pack and calendar."""
    policy = load_collections(files.texts, files.root).policy if files.what == "collections" else None
    if policy is None:
        return
    try:
        law, calendar = law_for(files, policy.regulation), calendar_for(files, policy.calendar)
    except Trouble:
        return  # said among the problems
    for ladder in policy.ladders.values():
        days = worst_days(policy, ladder, law, calendar)
        yield LadderDays(policy.name, ladder.name, days_table(policy, ladder, days), days)
