"""The gate before the shelf: nothing is published while a case beside a policy does not hold."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.check_command import counted
from api.cli.policy_files import KINDS, find_policies
from api.cli.test_command import test_one


def cases_hold(folder: Path) -> bool:
    """Run the cases of every policy in a folder, and say what came of it: what is wrong on standard error."""
    policies = [one for one in find_policies([folder]) if one.what in KINDS]
    results = [test_one(one) for one in policies if one.case_file is not None]
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
