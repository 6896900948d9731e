"""What a policy needs that lies beside it: law packs, calendars, the policies of other currencies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from api.cli.calendar_days import region_of
from api.cli.frame import Trouble
from api.cli.policy_files import ROOT, PolicyFiles, find_policies
from api.storage.portfolio import load_portfolio
from engine.ladder import (
    CollectionsPolicy,
    LawPack,
    check_days,
    check_graph,
    check_law,
    load_collections,
    load_law,
    no_law,
)
from engine.ladder.timeline_sides import Neighbours, Treated
from engine.policy import Loaded
from engine.source import Problem, Span
from engine.text import MapNode, Node, ScalarNode, did_you_mean, read_yaml
from engine.workdays import Calendar, load_calendar, no_calendar

T = TypeVar("T")


def law_for(files: PolicyFiles, name: str) -> LawPack:
    """Return the law pack that a policy names, from `regulations` beside its folder."""
    if not name:
        return no_law()
    found = {law.name: law for law in _all(files, "regulations", load_law)}
    if name not in found:
        raise Trouble(f"There is no law pack `{name}` beside `{files.folder}`. {_near(name, found)}".strip())
    return found[name]


def calendar_for(files: PolicyFiles, name: str) -> Calendar:
    """Return the calendar that a policy names, from `calendars` beside its folder."""
    if not name:
        return no_calendar()
    found = {calendar.name: calendar for calendar in _all(files, "calendars", load_calendar)}
    if name not in found:
        raise Trouble(f"There is no calendar `{name}` beside `{files.folder}`. {_near(name, found)}".strip())
    return found[name]


def policies_beside(files: PolicyFiles) -> Neighbours:
    """Return the collections policies of the folders beside a policy's, by name, each read when asked for.

    Empty where the cases are about one currency.
    """
    if b"currenc" not in (files.cases or b""):
        return {}
    roots = sorted(_beside(files, ".").glob(f"*/{ROOT}"))
    nodes = [(path.parent, read_yaml(path.read_bytes(), str(path)).policy) for path in roots]
    return {
        _word(node, "policy"): partial(_treated, folder)
        for folder, node in nodes
        if _word(node, "kind") == "collections"
    }


def portfolio_beside(files: PolicyFiles) -> Mapping[str, str]:
    """Return which collections policy the portfolio beside a policy's folder names for each currency."""
    path = _beside(files, ".") / "portfolio.yaml"
    if b"currency" not in (files.cases or b"") or not path.is_file():
        return {}
    portfolio = load_portfolio(path.read_bytes(), str(path)).policy
    return portfolio.by_currency if portfolio else {}


def _word(node: Node | None, key: str) -> str:
    found = node.get(key) if isinstance(node, MapNode) else None
    return found.text.strip() if isinstance(found, ScalarNode) else ""


def _treated(folder: Path) -> Loaded[Treated]:
    (files,) = find_policies([folder])
    loaded = load_collections(files.texts, files.root)
    policy, problems = loaded.policy, files.located(loaded.problems)
    if policy is None:
        return Loaded(None, problems)
    law, calendar = law_for(files, policy.regulation), calendar_for(files, policy.calendar)
    return Loaded(Treated(policy, law, calendar), problems)


def collections_problems(files: PolicyFiles, policy: CollectionsPolicy) -> Iterator[Problem]:
    """Return what is wrong between a collections policy and what it names: its law, its calendar."""
    laws = {law.name: law for law in _all(files, "regulations", load_law)}
    if policy.regulation in laws:
        yield from check_law(policy, laws[policy.regulation])
    else:
        yield _unknown(files, _place(files, "regulation"), "law pack", "regulations", policy.regulation, laws)
    calendars = {calendar.name: calendar for calendar in _all(files, "calendars", load_calendar)}
    yield from check_graph(policy)
    if policy.calendar and policy.calendar not in calendars:
        span = _place(files, "interruptions", "calendar")
        yield _unknown_calendar(files, span, policy, calendars)
    elif policy.regulation in laws:
        days = calendars.get(policy.calendar) or no_calendar()
        yield from check_days(policy, laws[policy.regulation], days)


def name_problems(files: PolicyFiles) -> Iterator[Problem]:
    """Yield a calendar or a law pack that is called otherwise than its file: policies name what it says."""
    node = read_yaml(files.texts[files.root], files.root).policy
    said = node.get(files.what) if files.what in ("calendar", "law") and isinstance(node, MapNode) else None
    name = Path(files.root).stem
    if isinstance(said, ScalarNode) and said.text.strip() not in ("", name):
        called = said.text.strip()
        message = f"the file is `{files.root}`, and what is in it is called `{called}`"
        advice = f"write `{files.what}: {name}`, or name the file `{called}.yaml`"
        yield Problem("name-of-file", message, said.span, advice)


def _all(files: PolicyFiles, folder: str, read: Callable[[bytes, str], Loaded[T]]) -> list[T]:
    loaded = [
        read(path.read_bytes(), str(path)).policy for path in sorted(_beside(files, folder).glob("*.yaml"))
    ]
    return [one for one in loaded if one is not None]


def _beside(files: PolicyFiles, folder: str) -> Path:
    return (files.folder.parent if files.folder.name not in ("", "..") else files.folder / "..") / folder


def _near(name: str, found: dict[str, T]) -> str:
    return f"{did_you_mean(name, sorted(found), of='names')}." if found else ""


def _unknown(
    files: PolicyFiles, span: Span, what: str, folder: str, name: str, found: dict[str, T]
) -> Problem:
    message = f"there is no {what} `{name}` in `{_beside(files, folder)}`"
    advice = did_you_mean(name, sorted(found), of=f"{what}s")
    return Problem(f"unknown-{what.replace(' ', '-')}", message, span, advice)


def _unknown_calendar(
    files: PolicyFiles, span: Span, policy: CollectionsPolicy, calendars: dict[str, Calendar]
) -> Problem:
    """Return what is wrong with the name of a calendar: one that can be built is told with how."""
    problem = _unknown(files, span, "calendar", "calendars", policy.calendar, calendars)
    region = region_of(policy.calendar)
    if region is None:
        return problem
    if region in calendars:
        return replace(problem, advice=f"did you mean `{region}`?")
    build = f"build it with `forbear calendar build {region} {policy.effective_from.year}`"
    return replace(
        problem, advice=build if region == policy.calendar else f"did you mean `{region}`? {build}"
    )


def _place(files: PolicyFiles, *path: str) -> Span:
    """Return where the value of a key stands, as far as the text has it."""
    node = read_yaml(files.texts[files.root], files.root).policy
    for name in path:
        node = (node.get(name) if isinstance(node, MapNode) else None) or node
    return node.span if node else Span(files.root, 1, 1)
