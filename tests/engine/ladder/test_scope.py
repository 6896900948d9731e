"""Cases about a part of an account: bills, instalments, services; stated as an officer would state them."""

from __future__ import annotations

import pytest

from engine.ladder import CollectionsPolicy, render_report, run_timelines
from tests.engine.ladder.world import calendar, changed, law

GRAIN = {"invoice": "grain: invoice", "instalment": "grain: instalment", "account": "grain: account"}


def by(grain: str, scope: str = "account", **more: tuple[str, str]) -> CollectionsPolicy:
    """Return the shipped policy by invoice with another grain and scope."""
    text = f"{GRAIN[grain]}\n  scope: {scope}"
    return changed("collections-by-invoice", grain=("grain: invoice", text), **more)


def holds(policy: CollectionsPolicy, *cases: str) -> None:
    """Play cases and show all that does not hold."""
    text = "policy: invoice-collections\ncases:\n" + "".join(cases)
    report = run_timelines(policy, law(), calendar(), text.encode(), "cases.yaml")
    assert report.ok, render_report(report, {"cases.yaml": text})
    assert len(report.results) == len(cases)


INSTALMENTS = """
  - case: Every instalment of a bill has its own case, and is announced by itself
    history:
      - on: 2026-01-05
        bill: B1
        amount: 300.00
        instalments: [{due: 2026-01-25, amount: 100.00}, {due: 2026-02-25, amount: 200.00}]
    expect:
      - {on: 2026-01-18, do: ["before_due notify(email, upcoming) 100.00"], figures: ["debts: B1/1"]}
      - {on: 2026-01-30, bill: B1/1, do: ["reminder notify(email, reminder) 100.00"], case: "1", age: 5}
      - {on: 2026-02-18, do: ["before_due notify(email, upcoming) 200.00"], figures: ["debts: B1/2"]}
      - {on: 2026-02-25, bill: B1/1, level: outgoing_barred}
      - {on: 2026-03-02, bill: B1/2, do: ["reminder notify(email, reminder) 200.00"], case: "2", age: 5}
"""
PLAN = """
  - case: A plan takes the place of a bill, whose case ends; each of its instalments can have one
    history:
      - {on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-25}
      - on: 2026-02-10
        plan: PL1
        amount: 300.00
        replaces: [B1]
        instalments: [{due: 2026-03-10, amount: 150.00}, {due: 2026-04-10, amount: 150.00}]
      - {on: 2026-03-05, payment: 150.00}
    expect:
      - {on: 2026-02-10, bill: B1, ended: cured}
      - {on: 2026-04-03, since: 2026-03-06, do: ["before_due notify(email, upcoming) 150.00"]}
      - {on: 2026-04-10, since: 2026-04-04, do: ["before_due/2 notify(sms, upcoming) 150.00"]}
      - {on: 2026-04-15, bill: PL1/2, do: ["reminder notify(email, reminder) 150.00"], overdue: 150.00}
"""


@pytest.mark.parametrize("case", [INSTALMENTS, PLAN], ids=["instalments", "plan"])
def test_grain_instalment(case: str) -> None:
    holds(by("instalment"), case)


