"""Typed reading of nodes: each value or a problem at its place, all problems collected."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

from engine.source import Problem, Severity, Span
from engine.text.meant import advice_on, days_of, narrow, plain_name
from engine.text.period import Period
from engine.text.suggest import did_you_mean, suggest
from engine.text.yaml import ListNode, MapNode, Node, ScalarNode

T = TypeVar("T")

LANGUAGES = ("en", "zh")
"""The languages in which texts for people are kept; others are allowed, these are named in advices."""

_INTEGER = re.compile(r"[+-]?\d{1,34}")
_DECIMAL = re.compile(r"[+-]?\d+(?:\.\d+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_EXAMPLES = {
    "currency": "EUR", "effective": "{from: 2026-01-01}", "version": '"2026.1"', "timezone": "Asia/Shanghai",
}  # fmt: skip
"""What keys that every policy needs look like."""
_LISTS = frozenset(("one_of", "not_before", "stops_in", "counts_for", "fallback", "languages", "on", "runs"))
"""Keys whose values are lists."""
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
MAX_DIGITS = 34
"""Digits of a number: what decimal128, and so FEEL, carries."""


class Reader:
    """Reads values from nodes and collects what is wrong; a value that cannot be read is None."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def error(
        self, code: str, message: str, span: Span, advice: str = "",
        related: tuple[tuple[str, Span], ...] = (),
    ) -> None:  # fmt: skip
        """Note a mistake that stops a release."""
        self.problems.append(Problem(code, message, span, advice, related=related))

    def warn(
        self, code: str, message: str, span: Span, advice: str = "",
        related: tuple[tuple[str, Span], ...] = (),
    ) -> None:  # fmt: skip
        """Note something doubtful that does not stop a release."""
        self.problems.append(Problem(code, message, span, advice, Severity.WARNING, related))

    def take(self, problems: Iterable[Problem]) -> None:
        """Add the problems that another reader found."""
        self.problems.extend(problems)

    # maps and lists

    def fields(
        self, node: Node, what: str, required: Collection[str] = (), optional: Collection[str] = (),
    ) -> dict[str, Node] | None:  # fmt: skip
        """Return the values of a map by key; unknown and missing keys are problems. None: not a map."""
        if not isinstance(node, MapNode):
            example = ", ".join(f"{key}: ..." for key in [*required, *optional][:2])
            if isinstance(node, ScalarNode) and len(required) == 1 and 0 < len(node.text) < 40:
                example = f"{next(iter(required))}: {node.text}"
            self.error("not-a-map", f"{what} is {kind(node)}, not a map", node.span, f"write `{{{example}}}`")
            return None
        known = [*required, *optional]
        found: dict[str, Node] = {}
        misspelt: set[str | None] = set()
        cut, numbers = self._cut_lists(node, known), self._cut_numbers(node)
        for key, value in node.entries:
            if key.text in numbers:
                found |= {key.text: numbers[key.text]} if key.text in known else {}
            elif key.text in known:
                found |= {} if key.text in cut else {key.text: value}
            elif key.text not in cut:
                advice = key_advice(key.text, known)
                if isinstance(value, ScalarNode) and value.text == "" and not suggest(key.text, known):
                    advice = "a list stands in brackets, `[a, b]`; a text with a comma stands in quotes"
                self.error("unknown-key", f"{what} has no key `{key.text}`", key.span, advice)
                misspelt.add(suggest(narrow(key.text).partition(":")[0], known))
        for name in required:
            if name not in found and name not in misspelt and name not in cut:
                advice = f"add `{name}: {_EXAMPLES.get(name, '...')}`"
                self.error("missing-key", f"{what} lacks the key `{name}`", node.span, advice)
        return found

    def _cut_lists(self, node: MapNode, known: Collection[str]) -> set[str]:
        """Note lists without brackets, which YAML cuts at their commas: `{one_of: low, mid, high}`."""
        cut: set[str] = set()
        owner: tuple[ScalarNode, ScalarNode] | None = None
        parts: list[ScalarNode] = []
        for key, value in [*node.entries, (None, None)]:
            if key is not None and key.text not in known and isinstance(value, ScalarNode) and value.is_null:
                parts.append(key)
                continue
            if owner is not None and _is_cut_list(*owner, parts, known):
                texts = [owner[1].text, *(part.text for part in parts)]
                plain = narrow(", ".join(texts)).strip(" []")
                message = f"`{', '.join(texts)}` is cut at its commas, for it stands without brackets"
                advice = f"write `{owner[0].text}: [{plain}]`; a text with a comma stands in quotes"
                if texts[0] != narrow(texts[0]):
                    message = f"`{', '.join(texts)}` is cut at its commas: its brackets are full-width signs"
                    advice = f"write `{owner[0].text}: [{plain}]`, in plain characters"
                self.error("commas-without-brackets", message, _reaching(owner[1].span, parts[-1]), advice)
                cut |= {owner[0].text, *(part.text for part in parts)}
            parts = []
            owner = (key, value) if key is not None and isinstance(value, ScalarNode) else None
        return cut

    def _cut_numbers(self, node: MapNode) -> dict[str, ScalarNode]:
        """Note numbers with a comma, at which YAML cuts them: `{suspension: 5,00}`; return what was meant."""
        meant: dict[str, ScalarNode] = {}
        for (key, whole), (rest, none) in pairwise(node.entries):
            if not (isinstance(whole, ScalarNode) and isinstance(none, ScalarNode) and none.is_null):
                continue
            if rest.text.isdigit() and _INTEGER.fullmatch(whole.text):
                advice = f"write `{whole.text}.{rest.text}`: a number has a point, not a comma"
                message = f"`{whole.text},{rest.text}` is cut at its comma"
                self.error("number-with-comma", message, _reaching(whole.span, rest), advice)
                meant |= {key.text: replace(whole, text=f"{whole.text}.{rest.text}"), rest.text: none}
        return meant

    def entries(self, node: Node, what: str) -> tuple[tuple[ScalarNode, Node], ...]:
        """Return the entries of a map whose keys the author chooses."""
        if isinstance(node, MapNode):
            cut = self._cut_numbers(node)
            kept = ((key, cut.get(key.text, value)) for key, value in node.entries)
            return tuple((key, value) for key, value in kept if not (key.text in cut and key.text.isdigit()))
        self.error(
            "not-a-map", f"{what} is {kind(node)}, not a map", node.span, "write `name: ...` on each line"
        )
        return ()

    def items(self, node: Node, what: str) -> tuple[Node, ...]:
        """Return the items of a list."""
        if isinstance(node, ListNode):
            return node.items
        advice = "write `[a, b]` or lines `- a`"
        if isinstance(node, ScalarNode) and node.text.strip() and "\n" not in node.text:
            plain = narrow(node.text).strip()
            whole = plain.startswith("[") == plain.endswith("]")
            advice = (
                f"write `[{plain.strip(' []')}]`"
                if whole
                else "write the brackets in plain characters: `[a, b]`"
            )
        self.error("not-a-list", f"{what} is {kind(node)}, not a list", node.span, advice)
        return ()

    def note_twice(self, node: Node, what: str) -> None:
        """Note texts that stand in a list more than once."""
        seen: dict[str, Span] = {}
        for item in node.items if isinstance(node, ListNode) else ():
            if isinstance(item, ScalarNode) and item.text in seen:
                first = (("the first one stands here", seen[item.text]),)
                advice = "remove it, or write the other text that was meant"
                self.error("one-of-twice", f"{what} has `{item.text}` twice", item.span, advice, first)
            elif isinstance(item, ScalarNode):
                seen[item.text] = item.span

    def list_of(self, node: Node, what: str, read: Callable[[Node, str], T | None]) -> tuple[T, ...]:
        """Return the items of a list, each read by the same method; unreadable ones are left out."""
        values = (read(item, f"an item of {what}") for item in self.items(node, what))
        return tuple(value for value in values if value is not None)

    # scalars

    def scalar(self, node: Node, what: str) -> ScalarNode | None:
        """Return the node if it is a text that says something."""
        if not isinstance(node, ScalarNode):
            advice = "write one value, without brackets"
            if isinstance(node, ListNode) and len(node.items) == 1 and isinstance(node.items[0], ScalarNode):
                advice = f"write `{node.items[0].text}`, without brackets"
            self.error("not-a-text", f"{what} is {kind(node)}, not a single value", node.span, advice)
            return None
        if node.is_null or not node.text.strip():
            self.error("empty", f"{what} is empty", node.span, "write what it says, or remove it")
            return None
        return node

    def text(self, node: Node, what: str) -> str | None:
        """Return a text."""
        found = self.scalar(node, what)
        return found.text.strip() if found else None

    def name(self, node: Node, what: str) -> str | None:
        """Return a name that expressions can use: letters, digits and underscores."""
        advice = "use letters, digits and underscores, starting with a letter: `max_dpd_12m`"
        if isinstance(node, ScalarNode) and (plain := plain_name(node.text)):
            advice = f"write `{plain}`"
        return self._matching(node, what, _NAME, "a name", advice)

    def slug(self, node: Node, what: str) -> str | None:
        """Return a name for files and addresses: small letters, digits and hyphens."""
        return self._matching(
            node, what, _SLUG, "a name", "use small letters, digits and hyphens: `consumer-credit`"
        )

    def choice(self, node: Node, what: str, options: Collection[str]) -> str | None:
        """Return one of the given words."""
        found = self.text(node, what)
        if found is None or found in options:
            return found
        advice = did_you_mean(found, options, of="one of")
        parts = [part.strip() for part in re.split("[，、；;]", found)]
        if len(parts) > 1 and all(part in options for part in parts):
            advice = f"divide them with a plain comma: `{', '.join(parts)}`"
        self.error("unknown-choice", f"`{found}` is not {what}", node.span, advice)
        return None

    def boolean(self, node: Node, what: str) -> bool | None:
        """Return a truth value: an unquoted `true` or `false`."""
        found = self.scalar(node, what)
        if found is None or found.boolean is not None:
            return found.boolean if found else None
        self.error(
            "not-a-boolean",
            f"{what} is `{found.text}`",
            found.span,
            advice_on(found.text, "a truth value", "write `true` or `false`, without quotes"),
        )
        return None

    def integer(
        self, node: Node, what: str, minimum: int | None = None, maximum: int | None = None
    ) -> int | None:
        """Return a whole number."""
        text = self._matching(node, what, _INTEGER, "a whole number", "write digits only: `90`")
        return None if text is None else self._within(node, what, int(text), minimum, maximum)

    def decimal(
        self,
        node: Node,
        what: str,
        minimum: Decimal | int | None = None,
        maximum: Decimal | int | None = None,
    ) -> Decimal | None:
        """Return an exact number of at most 34 digits; no exponent, no thousands separators."""
        advice = "write digits and one point: `1250.00`; no exponent, no separators, no unit"
        text = self._matching(node, what, _DECIMAL, "a number", advice)
        if text is None:
            return None
        if sum(char.isdigit() for char in text) > MAX_DIGITS:
            advice = f"write at most {MAX_DIGITS} digits"
            self.error("too-many-digits", f"{what} has more than {MAX_DIGITS} digits", node.span, advice)
            return None
        return self._within(node, what, Decimal(text), minimum, maximum)

    def date(self, node: Node, what: str) -> date | None:
        """Return a calendar day written as `2026-01-31`."""
        text = self._matching(node, what, _DATE, "a date", "write year, month and day: `2026-01-31`")
        if text is None:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.error("no-such-day", f"{what} is `{text}`; there is no such day", node.span, days_of(text))
            return None

    def period(self, node: Node, what: str) -> Period | None:
        """Return a span of calendar time written as `P7D` or `P3M`."""
        found = self.scalar(node, what)
        if found is None:
            return None
        period = Period.parse(found.text.strip())
        if period is None:
            advice = "write days, weeks, months or years: `P7D`, `P2W`, `P3M`, `P1Y`"
            advice = advice_on(found.text, "a span", advice)
            self.error("not-a-period", f"{what} is `{found.text}`, not a span of time", found.span, advice)
        return period

    def localized(self, node: Node, what: str) -> dict[str, str]:
        """Return a text by language; a plain text is English."""
        if isinstance(node, ScalarNode):
            found = self.text(node, what)
            return {"en": found} if found else {}
        texts: dict[str, str] = {}
        for key, value in self.entries(node, what):
            if not _LANGUAGE.fullmatch(key.text):
                advice = "write a language code: " + ", ".join(f"`{code}`" for code in LANGUAGES)
                language, _, said = key.text.partition("：")
                if _LANGUAGE.fullmatch(language):
                    advice = f"write `{language}: {said.strip()}`, with a plain colon and a blank"
                self.error("not-a-language", f"`{key.text}` is not a language", key.span, advice)
            elif (found := self.text(value, f"{what} ({key.text})")) is not None:
                texts[key.text] = found
        return texts

    def _matching(self, node: Node, what: str, form: re.Pattern[str], noun: str, advice: str) -> str | None:
        found = self.scalar(node, what)
        if found is None:
            return None
        text = found.text.strip()
        if not form.fullmatch(text) or not text.isascii():
            code, advice = f"not-{noun.replace(' ', '-')}", advice_on(text, noun, advice)
            self.error(code, f"{what} is `{text}`, not {noun}", found.span, advice)
            return None
        return text

    def _within(self, node: Node, what: str, value: T, low: object, high: object) -> T | None:
        if low is not None and value < low:  # type: ignore[operator]  # numbers of one kind, by the callers above
            message = f"{what} is {value}; it must be at least {low}"
            self.error("too-small", message, node.span, f"write `{low}` or more")
            return None
        if high is not None and value > high:  # type: ignore[operator]  # as above
            message = f"{what} is {value}; it must be at most {high}"
            self.error("too-large", message, node.span, f"write `{high}` or less")
            return None
        return value


