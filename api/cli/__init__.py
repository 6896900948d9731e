"""The command `forbear`: one module a command; see `forbear --help`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from api.cli.frame import Commands, run

NAMES = (
    "demo", "up", "settings", "worker", "check", "fmt", "test", "grade", "publish", "import", "export",
    "import-tables", "position", "reconcile",
    "schema", "calendar", "audit", "db", "dmn",
)  # fmt: skip

_HELP = """Grades customers by policy files and takes arrears from reminder to collection.

\b
Start here:   forbear demo
Then:         forbear check     forbear test     forbear up

\b
Exit codes:   0  done
              1  done, and something was found: an error in a policy, a failed case, a difference
              2  called wrongly
              3  could not be done: a missing file, a busy port, a server that does not answer
"""


@click.group(
    cls=Commands, names=NAMES, package="api.cli", help=_HELP, context_settings={"max_content_width": 110}
)
@click.version_option(package_name="forbear", prog_name="forbear")
def forbear() -> None:
    """See _HELP."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; ends the process at once if Temporal was used."""
    code = run(forbear, arguments)
    if "temporalio" in sys.modules and arguments is None:
        from api.exiting import leave

        leave(code)
    return code
