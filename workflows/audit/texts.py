"""The texts of a bundle: each read only if its bytes are what its digest says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from engine.credit import CreditPolicy, load_credit
from engine.ladder import CollectionsPolicy, LawPack, load_collections, load_law, no_law
from engine.model import digest_bytes
from engine.policy import Loaded
from engine.source import Severity
from engine.watch import WatchPolicy, load_watch
from engine.workdays import Calendar, load_calendar, no_calendar

T = TypeVar("T")
NOTHING = digest_bytes(b"")


class TextWrong(Exception):
    """A text is missing, is not what its digest says, or cannot be read."""


@dataclass(frozen=True)
class Texts:
    """Raw texts by digest, and the manifests of policies: the digest of each of their texts by path."""

    texts: Mapping[str, bytes]
    manifests: Mapping[str, bytes]
    """Manifest texts by the policy's digest: a line a file, `<sha256> <path>`."""
    _read: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False, compare=False)

    def credit(self, digest: str) -> CreditPolicy:
        """Return a credit policy; raise TextWrong."""
        return self._once("credit", digest, lambda: load_credit(self._policy(digest)))

    def collections(self, digest: str) -> CollectionsPolicy:
        """Return a collections policy; raise TextWrong."""
        return self._once("collections", digest, lambda: load_collections(self._policy(digest)))

    def watch(self, digest: str) -> WatchPolicy:
        """Return a watch policy; raise TextWrong."""
        return self._once("watch", digest, lambda: load_watch(self._policy(digest)))

    def law(self, digest: str) -> LawPack:
        """Return a law pack; raise TextWrong."""
        if digest == NOTHING:
            return no_law()
        return self._once("law", digest, lambda: load_law(self._text(digest), "law.yaml"))

    def calendar(self, digest: str) -> Calendar:
        """Return a calendar; raise TextWrong."""
        if digest == NOTHING:
            return no_calendar()
        return self._once("calendar", digest, lambda: load_calendar(self._text(digest), "calendar.yaml"))

    def _text(self, digest: str) -> bytes:
        body = self.texts.get(digest)
        if body is None:
            raise TextWrong(f"the text `{digest}` is not in the bundle")
        if digest_bytes(body) != digest:
            raise TextWrong(f"the text `{digest}` was changed: its bytes have `{digest_bytes(body)}`")
        return body

    def _policy(self, digest: str) -> dict[str, bytes]:
        manifest = self.manifests.get(digest)
        if manifest is None:
            raise TextWrong(f"the policy `{digest}` is not in the bundle")
        if digest_bytes(manifest) != digest:
            raise TextWrong(f"the manifest of the policy `{digest}` was changed")
        found = {}
        for line in manifest.decode("utf-8", "replace").splitlines():
            mark, _, path = line.partition(" ")
            found[path] = self._text(mark)
        return found

    def _once(self, kind: str, digest: str, read: Callable[[], Loaded[T]]) -> T:
        found: T | None = self._read.get((kind, digest))
        if found is None:
            loaded = read()
            if loaded.policy is None or not loaded.ok:
                wrong = [p.message for p in loaded.problems if p.severity is Severity.ERROR]
                raise TextWrong(f"the {kind} text `{digest}` cannot be read: {'; '.join(wrong[:3])}")
            found = self._read[kind, digest] = loaded.policy
        return found
