"""Any bytes for hours: the property tests of the house, each for a time instead of a number of examples.

A plugin: `pytest -p tests.soak.fuzzing --soak-seconds 60 --soak-seed 1 --soak-file fuzz.json FILES`. A
failure is kept in the file with its test and seed; `--soak-seconds 0 --soak-seed SEED TEST` shows it again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

TARGETS = (
    "tests/engine/feel/test_fuzz.py",
    "tests/engine/feel/test_to_python.py",
    "tests/engine/text/test_yaml.py",
    "tests/engine/text/test_table.py",
    "tests/engine/tables/test_xlsx.py",
    "tests/engine/tables/test_align.py",
    "tests/engine/credit/test_check.py",
    "tests/engine/ladder/test_hostile.py",
    "tests/engine/watch/test_any_text.py",
    "tests/engine/dmn/test_robust.py",
    "tests/engine/dmn/test_xml.py",
    "tests/api/rest/test_any_bytes.py",
)
"""Where any expression, YAML, CSV, XLSX, policy, DMN and request is given to the product."""
AT_A_TIME = 200
"""Examples of one seed."""


@dataclass(slots=True)
class Fuzzed:
    """How far one test has come."""

    seconds: float = 0.0
    examples: int = 0
    seeds: int = 0
    failures: list[dict[str, Any]] = field(default_factory=list)


def read_fuzzed(path: Path) -> dict[str, Fuzzed]:
    """Read how far each test has come; nothing has begun without a file."""
    if not path.exists():
        return {}
    return {name: Fuzzed(**said) for name, said in json.loads(path.read_text(encoding="utf-8")).items()}


def write_whole(path: Path, value: Any) -> None:
    """Write JSON so that a process that is ended half way leaves the old file or the new one."""
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    beside.replace(path)


class Fuzzing:
    """Runs each property test again and again, with another seed each time, until its time is over."""

    def __init__(self, seconds: float, seed: int, path: Path | None) -> None:
        self._total, self._seed, self._path = seconds, seed, path
        self._each = 0.0
        self._done = read_fuzzed(path) if path else {}
        self._now = Fuzzed()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the property tests; each gets the same time."""
        items[:] = [item for item in items if is_hypothesis_test(getattr(item, "obj", None))]
        self._each = self._total / max(1, len(items))

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool:
        """Call a test until its time is over, or it fails."""
        names = pyfuncitem._fixtureinfo.argnames
        given = {name: pyfuncitem.funcargs[name] for name in names if name in pyfuncitem.funcargs}
        done = self._now = self._done.setdefault(pyfuncitem.nodeid, Fuzzed())
        test = self._prepared(pyfuncitem.obj)
        while True:
            began = time.monotonic()
            test._hypothesis_internal_use_seed = self._seed + done.seeds
            try:
                test(**given)
            except Exception as error:
                said = {"seed": self._seed + done.seeds, "error": f"{type(error).__name__}: {error}"[:500]}
                done.failures.append(said | {"notes": getattr(error, "__notes__", [])[:3]})
                raise
            finally:
                done.seeds += 1
                done.seconds += time.monotonic() - began
                if self._path:
                    write_whole(self._path, {name: asdict(one) for name, one in self._done.items()})
            if done.seconds >= self._each:
                return True

    def _prepared(self, test: Any) -> Any:
        test._hypothesis_internal_use_settings = settings(
            getattr(test, "_hypothesis_internal_use_settings", settings.default),
            max_examples=AT_A_TIME, deadline=None, derandomize=False, database=None, print_blob=False,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        inner: Callable[..., Any] = test.hypothesis.inner_test

        def counted(*given: Any, **named: Any) -> Any:
            self._now.examples += 1
            return inner(*given, **named)

        if not hasattr(inner, "counts"):  # one function is called for each of its parameters
            counted.counts = True  # type: ignore[attr-defined]
            test.hypothesis.inner_test = counted
        return test


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the time for all tests together, the seed, and the file."""
    parser.addoption("--soak-seconds", type=float, default=60.0)
    parser.addoption("--soak-seed", type=int, default=1)
    parser.addoption("--soak-file", type=Path, default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Take over the calls of tests."""
    asked = (config.getoption(f"--soak-{name}") for name in ("seconds", "seed", "file"))
    config.pluginmanager.register(Fuzzing(*asked), "fuzzing")
