"""The schemas of what policies rest on: law packs, calendars and the portfolio."""

from __future__ import annotations

from engine.ladder.from_law import RULES
from engine.ladder.ladders_from_yaml import CHANNELS
from engine.schemas.parts import (
    SLUG,
    Schema,
    choice,
    day,
    document,
    either,
    entries,
    integer,
    listed,
    localized,
    number,
    record,
    text,
)
from engine.workdays import OVERRIDES


def law_schema() -> Schema:
    """Return the schema of a law pack."""
    clause = record(
        "One rule of the law.",
        {
            "clause": text("Its name.", SLUG),
            "rule": choice("What it binds.", RULES),
            "says": localized("What it says."),
            "source": text("Where it stands."),
        },
        {
            "days_past_due": text("For interruptions: `> 30`."),
            "days_suspended": text("For terminations: `> 60`."),
            "rate": number("For late fees: the most a day."),
            "within": text("For restorations: PT48H.", "^PT[0-9]+H$"),
            "from": text("For late fees: due + P1D."),
            "calendar": text("For working days: CN."),
            "hours": text("For hours of contact: 08:00-21:00."),
            "channels": listed("On which channels it binds.", choice("A channel.", CHANNELS)),
            "most": text("For the frequency of contact: 7 per P7D."),
            "period": text("For conversations and validation: P7D."),
            "consent": text("For calls: how long the customer's consent lifts the rule, P7D."),
            "template": text("For validation: the notice that comes first."),
            "received_after": text("For validation: 5 working days."),
            "acts": listed("For court: to whom a debt is placed.", text("court")),
        },
    )
    schema = record(
        "A law pack: the floor that no policy may go under.",
        {
            "law": text("Its name.", SLUG),
            "title": text("What it is called."),
            "in_force": day("From which day on."),
            "clauses": listed("Its clauses.", clause),
        },
        {"notes": {"description": "Anything for readers."}},
    )
    return document("law", "Forbear law pack", schema)


def calendar_schema() -> Schema:
    """Return the schema of a calendar."""
    days = entries("Days with their names.", text("what is celebrated"), "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    years = listed("Years.", integer("a year"))
    schema = record(
        "A calendar: public holidays and made-up working days of a region.",
        {
            "calendar": text("Its name: CN."),
            "source": text("Where it comes from."),
            "years": years,
            "holidays": days,
        },
        {
            "working": days,
            "provisional": years,
            "overrides": entries(
                "Days on which the operator knows better.",
                record("What the day is, and why.", {}, {kind: text("Why.") for kind in OVERRIDES}),
                "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
            ),
        },
    )
    return document("calendar", "Forbear calendar", schema)


def portfolio_schema() -> Schema:
    """Return the schema of a portfolio."""
    credit = entries("The credit policy for each value of the entry that `by` names.", text("a policy", SLUG))
    name = text("A collections policy.", SLUG)
    by_currency = entries(
        "A collections policy for each currency: `USD: travel-collections`.", name, "^[A-Z]{3}$"
    )
    collections = either(
        "The collections policy for all accounts, or one for each currency.",
        name,
        {**by_currency, "minProperties": 1},
    )
    schema = record("Which policy judges whom.", {}, {"credit": credit, "collections": collections})
    return document("portfolio", "Forbear portfolio", {**schema, "minProperties": 1})
