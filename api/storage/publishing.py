"""Publishing: a text goes on the shelf only when the engine can use it, and is then kept for ever."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

from sqlmodel import col

from api.storage.adopting import refuse_unmapped, wake_followers
from api.storage.errors import PolicyRefused
from api.storage.library import usable
from api.storage.portfolio import PORTFOLIO, load_portfolio
from api.storage.portfolio_names import refuse_unfitting
from api.storage.session import Database, Work
from api.storage.shelf import activate, in_force, put_on_shelf, read_texts
from api.storage.tables import AccountRow, TextRow, table_of
from engine.credit import load_credit
from engine.identity import manifest
from engine.ladder import check_graph, check_law, load_collections, load_law
from engine.model import digest_bytes
from engine.policy import Manifest, Texts
from engine.source import Problem, Span, has_errors
from engine.text import MapNode, ScalarNode, read_yaml
from engine.watch import load_watch
from engine.workdays import load_calendar

MAIN = "policy.yaml"
PORTFOLIO_FILE = "portfolio.yaml"
TESTED = ("credit", "collections", "watch")
"""Kinds of policies that have cases of their own."""
_ALWAYS = date(1970, 1, 1)
"""From when on a text is in force that does not say it: portfolios, and laws older than anybody's bills."""


@dataclass(frozen=True, slots=True)
class Published:
    """What was put on the shelf, and whether it was new there."""

    manifest: Manifest
    new: bool
    replaces: str = ""
    """The digest of the text that was in force from the same day until now; empty: none was."""


