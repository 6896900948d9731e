"""From which day each move of a deposit counts: nothing goes out of it that is not in it yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from engine.ledger.entries import DepositMoved

IN = ("held", "topped_up", "interest")
OUT = ("released", "applied")
_ORDER = {"requested": 0, **dict.fromkeys(IN, 1), **dict.fromkeys(OUT, 2)}


def moved_on(moves: Iterable[DepositMoved]) -> Mapping[str, date]:
    """Return for each move, by id, the day from which it counts; what is never held is left out.

    What is released or applied before it is held waits for that. Within a day what comes in comes first.
    """
    found: dict[str, date] = {}
    waiting: list[DepositMoved] = []
    held = Decimal(0)
    for move in in_order(moves):
        found[move.id] = move.value_date
        if move.move in IN:
            held += move.amount
        elif move.move in OUT:
            waiting.append(move)
        for out in list(waiting):
            if out.amount <= held:
                held -= out.amount
                found[out.id] = move.value_date
                waiting.remove(out)
    return {name: day for name, day in found.items() if name not in {out.id for out in waiting}}


def in_order(moves: Iterable[DepositMoved]) -> list[DepositMoved]:
    """Return moves by value date, what comes in before what goes out."""
    return sorted(moves, key=lambda move: (move.value_date, _ORDER[move.move], move.id))


def counted(moves: Iterable[DepositMoved]) -> list[DepositMoved]:
    """Return the moves that count, each on the day from which it does."""
    known = list(moves)
    days = moved_on(known)
    there = (m.model_copy(update={"value_date": days[m.id]}) for m in known if m.id in days)
    return in_order(there)
