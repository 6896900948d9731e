"""The matcher of XPath patterns finds what the `regex` package finds, where the two languages agree."""

from __future__ import annotations

import pytest
import regex  # type: ignore[import-untyped]  # ships no types
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.feel.limits import free
from engine.feel.patterns import matcher
from engine.feel.values import FeelError

atoms = st.sampled_from(["a", "b", "[ab]", "[^a]", ".", "^", "$", "\\d", "\\s"])
quantifiers = st.sampled_from(["", "?", "*", "+", "{2}", "{1,2}", "{2,}", "??", "*?", "+?", "{0,2}?"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, quantifiers).map(lambda pair: f"({pair[0]}){_loop(*pair)}"),
    )


def _loop(body: str, quantifier: str) -> str:
    """Rounds that match nothing end a loop in one language and are tried again in the other."""
    return "" if matcher("", body, "", free).search(0) else quantifier


patterns = st.recursive(atoms, _grown, max_leaves=6)


@settings(max_examples=1500, deadline=None)
@given(patterns, st.text("ab1 ", max_size=7))
def test_it_finds_the_same_places(pattern: str, subject: str) -> None:
    theirs = pattern.replace("$", "\\Z").replace(".", "[^\\n\\r]")
    found = matcher(subject, pattern, "", free).search(0)
    expected = regex.search(theirs, subject, regex.VERSION1)
    assert (found[:2] if found else None) == (expected.span() if expected else None)


NO_PATTERNS = r"""
( ) a** *a a{2,1} a{99999} [ [] [b-a] [a-\d] \ \y \1 (a\1) \p{Xx} \p{L \pL { } ] (?=a) (?<n>a) [a-z-[aeiou]b]
[[a]] a{,2} \x41 \0
"""


@pytest.mark.parametrize("pattern", NO_PATTERNS.split())
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(FeelError, match="is not a pattern"):
        matcher("", pattern, "", free)
