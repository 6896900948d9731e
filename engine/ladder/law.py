"""Law packs: the floor that no policy may go under, read from texts of the shelf."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LawPack:
    """Clauses in force on a day, each with its source; `engine.ladder.from_law` reads it."""

    name: str
    digest: str