class Publisher:
    """Checks texts with the engine, puts them on the shelf and says from when on they are in force."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(self, texts: Texts, at: datetime, untested: str = "") -> Published:
        """Publish one policy, law pack, calendar or portfolio with the texts that it names.

        The kind is what the main text says it is. `untested` is why its cases were not run: the reason is
        kept as a text of its own, and the audit chain names it. Raises PolicyRefused with every problem.
        """
        made, ends = read_manifest(texts)
        with self._database.write() as work:
            if made.kind == "collections":
                _keep_the_law(work, texts, max(made.effective_from, at.date()))
            if made.kind == PORTFOLIO:
                refuse_unfitting(work.session, texts, at.date())
            refuse_unmapped(work.session, made, texts, at.date())
            before = in_force(work.session, made.kind, made.policy, made.effective_from)
            new = put_on_shelf(work, made, texts, at, ends)
            if not activate(work, made.digest, made.effective_from, at):
                return Published(made, new)
            if untested and made.kind in TESTED:
                _note_untested(work, made, untested, at)
            _look_again(work, made, at)
            wake_followers(work, made, max(at, datetime.combine(made.effective_from, time(), UTC)))
        same_day = before is not None and before.effective_from == made.effective_from
        return Published(made, new, before.digest if before and same_day else "")

    def publish_folder(self, folder: Path, at: datetime, untested: str = "") -> list[Published]:
        """Publish everything in a folder of policies: law packs and calendars first, the portfolio last."""
        found = read_folder(folder)
        self._look_ahead(found, at)
        return [self.publish(texts, at, untested) for texts in found]

    def _look_ahead(self, found: Sequence[Texts], at: datetime) -> None:
        """Refuse a folder whose portfolio would be refused, before anything of it is on the shelf."""
        if not found or PORTFOLIO_FILE not in found[-1]:
            return
        mine = (texts for texts in found if MAIN in texts and _kind_of(texts, MAIN) == "collections")
        loaded = (load_collections(texts).policy for texts in mine)
        with self._database.read() as session:
            beside = (policy for policy in loaded if policy is not None)
            refuse_unfitting(session, found[-1], at.date(), beside)


def read_folder(folder: Path) -> list[dict[str, bytes]]:
    """Read the texts of a folder of policies, one dictionary for each policy.

    A policy is a folder with a `policy.yaml`; its `cases.yaml` are its tests and no part of it.
    """
    found = []
    for name in ("regulations", "calendars"):
        found += [{path.name: path.read_bytes()} for path in sorted((folder / name).glob("*.yaml"))]
    for main in sorted(folder.glob(f"*/{MAIN}")):
        files = (p for p in main.parent.rglob("*") if p.is_file() and not _is_test(p))
        found.append({p.relative_to(main.parent).as_posix(): p.read_bytes() for p in sorted(files)})
    portfolio = folder / PORTFOLIO_FILE
    if portfolio.exists():
        found.append({portfolio.name: portfolio.read_bytes()})
    return found


def _is_test(path: Path) -> bool:
    return path.name.startswith((".", "cases")) or path.suffix in (".md", ".pyc")


def read_manifest(texts: Texts) -> tuple[Manifest, date | None]:
    """Return the manifest of texts that can be used, and the day on which they end, if they say so."""
    main = MAIN if MAIN in texts else next(iter(texts))
    kind = _kind_of(texts, main)
    reader = _READERS.get(kind)
    if reader is None:
        known = ", ".join(sorted(_READERS))
        problem = Problem(
            "unknown-kind", f"this text is of kind `{kind}`", Span(main, 1, 1), f"known are {known}"
        )
        raise PolicyRefused([problem], {})
    return reader(texts, main)


def _kind_of(texts: Texts, main: str) -> str:
    loaded = read_yaml(texts[main], main)
    node = usable(loaded, dict(texts))
    if not isinstance(node, MapNode):
        return "nothing"
    for key in ("law", "calendar"):
        if node.get(key) is not None:
            return key
    kind = node.get("kind")
    if isinstance(kind, ScalarNode):
        return kind.text
    return PORTFOLIO if node.get("collections") is not None or node.get("credit") is not None else "nothing"


def _credit(texts: Texts, main: str) -> tuple[Manifest, date | None]:
    policy = usable(load_credit(texts, main), dict(texts))
    return policy.manifest, policy.effective_to


def _collections(texts: Texts, main: str) -> tuple[Manifest, date | None]:
    return usable(load_collections(texts, main), dict(texts)).manifest, None


def _keep_the_law(work: Work, texts: Texts, on: date) -> None:
    """Refuse a collections policy that the model check refuses, or that breaks the law of its first day.

    While its law pack is on no shelf nothing is decided under it, and every account says so.
    """
    main = MAIN if MAIN in texts else next(iter(texts))
    policy = usable(load_collections(texts, main), dict(texts))
    sources = {path: body.decode("utf-8", "replace") for path, body in texts.items()}
    if has_errors(found := check_graph(policy)):
        raise PolicyRefused(found, sources)
    chosen = in_force(work.session, "law", policy.regulation, on)
    if chosen is None:
        return
    _, laws = read_texts(work.session, chosen.digest)
    ((path, data),) = laws.items()
    problems = check_law(policy, usable(load_law(data, path), laws))
    if has_errors(problems):
        raise PolicyRefused(problems, sources)


def _watch(texts: Texts, main: str) -> tuple[Manifest, date | None]:
    return usable(load_watch(texts, main), dict(texts)).manifest, None


def _law(texts: Texts, main: str) -> tuple[Manifest, date | None]:
    pack = usable(load_law(texts[main], main), dict(texts))
    return manifest(pack.name, "law", "", pack.in_force or _ALWAYS, texts), None


def _calendar(texts: Texts, main: str) -> tuple[Manifest, date | None]:
    calendar = usable(load_calendar(texts[main], main), dict(texts))
    # A day it does not cover is an error of its own, so a calendar is in force always.
    return manifest(calendar.name, "calendar", "", _ALWAYS, texts), None


def _portfolio(texts: Texts, main: str) -> tuple[Manifest, date | None]:
    usable(load_portfolio(texts[main], main), dict(texts))
    return manifest(PORTFOLIO, PORTFOLIO, "", _ALWAYS, texts), None


_READERS: Mapping[str, Callable[[Texts, str], tuple[Manifest, date | None]]] = {
    "credit": _credit,
    "collections": _collections,
    "watch": _watch,
    "law": _law,
    "calendar": _calendar,
    PORTFOLIO: _portfolio,
}


def _note_untested(work: Work, made: Manifest, reason: str, at: datetime) -> None:
    """Keep why a policy was published without its cases, and name that text in the audit chain."""
    said = {"policy": made.digest, "published": "without running its cases", "reason": reason}
    body = json.dumps(said, ensure_ascii=False, sort_keys=True).encode()
    work.insert_once(TextRow, {"digest": digest_bytes(body), "body": body})
    work.audit("publish_untested", f"{made.kind}/{made.policy}", at, digest_bytes(body))


def _look_again(work: Work, made: Manifest, at: datetime) -> None:
    """Make every account without an open case due for a look: its `watch_on` was told by other texts."""
    if made.kind in ("credit", "watch"):
        return
    start = datetime.combine(made.effective_from, time(), UTC)
    accounts = table_of(AccountRow)
    due = accounts.update().where(col(AccountRow.open_case).is_(None), accounts.c.version > 0)
    work.session.connection().execute(due.values(watch_on=max(at, start)))
