"""Which policy judges whom: the portfolio, a text of the shelf like the policies it names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from engine.policy import Loaded
from engine.source import Problem, Span, has_errors
from engine.text import ListNode, MapNode, Node, Reader, ScalarNode, did_you_mean, read_yaml
from engine.text.currency import CODES, currency_advice
from engine.text.meant import narrow

PORTFOLIO = "portfolio"
_FOR_ALL = ("default", "all", "any", "else", "other", "others", "rest", "*", "-")
"""What people write for every currency that they do not name."""


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The name of the credit policy for each value of one fact, and of the collections policies."""

    by: str
    credit: Mapping[str, str]
    collections: str | Mapping[str, str]
    """One name for accounts in every currency, or a name by currency (ISO 4217)."""

    def credit_for(self, value: str) -> str:
        """Return the name of the credit policy for a value; empty when none is named."""
        return self.credit.get(value, "")

    @property
    def by_currency(self) -> Mapping[str, str]:
        """The names of the collections policies by currency; empty where one name stands for all."""
        return {} if isinstance(self.collections, str) else self.collections

    def collections_for(self, currency: str) -> str:
        """Return the name of the collections policy for accounts in a currency; empty when none is named."""
        if isinstance(self.collections, str):
            return self.collections
        return self.collections.get(currency, "")

    def names_none_for(self, currency: str) -> str:
        """Return in a sentence that no collections policy is named for accounts in a currency."""
        if not self.by_currency:
            return "The portfolio names no collections policy, and neither does the account."
        known = ", ".join(sorted(self.by_currency))
        return (
            f"The portfolio names no collections policy for accounts in {currency}, only for {known},"
            " and the account itself names none."
        )


@dataclass(frozen=True, slots=True)
class Stated:
    """In which currency one text of a collections policy states its amounts."""

    currency: str
    place: Span | None = None
    """Where it says so, as far as that can be shown beside the portfolio."""


def load_portfolio(data: bytes, file: str) -> Loaded[Portfolio]:
    """Read a portfolio: `credit` by the values of one entry of the customer file, and `collections`.

    `collections` is one name for accounts in every currency, or a map of names by currency.
    """
    loaded = read_yaml(data, file)
    if loaded.policy is None:
        return Loaded(None, loaded.problems)
    reader = Reader()
    portfolio = _portfolio(reader, loaded.policy)
    problems = tuple(reader.problems)
    return Loaded(None if has_errors(problems) else portfolio, problems)


def _portfolio(reader: Reader, node: Node) -> Portfolio | None:
    fields = reader.fields(node, "a portfolio", [], ["credit", "collections"])
    if fields is None:
        return None
    by, credit = "segment", {}
    if "credit" in fields:
        for key, value in reader.entries(fields["credit"], "`credit`"):
            name = reader.slug(value, f"`{key.text}`")
            if key.text == "by":
                by = name or by
            elif name:
                credit[key.text] = name
    collections = _collections(reader, fields["collections"]) if "collections" in fields else ""
    return Portfolio(by, credit, collections)


def _collections(reader: Reader, node: Node) -> str | Mapping[str, str]:
    if isinstance(node, ListNode):
        advice = "write the name of one policy, or names by currency: `{CNY: consumer-collections}`"
        reader.error("not-a-map", "`collections` is a list, not a name or a map", node.span, advice)
    if not isinstance(node, MapNode):
        return (reader.slug(node, "`collections`") or "") if isinstance(node, ScalarNode) else ""
    if not node.entries:
        advice = "write `CNY: ` and the name of a policy, or leave `collections` out"
        reader.error("empty", "`collections` names no currency", node.span, advice)
    found: dict[str, str] = {}
    for key, value in reader.entries(node, "`collections`"):
        if key.text not in CODES:
            reader.error("not-a-currency", f"`{key.text}` is not a currency", key.span, _key_advice(key.text))
            if isinstance(value, ScalarNode) and value.is_null:
                continue
        name = reader.slug(value, f"`{key.text}`")
        if name and key.text in CODES:
            found[key.text] = name
    return found


def _key_advice(text: str) -> str:
    code, colon, name = narrow(text).partition(":")
    if colon:
        return f"write `{code.strip()}: {name.strip()}`, with a plain colon and a blank"
    if text == "by":
        return "remove it: `collections` always goes by the currency of the account"
    if text.casefold() in _FOR_ALL:
        return "name a policy for each currency: what is stated in one treats no account in another"
    return currency_advice(text)


def chosen(node: Node | None) -> Iterator[tuple[str, ScalarNode]]:
    """Yield the collections policies that a portfolio names, each with its currency; empty: for all."""
    found = node.get("collections") if isinstance(node, MapNode) else None
    if isinstance(found, ScalarNode):
        yield "", found
    for key, value in found.entries if isinstance(found, MapNode) else ():
        if isinstance(value, ScalarNode):
            yield key.text, value


def named_problems(
    node: Node | None, stated: Mapping[str, Collection[Stated]], unreadable: Collection[str] = ()
) -> Iterator[Problem]:
    """Yield what is wrong between the collections policies that are named and those that there are.

    `stated` holds for each the currencies of its texts: by a map each must be that which it is named for.
    Of the names in `unreadable` nothing is said.
    """
    for currency, name in chosen(node):
        if name.text not in stated and name.text not in unreadable:
            yield unknown_policy("collections", name, stated)
        for text in stated.get(name.text, ()):
            if currency in CODES and text.currency != currency:
                message = f"`{name.text}` states amounts in {text.currency}, not in {currency}"
                related = (("the policy says so here", text.place),) if text.place else ()
                advice = _advice(node, name.text, currency, text.currency, stated)
                yield Problem("other-currency", message, name.span, advice, related=related)


def unknown_policy(kind: str, name: ScalarNode, known: Collection[str]) -> Problem:
    """Return what is wrong with the name of a policy that is not there."""
    advice = did_you_mean(name.text, sorted(known), of=f"{kind} policies")
    return Problem("unknown-policy", f"there is no {kind} policy `{name.text}`", name.span, advice)


def _advice(
    node: Node | None, name: str, key: str, said: str, stated: Mapping[str, Collection[Stated]]
) -> str:
    fit = [other for other, texts in stated.items() if texts and all(t.currency == key for t in texts)]
    if fit:
        return f"write `{key}: {sorted(fit)[0]}`, which states amounts in {key}"
    other = f"name a policy with `currency: {key}`"
    taken = {currency for currency, _ in chosen(node)}
    return other if said in taken else f"write `{said}: {name}`, or {other}"
