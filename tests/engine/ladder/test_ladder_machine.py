"""Random policies and random lives, stateful: every look is held against the rules, and every life ends.

`FORBEAR_EXAMPLES=1000` draws many more.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from engine.ladder import CollectionsPolicy
from tests.engine.ladder.drawn import policies
from tests.engine.ladder.life import Life, holds_always, wakes_of_a_year

EXAMPLES = int(os.environ.get("FORBEAR_EXAMPLES", "20"))
BACK = st.sampled_from([0, 0, 0, 1, 5, 20, 45])
"""How many days late news comes."""
AMOUNTS = st.sampled_from(["3.00", "15.00", "30.00", "60.00", "120.00", "300.00"])
LARGE = st.sampled_from(["60.00", "120.00", "300.00"])
HOLDS = st.sampled_from(["hardship", "disaster", "legal_stay", "unheard_of"])
STEPS = st.sampled_from(["reminder", "final_notice", "bar", "suspend", "terminate", "write_off", "nonsense"])
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
            self._tell("bill", 0, amount=amount, due_date=self.life.today + timedelta(days=20))
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
        self._tell("bill", 0, amount=amount, due_date=self.life.today + timedelta(days=due))

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

    @rule(hold=HOLDS, days=st.sampled_from([1, 10, 30, 60, None]))
    def hold(self, hold: str, days: int | None) -> None:
        until = self.life.today + timedelta(days=days) if days else None
        self._tell("hold", hold=hold, until=until)

    @rule(which=st.integers(0, 5))
    def release(self, which: int) -> None:
        if hold := self._some("hold", which):
            self._tell("hold_released", hold=hold)

    @rule(name=st.sampled_from(["vulnerable", "exempt"]), value=st.booleans())
    def fact(self, name: str, value: bool) -> None:
        self._tell("fact", name=name, value=value)

    @rule(act=st.sampled_from(["force", "skip", "confirm", "confirm"]), step=STEPS)
    def act(self, act: str, step: str) -> None:
        self._tell("act", act=act, step=step, actor="anna", reason="because")

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
        if life.taken is not None:
            _waits_for_somebody(life)


def _waits_for_somebody(life: Life) -> None:
    """A case that is still open waits for a person: who was asked, or who has put something in the way."""
    account = life.position().account
    asked = {action.do for _, action in life.asked if action.key in life.open or action.do == "task"}
    acts = [act.act for act in account.acts if act.act in ("stop", "resume")]
    waits = (
        bool(asked & {"approve", "task"})
        or any(hold.until is None for hold in account.holds)
        or any(dispute.remaining for dispute in account.disputes)
        or acts[-1:] == ["stop"]
    )
    assert waits, life.steps[-1][2].trace


TestLadderMachine = LadderMachine.TestCase
TestLadderMachine.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a life of years shrinks for minutes
)
