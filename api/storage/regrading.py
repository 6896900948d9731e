"""New grades for what has happened since the last one, as the policy says by which it was taken.

What leads to one is read in the text of that policy that is in force now, and by that text the new grade is
taken; how long a decision holds stands in its own text.

A cause is noted once, in the transaction that brings it; the first of a local day asks at once, the others
of that day together on the next. What only time brings (the end of validity, good months) the sweep finds.
Whoever asks for a customer holds the customer's look, and takes it last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Field, Session, col, select

from api.storage import outbox
from api.storage.accounts import terms_of
from api.storage.columns import Instant
from api.storage.entries import entries_of
from api.storage.graded import grade_ends, put_grade, restore_grade
from api.storage.library import Library
from api.storage.session import Work
from api.storage.standing import latest_decision, latest_policies, zone_of, zones_of_customers
from api.storage.tables import AccountRow, CustomerRow, DecisionRow, OutboxRow, Row, TaskRow
from engine.credit import CreditPolicy
from engine.ledger import Entry
from engine.ledger.conduct import good_months
from engine.ledger.entries import PaymentReturned
from engine.model import canonical, digest
from engine.text import Period
from workflows.ids import assessment_id
from workflows.messages import NAMED, AssessmentRecord, AssessmentRequest
from workflows.ports import PolicyNotFound

REQUEST = "regrade-"
"""How the requests for new grades begin."""


class RegradeRow(Row, table=True):
    """One cause for a new grade of a customer; only ever added, and asked for once."""

    __tablename__ = "regrades"
    customer: str = Field(primary_key=True)
    cause: str = Field(primary_key=True)
    ref: str = Field(primary_key=True)
    """What it was: the account and the payment's return, the promise, the alert, the old decision."""
    at: datetime = Field(sa_type=Instant)
    request: str = Field(default="", index=True)
    """The request that asks for it; empty: it waits for the next day."""
    asked_at: datetime | None = Field(default=None, sa_type=Instant)


class GradeLookRow(Row, table=True):
    """When a customer's last decision has to be looked at; held by whoever asks for a new one."""

    __tablename__ = "grade_looks"
    customer: str = Field(primary_key=True)
    look_on: datetime | None = Field(default=None, sa_type=Instant, index=True)


