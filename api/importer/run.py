"""One import: lines of a file to rows, rows to the server, refusals back to lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from api.importer.convert import Made, convert
from api.importer.mapping import FileMapping, leaves
from api.importer.posting import Mode, Post
from api.importer.report import ImportReport, Reject
from api.importer.source import Line, read_lines
from engine.model import canonical

CHUNK = 5_000
"""Rows of one request when good rows are kept."""
_ONCE = frozenset({"customer", "account"})


def run_import(
    mapping: FileMapping, file: BinaryIO, post: Post, *, mode: Mode = "each", dry_run: bool = False
) -> ImportReport:
    """Import a file.

    `each` keeps the good rows, `all` keeps all or none. A dry run keeps none and says what would happen.
    Raises FileUnreadable if the mapping does not fit the file, ServerRefused if the server takes nothing.
    """
    report = ImportReport(kept=not dry_run)
    made: list[Made] = []
    told: set[bytes] = set()
    at_once = mode == "all" or dry_run
    for item in _made(mapping, file, report):
        if isinstance(item, Reject):
            _refuse(report, item)
        elif not _told(item, told):
            made.append(item)
            if not at_once and len(made) >= CHUNK:
                _send(report, made, post, mode, dry_run)
                made = []
    if mode == "all" and report.rejects:
        report.kept = False
        return report  # nothing was sent
    if made:
        _send(report, made, post, mode, dry_run)
    report.rejects.sort(key=lambda reject: reject.line)
    return report


def _made(mapping: FileMapping, file: BinaryIO, report: ImportReport) -> Iterator[Made | Reject]:
    for line in read_lines(mapping, file):
        report.lines += 1
        if isinstance(line, Line):
            yield from convert(mapping, line)
        else:
            yield line


def _told(item: Made, told: set[bytes]) -> bool:
    """Tell whether the very same customer or account was said by an earlier line."""
    if item.target.kind not in _ONCE:
        return False
    said = canonical(item.row)
    if said in told:
        return True
    told.add(said)
    return False


def _send(report: ImportReport, made: list[Made], post: Post, mode: Mode, dry_run: bool) -> None:
    body = b"".join(canonical(item.row) + b"\n" for item in made)
    stored: Counter[str] = Counter()
    for answer in post(body, mode, dry_run):
        item, status = made[answer["line"] - 1], answer["status"]
        if status == 424:
            report.kept = False
        elif status >= 400:
            _refuse(report, *_rejects(item, answer["problem"]))
        elif status == 200:
            report.already += 1
        else:
            stored[item.target.kind] += 1
    if mode == "all" and report.rejects:
        report.kept = False
    report.stored += stored.total()
    for kind, count in stored.items():
        report.by_kind[kind] = report.by_kind.get(kind, 0) + count


def _refuse(report: ImportReport, *rejects: Reject) -> None:
    report.refused += 1
    report.rejects.extend(rejects)


def _rejects(item: Made, problem: dict[str, Any]) -> Iterator[Reject]:
    """Say a server's refusal of a row in the words of the file."""
    errors = [e for e in problem.get("errors", []) if e.get("pointer")] or [{"detail": problem["detail"]}]
    for error in errors:
        field = error.get("pointer", "").lstrip("/").split("/", 1)[0]
        tree = item.target.fields.get(field)
        values = leaves(tree) if tree is not None else ()
        columns = list(dict.fromkeys(column for value in values for column in value.columns))
        shown = item.line.cells[columns[0]] if len(columns) == 1 else ""
        detail = error["detail"] if error["detail"] != "differs" else problem["detail"]
        yield Reject(item.line.number, ", ".join(columns), shown, detail, "", item.target.kind)
