"""When and how often a customer may be spoken to: hours in the customer's own time, and caps."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ladder.caps import contact_closed
from engine.ladder.case import Case
from engine.ladder.contact import silent_from, speaks_from, zone_of
from engine.ladder.law import LawPack
from engine.ladder.model import CollectionsPolicy, LadderRow
from engine.ladder.state import Position, Taken
from engine.ledger import Entry, position_at
from engine.ledger.account import Contacted, Received, Terms
from tests.engine.ladder.test_law_bounds import EASY
from tests.engine.ladder.world import calendar, changed, law, policy
from tests.engine.ledger.making import entry

NEW_YORK, PHOENIX = ZoneInfo("America/New_York"), ZoneInfo("America/Phoenix")
BERLIN = ZoneInfo("Europe/Berlin")


def case(
    at: datetime, *, by: CollectionsPolicy | None = None, pack: LawPack | None = None, zone: str = "",
    contacts: tuple[Contacted, ...] = (), receipts: tuple[Received, ...] = (), **facts: str | tuple[str, ...],
) -> Case:  # fmt: skip
    text = by or policy("us-collections")
    terms = Terms(account="A1", customer="C1", currency=text.currency, timezone=zone or text.timezone)
    account = position_at(terms, [], at)
    more = {"contacts": contacts, "receipts": receipts, "facts": facts}
    position = Position(account.model_copy(update=more), pack or law(text.regulation), calendar("US"))
    today = at.astimezone(ZoneInfo(terms.timezone)).date()
    return Case(text, Taken(case="case/A1/1", opened_at=at, opened_on=today), position, at)


def on(day: str, clock: str, zone: ZoneInfo = NEW_YORK, fold: int = 0) -> datetime:
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(clock), zone).replace(fold=fold)


@pytest.mark.parametrize(
    ("at", "where", "speaks"),
    [
        (on("2026-02-05", "09:00"), "", on("2026-02-05", "09:00")),
        (on("2026-02-05", "20:59"), "", on("2026-02-05", "20:59")),
        (on("2026-02-05", "21:00"), "", on("2026-02-06", "08:00")),
        (on("2026-02-06", "07:59"), "", on("2026-02-06", "08:00")),
        (on("2026-02-06", "08:00"), "", on("2026-02-06", "08:00")),
        (on("2026-02-05", "09:00"), "America/Los_Angeles", on("2026-02-05", "11:00")),
        (on("2026-02-05", "23:30"), "America/Los_Angeles", on("2026-02-05", "23:30")),
        (on("2026-02-05", "09:00"), "Asia/Tokyo", on("2026-02-05", "18:00")),
        (on("2026-02-05", "09:00"), "America/Phoenix", on("2026-02-05", "10:00")),
        (on("2026-07-05", "09:00"), "America/Phoenix", on("2026-07-05", "11:00")),
        (on("2026-03-08", "01:30"), "", on("2026-03-08", "08:00")),  # clocks go forward at two
        (on("2026-11-01", "01:30", fold=1), "", on("2026-11-01", "08:00")),  # and back
        (on("2026-02-05", "09:00"), "Moon/Base", on("2026-02-05", "09:00")),  # no such zone
    ],
)
def test_nobody_is_spoken_to_in_the_customers_night(at: datetime, where: str, speaks: datetime) -> None:
    found = case(at, timezone=where) if where else case(at)
    assert speaks_from(found, "email", at) == speaks


NIGHT_MOVES = changed("us-collections", hours=("quiet_hours: 21:00-08:00", "quiet_hours: 21:00-08:30"))
LATE = changed(
    hours=("quiet_hours: 21:00-08:00", "quiet_hours: 22:00-02:30"), zone=("Asia/Shanghai", "Europe/Berlin")
)


@pytest.mark.parametrize(
    ("at", "speaks"),
    [
        (on("2026-03-29", "01:10", BERLIN), on("2026-03-29", "03:30", BERLIN)),  # 02:30 is not there
        (on("2026-10-25", "01:10", BERLIN), on("2026-10-25", "02:30", BERLIN)),
        (on("2026-10-25", "02:10", BERLIN, fold=1), on("2026-10-25", "02:30", BERLIN, fold=1)),
    ],
)
def test_hours_that_clocks_skip_or_repeat(at: datetime, speaks: datetime) -> None:
    found = speaks_from(case(at, by=LATE), "sms", at)
    assert found.astimezone(UTC) == speaks.astimezone(UTC)


def test_the_law_keeps_its_hours_though_the_policy_has_none() -> None:
    careless = changed("us-collections", hours=("  quiet_hours: 21:00-08:00\n", ""))
    at = on("2026-02-05", "21:30")
    assert speaks_from(case(at, by=careless), "call", at) == on("2026-02-06", "08:00")
    assert speaks_from(case(at, by=careless), "letter", at) == at, "a letter wakes nobody"
    assert silent_from(case(at, by=careless), "call", on("2026-02-06", "08:00")) == on("2026-02-06", "21:00")
    assert silent_from(case(at, by=careless), "letter", at) is None


def test_both_hours_hold_where_the_policy_asks_for_more_than_the_law() -> None:
    at = on("2026-02-05", "08:00")
    assert speaks_from(case(at, by=NIGHT_MOVES), "call", at) == on("2026-02-05", "08:30")


@given(
    st.integers(0, 364 * 24 * 60),
    st.sampled_from(["America/New_York", "Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe", "UTC"]),
)
def test_the_first_allowed_instant_is_allowed_and_never_more_than_a_night_away(
    minute: int, where: str
) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    found = case(at, timezone=where)
    speaks = speaks_from(found, "sms", at)
    assert at <= speaks <= at + timedelta(hours=12)
    assert time(8) <= speaks.astimezone(zone_of(found)).time() < time(21)
    silent = silent_from(found, "sms", speaks)
    assert silent is not None
    assert silent > speaks
    assert silent.astimezone(zone_of(found)).time() == time(21)


# caps


def row(step: str, by: CollectionsPolicy | None = None) -> LadderRow:
    return (by or policy("us-collections")).ladders["consumer"].by_step[step]


def made(day: str, channel: str = "call", **more: object) -> Contacted:
    values = {"at": on(day, "10:00"), "channel": channel, "outcome": "attempted"} | more
    return Contacted.model_validate(values)


SEVEN = tuple(made(f"2026-02-{day:02}") for day in range(9, 16))


@pytest.mark.parametrize(
    ("contacts", "today", "why", "again"),
    [
        ((), "2026-02-15", "", ""),
        (SEVEN[:6], "2026-02-15", "", ""),
        (SEVEN, "2026-02-15", "7 by call per P7D, 7 were made", "2026-02-16"),
        (SEVEN, "2026-02-16", "", ""),
        ((*SEVEN, SEVEN[0]), "2026-02-15", "8 were made", "2026-02-16"),
        ((*SEVEN, SEVEN[1]), "2026-02-15", "8 were made", "2026-02-17"),
        ((*SEVEN[:6], made("2026-02-15", outcome="not_connected")), "2026-02-15", "", ""),
        ((*SEVEN[:6], made("2026-02-15", outcome="conversation", direction="in")), "2026-02-15",
         "no call within P7D of the conversation on 2026-02-15", "2026-02-22"),
        ((made("2026-02-09", outcome="conversation"),), "2026-02-15",
         "no call within P7D of the conversation on 2026-02-09", "2026-02-16"),
        ((made("2026-02-09", outcome="conversation"),), "2026-02-16", "", ""),
        ((made("2026-02-15", "visit", outcome="conversation"),), "2026-02-15", "", ""),
        (tuple(one.model_copy(update={"account": "A2"}) for one in SEVEN), "2026-02-15", "7 were made",
         "2026-02-16"),
    ],
)  # fmt: skip
def test_calls_are_counted_in_days_of_which_the_first_counts(
    contacts: tuple[Contacted, ...], today: str, why: str, again: str
) -> None:
    at = on(today, "09:00")
    closed = contact_closed(case(at, contacts=contacts), row("call"), at.date().toordinal())
    assert (closed is not None) == bool(why)
    if closed is not None:
        assert why in closed.why
        assert closed.retry == (date.fromisoformat(again).toordinal(), 540)


def test_the_law_counts_what_was_about_this_account_though_the_policy_counts_nothing() -> None:
    careless = changed(
        "us-collections",
        caps=("  caps: {call: 7 per P7D, message: 1 per P1D}\n", ""),
        rest=("  after_conversation: P7D\n", ""),
    )
    at, day = on("2026-02-15", "09:00"), date(2026, 2, 15).toordinal()
    closed = contact_closed(case(at, by=careless, contacts=SEVEN), row("call", careless), day)
    assert closed is not None
    assert closed.why.startswith(
        "law pack us-reg-f, clause seven-calls-in-seven-days (12 CFR 1006.14(b)(2)(i)(A)"
    )
    elsewhere = tuple(one.model_copy(update={"account": "A2"}) for one in SEVEN)
    assert contact_closed(case(at, by=careless, contacts=elsewhere), row("call", careless), day) is None
    spoke = (made("2026-02-10", outcome="conversation"),)
    closed = contact_closed(case(at, by=careless, contacts=spoke), row("call", careless), day)
    assert closed is not None
    assert "clause seven-days-after-a-conversation" in closed.why
    assert closed.retry == (date(2026, 2, 17).toordinal(), 540)


def message(account: str, day: str, *, pending: bool = False, text: str = "reminder") -> Contacted:
    key = f"case/{account}/1/account/reminder/1/notify.email.{text}/do"
    return made(day, "email", outcome="sent", account=account, key=key, text=text, pending=pending)


@pytest.mark.parametrize(
    ("contacts", "closed"),
    [
        ((message("A2", "2026-02-05"),), True),
        ((message("A2", "2026-02-04"),), False),
        ((message("A2", "2026-02-05", pending=True),), True),
        ((message("A1", "2026-02-05", pending=True),), False),  # the case's own: asked for in this very look
    ],
)
def test_one_message_a_day_over_all_accounts(contacts: tuple[Contacted, ...], closed: bool) -> None:
    at = on("2026-02-05", "09:00")
    found = contact_closed(case(at, contacts=contacts), row("reminder"), at.date().toordinal())
    assert (found is not None) is closed


@pytest.mark.parametrize(
    ("contacts", "closed"),
    [
        ((message("A2", "2026-02-05", pending=True),), False),  # they go out together
        ((message("A2", "2026-02-05", pending=True), message("A3", "2026-02-05", pending=True)), False),
        ((message("A2", "2026-02-05"),), True),  # it has gone
        ((message("A2", "2026-02-05", pending=True, text="final_notice"),), True),  # it says something else
    ],
)
def test_what_goes_out_together_counts_once(contacts: tuple[Contacted, ...], closed: bool) -> None:
    together = changed("us-collections", more=("  attempts: 2\n", "  attempts: 2\n  consolidate: true\n"))
    at = on("2026-02-05", "09:00")
    found = contact_closed(
        case(at, by=together, contacts=contacts), row("reminder", together), at.toordinal()
    )
    assert (found is not None) is closed


def test_the_law_asks_where_the_customer_is_though_the_policy_does_not() -> None:
    unasked = changed("us-collections", zone=("  timezone:          {", "  region:            {"))
    at = on("2026-02-05", "09:00")
    found = case(at, by=unasked, timezone="America/Los_Angeles")
    assert speaks_from(found, "email", at) == on("2026-02-05", "11:00")


def test_the_law_hears_who_has_opted_out_though_the_policy_does_not() -> None:
    unasked = changed("us-collections", out=("  opted_out:         {", "  told_us:           {"))
    found = case(on("2026-02-05", "09:00"), by=unasked, preferred_channel="email", opted_out=("email",))
    closed = contact_closed(found, row("reminder", unasked), date(2026, 2, 5).toordinal())
    assert closed is not None
    assert closed.task == "no_channel"
    assert "clause way-out-of-electronic-messages (12 CFR 1006.6(e) and 1006.14(h)(1))" in closed.why
    by_letter = contact_closed(found, row("validation", unasked), date(2026, 2, 5).toordinal())
    assert by_letter is None, "a letter is no electronic message"


B1 = entry("bill", "2026-01-05", id="B1", due="2026-01-20", amount="300.00")
B2 = entry("bill", "2026-01-05", id="B2", due="2026-01-20", amount="300.00")
PAID = entry("payment", "2026-02-10", id="P", amount="300.00", pays=[{"bill": "B1", "amount": "300.00"}])
PLAN = entry(
    "bill", "2026-02-10", id="PL", due="2026-02-20", amount="300.00", category="plan", replaces=["B1"],
    instalments=[{"due_date": date(2026, 1, 21), "amount": "150.00"},
                 {"due_date": date(2026, 2, 20), "amount": "150.00"}],
)  # fmt: skip


@pytest.mark.parametrize(
    ("entries", "about", "closed"),
    [
        ([B1], "B1", True),
        ([B1], "B9", False),
        ([B1, B2], "B1", True),  # the call would be about both
        ([B1, B2, PAID], "B1", False),  # what is paid is not called about
        ([B1, B2, PAID], "B2", True),
        ([B1, PLAN], "B1", True),  # the plan is about what it has taken over
        ([B1, PLAN], "PL/2", True),
        ([B1, B2, PLAN], "B2", True),
    ],
)
def test_a_debt_is_what_a_call_would_be_about(entries: list[Entry], about: str, closed: bool) -> None:
    each = changed(
        "us-collections",
        caps=("call: 7 per P7D", "call: 7 per P7D for each debt"),
        rest=("after_conversation: P7D", "after_conversation: P7D for each debt"),
    )
    at = on("2026-02-15", "09:00")
    calls = tuple(one.model_copy(update={"bills": (about,)}) for one in SEVEN)
    terms = Terms(account="A1", customer="C1", currency="CNY", timezone="America/New_York")
    account = position_at(terms, entries, at).model_copy(update={"contacts": calls})
    taken = Taken(case="case/A1/1", opened_at=at, opened_on=at.date())
    found = Case(each, taken, Position(account, law("none"), calendar("US")), at)
    why = contact_closed(found, row("call", each), at.date().toordinal())
    assert (why is not None) is closed
    if why:
        assert why.why == "contact cap: 7 by call per P7D for each debt, 7 were made"
    by_law = Case(EASY, taken, Position(account, law("us-reg-f"), calendar("US")), at)
    assert (contact_closed(by_law, row("call", EASY), at.date().toordinal()) is not None) is closed


def test_cases_of_two_bills_count_their_own_calls() -> None:
    by_bill = changed(
        "us-collections",
        grain=("grain: account", "grain: invoice"),
        caps=("7 per P7D", "7 per P7D for each debt"),
    )
    at = on("2026-02-15", "09:00")
    terms = Terms(account="A1", customer="C1", currency="CNY", timezone="America/New_York")
    keys = [f"case/A1/1/B1/call/{n}/notify.call.talk/do" for n in range(7)]
    calls = tuple(
        made("2026-02-14", outcome="sent", key=key, text="talk", at=at - timedelta(days=1)) for key in keys
    )
    account = position_at(terms, [B1, B2], at).model_copy(update={"contacts": calls})
    for item, closed in (("B1", True), ("B2", False)):
        taken = Taken(case="case/A1/9", item=item, opened_at=at, opened_on=at.date())
        found = Case(by_bill, taken, Position(account, law("us-reg-f"), calendar("US")), at)
        why = contact_closed(found, row("call", by_bill), at.date().toordinal())
        assert (why is not None) is closed, item
