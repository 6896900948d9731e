"""Whether the collections policies that a portfolio names by currency are there, and state amounts in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from sqlmodel import Session

from api.storage.errors import PolicyRefused
from api.storage.library import usable
from api.storage.portfolio import Stated, load_portfolio, named_problems
from api.storage.shelf import names_of, read_texts, words_of
from engine.ladder import CollectionsPolicy, load_collections
from engine.policy import Texts
from engine.text import read_yaml

COLLECTIONS = "collections"


def refuse_unfitting(
    session: Session, texts: Texts, today: date, beside: Iterable[CollectionsPolicy] = ()
) -> None:
    """Refuse a portfolio that cannot be read, or that names by currency what states amounts in another.

    Asked are the texts of each name in force today and later, and those `beside`, which are about to be
    published. Raises PolicyRefused.
    """
    ((path, data),) = texts.items()
    portfolio = usable(load_portfolio(data, path), dict(texts))
    if not portfolio.by_currency:
        return
    new: dict[str, dict[date, str]] = {}
    for policy in beside:
        new.setdefault(policy.name, {})[policy.effective_from] = policy.currency
    names = dict.fromkeys([*names_of(session, COLLECTIONS), *new])
    stated = {name: _stated(session, name, new.get(name, {}), today) for name in names}
    problems = tuple(named_problems(read_yaml(data, path).policy, stated))
    if problems:
        raise PolicyRefused(problems, {path: data.decode("utf-8", "replace")})


def _stated(session: Session, name: str, new: Mapping[date, str], today: date) -> list[Stated]:
    """Return in which currencies the text in force today and those that follow state amounts, each once."""
    shelf = {text.effective_from: text.digest for text, _ in words_of(session, COLLECTIONS, name).said}
    days = sorted({*shelf, *new})
    first = max((day for day in days if day <= today), default=today)
    found = [new.get(day) or _currency(session, shelf[day]) for day in days if day >= first]
    return [Stated(currency) for currency in dict.fromkeys(found) if currency]


def _currency(session: Session, digest: str) -> str:
    """Return the currency of a text on the shelf; empty for one of which accounts say that it is no use."""
    _, texts = read_texts(session, digest)
    policy = load_collections(texts).policy
    return policy.currency if policy else ""
