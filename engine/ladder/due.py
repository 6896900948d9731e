"""Is an action still due: the step taken again from where it was taken before (rule 4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time

from engine.ladder.memory import do_of, token_of
from engine.ladder.model import CollectionsPolicy
from engine.ladder.state import Action, Position, Step, Taken
from engine.ladder.stepping import step


def still_due(
    policy: CollectionsPolicy, taken_before: Taken, position: Position, at: datetime, key: str,
    *, any_hour: bool = False,
) -> tuple[bool, str]:  # fmt: skip
    """Tell whether a step from `taken_before` would still ask for `key`; if not, why in one sentence.

    `any_hour`: what a run has asked for is not gone because the next run is still to come.
    """
    if any_hour:
        policy = replace(policy, case=replace(policy.case, runs="daily", hour=time(0)))
    again = step(policy, taken_before, position, at)
    if any(action.key == key for action in again.actions):
        return True, ""
    return False, _reason(again, key)


def _reason(again: Step, key: str) -> str:
    name, way = key.rsplit("/", 4)[1], key.rpartition("/")[2]
    if again.taken.ended:
        return f"The case has ended as {again.taken.ended}."
    if way == "undo":
        return f"`{name}` is not taken back any more: overdue is {again.trace.overdue} again."
    if other := next((action for action in again.actions if _is_elsewhere(action, key)), None):
        was = token_of(key).split(".")[1]
        return f"`{name}` goes out by {other.args[0]} now, and not by {was}."
    row = next((row for row in again.trace.rows if row.step == name), None)
    why = row.note if row and row.note else ""
    if not why and again.trace.notes:
        why = again.trace.notes[-1]
    said = f"`{name}` is not due any more" + (f": {why}" if why else "")
    return f"{said}."


def _is_elsewhere(action: Action, key: str) -> bool:
    """Tell whether an action is a notice of the same text as the one of a key, on another channel."""
    parts = token_of(key).split(".")
    same = action.do == "notify" and action.step == key.rsplit("/", 4)[1]
    return same and do_of(key) == "notify" and list(action.args[1:]) == parts[2:]
