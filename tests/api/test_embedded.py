"""The embedded Temporal: busy ports, files in use, and no process that outlives a killed parent."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

from api import watchdog
from api.embedded import DirectoryInUse, EmbeddedTemporal, PortBusy, TemporalNotStarted, connect

PARENT = """
import asyncio, sys
from pathlib import Path
from api.embedded import EmbeddedTemporal

async def main():
    server = await EmbeddedTemporal.start(Path(sys.argv[1]))
    print(server.address, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def server_pid(folder: Path) -> int:
    return int((folder / "temporal.lock").read_text().strip())


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_server_outlives_a_killed_parent_and_the_next_one_starts(
    tmp_path: Path, number: signal.Signals
) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE)
    assert parent.stdout
    with parent.stdout:
        assert parent.stdout.readline().startswith(b"127.0.0.1:")
    first = server_pid(tmp_path)
    assert lives(first)
    os.kill(parent.pid, number)
    parent.wait()

    async def next_one() -> None:
        async with await EmbeddedTemporal.start(tmp_path) as server:
            assert server_pid(tmp_path) != first
            client = await connect(server.address, "forbear-test")
            about = await client.workflow_service.describe_namespace(
                DescribeNamespaceRequest(namespace="default")
            )
            kept = about.config.workflow_execution_retention_ttl.ToTimedelta()
            assert kept == timedelta(days=365)

    asyncio.run(next_one())
    until(lambda: not lives(first), "the first server is still there")


def test_no_server_outlives_its_killed_guard(tmp_path: Path) -> None:
    async def killed() -> int:
        server = await EmbeddedTemporal.start(tmp_path)
        pid = server_pid(tmp_path)
        server._guard.kill()
        await server.stop()
        return pid

    pid = asyncio.run(killed())
    if sys.platform == "linux":
        until(lambda: not lives(pid), "the server is still there")


def test_a_busy_port_is_named_with_its_setting(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortBusy, match=f"Port {port} .* FORBEAR_TEMPORAL_PORT"):
            asyncio.run(EmbeddedTemporal.start(tmp_path, port=port))
        with pytest.raises(PortBusy, match="web page"):
            asyncio.run(EmbeddedTemporal.start(tmp_path, ui_port=port))


def test_two_on_the_same_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = tmp_path / "watchdog.py"
    text = Path(str(watchdog.__file__)).read_text()
    short.write_text(text.replace("LOCK_SECONDS = 30.0", "LOCK_SECONDS = 0.3"))
    folder = tmp_path / "data"

    async def both() -> None:
        async with await EmbeddedTemporal.start(folder):
            monkeypatch.setattr(watchdog, "__file__", str(short))
            with pytest.raises(DirectoryInUse, match=str(server_pid(folder))):
                await EmbeddedTemporal.start(folder)

    asyncio.run(both())


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "temporal.sqlite").write_text("this is no database, " * 200)
    with pytest.raises(TemporalNotStarted, match=r"ended with code .*temporal\.log"):
        asyncio.run(EmbeddedTemporal.start(tmp_path))


def test_the_web_page_is_there_only_when_asked_for(tmp_path: Path) -> None:
    async def both() -> None:
        async with await EmbeddedTemporal.start(tmp_path) as server:
            assert server.ui_url is None
        async with await EmbeddedTemporal.start(tmp_path, ui_port=0) as server:
            assert server.ui_url
            host, port = server.ui_url.removeprefix("http://").split(":")
            with socket.create_connection((host, int(port)), timeout=10):
                pass

    asyncio.run(both())


LEAVES = """
import asyncio, sys
from api.embedded import connect
from api.exiting import leave

async def main():
    await (await connect(sys.argv[1], "forbear-test")).count_workflows()

asyncio.run(main())
print("done")
leave(int(sys.argv[2]))
"""


def test_a_command_that_used_temporal_ends_with_its_own_code(tmp_path: Path) -> None:
    async def story() -> list[tuple[int, bytes]]:
        async with await EmbeddedTemporal.start(tmp_path) as server:
            found = []
            for code in (0, 3, 0, 3):
                command = [sys.executable, "-c", LEAVES, server.address, str(code)]
                done = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
                said, _ = await done.communicate()
                found.append((done.returncode or 0, said))
            return found

    assert asyncio.run(story()) == [(0, b"done\n"), (3, b"done\n")] * 2
