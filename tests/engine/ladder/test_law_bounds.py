"""Every bound of a law pack from both sides: before release, and by the gate of a policy that is careless.

A careless policy could not be released. It stands for a pack that has become stricter since.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time

import pytest

from engine.ladder import CollectionsPolicy, check_law, render_report, run_timelines
from engine.ladder.case import Case
from engine.ladder.law_gate import law_closed
from engine.ladder.state import Position, Taken
from engine.ledger import position_at
from tests.engine.ladder.world import calendar, changed, law
from tests.engine.ledger.making import TERMS, ZONE, entry

Change = tuple[str, str]
MOBILE = ("regulation: cn-telecom", "regulation: cn-telecom-mobile")
BAR = "| bar           | >= 31  |"
ENDS = "| suspend      | P61D |"
GROWS, STARTS = "rate: 0.003 per day", "from: due + P1D"
RESTORED = "restored_within: PT24H"


def breaks(policy: CollectionsPolicy) -> set[str]:
    """Return the clauses of its law pack that a policy breaks."""
    found = check_law(policy, law(policy.regulation))
    return {problem.related[0][0].split("`")[1] for problem in found}


@pytest.mark.parametrize(
    ("clause", "kept", "broken"),
    [
        ("interruption-after-30-days", (BAR, BAR), (BAR, BAR.replace("31", "30"))),
        ("termination-after-60-days", (ENDS, ENDS), (ENDS, ENDS.replace("61", "60"))),
        ("late-fee-three-per-mille", (GROWS, GROWS), (GROWS, GROWS.replace("3 per", "30000001 per"))),
        ("late-fee-three-per-mille", (STARTS, STARTS), (STARTS, STARTS.replace("P1D", "P0D"))),
        ("restoration-within-48-hours", (RESTORED, "restored_within: PT47H"),
         (RESTORED, "restored_within: PT48H")),
    ],
)  # fmt: skip
def test_each_bound_of_fixed_lines_from_both_sides(clause: str, kept: Change, broken: Change) -> None:
    assert breaks(changed(one=kept)) == set()
    assert breaks(changed(one=broken)) == {clause}


@pytest.mark.parametrize(
    ("clause", "kept", "broken"),
    [
        ("", (BAR, BAR.replace("31", "1 ")), None),  # the contract says when, never before a bill is late
        ("", (ENDS, ENDS.replace("61", "1")), None),
        ("late-fee-three-per-mille", (GROWS, GROWS), (GROWS, GROWS.replace("3 per", "30000001 per"))),
        ("late-fee-three-per-mille", (STARTS, STARTS), (STARTS, STARTS.replace("P1D", "P0D"))),
        ("restoration-within-48-hours", (RESTORED, "restored_within: PT47H"),
         (RESTORED, "restored_within: PT48H")),
    ],
)  # fmt: skip
def test_each_bound_of_mobile_lines_from_both_sides(clause: str, kept: Change, broken: Change | None) -> None:
    assert breaks(changed(law=MOBILE, one=kept)) == set()
    if broken:
        assert breaks(changed(law=MOBILE, one=broken)) == {clause}


CALLS, REST = "call: 7 per P7D", "after_conversation: P7D"
HOURS = "quiet_hours: 21:00-08:00"
WAIT = "| final      | P40D |"


@pytest.mark.parametrize(
    ("clause", "kept", "broken"),
    [
        ("convenient-hours", (HOURS, "quiet_hours: 20:59-08:00"), (HOURS, "quiet_hours: 21:01-08:00")),
        ("convenient-hours", (HOURS, "quiet_hours: 21:00-08:01"), (HOURS, "quiet_hours: 21:00-07:59")),
        ("convenient-hours", (HOURS, HOURS), ("  timezone:          {type: string", "  zone: {type: string")),
        ("seven-calls-in-seven-days", (CALLS, "call: 7 per P8D"), (CALLS, "call: 7 per P6D")),
        ("seven-calls-in-seven-days", (CALLS, f"{CALLS} for each debt"), (CALLS, "call: 8 per P7D")),
        ("seven-days-after-a-conversation", (REST, f"{REST} for each debt"),
         (REST, "after_conversation: P6D for each debt")),
        ("way-out-of-electronic-messages", (HOURS, HOURS), ("opted_out:         {type", "told_us: {type")),
        ("validation-notice", (WAIT, WAIT.replace("40", "38")), (WAIT, WAIT.replace("40", "10"))),
        ("no-court-for-time-barred-debt", ("[180..1095]", "[180..1095]"), ("[180..1095]", "[180..1096]")),
    ],
)  # fmt: skip
def test_each_bound_of_regulation_f_from_both_sides(clause: str, kept: Change, broken: Change) -> None:
    assert breaks(changed("us-collections", one=kept)) == set()
    assert breaks(changed("us-collections", one=broken)) == {clause}


@pytest.mark.parametrize(("lasts", "kept"), [("P7D", True), ("P1W", True), ("P8D", False), ("P1M", False)])
def test_a_consent_to_calls_lasts_no_longer_than_the_law_lets_it(lasts: str, kept: bool) -> None:
    policy = changed("us-collections", one=("consent: P7D", f"consent: {lasts}"))
    both = {"seven-calls-in-seven-days", "seven-days-after-a-conversation"}
    assert breaks(policy) == (set() if kept else both)


# the gate, by the day


def holds(policy: CollectionsPolicy, case: str, region: str = "CN") -> None:
    """Play a case through a policy that could not be released, and show what does not hold."""
    text = f"policy: {policy.name}\ncases:\n{case}"
    report = run_timelines(policy, law(policy.regulation), calendar(region), text.encode(), "cases.yaml")
    assert report.ok, render_report(report, {"cases.yaml": text})
    assert len(report.results) == 1


CARELESS = changed(
    bar=(BAR, "| bar           | >= 21  |"),
    wait=(ENDS, "| suspend      | P20D |"),
    age=(">= 106 | >= 50.00 ", ">= 66  | >= 50.00 "),
    set_off=("| set_off       | >= 90 ", "| set_off       | >= 300"),
)  # fmt: skip
DAY_30 = """
  - case: On day 30 nothing is cut, on day 31 it is
    history:
      - {on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-25}
    expect:
      - {on: 2026-02-24, since: 2026-02-15, do: nothing, days_past_due: 30, says: "clause interruption-after-30-days (Telecommunications Regulations of the PRC (2016), article 34): past due for 30 days, which is not > 30", wake: "2026-02-25 09:00"}
      - {on: 2026-02-25, do: [bar service(outgoing_barred)], days_past_due: 31}
