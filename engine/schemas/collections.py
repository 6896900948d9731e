"""The schema of collections policies and of the dated timelines beside them."""

from __future__ import annotations

from engine.ladder.events_from_yaml import MOVES, VERBS
from engine.ladder.expected import ABOUT, ENDINGS, NOTHING
from engine.ladder.expected import READERS as EXPECTED
from engine.ladder.ladders_from_yaml import CHANNELS
from engine.ladder.sections_from_yaml import ANCHORS
from engine.ladder.timeline_world import RECEIVERS
from engine.ledger.account import LEVELS
from engine.schemas.credit import CURRENCY, facts
from engine.schemas.parts import (
    SLUG,
    Schema,
    choice,
    clock,
    day,
    document,
    effective,
    either,
    entries,
    integer,
    listed,
    localized,
    number,
    period,
    record,
    table,
    text,
    truth,
)

_HOURS = text("Hours of a day: 21:00-08:00.", "^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$")
_CAP = text("How many in which time: 7 per P7D.", "^[0-9]{1,4} per P")
_RECEIPT = text("Hours or days: PT36H, P2D.", "^P(T[0-9]{1,4}H|[0-9]+[WD].*)$")


def _case() -> Schema:
    ages = ("original", "event_date")
    return record(
        "What a case is, when it opens and closes, when it is looked at.",
        {
            "opens": text("The condition: `overdue >= 20.00 and age >= 1`."),
            "closes": text("The condition on `overdue`: `overdue < 5.00`."),
        },
        {
            "grain": choice("One case for each of these.", ["account", "invoice", "instalment"]),
            "scope": choice("What debt cuts: all, or the service it is for.", ["account", "service"]),
            "anchor": choice("From which day `age` counts.", ANCHORS),
            "ignore_below": number("A bill with less than this open does not hold the clock."),
            "credits": choice("Whether credit notes that name no bill count.", ["net", "allocated_only"]),
            "runs": either(
                "The days on which a row may be taken.",
                choice("daily, or on the last day of the month", ["daily", "month_end"]),
                listed("days of each month", either("a day", integer("1 to 28"), choice("", ["month_end"]))),
            ),
            "hour": clock("The local time of the look, in quotes."),
            "binding": choice("An open case keeps its text, or goes over to the next.", ["pin", "adopt"]),
            "when_late": choice("How a late look catches up.", ["step_by_step", "jump"]),
            "revive": period("A curing payment that bounces within this finds its rows standing."),
            "reopened_age": record(
                "The age of a debt that comes back.",
                {},
                {"refund": choice("after a refund", ages), "chargeback": choice("after a chargeback", ages)},
            ),
        },
    )


def _hold() -> Schema:
    rejected = record(
        "What follows a rejected dispute.",
        {"age": choice("Whether days under dispute count.", ["minus_hold", "original"])},
        {"then": choice("Whether the notice is sent again.", ["renotice"])},
    )
    return record(
        "What a hold of this kind does.",
        {"clock": choice("Whether days go on counting.", ["runs", "stops"])},
        {
            "taken": choice("Whether steps that were taken stay.", ["keep", "release"]),
            "for": period("How long it lasts; with `then`."),
            "then": text("Who looks at it afterwards: task(review).", r"^task\([a-z][a-z0-9_]*\)$"),
            "review": period("After which time a person is asked."),
            "scope": choice("What it stops.", ["disputed part", "account"]),
            "rejected": rejected,
            "fees": choice("Whether late fees grow.", ["stop", "run"]),
            "contact": choice("No notices while it lasts.", ["none"]),
        },
    )


_BASES = ("act/365", "act/360", "30/360")


def _charge(kind: str) -> Schema:
    per = "day" if kind == "late_fee" else "year"
    form = rf"^[0-9]+(\.[0-9]+)? per {per}$"
    rates = {"type": "object", "additionalProperties": text("a rate", form), "minProperties": 1}
    said = either("The rate, or each rate with its first day.", text(f"0.09 per {per}", form), rates)
    more = {
        "from": text("due + P1D", r"^due \+ P"),
        "on": choice("What it grows on.", ["undisputed principal"]),
        "rounding": text("0.01 half_up", r"^[0-9]+(\.[0-9]+)? half_up$"),
        "cap": text("The most that it can be.", r"^(principal|none|[0-9]+(\.[0-9]+)?( of principal)?)$"),
        "for": text("How long it grows from its first day: P1Y.", r"^P"),
        "stops_in": listed("Kinds of hold in which it stands still.", text("a hold")),
        "counts_for": listed("What it counts for.", choice("a purpose", ["closes", "release"])),
    }
    if kind == "interest":
        more["basis"] = choice("How days are counted; without it act/365.", list(_BASES))
    told = "The fee that grows by the day." if kind == "late_fee" else "Simple interest by the year."
    return record(told, {"rate": said}, more)


