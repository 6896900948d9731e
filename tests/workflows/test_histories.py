"""Committed histories replay and decide the same for ever; live ones do at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.evidence.auditing import audit_bundle
from api.evidence.bundle import bundle_files, to_zip
from tests.workflows.conftest import Run
from tests.workflows.scenarios import FIXTURES, FORGED, SIMULATED, STORIES, Stage

COMMITTED = sorted(path.relative_to(FIXTURES).with_suffix("").as_posix() for path in FIXTURES.rglob("*.zip"))


@pytest.mark.parametrize("name", [name for name in COMMITTED if name != FORGED])
def test_a_committed_history_is_proved(name: str) -> None:
    report = audit_bundle(FIXTURES / f"{name}.zip", accept_simulated=True)
    assert report.ok, report.render_text()


@pytest.mark.parametrize("name", sorted(SIMULATED))
def test_a_simulated_clock_is_named_and_refused_unless_accepted(name: str) -> None:
    report = audit_bundle(FIXTURES / f"{name}.zip")
    assert [problem.what for problem in report.problems] == ["simulated clock"]


def test_all_stories_are_committed() -> None:
    assert set(COMMITTED) == {*STORIES, FORGED}


def test_a_forged_history_fails_although_its_forger_signed_it() -> None:
    report = audit_bundle(FIXTURES / f"{FORGED}.zip", accept_simulated=True)
    assert not report.ok
    assert report.signed_by
    assert {problem.what for problem in report.problems} == {"event"}


@pytest.mark.parametrize("seed", ["0", "1", "2", "77"])
def test_replay_does_not_hang_on_the_order_of_hashes(seed: str) -> None:
    program = (
        "import sys; from pathlib import Path; from api.evidence.auditing import audit_bundle\n"
        "from api.exiting import leave\n"
        "reports = [audit_bundle(Path(p), accept_simulated=True) for p in sys.argv[1:]]\n"
        "leave(0 if all(r.ok for r in reports) else 1)"
    )
    paths = [str(FIXTURES / f"{name}.zip") for name in STORIES]
    done = subprocess.run(
        [sys.executable, "-c", program, *paths],
        env={**os.environ, "PYTHONHASHSEED": seed},
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert done.returncode == 0


@pytest.mark.parametrize("name", sorted(STORIES))
def test_a_story_played_now_is_proved_at_once(run: Run, stage: Stage, name: str) -> None:
    contents = run(STORIES[name](stage))
    files = bundle_files(contents, Ed25519PrivateKey.generate())
    report = audit_bundle(to_zip(files), accept_simulated=name in SIMULATED)
    assert report.ok, report.render_text()
