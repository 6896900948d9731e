"""`late_fee` and `interest` of a collections policy: rate, basis, from when, on what, caps, rounding."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

from engine.ladder.model import LateFeeRules
from engine.ladder.sections_from_yaml import choice, fits, span_of
from engine.ledger.charges import BASES, Basis, Rate
from engine.text import MapNode, Node, Period, Reader, optional
from engine.text.meant import meant

Kind = Literal["late_fee", "interest"]
_RATE: Mapping[Kind, re.Pattern[str]] = {
    "late_fee": re.compile(r"(\d+(?:\.\d+)?) per day"),
    "interest": re.compile(r"(\d+(?:\.\d+)?) per year"),
}
_EXAMPLE: Mapping[Kind, str] = {"late_fee": "0.003 per day", "interest": "0.09 per year"}
_FROM = re.compile(r"due \+ (P\S+)")
_ROUNDING = re.compile(r"(\d+(?:\.\d+)?) half_up")
_SHARE = re.compile(r"(\d+(?:\.\d+)?) of principal")
_AMOUNT = re.compile(r"\d+(?:\.\d+)?")
_MORE = ("from", "on", "rounding", "cap", "for", "stops_in", "counts_for")
ALWAYS = date.min


def read_charge(reader: Reader, node: Node, kind: Kind) -> LateFeeRules | None:
    """Read `late_fee` or `interest`."""
    more = (*_MORE, "basis") if kind == "interest" else _MORE
    fields = reader.fields(node, f"`{kind}`", ["rate"], more)
    if fields is None or "rate" not in fields:
        return None
    rates = read_rates(reader, fields["rate"], kind)
    start = _match(reader, fields, "from", _FROM, "due + P1D")
    rounding = _match(reader, fields, "rounding", _ROUNDING, "0.01 half_up")
    choice(reader, fields, "on", "a value of `on`", ("undisputed principal",))
    share, amount = _cap(reader, fields["cap"]) if "cap" in fields else (Decimal(1), None)
    kinds = reader.list_of(fields["stops_in"], "`stops_in`", reader.text) if "stops_in" in fields else ()
    words = ("closes", "release")
    counts = (
        reader.list_of(fields["counts_for"], "`counts_for`", lambda n, w: reader.choice(n, w, words))
        if "counts_for" in fields
        else ()
    )
    grace = Period.parse(start) if start else Period(days=1)
    if not rates or grace is None:
        return None
    return LateFeeRules(
        rates[-1].share, grace, node.span, Decimal(rounding or "0.01"), share == 1, kinds, counts,
        kind=kind, basis=read_basis(reader, fields) if kind == "interest" else "day", rates=rates,
        cap_share=share, cap_amount=amount,
        lasts=optional(fields, "for", span_of(reader), f"`for` of `{kind}`"),
    )  # fmt: skip


def read_basis(reader: Reader, fields: Mapping[str, Node]) -> Basis:
    """Read the basis of days of interest by the year; act/365 where none is said."""
    said = choice(reader, fields, "basis", "a basis of days", tuple(b for b in BASES if b != "day"))
    return next((basis for basis in BASES if basis == said), "act/365")


def read_rates(reader: Reader, node: Node, kind: Kind) -> tuple[Rate, ...]:
    """Read one rate, or each rate with its first day."""
    if not isinstance(node, MapNode):
        found = _rate(reader, node, kind)
        return () if found is None else (Rate(ALWAYS, found),)
    rates: list[Rate] = []
    for key, value in reader.entries(node, "`rate`"):
        since, share = reader.date(key, "the first day of a rate"), _rate(reader, value, kind)
        if since is not None and rates and since <= rates[-1].since:
            message = f"the rate of {since} stands after that of {rates[-1].since}"
            reader.error("rates-out-of-order", message, key.span, "write the earlier day first")
        elif since is not None and share is not None:
            rates.append(Rate(since, share))
    return tuple(rates)


def _rate(reader: Reader, node: Node, kind: Kind) -> Decimal | None:
    found = _match(reader, {"rate": node}, "rate", _RATE[kind], _EXAMPLE[kind])
    return None if found is None else Decimal(found)


def _cap(reader: Reader, node: Node) -> tuple[Decimal | None, Decimal | None]:
    """Return the share of the principal and the amount that a charge can reach; None: no such cap."""
    text = reader.text(node, "`cap`") or "principal"
    if text in ("principal", "none"):
        return (Decimal(1) if text == "principal" else None), None
    if found := _SHARE.fullmatch(text):
        return Decimal(found[1]), None
    if _AMOUNT.fullmatch(text):
        return None, Decimal(text)
    advice = "write `principal`, `none`, a share such as `0.3 of principal`, or an amount such as `25.00`"
    reader.error("not-a-fee-cap", f"`cap` is `{text}`, which is no cap of a fee", node.span, advice)
    return None, None


def _match(
    reader: Reader, fields: Mapping[str, Node], name: str, form: re.Pattern[str], example: str
) -> str | None:  # fmt: skip
    node = fields.get(name)
    if node is None:
        return None
    text = reader.text(node, f"`{name}`") or ""
    found = form.fullmatch(text)
    start = Period.parse(found[1]) if found and name == "from" else None
    if not found or (name == "from" and (start is None or not fits(start, least=0))):
        _, _, unit = example.partition(" ")
        plain = meant(text.removesuffix(unit).strip(), "a number") or text.removesuffix(unit).strip()
        shown = f"{plain} {unit}" if form.fullmatch(f"{plain} {unit}") else example
        reader.error("not-understood", f"`{name}` is `{text}`", node.span, f"write `{shown}`")
        return None
    return found[1]
