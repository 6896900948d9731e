"""The text of a collections policy to its typed, checked model.

The format is described in `policies/collections/README.md`. Everything that is wrong is noted with its
place; a policy comes back only when nothing is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TypedDict
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.credit.facts_from_yaml import read_facts
from engine.credit.policy_reader import PolicyReader
from engine.identity import manifest
from engine.ladder.adopting import read_maps
from engine.ladder.before_due_from_yaml import read_before_due
from engine.ladder.brake import read_brake
from engine.ladder.charges_from_yaml import read_charge
from engine.ladder.check import check
from engine.ladder.contact_from_yaml import read_contact
from engine.ladder.deposits_from_yaml import read_deposits
from engine.ladder.ladders_from_yaml import read_ladders, read_treatment
from engine.ladder.model import (
    CollectionsPolicy,
    ConfirmRules,
    ContactRules,
    HoldRules,
    InterruptionRules,
    LateFeeRules,
    PromiseRules,
)
from engine.ladder.sections_from_yaml import (
    read_case,
    read_confirm,
    read_fees,
    read_freshness,
    read_holds,
    read_interruptions,
    read_promises,
)
from engine.ledger.deposit_rules import DepositRules
from engine.policy import Loaded, Texts
from engine.source import Span, has_errors, sort_problems
from engine.text import ListNode, MapNode, Node, Period, ScalarNode, optional, read_yaml
from engine.text.currency import CODES, currency_advice

_REQUIRED = (
    "policy", "kind", "version", "effective", "regulation", "timezone", "currency", "case", "ladders",
    "treatment",
)  # fmt: skip
_OPTIONAL = (
    "title", "facts", "freshness", "brake", "before_due", "contact", "interruptions", "late_fee", "interest",
    "deposits", "holds", "promise_to_pay", "fees", "confirm", "steps", "maps",
)  # fmt: skip
_TEMPLATE = re.compile(r"(?:.*/)?templates/([a-z][a-z0-9_]*)\.([a-z]{2,3})\.txt")


class _Sections(TypedDict):
    holds: dict[str, HoldRules]
    freshness: Period | None
    contact: ContactRules
    interruptions: InterruptionRules
    promises: PromiseRules | None
    late_fee: LateFeeRules | None
    interest: LateFeeRules | None
    deposits: DepositRules | None
    fees: dict[str, Decimal]
    confirm: ConfirmRules


def load_collections(texts: Texts, root: str = "policy.yaml") -> Loaded[CollectionsPolicy]:
    """Read and check the collections policy whose main text is `root`, with the templates beside it."""
    reader = PolicyReader(texts)
    data = reader.file(root, Span(root, 1, 1))
    node = _node(reader, data, root) if data is not None else None
    policy = _policy(reader, node) if node is not None else None
    problems = sort_problems(reader.problems)
    return Loaded(None if has_errors(problems) else policy, problems)


def _node(reader: PolicyReader, data: bytes, root: str) -> Node | None:
    loaded = read_yaml(data, root)
    reader.take(loaded.problems)
    return loaded.policy


def _policy(reader: PolicyReader, node: Node) -> CollectionsPolicy | None:
    fields = reader.fields(node, "a collections policy", _REQUIRED, _OPTIONAL)
    if fields is None:
        return None
    kind = optional(fields, "kind", reader.text, "`kind`")
    if kind is not None and kind != "collections":
        advice = "write `kind: collections`"
        reader.error("not-collections", f"this policy is of kind `{kind}`", fields["kind"].span, advice)
    facts = read_facts(reader, fields["facts"]) if "facts" in fields else {}
    case = read_case(reader, fields["case"]) if "case" in fields else None
    ladders = read_ladders(reader, fields["ladders"], facts) if "ladders" in fields else {}
    treatment = read_treatment(reader, fields["treatment"], facts) if "treatment" in fields else ()
    brake = read_brake(reader, fields["brake"]) if "brake" in fields else None
    before = read_before_due(reader, fields["before_due"], facts) if "before_due" in fields else ()
    templates = _templates(reader)
    name = optional(fields, "policy", reader.slug, "`policy`") or ""
    version = optional(fields, "version", reader.text, "`version`") or ""
    start = _effective(reader, fields) or date.min
    sections = _sections(reader, fields)
    if case is None or not ladders:
        return None
    policy = CollectionsPolicy(
        name=name,
        title=reader.localized(fields["title"], "`title`") if "title" in fields else {},
        version=version,
        manifest=manifest(name, "collections", version, start, {p: reader.texts[p] for p in reader.used}),
        regulation=optional(fields, "regulation", reader.slug, "`regulation`") or "",
        timezone=_timezone(reader, fields),
        currency=_currency(reader, fields),
        facts=facts,
        case=case,
        ladders=ladders,
        treatment=treatment,
        templates=templates,
        steps=_steps(reader, fields["steps"]) if "steps" in fields else {},
        before_due=before,
        brake=brake,
        maps=read_maps(reader, fields["maps"], ladders) if "maps" in fields else {},
        spans=_spans(fields),
        **sections,
    )
    check(reader, policy)
    return policy


def _sections(reader: PolicyReader, fields: Mapping[str, Node]) -> _Sections:
    return {
        "holds": read_holds(reader, fields["holds"]) if "holds" in fields else {},
        "freshness": read_freshness(reader, fields["freshness"]) if "freshness" in fields else None,
        "contact": read_contact(reader, fields["contact"]) if "contact" in fields else ContactRules(),
        "interruptions": (
            read_interruptions(reader, fields["interruptions"])
            if "interruptions" in fields
            else InterruptionRules()
        ),
        "promises": read_promises(reader, fields["promise_to_pay"]) if "promise_to_pay" in fields else None,
        "late_fee": read_charge(reader, fields["late_fee"], "late_fee") if "late_fee" in fields else None,
        "interest": read_charge(reader, fields["interest"], "interest") if "interest" in fields else None,
        "deposits": read_deposits(reader, fields["deposits"]) if "deposits" in fields else None,
        "fees": read_fees(reader, fields["fees"]) if "fees" in fields else {},
        "confirm": read_confirm(reader, fields["confirm"]) if "confirm" in fields else ConfirmRules(),
    }


def _effective(reader: PolicyReader, fields: Mapping[str, Node]) -> date | None:
    if "effective" not in fields:
        return None
    found = reader.fields(fields["effective"], "`effective`", ["from"]) or {}
    return optional(found, "from", reader.date, "`from`")


def _timezone(reader: PolicyReader, fields: Mapping[str, Node]) -> str:
    text = optional(fields, "timezone", reader.text, "`timezone`")
    if text is None:
        return "UTC"
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        advice = "write a name of the IANA time zone database: `Asia/Shanghai`"
        reader.error("not-a-timezone", f"`{text}` is not a time zone", fields["timezone"].span, advice)
    return text


def _currency(reader: PolicyReader, fields: Mapping[str, Node]) -> str:
    text = optional(fields, "currency", reader.text, "`currency`") or ""
    if text and text not in CODES:
        span = fields["currency"].span
        reader.error("not-a-currency", f"`{text}` is not a currency", span, currency_advice(text))
    return text


def _steps(reader: PolicyReader, node: Node) -> dict[str, dict[str, str]]:
    """Return what customers are told that each step is."""
    entries = reader.entries(node, "`steps`")
    return {key.text: reader.localized(value, f"`{key.text}`") for key, value in entries}


def _spans(fields: Mapping[str, Node]) -> dict[str, Span]:
    """Return where the sections stand, and what is in them, under its path: `contact.caps`, `steps.reminder`.

    Of facts and steps, whose names the author chooses, it is the name that is shown.
    """
    found = {name: node.span for name, node in fields.items()}
    for name, node in fields.items():
        for key, value in node.entries if isinstance(node, MapNode) else ():
            path = f"{name}.{key.text}"
            found[path] = key.span if name in ("facts", "steps") else value.span
            items = value.items if isinstance(value, ListNode) else ()
            found |= {f"{path}.{item.text}": item.span for item in items if isinstance(item, ScalarNode)}
    return found


def _templates(reader: PolicyReader) -> dict[str, dict[str, str]]:
    """Return the texts of notices: `templates/<name>.<language>.txt`."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(reader.texts):
        if named := _TEMPLATE.fullmatch(path):
            try:
                text = reader.texts[path].decode("utf-8-sig")
            except UnicodeDecodeError:
                reader.error("not-utf8", f"`{path}` is not UTF-8", Span(path, 1, 1), "save the file as UTF-8")
                continue
            reader.used.add(path)
            found.setdefault(named[1], {})[named[2]] = text
    return found
