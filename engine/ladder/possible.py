"""Whether a history could have happened: what its lines name is there, and a ledger takes each of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.credit.model import FactDefinition, FactKind
from engine.ladder.events_from_yaml import Line
from engine.ladder.words import Words, known_word, read_action
from engine.ledger.account import Terms
from engine.ledger.book_states import REFUND
from engine.ledger.entries import Act, Bill, DepositMoved, Entry, FactSet, Hold, Recovery, Refund
from engine.ledger.refusals import entry_problems
from engine.ledger.unmatched import unmatched
from engine.source import Span
from engine.text import ListNode, MapNode, Node, Reader, ScalarNode, did_you_mean

ALL = "all"


@dataclass(frozen=True, slots=True)
class Names:
    """The ids that the lines of a history give, by what they name."""

    bill: frozenset[str]
    plan: frozenset[str]
    payment: frozenset[str]
    payment_returned: frozenset[str]
    dispute: frozenset[str]
    promise: frozenset[str]
    hold: frozenset[str]
    service: frozenset[str]
    """The services that are billed."""


_NOUNS = {"payment_returned": "return"}
ACTS = ("force", "skip", "stop", "resume", "confirm")
_REFERENCES: dict[str, tuple[tuple[str, str], ...]] = {
    "issued": (("issued", "bill"),),
    "plan": (("replaces", "bill"),),
    "plan_ended": (("plan_ended", "plan"),),
    "returned": (("returned", "payment"),),
    "return_reversed": (("return_reversed", "payment_returned"),),
    "refund": (("payment", "payment"),),
    "credit_note": (("bill", "bill"),),
    "adjustment": (("bill", "bill"),),
    "fee_waived": (("bill", "bill"),),
    "write_down": (("bill", "bill"),),
    "recovery": (("bill", "bill"),),
    "dispute": (("bill", "bill"),),
    "resolved": (("resolved", "dispute"),),
    "promise_withdrawn": (("promise_withdrawn", "promise"),),
    "hold": (("bill", "bill"),),
    "released": (("released", "hold"),),
    "write_off_mark": (("write_off_mark", "bill"),),
    **dict.fromkeys(ACTS, (("bill", "bill"), ("service", "service"))),
}
"""By kind of line: the keys that name something else, and what they name."""


UNALLOCATED = "task(unallocated_payment)"


def check_history(
    reader: Reader, terms: Terms, words: Words, lines: Sequence[Line], *, unallocated: bool = False,
    beside: Mapping[str, Names] | None = None,
) -> None:  # fmt: skip
    """Note every line that names what is not there, and every entry that a ledger would refuse.

    A reference may come before what it names: news comes in any order. Money for a bill that nobody knows
    is warned of, unless the case is about it (`unallocated`). `beside` are the names that lines in other
    currencies give.
    """
    names = names_of(line.event.entry for line in lines)
    for line in lines:
        if line.event.contact is not None:
            continue  # its bill is one of another account
        _check_references(reader, names, line, beside or {})
        _check_contact(reader, names, line)
        _check_service(reader, names, line)
        if not unallocated:
            _check_shares(reader, names, line, beside or {})
        _check_words(reader, words, line)
    _check_ledger(reader, terms, words, lines)


def names_of(entries: Iterable[Entry | None]) -> Names:
    """Return the ids that entries give, by what they name."""
    found: dict[str, set[str]] = {name: set() for name in Names.__slots__}
    for entry in entries:
        if isinstance(entry, Bill):
            found["bill"] |= {entry.id, *(f"{entry.id}/{n}" for n in range(1, len(entry.instalments) + 1))}
            found["service"] |= {entry.service} - {""}
            if entry.replaces:
                found["plan"].add(entry.id)
        elif entry is not None and entry.kind in found:
            found[entry.kind].add(entry.id)
        elif isinstance(entry, Recovery):
            found["payment"].add(entry.id)
        elif isinstance(entry, Refund):
            found["bill"].add(f"{REFUND}{entry.id}")
    return Names(**{name: frozenset(ids) for name, ids in found.items()})


# what is named


def _check_contact(reader: Reader, names: Names, line: Line) -> None:
    node = line.fields.get("bill") if line.verb == "contact" else None
    if isinstance(node, ScalarNode) and (name := node.text.strip()) not in names.bill:
        advice = did_you_mean(name, names.bill, of="bills here") or "add the bill to the history"
        message = f"the contact is about bill `{name}`, which is not in this history"
        reader.warn("unknown-bill", message, node.inner, advice)


def _check_service(reader: Reader, names: Names, line: Line) -> None:
    node = line.fields.get("service") if line.verb == "payment" else None
    if isinstance(node, ScalarNode) and (name := node.text.strip()) not in names.service:
        advice = did_you_mean(name, names.service, of="services here") or "name the service of a bill"
        message = f"the payment is for the service `{name}`, of which there is no bill"
        reader.warn("unknown-service", message, node.inner, advice)


def _check_references(reader: Reader, names: Names, line: Line, beside: Mapping[str, Names]) -> None:
    for key, what in _REFERENCES.get(line.verb, ()):
        for node in _scalars(line.fields.get(key)):
            name = node.text.strip()
            if name and not (line.verb == "write_off_mark" and name == ALL):
                of = next((code for code, there in beside.items() if name in getattr(there, what)), "")
                _check_reference(reader, name, getattr(names, what), what, node.inner, of)


def _check_shares(reader: Reader, names: Names, line: Line, beside: Mapping[str, Names]) -> None:
    for node in _shares(line):
        if node.text not in names.bill:
            advice = did_you_mean(node.text, names.bill, of="bills here")
            of = next((code for code, there in beside.items() if node.text in there.bill), "")
            where = f"is in {of}" if of else "is not in this history"
            message = f"the payment is for bill `{node.text}`, which {where}: it pays no debt"
            reader.warn("unknown-bill", message, node.inner, advice)


def _scalars(node: Node | None) -> Iterator[ScalarNode]:
    for item in node.items if isinstance(node, ListNode) else (node,):
        if isinstance(item, ScalarNode):
            yield item


def _shares(line: Line) -> Iterator[ScalarNode]:
    pays = line.fields.get("pays")
    if isinstance(pays, MapNode):
        yield from (key for key, _ in pays.entries)


def _check_reference(
    reader: Reader, name: str, known: Collection[str], what: str, span: Span, of: str
) -> None:  # fmt: skip
    """Note a name that is not there; `of` is the other currency in which it is."""
    if name in known:
        return
    noun = _NOUNS.get(what, what)
    if of:
        message, advice = f"the {noun} `{name}` is in {of}", f"write `currency: {of}` in this line too"
        reader.error("other-currency", message, span, advice)
        return
    advice = did_you_mean(name, known, of=f"{noun}s here") or f"add the {noun} to the history"
    reader.error(f"unknown-{noun}", f"there is no {noun} `{name}` in this history", span, advice)


def _check_words(reader: Reader, words: Words, line: Line) -> None:
    entry, node = line.event.entry, line.fields[line.verb]
    place = line.place(line.verb)
    if line.event.reply is not None and isinstance(node, ScalarNode):
        read_action(reader, words, node.text.strip(), place)
    elif isinstance(entry, Hold):
        known_word(reader, entry.hold, words.holds, "kind of hold", place)
    elif isinstance(entry, FactSet):
        if known_word(reader, entry.name, words.facts, "fact", place):
            _check_fact(reader, words.facts[entry.name], entry, line.place("value"))
    elif isinstance(entry, Act):
        _check_act(reader, words, entry, place, node)


def _check_act(reader: Reader, words: Words, act: Act, place: Span, node: Node) -> None:
    if act.act in ("stop", "resume"):
        if isinstance(node, ScalarNode) and node.text != ALL:
            message = f"`{act.act}` is for the whole ladder, not for `{node.text}`"
            reader.error(
                "not-all", message, place, f"write `{act.act}: all`, or `skip: {node.text}` for one step"
            )
    elif not known_word(reader, act.step, words.steps, "step", place):
        return
    elif act.act == "confirm" and act.step not in words.approved:
        advice = did_you_mean(act.step, words.approved, of="steps with `approve(...)`")
        message = f"step `{act.step}` asks for no approval, so there is nothing to confirm"
        reader.error("nothing-to-confirm", message, place, advice or "remove the line")


_VALUES: dict[FactKind, tuple[type, str]] = {
    FactKind.STRING: (str, 'write a text; a number needs quotes: `"5"`'),
    FactKind.INTEGER: (int, "write digits only: `3`"),
    FactKind.DECIMAL: (int, "write a whole number; facts of collections have no decimals"),
    FactKind.MONEY: (int, "write a whole number; facts of collections have no decimals"),
    FactKind.BOOLEAN: (bool, "write `true` or `false`, without quotes"),
    FactKind.DATE: (str, "write a day: `2026-01-31`"),
    FactKind.STRINGS: (tuple, "write a list: `[a, b]`"),
}


def _check_fact(reader: Reader, fact: FactDefinition, entry: FactSet, place: Span) -> None:
    value = entry.value
    if value is None:
        return
    wanted, advice = _VALUES[fact.kind]
    shown = str(value).lower() if isinstance(value, bool) else value
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        message = f"fact `{fact.name}` is of type {fact.kind}; `{shown}` is not"
        reader.error("fact-type", message, place, advice)
    elif fact.one_of and value not in fact.one_of:
        advice = did_you_mean(str(value), fact.one_of, of="one of")
        reader.error("not-one-of", f"fact `{fact.name}` is never `{value}`", place, advice)


# what a ledger takes


def _check_ledger(reader: Reader, terms: Terms, words: Words, lines: Sequence[Line]) -> None:
    """Note what a ledger would refuse, in the order in which it hears of it; what is refused never counts."""
    known: list[Entry] = []
    for line in sorted(lines, key=lambda line: line.event.at):
        entry = line.event.entry
        if entry is None:
            continue
        problems = entry_problems(terms, known, entry, words.lasts)
        for found in problems:
            place = line.place("id" if found.field == "id" and "id" in line.fields else found.field)
            reader.error(found.code, found.message.removesuffix("."), place, found.advice)
        if not problems:
            known.append(entry)
    _check_money(reader, known, lines)


def _check_money(reader: Reader, known: Sequence[Entry], lines: Sequence[Line]) -> None:
    """Note what never has money behind it: a deposit that is not held, a refund of more than came in."""
    waits = {(wait.kind, wait.id) for wait in unmatched(known) if not wait.wanted}
    for line in lines:
        entry = line.event.entry
        if entry is None or (entry.kind, entry.id) not in waits:
            continue
        if isinstance(entry, DepositMoved):
            message = f"A deposit of 0 is held; {entry.amount} is more than that"
            reader.error("deposit-exceeded", message, line.place("amount"), "take a deposit in first")
        elif isinstance(entry, Refund):
            message = f"Less money is there than the refund of {entry.amount}"
            reader.error("refund-exceeds-money", message, line.place("amount"), "let money come in first")
