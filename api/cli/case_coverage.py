"""What the cases beside a policy try, in words."""

from __future__ import annotations

from dataclasses import dataclass

from api.cli.policy_files import CASES, CSV_CASES, PolicyFiles
from engine.credit import load_credit
from engine.credit.cases import read_cases
from engine.credit.coverage import coverage
from engine.watch import load_watch
from engine.watch.cases import read_watch_cases
from engine.watch.coverage import watch_coverage


@dataclass(frozen=True, slots=True)
class Tried:
    """How much of a policy its cases try: numbers for machines, a line and a list for people."""

    numbers: dict[str, int]
    line: str
    details: tuple[str, ...]
    """What is not tried, each with its cell."""


def credit_tried(files: PolicyFiles) -> Tried | None:
    """Return what the cases of a credit policy try; None when they cannot be read."""
    policy = load_credit(files.texts, files.root).policy
    if policy is None:
        return None
    cases = read_cases(policy, files.cases, CASES, files.texts.get(CSV_CASES)).policy
    if cases is None:
        return None
    found = coverage(policy, cases)
    details = [f"no case matches {place}" for place in found.unmatched]
    details += [f"not tried on both sides: {place}" for place in found.untried]
    details += [f"unnoticed: {mutant}" for mutant in found.unnoticed]
    numbers = {
        "rows": found.rows, "unmatched": len(found.unmatched), "bounds": found.bounds,
        "untried": len(found.untried), "changes": found.mutants, "unnoticed": len(found.unnoticed),
    }  # fmt: skip
    return Tried(numbers, str(found), tuple(details))


def watch_tried(files: PolicyFiles) -> Tried | None:
    """Return which rules of a watch policy its cases fire, and which changes they notice."""
    policy = load_watch(files.texts, files.root).policy
    cases = read_watch_cases(policy, files.texts[CASES], CASES).policy if policy else None
    if policy is None or cases is None:
        return None
    found = watch_coverage(policy, cases)
    details = [f"rule `{rule}` fires in no case" for rule in found.silent]
    details += [f"unnoticed: {change}" for change in found.unnoticed]
    numbers = {
        "rules": found.rules, "silent": len(found.silent), "changes": found.changes,
        "unnoticed": len(found.unnoticed),
    }  # fmt: skip
    return Tried(numbers, str(found), tuple(details))