def key_advice(key: str, known: Collection[str], of: str = "keys here") -> str:
    """Return an advice on a key that is not known; one with a full-width colon holds its value, too."""
    name, colon, value = narrow(key).partition(":")
    if colon and (":" not in key or value[:1] not in ("", " ")):
        return f"write a plain colon and a blank: `{name.strip()}: {value.strip() or '...'}`"
    return did_you_mean(key, known, of=of)


def _is_cut_list(
    key: ScalarNode, value: ScalarNode, parts: list[ScalarNode], known: Collection[str]
) -> bool:  # fmt: skip
    """Tell whether words without a value are what is left of a list that YAML has cut at its commas."""
    if any(part.text.isdigit() for part in parts):
        return False
    return len(parts) > 1 or (
        len(parts) == 1 and key.text in _LISTS and suggest(parts[0].text, known) is None
    )


def _reaching(start: Span, last: ScalarNode) -> Span:
    """Return a place that goes on to the end of a text on the same line."""
    end = last.span.column + last.span.length
    return replace(start, length=end - start.column) if last.span.line == start.line else start


def kind(node: Node) -> str:
    """Return what a node is, in words."""
    if isinstance(node, MapNode):
        return "a map"
    if isinstance(node, ListNode):
        return "a list"
    return "empty" if node.is_null else "a text"


def optional(
    fields: Mapping[str, Node], name: str, read: Callable[[Node, str], T | None], what: str
) -> T | None:
    """Read one key of a map if it is there."""
    node = fields.get(name)
    return None if node is None else read(node, what)