"""  # noqa: E501 - a table is read in whole lines
DAY_60 = """
  - case: On day 60 of the suspension the contract goes on, on day 61 it ends
    history:
      - {on: 2026-04-01, bill: B1, amount: 300.00, due: 2026-04-20}
    expect:
      - {on: 2026-06-04, do: [suspend service(suspended), suspend fee(suspension)]}
      - {on: 2026-08-03, since: 2026-06-06, do: nothing, says: "clause termination-after-60-days (Telecommunications Regulations of the PRC (2016), article 34): suspended for 60 days, which is not > 60", wake: "2026-08-04 09:00"}
      - {on: 2026-08-04, do: [terminate service(terminated), terminate billing(stop)]}
"""  # noqa: E501
FORCED = """
  - case: Nobody forces it before its day either
    history:
      - {on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-25}
      - {on: 2026-02-24, at: "10:00", force: suspend, by: anna, reason: asked by sales}
    expect:
      - {on: 2026-02-24, do: nothing, says: "clause interruption-after-30-days"}
"""
FORCED_EARLY = """
  - case: Who forces it before the hour of the run is told the clause at once
    history:
      - {on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-25}
      - {on: 2026-02-24, at: "08:00", force: bar, by: anna, reason: asked by sales}
    expect:
      - {on: 2026-02-24, do: nothing, says: "clause interruption-after-30-days", wake: "2026-02-25 09:00"}
      - {on: 2026-02-25, do: [bar service(outgoing_barred)]}
