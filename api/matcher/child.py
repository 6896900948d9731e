"""The process that holds durable-rules: rules in, then windows of facts in and what fired out.

It is started by file, isolated, and imports nothing of this house: its C code may end it at any moment.
A frame is four bytes of length and a JSON text. Each frame is answered with one frame; the process ends when
its input does.
"""

from __future__ import annotations

import json
import resource
import signal
import struct
import sys
from collections.abc import Iterable
from typing import Any, BinaryIO

LENGTH = struct.Struct(">I")
encoded = json.JSONEncoder(separators=(",", ":")).encode
MOST_BYTES = 64 * 1024 * 1024
"""The longest frame."""
STATE = "w"
PRIMER = {"id": "prime", "sid": STATE, "t": -1}
"""A fact that makes one rule fire first: only a state in which an action has run can be deleted safely."""
PRIME_RULE = {"all": [{"prime": {"t": -1}}], "count": 1}


class Refused(Exception):  # named for what happened
    """The C module has answered with something that must not happen; the process is not to be used again."""


class TooMuch(Refused):
    """A window asks for more than a process may cost: a fresh one would come to the same."""


def read_frame(source: BinaryIO) -> bytes | None:
    """Return the next frame's text, or None at the end of the input."""
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    data = source.read(length)
    return data if len(data) == length <= MOST_BYTES else None


def frame(value: Any, lines: Iterable[str] = ()) -> bytes:
    """Return a value as a frame, with lines of JSON texts that are passed on as they are."""
    data = "\n".join([encoded(value), *lines]).encode()
    return LENGTH.pack(len(data)) + data


class Rules:
    """One ruleset in the C module, and how a window goes through it."""

    def __init__(self, engine: Any, name: str, ruleset: dict[str, Any], most_matches: int) -> None:
        self.engine, self.most_matches = engine, most_matches
        self.handle = engine.create_ruleset(name, json.dumps({**ruleset, "prime": PRIME_RULE}))

    def match(self, facts: Iterable[str]) -> list[tuple[str, dict[str, int]]]:
        """Return what fires for a window of facts, each a JSON text; raises Refused."""
        offset = self._prime()
        for fact in facts:
            code, _ = self.engine.assert_fact(self.handle, fact)
            if code not in (0, 1):  # 0: some rule looks at it, 1: none does
                raise Refused(f"assert_fact answered {code}")
        fired = self._drain(offset)
        self.engine.delete_state(self.handle, STATE)
        return fired

    def _prime(self) -> int:
        code, offset = self.engine.assert_fact(self.handle, json.dumps(PRIMER))
        if code != 0 or [name for name, _ in self._drain(offset)] != ["prime"]:
            raise Refused(f"the first fact was answered by {code}")
        return int(offset)

    def _drain(self, offset: int) -> list[tuple[str, dict[str, int]]]:
        fired: list[tuple[str, dict[str, int]]] = []
        step = self.engine.start_action_for_state(self.handle, offset)
        found = step[1] if step else None
        while found:
            ((rule, match),) = json.loads(found).items()
            fired.append((rule, {name: fact.get("n", 0) for name, fact in match.items()}))
            if len(fired) > self.most_matches:
                raise TooMuch(f"more than {self.most_matches:,} matches")
            found = self.engine.complete_and_start_action(self.handle, offset)
        return fired


def peak_megabytes() -> int:
    """Return the most resident memory that this process has had.

    `ru_maxrss` begins, on Linux, with what the process that started this one had; the kernel's own mark,
    which is read there, begins anew with each program.
    """
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) // 1024
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit // (1024 * 1024)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer frames until the input ends.

    `{"load": {name: ruleset}, "seconds": s, "megabytes": m, "matches": n}` comes first, then `{"match": n}`
    with a line for each fact. A window that takes longer than `seconds` ends the process; one with too many
    matches is answered by `{"refused": why}`, and then it ends, too.
    """
    import durable_rules_engine as engine  # only this process loads the C module

    first = read_frame(source)
    if first is None:
        return
    settings = json.loads(first)
    limit = settings["megabytes"] * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    loaded = {
        n: Rules(engine, f"p{i}", r, settings["matches"]) for i, (n, r) in enumerate(settings["load"].items())
    }
    sink.write(frame({"loaded": sorted(loaded)}))
    sink.flush()
    while (text := read_frame(source)) is not None:
        asked, *facts = text.decode().split("\n")
        signal.setitimer(signal.ITIMER_REAL, settings["seconds"])  # SIGALRM ends even an endless loop in C
        try:
            answer: dict[str, Any] = {"fired": loaded[json.loads(asked)["match"]].match(facts)}
        except TooMuch as why:
            sink.write(frame({"refused": str(why)}))
            sink.flush()
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        answer["megabytes"] = peak_megabytes()
        sink.write(frame(answer))
        sink.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
