"""Customers: who they are, and what is known of them for grading."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, status
from fastapi.concurrency import run_in_threadpool
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from sqlmodel import Session

from api.rest.bodies import Body, Day, Id, Instant, Page, ReceivedAt, example
from api.rest.errors import Refusal
from api.rest.paging import After, Limit, cursor_of, page_of
from api.rest.representation import Fields, IfMatch, matches, needed, tag_of
from api.rest.routes import Prefer, day_told, received, router, wait_for
from api.storage.customers import (
    add_customer,
    fact_rows,
    latest_facts,
    lock_customers,
    page_of_customers,
    rename,
    require_customer,
    set_facts,
)
from api.storage.fact_notes import FactNotes
from api.storage.pokes import poke_open_cases
from api.storage.session import Work
from api.storage.tables import CustomerRow
from api.wiring import Wiring
from engine.credit.decision import Fact
from engine.text import did_you_mean

Plain = bool | int | str | tuple[str, ...] | None


OWN = "forbear:"
"""How a source begins that this house gives itself; nobody who tells a fact is called so."""


def _of_others(source: str) -> str:
    if source.startswith(OWN):
        raise ValueError(f"no source that is told begins with `{OWN}`")
    return source


class GivenFact(Body):
    """A fact with its quality: numbers with a fraction are decimal strings."""

    value: Plain
    as_of: Day | None = Field(
        default=None, description="The day on which it was true; its age is measured from here."
    )
    source: Annotated[str, AfterValidator(_of_others)] = Field(
        default="",
        description=f"Who says so. `{OWN}...` stands for what a policy put in by itself, and is refused.",
    )
    verified_by: Annotated[str, AfterValidator(str.strip)] = Field(
        default="", description="Who has verified it; blank: nobody."
    )
    verified_at: Instant | None = Field(
        default=None, description="When; an instant that has not come yet is refused."
    )


def _one_shape(said: object) -> object:
    """Tell a fact with its quality from a plain one first, so that a mistake is told once."""
    if isinstance(said, dict):
        try:
            return GivenFact.model_validate(said)
        except ValidationError as error:
            raise ValueError(_wrong(str(error.errors()[0]["loc"][0]), said)) from None
    if isinstance(said, list) and not all(isinstance(item, str) for item in said):
        raise ValueError("a list has texts only")
    return said


def _wrong(name: str, said: Mapping[str, object]) -> str:
    if name not in GivenFact.model_fields:
        return f"a fact has no `{name}`; {did_you_mean(name, GivenFact.model_fields, of='it has')}".rstrip(
            "?."
        )
    if name == "value":
        return "a fact has a `value`: a truth value, a whole number, a text, a list of texts or null"
    told = f"`{name}` of the fact cannot be `{str(said[name])[:60]}`"
    if name == "source" and isinstance(said[name], str):
        return f"{told}: that says that nobody told it; leave such a fact out, or name who did"
    return told


FactsBody = dict[
    Annotated[str, Field(min_length=1, max_length=64)],
    Annotated[Plain | GivenFact, BeforeValidator(_one_shape)],
]


class CustomerBody(Body):
    """A customer (TMF629): segment and standing data never change; what changes is a fact."""

    model_config = example(
        id="C1001", name="Zhang Wei", segment="consumer", since="2021-03-20",
        facts={"value": "mid", "id_verified": {"value": True, "source": "shop", "verified_by": "agent 17"}},
    )  # fmt: skip
    id: Id
    name: str = Field(default="", max_length=200)
    segment: str = Field(default="", max_length=64, description="Which credit policy judges them.")
    since: Day | None = None
    facts: FactsBody = {}
    received_at: ReceivedAt = None


class CustomerChange(Body):
    """What may be changed of a customer; what changes over time is told as a fact."""

    model_config = example(name="Zhang Wei")
    name: str = Field(max_length=200)
    received_at: ReceivedAt = None


class CustomerOut(Body):
    """A customer with the last word on each fact."""

    id: str
    name: str
    segment: str
    since: date | None
    facts: dict[str, Fact]


Notes = Annotated[
    list[str],
    Field(
        description="What is kept, but read by no policy in force, or refused by one that reads it; in words."
    ),
]


class CustomerKept(CustomerOut):
    """A customer as it is kept, and what the policies in force make of what was told."""

    notes: Notes


class FactsOut(Body):
    """Which facts were new, and what the policies in force make of them."""

    new: list[str]
    notes: Notes


class SetFactsBody(Body):
    """Facts that became known about a customer."""

    model_config = example(facts={"value": {"value": "high", "as_of": "2026-03-01", "source": "crm"}})
    facts: FactsBody
    received_at: ReceivedAt = None


def facts_of(given: Mapping[str, Any], on: date | None = None) -> dict[str, Fact]:
    """Return the facts of a body as the engine takes them; `on` is the day of those that name none."""
    return {name: _fact_of(said, on) for name, said in given.items()}


def _fact_of(said: Any, on: date | None) -> Fact:
    if not isinstance(said, GivenFact):
        return Fact(value=said, as_of=on)
    fields = said.model_dump()
    return Fact(**{**fields, "as_of": fields["as_of"] or on})


_AHEAD = timedelta(minutes=5)
"""How far the clock of whoever verifies may be ahead of ours."""


def verified_by_now(facts: Mapping[str, Fact], at: datetime) -> None:
    """Raise Refusal for a fact that is said to be verified at an instant that has not come at `at`."""
    for name, fact in facts.items():
        if fact.verified_at is not None and day_told(at) and fact.verified_at > at + _AHEAD:
            why = f"`verified_at` {fact.verified_at.isoformat()} of `{name[:64]}` has not come yet."
            pointer = f"/facts/{name.replace('~', '~0').replace('/', '~1')}/verified_at"
            raise Refusal("malformed-body", why, pointer)


_EASTERNMOST = timedelta(hours=14)
"""No local day is ahead of UTC by more."""


def told_on(wiring: Wiring, at: datetime) -> date:
    """Return the latest local day anywhere of an instant of receipt; of now, if it was always known."""
    return ((at if day_told(at) else wiring.clock.now()) + _EASTERNMOST).date()


def begun(wiring: Wiring, since: date | None, at: datetime) -> None:
    """Raise Refusal for a customer who begins to be one in the future."""
    if since is not None and since > told_on(wiring, at):
        raise Refusal(
            "malformed-body",
            f"`since` is {since}, a day that has not come; leave it out until then.",
            "/since",
        )


def notes_of(wiring: Wiring, session: Session, at: datetime) -> FactNotes:
    """Return what gives notes on facts: the policies in force on the day on which they are told."""
    return FactNotes.of(session, wiring.library, told_on(wiring, at))


def customers_router(wiring: Wiring) -> APIRouter:
    """Return the paths of customers."""
    api = router("customers")

    @api.post("/customers", status_code=201, summary="Create a customer")
    def create(body: CustomerBody, response: Response) -> CustomerKept:
        at = received(wiring, body.received_at, needed=False)
        begun(wiring, body.since, at)
        facts = facts_of(body.facts, day_told(at))
        verified_by_now(facts, at)
        with wiring.database.write() as work:
            row, new = add_customer(work, body.model_dump(include={"id", "name", "segment", "since"}), at)
            set_facts(work, {row.id: facts}, at)
            out = _out(work.session, row)
            notes = notes_of(wiring, work.session, at).on(row.segment, facts)
        response.status_code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        response.headers["Location"] = f"/v1/customers/{row.id}"
        return CustomerKept(**dict(out), notes=notes)

    @api.post("/customers/{customer}/facts", summary="Tell facts about a customer")
    async def tell(customer: str, body: SetFactsBody, response: Response, prefer: Prefer = None) -> FactsOut:
        at = received(wiring, body.received_at)

        facts = facts_of(body.facts, day_told(at))
        verified_by_now(facts, at)

        def write() -> tuple[FactsOut, Work]:
            with wiring.database.write() as work:
                row = require_customer(work.session, customer)
                new = set_facts(work, {customer: facts}, at).get(customer, [])
                if new:
                    poke_open_cases(work, customer, "fact", at)
                    news = wiring.writer.news
                    news.keep(work, news.told(work.session, {customer: new}, at))
                    wiring.writer.regrading.told(work, {customer: new}, at)
                notes = notes_of(wiring, work.session, at).on(row.segment, facts)
                return FactsOut(new=new, notes=notes), work

        out, work = await run_in_threadpool(write)
        await wait_for(wiring, work.outbox, prefer, response)
        return out

    @api.get("/customers/{customer}", summary="Read a customer")
    def read(customer: str, response: Response) -> CustomerOut:
        with wiring.database.read() as session:
            found = _out(session, require_customer(session, customer))
        response.headers["ETag"] = tag_of(found)
        return found

    @api.patch("/customers/{customer}", summary="Change a customer's name")
    def change(
        customer: str, body: CustomerChange, response: Response, if_match: IfMatch = None
    ) -> CustomerOut:
        """A merge patch (RFC 7396). What grading reads is a fact: `POST /v1/customers/{customer}/facts`."""
        asked = needed(if_match, "customer")
        at = received(wiring, body.received_at, needed=False)
        with wiring.database.write() as work:
            row = lock_customers(work.session, [customer])[customer]
            if not matches(asked, tag_of(_out(work.session, row))):
                raise Refusal("precondition-failed", f"Customer `{customer}` is not as it was read.")
            rename(work, row, body.name, at)
            found = _out(work.session, row)
        response.headers["ETag"] = tag_of(found)
        return found

    @api.get("/customers", summary="List customers")
    def page(
        segment: Annotated[str, Query(description="Of one segment.")] = "",
        limit: Limit = 100,
        after: After = "",
        fields: Fields = "",
    ) -> Page[CustomerOut]:
        (cursor,) = cursor_of(after, str) or ("",)
        with wiring.database.read() as session:
            rows = page_of_customers(session, cursor, limit, segment)
            items = [_out(session, row) for row in rows]
        asked = {"segment": segment, "fields": fields}
        return Page(items=items, next=page_of("/v1/customers", rows, limit, lambda row: (row.id,), asked))

    return api


def _out(session: Session, row: CustomerRow) -> CustomerOut:
    facts = latest_facts(fact_rows(session, [row.id]))
    return CustomerOut(id=row.id, name=row.name, segment=row.segment, since=row.since, facts=facts)