"""


STANDS = """
  - case: Service stays cut for no bill that is not over 30 days late, when the older one is paid
    history:
      - {on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-25}
      - {on: 2026-01-20, bill: B2, amount: 300.00, due: 2026-02-03}
      - {on: 2026-02-26, payment: 300.00, pays: {B1: 300.00}}
    expect:
      - {on: 2026-02-14, do: ["final_notice notify(letter, final_notice) 600.00"]}
      - {on: 2026-02-25, do: [bar service(outgoing_barred)], level: outgoing_barred}
      - {on: 2026-02-26, do: [undo bar service(open), "late_fee fee(late_fee) 28.80"], level: open}
      # B2 is 31 days late on 6 March, the eve of a weekend.
      - {on: 2026-03-08, since: 2026-02-27, do: nothing}
      - {on: 2026-03-09, do: [bar/2 service(outgoing_barred)]}
"""


@pytest.mark.parametrize(
    "case",
    [DAY_30, DAY_60, FORCED, FORCED_EARLY, STANDS],
    ids=["day 30", "day 60", "forced", "forced early", "stands"],
)
def test_the_gate_of_fixed_lines_to_the_day(case: str) -> None:
    holds(CARELESS, case)


MOBILE_DAYS = """
  - case: By contract service is cut and ended early, and never before a bill is late
    history:
      - {on: 2026-03-02, bill: B1, amount: 300.00, due: 2026-04-20}
    expect:
      - {on: 2026-05-11, do: [bar service(outgoing_barred)], days_past_due: 21}
      - {on: 2026-06-04, do: [suspend service(suspended), suspend fee(suspension)]}
      - {on: 2026-06-25, do: [terminate service(terminated), terminate billing(stop)], age: 66}
"""


def test_mobile_lines_are_cut_when_the_contract_says() -> None:
    policy = changed(
        law=MOBILE,
        bar=(BAR, "| bar           | >= 21  |"),
        wait=(ENDS, "| suspend      | P20D |"),
        age=(">= 106 | >= 50.00 ", ">= 66  | >= 50.00 "),
        notice=("| >= 20  | >= 50.00  | reminder     |", "| >= 14  | >= 50.00  | reminder     |"),
    )
    holds(policy, MOBILE_DAYS)


RESTORE_DAYS = """
  - case: Who has paid is restored at once, and a person hears of it with hours of the 48 to spare
    receipts: explicit
    history:
      - {on: 2026-04-01, bill: B1, amount: 300.00, due: 2026-04-20}
      - {on: 2026-04-23, receipt: "reminder notify(sms, reminder)", status: done, at: "10:00"}
      - {on: 2026-05-10, receipt: "final_notice notify(letter, final_notice)", status: done, at: "10:00"}
      - {on: 2026-05-21, receipt: bar service(outgoing_barred), status: done, at: "10:00"}
      - {on: 2026-05-29, payment: 300.00, at: "20:15"}
    expect:
      - {on: 2026-05-29, do: [undo bar service(open), "late_fee fee(late_fee) 35.10"]}
      - {on: 2026-05-30, do: nothing}
      - {on: 2026-05-31, do: ["bar task(missing_receipt, service.outgoing_barred, undo)"], told: open}
"""


def test_a_restoration_is_asked_about_before_the_48_hours_are_over() -> None:
    slow = changed(one=(RESTORED, "restored_within: PT72H"))
    assert breaks(slow) == {"restoration-within-48-hours"}
    holds(slow, RESTORE_DAYS)


FEES = """
  - case: The fee begins on the day after the due date, and is the law's where the policy asks for more
    history:
      - {on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-25}
    expect:
      - {on: 2026-01-26, late_fee: 0.90, says: "clause late-fee-three-per-mille (Telecommunications Regulations of the PRC (2016), article 34): the late fee is 0.003 a day, not 0.005"}
      - {on: 2026-02-04, late_fee: 9.00}