SERVICES = """
  - case: Debt of the fixed line does not cut the mobile, and the other way round
    history:
      - {on: 2026-01-05, bill: F1, amount: 300.00, due: 2026-01-25, service: fixed}
      - {on: 2026-01-05, bill: M1, amount: 200.00, due: 2026-02-08, service: mobile}
      - {on: 2026-03-16, payment: 300.00, pays: {F1: 300.00}}
      - {on: 2026-04-10, payment: 200.00, pays: {M1: 200.00}}
    expect:
      - {on: 2026-02-25, do: ["bar service(outgoing_barred) 300.00"], told: {fixed: outgoing_barred}}
      - {on: 2026-03-11, service: mobile, do: ["bar service(outgoing_barred) 200.00"], age: 31}
      - {on: 2026-03-11, told: {fixed: suspended, mobile: outgoing_barred}}
      - {on: 2026-03-16, do: ["undo suspend service(open)"], told: {fixed: open, mobile: outgoing_barred}}
      - {on: 2026-03-25, told: {fixed: open, mobile: suspended}}
      - {on: 2026-04-10, told: {fixed: open, mobile: open}}
"""
TOGETHER = """
  - case: Bills of one service make one case, and bills of none another one for the whole account
    history:
      - {on: 2026-01-05, bill: F1, amount: 30.00, due: 2026-01-25, service: fixed}
      - {on: 2026-01-05, bill: F2, amount: 40.00, due: 2026-01-26, service: fixed}
      - {on: 2026-01-05, bill: G1, amount: 80.00, due: 2026-01-25}
    expect:
      - {on: 2026-01-30, service: fixed, overdue: 70.00, do: ["reminder notify(email, reminder) 70.00"]}
      - {on: 2026-01-30, service: all, overdue: 80.00, do: ["reminder notify(email, reminder) 80.00"]}
      - {on: 2026-02-26, told: {fixed: outgoing_barred, all: outgoing_barred}}
"""
WHOLE = """
  - case: What the debt of the whole account cuts stays cut for a service whose debt is paid
    history:
      - {on: 2026-01-05, bill: F1, amount: 300.00, due: 2026-01-25, service: fixed}
      - {on: 2026-01-05, bill: G1, amount: 80.00, due: 2026-01-25}
      - {on: 2026-03-16, payment: 300.00, pays: {F1: 300.00}}
    expect:
      - {on: 2026-03-11, told: {all: suspended, fixed: suspended}}
      - {on: 2026-03-16, do: ["undo suspend service(open)"], told: {all: suspended, fixed: suspended}}
"""
ACTS = """
  - case: A person stops the case of one service, and the other goes on
    history:
      - {on: 2026-01-05, bill: F1, amount: 300.00, due: 2026-01-25, service: fixed}
      - {on: 2026-01-05, bill: M1, amount: 200.00, due: 2026-01-25, service: mobile}
      - {on: 2026-01-28, stop: all, service: mobile, by: wang.li, reason: being clarified}
    expect:
      - {on: 2026-02-26, service: fixed, level: outgoing_barred}
      - {on: 2026-02-26, service: mobile, level: open, rows: nothing, says: being clarified}
"""
TERMINATED = """
  - case: After a termination the other cases warn of nothing and cut nothing
    history:
      - {on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-25}
      - {on: 2026-06-01, bill: B2, amount: 200.00, due: 2026-06-20}
    expect:
      - {on: 2026-06-01, bill: B1, level: terminated}
      - {on: 2026-09-01, since: 2026-06-02, do: nothing}
      - {on: 2026-09-01, bill: B2, open: true, level: open, reached: nothing}
"""


@pytest.mark.parametrize("case", [SERVICES, TOGETHER, WHOLE, ACTS], ids=["apart", "one", "all", "acts"])
def test_scope_service(case: str) -> None:
    holds(by("account", "service"), case)


def test_scope_service_with_a_case_for_each_bill() -> None:
    holds(by("invoice", "service"), SERVICES.replace("service: mobile, do", "bill: M1, do"))


def test_a_termination_is_over_for_every_bill() -> None:
    holds(by("invoice"), TERMINATED)


GIVEN_UP = """
  - case: What comes after a cut that a termination elsewhere has left without an object holds nothing up
    history:
      - {on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-25}
      - {on: 2026-06-01, bill: B2, amount: 200.00, due: 2026-06-20}
    expect:
      - {on: 2026-06-01, bill: B1, level: terminated}
      - {on: 2027-06-20, since: 2026-06-02, bill: B2, do: [write_off approve(write_off)]}
"""


def test_a_step_behind_a_cut_that_cannot_come_any_more_holds_up_no_write_off() -> None:
    row = "    | terminate     | >= 110 |"
    apply = (
        "    | set_off       | >= 60  | -        | suspend      | P7D  || apply(deposit) | -              |\n"
    )
    holds(by("invoice", more=(row, apply + row)), GIVEN_UP)


