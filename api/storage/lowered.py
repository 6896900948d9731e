"""Limits that a new decision puts below what an account draws: watching hears of them as of any crossing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from sqlmodel import Session, select

from api.storage.limits import exposure_at
from api.storage.positions import Positions
from api.storage.session import Work
from api.storage.standing import latest_decisions
from api.storage.tables import AccountRow, DecisionRow
from api.storage.watch_events import Told
from api.storage.watch_ledger import LedgerNews
from engine.watch.from_ledger import limit_event
from workflows.messages import AssessmentRecord


class LimitNews:
    """Compares the limit of a decision with that of the one before it."""

    def __init__(self, positions: Positions, news: LedgerNews) -> None:
        self._positions = positions
        self._news = news

    def decided(self, work: Work, records: Iterable[AssessmentRecord]) -> None:
        """Tell which accounts are above their limit since these decisions; each once. Call it last."""
        told = [one for record in records if record.customer for one in self._of(work.session, record)]
        self._news.keep(work, told)

    def _of(self, session: Session, record: AssessmentRecord) -> Sequence[Told]:
        if not self._news.wants(session, "limit_crossed", record.at):
            return ()
        last, before = self._last_two(session, record.customer)
        if last is None or last.id != record.id:
            return ()  # a later decision counts
        query = select(AccountRow).where(AccountRow.customer == record.customer).order_by(AccountRow.id)
        rows = session.exec(query).all()
        return [told for row in rows if (told := self._told(session, row, last, before, record.at))]

    def _told(
        self, session: Session, row: AccountRow, last: DecisionRow, before: DecisionRow | None, at: datetime
    ) -> Told | None:
        limit, old = _limit(last, row.currency), _limit(before, row.currency) if before else None
        if limit is None or (old is not None and old <= limit):
            return None
        drawn = exposure_at(session, self._positions, row, max(at, row.last_received or at)).total
        if drawn <= limit or (old is not None and drawn > old):
            return None
        return Told(limit_event(row.id, row.customer, drawn, limit, last.id, at), at)

    def _last_two(self, session: Session, customer: str) -> tuple[DecisionRow | None, DecisionRow | None]:
        found = latest_decisions(session, customer, 2)
        return (found[0] if found else None), (found[1] if len(found) > 1 else None)


def _limit(row: DecisionRow, currency: str) -> Decimal | None:
    said = json.loads(row.body)["decision"]["outcome"].get("credit_limit")
    if not isinstance(said, dict) or said.get("unit", currency) != currency:
        return None
    return Decimal(str(said["value"]))
