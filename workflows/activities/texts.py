"""Policies by digest: read from the shelf once, because a digest means one text for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from engine.credit import CompiledPolicy, compile_policy, load_credit
from engine.ladder import CollectionsPolicy, load_collections
from engine.ladder.adopting import adopts
from engine.policy import Loaded, Texts
from engine.source import Severity
from workflows.ports import PolicyShelf

T = TypeVar("T")


class PolicyUnusable(Exception):
    """A text on the shelf is not what its digest says, or this engine cannot read it."""


class PolicyTexts:
    """Reads policies through the shelf and keeps them; safe for many threads."""

    def __init__(self, shelf: PolicyShelf) -> None:
        self._shelf = shelf
        self._kept: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def collections(self, digest: str) -> CollectionsPolicy:
        """Return a collections policy; raise PolicyNotFound or PolicyUnusable."""
        return self._once("collections", digest, lambda texts: load_collections(texts))

    def successor(self, policy: CollectionsPolicy, on: date) -> CollectionsPolicy | None:
        """Return the text that an open case under a policy goes over to on a day; None: it stays."""
        if policy.case.binding != "adopt":
            return None
        new = self.collections(self._shelf.in_force("collections", policy.name, on).digest)
        return new if adopts(policy, new) else None

    def credit(self, digest: str) -> CompiledPolicy:
        """Return a credit policy, compiled; raise PolicyNotFound or PolicyUnusable."""

        def read(texts: Texts) -> Loaded[CompiledPolicy]:
            loaded = load_credit(texts)
            return Loaded(compile_policy(loaded.policy) if loaded.policy else None, loaded.problems)

        return self._once("credit", digest, read)

    def _once(self, kind: str, digest: str, read: Callable[[Texts], Loaded[T]]) -> T:
        with self._lock:
            # Held while reading: two threads that need the same text would both compile it.
            found: T | None = self._kept.get((kind, digest))
            if found is None:
                found = self._kept[kind, digest] = self._read(digest, read)
            return found

    def _read(self, digest: str, read: Callable[[Texts], Loaded[T]]) -> T:
        manifest, texts = self._shelf.texts(digest)
        if manifest.digest != digest:
            raise PolicyUnusable(f"The shelf gave `{manifest.digest}` for the policy `{digest}`.")
        loaded = read(texts)
        if loaded.policy is None or not loaded.ok:
            errors = [p.message for p in loaded.problems if p.severity is Severity.ERROR]
            raise PolicyUnusable(f"The policy `{digest}` cannot be read: {'; '.join(errors[:3])}.")
        return loaded.policy
