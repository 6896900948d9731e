"""By which policy each currency of a timeline is treated, and the texts that follow on it.

A policy states its amounts in one currency, and an account is in one; so a customer who owes in two
currencies has two accounts, each with a policy and a ladder of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from engine.ladder.adopting import check_adoption
from engine.ladder.from_yaml import load_collections
from engine.ladder.law import LawPack
from engine.ladder.model import CollectionsPolicy
from engine.ladder.words import Words, words_of
from engine.policy import Loaded, Texts
from engine.source import Span
from engine.text import ListNode, MapNode, Node, Reader, ScalarNode, did_you_mean
from engine.text.currency import CODES, currency_advice
from engine.workdays import Calendar


@dataclass(frozen=True, slots=True)
class Treated:
    """A policy with the law pack and the calendar that it names."""

    policy: CollectionsPolicy
    law: LawPack | None = None
    """None: the same as that of the cases."""
    calendar: Calendar | None = None


Neighbours = Mapping[str, Callable[[], Loaded[Treated]]]
"""The other collections policies there are, by name, each read when it is asked for."""


@dataclass(slots=True)
class Sides:
    """What the accounts of one case are treated by, by currency; the policy of the cases comes first."""

    by: dict[str, CollectionsPolicy]
    later: dict[str, list[CollectionsPolicy]] = field(default_factory=dict)
    """The texts that the history goes over to, in that order."""
    texts: dict[str, CollectionsPolicy] = field(default_factory=dict)
    """Those texts by name."""

    def policies(self, currency: str) -> list[CollectionsPolicy]:
        """Return every policy that a history names for a currency."""
        return [self.by[currency], *self.later.get(currency, ())]

    def words(self) -> dict[str, Words]:
        """Return what the policies of each currency know."""
        return {currency: words_of(self.policies(currency)) for currency in self.by}


@dataclass(frozen=True, slots=True)
class Around:
    """What the cases of a policy can name: its own texts, and what lies beside its folder."""

    own: CollectionsPolicy
    texts: Texts = field(hash=False)
    beside: Neighbours = field(hash=False)
    named: Mapping[str, str] = field(hash=False)
    """The policy that the portfolio names for accounts in each currency."""


def read_currencies(reader: Reader, around: Around, node: Node) -> dict[str, Treated]:
    """Read `currencies: {USD: travel-collections}`: by which policy each further currency is treated.

    A name is that of a policy in a folder of its own, or of a text beside the cases.
    """
    found: dict[str, Treated] = {}
    for key, value in reader.entries(node, "`currencies`"):
        name = reader.text(value, f"`{key.text}`")
        if name is None or not _is_further(reader, around.own, key):
            continue
        treated = _treated(reader, around, name, value.span)
        if treated and _fits(reader, around.own, treated.policy, key.text, value.span):
            found[key.text] = treated
    return found


def named_currencies(
    reader: Reader, around: Around, cases: Node, known: Collection[str]
) -> dict[str, Treated]:
    """Return by which policy the portfolio treats each further currency that a line of the cases names."""
    found: dict[str, Treated] = {}
    for place in _currencies_of(cases):
        code = place.text.strip()
        if code in known or code in found or code not in around.named or code == around.own.currency:
            continue
        treated = _named(reader, around, code, place.span)
        if treated is None:
            return {}
        found[code] = treated
    return found


def _named(reader: Reader, around: Around, code: str, span: Span) -> Treated | None:
    """Return the policy that the portfolio names for a currency; one that does not fit is told."""
    name = around.named[code]
    said = f"the portfolio names `{name}` for {code}"
    if name not in around.beside:
        advice = (
            f"add its folder beside this one, or name another below `policy:`: `currencies: {{{code}: ...}}`"
        )
        reader.error("unknown-policy", f"{said}, and no such policy is here", span, advice)
        return None
    there = around.beside[name]()
    reader.take(there.problems)
    if there.policy is None or there.policy.policy.currency == code:
        return there.policy
    message = f"{said}, which states amounts in {there.policy.policy.currency}"
    reader.error("other-currency", message, span, f"name a policy with `currency: {code}` there")
    return None


def _currencies_of(cases: Node) -> Iterator[ScalarNode]:
    for case in cases.items if isinstance(cases, ListNode) else ():
        for key in ("history", "expect"):
            lines = case.get(key) if isinstance(case, MapNode) else None
            for line in lines.items if isinstance(lines, ListNode) else ():
                said = line.get("currency") if isinstance(line, MapNode) else None
                if isinstance(said, ScalarNode):
                    yield said


def _is_further(reader: Reader, policy: CollectionsPolicy, key: ScalarNode) -> bool:
    if key.text not in CODES:
        message = f"`{key.text}` is not a currency"
        reader.error("not-a-currency", message, key.span, currency_advice(key.text))
    elif key.text == policy.currency:
        message = f"`{policy.name}` itself states amounts in {key.text}"
        reader.error("own-currency", message, key.span, "remove it: here stand the other currencies")
    else:
        return True
    return False


def _treated(reader: Reader, around: Around, name: str, span: Span) -> Treated | None:
    own, texts, beside = around.own, around.texts, around.beside
    if name not in texts:
        if name in beside:
            there = beside[name]()
            reader.take(there.problems)
            return there.policy
        known = (*beside, *(text for text in texts if text.endswith(".yaml")))
        advice = did_you_mean(name, known, of="policies here") or "add its folder beside this one"
        reader.error("unknown-policy", f"there is no collections policy `{name}`", span, advice)
        return None
    loaded = load_collections(texts, name)
    reader.take(loaded.problems)
    if loaded.policy is None:
        return None
    names = (loaded.policy.regulation, loaded.policy.calendar)
    if names != (own.regulation, own.calendar):
        message = f"`{name}` names another law pack or calendar than `{own.name}`"
        advice = "put it in a folder of its own, with `policy.yaml`, and write the name of the policy"
        reader.error("other-law", message, span, advice)
        return None
    return Treated(loaded.policy)


def _fits(reader: Reader, own: CollectionsPolicy, other: CollectionsPolicy, code: str, span: Span) -> bool:
    if other.currency != code:
        message = f"`{other.name}` states amounts in {other.currency}, not in {code}"
        advice = f"write `{other.currency}: {other.name}`, or name a policy with `currency: {code}`"
        reader.error("other-currency", message, span, advice)
    elif other.name == own.name:
        message = f"both policies are called `{own.name}`: an account could not say which is meant"
        reader.error("same-name", message, span, "give the other one a name of its own behind `policy:`")
    else:
        return True
    return False


def read_sides(reader: Reader, by: Mapping[str, CollectionsPolicy], history: Node, texts: Texts) -> Sides:
    """Return what a history is treated by; other texts that it names are checked as a release is."""
    sides = Sides(dict(by))
    own = next(iter(by))
    for item in history.items if isinstance(history, ListNode) else ():
        if not isinstance(item, MapNode):
            continue
        name, currency = _word(item, "policy"), _word(item, "currency") or own
        if name in texts and name not in sides.texts and currency in by:
            loaded = load_collections(texts, name)
            reader.take(loaded.problems)
            if loaded.policy and loaded.policy.currency != currency:
                said = loaded.policy.currency
                message = f"`{name}` states amounts in {said}, and the account is in {currency}"
                advice = (
                    f"write `currency: {said}` beside it, or name a text that states amounts in {currency}"
                )
                reader.error("other-currency", message, item.span, advice)
            elif loaded.policy:
                reader.take(check_adoption(sides.policies(currency)[-1], loaded.policy))
                sides.texts[name] = loaded.policy
                sides.later.setdefault(currency, []).append(loaded.policy)
    return sides


def _word(node: MapNode, key: str) -> str:
    found = node.get(key)
    return found.text.strip() if isinstance(found, ScalarNode) else ""
