"""What the author probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from engine.text.meant import narrow

_LONGEST = 80  # beyond this a comparison costs more than it helps


def suggest(word: str, options: Iterable[str]) -> str | None:
    """Return the option that is nearest to a misspelt word, or None when nothing is near."""
    by_folded = {option.strip('"').casefold(): option for option in sorted(options)}
    folded = narrow(word).strip(" \"'").casefold()
    if len(folded) > _LONGEST:
        return None
    for candidate in (folded, folded.replace("-", "_"), folded.replace("_", "-"), folded.replace(" ", "_")):
        if candidate in by_folded:
            return by_folded[candidate]
    near = get_close_matches(folded, by_folded, n=1, cutoff=0.66)
    return by_folded[near[0]] if near else None


def did_you_mean(word: str, options: Iterable[str], *, of: str = "known") -> str:
    """Return an advice: the nearest option if there is one, otherwise the options themselves."""
    known = sorted(set(options))
    if (nearest := suggest(word, known)) and nearest != word:
        return f"did you mean `{nearest}`?"
    if not known:
        return ""
    shown = ", ".join(f"`{option}`" for option in known[:12])
    return f"{of}: {shown}{' ...' if len(known) > 12 else ''}"
