"""What an import did: rows kept, rows refused, each by its line, column and value."""

from __future__ import annotations

from dataclasses import dataclass, field

from api.importer.reconciling import Reconciled


@dataclass(frozen=True, slots=True)
class Reject:
    """One line that was not taken, and why."""

    line: int
    column: str
    """The column whose value is wrong; empty when the line as a whole is."""
    value: str
    message: str
    advice: str = ""
    kind: str = ""
    """What the line was to become."""
    said: tuple[str, ...] = field(default=(), repr=False)
    """The line as it stands: its cells, or one text of JSON. Empty: it could not be read."""

    @property
    def reason(self) -> str:
        """Return why, without the line."""
        column = f"column `{self.column}`" if self.column else "line"
        shown = f"`{self.value[:60]}`: " if self.value else ""
        kind = f" ({self.kind.replace('_', ' ')})" if self.kind else ""
        return f"{column}{kind}: {shown}{self.message}" + (f" {self.advice}" if self.advice else "")

    def __str__(self) -> str:
        place = f"line {self.line}"
        return place + (f", {self.reason}" if self.column else self.reason.removeprefix("line"))


@dataclass
class ImportReport:
    """The sum of an import."""

    lines: int = 0
    """Lines of the file that were read, without its heading."""
    stored: int = 0
    already: int = 0
    """Things that were stored before with the same content."""
    refused: int = 0
    kept: bool = True
    """False: all or none was asked, and a line was refused; or it was a dry run."""
    heading: tuple[str, ...] = ()
    """The columns of the file; empty: NDJSON."""
    rejects: list[Reject] = field(default_factory=list)
    passed_over: list[int] = field(default_factory=list)
    """Lines of which nothing is made, because no row of the mapping wants them."""
    absent: list[str] = field(default_factory=list)
    """Keys that the mapping reads and no line of an NDJSON file has, each with what may be meant."""
    by_kind: dict[str, int] = field(default_factory=dict)
    """Things stored, by kind."""
    reconciled: tuple[Reconciled, ...] = ()
    """Every figure of the operator beside what was taken."""
    unread: int = 0
    """Rows that could not be read, and are in no total."""

    @property
    def agrees(self) -> bool:
        """Tell whether every control figure was met."""
        return all(one.agrees for one in self.reconciled)
