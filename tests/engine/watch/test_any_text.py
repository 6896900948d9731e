"""Any text as a watch policy, its cases or its conditions gets an answer, never an exception."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.watch import load_watch, run_watch_cases
from tests.engine.watch.test_clock import MOVED
from tests.engine.watch.test_from_yaml import HEAD, RULE

FOLDER = Path(__file__).parents[3] / "policies" / "arrears-watch"
POLICY, CASES = ((FOLDER / name).read_bytes() for name in ("policy.yaml", "cases.yaml"))
ANY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
PIECES = st.sampled_from(
    [
        "u.amount",
        "u.count",
        "u.note",
        "u.roaming",
        "u.day",
        "u.at",
        "now",
        "and",
        "or",
        "not(",
        ")",
        "(",
        "+",
        "-",
        "*",
        "/",
        ">",
        ">=",
        "=",
        "!=",
        "<",
        "in",
        "between",
        "null",
        "true",
        '"a"',
        "1",
        "0.5",
        "99999999999",
        "1e9",
        '@"P3D"',
        '@"2026-01-01"',
        '@"2026-01-01T00:00:00Z"',
        "[1..2]",
        "type",
        ",",
        ".",
        "if",
        "then",
        "else",
    ]
)


@st.composite
def mutations(draw: st.DrawFn, data: bytes) -> bytes:
    """Return a text with some pieces cut out, doubled or overwritten."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = start + draw(st.integers(0, 40))
        piece = draw(st.one_of(st.binary(max_size=6), st.just(data[start:end] * 2), st.just(b"")))
        data = data[:start] + piece + data[end:]
    return data


@ANY
@given(mutations(POLICY))
def test_a_damaged_policy_is_read_or_refused(data: bytes) -> None:
    loaded = load_watch({"policy.yaml": data})
    assert (loaded.policy is None) is any(problem.severity == "error" for problem in loaded.problems)


@ANY
@given(mutations(CASES))
def test_damaged_cases_are_run_or_refused(data: bytes) -> None:
    report = run_watch_cases(MOVED, data)
    assert report.render()


@ANY
@given(st.lists(PIECES, min_size=1, max_size=12))
def test_any_condition_is_carried_or_refused(pieces: list[str]) -> None:
    condition = " ".join(pieces).replace("'", "")
    loaded = load_watch(
        {"policy.yaml": (HEAD + RULE.format(condition=f'type = "usage" and ({condition})')).encode()}
    )
    assert loaded.policy is not None or loaded.problems
