"""`deposits` of a collections policy: when one goes back, what it earns, whether it is topped up."""

from __future__ import annotations

import re

from engine.ladder.charges_from_yaml import read_basis, read_rates
from engine.ladder.sections_from_yaml import choice
from engine.ledger.deposit_rules import DepositInterest, DepositRules
from engine.text import Node, Reader

_MONTHS = re.compile(r"(\d{1,3}) good months?")


def read_deposits(reader: Reader, node: Node) -> DepositRules | None:
    """Read `deposits`."""
    fields = reader.fields(node, "`deposits`", (), ("release", "interest", "top_up", "at_closing"))
    if fields is None:
        return None
    top_up = choice(reader, fields, "top_up", "a value of `top_up`", ("after_application", "never"))
    closing = choice(reader, fields, "at_closing", "a value of `at_closing`", ("refund", "keep"))
    return DepositRules(
        _months(reader, fields["release"]) if "release" in fields else None,
        _interest(reader, fields["interest"]) if "interest" in fields else None,
        top_up == "after_application",
        closing != "keep",
    )


def _months(reader: Reader, node: Node) -> int | None:
    text = reader.text(node, "`release`") or ""
    found = _MONTHS.fullmatch(text)
    if found and int(found[1]) > 0:
        return int(found[1])
    number = re.search(r"[1-9]\d{0,2}", text)
    advice = f"write `{number[0] if number else 12} good months`"
    reader.error("not-good-months", f"`release` is `{text}`, not a number of good months", node.span, advice)
    return None


def _interest(reader: Reader, node: Node) -> DepositInterest | None:
    fields = reader.fields(node, "`interest` of `deposits`", ["rate"], ("basis", "credited"))
    if fields is None or "rate" not in fields:
        return None
    rates = read_rates(reader, fields["rate"], "interest")
    credited = choice(reader, fields, "credited", "a time of crediting", ("yearly", "at_release"))
    if not rates:
        return None
    return DepositInterest(
        rates, read_basis(reader, fields), "yearly" if credited == "yearly" else "at_release"
    )
