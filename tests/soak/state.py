"""How far a soak has come, kept in a file after each run of it, so that it can be taken up again."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.soak.fuzzing import read_fuzzed, write_whole

RESULT = Path(__file__).with_name("RESULT.json")


@dataclass(slots=True)
class Round:
    """One run with kills: what was killed and when, and what differed from the run in peace."""

    number: int
    seed: int
    database: str
    kills: dict[str, int]
    effects: int
    repeats: int
    seconds: float
    found: list[str] = field(default_factory=list)


@dataclass(slots=True)
class State:
    """A soak by its seed."""

    seed: int
    rounds: list[Round] = field(default_factory=list)
    planted: dict[str, int] = field(default_factory=dict)
    """Defects that were put into the service, with how many differences the oracle found for each."""

    @property
    def kills(self) -> int:
        """How many kills there were."""
        return sum(sum(one.kills.values()) for one in self.rounds)

    @classmethod
    def read(cls, path: Path, seed: int) -> State:
        """Take up the soak of a seed, or begin it."""
        if not path.exists():
            return cls(seed)
        said = json.loads(path.read_text(encoding="utf-8"))
        if said["seed"] != seed:
            return cls(seed)
        return cls(seed, [Round(**one) for one in said["rounds"]], said["planted"])

    def write(self, path: Path) -> None:
        """Keep it."""
        write_whole(path, asdict(self))


def result_of(state: State, fuzz: Path, root: Path) -> dict[str, Any]:
    """Return the totals with the verdict, the commit and the date."""
    fuzzed = read_fuzzed(fuzz)
    kills: Counter[str] = Counter()
    for one in state.rounds:
        kills.update({f"{one.database}: {name}": n for name, n in one.kills.items()})
    failures = [
        f"round {one.number}, seed {one.seed}: {said}" for one in state.rounds for said in one.found[:5]
    ]
    failures += [
        f"{name}, seed {f['seed']}: {f['error']}" for name, one in fuzzed.items() for f in one.failures
    ]
    failures += [f"the planted defect `{name}` was not found" for name, n in state.planted.items() if not n]
    totals: dict[str, Any] = {
        "passed": not failures,
        "commit": _git(root, "rev-parse", "HEAD") + ("+" if _git(root, "status", "--porcelain") else ""),
        "date": datetime.now(UTC).date().isoformat(),
        "seed": state.seed,
        "kills": state.kills,
        "kills_by_part": dict(sorted(kills.items())),
        "rounds": len(state.rounds),
        "minutes_of_kills": round(sum(one.seconds for one in state.rounds) / 60, 1),
        "effects_compared": sum(one.effects for one in state.rounds),
        "messages_told_again": sum(one.repeats for one in state.rounds),
        "planted_defects": state.planted,
        "fuzz_tests": len(fuzzed),
        "fuzz_examples": sum(one.examples for one in fuzzed.values()),
        "fuzz_minutes": round(sum(one.seconds for one in fuzzed.values()) / 60, 1),
        "failures": failures,
    }
    return {"line": line_of(totals), **totals}


def kept_at(path: Path, result: dict[str, Any]) -> None:
    """Write a result, with the lines of those before it, whatever they said."""
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    earlier = [before["line"], *before["earlier"]] if before else []
    write_whole(path, result | {"earlier": earlier[:20]})


def line_of(totals: dict[str, Any]) -> str:
    """Return the totals as one sentence."""
    verdict = "passed" if totals["passed"] else f"FAILED with {len(totals['failures'])} findings"
    minutes, examples = totals["minutes_of_kills"], f"{totals['fuzz_examples']:,} examples"
    return (
        f"{totals['date']}, commit {totals['commit'][:10]}, seed {totals['seed']}: "
        f"{totals['kills']} kills in {totals['rounds']} runs ({minutes} minutes), "
        f"{totals['effects_compared']} effects compared; {examples} of {totals['fuzz_tests']} property tests "
        f"({totals['fuzz_minutes']} minutes): {verdict}."
    )


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
    return done.stdout.strip()
