"""Write `fixtures/conformance/tck.json` anew: `python -m tests.engine.dmn.write_result`."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from engine.dmn import run_kit
from tests.engine.dmn.kit_folder import FOLDER, RESULT, files


def main() -> None:
    """Run the kit and write its counts."""
    report = run_kit(files(FOLDER), at=datetime(2026, 6, 30, 9, 0, tzinfo=UTC))
    if not report.results:
        raise SystemExit("there is no conformance kit: set FORBEAR_TCK to the kit's TestCases")
    wrong = [f"{result.folder} {result.case}" for result in report.wrong]
    text = json.dumps({"counts": report.counts(), "not passed": wrong}, indent=2)
    RESULT.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
