"""Random policies and random lives, stateful: every look is held against the rules, and every life ends.

`FORBEAR_EXAMPLES=1000` draws many more.
"""

from __future__ import annotations

import os
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from engine.ladder import CollectionsPolicy, Taken
from engine.ladder.scope import is_divided
from engine.ledger.entries import Bill
from tests.engine.ladder.drawn import policies
from tests.engine.ladder.life import Life, holds_always, wakes_of_a_year

EXAMPLES = int(os.environ.get("FORBEAR_EXAMPLES", "20"))
BACK = st.sampled_from([0, 0, 0, 1, 5, 20, 45])
"""How many days late news comes."""
AMOUNTS = st.sampled_from(["3.00", "15.00", "30.00", "60.00", "120.00", "300.00"])
LARGE = st.sampled_from(["60.00", "120.00", "300.00"])
MOST_BILLS = 5
SERVICES = st.sampled_from(["", "fixed", "mobile"])
HOLDS = st.sampled_from(["hardship", "disaster", "legal_stay", "unheard_of"])
STEPS = st.sampled_from(
    ["reminder", "final_notice", "bar", "suspend", "set_off", "terminate", "write_off", "nonsense"]
)
ANSWERS = st.sampled_from(["done", "done", "done", "failed", "suppressed", "expired"])