def _deposits() -> Schema:
    rate = text("0.02 per year", r"^[0-9]+(\.[0-9]+)? per year$")
    rates = {"type": "object", "additionalProperties": rate, "minProperties": 1}
    return record(
        "What becomes of deposits.",
        {},
        {
            "release": text("When it goes back: 12 good months.", r"^[1-9][0-9]{0,2} good months?$"),
            "interest": record(
                "What it earns, simple.",
                {"rate": either("The rate, or each rate with its first day.", rate, rates)},
                {
                    "basis": choice("How days are counted; without it act/365.", list(_BASES)),
                    "credited": choice("When it is credited.", ["yearly", "at_release"]),
                },
            ),
            "top_up": choice("Whether it is filled up again.", ["after_application", "never"]),
            "at_closing": choice("What becomes of it when the account ends.", ["refund", "keep"]),
        },
    )


def collections_schema() -> Schema:
    """Return the schema of a collections policy."""
    ladder = table("Columns: step, age, overdue ..., after, wait || do, release when.")
    treatment = record(
        "Which ladder a customer gets: the first row that matches.",
        {
            "hit": choice("the first row that matches", ["FIRST"]),
            "table": table("Columns: facts || ladder; the last row of `-` is for everybody else."),
        },
    )
    caps = dict.fromkeys(("call", "message", "sms", "email", "letter", "push"), _CAP)
    schema = record(
        "A collections policy: how an account in arrears is treated.",
        {
            "policy": text("The name: small letters, digits and hyphens.", SLUG),
            "kind": {"const": "collections"},
            "version": text("A version for people; the identity is the digest of the text."),
            "effective": effective(ends=False),
            "regulation": text("The law pack that the policy must keep; `none` for none.", SLUG),
            "timezone": text("A name of the IANA time zone database: Asia/Shanghai."),
            "currency": CURRENCY,
            "case": _case(),
            "ladders": entries("The ladders by name.", ladder, SLUG),
            "treatment": either("Which ladder whom.", text("one ladder for all", SLUG), treatment),
        },
        {
            "title": localized("What people call the policy."),
            "facts": facts(),
            "freshness": record("How old news may be.", {"payments": period("news of payments")}),
            "contact": record(
                "When and how often customers are written to.",
                {},
                {
                    "quiet_hours": _HOURS,
                    "caps": record("The most in a time.", {}, caps),
                    "valid": period("How long a notice counts."),
                    "attempts": integer("Tries of one notice on one channel."),
                    "fallback": listed("Channels that follow one that fails.", choice("a channel", CHANNELS)),
                    "languages": listed("Languages in the order in which one is looked for.", text("zh")),
                    "opt_out": localized("How electronic messages are ended: the figure {opt_out}."),
                    "after_conversation": text(
                        "No call for so long after a conversation: P7D, or P7D for each debt."
                    ),
                    "consent": period(
                        "Calls that the customer agreed to: so long no cap and no rest binds them"
                    ),
                    "consolidate": truth("Notices of one text, channel and day are one message."),
                },
            ),
            "interruptions": record(
                "When service may be cut.",
                {},
                {
                    "window": _HOURS,
                    "not_before": listed(
                        "Days before which nothing is cut.", choice("a day", ["weekend", "holiday"])
                    ),
                    "calendar": text("The calendar of holidays: CN."),
                    "shift": choice("To which day it moves.", ["later"]),
                },
            ),
            "steps": entries("What customers are told that a step is.", localized("By language."), SLUG),
            "before_due": table("Columns: days, facts || do; notices so many days before a bill is due."),
            "maps": entries("Steps of the text before: their new names, or none.", text("a step, or none")),
            "fees": entries("The amount of each fee by name.", number("an amount"), SLUG),
            "late_fee": _charge("late_fee"),
            "interest": _charge("interest"),
            "deposits": _deposits(),
            "holds": entries("What each kind of hold does.", _hold(), SLUG),
            "promise_to_pay": record(
                "Which promises are accepted.",
                {"max_days": integer("At most so many days ahead.")},
                {
                    "covers": text("0.5 of overdue", r"^[0-9]+(\.[0-9]+)? of overdue$"),
                    "tolerance": number("The share that may be missing."),
                    "grace": period("Days of grace."),
                    "per_year": integer("At most so many a year."),
                },
            ),
            "brake": record(
                "How many interruptions a day may have until a person has looked.",
                {"interruptions": text("3 x mean of 28 days", r"^[0-9]+(\.[0-9]+)? x mean of [0-9]+ days$")},
                {"at_least": integer("So many a day are never too many.")},
            ),
            "confirm": record(
                "How long receipts may take.", {}, {"within": _RECEIPT, "restored_within": _RECEIPT}
            ),
        },
    )
    return document("collections", "Forbear collections policy", schema)


_CURRENCY = "^[A-Z]{3}$"


