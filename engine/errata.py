"""Changes of meaning since the first release: what was decided otherwise before, and by which test.

`engine.model.SEMANTICS` rises by one with each entry. An audit that takes an old decision again asks here
whether a difference is explained.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.model import SEMANTICS


@dataclass(frozen=True, slots=True)
class Erratum:
    """One change of meaning."""

    number: int
    semantics: int
    """Decisions taken under a lower number were taken the old way."""
    what: str
    test: str
    """The test that shows the difference, as `path::name`."""


ERRATA: tuple[Erratum, ...] = (
    Erratum(
        1,
        2,
        "A debt that stood still on the ladder reached nobody; service stayed cut for debts that no "
        "notice had named; notices stated days on which the next step could not come; a notice behind an "
        "approval named the debts of the day on which it was proposed; a goodwill credit note took back "
        "steps and fees; late news about an ended case was not heard; a cut whose run fell on a holiday "
        "waited for the next run; a row that had nothing to do used up its run; a hold that releases took"
        " back the notices of a held bill, and not those of a held account; a late fee that billing never"
        " answered reached nobody; a notice that was to name more waited for a reminder that nobody sent;"
        " a dispute of a bill in instalments was counted for each of them when a cut was looked back at, "
        "so that it was taken back and made again each day; a dispute of a bill that was paid or under a "
        "plan took nothing out when the bill was owed again; calls under Regulation F were counted for "
        "the whole account; a bill that came to the age of a notice after it was sent was announced only "
        "when the ladder was to climb, so that service came back when an older one was paid; what rested "
        "on a cut stood for the next bill without one; agreed calls about another account counted under "
        "caps; a debt whose validation notice had named only older ones stood still; two notices of one "
        "look broke a cap; a skip of a notice that was to be sent again was not heard, and forcing a step"
        " that stood took effect when it stood no more; a notice on its way was sent a second time as a "
        "step; late news took back a cut that was due for another bill by then, to make it again; a cut "
        "in force stood for the next bill only from an allowed day on; a part that bounced did not bring "
        "back the rows that it had ended; what comes after a cut that a termination elsewhere had left "
        "without an object was taken again for ever; a cut in force that a person skipped for the next "
        "bill stood for it all the same; the notice of a cut could be skipped where a step lay between "
        "them; what rested on a cut was taken again for each debt when a termination elsewhere had left no "
        "service to cut; what was placed took in bills whose notices could still be answered, and bills "
        "that came later were never placed; a cut in force came to stand for debts for which the law in "
        "force would not have let it be made; a step that was renamed after its case had ended was taken "
        "again when the payment "
        "bounced.",
        "tests/engine/ladder/test_histories.py::test_history",
    ),
)


def erratum_between(taken_under: int, now: int = SEMANTICS) -> Erratum | None:
    """Return the first change of meaning that lies between two semantics; None if there is none."""
    return next((e for e in ERRATA if taken_under < e.semantics <= now), None)