class LadderMachine(RuleBasedStateMachine):
    """One account: people, the billing system and the receiver do what they like, in any order."""

    life: Life

    @initialize(policy=policies(), first=LARGE, alone=st.integers(0, 160))
    def begin(self, policy: CollectionsPolicy, first: str, alone: int) -> None:
        self.life = Life(policy, check=holds_always)
        self._tell("bill", 0, amount=first, due_date=self.life.today + timedelta(days=10))
        self.life.until(self.life.at + timedelta(days=alone), answers="done")

    def _tell(self, kind: str, back: int = 0, **values: Any) -> None:
        if self.life.tell(kind, back, **values):
            self.life.look()

    def _bill(self, **values: Any) -> None:
        """Issue a bill; where each has a case of its own, an account has a few."""
        most = MOST_BILLS if is_divided(self.life.policy.case) else 10 * MOST_BILLS
        if sum(1 for entry in self.life.entries if entry.kind == "bill") < most:
            self._tell("bill", **values)

    def _some(self, kind: str, which: int) -> str:
        names = [entry.id for entry in self.life.entries if entry.kind == kind]
        return names[which % len(names)] if names else ""

    @rule(days=st.integers(1, 90))
    def wait(self, days: int) -> None:
        self.life.until(self.life.at + timedelta(days=days))

    @rule(days=st.integers(1, 40))
    def wait_and_answer(self, days: int) -> None:
        self.life.until(self.life.at + timedelta(days=days), answers="done")

    @rule(days=st.integers(20, 130))
    def be_left_alone(self, days: int) -> None:
        self.life.until(self.life.at + timedelta(days=days), answers="done")

    @rule(months=st.integers(1, 6), amount=LARGE)
    def be_billed_and_left_alone(self, months: int, amount: str) -> None:
        for _ in range(months):
            self._bill(amount=amount, due_date=self.life.today + timedelta(days=20))
            self.life.until(self.life.at + timedelta(days=30), answers="done")

    @rule(hours=st.integers(1, 30))
    def look_without_news(self, hours: int) -> None:
        self.life.until(self.life.at + timedelta(hours=hours))
        self.life.look()

    @rule(which=st.integers(0, 5), status=ANSWERS)
    @precondition(lambda self: self.life.open)
    def answer(self, which: int, status: str) -> None:
        keys = list(self.life.open)
        self.life.answer(keys[which % len(keys)], status)
        self.life.look()

    @rule(amount=AMOUNTS, due=st.integers(0, 30))
    def bill(self, amount: str, due: int) -> None:
        self._bill(amount=amount, due_date=self.life.today + timedelta(days=due))

    @rule(amount=LARGE, service=SERVICES, parts=st.integers(1, 3), due=st.integers(0, 30))
    def bill_a_service(self, amount: str, service: str, parts: int, due: int) -> None:
        share = Decimal(amount) / parts
        days = [self.life.today + timedelta(days=due + 30 * n) for n in range(parts)]
        instalments = [{"due_date": day, "amount": share} for day in days] if parts > 1 else []
        self._bill(amount=amount, due_date=days[-1], service=service, instalments=instalments)

    @rule(which=st.integers(0, 5), parts=st.integers(1, 4), begins=st.integers(1, 40))
    def plan(self, which: int, parts: int, begins: int) -> None:
        """Let a plan take the place of what is open of one bill, or of all."""
        debts = [d for d in self.life.position().account.debts if d.open and d.category == "normal"]
        bills = sorted({debt.bill for debt in debts})
        chosen = bills if which > 3 else bills[which % len(bills) :][:1] if bills else []
        whole = sum((debt.open for debt in debts if debt.bill in chosen), Decimal(0))
        share = (whole / parts).quantize(Decimal("0.01"), ROUND_DOWN)
        if not share:
            return
        amounts = [share] * (parts - 1) + [whole - share * (parts - 1)]
        days = [self.life.today + timedelta(days=begins + 30 * n) for n in range(parts)]
        instalments = [{"due_date": d, "amount": a} for d, a in zip(days, amounts, strict=True)]
        self._bill(amount=whole, due_date=days[-1], category="plan", replaces=chosen, instalments=instalments)

    @rule(which=st.integers(0, 5))
    def end_a_plan(self, which: int) -> None:
        plans = [e.id for e in self.life.entries if isinstance(e, Bill) and e.category == "plan"]
        if plans:
            self._tell("plan_ended", plan=plans[which % len(plans)], reason="missed")

    @rule(move=st.sampled_from(["held", "held", "topped_up", "released", "applied"]), amount=AMOUNTS)
    def deposit(self, move: str, amount: str) -> None:
        self._tell("deposit", move=move, amount=amount)

    @rule(level=st.sampled_from(["outgoing_barred", "suspended", "open"]))
    def demand(self, level: str) -> None:
        self._tell("demand", source="fraud", level=level)

    @rule(outcome=st.sampled_from(["attempted", "conversation", "not_connected"]))
    def call(self, outcome: str) -> None:
        self._tell("contact", channel="call", outcome=outcome, at=self.life.at)

    @rule(amount=AMOUNTS, back=BACK)
    def pay(self, amount: str, back: int) -> None:
        self._tell("payment", back, amount=amount)

    @rule(which=st.integers(0, 5), back=BACK, reason=st.sampled_from(["bounced", "chargeback"]))
    def bounce(self, which: int, back: int, reason: str) -> None:
        if payment := self._some("payment", which):
            self._tell("payment_returned", back, payment=payment, reason=reason)

    @rule(which=st.integers(0, 5), amount=AMOUNTS, kind=st.sampled_from(["credit_note", "adjustment"]))
    def change(self, which: int, amount: str, kind: str) -> None:
        self._tell(kind, bill=self._some("bill", which), amount=amount)

    @rule(which=st.integers(0, 5), amount=AMOUNTS)
    def refund(self, which: int, amount: str) -> None:
        self._tell("refund", payment=self._some("payment", which), amount=amount)

    @rule(which=st.integers(0, 5), amount=AMOUNTS)
    def dispute(self, which: int, amount: str) -> None:
        self._tell("dispute", bill=self._some("bill", which), amount=amount)

    @rule(which=st.integers(0, 5), outcome=st.sampled_from(["upheld", "rejected", "withdrawn"]))
    def resolve(self, which: int, outcome: str) -> None:
        if dispute := self._some("dispute", which):
            self._tell("dispute_resolved", dispute=dispute, outcome=outcome)

    @rule(amount=AMOUNTS, days=st.integers(1, 20))
    def promise(self, amount: str, days: int) -> None:
        self._tell("promise", amount=amount, by=self.life.today + timedelta(days=days))

    @rule(hold=HOLDS, days=st.sampled_from([1, 10, 30, 60, None]), which=st.integers(-9, 5))
    def hold(self, hold: str, days: int | None, which: int) -> None:
        until = self.life.today + timedelta(days=days) if days else None
        bill = self._some("bill", which) if which >= 0 else ""
        self._tell("hold", hold=hold, until=until, bill=bill)

    @rule(which=st.integers(0, 5))
    def release(self, which: int) -> None:
        if hold := self._some("hold", which):
            self._tell("hold_released", hold=hold)

    @rule(name=st.sampled_from(["vulnerable", "exempt"]), value=st.booleans())
    def fact(self, name: str, value: bool) -> None:
        self._tell("fact", name=name, value=value)

    @rule(act=st.sampled_from(["force", "skip", "confirm", "confirm"]), step=STEPS, which=st.integers(-5, 5))
    def act(self, act: str, step: str, which: int) -> None:
        item = self._some("bill", which) if which >= 0 else ""
        self._tell("act", act=act, step=step, actor="anna", reason="because", item=item)

    @rule(act=st.sampled_from(["stop", "resume"]))
    def stop(self, act: str) -> None:
        self._tell("act", act=act, actor="anna", reason="because")

    @rule(which=st.integers(0, 5), marked=st.booleans())
    def mark(self, which: int, marked: bool) -> None:
        self._tell("write_off_mark", bill=self._some("bill", which), marked=marked)

    def teardown(self) -> None:
        """Let three years go by in which everybody does his part: whatever is owed has come to an end."""
        if not hasattr(self, "life"):
            return
        life = self.life
        began = life.at
        life.answer_all("done")
        life.wakes.clear()
        life.until(began + timedelta(days=1100), answers="done")
        assert wakes_of_a_year(life) <= 60
        for lived in life.cases.values():
            _waits_for_somebody(life, lived.taken)


def _waits_for_somebody(life: Life, taken: Taken) -> None:
    """A case that is still open waits for a person: who was asked, or who has put something in the way."""
    account = life.position().account
    mine = [action for _, action in life.asked if action.key.startswith(f"{taken.case}/")]
    asked = {action.do for action in mine if action.key in life.open or action.do == "task"}
    acts = [act.act for act in account.acts if act.act in ("stop", "resume")]
    waits = (
        bool(asked & {"approve", "task"})
        or any(hold.until is None for hold in account.holds)
        or any(dispute.remaining for dispute in account.disputes)
        or acts[-1:] == ["stop"]
    )
    assert waits, [found.trace for _, _, found in life.steps if found.taken.case == taken.case][-1]


TestLadderMachine = LadderMachine.TestCase
TestLadderMachine.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a life of years shrinks for minutes
)