class Regrading:
    """Notes what leads to a new grade, and asks for it."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def posted(self, work: Work, account: AccountRow, fresh: Iterable[Entry]) -> None:
        """Hear of an account's new entries; last of all in their transaction."""
        for entry in fresh:
            if isinstance(entry, PaymentReturned) and entry.reason == "chargeback":
                self.note(work, account.customer, "chargeback", f"{account.id}/{entry.id}", entry.received_at)

    def told(self, work: Work, new: Mapping[str, Sequence[str]], at: datetime) -> None:
        """Hear of new facts about customers: those that the policy of their last decision reads."""
        work.session.flush()
        latest = latest_policies(work.session, new)
        policies = {one: self._now(work.session, *one, at) for one in sorted(set(latest.values()))}
        for customer in sorted(latest):
            policy = policies[latest[customer]]
            names = sorted(fact for fact in new[customer] if policy and fact in policy.facts)
            if names:
                ref = f"{', '.join(names)} at {at.isoformat()}"
                self._note(work, customer, policy, "profile_change", ref, at)

    def note(self, work: Work, customer: str, cause: str, ref: str, at: datetime) -> bool:
        """Note a cause and ask for a new grade; False if no policy wants one for it, or it was noted."""
        work.session.flush()
        return self._note(work, customer, self._asks(work.session, customer, at), cause, ref, at)

    def _note(
        self, work: Work, customer: str, policy: CreditPolicy | None, cause: str, ref: str, at: datetime
    ) -> bool:
        if policy is None or policy.regrade is None or cause not in policy.regrade.on:
            return False
        look = _held(work, customer)
        if not _add(work, customer, cause, ref, at):
            return False
        self._ask(work, look, at)
        return True

    def demanded(
        self, work: Work, customer: str, cause: str, ref: str, at: datetime, request: str
    ) -> tuple[str, str]:
        """Note a cause that demands a new grade now; return the request that answers it, and all its causes.

        One that was asked for at that instant or later knows all that the cause knows, and answers it.
        Otherwise it is `request`, which takes with it what waits for the next day; the caller asks for it.
        """
        work.session.flush()
        _held(work, customer)
        known = _asked_since(work.session, customer, at)
        waiting = [] if known else _waiting(work.session, customer)
        _add(work, customer, cause, ref, at, known or request)
        for row in waiting:
            row.request, row.asked_at = request, at
            work.session.add(row)
        work.session.flush()
        why = "; ".join(causes_of(work.session, [known or request])[known or request])
        if known:
            _rename(work, known, why)
        return known or request, why

    def policy_for(self, session: Session, customer: str, today: date) -> str:
        """Return the digest of the policy that grades a customer on a day; raise PolicyNotFound.

        It is the one by which the last decision was taken, as it is in force on that day; without a decision,
        or where that name has gone out of force, the one that the portfolio names for the segment.
        """
        last, row = latest_decision(session, customer), session.get(CustomerRow, customer)
        chosen = self._library.in_force(session, "credit", last.name, today) if last else None
        if chosen is not None:
            return chosen.digest
        portfolio = self._library.portfolio(session, today)
        name = portfolio.credit_for(row.segment) if portfolio and row else ""
        if not name:
            which = f"for the segment `{row.segment}`" if row else ""
            raise PolicyNotFound(last.name if last else f"credit policy {which}".strip())
        return self._library.require(session, "credit", name, today).digest

    def decided(self, work: Work, records: Sequence[AssessmentRecord]) -> None:
        """Set when new decisions are to be looked at; last of all in their transaction."""
        work.session.flush()
        looks = self._looks(work.session, records)
        fresh = [{"customer": customer, "look_on": looks[customer]} for customer in sorted(looks)]
        made = work.insert_each_once(GradeLookRow, fresh)  # nothing can wait where there was no look
        known = [customer for customer in sorted(looks) if (customer,) not in made]
        if not known:
            return
        mine = select(GradeLookRow).where(col(GradeLookRow.customer).in_(known))
        mine = mine.order_by(GradeLookRow.customer).with_for_update()
        held = work.session.exec(mine.execution_options(populate_existing=True)).all()
        waits = select(RegradeRow.customer).where(
            col(RegradeRow.customer).in_(known), RegradeRow.request == ""
        )
        waiting = set(work.session.exec(waits))  # they are looked at tomorrow, and what follows is found then
        for look in held:
            if look.customer not in waiting:
                look.look_on = looks[look.customer]
                work.session.add(look)

    def _looks(self, session: Session, records: Sequence[AssessmentRecord]) -> dict[str, datetime | None]:
        """Return when the customers of these decisions are to be looked at by them."""
        asks = [(r, self._library.credit(session, r.decision.digest)[0]) for r in records if r.customer]
        asks = [(record, policy) for record, policy in asks if policy.regrade is not None]
        zones = zones_of_customers(session, {record.customer for record, _ in asks})
        looks: dict[str, datetime | None] = {}
        for record, policy in sorted(asks, key=lambda one: (one[0].at, one[0].id)):
            zone = zones[record.customer]
            if record.decision.as_of < record.at.astimezone(zone).date():
                last = latest_decision(session, record.customer)
                if last is None or last.id != record.id:
                    continue  # asked how it stood on an earlier day: another decision is in force
            looks[record.customer] = _first_look(policy, record.decision.as_of, zone)
        return looks

    def overridden(self, work: Work, row: DecisionRow, at: datetime) -> None:
        """Let a grade that a person has put in place count, and be looked at when its time is over."""
        last = latest_decision(work.session, row.customer)
        if last is None or last.id != row.id:
            return
        zone = zone_of(work.session, row.customer)
        put_grade(work, row, zone, at)
        if ends := grade_ends(work.session, row, at.astimezone(zone).date()):
            look = _held(work, row.customer)
            look.look_on = min(filter(None, (look.look_on, _morning(ends[0], zone))))
            work.session.add(look)

    def refused(self, work: Work, request: AssessmentRequest, why: str) -> None:
        """Give a person what could not be graded anew."""
        if request.request.startswith(REQUEST):
            _task(work, request.customer, request.request, request.regraded_for, why, request.at)

    def due(self, session: Session, at: datetime, limit: int, customer: str = "") -> list[str]:
        """Return the customers whose last decision is to be looked at."""
        query = select(GradeLookRow.customer).where(col(GradeLookRow.look_on) <= at)
        if customer:
            query = query.where(GradeLookRow.customer == customer)
        return list(session.exec(query.order_by(GradeLookRow.customer).limit(limit)))

    def look(self, work: Work, customer: str, at: datetime) -> bool:
        """Look at a customer's last decision if it is due; tell whether a new grade was asked for."""
        row = latest_decision(work.session, customer)
        zone = zone_of(work.session, customer)
        if row is not None:
            restore_grade(work, row, zone, at)
        look = _held(work, customer)
        if look.look_on is None or look.look_on > at:
            return False
        days = grade_ends(work.session, row, at.astimezone(zone).date())[:1] if row is not None else []
        policy = self._policy(work.session, row)
        if row is not None and policy is not None and policy.regrade is not None:
            days += self._by_time(work, row, policy, zone, at)
        look.look_on = min((_morning(day, zone) for day in days), default=None)
        work.session.add(look)
        return self._ask(work, look, at)

    def _by_time(
        self, work: Work, row: DecisionRow, policy: CreditPolicy, zone: ZoneInfo, at: datetime
    ) -> list[date]:
        """Note what time has brought; return the days on which more may come of it."""
        assert policy.regrade is not None
        today, days = at.astimezone(zone).date(), list[date]()
        until, months = policy.valid_until(row.as_of), policy.regrade.good_months
        if "expired" in policy.regrade.on and until is not None:
            if until < today:
                _add(work, row.customer, "expired", row.id, at)
            else:
                days.append(until + timedelta(days=1))
        if months is not None:
            full = Period(months=months).after(row.as_of)
            if full > today:
                days.append(full)
            elif not self._is_good(work.session, row.customer, today, at, months):
                days.append(Period(months=1).after(today))
            else:
                _add(work, row.customer, f"{months} good months", row.id, at)
        return days

    def _is_good(self, session: Session, customer: str, today: date, at: datetime, months: int) -> bool:
        rows = _accounts(session, customer)
        entries = entries_of(session, [row.id for row in rows])
        found = [good_months(terms_of(row), entries.get(row.id, ()), today, at, months) for row in rows]
        return True in found and False not in found

    def _ask(self, work: Work, look: GradeLookRow, at: datetime) -> bool:
        """Ask for a new grade for all causes that wait, unless one was asked for on the same day."""
        waiting = _waiting(work.session, look.customer)
        if not waiting:
            return False
        zone = zone_of(work.session, look.customer)
        today = at.astimezone(zone).date()
        if _asked_on(work.session, look.customer, zone) == today:
            tomorrow = _morning(today + timedelta(days=1), zone)
            look.look_on = min(filter(None, (look.look_on, tomorrow)))
            work.session.add(look)
            return False
        why = "; ".join(f"{row.cause} ({row.ref})" for row in waiting)
        request = REQUEST + digest([[row.customer, row.cause, row.ref] for row in waiting])[7:39]
        for row in waiting:
            row.request, row.asked_at = request, at
            work.session.add(row)
        self._put(work, look.customer, request, why, today, at)
        return True

    def _put(self, work: Work, customer: str, request: str, why: str, today: date, at: datetime) -> None:
        last = latest_decision(work.session, customer)
        try:
            policy = self.policy_for(work.session, customer, today)
        except PolicyNotFound as error:
            _task(work, customer, request, why, str(error), at)
            return
        asked = AssessmentRequest(
            form=NAMED,
            request=request, policy=policy, customer=customer, account=last.account if last else "",
            as_of=today, at=at, regraded_for=why,
        )  # fmt: skip
        work.audit("regrade", request, at, digest({"customer": customer, "for": why}))
        outbox.put(
            work, "case", "assess", assessment_id(request), account=f"customer/{customer}",
            once=f"assess:{request}", created_at=at, body=asked,
        )  # fmt: skip

    def _asks(self, session: Session, customer: str, at: datetime) -> CreditPolicy | None:
        """Return the policy of the last decision on a customer as it is in force now; None without one."""
        last = latest_decision(session, customer)
        return self._now(session, last.name, last.policy, at) if last is not None else None

    def _now(self, session: Session, name: str, policy: str, at: datetime) -> CreditPolicy | None:
        chosen = self._library.in_force(session, "credit", name, at.date())
        return self._library.credit(session, chosen.digest if chosen else policy)[0]

    def _policy(self, session: Session, row: DecisionRow | None) -> CreditPolicy | None:
        return self._library.credit(session, row.policy)[0] if row is not None else None


