"""The gate before the shelf: nothing is published while a case beside a policy does not hold."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import click

from api.cli.check_command import counted
from api.cli.frame import Trouble
from api.cli.policy_files import KINDS, PolicyFiles, find_policies
from api.cli.test_command import Tested, test_one
from api.pooling import end_with_the_caller

FEW = 3
"""So many policies are tried one after the other: a process more costs a second."""


def cases_hold(folder: Path) -> bool:
    """Run the cases of every policy in a folder, and say what came of it: what is wrong on standard error."""
    policies = [one for one in find_policies([folder]) if one.what in KINDS]
    tried = [one for one in policies if one.case_file is not None]
    click.echo(f"Running the cases beside {counted(len(tried), 'policy', 'policies')} ...")
    results = _tested(tried)
    wrong = [result for result in results if not result.ok]
    for result in wrong:
        click.echo(f"{result.text}\n", err=True)
    if wrong:
        failed = counted(sum(len(result.failed) for result in wrong), "case does", "cases do")
        stuck = sum(not result.failed for result in wrong)
        more = f", {counted(stuck, 'policy', 'policies')} could not be tried" if stuck else ""
        click.echo(f"Nothing was published: {failed} not hold{more}.", err=True)
        return False
    held = counted(sum(result.passed for result in results), "case holds", "cases hold")
    names = ", ".join(one.folder.name for one in policies if one.case_file is None)
    click.echo(f"{held}{f'; no cases stand beside {names}' if names else ''}.")
    return True


def _tested(policies: Sequence[PolicyFiles]) -> list[Tested]:
    """Run the cases of each policy, those of several on all processors; the answers in their order."""
    processes = min(os.cpu_count() or 1, len(policies))
    if processes < 2 or len(policies) <= FEW:
        return [test_one(one) for one in policies]
    longest_first = sorted(range(len(policies)), key=lambda i: len(policies[i].cases or b""), reverse=True)
    # Not by a fork: the caller may have threads of its own.
    spawned = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(processes, spawned, initializer=end_with_the_caller) as pool:
            found = pool.map(test_one, [policies[i] for i in longest_first])
            by_place = dict(zip(longest_first, found, strict=True))
    except BrokenProcessPool as error:
        raise Trouble("A process that ran the cases was ended from outside. Call it again.") from error
    return [by_place[i] for i in range(len(policies))]
