"""What the steps of a case are called under another text: by their names, and by the `maps` of that text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.ladder.ladders_from_yaml import EXEMPT
from engine.ladder.model import CollectionsPolicy
from engine.ladder.state import Taken, TakenRow

GIVEN_UP = EXEMPT
"""`maps: {bar: none}`: the step is given up, and what it did is undone."""


def steps_of(policy: CollectionsPolicy, ladder: str) -> set[str]:
    """Return the steps of a ladder; where the ladder is gone its cases can come to any."""
    found = [policy.ladders[ladder]] if ladder in policy.ladders else policy.ladders.values()
    return {step for one in found for step in one.by_step}


def name_of(new: CollectionsPolicy, ladder: str, step: str) -> str:
    """Return what a step is called now; one that is given up keeps its name, which no ladder has."""
    mapped = new.maps.get(step, step)
    return step if step in steps_of(new, ladder) or mapped == GIVEN_UP else mapped


def names_of(new: CollectionsPolicy, taken: Taken) -> dict[str, str]:
    """Return what every step that a case has taken or counted is called under another text."""
    found = {row.step: name_of(new, row.ladder, row.step) for row in (*taken.rows, *taken.left)}
    return found | {step: name_of(new, taken.ladder, step) for step in taken.entries if step not in found}


def renamed(rows: Iterable[TakenRow], names: Mapping[str, str]) -> tuple[TakenRow, ...]:
    """Return rows under the names of their steps now."""
    return tuple(row.model_copy(update={"step": names[row.step]}) for row in rows)


def joined(rows: Iterable[TakenRow]) -> tuple[TakenRow, ...]:
    """Return rows with those of one step made one: steps that were put together did what both had done.

    What left on different days, or was sent again, stays by itself.
    """
    found: dict[tuple[object, ...], TakenRow] = {}
    for row in rows:
        which = (row.step, row.entry if row.announces else 0, row.left_on)
        first = found.get(which)
        if first is not None:
            row = row.model_copy(
                update={
                    "keys": (*first.keys, *row.keys),
                    "words": first.words | row.words,
                    "undo_keys": (*first.undo_keys, *row.undo_keys),
                    "debts": tuple(dict.fromkeys((*first.debts, *row.debts))),
                    "entry": max(first.entry, row.entry),
                }
            )
        found[which] = row
    return tuple(found.values())


def entries_of(taken: Taken, names: Mapping[str, str]) -> dict[str, int]:
    """Return how often each step was taken, by its name now."""
    found: dict[str, int] = {}
    for step, count in taken.entries.items():
        found[names[step]] = max(count, found.get(names[step], 0))
    return found