"""  # noqa: E501 - a table is read in whole lines


@pytest.mark.parametrize("pack", ["cn-telecom", "cn-telecom-mobile"])
def test_the_fee_is_never_more_than_the_law_lets_it_be(pack: str) -> None:
    law_of = ("regulation: cn-telecom", f"regulation: {pack}")
    early = (STARTS, "from: due + P0D")
    holds(changed(law=law_of, more=(GROWS, "rate: 0.005 per day"), early=early), FEES)


# Regulation F

EASY = changed(
    "us-collections",
    hours=("  quiet_hours: 21:00-08:00\n", ""),
    caps=("  caps: {call: 7 per P7D, message: 1 per P1D}\n", ""),
    rest=(f"  {REST}\n", ""),
    wait=(WAIT, "| final      | P3D  |"),
    court=("| [180..1095]   |", "| >= 180        |"),
)  # fmt: skip
SEVEN = "".join(
    f"\n      - {{on: 2026-02-{day:02}, contact: call, bill: B1, at: '{hour}:00'}}"
    for day, hour in [*((day, 10) for day in range(9, 15)), (14, 15)]
)
BILL = "{on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-26}"
SECOND = "{on: 2026-01-05, bill: B2, amount: 300.00, due: 2026-01-28}"
CALLED = 'says: "clause seven-calls-in-seven-days (12 CFR 1006.14(b)(2)(i)(A), (b)(3)(i) and (b)(3)(ii)): 7 in P7D, which is not below 7"'  # noqa: E501
SPOKEN = 'says: "clause seven-days-after-a-conversation (12 CFR 1006.14(b)(2)(i)(B) and (b)(3)(i)"'
US: dict[str, str] = {
    "the eighth call waits until the first is seven days old": f"""
    history:
      - {BILL}{SEVEN}
    expect:
      - {{on: 2026-02-15, do: nothing, {CALLED}, wake: "2026-02-16 09:00"}}
      - {{on: 2026-02-16, do: ["call notify(call, talk)"]}}
""",
    "seven calls about another bill do not count": f"""
    history:
      - {BILL}{SEVEN.replace("bill: B1", "bill: B9")}
    expect:
      - {{on: 2026-02-15, do: ["call notify(call, talk)"]}}
""",
    "a call that names no bill is about all of them": f"""
    history:
      - {BILL}{SEVEN.replace("bill: B1, ", "")}
    expect:
      - {{on: 2026-02-15, do: nothing, {CALLED}}}
      - {{on: 2026-02-16, do: ["call notify(call, talk)"]}}
""",
    "each debt has calls of its own, and a call about both counts for both": f"""
    history:
      - {BILL}
      - {SECOND}{SEVEN.replace("bill: B1", "bill: B2")}
    expect:
      - {{on: 2026-02-15, do: nothing, {CALLED}}}
      - {{on: 2026-02-16, do: ["call notify(call, talk)"]}}
""",
    "four calls about each of two bills are eight, and break nothing": f"""
    history:
      - {BILL}
      - {SECOND}{
        "".join(
            f'''
      - {{on: 2026-02-{day}, contact: call, bill: {bill}, at: "10:00"}}'''
            for day in (11, 12, 13, 14)
            for bill in ("B1", "B2")
        )
    }
    expect:
      - {{on: 2026-02-15, do: ["call notify(call, talk)"]}}
""",
    "the day of the consent is the first of seven": f"""
    history:
      - {BILL}{SEVEN}
      - {{on: 2026-02-09, contact: email, direction: in, consent: given, bill: B1, at: "11:00"}}
    expect:
      - {{on: 2026-02-15, do: ["call notify(call, talk)"]}}
""",
    "on the eighth day it is over, and what was called under it counts nowhere": f"""
    history:
      - {BILL}{SEVEN}
      - {{on: 2026-02-08, contact: email, direction: in, consent: given, at: "11:00"}}
      - {{on: 2026-02-15, contact: call, at: "08:10"}}
      - {{on: 2026-02-15, contact: call, at: "08:20"}}
    expect:
      - {{on: 2026-02-15, do: ["call notify(call, talk)"]}}
""",
    "a consent that is a day too old lifts nothing": f"""
    history:
      - {BILL}{SEVEN}{SEVEN.replace("10:00", "12:00")}
      - {{on: 2026-02-08, contact: email, direction: in, consent: given, at: "11:00"}}
      - {{on: 2026-02-15, contact: call, at: "08:10"}}
      - {{on: 2026-02-15, contact: call, at: "08:20"}}
      - {{on: 2026-02-15, contact: call, at: "08:30"}}
      - {{on: 2026-02-15, contact: call, at: "08:40"}}
      - {{on: 2026-02-15, contact: call, at: "08:41"}}
      - {{on: 2026-02-15, contact: call, at: "08:42"}}
      - {{on: 2026-02-15, contact: call, at: "08:43"}}
    expect:
      - {{on: 2026-02-21, since: 2026-02-06, do: nothing}}
      - {{on: 2026-02-22, do: ["call notify(call, talk)"]}}