def _line(verb: str) -> Schema:
    found = VERBS[verb]
    known = {name: _part(name) for name in found.needs} | {verb: text("what happened")}
    more = {
        **{name: _part(name) for name in found.may},
        "currency": text("The account's, where it is not the policy's: USD.", _CURRENCY),
        "at": clock("The local time, in quotes; else 08:00."),
        "received": text("When it became known: 2026-02-03 14:00."),
        "received_at": text("The same as `received`, in the word of the API."),
        "id": text("A name for later lines."),
    }
    return record(f"`{verb}` happened.", {"on": day("The day on which it counts."), **known}, more)


def _part(name: str) -> Schema:
    return _EVENT.get(name, {"description": f"What `{name}` says."})


_SHARES = entries("Amounts by bill.", number("an amount"))
_EVENT: dict[str, Schema] = {
    "amount": number("An amount."),
    "due": day("The due date."),
    "by": text("A day, or a person."),
    "instalments": listed(
        "Instalments.", record("One.", {"due": day("its due date"), "amount": number("its amount")})
    ),
    "category": text("normal, fee or late_fee"),
    "service": text("The service that is billed."),
    "draft": truth("It is not issued yet."),
    "replaces": listed("Bills.", text("a bill")),
    "charges": number("Of a plan: what of its amount is its own interest and fee."),
    "down_payment": number("Of a plan: what it leaves of its bills, to be paid at once."),
    "pays": _SHARES,
    "reason": text("Why."),
    "payment": text("A payment."),
    "bill": text("A bill."),
    "outcome": text("How it ended."),
    "until": text("A day."),
    "status": text("done, failed, suppressed, expired or withdrawn"),
    "value": either("The value.", text("a value"), listed("texts", text("a text")), {"type": "null"}),
    "complete_to": text("Up to when the feed is complete."),
    "marked": truth("Whether it is marked."),
    "level": choice("A level of service.", LEVELS),
    "move": choice("A move.", MOVES),
    "direction": choice("Who got in touch.", ["out", "in"]),
    "consent": choice("Whether the customer agreed to be called.", ["given", "withdrawn"]),
    "account": text("Another account of the customer."),
}


def _expectation() -> Schema:
    words = either("One, or several.", text("a word"), listed("several", text("a word")))
    known = {
        "bill": text("The bill or instalment whose case is meant."),
        "service": text("The service whose case is meant."),
        "told": either(
            "The level of service that the receiver was told last.",
            choice("a level", LEVELS),
            entries("by service", choice("a level", LEVELS)),
        ),
        "reminds": text("When the next notice before a due date goes out, or never."),
        "since": day("From which day on `do` speaks."),
        "currency": text("The account that is meant, where it is not in the policy's: USD.", _CURRENCY),
        "do": either(
            "All that is asked for, in order, or nothing.",
            text("one action, or nothing"),
            listed("actions", text("step action(arguments) amount")),
        ),
        "reached": text("The last row done for the oldest debt."),
        "warranted": text("The last row whose cells hold."),
        "rows": words,
        "ladder": text("The ladder."),
        "level": choice("The level of service.", LEVELS),
        "case": integer("The number of the case."),
        "open": truth("Whether a case is open."),
        "ended": choice("How the case ended.", [*ENDINGS, NOTHING]),
        **{name: number("An amount.") for name in ("overdue", "disputed", "credit", "late_fee")},
        "age": integer("Days."),
        "days_past_due": integer("Days."),
        "wake": text("A day, a day with its time in quotes, or never."),
        "sent": words,
        "text": words,
        "figures": either("Figures of notices.", text("one"), listed("several", text("name: value")), _TEXTS),
        "says": words,
    }
    names = ("since", "currency", *ABOUT, *EXPECTED)
    more = {name: known.get(name, {"description": f"What `{name}` is."}) for name in names}
    return record("What holds in the evening of a day.", {"on": day("The day.")}, more)


_TEXTS = entries("by name", text("a value"))


def collections_cases_schema() -> Schema:
    """Return the schema of the dated timelines beside a collections policy."""
    outage = record("Nobody looks.", {"from": text("The begin."), "until": text("The end.")})
    history = {"description": "What happened.", "anyOf": [_line(verb) for verb in VERBS]}
    case = record(
        "One case.",
        {
            "case": text("A sentence that says what is shown."),
            "history": listed("What happened.", history),
            "expect": listed("What must follow.", _expectation()),
        },
        {
            "timezone": text("The time zone of the account."),
            "allocation": text(
                "How its money is spread.", r"^(principal_first|oldest_first|by_service(\([^()]*\))?)$"
            ),
            "receipts": choice("How the world answers.", RECEIVERS),
            "payments_feed": choice("Whether payments are told.", ["fresh", "silent"]),
            "outage": either("Times without a look.", outage, listed("several", outage)),
            "checks": listed("Looked at only on these days.", day("a day")),
        },
    )
    return record(
        "Dated timelines of a collections policy.",
        {"policy": text("The policy's name.", SLUG), "cases": listed("The cases.", case)},
        {
            "currencies": entries(
                "Policies that state amounts in other currencies.", text("a name"), _CURRENCY
            )
        },
    )
