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
    by_name = {name: _on_the_shelf(session, name) for name in names_of(session, COLLECTIONS)}
    for policy in beside:
        by_name.setdefault(policy.name, {})[policy.effective_from] = policy.currency
    stated = {name: _from(days, today) for name, days in by_name.items()}
    problems = tuple(named_problems(read_yaml(data, path).policy, stated))
    if problems:
        raise PolicyRefused(problems, {path: data.decode("utf-8", "replace")})


def _on_the_shelf(session: Session, name: str) -> dict[date, str]:
    """Return in which currency each text of a name states amounts, by the day from which it is in force."""
    found = {}
    for text, _ in words_of(session, COLLECTIONS, name).said:
        _, texts = read_texts(session, text.digest)
        found[text.effective_from] = usable(load_collections(texts), texts).currency
    return found


def _from(days: Mapping[date, str], today: date) -> list[Stated]:
    """Return what is stated by the text in force on a day and by those that follow, each currency once."""
    last = max((day for day in days if day <= today), default=today)
    return [Stated(currency) for currency in dict.fromkeys(days[day] for day in sorted(days) if day >= last)]
