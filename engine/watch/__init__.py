"""Watch policies: patterns over the events of one customer, document or dealer, and the alerts they raise."""

from engine.watch.alerts import Alert, Evidence, alerts_of, choose, match_window
from engine.watch.cases import CaseReport, CasesReport, run_watch_cases
from engine.watch.clock import next_look, replay, report
from engine.watch.encode import Encoding, encode
from engine.watch.errors import (
    EventProblem,
    EventRefused,
    SearchTooLong,
    UnknownPartition,
    WatchError,
    WindowRefused,
)
from engine.watch.from_yaml import load_watch
from engine.watch.model import WatchPolicy
from engine.watch.values import WatchEvent
from engine.watch.window import MOST_EVENTS, Prepared, Window, admit, prepare, shrink, subjects

__all__ = [
    "MOST_EVENTS", "Alert", "CaseReport", "CasesReport", "Encoding", "EventProblem", "EventRefused",
    "Evidence",
    "Prepared", "SearchTooLong", "UnknownPartition", "WatchError", "WatchEvent", "WatchPolicy", "Window",
    "WindowRefused", "admit", "alerts_of", "choose", "encode", "load_watch", "match_window", "next_look",
    "prepare", "replay", "report", "run_watch_cases", "shrink", "subjects",
]  # fmt: skip
