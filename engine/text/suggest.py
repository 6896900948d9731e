"""What the author probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from engine.text.meant import narrow

_LONGEST = 80  # beyond this a comparison costs more than it helps


def suggest(word: str, options: Iterable[str]) -> str | None:
    """Return the option that is nearest to a misspelt word, or the only one that has it as a part."""
    by_folded = {option.strip('"').casefold(): option for option in sorted(options)}
    folded = narrow(word).strip(" \"'").casefold()
    if len(folded) > _LONGEST:
        return None
    for candidate in (folded, folded.replace("-", "_"), folded.replace("_", "-"), folded.replace(" ", "_")):
        if candidate in by_folded:
            return by_folded[candidate]
    swapped = next((turned for turned in _turned(folded) if turned in by_folded), None)
    if swapped:
        return by_folded[swapped]
    near = get_close_matches(folded, by_folded, n=1, cutoff=0.66)
    if near:
        return by_folded[near[0]]
    longer = [name for name in by_folded if len(folded) > 2 and _parts(folded) <= _parts(name)]
    return by_folded[longer[0]] if len(longer) == 1 else None


def _turned(word: str) -> Iterator[str]:
    """Yield a word with two letters beside each other turned round: the commonest slip of the fingers."""
    for place in range(len(word) - 1 if len(word) > 2 else 0):
        yield word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def _parts(name: str) -> set[str]:
    return set(name.replace("-", "_").split("_"))


def did_you_mean(word: str, options: Iterable[str], *, of: str = "known") -> str:
    """Return an advice: the nearest option if there is one, otherwise the options themselves."""
    known = sorted(set(options))
    if (nearest := suggest(word, known)) and nearest != word:
        return f"did you mean `{nearest}`?"
    if not known:
        return ""
    shown = ", ".join(f"`{option}`" for option in known[:12])
    return f"{of}: {shown}{' ...' if len(known) > 12 else ''}"
