"""FEEL, the expression language of OMG DMN 1.5: text to tree, tree to value, type or Python."""

from engine.feel import syntax
from engine.feel.dates import Date, DateTime, Time
from engine.feel.durations import DaysDuration, MonthsDuration
from engine.feel.inference import infer, infer_tests
from engine.feel.interpreter import Note, evaluate, matches
from engine.feel.kinds import (
    ANY,
    BOOLEAN,
    CONTEXT,
    DATE,
    DATE_TIME,
    DAYS_DURATION,
    FUNCTION,
    LIST,
    MONTHS_DURATION,
    NULL,
    NUMBER,
    RANGE,
    STRING,
    TIME,
    ContextOf,
    FeelType,
    FunctionOf,
    ListOf,
    Named,
    RangeOf,
    context_of,
    fits,
)
from engine.feel.limits import LIMITS, Limits
from engine.feel.parser import parse_expression, parse_type, parse_unary_tests
from engine.feel.printer import to_text
from engine.feel.syntax import Node, UnaryTests
from engine.feel.values import NotAFeelValue, Range, Value, from_feel, kind_of, show, to_feel

__all__ = [
    "ANY", "BOOLEAN", "CONTEXT", "DATE", "DATE_TIME", "DAYS_DURATION", "FUNCTION", "LIMITS", "LIST",
    "MONTHS_DURATION", "NULL", "NUMBER", "RANGE", "STRING", "TIME", "ContextOf", "Date", "DateTime",
    "DaysDuration", "FeelType", "FunctionOf", "Limits", "ListOf", "MonthsDuration", "Named", "Node",
    "NotAFeelValue", "Note", "Range", "RangeOf", "Time", "UnaryTests", "Value", "context_of", "evaluate",
    "fits", "from_feel", "infer", "infer_tests", "kind_of", "matches", "parse_expression", "parse_type",
    "parse_unary_tests", "show", "syntax", "to_feel", "to_text",
]  # fmt: skip
