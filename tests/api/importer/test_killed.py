"""An import that is killed in mid-file and run again: all of it is there, nothing twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from httpx import Client

from api.importer import over_http, run_import
from api.wiring import Wiring
from tests.api.importer.offline import mapping
from tests.api.rest.conftest import listening

MAPPING = """mapping: x
rows:
  - customer: {id: "C{n}"}
  - account: {id: "A{n}", customer: "C{n}", currency: CNY, timezone: UTC}
  - bill: {account: "A{n}", id: B1, value_date: 2026-01-31, due_date: 2026-02-20, amount: "{n}.50",
           received_at: 2026-01-31}
  - payment: {account: "A{n}", id: "P{#nth}", value_date: 2026-02-10, amount: "1.00",
              received_at: 2026-02-10}
"""
CHILD = """
import os, signal, sys
import api.importer.run as run
from api.importer import load_mapping, over_http, run_import
url, key, file, using, die, late = sys.argv[1:]
run.CHUNK = 40
post, calls = over_http(url, key), 0
def dying(body, mode, dry_run):
    global calls
    calls += 1
    if calls == int(die) and late == "no":
        os.kill(os.getpid(), signal.SIGKILL)
    answer = post(body, mode, dry_run)
    if calls == int(die):
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
mapping = load_mapping(open(using, "rb").read(), using).policy
run_import(mapping, open(file, "rb"), dying)
"""


@pytest.mark.parametrize("late", ["no", "yes"])
def test_killed_before_and_after_the_server_has_written(lite: Wiring, tmp_path: Path, late: str) -> None:
    (tmp_path / "m.yaml").write_text(MAPPING)
    (tmp_path / "f.csv").write_text("n\n" + "".join(f"{n}\n" for n in range(1, 51)))

    file, key = tmp_path / "f.csv", lite.directory.key
    with listening(lite) as url:
        command = [sys.executable, "-c", CHILD, url, key, str(file), str(tmp_path / "m.yaml"), "3", late]
        killed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        there = 120 if late == "yes" else 80
        with file.open("rb") as source:
            again = run_import(mapping(MAPPING), source, over_http(url, key))
        assert (again.stored, again.already, again.rejects) == (200 - there, there, [])
        headers = {"Authorization": f"Bearer {key}"}
        with Client(base_url=url, headers=headers, trust_env=False) as api:
            bills = api.get("/v1/bills", params={"limit": 200}).json()["items"]
            payments = api.get("/v1/payments", params={"limit": 200}).json()["items"]
    names = [f"A{n}" for n in range(1, 51)]
    assert sorted(bill["account"] for bill in bills) == sorted(names)
    assert sorted(payment["account"] for payment in payments) == sorted(names)
