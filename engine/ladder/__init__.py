"""Collections policies and the ladder: one step at a time, derived, never accumulated."""

from engine.ladder.due import still_due
from engine.ladder.from_law import load_law, no_law
from engine.ladder.from_yaml import load_collections
from engine.ladder.law import LawPack
from engine.ladder.model import CollectionsPolicy
from engine.ladder.opening import open_case, opens, watch_on
from engine.ladder.state import Action, Position, Step, StepTrace, Taken, TakenRow
from engine.ladder.stepping import step

__all__ = [
    "Action",
    "CollectionsPolicy",
    "LawPack",
    "Position",
    "Step",
    "StepTrace",
    "Taken",
    "TakenRow",
    "load_collections",
    "load_law",
    "no_law",
    "open_case",
    "opens",
    "step",
    "still_due",
    "watch_on",
]
