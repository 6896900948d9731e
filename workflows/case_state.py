"""What an arrears case remembers between two looks, and how it is carried into its next run."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

from workflows.chain import link
from workflows.history_chain import HistoryChain
from workflows.messages import (
    ActRequest,
    ActResult,
    CaseResult,
    CaseStart,
    CaseView,
    CloseRequest,
    Poke,
    Problem,
    StepRecord,
    StepRequest,
    TroubleNote,
)
from workflows.recorded import recorded_digest
from workflows.wrong import WrongAnswer

SEEN_POKES = 200
"""A poke is delivered again within minutes, if at all; its id need not be known for longer."""
LONGEST_WAIT = timedelta(days=90)
"""A case is looked at again after so long even if nothing can change, should news ever be lost."""
LONGEST_RUN = timedelta(days=170)
"""A run continues anew after so long, so that its evidence leaves Temporal within the year."""
LONGEST_LOOK = timedelta(minutes=10)
"""A look that took longer, retries included, is not taken for an answer."""
FIRST_RETRY = timedelta(minutes=15)
LAST_RETRY = timedelta(hours=6)


class CaseState:
    """The state of one case; handlers change it at once and never wait."""

    def __init__(self, start: CaseStart) -> None:
        self.start = start
        self.case = workflow.info().workflow_id
        self.taken = start.taken
        self.policy = start.policy
        self.wake_at: datetime | None = None
        self.problem: Problem | None = None
        self.steps = start.steps
        self.steps_in_run = 0
        self.idle = False
        self.news = False
        self._failures = 0
        self._first_look: datetime | None = None
        self._rested_at: datetime | None = None
        self._seen = dict.fromkeys(start.seen)
        self._chain = HistoryChain(start.chain, start)
        self._heard: list[tuple[str, Poke]] = []

    @property
    def chain(self) -> str:
        """The head of the hash chain, over everything heard so far, as it goes out."""
        self._chain.head = self._head()
        self._heard.clear()
        return self._chain.head

    def _head(self) -> str:
        head = self._chain.head
        for kind, poke in sorted(self._heard, key=lambda heard: (heard[1].id, heard[0])):
            head = link(head, kind, poke)
        return head

    def consume(self, kind: str, data: Any) -> None:
        """Extend the hash chain by one thing that came in."""
        self._chain.consume(kind, data)

    def now(self) -> datetime:
        """Return business time: the workflow's clock plus the case's offset."""
        return workflow.now() + self.start.clock_offset

    def hear(self, poke: Poke) -> None:
        """Take a poke; one that was taken before is noted in the chain and changes nothing else.

        It is bound into the chain when a head next goes out: whether a signal or the answer of a local
        activity comes first within one task can differ between the first run and a replay.
        """
        again = poke.id in self._seen
        self._heard.append(("poke again" if again else "poke", poke))
        if not again:
            self.news = True
            self._seen[poke.id] = None

    def step_request(self) -> StepRequest:
        """Return the question for a look at this instant."""
        return StepRequest(
            case=self.case,
            account=self.start.account,
            policy=self.policy,
            taken=self.taken,
            previous=self.start.previous,
            at=self.now(),
            item=self.start.item,
            care=self.start.care,
        )

    def take_record(self, asked: StepRequest, record: StepRecord) -> None:
        """Consume a look's record, if it answers what was asked; raise WrongAnswer.

        Its instant is the record's, not the question's: a replay may ask a little later (see chain.py).
        """
        want = (asked.case, asked.policy, recorded_digest(asked.taken))
        got = (record.case, record.adopted_from or record.policy, record.taken_before)
        if got != want or not asked.at - LONGEST_LOOK <= record.at <= asked.at:
            raise WrongAnswer((*want, asked.at), (*got, record.at))
        self.consume("step", record)
        self._first_look = self._first_look or record.at
        self.steps += 1
        self.steps_in_run += 1

    def go_over(self, record: StepRecord) -> None:
        """Go on under the text that a look has gone over to; the next look derives all from it."""
        self.policy, self.taken = record.policy, record.taken

    def act_request(self, record: StepRecord) -> ActRequest:
        """Return the request to carry out what a look asks for."""
        return ActRequest(
            case=self.case,
            account=self.start.account,
            policy=self.policy,
            taken_before=self.taken,
            previous=self.start.previous,
            taken=record.taken,
            actions=record.actions,
            at=record.at,
            chain=self.chain,
            item=self.start.item,
            care=self.start.care,
        )

    def take_result(self, asked: ActRequest, result: ActResult) -> None:
        """Consume what became of the actions, each of which must be named once; raise WrongAnswer."""
        want = sorted(a.key for a in asked.actions)
        got = sorted([*result.requested, *(key for key, _ in result.withdrawn)])
        if got != want:
            raise WrongAnswer(want, got)
        self.consume("act", result)
        self.taken = asked.taken

    def settle(self, record: StepRecord) -> None:
        """Rest on a look that asks for nothing more."""
        self.taken = record.taken
        self.wake_at = record.wake_at
        self._rested_at = record.at
        self.problem = None
        self._failures = 0

    def stumble(self, problem: Problem) -> TroubleNote:
        """Note that the case cannot go on, and when it tries again: 15 minutes, doubling to 6 hours."""
        self.consume("trouble", problem)
        self.problem = problem
        self._rested_at = self.now()
        self.wake_at = self._rested_at + min(LAST_RETRY, FIRST_RETRY * 2 ** min(self._failures, 8))
        self._failures += 1
        return TroubleNote(
            case=self.case,
            account=self.start.account,
            problem=problem,
            at=self.now(),
            again_at=self.wake_at,
            chain=self.chain,
        )

    def longest_wait(self) -> timedelta:
        """Return how long to wait if no news comes.

        Counted from the look's own instant: after a local activity the workflow's clock is not the same in
        a replay (see chain.py), and the timer's length stands in the history.
        """
        if self.wake_at is None or self._rested_at is None:
            return LONGEST_WAIT
        return min(LONGEST_WAIT, self.wake_at - self._rested_at)

    def run_is_long(self) -> bool:
        """Tell whether the run should continue anew."""
        return (
            workflow.info().is_continue_as_new_suggested()
            or self.steps_in_run >= self.start.run_length
            or (
                self._first_look is not None
                and self._rested_at is not None
                and self._rested_at - self._first_look > LONGEST_RUN
            )
        )

    def close_request(self, record: StepRecord) -> CloseRequest:
        """Return what the account is told when the case has ended."""
        return CloseRequest(
            case=self.case,
            account=self.start.account,
            number=self.start.number,
            ended=record.taken.ended,
            at=record.at,
            taken=record.taken,
            chain=self.chain,
        )

    def result(self, record: StepRecord) -> CaseResult:
        """Return how the case ended."""
        return CaseResult(ended=record.taken.ended, taken=record.taken, chain=self.chain)

    def continued(self) -> CaseStart:
        """Return the input of the next run: the state, with the head of the chain so far."""
        fresh = {
            "taken": self.taken,
            "policy": self.policy,
            "chain": self.chain,
            "seen": tuple(self._seen)[-SEEN_POKES:],
            "steps": self.steps,
        }
        return self.start.model_copy(update=fresh)

    def view(self) -> CaseView:
        """Answer a query."""
        return CaseView(
            business_now=self.now(),
            wake_at=self.wake_at,
            taken=self.taken,
            steps=self.steps,
            chain=self._head(),  # a query changes nothing
            idle=self.idle,
            problem=self.problem,
        )
