"""One import: lines of a file to rows, rows to the server, refusals back to lines.

An import that was killed is run again: what is stored is found by its id, so nothing is there twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO

from api.importer.control import Figure
from api.importer.convert import Made, convert
from api.importer.mapping import FileMapping, leaves
from api.importer.posting import Mode, Post
from api.importer.reconciling import Tally
from api.importer.report import ImportReport, Reject
from api.importer.source import Line, read_lines
from engine.model import canonical
from engine.text import did_you_mean

CHUNK = 5_000
"""Rows of one request when good rows are kept."""
_ONCE = frozenset({"customer", "account"})
_FIRST = datetime.min.replace(tzinfo=UTC)


def run_import(
    mapping: FileMapping, file: BinaryIO, post: Post, *, mode: Mode = "each", dry_run: bool = False,
    control: Sequence[Figure] = (), progress: Callable[[ImportReport], None] | None = None,
) -> ImportReport:  # fmt: skip
    """Import a file.

    `each` keeps the good rows, `all` keeps all or none. A dry run keeps none and says what would happen.
    Figures of `control` and of the mapping are held against what was taken; `progress` hears of each request.
    Raises FileUnreadable if the mapping does not fit the file, ServerRefused if the server takes nothing.
    """
    run = _Import(mapping, post, mode, dry_run, (*mapping.control, *control))
    at_once = mode == "all" or dry_run
    waiting: list[Made] = []
    for made in run.rows(file):
        waiting.append(made)
        if not at_once and len(waiting) >= CHUNK:
            run.send(waiting)
            waiting = []
            if progress:
                progress(run.report)
    if mode == "all" and run.report.rejects:
        run.leave(waiting)
    elif waiting:
        run.send(waiting)
    return run.finished()


class _Import:
    def __init__(
        self, mapping: FileMapping, post: Post, mode: Mode, dry_run: bool, figures: Sequence[Figure]
    ) -> None:  # fmt: skip
        self.report = ImportReport(kept=not dry_run)
        self._mapping = mapping
        self._post = post
        self._mode: Mode = mode
        self._dry_run = dry_run
        self._tally = Tally(figures, mapping.currency) if figures else None
        self._seen: set[str] = set()

    def rows(self, file: BinaryIO) -> Iterator[Made]:
        """Yield what the lines become, each customer and account once, in the order of becoming known."""
        made = self._made(file)
        dated = any("received_at" in target.fields for target in self._mapping.rows)
        yield from sorted(made, key=_received) if dated else made

    def _made(self, file: BinaryIO) -> Iterator[Made]:
        told: set[bytes] = set()
        currencies: dict[str, str] = {}
        for line in read_lines(self._mapping, file, self._told_heading):
            self.report.lines += 1
            if isinstance(line, Line) and line.cells.keys() - self._seen:
                self._seen |= line.cells.keys()
            items = list(convert(self._mapping, line)) if isinstance(line, Line) else [line]
            if isinstance(line, Line) and not items:
                self.report.passed_over.append(line.number)
            foreign = _foreign(items, currencies)
            for item in items:
                if isinstance(item, Made) and item.row.get("account") in foreign:
                    self._hold_back(item, *foreign[item.row["account"]])
                elif isinstance(item, Reject):
                    self._refuse(item)
                    if self._tally:
                        self._tally.unread += 1
                elif not _told(item, told):
                    self._say_currency(item, currencies)
                    yield item

    def _told_heading(self, heading: tuple[str, ...]) -> None:
        self.report.heading = heading

    def _say_currency(self, item: Made, known: dict[str, str]) -> None:
        """Let an entry say what it is in, so that the server refuses it if its account is in another."""
        if "account" in item.row and "currency" not in item.row:
            said = known.get(item.row["account"], self._mapping.currency)
            item.row.update({"currency": said} if said else {})

    def send(self, made: Sequence[Made]) -> None:
        """Post rows and note what became of each."""
        body = b"".join(canonical(item.row) + b"\n" for item in made)
        stored: Counter[str] = Counter()
        for answer in self._post(body, self._mode, self._dry_run):
            item, status = made[answer["line"] - 1], answer["status"]
            if status == 424:
                self.report.kept = False
            elif status >= 400:
                self._refuse(*_rejects(item, answer["problem"]))
            elif status == 200:
                self.report.already += 1
            else:
                stored[item.target.kind] += 1
            if self._tally:
                self._tally.count(item.row, item.line.number, refused=status >= 400)
        if self._mode == "all" and self.report.rejects:
            self.report.kept = False
        self.report.stored += stored.total()
        for kind, count in stored.items():
            self.report.by_kind[kind] = self.report.by_kind.get(kind, 0) + count

    def leave(self, made: Sequence[Made]) -> None:
        """Send nothing, because a line was refused and all or none was asked."""
        self.report.kept = False
        for item in made if self._tally else ():
            assert self._tally is not None
            self._tally.count(item.row, item.line.number, refused=True)

    def _hold_back(self, item: Made, said: str, before: str) -> None:
        """Refuse an entry whose line and an earlier line differ on the currency of its account."""
        detail = f"the line says {said} of account `{item.row['account']}`, an earlier line says {before}."
        advice = "An account has one currency: give each currency an account of its own."
        kind, text = item.target.kind, item.line.said
        self._refuse(Reject(item.line.number, "", "", detail, advice, kind, text))
        if self._tally:
            self._tally.count(item.row, item.line.number, refused=True)

    def finished(self) -> ImportReport:
        """Return the report, refusals by line, with every control figure."""
        self.report.rejects.sort(key=lambda reject: reject.line)
        for name in self._mapping.columns() if self._seen else ():
            if name not in self._seen:
                self.report.absent.append(f"`{name}` ({did_you_mean(name, self._seen, of='keys')})")
        if self._tally:
            self.report.reconciled = self._tally.result()
            self.report.unread = self._tally.unread
        return self.report

    def _refuse(self, *rejects: Reject) -> None:
        self.report.refused += 1
        self.report.rejects.extend(rejects)


def _foreign(items: Sequence[Made | Reject], known: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Return accounts that a line has in another currency than the first line that named them, with both."""
    found: dict[str, tuple[str, str]] = {}
    for item in items:
        if isinstance(item, Made) and item.target.kind == "account" and "currency" in item.row:
            said, account = item.row["currency"], item.row.get("id")
            if account and said != (first := known.setdefault(account, said)):
                found[account] = (said, first)
    return found


