"""What the kinds of entries are called in sentences."""

from __future__ import annotations

from collections.abc import Mapping

_SAID: Mapping[str, str] = {
    "bill_issued": "issued bill",
    "payment_returned": "returned payment",
    "return_reversed": "return reversal",
    "fee_waived": "fee waiver",
    "write_down": "write-down",
    "plan_ended": "ended plan",
    "dispute_resolved": "dispute resolution",
    "promise_withdrawn": "promise withdrawal",
    "hold_released": "hold release",
    "feed": "account feed",
    "write_off_mark": "write-off mark",
}


def said(kind: str) -> str:
    """Return what an entry of a kind is called: `returned payment`."""
    return _SAID.get(kind, kind.replace("_", " "))


def with_article(name: str, *, capital: bool = False) -> str:
    """Return a name with `a` or `an` before it."""
    article = "an" if name[:1].lower() in "aeio" else "a"
    return f"{article.capitalize() if capital else article} {name}"
