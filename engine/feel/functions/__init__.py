"""The built-in functions of FEEL, one file for each family; each is declared by its line in the standard."""

from engine.feel.functions import (
    arithmetic,
    contexts,
    conversion,
    intervals,
    lists,
    moments,
    texts,
)
from engine.feel.functions.signature import REGISTRY, BuiltIn, Formal, Overload

__all__ = ["BUILT_IN_NAMES", "REGISTRY", "BuiltIn", "Formal", "Overload"]

FAMILIES = (arithmetic, contexts, conversion, intervals, lists, moments, texts)
BUILT_IN_NAMES = frozenset(REGISTRY) | {"now", "today", "range"}
"""`now` and `today` have values only if the caller gives them; `range` needs the parser."""