def _received(made: Made) -> datetime:
    said = made.row.get("received_at")
    return datetime.fromisoformat(said) if said else _FIRST


def _told(item: Made, told: set[bytes]) -> bool:
    """Tell whether the very same customer or account was said by an earlier line."""
    if item.target.kind not in _ONCE:
        return False
    said = canonical(item.row)
    if said in told:
        return True
    told.add(said)
    return False


def _rejects(item: Made, problem: dict[str, Any]) -> Iterator[Reject]:
    """Say a server's refusal of a row in the words of the file."""
    errors = [e for e in problem.get("errors", []) if e.get("pointer")]
    for error in errors or [*problem.get("errors", []), {"detail": problem["detail"]}][:1]:
        field = error.get("pointer", "").lstrip("/").split("/", 1)[0]
        tree = item.target.fields.get(field)
        values = leaves(tree) if tree is not None else ()
        columns = list(dict.fromkeys(column for value in values for column in value.columns))
        shown = item.line.cells.get(columns[0], "") if len(columns) == 1 else ""
        detail = error["detail"] if error["detail"] != "differs" else problem["detail"]
        advice = _sentence(error.get("advice", ""))
        kind, said = item.target.kind, item.line.said
        yield Reject(item.line.number, ", ".join(columns), shown, detail, advice, kind, said)


def _sentence(advice: str) -> str:
    return f"{advice[0].upper()}{advice[1:]}." if advice else ""
