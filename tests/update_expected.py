"""Writes the expected messages of the broken policies anew: `python -m tests.update_expected`.

Read the difference before it is committed: these messages are what authors see.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.credit import load_credit
from engine.credit.check_promises import promise_problems
from engine.credit.shadows import shadow_problems
from engine.source import Problem, render_problem, sort_problems
from engine.workdays import load_calendar
from tests.api.cli.test_portfolios_bad import update as update_portfolios
from tests.engine.ladder.test_policies_bad import update as update_ladder
from tests.engine.watch.test_policies_bad import update as update_watch

BAD = Path(__file__).parents[1] / "fixtures" / "policies_bad"


def texts_of(folder: Path) -> dict[str, bytes]:
    """Return every file of a policy by its path in the folder, without what is expected of it."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in files
        if path.name not in ("expected.txt", "cases.yaml")
    }


def rendered(problems: tuple[Problem, ...], texts: Mapping[str, bytes]) -> str:
    """Return problems as an author sees them."""
    sources = {path: data.decode("utf-8-sig", "replace") for path, data in texts.items()}
    return "\n".join(render_problem(problem, sources) for problem in problems) + "\n"


def credit_message(folder: Path) -> str:
    """Return what the check of credit policies says of a folder; of shadows only where they are the point."""
    texts = texts_of(folder)
    loaded = load_credit(texts)
    promises = promise_problems(loaded.policy) if loaded.policy else ()
    shadows = shadow_problems(loaded.policy) if loaded.policy and "shadow" in folder.name else ()
    return rendered(sort_problems((*loaded.problems, *promises, *shadows)), texts)


def calendar_message(folder: Path) -> str:
    """Return what the reader of calendars says of one."""
    texts = texts_of(folder)
    return rendered(load_calendar(texts["calendar.yaml"], "calendar.yaml").problems, texts)


def main() -> None:
    """Write `expected.txt` of each broken policy, portfolio, calendar and timeline."""
    update_ladder()
    update_watch()
    update_portfolios()
    for folder in sorted(BAD.glob("calendar-*")):
        (folder / "expected.txt").write_text(calendar_message(folder), encoding="utf-8")
    for folder in sorted(BAD.glob("credit-*")):
        (folder / "expected.txt").write_text(credit_message(folder), encoding="utf-8")


if __name__ == "__main__":
    main()
