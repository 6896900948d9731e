"""One matcher process: started, asked, measured and ended by its owner."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from api.matcher import child
from engine.watch.encode import RawMatch

_CHILD = str(Path(child.__file__).resolve())


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process may cost before it is replaced."""

    seconds: float = 5.0
    """For one window; then it is killed."""
    windows: int = 5_000
    """Windows until it is replaced by a fresh one."""
    megabytes: int = 256
    """Resident memory at which it is replaced; twice that it cannot have."""
    matches: int = 20_000
    """Matches of one window."""
    start_seconds: float = 20.0


class MatcherGone(Exception):
    """The matcher process crashed, hung, broke off or refused a window; it is not used again."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The matcher process is gone: {why}.")
        self.why = why


class MatcherRefused(MatcherGone):
    """The window asks for more than a process may cost; another process would refuse it as well."""


class MatcherProcess:
    """A running process with the rulesets of one policy; one caller at a time."""

    def __init__(self, rulesets: Mapping[str, Mapping[str, Any]], limits: Limits) -> None:
        self.limits, self.windows, self.megabytes = limits, 0, 0
        command = [sys.executable, "-I", "-X", "utf8", _CHILD]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
        )  # fmt: skip
        settings = {
            "load": rulesets, "seconds": limits.seconds + 1, "megabytes": limits.megabytes * 2 + 512,
            "matches": limits.matches,
        }  # fmt: skip
        self._ask(settings, limits.start_seconds)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_worn(self) -> bool:
        """Tell whether the process has done or grown enough to be replaced."""
        return self.windows >= self.limits.windows or self.megabytes >= self.limits.megabytes

    def match(self, name: str, facts: Sequence[Mapping[str, Any]]) -> list[RawMatch]:
        """Return what fires for a window of facts; raises MatcherGone, and the process is then ended."""
        answer = self._ask({"match": name}, self.limits.seconds, map(child.encoded, facts))
        if "refused" in answer:
            self.close()
            raise MatcherRefused(f"it refused the window: {answer['refused']}")
        self.windows += 1
        self.megabytes = answer["megabytes"]
        return [(rule, positions) for rule, positions in answer["fired"]]

    def close(self) -> None:
        """End the process and wait for it."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def _ask(self, value: Any, seconds: float, lines: Iterable[str] = ()) -> Any:
        deadline = monotonic() + seconds
        try:
            self._write(child.frame(value, lines), deadline)
            head = self._read(child.LENGTH.size, deadline)
            (length,) = child.LENGTH.unpack(head)
            if length > child.MOST_BYTES:
                raise MatcherGone(f"it answered {length:,} bytes")
            return json.loads(self._read(length, deadline))
        except MatcherGone:
            self.close()
            raise
        except (OSError, ValueError) as error:
            self.close()
            raise MatcherGone(f"{type(error).__name__}{self._ending()}") from error

    def _ending(self) -> str:
        code = self._process.poll()
        return "" if code is None else f", it ended with {code}"

    def _write(self, data: bytes, deadline: float) -> None:
        pipe = self._process.stdin
        assert pipe is not None  # asked for when it was started
        os.set_blocking(pipe.fileno(), False)
        rest = memoryview(data)
        while rest:
            self._wait([], [pipe.fileno()], deadline)
            try:
                rest = rest[os.write(pipe.fileno(), rest[: 1 << 16]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as error:
                raise MatcherGone("it broke off") from error

    def _read(self, count: int, deadline: float) -> bytes:
        pipe = self._process.stdout
        assert pipe is not None  # asked for when it was started
        parts: list[bytes] = []
        while count:
            self._wait([pipe.fileno()], [], deadline)
            part = os.read(pipe.fileno(), min(count, 1 << 16))
            if not part:
                self._process.wait()
                raise MatcherGone(f"it broke off{self._ending()}")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _wait(self, readable: list[int], writable: list[int], deadline: float) -> None:
        poller = select.poll()
        for number in readable:
            poller.register(number, select.POLLIN | select.POLLHUP)
        for number in writable:
            poller.register(number, select.POLLOUT | select.POLLERR)
        if not poller.poll(max(0.0, deadline - monotonic()) * 1000):
            raise MatcherGone(f"it took longer than {self.limits.seconds:g} s")
