"""Collections policies and the ladder: one step at a time, derived, never accumulated."""

from engine.ladder.due import still_due
from engine.ladder.from_law import load_law, no_law
from engine.ladder.from_yaml import load_collections
from engine.ladder.graph_check import check_graph
from engine.ladder.law import Clause, LawPack
from engine.ladder.lawful import check_law
from engine.ladder.model import CollectionsPolicy, Ladder, LadderRow
from engine.ladder.opening import open_case, opens, watch_on
from engine.ladder.state import Action, Position, Step, StepTrace, Taken, TakenRow
from engine.ladder.stepping import step
from engine.ladder.timeline import run_timelines
from engine.ladder.timeline_report import TimelineReport, render_report
from engine.ladder.worst import StepDays, check_days, days_table, worst_days

__all__ = [
    "Action",
    "Clause",
    "CollectionsPolicy",
    "Ladder",
    "LadderRow",
    "LawPack",
    "Position",
    "Step",
    "StepDays",
    "StepTrace",
    "Taken",
    "TakenRow",
    "TimelineReport",
    "check_days",
    "check_graph",
    "check_law",
    "days_table",
    "load_collections",
    "load_law",
    "no_law",
    "open_case",
    "opens",
    "render_report",
    "run_timelines",
    "step",
    "still_due",
    "watch_on",
    "worst_days",
]
