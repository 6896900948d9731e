"""Random watch policies as their authors would write them, and random windows of their events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

from engine.source import Severity
from engine.text import ListNode, Reader, read_yaml
from engine.watch import WatchEvent, WatchPolicy, Window, load_watch
from engine.watch.model import EventType, Rule
from engine.watch.never import note_never
from engine.watch.rules_from_yaml import read_rule

START = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = timedelta(days=10)
HEAD = """
policy: random
kind: watch
version: "1"
effective: {from: 2026-01-01}
window: P10D
events:
  a:
    n: {type: integer, min: -99, max: 99}
    d: {type: decimal(2), min: -99, max: 99}
    s: string
    b: {type: boolean, optional: true}
    day: date
  b:
    n: {type: integer, optional: true, min: -99, max: 99}
    d: {type: decimal(1), optional: true, min: -99, max: 99}
    s: {type: string, optional: true}
    b: boolean
    day: {type: date, optional: true}
    usual: {average: n, over: P3D}
    before: {count: a, over: P2D}
facts:
  f: {n: {type: integer, min: -99, max: 99}, s: string}
rules:
"""
TYPES = ("a", "b", "f")
NUMBERS = ("n", "d")
OWN = {"a": ("n", "d"), "b": ("n", "d", "usual", "before"), "f": ("n",)}
SIGNS = ("=", "!=", "<", "<=", ">", ">=")


@cache
def load(text: str) -> WatchPolicy:
    loaded = load_watch({"policy.yaml": text.encode()})
    assert loaded.policy is not None, [str(p) for p in loaded.problems]
    return loaded.policy


def _number(alias: str, kind: str) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{alias}.{name}" for name in OWN[kind]])


@st.composite
def _sums(draw: st.DrawFn, alias: str, kind: str) -> str:
    form = draw(
        st.sampled_from(
            ["{a}", "{a}", "{k} * {a}", "{a} + {b}", "{a} - {b}", "{a} * {b}", "{a} - {k}", "-{a}"]
        )
    )
    constant = draw(st.sampled_from(["0", "1", "2", "3", "0.5", "1.25", "-2"]))
    return form.format(a=draw(_number(alias, kind)), b=draw(_number(alias, kind)), k=constant)


@st.composite
def _tests(draw: st.DrawFn, alias: str, kind: str, others: list[tuple[str, str]]) -> str:
    """Return one comparison of an alias, with a constant or with another event."""
    sign = draw(st.sampled_from(SIGNS))
    equal = draw(st.sampled_from(["=", "!="]))
    forms = ["number", "number", "string", "one of", "range"]
    if kind != "f":
        forms += ["boolean", "day", "at", "clock", "null"]
    if others:
        forms += ["join", "join", "times", "strings", "near"]
    form = draw(st.sampled_from(forms))
    constant = draw(st.sampled_from(["0", "1", "2", "-1", "0.5"]))
    match form:
        case "number":
            return f"{draw(_sums(alias, kind))} {sign} {constant}"
        case "string":
            options = ['"x"', '"9"', "null"] if kind == "b" else ['"x"', '"9"']
            return f"{alias}.s {equal} {draw(st.sampled_from(options))}"
        case "one of":
            options = draw(st.sampled_from(['"x", "9"', '"x"', '["x", "y"]']))
            test = f"{alias}.s in ({options})"
            return draw(st.sampled_from([test, f"not({test})"]))
        case "range":
            tests = ["n between 0 and 2", "n in [0..2)", "n in (1, > 2)", "n in (-1..1]"]
            test = f"{alias}.{draw(st.sampled_from(tests))}"
            return draw(st.sampled_from([test, f"not({test})"]))
        case "boolean":
            return draw(st.sampled_from([f"{alias}.b", f"not({alias}.b)", f"{alias}.b {equal} true"]))
        case "day":
            return f'{alias}.day {sign} @"2026-03-0{draw(st.integers(1, 5))}"'
        case "at":
            return f'{alias}.at {sign} @"2026-03-0{draw(st.integers(1, 5))}T00:00:00Z"'
        case "clock":
            return f'now {sign} {alias}.at + @"P{draw(st.integers(1, 6))}D"'
        case "null":
            names = ["n", "d", "day", "usual"] if kind == "b" else ["b"]
            return f"{alias}.{draw(st.sampled_from(names))} {equal} null"
    other, other_kind = draw(st.sampled_from(others))
    match form:
        case "join":
            return f"{draw(_sums(alias, kind))} {sign} {draw(_sums(other, other_kind))}"
        case "times":
            return f"{alias}.at {sign} {other}.at"
        case "near":
            return f'{alias}.at - {other}.at <= @"P{draw(st.integers(0, 3))}DT1H"'
    return f"{alias}.s {equal} {other}.s"


@st.composite
def _conditions(draw: st.DrawFn, alias: str, kind: str, others: list[tuple[str, str]]) -> str:
    tests = draw(st.lists(_tests(alias, kind, others), max_size=3))
    parts = [f'type = "{kind}"']
    if len(tests) >= 2 and draw(st.booleans()):
        parts.append(f"({tests[0]} or {tests[1]})")
        tests = tests[2:]
    return " and ".join([*parts, *tests])


@st.composite
def rules(draw: st.DrawFn, number: int) -> str:
    """Return the text of one rule."""
    kinds = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=3).filter(lambda k: set(k) != {"f"}))
    aliases = [(f"e{i}", kind) for i, kind in enumerate(kinds)]
    lines = [f"  - rule: rule-{number}", "    all:"]
    for place, (alias, kind) in enumerate(aliases):
        lines.append(f"      {alias}: '{draw(_conditions(alias, kind, aliases[:place]))}'")
    if draw(st.integers(0, 2)) == 0:
        kind = draw(st.sampled_from(TYPES))
        lines += ["    none:", f"      no: '{_absent(draw, kind, aliases)}'"]
    events = sum(kind != "f" for _, kind in aliases)
    if draw(st.integers(0, 3)) == 0:
        lines.append(f"    count: {draw(st.integers(2, 3))}")
        if draw(st.booleans()):
            lines.append(f"    distinct: {aliases[0][0]}.s")
        if draw(st.booleans()):
            lines.append(f"    same: {aliases[-1][0]}.n")
        if draw(st.booleans()):
            lines.append("    within: P2D")
    elif events > 1 and draw(st.booleans()):
        lines.append("    within: P1D")
    lines += ["    then: {alert: something}", "    reason: {en: something}"]
    return "\n".join(lines)


def _absent(draw: st.DrawFn, kind: str, aliases: list[tuple[str, str]]) -> str:
    tests = draw(st.lists(_tests("no", kind, aliases), max_size=2))
    return " and ".join([f'type = "{kind}"', *tests])


@st.composite
def policies(draw: st.DrawFn) -> str:
    """Return the text of a policy of a few rules that the checker accepts."""
    count = draw(st.integers(1, 4))
    texts = [draw(rules(number).filter(is_carried)) for number in range(count)]
    return HEAD + "\n".join(texts)


@cache
def _types() -> Mapping[str, EventType]:
    return load(HEAD + rule_of("all: {x: 'type = \"a\"'}")).types


def rule_of(body: str, name: str = "rule-0") -> str:
    """Return the text of a rule with a body of its own."""
    return f"  - rule: {name}\n    {body}\n    then: {{alert: something}}\n    reason: {{en: something}}\n"


def read(rule: str) -> tuple[Rule | None, bool]:
    """Return a rule, None if no matcher carries it, and whether it is refused because it can never fire.

    The only refusals that random rules meet are these.
    """
    reader, node = Reader(), read_yaml(rule.encode(), "rule").policy
    assert isinstance(node, ListNode)
    found = read_rule(reader, node.items[0], _types())
    codes = {problem.code for problem in reader.problems if problem.severity is Severity.ERROR}
    assert codes <= {"always-same", "condition-elsewhere", "too-many-alternatives"}, reader.problems
    if found is not None:
        note_never(reader, found, WINDOW, found.span)
    return found, any(p.code == "never-fires" for p in reader.problems)


def is_carried(rule: str) -> bool:
    """Tell whether a rule is accepted."""
    found, never = read(rule)
    return found is not None and not never


_SMALL = st.integers(-2, 3)
_TEXTS = st.sampled_from(["x", "y", "9", "100", ""])


@st.composite
def _events(draw: st.DrawFn, number: int) -> WatchEvent:
    kind = draw(st.sampled_from(["a", "a", "b", "b", "f"]))
    maybe = st.none if kind == "b" else st.nothing
    values: dict[str, Any] = {
        "n": draw(_SMALL | maybe()),
        "d": str(draw(st.integers(-30, 30)) / 10) if kind == "a" or draw(st.booleans()) else None,
        "s": draw(_TEXTS | maybe()),
        "b": draw(st.booleans() | st.none()) if kind == "a" else draw(st.booleans()),
        "day": f"2026-03-0{draw(st.integers(1, 5))}",
    }
    if kind == "f":
        values = {"n": values["n"], "s": values["s"]}
    at = START + timedelta(hours=draw(st.integers(0, 24 * 6)))
    return WatchEvent(id=f"i{number}", type=kind, at=at, customer="c", values=values)


@st.composite
def windows(draw: st.DrawFn, most: int = 14) -> Window:
    """Return a window of the random policy's events."""
    count = draw(st.integers(0, most))
    events = tuple(draw(_events(number)) for number in range(count))
    spent = draw(st.lists(st.sampled_from([e.id for e in events] or ["none"]), max_size=2))
    as_of = START + timedelta(days=draw(st.sampled_from([3, 6, 12])))
    return Window(subject="c", as_of=as_of, events=events, reported={"rule-0": tuple(spent)})
