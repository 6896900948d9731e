"""Which policy judges whom: the portfolio, a text of the shelf like the policies it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.policy import Loaded
from engine.source import has_errors
from engine.text import Node, Reader, read_yaml

PORTFOLIO = "portfolio"


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The name of the credit policy for each value of one fact, and of the collections policy for all."""

    by: str
    credit: Mapping[str, str]
    collections: str

    def credit_for(self, value: str) -> str:
        """Return the name of the credit policy for a value; empty when none is named."""
        return self.credit.get(value, "")


def load_portfolio(data: bytes, file: str) -> Loaded[Portfolio]:
    """Read a portfolio: `credit` by the values of one entry of the customer file, and `collections`."""
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
    collections = reader.slug(fields["collections"], "`collections`") if "collections" in fields else None
    return Portfolio(by, credit, collections or "")
