"""What a timeline expects of a day, read: a word that no policy of the history has is named at its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time

from engine.ladder.events_from_yaml import HistoryReader
from engine.ladder.expected_ledger import read_ledger
from engine.ladder.ladders_from_yaml import EXEMPT
from engine.ladder.notices import FIGURES
from engine.ladder.scope import WHOLE
from engine.ladder.words import NamedAction, Words, known_word, read_action
from engine.ledger.account import LEVELS
from engine.source import Span
from engine.text import ListNode, MapNode, Node, Reader, ScalarNode, optional

NOTHING = "nothing"
NEVER = "never"
ENDINGS = ("cured", "terminated", "written_off", "sold", "stopped")
ABOUT = ("bill", "service")
"""Which case is meant, where an account has several."""
ALL = "all"
"""In place of a service: the case of bills that name none, which speaks of the whole account."""
AMOUNTS = ("overdue", "disputed", "credit", "late_fee", "interest")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that must be true on a day."""

    name: str
    span: Span
    lines: tuple[str, ...]
    """As written: the items of a list, or the one word."""
    actions: tuple[NamedAction, ...] = ()
    """For `do`: the lines as actions."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must be true at the end of a local day."""

    day: date
    since: date
    """The first day of which `do` speaks."""
    span: Span
    wanted: tuple[Wanted, ...]
    item: str | None = None
    """What the case is about of which it speaks, where an account has several; None: any."""
    currency: str = ""
    """Of which account it speaks."""
    about: tuple[str, Span] | None = None
    """The key that says so, `bill` or `service`, and where its value stands."""


# reading

_WAKE = re.compile(r"(\d{4}-\d{2}-\d{2})(?: ([0-2]\d:[0-5]\d))?")


def read_expectations(
    reader: HistoryReader, words_in: Mapping[str, Words], node: Node
) -> Iterator[Expectation]:
    """Read `expect`; what no policy of the history has is noted at its place.

    `words_in` are the words of the policies by the currency in which they state amounts.
    """
    for item in reader.items(node, "`expect`"):
        fields = reader.fields(item, "an expectation", ["on"], ("since", "currency", *ABOUT, *READERS))
        day = optional(fields or {}, "on", reader.date, "`on`")
        if fields is None or day is None:
            continue
        currency = reader.currency(fields)
        words = words_in[currency]
        since = optional(fields, "since", reader.date, "`since`") or day
        if since > day:
            advice = "write an earlier day, or remove `since`"
            reader.error("since-after-on", f"`since` is {since}, after {day}", fields["since"].span, advice)
        if "since" in fields and "do" not in fields:
            advice = "add `do: ...`, or remove `since`: everything else holds in the evening of `on`"
            reader.warn("since-without-do", "`since` speaks of no `do`", fields["since"].span, advice)
        wanted = tuple(_wanted(reader, words, n, v) for n, v in fields.items() if n in READERS)
        if isinstance(item, MapNode) and not any(
            key.text not in ("on", "since", "currency", *ABOUT) for key, _ in item.entries
        ):
            advice = "add what must be true: `do: nothing`, `level: open`, `overdue: 300.00` ..."
            reader.error("expects-nothing", f"nothing is expected on {day}", item.span, advice)
        meant, about = _about(reader, fields)
        every = tuple(one for one in wanted if one)
        yield Expectation(day, since, item.span, every, meant, currency, about)


def _about(reader: Reader, fields: Mapping[str, Node]) -> tuple[str | None, tuple[str, Span] | None]:
    """Return the item of the case that is meant, and the key that says so with its place."""
    named = [name for name in ABOUT if name in fields]
    if len(named) > 1:
        advice = "remove one of them: a case is about a bill or about a service"
        reader.error(
            "bill-and-service", "both `bill` and `service` stand here", fields[named[1]].span, advice
        )
    for name in named:
        if (text := reader.text(fields[name], f"`{name}`")) is not None:
            return WHOLE if name == "service" and text == ALL else text, (name, _inner(fields[name]))
    return None, None


def _wanted(reader: Reader, words: Words, name: str, node: Node) -> Wanted | None:
    return READERS[name](reader, words, name, node)


def _one(reader: Reader, name: str, node: Node) -> Wanted | None:
    text = reader.text(node, f"`{name}`")
    return None if text is None else Wanted(name, node.span, (text,))


def _inner(node: Node) -> Span:
    return node.inner if isinstance(node, ScalarNode) else node.span


def _word(known: Callable[[Words], tuple[str, ...]], what: str, of: str = "") -> _Read:
    def read(reader: Reader, words: Words, name: str, node: Node) -> Wanted | None:
        found = _one(reader, name, node)
        if found and known_word(reader, found.lines[0], known(words), what, _inner(node), of):
            return found
        return None

    return read


def _rows(reader: Reader, words: Words, name: str, node: Node) -> Wanted | None:
    if not isinstance(node, ListNode):
        return _word(lambda words: (*words.steps, NOTHING), "step")(reader, words, name, node)
    if not _says_something(reader, name, node, f"{name}: nothing"):
        return None
    for item in node.items:
        if (step := reader.text(item, "a row")) is not None:
            known_word(reader, step, words.steps, "step", _inner(item))
    return Wanted(name, node.span, reader.list_of(node, f"`{name}`", lambda n, _: getattr(n, "text", None)))


