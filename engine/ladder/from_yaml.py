"""Collections policy text to model."""

from __future__ import annotations

from engine.ladder.model import CollectionsPolicy
from engine.policy import Loaded, Texts


def load_collections(texts: Texts, root: str = "policy.yaml") -> Loaded[CollectionsPolicy]:
    """Read a collections policy and the texts that it names."""
    raise NotImplementedError
