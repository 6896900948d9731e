"""How often a customer may be spoken to: caps, conversations, and what the law counts for each debt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from engine.ladder.case import Case, minutes
from engine.ladder.channels import channel, next_tries, opted_out
from engine.ladder.consent import Made, bills_of_key, each_debt, has_agreed, is_agreed_call
from engine.ladder.contact import Closed
from engine.ladder.memory import do_of, token_of
from engine.ladder.model import LadderRow
from engine.text import Period

MESSAGES = ("sms", "email", "letter", "push", "message")
Debts = dict[str, list[Made]]
"""What was made about each debt."""
Limit = tuple[tuple[str, ...], int, Period, Period | None]
"""Channels, how many in how long a time, and how long a consent to calls lifts it."""


def covered(kind: str) -> tuple[str, ...]:
    """Return the channels of which a cap speaks."""
    return MESSAGES if kind == "message" else (kind,)


# what was made


def contacts(case: Case) -> Iterator[Made]:
    """Yield every contact with the customer that is known: of all accounts, cases, sweeps and alerts."""
    for receipt in case.account.receipts:
        parts = receipt.key.rsplit("/", 2)[1].split(".") if receipt.key.count("/") >= 2 else []
        if receipt.status in ("done", "requested") and parts[:1] == ["notify"] and len(parts) > 1:
            day = receipt.at.astimezone(case.zone).date().toordinal()
            text, pending = ".".join(parts[2:]), receipt.status == "requested"
            bills = bills_of_key(case, receipt.key)
            yield Made(day, parts[1], "sent", False, "", receipt.at, text, pending, bills)
    yield from _asked_now(case)
    for other in case.account.contacts:
        if other.key and (other.key in case.receipts or other.key.startswith(f"{case.taken.case}/")):
            continue
        day = other.at.astimezone(case.zone).date().toordinal()
        inbound = other.direction == "in"
        bills = frozenset(other.bills) or bills_of_key(case, other.key)
        yield Made(
            day, other.channel, other.outcome, inbound, other.account, other.at, other.text,
            other.pending, bills, other.consent,
        )  # fmt: skip


def _asked_now(case: Case) -> Iterator[Made]:
    """Yield what this look has asked for already: no receipt can tell of it yet."""
    for row in case.rows:
        new = row.keys if row.state == "requested" and row.requested_at == case.at else ()
        for key in new:
            if do_of(key) == "notify" and key not in case.receipts:
                _, by, *text = token_of(key).split(".")
                bills = frozenset(row.debts) or None
                yield Made(case.today, by, "sent", False, "", case.at, ".".join(text), True, bills)


def tried(one: Made) -> bool:
    """Tell whether a contact counts as one of ours: a call that reached no number does not."""
    return not one.inbound and one.outcome != "not_connected"


def conversed(one: Made) -> bool:
    """Tell whether somebody spoke with the customer, whoever had called."""
    return one.channel == "call" and one.outcome == "conversation"


# caps


def contact_closed(case: Case, row: LadderRow, day: int) -> Closed | None:
    """Return what keeps the notices of a row from going out on a day."""
    notices = [item for item in row.do if item.do == "notify"]
    if not notices:
        return None
    tries = next_tries(case, row)
    wanted = [(channel(case, item, tries), item.args[1]) for item in notices]
    if any(not by for by, _ in wanted):
        return Closed("the customer has opted out of every channel that is left", task="no_channel")
    made = list(contacts(case))
    about = each_debt(case, row, made, day) if _counts_debts(case) else {"": made}
    return _rules_closed(case, made, about, wanted, day) or _law_closed(case, made, about, wanted, day)


def _counts_debts(case: Case) -> bool:
    """Tell whether it matters which debt a contact was about."""
    rules = case.policy.contact
    clauses = (*case.law.clauses_on("contact_frequency"), *case.law.clauses_on("after_conversation"))
    return bool(rules.by_debt or rules.consent or clauses)


def _rules_closed(
    case: Case, made: list[Made], about: Debts, wanted: list[tuple[str, str]], day: int
) -> Closed | None:  # fmt: skip
    """Return what the policy has against it."""
    rules, start = case.policy.contact, minutes(case.policy.case.hour)
    for kind, most, period in rules.caps:
        limit, each = (covered(kind), most, period, rules.consent), kind in rules.by_debt
        if closed := _limited(case, made, about, wanted, limit, day, each=each):
            said = " for each debt" if each else ""
            why = f"contact cap: {most} by {kind} per {period}{said}, {closed[0]} were made"
            return Closed(why, (closed[1], start))
    if not rules.after_conversation or not any(by == "call" for by, _ in wanted):
        return None
    each = "after_conversation" in rules.by_debt
    if found := _rests(made, about, rules.after_conversation, rules.consent, day, each=each):
        why = f"no call within {rules.after_conversation} of the conversation on {_on(found[0])}"
        return Closed(why, (found[1], start))
    return None


def _limited(
    case: Case, made: list[Made], about: Debts, wanted: list[tuple[str, str]], limit: Limit, day: int,
    *, each: bool = True,
) -> tuple[int, int] | None:  # fmt: skip
    """Return how many were made about a debt, and the day on which there is room again for all of them.

    Without `each`, everything that was made to the customer is counted. Calls that the customer has agreed to
    count nowhere, whichever of his accounts they were about.
    """
    channels, most, period, consent = limit
    agreed = {bill: has_agreed(made, bill or None, consent, day) for bill in about}
    counted = about if each else {"": made}
    found: tuple[int, int] | None = None
    for bill, those in counted.items():
        lifted = agreed[bill] if each else all(agreed.values())
        need = [one for one in wanted if one[0] != "call" or not lifted]
        left = [m for m in those if not is_agreed_call(m, made, consent, bill or None)]
        closed = _capped(case, left, need, channels, most, period, day)
        if closed and (found is None or closed[1] > found[1]):
            found = closed
    return found


def _rests(
    made: list[Made], about: Debts, rest: Period, consent: Period | None, day: int, *, each: bool = True
) -> tuple[int, int] | None:  # fmt: skip
    """Return the conversation after which nobody calls yet, and the day on which it is long ago."""
    bare = [bill for bill in about if not has_agreed(made, bill or None, consent, day)]
    if not bare:
        return None
    spoken = [
        _since_conversation(those, rest, day) for those in ([about[b] for b in bare] if each else [made])
    ]
    return max((found for found in spoken if found), key=lambda found: found[1], default=None)


def _on(day: int) -> date:
    return date.fromordinal(day)


def _capped(
    case: Case, made: list[Made], wanted: list[tuple[str, str]], channels: tuple[str, ...], most: int,
    period: Period, day: int,
) -> tuple[int, int] | None:  # fmt: skip
    """Return how many were made and the day on which enough of them count no more; None: there is room."""
    need = [(by, text) for by, text in wanted if by in channels]
    if not need:
        return None
    counted = [m for m in made if m.channel in channels and tried(m) and _in(m.day, period, day)]
    if case.policy.contact.consolidate:
        waiting = {(m.channel, m.text) for m in counted if m.pending and m.day == day and m.text}
        need = [one for one in need if one not in waiting]  # it goes out together with what waits
        dates = sorted(
            key[0] for key in {(m.day, m.channel, m.text or f"/{n}") for n, m in enumerate(counted)}
        )
    else:
        dates = sorted(m.day for m in counted)
    over = len(dates) + min(len(need), most) - most
    if not need or over <= 0:
        return None
    return len(dates), period.after(date.fromordinal(dates[over - 1])).toordinal()


def _in(made: int, period: Period, day: int) -> bool:
    return period.after(date.fromordinal(made)).toordinal() > day


def _since_conversation(made: list[Made], rest: Period, day: int) -> tuple[int, int] | None:
    spoke = max((m.day for m in made if conversed(m) and _in(m.day, rest, day)), default=None)
    return (spoke, rest.after(date.fromordinal(spoke)).toordinal()) if spoke is not None else None


def _law_closed(
    case: Case, made: list[Made], about: Debts, wanted: list[tuple[str, str]], day: int
) -> Closed | None:  # fmt: skip
    """Return what the law has against it, whatever the policy says: it counts for each debt."""
    start, by_all = minutes(case.policy.case.hour), {by for by, _ in wanted}
    for clause in case.law.clauses_on("opt_out"):
        if refused := opted_out(case.account.facts) & by_all & set(clause.channels):
            why = f"{case.law.cited(clause)}: the customer has opted out of {' and '.join(sorted(refused))}"
            return Closed(why, task="no_channel")
    for clause in case.law.clauses_on("contact_frequency"):
        assert clause.most is not None  # it needs it
        limit = (clause.channels, *clause.most, clause.consent)
        if found := _limited(case, made, about, wanted, limit, day):
            why = f"{found[0]} in {clause.most[1]}, which is not below {clause.most[0]}"
            return Closed(f"{case.law.cited(clause)}: {why}", (found[1], start))
    for clause in case.law.clauses_on("after_conversation"):
        if clause.period is None or not by_all & set(clause.channels):
            continue
        if spoke := _rests(made, about, clause.period, clause.consent, day):
            why = f"a conversation took place on {_on(spoke[0])}, not {clause.period} ago"
            return Closed(f"{case.law.cited(clause)}: {why}", (spoke[1], start))
    return None
