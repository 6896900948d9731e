"""`forbear up` as a real process, and the commands that talk to it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from api.storage.directory import open_directory

ROOT = Path(__file__).parents[3]
MAPPING = """
mapping: customers
rows:
  - customer: {id: "{id}", segment: "{segment}", since: "{since}"}
  - account: {id: "A{id}", customer: "{id}", currency: CNY, timezone: "{zone}"}
"""
GOOD = "id,segment,since,zone\nC1,consumer,2024-01-31,Asia/Shanghai\nC2,sme,2023-05-01,Asia/Urumqi\n"

pytestmark = pytest.mark.slow


@dataclass
class Up:
    process: subprocess.Popen[str]
    data: Path
    url: str
    temporal: str


def forbear(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "api.cli", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env=environment(), text=True, capture_output=True, timeout=120, check=False
    )


def environment() -> dict[str, str]:
    return os.environ | {"FORBEAR_TEMPORAL_PORT": "0"}


def start(data: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "api.cli", "up", "--data", str(data), *more]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    data = tmp_path_factory.mktemp("up") / "data"
    process = start(data, "--port", "0")
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if "Temporal UI" in line:
            break
    api, temporal = re.search(r"API +(http\S+),", said), re.search(r"Temporal +(\S+);", said)
    assert api, said
    assert temporal, said
    yield Up(process, data, api[1], temporal[1])
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, ""), err
    assert out.endswith("Forbear has ended.\n")


def headers(up: Up) -> dict[str, str]:
    return {"Authorization": f"Bearer {(up.data / 'api.key').read_text().strip()}"}


def load(up: Up, tmp_path: Path, text: str, *more: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "customers.csv").write_text(text, encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    return forbear(
        "import", tmp_path / "customers.csv", "--mapping", tmp_path / "mapping.yaml", "--url", up.url,
        "--data", up.data, *more,
    )  # fmt: skip


def test_the_key_is_its_owners_and_every_call_needs_it(up: Up) -> None:
    assert (up.data / "api.key").stat().st_mode & 0o777 == 0o600
    assert httpx.get(f"{up.url}/v1/cases", trust_env=False).status_code == 401
    assert httpx.get(f"{up.url}/v1/cases", headers=headers(up), trust_env=False).status_code == 200
    assert httpx.get(f"{up.url}/docs", trust_env=False).status_code == 200


def test_the_shipped_policies_are_on_the_shelf(up: Up) -> None:
    page = httpx.get(f"{up.url}/v1/policies?limit=100", headers=headers(up), trust_env=False).json()
    assert {item["name"] for item in page["items"]} >= {
        "consumer-credit",
        "consumer-collections",
        "cn-telecom",
    }
    again = forbear("publish", "policies", "--data", up.data, "--without-cases", "the start has run them")
    assert again.returncode == 0, again.stderr
    assert "there already" in again.stdout
    assert " new" not in again.stdout


def test_a_file_is_imported_once(up: Up, tmp_path: Path) -> None:
    dry = load(up, tmp_path, GOOD, "--dry-run")
    assert (dry.returncode, "would be stored: 2 account, 2 customer" in dry.stdout) == (0, True), dry
    done = load(up, tmp_path, GOOD)
    assert (done.returncode, "; stored: 2 account, 2 customer" in done.stdout) == (0, True), done
    again = load(up, tmp_path, GOOD)
    assert (again.returncode, "4 there already" in again.stdout) == (0, True), again


@pytest.mark.parametrize(("mode", "kept"), [("each", True), ("all", False)])
def test_a_bad_row_is_named_and_the_good_ones_are_kept_or_none(
    up: Up, tmp_path: Path, mode: str, kept: bool
) -> None:
    name = f"G{mode}"
    text = GOOD.replace("C1", name) + "B1,consumer,31/01/2024,Asia/Shanghai\n"
    done = load(up, tmp_path, text.replace("C2", f"{name}2"), "--mode", mode)
    assert done.returncode == 1
    assert "line 4, column `since`" in done.stdout
    assert "`31/01/2024`" in done.stdout
    found = httpx.get(f"{up.url}/v1/customers/{name}", headers=headers(up), trust_env=False)
    assert (found.status_code == 200) is kept


def test_an_import_as_json(up: Up, tmp_path: Path) -> None:
    said = json.loads(load(up, tmp_path, GOOD, "--format", "json").stdout)
    assert (said["lines"], said["refused"]) == (2, 0)


def test_a_second_one_on_the_same_directory_is_told_so(up: Up) -> None:
    second = forbear("up", "--data", up.data, "--port", "0")
    assert second.returncode == 3
    assert "is in use by process" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_busy_port_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = forbear("up", "--data", tmp_path / "d", "--port", str(port))
    assert done.returncode == 3
    assert f"Port {port} of 127.0.0.1 is in use by another process" in done.stderr


def test_a_worker_joins_and_ends(up: Up) -> None:
    command = [sys.executable, "-m", "api.cli", "worker", "--data", str(up.data), "--temporal", up.temporal]
    worker = subprocess.Popen(command, cwd=ROOT, env=environment(), text=True, stdout=subprocess.PIPE)
    assert worker.stdout
    assert worker.stdout.readline().startswith(f"Working for Temporal at {up.temporal}")
    worker.send_signal(signal.SIGTERM)
    out, _ = worker.communicate(timeout=60)
    assert (worker.returncode, out) == (0, "Ending ...\n")


def test_a_worker_of_another_ledger_is_turned_away(up: Up, tmp_path: Path) -> None:
    open_directory(tmp_path, datetime.now(UTC))
    done = forbear("worker", "--data", tmp_path, "--temporal", up.temporal)
    assert done.returncode == 3
    assert "holds the cases of ledger" in done.stderr


def test_a_worker_without_temporal_says_so(tmp_path: Path) -> None:
    open_directory(tmp_path, datetime.now(UTC))
    done = forbear("worker", "--data", tmp_path, "--temporal", "127.0.0.1:1")
    assert (done.returncode, "Temporal does not answer at 127.0.0.1:1" in done.stderr) == (3, True), done


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["worker"], "is no data directory"),
        (["import", "README.md", "--mapping", "nowhere.yaml"], "There is no file `nowhere.yaml`"),
        (["import", "nowhere.csv", "--mapping", "fixtures/mappings/uci-default.yaml"], "There is no key at"),
        (["audit", "nowhere.zip"], "There is no bundle `nowhere.zip`"),
        (["audit", "README.md"], "It is no zip that can be read"),
        (["audit"], "is no data directory"),
        (["publish", "nowhere"], "There is no folder `nowhere`"),
        (["up", "--port", "0", "--data", "README.md"], "README.md"),
        (["up", "--port", "0", "--policies", "nowhere"], "there is no folder `nowhere` to publish from"),
        (["demo", "--data", "README.md"], "has no column `ID`"),
    ],
)
def test_what_stands_in_the_way_is_one_sentence(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    data = [] if "--data" in arguments else ["--data", str(tmp_path / "data")]
    done = forbear(*arguments, *data)
    assert done.returncode == 3, done
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("forbear: ")


def test_an_empty_shelf_takes_no_policy_whose_cases_do_not_hold(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    shutil.copytree(ROOT / "policies" / "key-account-credit", folder / "key-account-credit")
    cases = folder / "key-account-credit" / "cases.yaml"
    said = cases.read_text(encoding="utf-8")
    cases.write_text(said.replace("grade: A", "grade: C", 1), encoding="utf-8")
    assert cases.read_text(encoding="utf-8") != said
    process = start(tmp_path / "data", "--port", "0", "--policies", str(folder))
    out, err = process.communicate(timeout=120)
    assert (process.returncode, "are published" in out) == (1, False)
    assert "Nothing was published: 1 case does not hold." in err
    assert f"`forbear publish {folder} --data {tmp_path / 'data'} --without-cases REASON`" in err
