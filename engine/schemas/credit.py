"""The schema of credit policies, and of the facts that collections policies declare the same way."""

from __future__ import annotations

from engine.credit.model import REGRADES, FactKind, HitPolicy
from engine.schemas.parts import (
    CODE,
    NAME,
    SLUG,
    Schema,
    choice,
    document,
    effective,
    either,
    entries,
    listed,
    localized,
    number,
    period,
    record,
    table,
    text,
    truth,
)

EXPRESSION = text("A FEEL expression over facts, decisions and reasons.")
CURRENCY = text("Three letters of ISO 4217: CNY.", "^[A-Z]{3}$")
_CODE = text("A reason code that has a text in `reasons`.", CODE)
_ALONE: Schema = {"enum": [None, True], "description": "Written alone, without a value."}


def answer(*, default: bool) -> Schema:
    """Return the schema of what a policy says when something is missing, old or cannot be computed."""
    forms = [
        record("Refuse, with this reason.", {"refuse": _ALONE, "reason": _CODE}),
        record("Refer to a person, with this reason.", {"refer": _ALONE, "reason": _CODE}),
    ]
    if default:
        value = either("The value that is used instead.", text("a value"), listed("texts", text("a text")))
        forms.append(record("Use a default, with this reason.", {"default": value, "reason": _CODE}))
    return either("What happens then.", *forms)


def facts() -> Schema:
    """Return the schema of `facts`: all that a policy may read."""
    bound = text("A number, or a day for dates.")
    fact = record(
        "One fact: its type, its bounds, and what is asked of its quality.",
        {"type": choice("The kind of value.", [*map(str, FactKind), "number"])},
        {
            "one_of": listed("All texts that it can be.", text("a text")),
            "min": bound,
            "max": bound,
            "optional": truth("A caller may leave it out; expressions then see null."),
            "max_age": period("How old it may be on the day of the decision: P3M."),
            "verified": truth("Somebody must have verified it."),
            "when_missing": answer(default=True),
            "when_old": answer(default=True),
            "when_unverified": answer(default=True),
            "changeable": truth("false: nobody is told what another value would change."),
            "label": localized("What people call it, by language: {en: payment discipline}."),
        },
    )
    return entries("All that the policy may read, by name.", fact, NAME)


def _rows() -> dict[str, Schema]:
    return {
        "table": table("The rows: `| input || output |`; `-` means anything."),
        "file": text("A CSV file beside the policy; a column headed `||` divides inputs from outputs."),
    }


def _decision() -> Schema:
    otherwise = either("The outputs when no row matches.", EXPRESSION, entries("by column", EXPRESSION))
    decision_table = record(
        "A table: which rows match decides.",
        {},
        {
            **_rows(),
            "hit": choice("How many rows may match, and what then counts.", map(str, HitPolicy)),
            "otherwise": otherwise,
        },
    )
    card = record(
        "Points: a base, and one bin of each characteristic.",
        {"base": number("Points to start from.")},
        _rows(),
    )
    scorecard = record("A scorecard.", {"scorecard": card})
    return either("A formula, a table or a scorecard.", EXPRESSION, scorecard, decision_table)


def credit_schema() -> Schema:
    """Return the schema of a credit policy."""
    money = record("An amount in the policy's currency.", {"money": EXPRESSION})
    told = entries("What the billing system is told, by name.", either("A result.", EXPRESSION, money), NAME)
    regrade = record(
        "What leads to a new grade.",
        {},
        {
            "on": listed("Events that ask for it.", choice("An event.", REGRADES)),
            "after": text("After so many months paid on time: `12 good months`.", r"^[0-9]+ good months?$"),
        },
    )
    schema = record(
        "A credit policy: facts in, a grade with its reasons out.",
        {
            "policy": text("The name: small letters, digits and hyphens.", SLUG),
            "kind": {"const": "credit"},
            "version": text("A version for people; the identity is the digest of the text."),
            "effective": effective(ends=True),
            "currency": CURRENCY,
            "facts": facts(),
            "decisions": entries("Tables, scorecards and formulas, in any order.", _decision(), NAME),
            "outcome": told,
        },
        {
            "title": localized("What people call the policy."),
            "reasons": entries("What the customer is told, by reason code.", localized("The text."), CODE),
            "status": EXPRESSION | {"description": 'An expression: "decided", "refused" or "referred".'},
            "promises": listed("What holds of the whole policy.", text("more FACT never raises RESULT")),
            "when_no_row": answer(default=False),
            "when_failed": answer(default=False),
            "validity": period("How long a decision holds from its day on: P12M."),
            "regrade": regrade,
        },
    )
    return document("credit", "Forbear credit policy", schema)


def credit_cases_schema() -> Schema:
    """Return the schema of the cases beside a credit policy."""
    plain = either("A value.", text("a value"), {"type": "null"}, listed("texts", text("a text")))
    fact = record(
        "A fact with its quality.",
        {"value": plain},
        {
            "as_of": text("The day on which it was true."),
            "verified_by": text("Who verified it."),
            "source": text("Where it comes from."),
        },
    )
    given = entries("Facts by name; `null` takes one away.", either("A fact.", plain, fact), NAME)
    day = text("The day of the decision.", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    base = text("The set of facts to start from.")
    expect: Schema = {
        "type": "object",
        "minProperties": 1,
        "description": "Results by name, `status`, `reasons` in order, or `principal`, the first reason.",
    }
    case = record(
        "One case.",
        {"case": text("A sentence that says what is shown."), "expect": expect},
        {"as_of": day, "facts_base": base, "facts": given},
    )
    return record(
        "Cases of a credit policy.",
        {"policy": text("The policy's name.", SLUG), "cases": listed("The cases.", case)},
        {"as_of": day, "facts_base": entries("Sets of facts to start from.", given)},
    )


__all__ = ["CURRENCY", "EXPRESSION", "answer", "credit_cases_schema", "credit_schema", "facts"]
