"""What the timelines beside a collections policy try: rows that are taken, and changes that are noticed.

The changes are shared out to as many processes as there are processors; how far they are is shown on a
terminal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby

import click

from api.cli.case_coverage import Tried
from api.cli.check_command import counted
from api.cli.policy_files import CASES, PolicyFiles
from api.cli.surroundings import calendar_for, law_for, policies_beside, portfolio_beside
from api.pooling import end_with_the_caller
from engine.ladder import load_collections
from engine.ladder.mutation import Trial, ladder_mutants, untaken
from engine.ladder.timeline import read_timelines

PROCESSES = 8
"""Processes at most."""


def ladder_tried(
    files: PolicyFiles, walks: Iterable[frozenset[tuple[str, str]]], *, mutation: bool
) -> Tried | None:
    """Return what the timelines of a collections policy try; None when they cannot be read.

    `walks` are the rows, by ladder and step, that each timeline that holds was seen to take.
    """
    policy = load_collections(files.texts, files.root).policy
    if policy is None:
        return None
    left = untaken(policy, walks)
    rows = len(policy.rows())
    names = {row: ladder.name for ladder in policy.ladders.values() for row in ladder.rows}
    details = [f"no case takes {names[row]} step {row.step} (line {row.span.line})" for row in left]
    numbers = {"rows": rows, "unmatched": len(left)}
    line = f"{rows - len(left)} of {counted(rows, 'row', 'rows')} taken"
    trial = trial_of(files) if mutation else None
    if trial is None:
        changes = sum(1 for _ in ladder_mutants(policy))
        more = f"; `--mutation` tries {counted(changes, 'threshold change', 'threshold changes')}"
        return Tried(numbers, line + more, tuple(details))
    changes = len(trial.mutants)
    quiet = [str(trial.mutants[number]) for number in _unnoticed(files, trial)]
    numbers |= {"changes": changes, "unnoticed": len(quiet)}
    line += f", {len(quiet)} of {counted(changes, 'threshold change', 'threshold changes')} unnoticed"
    return Tried(numbers, line, (*details, *(f"unnoticed: {one}" for one in quiet)))


def trial_of(files: PolicyFiles) -> Trial | None:
    """Return the timelines beside a policy, played once; None when they cannot be read."""
    policy = load_collections(files.texts, files.root).policy
    if policy is None:
        return None
    timelines = read_timelines(
        policy, files.texts[CASES], CASES, files.texts, policies_beside(files), portfolio_beside(files)
    ).policy
    if timelines is None:
        return None
    law, calendar = law_for(files, policy.regulation), calendar_for(files, policy.calendar)
    return Trial(policy, law, calendar, timelines)


def _unnoticed(files: PolicyFiles, trial: Trial) -> list[int]:
    """Return the numbers of the changes that no timeline notices."""
    by_place = groupby(range(len(trial.mutants)), key=lambda number: trial.mutants[number].place)
    shares = [tuple(numbers) for _, numbers in by_place]
    quiet: list[int] = []
    with click.progressbar(
        length=len(trial.mutants), label=f"Trying changes of {trial.policy.name}", file=sys.stderr
    ) as bar:
        for share, found in _tried(files, trial, shares):
            quiet += found
            bar.update(len(share))
    return sorted(quiet)


def _tried(
    files: PolicyFiles, trial: Trial, shares: Sequence[tuple[int, ...]]
) -> Iterator[tuple[tuple[int, ...], list[int]]]:
    processes = min(PROCESSES, os.cpu_count() or 1, len(shares))
    if processes < 2:
        yield from ((share, _quiet_in(trial, share)) for share in shares)
        return
    with ProcessPoolExecutor(processes, initializer=_begin, initargs=(files,)) as pool:
        yield from zip(shares, pool.map(_share, shares), strict=True)


_TRIAL: list[Trial] = []
"""Of a process that was started for a share of the changes: what they are held against."""


def _begin(files: PolicyFiles) -> None:
    end_with_the_caller()
    trial = trial_of(files)
    if trial is not None:
        _TRIAL[:] = [trial]


def _share(numbers: tuple[int, ...]) -> list[int]:
    return _quiet_in(_TRIAL[0], numbers)


def _quiet_in(trial: Trial, numbers: tuple[int, ...]) -> list[int]:
    return [number for number in numbers if not trial.notices(trial.mutants[number])]