""",
    "a consent about another bill lifts nothing": f"""
    history:
      - {BILL}{SEVEN}
      - {{on: 2026-02-14, contact: email, direction: in, consent: given, bill: B9, at: "11:00"}}
    expect:
      - {{on: 2026-02-15, do: nothing, {CALLED}}}
""",
    "a consent that was withdrawn lifts nothing": f"""
    history:
      - {BILL}{SEVEN}
      - {{on: 2026-02-13, contact: email, direction: in, consent: given, at: "11:00"}}
      - {{on: 2026-02-13, contact: email, direction: in, consent: withdrawn, at: "12:00"}}
    expect:
      - {{on: 2026-02-15, do: nothing, {CALLED}}}
""",
    "after a conversation the eighth day is the first, whoever called": f"""
    history:
      - {BILL}
      - {{on: 2026-02-12, contact: call, outcome: conversation, direction: in, bill: B1, at: "14:10"}}
    expect:
      - {{on: 2026-02-18, since: 2026-02-06, do: nothing, {SPOKEN}, wake: "2026-02-19 09:00"}}
      - {{on: 2026-02-19, do: ["call notify(call, talk)"]}}
""",
    "who agrees in a conversation to be called back may be": f"""
    history:
      - {BILL}
      - {{on: 2026-02-12, contact: call, outcome: conversation, consent: given, bill: B1, at: "14:10"}}
    expect:
      - {{on: 2026-02-15, do: ["call notify(call, talk)"]}}
""",
    "a conversation about another bill keeps nobody from calling": f"""
    history:
      - {BILL}
      - {{on: 2026-02-12, contact: call, outcome: conversation, bill: B9, at: "14:10"}}
    expect:
      - {{on: 2026-02-15, do: ["call notify(call, talk)"]}}
""",
}


@pytest.mark.parametrize("case", US.values(), ids=US)
def test_the_gate_of_regulation_f_to_the_day(case: str) -> None:
    holds(EASY, f"  - case: A case{case}", "US")


ANSWERED = """
  - case: Service is cut on the day after the last one on which the debt can be disputed
    history:
      - {on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-26}
    expect:
      - {on: 2026-03-08, since: 2026-02-26, do: nothing, says: "clause validation-notice (12 CFR 1006.34(a)(1), 1006.34(b)(5), 1006.38(b)(1) and 1006.42(a)(1)): the notice of 2026-01-31 can be answered through 2026-03-08", wake: "2026-03-09 09:00"}
      - {on: 2026-03-09, do: [restrict service(outgoing_barred)]}
"""  # noqa: E501 - a table is read in whole lines


def test_nothing_is_cut_while_the_debt_can_be_disputed() -> None:
    soon = changed(
        "us-collections",
        wait=(WAIT, "| final      | P3D  |"),
        age=("| restrict   | >= 50 ", "| restrict   | >= 32 "),
    )
    assert breaks(soon) == {"validation-notice"}
    holds(soon, ANSWERED, "US")


@pytest.mark.parametrize(
    ("day", "closed"),
    [(date(2026, 1, 25), ""), (date(2026, 1, 26), "past due for 1096 days, which is not <= 1095")],
)
def test_no_debt_goes_to_court_that_is_time_barred(day: date, closed: str) -> None:
    pack = law("us-reg-f")
    old = replace(pack, clauses=pack.clauses_on("legal_action"))
    at = datetime.combine(day, time(9), ZONE)
    bill = entry("bill", "2023-01-05", id="B1", due="2023-01-26", amount="1300.00")
    position = Position(position_at(TERMS, [bill], at), old, calendar("US"))
    case = Case(EASY, Taken(case="c", opened_at=at, opened_on=day), position, at)
    found = law_closed(case, EASY.ladders["consumer"].by_step["court"], day.toordinal())
    assert (found.why if found else "").endswith(closed)
    assert (found is None) is not bool(closed)
    if found:
        assert (
            "clause no-court-for-time-barred-debt (12 CFR 1006.26(b); state law on limitation)" in found.why
        )
        assert found.retry is None, "it never comes back"
