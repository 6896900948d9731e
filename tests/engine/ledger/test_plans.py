"""Bills under a plan: what lowers them lowers the plan, and given up it leaves nothing behind."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.ledger import Entry, entry_problems, facts_at, position_at
from engine.ledger.account import Debt
from engine.ledger.history import write_book
from engine.ledger.unmatched import misfits
from tests.engine.ledger.making import LATE, TERMS, day, entry, opens, position

B1 = entry("bill", "01-05", id="B1", due="01-25", amount="100.00")
B2 = entry("bill", "02-05", id="B2", due="02-25", amount="60.00")


def plan(*parts: str, on: str = "02-10", name: str = "PL", bills: str = "B1", **more: Any) -> Entry:
    """Return a plan whose instalments are due on the 10th of the months from March on."""
    amount = sum((Decimal(part) for part in parts), Decimal(0))
    instalments = [{"due_date": date(2026, 3 + n, 10), "amount": part} for n, part in enumerate(parts)]
    return entry(
        "bill", on, id=name, due=f"{2 + len(parts):02}-10", amount=amount, category="plan",
        replaces=bills.split(), instalments=instalments, **more,
    )  # fmt: skip


def pay(on: str, amount: str, name: str = "P1") -> Entry:
    return entry("payment", on, id=name, amount=amount)


def less(kind: str, on: str, amount: str, bill: str, **more: Any) -> Entry:
    return entry(kind, on, amount=amount, bill=bill, **more)


PLAN = plan("50.00", "50.00")
OVER = entry("plan_ended", "05-20", plan="PL")
GOODWILL = {"reason": "goodwill: a long outage"}


@pytest.mark.parametrize(
    ("news", "runs", "credit", "over"),
    [
        # what lowers the bill lowers the plan from its last instalment, and stays when it is given up
        ([less("credit_note", "02-20", "30.00", "B1")], {"PL/1": "50.00", "PL/2": "20.00"}, "0", "70.00"),
        ([less("credit_note", "02-20", "70.00", "B1")], {"PL/1": "30.00"}, "0", "30.00"),
        ([less("adjustment", "02-20", "-30.00", "B1")], {"PL/1": "50.00", "PL/2": "20.00"}, "0", "70.00"),
        ([less("write_down", "02-20", "30.00", "B1")], {"PL/1": "50.00", "PL/2": "20.00"}, "0", "70.00"),
        ([less("credit_note", "02-20", "30.00", "B1", **GOODWILL)],
         {"PL/1": "50.00", "PL/2": "20.00"}, "0", "70.00"),
        # so does what lowers the plan, or one instalment, first
        ([less("credit_note", "02-20", "30.00", "PL")], {"PL/1": "50.00", "PL/2": "20.00"}, "0", "70.00"),
        ([less("credit_note", "02-20", "30.00", "PL/1")], {"PL/1": "20.00", "PL/2": "50.00"}, "0", "70.00"),
        ([less("write_down", "02-20", "30.00", "PL/1")], {"PL/1": "20.00", "PL/2": "50.00"}, "0", "70.00"),
        ([less("adjustment", "02-20", "-30.00", "PL")], {"PL/1": "50.00", "PL/2": "20.00"}, "0", "70.00"),
        # what was paid under it stays paid, and is free when it was too much
        ([pay("03-05", "50.00"), less("credit_note", "03-20", "30.00", "B1")],
         {"PL/2": "20.00"}, "0", "20.00"),
        ([pay("03-05", "80.00"), less("credit_note", "03-20", "30.00", "B1")], {}, "10.00", ""),
        ([pay("03-05", "80.00"), less("write_down", "03-20", "30.00", "B1")], {}, "0", ""),
        ([pay("03-05", "100.00"), less("credit_note", "03-20", "100.00", "B1")], {}, "100.00", ""),
        ([pay("03-05", "100.00"), less("credit_note", "03-20", "30.00", "B1", **GOODWILL)], {}, "30.00", ""),
        # no credit comes of what nobody paid
        ([less("credit_note", "02-20", "100.00", "B1"), less("credit_note", "02-21", "100.00", "PL", id="2")],
         {}, "0", ""),
        # more is asked for: of the bill beside the plan, of the plan in its last instalment
        ([less("adjustment", "02-20", "10.00", "B1")],
         {"B1": "10.00", "PL/1": "50.00", "PL/2": "50.00"}, "0", "110.00"),
        ([less("adjustment", "02-20", "10.00", "PL")], {"PL/1": "50.00", "PL/2": "60.00"}, "0", "100.00"),
    ],
)  # fmt: skip
def test_what_lowers_a_bill_under_a_plan_is_not_lost(
    news: list[Entry], runs: dict[str, str], credit: str, over: str
) -> None:
    running = position(B1, PLAN, *news, on="05-19")
    assert opens(running) == runs
    assert running.credit == Decimal(credit)
    ended = position(B1, PLAN, *news, OVER, on="05-20")
    assert opens(ended) == ({"B1": over} if over else {})
    assert [d.due_date for d in ended.debts if d.open] == ([date(2026, 1, 25)] if over else [])
    assert ended.credit == Decimal(credit if not over else 0) or ended.credit == running.credit


def out(*history: Entry, on: str) -> dict[str, str]:
    return {d.id: str(d.open) for d in position(*history, on=on).debts if d.open and d.written_off}


def test_a_marked_bill_leaves_its_plan_and_comes_back_under_it_without_the_mark() -> None:
    whole = plan("80.00", "80.00", bills="B1 B2")
    mark = entry("write_off_mark", "02-20", id="1", bill="B2")
    marked = position(B1, B2, whole, mark, on="03-01")
    assert opens(marked) == {"B2": "60.00", "PL/1": "80.00", "PL/2": "20.00"}
    assert out(B1, B2, whole, mark, on="03-01") == {"B2": "60.00"}
    unmark = entry("write_off_mark", "02-25", id="2", bill="B2", marked=False)
    assert opens(position(B1, B2, whole, mark, unmark, on="03-01")) == {"PL/1": "80.00", "PL/2": "80.00"}
    over = entry("plan_ended", "03-20", plan="PL")
    assert opens(position(B1, B2, whole, mark, over, on="03-20")) == {"B1": "100.00", "B2": "60.00"}
    assert out(B1, B2, whole, mark, over, on="03-20") == {"B2": "60.00"}


@pytest.mark.parametrize(
    ("marked", "open_", "written_off"),
    [("PL", {"PL/1": "50.00", "PL/2": "50.00"}, "100.00"),
     ("PL/2", {"B1": "50.00", "PL/2": "50.00"}, "50.00"),
     ("", {"B1": "100.00"}, "100.00")],
)  # fmt: skip
def test_a_mark_on_a_plan_outlives_it(marked: str, open_: dict[str, str], written_off: str) -> None:
    mark = entry("write_off_mark", "02-20", bill=marked)
    found = position(B1, PLAN, mark, OVER, on="05-20")
    assert opens(found) == open_
    assert sum((d.open for d in found.debts if d.written_off), Decimal(0)) == Decimal(written_off)


@pytest.mark.parametrize(
    ("history", "open_"),
    [
        # money that came back after the plan was given up opens the bill, at the bill's age
        ([B1, PLAN, pay("03-05", "50.00"), OVER, entry("payment_returned", "05-25", payment="P1")],
         {"B1": "100.00"}),
        ([B1, PLAN, pay("03-05", "50.00"), entry("payment_returned", "05-10", payment="P1"), OVER],
         {"B1": "100.00"}),
        ([B1, PLAN, pay("03-05", "50.00"), OVER, entry("refund", "05-25", amount="20.00", payment="P1")],
         {"B1": "70.00"}),
        # what was paid before the plan and came back is owed beside it
        ([B1, pay("02-01", "40.00"), plan("30.00", "30.00"),
          entry("payment_returned", "02-20", payment="P1")],
         {"B1": "40.00", "PL/1": "30.00", "PL/2": "30.00"}),
        # money and corrections that name what is given up are for its bills
        ([B1, PLAN, OVER, entry("payment", "05-25", id="P1", amount="50.00",
                                pays=[{"bill": "PL/2", "amount": "50.00"}])], {"B1": "50.00"}),
        ([B1, PLAN, OVER, less("credit_note", "05-25", "30.00", "PL/1")], {"B1": "70.00"}),
        # its own charges end with it
        ([B1, plan("55.00", "55.00", charges="10.00")], {"PL/1": "55.00", "PL/2": "55.00"}),
        ([B1, plan("55.00", "55.00", charges="10.00"), pay("03-05", "55.00"), OVER], {"B1": "45.00"}),
        ([B1, plan("55.00", "55.00", charges="10.00"), pay("03-05", "110.00"), OVER], {}),
        # what is paid at once stays at its own age
        ([B1, plan("40.00", "40.00", down_payment="20.00")],
         {"B1": "20.00", "PL/1": "40.00", "PL/2": "40.00"}),
        ([B1, plan("40.00", "40.00", down_payment="20.00"), pay("02-10", "20.00")],
         {"PL/1": "40.00", "PL/2": "40.00"}),
        # a new plan on the day on which the old one is given up
        ([B1, PLAN, OVER, plan("100.00", on="05-20", name="A2")], {"A2/1": "100.00"}),
        # the plan of a bill whose payment came back on the same day
        ([B1, pay("02-01", "100.00"), entry("payment_returned", "02-10", payment="P1"), PLAN],
         {"PL/1": "50.00", "PL/2": "50.00"}),
    ],
)  # fmt: skip
def test_what_comes_of_a_plan(history: list[Entry], open_: dict[str, str]) -> None:
    for told in (history, history[::-1]):
        found = position(*told, on="06-30")
        assert opens(found) == open_
        assert [d.due_date for d in found.debts if d.id == "B1" and d.open] in ([], [date(2026, 1, 25)])


def test_days_under_a_plan_were_not_past_due_and_those_after_it_are() -> None:
    debts = {d.id: d for d in position(B1, PLAN, pay("03-05", "50.00"), OVER, on="05-21").debts}

    def owed(debt: Debt, on: str) -> Decimal:
        return debt.open + sum((by for changed, by in debt.moved if changed > day(on)), Decimal(0))

    assert [owed(debts["B1"], on) for on in ("02-09", "02-11", "05-19", "05-20")] == [100, 0, 0, 50]
    assert [owed(debts["PL/2"], on) for on in ("05-19", "05-20")] == [50, 0]
    assert owed(debts["PL/1"], "05-19") == 0
    facts = facts_at(TERMS, [B1, PLAN, pay("03-05", "50.00"), OVER], day("05-21"), LATE)
    assert facts["avg_monthly_bill"].value == Decimal("100.00")


# disputes


def disputed(*history: Entry, on: str) -> dict[str, str]:
    return {d.id: str(d.disputed) for d in position(*history, on=on).debts if d.disputed}


DISPUTE = entry("dispute", "02-20", id="D", bill="B1", amount="70.00")


def test_a_dispute_on_a_bill_takes_its_part_out_of_its_plan_from_the_last_instalment() -> None:
    assert disputed(B1, PLAN, DISPUTE, on="03-20") == {"PL/1": "20.00", "PL/2": "50.00"}
    facts = facts_at(TERMS, [B1, PLAN, DISPUTE], day("04-30"), LATE)
    assert facts["overdue_now"].value == Decimal("30.00")
    assert disputed(B1, PLAN, DISPUTE, OVER, on="05-20") == {"B1": "70.00"}
    on_plan = entry("dispute", "02-20", id="D", bill="PL", amount="70.00")
    assert disputed(B1, PLAN, on_plan, on="03-20") == {"PL/1": "20.00", "PL/2": "50.00"}
    assert disputed(B1, PLAN, on_plan, OVER, on="05-20") == {"B1": "70.00"}
    end = entry("dispute_resolved", "03-01", dispute="D", outcome="upheld")
    note = less("credit_note", "03-05", "70.00", "B1")
    assert disputed(B1, PLAN, DISPUTE, end, on="03-04") == {"PL/1": "20.00", "PL/2": "50.00"}
    assert disputed(B1, PLAN, DISPUTE, end, note, on="03-06") == {}
    assert opens(position(B1, PLAN, DISPUTE, end, note, on="03-06")) == {"PL/1": "30.00"}
    assert disputed(B1, PLAN, on_plan, end, note, on="03-06") == {}


def test_what_is_disputed_stays_out_of_a_plan() -> None:
    before = entry("dispute", "02-01", id="D", bill="B1", amount="40.00")
    fits = plan("30.00", "30.00")
    assert entry_problems(TERMS, [B1, before], fits) == []
    found = position(B1, before, fits, on="03-01")
    assert opens(found) == {"B1": "40.00", "PL/1": "30.00", "PL/2": "30.00"}
    assert disputed(B1, before, fits, on="03-01") == {"B1": "40.00"}
    # told late, the plan of the whole asks for what was undisputed
    assert opens(position(B1, before, PLAN, on="03-01")) == {"B1": "40.00", "PL/1": "50.00", "PL/2": "10.00"}


# what a plan is held against


@pytest.mark.parametrize(
    ("known", "new", "code"),
    [
        ([B1], PLAN, None),
        ([B1], plan("50.00", "40.00"), "plan-differs"),
        ([B1], plan("50.00", "60.00"), "plan-differs"),
        ([B1, pay("02-01", "40.00")], PLAN, "plan-differs"),
        ([B1, pay("02-01", "40.00")], plan("60.00"), None),
        ([B1, pay("02-01", "100.00")], PLAN, "plan-differs"),
        ([B1, pay("02-10", "40.00")], plan("60.00"), None),
        ([B1, pay("02-20", "40.00")], PLAN, None),
        ([B1, B2], plan("80.00", "80.00", bills="B1 B2"), None),
        ([B1, less("credit_note", "02-01", "40.00", "B1")], plan("60.00"), None),
        ([B1], plan("55.00", "55.00", charges="10.00"), None),
        ([B1], plan("55.00", "55.00", charges="9.00"), "plan-differs"),
        ([B1], plan("55.00", "55.00", charges="111.00"), "charges-exceed-plan"),
        ([B1], plan("40.00", "40.00", down_payment="20.00"), None),
        ([B1], plan("40.00", "40.00", down_payment="10.00"), "plan-differs"),
        ([B1], entry("bill", "02-10", id="B3", due="03-10", amount="9.00", charges="1.00"), "not-a-plan"),
        # the disputed part stays out
        ([B1, entry("dispute", "02-01", bill="B1", amount="40.00")], PLAN, "plan-differs"),
        ([B1, entry("dispute", "02-01", bill="B1", amount="40.00")], plan("60.00"), None),
        # one plan a bill
        ([B1, PLAN], plan("100.00", name="A2", on="03-01"), "already-under-plan"),
        ([B1, PLAN, entry("plan_ended", "03-01", plan="PL")], plan("100.00", name="A2", on="03-01"), None),
        ([B1, PLAN], plan("100.00", name="A2", on="03-01", bills="PL"), "plan-over-plan"),
        # bills that have not come are waited for
        ([], PLAN, None),
        ([B1], plan("99.00", bills="B1 B2"), None),
    ],
)  # fmt: skip
def test_a_plan_is_held_against_what_it_replaces(known: list[Entry], new: Entry, code: str | None) -> None:
    found = entry_problems(TERMS, known, new)
    assert [problem.code for problem in found] == ([code] if code else [])
    for problem in found:
        assert problem.message.endswith(".")
        assert problem.advice


def test_the_refusal_says_what_is_open_and_what_would_fit() -> None:
    part = entry("dispute", "02-01", bill="B1", amount="40.00")
    (found,) = entry_problems(TERMS, [B1, B2, part], plan("90.00", bills="B1 B2", charges="5.00"))
    assert found.message == (
        "Of the bills `B1`, `B2` 120.00 are open, without the 40.00 that are disputed; "
        "plan `PL` takes the place of 85.00 beside 5.00 of charges."
    )
    assert found.advice.startswith("let the instalments add up to 125.00")


@pytest.mark.parametrize(
    ("history", "open_", "excess", "left"),
    [
        # late news made the bill smaller: the plan asks for no more than that
        ([B1, pay("02-01", "40.00"), PLAN], {"PL/1": "50.00", "PL/2": "10.00"}, "40.00", "0"),
        # late news made it larger: the rest is owed at its own age
        ([B1, less("adjustment", "02-01", "30.00", "B1"), PLAN],
         {"B1": "30.00", "PL/1": "50.00", "PL/2": "50.00"}, "0", "30.00"),
        # the later of two plans found nothing to replace
        ([B1, PLAN, plan("100.00", name="ZZ", on="02-11")],
         {"PL/1": "50.00", "PL/2": "50.00"}, "100.00", "0"),
        # a bill that is not known yet: the plan stands as it was agreed
        ([PLAN], {"PL/1": "50.00", "PL/2": "50.00"}, None, None),
        ([B1, plan("80.00", "80.00", bills="B1 B2")], {"PL/1": "80.00", "PL/2": "80.00"}, None, None),
        ([B1, B2, plan("80.00", "80.00", bills="B1 B2")], {"PL/1": "80.00", "PL/2": "80.00"}, None, None),
        ([B1, plan("80.00", "80.00", down_payment="20.00")],
         {"PL/1": "80.00", "PL/2": "20.00"}, "60.00", "0"),
    ],
)  # fmt: skip
def test_a_plan_that_late_news_made_wrong_is_told_and_nothing_is_owed_twice(
    history: list[Entry], open_: dict[str, str], excess: str | None, left: str | None
) -> None:
    for told in (history, history[::-1]):
        assert opens(position(*told, on="02-28")) == open_
        found = [(one.excess, one.left) for one in misfits(TERMS, told)]
        assert found == ([] if excess is None else [(Decimal(excess), Decimal(left or 0))])
    over = [entry("plan_ended", "03-01", id=e.id, plan=e.id) for e in history if e.id in ("PL", "ZZ")]
    assert misfits(TERMS, [*history, *over]) == ()


# giving a plan up is as if it had never been


def some(letter: str, kind: str, *days: int, most: int = 2, **more: st.SearchStrategy[Any]) -> Any:
    """Return a strategy of some entries of a kind in a range of days."""
    values = st.fixed_dictionaries(
        {"on": st.integers(*days).map(lambda n: day("01-01") + (day("01-02") - day("01-01")) * n), **more}
    )
    return st.lists(values, max_size=most).map(
        lambda found: [
            entry(kind, str(one["on"]), id=f"{letter}{n}", **{k: v for k, v in one.items() if k != "on"})
            for n, one in enumerate(found)
        ]
    )


MONEY = st.integers(1, 120).map(lambda whole: Decimal(whole))
NAMED = st.sampled_from(["B1", "B2"])
B3 = entry("bill", "02-06", id="B3", due="02-26", amount="80.00")
NEWS = st.tuples(
    some("P", "payment", 0, 150, most=4, amount=MONEY),
    some("C", "credit_note", 0, 170, amount=MONEY, bill=NAMED),
    some("A", "adjustment", 0, 170, amount=st.integers(-50, 50).filter(bool).map(Decimal), bill=NAMED),
    some("D", "dispute", 0, 170, amount=MONEY, bill=st.sampled_from(["B1", "B2", "B3"])),
    some("S", "dispute_resolved", 60, 170, most=1, dispute=st.just("D0"), outcome=st.just("rejected")),
    some("R", "payment_returned", 20, 170, most=1, payment=st.sampled_from(["P0", "P1"])),
    some("V", "return_reversed", 20, 170, most=1, returned=st.just("R0")),
    some("Z", "refund", 20, 170, most=2, amount=MONEY, payment=st.sampled_from(["", "P0", "P1"])),
    some("Y", "deposit", 0, 100, most=1, amount=MONEY, move=st.just("held")),
).map(lambda parts: [one for part in parts for one in part])


@given(NEWS, st.integers(1, 160), st.integers(0, 30), st.booleans(), st.randoms(use_true_random=False))
def test_giving_a_plan_up_is_as_if_it_had_never_been(
    news: list[Entry], whole: int, charges: int, one: bool, random: Any
) -> None:
    made = plan(str(whole), "30", bills="B1" if one else "B1 B2", charges=min(charges, whole))
    with_plan = [B1, B2, B3, *news, made, OVER]
    random.shuffle(with_plan)
    found, never = (write_book(history) for history in (with_plan, [B1, B2, B3, *news]))
    running = write_book([entry for entry in with_plan if entry is not OVER])
    # which refund waits for money can hang on what is credit on its day, and charges leave less of it
    assume(not (found.refunds or never.refunds or running.refunds))
    assert net(found) == net(never)
    assert not any(d.open or d.moved for d in found.debts.values() if d.bill == "PL")
    assert net(running) - net(never) in range(min(charges, whole) + 1)


def net(book: Any) -> Decimal:
    """Return what is owed less what is credit."""
    found: Decimal = sum((debt.open for debt in book.order), Decimal(0)) - book.credit
    return found


@given(st.lists(st.integers(1, 80), min_size=1, max_size=4), st.sampled_from(["B1", "B1 B2"]))
def test_what_was_paid_under_it_pays_its_bills_in_their_own_order(paid: list[int], bills: str) -> None:
    money = [pay(f"03-{n + 1:02}", str(amount), f"P{n}") for n, amount in enumerate(paid)]
    there = [B1, *([B2] if "B2" in bills else [])]
    whole = "160" if "B2" in bills else "100"
    found = position_at(TERMS, [*there, *money, plan(whole, bills=bills), OVER], LATE)
    never = position_at(TERMS, [*there, *money], LATE)
    assert opens(found) == opens(never)
    assert found.credit == never.credit


def test_days_on_which_an_instalment_was_disputed_were_not_late() -> None:
    whole = entry("dispute", "02-20", id="D", bill="B1", amount="100.00")
    found = facts_at(TERMS, [B1, PLAN, whole], day("04-30"), LATE)
    # B1 was late before its plan, and no instalment since
    assert (found["late_count_12m"].value, found["max_dpd_12m"].value, found["dpd_now"].value) == (1, 15, 0)


BOTH = [B1, B2, plan("80.00", "80.00", on="03-01", bills="B1 B2"), pay("03-10", "80.00")]


@pytest.mark.parametrize(
    ("reference", "left", "given_up"),
    [
        ({}, {"PL/2": "80.00"}, {"B1": "20.00", "B2": "60.00"}),
        ({"bill": "B1"}, {"B1": "80.00"}, {"B1": "80.00"}),
    ],
)
def test_a_mark_takes_out_what_is_still_owed_and_no_money_that_was_paid_before(
    reference: dict[str, str], left: dict[str, str], given_up: dict[str, str]
) -> None:
    marked = [*BOTH, entry("write_off_mark", "03-15", **reference)]
    assert opens(position(*marked, on="03-20")) == left
    found = position(*marked, entry("plan_ended", "03-18", plan="PL"), on="03-20")
    assert opens(found) == given_up
    assert found.credit == 0
    assert all(debt.written_off for debt in found.debts if debt.open)


def test_a_dispute_says_what_stands_in_the_place_of_its_bill() -> None:
    dispute = entry("dispute", "02-20", id="D", bill="B1", amount="30.00")
    (before,) = position(B1, dispute, on="03-20").disputes
    (under,) = position(B1, PLAN, dispute, on="03-20").disputes
    (gone,) = position(B1, PLAN, less("dispute", "02-20", "30.00", "PL"), OVER, on="05-30").disputes
    assert [before.also, under.also, gone.also] == [
        (), (("PL", Decimal("100.00")),), (("B1", Decimal("100.00")),),
    ]  # fmt: skip


def test_a_mark_on_all_that_is_owed_leaves_out_what_is_paid() -> None:
    paid = [B1, entry("payment", "01-20", id="P1", amount="100.00"), B2]
    found = position(*paid, entry("write_off_mark", "03-01"), on="03-20")
    assert {debt.id: debt.written_off for debt in found.debts if debt.open} == {"B2": True}
    back = entry("payment_returned", "03-10", payment="P1")
    found = position(*paid, entry("write_off_mark", "03-01"), back, on="03-20")
    assert {debt.id: debt.written_off for debt in found.debts} == {"B1": False, "B2": True}
