"""The soak: `python -m tests.soak --kills 300 --minutes 60 --seed 1`; see `make soak`.

Runs until there were so many kills, and so many minutes of any bytes beside them. It can be ended at any
moment and is taken up again where it was; another seed begins another one. Exit code 1: something was found.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import time
from pathlib import Path

from api.demo.account_run import RunFailed
from api.demo.client import CallRefused
from api.exiting import leave
from tests.soak.fuzzing import TARGETS
from tests.soak.oracle import differences
from tests.soak.parts import PartEnded
from tests.soak.playing import POSTGRESQL, SQLITE, Plan, Played, drawn, play
from tests.soak.postgres import PostgresAway
from tests.soak.real_time import CALLS, play_now
from tests.soak.scenario import ROOT, Scenario, scenario
from tests.soak.service import DEFECTS
from tests.soak.state import RESULT, Round, State, kept_at, result_of

FOLDER = ROOT / ".forbear-soak"
KILLS = 10
"""Of one run."""
ENOUGH = 5
"""Runs with findings after which the soak ends."""
OF_A_STORY = 4
"""Runs of one scenario, each compared with the same run in peace; the last of four is by the real clock."""
TROUBLE = (RunFailed, PartEnded, CallRefused)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Soak:
    """One soak, from its state to its result."""

    def __init__(self, seed: int, kills: int) -> None:
        self._path, self._wanted = FOLDER / "state.json", kills
        self.state = State.read(self._path, seed)
        self._peace: tuple[int, Scenario, Played] | None = None

    async def run(self) -> None:
        """Plant the defects once, then run until there were enough kills."""
        if not self.state.planted:
            await self._plant()
        while (left := self._wanted - self.state.kills) > 0 and self._broken() < ENOUGH:
            await self._round(min(KILLS, left))
            self.state.write(self._path)

    def _broken(self) -> int:
        return sum(bool(one.found) for one in self.state.rounds)

    async def _plant(self) -> None:
        told, peace = await self._in_peace(self.state.seed)
        for name in DEFECTS:
            played = await play(told, Plan(sabotage=name), _fresh("planted"))
            self.state.planted[name] = len(differences(peace.outcome, played.outcome))
            say(f"planted `{name}`: {self.state.planted[name]} differences found")
        self.state.write(self._path)

    async def _in_peace(self, seed: int) -> tuple[Scenario, Played]:
        if self._peace is None or self._peace[0] != seed:
            told = scenario(seed)
            self._peace = (seed, told, await play(told, Plan(), _fresh("peace")))
        return self._peace[1], self._peace[2]

    async def _round(self, kills: int) -> None:
        number = len(self.state.rounds)
        if number % OF_A_STORY == OF_A_STORY - 1:
            await self._by_the_real_clock(number, kills)
            return
        seed = self.state.seed * 1_000 + number
        began = time.monotonic()
        told, peace = await self._in_peace(self.state.seed + number // OF_A_STORY)
        found = [f"in peace: {said}" for said in peace.outcome.wrong]
        postgres = number % 2 == 1
        folder = _fresh(f"run-{number}")
        plan = Plan(seed, drawn(seed, POSTGRESQL if postgres else SQLITE, kills), postgres, peace.calls)
        try:
            played = await play(told, plan, folder)
        except PostgresAway as error:
            say(str(error))
            played = await play(told, Plan(seed, drawn(seed, SQLITE, kills), False, peace.calls), folder)
        except TROUBLE as error:
            played = None
            found.append(f"{type(error).__name__}: {error}")
        if played is not None:
            found += differences(peace.outcome, played.outcome)
            found += [] if played.report.ok else [played.report.render_text()[:2_000]]
        self._note(number, plan, played, found, began, folder)

    async def _by_the_real_clock(self, number: int, kills: int) -> None:
        seed = self.state.seed * 1_000 + number
        postgres = number // OF_A_STORY % 2 == 1
        kinds = drawn(seed, POSTGRESQL if postgres else SQLITE, kills)
        plan, folder, began = Plan(seed, kinds, postgres, CALLS), _fresh(f"run-{number}"), time.monotonic()
        try:
            played, found = await play_now(seed, plan, folder)
            found += [] if played.report.ok else [played.report.render_text()[:2_000]]
        except (*TROUBLE, PostgresAway) as error:
            self._note(number, plan, None, [f"{type(error).__name__}: {error}"], began, folder)
        else:
            self._note(number, plan, played, found, began, folder)

    def _note(
        self, number: int, plan: Plan, played: Played | None, found: list[str], began: float, folder: Path
    ) -> None:
        done = Round(
            number, plan.seed, "postgresql" if plan.postgres else "sqlite",
            dict(played.kills) if played else {},
            len(played.outcome.effects) if played else 0, played.outcome.repeats if played else 0,
            round(time.monotonic() - began, 1), found,
        )  # fmt: skip
        self.state.rounds.append(done)
        say(
            f"run {number}, seed {plan.seed}, {done.database}: {sum(done.kills.values())} kills, "
            f"{done.effects} effects, {done.repeats} told again, {done.seconds:.0f} s, "
            f"{len(found)} findings; {self.state.kills} of {self._wanted} kills"
        )
        for sentence in found[:5]:
            say(f"    {sentence}")
        if not found:
            shutil.rmtree(folder)


def _fresh(name: str) -> Path:
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def fuzz(seed: int, minutes: float) -> subprocess.Popen[bytes]:
    """Start the property tests in a process of their own; it goes on where it was."""
    path = FOLDER / f"fuzz-{seed}.json"
    options = ["--soak-seconds", str(minutes * 60), "--soak-seed", str(seed), "--soak-file", str(path)]
    command = [sys.executable, "-m", "pytest", "-p", "tests.soak.fuzzing", "-p", "no:cacheprovider", "-q"]
    command += ["-o", "timeout=0", *options, *TARGETS]
    with (FOLDER / "fuzz.log").open("wb") as log:
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)


def main() -> int:
    """Soak, and say what came of it."""
    parser = argparse.ArgumentParser(prog="tests.soak")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--result", type=Path, default=RESULT)
    asked = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    soak = Soak(asked.seed, asked.kills)
    say(f"Soak with seed {asked.seed}: {soak.state.kills} of {asked.kills} kills are done; kept in {FOLDER}.")
    bytes_ = fuzz(asked.seed, asked.minutes) if asked.minutes else None
    try:
        asyncio.run(soak.run())
        if bytes_ is not None:
            say(f"All kills are done; waiting for the property tests, see {FOLDER / 'fuzz.log'}.")
            bytes_.wait()
    finally:
        if bytes_ is not None:
            bytes_.terminate()
    result = result_of(soak.state, FOLDER / f"fuzz-{asked.seed}.json", ROOT)
    kept_at(asked.result, result)
    say(result["line"])
    for failure in result["failures"]:
        say(f"  {failure}")
    return 0 if result["passed"] else 1


if __name__ == "__main__":
    leave(main())