def _do(reader: Reader, words: Words, name: str, node: Node) -> Wanted | None:
    if isinstance(node, ScalarNode) and node.text.strip() == NOTHING:
        return Wanted(name, node.span, (NOTHING,))
    if isinstance(node, ListNode) and [getattr(item, "text", "") for item in node.items] == [NOTHING]:
        return Wanted(name, node.span, (NOTHING,))
    actions: list[NamedAction] = []
    for item in node.items if isinstance(node, ListNode) else (node,):
        text = reader.text(item, "what is asked for")
        found = read_action(reader, words, text, _inner(item)) if text else None
        if found is None:
            return None
        actions.append(found)
    if not actions:
        reader.error("empty", "`do` is empty", node.span, "write `do: nothing`")
        return None
    return Wanted(name, node.span, tuple(str(action) for action in actions), tuple(actions))


def _number(reader: Reader, words: Words, name: str, node: Node) -> Wanted | None:
    return _one(reader, name, node) if reader.decimal(node, f"`{name}`") is not None else None


def _integer(reader: Reader, words: Words, name: str, node: Node) -> Wanted | None:
    return _one(reader, name, node) if reader.integer(node, f"`{name}`") is not None else None


def _truth(reader: Reader, words: Words, name: str, node: Node) -> Wanted | None:
    return _one(reader, name, node) if reader.boolean(node, f"`{name}`") is not None else None


def _wake(reader: Reader, words: Words, name: str, node: Node) -> Wanted | None:
    found = _one(reader, name, node)
    if found is None or found.lines[0] == NEVER:
        return found
    match = _WAKE.fullmatch(found.lines[0])
    try:
        if match:
            date.fromisoformat(match[1]), time.fromisoformat(match[2] or "00:00")
            return found
    except ValueError:
        pass
    advice = 'write a day, `2026-02-14`, a day with its time in quotes, `"2026-02-14 09:00"`, or `never`'
    reader.error("not-an-instant", f"`{name}` is `{found.lines[0]}`", node.span, advice)
    return None


def _says(reader: Reader, words: Words, name: str, node: Node) -> Wanted | None:
    if isinstance(node, ListNode):
        if not _says_something(reader, name, node, f"{name}: nothing"):
            return None
        return Wanted(name, node.span, reader.list_of(node, f"`{name}`", reader.text))
    return _one(reader, name, node)


def _says_something(reader: Reader, name: str, node: Node, example: str) -> bool:
    """Note a list or a map without anything in it: it would hold whatever comes."""
    parts = node.items if isinstance(node, ListNode) else node.entries if isinstance(node, MapNode) else None
    if parts == ():
        reader.error(
            "empty", f"`{name}` is empty: it would hold whatever comes", node.span, f"write `{example}`"
        )
        return False
    return True


def _figures(reader: Reader, words: Words, name: str, node: Node) -> Wanted | None:
    if not _says_something(reader, name, node, "figures: {overdue: 300.00}"):
        return None
    if isinstance(node, MapNode):
        lines = [
            (key.text, reader.text(value, f"`{key.text}`") or "", key.span) for key, value in node.entries
        ]
    else:
        items = node.items if isinstance(node, ListNode) else (node,)
        texts = [(reader.text(item, f"an item of `{name}`") or "", _inner(item)) for item in items]
        lines = [(*_divided(text), span) for text, span in texts]
    for figure, value, span in lines:
        if known_word(reader, figure, FIGURES, "figure", span, "figures of notices") and not value:
            advice = f'write `"{figure}: ..."` with what it is; `-` where there is none'
            reader.error("figure-without-value", f"nothing is said of `{figure}`", span, advice)
    return Wanted(name, node.span, tuple(f"{figure}: {value}" for figure, value, _ in lines))


def _divided(line: str) -> tuple[str, str]:
    figure, _, value = line.partition(":")
    return figure.strip(), value.strip()


def _told(reader: Reader, words: Words, name: str, node: Node) -> Wanted | None:
    """Read the level of service that the receiver was told last: one, or one for each service."""
    if not isinstance(node, MapNode):
        return _word(lambda _: LEVELS, "level", "one of")(reader, words, name, node)
    if not _says_something(reader, name, node, f"{name}: open"):
        return None
    lines = []
    for key, value in node.entries:
        level = reader.text(value, f"`{key.text}`") or ""
        if not known_word(reader, level, LEVELS, "level", _inner(value), "one of"):
            return None
        lines.append(f"{key.text}: {level}")
    return Wanted(name, node.span, tuple(sorted(lines)))


def _ledger(reader: Reader, words: Words, name: str, node: Node) -> Wanted | None:
    if not _says_something(reader, name, node, "ledger: {open: 40.00, credit: 0}"):
        return None
    lines = read_ledger(reader, node)
    return None if lines is None else Wanted(name, node.span, lines)


_Read = Callable[[Reader, Words, str, Node], Wanted | None]
_STEP = _word(lambda words: (*words.steps, NOTHING), "step")
READERS: Mapping[str, _Read] = {
    "do": _do,
    "reached": _STEP,
    "warranted": _STEP,
    "rows": _rows,
    "ladder": _word(lambda words: (*words.ladders, EXEMPT), "ladder"),
    "level": _word(lambda _: LEVELS, "level", "one of"),
    "ended": _word(lambda _: (*ENDINGS, NOTHING), "ending", "one of"),
    "wake": _wake,
    "open": _truth,
    **dict.fromkeys(AMOUNTS, _number),
    "age": _integer,
    "days_past_due": _integer,
    "case": _integer,
    "says": _says,
    "figures": _figures,
    "sent": _says,
    "text": _says,
    "ledger": _ledger,
    "told": _told,
    "reminds": _wake,
}
"""What may be expected, and how it is read."""
