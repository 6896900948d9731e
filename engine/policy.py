"""Texts in, policies out: what every reader of policies takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from engine.model import Model, digest_bytes
from engine.source import Problem, has_errors

Texts = Mapping[str, bytes]
"""Raw bytes by path: `{"policy.yaml": b"...", "tables/limits.csv": b"..."}`."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Loaded(Generic[T]):
    """What a reader gives: the policy if it can be used, and all that is wrong or doubtful."""

    policy: T | None
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Tell whether there is a policy and no error."""
        return self.policy is not None and not has_errors(self.problems)


class Manifest(Model):
    """The texts of a policy by path and digest; its own digest is the policy's identity."""

    policy: str
    kind: str
    version: str
    effective_from: date
    texts: dict[str, str]

    @property
    def text(self) -> bytes:
        """The one text of the manifest: a line a file, by path: `<sha256> <path>`."""
        lines = [f"{digest} {path}" for path, digest in sorted(self.texts.items())]
        return ("\n".join(lines) + "\n").encode()

    @property
    def digest(self) -> str:
        """The policy's identity: the sha256 of the manifest's text."""
        return digest_bytes(self.text)
