"""The running server does what its document says: every check of schemathesis, with Temporal behind it.

`SCHEMATHESIS_EXAMPLES=500` asks for more: then also fuzzed sequences of calls.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.serving import Serving
from api.settings import Settings
from tests.api.rest.test_grading import running

HERE = Path(__file__).parent
POLICIES = HERE.parents[2] / "policies"
ALIKE = (
    "issued-bills|returned-payments|return-reversals|refunds|adjustments|fee-waivers|write-downs|recoveries|"
    "ended-plans|dispute-resolutions|promise-withdrawals|hold-releases|account-feeds|write-off-marks|demands|"
    "deposit-reviews|contacts|acts|promises|deposits"
)
"""Kinds of entries that have the same code as the others: asked only when there is time for more."""
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "1"))
PHASES = "examples,coverage,fuzzing,stateful" if EXAMPLES > 1 else "examples,coverage,fuzzing"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    settings = Settings(data=tmp_path_factory.mktemp("checked") / "data", port=0, temporal_port=0)
    with running(settings, simulated=False) as found:
        found.wiring.publisher.publish_folder(POLICIES, datetime.now(UTC))
        yield found


def test_no_check_fails(served: Serving, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "run",
            f"{served.url}/openapi.json", "-H", f"Authorization: Bearer {served.wiring.directory.key}",
            "--checks", "all", "--phases", PHASES, "--max-examples", str(EXAMPLES), "--seed", "7",
            *(("--exclude-path-regex", f"^/v1/({ALIKE})") if EXAMPLES == 1 else ()),
            "--workers", "2", "--no-color", "--suppress-health-check", "all", "--request-timeout", "60",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.api.schemathesis.hooks",
                          "PYTHONPATH": str(HERE.parents[2])},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
