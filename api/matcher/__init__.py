"""Watch rules matched by durable-rules in a process of its own, checked against the reference matcher."""

from api.matcher.matcher import Flag, Matched, Matcher
from api.matcher.process import Limits, MatcherGone, MatcherProcess

__all__ = ["Flag", "Limits", "Matched", "Matcher", "MatcherGone", "MatcherProcess"]
