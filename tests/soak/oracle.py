"""The oracle: what a disturbed run led to, against an undisturbed one of the same seed."""

from __future__ import annotations

from collections.abc import Mapping

from tests.soak.outcome import Outcome

COMPARED = ("entries", "positions", "actions", "effects", "cases", "tasks")


def differences(undisturbed: Outcome, disturbed: Outcome) -> list[str]:
    """Return a sentence for everything that the disturbed run lost, did besides, or did otherwise."""
    found = [f"wrong: {sentence}" for sentence in disturbed.wrong]
    for name in COMPARED:
        one, other = getattr(undisturbed, name), getattr(disturbed, name)
        found += [f"{name}: {said}" for said in _between(one, other)]
    return found


def _between(wanted: Mapping[str, str], got: Mapping[str, str]) -> list[str]:
    lost = [f"{key} is lost: {wanted[key]}" for key in sorted(wanted.keys() - got.keys())]
    besides = [f"{key} is there besides: {got[key]}" for key in sorted(got.keys() - wanted.keys())]
    other = [
        f"{key} is {got[key]}, and not {wanted[key]}"
        for key in sorted(wanted.keys() & got.keys())
        if wanted[key] != got[key]
    ]
    return lost + besides + other
