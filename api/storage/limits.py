"""The credit limit of an account, and what is drawn on it: what is owed, and what is used and not billed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlmodel import Session, col, select

from api.storage.accounts import lock_account, require_version, terms_of
from api.storage.errors import AlreadyThere, EntryRefused
from api.storage.overrides import in_force
from api.storage.positions import Positions
from api.storage.session import Work
from api.storage.standing import latest_decision
from api.storage.tables import AccountRow, UsageRow
from api.storage.watch_events import Told
from api.storage.watch_ledger import LedgerNews
from engine.ledger import EntryProblem
from engine.model import digest
from engine.text.currency import decimals
from engine.watch.from_ledger import owed
from engine.watch.values import WatchEvent


@dataclass(frozen=True, slots=True)
class Exposure:
    """What an account draws on its limit; amounts in the account's currency, `limit` None: nobody set one."""

    at: datetime
    owed: Decimal
    unbilled: Decimal
    unbilled_at: datetime | None
    limit: Decimal | None

    @property
    def total(self) -> Decimal:
        """What is owed and what is used and not billed yet."""
        return self.owed + self.unbilled

    @property
    def over(self) -> bool:
        """Tell whether it is more than the limit."""
        return self.limit is not None and self.total > self.limit


def limit_of(session: Session, row: AccountRow, at: datetime | None = None) -> Decimal | None:
    """Return the credit limit of the customer's last decision, in the account's currency; None: none.

    What a person has put in its place counts at `at`, as long as it has not expired.
    """
    decided = latest_decision(session, row.customer)
    if decided is None:
        return None
    limit = in_force(session, decided, (at or decided.at).date()).get("credit_limit")
    if not isinstance(limit, dict) or limit.get("unit", row.currency) != row.currency:
        return None
    return Decimal(str(limit["value"]))


def unbilled_of(session: Session, account: str, at: datetime) -> UsageRow | None:
    """Return the report of usage that counts at an instant: the latest of those received by then."""
    query = select(UsageRow).where(UsageRow.account == account, UsageRow.received_at <= at)
    newest = query.order_by(
        col(UsageRow.at).desc(), col(UsageRow.received_at).desc(), col(UsageRow.ref).desc()
    )
    return session.exec(newest.limit(1)).one_or_none()


def exposure_at(session: Session, positions: Positions, row: AccountRow, at: datetime) -> Exposure:
    """Return what an account draws on its limit, as known at an instant."""
    report = unbilled_of(session, row.id, at)
    return Exposure(
        at=at, owed=owed(positions.position(session, row, at)),
        unbilled=Decimal(report.unbilled) if report else Decimal(0),
        unbilled_at=report.at if report else None, limit=limit_of(session, row, at),
    )  # fmt: skip


def report_usage(
    work: Work, positions: Positions, news: LedgerNews, account: str, said: dict[str, Any],
    expected: int | None = None,
) -> tuple[Exposure, bool]:  # fmt: skip
    """Keep what an account has used and was not billed for; tell watching if that crosses the limit.

    `said`: `ref`, `at`, `unbilled` (Decimal), `received_at`. False if it was reported before in the same
    words. Raises AccountNotFound, AlreadyThere, StaleVersion, EntryRefused.
    """
    row = lock_account(work.session, account)
    at = max(said["received_at"], row.last_received or said["received_at"])
    known = work.session.get(UsageRow, (account, said["ref"]))
    if known is not None:
        stored = {"at": known.at, "unbilled": Decimal(known.unbilled)}
        differs = [name for name, value in stored.items() if value != said[name]]
        if differs:
            raise AlreadyThere("usage report", said["ref"], differs)
        return exposure_at(work.session, positions, row, at), False
    if expected is not None:
        require_version(row, expected)
    _check_decimals(row, said["unbilled"], said["ref"])
    before = exposure_at(work.session, positions, row, at)
    values = said | {"account": account, "received_at": at, "unbilled": str(said["unbilled"])}
    work.insert(UsageRow, values)
    work.audit("usage", f"{account}/{said['ref']}", at, digest(values | {"at": said["at"].isoformat(),
               "received_at": at.isoformat()}))  # fmt: skip
    after = exposure_at(work.session, positions, row, at)
    if after.over and not before.over:
        news.keep(work, [Told(_crossed(row, after, said["ref"]), at)])
    return after, True


def page_of_usage(session: Session, account: str, after: str, limit: int) -> Sequence[UsageRow]:
    """Return the reports of an account after a cursor, in order of their id."""
    query = select(UsageRow).where(UsageRow.account == account, UsageRow.ref > after)
    return session.exec(query.order_by(col(UsageRow.ref)).limit(limit)).all()


def _crossed(row: AccountRow, found: Exposure, ref: str) -> WatchEvent:
    terms = terms_of(row)
    values = {"account": row.id, "amount": found.total, "limit": found.limit}
    return WatchEvent.model_validate(
        {"id": f"usage/{row.id}/{digest({'ref': ref})[7:39]}", "type": "limit_crossed", "at": found.at}
        | {"customer": terms.customer, "values": values}
    )


def _check_decimals(row: AccountRow, amount: Decimal, ref: str) -> None:
    places, exponent = decimals(row.currency), amount.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > places:
        said = f"`{amount}` has more decimals than {row.currency} has ({places})."
        problem = EntryProblem(code="decimals", message=said, entry=f"usage {ref}", field="unbilled")
        raise EntryRefused("usage report", ref, [problem])
