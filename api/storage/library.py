"""Policies, laws and calendars as the engine takes them: read from the shelf once for each digest."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from time import monotonic
from typing import TypeVar

from sqlmodel import Session

from api.storage.errors import PolicyRefused
from api.storage.marks import marks_of
from api.storage.portfolio import PORTFOLIO, Portfolio, load_portfolio
from api.storage.shelf import InForce, Words, names_of, read_texts, words_of
from api.storage.tables import AccountRow
from engine.credit import CompiledPolicy, CreditPolicy, compile_policy, load_credit
from engine.ladder import CollectionsPolicy, LawPack, load_collections, load_law, no_law
from engine.policy import Loaded
from engine.text import suggest
from engine.watch import WatchPolicy, load_watch
from engine.workdays import Calendar, load_calendar, no_calendar
from workflows.ports import PolicyNotFound

T = TypeVar("T")
ALL_DAYS = date.min
"""In place of a day: what was read says it for each."""
AT_HAND_SECONDS = 1.0
"""So long a text that was found in force is taken for it without asking the database again."""


class Library:
    """Reads what is on the shelf; keeps what it has read, because a digest means one text for ever."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], object] = {}
        self._chosen: dict[tuple[str, str, date], object] = {}
        self._told = -1
        self._asked = float("-inf")
        self._lock = threading.Lock()

    def credit(self, session: Session, digest: str) -> tuple[CreditPolicy, CompiledPolicy]:
        """Return a credit policy, read and compiled; raise PolicyNotFound."""

        def read() -> tuple[CreditPolicy, CompiledPolicy]:
            _, texts = read_texts(session, digest)
            policy = usable(load_credit(texts), texts)
            return policy, compile_policy(policy)

        return self._once("credit", digest, read)

    def credit_at_hand(self, name: str, on: date) -> CompiledPolicy | None:
        """Return the credit policy of a name in force on a day, if that was looked up a moment ago."""
        with self._lock:
            words = self._chosen.get(("credit", name, ALL_DAYS))
            if not isinstance(words, Words) or monotonic() - self._asked > AT_HAND_SECONDS:
                return None
            chosen = words.on(on)
            if chosen is None:
                return None
            found = self._read.get(("credit", chosen.digest))
        return found[1] if isinstance(found, tuple) else None

    def collections(self, session: Session, digest: str) -> CollectionsPolicy:
        """Return a collections policy; raise PolicyNotFound."""

        def read() -> CollectionsPolicy:
            _, texts = read_texts(session, digest)
            return usable(load_collections(texts), texts)

        return self._once("collections", digest, read)

    def watch(self, session: Session, digest: str) -> WatchPolicy:
        """Return a watch policy; raise PolicyNotFound."""

        def read() -> WatchPolicy:
            _, texts = read_texts(session, digest)
            return usable(load_watch(texts), texts)

        return self._once("watch", digest, read)

    def watching(self, session: Session, on: date) -> tuple[WatchPolicy, ...]:
        """Return all watch policies in force on a day, by name."""

        def read() -> tuple[WatchPolicy, ...]:
            names = self._until_told_again(
                session, ("names", "watch", ALL_DAYS), lambda: names_of(session, "watch")
            )
            found = (self.in_force(session, "watch", name, on) for name in names)
            return tuple(self.watch(session, chosen.digest) for chosen in found if chosen is not None)

        return self._until_told_again(session, ("watching", "", on), read)

    def law(self, session: Session, name: str, on: date) -> LawPack:
        """Return the law pack of a name in force on a day; one without clauses for no name."""
        if not name:
            return no_law()
        chosen = self.require(session, "law", name, on)

        def read() -> LawPack:
            manifest, texts = read_texts(session, chosen.digest)
            (path,) = manifest.texts
            return usable(load_law(texts[path], path), texts)

        return self._once("law", chosen.digest, read)

    def calendar(self, session: Session, name: str, on: date) -> Calendar:
        """Return the calendar of a name in force on a day; one that says nothing for no name."""
        if not name:
            return no_calendar()
        chosen = self.require(session, "calendar", name, on)

        def read() -> Calendar:
            manifest, texts = read_texts(session, chosen.digest)
            (path,) = manifest.texts
            return usable(load_calendar(texts[path], path), texts)

        return self._once("calendar", chosen.digest, read)

    def portfolio(self, session: Session, on: date) -> Portfolio | None:
        """Return which policy judges whom on a day; None when nothing says so."""
        chosen = self.in_force(session, PORTFOLIO, PORTFOLIO, on)
        if chosen is None:
            return None

        def read() -> Portfolio:
            manifest, texts = read_texts(session, chosen.digest)
            (path,) = manifest.texts
            return usable(load_portfolio(texts[path], path), texts)

        return self._once(PORTFOLIO, chosen.digest, read)

    def collections_for(self, session: Session, account: AccountRow, on: date) -> CollectionsPolicy | None:
        """Return the collections policy that an account falls under on a day.

        The account's own, else the one that the portfolio names for accounts in its currency. None when
        nothing names one, when it is not in force yet, or when it speaks of another currency.
        """
        name = account.policy
        if not name:
            portfolio = self.portfolio(session, on)
            name = portfolio.collections_for(account.currency) if portfolio else ""
        chosen = self.in_force(session, "collections", name, on) if name else None
        if chosen is None:
            return None
        policy = self.collections(session, chosen.digest)
        return policy if policy.currency == account.currency else None

    def why_untreated(self, session: Session, account: AccountRow, on: date) -> str:
        """Return why no collections policy treats an account on a day, in a sentence."""
        name = account.policy
        if not name:
            portfolio = self.portfolio(session, on)
            if portfolio is None:
                return f"No portfolio is in force on {on}, and the account names no collections policy."
            name = portfolio.collections_for(account.currency)
            if not name:
                return portfolio.names_none_for(account.currency)
        chosen = self.in_force(session, "collections", name, on)
        if chosen is None:
            return f"The collections policy `{name}` is not in force on {on}."
        policy = self.collections(session, chosen.digest)
        return (
            f"The collections policy `{name}` counts in {policy.currency}, the account in {account.currency}."
        )

    def next_change(self, session: Session, account: AccountRow, today: date) -> date | None:
        """Return the next day on which another text may come into force for an account's collections."""
        portfolio = self.portfolio(session, today)
        name = account.policy or (portfolio.collections_for(account.currency) if portfolio else "")
        said = [self._words(session, PORTFOLIO, PORTFOLIO), self._words(session, "collections", name)]
        later = (text.effective_from for words in said for text, _ in words.said)
        return min((day for day in later if day > today), default=None)

    def require(self, session: Session, kind: str, name: str, on: date) -> InForce:
        """Return which text of a name is in force on a day; raise PolicyNotFound."""
        chosen = self.in_force(session, kind, name, on)
        if chosen is None:
            names = names_of(session, kind)
            near = None if name in names else suggest(name, names)
            raise PolicyNotFound(f"{name} ({kind}, in force on {on})", near or "")
        return chosen

    def in_force(self, session: Session, kind: str, name: str, on: date) -> InForce | None:
        """Return which text of a name is in force on a day, or None."""
        return self._words(session, kind, name).on(on)

    def _words(self, session: Session, kind: str, name: str) -> Words:
        key = (kind, name, ALL_DAYS)
        return self._until_told_again(session, key, lambda: words_of(session, kind, name))

    def _until_told_again(self, session: Session, key: tuple[str, str, date], read: Callable[[], T]) -> T:
        """Keep what was read until another activation is made."""
        told = marks_of(session).activations
        with self._lock:
            if told != self._told:
                self._chosen.clear()
                self._told = told
            self._asked = monotonic()
            if key in self._chosen:
                return self._chosen[key]  # type: ignore[return-value]  # what was put in under this key
        found = read()
        with self._lock:
            if told == self._told:
                self._chosen[key] = found
        return found

    def _once(self, kind: str, digest: str, read: Callable[[], T]) -> T:
        with self._lock:
            found = self._read.get((kind, digest))
        if found is None:
            found = read()
            with self._lock:
                self._read[kind, digest] = found
        return found  # type: ignore[return-value]  # what was put in under this kind


def usable(loaded: Loaded[T], texts: dict[str, bytes]) -> T:
    """Return what was read, or raise PolicyRefused with everything that is wrong."""
    if loaded.policy is None or not loaded.ok:
        sources = {path: body.decode("utf-8", "replace") for path, body in texts.items()}
        raise PolicyRefused(loaded.problems, sources)
    return loaded.policy
