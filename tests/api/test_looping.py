"""What serves runs on libuv's loop where it is installed, and on the standard one elsewhere."""

from __future__ import annotations

import asyncio
import sys

import pytest

from api.looping import loop_factory, run


async def running() -> str:
    return type(asyncio.get_running_loop()).__module__


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop is not made for Windows")
def test_the_fast_loop_is_taken() -> None:
    assert run(running()).startswith("uvloop")


def test_without_it_the_standard_one_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop_factory() is None
    assert run(running()).startswith("asyncio")