CAPPED = """
  - case: The cap holds over all announcements, and what is held up goes out on a later day, or not at all
    history:
      - {on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-25}
      - {on: 2026-01-05, bill: B2, amount: 200.00, due: 2026-01-25}
      - {on: 2026-01-05, bill: B3, amount: 100.00, due: 2026-01-25}
    expect:
      - {on: 2026-01-18, do: ["before_due notify(email, upcoming) 300.00"], reminds: 2026-01-19}
      - {on: 2026-01-19, do: ["before_due notify(email, upcoming) 200.00"]}
      - {on: 2026-01-20, do: ["before_due notify(email, upcoming) 100.00"], reminds: 2026-01-22}
      - {on: 2026-01-22, do: ["before_due/2 notify(sms, upcoming) 300.00"]}
      - {on: 2026-01-23, do: ["before_due/2 notify(sms, upcoming) 200.00"]}
      - {on: 2026-01-24, do: ["before_due/2 notify(sms, upcoming) 100.00"]}
      - {on: 2026-01-25, do: nothing, reminds: never}
"""
QUIET = """
  - case: A notice whose hour is quiet goes out in the morning, and at the end of the last day not at all
    history:
      - {on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-25}
    expect:
      - {on: 2026-01-18, do: ["before_due notify(email, upcoming) 300.00"]}
      - {on: 2026-01-25, since: 2026-01-19, do: ["before_due/2 notify(sms, upcoming) 300.00"]}
"""


def test_announcements_are_capped() -> None:
    holds(by("invoice", cap=("caps: {message: 2 per P1D}", "caps: {message: 1 per P1D}")), CAPPED)


def test_announcements_keep_quiet_hours() -> None:
    late = by("invoice", hour=('hour: "09:00"', 'hour: "21:30"'), window=("09:00-16:00", "09:00-23:00"))
    holds(late, QUIET)


DEPOSIT = """
  - case: One deposit and two bills of one day; the second case gets what the first has left
    history:
      - {on: 2026-01-05, deposit: 120.00, move: held}
      - {on: 2026-01-05, bill: B1, amount: 100.00, due: 2026-01-25}
      - {on: 2026-01-05, bill: B2, amount: 80.00, due: 2026-01-25}
      - {on: 2026-03-27, deposit: 100.00, move: applied}
      - {on: 2026-03-28, deposit: 20.00, move: applied}
    expect:
      - {on: 2026-03-26, bill: B1, do: ["set_off apply(deposit) 100.00"]}
      - {on: 2026-03-26, bill: B2, do: nothing, says: "`case/A1/1` has asked for the deposit"}
      - {on: 2026-03-27, bill: B1, ended: cured}
      - {on: 2026-03-27, bill: B2, do: ["set_off apply(deposit) 20.00"]}
      - {on: 2026-04-10, since: 2026-03-28, bill: B2, do: nothing, overdue: 60.00}
"""


def test_two_cases_do_not_ask_for_the_same_deposit() -> None:
    row = "    | terminate     | >= 110 |"
    apply = (
        "    | set_off       | >= 60  | -        | suspend      | P7D  || apply(deposit) | -              |\n"
    )
    holds(by("invoice", more=(row, apply + row)), DEPOSIT)


UNDER_FRAUD = """
  - case: What a service was told while fraud had suspended all of them is taken back with all of them
    history:
      - {on: 2026-01-05, bill: B1, amount: 100.00, due: 2026-01-25, service: tv}
      - {on: 2026-02-10, demand: fraud_desk, level: suspended}
      - {on: 2026-03-02, payment: 100.00}
      - {on: 2026-03-05, demand: fraud_desk, level: open}
    expect:
      - {on: 2026-02-25, told: {tv: suspended, all: suspended}, level: outgoing_barred}
      - {on: 2026-03-02, told: {tv: suspended, all: suspended}, ended: cured}
      - {on: 2026-03-05, told: {tv: open, all: open}}
"""


def test_a_demand_on_all_services_is_taken_back_for_each_that_was_named() -> None:
    holds(by("account", "service"), UNDER_FRAUD)
