"""The text of a credit policy to its typed, checked model.

The format is drawn in `engine/credit/README.md`. Everything that is wrong is noted with its place; a
policy comes back only when nothing is.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from engine.credit.check import check
from engine.credit.decisions_from_yaml import read_decision
from engine.credit.facts_from_yaml import other_name, read_answer, read_facts, usable_name
from engine.credit.model import (
    Answer,
    CreditPolicy,
    DecisionDefinition,
    Expression,
    Outcome,
    Promise,
    ReasonText,
)
from engine.credit.order import dependency_order
from engine.credit.policy_reader import PolicyReader
from engine.credit.regrade_from_yaml import read_regrade, read_validity
from engine.identity import manifest
from engine.policy import Loaded, Texts
from engine.source import Span, has_errors, sort_problems
from engine.text import MapNode, Node, ScalarNode, did_you_mean, optional, read_yaml
from engine.text.currency import CODES, currency_advice

_REQUIRED = ("policy", "kind", "version", "effective", "currency", "facts", "decisions", "outcome")
_OPTIONAL = ("title", "reasons", "status", "promises", "when_no_row", "when_failed", "validity", "regrade")
_CODE = re.compile(r"[A-Z][A-Z0-9_]*")
_PROMISE = re.compile(r"(more|higher|less|fewer|lower) (\w+) never (raises|lowers) (\w+)")
_MORE = ("more", "higher")
_WITH_CURRENCY = re.compile(r"([a-z_]\w*)\s+[A-Z]{3}|[A-Z]{3}\s+([a-z_]\w*)")
"""`credit_limit EUR`: how people write an amount."""


def load_credit(texts: Texts, root: str = "policy.yaml") -> Loaded[CreditPolicy]:
    """Read and check the credit policy whose main text is `root`; tables are found beside it by path."""
    reader = PolicyReader(texts)
    data = reader.file(root, Span(root, 1, 1))
    loaded: Loaded[Node] = read_yaml(data, root) if data is not None else Loaded(None, ())
    reader.take(loaded.problems)
    policy = _policy(reader, loaded.policy, root) if loaded.policy is not None else None
    problems = sort_problems(reader.problems)
    return Loaded(None if has_errors(problems) else policy, problems)


def _policy(reader: PolicyReader, node: Node, root: str) -> CreditPolicy | None:
    fields = reader.fields(node, "a credit policy", _REQUIRED, _OPTIONAL)
    if fields is None or not {"facts", "decisions"} <= fields.keys():
        return None  # every expression would be wrong for this one reason
    _learn_names(reader, fields)
    kind = optional(fields, "kind", reader.text, "`kind`")
    if kind is not None and kind != "credit":
        reader.error(
            "not-credit", f"this policy is of kind `{kind}`", fields["kind"].span, "write `kind: credit`"
        )
    facts = read_facts(reader, fields["facts"]) if "facts" in fields else {}
    decisions = _decisions(reader, fields)
    outcome, told = _outcome(reader, fields)
    start, end = _effective(reader, fields)
    draft = CreditPolicy(
        name=optional(fields, "policy", reader.slug, "`policy`") or "",
        title=reader.localized(fields["title"], "`title`") if "title" in fields else {},
        version=optional(fields, "version", reader.text, "`version`") or "",
        effective_from=start or date.min,
        effective_to=end,
        currency=_currency(reader, fields),
        facts=facts,
        decisions=decisions,
        order=dependency_order(reader, decisions),
        outcome=outcome,
        reasons=_reasons(reader, fields),
        told=told,
        status=reader.expression(fields["status"], "`status`") if "status" in fields else None,
        promises=_promises(reader, fields),
        when_no_row=_answer(reader, fields, "when_no_row"),
        when_failed=_answer(reader, fields, "when_failed"),
        manifest=manifest("", "credit", "", date.min, {}),
        digest="",
        validity=read_validity(reader, fields),
        regrade=read_regrade(reader, fields),
    )
    return check(reader, draft, root)


def _learn_names(reader: PolicyReader, fields: dict[str, Node]) -> None:
    """Tell the reader which names expressions may use: facts, decisions and `reasons`."""
    names = {"reasons"}
    for section in ("facts", "decisions"):
        node = fields.get(section)
        if isinstance(node, MapNode):
            names |= {other_name(key) or key.text for key, _ in node.entries}
    reader.names = frozenset(names)


def _decisions(reader: PolicyReader, fields: dict[str, Node]) -> dict[str, DecisionDefinition]:
    if "decisions" not in fields:
        return {}
    facts = fields.get("facts")
    decisions: dict[str, DecisionDefinition] = {}
    for key, node in reader.entries(fields["decisions"], "`decisions`"):
        fact = facts.key(key.text) if isinstance(facts, MapNode) else None
        if fact:
            related = (("the fact stands here", fact.span),)
            message = f"`{key.text}` is already the name of a fact"
            reader.error("name-taken", message, key.span, "rename one of the two", related=related)
        name = usable_name(reader, key) or other_name(
            key
        )  # also under the name that it should have had, so that others find it
        definition = read_decision(reader, replace(key, text=name or key.text), node)
        if name and definition and not fact:
            decisions[name] = definition
    return decisions


def _outcome(reader: PolicyReader, fields: dict[str, Node]) -> tuple[tuple[Outcome, ...], Expression | None]:
    """Return the named results, and which reasons are told."""
    results: list[Outcome] = []
    told: Expression | None = None
    for key, node in reader.entries(fields["outcome"], "`outcome`") if "outcome" in fields else ():
        what = f"outcome `{key.text}`"
        money = isinstance(node, MapNode)
        inner = reader.fields(node, what, ["money"]) if money else {"money": node}
        if isinstance(node, ScalarNode) and (amount := _WITH_CURRENCY.fullmatch(node.text.strip())):
            message = f"{what} is `{node.text.strip()}`, a value and a currency"
            plain = f"{key.text}: {{money: {amount[1] or amount[2]}}}"
            advice = f"write `{plain}`: amounts are in the currency of the policy"
            reader.error("amount-with-currency", message, node.span, advice)
            continue
        expression = reader.expression(inner["money"], what) if inner and "money" in inner else None
        if key.text == "status":
            advice = "write `status:` beside `outcome:`; every decision has one"
            reader.error("reserved-name", "`status` is no result of the policy's own", key.span, advice)
            continue
        if expression is None or reader.name(key, "the name of a result") is None:
            continue
        if key.text == "reasons":
            told = expression
        else:
            results.append(Outcome(key.text, key.span, expression, money))
    return tuple(results), told


def _effective(reader: PolicyReader, fields: dict[str, Node]) -> tuple[date | None, date | None]:
    if "effective" not in fields:
        return None, None
    found = reader.fields(fields["effective"], "`effective`", ["from"], ["to"]) or {}
    start = optional(found, "from", reader.date, "`from`")
    end = optional(found, "to", reader.date, "`to`")
    if start and end and end < start:
        message = f"the policy ends on {end}, before it begins on {start}"
        advice = "leave out `to` if the policy holds until the next one begins"
        reader.error("effective-crossed", message, found["to"].span, advice)
    return start, end


def _currency(reader: PolicyReader, fields: dict[str, Node]) -> str:
    text = optional(fields, "currency", reader.text, "`currency`")
    if text is not None and text not in CODES:
        span = fields["currency"].span
        reader.error("not-a-currency", f"`{text}` is not a currency", span, currency_advice(text))
    return text or ""


def _reasons(reader: PolicyReader, fields: dict[str, Node]) -> dict[str, ReasonText]:
    reasons: dict[str, ReasonText] = {}
    for key, node in reader.entries(fields["reasons"], "`reasons`") if "reasons" in fields else ():
        if not _CODE.fullmatch(key.text):
            meant = re.sub(r"[^A-Z0-9]+", "_", key.text.upper()).strip("_")
            shown = meant if _CODE.fullmatch(meant) else "KO_DPD90"
            advice = f"use capitals, digits and underscores: `{shown}`"
            reader.error("not-a-code", f"`{key.text}` is not a reason code", key.span, advice)
            reasons[shown] = ReasonText(shown, key.span, {})  # rows that give it are right
            continue
        if isinstance(node, ScalarNode) and node.is_null:
            advice = "write what the customer is told: `{en: ..., zh: ...}`"
            reader.error("reason-without-text", f"reason `{key.text}` has no text", key.span, advice)
            texts = {}
        else:
            before = len(reader.problems)
            texts = reader.localized(node, f"the text of reason `{key.text}`")
            if len(reader.problems) > before:
                texts = {}  # which languages it has was told
        reasons[key.text] = ReasonText(key.text, key.span, texts)
    return reasons


def _answer(reader: PolicyReader, fields: dict[str, Node], key: str) -> Answer | None:
    return read_answer(reader, fields[key], f"`{key}`") if key in fields else None


def _promises(reader: PolicyReader, fields: dict[str, Node]) -> tuple[Promise, ...]:
    if "promises" not in fields:
        return ()
    found = (_promise(reader, node) for node in reader.items(fields["promises"], "`promises`"))
    return tuple(promise for promise in found if promise)


def _promise(reader: PolicyReader, node: Node) -> Promise | None:
    scalar = reader.scalar(node, "a promise")
    if scalar is None:
        return None
    form = _PROMISE.fullmatch(" ".join(scalar.text.split()))
    if not form:
        advice = (
            "write `more <fact> never raises <result>`: more, higher, less, fewer or lower; raises or lowers"
        )
        reader.error(
            "promise-unclear", f"`{scalar.text}` is not a promise that can be proved", scalar.span, advice
        )
        return None
    change, subject, verb, target = form.groups()
    for name in (subject, target):
        if name not in reader.names:
            advice = did_you_mean(name, reader.names, of="names")
            found = re.search(rf"\b{re.escape(name)}\b", scalar.text)
            place = scalar.inner.shifted(found.start(), len(name)) if found else scalar.span
            reader.error("unknown-name", f"the promise speaks of `{name}`, which is unknown", place, advice)
            return None
    return Promise(
        scalar.text,
        scalar.span,
        "more" if change in _MORE else "less",
        subject,
        "raises" if verb == "raises" else "lowers",
        target,
    )
