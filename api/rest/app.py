"""The application: every path, behind one gate."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from api.rest import errors, openapi
from api.rest.accounts import accounts_router
from api.rest.actions import actions_router
from api.rest.agreements import agreements_router
from api.rest.alerts import alert_actions_router, alerts_router, watch_simulation_router
from api.rest.assessments import assessments_router
from api.rest.balances import balances_router
from api.rest.bounces import bounces_router
from api.rest.brakes import brakes_router
from api.rest.bulk import bulk_router
from api.rest.cases import cases_router
from api.rest.customers import customers_router
from api.rest.decisions import decisions_router
from api.rest.docs import docs_router
from api.rest.entries import entries_router
from api.rest.events import events_router
from api.rest.feeds import feeds_router
from api.rest.gate import Gate
from api.rest.health import health_router
from api.rest.idempotent import Idempotency
from api.rest.messages import messages_router
from api.rest.methods import Methods
from api.rest.policies import policies_router
from api.rest.quick_previews import QuickPreviews
from api.rest.reviews import reviews_router
from api.rest.simulation import simulation_router
from api.rest.tasks import tasks_router
from api.rest.usage import usage_router
from api.rest.webhook import webhook_router
from api.wiring import Wiring

HOSTS = ("127.0.0.1", "localhost", "[::1]")
_ABOUT = """A billing system posts what happened (`ledger`), asks for grades (`grading`), follows `cases`.

Every `/v1` call needs `Authorization: Bearer <key>`; the key is in `api.key` of the data directory.
Amounts are decimal strings in the account's currency, never JSON numbers with a fraction.
Dates are local business dates in the account's time zone; instants carry an offset.
Entries are idempotent by their id; any write takes an `Idempotency-Key`, and an assessment needs one.
Under its key an answer is kept for 48 hours, and what the ledger refuses as it stands (409) for ten
minutes. What can be mended (a body, refused facts, an old `If-Match`: every other 4xx) or failed here (5xx)
is not kept: send it again under the same key. A 409 `request-in-flight` and every 503 say when, in
`Retry-After`.
`HEAD` is answered wherever `GET` is.
Failures are problems (RFC 9457) with stable types."""


def create_app(wiring: Wiring, more: Sequence[APIRouter] = ()) -> ASGIApp:
    """Return the API over the wired parts; the relay and the worker are run by whoever serves it.

    `more`: paths of a benchmark, behind the same gate.
    """
    return gated(framework_app(wiring, more), wiring)


def gated(app: FastAPI, wiring: Wiring) -> ASGIApp:
    """Return paths behind the gate, with keys of calls and the quick way of previews."""
    inner = Idempotency(
        QuickPreviews(app, wiring), keys=wiring.keys, now=wiring.clock.now, methods=app.state.methods
    )
    settings = wiring.settings
    hosts = {*HOSTS, settings.host, *settings.hosts}
    return Gate(
        inner, key=wiring.directory.key, hosts=hosts, body_limit=settings.body_limit,
        methods=app.state.methods,
    )  # fmt: skip


def framework_app(wiring: Wiring, more: Sequence[APIRouter] = ()) -> FastAPI:
    """Return the paths alone, without gate and keys."""
    app = FastAPI(
        title="Forbear",
        version=version("forbear"),
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_tags=_TAGS,
        separate_input_output_schemas=False,
    )
    errors.install(app)
    routers = [*more, *(make(wiring) for make in (
        customers_router, accounts_router, balances_router, usage_router, bulk_router, entries_router,
        agreements_router,
        feeds_router,
        assessments_router, reviews_router, decisions_router, cases_router, alert_actions_router,
        actions_router, bounces_router, messages_router, webhook_router,
        tasks_router, brakes_router, events_router, alerts_router, policies_router, simulation_router,
        watch_simulation_router, health_router,
    )), docs_router(app)]  # fmt: skip
    for router in routers:
        app.include_router(router)
    app.state.methods = Methods(routers)
    openapi.install(app)
    return app


_TAGS = [
    {"name": "customers", "description": "Who owes, and what is known of them."},
    {"name": "accounts", "description": "Terms, standing and position of accounts."},
    {"name": "ledger", "description": "What happens to an account: one path a kind, or many rows at once."},
    {"name": "grading", "description": "Assessments, previews and decisions."},
    {"name": "cases", "description": "Arrears cases, the actions they ask for, the tasks of people."},
    {"name": "watching", "description": "Events, the alerts that they raise, and what people say of them."},
    {"name": "webhooks", "description": "What the receiver is sent: see `webhooks` of `/openapi.json`."},
    {"name": "policies", "description": "The shelf of texts."},
    {"name": "simulation", "description": "Only in simulated time."},
    {"name": "health", "description": "For those who watch over the process."},
]
