"""Takes what alerts ask for to the receiver, in order for each alert; times of retries are the system's."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from api.relay.courier import PAUSES, pause, said_in
from api.relay.receiver import Answer, Receiver
from api.storage import outbox
from api.storage.session import Database, Work
from api.storage.stopped import Stopped
from api.storage.tables import OutboxRow
from api.storage.watch_actions import Said, give_up, take_word

log = logging.getLogger("forbear.alerts")


class AlertCourier:
    """Sends one message at a time; without a receiver everything is kept and shown."""

    def __init__(
        self, database: Database, receiver: Receiver | None, now: Callable[[], datetime], stopped: Stopped
    ) -> None:  # fmt: skip
        self._database = database
        self._receiver = receiver
        self._now = now
        self._stopped = stopped

    @property
    def sends(self) -> bool:
        """Tell whether there is a receiver that still wants to be told."""
        return self._receiver is not None and self._stopped.since() is None

    def deliver(self, head: OutboxRow) -> bool:
        """Send one message and keep what came of it; tell whether the receiver has taken it.

        A receiver that confirms in its answer is taken at its word.
        """
        if self._receiver is None or head.id is None:
            return False
        with self._database.write() as work:
            if not outbox.lease(work, head.id, self._now()):
                return False
        body = outbox.with_cause(head)
        answer = self._receiver.send(head.subject, body, self._now(), head.traceparent)
        if answer.status == 410:
            log.error("The receiver answered 410 Gone: nothing more is sent until `POST /v1/webhook/resume`.")
            self._stopped.stop(self._now())
        with self._database.write() as work:
            self._settle(work, head, answer)
        return answer.ok

    def _settle(self, work: Work, head: OutboxRow, answer: Answer) -> None:
        assert head.id is not None
        attempt = head.attempts + 1
        if answer.ok:
            outbox.settle(work, head.id, "delivered", self._now())
            said = said_in(answer)
            if said is not None:
                # When it was done is business time: never before it was asked for.
                at = max(said.at or head.created_at, head.created_at)
                take_word(work, head.subject, Said(said.status, at, said.detail))
        elif attempt > len(PAUSES):
            why = f"After {attempt} attempts: {answer.error}"
            outbox.settle(work, head.id, "dead", self._now(), why)
            give_up(work, head.subject, why, self._now())
        else:
            outbox.put_off(work, head.id, self._now() + pause(attempt), answer.error)