def regrading_for(session: Session, customer: str) -> list[str]:
    """Return the causes for which a new grade of a customer is on its way, in words."""
    answered = select(DecisionRow.request).where(DecisionRow.customer == customer)
    mine = select(RegradeRow).where(RegradeRow.customer == customer, col(RegradeRow.request).not_in(answered))
    rows = session.exec(mine.order_by(col(RegradeRow.at), RegradeRow.cause, RegradeRow.ref))
    return [f"{row.cause} ({row.ref})" for row in rows]


def causes_of(session: Session, requests: Collection[str]) -> dict[str, list[str]]:
    """Return in words all causes that these requests answer, in the order in which they were noted."""
    mine = select(RegradeRow).where(col(RegradeRow.request).in_(list(requests)))
    found: dict[str, list[str]] = {request: [] for request in requests}
    for row in session.exec(mine.order_by(col(RegradeRow.at), RegradeRow.cause, RegradeRow.ref)):
        found[row.request].append(f"{row.cause} ({row.ref})")
    return found


def _asked_since(session: Session, customer: str, at: datetime) -> str:
    """Return the last request for a new grade that was asked for at an instant or later; empty: none.

    One that was refused answers nothing.
    """
    mine = select(RegradeRow.request).where(RegradeRow.customer == customer, RegradeRow.request != "")
    since = mine.where(col(RegradeRow.asked_at) >= at).order_by(col(RegradeRow.asked_at).desc())
    found = session.exec(since.limit(1)).first() or ""
    refused = select(TaskRow.key).where(TaskRow.key == f"regrade/{found}")
    return "" if session.exec(refused).first() else found


