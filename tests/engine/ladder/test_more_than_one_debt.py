"""Several debts: each has the notice of the law, one look breaks no cap, nothing is set off each day."""

from __future__ import annotations

import pytest

from engine.ladder import CollectionsPolicy, load_collections, render_report, run_timelines
from engine.ladder.law import LawPack
from engine.workdays import Calendar, no_calendar
from tests.engine.ladder.world import calendar, changed, law, policy


def holds(rules: CollectionsPolicy, pack: LawPack, days: Calendar, case: str) -> None:
    text = f"policy: {rules.name}\ncases:\n{case}"
    report = run_timelines(rules, pack, days, text.encode(), "cases.yaml")
    assert report.ok, render_report(report, {"cases.yaml": text})
    assert report.results


# 12 CFR 1006.34: each debt has a validation notice of its own. B2 comes to its five days on 25 February, when
# the final notice uses up the day's one message. B2 can be disputed through 4 April.
EACH = """
  - case: A second bill has its own validation notice, before it is the oldest
    history:
      - {on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-26}
      - {on: 2026-02-01, bill: B2, amount: 300.00, due: 2026-02-20}
      - {on: 2026-03-25, payment: 300.00, pays: {B1: 300.00}}
    expect:
      - {on: 2026-02-25, since: 2026-02-16, do: ["final notify(email, final_notice) 600.00"]}
      - on: 2026-02-26
        do: ["validation/2 notify(letter, validation_notice) 600.00"]
        figures: "debts: B1, B2"
        text: You owe USD 600.00 for B1, B2.
      # Forty days after the final notice are 6 April; B2 is fifty days old on 11 April, a Saturday.
      - {on: 2026-04-12, since: 2026-02-27, do: nothing}
      - {on: 2026-04-13, do: [restrict service(outgoing_barred)]}
"""


def test_each_debt_is_validated_and_no_ladder_stands_still_for_want_of_it() -> None:
    holds(policy("us-collections"), law("us-reg-f"), calendar("US"), EACH)


CAPPED = b"""policy: capped
kind: collections
version: "1"
effective: {from: 2026-01-01}
regulation: none
timezone: Europe/Berlin
currency: EUR
case: {opens: "overdue >= 20.00 and age >= 1", closes: overdue < 5.00}
contact: {caps: {message: 1 per P1D}, valid: P200D}
treatment: standard
ladders:
  standard: |
    | step     | age   | overdue  | after    | wait || do                       | release when   |
    | reminder | >= 3  | -        | -        | -    || notify(sms, n)           | -              |
    | final    | >= 15 | >= 50.00 | reminder | P7D  || notify(letter, f)        | -              |
    | again    | >= 30 | >= 50.00 | final    | P3D  || notify(sms, n)           | -              |
    | bar      | >= 50 | >= 50.00 | final    | P7D  || service(outgoing_barred) | overdue < 5.00 |
    | decide   | >= 60 | -        | reminder | -    || approve(w), write_off    | final          |
"""
DAY = """
  - case: A step of one day and a notice sent again that day
    history:
      - {on: 2026-02-20, bill: B1, amount: 300.00, due: 2026-03-01}
      - {on: 2026-02-25, bill: B2, amount: 300.00, due: 2026-03-16}
    expect:
"""


@pytest.mark.parametrize(
    ("cap", "second"),
    [("1 per P1D", "2026-04-01"), ("2 per P1D", "2026-03-31"), ("1 per P3D", "2026-04-03")],
)
def test_what_one_look_asks_for_keeps_to_the_caps_as_a_whole(cap: str, second: str) -> None:
    text = CAPPED.replace(b"1 per P1D", cap.encode())
    loaded = load_collections({"policy.yaml": text}, "policy.yaml")
    assert loaded.policy is not None, loaded.problems
    both = ['"again notify(sms, n) 600.00"', '"final/2 notify(letter, f) 600.00"']
    days = (
        [("2026-03-31", both)] if second == "2026-03-31" else [("2026-03-31", both[:1]), (second, both[1:])]
    )
    said = "".join(f"      - {{on: {day}, do: [{', '.join(do)}]}}\n" for day, do in days)
    holds(loaded.policy, law("none"), no_calendar(), DAY + said)


SET_OFF = """
  - case: A contract that another case has ended leaves a deposit to be set off once, not each day
    history:
      - {on: 2025-12-20, bill: B0, amount: 300.00, due: 2026-01-08}
      - {on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-25, service: mobile}
      - {on: 2026-04-01, bill: B2, amount: 60.00, due: 2026-04-20, service: mobile}
      - {on: 2026-05-20, payment: 300.00, pays: {B1: 300.00}}
    expect:
      - {on: 2026-04-27, service: all, do: [terminate service(terminated), terminate billing(stop)]}
      # B2 is 90 days old on 19 July, and 365 on 20 April of the next year.
      - {on: 2026-07-20, service: mobile, reached: set_off, wake: 2027-04-20}
"""


def test_what_rested_on_a_cut_stands_by_itself_when_there_is_no_service_left() -> None:
    holds(changed(scope=("grain: account", "grain: account\n  scope: service")), law(), calendar(), SET_OFF)