def _rename(work: Work, request: str, why: str) -> None:
    """Name all causes in a request that nobody has been told of yet; see `causes_of` for the others."""
    mine = select(OutboxRow).where(OutboxRow.once == f"assess:{request}", OutboxRow.state == "pending")
    row = work.session.exec(mine.with_for_update()).one_or_none()
    if row is not None:
        asked = AssessmentRequest.model_validate_json(row.body)
        row.body = canonical(asked.model_copy(update={"regraded_for": why})).decode()
        work.session.add(row)


def _add(work: Work, customer: str, cause: str, ref: str, at: datetime, request: str = "") -> bool:
    values = {"customer": customer, "cause": cause, "ref": ref, "at": at, "request": request}
    return work.insert_once(RegradeRow, values | {"asked_at": at if request else None}) is not None


def _held(work: Work, customer: str) -> GradeLookRow:
    work.insert_once(GradeLookRow, {"customer": customer, "look_on": None})
    mine = select(GradeLookRow).where(GradeLookRow.customer == customer).with_for_update()
    return work.session.exec(mine.execution_options(populate_existing=True)).one()


def _waiting(session: Session, customer: str) -> Sequence[RegradeRow]:
    mine = select(RegradeRow).where(RegradeRow.customer == customer, RegradeRow.request == "")
    return session.exec(mine.order_by(col(RegradeRow.at), RegradeRow.cause, RegradeRow.ref)).all()


def _asked_on(session: Session, customer: str, zone: ZoneInfo) -> date | None:
    mine = select(RegradeRow.asked_at).where(RegradeRow.customer == customer)
    asked = mine.where(col(RegradeRow.asked_at).is_not(None)).order_by(col(RegradeRow.asked_at).desc())
    last = session.exec(asked.limit(1)).first()
    return last.astimezone(zone).date() if last else None


def _accounts(session: Session, customer: str) -> Sequence[AccountRow]:
    mine = select(AccountRow).where(AccountRow.customer == customer)
    return session.exec(mine.order_by(AccountRow.id)).all()


def _first_look(policy: CreditPolicy, as_of: date, zone: ZoneInfo) -> datetime | None:
    assert policy.regrade is not None
    until, months = policy.valid_until(as_of), policy.regrade.good_months
    days = [until + timedelta(days=1)] if until and "expired" in policy.regrade.on else []
    days += [Period(months=months).after(as_of)] if months else []
    return min((_morning(day, zone) for day in days), default=None)


def _morning(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _task(work: Work, customer: str, request: str, why: str, error: str, at: datetime) -> None:
    said = f"Customer `{customer}` was not graded anew for {why}: {error}"
    values = {
        "key": f"regrade/{request}", "account": "", "number": 0, "step": "regrade", "do": "task",
        "args": canonical(["reassess"]).decode(), "reason": said, "created_at": at, "due_at": None,
        "state": "open", "outcome": "",
    }  # fmt: skip
    work.insert_once(TaskRow, values)


__all__ = [
    "GradeLookRow",
    "RegradeRow",
    "Regrading",
    "causes_of",
    "regrading_for",
]
